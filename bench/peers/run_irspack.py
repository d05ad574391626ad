"""run_irspack.py -- irspack: ials, item-knn, ease, evaluate

--param  fold=u1                                                   a MovieLens fold instead of train.txt and test.txt
         n_components, train_epochs, alpha0, reg, nu, solver_type  (ials, evaluate)
         top_k, shrinkage                                          (item-knn)
         reg                                                       (ease)
"""
import peer

# EASE is one big inverse: BLAS does the work and gets the threads.
args = peer.arguments(__doc__, ["ials", "item-knn", "ease", "evaluate"], own_threads=["ials", "item-knn", "evaluate"])

import numpy as np
from irspack import CosineKNNRecommender, DenseSLIMRecommender, Evaluator, IALSRecommender

import formats
import metrics

params = dict(args.params)
train, relevant = formats.implicit_split(args.data, params.pop("fold", None))
few = train[:200]       # warm-up: loads code and starts threads, too small to matter


def best(model, k, batch=1000):
    """The top `k` unseen items of every user, best first."""
    ids = np.empty((train.shape[0], k), np.int32)
    for begin in range(0, train.shape[0], batch):
        scores = model.get_score_remove_seen_block(begin, min(begin + batch, train.shape[0]))
        rows = np.arange(len(scores))[:, None]
        top = np.argpartition(-scores, k, axis=1)[:, :k]
        ids[begin:begin + batch] = top[rows, np.argsort(-scores[rows, top], axis=1)]
    return ids


def finish(model, fit_seconds, k=20):
    score_seconds, ids = peer.timed(best, model, k)
    peer.write(args, "irspack", fit_seconds, score_seconds, metrics.ranking(ids, relevant, k))


def learn(model, epochs):
    """What model.learn() does, without its progress bar, which writes even when nobody looks."""
    model.start_learning()
    for _ in range(epochs):
        model.run_epoch()


def fit_ials():
    learn(IALSRecommender(few, n_threads=args.threads, **params), 1)
    model = IALSRecommender(train, n_threads=args.threads, **params)
    seconds, _ = peer.timed(learn, model, model.train_epochs)
    return model, seconds


def run_ials():
    finish(*fit_ials())


def run_item_knn():
    options = {"normalize": True, "n_threads": args.threads, **params}
    CosineKNNRecommender(few, **options).learn()
    model = CosineKNNRecommender(train, **options)
    fit_seconds, _ = peer.timed(model.learn)
    finish(model, fit_seconds)


def run_ease():
    # The inverse is of items x items, so the warm-up takes few columns, not few users.
    DenseSLIMRecommender(train[:, :100], **params).learn()
    model = DenseSLIMRecommender(train, **params)
    fit_seconds, _ = peer.timed(model.learn)
    finish(model, fit_seconds)


def run_evaluate(k=20):
    model, fit_seconds = fit_ials()
    test = formats.relevant_matrix(relevant, train.shape[1])
    # recall_with_cutoff=False divides by |R|, as the shared judge does.
    judge = Evaluator(test, cutoff=k, n_threads=args.threads)
    score_seconds, own = peer.timed(judge.get_score, model)
    peer.write(args, "irspack", fit_seconds, score_seconds, metrics.ranking(best(model, k), relevant, k),
               own_metrics={name: float(value) for name, value in own.items()})


{"ials": run_ials, "item-knn": run_item_knn, "ease": run_ease, "evaluate": run_evaluate}[args.task]()
