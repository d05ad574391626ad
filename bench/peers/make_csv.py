"""make_csv.py -- write a big CSV of made-up ratings: user,item,rating,time (20 million lines, about 540 MB)

usage: make_csv.py OUT [LINES]

The same bytes every time.  Users and items are as skewed as in real logs; the shape is MovieLens 20M's.
"""
import os
import sys

import numpy as np

USERS, ITEMS, BLOCK = 138_493, 26_744, 500_000


def block(rng, n):
    # Squares and cubes of a uniform number: few users and items get most of the lines.
    users = (rng.random(n) ** 2 * USERS).astype(np.int64) + 1
    items = (rng.random(n) ** 3 * ITEMS).astype(np.int64) + 1
    ratings = rng.integers(1, 11, n)
    times = rng.integers(789_652_009, 1_427_784_002, n)
    rows = zip(users.tolist(), items.tolist(), ratings.tolist(), times.tolist())
    return "".join([f"{u},{i},{r / 2},{t}\n" for u, i, r, t in rows])


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__.strip())
    out, left = sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 20_000_000
    rng = np.random.default_rng(20)
    with open(out + ".part", "w") as f:
        f.write("user,item,rating,time\n")
        while left > 0:
            f.write(block(rng, min(left, BLOCK)))
            left -= BLOCK
    os.replace(out + ".part", out)      # a file cut short never passes for the whole one


main()
