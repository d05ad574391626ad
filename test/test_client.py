#!/usr/bin/env python3
"""A client in another language, generated from the document of a running service.  Usage: test_client.py PATH-TO-KITH FOLDER

FOLDER is made by test/client/setup.sh (`make test-client`).  The document is taken from `kith serve`, types are made from it by
openapi-typescript, flow.ts is compiled against them as strictly as TypeScript can, and drives the service from an empty store
to a user's end; held.ts holds every reply against the document.  Nothing that is generated is kept.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request

KITH, FOLDER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
OURS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "client")


def step(what, *command):
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        print(f"FAILED  {what}\n{done.stdout}{done.stderr}\n0 passed, 1 failed")
        sys.exit(1)
    print(f"ok      {what}", flush=True)


def main():
    if not os.path.exists(os.path.join(FOLDER, "installed.json")):
        print(f"skipped: there is no generator of clients in {FOLDER} (is there a network?)\n0 passed, 0 failed")
        return 0
    for name in ("tsconfig.json", "held.ts", "flow.ts"):
        shutil.copy(os.path.join(OURS, name), FOLDER)
    with tempfile.TemporaryDirectory() as folder:
        service = subprocess.Popen([KITH, "serve", "--port", "-1", "--json", "--db", os.path.join(folder, "kith.db")],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   env={**os.environ, "KITH_SERVICE_TRAIN_EVERY": "-1"})  # the flow trains
        try:
            first = json.loads(service.stdout.readline())
            with urllib.request.urlopen(first["url"] + "/v1/openapi.json", timeout=10) as reply, \
                    open(os.path.join(FOLDER, "kith.json"), "wb") as out:
                out.write(reply.read())
            tools = os.path.join("node_modules", ".bin")
            # What has a default may be left out of what is sent.
            step("a client is generated from the document", os.path.join(tools, "openapi-typescript"), "kith.json",
                 "--default-non-nullable", "false", "-o", "kith.d.ts")
            step("the flow is as its types say, strictly", os.path.join(tools, "tsc"), "-p", ".")
            return subprocess.run(["node", os.path.join("out", "flow.js"), first["url"], first["key"]], cwd=FOLDER, timeout=300).returncode
        finally:
            service.terminate()
            service.wait(30)


sys.exit(main())
