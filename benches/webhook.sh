#!/usr/bin/env bash
# Measures the webhook beside a Go webhook and beside a bare echo on the same TLS stack, in turns in
# one run, so that what the machine does meanwhile happens to all alike. See README.md.
#
#   benches/webhook.sh [load.sh options]
#
# PEERS   the folder with load.sh, go-webhook/ and reviews/     (default ../shared/bench)
# GUARD   the binary to measure                                 (default target/release/ramen-guard)
set -euo pipefail
cd "$(dirname "$0")/.."
peers=${PEERS:-../shared/bench}
guard=${GUARD:-target/release/ramen-guard}
[ -d "$peers" ] || { echo "no peers to measure against: $peers is not there; set PEERS" >&2; exit 2; }
command -v h2load >/dev/null || { echo "h2load is missing: apt-get install nghttp2-client" >&2; exit 2; }

work=$(mktemp -d)
started=()
stop() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap stop EXIT

cargo build --release --locked --bin ramen-guard --example echo
cp -r "$peers/go-webhook" "$work/go"
chmod -R u+w "$work/go"
(cd "$work/go" && CGO_ENABLED=0 go build -o "$work/go-webhook" .)

# The same sort of certificate for all: the echo makes its own in memory.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/tls.key" -out "$work/tls.crt" 2>/dev/null

wait_for() { for _ in $(seq 200); do curl -sk -o /dev/null "$1" && return; sleep 0.05; done; echo "$1 does not answer" >&2; exit 1; }

RUST_LOG=error "$guard" serve --state "$peers/reviews/objs.yaml" --bind 127.0.0.1:20441 --metrics-bind 127.0.0.1:20451 \
  --tls-cert "$work/tls.crt" --tls-key "$work/tls.key" & guard_pid=$!; started+=("$guard_pid")
target/release/examples/echo --port 20442 >/dev/null & echo_pid=$!; started+=("$echo_pid")
"$work/go-webhook" -host 127.0.0.1 -port 20443 -cert-dir "$work" -policies "$peers/go-webhook/policies.json" & go_pid=$!; started+=("$go_pid")
wait_for https://127.0.0.1:20441/validate
wait_for https://127.0.0.1:20442/validate
wait_for https://127.0.0.1:20443/readyz

path=validate-ramendr-openshift-io-v1alpha1-drplacementcontrol
"$peers/load.sh" "$@" \
  "guard,https://127.0.0.1:20441/validate,$guard_pid" \
  "echo,https://127.0.0.1:20442/validate,$echo_pid" \
  "go,https://127.0.0.1:20443/$path,$go_pid"
