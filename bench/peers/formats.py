"""formats.py -- read the public data sets for the peers: LightGCN lines, MovieLens 100K and 1M, any of them .gz

A data folder holds one of
    train.txt, test.txt          lines `user item item ...`                       (Gowalla, LightGCN's split)
    u1.base, u1.test ... u5.*    lines `user TAB item TAB rating TAB time`        (MovieLens 100K)
    the same names               lines `user::item::rating[::time]`               (a split of MovieLens 1M)
"""
import gzip
import os

import numpy as np
import scipy.sparse as sp


def find(folder, name):
    """The path of `name` or `name`.gz in `folder`; ends the program when there is neither."""
    for path in (os.path.join(folder, name), os.path.join(folder, name + ".gz")):
        if os.path.exists(path):
            return path
    raise SystemExit(f"{folder}: holds neither {name} nor {name}.gz")


def lines(path):
    # MovieLens files are Latin-1; ratings are plain digits in every encoding.
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="latin-1") as f:
        yield from f


def read_lists(path):
    """LightGCN lines as a list of (user, item array); a user may have no items."""
    rows = []
    for line in lines(path):
        ids = np.array(line.split(), dtype=np.int32)
        if len(ids):
            rows.append((int(ids[0]), ids[1:]))
    return rows


def read_ratings(path):
    """Ratings as three arrays: user ids, item ids, values.  The separator is the one the first line uses."""
    text = lines(path)
    first = next(text)
    separator = next(s for s in ("::", "\t", ",") if s in first)
    rows = [first] if first[0].isdigit() else []        # a first line that is no rating is the header
    rows.extend(text)
    columns = [row.split(separator)[:3] for row in rows]
    table = np.array(columns, dtype=np.float64)
    return table[:, 0].astype(np.int32), table[:, 1].astype(np.int32), table[:, 2].astype(np.float32)


def rating_fold(folder, fold):
    """The two halves of a published fold: (users, items, values) to train on, and the same to test on."""
    return read_ratings(find(folder, fold + ".base")), read_ratings(find(folder, fold + ".test"))


def csr(users, items, values, shape):
    matrix = sp.csr_matrix((values.astype(np.float32), (users, items)), shape=shape)
    matrix.sort_indices()
    return matrix


def implicit_split(folder, fold=None):
    """(train CSR of ones, test as one item array per user).  Ratings count as events whatever their value.

    Items and users that occur only in the test half keep their columns and rows: they count as misses.
    """
    if fold is None:
        train, test = read_lists(find(folder, "train.txt")), read_lists(find(folder, "test.txt"))
        pairs = [(np.repeat([u for u, _ in half], [len(i) for _, i in half]),
                  np.concatenate([i for _, i in half])) for half in (train, test)]
    else:
        pairs = [(u, i) for u, i, _ in rating_fold(folder, fold)]
        for axis in (0, 1):
            ids = np.unique(np.concatenate([pairs[0][axis], pairs[1][axis]]))
            pairs = [tuple(np.searchsorted(ids, column) if a == axis else column for a, column in enumerate(half))
                     for half in pairs]
    shape = tuple(int(max(half[axis].max() for half in pairs)) + 1 for axis in (0, 1))
    train = csr(*pairs[0], np.ones(len(pairs[0][0])), shape)
    test = csr(*pairs[1], np.ones(len(pairs[1][0])), shape)
    train.data[:] = 1       # a pair listed twice is still one event
    return train, [test.indices[test.indptr[u]:test.indptr[u + 1]] for u in range(shape[0])]


def relevant_matrix(relevant, n_items):
    """The test lists as a CSR matrix, for peers whose evaluator wants one."""
    indptr = np.cumsum([0] + [len(r) for r in relevant])
    indices = np.concatenate(relevant)
    return sp.csr_matrix((np.ones(len(indices), np.float32), indices, indptr), shape=(len(relevant), n_items))
