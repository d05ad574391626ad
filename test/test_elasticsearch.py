#!/usr/bin/env python3
"""Data out of an index, and lists into one.  Usage: test_elasticsearch.py PATH-TO-KITH [FOLDER]

FOLDER is made by test/elasticsearch/setup.sh: with it the real_* tests run against the real server in it (`make
test-elasticsearch`).  The test_* functions run always, against a small server that keeps documents, notes what is asked and
fails as told: they are about what a real server does not do when it is asked to (refuse, hang, break off, be busy).
"""
import base64
import http.server
import json
import os
import re
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from cases import run as run_cases

KITH = os.path.abspath(sys.argv[1])
FOLDER = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else None
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

with open(KITH, "rb") as program:
    BUILT_WITHOUT = b"built without an HTTP client" in program.read()

# ---- the data of all tests: 60 users of two tastes, 40 items

RATINGS = [{"user_id": f"u{u}", "item_id": f"i{i}", "rating": 4 + (u + i) % 2 if u % 2 == i % 2 else 1 + (u + i) // 2 % 2,
            "timestamp": 1700000000 + u * 100 + i} for u in range(60) for i in range(40) if (u * 7 + i * 3) % 5 < 3]
FILMS = {f"i{i}": {"title": f"Film {i} \"Größe\"", "genres": ["drama", "crime"] if i % 2 else ["comedy"], "year": 1950 + i,
                   "price": {"amount": i + 0.1}} for i in range(45)}
PEOPLE = {f"u{u}": {"age": 20 + u, "city": "Bern" if u % 2 else "Rom"} for u in range(60)}


def fill(server, typ=None):
    server.put("ratings", {f"r{n}": r for n, r in enumerate(RATINGS)}, typ)
    server.put("films", FILMS, typ)
    server.put("people", PEOPLE, typ)


def files():
    """The same as files, to compare with."""
    for name, rows in (("ratings", RATINGS), ("films", [{"item_id": k, **v} for k, v in FILMS.items()]),
                       ("people", [{"user_id": k, **v} for k, v in PEOPLE.items()])):
        with open(name + ".ndjson", "w", encoding="utf-8") as f:
            f.write("".join(json.dumps(row) + "\n" for row in rows))


def kith(url, *words, code=0, text=None, **environment):
    env = {k: v for k, v in os.environ.items() if not k.startswith("ELASTICSEARCH_")}
    env.update(no_proxy="127.0.0.1", **environment)
    if url is not None:
        env["ELASTICSEARCH_URL"] = url
    done = subprocess.run([KITH, *words], capture_output=True, text=True, env=env, input=text)
    assert done.returncode == code, f"kith {' '.join(words)}: exit {done.returncode}, want {code}\n{done.stderr}{done.stdout}"
    return done


def stats(url, *words, **environment):
    return json.loads(kith(url, "data", "stats", *words, "--json", **environment).stdout)


def same_data(indexed, filed):
    for field in ("counts", "values", "times", "attributes", "duplicates", "per_user", "long_tail"):
        assert indexed[field] == filed[field], (field, indexed[field], filed[field])


def request(**data):
    return json.dumps({"recommendation_data": data, "recommendation_configuration":
                       {"algorithm_type": "collaborative_filtering", "model_parameters": {"method": "item_knn"},
                        "recommendation_count": 5}, "training_configuration": {"cross_validation": False}})


# ---- a server that keeps documents, notes what is asked, and fails as told

