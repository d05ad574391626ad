#!/usr/bin/env python3
"""make_golden.py -- write the golden numbers that kith's tests are held against, and the small data they come from

usage: build/peers/bin/python test/golden/make_golden.py [FOLDER]        (FOLDER: this script's own)

The data are made here from a fixed seed; no published data set enters.  Every number comes from an implementation
that is not kith: Surprise, implicit, irspack, trec_eval, scikit-learn, or a few lines of numpy in double precision
that follow the formula.  Where two are at hand they are compared before anything is written.
README.md beside this file says what each file holds.
"""
import csv
import json
import os
import sys
import warnings

os.environ["OPENBLAS_NUM_THREADS"] = "1"    # one thread: the same last digits every time

import numpy as np
import pandas
import pytrec_eval
import scipy.sparse as sp
import scipy.stats
import sklearn.metrics
import surprise
from implicit.als import AlternatingLeastSquares
from implicit.evaluation import ranking_metrics_at_k
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
from irspack import DenseSLIMRecommender

# implicit warns about a conversion that its own kNN code causes.
warnings.filterwarnings("ignore", message="Method expects CSR input")
SEED = 20
FOLDER = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))


# ---- writing -------------------------------------------------------------------------------------------------------
def plain(value):
    """Numbers as 9 significant digits, arrays as lists: short files, and far finer than any tolerance of a test."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.9g}")
    return value


def lay(value, depth):
    """JSON text with one line per entry down to `depth`, so that a change shows as a short diff."""
    if depth == 0 or not isinstance(value, (dict, list)) or not value:
        return json.dumps(value, separators=(",", ":"))
    if isinstance(value, dict):
        inner = [json.dumps(k) + ":" + lay(v, depth - 1) for k, v in value.items()]
        return "{\n" + ",\n".join(inner) + "\n}"
    return "[\n" + ",\n".join(lay(v, depth - 1) for v in value) + "\n]"


def write_json(name, value):
    with open(os.path.join(FOLDER, name), "w") as f:
        f.write(lay(plain(value), 2) + "\n")


def write_csv(name, header, rows):
    with open(os.path.join(FOLDER, name), "w", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


# ---- data ----------------------------------------------------------------------------------------------------------
def skewed_cells(rng, m, n, count, least):
    """`count` distinct cells of an m x n table, popular rows and columns first; each row and column gets `least`."""
    weight = np.outer(1 / (1 + rng.permutation(m)) ** 0.5, 1 / (1 + rng.permutation(n)) ** 0.6)
    key = rng.exponential(size=(m, n)) / weight     # the smallest keys are a weighted sample without repetition
    chosen = np.zeros((m, n), bool)
    for axis in (0, 1):
        first = np.argsort(key, axis=1 - axis)
        for r in range((m, n)[axis]):
            for c in (first[r, :least] if axis == 0 else first[:least, r]):
                chosen[(r, c) if axis == 0 else (c, r)] = True
    rest = np.where(chosen, np.inf, key)
    for flat in np.argsort(rest, axis=None)[:count - chosen.sum()]:
        chosen[np.unravel_index(flat, chosen.shape)] = True
    return rng.permutation(np.argwhere(chosen))


def make_ratings(m=60, n=40, count=900):
    rng = np.random.default_rng(SEED)
    user_bias, item_bias = rng.normal(0, 0.5, m), rng.normal(0, 0.6, n)
    taste = rng.normal(size=(m, 3)) @ rng.normal(size=(3, n)) * 0.4
    value = 3.4 + user_bias[:, None] + item_bias + taste + rng.normal(0, 0.5, (m, n))
    value = np.clip(np.rint(value), 1, 5).astype(int)
    times = np.sort(rng.integers(1_600_000_000, 1_640_000_000, count))
    cells = skewed_cells(rng, m, n, count, least=4)
    rows = [(f"u{u:02d}", f"i{i:03d}", int(value[u, i]), int(t)) for (u, i), t in zip(cells, times)]
    write_csv("ratings.csv", ["user", "item", "rating", "timestamp"], rows)
    return rows


def make_implicit(m=80, n=60, count=1100):
    rng = np.random.default_rng(SEED + 1)
    cells = skewed_cells(rng, m, n, count, least=4)
    rows = [(f"u{u:02d}", f"i{i:03d}", int(c)) for (u, i), c in zip(cells, rng.geometric(0.4, count))]
    write_csv("implicit.csv", ["user", "item", "count"], rows)
    matrix = sp.csr_matrix(([r[2] for r in rows], ([int(r[0][1:]) for r in rows], [int(r[1][1:]) for r in rows])),
                           shape=(m, n), dtype=np.float64)
    matrix.sort_indices()
    return matrix


def make_pairs(rows, count=36):
    """Unrated (user, item) pairs, then three with a user or an item nobody has seen."""
    rng = np.random.default_rng(SEED + 2)
    rated = {(r[0], r[1]) for r in rows}
    users, items = sorted({r[0] for r in rows}), sorted({r[1] for r in rows})
    unrated = [(u, i) for u in users for i in items if (u, i) not in rated]
    pairs = [unrated[p] for p in rng.choice(len(unrated), count, replace=False)]
    return pairs + [("u99", items[0]), (users[0], "i999"), ("u99", "i999")]


# ---- Surprise ------------------------------------------------------------------------------------------------------
def surprise_set(rows):
    frame = pandas.DataFrame([r[:3] for r in rows], columns=["user", "item", "rating"])
    return surprise.Dataset.load_from_df(frame, surprise.Reader(rating_scale=(1, 5))).build_full_trainset()


def knn_case(algo, sim, user_based, k, trainset, pairs):
    options = {"name": sim, "user_based": user_based, "min_support": 1, "shrinkage": 100}
    model = getattr(surprise, algo)(k=k, min_k=1, sim_options=options, verbose=False)
    model.fit(trainset)
    made = [model.predict(u, i, clip=False) for u, i in pairs]
    return model, {
        "algo": algo, "sim": sim, "user_based": user_based, "k": k, "min_k": 1,
        "est": [p.est for p in made],
        "clipped": [model.predict(u, i, clip=True).est for u, i in pairs],
        "actual_k": [p.details.get("actual_k") for p in made],
        "fallback": [n for n, p in enumerate(made) if p.details["was_impossible"]],
        "tie_at_k": [n for n, (u, i) in enumerate(pairs) if tied(model, trainset, u, i, k)],
    }


def tied(model, trainset, user, item, k):
    """Whether the k-th and the next neighbour are equally similar: then the order of the file decides."""
    try:
        x, y = model.switch(trainset.to_inner_uid(user), trainset.to_inner_iid(item))
    except ValueError:
        return False
    near = sorted((model.sim[x, other] for other, _ in model.yr[y]), reverse=True)
    return len(near) > k and near[k - 1] > 0 and near[k - 1] - near[k] < 1e-9


def first_similarities(model, trainset, user_based, count=4):
    """Rows of the similarity matrix for the first ids, columns in id order."""
    raw, inner = (trainset.to_raw_uid, trainset.to_inner_uid) if user_based else \
                 (trainset.to_raw_iid, trainset.to_inner_iid)
    ids = sorted(raw(x) for x in range(len(model.sim)))
    order = [inner(name) for name in ids]
    return {name: model.sim[inner(name)][order] for name in ids[:count]}


def write_knn(rows, pairs):
    trainset = surprise_set(rows)
    cases, similarities = [], {}
    for sim in ("cosine", "msd", "pearson", "pearson_baseline"):
        for user_based in (True, False):
            for algo in ("KNNBasic", "KNNWithMeans", "KNNWithZScore", "KNNBaseline"):
                for k in (40, 5):
                    model, case = knn_case(algo, sim, user_based, k, trainset, pairs)
                    cases.append(case)
            similarities[f"{sim} {'users' if user_based else 'items'}"] = \
                first_similarities(model, trainset, user_based)
    write_json("knn.json", {"rating_scale": [1, 5], "global_mean": trainset.global_mean, "shrinkage": 100,
                            "min_support": 1, "pairs": pairs, "cases": cases, "similarities": similarities})


def write_baseline(rows, pairs):
    trainset = surprise_set(rows)
    settings = {"als": {"method": "als", "n_epochs": 10, "reg_u": 15, "reg_i": 10},
                "sgd": {"method": "sgd", "n_epochs": 20, "reg": 0.02, "learning_rate": 0.005}}
    result = {"pairs": pairs, "global_mean": trainset.global_mean}
    for name, options in settings.items():
        model = surprise.BaselineOnly(bsl_options=options, verbose=False)
        model.fit(trainset)
        users = {trainset.to_raw_uid(u): model.bu[u] for u in trainset.all_users()}
        items = {trainset.to_raw_iid(i): model.bi[i] for i in trainset.all_items()}
        result[name] = {"options": options, "b_u": dict(sorted(users.items())), "b_i": dict(sorted(items.items())),
                        "est": [model.predict(u, i, clip=False).est for u, i in pairs],
                        "clipped": [model.predict(u, i).est for u, i in pairs]}
    write_json("baseline.json", result)


def write_factors(rows, pairs):
    """Models whose numbers depend on Surprise's random numbers: only their error over five seeds."""
    kept = [r for n, r in enumerate(rows) if n % 10 != 0]
    held = [r for n, r in enumerate(rows) if n % 10 == 0]
    trainset, truth = surprise_set(kept), np.array([r[2] for r in held])
    settings = {"SVD": {"n_factors": 20, "n_epochs": 30, "lr_all": 0.01, "reg_all": 0.05},
                "SVDpp": {"n_factors": 20, "n_epochs": 30, "lr_all": 0.01, "reg_all": 0.05},
                "NMF": {"n_factors": 10, "n_epochs": 50, "reg_pu": 0.06, "reg_qi": 0.06}}
    result = {"held_out": "data rows 0, 10, 20, ... of ratings.csv, the header not counted", "n_test": len(held)}
    for algo, options in settings.items():
        raw, clipped = [], []
        for seed in range(5):
            model = getattr(surprise, algo)(random_state=seed, **options).fit(trainset)
            est = np.array([model.predict(r[0], r[1], clip=False).est for r in held])
            raw.append(rmse(est, truth))
            clipped.append(rmse(np.clip(est, 1, 5), truth))
        result[algo] = {"options": options, "rmse": raw, "rmse_mean": np.mean(raw), "rmse_std": np.std(raw, ddof=1),
                        "rmse_clipped": clipped, "rmse_clipped_mean": np.mean(clipped),
                        "rmse_clipped_std": np.std(clipped, ddof=1)}
    biases = surprise.BaselineOnly(verbose=False).fit(trainset)
    result["BaselineOnly"] = {"rmse": rmse([biases.predict(r[0], r[1], clip=False).est for r in held], truth)}
    slope = surprise.SlopeOne().fit(surprise_set(rows))     # no random numbers: exact
    result["SlopeOne"] = {"pairs": pairs, "est": [slope.predict(u, i, clip=False).est for u, i in pairs]}
    write_json("factors.json", result)


