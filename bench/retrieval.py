#!/usr/bin/env python3
"""retrieval.py -- known-item search over the TMDB catalogue: tf-idf, BM25, LSA and their fusion

usage: bench/retrieval.py [FACTORS]

A query is a text that was held out of the index; the one right answer is the film that it was taken from.
  tagline     query: the tagline;  index: title, overview, genres, keywords
  sentence    query: the last sentence of an overview of two or more;  index: title, the rest of it, genres, keywords
  keywords    query: title and keywords;  index: the overview alone
Every way of searching ranks all 4,803 films.  Needs the data (KITH_DATASETS) and bench_retrieval in BUILD or build.
"""
import os
import re
import subprocess
import sys
import tempfile

from tmdb import ROOT, films, write_catalogue


def tagline(film):
    return film["tagline"], [film["id"], film["title"], film["overview"], film["genres"], film["keywords"]]


def sentence(film):
    parts = re.split(r"(?<=[.!?])\s+", film["overview"])
    whole = [film["id"], film["title"], film["overview"], film["genres"], film["keywords"]]
    if len(parts) < 2:
        return "", whole
    return parts[-1], whole[:2] + [" ".join(parts[:-1])] + whole[3:]


def keywords(film):
    query = film["title"] + " " + ", ".join(film["keywords"]) if film["overview"] and film["keywords"] else ""
    return query, [film["id"], film["overview"]]


PROTOCOLS = [(tagline, ["item", "title", "overview", "genres", "keywords"]),
             (sentence, ["item", "title", "overview", "genres", "keywords"]), (keywords, ["item", "overview"])]


def main():
    program = os.path.join(ROOT, os.environ.get("BUILD", "build"), "bench", "bench_retrieval")
    with tempfile.TemporaryDirectory() as folder:
        events, queries = os.path.join(folder, "films.csv"), os.path.join(folder, "queries.tsv")
        for protocol, header in PROTOCOLS:
            made = [protocol(film) for film in films()]
            write_catalogue(events, header, [row for _, row in made])
            with open(queries, "w", encoding="utf-8") as f:
                f.writelines(f"{row[0]}\t{query}\n" for query, row in made if query.strip())
            print(f'"{protocol.__name__}"', flush=True)
            subprocess.run([program, events, queries] + sys.argv[1:], check=True)


if __name__ == "__main__":
    main()
