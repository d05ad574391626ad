"""kith_side.py -- kith serve as bench/gorse.py meets it: its defaults, and the calls of its REST API"""
import csv
import json
import os
import time


class Kith:
    name = "kith"

    def __init__(self, program, folder, tools, words=()):
        self.program, self.folder, self.tools, self.words = program, folder, tools, list(words)
        self.watched = self.wire = self.headers = self.port = self.task = None

    def settings(self):
        return "kith serve --db FOLDER/kith.db" + "".join(" " + w for w in self.words) + "\n\n(the defaults)"

    def start(self):
        self.watched = self.tools.watched([self.program, "serve", "--db", os.path.join(self.folder, "kith.db"), "--port", "-1", "--json",
                                           *self.words], self.folder, says=True)
        line = self.watched.process.stdout.readline()
        if not line:
            with open(os.path.join(self.folder, "log"), errors="replace") as f:
                raise RuntimeError("kith serve does not start: " + f.read()[-600:])
        told = json.loads(line)
        self.port, self.headers = told["port"], {"Authorization": "Bearer " + told["key"]}
        self.wire = self.tools.wire(self.port, self.headers)

    def put_films(self, films):
        self.wire.call("POST", "/v1/items/import", "".join(json.dumps(
            {"item_id": f["id"], "attributes": {"title": f["title"], "year": f["year"], "genres": f["genres"]}}) + "\n" for f in films),
            "application/x-ndjson")

    def put_ratings(self, rows):
        self.wire.call("POST", "/v1/events/bulk", {"events": [
            {"user_id": u, "item_id": i, "event": "rating", "value": v, "time": t} for u, i, v, t in rows]})

    def train(self):
        self.task = self.wire.call("POST", "/v1/models", {})["task_id"]

    def is_personal(self, user):
        """A list of one's own, by the model that has learnt from all that was given."""
        return self.is_over() and self.wire.call("GET", self.list_path(user, 1))["basis"] == "user"

    def is_over(self):
        told = self.wire.call("GET", f"/v1/tasks/{self.task}")
        if told["state"] in ("failed", "canceled"):
            raise RuntimeError(f"kith's training {told['state']}: {told}")
        return told["state"] == "done"

    def finish(self):
        if self.tools.until(self.is_over, 1200, 0.05) is None:
            raise RuntimeError("kith's training does not end within 20 minutes")

    def list_path(self, user, n):
        return f"/v1/recommend/{user}?n={n}"

    def recommend(self, user, n):
        return [item["item_id"] for item in self.wire.call("GET", self.list_path(user, n))["items"]]

    def said_after_load(self):
        told = self.wire.call("GET", "/v1/status")
        return {"from_cache": told["lists_from_cache"] / max(1, told["lists"]), "algorithm": told.get("algorithm"),
                "figures": told.get("figures")}

    def variants(self):
        return [("its defaults", None)]


def from_file(program, folder, data, tools):
    """The same ratings and films from files: seconds from the start of the process to a list of one's own."""
    where = os.path.join(folder, "file")
    os.mkdir(where)
    path = os.path.join(where, "ratings.csv")
    with open(path, "w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows([("user", "item", "rating", "timestamp")] + [(u, i, v, t) for t, u, i, v in data.train])
    with open(path + ".items.csv", "w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows([("item", "title", "year", "genres")] +
                                [(m["id"], m["title"], m["year"], "|".join(m["genres"])) for m in data.films])
    side = Kith(program, where, tools, ["--data", path])
    begun = time.monotonic()
    side.start()
    try:
        told = {"ready": time.monotonic() - begun, "basis": side.wire.call("GET", side.list_path(data.one, 1))["basis"]}
        told["first_list"] = time.monotonic() - begun
    finally:
        side.watched.stop()
    return told