def rmse(est, truth):
    return float(np.sqrt(np.mean((np.asarray(est) - truth) ** 2)))


# ---- numpy, implicit, irspack --------------------------------------------------------------------------------------
def write_svd(rows, rank=5):
    users, items = sorted({r[0] for r in rows}), sorted({r[1] for r in rows})
    matrix = np.zeros((len(users), len(items)))
    for user, item, rating, _ in rows:
        matrix[users.index(user), items.index(item)] = rating
    left, sizes, right = np.linalg.svd(matrix, full_matrices=False)
    write_json("svd.json", {"rank": rank, "users": users, "items": items, "singular_values": sizes,
                            "reconstruction": left[:, :rank] * sizes[:rank] @ right[:rank]})


def idf(matrix):
    """implicit's: log(n_items) - log(1 + number of items of that user); users are the terms, items the documents."""
    return np.log(matrix.shape[1]) - np.log1p(np.diff(matrix.tocsr().indptr))


def similarity_by_formula(kind, counts):
    """Dense item x item similarities straight from the formulas in README.md."""
    weighted = counts.toarray().T       # items x users
    if kind == "tfidf":
        weighted = np.sqrt(weighted) * idf(counts)
    if kind == "bm25":
        length = weighted.sum(axis=1, keepdims=True)
        norm = 1 - 0.75 + 0.75 * length / length.mean()
        weighted = weighted * 2.2 / (1.2 * norm + weighted) * idf(counts)
    if kind != "bm25":
        weighted = weighted / np.linalg.norm(weighted, axis=1, keepdims=True)
    return weighted @ weighted.T


