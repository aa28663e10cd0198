#!/bin/sh
# Builds kube-apiserver, kubectl and etcd from their Go modules, for the tests in tests/cluster.
#
#   tests/cluster/assets/build.sh [FOLDER]      FOLDER: target/kube-assets of the crate
#
# Some minutes on two cores, then nothing: a stamp tells that the folder has what this script and
# its go.mod ask for. The tests call it themselves; CI may call it ahead of them.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=${1:-$here/../../../target/kube-assets}

mkdir -p "$out"
out=$(CDPATH='' cd -- "$out" && pwd)

# Two test processes shall not build at once. Where there is no flock they may: what they build is
# the same, and it is moved into place whole.
if command -v flock >/dev/null; then
    exec 9>"$out/.lock"
    flock 9
fi

stamp=$(cd "$here" && cksum go.mod go.sum build.sh)
if [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi
if ! command -v go >/dev/null; then
    echo "there is no go to build kube-apiserver, kubectl and etcd with" >&2
    exit 69
fi

new=$(mktemp -d "$out/.new.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 130' INT TERM

cd "$here"
export CGO_ENABLED=0 GOWORK=off
# kubectl asks for its own version, which a module build leaves empty.
version=$(go list -mod=readonly -m -f '{{.Version}}' k8s.io/kubernetes)
echo "building kube-apiserver and kubectl $version, and etcd, into $out" >&2
go build -mod=readonly -trimpath \
    -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version" \
    -o "$new/" \
    k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kubectl go.etcd.io/etcd/server/v3
# Go names a program after its module's folder.
mv "$new/server" "$new/etcd"

mv "$new"/* "$out/"
echo "$stamp" >"$out/.stamp"
