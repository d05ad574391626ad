#!/usr/bin/env python3
"""kith serve as its clients meet it: every route over real HTTP, restarts, and kill -9.  Usage: test_serve.py PATH-TO-KITH

Services run on free ports of the loopback, on simulated viewers of the sample films, and are stopped by their process
ids.  A test that is told `service` gets a fresh one with data.
"""
import http.client
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from cases import run as run_cases

KITH = os.path.abspath(sys.argv[1])
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILMS = os.path.join(ROOT, "sample", "films.csv")


class Service:
    """A running `kith serve`; with-statements stop it and look at how it ended."""

    def __init__(self, *words, insecure=True, env=None):
        self.log = open("log", "ab+")
        self.begun = self.log.tell()
        words = [KITH, "serve", "--port", "-1", "--json", *words] + (["--insecure-local"] if insecure else [])
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=self.log, env={**os.environ, **(env or {})})
        line = self.process.stdout.readline()
        assert line, f"{' '.join(words)}: {self.process.wait()}: {self.errors()}"
        self.status = json.loads(line)
        self.port, self.key = self.status["port"], self.status["key"]
        self.connection = None

    def errors(self):
        self.log.seek(self.begun)
        return self.log.read().decode(errors="replace")

    def call(self, method, path, body=None, want=200, key=None, connection=None, **headers):
        c = connection or self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.connection = c if connection is None else self.connection
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        if key or self.key:
            headers["Authorization"] = "Bearer " + (key or self.key)
        c.request(method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
        reply = c.getresponse()
        text, self.varies = reply.read(), reply.getheader("Vary")
        allowed = want if isinstance(want, tuple) else (want,)
        assert reply.status in allowed, f"{method} {path}: {reply.status}, want {want}: {text.decode()[:600]}"
        kind = reply.getheader("Content-Type", "")
        return json.loads(text) if "json" in kind and "ndjson" not in kind and text else text.decode()

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def put(self, path, body, **more):
        return self.call("PUT", path, body, **more)

    def delete(self, path, want=204, **more):
        return self.call("DELETE", path, want=want, **more)

    def lines(self, path, lines, **more):
        text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
        return self.call("POST", path, text.encode(), Content_Type="application/x-ndjson", **more)

    def metric(self, name):
        return float(next(l.split()[1] for l in self.get("/v1/metrics").splitlines() if l.startswith(name + " ")))

    def items(self, user, **wish):
        return [i["item_id"] for i in self.post("/v1/recommend", {"user_id": user, **wish})["items"]]

    def rate(self, user, item, value=5):
        return self.post("/v1/events", {"user_id": user, "item_id": item, "event": "rating", "value": value}, want=201)

    def wait(self, task, seconds=60):
        for _ in range(int(seconds * 20)):
            told = self.get(f"/v1/tasks/{task}")
            if told["state"] in ("done", "failed", "canceled"):
                return told
            time.sleep(0.05)
        raise AssertionError(f"{told} does not end")

    def train(self, **order):
        return self.wait(self.post("/v1/models", order, want=202)["task_id"])

    def stop(self, sig=signal.SIGTERM):
        self.connection = None
        self.process.send_signal(sig)
        code = self.process.wait(20)
        assert code == (0 if sig in (signal.SIGTERM, signal.SIGINT) else -sig), f"exit {code}: {self.errors()}"

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None and self.process.poll() is None:
                self.stop()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.log.close()


def data():
    """Viewers of the sample films; made once, linked into the folder of each test."""
    for name in os.listdir(DATA.name):
        os.symlink(os.path.join(DATA.name, name), name)
    return "viewers.csv"


QUICK = ["--model", "ials", "-p", "n_factors=16", "-p", "n_epochs=5"]


def serve(*words, **more):
    return Service("--data", data(), *QUICK, *words, **more)


# ---- the first minute ----


def test_one_command_from_a_file_to_lists_with_reasons():
    with serve() as s:
        assert s.status["users"] == 200 and s.status["events"] == 6000 and s.status["imported"], s.status
        assert s.status["figures"]["value"] > 0 and "popularity" in s.status["figures"], s.status
        reply = s.get("/v1/recommend/u7?n=5&reasons=2")
        assert reply["basis"] == "user" and len(reply["items"]) == 5, reply
        assert all(i["reason"] and i["title"] for i in reply["items"]), reply
        assert [i["score"] for i in reply["items"]] == sorted((i["score"] for i in reply["items"]), reverse=True)


def test_an_event_is_in_force_for_the_very_next_request():
    with serve() as s:
        before = s.items("u7", n=20)
        for _ in range(5):
            best = s.items("u7", n=20)[0]
            s.rate("u7", best)
            assert best not in s.items("u7", n=20)
        assert s.items("u7", n=20) != before
        fresh = s.post("/v1/recommend", {"user_id": "somebody new", "n": 3})
        assert fresh["basis"] == "popular" and fresh["note"], fresh
        s.rate("somebody new", best)
        assert s.post("/v1/recommend", {"user_id": "somebody new", "n": 3})["basis"] == "user"


def test_more_tasks_than_may_wait_are_for_later():
    with Service("--data", data(), "--model", "popularity") as s:
        told = [s.post("/v1/models/tune", {"algorithm": "item-knn", "seconds": 600, "trials": 1000}, want=(202, 503)) for _ in range(40)]
        late = [t for t in told if t.get("error") == "OverloadedError"]
        assert 6 <= len(late) <= 8 and "waiting already" in late[0]["detail"], told  # 32 wait, one or none runs
        for t in told:
            if "task_id" in t:
                s.post(f"/v1/tasks/{t['task_id']}/cancel", want=(204, 409))


def test_what_is_misspelt_is_told_what_was_meant():
    with Service("--data", data(), "--model", "popularity") as s:
        s.put("/v1/scenarios/home", {"n": 3}, want=201)
        variants = [{"name": "a", "share": 1}, {"name": "b", "share": 1, "scenario": "hom"}]
        for method, path, body, want, meant in (
                ("POST", "/v1/recommend", {"user_id": "u7", "resons": 3}, 422, "reasons"),
                ("GET", "/v1/recommend/u7?limt=1&exclud=a", None, 422, "exclude"),
                ("POST", "/v1/models", {"algorithm": "item-kn"}, 422, "item-knn"),
                ("POST", "/v1/models", {"algorithm": "ials", "params": {"n_factor": 3}}, 422, "n_factors"),
                ("POST", "/v1/recommend", {"user_id": "u7", "scenario": "hime"}, 404, "home"),
                ("PUT", "/v1/experiments/e", {"variants": variants, "outcome": {"events": ["click"]}}, 422, "home"),
                ("POST", "/v1/recommend", {"user_id": "u7", "filter": "yeer > 1950"}, 422, "year")):
            told = s.call(method, path, body, want=want)
            assert f'did you mean {meant}' in json.dumps(told).replace('\\"', ''), told


def test_every_kind_of_question():
    with Service("--data", data()) as s:  # the usual model, which reads the words of the films
        items = s.items("u7", n=3)
        one, other = items[0], items[1]
        assert s.post("/v1/recommend", {"liked": [one], "n": 3})["basis"] == "liked"
        assert s.post("/v1/recommend", {"liked": [one, other], "liked_values": [5, 1], "n": 3})["basis"] == "liked"
        assert one not in s.items("u7", session=[one], n=10)
        assert other not in s.items("u7", exclude=[other], n=10)
        assert all(i not in items for i in s.items("u7", filter='not item in ("%s")' % '", "'.join(items)))
        old = s.post("/v1/recommend", {"user_id": "u7", "filter": "year < $limit", "context": {"limit": 1950}})
        assert old["items"] and old["report"]["filter"]["clauses"], old
        plain, reasoned = (s.post("/v1/recommend", {"user_id": "u7", "filter": "year > 1960", "reasons": n}) for n in (0, 2))
        assert reasoned["items"][0]["reasons"] and plain["report"] == reasoned["report"], (plain["report"], reasoned["report"])
        assert s.post("/v1/recommend", {"user_id": "u7", "pipeline": {"diversity": {"method": "mmr"}}})["items"]
        assert s.post("/v1/recommend", {"text": "a western with a lonely rider"})["basis"] == "text"
        assert s.get(f"/v1/items/{one}/similar?n=4")["items"]
        assert len(s.get("/v1/users/u7/similar?n=4")["users"]) == 4
        assert "value" in s.get(f"/v1/predict/u7/{one}")
        assert s.get("/v1/predict/nobody/nothing")["unknown_user"]
        for chart in ("popular", "trending", "latest"):
            listed = s.get(f"/v1/{chart}?n=3&user_id=u7")
            assert listed["items"] and listed["basis"] == chart, listed
        assert s.get("/v1/search?q=vertigo")["items"][0]["title"] == "Vertigo"
        why = s.get(f"/v1/explain/u7/{other}?reasons=2")
        assert why["items"][0]["reasons"] and "report" not in why and "rec_id" not in why, why  # its filter is nobody's concern
        s.post(f"/v1/items/{other}/hide", {"hidden": True}, want=204)
        why = s.get(f"/v1/explain/u7/{other}")
        assert why["items"] == [] and "hidden" in why["note"] and "kith_item" not in json.dumps(why), why
        s.post(f"/v1/items/{other}/hide", {"hidden": False}, want=204)
        assert s.post("/v1/why-not", {"user_id": "u7", "item_id": one})["why"] == "shown"
        seen = s.get("/v1/users/u7")["history"][0]["item_id"]
        assert s.post("/v1/why-not", {"user_id": "u7", "item_id": seen})["why"] == "seen"


def test_wishes_are_met_by_degrees_and_listed_with_each_item():
    with serve() as s:
        wishes = ["2: year between 1950 and 1960", {"want": 'genres has "Western"'}]
        got = s.post("/v1/recommend", {"wishes": wishes, "filter": "year < 1980", "reasons": 1, "n": 3})
        assert got["basis"] == "wishes" and got["note"] == "", got
        first = got["items"][0]
        assert [w["want"] for w in first["wishes"]] == ["year between 1950 and 1960", 'genres has "Western"'], first
        assert first["score"] == 1 and all(w["degree"] == 1 for w in first["wishes"]), first
        assert first["reason"].startswith("meets all your wishes; "), first
        mine = s.post("/v1/recommend", {"user_id": "u7", "wishes": wishes, "n": 50})
        assert mine["basis"] == "user" and [i["score"] for i in mine["items"]] == sorted((i["score"] for i in mine["items"]), reverse=True)
        seen = {e["item_id"] for e in s.get("/v1/users/u7")["history"]}
        assert not seen & {i["item_id"] for i in mine["items"]}
        page = s.get(f"/v1/lists/{mine['rec_id']}?page=1")["items"]
        assert [i["item_id"] for i in page] == [i["item_id"] for i in mine["items"]]
        # a new item that no model has learnt is found by what is known of it, and at once
        s.put("/v1/items/brand-new", {"attributes": {"title": "Brand New", "year": 1955, "genres": ["Western"]}}, want=201)
        both = s.post("/v1/recommend", {"user_id": "u7", "wishes": wishes, "n": 50})
        assert "brand-new" in {i["item_id"] for i in both["items"] if i["score"] == 1}, both
        # a scenario brings wishes; who asks with wishes keeps those
        s.put("/v1/scenarios/old", {"wishes": ["year <= 1930"]}, want=201)
        assert s.get("/v1/recommend/u7?scenario=old&n=1")["items"][0]["wishes"][0]["want"] == "year <= 1930"
        own = s.post("/v1/recommend", {"user_id": "u7", "scenario": "old", "wishes": ["year >= 1990"]})
        assert own["items"][0]["wishes"][0]["want"] == "year >= 1990", own
        assert "yeer" in s.put("/v1/scenarios/bad", {"wishes": ["yeer <= 1930"]}, want=422)["detail"]
        empty = s.post("/v1/recommend", {"wishes": wishes, "filter": "year < 1980 and year > 3000"})
        assert empty["items"] == [] and empty["report"]["filter"]["relax"], empty  # which clause to relax first
        assert "^" in s.post("/v1/recommend", {"wishes": ["year <"]}, want=422)["detail"]
        s.post("/v1/recommend", {"wishes": ["true"] * 65}, want=422)
        low = s.post("/v1/why-not", {"user_id": "u7", "item_id": got["items"][2]["item_id"], "wishes": ["year <= 1930"], "n": 1})
        assert low["why"] in ("below", "seen"), low


def test_reasons_and_notes_speak_the_language_that_is_asked_for_or_accepted():
    with serve() as s:
        why = lambda path, **more: s.get(path, **more)["items"][0]["reason"]
        german = ("weil dir", "wegen")
        assert why("/v1/recommend/u7?n=1&reasons=1&language=de-AT").startswith(german)
        assert why("/v1/recommend/u7?n=1&reasons=1", Accept_Language="fr;q=0.2, tlh, de;q=0.9").startswith(german)
        assert why("/v1/recommend/u7?n=1&reasons=1&language=it", Accept_Language="de").startswith("per")
        assert why("/v1/recommend/u7?n=1&reasons=1", Accept_Language="tlh, *;q=0.5, ;q=;,,").startswith("because")
        assert why("/v1/recommend/u7?n=1&reasons=1").startswith("because")  # and no list of another language out of the cache
        fresh = s.post("/v1/recommend", {"user_id": "somebody new", "reasons": 1}, Accept_Language="es")
        assert "el modelo no conoce a" in fresh["note"] and "persona" in fresh["items"][0]["reason"], fresh
        s.put("/v1/scenarios/fr", {"language": "fr", "reasons": 1}, want=201)
        assert "vous avez" in why("/v1/recommend/u7?scenario=fr")
        assert why("/v1/recommend/u7?scenario=fr", Accept_Language="en").startswith("because")
        assert why(f"/v1/explain/u7/{s.items('u7')[0]}", Accept_Language="pt").split()[0] not in ("because", "rated", "liked")
        seen = {"user_id": "u7", "item_id": s.items("u7")[0], "n": 1}
        whynot = lambda more, **headers: s.post("/v1/why-not", {**seen, **more}, **headers)["sentence"]
        english = whynot({})
        assert english.startswith("it is"), english
        assert s.varies == "Accept-Language", "a cache between must not hand a sentence to who reads another language"
        assert whynot({}, Accept_Language="de").startswith("er steht") and whynot({"language": "it"}, Accept_Language="de") != english
        assert s.varies is None, "the request named its language"
        empty = s.get("/v1/recommend/u7?n=3&filter=year%20%3E%209999", Accept_Language="de")
        assert empty["items"] == [] and "Kandidaten kommen durch, gewünscht sind 3" in empty["report"]["filter"]["sentence"], empty
        assert "candidates pass" in s.get("/v1/recommend/u7?n=3&filter=year%20%3E%209999")["report"]["filter"]["sentence"]
        s.get("/v1/recommend/u7?n=1")
        assert s.varies == "Accept-Language"
        s.get("/v1/whoami")
        assert s.varies is None
        wrong = s.post("/v1/recommend", {"user_id": "u7", "language": "klingon"}, want=422)
        assert "there are en, de, es, fr, it, pt" in wrong["detail"], wrong


def test_what_is_blocked_is_on_no_list():
    with serve("--db", "kith.db") as s:
        ids = lambda reply: [i["item_id"] for i in reply["items"]]
        everything = {"user_id": "u7", "n": 500, "include_seen": True}
        plain = ids(s.post("/v1/recommend", everything))
        westerns = ids(s.post("/v1/recommend", {**everything, "filter": 'genres has "Western"'}))
        assert 3 < len(westerns) < len(plain), len(westerns)
        # of one request
        got = s.post("/v1/recommend", {**everything, "block": ["genres: western", "unicorn"]})
        assert ids(got) == [i for i in plain if i not in westerns] and got["report"]["block"]["items"] >= len(westerns), got["report"]
        # of a scenario, beside what the request blocks
        s.put("/v1/scenarios/mild", {"block": ["genres: western"]}, want=201)
        other = plain[0] if plain[0] not in westerns else [i for i in plain if i not in westerns][0]
        both = ids(s.post("/v1/recommend", {**everything, "scenario": "mild", "block": [f"id: {other}"]}))
        assert both == [i for i in plain if i not in westerns and i != other]
        assert ids(s.post("/v1/recommend", everything)) == plain
        # of the service: on every list
        told = s.put("/v1/settings/block", {"entries": ["genres: western", "unicorn"]})
        assert told["entries"][0]["items"] >= len(westerns) and told["unused"] == ["unicorn"], told
        assert s.get("/v1/settings/block") == told
        assert ids(s.post("/v1/recommend", everything)) == [i for i in plain if i not in westerns]
        assert ids(s.get("/v1/recommend/u7?n=500&include_seen=true&block=id:%s" % other)) == both
        assert not set(westerns) & set(ids(s.post("/v1/recommend", {**everything, "filter": "year < $y", "context": {"y": 2100}})))
        reasons = s.post("/v1/recommend", {"user_id": "u7", "n": 500, "reasons": 5})["items"]
        assert not set(westerns) & {r["item_id"] for i in reasons for r in i.get("reasons", [])}
        for path in ("popular?n=500", "trending?n=500", "latest?n=500", f"items/{other}/similar?n=500", "popular?n=500&filter=year<2100"):
            shown = ids(s.get(f"/v1/{path}"))
            assert len(shown) > 5 and not set(westerns) & set(shown), path
        title = s.get(f"/v1/items/{westerns[0]}")["attributes"]["title"].replace(" ", "%20")
        assert westerns[0] not in ids(s.get(f"/v1/search?q={title}"))
        low = s.post("/v1/why-not", {"user_id": "u7", "item_id": westerns[0]})
        assert (low["why"], low["entry"]) == ("blocked", "genres: western"), low
        first = s.post("/v1/recommend", {"user_id": "u7", "n": 4})
        assert not set(westerns) & set(ids(s.get(f"/v1/lists/{first['rec_id']}?page=2")))
        # what is new is held against it at once
        s.put("/v1/items/new-western", {"attributes": {"title": "New", "genres": ["Western"]}}, want=201)
        assert "new-western" not in ids(s.get("/v1/latest?n=5"))
        wrong = s.put("/v1/settings/block", {"entries": ["unicorn", "genre: western"]}, want=422)
        assert "line 2: items have no column" in wrong["detail"], wrong
        assert s.post("/v1/recommend", {"user_id": "u7", "block": ["genre: western"]}, want=422)
        assert s.put("/v1/scenarios/bad", {"block": ["genre: western"]}, want=422)
    with Service("--db", "kith.db") as s:  # it is kept
        assert ids(s.post("/v1/recommend", everything)) and not set(westerns) & set(ids(s.post("/v1/recommend", everything)))
        s.put("/v1/settings/block", {"entries": []})
        assert set(westerns) & set(ids(s.post("/v1/recommend", everything)))


def test_pages_of_a_list_do_not_overlap():
    with serve() as s:
        first = s.post("/v1/recommend", {"user_id": "u7", "n": 10})
        seen = [i["item_id"] for i in first["items"]]
        for page in (2, 3, 4):
            s.rate("u8", seen[0])
            reply = s.get(f"/v1/lists/{first['rec_id']}?page={page}")
            got = [i["item_id"] for i in reply["items"]]
            assert len(got) == 10 and not set(got) & set(seen), (got, seen)
            seen += got
        s.get("/v1/lists/01920000-0000-7000-8000-000000000000", want=404)
        s.train(algorithm="content", promote="always")
        texts = s.post("/v1/recommend", {"text": "a quiet western", "n": 5})
        s.train(algorithm="popularity", promote="always")       # which reads none: the question was a good one, and is none now
        gone = s.get(f"/v1/lists/{texts['rec_id']}?page=2", want=409)
        assert gone["error"] == "ConflictError" and "reads no texts" in gone["detail"], gone


def test_the_three_short_calls():
    with Service("--data", data()) as s:
        assert "prediction" in s.post("/predict", {"user_id": "u7", "item_id": "vertigo-1958"})
        assert len(s.post("/recommend", {"user_id": "u7", "num_recommendations": 4})["items"]) == 4
        reply = s.post("/recommend", {"user_id": None, "user_text": "enjoys westerns and musicals", "num_recommendations": 5})
        assert reply["basis"] == "text" and len(reply["items"]) == 5, reply
        s.post("/recommend", {"user_id": "nobody"}, want=404)
        s.post("/recommend", {}, want=422)


# ---- changes ----


def test_users_and_items_come_change_and_go():
    with serve() as s:
        assert s.put("/v1/items/new-film", {"attributes": {"title": "A New Film", "year": 2026}}, want=201)["is_new"]
        assert s.get("/v1/search?q=new+film")["items"][0]["item_id"] == "new-film"
        assert s.get("/v1/latest?n=1")["items"][0]["item_id"] == "new-film"
        s.put("/v1/items/new-film", {"hidden": True})
        assert s.get("/v1/items/new-film")["attributes"]["year"] == 2026
        assert s.get("/v1/latest?n=1")["items"][0]["item_id"] != "new-film"
        s.post("/v1/items/new-film/hide", {"hidden": False}, want=204)
        assert s.get("/v1/latest?n=1")["items"][0]["item_id"] == "new-film"
        wrong = s.put("/v1/items/other", {"attributes": {"year": "soon"}}, want=422)
        assert "year" in wrong["detail"], wrong
        s.get("/v1/items/other", want=404)
        best = s.items("u7")[0]
        s.post(f"/v1/items/{best}/hide", {"hidden": True}, want=204)
        assert best not in s.items("u7")
        s.post(f"/v1/items/{best}/hide", {"hidden": False}, want=204)
        assert best in s.items("u7")
        s.delete(f"/v1/items/{best}")
        assert best not in s.items("u7")
        s.get(f"/v1/items/{best}", want=404)
        s.put("/v1/users/ann", {"attributes": {"age": 34}}, want=201)
        assert s.get("/v1/users/ann")["attributes"] == {"age": 34}
        page = s.get("/v1/users?limit=150")
        rest = s.get(f"/v1/users?limit=150&after={page['next']}")
        assert len(page["rows"]) + len(rest["rows"]) == 201 and rest["next"] is None


def test_events_many_at_once_looked_at_and_taken_back():
    with serve() as s:
        many = [{"user_id": "ann", "item_id": f"vertigo-1958", "event": "rating", "value": v} for v in (1, 2, 3)]
        assert s.post("/v1/events/bulk", {"events": many}, want=201)["taken"] == 3
        assert s.get("/v1/users/ann")["history"][0]["value"] == 3
        assert [r["value"] for r in s.get("/v1/users/ann/events")["rows"]] == [3, 2, 1]
        assert len(s.get("/v1/items/vertigo-1958/events?limit=2")["rows"]) == 2
        assert s.delete("/v1/users/ann/events/vertigo-1958", want=200)["dropped"] == 3
        assert not s.get("/v1/users/ann")["history"]
        once = {"user_id": "ann", "item_id": "x", "event": "purchase", "id": "order-1"}
        assert not s.post("/v1/events", once, want=201)["repeated"]
        assert s.post("/v1/events", once)["repeated"]
        bad = many[:1] + [{"user_id": "ann", "item_id": "x", "event": "ratting", "value": 1}]
        assert "number 2" in s.post("/v1/events/bulk", {"events": bad}, want=422)["detail"]
        assert len(s.get("/v1/users/ann/events")["rows"]) == 1  # none of them was kept
        wrong = s.post("/v1/events", {"user_id": "ann", "event": 3, "more": 1}, want=422)
        assert {v["pointer"] for v in wrong["violations"]} == {"/item_id", "/event", "/more"}, wrong


def test_lines_are_taken_and_the_wrong_ones_told_by_number():
    with serve() as s:
        lines = [{"user_id": f"n{j}", "item_id": "vertigo-1958", "event": "rating", "value": 4} for j in range(2500)]
        lines[41] = {"user_id": "n41", "item_id": "vertigo-1958", "event": "rated"}
        lines[1200] = "this is no JSON\n"
        lines[2400] = {"user_id": "n2400", "event": "rating", "value": 4}
        commits = s.metric("kith_store_commits_total")
        reply = s.lines("/v1/events/import", lines)
        assert (reply["taken"], reply["refused"]) == (2497, 3), reply
        assert s.metric("kith_store_commits_total") - commits < 50  # and not one for each line of a batch
        assert [e["line"] for e in reply["errors"]] == [42, 1201, 2401], reply
        assert s.get("/v1/status")["events"] == 6000 + 2497
        reply = s.lines("/v1/items/import", [{"item_id": f"i{j}", "attributes": {"year": 2000 + j}} for j in range(10)] +
                        [{"item_id": "i10", "attributes": {"year": "late"}}])
        assert (reply["taken"], reply["refused"], reply["errors"][0]["line"]) == (10, 1, 11), reply
        assert s.lines("/v1/users/import", [{"user_id": "a"}, {"user_id": 17}])["taken"] == 2


def test_a_wrong_line_is_told_its_own_mistakes_alone():
    with Service() as s:
        event = {"user_id": "a", "item_id": "x", "event": "click"}
        for of, good in (("events", event), ("items", {"item_id": "x"}), ("users", {"user_id": "a"})):
            reply = s.lines(f"/v1/{of}/import", [good, {**good, "more": 1}, good, {**good, "extra": 1}, good])
            assert (reply["taken"], reply["refused"]) == (3, 2), reply
            for told, line, field in zip(reply["errors"], (2, 4), ("more", "extra")):
                assert told["line"] == line and told["message"].startswith("1 violation;"), reply
                assert f"/{line}/{field}" in told["message"], reply


def test_what_events_mean_can_be_changed():
    with Service() as s:
        s.post("/v1/events", {"user_id": "a", "item_id": "x", "event": "click"}, want=201)
        s.post("/v1/events", {"user_id": "a", "item_id": "y", "event": "view"}, want=201)
        assert [h["item_id"] for h in s.get("/v1/users/a")["history"]] == ["x"]
        s.put("/v1/settings/events", {"preference": "strengths", "signals": {"views": 3, "wave": 2}})
        assert sorted(h["value"] for h in s.get("/v1/users/a")["history"]) == [1, 3]
        s.post("/v1/events", {"user_id": "a", "item_id": "z", "event": "wave"}, want=201)
        assert s.get("/v1/settings/events")["signals"]["wave"]["weight"] == 2


# ---- models ----


def test_training_beside_the_service_refuses_what_is_worse():
    with serve() as s:
        version = s.get("/v1/status")["model"]
        told = s.train(algorithm="random")
        assert told["result"]["state"] == "refused" and "is worse than" in told["result"]["reason"], told
        assert s.get("/v1/status")["model"] == version
        told = s.train(algorithm="popularity", promote="always")
        assert told["result"]["state"] == "promoted" and s.get("/v1/status")["algorithm"] == "popularity", told
        assert s.get("/v1/recommend/u7")["model"] == told["result"]["version"]
        assert s.post("/v1/models/rollback")["version"] == version
        assert s.get("/v1/recommend/u7")["model"] == version
        states = {m["algorithm"]: m["state"] for m in s.get("/v1/models")["models"]}
        assert states["popularity"] == "retired" and states["random"] == "refused", states
        s.post("/v1/models/" + told["result"]["version"] + "/promote")
        s.get("/v1/models/none", want=404)
        s.post("/v1/models", {"algorithm": "magic"}, want=422)
        s.post("/v1/models", {"params": {"n_factors": -1}}, want=422)
        told = s.wait(s.post("/v1/models/evaluate", {"algorithm": "item-knn"}, want=202)["task_id"])
        assert told["result"]["figures"]["value"] > 0, told
        told = s.wait(s.post("/v1/models/tune", {"algorithm": "item-knn", "trials": 2}, want=202)["task_id"])
        assert told["result"]["best"]["params"], told


def test_the_best_is_taken_when_nobody_says_which():
    # Everybody keeps to one of ten flocks of twelve items, in an order of his own: what goes together is plain.
    rows = "".join(f"u{u},f{u % 10}i{(u * 7 + n * 5) % 12},{1700000000 + n * 1000 + u}\n" for u in range(120) for n in range(8))
    with open("flocks.csv", "w") as out:
        out.write("user_id,item_id,timestamp\n" + rows)
    with Service("--data", "flocks.csv") as s:
        figures = s.status["figures"]
        algorithms = [c["algorithm"] for c in figures["considered"]]
        assert algorithms == ["ials", "hybrid"] and figures["value"] > figures["popularity"], figures
        values = [c["value"] for c in figures["considered"]]
        taken = "hybrid" if values[1] * .95 > values[0] else "ials"
        assert s.status["algorithm"] == taken and figures["value"] == values[taken == "hybrid"], s.status
        asked = s.wait(s.post("/v1/models/evaluate", {}, want=202)["task_id"])["result"]
        assert asked["algorithm"] == taken and asked["figures"]["considered"] == figures["considered"], asked
        told = s.train(algorithm="ials", promote="never")["result"]
        assert "considered" not in told["figures"] and told["params"] == {}, told
    # What does not fit into the memory that there may be does not come into question, and does not keep the start from being.
    subprocess.run([KITH, "data", "generate", "--n-users", "3000", "--n-items", "8000", "--n-interactions", "60000",
                    "--implicit", "--quiet", "--out", "wide.csv"], check=True)
    with Service("--data", "wide.csv", "--memory", "24M") as s:
        assert s.status["algorithm"] == "ials" and len(s.status["figures"]["considered"]) == 1, s.status
    with serve() as s:  # it was said at the start
        assert "considered" not in s.status["figures"] and s.status["algorithm"] == "ials", s.status


def test_a_task_can_be_followed_and_stopped():
    with serve() as s:
        task = s.post("/v1/models", {"params": {"n_factors": 64, "n_epochs": 50}}, want=202)["task_id"]
        c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=30)
        c.request("GET", f"/v1/tasks/{task}/events", headers={"Authorization": "Bearer " + s.key} if s.key else {})
        told = [json.loads(line[6:]) for line in c.getresponse().read().decode().splitlines() if line.startswith("data: ")]
        assert told[-1]["state"] == "done" and len(told) > 1, told
        c.close()
        task = s.post("/v1/models", {"params": {"n_factors": 64, "n_epochs": 10000}}, want=202)["task_id"]
        s.post(f"/v1/tasks/{task}/cancel", want=204)
        assert s.wait(task)["state"] == "canceled"
        s.post(f"/v1/tasks/{task}/cancel", want=409)
        assert len(s.get("/v1/tasks")["tasks"]) == 2