def write_item_similarity(counts, top=10):
    n = counts.shape[1]
    result = {"top": top}
    for kind, maker in (("cosine", CosineRecommender), ("tfidf", TFIDFRecommender), ("bm25", BM25Recommender)):
        options = {"K1": 1.2, "B": 0.75} if kind == "bm25" else {}
        model = maker(K=n, num_threads=1, **options)
        model.fit(counts, show_progress=False)
        got = model.similarity.toarray()
        assert np.allclose(got, similarity_by_formula(kind, counts), atol=1e-9), kind
        np.fill_diagonal(got, -np.inf)
        result[kind] = {}
        for item in range(n):
            order = np.argsort(-np.round(got[item], 12), kind="stable")[:top]   # equal values: smaller id first
            result[kind][f"i{item:03d}"] = {"items": [f"i{o:03d}" for o in order], "values": got[item, order]}
    write_json("item_similarity.json", result)


def als_half(confidence, liked, fixed, reg):
    """Each row's exact solution: (Y'CY + reg I) x = Y'C p, with p = 1 on the liked cells."""
    d = fixed.shape[1]
    return np.array([np.linalg.solve(fixed.T * c @ fixed + reg * np.eye(d), fixed.T @ (c * p))
                     for c, p in zip(confidence, liked)])


