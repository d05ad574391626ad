#!/usr/bin/env python3
"""gorse.py -- kith serve beside Gorse: the same ratings over each one's REST API, on the same machine, in one run

usage: bench/gorse.py [--out FOLDER] [--seconds N] [--only kith|gorse] [--scale SHARE]

Needs bench/peers/setup_gorse.sh (KITH_PEERS), wrk, MovieLens 1M (KITH_DATASETS, else ../shared/data) and the program (KITH, else
kith in BUILD or build).  Both are real processes on the loopback, one after the other; each is started empty, is given films and
ratings, trains, and is then asked.  Exit code: 0 measured, 1 something failed, 2 wrong usage, 3 something is missing.

The data are the 487,650 ratings of users 1 to 2999, the ones that have times, cut at one moment for everybody: the first four
fifths are given to both, the rest is what the lists are held against.  Relevant is what a user rates 4 or 5 after that moment:
Gorse's own class of positive feedback.  Users who only come after it are cold, and are counted like everybody else.
"""
import argparse
import datetime
import gzip
import http.client
import json
import math
import os
import platform
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from peers import gorse_side, kith_side

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BATCH = 1000            # events a request, on one connection
K = 10
CONNECTIONS = 16        # of wrk, from one thread
SAMPLE_USERS = 20       # whose feedback is followed


# ---- data ----------------------------------------------------------------------------------------------------------

def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_ratings(folder, share):
    """(time, user, item, value) by time; the first are for training, so that a run with less of them is one with less history."""
    path = os.path.join(folder, "ml-1m", "ratings-users1-2999.dat.gz")
    if not os.path.exists(path):
        raise FileNotFoundError(f"no {path}: set KITH_DATASETS")
    with gzip.open(path, "rt", encoding="ascii") as f:
        rows = [line.strip().split("::") for line in f]
    rows = sorted((int(t), "u" + u, "i" + i, int(v)) for u, i, v, t in rows)
    cut = rows[len(rows) * 4 // 5][0]
    train = [r for r in rows if r[0] < cut]
    return train[-int(len(train) * share):], [r for r in rows if r[0] >= cut]


def read_films(folder):
    """Title, year and genres; the year, 1 January, stands for the time at which a film came."""
    films = []
    with open(os.path.join(folder, "ml-1m", "movies.dat"), encoding="latin-1") as f:
        for line in f:
            number, title, genres = line.strip().split("::")
            films.append({"id": "i" + number, "title": title[:-7], "year": int(title[-5:-1]), "genres": genres.split("|")})
    return films


class Data:
    def __init__(self, folder, share):
        self.train, test = read_ratings(folder, share)
        self.films = read_films(folder)
        self.test_rows = len(test)
        self.seen = {}
        for _, user, item, _ in self.train:
            self.seen.setdefault(user, set()).add(item)
        self.relevant = {}
        for _, user, item, value in test:
            if value >= 4 and item not in self.seen.get(user, ()):
                self.relevant.setdefault(user, set()).add(item)
        self.known = [u for u in self.relevant if u in self.seen]
        # Whoever is waited for: a user with a usual number of ratings.
        self.one = min(self.known, key=lambda u: (abs(len(self.seen[u]) - 100), u))


# ---- quality: one code for all -------------------------------------------------------------------------------------

def score(listed, relevant):
    """recall@K and ndcg@K of one list, as written down in doc/evaluation.md: binary, the ideal list over min(K, relevant)."""
    hits = [item in relevant for item in listed[:K]]
    dcg = sum(1 / math.log2(j + 2) for j, hit in enumerate(hits) if hit)
    return sum(hits) / len(relevant), dcg / sum(1 / math.log2(j + 2) for j in range(min(K, len(relevant))))


def interval(values):
    """The mean, and half of its 95% interval, by the normal approximation over users."""
    mean = sum(values) / len(values)
    return mean, 1.96 * math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1) / len(values))


def quality(data, lists):
    told = {"users": len(data.relevant), "known": len(data.known), "empty": sum(not lists.get(u) for u in data.relevant)}
    again = sum(item in data.seen.get(u, ()) for u in data.relevant for item in lists.get(u, ())[:K])
    told["seen_items_listed"] = again
    for who, users in (("all", list(data.relevant)), ("known", data.known)):
        pairs = [score(lists.get(u, []), data.relevant[u]) for u in users]
        for name, values in zip((f"recall@{K}", f"ndcg@{K}"), zip(*pairs)):
            told[f"{name} {who}"], told[f"{name} {who} ±"] = interval(values)
    told["distinct_items"] = len({i for u in data.relevant for i in lists.get(u, [])[:K]})
    return told