def test_a_shadow_is_compared_and_not_shown():
    with serve("--db", "kith.db", env={"KITH_SERVICE_SHADOW_SHARE": "1"}) as s:
        version = s.train(algorithm="popularity", promote="never")["result"]["version"]
        s.put(f"/v1/shadow/{version}", None)
        for u in range(1, 11):
            assert s.get(f"/v1/recommend/u{u}")["model"] != version
        report = s.get("/v1/shadow")
        assert report["lists"] == 10 and 0 <= report["overlap"] < 1, report
        other = s.train(algorithm="popularity", promote="never")["result"]["version"]
        os.unlink(f"kith.db-models/{other}.kith")               # as keep_models does
        assert "train it again" in s.put(f"/v1/shadow/{other}", None, want=404)["detail"]
        assert s.get("/v1/shadow")["version"] == version        # still
        s.delete("/v1/shadow")
        assert s.get("/v1/shadow")["version"] == ""


def test_scenarios_are_checked_saved_and_run():
    with serve() as s:
        scenario = {"filter": "year < 1960", "n": 4, "pipeline": {"diversity": {"method": "mmr", "column": "genres"}}}
        dry = s.post("/v1/scenarios/dry-run", {"scenario": scenario, "user_id": "u7"})
        s.put("/v1/scenarios/classics", scenario, want=201)
        got = s.get("/v1/recommend/u7?scenario=classics")
        assert [i["item_id"] for i in got["items"]] == [i["item_id"] for i in dry["items"]] and len(got["items"]) == 4
        second = s.put("/v1/scenarios/classics", {**scenario, "n": 2})
        assert len(s.get("/v1/recommend/u7?scenario=classics")["items"]) == 2
        assert s.get("/v1/scenarios")["rows"][0]["seq"] == second["version"]
        wrong = s.put("/v1/scenarios/wrong", {"filter": "yeer < 1960"}, want=422)
        assert "yeer" in wrong["detail"], wrong
        s.delete("/v1/scenarios/classics")
        s.get("/v1/recommend/u7?scenario=classics", want=404)