def als_objective(confidence, liked, X, Y, reg):
    return (confidence * (liked - X @ Y.T) ** 2).sum() + reg * ((X ** 2).sum() + (Y ** 2).sum())


def write_als(counts, dim=8, reg=0.5, alpha=3.0, sweeps=3):
    rng = np.random.default_rng(SEED + 3)
    start = np.round(rng.normal(0, 0.3, (counts.shape[1], dim)), 6)
    dense = counts.toarray()
    liked = (dense > 0).astype(float)
    result = {"factors": dim, "regularization": reg, "alpha": alpha, "sweeps": sweeps, "Y": start}
    for name, confidence in (("paper", 1 + alpha * dense),
                             ("implicit", np.where(dense > 0, alpha * dense, 1.0))):
        X, Y, objective = None, start, []
        for _ in range(sweeps):
            X = als_half(confidence, liked, Y, reg)
            if not objective:
                first = X
            Y = als_half(confidence.T, liked.T, X, reg)
            objective.append(als_objective(confidence, liked, X, Y, reg))
        if name == "implicit":
            model = AlternatingLeastSquares(factors=dim, regularization=reg, alpha=alpha, use_cg=False,
                                            iterations=sweeps, num_threads=1, random_state=1, dtype=np.float64)
            model.item_factors = start.copy()
            model.fit(counts, show_progress=False)
            assert np.allclose(model.user_factors, X, atol=1e-4) and np.allclose(model.item_factors, Y, atol=1e-4)
        result[name] = {"X_for_given_Y": first, "objective_after_each_sweep": objective,
                        "X_after_all_sweeps": X, "Y_after_all_sweeps": Y}
    write_json("als.json", result)


