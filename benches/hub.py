"""A real kube-apiserver for measurements, with as many of Ramen's objects as are wanted, each as Ramen leaves it: status,
managedFields and all. Needed: what `tests/setup` makes, Ramen's CRDs (CRDS, default ../shared/crds), and a release build
(GUARD, default target/release/ramen-guard)."""
import concurrent.futures, http.client, json, os, pathlib, secrets, shutil, socket, ssl, subprocess, sys, tempfile, threading, time

root = pathlib.Path(__file__).resolve().parent.parent
guard = os.environ.get("GUARD", str(root / "target/release/ramen-guard"))
crds = pathlib.Path(os.environ.get("CRDS", root / "../shared/crds"))
assets = next((p.parent for p in sorted((root / "target/kube-assets").rglob("kube-apiserver")) if p.is_file()), None)
assets = os.environ.get("KUBEBUILDER_ASSETS", assets)
for what, path in {"the guard": guard, "Ramen's CRDs": crds, "kube-apiserver": assets}.items():
    if not path or not os.path.exists(path):
        sys.exit(f"{what}: {path} is not there")
assets = pathlib.Path(assets)

def free():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]

# How many there are of each kind, set by `serve_api`.
drpcs = policies = clusters = 0

work = pathlib.Path(tempfile.mkdtemp(prefix="ramen-guard-bench-"))
started = []

def start(name, *args, **env):
    log = open(work / f"{name}.log", "wb")
    process = subprocess.Popen([str(a) for a in args], stdout=log, stderr=log, env={**os.environ, **env})
    started.append(process)
    return process

token, store, port = secrets.token_hex(16), free(), free()
local = threading.local()

def call(method, path, body=None, kind="application/json"):
    for attempt in range(5):
        try:
            if not hasattr(local, "connection"):
                context = ssl._create_unverified_context()
                local.connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
            headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
            local.connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = local.connection.getresponse()
            text = answer.read()
            if answer.status < 500 and answer.status != 429:
                return answer.status, json.loads(text) if text[:1] == b"{" else text
        except (http.client.HTTPException, OSError, ssl.SSLError):
            del local.connection
        time.sleep(0.2 * (attempt + 1))
    raise RuntimeError(f"{method} {path} fails")

API = "ramendr.openshift.io/v1alpha1"
GROUP = f"/apis/{API}"
NAMESPACE = "ramen-guard-system"

def put(path, body, status=None):
    code, made = call("POST", path, body)
    if code == 409:
        return
    assert code == 201, (code, made)
    if status:
        made["status"] = status
        code, made = call("PUT", f"{path}/{body['metadata']['name']}/status", made)
        assert code == 200, (code, made)

def condition(kind):
    return {"type": kind, "status": "True", "reason": "Deployed", "message": "as it should be, said at some length",
            "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1}

def drpc(number):
    namespace = f"team-{number % 100}"
    name = f"app-{number}"
    body = {"apiVersion": API, "kind": "DRPlacementControl",
            "metadata": {"name": name, "namespace": namespace, "finalizers": ["drpc.ramendr.openshift.io/finalizer"],
                         "labels": {"cluster.open-cluster-management.io/backup": "ramen", "app": name},
                         "annotations": {"drplacementcontrol.ramendr.openshift.io/app-namespace": namespace,
                                         "drplacementcontrol.ramendr.openshift.io/last-app-deployment-cluster": f"cluster-{number % clusters}"}},
            "spec": {"drPolicyRef": {"name": f"policy-{number % policies}"},
                     "placementRef": {"kind": "Placement", "name": name},
                     "preferredCluster": f"cluster-{2 * (number % policies) % clusters}",
                     "pvcSelector": {"matchLabels": {"app": name}}}}
    status = {"phase": "Deployed", "progression": "Completed", "observedGeneration": 1,
              "preferredDecision": {"clusterName": f"cluster-{number % clusters}", "clusterNamespace": f"cluster-{number % clusters}"},
              "conditions": [condition("Available"), condition("PeerReady"), condition("Protected")],
              "resourceConditions": {"conditions": [condition("DataReady"), condition("ClusterDataReady")],
                                     "resourceMeta": {"generation": 1, "kind": "VolumeReplicationGroup", "name": name, "namespace": namespace,
                                                      "protectedpvcs": [f"{name}-pvc-{i}" for i in range(4)]}}}
    put(f"{GROUP}/namespaces/{namespace}/drplacementcontrols", body, status)

def policy(number):
    pair = [f"cluster-{2 * number % clusters}", f"cluster-{(2 * number + 1) % clusters}"]
    put(f"{GROUP}/drpolicies", {"apiVersion": API, "kind": "DRPolicy", "metadata": {"name": f"policy-{number}"},
                                "spec": {"drClusters": pair, "schedulingInterval": "5m"}})

def cluster(number):
    put(f"{GROUP}/drclusters", {"apiVersion": API, "kind": "DRCluster", "metadata": {"name": f"cluster-{number}"},
                                "spec": {"s3ProfileName": f"profile-{number}", "region": f"region-{number}", "cidrs": [f"10.{number % 250}.0.0/16"]}},
        {"phase": "Available", "conditions": [condition("Validated"), condition("Clean"), condition("Fenced")]})

def memory(process):
    fields = dict(line.split(":", 1) for line in open(f"/proc/{process.pid}/status") if ":" in line)
    return [int(fields[f].split()[0]) / 1024 for f in ("VmRSS", "VmHWM")]

def metric(metrics, name):
    with socket.create_connection(("127.0.0.1", metrics), 5) as s:
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
    return next((float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + " ")), 0)

