#!/usr/bin/env python3
"""The service under load: requests a second, latencies, and the processor time that each request costs.

    ninja -C build && python3 bench/load.py [--build build] [--seconds 8] [--rounds 3] [--only filtered+writes] [--out FOLDER]
    make bench B=load

100,000 users, 50,000 items with categories, 5 million events, ials of 64 factors; the data, the store and the model are made once,
in BUILD/load (450 MB, some minutes), and serve later runs too, each of which writes to a copy.  wrk (Debian package wrk) asks over loopback from 16 connections on
the same processors that the service runs on.  Cases, in turns:

    constant           GET /v1/health/live: what sockets, HTTP and the access log cost
    cached             GET /v1/recommend/u7: one list again and again, from the cache
    random             POST /v1/recommend of users at random: hardly one comes twice, so every list is ranked
    filtered           the same with a filter that a fifth of the catalogue passes; items that were seen are left out
    filtered+writes    the same while 1,000 events a second are written, 20 at a time, each batch at its appointed time;
                       the wait is from that time to the reply, and with the reply the events are durable and in force
    steady+writes      the same at some 2,000 lists a second, about what a service is asked that is not at its limit
    single             POST /v1/events from 64 connections: events/s durable and in force, one a request
    bulk               POST /v1/events/bulk of 100 events from 16 connections: likewise

With each batch somebody new does something; when the batch is acknowledged a list for that user is asked for, which must be made
from it.  "effect" is the time from the acknowledgement to that list.

Requests a second depend on who else uses the machine, which the last column tells; processor time per request depends on it less.
It is the median of the rounds that is printed.  Everything that this starts it ends by its process id.
"""
import argparse
import datetime
import json
import os
import platform
import queue
import random
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TICK = os.sysconf("SC_CLK_TCK")
USERS, ITEMS, EVENTS = 100_000, 50_000, 5_000_000
CONNECTIONS = {"single": 64}
PAUSE_MS = {"steady": 15}  # at most, of each connection before each request: 16 of them ask 2,000 times a second
EVENTS_EACH = {"single": 1, "bulk": 100}
CASES = ["constant", "cached", "random", "filtered", "filtered+writes", "steady+writes", "single", "bulk"]
BATCH, RATE = 20, 1000


# ---- data and service ----

def write_items(path):
    """A category of ten and a price for each of the items i1, i2, ...: what is filtered by."""
    chance = random.Random(1)
    with open(path, "w") as out:
        out.write("item,category,price\n")
        for j in range(1, ITEMS + 1):
            out.write(f"i{j},c{chance.randrange(10)},{chance.randrange(1000)}\n")


def generate(kith, folder):
    data = os.path.join(folder, "big.csv")
    if not os.path.exists(data):
        print("making the data ...", file=sys.stderr)
        made = data + ".csv"  # under its own name only when it is whole
        subprocess.run([kith, "data", "generate", "--n-users", str(USERS), "--n-items", str(ITEMS), "--n-interactions",
                        str(EVENTS), "--implicit", "--quiet", "--force", "--out", made], check=True)
        write_items(data + ".items.csv")
        os.rename(made, data)
    return data


def remove_store(db):
    shutil.rmtree(db + "-models", ignore_errors=True)
    for end in ("", "-wal", "-shm"):
        if os.path.exists(db + end):
            os.remove(db + end)


def copy_store(of, to):
    remove_store(to)
    shutil.copyfile(of, to)
    shutil.copytree(of + "-models", to + "-models")


