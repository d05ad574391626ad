#!/usr/bin/env python3
"""race.py -- kith against its peers, on the same machine, in the same run

usage: bench/race.py [--only TASK[,TASK ...]] [--quick] [--peers-only] [--runs N] [--threads N] [--out FOLDER]

For every row of RACES the two commands run in turn, A B A B A B; the table shows medians, the files all runs.
Needs the peers of bench/peers/setup.sh (KITH_PEERS), the data sets (KITH_DATASETS, else ../shared/data) and the program
(KITH, else kith in BUILD or build).  A row that lacks one of them is skipped and says why.  Exit code: 0 all goals
that could be measured are met, 1 one is missed or a command failed, 2 wrong usage.

Wall time and peak memory are of the whole process, as the kernel counts them.  The ratio compares the seconds that
each side reports for the work alone (the row's `kith_key` and `peer_key`): a peer does not pay for importing Python
packages, and kith does not pay for reading files.  A goal with a quality counts only at equal quality.
"""
import argparse
import datetime
import gzip
import json
import os
import platform
import random
import re
import statistics
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORK = os.path.join(ROOT, "build", "bench")     # made files: folds, the big CSV, outputs of single runs

# ---- what runs -----------------------------------------------------------------------------------------------------
# {kith} {data} {threads} {made} are filled in.  A key is what a side reports, in seconds; `a|b`: the first that it
# does report, `a+b`: the sum, `wall`: the whole process.  ` ; ` stands between commands of kith that run one after the
# other: what they report is put together, wall time and memory are the last one's.
#
# iALS: implicit weighs a seen pair by alpha and the others by 1; irspack's objective is kith's with nu = 1.  40 : 1 and
# 100 : 1 were the best found for implicit and for irspack at 64 factors, and kith takes the latter against both: the
# condition is equal ndcg after as many sweeps.  The other models get the same hyper-parameters on both sides.  15 sweeps is implicit's default: more than gowalla needs
# (5 are best), the same work for both sides.

EVALUATE = "{kith} evaluate --threads {threads} --json "
PREDEFINED = EVALUATE + "--data {data} --protocol predefined "
TOPK = ("{kith} train --data {data} --out {made}/topk.kith --threads {threads} --json %s ; "
        "{kith} recommend --model-file {made}/topk.kith --all-users {made}/lists.csv --threads {threads} --json -n ")
ML_100K = EVALUATE + "--data {data} --protocol predefined:u1 "
ML_1M = EVALUATE + "--train {data}/u1.base --test {data}/u1.test --protocol predefined "
RANKING = " --metrics recall@20,ndcg@20"
ERRORS = " --metrics rmse,mae"

IALS = "--model ials -p n_factors=64 -p n_epochs=15 -p solver=cg "
IALS_AS_IMPLICIT = IALS + "-p alpha0=1 -p alpha=39 -p reg=30 -p nu=0"
IMPLICIT_IALS = "factors=64 iterations=15 alpha=40 regularization=30"
IALS_AS_IRSPACK = IALS + "-p alpha0=0.01 -p alpha=1 -p reg=0.01 -p nu=1"
IRSPACK_IALS = "n_components=64 train_epochs=15 alpha0=0.01 reg=0.01"
ITEM_KNN = "--model item-knn -p similarity=cosine -p n_neighbors="
SVD = "--model funk-svd -p n_factors=100 -p n_epochs=20 -p lr_all=0.005 -p reg_all=0.02"
USER_KNN = "--model user-knn -p k=40 -p similarity=pearson_baseline -p variant=baseline"
EASE = "--model ease -p l2="


def row(task, name, data, kith, peer, params, goal, kith_key="fit_seconds", peer_key="fit_seconds", quality=None,
        kind="ratio", threads=None, quick=False, slow=False):
    return dict(task=task, name=name, data=data, kith=kith, peer=peer, params=params.split(), goal=goal, kind=kind,
                kith_key=kith_key, peer_key=peer_key, quality=quality, threads=threads, quick=quick, slow=slow)


