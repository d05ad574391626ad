"""run_surprise.py -- Surprise: funk-svd, user-knn

--param  fold=u1                                                   the fold to train and test on
         n_factors, n_epochs, lr_all, reg_all, seed                (funk-svd)
         kind=baseline|means|zscore|basic, sim=pearson_baseline|pearson|cosine|msd, k, item_based=0|1  (user-knn)

Surprise uses one thread whatever --threads says.
"""
import peer

args = peer.arguments(__doc__, ["funk-svd", "user-knn"], own_threads=[])

import pandas
import surprise

import formats
import metrics

params = dict(args.params)
train, test = formats.rating_fold(args.data, params.pop("fold", "u1"))
low, high = float(train[2].min()), float(train[2].max())
table = pandas.DataFrame({"user": train[0], "item": train[1], "rating": train[2]})
trainset = surprise.Dataset.load_from_df(table, surprise.Reader(rating_scale=(low, high))).build_full_trainset()
pairs = list(zip(test[0].tolist(), test[1].tolist()))


def finish(model):
    fit_seconds, _ = peer.timed(model.fit, trainset)
    # What model.test() does, without its clipping, so that both forms can be judged.
    score_seconds, made = peer.timed(lambda: [model.predict(u, i, clip=False) for u, i in pairs])
    quality = metrics.errors(test[2], [p.est for p in made], low, high)
    quality["n_fallback"] = sum(p.details["was_impossible"] for p in made)
    peer.write(args, "scikit-surprise", fit_seconds, score_seconds, quality)


def run_funk_svd():
    finish(surprise.SVD(n_factors=params.get("n_factors", 100), n_epochs=params.get("n_epochs", 20),
                        lr_all=params.get("lr_all", 0.005), reg_all=params.get("reg_all", 0.02),
                        random_state=params.get("seed", 1)))


def run_user_knn():
    kinds = {"baseline": surprise.KNNBaseline, "means": surprise.KNNWithMeans,
             "zscore": surprise.KNNWithZScore, "basic": surprise.KNNBasic}
    similarity = {"name": params.get("sim", "pearson_baseline"), "user_based": not params.get("item_based", 0)}
    finish(kinds[params.get("kind", "baseline")](k=params.get("k", 40), sim_options=similarity, verbose=False))


{"funk-svd": run_funk_svd, "user-knn": run_user_knn}[args.task]()
