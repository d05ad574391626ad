#!/usr/bin/env python3
"""A thousand requests that something is wrong with: each gives a result by the schema, or a named error.

Usage: test_mutated.py PATH-TO-LIBKITH.SO FOLDER-OF-REQUESTS [HOW-MANY] [SEED]

The worked requests are changed from one to four times each: members and elements dropped, doubled, renamed, retyped, set
to extreme values, nested, and the text itself cut, spliced, and its bytes broken.  Requests are served in this process
through the public header's functions.  Results are held against `kith schema response` by Python's jsonschema, which
shares no code with kith's own checks; errors must have one of the contract's names, a sentence and a hint, and a
ValidationError one violation at least, each pointing at something by JSON pointer.  A request that kith takes must also
be one that the published request schema allows.
"""
import copy
import ctypes
import faulthandler
import json
import os
import random
import re
import sys
import time

try:
    import jsonschema
except ImportError:
    print("skipped: Python has no jsonschema (Debian: python3-jsonschema)\n0 passed, 0 failed")
    sys.exit(0)

NAMES = {"ValidationError", "DataInsufficientError", "ModelTrainingError", "ColdStartError", "BudgetExceededError",
         "StorageError", "CanceledError"}
sys.setrecursionlimit(20000)     # four times 400 levels, and some calls for each
POINTER = re.compile(r"^(/([^~/]|~0|~1)*)*$")
EXTREMES = [0, -1, 1, 2**31 - 1, 2**31, -2**31, 2**63 - 1, -2**63, 2**64, 10**30, 1e308, -1e308, 5e-324, 0.1, -0.0, 1e16,
            "", " ", "\x00", "\u202e", "a" * 5000, "\ud83d\ude00", "NaN", "null", "-1", "1e999", "2024-02-30",
            "9999-12-31T23:59:60Z", True, False, None, [], {}, [[]], {"": ""}, [None], [1, "1", 1.0]]
# Members worth inventing: fields of the contract, with values that are nearly right.
INVENTED = {
    "context_data": [{"now": "2024-01-16"}, {"now": 1e300}, {"users": ["nobody"]}, {"users": []}, {"exclude_items": ["item1"]},
                     {"filter": "price <= 100"}, {"filter": "((((("}, {"filter": "price < \""}, {"values": {"x": [1]}},
                     {"filter": "price <= $x", "values": {"x": {}}}, {"pipeline": {"diversity": {"method": "mmr"}}},
                     {"pipeline": {"rules": [1]}}, {"on_cold_start": "error", "users": ["stranger"]}, {"reasons": 0},
                     {"language": "de"}, {"language": "xx"}, {"block": ["electronics"]}, {"block": [{"word": "x"}]},
                     {"similar_items": 0}, {"include_seen": True}],
    "evaluation_metrics": [["rmse"], ["ndcg@5", "ndcg@5"], ["nonsense"], []],
    "training_configuration": [{"train_test_split": 0.5, "cross_validation": False}, {"train_test_split": 0},
                               {"hyperparameter_tuning": True, "tuning_trials": 1, "tuning_seconds": 0.1}],
    "deployment_configuration": [{"caching_strategy": "memory"}, {"real_time_recommendations": True}],
}


class Library:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.kith_run.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p,
                                      ctypes.POINTER(ctypes.c_void_p)]
        self.lib.kith_string_free.argtypes = [ctypes.c_void_p]
        self.k = ctypes.c_void_p()
        assert self.lib.kith_new(None, ctypes.byref(self.k)) == 0

    def text(self, call, *words):
        out = ctypes.c_void_p()
        code = call(*words, ctypes.byref(out))
        value = ctypes.string_at(out.value) if out.value else None
        self.lib.kith_string_free(out)
        return code, value

    def schema(self, which):
        return json.loads(self.text(self.lib.kith_schema_json, which)[1])

    def run(self, request):
        return self.text(self.lib.kith_run, self.k, request, len(request), None)


# ---- changes to the value ----

def places(value, at=()):
    """Every place of a JSON value, as a path of keys and numbers."""
    yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from places(one, at + (key,))


def holder(value, at):
    for key in at[:-1]:
        value = value[key]
    return value


def retype(v, rng):
    ways = [lambda: [v], lambda: {"value": v}, lambda: str(v), lambda: None, lambda: json.dumps(v),
            lambda: float(v) if isinstance(v, int) else 7]
    return rng.choice(ways)()


def rename(key, rng):
    return rng.choice([key.upper(), key + "s", key[1:], key[::-1], "ratings", "item_id", "user_id", "x\u0000y", "~/" + key])


def deep(v, rng):
    for _ in range(rng.choice([3, 50, 400])):
        v = [v] if rng.random() < 0.5 else {"a": v}
    return v