RACES = [
    row("ials", "64 factors", "gowalla", PREDEFINED + IALS_AS_IRSPACK + RANKING,
        "implicit", IMPLICIT_IALS, goal=3, quality="ndcg@20"),
    row("ials", "64 factors", "gowalla", PREDEFINED + IALS_AS_IRSPACK + RANKING,
        "irspack", IRSPACK_IALS, goal=1, quality="ndcg@20"),
    row("item-knn", "all neighbours", "ml-100k-events", PREDEFINED + ITEM_KNN + "0" + RANKING,
        "implicit", "K=0", goal=3, quality="ndcg@20", quick=True),
    row("item-knn", "all neighbours", "ml-1m-events", PREDEFINED + ITEM_KNN + "0" + RANKING,
        "implicit", "K=0", goal=3, quality="ndcg@20"),
    row("item-knn", "100 neighbours", "gowalla", PREDEFINED + ITEM_KNN + "100" + RANKING,
        "implicit", "K=100", goal=3, quality="ndcg@20"),
    row("item-knn", "20 neighbours", "gowalla", PREDEFINED + ITEM_KNN + "20" + RANKING,
        "implicit", "K=20", goal=3, quality="ndcg@20"),
    row("item-knn", "100 neighbours", "gowalla", PREDEFINED + ITEM_KNN + "100" + RANKING,
        "irspack", "top_k=100", goal=3, quality="ndcg@20"),
    row("funk-svd", "100 factors", "ml-100k", ML_100K + SVD + ERRORS,
        "surprise", "fold=u1", goal=10, quality="rmse", quick=True),
    row("funk-svd", "100 factors", "ml-1m", ML_1M + SVD + ERRORS,
        "surprise", "fold=u1", goal=10, quality="rmse"),
    row("user-knn", "fit and predict", "ml-100k", ML_100K + USER_KNN + ERRORS, "surprise", "fold=u1", goal=20,
        kith_key="fit_seconds+eval_seconds", peer_key="fit_seconds+score_seconds", quality="rmse", threads=1,
        quick=True),
    row("user-knn", "fit and predict", "ml-1m", ML_1M + USER_KNN + ERRORS, "surprise", "fold=u1", goal=20,
        kith_key="fit_seconds+eval_seconds", peer_key="fit_seconds+score_seconds", quality="rmse", threads=1,
        slow=True),
    row("topk", "10 for every user", "gowalla", TOPK % IALS_AS_IMPLICIT + "10",
        "implicit", IMPLICIT_IALS, goal=3, kith_key="topk_seconds", peer_key="score_seconds"),
    row("evaluate", "whole catalogue", "gowalla",
        TOPK % IALS_AS_IMPLICIT + "20 ; " + PREDEFINED + IALS_AS_IMPLICIT + RANKING, "implicit", IMPLICIT_IALS, goal=2, kith_key="eval_seconds", peer_key="score_seconds", quality="ndcg@20",
        kind="own-topk"),
    row("evaluate", "whole catalogue", "gowalla",
        TOPK % IALS_AS_IRSPACK + "20 ; " + PREDEFINED + IALS_AS_IRSPACK + RANKING, "irspack", IRSPACK_IALS, goal=2, kith_key="eval_seconds", peer_key="score_seconds", quality="ndcg@20",
        kind="own-topk"),
    row("evaluate", "whole catalogue", "gowalla",
        TOPK % IALS_AS_IMPLICIT + "20 ; " + PREDEFINED + IALS_AS_IMPLICIT + RANKING, "lenskit", "embedding_size=64 epochs=5 weight=40 regularization=30", goal=2, kith_key="eval_seconds",
        peer_key="score_seconds", quality="ndcg@20", kind="own-topk", slow=True),
    row("ease", "closed form", "ml-100k-events", PREDEFINED + EASE + "300" + RANKING,
        "irspack", "reg=300", goal=1, quality="ndcg@20", quick=True),
    row("ease", "closed form", "ml-1m-events", PREDEFINED + EASE + "500" + RANKING,
        "irspack", "reg=500", goal=1, quality="ndcg@20"),
    row("read-csv", "20 million lines", "ratings-20m.csv",
        "{kith} data convert {data} --out {made}/ratings-20m.kithdata --threads {threads} --json",
        "pandas", "ids=1", goal=200, kith_key="read_seconds", peer_key="fit_seconds+score_seconds",
        kind="csv", threads=1),
]

