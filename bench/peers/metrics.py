"""metrics.py -- the one judge of every peer: recall, NDCG, RMSE, MAE as kith defines them

recall@k   hits in the first k / |R|
ndcg@k     sum of 1/log2(rank+1) over the hits, over the same sum for min(k, |R|) hits at the top
Averaged over every user with |R| > 0; a missing list scores 0.  Negative ids are a peer's padding, never a hit.
"""
import numpy as np


def ranking(lists, relevant, k):
    """Metrics at `k` of `lists` (one ranked id list per user) against `relevant` (one id list per user)."""
    discount = 1 / np.log2(np.arange(2, k + 2))
    recall, ndcg = [], []
    for ranked, wanted in zip(lists, relevant):
        if len(wanted) == 0:
            continue
        ranked = np.asarray(ranked)[:k]
        hit = np.isin(ranked, wanted) & (ranked >= 0)
        recall.append(hit.sum() / len(wanted))
        ndcg.append(discount[:len(ranked)][hit].sum() / discount[:min(k, len(wanted))].sum())
    return {f"recall@{k}": float(np.mean(recall)), f"ndcg@{k}": float(np.mean(ndcg)), "n_users": len(recall)}


def errors(truth, estimate, low, high):
    """RMSE and MAE as predicted and clipped to the rating scale [low, high]."""
    truth, estimate = np.asarray(truth, np.float64), np.asarray(estimate, np.float64)
    raw, clipped = estimate - truth, np.clip(estimate, low, high) - truth
    return {"rmse": float(np.sqrt(np.mean(raw ** 2))), "mae": float(np.mean(np.abs(raw))),
            "rmse_clipped": float(np.sqrt(np.mean(clipped ** 2))), "mae_clipped": float(np.mean(np.abs(clipped))),
            "n_test": len(truth)}
