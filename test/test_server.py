#!/usr/bin/env python3
"""The whole service from outside: keys, roles, audit, metrics, its own documentation, restarts.

    test_server.py STAND BOARD

STAND is the program of test/serve_stand.c, BOARD is grafana/kith.json.
"""
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

STAND, BOARD = sys.argv[1], sys.argv[2]
passed = failed = 0


def equal(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


class Service:
    def __init__(self, **options):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([STAND, json.dumps(options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.first = json.loads(self.process.stdout.readline())
        self.port, self.key = self.first.get("port"), self.first.get("key", "")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.stdin.close()
        code = self.process.wait(30)
        if kind is None and self.port:
            equal(code, 0, "how the service ended")
        self.log.close()

    def ask(self, method, path, body=None, key=None, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        head = {"Content-Type": "application/json"} if body is not None else {}
        key = self.key if key is None else key
        if key:
            head["Authorization"] = f"Bearer {key}"
        c.request(method, path, json.dumps(body) if body is not None else None, {**head, **(headers or {})})
        r = c.getresponse()
        data = r.read()
        c.close()
        text = data.decode()
        return r.status, json.loads(text) if "json" in (r.headers["Content-Type"] or "") and "nd" not in r.headers["Content-Type"] else text

    def events(self):
        self.log.seek(0)
        return [json.loads(line) for line in self.log.read().decode().splitlines() if line.startswith("{")]


def a_new_store_has_one_key_which_is_told_once():
    with tempfile.TemporaryDirectory() as folder:
        db = os.path.join(folder, "kith.db")
        with Service(db=db) as s:
            equal((s.key[:5], len(s.key)), ("kith_", 48), "the first key")
            key = s.key
            equal(s.ask("GET", "/v1/whoami")[1]["role"], "admin", "its role")
        for path in os.listdir(folder):
            data = open(os.path.join(folder, path), "rb").read() if os.path.isfile(os.path.join(folder, path)) else b""
            equal(key.encode() in data or key[5:].encode() in data, False, f"the key in {path}")
        with Service(db=db) as s:
            equal(s.key, "", "told again")
            equal(s.ask("GET", "/v1/whoami", key=key)[0], 200, "after a restart")
            equal(s.ask("GET", "/v1/whoami", key=key[:-1])[0], 401, "a stranger")


def keys_are_made_used_and_revoked():
    with tempfile.TemporaryDirectory() as folder:
        db = os.path.join(folder, "kith.db")
        with Service(db=db) as s:
            admin = s.key
            keys = {}
            for role in ("public", "read", "write"):
                status, made = s.ask("POST", "/v1/keys", {"role": role, "label": f"{role} key", **({"user": "alice"} if role == "public" else {})})
                equal(status, 201, role)
                keys[role] = made
            equal(s.ask("POST", "/v1/keys", {"role": "king"})[0], 422, "no such role")
            equal(s.ask("POST", "/v1/keys", {"role": "read", "user": "bob"})[0], 422, "only public keys speak for a user")
            equal(s.ask("POST", "/v1/keys", {"role": "read"}, key=keys["write"]["key"])[0], 403, "not by a writer")
            listed = s.ask("GET", "/v1/keys")[1]["keys"]
            equal([k["role"] for k in listed], ["admin", "public", "read", "write"], "the list")
            equal(any("key" in k or "hash" in k for k in listed), False, "secrets in the list")
            equal(s.ask("GET", "/v1/whoami", key=keys["public"]["key"])[1]["user"], "alice", "of alice")
            equal(s.ask("DELETE", f"/v1/keys/{keys['read']['id']}")[0], 204, "revoked")
            equal(s.ask("GET", "/v1/whoami", key=keys["read"]["key"])[0], 401, "at once")
            equal(s.ask("DELETE", f"/v1/keys/{keys['read']['id']}")[0], 404, "again")
            equal(s.ask("DELETE", f"/v1/keys/{listed[0]['id']}")[0], 409, "the last administrator")
        with Service(db=db) as s:
            equal(s.ask("GET", "/v1/whoami", key=keys["read"]["key"])[0], 401, "for good")
            equal(s.ask("GET", "/v1/whoami", key=keys["write"]["key"])[1]["role"], "write", "others stay")
            equal(s.ask("GET", "/v1/keys", key=admin)[0], 200, "the administrator too")


def the_keys_of_a_user_go_with_the_user():
    with tempfile.TemporaryDirectory() as folder:
        db = os.path.join(folder, "kith.db")
        with Service(db=db) as s:
            admin = s.key
            for user in ("ottilie-4711", "bert"):
                s.ask("PUT", f"/v1/users/{user}", {})
            own = [s.ask("POST", "/v1/keys", {"role": "public", "user": "ottilie-4711"})[1]["key"] for _ in range(9)]
            other = s.ask("POST", "/v1/keys", {"role": "public", "user": "bert"})[1]["key"]
            equal(s.ask("GET", "/v1/whoami", key=own[0])[1]["user"], "ottilie-4711", "before")
            equal(s.ask("DELETE", "/v1/users/ottilie-4711")[0], 204, "gone")
            equal([s.ask("GET", "/v1/whoami", key=k)[0] for k in own], 9 * [401], "their keys")
            equal(s.ask("GET", "/v1/whoami", key=other)[0], 200, "another's key")
            equal("ottilie" in json.dumps(s.ask("GET", "/v1/keys")[1]), False, "in the list of keys")
            for name in os.listdir(folder):
                path = os.path.join(folder, name)
                equal(os.path.isfile(path) and b"ottilie" in open(path, "rb").read(), False, f"the user in {name}")
        with Service(db=db) as s:
            equal(s.ask("GET", "/v1/whoami", key=own[8])[0], 401, "after a restart")
            equal(len(s.ask("GET", "/v1/keys", key=admin)[1]["keys"]), 2, "what is left")


def at_once(*calls):
    """The results of calls that are made at the same moment."""
    gate, results = threading.Barrier(len(calls)), [None] * len(calls)

    def one(j):
        gate.wait()
        results[j] = calls[j]()

    threads = [threading.Thread(target=one, args=(j,)) for j in range(len(calls))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results


def two_who_decide_at_once_do_not_both_succeed():
    with Service() as s:
        for _ in range(10):
            keys = [s.ask("POST", "/v1/keys", {"role": "admin"})[1] for _ in range(2)]
            for k in s.ask("GET", "/v1/keys")[1]["keys"]:
                if k["id"] not in [m["id"] for m in keys]:
                    s.ask("DELETE", f"/v1/keys/{k['id']}", key=keys[0]["key"])
            got = at_once(*(lambda k=k: s.ask("DELETE", f"/v1/keys/{k['id']}", key=k["key"])[0] for k in keys))
            equal(sorted(got), [204, 409], "two administrators, each revoking a key")
            s.key = keys[got.index(409)]["key"]
        shape = {"variants": [{"name": "a", "share": 1}, {"name": "b", "share": 1}], "outcome": {"events": ["click"]}}
        for j in range(10):
            for name in (f"x{j}", f"y{j}"):
                equal(s.ask("PUT", f"/v1/experiments/{name}", shape)[0], 201, "a draft")
            got = at_once(*(lambda n=n: s.ask("POST", f"/v1/experiments/{n}/start")[0] for n in (f"x{j}", f"y{j}")))
            equal(sorted(got), [200, 409], "two experiments at once")
            equal(s.ask("POST", f"/v1/experiments/{'xy'[got.index(200)]}{j}/stop")[0], 200, "stopped")


def rates_of_keys_and_of_the_service():
    with Service(config={"keys": {"rate": 1, "burst": 2}}) as s:
        own = s.ask("POST", "/v1/keys", {"role": "read", "rate": 0.5, "burst": 1})[1]["key"]
        plain = s.ask("POST", "/v1/keys", {"role": "read"})[1]["key"]
        day = s.ask("POST", "/v1/keys", {"role": "read", "rate": 1000, "quota": 3})[1]["key"]
        equal([s.ask("GET", "/v1/whoami", key=own)[0] for _ in range(3)], [200, 429, 429], "a rate of its own")
        equal([s.ask("GET", "/v1/whoami", key=plain)[0] for _ in range(3)], [200, 200, 429], "the service's")
        equal([s.ask("GET", "/v1/whoami", key=day)[0] for _ in range(5)], [200, 200, 200, 429, 429], "a quota")


def without_keys_only_at_home():
    with Service(insecure_local=True) as s:
        equal((s.key, s.ask("GET", "/v1/debug")[0]), ("", 200), "no key wanted")
        equal(s.ask("GET", "/v1/keys")[0], 409, "there are none")
        equal("security" in s.ask("GET", "/v1/openapi.json")[1], False, "the document knows")
        # whoever owns a name may have it point to this machine: a browser then calls us for a page of that name
        for host, want in ((f"127.0.0.1:{s.port}", 200), ("localhost", 200), ("LOCALHOST:1", 200), ("127.1.2.3", 200), ("[::1]:8080", 200),
                           ("127.evil.example", 403), ("evil.example:80", 403), ("[::2]", 403), ("[::1", 403), ("", 403), ("127.0.0.1.:x", 403),
                           ("127.0.0.1:8080@evil.example", 403)):
            status, reply = s.ask("GET", "/v1/debug", headers={"Host": host})
            equal(status, want, f"for the host {host!r}: {reply}")
        equal(s.ask("GET", "/v1/health/live", headers={"Host": "10.0.0.7"})[0], 200, "health, by any name")
        for origin, want in (("https://evil.example", 403), ("null", 403), (f"http://127.0.0.1:{s.port}", 201), (None, 201)):
            head = {"Origin": origin} if origin else {}
            event = {"user_id": "u", "item_id": "i", "event": "view"}
            equal(s.ask("POST", "/v1/events", event, headers=head)[0], want, f"a page of {origin}")
    with Service(insecure_local=True, config={"hosts": ["shop.example"]}) as s:
        equal([s.ask("GET", "/v1/debug", headers={"Host": h})[0] for h in ("Shop.example:443", "shop.example.evil")], [200, 403], "a name of ours")
    with Service(config={"hosts": ["shop.example"]}) as s:
        equal(s.ask("GET", "/v1/debug", headers={"Host": "other.example"})[0], 403, "with keys and a list of names")
    with Service() as s:
        equal(s.ask("GET", "/v1/debug", headers={"Host": "other.example"})[0], 200, "with keys and none")
    with Service(insecure_local=True, host="127.evil.example") as s:
        equal("loopback address only" in s.first.get("failed", ""), True, f"a name is no address: {s.first}")
    with Service(insecure_local=True, host="0.0.0.0") as s:
        equal("loopback" in s.first.get("failed", ""), True, f"not for everybody: {s.first}")


def a_configuration_that_is_wrong_is_refused_with_its_place():
    for config, words in (({"limits": {"body_byte": 1}}, "/limits/body_byte"), ({"limit": {}}, '"limit"'),
                          ({"limits": {"workers": 0}}, "/limits/workers"), ({"service": {"train_evry": 1}}, "train_evry"),
                          ({"tls": {"cert": "/nowhere.pem", "key": "/nowhere.pem"}}, "/nowhere.pem")):
        with Service(config=config) as s:
            equal(words in s.first.get("failed", ""), True, f"{config}: {s.first}")
    with Service() as first:
        pass


def who_changed_what_is_in_the_journal():
    with Service() as s:
        writer = s.ask("POST", "/v1/keys", {"role": "write"})[1]
        made = s.ask("POST", "/v1/keys", {"role": "read"})[1]
        s.ask("DELETE", f"/v1/keys/{made['id']}")
        rows = s.ask("GET", "/v1/audit")[1]["rows"]
        equal([(r["route"], r["status"]) for r in rows if r["method"] != "GET"],
              [("revoke_key", 204), ("make_key", 201), ("make_key", 201)], "an administrator's, at once")
        events = [{"user_id": f"u{n}", "item_id": f"i{n % 7}", "event": "view"} for n in range(20)]
        statuses = {s.ask("POST", "/v1/events", e, key=writer["key"])[0] for e in events}
        equal(len(statuses) == 1 and statuses.pop() < 300, True, "events are written")
        end = time.monotonic() + 10
        n = 0
        while n < 20 and time.monotonic() < end:
            time.sleep(0.2)
            n = sum(r["n"] for r in s.ask("GET", f"/v1/audit?key_id={writer['id']}")[1]["rows"])
        equal(n, 20, "a writer's, within a moment")
        whole = json.dumps(s.ask("GET", "/v1/audit")[1])
        equal(s.key in whole or writer["key"] in whole or '"u3"' in whole, False, "secrets and users in the journal")


def every_metric_of_the_board_is_exported():
    board = json.load(open(BOARD))
    names = set(re.findall(r"\b(?:kith|process)_[a-z_]+\b", json.dumps([p["targets"] for p in board["panels"]] + board["templating"]["list"])))
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "events.csv"), "w") as data:
        data.write("user_id,item_id,rating\n" + "".join(f"u{u},i{(u * 7 + n * n) % 30},{1 + (u + n) % 5}\n" for u in range(40) for n in range(8)))
        data.close()
        s = Service(data=data.name, model="popularity")
    with s:
        s.ask("GET", "/v1/whoami")
        for _ in range(50):  # a request is counted once its reply is on its way
            text = s.ask("GET", "/v1/metrics")[1]
            exported = set(re.findall(r"^([a-z_]+)", text, re.M))
            if names <= exported:
                break
            time.sleep(0.05)
        equal((len(names) > 15, names - exported), (True, set()), "names that nobody exports")
        try:
            lint = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True)
            equal((lint.returncode, (lint.stdout + lint.stderr).decode()), (0, ""), "promtool check metrics")
        except FileNotFoundError:
            print("skipped: no promtool (Debian package prometheus)")
    equal(len({p["id"] for p in board["panels"]}), len(board["panels"]), "panel ids")


def health_version_and_debug_are_there():
    with Service() as s:
        equal(s.ask("GET", "/v1/health/live", key="")[1], {"status": "ok"}, "live")
        equal(s.ask("GET", "/v1/health/ready", key="")[1], {"status": "ok"}, "ready")
        equal(s.ask("GET", "/v1/version", key="")[1]["api"], "v1", "version")
        equal(s.ask("GET", "/v1/metrics", key="")[0], 401, "metrics want a key")
        debug = s.ask("GET", "/v1/debug")[1]
        equal({"http", "service", "build", "requests"} <= set(debug), True, f"debug: {sorted(debug)}")
        listening = [e for e in s.events() if e["event"] == "listening"]
        equal((len(listening), listening[0]["url"]), (1, f"http://127.0.0.1:{s.port}"), "the log says where")
        equal(s.key in json.dumps(s.events()), False, "the key in the log")


def every_route_refuses_strangers_and_nonsense():
    """Every operation of the document: without a key 401; with a body or parameters that are nonsense never 5xx."""
    with Service() as s:
        api = s.ask("GET", "/v1/openapi.json", key="")[1]
        n = 0
        for path, item in api["paths"].items():
            for method, route in item.items():
                target = re.sub(r"\{\w+\}", "nobody", path)
                if route["x-role"] != "nobody":
                    equal(s.ask(method.upper(), target, key="")[0], 401, f"{method} {path} without a key")
                if "text/event-stream" in route["responses"].get("200", {}).get("content", {}):
                    continue
                for query in ("", "?n=%22&x=1", "?n=-1"):
                    for body in (None, {}, [], {"user_id": 5, "n": "x", "filter": "((", "pipeline": []}) if "requestBody" in route else (None,):
                        status = s.ask(method.upper(), target + query, body)[0]
                        equal(status < 500 or status == 503, True, f"{method} {target}{query} {body}: {status}")
                        n += 1
        equal(n > 100, True, f"{n} requests")
        equal(s.ask("GET", "/v1/health/ready")[0], 200, "still ready")


TESTS = [a_new_store_has_one_key_which_is_told_once, keys_are_made_used_and_revoked,
         the_keys_of_a_user_go_with_the_user, two_who_decide_at_once_do_not_both_succeed, rates_of_keys_and_of_the_service,
         without_keys_only_at_home, a_configuration_that_is_wrong_is_refused_with_its_place, who_changed_what_is_in_the_journal,
         every_metric_of_the_board_is_exported, health_version_and_debug_are_there, every_route_refuses_strangers_and_nonsense]

for test in TESTS:
    if os.environ.get("ONLY", "") not in test.__name__:
        continue
    begun = time.monotonic()
    try:
        test()
        passed += 1
        print(f"ok      {test.__name__} ({time.monotonic() - begun:.1f} s)", flush=True)
    except Exception as e:  # noqa: BLE001  one failure must not hide the others
        failed += 1
        print(f"FAILED  {test.__name__}: {type(e).__name__}: {e}", flush=True)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