QUIET = 0.05                # more than this share for other programs, and times mean little
SAME_QUALITY = 0.005        # as good: no worse than the peer by more than this share
LOWER_IS_BETTER = {"rmse", "mae"}
BINARY_BYTES_PER_EVENT = 20     # user 4, item 4, value 4, time 8
CSV_MEMORY_GOAL = 4             # times the binary size


# ---- data ----------------------------------------------------------------------------------------------------------
class Skip(Exception):
    """The row cannot run here; the text says why."""


def data_folder():
    return os.environ.get("KITH_DATASETS") or os.path.join(ROOT, "..", "shared", "data")


def prepare(name):
    """The path of a data set, made first if it is one that this program makes."""
    if name.endswith(".csv"):
        return big_csv(name)
    if name == "ml-1m":
        return ml_1m_fold()
    if name.endswith("-events"):
        return events(name)
    return published(name)


def published(name):
    path = os.path.join(data_folder(), name)
    if not os.path.isdir(path):
        raise Skip(f"no data set {name}: set KITH_DATASETS")
    return path


def data_lines(folder, name):
    """The lines of `name` or `name`.gz in `folder`."""
    path = os.path.join(folder, name)
    opener, path = (open, path) if os.path.exists(path) else (gzip.open, path + ".gz")
    with opener(path, "rt", encoding="latin-1") as f:       # MovieLens; ratings are plain digits in any encoding
        yield from f


def ml_1m_fold():
    """MovieLens 1M has no published folds: every rating goes to the test half with probability 0.2, by a fixed seed.
    Two files like the folds of MovieLens 100K, with 0 for the time."""
    folder = os.path.join(WORK, "ml-1m")
    if not os.path.exists(os.path.join(folder, "u1.test")):
        pick, halves = random.Random(1), ([], [])
        for line in data_lines(published("ml-1m"), "ratings-notime.dat"):
            halves[pick.random() < 0.2].append("\t".join(line.strip().split("::")[:3] + ["0"]) + "\n")
        os.makedirs(folder, exist_ok=True)
        for half, end in zip(halves, (".base", ".test")):
            with open(os.path.join(folder, "u1" + end), "w") as f:
                f.writelines(half)
    return folder


def events(name):
    """Fold u1 of a MovieLens set with the ratings left out, as LightGCN's lines `user item item ...`: implicit's
    models see only who watched what, and so must kith's."""
    folder = os.path.join(WORK, name)
    if not os.path.exists(os.path.join(folder, "test.txt")):
        source = prepare(name.removesuffix("-events"))
        os.makedirs(folder, exist_ok=True)
        for end, out in ((".base", "train.txt"), (".test", "test.txt")):
            lists = {}
            for line in data_lines(source, "u1" + end):
                user, item = line.split("\t")[:2]
                lists.setdefault(int(user), []).append(item)
            with open(os.path.join(folder, out), "w") as f:
                f.writelines(" ".join([str(user)] + lists[user]) + "\n" for user in sorted(lists))
    return folder


def big_csv(name):
    path = os.path.join(WORK, name)
    if not os.path.exists(path):
        make = os.path.join(ROOT, "bench", "peers", "make_csv.py")
        print(f"race.py: writing {name}, once", file=sys.stderr)
        subprocess.run([peer_python("pandas"), make, path], check=True)
    return path


