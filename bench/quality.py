#!/usr/bin/env python3
"""quality.py -- do the models still recommend as well as is written?

usage: bench/quality.py [--only WORD] [--quick] [--write]

Runs the rows of bench/quality.md, holds each figure against its band, prints the table, and exits 1 when a figure lies
outside.  A band is what may not be passed: for errors an upper end, for hits a lower end, both for figures that have one
right value.  Each was taken from a published figure or from ours, less what other seeds of the split or of the model
change.  --quick leaves out what takes minutes; --write puts the figures of this run into bench/quality.md.  Needs the
data (KITH_DATASETS, else ../shared/data) and the program (KITH, else kith in BUILD or build).
"""
import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get("KITH_DATASETS") or os.path.join(ROOT, "..", "shared", "data")
KITH = os.environ.get("KITH") or os.path.join(os.environ.get("BUILD", os.path.join(ROOT, "build")), "kith")
PAGE = os.path.join(ROOT, "bench", "quality.md")
BEGIN, END = "<!-- figures: written by bench/quality.py --write -->", "<!-- end of figures -->"

RATED = "--protocol kfold:5 --metrics rmse,mae"
RANKED = "--protocol predefined --metrics recall@20,ndcg@20"
SURPRISE = "README of Surprise, its defaults"


def at_most(**figures):
    return {m: (None, x) for m, x in figures.items()}


def row(data, model, options, bands, mark, where, quick=True):
    return {"data": data, "model": model, "options": options, "bands": bands, "mark": mark, "where": where, "quick": quick}


# Figures are held against a band in the digits that the band has: folds drawn by another seed move RMSE by .001.
ROWS = [
    row("ml-100k", "bias", RATED, at_most(rmse=.944, mae=.748), ".944 .748", f"Baseline, {SURPRISE}"),
    row("ml-100k", "user-knn -p variant=baseline", RATED, at_most(rmse=.931, mae=.733), ".931 .733", f"KNNBaseline, {SURPRISE}"),
    row("ml-100k", "user-knn -p variant=means", RATED, at_most(rmse=.951, mae=.749), ".951 .749", f"KNNWithMeans, {SURPRISE}"),
    row("ml-100k", "funk-svd", RATED, at_most(rmse=.934, mae=.737), ".934 .737", f"SVD, {SURPRISE}"),
    row("ml-100k", "item-knn", RATED, at_most(rmse=.918, mae=.721), "", "none by this name; the band is ours"),
    row("gowalla", "popularity", RANKED, {"recall@20": (.0416, .0416), "ndcg@20": (.0317, .0317)}, ".0416 .0317",
        "a count: only one value is right"),
    row("gowalla", "item-knn", RANKED, {"recall@20": (.157, None), "ndcg@20": (.121, None)}, ".1570 .1214", "ItemCF, BARS",
        quick=False),
    row("gowalla", "rp3beta", RANKED, {"recall@20": (.184, None), "ndcg@20": (.152, None)}, "", "none on this split; the band is ours",
        quick=False),
    row("gowalla", "graph-filter -p item_power=0.5 -p user_power=1 -p ideal=0.3 -p sharpen=0", RANKED,
        {"recall@20": (.1849, None), "ndcg@20": (.1518, None)}, ".1849 .1518", "GF-CF, BARS", quick=False),
    row("gowalla", "graph-filter", RANKED, {"recall@20": (.188, None), "ndcg@20": (.154, None)}, ".1849 .1518", "GF-CF, BARS",
        quick=False),
    row("gowalla", "pagerank", RANKED, {"recall@20": (.179, None), "ndcg@20": (.149, None)}, "", "none; the band is ours",
        quick=False),
]

# Films that are kept from training wholly (bench/cold.py, its first draw): recall@10 over them.
COLD = {"lsa": (.1, None), "content": (.098, None), "random": (None, .03)}


def command_of(r):
    return f"kith evaluate --data $D/{r['data']} --model {r['model']} {r['options']} --seed 42"


def run(r):
    words = [w.replace("$D", DATA) for w in shlex.split(command_of(r))]
    began = time.monotonic()
    done = subprocess.run([KITH] + words[1:] + ["--json", "--quiet"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command_of(r)}\n{done.stderr}")
    report = json.loads(done.stdout)
    return {m: report["metrics"][m]["mean"] for m in r["bands"]}, time.monotonic() - began


def digits(x):
    return len(f"{x:.6f}".rstrip("0").split(".")[1])


def lies_in(x, band):
    low, high = band
    return (low is None or round(x, digits(low)) >= low) and (high is None or round(x, digits(high)) <= high)


def band_text(band):
    low, high = band
    return f"<= {high}" if low is None else f">= {low}" if high is None else f"{low}" if low == high else f"{low} to {high}"


def run_cold():
    """Rows of the table for bench/cold.py: which models rank films that nobody has."""
    began = time.monotonic()
    done = subprocess.run([sys.executable, os.path.join(ROOT, "bench", "cold.py"), "--seeds", "1", *COLD], capture_output=True,
                          text=True, env={**os.environ, "KITH": KITH, "KITH_DATASETS": DATA})
    if done.returncode != 0:
        sys.exit(f"bench/cold.py:\n{done.stderr}")
    figures = {r["model"]: r["recall@10"] for r in map(json.loads, done.stdout.splitlines())}
    for model, band in COLD.items():
        r = row("cold films", model, "", {"recall@10": band}, "", "none; the band is ours")
        yield r, {"recall@10": figures[model]}, (time.monotonic() - began) / len(COLD)


def run_all(o):
    for r in ROWS:
        if o.only not in r["data"] + " " + r["model"] or (o.quick and not r["quick"]):
            continue
        if not os.path.exists(os.path.join(DATA, r["data"])):
            print(f"skipped: no data set {r['data']} in {DATA}")
            continue
        yield (r, *run(r))
    needed = [os.path.join(DATA, name) for name in ("tmdb", "ml-latest-small")]
    if all(map(os.path.exists, needed)) and o.only in "cold films":
        yield from run_cold()


def write_page(lines):
    with open(PAGE, encoding="utf-8") as f:
        page = f.read()
    table = BEGIN + "\n" + "\n".join(lines) + "\n" + END
    page = re.sub(re.escape(BEGIN) + ".*" + re.escape(END), lambda m: table, page, flags=re.S)
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write(page)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--only", default="")
    args.add_argument("--quick", action="store_true")
    args.add_argument("--write", action="store_true")
    o = args.parse_args()
    lines = ["| data | model | figures | bands | published | from | seconds |", "|---|---|---|---|---|---|---|"]
    missed = 0
    print("\n".join(lines), flush=True)
    for r, figures, seconds in run_all(o):
        said = ", ".join(f"{m} {x:.4f}" for m, x in figures.items())
        bands = ", ".join(f"{m} {band_text(b)}" for m, b in r["bands"].items())
        lines.append(f"| {r['data']} | {r['model']} | {said} | {bands} | {r['mark']} | {r['where']} | {seconds:.0f} |")
        print(lines[-1], flush=True)
        for m, x in figures.items():
            if not lies_in(x, r["bands"][m]):
                missed += 1
                print(f"MISSED {m}: {x:.4f}, want {band_text(r['bands'][m])}\n    {command_of(r)}", flush=True)
    if o.write:
        write_page(lines)
    print(f"{len(lines) - 2 - missed} passed, {missed} failed")
    sys.exit(missed > 0)


main()
