#!/usr/bin/env python3
"""cold.py -- items that nobody has: which model ranks them best for the users who were to like them?

usage: bench/cold.py [--seeds N] [MODEL[:param=value,...] ...]

MovieLens latest-small joined to TMDB by links.csv.  A fifth of the joined films, drawn by lot, is kept from training
wholly: no event of them is seen, only their texts.  Every user who rated one of them 4 or more gets all of them ranked,
and nothing else: recall@10 and NDCG@10 over the films rated 4 or more, mean over users, then over seeds.  A model that
does not rank them at all has an empty list.  Needs the data (KITH_DATASETS) and the program (KITH, else kith in BUILD or
build).
"""
import argparse
import csv
import gzip
import json
import math
import os
import random
import statistics
import subprocess
import tempfile

from tmdb import ROOT, data_folder, films

DEFAULT = ["random", "popularity", "content", "content:vectorization_method=bm25", "lsa", "ials-text"]
HEADER = ["item", "title", "overview", "tagline", "genres", "keywords"]


def read_joined():
    """The films that both sets have, by MovieLens id, and their ratings (user, item, value, time)."""
    folder = os.path.join(data_folder(), "ml-latest-small")
    catalogue = {film["id"]: film for film in films()}
    with open(os.path.join(folder, "links.csv"), encoding="utf-8", newline="") as f:
        joined = {row["movieId"]: catalogue[row["tmdbId"]] for row in csv.DictReader(f) if row["tmdbId"] in catalogue}
    with gzip.open(os.path.join(folder, "ratings.csv.gz"), "rt", encoding="utf-8", newline="") as f:
        ratings = [row for row in list(csv.reader(f))[1:] if row[1] in joined]
    return {item: joined[item] for item in sorted({row[1] for row in ratings}, key=int)}, ratings


def write_training(path, joined, ratings, cold):
    with open(path, "w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows([["user", "item", "rating", "timestamp"]] + [row for row in ratings if row[1] not in cold])
    with open(path + ".items.csv", "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f)
        out.writerow(HEADER)
        for item, film in joined.items():
            out.writerow([item] + ["|".join(film[name]) if isinstance(film[name], list) else film[name] for name in HEADER[1:]])


def kith(*args):
    program = os.environ.get("KITH") or os.path.join(ROOT, os.environ.get("BUILD", "build"), "kith")
    subprocess.run([program, *args, "--quiet"], check=True, stdout=subprocess.DEVNULL)


def lists_of(spec, folder, path, cold):
    """{user: cold items, best first}"""
    name, _, params = spec.partition(":")
    model, lists = os.path.join(folder, "m.kith"), os.path.join(folder, "lists.csv")
    given = [word for pair in params.split(",") if pair for word in ("-p", pair)]
    kith("train", "--data", path, "--model", name, "--out", model, *given)
    kith("recommend", "--model-file", model, "--all-users", lists, "-n", "100000")
    found = {}
    with open(lists, encoding="utf-8", newline="") as f:
        for row in list(csv.reader(f))[1:]:
            if row[2] in cold:
                found.setdefault(row[0], []).append(row[2])
    return found


def measure(lists, wanted):
    recall, ndcg = [], []
    for user, liked in wanted.items():
        hits = [item in liked for item in lists.get(user, [])[:10]]
        best = sum(1 / math.log2(j + 2) for j in range(min(10, len(liked))))
        recall.append(sum(hits) / min(10, len(liked)))
        ndcg.append(sum(hit / math.log2(j + 2) for j, hit in enumerate(hits)) / best)
    return statistics.mean(recall), statistics.mean(ndcg)


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seeds", type=int, default=3)
    ask.add_argument("models", nargs="*", default=DEFAULT)
    args = ask.parse_args()
    joined, ratings = read_joined()
    figures = {spec: [] for spec in args.models}
    for seed in range(args.seeds):
        lot = random.Random(seed)
        cold = set(lot.sample(list(joined), len(joined) // 5))
        warm_users = {row[0] for row in ratings if row[1] not in cold}
        wanted = {}
        for user, item, value, _ in ratings:
            if item in cold and float(value) >= 4 and user in warm_users:
                wanted.setdefault(user, set()).add(item)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "train.csv")
            write_training(path, joined, ratings, cold)
            for spec in args.models:
                if spec == "random":
                    lists = {user: lot.sample(sorted(cold), len(cold)) for user in wanted}
                else:
                    lists = lists_of(spec, folder, path, cold)
                figures[spec].append(measure(lists, wanted))
    for spec, rows in figures.items():
        recall, ndcg = (statistics.mean(column) for column in zip(*rows))
        print(json.dumps({"model": spec, "items": len(joined), "cold": len(cold), "users": len(wanted), "seeds": args.seeds,
                          "recall@10": round(recall, 4), "ndcg@10": round(ndcg, 4)}))


if __name__ == "__main__":
    main()