# ---- running -------------------------------------------------------------------------------------------------------
def peer_python(peer):
    folder = os.environ.get("KITH_PEERS") or os.path.join(ROOT, "build", "peers")
    python = os.path.join(folder + ("-lenskit" if peer == "lenskit" else ""), "bin", "python")
    if not os.path.exists(python):
        raise Skip("no peers: run bench/peers/setup.sh" + (" lenskit" if peer == "lenskit" else ""))
    return python


def kith_program():
    path = os.environ.get("KITH") or os.path.join(ROOT, os.environ.get("BUILD", "build"), "kith")
    if not os.access(path, os.X_OK):
        raise Skip("no program kith: build it first")
    return path


def run(argv, limit_seconds):
    """Run one command to its end: its standard output, and what the kernel counted for the whole process."""
    out_path, err_path = os.path.join(WORK, "stdout"), os.path.join(WORK, "stderr")
    with open(out_path, "wb") as out, open(err_path, "wb") as err:
        start = time.perf_counter()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        timer = threading.Timer(limit_seconds, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    with open(out_path, encoding="utf-8", errors="replace") as f:
        text = f.read()
    if process.returncode != 0:
        with open(err_path, encoding="utf-8", errors="replace") as f:
            last = (f.read().strip().splitlines() or ["said nothing"])[-1]
        raise RuntimeError(f"{os.path.basename(argv[0])} ended with {process.returncode}: {last}")
    return text, {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024}


def run_kith(race, data, threads, limit):
    fill = {"kith": kith_program(), "data": data, "threads": threads, "made": WORK}
    result = {}
    for command in race["kith"].split(" ; "):
        text, counted = run([word.format(**fill) for word in command.split()], limit)
        try:
            result.update(json.loads(text))
        except ValueError as error:
            raise RuntimeError(f"kith's output is not one JSON object: {error}") from None
    for key in ("source", "path"):      # paths of this machine
        result.pop(key, None)
    quality = {name: value["mean"] for name, value in (result.get("metrics") or {}).items()}
    return {**counted, "quality": quality, "report": result}


def run_peer(race, data, threads, limit):
    script = os.path.join(ROOT, "bench", "peers", f"run_{race['peer']}.py")
    out = os.path.join(WORK, "result.json")
    argv = [peer_python(race["peer"]), script, "--task", race["task"], "--data", data, "--threads", str(threads)]
    for param in race["params"]:
        argv += ["--param", param]
    _, counted = run(argv + ["--out", out], limit)
    with open(out) as f:
        result = json.load(f)
    return {**counted, "quality": result["metrics"], "report": result}


def seconds(side, key):
    """The seconds that `key` names in one run, or None where the run does not report them."""
    values = {**side["report"], "wall": side["wall"]}
    for option in key.split("|"):
        parts = [values.get(word) for word in option.split("+")]
        if all(isinstance(part, (int, float)) for part in parts):
            return sum(parts)
    return None


def spread(values):
    """Median, least and greatest of what was measured; None where nothing was."""
    values = [v for v in values if v is not None]
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "runs": values}


def summary(sides, key, quality):
    return {"seconds": spread([seconds(s, key) for s in sides]), "wall": spread([s["wall"] for s in sides]),
            "cpu": spread([s["cpu"] for s in sides]), "peak_bytes": spread([s["peak"] for s in sides]),
            "quality": spread([s["quality"].get(quality) for s in sides]) if quality else None,
            "reports": [s["report"] for s in sides]}


# ---- judging -------------------------------------------------------------------------------------------------------
def median(part):
    return part["median"] if part else None


def as_good(race, kith, peer):
    if not race["quality"]:
        return True
    ours, theirs = median(kith["quality"]), median(peer["quality"])
    if ours is None or theirs is None:
        return False
    if race["quality"] in LOWER_IS_BETTER:
        return ours <= theirs * (1 + SAME_QUALITY)
    return ours >= theirs * (1 - SAME_QUALITY)


