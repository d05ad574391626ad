#!/usr/bin/env python3
"""The OpenAPI document of the whole service: held against the standard, and every example in it sent to a fresh service.

    test_openapi.py PATH-TO-KITH FOLDER

An example that does not get its documented success is worse than none: the service is `kith serve` with a key, on simulated
viewers of the sample films.  What a path names at run time (a rec_id, a task, a version, a key) is found by the links of
the document.  The checkers of standard and replies (openapi-spec-validator, jsonschema) come from PyPI into
FOLDER/venv-openapi; without a network that part is skipped.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

KITH, FOLDER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
FILMS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "sample", "films.csv")
METHODS = ("put", "post", "get", "delete")
CHECK = """
import json, sys
from openapi_spec_validator import OpenAPIV31SpecValidator
from jsonschema import Draft202012Validator
d, replies = json.load(sys.stdin)
errors = [f"{list(e.absolute_path)}: {e.message}" for e in OpenAPIV31SpecValidator(d).iter_errors()]
def held(schema, value, what):  # the document's own components, under the name that it has within itself
    checker = Draft202012Validator({**schema, "components": d["components"]})
    return [f"{what}: {list(e.absolute_path)}: {e.message[:300]}" for e in checker.iter_errors(value)]
for path, item in d["paths"].items():
    for method, o in item.items():
        for p in o.get("parameters", []):
            if "example" in p: errors += held(p["schema"], p["example"], f"{method} {path}: example of {p['name']}")
        for m in o.get("requestBody", {}).get("content", {}).values():
            if "example" in m: errors += held(m["schema"], m["example"], f"{method} {path}: example")
for name, schema in d["components"]["schemas"].items():
    for example in schema.get("examples", []): errors += held(schema, example, f"example of {name}")