def test_experiments_split_users_and_report_what_came_of_it():
    experiment = {"variants": [{"name": "plain", "share": 1}, {"name": "old", "share": 1, "scenario": "old"}],
                  "outcome": {"events": ["purchase"], "window_days": 0.001, "attributed": True}}
    with serve() as s:
        assert "no scenario" in s.put("/v1/experiments/home", experiment, want=422)["detail"]
        s.put("/v1/scenarios/old", {"filter": "year < 1960"}, want=201)
        s.put("/v1/experiments/home", experiment, want=201)
        assert "experiment" not in s.get("/v1/recommend/u1")  # a draft changes nothing
        s.post("/v1/experiments/home/start")
        s.put("/v1/experiments/home", experiment, want=409)
        s.put("/v1/experiments/other", experiment, want=201)
        s.post("/v1/experiments/other/start", want=409)
        s.delete("/v1/scenarios/old", want=409)  # half of the users would get nothing
        years = {row["id"]: row["attributes"]["year"] for row in s.get("/v1/items?limit=1000")["rows"]}
        split = {"plain": 0, "old": 0}
        for u in range(60):
            got = s.get(f"/v1/recommend/u{u}?n=3")
            assert got["variant"] == s.get(f"/v1/assignment?user_id=u{u}")["variant"] and got["share"] == 0.5, got
            split[got["variant"]] += 1
            assert got["variant"] == "plain" or all(years[i["item_id"]] < 1960 for i in got["items"]), got
            if got["variant"] == "old":
                s.post("/v1/events", {"user_id": f"u{u}", "item_id": got["items"][0]["item_id"], "event": "purchase",
                                      "rec_id": got["rec_id"]}, want=201)
        assert min(split.values()) >= 15, split  # of 60: below 15 with a chance of 1 in 20,000
        assert "experiment" not in s.get("/v1/recommend/u1?scenario=old")  # who names a scenario is no part of it
        time.sleep(0.5)  # the journal is written within a tenth of a second
        report = s.get("/v1/experiments/home/report")
        plain, old = report["variants"]
        assert plain["users"] == split["plain"] and old["users"] == split["old"] and not report["sample_ratio"]["broken"], report
        assert old["maturing"] == split["old"] and "against_control" in old, report
        s.post("/v1/experiments/home/stop")
        assert "experiment" not in s.get("/v1/recommend/u1")
        s.delete("/v1/experiments/home")
        s.get("/v1/experiments/home", want=404)