class Stand(http.server.ThreadingHTTPServer):
    """wrong: {"METHOD path": (status, bytes) or a list of them, one for each time (None: answer as usual)}."""

    def __init__(self, version="8.11.0", **more):
        super().__init__(("127.0.0.1", 0), Handler)
        self.version = {"number": version, **more}
        self.indexes, self.scrolls, self.calls, self.headers, self.wrong, self.busy = {}, {}, [], [], {}, []
        self.most_open = 0
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """A client that hangs up in the middle of a long answer is meant to."""

    def put(self, index, documents, _type=None):
        self.indexes.setdefault(index, {}).update({k: json.dumps(v, indent=1) for k, v in documents.items()})

    def documents(self, index):
        return {k: json.loads(v) for k, v in self.indexes.get(index, {}).items()}

    def page(self, scroll):
        rest = self.scrolls[scroll]
        some, self.scrolls[scroll] = rest[:self.size], rest[self.size:]
        hits = ",".join('{"_index":"x","_id":%s,"_score":null,"_source":%s,"sort":[0]}' % (json.dumps(k), v) for k, v in some)
        return 200, ('{"_scroll_id":"%s","took":1,"timed_out":false,"_shards":{"total":5,"successful":5,"failed":0},"hits":'
                     '{"total":{"value":%d,"relation":"eq"},"hits":[%s]}}' % (scroll, self.total, hits)).encode()

    def answer(self, method, path, body):
        parts = path.split("?")[0].strip("/").split("/")
        if path == "/":
            return 200, {"name": "stand", "version": self.version}
        if parts == ["_search", "scroll"]:
            asked = json.loads(body)
            if method == "DELETE":
                return 200, {"succeeded": all(self.scrolls.pop(s) is not None for s in asked["scroll_id"])}
            return self.page(asked["scroll_id"])
        index = parts[0]
        if parts[1] == "_bulk":
            return self.bulk(index, body)
        if index not in self.indexes:
            return 404, {"error": {"type": "index_not_found_exception", "reason": f"no such index [{index}]"}, "status": 404}
        if parts[1] == "_count":
            return 200, {"count": sum(not {"user_id", "model"} <= set(d) for d in self.documents(index).values())}
        self.size, self.total = json.loads(body)["size"], len(self.indexes[index])
        scroll = f"s{len(self.calls)}=="
        self.scrolls[scroll] = list(self.indexes[index].items())
        self.most_open = max(self.most_open, len(self.scrolls))
        return self.page(scroll)

    def bulk(self, index, body):
        lines, items = body.decode().split("\n"), []
        assert lines.pop() == "" and len(lines) % 2 == 0, "a bulk ends in a line break"
        for action, document in zip(lines[::2], lines[1::2]):
            to = json.loads(action)["index"]
            assert ("_type" in to) == (int(self.version["number"].split(".")[0]) < 7 and "distribution" not in self.version)
            if to["_id"] in self.busy:
                self.busy.remove(to["_id"])
                items.append({"index": {"_id": to["_id"], "status": 429, "error": {"type": "es_rejected_execution_exception"}}})
            elif to["_id"] == "u7" and index == "picky":
                items.append({"index": {"_id": "u7", "status": 400,
                                        "error": {"type": "mapper_parsing_exception", "reason": "failed to parse [rank]"}}})
            else:
                self.indexes.setdefault(index, {})[to["_id"]] = document
                items.append({"index": {"_id": to["_id"], "status": 201}})
        return 200, {"took": 1, "errors": any(i["index"]["status"] > 299 for i in items), "items": items}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        call = f"{self.command} {self.path}"
        self.server.calls.append(call)
        self.server.headers.append(dict(self.headers))
        told = self.server.wrong.get(call)
        if isinstance(told, list):
            told = told.pop(0) if told else None
        status, value = told if told is not None else self.server.answer(self.command, self.path, body)
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = reply

    def log_message(self, *_):
        pass


def stand(**more):
    server = Stand(**more)
    fill(server)
    return server


SEARCH, SCROLL = "POST /ratings/_search?scroll=10m", "POST /_search/scroll"


# ---- reading

def test_an_index_reads_as_a_file_of_the_same_lines_does():
    server = stand()
    files()
    indexed = stats(server.url, "elasticsearch:ratings", "--items", "elasticsearch:films", "--users", "elasticsearch:people")
    filed = stats(None, "ratings.ndjson", "--items", "films.ndjson", "--users", "people.ndjson")
    same_data(indexed, filed)
    assert indexed["source"] == "elasticsearch:ratings" and indexed["counts"]["items"] == 45, indexed["counts"]
    assert {c["column"]: c["kind"] for c in indexed["attributes"]["items"]} == {
        "title": "text", "genres": "set", "year": "number", "price.amount": "number"}, indexed["attributes"]
    assert server.calls.count(SCROLL) == 2 + 1 + 1, "1,440 ratings in pages of 1,000, and one more page that is empty"
    assert server.scrolls == {}, "the server is told to let go of every scroll"


