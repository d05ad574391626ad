#!/usr/bin/env python3
"""A request of a million interactions is served within 2 GB.  Usage: torture_million.py PATH-TO-KITH

The whole request is JSON, as the contract has it: 20,000 users with attributes, 5,000 items with attributes, a million rated
interactions with times.  What comes back must be complete: a list for every user.
"""
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time

USERS, ITEMS, ROWS, LIMIT = 20_000, 5_000, 1_000_000, 2 << 30


def write_request(path):
    rng = random.Random(1)
    with open(path, "w", encoding="utf-8") as f:
        f.write('{"recommendation_data": {"user_data": [')
        f.write(",".join(f'{{"user_id": "user{u}", "age": {18 + u % 60}}}' for u in range(USERS)))
        f.write('], "item_data": [')
        f.write(",".join(f'{{"item_id": "item{i}", "category": "c{i % 40}", "price": {i % 300}}}' for i in range(ITEMS)))
        f.write('], "interaction_data": [')
        for n in range(ROWS):
            item = int(ITEMS * rng.random() * rng.random())
            f.write(f'{"," if n else ""}{{"user_id": "user{rng.randrange(USERS)}", "item_id": "item{item}", '
                    f'"rating": {rng.randint(1, 5)}, "timestamp": {1700000000 + n}}}')
        f.write(']}, "recommendation_configuration": {"algorithm_type": "collaborative_filtering", "model_parameters": '
                '{"method": "ials"}}, "training_configuration": {"cross_validation": false, "train_test_split": 0.9, '
                '"model_persistence": false}}')


def main():
    kith = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        request, result = os.path.join(folder, "request.json"), os.path.join(folder, "result.json")
        write_request(request)
        size = os.path.getsize(request)
        began = time.monotonic()
        done = subprocess.run([kith, "run", request, "--out", result, "--quiet"], capture_output=True, text=True)
        seconds = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        assert done.returncode == 0, done.stderr[-2000:]
        with open(result, encoding="utf-8") as f:
            lists = json.load(f)["recommendation_results"]["recommendations"]["user_recommendations"]
    assert len(lists) == USERS and all(len(u["recommended_items"]) == 10 for u in lists), len(lists)
    fits = peak <= LIMIT
    print(f"a request of {ROWS:,} interactions ({size / 1e6:.0f} MB): {seconds:.1f} s, {peak / 2**20:.0f} MiB at most"
          f"{'' if fits else ', want 2048'}")
    print(f"{int(fits)} passed, {int(not fits)} failed")
    sys.exit(not fits)


main()
