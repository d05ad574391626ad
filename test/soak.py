#!/usr/bin/env python3
"""kith serve under a mixed load that goes on: memory, descriptors and threads stay as they are, nothing acknowledged is lost.

    soak.py KITH [--minutes M] [--rests N] [--rate R] [--pace P] [--out FILE]

A third of a minute by default, in make test; make torture T=soak goes on for an hour.  With --pace 3 twenty minutes have the draws of
an hour and are judged as one: as much may grow, in a third of the time.  Every kind of request, good, bad, cut half-way and slow, at a bounded rate, in as many equal parts as there are rests. In a
rest all clients are gone and the service is idle: only then it is measured, so that one figure can be held against the
next. The first third of the rests is warm-up: the pools of threads, malloc's arenas and the caches (made small here) fill up.

What is kept hardly grows, and what does is counted. A user or item who comes again gets a new number, and a number is never
used twice (store.h): each costs some memory for good, of which NUMBER_BYTES are allowed for. The journals and the last events
make the store grow, whose pages SQLite keeps in memory, at the writer up to 64 MB, so that memory may grow by as much as the file
does; its readers have 2 MB each, which the data fill from the beginning. In the end the process
is killed and started again, and every event that was acknowledged and not taken back must be there, and no other.
"""
import argparse
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILMS = os.path.join(ROOT, "sample", "films.csv")
N_USERS, N_EVENTS, N_WORKERS = 500, 40000, 3
QUICK = {"n_factors": "16", "n_epochs": "5"}
CONFIG = {"service": {"train_every": -1, "lists_kept": 256, "cache_mb": 1, "shadow_share": 0.5},
          "limits": {"body_bytes": 65536}, "log": {"requests": "none", "audit": "admin"}}

NUMBER_BYTES = 1024     # of memory that a user or item who is gone leaves behind: its number in tables and in the model
ROW_BYTES = 1024        # of disk for a row of a journal with its indexes
# Which thread meets which request is chance, and each stack and arena keeps the most that it ever held: after the warm-up the
# same load on the same data moves memory by less than 1 MB in minutes, by up to 2 MB on a machine whose processors are taken.
NOISE_BYTES = 3 << 20
EARLY_BYTES = 12 << 20   # the same in a short run, where pools and arenas are still filling: 6 MB were seen
LATE_SECONDS = 5    # a client that took less than this must not have been let go: limits are 10 seconds and more
CLOSING = 2     # descriptors: a thread of the pool lets go of its last closed connection at its next event
SLOPE_BYTES = 2 << 20   # an hour, of the line through the rests after the warm-up, beyond what is allowed for


class Refused(Exception):
    """A reply with a status that was not wanted."""


class Late(Exception):
    """The service let a client go that had taken too long, as it should: the machine was busy elsewhere."""