class Service:
    """One `kith serve` on a free port; `log` is its standard error, with a line for each request as it comes by default."""

    def __init__(self, kith, folder, db, config):
        data = generate(kith, folder)
        self.log = open(os.path.join(folder, "serve.log"), "wb")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("KITH_")}
        environment.update(config)
        self.process = subprocess.Popen(
            [kith, "serve", "--db", db, "--data", data, "--model", "ials", "--port", "-1", "--insecure-local", "--json"],
            stdout=subprocess.PIPE, stderr=self.log, env=environment)
        self.first = json.loads(self.process.stdout.readline() or b"{}")
        if "port" not in self.first:
            sys.exit(f"the service did not start: see {self.log.name}")
        self.port, self.pid = self.first["port"], self.process.pid

    def cpu(self):
        fields = open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory_mb(self):
        for line in open(f"/proc/{self.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


# ---- who writes ----

class Client(threading.Thread):
    """One connection, until `over` is set or something goes wrong."""

    def __init__(self, port):
        super().__init__()
        self.port, self.over, self.failure = port, threading.Event(), None

    def post(self, s, path, body, status):
        s.sendall(b"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n" % (path, self.port, len(body)) + body)
        reply = b""
        while b"\r\n\r\n" not in reply:
            part = s.recv(65536)
            if not part:
                raise OSError("the service closed the connection")
            reply += part
        head, _, rest = reply.partition(b"\r\n\r\n")
        want = next(int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length"))
        while len(rest) < want:
            rest += s.recv(65536)
        if not head.startswith(b"HTTP/1.1 %d" % status):
            raise OSError((head + rest)[:300].decode())
        return rest

    def run(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 30) as s:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.work(s)
        except OSError as e:
            self.failure = str(e)

    def end(self):
        self.over.set()
        self.join()
        return self.failure


class Looker(Client):
    """A list for somebody whose one event has just been acknowledged; those who come while it waits for another are left out."""

    def __init__(self, port):
        super().__init__(port)
        self.acknowledged, self.waits = queue.Queue(1), []

    def tell(self, who):
        try:
            self.acknowledged.put_nowait((who, time.monotonic()))
        except queue.Full:
            pass

    def work(self, s):
        while not self.over.is_set():
            try:
                who, since = self.acknowledged.get(timeout=0.1)
            except queue.Empty:
                continue
            reply = self.post(s, b"/v1/recommend", f'{{"user_id":"{who}","n":10}}'.encode(), 200)
            self.waits.append(time.monotonic() - since)
            if json.loads(reply).get("history") != 1:
                raise OSError(f"an event was acknowledged and the next list is not made from it: {reply[:300].decode()}")


class Writer(Client):
    """Batches at their appointed times, each with an event of somebody new."""

    def __init__(self, port, looker):
        super().__init__(port)
        self.looker, self.waits = looker, []

    def work(self, s):
        chance, due, n = random.Random(os.getpid() * 1000 + self.port), time.monotonic(), 0
        while not self.over.is_set():
            who = f"new-{os.getpid()}-{id(self)}-{n}"
            users = [who] + [f"u{chance.randint(1, USERS)}" for _ in range(BATCH - 1)]
            events = ",".join(f'{{"user_id":"{u}","item_id":"i{chance.randint(1, ITEMS)}","event":"click"}}' for u in users)
            body = f'{{"events":[{events}]}}'.encode()
            time.sleep(max(0.0, due - time.monotonic()))
            self.post(s, b"/v1/events/bulk", body, 201)
            self.waits.append(time.monotonic() - due)
            self.looker.tell(who)
            due += BATCH / RATE
            n += 1


# ---- one case ----

def busy():
    """Processor seconds of the whole machine that were not idle."""
    fields = [int(x) for x in open("/proc/stat").readline().split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / TICK


def mine(service):
    r, c = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime + c.ru_utime + c.ru_stime + service.cpu()


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def ask(service, case, seconds, lot):
    script, _, writes = case.partition("+")
    looker = Looker(service.port)
    writer = Writer(service.port, looker)
    began, all_before, mine_before, cpu_before = time.monotonic(), busy(), mine(service), service.cpu()
    if writes:
        looker.start()
        writer.start()
    pause = [str(PAUSE_MS[script])] if script in PAUSE_MS else []
    wrk = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS.get(script, 16)}", f"-d{seconds}s", "-s", os.path.join(HERE, "load.lua"),
                          f"http://127.0.0.1:{service.port}", "--", script, str(USERS), str(lot)] + pause,
                         capture_output=True, text=True)
    failure = "; ".join(f for f in [c.end() for c in (writer, looker)] if f) if writes else ""
    took = time.monotonic() - began
    if wrk.returncode != 0 or not wrk.stdout.strip():
        sys.exit(f"wrk: {wrk.stdout}{wrk.stderr}")
    figures = json.loads(wrk.stdout.strip().splitlines()[-1])
    if figures["failures"] or failure:
        sys.exit(f"{case}: {figures['failures']} requests failed; {failure}")
    figures["rate"] = figures["requests"] / figures["seconds"]
    figures["us"] = 1e6 * (service.cpu() - cpu_before) / figures["requests"]
    figures["others"] = 100 * (busy() - all_before - (mine(service) - mine_before)) / took / os.cpu_count()
    figures["memory"] = service.memory_mb()
    if writes:
        figures["events"] = len(writer.waits) * BATCH / took
        for name, values in (("w", writer.waits), ("e", looker.waits)):
            figures[name + "50"], figures[name + "99"] = (1e3 * percentile(values, share) for share in (.5, .99))
    elif script in EVENTS_EACH:
        figures["events"] = figures["rate"] * EVENTS_EACH[script]
    return figures