def test_what_is_learnt_from_an_index_is_what_is_learnt_from_a_file():
    server = stand()
    files()
    kith(server.url, "train", "--data", "elasticsearch:ratings", "--items", "elasticsearch:films", "--model", "item-knn",
         "--out", "a.kith")
    kith(None, "train", "--data", "ratings.ndjson", "--items", "films.ndjson", "--model", "item-knn", "--out", "b.kith")
    lists = [json.loads(kith(None, "recommend", "--model-file", m, "--user", "u3", "--json").stdout) for m in ("a.kith", "b.kith")]
    assert lists[0] == lists[1] and lists[0]["items"][0]["title"].startswith("Film"), lists
    report = json.loads(kith(server.url, "evaluate", "--data", "elasticsearch:ratings", "--model", "popularity", "--json").stdout)
    assert report["model"] == "popularity", report
    kith(server.url, "data", "convert", "elasticsearch:ratings", "--out", "copy.csv")
    assert stats(None, "copy.csv")["counts"]["interactions"] == len(RATINGS)


def test_a_test_part_comes_from_an_index_too():
    server = stand()
    server.put("later", {"1": {"user_id": "u1", "item_id": "i1", "rating": 5, "timestamp": 1800000000}})
    kith(server.url, "evaluate", "--train", "elasticsearch:ratings", "--test", "elasticsearch:later", "--model", "popularity",
         "--protocol", "predefined")


def test_a_run_takes_its_lists_from_indexes():
    server = stand()
    files()
    named = {"user_data": "people", "item_data": "films", "interaction_data": "ratings"}
    results = []
    for url, data in ((server.url, {k: "elasticsearch:" + v for k, v in named.items()}),
                      (None, {k: v + ".ndjson" for k, v in named.items()})):
        result = json.loads(kith(url, "run", "-", "--quiet", text=request(**data)).stdout)
        assert result["metadata"].get("warnings") is None, result["metadata"]
        results.append((result["recommendation_results"]["recommendations"], result["metadata"]["data_statistics"]))
    assert results[0] == results[1]
    assert server.scrolls == {} and server.most_open == 1


def test_what_a_document_lacks_is_told_with_its_id():
    server = stand()
    server.put("ratings", {"bad one": {"item_id": "i1"}})
    said = kith(server.url, "data", "stats", "elasticsearch:ratings", code=1).stderr
    assert 'elasticsearch:ratings:' in said and 'document "bad one": got no user, want a member user_id' in said, said
    skipped = stats(server.url, "elasticsearch:ratings", "--skip-bad", "1")
    assert skipped["lines"]["skipped"] == 1 and skipped["counts"]["interactions"] == len(RATINGS), skipped["lines"]
    data = {"user_data": [], "item_data": [], "interaction_data": "elasticsearch:ratings"}
    error = json.loads(kith(server.url, "run", "-", "--quiet", text=request(**data), code=1).stdout)["error"]
    assert error["violations"][0]["pointer"] == "/recommendation_data/interaction_data/bad one/user_id", error


def test_an_id_of_a_field_comes_before_the_name_of_the_document():
    server = stand()
    server.put("goods", {"x1": {"item_id": "i1", "colour": "red"}, "i2": {"colour": "blue"}, "i3": {}})
    told = stats(server.url, "elasticsearch:ratings", "--items", "elasticsearch:goods")
    assert told["counts"]["items"] == 40, "x1 is i1"
    assert told["attributes"]["items"] == [{"column": "colour", "kind": "category", "missing": 38, "distinct": 2}], told


def test_documents_of_any_shape_become_lines():
    server = stand()
    server.put("ratings", {"quote\" \\ ü \u2028": {"user_id": "Zoë \"Q\" \\ {[", "item_id": "i1", "rating": 1e-3, "note": "a\nb\r}",
                                                       "timestamp": "2024-01-15"},
                           "long": {"user_id": "u1", "item_id": "i" * 300, "text": "x" * 300000, "timestamp": 1700000000}})
    assert stats(server.url, "elasticsearch:ratings")["counts"]["users"] == 61