def judge(race, kith, peer, data):
    """The words for the columns `goal` and `met?`."""
    ours, theirs = median(kith["seconds"]), median(peer["seconds"])
    goal = f">= {race['goal']}x"
    if race["kind"] == "own-topk":
        goal = f"<= {race['goal']}x own top-k"
        pairs = [(r.get("eval_seconds"), r.get("topk_seconds")) for r in kith["reports"]]
        times = median(spread([whole / part for whole, part in pairs if whole and part]))
        if times is None:
            return goal, "kith reports no topk_seconds"
        return goal, f"{'yes' if times <= race['goal'] else 'no'} ({times:.2f}x)"
    if race["kind"] == "csv":
        goal = f">= {race['goal']} MB/s, memory <= {CSV_MEMORY_GOAL}x"
        if ours is None:
            return goal, "kith reports no time"
        rate = os.path.getsize(data) / 1e6 / ours
        share = median(kith["peak_bytes"]) / (BINARY_BYTES_PER_EVENT * peer["reports"][0]["n_rows"])
        met = rate >= race["goal"] and share <= CSV_MEMORY_GOAL
        return goal, f"{'yes' if met else 'no'} ({rate:.0f} MB/s, {share:.1f}x)"
    if ours is None or theirs is None:
        return goal, "unmeasured"
    if not as_good(race, kith, peer):
        return goal, "no (quality)"
    return goal, "yes" if theirs >= race["goal"] * ours else "no"


def race_once(race, options):
    """One row of the table as a dictionary; never raises."""
    threads = race["threads"] or options.threads
    result = {"task": race["task"], "name": race["name"], "data": race["data"], "peer": race["peer"],
              "threads": threads, "kith_command": race["kith"], "peer_params": race["params"],
              "kith_key": race["kith_key"], "peer_key": race["peer_key"], "quality_metric": race["quality"]}
    try:
        peer_python(race["peer"])
        if not options.peers_only:
            kith_program()
        data = prepare(race["data"])
        ours, theirs = [], []
        for _ in range(options.runs):
            if not options.peers_only:
                ours.append(run_kith(race, data, threads, options.limit))
            theirs.append(run_peer(race, data, threads, options.limit))
    except Skip as why:
        return {**result, "status": f"skipped: {why}"}
    except (RuntimeError, OSError, subprocess.CalledProcessError, KeyError, TypeError) as why:
        return {**result, "status": f"failed: {why}"}
    kith = summary(ours, race["kith_key"], race["quality"])
    peer = summary(theirs, race["peer_key"], race["quality"])
    goal, met = judge(race, kith, peer, data)
    if options.peers_only:
        met = "kith not run"
    return {**result, "status": "ran", "kith": kith, "peer_side": peer, "goal": goal, "met": met}


# ---- reporting -----------------------------------------------------------------------------------------------------
def first_match(path, pattern):
    try:
        with open(path) as f:
            found = re.search(pattern, f.read(), re.MULTILINE)
    except OSError:
        return None
    return found.group(1).strip() if found else None


def output_of(argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=60).stdout.strip()
    except OSError:
        return ""


def versions(peer, packages):
    try:
        python = peer_python(peer)
    except Skip:
        return {}
    code = ("import importlib.metadata as m, json, sys\n"
            "have = {d.metadata['Name'].lower(): d.version for d in m.distributions()}\n"
            "print(json.dumps({p: have[p] for p in sys.argv[1:] if p in have}))")
    return json.loads(output_of([python, "-c", code, *packages]) or "{}")


def busy_seconds():
    """(processor seconds used on this machine since it started, idle ones, those of this program's children)."""
    with open("/proc/stat") as f:
        ticks = [int(word) for word in f.readline().split()[1:9]]     # user nice system idle iowait irq softirq steal
    idle = ticks[3] + ticks[4]
    tick = os.sysconf("SC_CLK_TCK")
    mine = os.times()
    return (sum(ticks) - idle) / tick, idle / tick, mine.children_user + mine.children_system


