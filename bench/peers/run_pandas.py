"""run_pandas.py -- pandas: read-csv

--data   the file that bench/peers/make_csv.py writes
--param  ids=0|1     also turn users and items into dense numbers, as a recommender must (score_seconds)

pandas' C parser uses one thread whatever --threads says.  Arrow's, tried through pandas and by itself, was slower.
"""
import peer

args = peer.arguments(__doc__, ["read-csv"], own_threads=[])

import os

import pandas

# Naming the types spares pandas the guessing: its best case.
types = {"user": "int32", "item": "int32", "rating": "float32", "time": "int64"}
with open(args.data) as f:
    head = [next(f) for _ in range(2)]
warm = args.out + ".csv"
with open(warm, "w") as f:
    f.writelines(head)
pandas.read_csv(warm, dtype=types)
os.remove(warm)

fit_seconds, table = peer.timed(pandas.read_csv, args.data, dtype=types)
score_seconds = None
if args.params.get("ids", 0):
    score_seconds, _ = peer.timed(lambda: [pandas.factorize(table[name]) for name in ("user", "item")])
size = os.path.getsize(args.data)
peer.write(args, "pandas", fit_seconds, score_seconds, {}, n_rows=len(table), file_bytes=size,
           mb_per_second=size / 1e6 / fit_seconds)
