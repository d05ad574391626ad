#!/usr/bin/env python3
"""The OpenAPI document of a running service, held against the standard.

    test_openapi.py STAND FOLDER

The checker (openapi-spec-validator) comes from PyPI into FOLDER/venv-openapi; without a network the test is skipped.
"""
import json
import os
import subprocess
import sys
import urllib.request

STAND, FOLDER = sys.argv[1], sys.argv[2]
CHECK = """
import json, sys
from openapi_spec_validator import OpenAPIV31SpecValidator
from jsonschema import Draft202012Validator
d = json.load(sys.stdin)
errors = [f"{list(e.absolute_path)}: {e.message}" for e in OpenAPIV31SpecValidator(d).iter_errors()]
for path, item in d["paths"].items():
    for method, o in item.items():
        bodies = list(o.get("requestBody", {}).get("content", {}).values())
        bodies += [m for r in o["responses"].values() for m in r.get("content", {}).values()]
        for m in bodies:
            if "example" in m:
                errors += [f"{method} {path}: example: {e.message}" for e in Draft202012Validator(m["schema"]).iter_errors(m["example"])]
ids = [o["operationId"] for item in d["paths"].values() for o in item.values()]
if len(ids) != len(set(ids)): errors.append("an operationId is there twice")
print(json.dumps(errors))
"""


def end(passed, failed, text):
    print(text)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


def checker():
    """The Python that has the checker, or None."""
    venv = os.path.join(FOLDER, "venv-openapi")
    python = os.path.join(venv, "bin", "python")
    ready = os.path.join(venv, "ready")
    if not os.path.exists(ready):
        for command in ([sys.executable, "-m", "venv", venv],
                        [python, "-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "10", "openapi-spec-validator>=0.7,<1"]):
            try:
                if subprocess.run(command, capture_output=True, timeout=120).returncode != 0:
                    return None
            except (OSError, subprocess.TimeoutExpired):
                return None
        open(ready, "w").close()
    return python


def document():
    p = subprocess.Popen([STAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    port = json.loads(p.stdout.readline())["port"]
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/openapi.json", timeout=10).read()
    p.stdin.close()
    p.wait(20)
    return text


python = checker()
if python is None:
    end(0, 0, "skipped: openapi-spec-validator cannot be installed (is there a network?)")
done = subprocess.run([python, "-c", CHECK], input=document(), capture_output=True)
if done.returncode != 0:
    end(0, 1, done.stderr.decode())
errors = json.loads(done.stdout)
end(0 if errors else 1, 1 if errors else 0, "\n".join(errors) or "ok      the document is OpenAPI 3.1, and its examples fit their schemas")
