"""tmdb.py -- the TMDB catalogue as rows of plain columns, for the benches that read it"""
import csv
import gzip
import json
import os

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def data_folder():
    """Where the published data sets are: $KITH_DATASETS, else ../shared/data."""
    return os.environ.get("KITH_DATASETS") or os.path.join(ROOT, "..", "shared", "data")


def names(cell):
    return [entry["name"] for entry in json.loads(cell or "[]")]


def films():
    """One dict per film: id, title, overview, tagline, genres, keywords, companies (lists)."""
    csv.field_size_limit(1 << 24)
    with gzip.open(os.path.join(data_folder(), "tmdb", "tmdb_5000_movies.csv.gz"), "rt", encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            yield {"id": row["id"], "title": row["title"], "overview": " ".join(row["overview"].split()),
                   "tagline": " ".join(row["tagline"].split()), "genres": names(row["genres"]),
                   "keywords": names(row["keywords"]), "companies": names(row["production_companies"])}


def write_catalogue(path, header, rows):
    """PATH with one event per item, PATH.items.csv with their attributes; sets have '|' between."""
    rows = list(rows)
    with open(path, "w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows([["user", "item"]] + [["someone", row[0]] for row in rows])
    with open(path + ".items.csv", "w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows([header] + [["|".join(c) if isinstance(c, list) else c for c in row] for row in rows])