def share_of_others(before, after):
    """The share of all processor time since `before` that went to other programs, or to other guests of the host."""
    busy, idle, mine = (b - a for a, b in zip(before, after))
    return round(max(0.0, busy - mine) / max(1e-9, busy + idle), 4)


def machine():
    """What the numbers were measured on: hardware, kernel, versions; no host name."""
    kib = first_match("/proc/meminfo", r"^MemTotal:\s+(\d+)")
    try:
        kith = output_of([kith_program(), "version"]).splitlines()[:1]
    except Skip:
        kith = []
    return {
        "cpu": first_match("/proc/cpuinfo", r"^model name\s*:\s*(.*)$") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)), "memory_gib": round(int(kib) / 2 ** 20, 1) if kib else None,
        "kernel": f"{platform.system()} {platform.release()}", "python": platform.python_version(),
        "kith": kith[0] if kith else None, "load_before": round(os.getloadavg()[0], 2),
        "libraries": {**versions("implicit", ["implicit", "irspack", "scikit-surprise", "numpy", "scipy", "pandas",
                                              "scikit-learn"]),
                      **versions("lenskit", ["lenskit", "torch"])},
        # A process can never show less than its parent had when it started it.
        "memory_floor_bytes": run(["true"], 10)[1]["peak"],
    }


def number(part, digits=3):
    value = median(part)
    return "-" if value is None else f"{value:.{digits}f}"


def megabytes(part):
    return "-" if part is None else f"{part['median'] / 1e6:.0f}"


def cells(result):
    task = f"{result['task']}, {result['name']}, {result['data']}"
    if result["status"] != "ran":
        return [task, "", result["peer"], "", "", "", "", "", "", "", result["status"]]
    kith, peer = result["kith"], result["peer_side"]
    ours, theirs = median(kith["seconds"]), median(peer["seconds"])
    ratio = f"{theirs / ours:.1f}x" if ours and theirs else "-"
    return [task, number(kith["seconds"]), result["peer"], number(peer["seconds"]), ratio,
            number(kith["quality"], 4), number(peer["quality"], 4), megabytes(kith["peak_bytes"]),
            megabytes(peer["peak_bytes"]), result["goal"], result["met"]]


HEAD = ["task", "kith s", "peer", "peer s", "ratio", "kith quality", "peer quality", "kith MB", "peer MB", "goal",
        "met?"]
RIGHT = {1, 3, 4, 5, 6, 7, 8}


def table(results):
    """A Markdown table whose columns also line up as plain text."""
    rows = [HEAD] + [cells(r) for r in results]
    widths = [max(len(r[c]) for r in rows) for c in range(len(HEAD))]
    lines = ["| " + " | ".join(text.rjust(w) if c in RIGHT else text.ljust(w)
                               for c, (text, w) in enumerate(zip(r, widths))) + " |" for r in rows]
    rule = "|" + "|".join("-" * (w + 1) + (":" if c in RIGHT else "-") for c, w in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule] + lines[1:])


def spread_line(result):
    def text(part):
        return f"{part['median']:.3f} ({part['min']:.3f} to {part['max']:.3f})" if part else "-"
    name = f"{result['task']}, {result['name']}, {result['data']}, {result['threads']} thread(s)"
    lines = [f"### {name}: kith and {result['peer']}", "", "```",
             re.sub(r"\s+", " ", result["kith_command"]).format(kith="kith", data="$D/" + result["data"],
                                                               threads=result["threads"], made="$M"),
             " ".join([f"run_{result['peer']}.py --task {result['task']}"] +
                      [f"--param {p}" for p in result["peer_params"]]), "```", ""]
    if result["status"] != "ran":
        return "\n".join(lines + [result["status"]])
    for who, side, key in (("kith", result["kith"], result["kith_key"]),
                           (result["peer"], result["peer_side"], result["peer_key"])):
        lines.append(f"- {who}: {key} {text(side['seconds'])}, whole process {text(side['wall'])}, "
                     f"processor time {text(side['cpu'])}")
    return "\n".join(lines)