class Client:
    """One connection that is kept; counts what came back."""

    def __init__(self, service, tally):
        self.service, self.tally, self.connection, self.last = service, tally, None, time.monotonic()

    def call(self, method, path, body=None, want=(200, 201, 204), key=None, kind="application/json"):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=30)
        headers = {"Authorization": "Bearer " + (key or self.service.key)}
        if body is not None:
            headers["Content-Type"] = kind
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        begun, idle = time.monotonic(), time.monotonic() - self.last
        try:
            self.connection.request(method, path, body=body, headers=headers)
            reply = self.connection.getresponse()
            text = reply.read()
        except (ConnectionError, http.client.HTTPException) as error:
            self.close()
            self.tally["late"] = self.tally.get("late", 0) + 1
            took = time.monotonic() - begun
            if took < LATE_SECONDS and idle < LATE_SECONDS:
                raise Refused(f"{method} {path}: {error!r} after {took:.2f} s, {idle:.2f} s after the request before") from error
            raise Late from error
        self.last = time.monotonic()
        self.tally[reply.status] = self.tally.get(reply.status, 0) + 1
        if reply.status not in want:
            raise Refused(f"{method} {path}: {reply.status}, want {want}: {text.decode(errors='replace')[:400]}")
        return json.loads(text) if text[:1] in (b"{", b"[") and kind == "application/json" else text

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Service:
    """The program, its key, and what the kernel and its files say of it."""

    def __init__(self, kith, folder, key=""):
        self.folder = folder
        words = [kith, "serve", "--db", "kith.db", "--data", "viewers.csv", "--config", "config.json", "--port", "-1",
                 "--model", "ials", "--json"]
        for name, value in QUICK.items():
            words += ["-p", f"{name}={value}"]
        with open(os.path.join(folder, "log"), "ab") as log:
            self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, cwd=folder)
        line = self.process.stdout.readline()
        assert line, f"the service does not start: {open(os.path.join(folder, 'log'), errors='replace').read()[-800:]}"
        told = json.loads(line)
        self.port, self.key = told["port"], told["key"] or key

    def raw(self, source="127.0.0.1"):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10, source_address=(source, 0))

    def head(self, method, path, *headers):
        lines = [f"{method} {path} HTTP/1.1", "Host: soak", "Authorization: Bearer " + self.key, *headers, "", ""]
        return "\r\n".join(lines).encode()

    def figures(self):
        """Bytes of memory (all of it, and what is no file), descriptors, threads, bytes of store and log, seconds of processor."""
        proc = f"/proc/{self.process.pid}/"
        with open(proc + "status", encoding="ascii") as f:
            status = dict(re.findall(r"^(\w+):\s*(\d+)", f.read(), re.M))
        with open(proc + "stat", encoding="ascii") as f:
            ticks = f.read().rsplit(")", 1)[1].split()
        size = {end: os.path.getsize(path) if os.path.exists(path) else 0
                for end in ("", "-wal") for path in [os.path.join(self.folder, "kith.db" + end)]}
        return {"rss": int(status["VmRSS"]) * 1024, "anon": int(status["RssAnon"]) * 1024,
                "threads": int(status["Threads"]), "descriptors": len(os.listdir(proc + "fd")), "db": size[""],
                "wal": size["-wal"], "cpu": (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")}

    def stop(self, sig):
        self.process.send_signal(sig)
        code = self.process.wait(30)
        self.process.stdout.close()
        return code


def reset(s):
    """Close so that the other side sees a reset, and no port waits."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    s.close()


# ---- the load: a worker draws one of its methods at a time ---------------------------------------------------------

class Worker:
    """A client of its own, with users of its own, so that it knows what must be kept of them."""

    def __init__(self, service, number, films):
        self.service, self.number, self.films = service, number, films
        self.rng = random.Random(1000 + number)
        self.tally, self.numbers, self.rows = {}, 0, 0
        self.client = Client(service, self.tally)
        self.kept = {}          # (user, item) -> values that were acknowledged, oldest first
        self.unsure = set()     # pairs whose last write nobody answered
        self.held = []          # slow connections
        self.train_at = 0.0
        self.turn = 0

    def user(self):
        return f"u{self.rng.randint(1, N_USERS)}"

    def film(self):
        return self.rng.choice(self.films)

    # -- questions --

    def ask(self):
        rng, user = self.rng, self.user()
        if rng.random() < 0.5:
            return self.client.get(f"/v1/recommend/{user}?n={rng.randint(1, 30)}&reasons={rng.randrange(3)}")
        wish = {"user_id": user, "n": rng.randint(1, 20)}
        more = rng.choice([{"filter": f"year < {rng.randint(1925, 1990)}"}, {"filter": "year < $y", "context": {"y": 1960}},
                           {"exclude": [self.film()]}, {"session": [self.film(), self.film()]}, {"include_seen": True},
                           {"pipeline": {"diversity": {"method": "mmr"}}}, {"log": True}])
        self.rows += "log" in more
        reply = self.client.post("/v1/recommend", {**wish, **more})
        if rng.random() < 0.2:
            self.client.get(f"/v1/lists/{reply['rec_id']}?page=2", want=(200, 404))     # 404: the ring is short

    def ask_for_others(self):
        get, film, user = self.client.get, self.film(), self.user()
        self.rng.choice([
            lambda: self.client.post("/v1/recommend", {"liked": [film, self.film()], "n": 5}),
            lambda: get(f"/v1/items/{film}/similar?n=5"), lambda: get(f"/v1/users/{user}/similar?n=5"),
            lambda: get(f"/v1/predict/{user}/{film}"), lambda: get(f"/v1/explain/{user}/{film}?reasons=2"),
            lambda: get(f"/v1/popular?n=5&user_id={user}"), lambda: get("/v1/trending?n=5"), lambda: get("/v1/latest?n=5"),
            lambda: get("/v1/search?q=" + self.rng.choice(["the", "night", "vertigo", "xyzzy"])),
            lambda: self.client.post("/v1/why-not", {"user_id": user, "item_id": film}),
            lambda: self.client.post("/recommend", {"user_id": user, "num_recommendations": 3}),
            lambda: get(f"/v1/users/{user}"), lambda: get(f"/v1/items/{film}"), lambda: get("/v1/items?limit=20"),
            lambda: get("/v1/status"), lambda: get("/v1/audit"), lambda: get("/v1/whoami"),
            lambda: get("/v1/health/ready"), lambda: self.client.call("GET", "/v1/metrics", kind="text"),
        ])()

    def ask_for_all(self):
        path = self.rng.choice(["/v1/export", "/v1/openapi.json", "/v1/docs", "/v1/dashboard", "/v1/debug", "/v1/models"])
        self.client.call("GET", path, kind="text")

    # -- events that stay: at most four of a pair, then all of them are taken back --

    def write(self):
        pair = (f"s{self.number}-{self.rng.randrange(10)}", self.rng.choice(self.films[:20]))
        if pair in self.unsure:
            return
        try:
            self.write_pair(pair)
        except Late:        # kept or not: nobody was told
            self.unsure.add(pair)
            raise

    def write_pair(self, pair):
        if len(self.kept.get(pair, ())) >= 4:
            told = self.client.call("DELETE", "/v1/users/%s/events/%s?event=rating" % pair)
            assert told["dropped"] == len(self.kept[pair]), (told, pair, self.kept[pair])
            self.kept[pair] = []
        value = self.rng.randint(1, 5)
        self.client.post("/v1/events", {"user_id": pair[0], "item_id": pair[1], "event": "rating", "value": value})
        self.kept.setdefault(pair, []).append(value)

    # -- users and items that come and go --

    def come_and_go(self):
        self.turn += 1
        user, client = f"w{self.number}-{self.turn}", self.client
        self.numbers += 1
        events = [{"user_id": user, "item_id": self.film(), "event": self.rng.choice(["click", "view", "rating", "like"]),
                   "id": f"{user}-{j}"} for j in range(20)]
        for e in events:
            if e["event"] == "rating":
                e["value"] = self.rng.randint(1, 5)
        if self.turn % 2:
            client.post("/v1/events/bulk", {"events": events})
            client.post("/v1/events", events[0])                                        # again: kept once
        else:
            client.call("PUT", f"/v1/users/{user}", {"attributes": {"age": self.rng.randint(10, 90)}})
            lines = "".join(json.dumps(e) + "\n" for e in events) + "{wrong\n"
            client.call("POST", "/v1/events/import", lines, kind="application/x-ndjson")
        client.get(f"/v1/recommend/{user}?n=5")
        client.get(f"/v1/users/{user}/export")
        client.call("DELETE", f"/v1/users/{user}")

    def item(self):
        self.turn += 1
        name, client = f"i{self.number}-{self.turn}", self.client
        self.numbers += 1
        client.call("PUT", f"/v1/items/{name}", {"attributes": {"title": f"Soak {self.turn}", "year": 2026}})
        client.post(f"/v1/items/{name}/hide", {"hidden": True})
        client.post(f"/v1/items/{name}/hide", {"hidden": False})
        client.get(f"/v1/items/{name}/similar", want=(200, 404, 409, 422))                  # unknown to the model as yet
        client.call("DELETE", f"/v1/items/{name}")
        film = self.film()
        client.post(f"/v1/items/{film}/hide", {"hidden": True})
        client.post(f"/v1/items/{film}/hide", {"hidden": False})

    # -- models, scenarios, experiments, keys: one worker at a time --

    def models(self):
        """At most a fifth of the time: training steps back for everything else that a busy machine does."""
        begun = time.monotonic()
        if begun >= self.train_at:
            self.train_and_promote()
            self.train_at = time.monotonic() + 4 * (time.monotonic() - begun)

    def train_and_promote(self):
        client = self.client
        task = client.post("/v1/models", {"promote": "always"}, want=(202,))["task_id"]
        with self.service.raw() as s:                                                   # one follows it and leaves
            s.sendall(self.service.head("GET", f"/v1/tasks/{task}/events"))
            s.recv(200)
            reset(s)
        told = self.ended(task)
        assert told["state"] == "done", told
        client.call("PUT", "/v1/shadow/" + told["result"]["version"])
        self.ask()
        client.call("DELETE", "/v1/shadow")
        client.post("/v1/models/rollback")
        self.ended(client.post("/v1/models/evaluate", {"algorithm": "item-knn"}, want=(202,))["task_id"])
        task = client.post("/v1/models", {"params": {"n_factors": 64, "n_epochs": 500}}, want=(202,))["task_id"]
        client.post(f"/v1/tasks/{task}/cancel")
        self.ended(task)

    def ended(self, task):
        """A stream read to its end: the service closes it when the task is over."""
        text = self.client.call("GET", f"/v1/tasks/{task}/events", kind="text").decode()
        return json.loads([line[6:] for line in text.splitlines() if line.startswith("data: ")][-1])

    def scenarios(self):
        client, name = self.client, f"s{self.number}"
        client.call("PUT", f"/v1/scenarios/{name}", {"filter": f"year < {self.rng.randint(1930, 1990)}", "n": 4})
        client.get(f"/v1/recommend/{self.user()}?scenario={name}")
        client.post("/v1/scenarios/dry-run", {"scenario": {"n": 3}, "user_id": self.user()})
        client.call("PUT", "/v1/scenarios/wrong", {"filter": "yeer < 1960"}, want=(422,))
        experiment = {"variants": [{"name": "a", "share": 1}, {"name": "b", "share": 1, "scenario": name}],
                      "outcome": {"events": ["click"], "window_days": 0.001}}
        path = f"/v1/experiments/{name}"
        client.call("PUT", path, experiment)
        client.post(path + "/start")
        for _ in range(4):
            user = self.user()
            client.get(f"/v1/recommend/{user}?n=3")
            client.get(f"/v1/assignment?user_id={user}")
            self.rows += 1
        client.get(path + "/report")
        client.post(path + "/stop")
        client.call("DELETE", path)
        client.call("DELETE", f"/v1/scenarios/{name}")
        self.rows += 12

    def keys(self):
        made = self.client.post("/v1/keys", {"role": "public", "user": "u7", "rate": 1, "burst": 2})
        for _ in range(3):
            self.client.get("/v1/recommend/u7?n=2", key=made["key"], want=(200, 429))
        self.client.call("PUT", "/v1/items/x", {}, key=made["key"], want=(403, 429))
        self.client.call("DELETE", f"/v1/keys/{made['id']}")
        self.client.get("/v1/recommend/u7", key=made["key"], want=(401,))
        self.rows += 4

    # -- what should not be sent --

    def wrong(self):
        call = self.client.call
        self.rng.choice([
            lambda: call("POST", "/v1/recommend", "{,}", want=(400,)),
            lambda: call("POST", "/v1/recommend", {"user": "u7", "n": -1}, want=(422,)),
            lambda: call("POST", "/v1/recommend", {"user_id": "u7", "filter": "year <"}, want=(422,)),
            lambda: call("GET", "/v1/recommend/u7?n=0", want=(422,)),
            lambda: call("GET", "/v1/nowhere", want=(404,)),
            lambda: call("PATCH", "/v1/items/x", {}, want=(405,)),
            lambda: call("POST", "/v1/events", "a=b", kind="text/plain", want=(415,)),
            lambda: call("POST", "/v1/events", {"user_id": "u7", "item_id": "x", "event": "rated"}, want=(422,)),
            lambda: call("GET", "/v1/status", key="nobody's", want=(401,)),
            lambda: call("DELETE", "/v1/users/nobody", want=(404,)),
            lambda: call("POST", "/v1/models", {"algorithm": "magic"}, want=(422,)),
            lambda: self.alone(b"this is no HTTP\r\n\r\n"), lambda: self.alone(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"),
        ])()

    def alone(self, data):
        with self.service.raw() as s:
            s.sendall(data)
            reset(s)

    def cut(self):
        """Half a request, a request whose reply nobody reads, half an import, and connections that say nothing."""
        head = self.service.head
        event = json.dumps({"user_id": "half", "item_id": self.films[0], "event": "rating", "value": 5}).encode()
        post = head("POST", "/v1/events", "Content-Type: application/json", f"Content-Length: {len(event)}")
        lines = head("POST", "/v1/users/import", "Content-Type: application/x-ndjson", "Content-Length: 100000")
        self.alone(self.rng.choice([b"", head("GET", "/v1/status")[:20], post, post + event[:30], lines + b'{"user_id": ',
                                    head("GET", "/v1/export"), head("GET", "/v1/recommend/u7?n=30") * 5]))

    def slow(self):
        """A few connections that stay and send a byte now and then; the service lets them go after header_seconds."""
        if len(self.held) < 4:
            self.held.append(self.service.raw())
        for s in list(self.held):
            try:
                s.send(b"G")
            except OSError:
                self.held.remove(s)
                s.close()

    LOAD = {"ask": 30, "ask_for_others": 25, "write": 20, "wrong": 8, "cut": 6, "slow": 4, "item": 1, "come_and_go": 1,
            "ask_for_all": 1}
    ALONE = ["models", "scenarios", "keys"]

    def part(self, until, rate):
        """Work until then, at so many draws a second; the ones that exclude each other come first."""
        for name in self.ALONE[self.number::N_WORKERS]:
            getattr(self, name)()       # one that is late leaves things half done: that fails
        names, weights = list(self.LOAD), list(self.LOAD.values())
        due = time.monotonic()
        while time.monotonic() < until:
            try:
                getattr(self, self.rng.choices(names, weights)[0])()
            except Late:
                pass
            due = max(due + 1 / rate, time.monotonic() - 1)         # late by more than a second: not made up for
            time.sleep(max(0.0, due - time.monotonic()))

    def leave(self):
        self.client.close()
        for s in self.held:
            s.close()
        self.held.clear()


# ---- the run -------------------------------------------------------------------------------------------------------

def work(worker, until, rate, errors):
    try:
        worker.part(until, rate)
    except Exception as error:  # noqa: BLE001  told at the end of the part, which it fails
        errors.append(f"worker {worker.number}: {type(error).__name__}: {error}")
    worker.leave()


def load_for(workers, seconds, rate):
    errors = []
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=work, args=(w, until, rate / N_WORKERS, errors)) for w in workers]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors, "; ".join(errors)


def rest(service):
    """Until nobody is connected any more and nothing is in flight; then what the process has."""
    client = Client(service, {})
    for _ in range(100):
        text = client.call("GET", "/v1/metrics", kind="text").decode()
        told = {name: float(value) for name, value in re.findall(r"^kith_http_(connections|in_flight|streams) (\S+)$", text, re.M)}
        if told["connections"] <= 1 and told["in_flight"] <= 1 and told["streams"] == 0:
            break
        time.sleep(0.1)
    store = client.get("/v1/status")
    figures = service.figures()
    client.close()
    return {**figures, **told, "users": store["users"], "items": store["items"], "events": store["events"]}


def slope(points):
    """Of the least-squares line through (x, y)."""
    n = len(points)
    mx, my = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    return sum((x - mx) * (y - my) for x, y in points) / sum((x - mx) ** 2 for x, _ in points)


def explained(r):
    """Bytes of memory by which a service may be larger in this rest than it was at its start."""
    return r["numbers"] * NUMBER_BYTES + r["db"]


def judge(rests, hours):
    """What is wrong with what was measured after the warm-up; nothing: an empty list."""
    settled = rests[len(rests) // 3:]
    first, last = settled[0], settled[-1]
    wrong = []
    for what, spare in (("threads", 0), ("descriptors", CLOSING)):
        if last[what] > first[what] + spare:
            wrong.append(f"{what}: {first[what]} after the warm-up, {last[what]} at the end")
    if last["streams"] or last["in_flight"] > 1:
        wrong.append(f"{last['streams']:.0f} streams and {last['in_flight']:.0f} requests are still counted")
    half = len(settled) // 2
    middle = [sorted(r["anon"] for r in part)[len(part) // 2] for part in (settled[:half], settled[half:])]
    allowed = explained(last) - explained(first)
    if middle[1] - middle[0] > (NOISE_BYTES if hours >= 0.5 else EARLY_BYTES) + allowed:
        wrong.append(f"memory: {middle[0] / 2**20:.1f} MiB, then {middle[1] / 2**20:.1f} MiB")
    an_hour = slope([(r["hours"], r["anon"] - explained(r)) for r in settled])
    if hours >= 0.5 and an_hour > SLOPE_BYTES:      # a slope over less than that is noise divided by little time
        wrong.append(f"memory grows by {an_hour / 2**20:.1f} MiB an hour")
    rows = last["rows"] - first["rows"] + 24 * (last["events"] - first["events"])
    if last["db"] - first["db"] > (4 << 20) + rows * ROW_BYTES:
        wrong.append(f"the store grew from {first['db']} to {last['db']} bytes")
    if last["wal"] > 16 << 20:
        wrong.append(f"the log of the store has {last['wal']} bytes")
    return wrong, an_hour


def check_kept(kith, folder, service, workers):
    """After kill -9 and a restart: exactly the events that were acknowledged and not taken back."""
    service.stop(signal.SIGKILL)
    again = Service(kith, folder, service.key)
    client, events = Client(again, {}), 0
    for w in workers:
        there = {}
        for user in {u for u, _ in w.kept}:
            for row in client.get(f"/v1/users/{user}/events?limit=1000")["rows"]:
                there.setdefault((user, row["item"]), []).insert(0, row["value"])
        want = {pair: values for pair, values in w.kept.items() if values and pair not in w.unsure}
        there = {pair: values for pair, values in there.items() if pair not in w.unsure}
        assert there == want, f"worker {w.number}: " + str([(p, there.get(p), want.get(p)) for p in {*there, *want}
                                                             if there.get(p) != want.get(p)][:5])
        events += sum(map(len, want.values()))
    client.get("/v1/users/half", want=(404,))       # half an event is none
    client.close()
    assert again.stop(signal.SIGTERM) == 0
    return events


def prepare(kith, folder, config=CONFIG):
    subprocess.run([kith, "data", "generate", "--items", FILMS, "--n-users", str(N_USERS), "--n-interactions", str(N_EVENTS),
                    "--out", os.path.join(folder, "viewers.csv"), "-q"], check=True)
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as f:
        json.dump(config, f)


def soak(kith, options, folder):
    prepare(kith, folder)
    service = Service(kith, folder)
    try:
        return load_and_measure(kith, options, folder, service)
    finally:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()


def load_and_measure(kith, options, folder, service):
    rests, begun = [], time.monotonic()
    client = Client(service, {})
    films = [row["id"] for row in client.get("/v1/items?limit=1000")["rows"]]
    client.close()
    workers = [Worker(service, n, films) for n in range(N_WORKERS)]
    for n in range(options.rests):
        end = begun + (n + 1) * options.minutes * 60 / options.rests
        load_for(workers, max(0.5, end - time.monotonic()), options.rate * options.pace)
        assert service.process.poll() is None, f"the service ended with {service.process.returncode}"
        rests.append({"hours": (time.monotonic() - begun) * options.pace / 3600, **rest(service),
                      "numbers": sum(w.numbers for w in workers), "rows": sum(w.rows for w in workers)})
        if options.out:
            tell(options.out, rests, workers, None)
    wrong, an_hour = judge(rests, options.minutes * options.pace / 60)
    kept = check_kept(kith, folder, service, workers)
    if options.out:
        tell(options.out, rests, workers, {"wrong": wrong, "bytes_an_hour": an_hour, "kept": kept})
    return rests, workers, wrong, an_hour, kept


def statuses(workers):
    total = {}
    for w in workers:
        for status, n in w.tally.items():
            total[status] = total.get(status, 0) + n
    return dict(sorted(total.items(), key=str))


def tell(path, rests, workers, end):
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"statuses": statuses(workers), "end": end, "rests": rests}, f, indent=1)
        f.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kith")
    parser.add_argument("--minutes", type=float, default=0.35)
    parser.add_argument("--rests", type=int, default=6, help="times that all clients leave and the service is measured")
    parser.add_argument("--rate", type=float, default=60, help="draws a second, one to eight requests each")
    parser.add_argument("--pace", type=float, default=1, help="minutes of load in each minute")
    parser.add_argument("--out", help="file for what was measured, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kith-soak-") as folder:
        rests, workers, wrong, an_hour, kept = soak(os.path.abspath(options.kith), options, folder)
    first, last = rests[len(rests) // 3], rests[-1]
    print(f"{sum(statuses(workers).values())} requests in {options.minutes:g} minutes at pace {options.pace:g}: {statuses(workers)}; "
          f"{last['cpu']:.1f} s of processor")
    print(f"memory {first['rss'] / 2**20:.1f} MiB after the warm-up, {last['rss'] / 2**20:.1f} MiB at the end "
          f"({an_hour / 2**20:+.2f} MiB an hour beyond {last['numbers']} numbers and a store of {last['db'] / 2**20:.1f} MiB); {last['descriptors']} descriptors, "
          f"{last['threads']} threads; {kept} events kept")
    for line in wrong:
        print("FAILED  " + line)
    print(f"{int(not wrong)} passed, {len(wrong)} failed")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