def popular_lists(data):
    counts = {}
    for _, _, item, value in data.train:
        counts[item] = counts.get(item, 0) + (value >= 4)
    best = sorted(counts, key=lambda i: (-counts[i], i))
    return {u: [i for i in best if i not in data.seen.get(u, ())][:K] for u in data.relevant}


# ---- a process that is looked at -----------------------------------------------------------------------------------

class Watched:
    """A process whose memory is read five times a second, and the greatest kept for each phase.  `says`: its standard output is to
    be read; else it goes into the log."""

    def __init__(self, argv, folder, says=False, env=None):
        self.log = open(os.path.join(folder, "log"), "ab")
        self.process = subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, stderr=self.log,
                                        stdout=subprocess.PIPE if says else self.log,
                                        env={**{k: v for k, v in os.environ.items() if not k.startswith("KITH_")}, **(env or {})})
        self.phase, self.peaks, self.over = "start", {}, threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def rss(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as f:
            ticks = f.read().rsplit(")", 1)[1].split()
        return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")

    def watch(self):
        while not self.over.wait(0.2):
            try:
                self.peaks[self.phase] = max(self.peaks.get(self.phase, 0), self.rss())
            except (OSError, IndexError):
                return

    def stop(self):
        self.over.set()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.log.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Wire:
    """One kept connection with the key of the side."""

    def __init__(self, port, headers):
        self.port, self.headers, self.connection = port, headers, None

    def call(self, method, path, body=None, kind="application/json"):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        headers = dict(self.headers)
        if body is not None:
            body, headers["Content-Type"] = body if isinstance(body, str) else json.dumps(body), kind
        try:
            self.connection.request(method, path, body=body, headers=headers)
            reply = self.connection.getresponse()
            text = reply.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise
        if reply.status >= 300:
            raise RuntimeError(f"{method} {path}: {reply.status}: {text[:300]!r}")
        return json.loads(text) if text else None


def until(done, seconds, pause):
    """Seconds until done() says yes; None: not within that time."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        if done():
            return time.monotonic() - begun
        time.sleep(pause)
    return None


# ---- what is measured ----------------------------------------------------------------------------------------------

def give(side, data):
    """All films and all ratings, acknowledged; events a second."""
    begun = time.monotonic()
    for at in range(0, len(data.films), BATCH):
        side.put_films(data.films[at:at + BATCH])
    films = time.monotonic() - begun
    begun, waits = time.monotonic(), []
    for at in range(0, len(data.train), BATCH):
        sent = time.monotonic()
        side.put_ratings([(u, i, v, iso(t)) for t, u, i, v in data.train[at:at + BATCH]])
        waits.append(time.monotonic() - sent)
    seconds = time.monotonic() - begun
    return {"films_seconds": films, "seconds": seconds, "events_a_second": len(data.train) / seconds,
            "batch_ms_median": statistics.median(waits) * 1e3, "batch_ms_most": max(waits) * 1e3}


def from_empty(side, data):
    """Start, give, train: when each step was over, in seconds since the start of the process."""
    begun = time.monotonic()
    side.start()
    told = {"ready": time.monotonic() - begun}
    side.watched.phase = "giving"
    told["give"] = give(side, data)
    told["given"] = time.monotonic() - begun
    side.watched.phase = "training"
    cpu = side.watched.cpu()
    side.train()
    if until(lambda: side.is_personal(data.one), 1200, 0.05) is None:
        raise RuntimeError(f"{side.name}: no list for {data.one} after 20 minutes")
    told["first_list"] = time.monotonic() - begun
    side.finish()
    told["finished"] = time.monotonic() - begun
    told["training_cpu"] = side.watched.cpu() - cpu
    return told


LUA = """
local users = {%s}
math.randomseed(%d)
request = function() return wrk.format("GET", string.format("%s", users[math.random(#users)])) end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests":%%d,"failures":%%d,"seconds":%%.6f,"p50":%%.4f,"p99":%%.4f,"max":%%.3f}\\n', summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3))
end
for name, value in pairs({%s}) do wrk.headers[name] = value end
"""


def wrk(side, users, connections, seconds, seed):
    headers = ", ".join(f'["{k}"] = "{v}"' for k, v in side.headers.items())
    path = os.path.join(side.folder, "load.lua")
    with open(path, "w", encoding="ascii") as f:
        f.write(LUA % (", ".join(f'"{u}"' for u in users), seed, side.list_path("%s", K), headers))
    cpu = side.watched.cpu()
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", path, f"http://127.0.0.1:{side.port}"],
                          capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    told["cpu_ms_each"] = (side.watched.cpu() - cpu) * 1e3 / max(1, told["requests"])
    return told


def load(side, data, seconds):
    """Lists of ten for users at random: three rounds from 16 connections, of which the median, and one from a single one."""
    users = sorted(data.seen)
    side.watched.phase = "load"
    rounds = [wrk(side, users, CONNECTIONS, seconds, 1 + r) for r in range(3)]
    told = {key: statistics.median(r[key] for r in rounds) for key in ("p50", "p99", "cpu_ms_each")}
    told["a_second"] = statistics.median(r["requests"] / r["seconds"] for r in rounds)
    told["failures"] = sum(r["failures"] for r in rounds)
    alone = wrk(side, users, 1, max(2, seconds // 2), 9)
    told["alone_p50"], told["alone_p99"] = alone["p50"], alone["p99"]
    side.watched.phase = "after"
    return {**told, "rounds": rounds, **side.said_after_load()}


def follow_feedback(side, data):
    """A rating of 5 for the first item of a list: until it is no longer listed, and until the others stand differently."""
    rng = random.Random(4)
    users = rng.sample(sorted(data.seen), SAMPLE_USERS)
    acknowledged, gone, rest = [], [], {}
    for user in users:
        before = side.recommend(user, 2 * K)
        sent = time.monotonic()
        side.put_ratings([(user, before[0], 5, iso(time.time()))])
        acknowledged.append(time.monotonic() - sent)
        gone.append(until(lambda: before[0] not in side.recommend(user, 2 * K), 60, 0))
        rest[user] = before[1:]
    changed = [u for u in users if side.recommend(u, 2 * K)[:2 * K - 1] != rest[u]]
    told = {"write_ms": statistics.median(acknowledged) * 1e3, "changed_at_once": len(changed), "users": len(users),
            "gone_ms": None if None in gone else statistics.median(gone) * 1e3,
            "gone_ms_most": None if None in gone else max(gone) * 1e3}
    if len(changed) < len(users) // 2:
        begun = time.monotonic()
        side.train()
        side.finish()
        told["changed_after_pass"] = sum(side.recommend(u, 2 * K)[:2 * K - 1] != rest[u] for u in users)
        told["pass_seconds"] = time.monotonic() - begun
    return told


def ask_for_quality(side, data):
    return quality(data, {u: side.recommend(u, K) for u in data.relevant})


def measure(side, data, seconds):
    told = {"settings": side.settings()}
    say(f"{side.name}: from empty to lists")
    told["empty"] = from_empty(side, data)
    time.sleep(5)
    told["rest_rss"] = side.watched.rss()
    for n, (variant, arrange) in enumerate(side.variants()):
        if arrange is not None:
            begun = time.monotonic()
            arrange()
            told[f"{variant}, arranged"] = time.monotonic() - begun
        say(f"{side.name}, {variant}: quality and load")
        told[variant] = {"quality": ask_for_quality(side, data), "load": load(side, data, seconds)}
        if n == 0:
            told["load_rss"] = side.watched.peaks.get("load")
    told["feedback"] = follow_feedback(side, data)
    told["peaks"] = side.watched.peaks
    told["disk"] = sum(os.path.getsize(os.path.join(where, name)) for where, _, names in os.walk(side.folder) for name in names
                       if name not in ("log", "load.lua") and not name.endswith(".csv"))
    side.watched.stop()
    return told


def say(text):
    print("gorse.py: " + text, file=sys.stderr, flush=True)


# ---- the report ----------------------------------------------------------------------------------------------------

def number(x, digits=1, unit=""):
    if x is None:
        return "-"
    return (f"{x:,.0f}" if abs(x) >= 100 else f"{x:.{digits}f}") + unit


def mb(x):
    return "-" if x is None else f"{x / 1e6:,.0f} MB"


def plus_minus(q, name):
    return f"{q[name]:.4f} ±{q[name + ' ±']:.4f}"


def rows_of(told, variant):
    """(what, text) of one column."""
    e, f, q, l = told["empty"], told["feedback"], told[variant]["quality"], told[variant]["load"]
    changed = f"{f['changed_at_once']} of {f['users']} at once"
    if "pass_seconds" in f:
        changed += f", {f['changed_after_pass']} after a pass of {f['pass_seconds']:.1f} s"
    return [
        ("ready, empty", number(e["ready"], 2, " s")),
        ("all given over REST", number(e["given"], 1, " s")),
        ("first list of one's own", number(e["first_list"], 1, " s")),
        ("all trained, all lists", number(e["finished"], 1, " s")),
        ("processor time of training", number(e["training_cpu"], 1, " s")),
        ("ratings acknowledged a second", number(e["give"]["events_a_second"])),
        (f"a batch of {BATCH}, median / most", f"{number(e['give']['batch_ms_median'])} / {number(e['give']['batch_ms_most'])} ms"),
        (f"lists a second, {CONNECTIONS} connections", number(l["a_second"])),
        ("p50 / p99 of them", f"{number(l['p50'], 2)} / {number(l['p99'], 2)} ms"),
        ("p50 / p99, one connection", f"{number(l['alone_p50'], 2)} / {number(l['alone_p99'], 2)} ms"),
        ("processor time a list", number(l["cpu_ms_each"], 3, " ms")),
        ("failed", str(l["failures"])),
        ("memory at rest", mb(told["rest_rss"])),
        ("memory under load", mb(told["load_rss"])),
        ("memory while given / trained, most", f"{mb(told['peaks'].get('giving'))} / {mb(told['peaks'].get('training'))}"),
        ("on disk", mb(told["disk"])),
        ("one rating acknowledged", number(f["write_ms"], 1, " ms")),
        ("its item gone from the list, most", number(f["gone_ms_most"], 1, " ms")),
        ("the rest of the list changed", changed),
        (f"recall@{K}, all", plus_minus(q, f"recall@{K} all")),
        (f"ndcg@{K}, all", plus_minus(q, f"ndcg@{K} all")),
        (f"recall@{K}, known", plus_minus(q, f"recall@{K} known")),
        (f"ndcg@{K}, known", plus_minus(q, f"ndcg@{K} known")),
        ("distinct items listed", str(q["distinct_items"])),
        ("seen items listed", str(q["seen_items_listed"])),
    ]


ONCE = 7        # the rows before are the same for every variant of a side, and so are those from ...
AGAIN = range(12, 19)


def table(result):
    columns = [(side, variant, dict(rows_of(told, variant))) for side, told in result["sides"].items()
               for variant in told["variants"]]
    names = list(columns[0][2])
    lines = ["| | " + " | ".join(f"{side}: {variant}" for side, variant, _ in columns) + " |",
             "|---|" + "---:|" * len(columns)]
    for at, name in enumerate(names):
        cells, before = [], None
        for side, _, column in columns:
            same = side == before and (at < ONCE or at in AGAIN)
            cells.append("" if same else column[name])
            before = side
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def markdown(result):
    m, d, p = result["machine"], result["data"], result["popular"]
    parts = [f"# kith serve beside Gorse, {m['date']}", "",
             f"{m['cpu']}, {m['cores']} cores, {m['kernel']}, load {m['load_before']:.1f} before the run; other programs took "
             f"{m.get('others_share', math.nan):.0%} of the processors during it. {m['kith']}. {m['gorse']}.", "",
             f"MovieLens 1M, the ratings that have times, cut at one moment: "
             f"{'' if d['scale'] == 1 else 'the latest '}{d['train']:,} of those before it given to both over their "
             f"REST APIs ({BATCH} a request, one connection), {d['test']:,} held back. Lists of {K}, held against what {d['users']} users rate 4 or "
             f"5 afterwards and had not rated before; {d['known']} of them are known. Load: `wrk -t1 -c{CONNECTIONS}`, users at random of "
             f"{d['train_users']}, three rounds, medians; load generator and service share the processors.", "",
             table(result), "",
             f"By popularity alone (most rated 4 or 5, seen items left out): recall@{K} {plus_minus(p, f'recall@{K} all')}, ndcg@{K} "
             f"{plus_minus(p, f'ndcg@{K} all')} for all, {plus_minus(p, f'recall@{K} known')} and {plus_minus(p, f'ndcg@{K} known')} for the "
             "known.", ""]
    if "file" in result:
        parts += [f"`kith serve --data FILE` with the same ratings and films, from the start of the process to the first list of "
                  f"one's own: {result['file']['first_list']:.1f} s.", ""]
    for side, told in result["sides"].items():
        parts += [f"## {side}: settings", "", "```", told["settings"].strip(), "```", ""]
        share = told[told["variants"][0]]["load"].get("from_cache")
        if share is not None:
            parts += [f"{share:.0%} of the lists under load came from its cache of finished lists; the others were ranked for the request.", ""]
    share = "" if d["scale"] == 1 else f" --scale {d['scale']:g}"
    parts += [f"Command: `bench/peers/setup_gorse.sh && python3 bench/gorse.py{share}`; every figure is in the JSON file beside this one.", ""]
    return "\n".join(parts)


def busy():
    """Seconds of all processors since the machine was started, and those of this process and its children that have ended."""
    with open("/proc/stat", encoding="ascii") as f:
        ticks = list(map(int, f.readline().split()[1:]))
    t = os.times()
    return (sum(ticks[:3]) + sum(ticks[5:8])) / os.sysconf("SC_CLK_TCK"), t.user + t.system + t.children_user + t.children_system


def others_share(before, after, wall):
    used, own = after[0] - before[0], after[1] - before[1]
    return max(0.0, used - own) / (wall * os.cpu_count())


def machine(kith, built):
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        cpu = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())
    version = subprocess.run([kith, "version"], capture_output=True, text=True).stdout
    words = [line.split(None, 1)[1] for line in version.splitlines() if line.startswith("version")]
    return {"date": datetime.date.today().isoformat(), "cpu": cpu, "cores": os.cpu_count(),
            "kernel": f"{platform.system()} {platform.release()}", "load_before": os.getloadavg()[0],
            "kith": "kith " + (words[0] if words else "?"), "gorse": built}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=os.path.join(ROOT, "bench", "results"), help="folder for the two files")
    parser.add_argument("--seconds", type=int, default=5, help="of each round of load")
    parser.add_argument("--only", choices=["kith", "gorse"], help="one side alone; writes nothing")
    parser.add_argument("--scale", type=float, default=1, help="share of the training ratings, the latest: less of Gorse's minutes")
    return parser.parse_args()


def find_programs(only):
    kith = os.environ.get("KITH") or os.path.join(ROOT, os.environ.get("BUILD", "build"), "kith")
    peers = (os.environ.get("KITH_PEERS") or os.path.join(ROOT, "build", "peers")) + "-gorse"
    gorse = os.path.join(peers, "gorse-in-one")
    for path, cure in ((kith, "build kith first"), (gorse, "run bench/peers/setup_gorse.sh"), (shutil.which("wrk") or "wrk", "install the Debian package wrk")):
        if not os.path.exists(path) and not (only == "kith" and path == gorse):
            raise FileNotFoundError(f"no {path}: {cure}")
    built = "Gorse not built"
    if os.path.exists(gorse):
        with open(os.path.join(peers, "built.txt"), encoding="utf-8") as f:
            built = "; ".join(line.strip() for line in f)
    return os.path.abspath(kith), os.path.abspath(gorse), built


def run_sides(options, kith, gorse, data, result):
    tools = gorse_side.Tools(Watched, Wire, free_port, until)
    for name, make in (("kith", lambda where: kith_side.Kith(kith, where, tools)), ("Gorse", lambda where: gorse_side.Gorse(gorse, where, tools))):
        if options.only and options.only != name.lower():
            continue
        with tempfile.TemporaryDirectory(prefix="kith-beside-") as folder:
            side = make(folder)
            try:
                told = measure(side, data, options.seconds)
                told["variants"] = [variant for variant, _ in side.variants()]
                result["sides"][name] = told
                keep(options, result)
                if name == "kith":
                    say("kith: from a file")
                    result["file"] = kith_side.from_file(kith, folder, data, tools)
            finally:
                if side.watched is not None and side.watched.process.poll() is None:
                    side.watched.stop()


def keep(options, result):
    """Both files, after every side: a run that is cut short keeps what it measured."""
    if options.only is not None:
        return
    part = "" if options.scale == 1 else f"-{options.scale:g}"
    base = os.path.join(options.out, result["machine"]["date"] + "-gorse" + part)
    with open(base + ".md", "w", encoding="utf-8") as f:
        f.write(markdown(result))
    with open(base + ".json", "w", encoding="utf-8") as f:
        json.dump(result, f, indent=1)
        f.write("\n")


def main():
    options = parse()
    try:
        kith, gorse, built = find_programs(options.only)
        data = Data(os.environ.get("KITH_DATASETS") or os.path.join(ROOT, "..", "shared", "data"), options.scale)
    except FileNotFoundError as error:
        say(str(error))
        return 3
    result = {"machine": machine(kith, built), "sides": {},
              "data": {"scale": options.scale, "train": len(data.train), "test": data.test_rows, "users": len(data.relevant), "known": len(data.known),
                       "train_users": len(data.seen), "one": data.one, "one_has": len(data.seen[data.one])},
              "popular": quality(data, popular_lists(data))}
    before, begun = busy(), time.monotonic()
    run_sides(options, kith, gorse, data, result)
    result["machine"]["others_share"] = others_share(before, busy(), time.monotonic() - begun)
    print(markdown(result))
    keep(options, result)
    say(f"measured in {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
