#!/usr/bin/env python3
"""Tracking in MLflow.  Usage: test_mlflow.py PATH-TO-KITH [ENVIRONMENT]

ENVIRONMENT is a folder made by test/mlflow/setup.sh: with it the real_* tests run against the real server in it, and ask
MLflow's own client what arrived (`make test-mlflow`).  The test_* functions run always, against a small server that notes
what is asked and answers as told: they are about what a real server does not do when it is asked to (refuse, hang, race).
"""
import base64
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from cases import run as run_cases

KITH = os.path.abspath(sys.argv[1])
VENV = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else None
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

with open(KITH, "rb") as program:
    BUILT_WITHOUT = b"built without an HTTP client" in program.read()


def request(**more):
    """Forty users of two tastes."""
    rows = [{"user_id": f"u{u}", "item_id": f"i{i}", "rating": 4 + (u + i) % 2 if u % 2 == i % 2 else 1 + (u + i) // 2 % 2}
            for u in range(40) for i in range(20) if (u * 7 + i * 3) % 5 < 3]
    body = {"recommendation_data": {"user_data": [], "item_data": [], "interaction_data": rows},
            "recommendation_configuration": {"algorithm_type": "collaborative_filtering", "recommendation_count": 5},
            "training_configuration": {"train_test_split": 0.8}, **more}
    with open("request.json", "w", encoding="utf-8") as f:
        json.dump(body, f)
    return "request.json"


def small():
    with open("small.csv", "w", encoding="utf-8") as f:
        f.write("user,item,rating\n" + "".join(f"u{u},i{i},{1 + (u + i) % 5}\n" for u in range(40) for i in range(20)
                                                if (u * 7 + i * 3) % 5 < 3))
    return "small.csv"


def kith(uri, *words, code=0, **environment):
    env = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    env.update(MLFLOW_TRACKING_URI=uri, no_proxy="127.0.0.1", **environment)
    done = subprocess.run([KITH, *words], capture_output=True, text=True, env=env)
    assert done.returncode == code, f"kith {' '.join(words)}: exit {done.returncode}, want {code}\n{done.stderr}{done.stdout}"
    return done


def tracked(uri, **environment):
    result = json.loads(kith(uri, "run", request(), "--quiet", **environment).stdout)
    assert result["recommendation_results"]["recommendations"]["user_recommendations"], "a run is never less for tracking"
    return result, result["metadata"].get("tracking")


# ---- a server that notes what is asked

class Recorder(http.server.ThreadingHTTPServer):
    """answers: {call: (status, object) or a list of them, one for each time}; calls: what was asked, in order."""

    def __init__(self, **answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls, self.headers = [], []
        self.answers = {"experiments/get-by-name": (200, {"experiment": {"experiment_id": "7", "lifecycle_stage": "active"}}),
                        "runs/create": (200, {"run": {"info": {"run_id": "r1"}}}),
                        "runs/log-batch": (200, {}), "runs/update": (200, {})}
        self.answers.update({name.replace("__", "/").replace("_", "-"): value for name, value in answers.items()})
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """A client that hangs up in the middle of a long answer is meant to."""

    def names(self):
        return [name for name, _ in self.calls]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = self.path.split("?")[0].removeprefix("/api/2.0/mlflow/")
        self.server.calls.append((name, json.loads(body) if body else self.path))
        self.server.headers.append(dict(self.headers))
        said = self.server.answers[name]
        status, value = said.pop(0) if isinstance(said, list) else said
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def test_without_a_server_nothing_is_said():
    assert tracked("")[1] is None


def test_what_is_asked_of_the_server():
    server = Recorder()
    result, told = tracked(server.url + "/", MLFLOW_EXPERIMENT_NAME="größe & more", MLFLOW_TRACKING_USERNAME="ann",
                           MLFLOW_TRACKING_PASSWORD="p:w")
    assert told == {"logged": True, "server": server.url, "experiment": "größe & more", "experiment_id": "7", "run_id": "r1"}
    assert server.names() == ["experiments/get-by-name", "runs/create", "runs/log-batch", "runs/update"], server.names()
    assert server.calls[0][1].endswith("?experiment_name=gr%C3%B6%C3%9Fe%20%26%20more"), server.calls[0]
    assert {h["Authorization"] for h in server.headers} == {"Basic " + base64.b64encode(b"ann:p:w").decode()}
    batch = server.calls[2][1]
    metrics = {m["key"]: m["value"] for m in batch["metrics"]}
    figures = {k: v for section in result["recommendation_results"]["model_evaluation"].values() for k, v in section.items()}
    assert figures and all(abs(metrics[k] - v) < 1e-9 for k, v in figures.items()), (metrics, figures)  # printed to 12 digits
    assert any(k.startswith("cross_validation.ndcg_at_5") for k in metrics), metrics
    assert len(batch["params"]) <= 100 and all(len(p["value"]) <= 500 for p in batch["params"])
    assert {"key": "data.interaction_count", "value": "480"} in batch["params"], batch["params"]
    assert server.calls[3][1]["status"] == "FINISHED" and server.calls[3][1]["end_time"] >= server.calls[1][1]["start_time"]


def test_a_token_is_sent_as_one():
    server = Recorder()
    assert tracked(server.url, MLFLOW_TRACKING_TOKEN="abc")[1]["logged"]
    assert {h["Authorization"] for h in server.headers} == {"Bearer abc"}


def test_an_experiment_is_made_once_even_when_two_begin_at_once():
    missing = (404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"})
    found = (200, {"experiment": {"experiment_id": "8", "lifecycle_stage": "active"}})
    server = Recorder(experiments__get_by_name=[missing], experiments__create=(200, {"experiment_id": "9"}))
    assert tracked(server.url)[1]["experiment_id"] == "9"
    late = (400, {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "late"})
    server = Recorder(experiments__get_by_name=[missing, found], experiments__create=late)
    assert tracked(server.url)[1]["experiment_id"] == "8"
    server = Recorder(experiments__get_by_name=(200, {"experiment": {"experiment_id": "8", "lifecycle_stage": "deleted"}}))
    assert "was deleted" in tracked(server.url)[1]["reason"]


def test_what_goes_wrong_is_told_and_the_run_is_whole():
    for answers, words in [({"runs__create": (500, b"<html>oops")}, "status 500"),
                           ({"runs__create": (200, {"run": 5})}, "without run_id"),
                           ({"runs__create": (200, b"[]")}, "runs/create"),
                           ({"runs__log_batch": (400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "too much"})},
                            "INVALID_PARAMETER_VALUE too much"),
                           ({"experiments__get_by_name": (403, {"error_code": "PERMISSION_DENIED"})}, "PERMISSION_DENIED"),
                           ({"runs__create": (200, b"x" * (5 << 20))}, "longer than")]:
        server = Recorder(**answers)
        told = tracked(server.url)[1]
        assert told["logged"] is False and words in told["reason"], (told, words)
        assert ("runs/update" in server.names()) == ("runs__log_batch" in answers), server.names()
    assert "http(s)://" in tracked("sqlite:///x.db")[1]["reason"]
    told = tracked("http://ann:secret@127.0.0.1:1")[1]
    assert "MLFLOW_TRACKING_USERNAME" in told["reason"] and "secret" not in json.dumps(told)


def test_nobody_there_and_nobody_answering():
    with socket.socket() as deaf:  # takes connections, and says nothing
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(5)
        port = deaf.getsockname()[1]
        began = time.monotonic()
        told = tracked(f"http://127.0.0.1:{port}")[1]
        assert told["logged"] is False and "timed out" in told["reason"], told
        assert 9 < time.monotonic() - began < 20  # once 10 s, not once for every call
    told = tracked(f"http://127.0.0.1:{port}")[1]
    assert "connect" in told["reason"].lower(), told


def test_a_failed_run_is_told_to_have_failed():
    server = Recorder()
    bad = request(recommendation_configuration={"algorithm_type": "graph_based", "model_parameters": {"method": "friends"}})
    done = kith(server.url, "run", bad, "--quiet", code=1)
    assert json.loads(done.stdout)["error"]["type"] == "DataInsufficientError" and "friends needs" in done.stderr
    assert server.calls[-1][1]["status"] == "FAILED"
    assert {"key": "kith.error", "value": "DataInsufficientError"} in server.calls[2][1]["tags"], server.calls[2]
    server = Recorder()
    kith(server.url, "run", request(recommendation_configuration={"algorithm_type": "magic"}), "--quiet", code=1)
    assert server.calls == [], "what is no sound request is no run"


def test_evaluations_and_tuning_are_logged_too():
    server = Recorder()
    done = kith(server.url, "evaluate", "--data", small(), "--model", "popularity,item-knn", "--json")
    assert json.loads(done.stdout)["models"] and done.stderr.count("run r1") == 2, done.stderr
    assert [c[1]["run_name"] for c in server.calls if c[0] == "runs/create"] == ["popularity", "item-knn"]
    server = Recorder()
    kith(server.url, "tune", "--data", small(), "--model", "item-knn", "--trials", "3")
    batch = [c[1] for c in server.calls if c[0] == "runs/log-batch"][0]
    assert {"key": "n_trials", "value": "3"} in batch["params"], batch
    assert {"ndcg_at_10", "default.ndcg_at_10", "trial.ndcg_at_10"} <= {m["key"] for m in batch["metrics"]}, batch


# ---- the real server

LOOK = """
import json, sys
from mlflow.tracking import MlflowClient
c = MlflowClient(sys.argv[1])
print(json.dumps([{"experiment": e.name, "name": r.info.run_name, "status": r.info.status, "id": r.info.run_id,
                   "ended": r.info.end_time >= r.info.start_time, "params": r.data.params, "metrics": r.data.metrics,
                   "tags": r.data.tags, "trials": len(c.get_metric_history(r.info.run_id, "trial.ndcg_at_10"))}
                  for e in c.search_experiments() for r in c.search_runs([e.experiment_id])]))
"""


class Server:
    def __enter__(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.url, self.folder = f"http://127.0.0.1:{self.port}", tempfile.mkdtemp()
        self.env = {**os.environ, "HOME": self.folder, "no_proxy": "127.0.0.1", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.process = subprocess.Popen(
            [os.path.join(VENV, "bin", "python"), "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port),
             "--workers", "1", "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db", "--artifacts-destination",
             self.folder + "/artifacts"], cwd=self.folder, env=self.env, stdout=self.log, stderr=self.log, start_new_session=True)
        for _ in range(600):
            time.sleep(0.5)
            assert self.process.poll() is None, f"the server ended: {self.folder}/log"
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as s:
                    s.sendall(b"GET /version HTTP/1.0\r\n\r\n")
                    if b" 200 " in s.recv(100):
                        return self
            except OSError:
                pass
        raise AssertionError(f"the server does not answer: {self.folder}/log")

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)  # the session that was started above
        self.process.wait()

    def runs(self):
        done = subprocess.run([os.path.join(VENV, "bin", "python"), "-c", LOOK, self.url], capture_output=True, text=True,
                              env=self.env, cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def real_runs_are_listed_by_the_client_of_mlflow():
    with Server() as server:
        result, told = tracked(server.url)
        assert told["logged"] and told["experiment"] == "kith", told
        assert tracked(server.url, MLFLOW_EXPERIMENT_NAME="Größe & mehr")[1]["logged"]
        bad = request(recommendation_configuration={"algorithm_type": "graph_based", "model_parameters": {"method": "friends"}})
        kith(server.url, "run", bad, "--quiet", code=1)
        done = kith(server.url, "evaluate", "--data", small(), "--model", "popularity,item-knn")
        assert done.stderr.count("logged in MLflow") == 2, done.stderr
        kith(server.url, "tune", "--data", small(), "--model", "item-knn", "--trials", "3")
        runs = server.runs()
    first = next(r for r in runs if r["id"] == told["run_id"])
    info = result["recommendation_results"]["model_info"]
    assert first["status"] == "FINISHED" and first["ended"] and first["name"] == "ials", first
    assert first["tags"]["model_id"] == info["model_id"] and first["tags"]["kith.version"] == result["metadata"]["version"]
    assert first["params"]["n_factors"] == str(info["training_parameters"]["n_factors"])
    assert first["params"]["data.user_count"] == "40", first["params"]
    for section in result["recommendation_results"]["model_evaluation"].values():
        for name, value in section.items():
            assert abs(first["metrics"][name] - value) < 1e-9, (name, value)  # printed to 12 digits
    for name, value in info["model_performance"]["cross_validation"]["metrics"].items():
        assert abs(first["metrics"]["cross_validation." + name.replace("@", "_at_")] - value["mean"]) < 1e-9, name
    assert {r["experiment"] for r in runs if r["params"]} == {"kith", "Größe & mehr"}
    failed = [r for r in runs if r["status"] == "FAILED"]
    assert len(failed) == 1 and failed[0]["tags"]["kith.error"] == "DataInsufficientError", failed
    assert {r["name"] for r in runs if r["tags"]["kith.command"] == "evaluate"} == {"popularity", "item-knn"}
    tuned = [r for r in runs if r["tags"]["kith.command"] == "tune"]
    assert len(tuned) == 1 and tuned[0]["trials"] >= 1 and "ndcg_at_10" in tuned[0]["metrics"], tuned


def main():
    if BUILT_WITHOUT:
        print("skipped: kith was built without libcurl\n0 passed, 0 failed")
        return False
    has_server = VENV is not None and os.path.exists(os.path.join(VENV, "bin", "mlflow"))
    if VENV is not None and not has_server:
        print(f"skipped: real_*, there is no MLflow server in {VENV}")
    return run_cases(globals(), ("test_", "real_") if has_server else ("test_",))


sys.exit(main())
