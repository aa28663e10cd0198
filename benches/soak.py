#!/usr/bin/env python3
"""Two guards under a steady load, with a new certificate every minute: no request may fail, and memory has to stay flat.

    benches/soak.py [MINUTES [RATE]]        (default 60 200)

The requests go to the guards as an API server's would: connections are kept, and a new one trusts the `caBundle` of the
stored configuration. One in ten goes through the API server itself, as a dry run. Every answer is compared with what it has
to be. What it takes is said in hub.py."""
import base64, http.client, json, random, socket, ssl, sys, threading, time
import hub

minutes, rate = (float(n) for n in [*sys.argv[1:3], *["60", "200"][len(sys.argv[1:3]):]])
HOST = "ramen-guard.ramen-guard-system.svc"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1"
WORKERS = 10
# Renewed after two thirds of its life.
CERTIFICATE, AUTHORITY = 90, 900

lock = threading.Lock()
took, failures, bundles, leaves = [], [], set(), set()
bundle = None

def read_bundle():
    """The caBundle of the validating webhooks, once it is in all of them."""
    _, found = hub.call("GET", f"{CONFIGURATIONS}/validatingwebhookconfigurations")
    all_of_them = {w["clientConfig"].get("caBundle") for c in found["items"] for w in c["webhooks"]}
    return all_of_them.pop() if len(all_of_them) == 1 else None

def follow_bundle(stop):
    global bundle
    while not stop.wait(1):
        try:
            bundle = read_bundle() or bundle
        except RuntimeError as error:
            print("the configurations can't be read now:", error, flush=True)
        bundles.add(bundle)

class Connection(http.client.HTTPSConnection):
    """To a guard on this machine, under the Service's name."""
    def __init__(self, port):
        context = ssl.create_default_context(cadata=base64.b64decode(bundle).decode())
        super().__init__(HOST, port, context=context, timeout=10)

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._context.wrap_socket(plain, server_hostname=HOST)
        leaves.add(self.sock.getpeercert(True))

def change(drpc):
    """A change of its spec, and whether it is allowed."""
    number = int(drpc["spec"]["drPolicyRef"]["name"].rsplit("-", 1)[1])
    peer = f"cluster-{(2 * number + 1) % hub.clusters}"
    return random.choice([({}, True), ({"action": "Failover", "failoverCluster": peer}, True),
                          ({"placementRef": {"kind": "Placement", "name": "another"}}, False)])

def review(drpc, spec, uid):
    kind = {"group": "ramendr.openshift.io", "version": "v1alpha1", "kind": "DRPlacementControl"}
    resource = {"group": "ramendr.openshift.io", "version": "v1alpha1", "resource": "drplacementcontrols"}
    new = {**drpc, "spec": {**drpc["spec"], **spec}}
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": uid, "kind": kind, "requestKind": kind, "resource": resource, "requestResource": resource, "operation": "UPDATE",
        "name": drpc["metadata"]["name"], "namespace": drpc["metadata"]["namespace"], "userInfo": {"username": "alice"},
        "object": new, "oldObject": drpc, "dryRun": False}})

