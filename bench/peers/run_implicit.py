"""run_implicit.py -- implicit: ials, item-knn, topk, evaluate

--param  fold=u1                     a MovieLens fold instead of train.txt and test.txt
         factors, iterations, regularization, alpha, solver=cg|cholesky    (ials, topk, evaluate)
         K, kind=cosine|tfidf|bm25, score=0|1                              (item-knn; K=0 keeps all neighbours)

implicit's confidence of an event is alpha * value where the paper and kith have 1 + alpha * value.
"""
import peer

args = peer.arguments(__doc__, ["ials", "item-knn", "topk", "evaluate"],
                      own_threads=["ials", "item-knn", "topk", "evaluate"])

import warnings

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.evaluation import ranking_metrics_at_k
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender

import formats
import metrics

# implicit warns about a conversion that its own kNN code causes.
warnings.filterwarnings("ignore", message="Method expects CSR input")
params = dict(args.params)
train, relevant = formats.implicit_split(args.data, params.pop("fold", None))
users = np.arange(train.shape[0])
few = train[:200]       # warm-up: loads code and starts threads, too small to matter


def als(iterations):
    return AlternatingLeastSquares(
        factors=params.get("factors", 64), regularization=params.get("regularization", 0.01),
        alpha=params.get("alpha", 1.0), iterations=iterations, use_cg=params.get("solver", "cg") == "cg",
        num_threads=args.threads, random_state=params.get("seed", 1), use_gpu=False)


def fit_als():
    als(1).fit(few, show_progress=False)
    model = als(params.get("iterations", 15))
    seconds, _ = peer.timed(model.fit, train, show_progress=False)
    return model, seconds


def recommend(model, n):
    model.recommend(users[:200], few, N=n)
    return peer.timed(model.recommend, users, train, N=n, filter_already_liked_items=True)


def run_ials(k=20):
    model, fit_seconds = fit_als()
    score_seconds, (ids, _) = recommend(model, k)
    peer.write(args, "implicit", fit_seconds, score_seconds, metrics.ranking(ids, relevant, k))


def run_topk():
    model, fit_seconds = fit_als()
    score_seconds, (ids, _) = recommend(model, 10)
    peer.write(args, "implicit", fit_seconds, score_seconds, metrics.ranking(ids, relevant, 10))


def run_evaluate(k=20):
    """The peer's own evaluator.  Its numbers are kept apart: its `precision` is not precision."""
    model, fit_seconds = fit_als()
    test = formats.relevant_matrix(relevant, train.shape[1])
    options = {"K": k, "show_progress": False, "num_threads": args.threads}
    ranking_metrics_at_k(model, few, test[:200], **options)
    score_seconds, own = peer.timed(ranking_metrics_at_k, model, train, test, **options)
    ids, _ = model.recommend(users, train, N=k)
    peer.write(args, "implicit", fit_seconds, score_seconds, metrics.ranking(ids, relevant, k),
               own_metrics={name: float(value) for name, value in own.items()})


def run_item_knn(k=20):
    kinds = {"cosine": CosineRecommender, "tfidf": TFIDFRecommender, "bm25": BM25Recommender}
    kind = kinds[params.get("kind", "cosine")]
    neighbours = params.get("K", 20) or train.shape[1]
    kind(K=5, num_threads=args.threads).fit(few, show_progress=False)
    model = kind(K=neighbours, num_threads=args.threads)
    fit_seconds, _ = peer.timed(model.fit, train, show_progress=False)
    score_seconds, quality = None, {}
    if params.get("score", 1):
        score_seconds, (ids, _) = recommend(model, k)
        quality = metrics.ranking(ids, relevant, k)
    peer.write(args, "implicit", fit_seconds, score_seconds, quality, n_neighbours=int(model.similarity.nnz))


{"ials": run_ials, "item-knn": run_item_knn, "topk": run_topk, "evaluate": run_evaluate}[args.task]()