def wait(what, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if what():
                return
        except (OSError, RuntimeError, http.client.HTTPException):
            pass
        time.sleep(0.02)
    raise RuntimeError("waited in vain")

def run(*args):
    return subprocess.run([str(a) for a in args], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout

def kubectl(*args, text=None):
    done = subprocess.run([str(assets / "kubectl"), f"--kubeconfig={work}/kubeconfig", *args], input=text, capture_output=True)
    assert done.returncode == 0, (args, done.stderr.decode())
    return done.stdout

def serve_api(*sizes):
    """Starts the API server, with this many DRPlacementControls, DRPolicies and DRClusters."""
    global drpcs, policies, clusters
    drpcs, policies, clusters = sizes
    run(guard, "certs", work, "--name", "127.0.0.1", "--name", "localhost")
    run("openssl", "genpkey", "-algorithm", "RSA", "-out", work / "accounts.key")
    (work / "tokens.csv").write_text(f"{token},admin,admin,system:masters\n")
    (work / "kubeconfig").write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "bench",
        "clusters": [{"name": "bench", "cluster": {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(work / "ca.crt")}}],
        "users": [{"name": "bench", "user": {"token": token}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}]}))
    url = f"http://127.0.0.1:{store}"
    start("etcd", assets / "etcd", "--data-dir", work / "etcd", f"--listen-client-urls={url}", f"--advertise-client-urls={url}",
          "--listen-peer-urls=http://127.0.0.1:0", "--unsafe-no-fsync")
    start("kube-apiserver", assets / "kube-apiserver", f"--etcd-servers={url}", f"--secure-port={port}", "--bind-address=127.0.0.1",
          "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.0.0.0/24",
          "--disable-admission-plugins=ServiceAccount", "--authorization-mode=RBAC", "--service-account-issuer=https://kubernetes.default.svc",
          f"--service-account-key-file={work}/accounts.key", f"--service-account-signing-key-file={work}/accounts.key", f"--token-auth-file={work}/tokens.csv",
          f"--tls-cert-file={work}/tls.crt", f"--tls-private-key-file={work}/tls.key", f"--cert-dir={work}/certs")
    wait(lambda: call("GET", "/readyz")[0] == 200, 90)
    kubectl("apply", "--server-side", "-f", str(crds))
    kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
    for number in range(100):
        put("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team-{number}"}})
    put("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for make, count in ((cluster, clusters), (policy, policies), (drpc, drpcs)):
            list(pool.map(make, range(count)))
    print(f"{drpcs} DRPlacementControls, {policies} DRPolicies and {clusters} DRClusters made in {time.monotonic() - begin:.0f} s", flush=True)

def serve_guard(label, *args, **env):
    """Starts a guard, and waits until it is ready: the process, its two ports, and how long it took."""
    bind, metrics = free(), free()
    begin = time.monotonic()
    process = start(f"guard-{label.replace(' ', '-')}", guard, "serve", f"--bind=127.0.0.1:{bind}", f"--metrics-bind=127.0.0.1:{metrics}", *args,
                    KUBECONFIG=str(work / "kubeconfig"), **env)
    def ready():
        connection = http.client.HTTPConnection("127.0.0.1", metrics, timeout=5)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    wait(ready, 120)
    return process, bind, metrics, time.monotonic() - begin

def end():
    """Ends all that was started."""
    for process in reversed(started):
        process.kill()
    for process in started:
        process.wait()
    shutil.rmtree(work, ignore_errors=True)