def test_who_asks():
    server = stand()
    basic = "Basic " + base64.b64encode(b"ann:p@:w").decode()
    with_user = server.url.replace("//", "//ann:p%40%3aw@")
    for url, environment, want in [
            (server.url, {}, None), (with_user, {}, basic),
            (server.url, {"ELASTICSEARCH_USERNAME": "ann", "ELASTICSEARCH_PASSWORD": "p@:w"}, basic),
            (server.url.replace("//", "//eve:x@"), {"ELASTICSEARCH_USERNAME": "ann", "ELASTICSEARCH_PASSWORD": "p@:w"}, basic),
            (with_user, {"ELASTICSEARCH_API_KEY": "a2V5"}, "ApiKey a2V5")]:
        server.headers.clear()
        stats(url, "elasticsearch:ratings", **environment)
        assert {h.get("Authorization") for h in server.headers} == {want}, (url, environment, server.headers)
    server.wrong[SEARCH] = (401, {"error": {"type": "security_exception", "reason": "missing credentials"}, "status": 401})
    said = kith(with_user, "data", "stats", "elasticsearch:ratings", code=1).stderr
    assert "refuses these credentials (status 401 security_exception: missing credentials)" in said, said
    assert "ELASTICSEARCH_API_KEY" in said and "ann" not in said and "p%40" not in said, said
    said = kith(server.url, "data", "stats", "elasticsearch:ratings", code=2, ELASTICSEARCH_API_KEY="a\nHost: b").stderr
    assert "line break" in said, said


def test_a_path_before_the_index_and_slashes_after_it():
    server = stand()
    server.answer = lambda method, path, body, usual=server.answer: usual(method, path.removeprefix("/search"), body)
    assert stats(server.url + "/search//", "elasticsearch:ratings")["counts"]["users"] == 60
    assert server.calls[0] == "POST /search/ratings/_search?scroll=10m", server.calls


def test_names_are_escaped():
    server = stand()
    said = kith(server.url, "data", "stats", "elasticsearch:a/b?c d", code=1).stderr
    assert server.calls == ["POST /a%2Fb%3Fc%20d/_search?scroll=10m"], server.calls
    assert "there is no such index" in said and "/_cat/indices" in said, said


def test_what_is_wrong_with_the_names():
    for url, name, words in [(None, "elasticsearch:x", "ELASTICSEARCH_URL names no server"), ("", "elasticsearch:x", "names no server"),
                             ("localhost:9200", "elasticsearch:x", "is no http(s)://"), ("http://", "elasticsearch:x", "is no http"),
                             ("http://a/?x=1", "elasticsearch:x", "is no http(s)://"), ("http://" + "a" * 2000, "elasticsearch:x", "at most"),
                             ("http://127.0.0.1:1", "elasticsearch:", "the name of an index"),
                             ("http://127.0.0.1:1", "elasticsearch:" + "x" * 300, "the name of an index")]:
        said = kith(url, "data", "stats", name, code=2).stderr
        assert words in said, (url, name, said)


def test_an_answer_that_is_none():
    page = json.loads(Stand.page(stand_of_one(), "s")[1])
    for status, value, words in [
            (200, b"<html>it works</html>", "and is no page of documents"), (200, b"", "no page of documents"),
            (200, b"{}", "no page of documents"), (200, b'{"_scroll_id":"s","hits":{"hits":[{', "no page of documents"),
            (200, b'{"_scroll_id":"s","hits":{"hits":[{"_id":"1","_source":{"a":', "no page of documents"),
            (200, b'{"_scroll_id":7,"hits":{"hits":[]}}', "no page of documents"),
            (302, b"moved", "status 302"), (500, b"<html>oops", "status 500 : <html>oops; does ELASTICSEARCH_URL"),
            (400, {"error": {"type": "parsing_exception", "reason": "unknown sort"}}, "status 400 parsing_exception: unknown sort"),
            (503, {"error": "MasterNotDiscovered", "status": 503}, "status 503 : MasterNotDiscovered"),
            (200, {**page, "hits": {"total": 0, "hits": []}}, "there is no document in the index"),
            (200, {**page, "hits": {"total": 1, "hits": [{"_id": "1"}]}}, "comes without its _source"),
            (200, {**page, "timed_out": True}, "the search ran out of time"),
            (200, {**page, "_shards": {"total": 5, "failed": 2, "failures": [{"reason": {"reason": "disk is full"}}]}},
             "2 of 5 shards did not answer, so that documents are missing: disk is full")]:
        server = stand()
        server.wrong[SEARCH] = (status, value)
        said = kith(server.url, "data", "stats", "elasticsearch:ratings", code=1).stderr
        assert words in said and f"elasticsearch:ratings at {server.url}" in said, (value, said)


