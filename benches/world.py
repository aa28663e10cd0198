#!/usr/bin/env python3
"""What a large world costs: memory of `serve`, and the time to readiness and to the first audit.

    benches/world.py [DRPCS [POLICIES [CLUSTERS]]]        (default 10000 200 400)

What it takes is said in hub.py."""
import sys, time
import hub

def measure(label, *args, audit=False, **env):
    begin = time.monotonic()
    process, _, metrics, took = hub.serve_guard(label, *args, **env)
    if audit:
        hub.wait(lambda: hub.metric(metrics, "ramen_guard_audit_last_seconds") > 0, 300)
    audited = time.monotonic() - begin
    time.sleep(3)
    now, most = hub.memory(process)
    process.terminate()
    process.wait()
    line = f"{label}: ready after {took:.2f} s, {now:.1f} MiB resident, {most:.1f} MiB at most"
    print(line + (f", audited after {audited:.1f} s" if audit else ""), flush=True)

try:
    counts = [int(n) for n in sys.argv[1:4]]
    hub.serve_api(*counts, *[10000, 200, 400][len(counts):])
    measure("webhook only", "--no-reconcile")
    measure("webhook only, again", "--no-reconcile")
    measure("with the reconciler", "--pace=0.2", audit=True, POD_NAMESPACE=hub.NAMESPACE, POD_NAME="bench")
finally:
    hub.end()