def change(value, rng):
    """One change somewhere inside `value`, which is changed in place."""
    at = rng.choice([p for p in places(value) if p])
    up, key = holder(value, at), at[-1]
    way = rng.choice(["drop", "double", "rename", "retype", "extreme", "deep", "swap", "invent", "many"])
    if way == "drop":
        del up[key]
    elif way == "double" and isinstance(up, list):
        up.insert(key, copy.deepcopy(up[key]))
    elif way == "rename" and isinstance(up, dict):
        up[rename(key, rng)] = up.pop(key)
    elif way == "retype":
        up[key] = retype(up[key], rng)
    elif way == "deep":
        up[key] = deep(up[key], rng)
    elif way == "swap":
        other = rng.choice([p for p in places(value) if p])
        up[key] = copy.deepcopy(holder(value, other)[other[-1]])
    elif way == "many" and isinstance(up, list) and len(up) < 50:
        up.extend(copy.deepcopy(up) * 20)
    elif way == "invent":
        name = rng.choice(list(INVENTED))
        section = {"context_data": "recommendation_data", "evaluation_metrics": "recommendation_configuration"}.get(name)
        place = value if section is None else value.get(section)
        if isinstance(place, dict):
            place[name] = copy.deepcopy(rng.choice(INVENTED[name]))
    else:
        up[key] = copy.deepcopy(rng.choice(EXTREMES))


# ---- changes to the text ----

def break_text(text, rng):
    at = rng.randrange(len(text))
    way = rng.choice(["cut", "flip", "insert", "splice", "escape", "key twice", "number"])
    if way == "cut":
        return text[:at]
    if way == "flip":
        return text[:at] + bytes([text[at] ^ 1 << rng.randrange(8)]) + text[at + 1:]
    if way == "insert":
        return text[:at] + rng.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\0", b"\xf5", b"[" * 5000, b"{\"a\":" * 5000,
                                       b"}", b",", b"\\u0000", b"\\ud800", b"/*", b"\xef\xbb\xbf"]) + text[at:]
    if way == "splice":
        to = rng.randrange(len(text))
        return text[:at] + text[to:to + 200] + text[at:]
    if way == "escape":
        return text.replace(b"_", b"\\u005f", rng.randrange(1, 5))
    if way == "key twice":
        return text.replace(b"{", b'{"recommendation_data": {}, "user_id": "twice", ', rng.randrange(1, 4))
    return re.sub(rb"\b\d+\b", lambda m: rng.choice([b"1e400", b"9" * 400, b"-0", b"01", b"1e-400", m.group()]), text)


def mutate(request, rng):
    value = copy.deepcopy(request)
    for _ in range(rng.choice([1, 1, 2, 4])):
        if not any(places(value)):
            break
        change(value, rng)
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    return break_text(text, rng) if rng.random() < 0.25 and text else text


# ---- what must hold ----

def check_error(result):
    error = result["error"]
    assert set(result) == {"error"} and error["type"] in NAMES, result
    assert error["code"] and error["message"] and error["hint"], error
    if error["type"] == "ValidationError" and "violations" in error:
        assert error["violations"], error
        for v in error["violations"]:
            assert POINTER.match(v["pointer"]) and v["message"], v
    return error["type"]


def check(code, text, response, request_schema, request):
    result = json.loads(text)
    if code != 0:
        return check_error(result)
    response.validate(result)
    request_schema.validate(json.loads(request))
    return "a result"


def main():
    path, folder = sys.argv[1:3]
    how_many = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    requests = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            requests.append(json.load(f))
    faulthandler.enable()
    os.environ.pop("RECOMMENDATION_MODEL_CACHE", None)  # nothing is kept
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    kith = Library(path)
    checkers = [jsonschema.Draft202012Validator(kith.schema(which), format_checker=jsonschema.FormatChecker())
                for which in (b"response", b"request")]
    met, failed, began, slowest = {}, 0, time.monotonic(), (0, 0)
    for n in range(how_many):
        request = mutate(requests[n % len(requests)], random.Random(f"{seed}/{n}"))
        if os.environ.get("KITH_KEEP"):  # the request that a crash is due to
            with open(os.environ["KITH_KEEP"], "wb") as f:
                f.write(request)
        started = time.monotonic()
        code, text = kith.run(request)
        slowest = max(slowest, (time.monotonic() - started, n))
        try:
            what = check(code, text, *checkers, request)
            met[what] = met.get(what, 0) + 1
        except Exception as e:  # told with the request, and the next one is tried
            failed += 1
            print(f"FAIL request {n} of seed {seed}: {type(e).__name__}: {str(e)[:600]}\n    {request[:2000]!r}\n    {(text or b'')[:1000]!r}")
    print(f"{how_many} requests in {time.monotonic() - began:.1f} s, the slowest {slowest[0]:.2f} s (request {slowest[1]}): {met}")
    if how_many >= 500 and not (met.get("a result", 0) > how_many / 10 and met.get("ValidationError", 0) > how_many / 10):
        failed += 1
        print("FAIL the changes are too mild or too wild: want a tenth of either kind at least")
    print(f"{1 if failed == 0 else 0} passed, {failed} failed")
    sys.exit(failed > 0)


main()