def stand_of_one():
    server = Stand()
    server.put("x", {"1": RATINGS[0]})
    server.size, server.total, server.scrolls["s"] = 1000, 1, list(server.indexes["x"].items())
    return server


def test_a_scroll_that_breaks_off_is_no_whole_data():
    server = stand()
    gone = (404, {"error": {"type": "search_phase_execution_exception", "reason": "all shards failed"}, "status": 404})
    server.wrong[SCROLL] = [gone]
    said = kith(server.url, "data", "stats", "elasticsearch:ratings", code=1).stderr
    assert "all shards failed" in said and server.calls.count("DELETE /_search/scroll") == 1, (said, server.calls)
    server.wrong[SCROLL] = [(200, b'{"_scroll_id":"s')]
    kith(server.url, "run", "-", "--quiet", code=1,
         text=request(user_data=[], item_data=[], interaction_data="elasticsearch:ratings"))


def test_nobody_there():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    said = kith(f"http://ann:secret@127.0.0.1:{port}", "data", "stats", "elasticsearch:x", code=1).stderr
    assert "no answer" in said and "does a server run where ELASTICSEARCH_URL says?" in said and "secret" not in said, said
    said = kith(f"http://127.0.0.1:{port}", "train", "--data", "elasticsearch:x", "--model", "popularity", "--out", "m.kith",
                code=1).stderr
    assert not os.path.exists("m.kith") and "no answer" in said


def test_what_a_server_or_a_url_holds_is_not_told_as_it_is():
    for url in "http://u:pa/ss@127.0.0.1:1", "http:///u:pass@127.0.0.1":
        said = kith(url, "data", "stats", "elasticsearch:x", code=2).stderr
        assert "ss@" not in said and "%2F" in said, said
    server = stand()
    server.wrong[SEARCH] = (400, {"error": {"type": "x", "reason": "\u001b[2J\nkith: forged"}, "status": 400})
    said = kith(server.url, "data", "stats", "elasticsearch:ratings", code=1).stderr
    assert "\x1b" not in said and "\nkith: forged" not in said and "forged" in said, said
    assert "stands the name of an index" in kith(server.url, "data", "stats", "elasticsearch:..", code=2).stderr


def test_memory_is_that_of_a_page():
    """Forty thousand items of 2 KiB each, of which the data keeps next to nothing: 80 MB of text, and a peak far below it."""
    server = stand()
    server.put("big", {f"i{n}": {"colour": "red", "rows": [{"text": "x" * 2000}]} for n in range(40000)})
    done = subprocess.run(["/usr/bin/env", "python3", "-c", PEAK, KITH, "data", "stats", "elasticsearch:ratings", "--items",
                           "elasticsearch:big", "--json"], capture_output=True, text=True,
                          env={**os.environ, "ELASTICSEARCH_URL": server.url, "no_proxy": "127.0.0.1"})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["items"] == 40000
    if not SANITIZED:
        assert int(done.stderr.split()[-1]) < 60000, done.stderr


PEAK = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""
with open(KITH, "rb") as program:
    SANITIZED = re.search(b"__[at]san_init", program.read()) is not None


# ---- writing

def model(server):
    kith(server.url, "train", "--data", "elasticsearch:ratings", "--model", "item-knn", "--out", "m.kith")


def send(url, to, *words, **more):
    return kith(url, "recommend", "--model-file", "m.kith", "--all-users", to, "-n", "4", *words, **more)


def check_lists(documents):
    kith(None, "recommend", "--model-file", "m.kith", "--all-users", "lists.csv", "-n", "4", "--force")
    rows = [line.split(",") for line in open("lists.csv", encoding="utf-8").read().splitlines()[1:]]
    want = {}
    for user, rank, item, score in rows:
        want.setdefault(user, []).append({"item_id": item, "rank": int(rank), "score": float(score)})
    assert set(documents) == {f"u{u}" for u in range(60)} and len(want) == 60
    for user, document in documents.items():
        assert set(document) == {"user_id", "model", "recommendations"} and document["user_id"] == user, document
        assert document["model"] == "item-knn", document
        for got, wanted in zip(document["recommendations"], want[user], strict=True):
            assert abs(got.pop("score") - wanted.pop("score")) < 1e-5 and got == wanted, (got, wanted)