# ---- data ----


def test_what_is_exported_can_be_imported_elsewhere():
    with serve() as s:
        s.put("/v1/items/extra", {"attributes": {"title": "Extra", "genres": ["Drama"]}}, want=201)
        text = s.get("/v1/export")
        status = s.get("/v1/status")
        lists = [s.items(f"u{u}") for u in range(5)]
    with Service(*QUICK) as s:
        reply = s.lines("/v1/import", [text])
        assert reply["refused"] == 0 and reply["taken"] == len(text.splitlines()), reply
        again = s.get("/v1/status")
        assert all(again[k] == status[k] for k in ("users", "items", "events")), (again, status)
        assert s.train()["result"]["state"] == "promoted"
        # Trained on the same rows with the item that came last: nearly the same model.
        same = sum(len(set(a) & set(b)) for a, b in zip(lists, [s.items(f"u{u}") for u in range(5)]))
        assert same >= 40, same
        before, after = set(text.splitlines()), set(s.get("/v1/export").splitlines())
        assert before == after, (sorted(before - after)[:3], sorted(after - before)[:3])


def files_with(name):
    found = []
    for folder, _, names in os.walk("."):
        for one in names:
            path = os.path.join(folder, one)
            if one.startswith("viewers"):
                continue
            with open(path, "rb") as f:
                if name.encode() in f.read():
                    found.append(path)
    return found


