#!/usr/bin/env bash
# Measures `check` beside kubeconform on the same manifests, in turns. See README.md.
#
#   benches/check.sh [MANIFESTS] [ROUNDS]                         (default 10000 3)
#
# PEERS   the folder with gen.py                                (default ../shared/bench)
# CRDS    the folder with Ramen's CRDs, for kubeconform         (default ../shared/crds)
# GUARD   the binary to measure                                 (default target/release/ramen-guard)
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-10000} rounds=${2:-3}
peers=${PEERS:-../shared/bench} crds=${CRDS:-../shared/crds}
guard=${GUARD:-target/release/ramen-guard}
[ -f "$peers/gen.py" ] || { echo "no manifests to make: $peers/gen.py is not there; set PEERS" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -n "${GUARD:-}" ] || cargo build --release --locked --bin ramen-guard
GOBIN="$work" go install github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
python3 "$peers/gen.py" "$work/manifests" "$count"
python3 - "$crds" "$work/schemas" <<'PY'
import json, os, sys, yaml
os.makedirs(sys.argv[2])
for name in sorted(os.listdir(sys.argv[1])):
    if not name.endswith(".yaml"):
        continue
    crd = yaml.safe_load(open(os.path.join(sys.argv[1], name)))
    for version in crd["spec"]["versions"]:
        file = f"{crd['spec']['names']['kind'].lower()}_{version['name']}.json"
        json.dump(version["schema"]["openAPIV3Schema"], open(os.path.join(sys.argv[2], file), "w"))
PY

measured() { # name command...
  local name=$1; shift
  python3 - "$name" "$@" <<'PY'
import os, resource, subprocess, sys, time
name, command = sys.argv[1], sys.argv[2:]
began = time.time()
done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{name:12} cpu {used.ru_utime + used.ru_stime:6.2f} s  wall {time.time() - began:6.2f} s  "
      f"memory {used.ru_maxrss / 1024:6.1f} MiB  exit {done.returncode}")
PY
}
for _ in $(seq "$rounds"); do
  measured guard "$guard" check "$work/manifests"
  measured kubeconform "$work/kubeconform" -schema-location "$work/schemas/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json" -n 2 "$work/manifests"
done