# ---- the table ----

HEAD = ("| case | requests/s | p50 ms | p99 ms | p99.9 ms | us of processor each | events/s | write p50 ms | p99 | effect p50 ms | p99 "
        "| memory MB | others % |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|")


def row(case, rounds):
    m = {k: statistics.median(r[k] for r in rounds) for k in rounds[0]}
    waits = " | ".join(f"{m[k]:.1f}" if k in m else "-" for k in ("w50", "w99", "e50", "e99"))
    writes = (f"{m['events']:,.0f}" if "events" in m else "-") + " | " + waits
    return (f"| {case} | {m['rate']:,.0f} | {m['p50']:.2f} | {m['p99']:.2f} | {m['p999']:.2f} | {m['us']:.1f} | {writes} "
            f"| {m['memory']:.0f} | {m['others']:.0f} |")


def machine(kith):
    cpu = next((x.split(":")[1].strip() for x in open("/proc/cpuinfo") if x.startswith("model name")), platform.machine())
    version = subprocess.run([kith, "version"], capture_output=True, text=True).stdout.split("\n")[0]
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, {version}; load {os.getloadavg()[0]:.1f}"


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--build", default="build")
    p.add_argument("--folder", help="where data and store lie (BUILD/load)")
    p.add_argument("--seconds", type=int, default=8)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--only", help="cases, with commas between")
    p.add_argument("--set", action="append", default=[], help="a setting of the service, as KITH_LOG_REQUESTS=none")
    p.add_argument("--out", help="folder for a dated file with the table")
    o = p.parse_args()
    if shutil.which("wrk") is None:
        print("bench/load.py is skipped: it needs wrk (apt-get install wrk)")
        return
    cases = o.only.split(",") if o.only else CASES
    if set(cases) - set(CASES):
        sys.exit(f"the cases are {', '.join(CASES)}")
    kith, folder = os.path.join(o.build, "kith"), o.folder or os.path.join(o.build, "load")
    os.makedirs(folder, exist_ok=True)
    seen = {case: [] for case in cases}
    made, used = os.path.join(folder, "load.db"), os.path.join(folder, "used.db")
    if not os.path.exists(made):
        Service(kith, folder, made, {}).stop()
    copy_store(made, used)
    service = Service(kith, folder, used, dict(s.split("=", 1) for s in o.set))
    try:
        for n in range(o.rounds):
            for case in cases:
                seen[case].append(ask(service, case, o.seconds, 1 + n * len(cases) + cases.index(case)))
    finally:
        service.stop()
        remove_store(used)
    text = "\n".join([f"# The service under load, {datetime.date.today()}", "", machine(kith) + ".",
                      f"Medians of {o.rounds} rounds of {o.seconds} s; bench/load.py says what the cases are.", "", HEAD] +
                     [row(case, seen[case]) for case in cases])
    print(text)
    if o.out:
        path = os.path.join(o.out, f"{datetime.date.today()}-load.md")
        open(path, "w").write(text + "\n")
        print(f"wrote {path}", file=sys.stderr)


main()