def test_who_is_deleted_is_nowhere():
    with serve("--db", "kith.db") as s:
        s.put("/v1/users/zarathustra-1", {"attributes": {"note": "mountain-dweller"}}, want=201)
        for item in s.items("u7", n=4):
            s.rate("zarathustra-1", item)
        s.train(promote="always")
        s.post("/v1/recommend", {"user_id": "zarathustra-1", "log": True})
        time.sleep(0.5)  # the journal is written behind the reply
        told = s.get("/v1/users/zarathustra-1/export")
        assert len(told["events"]) == 4 and len(told["journal"]) >= 1, told
        assert files_with("zarathustra-1")
        s.delete("/v1/users/zarathustra-1")
        assert not files_with("zarathustra-1"), files_with("zarathustra-1")
        assert not files_with("mountain-dweller")
        s.get("/v1/users/zarathustra-1", want=404)
        s.delete("/v1/users/zarathustra-1", want=404)
        assert s.post("/v1/recommend", {"user_id": "zarathustra-1"})["basis"] == "popular"
        lists = [s.items(f"u{u}") for u in range(5)]
    with Service("--db", "kith.db") as s:
        assert [s.items(f"u{u}") for u in range(5)] == lists


def test_a_deletion_that_is_killed_is_finished_by_the_next_start():
    """The rows are gone, the model files are not written yet: kill -9 just then."""
    with serve("--db", "kith.db") as s:
        for item in s.items("u7", n=4):
            s.rate("zarathustra-2", item)
        version = s.train(promote="always")["result"]["version"]
    for j in range(60):  # so many files that there is time to kill
        shutil.copy(f"kith.db-models/{version}.kith", f"kith.db-models/copy-{j}.kith")
    assert files_with("zarathustra-2")
    with Service("--db", "kith.db") as s:
        look = sqlite3.connect("file:kith.db?mode=ro", uri=True, isolation_level=None)
        n = lambda: look.execute("select count(*) from users where id = 'zarathustra-2'").fetchone()[0]
        assert n() == 1
        deletion = threading.Thread(target=ask_and_be_cut_off, args=(s, "DELETE", "/v1/users/zarathustra-2"))
        deletion.start()
        while n() == 1:
            pass
        s.stop(signal.SIGKILL)
        deletion.join()
        look.close()
    assert any(".kith" in f for f in files_with("zarathustra-2")), "the deletion was quicker than the kill"
    with Service("--db", "kith.db") as s:
        assert not files_with("zarathustra-2"), files_with("zarathustra-2")
        s.get("/v1/users/zarathustra-2", want=404)
        s.delete("/v1/users/zarathustra-2")  # whoever was not answered asks again
        s.delete("/v1/users/zarathustra-2", want=404)


