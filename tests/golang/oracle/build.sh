#!/bin/sh
# Builds the program beside this file, for tests/golang.rs.
#
#   tests/golang/oracle/build.sh [FOLDER]      FOLDER: target/oracle of the crate
#
# A minute, then nothing: a stamp tells that the folder has what these files say. The tests call it
# themselves; CI may call it ahead of them.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=${1:-$here/../../../target/oracle}

mkdir -p "$out"
out=$(CDPATH='' cd -- "$out" && pwd)

# Two test processes shall not build at once. Where there is no flock they may: what they build is
# the same, and it is moved into place whole.
if command -v flock >/dev/null; then
    exec 9>"$out/.lock"
    flock 9
fi

cd "$here"
stamp=$(cksum go.mod go.sum build.sh ./*.go)
if [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi
if ! command -v go >/dev/null; then
    echo "there is no go to build tests/golang/oracle with" >&2
    exit 69
fi

new=$(mktemp -d "$out/.new.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 130' INT TERM

CGO_ENABLED=0 GOWORK=off go build -mod=readonly -trimpath -ldflags "-s -w" -o "$new/oracle" .

mv "$new/oracle" "$out/oracle"
echo "$stamp" >"$out/.stamp"