def test_lists_of_all_users_go_into_an_index():
    for version in ({"version": "2.4.6"}, {"version": "6.8.0"}, {"version": "8.11.0"}, {"version": "2.19.1", "distribution": "opensearch"}):
        server = stand(**version)
        model(server)
        told = json.loads(send(server.url, "elasticsearch:lists", "--json").stdout)
        assert told["documents"] == 60 and told["refused"] == 0 and told["server"] == server.url, told
        check_lists(server.documents("lists"))
        assert "60 lists of 4" in send(server.url, "elasticsearch:lists").stdout, "lists take the place of lists"
        assert server.headers[-1]["Content-Type"] == "application/x-ndjson", server.headers[-1]


def test_an_index_of_something_else_is_left_alone():
    server = stand()
    model(server)
    before = server.documents("films")
    said = send(server.url, "elasticsearch:films", code=2).stderr
    assert "45 documents in it are no lists of recommendations" in said and "--force" in said, said
    assert server.documents("films") == before
    send(server.url, "elasticsearch:films", "--force")
    assert len(server.documents("films")) == 105


def test_documents_that_are_refused_are_told():
    server = stand()
    model(server)
    done = send(server.url, "elasticsearch:picky", "--json", code=1)
    assert "refused 1 of 60 lists" in done.stderr and '"u7": status 400 mapper_parsing_exception failed to parse' in done.stderr, done
    assert json.loads(done.stdout)["refused"] == 1 and len(server.documents("picky")) == 59


def test_what_a_busy_server_puts_off_is_sent_again():
    server = stand()
    model(server)
    server.busy = ["u3", "u3", "u59"]
    server.wrong["POST /lists/_bulk"] = [(429, {"error": {"type": "es_rejected_execution_exception"}})]
    assert json.loads(send(server.url, "elasticsearch:lists", "--json").stdout)["documents"] == 60
    assert server.calls.count("POST /lists/_bulk") == 4, server.calls
    check_lists(server.documents("lists"))


def test_many_lists_go_in_many_requests():
    server = stand()
    server.put("ratings", {f"m{n}": {"user_id": f"v{n}", "item_id": f"i{n % 40}", "rating": 5, "timestamp": n}
                           for n in range(2500)})
    model(server)
    assert json.loads(send(server.url, "elasticsearch:lists", "--json").stdout)["documents"] == 2560
    assert server.calls.count("POST /lists/_bulk") == 3, server.calls


def test_writing_that_fails_is_told():
    for call, status, value, words in [
            ("POST /lists/_bulk", 200, {"items": []}, "does not speak of all documents"),
            ("POST /lists/_bulk", 413, b"too large", "status 413"),
            ("POST /lists/_bulk", 403, {"error": {"type": "security_exception", "reason": "no"}}, "refuses these credentials"),
            ("POST /lists/_count", 500, b"oops", "status 500"), ("POST /lists/_count", 200, b"[]", "counts no documents")]:
        server = stand()
        model(server)
        server.wrong[call] = (status, value)
        said = send(server.url, "elasticsearch:lists", code=1).stderr
        assert words in said and "elasticsearch:lists at " + server.url in said, said
    server.wrong = {"GET /": (403, {"error": {"type": "security_exception", "reason": "no"}})}
    send(server.url, "elasticsearch:lists")  # who may not ask for the version may write all the same


# ---- the real server

def free_ports():
    """Below those that the system gives to whoever asks: a server takes seconds to start, and its port must be free then."""
    for port in random.sample(range(21200, 21300), 100):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                yield port
            except OSError:
                pass