for what, schema, value in replies: errors += held(schema, value, f"reply of {what}")
print(json.dumps(errors))
"""


def checker():
    """The Python that has the checkers, or None."""
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


class Service:
    def __init__(self, folder):
        data = os.path.join(folder, "ratings.csv")
        subprocess.run([KITH, "data", "generate", "--items", FILMS, "--n-users", "100", "--n-interactions", "3000", "--out", data],
                       check=True, capture_output=True)
        self.process = subprocess.Popen([KITH, "serve", "--port", "-1", "--json", "--data", data],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        first = json.loads(self.process.stdout.readline())
        self.url, self.key = first["url"], first["key"]
        self.document = json.loads(self.send("GET", "/v1/openapi.json")[2])

    def send(self, method, target, body=None, kind=None):
        request = urllib.request.Request(self.url + target, data=body, method=method,
                                         headers={"Authorization": "Bearer " + self.key, **({"Content-Type": kind} if kind else {})})
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, reply.headers.get_content_type(), reply.read()
        except urllib.error.HTTPError as e:
            return e.code, e.headers.get_content_type(), e.read()

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def at(value, pointer):
    for step in pointer.split("/")[1:]:
        value = value[int(step) if isinstance(value, list) else step]
    return value


ENDING = {"cancel_task"}     # which, like DELETE, want one that is still there


class Examples:
    """Every operation once, with the examples of its parameters and body."""

    def __init__(self, service):
        self.service, self.replies, self.errors, self.fitting = service, {}, [], []
        self.operations = {o["operationId"]: (method, path, o) for path, item in service.document["paths"].items()
                           for method, o in item.items()}
        self.leading = {}  # operation -> (operation whose reply leads to it, its parameter, pointer)
        for name, (_, _, o) in self.operations.items():
            for status, reply in o["responses"].items():
                for link in reply.get("links", {}).values():
                    for parameter, where in link["parameters"].items():
                        self.leading.setdefault(link["operationId"], (name, parameter, where.removeprefix("$response.body#")))

    def parameters(self, name, o):
        """path and query of an operation; what no example says is looked up in a reply that leads here."""
        path, query = {}, {}
        for p in o.get("parameters", []):
            if "example" in p:
                (path if p["in"] == "path" else query)[p["name"]] = p["example"]
            elif p["required"]:
                source, parameter, pointer = self.leading.get(name, (None, None, None))
                assert parameter == p["name"], f"{name}: {p['name']} has no example, and no reply leads to it"
                if source not in self.replies or name in ENDING or self.operations[name][0] == "delete":
                    self.run(source, wait=False)
                path[p["name"]] = at(self.replies[source], pointer)
        return path, query

    def run(self, name, wait=True):
        method, template, o = self.operations[name]
        path, query = self.parameters(name, o)
        target = template
        for k, v in path.items():
            target = target.replace("{" + k + "}", urllib.parse.quote(str(v), safe=""))
        if query:
            target += "?" + urllib.parse.urlencode(query)
        kind, body = next(iter(o.get("requestBody", {}).get("content", {}).items()), (None, None))
        if body is not None:
            assert "example" in body, f"{name}: its body has no example"
            body = body["example"] if isinstance(body["example"], str) else json.dumps(body["example"])
        status, got_kind, text = self.service.send(method.upper(), target, body and body.encode(), kind)
        reply = o["responses"].get(str(status))
        if status >= 300 or reply is None:
            self.errors.append(f"{name}: {method.upper()} {target}: {status} {text.decode()[:400]}")
            return
        content = reply.get("content", {})
        if got_kind not in (content or {"text/plain": None, "application/octet-stream": None}):
            self.errors.append(f"{name}: answers {got_kind}, documented is {list(content)}")
        if got_kind == "application/json":
            self.replies[name] = json.loads(text)
            self.fitting.append((name, content[got_kind]["schema"], self.replies[name]))
        if status == 202 and wait:
            self.wait_for(self.replies[name]["task_id"], name)

    def wait_for(self, task, name):
        for _ in range(2400):  # trainings step back for everybody else on the machine
            state = json.loads(self.service.send("GET", f"/v1/tasks/{task}")[2])
            if state["state"] not in ("queued", "running"):
                break
            time.sleep(0.1)
        if state["state"] != "done":
            self.errors.append(f"{name}: the task of the example ended as {state}")

    def run_all(self):
        def rank(name):  # what is made first, and what is dropped last: innermost first
            method, path, _ = self.operations[name]
            return METHODS.index(method), -path.count("/") if method == "delete" else path.startswith("/v1/experiments")

        order = sorted(self.operations, key=rank)
        for name in order:
            try:
                self.run(name)
            except (AssertionError, KeyError, ValueError) as e:
                self.errors.append(f"{name}: {e}")
        return self.errors


def pleasant(document):
    """What generated clients are made from: names, summaries, and no body without a schema of its own."""
    errors, ids = [], []
    for path, item in document["paths"].items():
        for method, o in item.items():
            ids.append(o["operationId"])
            what = f"{method} {path}"
            if not o.get("summary"):
                errors.append(f"{what} has no summary")
            bodies = list(o.get("requestBody", {}).get("content", {}).items())
            bodies += [c for status, r in o["responses"].items() if status < "300" for c in r.get("content", {}).items()]
            for kind, media in bodies:
                if kind == "application/json" and "$ref" not in media["schema"]:
                    errors.append(f"{what}: a body without a name")
            if not any(s < "300" for s in o["responses"]):
                errors.append(f"{what}: no success")
    if len(ids) != len(set(ids)):
        errors.append("an operationId is there twice")
    return errors


passed = failed = 0


def tell(what, errors):
    global passed, failed
    passed, failed = passed + (not errors), failed + bool(errors)
    print("\n".join(f"FAILED  {e}" for e in errors) or f"ok      {what}", flush=True)


with tempfile.TemporaryDirectory() as folder:
    service = Service(folder)
    try:
        examples = Examples(service)
        tell("every operation, body and reply has a name", pleasant(service.document))
        tell(f"the examples of {len(examples.operations)} operations get their documented success", examples.run_all())
    finally:
        service.stop()
python = checker()
if python is None:
    print("skipped: openapi-spec-validator cannot be installed (is there a network?)")
else:
    done = subprocess.run([python, "-c", CHECK], input=json.dumps([service.document, examples.fitting]).encode(), capture_output=True)
    tell("the document is OpenAPI 3.1, and examples and replies fit its schemas",
         [done.stderr.decode()] if done.returncode else json.loads(done.stdout))
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