def write_ease(counts, reg=10.0, top=5, users=5):
    X = (counts.toarray() > 0).astype(float)
    P = np.linalg.inv(X.T @ X + reg * np.eye(X.shape[1]))
    B = -P / np.diag(P)
    np.fill_diagonal(B, 0)
    peer = DenseSLIMRecommender(sp.csr_matrix(X), reg=reg).learn()
    assert np.allclose(peer.W, B, atol=1e-4)
    best = {}
    for j in range(X.shape[1]):
        order = np.argsort(-np.abs(B[:, j]), kind="stable")[:top]
        best[f"i{j:03d}"] = {"items": [f"i{i:03d}" for i in order], "values": B[order, j]}
    write_json("ease.json", {"lambda": reg, "largest": best,
                             "scores": {f"u{u:02d}": X[u] @ B for u in range(users)}})


# ---- metrics -------------------------------------------------------------------------------------------------------
class Served:
    """What implicit's evaluator needs of a model: lists that are already made."""

    def __init__(self, ids):
        self.ids = ids

    def recommend(self, users, *_, N=10, **__):
        table = np.full((len(users), N), -1, np.int32)      # -1 fills short lists
        for row, user in enumerate(users):
            table[row, :min(N, len(self.ids))] = self.ids[:N]
        return table, np.zeros(table.shape)


def implicit_at_k(ranked, relevant, k, n_items):
    """implicit's MAP and NDCG of one list: the AP divides by min(k, |R|), as kith's does and trec_eval's does not."""
    test = sp.csr_matrix((np.ones(len(relevant)), ([0] * len(relevant), relevant)), shape=(1, n_items))
    empty = sp.csr_matrix((1, n_items))
    return ranking_metrics_at_k(Served(ranked), empty, test, K=k, show_progress=False, num_threads=1)


def trec(ranked, grades, measures):
    run = {f"i{i}": float(len(ranked) - place) for place, i in enumerate(ranked)}
    judged = {"q": {f"i{i}": int(g) for i, g in grades.items()}}
    got = pytrec_eval.RelevanceEvaluator(judged, measures).evaluate({"q": run})
    return got.get("q", {})


def metric_case(rng, length, n_relevant, n_items=50, ks=(1, 3, 5, 10, 20)):
    relevant = np.sort(rng.permutation(n_items)[:n_relevant]).tolist()
    key = rng.random(n_items)
    key[relevant] -= 0.4        # better than chance, so that few numbers are 0
    ranked = np.argsort(key)[:length].tolist()
    grades = {i: int(g) for i, g in zip(relevant, rng.integers(1, 4, n_relevant))}
    case = {"ranked": ranked, "relevant": relevant, "grades": list(grades.values()), "at": {}}
    for k in ks:
        cut = ranked[:k]
        if not cut:     # trec_eval skips an empty list; by definition it scores 0
            names = ("precision", "recall", "ndcg", "ap", "mrr", "hit", "ndcg_graded")
            case["at"][k] = dict.fromkeys(names, 0.0)
            continue
        got = trec(cut, dict.fromkeys(relevant, 1), {f"P_{k}", f"recall_{k}", f"ndcg_cut_{k}", "recip_rank",
                                                     f"success_{k}"})
        own = implicit_at_k(ranked, relevant, k, n_items)
        assert abs(own["ndcg"] - got[f"ndcg_cut_{k}"]) < 1e-9
        # scikit-learn's gain is the number it is given, so it gets 2^grade - 1.
        gain = np.zeros((1, n_items))
        gain[0, relevant] = [2 ** g - 1 for g in grades.values()]
        score = np.full((1, n_items), -1.0)
        score[0, cut] = np.arange(len(cut), 0, -1)
        if len(cut) < k:    # what was not served must not count: sklearn would rank it behind the list
            graded = graded_dcg(gain[0, cut], k) / graded_dcg(np.sort(gain[0])[::-1], k)
        else:
            graded = sklearn.metrics.ndcg_score(gain, score, k=k)
        case["at"][k] = {"precision": got[f"P_{k}"], "recall": got[f"recall_{k}"], "ndcg": got[f"ndcg_cut_{k}"],
                         "ap": own["map"], "mrr": got["recip_rank"], "hit": got[f"success_{k}"],
                         "ndcg_graded": graded}
    return case


