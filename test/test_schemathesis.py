#!/usr/bin/env python3
"""Calls made up from the OpenAPI document, good ones and bad ones, one at a time and in chains.

    test_schemathesis.py PATH-TO-KITH FOLDER [SECONDS [SEED]]

FOLDER is made by test/schemathesis/setup.sh (`make test-fuzz-http`).  Two services are asked, one with keys and one without: no
call may end in a failure of the server, and every reply is held against the document: status, type, body, headers; what the
document forbids must be refused, what it allows taken, what is dropped be gone, and no key be ignored.  Exceptions and their
reasons are in test/schemathesis/schemathesis.toml.  SECONDS (60) are for both services together.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

KITH, FOLDER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
SECONDS = float(sys.argv[3]) if len(sys.argv) > 3 else 60
SEED = sys.argv[4] if len(sys.argv) > 4 else "1"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OURS = os.path.join(ROOT, "test", "schemathesis")


class Service:
    """A service on simulated viewers, small and quick to train; with-statements stop it and look at how it ended."""

    def __init__(self, folder, *words):
        data = os.path.join(folder, "ratings.csv")
        if not os.path.exists(data):
            subprocess.run([KITH, "data", "generate", "--items", os.path.join(ROOT, "sample", "films.csv"), "--n-users", "60",
                            "--n-interactions", "1500", "--out", data], check=True, capture_output=True)
        self.log = open(os.path.join(folder, "log"), "ab")
        env = {**os.environ, "KITH_LOG_REQUESTS": "none", "KITH_SERVICE_TRAIN_EVERY": "-1"}
        self.process = subprocess.Popen([KITH, "serve", "--port", "-1", "--json", "--data", data, "--model", "item-knn", *words],
                                        stdout=subprocess.PIPE, stderr=self.log, env=env)
        first = json.loads(self.process.stdout.readline())
        self.url, self.key = first["url"], first["key"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        code = self.process.wait(60)
        self.log.close()
        assert code == 0, f"the service ended with {code}"


def ask(service, seconds, phases, folder):
    """The report of a run; what it found is told by it."""
    config = os.path.join(folder, "schemathesis.toml")
    with open(os.path.join(OURS, "schemathesis.toml"), encoding="utf-8") as f, open(config, "w", encoding="utf-8") as out:
        if service.key:
            out.write(f'headers = {{ Authorization = "Bearer {service.key}" }}\n')
        out.write(f.read())
    command = [os.path.join(FOLDER, "bin", "schemathesis"), "--config-file", config, "run", service.url + "/v1/openapi.json", "--no-color",
               "--seed", SEED, "--phases", phases, "--max-time", str(int(seconds)), "--continue-on-failure", "--max-failures", "100",
               "--suppress-health-check", "all", "--generation-database", "none"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds * 3 + 120,
                          env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": OURS, "COLUMNS": "200"})
    return done.returncode, done.stdout + done.stderr


def main():
    if not os.path.exists(os.path.join(FOLDER, "installed.txt")):
        print(f"skipped: there is no schemathesis in {FOLDER} (is there a network?)\n0 passed, 0 failed")
        return 0
    passed = failed = 0
    for what, words, share, phases in (("with keys", (), 0.8, "examples,coverage,fuzzing,stateful"),
                                       ("without keys", ("--insecure-local",), 0.2, "examples,fuzzing")):
        with tempfile.TemporaryDirectory() as folder:
            try:
                with Service(folder, *words) as service:
                    code, report = ask(service, SECONDS * share, phases, folder)
                cases = re.search(r"(\d+) generated", report)
                if code == 0 and cases:
                    passed += 1
                    print(f"ok      {what}: {cases.group(1)} calls", flush=True)
                else:
                    failed += 1
                    print(f"FAILED  {what}\n" + "\n".join(line[:400] for line in report.splitlines()), flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as e:
                failed += 1
                print(f"FAILED  {what}: {e}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
