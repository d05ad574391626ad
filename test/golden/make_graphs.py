#!/usr/bin/env python3
"""make_graphs.py -- write the golden numbers of the models on graphs: graphs.json and friends.csv

usage: PYTHON test/golden/make_graphs.py [FOLDER]        (FOLDER: this script's own; it holds implicit.csv)

Needs numpy and networkx.  Nothing here is kith's: PageRank, common neighbours, Adamic-Adar, resource allocation and
Jaccard are networkx's, the rest are dense matrices in numpy that follow the papers' formulas.
"""
import csv
import json
import os
import sys

import networkx as nx
import numpy as np

FOLDER = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))


def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return float(f"{float(value):.9g}")


def read_counts():
    with open(os.path.join(FOLDER, "implicit.csv"), newline="") as f:
        rows = [(r["user"], r["item"], float(r["count"])) for r in csv.DictReader(f)]
    users, items = sorted({r[0] for r in rows}), sorted({r[1] for r in rows})
    counts = np.zeros((len(users), len(items)))
    for user, item, count in rows:
        counts[users.index(user), items.index(item)] = count
    return users, items, counts


def table(users, items, counts, scores):
    """Scores of the unseen items of the first five users."""
    return {u: {i: scores[a, b] for b, i in enumerate(items) if counts[a, b] == 0} for a, u in enumerate(users[:5])}


# ---- walks ---------------------------------------------------------------------------------------------------------
def three_steps(R, alpha, beta):
    to_item, to_user = (R / R.sum(1, keepdims=True)) ** alpha, (R.T / R.T.sum(1, keepdims=True)) ** alpha
    S = to_user @ to_item / (R > 0).sum(0) ** beta
    np.fill_diagonal(S, 0)
    return S


def walks(users, items, R, damping):
    graph = nx.Graph()
    for a, u in enumerate(users):
        for b, i in enumerate(items):
            if R[a, b] > 0:
                graph.add_edge("u" + u, "i" + i, weight=R[a, b])
    scores = np.zeros((5, len(items)))
    for a in range(5):
        start = {"i" + i: R[a, b] for b, i in enumerate(items) if R[a, b] > 0}
        rank = nx.pagerank(graph, alpha=damping, personalization=start, tol=1e-14, max_iter=1000)
        scores[a] = [rank["i" + i] for i in items]
    return scores


# ---- filters -------------------------------------------------------------------------------------------------------
def square(R, item_power, user_power):
    left = R.sum(0) ** -item_power
    return left[:, None] * (R.T * R.sum(1) ** -user_power @ R) * left


def graph_filter(R, item_power, user_power, ideal, n_factors, sharpen):
    L, P = square(R, item_power, user_power), square(R, 0.5, 1)
    V = np.linalg.eigh(P)[1][:, -n_factors:]
    root = np.sqrt(R.sum(0))
    y = R @ (L / np.linalg.eigvalsh(L)[-1] + ideal * (V @ V.T) * root / root[:, None])
    return y - sharpen * y @ P


def turbo(R, user_power, power):
    R = R.sum(1, keepdims=True) ** -user_power * R * R.sum(0) ** (user_power - 1)
    return (R.T @ R) ** power


# ---- people --------------------------------------------------------------------------------------------------------
def make_people():
    graph = nx.relabel_nodes(nx.powerlaw_cluster_graph(40, 3, 0.4, seed=7), {n: f"p{n:02d}" for n in range(40)})
    with open(os.path.join(FOLDER, "friends.csv"), "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["user", "item"])
        out.writerows(sorted([e for e in graph.edges] + [(b, a) for a, b in graph.edges]))
    return graph


def people(graph):
    someone = sorted(graph)[:8]
    pairs = [(a, b) for a in someone for b in sorted(graph) if a != b and not graph.has_edge(a, b)]
    made = {"common-neighbors": [(a, b, len(list(nx.common_neighbors(graph, a, b)))) for a, b in pairs],
            "adamic-adar": nx.adamic_adar_index(graph, pairs),
            "resource-allocation": nx.resource_allocation_index(graph, pairs),
            "jaccard": nx.jaccard_coefficient(graph, pairs)}
    ranks = {a: nx.pagerank(graph, alpha=0.5, personalization={z: 1 for z in graph[a]}, tol=1e-14, max_iter=1000)
             for a in someone}
    made["pagerank"] = [(a, b, ranks[a][b]) for a, b in pairs]
    tables = {}
    for method, scores in made.items():
        tables[method] = {a: {} for a in someone}
        for a, b, score in scores:
            tables[method][a][b] = score
    return tables


def main():
    users, items, counts = read_counts()
    events = (counts > 0).astype(float)

    def of(scores):
        return table(users, items, counts, scores)

    models = {
        "p3alpha": of(events @ three_steps(events, 1, 0)),
        "rp3beta": of(events @ three_steps(events, 0.75, 0.25)),
        "rp3beta counts": of(counts @ three_steps(counts, 0.75, 0.25)),
        "pagerank": of(walks(users, items, events, 0.85)),
        "pagerank counts": of(walks(users, items, counts, 0.85)),
        "graph-filter gf-cf": of(graph_filter(events, 0.5, 1, 0.3, 12, 0)),
        "graph-filter": of(graph_filter(events, 0.4, 0.7, 0.1, 12, 1)),
        "turbo-cf": of(events @ turbo(events, 0.6, 1)),
        "turbo-cf second": of(events @ (2 * turbo(events, 0.6, 1) - turbo(events, 0.6, 1) @ turbo(events, 0.6, 1))),
    }
    models.update({"friends " + k: v for k, v in people(make_people()).items()})
    rows = [json.dumps(k) + ":{\n" + ",\n".join(json.dumps(u) + ":" + json.dumps(plain(v), separators=(",", ":"))
                                                for u, v in t.items()) + "\n}" for k, t in models.items()]
    with open(os.path.join(FOLDER, "graphs.json"), "w") as f:
        f.write("{\n" + ",\n".join(rows) + "\n}\n")


main()
