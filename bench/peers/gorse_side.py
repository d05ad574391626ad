"""gorse_side.py -- Gorse as bench/gorse.py meets it: its configuration, and the calls of its REST API

The configuration is the one that Gorse documents (config/config.toml of the module) where that speaks of models, with what its own
client for MovieLens has (client/config.toml): a rating is read, from 4 on it is positive; `popular` is the leaderboard.  No film
has an embedding, so item-to-item goes by common users.  n_jobs is the number of processors, as in its playground.  SQLite keeps both data
and cache, as is the default of gorse-in-one.  Differences, and why:

    optimize_period = "0s"   (its default; the documented file says 360m)  the search for hyper-parameters takes ten more trainings
    fit_period = "60m"       (default) and a pass is ordered by saving the settings, as its dashboard does, once all data are there

The second variant leaves the ranker out and lists what matrix factorisation says; whoever it does not know gets what is popular.
"""
import collections
import os
import time

Tools = collections.namedtuple("Tools", "watched wire free_port until")
KEY = "beside"

TOML = """
[database]
data_store = "sqlite://{folder}/data.db"
cache_store = "sqlite://{folder}/cache.db"
[master]
host = "127.0.0.1"
port = {grpc}
http_host = "127.0.0.1"
http_port = {port}
n_jobs = {jobs}
[server]
api_key = "{key}"
default_n = 10
auto_insert_user = true
auto_insert_item = true
[recommend]
cache_size = 100
cache_expire = "72h"
context_size = 100
[recommend.data_source]
positive_feedback_types = ["rating>=4"]
read_feedback_types = ["rating"]
[[recommend.non-personalized]]
name = "popular"
score = "len(feedback)"
[[recommend.item-to-item]]
name = "neighbors"
type = "users"
[[recommend.user-to-user]]
name = "neighbors"
type = "items"
[recommend.collaborative]
type = "mf"
fit_period = "60m"
fit_epoch = 100
optimize_period = "0s"
[recommend.collaborative.early_stopping]
patience = 10
[recommend.ranker]
type = "fm"
recommenders = ["latest", "collaborative", "non-personalized/popular", "item-to-item/neighbors", "user-to-user/neighbors"]
fit_period = "60m"
fit_epoch = 100
optimize_period = "0s"
[recommend.ranker.early_stopping]
patience = 10
[recommend.fallback]
recommenders = ["item-to-item/neighbors", "latest"]
[blob]
uri = "{folder}/blob"
[openai]
log_file = "{folder}/openai.log"
"""


class Gorse:
    name = "Gorse"

    def __init__(self, program, folder, tools):
        self.program, self.folder, self.tools = program, folder, tools
        self.port, self.grpc, self.watched = tools.free_port(), tools.free_port(), None
        self.headers = {"X-API-Key": KEY}
        self.wire, self.admin = tools.wire(self.port, self.headers), tools.wire(self.port, self.headers)
        self.ordered = None
        self.text = TOML.format(folder=folder, port=self.port, grpc=self.grpc, jobs=os.cpu_count(), key=KEY)

    def settings(self):
        return self.text.replace(self.folder, "FOLDER")

    def start(self):
        with open(os.path.join(self.folder, "config.toml"), "w", encoding="ascii") as f:
            f.write(self.text)
        self.watched = self.tools.watched([self.program, "-c", "config.toml", "--cache-path", self.folder], self.folder,
                                          env={"HOME": self.folder})
        if self.tools.until(self.is_ready, 60, 0.02) is None:
            raise RuntimeError("Gorse does not become ready: " + self.last_words())

    def last_words(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as f:
            return f.read()[-600:]

    def is_ready(self):
        if self.watched.process.poll() is not None:
            raise RuntimeError("Gorse has ended: " + self.last_words())
        try:
            return bool(self.wire.call("GET", "/api/health/ready"))
        except (OSError, RuntimeError):
            return False

    def put_films(self, films):
        self.wire.call("POST", "/api/items", [
            {"ItemId": f["id"], "IsHidden": False, "Categories": f["genres"], "Timestamp": f"{f['year']}-01-01T00:00:00Z",
             "Labels": {"genres": f["genres"]}, "Comment": f["title"]} for f in films])

    def put_ratings(self, rows):
        self.wire.call("PUT", "/api/feedback", [
            {"FeedbackType": "rating", "UserId": u, "ItemId": i, "Value": v, "Timestamp": t} for u, i, v, t in rows])

    # -- a pass: load, neighbours, models, lists of all users; ordered by saving the settings --

    def train(self):
        self.save(self.admin.call("GET", "/api/dashboard/config"))

    def save(self, config):
        self.ordered = time.time()
        self.admin.call("POST", "/api/dashboard/config", config)

    def is_personal(self, user):
        return bool(self.wire.call("GET", f"/api/collaborative-filtering/{user}?n=1"))

    def finish(self):
        if self.tools.until(self.is_over, 1200, 0.2) is None:
            raise RuntimeError("Gorse's pass does not end within 20 minutes")

    def is_over(self):
        """The last step of a pass is to collect garbage; one that was begun after the order must have ended."""
        for task in self.admin.call("GET", "/api/dashboard/tasks"):
            if task["Name"] == "Collect Garbage in Cache" and task["Status"] == "Complete":
                begun = task["StartTime"][:19]
                return begun > time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.ordered)) or seconds(task["StartTime"]) > self.ordered
        return False

    def list_path(self, user, n):
        return f"/api/recommend/{user}?n={n}"

    def recommend(self, user, n):
        return self.wire.call("GET", self.list_path(user, n))

    def said_after_load(self):
        return {}

    def variants(self):
        return [("as documented, with its ranker", None), ("matrix factorisation alone", self.without_ranker)]

    def without_ranker(self):
        config = self.admin.call("GET", "/api/dashboard/config")
        ranker = config["recommend"]["ranker"]
        ranker["type"], ranker["recommenders"] = "none", ["collaborative"]
        config["recommend"]["fallback"]["recommenders"] = ["non-personalized/popular"]
        self.save(config)
        self.finish()


def seconds(text):
    """Of 2026-11-30T12:00:00.123456789Z, or with an offset; only the fraction matters after what is compared before."""
    import datetime
    whole, rest = text[:19], text[19:]
    digits = "".join(c for c in rest.split("Z")[0].split("+")[0].split("-")[0] if c.isdigit())[:6] or "0"
    zone = rest[-6:] if rest[-6:-5] in "+-" and ":" in rest[-6:] else "+00:00"
    return datetime.datetime.fromisoformat(f"{whole}.{digits.ljust(6, '0')}{zone}").timestamp()