class Real:
    def __enter__(self):
        ports = [str(port) for port in free_ports()][:2]
        self.url, self.home = f"http://127.0.0.1:{ports[0]}", tempfile.mkdtemp()
        self.log = open(os.path.join(self.home, "log"), "wb")
        self.process = subprocess.Popen([os.path.join(FOLDER, "run.sh"), self.home, *ports], stdout=self.log, stderr=self.log,
                                        start_new_session=True)
        try:
            self.wait()
        except BaseException:  # nobody calls __exit__ then
            with open(self.log.name, encoding="utf-8", errors="replace") as log:
                print(log.read()[-3000:], file=sys.stderr)
            self.__exit__()
            raise
        return self

    def wait(self):
        for _ in range(600):
            time.sleep(0.3)
            assert self.process.poll() is None, "the server ended"
            try:
                self.version = self.ask("GET", "/")["version"]
                self.ask("GET", "/_cluster/health?wait_for_status=yellow&timeout=10s")
                return
            except (OSError, urllib.error.HTTPError):
                pass
        raise AssertionError("the server does not answer")

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)  # the session that was started above
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def ask(self, method, path, body=None, kind="application/json"):
        asked = urllib.request.Request(self.url + path, data=None if body is None else body.encode(), method=method,
                                       headers={"Content-Type": kind})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(asked, timeout=60) as answer:
            return json.load(answer)

    def put(self, index, documents, typ=None):
        lines = "".join(json.dumps({"index": {"_index": index, "_id": k, **({"_type": typ} if typ else {})}}) + "\n" + json.dumps(d) + "\n"
                        for k, d in documents.items())
        answer = self.ask("POST", "/_bulk", lines, "application/x-ndjson")
        assert not answer["errors"], answer
        self.ask("POST", "/_refresh")

    def open_scrolls(self):
        nodes = self.ask("GET", "/_nodes/stats/indices/search")["nodes"]
        return sum(node["indices"]["search"]["open_contexts"] for node in nodes.values())


def real_server_gives_and_takes():
    files()
    with Real() as server:
        typ = "row" if server.version.get("distribution") is None and int(server.version["number"].split(".")[0]) < 7 else None
        fill(server, typ)
        names = ["elasticsearch:ratings", "--items", "elasticsearch:films", "--users", "elasticsearch:people"]
        same_data(stats(server.url, *names), stats(None, "ratings.ndjson", "--items", "films.ndjson", "--users", "people.ndjson"))
        data = {"user_data": "elasticsearch:people", "item_data": "elasticsearch:films", "interaction_data": "elasticsearch:ratings"}
        result = json.loads(kith(server.url, "run", "-", "--quiet", text=request(**data)).stdout)
        assert len(result["recommendation_results"]["recommendations"]["user_recommendations"]) == 60
        assert stats(server.url, "elasticsearch:rat*")["counts"]["interactions"] == len(RATINGS), "a pattern of indexes"
        said = kith(server.url, "data", "stats", "elasticsearch:nothing", code=1).stderr
        assert "there is no such index" in said, said
        assert server.open_scrolls() == 0
        model(server)
        told = json.loads(send(server.url, "elasticsearch:lists", "--json").stdout)
        assert told["documents"] == 60 and told["refused"] == 0, told
        server.ask("POST", "/_refresh")
        answer = server.ask("GET", "/lists/_search?size=100")
        check_lists({hit["_id"]: hit["_source"] for hit in answer["hits"]["hits"]})
        send(server.url, "elasticsearch:lists")
        assert "45 documents in it are no lists" in send(server.url, "elasticsearch:films", code=2).stderr
        mapping = {"properties": {"recommendations": {"properties": {"rank": {"type": "date", "format": "yyyy-MM-dd"}}}}}
        server.ask("PUT", "/picky", json.dumps({"mappings": {"doc": mapping} if typ else mapping}))
        done = send(server.url, "elasticsearch:picky", code=1)
        assert "refused 60 of 60 lists" in done.stderr and "mapper_parsing_exception" in done.stderr, done.stderr


def main():
    if BUILT_WITHOUT:
        print("skipped: kith was built without libcurl\n0 passed, 0 failed")
        return False
    has_server = FOLDER is not None and os.path.exists(os.path.join(FOLDER, "run.sh"))
    if FOLDER is not None and not has_server:
        print(f"skipped: real_*, there is no server in {FOLDER}")
    return run_cases(globals(), ("test_", "real_") if has_server else ("test_",))


sys.exit(main())
