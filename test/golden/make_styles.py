#!/usr/bin/env python3
"""make_styles.py -- metrics of the same lists by the evaluators of five libraries: styles.json

usage: python test/golden/make_styles.py [FOLDER]        (FOLDER: this script's own)

Needs implicit 0.7.3, scikit-surprise 1.1.5, lenskit 2025.8.1, and the unpacked wheels of recbole 1.2.1 and cornac
3.0.1 on PYTHONPATH.  Of these two only the files with the metrics are executed: recbole wants torch for the rest and
cornac compiled models, and neither takes part in a metric.
"""
import importlib.util
import json
import os
import sys
import types

import numpy as np
import scipy.sparse as sp
import surprise
from implicit.evaluation import ranking_metrics_at_k
from lenskit.data import ItemList
from lenskit.metrics.ranking import DCG, NDCG, Hit, Precision, Recall, RecipRank
from lenskit.metrics.ranking._map import AveragePrecision

SEED, N_USERS, N_FULL, N_ITEMS, DEPTH, CUTOFFS = 77, 26, 20, 40, 10, (3, 10)
FOLDER = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))


def find_file(*parts):
    for folder in sys.path:
        path = os.path.join(folder, *parts)
        if os.path.exists(path):
            return path
    sys.exit(f"make_styles.py: {os.path.join(*parts)} is not on PYTHONPATH")


