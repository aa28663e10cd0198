#!/usr/bin/env python3
"""How long after its start the guard gives its first correct denial: first-denial.py GUARD STATE REVIEW [ROUNDS]

GUARD is the binary, STATE the manifests it is served, REVIEW a recorded AdmissionReview that is refused.
Prints the median, the best and the worst, in milliseconds, of starting the process to reading the answer."""
import http.client, json, re, ssl, statistics, subprocess, sys, time

guard, state, review = sys.argv[1:4]
rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 15
body = open(review, "rb").read()
context = ssl._create_unverified_context()
taken = []
for _ in range(rounds):
    began = time.perf_counter()
    process = subprocess.Popen(
        [guard, "serve", "--state", state, "--bind", "127.0.0.1:0", "--metrics-bind", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    # The address is printed as soon as it is bound.
    port = int(re.search(r":(\d+)/", process.stdout.readline())[1])
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)
    connection.request("POST", "/validate", body, {"Content-Type": "application/json"})
    response = json.load(connection.getresponse())["response"]
    taken.append((time.perf_counter() - began) * 1000)
    assert response["allowed"] is False and response["status"]["code"] == 403, response
    process.terminate()
    process.wait()
print(f"first denial: median {statistics.median(taken):.1f} ms, best {min(taken):.1f}, worst {max(taken):.1f}")