def ask_and_be_cut_off(s, method, path):
    c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=60)
    try:
        c.request(method, path)
        raise AssertionError(f"{method} {path}: answered {c.getresponse().status} before the kill")
    except (OSError, http.client.HTTPException):
        pass
    finally:
        c.close()


# ---- restarts ----


def test_a_restart_keeps_all_and_reads_nothing_again():
    with serve("--db", "kith.db") as s:
        best = s.items("u7")[0]
        s.rate("u7", best)
        s.put("/v1/items/later", {"attributes": {"title": "Later"}}, want=201)
        s.put("/v1/scenarios/two", {"n": 2}, want=201)
        lists, version = [s.items(f"u{u}") for u in range(5)], s.get("/v1/status")["model"]
    with Service("--db", "kith.db", "--data", "viewers.csv") as s:
        assert not s.status["imported"] and s.status["model"] == version, s.status
        assert [s.items(f"u{u}") for u in range(5)] == lists
        assert best not in s.items("u7", n=100)
        assert s.get("/v1/items/later")["attributes"]["title"] == "Later"
        assert len(s.items("u7", scenario="two")) == 2
        other = subprocess.run([KITH, "serve", "--db", "kith.db", "--port", "-1"], capture_output=True, text=True, timeout=30)
        assert other.returncode == 1 and "kith.db" in other.stderr, other