def markdown(box, results, options):
    libraries = ", ".join(f"{name} {version}" for name, version in box["libraries"].items())
    return "\n".join([
        f"# kith and its peers, {box['date']}, {box['cpu']}", "",
        f"{box['cpu']}, {box['cores']} cores, {box['memory_gib']} GiB, {box['kernel']}, load {box['load_before']} "
        f"before the run, other programs took {box['others_share']:.1%} of the processors during it. "
        f"Python {box['python']}, {libraries}. {box['kith'] or 'kith not built'}.", "",
        f"Median of {options.runs} run(s) each, taken in turn. Seconds are of the work alone as each side reports it; "
        "memory is the peak of the whole process, "
        f"which cannot show less than {box['memory_floor_bytes'] / 1e6:.0f} MB here.", "",
        table(results), "", "## Every row: commands, medians (least to greatest), seconds", "",
        "\n\n".join(spread_line(r) for r in results), ""])


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    tasks = sorted({r["task"] for r in RACES})
    parser.add_argument("--only", default="", help="tasks to run, of " + ", ".join(tasks))
    parser.add_argument("--quick", action="store_true", help="only the small rows, one run each")
    parser.add_argument("--slow", action="store_true", help="also the rows that take minutes a run")
    parser.add_argument("--peers-only", action="store_true", help="measure the peers without kith")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a command is killed")
    parser.add_argument("--out", default=os.path.join(ROOT, "bench", "results"), help="folder for the result files")
    options = parser.parse_args()
    options.only = [t for t in options.only.split(",") if t]
    for task in options.only:
        if task not in tasks:
            parser.error(f"no task '{task}': there are " + ", ".join(tasks))
    if options.quick:
        options.runs = 1
    return options


def file_name(box, options):
    """<date>-<cpu>, and what was left out, so that a part never overwrites the whole."""
    words = [box["date"], re.sub(r"[^a-z0-9]+", "-", box["cpu"].lower()).strip("-")]
    words += options.only + ["quick"] * options.quick + ["peers"] * options.peers_only
    return "-".join(words)


def write_results(box, results, options):
    """Both files, after every row: a run that is cut short keeps what it measured."""
    base = os.path.join(options.out, file_name(box, options))
    os.makedirs(options.out, exist_ok=True)
    with open(base + ".md", "w") as f:
        f.write(markdown(box, results, options))
    with open(base + ".json", "w") as f:
        json.dump({"machine": box, "runs": options.runs, "results": results}, f, indent=1)
        f.write("\n")
    return base


def main():
    options = parse()
    os.makedirs(WORK, exist_ok=True)
    chosen = [r for r in RACES if (not options.only or r["task"] in options.only)
              and (not options.quick or r["quick"]) and (options.slow or not r["slow"])]
    box = {"date": datetime.date.today().isoformat(), **machine()}
    before, results, base = busy_seconds(), [], None
    for race in chosen:
        print(f"race.py: {race['task']}, {race['name']}, {race['data']}: kith and {race['peer']}", file=sys.stderr)
        results.append(race_once(race, options))
        box["others_share"] = share_of_others(before, busy_seconds())
        if any(r["status"] == "ran" for r in results):
            base = write_results(box, results, options)
    print(table(results))
    if base:
        print(f"race.py: wrote {os.path.relpath(base)}.md and .json", file=sys.stderr)
        if box["others_share"] > QUIET:
            print(f"race.py: other programs took {box['others_share']:.0%} of the processors meanwhile: these times "
                  "are not worth keeping", file=sys.stderr)
    missed = [r for r in results if r["status"].startswith("failed") or r.get("met", "").startswith("no")]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