def graded_dcg(gains, k):
    gains = gains[:k]
    return float((gains / np.log2(np.arange(2, len(gains) + 2))).sum())


def auc_case(rng, n_items, n_positive):
    """Scores from a coarse grid, so that ties occur."""
    score, label = rng.integers(0, 8, n_items) / 4, np.zeros(n_items, int)
    label[rng.permutation(n_items)[:n_positive]] = 1
    return {"scores": score, "positive": label, "auc": sklearn.metrics.roc_auc_score(label, score)}


def rating_case(rows):
    rng = np.random.default_rng(SEED + 5)
    some = rows[:120]
    truth = np.array([r[2] for r in some], float)
    est = np.round(truth + rng.normal(0, 1, len(some)), 3)
    made = [surprise.Prediction(r[0], r[1], float(t), float(e), {}) for r, t, e in zip(some, truth, est)]
    clipped = np.clip(est, 1, 5)
    return {"users": [r[0] for r in some], "truth": truth, "estimate": est,
            "rmse": sklearn.metrics.mean_squared_error(truth, est) ** 0.5,
            "mae": sklearn.metrics.mean_absolute_error(truth, est),
            "rmse_clipped": sklearn.metrics.mean_squared_error(truth, clipped) ** 0.5,
            "mae_clipped": sklearn.metrics.mean_absolute_error(truth, clipped),
            "fcp": concordant_pairs([r[0] for r in some], truth, est),
            "surprise_fcp": surprise.accuracy.fcp(made, verbose=False)}


def concordant_pairs(users, truth, est):
    """Koren and Sill's FCP: pairs of one user with unequal truth, ordered rightly, over all of them."""
    right = every = 0
    for a in range(len(users)):
        for b in range(len(users)):
            if users[a] == users[b] and truth[a] > truth[b]:
                right += est[a] > est[b]
                every += 1
    return right / every


def exposure_case(rng, n_items=30):
    counts = rng.poisson(rng.exponential(4, n_items))
    pairs = np.abs(counts[:, None] - counts).sum()      # Gini as the mean difference of all pairs
    return {"counts": counts, "gini": pairs / (2 * n_items ** 2 * counts.mean()),
            "entropy_bits": scipy.stats.entropy(counts, base=2), "entropy_nats": scipy.stats.entropy(counts),
            "coverage": float((counts > 0).mean())}


def write_metrics(rows):
    rng = np.random.default_rng(SEED + 4)
    shapes = [(20, 1), (20, 3), (20, 8), (20, 15), (20, 30), (7, 4), (3, 12), (1, 1), (0, 5), (12, 2)] * 2
    cases = [metric_case(rng, *shape) for shape in shapes]
    means = {k: {name: np.mean([c["at"][k][name] for c in cases]) for name in cases[0]["at"][k]}
             for k in cases[0]["at"]}
    write_json("metrics.json", {"lists": cases, "mean_over_lists": means,
                                "auc": [auc_case(rng, 25, p) for p in (1, 4, 12)], "ratings": rating_case(rows),
                                "exposure": exposure_case(rng)})


def main():
    rows = make_ratings()
    counts = make_implicit()
    pairs = make_pairs(rows)
    write_knn(rows, pairs)
    write_baseline(rows, pairs)
    write_factors(rows, pairs)
    write_svd(rows)
    write_item_similarity(counts)
    write_als(counts)
    write_ease(counts)
    write_metrics(rows)
    size = sum(os.path.getsize(os.path.join(FOLDER, f)) for f in os.listdir(FOLDER))
    print(f"make_golden.py: wrote {FOLDER}, {size // 1024} KiB in all")


main()