def write_until_killed(s, worker, acknowledged):
    c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=10)
    j = 0
    try:
        while True:
            j += 1
            name = f"{worker}-{len(acknowledged)}-{j}"
            s.call("POST", "/v1/events", {"user_id": "k" + name, "item_id": "vertigo-1958", "event": "rating", "value": 5},
                   want=201, connection=c)
            acknowledged.append("k" + name)
    except (OSError, http.client.HTTPException):
        pass
    finally:
        c.close()


def test_nothing_acknowledged_is_lost_by_kill_9():
    random.seed(5)
    acknowledged = [[] for _ in range(4)]
    words = ["--db", "kith.db", "--data", data()]
    for _ in range(4):
        with Service(*words) as s:
            threads = [threading.Thread(target=write_until_killed, args=(s, w, acknowledged[w])) for w in range(4)]
            for t in threads:
                t.start()
            time.sleep(0.2 + random.random() * 0.3)
            s.stop(signal.SIGKILL)
            for t in threads:
                t.join()
    with Service(*words) as s:
        there = set()
        after = 0
        while after is not None:
            page = s.get(f"/v1/users?limit=1000&after={after}")
            there |= {r["user"] if "user" in r else r["id"] for r in page["rows"]}
            after = page["next"]
        for names in acknowledged:
            assert names and not set(names) - there, set(names) - there
        name = acknowledged[0][-1]
        assert s.get(f"/v1/users/{name}")["history"][0]["value"] == 5