def straight(port, drpcs):
    """Asks a guard, on a connection that is a new one after a while."""
    connection, left = None, 0
    def ask():
        nonlocal connection, left
        if left == 0:
            if connection:
                connection.close()
            connection, left = Connection(port), random.randrange(20, 400)
        # One that fails is not used again.
        before, left = left, 0
        drpc, uid = random.choice(drpcs), str(random.getrandbits(64))
        spec, allowed = change(drpc)
        path = random.choice(["/validate", "/validate", "/mutate"])
        connection.request("POST", path, review(drpc, spec, uid), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, (answer.status, text[:300])
        said = json.loads(text)["response"]
        assert said["uid"] == uid and said["allowed"] == allowed, (path, spec, said)
        left = before - 1
    return ask

def through(drpcs):
    """Asks the API server for a dry run."""
    def ask():
        drpc = random.choice(drpcs)
        spec, allowed = change(drpc)
        place = f"{hub.GROUP}/namespaces/{drpc['metadata']['namespace']}/drplacementcontrols/{drpc['metadata']['name']}"
        status, said = hub.call("PATCH", f"{place}?dryRun=All", {"spec": spec}, "application/merge-patch+json")
        assert status == (200 if allowed else 403), (spec, status, said)
        assert allowed or "drpc-placementref-immutable" in said["message"], said
    return ask

def work(ask, stop):
    every = WORKERS / rate
    due = time.monotonic() + random.random() * every
    while not stop.is_set():
        time.sleep(max(0, due - time.monotonic()))
        due += every
        begin = time.monotonic()
        try:
            ask()
        except Exception as error:  # whatever it is, it is a request that failed
            with lock:
                failures.append(repr(error))
                print("failed:", repr(error)[:600], flush=True)
            continue
        with lock:
            took.append(time.monotonic() - begin)

def watch(guards):
    """Prints what came of each minute, and of all."""
    begin = time.monotonic()
    total, flat = 0, []
    for minute in range(1, int(minutes) + 1):
        time.sleep(max(0, begin + 60 * minute - time.monotonic()))
        with lock:
            times, took[:] = sorted(took) or [0], []
        total += len(times)
        at = lambda share: 1000 * times[min(len(times) - 1, int(share * len(times)))]
        resident = [hub.memory(guard[0])[0] for guard in guards]
        flat.append(sum(resident))
        print(f"{minute:3} min: {len(times)} answers, {len(failures)} failed in all, p50 {at(.5):.1f} p99 {at(.99):.1f} most {at(1):.0f} ms, "
              f"{resident[0]:.1f} and {resident[1]:.1f} MiB, {len(leaves)} certificates and {len(bundles)} bundles so far", flush=True)
    print(f"{total} answers, {len(failures)} failed; {len(leaves)} certificates, {len(bundles)} bundles; both guards together {flat[0]:.1f} MiB after "
          f"the first minute, {flat[-1]:.1f} after the last, {max(flat):.1f} at most", flush=True)

def main():
    hub.serve_api(2000, 200, 400)
    guards = []
    for name in ("one", "two"):
        guards.append(hub.serve_guard(name, f"--certificate-life={CERTIFICATE}", f"--ca-life={AUTHORITY}",
                                      POD_NAMESPACE=hub.NAMESPACE, POD_NAME=name, RUST_LOG="warn"))
    # The API server reaches the first by the Service's name, and by a port that is not the Service's.
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "ramen-guard", "namespace": hub.NAMESPACE},
               "spec": {"type": "ExternalName", "externalName": "localhost"}}
    hub.put(f"/api/v1/namespaces/{hub.NAMESPACE}/services", service)
    text = hub.kubectl("create", "--dry-run=client", "-o", "json", "-f", "-", text=hub.run(hub.guard, "manifests"))
    decoder, at, found = json.JSONDecoder(), 0, []
    text = text.decode()
    while at < len(text.rstrip()):
        manifest, at = decoder.raw_decode(text, at)
        at += len(text[at:]) - len(text[at:].lstrip())
        found.extend(manifest["items"] if manifest["kind"] == "List" else [manifest])
    for manifest in found:
        if manifest["kind"].endswith("WebhookConfiguration"):
            for webhook in manifest["webhooks"]:
                webhook["clientConfig"]["service"]["port"] = guards[0][1]
            hub.put(f"{CONFIGURATIONS}/{manifest['kind'].lower()}s", manifest)
    hub.wait(read_bundle, 60)
    stop = threading.Event()
    global bundle
    bundle = read_bundle()
    threading.Thread(target=follow_bundle, args=(stop,), daemon=True).start()
    time.sleep(5)
    drpcs = hub.call("GET", f"{hub.GROUP}/drplacementcontrols?limit=500")[1]["items"]
    for drpc in drpcs:
        drpc.update(apiVersion=hub.API, kind="DRPlacementControl")
    asks = [through(drpcs) if n == 0 else straight(guards[n % 2][1], drpcs) for n in range(WORKERS)]
    workers = [threading.Thread(target=work, args=(ask, stop)) for ask in asks]
    for worker in workers:
        worker.start()
    try:
        watch(guards)
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    sys.exit(1 if failures else 0)

try:
    main()
finally:
    hub.end()
