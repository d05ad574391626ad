#!/usr/bin/env python3
"""make_served.py -- diversity, serendipity and calibration of made lists, straight from their formulas: served.json

usage: python test/golden/make_served.py [FOLDER]        (FOLDER: this script's own; needs numpy alone)
"""
import json
import os
import sys

import numpy as np

N_ITEMS, N_WORDS, N_USERS, K = 30, 7, 12, 6
FOLDER = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))


def diversity(pattern, items):
    """1 - cosine of every pair, one by one, of the items that have any word."""
    known = [i for i in items if pattern[i].any()]
    if len(known) < 2:
        return None
    pairs = [(a, b) for n, a in enumerate(known) for b in known[:n]]
    return float(np.mean([1 - pattern[a] @ pattern[b] / np.sqrt(pattern[a].sum() * pattern[b].sum())
                          for a, b in pairs]))


def serendipity(counts, items, history, relevant):
    order = [i for i in np.argsort(-counts, kind="stable") if counts[i] > 0 and i not in history]
    expected = set(order[:K])
    return sum(i in relevant and i not in expected for i in items[:K]) / K


def mix(pattern, items):
    rows = [pattern[i] / pattern[i].sum() for i in items if pattern[i].any()]
    return np.mean(rows, axis=0) if rows else None


def calibration(pattern, items, history):
    p, q = mix(pattern, history), mix(pattern, items[:K])
    if p is None or q is None:
        return None
    q = 0.99 * q + 0.01 * p
    return float(sum(p[g] * np.log(p[g] / q[g]) for g in range(N_WORDS) if p[g] > 0))


def main():
    rng = np.random.default_rng(5)
    pattern = (rng.random((N_ITEMS, N_WORDS)) < 0.25).astype(int)
    counts = rng.integers(0, 12, N_ITEMS)       # with ties, and items of no event
    users = []
    for u in range(N_USERS):
        items = rng.permutation(np.flatnonzero(counts > 0))
        history, served = np.sort(items[:5]), items[5:5 + (K if u else 1)]
        relevant = np.sort(rng.permutation(np.setdiff1d(np.arange(N_ITEMS), history))[:9])
        users.append({"history": history.tolist(), "list": served.tolist(), "relevant": relevant.tolist(),
                      "diversity": diversity(pattern, served[:K]),
                      "serendipity": serendipity(counts, served, set(history), set(relevant)),
                      "calibration": calibration(pattern, served, history)})
    with open(os.path.join(FOLDER, "served.json"), "w") as f:
        json.dump({"k": K, "words": [np.flatnonzero(row).tolist() for row in pattern], "n_words": N_WORDS,
                   "counts": counts.tolist(), "users": users}, f, separators=(",", ":"))
        f.write("\n")


main()