def test_an_import_that_was_cut_short_begins_anew():
    # 20000 changes are a batch: the first of several is on the disk when the file of the store has grown.
    subprocess.run([KITH, "data", "generate", "--n-users", "2000", "--n-items", "500", "--n-interactions", "200000", "--out",
                    "big.csv", "-q"], check=True)
    process = subprocess.Popen([KITH, "serve", "--db", "kith.db", "--data", "big.csv", "--port", "-1", "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for _ in range(2000):
        if os.path.exists("kith.db-wal") and os.path.getsize("kith.db-wal") > 2000000:
            break
        time.sleep(0.005)
    process.kill()
    process.wait()
    process.stdout.close()
    with Service("--db", "kith.db", "--data", "big.csv", "--model", "popularity") as s:
        assert s.status["events"] == 200000 and s.status["imported"], s.status


# ---- the program ----


def test_settings_come_from_file_environment_and_flags_in_that_order():
    with open("kith.json", "w", encoding="utf-8") as f:
        json.dump({"service": {"lists_kept": 16, "keep_models": 2}, "db": "from-file.db"}, f)
    with Service("--config", "kith.json", env={"KITH_SERVICE_LISTS_KEPT": "17", "KITH_DB": "from-environment.db"}) as s:
        assert os.path.exists("from-environment.db") and not os.path.exists("from-file.db")
        told = s.get("/v1/lists/01920000-0000-7000-8000-000000000000", want=404)
        assert "the last 17" in told["detail"], told
    with Service("--config", "kith.json", "--db", "from-flag.db", env={"KITH_DB": "from-environment.db"}):
        assert os.path.exists("from-flag.db")
    for config, words in (('{"service": {"lists_keptt": 1}}', "lists_kept"), ('{"service": {"cache_mb": 0}}', "cache_mb"),
                          ("{,}", "wrong.json:1"), ("[1]", "one JSON object")):
        with open("wrong.json", "w", encoding="utf-8") as f:
            f.write(config)
        done = subprocess.run([KITH, "serve", "--config", "wrong.json", "--port", "-1"], capture_output=True, text=True,
                              timeout=20)
        assert done.returncode == 2 and words in done.stderr, (config, done)
    for name, value, words in (("PORT", "80a", "want a port"), ("PORT", "0", "want a port"), ("PORT", "70000", "want a port"),
                               ("PORT", "99999999999999999999", "want a port"), ("INSECURE_LOCAL", "yess", "want true or false")):
        done = subprocess.run([KITH, "serve"], capture_output=True, text=True, timeout=20, env={**os.environ, f"KITH_{name}": value})
        assert done.returncode == 2 and f"KITH_{name}: {words}" in done.stderr, done
    done = subprocess.run([KITH, "serve", "--settings"], capture_output=True, text=True, check=True)
    assert "keep_old" in done.stdout and "body_bytes" in done.stdout, done.stdout


def test_nothing_but_health_without_a_key():
    with serve("--db", "kith.db", insecure=False) as s:
        key, s.key = s.key, ""
        assert key, s.status
        s.get("/v1/health/live")
        s.get("/v1/status", want=401)
        s.post("/v1/recommend", {"user_id": "u7"}, want=401)
        s.key = key
        s.get("/v1/status")
    with Service("--db", "kith.db", insecure=False) as s:
        assert s.key == ""  # shown once
        s.get("/v1/status", key=key)


def test_a_key_goes_before_the_deletion_of_its_user_is_over():
    with serve("--db", "kith.db", insecure=False) as s:
        made = s.post("/v1/keys", {"role": "public", "user": "u7"}, want=201)
        s.get("/v1/recommend/u7", key=made["key"])
        os.rename("kith.db-models", "away")
        s.delete("/v1/users/u7", want=503)
        s.get("/v1/recommend/u7", key=made["key"], want=401)
        os.rename("away", "kith.db-models")
        s.delete("/v1/users/u7")


def test_what_was_on_its_way_while_its_user_was_deleted_is_409():
    body = b'{"user_id": "u7", "item_id": "vertigo-1958", "event": "rating", "value": 5}'
    with serve() as s, socket.create_connection(("127.0.0.1", s.port)) as slow:
        slow.sendall(b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                     b"Content-Length: %d\r\n\r\n" % len(body) + body[:10])
        while s.get("/v1/metrics").find("kith_http_in_flight 2") < 0:  # it has begun, and this is the other one
            time.sleep(0.01)
        s.delete("/v1/users/u7")
        slow.sendall(body[10:])
        reply = slow.recv(65536).decode()
        assert reply.startswith("HTTP/1.1 409") and "send it again" in reply, reply


def test_latest_goes_by_the_date_of_an_item_and_then_by_the_file():
    with open("seen.csv", "w", encoding="utf-8") as f:
        f.write("user,item\n" + "".join(f"u{j % 7},{item}\n" for j, item in enumerate("abcdef" * 4)))
    with open("seen.csv.items.csv", "w", encoding="utf-8") as f:
        f.write("item,added\na,2024-05-01\nb,2924-03-01\nc,2024-07-01\nd,\ne,\nf,1931-05-11\n")
    with Service("--data", "seen.csv") as s:
        latest = [item["item_id"] for item in s.get("/v1/latest")["items"]]
        assert latest == ["c", "a", "f", "e", "d", "b"], latest  # e, d and b, which is yet to come, are undated
        s.put("/v1/items/g", {"created": "1970-01-01T00:00:00Z"}, want=(200, 201))
        text = s.get("/v1/export")
        assert [item["item_id"] for item in s.get("/v1/latest?n=3")["items"]] == ["c", "a", "g"]
    with Service() as s:  # dates before 1970 go with what is exported
        assert s.lines("/v1/import", [text])["refused"] == 0
        latest = [item["item_id"] for item in s.get("/v1/latest")["items"]]
        assert latest == ["c", "a", "g", "f", "e", "d", "b"], latest


def test_a_key_that_was_revoked_is_there_no_more():
    with serve(insecure=False) as s:
        other = s.post("/v1/keys", {"role": "admin"}, want=201)
        s.delete(f"/v1/keys/{other['id']}")
        s.delete(f"/v1/keys/{other['id']}", want=404)


def test_a_log_holds_nothing_but_json():
    path = data()
    for _ in range(2):
        with Service("--data", path, *QUICK, "--db", "kith.db") as s:
            s.get("/v1/status")
    with open("log", encoding="utf-8") as log:
        events = [json.loads(line)["event"] for line in log]
    assert "data_not_read" in events, events
    assert events.count("stopped") == 2 and events[-1] == "stopped", events


def test_the_tool_contract_over_http():
    with serve("--seed", "7") as s:
        request = {"recommendation_data": {
            "user_data": [{"user_id": f"U{j}"} for j in range(4)], "item_data": [{"item_id": f"M{j}"} for j in range(5)],
            "interaction_data": [{"user_id": f"U{j % 4}", "item_id": f"M{(j * 3) % 5}", "rating": 1 + j % 5}
                                 for j in range(12)]},
            "recommendation_configuration": {"algorithm_type": "collaborative_filtering"}}
        reply = s.post("/v1/run", request)
        assert not any(untrue in json.dumps(reply) for untrue in ("no service is running", "names no folder")), reply
        assert len(reply["recommendation_results"]["recommendations"]["user_recommendations"]) == 4
        request["recommendation_configuration"]["model_parameters"] = {"method": "ials"}  # begins with random numbers
        with open("request.json", "w", encoding="utf-8") as f:
            json.dump(request, f)
        done = subprocess.run([KITH, "run", "request.json", "--json"], capture_output=True, check=True)
        lists = [r["recommendation_results"]["recommendations"]["user_recommendations"]
                 for r in (json.loads(done.stdout), s.post("/v1/run", request))]
        assert lists[0] == lists[1], lists  # the service has another seed
        request["recommendation_data"]["interaction_data"] = "/etc/passwd"
        wrong = s.post("/v1/run", request, want=422)
        assert wrong["error"]["type"] == "ValidationError", wrong
        assert s.get("/v1/schema/request")["title"]


def test_every_route_is_in_the_document_and_was_called():
    with serve() as s:
        paths = s.get("/v1/openapi.json")["paths"]
        ids = {op["operationId"] for path in paths.values() for op in path.values()}
        assert {"recommend", "add_event", "train_model", "delete_user", "short_recommend", "export"} <= ids, ids
        for path, methods in paths.items():
            for method in methods:
                got = s.call(method.upper(), path.replace("{", "").replace("}", ""),
                             want=(200, 201, 202, 204, 400, 404, 409, 413, 415, 422))
                assert got is not None


with tempfile.TemporaryDirectory() as made:
    class DATA:
        name = made
    subprocess.run([KITH, "data", "generate", "--items", FILMS, "--n-users", "200", "--n-interactions", "6000", "--out",
                    os.path.join(made, "viewers.csv"), "-q"], check=True)
    code = run_cases(globals(), wanted=sys.argv[2:])
sys.exit(code)
