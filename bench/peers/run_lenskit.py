"""run_lenskit.py -- LensKit: ials, evaluate   (needs the environment of `setup.sh lenskit`)

--param  fold=u1                                            a MovieLens fold instead of train.txt and test.txt
         embedding_size, epochs, regularization, weight     (both tasks)

LensKit solves by Cholesky.  evaluate times its whole path: ranking every test user, then measuring the lists.
"""
import os

import peer

args = peer.arguments(__doc__, ["ials", "evaluate"], own_threads=["ials", "evaluate"])
# Training runs in threads, batch recommendation in processes.
os.environ["LK_NUM_THREADS"] = os.environ["LK_NUM_PROCS"] = str(args.threads)
os.environ["LK_NUM_BACKEND_THREADS"] = "1"

import pandas
from lenskit.als import ImplicitMFScorer
from lenskit.batch import recommend
from lenskit.data import UserIDKey, ItemListCollection, from_interactions_df
from lenskit.metrics import NDCG, Recall, RunAnalysis
from lenskit.pipeline import topn_pipeline

import formats
import metrics

params = dict(args.params)
train, relevant = formats.implicit_split(args.data, params.pop("fold", None))


def dataset(matrix):
    events = matrix.tocoo()
    return from_interactions_df(pandas.DataFrame({"user_id": events.row, "item_id": events.col}))


def fit(data, **changed):
    options = {"embedding_size": 64, "epochs": 15, **params, **changed}
    pipe = topn_pipeline(ImplicitMFScorer(**options), n=20)
    seconds, _ = peer.timed(pipe.train, data)
    return pipe, seconds


def ranked(pipe, users):
    return recommend(pipe, users, n=20, n_jobs=args.threads)


def main(k=20):
    fit(dataset(train[:200]), epochs=1)     # warm-up
    pipe, fit_seconds = fit(dataset(train))
    users = [u for u, items in enumerate(relevant) if len(items)]
    ranked(pipe, users[:20])
    score_seconds, made = peer.timed(ranked, pipe, users)
    ids = {key.user_id: items.ids() for key, items in made.items()}
    quality = metrics.ranking([ids.get(u, []) for u in range(len(relevant))], relevant, k)
    more = {}
    if args.task == "evaluate":
        test = formats.relevant_matrix(relevant, train.shape[1]).tocoo()
        frame = pandas.DataFrame({"user_id": test.row, "item_id": test.col})
        truth = ItemListCollection.from_df(frame, UserIDKey)
        judge = RunAnalysis(NDCG(n=k), Recall(n=k))
        measure_seconds, own = peer.timed(judge.measure, made, truth)
        means = own.list_summary()["mean"]
        more = {"rank_seconds": score_seconds, "measure_seconds": measure_seconds,
                "own_metrics": {name: float(means[name]) for name in means.index}}
        score_seconds += measure_seconds
    peer.write(args, "lenskit", fit_seconds, score_seconds, quality, **more)


# LensKit's worker processes import this file again: only the first may do the work.
if __name__ == "__main__":
    main()
