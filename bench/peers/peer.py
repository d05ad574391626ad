"""peer.py -- what every peer script shares: the command line, the timer, the result file

usage: run_NAME.py --task T --data PATH --threads N [--param k=v ...] --out result.json

Import this before numpy: arguments() sets the BLAS thread count, which is read once, when BLAS is loaded.
"""
import argparse
import importlib.metadata
import json
import os
import resource
import time


def arguments(doc, tasks, own_threads):
    """Parse the command line.  `own_threads` names the tasks whose peer starts its own threads: there BLAS gets one,
    or the two kinds of threads fight and the peer loses up to tenfold; elsewhere BLAS gets all of them."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--task", required=True, choices=tasks)
    parser.add_argument("--data", required=True, help="a data folder (formats.py), or a CSV file for read-csv")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--param", action="append", default=[], metavar="K=V")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    args.params = dict(split(parser, p) for p in args.param)
    blas = 1 if args.task in own_threads else args.threads
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(blas)
    return args


def split(parser, text):
    key, equals, value = text.partition("=")
    if not equals:
        parser.error(f"--param {text}: want k=v")
    for kind in (int, float):
        try:
            return key, kind(value)
        except ValueError:
            pass
    return key, value


def timed(function, *args, **kwargs):
    """(seconds, result) of one call."""
    start = time.perf_counter()
    result = function(*args, **kwargs)
    return time.perf_counter() - start, result


def write(args, package, fit_seconds, score_seconds, metrics, **more):
    """Write the result file.  `more` is what only this task has to say."""
    result = {
        "peer": package, "version": importlib.metadata.version(package),
        "task": args.task, "params": args.params, "threads": args.threads,
        "fit_seconds": fit_seconds, "score_seconds": score_seconds,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,    # Linux counts in KiB
        "metrics": metrics, **more,
    }
    with open(args.out, "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