def execute(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- the users -----------------------------------------------------------------------------------------------------
def make_users(rng):
    """The first N_FULL lists are full, the others short, the last one empty."""
    users = []
    for u in range(N_USERS):
        relevant = np.sort(rng.permutation(N_ITEMS)[:rng.integers(1, 15)])
        scores = np.round(rng.random(N_ITEMS) + 0.4 * np.isin(np.arange(N_ITEMS), relevant), 1)  # with ties
        order = np.argsort(-scores, kind="stable")
        length = DEPTH if u < N_FULL else N_USERS - 1 - u
        users.append({"relevant": relevant, "scores": scores, "list": order[:length]})
    return users


# ---- implicit ------------------------------------------------------------------------------------------------------
class Served:
    def __init__(self, users):
        self.users = users

    def recommend(self, batch, *_, N=10, **__):
        table = np.full((len(batch), N), -1, np.int32)
        for row, u in enumerate(batch):
            ids = self.users[u]["list"][:N]
            table[row, :len(ids)] = ids
        return table, np.zeros(table.shape)


def by_implicit(users, k):
    test = sp.lil_matrix((len(users), N_ITEMS))
    for u, user in enumerate(users):
        test[u, user["relevant"]] = 1
    got = ranking_metrics_at_k(Served(users), sp.csr_matrix(test.shape), test.tocsr(), K=k, show_progress=False,
                               num_threads=1)
    return {"precision": got["precision"], "map": got["map"], "ndcg": got["ndcg"], "auc_at": got["auc"]}


# ---- RecBole -------------------------------------------------------------------------------------------------------
def load_recbole():
    """Its metrics without torch: the base class only keeps the configuration and picks the column of k."""
    np.float, np.bool = float, bool     # it was written for a numpy that had these

    class Base:
        def __init__(self, config):
            self.topk, self.decimal_place = config["topk"], 9

    kinds = types.SimpleNamespace(RANKING=1, VALUE=2)
    for name, content in {"recbole": {}, "recbole.evaluator": {}, "recbole.utils": {"EvaluatorType": kinds},
                          "recbole.evaluator.utils": {"_binary_clf_curve": None},
                          "recbole.evaluator.base_metric": {"AbstractMetric": Base, "TopkMetric": Base,
                                                            "LossMetric": Base}}.items():
        module = types.ModuleType(name)
        module.__dict__.update(content)
        sys.modules[name] = module
    return execute("recbole_metrics", find_file("recbole", "evaluator", "metrics.py"))


def by_recbole(metrics, users, counts, k):
    lists = np.array([u["list"] for u in users])
    hit = np.array([np.isin(u["list"], u["relevant"]) for u in users])
    n_relevant = np.array([len(u["relevant"]) for u in users])
    config = {"topk": [k], "tail_ratio": 0.1}
    values = {"precision": metrics.Precision(config).metric_info(hit), "mrr": metrics.MRR(config).metric_info(hit),
              "hit_rate": metrics.Hit(config).metric_info(hit),
              "recall": metrics.Recall(config).metric_info(hit, n_relevant),
              "map": metrics.MAP(config).metric_info(hit, n_relevant),
              "ndcg": metrics.NDCG(config).metric_info(hit, n_relevant),
              "average_popularity": metrics.AveragePopularity(config).metric_info(counts[lists].astype(float))}
    result = {name: value[:, k - 1].mean() for name, value in values.items()}
    result["catalog_coverage"] = metrics.ItemCoverage(config).get_coverage(lists[:, :k], N_ITEMS)
    result["gini"] = metrics.GiniIndex(config).get_gini(lists[:, :k], N_ITEMS)
    result["entropy"] = metrics.ShannonEntropy(config).get_entropy(lists[:, :k])
    return result


# ---- LensKit -------------------------------------------------------------------------------------------------------
def by_lenskit(users, k):
    metrics = {"precision": Precision, "recall": Recall, "map": AveragePrecision, "dcg": DCG, "ndcg": NDCG,
               "mrr": RecipRank, "hit_rate": Hit}
    result = {}
    for name, kind in metrics.items():
        values = [kind(k).measure_list(ItemList(item_ids=u["list"], ordered=True), ItemList(item_ids=u["relevant"]))
                  for u in users]
        result[name] = np.nan_to_num(values, nan=0.0).mean()    # its analysis fills what is missing with 0
    return result


# ---- Cornac --------------------------------------------------------------------------------------------------------
def by_cornac(metrics, users, k):
    at_k = {"precision": metrics.Precision(k), "recall": metrics.Recall(k), "f1": metrics.FMeasure(k),
            "hit_rate": metrics.HitRatio(k), "ndcg": metrics.NDCG(k)}
    result = {name: np.mean([m.compute(gt_pos=u["relevant"], pd_rank=u["list"]) for u in users])
              for name, m in at_k.items()}
    result["auc"] = np.mean([metrics.AUC().compute(item_indices=np.arange(N_ITEMS), pd_scores=u["scores"],
                                                   gt_pos=u["relevant"]) for u in users])
    return result


# ---- Surprise ------------------------------------------------------------------------------------------------------
def by_surprise(rng):
    truth = rng.integers(1, 6, 60).astype(float)
    raw = np.round(truth + rng.normal(0, 1.5, 60), 2)
    users = rng.integers(0, 8, 60)
    made = [surprise.Prediction(str(u), str(j), t, e, {})
            for j, (u, t, e) in enumerate(zip(users, truth, np.clip(raw, 1, 5)))]
    values = {name: getattr(surprise.accuracy, name)(made, verbose=False) for name in ("fcp", "rmse", "mae", "mse")}
    return {"users": users, "truth": truth, "estimate": raw, **values}


def plain(value):
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (int, np.integer)):
        return int(value)
    return float(f"{value:.9g}")


def main():
    rng = np.random.default_rng(SEED)
    users, counts = make_users(rng), rng.integers(1, 100, N_ITEMS)
    recbole = load_recbole()
    cornac = execute("cornac_ranking", find_file("cornac", "metrics", "ranking.py"))
    full = users[:N_FULL]
    result = {"n_items": N_ITEMS, "n_full": N_FULL, "counts": counts, "users": users, "surprise": by_surprise(rng),
              "implicit": {k: by_implicit(users, k) for k in CUTOFFS},
              "lenskit": {k: by_lenskit(users, k) for k in CUTOFFS},
              "recbole": {k: by_recbole(recbole, full, counts, k) for k in CUTOFFS},
              "cornac": {k: by_cornac(cornac, full, k) for k in CUTOFFS}}
    with open(os.path.join(FOLDER, "styles.json"), "w") as f:
        lines = [f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in plain(result).items()]
        f.write("{\n" + ",\n".join(lines) + "\n}\n")


main()
