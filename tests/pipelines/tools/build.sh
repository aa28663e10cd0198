#!/bin/sh
# Gets what tests/pipelines takes pipelines apart with: Helm, actionlint and a jq, which are built from their
# Go modules, and pre-commit, from PyPI.
#
#   tests/pipelines/tools/build.sh [FOLDER]      FOLDER: target/pipeline-tools of the crate
#
# A minute or two after tests/cluster/assets/build.sh, which compiles most of the same, then nothing: a stamp
# tells that the folder has what these files ask for. The tests call it themselves; CI may call it ahead of them.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=${1:-$here/../../../target/pipeline-tools}

mkdir -p "$out"
out=$(CDPATH='' cd -- "$out" && pwd)

# Two test processes shall not build at once.
if command -v flock >/dev/null; then
    exec 9>"$out/.lock"
    flock 9
fi

cd "$here"
stamp=$(cksum go.mod go.sum build.sh)
if [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi
if ! command -v go >/dev/null; then
    echo "there is no go to build Helm, actionlint and a jq with" >&2
    exit 69
fi

new=$(mktemp -d "$out/.new.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 130' INT TERM

echo "building Helm, actionlint and a jq, and installing pre-commit, into $out" >&2
CGO_ENABLED=0 GOWORK=off go build -mod=readonly -trimpath -ldflags "-s -w" -o "$new/" tool
mv "$new/gojq" "$new/jq"
mv "$new"/* "$out/"

# It stays where it is made: its programs name their interpreter.
rm -rf "$out/venv"
if ! python3 -m venv "$out/venv" ||
    ! "$out/venv/bin/pip" install --quiet --disable-pip-version-check pre-commit==4.7.0; then
    rm -rf "$out/venv"
    echo "there is no pre-commit: it takes python3 with venv, and PyPI" >&2
    exit 0
fi
echo "$stamp" >"$out/.stamp"
