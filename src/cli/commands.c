/* SPDX-License-Identifier: MIT
 * commands.c -- every command of the program, said once
 */
#include "cli/command.h"

#define READ_OPTIONS                                                                               \
    "layout", "skip-bad", "duplicates", "users", "items", "user-column", "item-column",            \
        "value-column", "time-column"

#define ANONYMISE_OPTIONS "key-file", "drop", "keep", "coarsen", "hash-items", "time-step"

const cli_command cli_commands[] = {
    { .name = "models",
      .words = "[NAME]",
      .max_words = 1,
      .summary = "list the algorithms, or the parameters of one",
      .detail = "  kith models\n  kith models ials",
      .run = cmd_models },
    { .name = "metrics",
      .summary = "list the metrics and protocols of evaluation",
      .detail = "  kith metrics",
      .run = cmd_metrics },
    { .name = "data stats",
      .words = "PATH",
      .min_words = 1,
      .max_words = 1,
      .summary = "look at data: counts, values, times, long tail, suspicious things",
      .detail = "  kith data stats ratings.csv",
      .run = cmd_data_stats,
      .options = { READ_OPTIONS, "test", "anonymise", ANONYMISE_OPTIONS } },
    { .name = "data convert",
      .words = "PATH",
      .min_words = 1,
      .max_words = 1,
      .summary = "read data of any layout and write it in another",
      .detail =
          "  kith data convert ml-100k --out ml.kithdata      binary, reads back at once\n"
          "  kith data convert events.ndjson --out events.csv\n"
          "  kith data convert ml-100k --anonymise --key-file key --coarsen age=10 --out open.csv",
      .run = cmd_data_convert,
      .options = { READ_OPTIONS, "test", "out", "to", "force", "anonymise", ANONYMISE_OPTIONS },
      .required = { "out" } },
    { .name = "data generate",
      .summary = "make simulated data, the same for the same seed",
      .detail = "  kith data generate --n-users 100000 --n-items 20000 --n-interactions 5000000 "
                "--out big.kithdata\n"
                "  kith data generate --items sample/films.csv --n-users 2000 --n-interactions "
                "120000 --out viewers.csv\n"
                "Text layouts have the interactions alone; attributes go into OUT.items.csv and "
                "OUT.users.csv beside.",
      .run = cmd_data_generate,
      .options = { "n-users", "n-items", "n-interactions", "rank", "popularity-power", "noise",
                   "implicit", "items", "out", "to", "force" },
      .required = { "out" } },
    { .name = "data anonymise",
      .words = "PATH",
      .min_words = 1,
      .max_words = 1,
      .summary =
          "a copy to hand on: keyed ids, fewer and coarser columns, and the risk that is left",
      .detail = "  head -c 32 /dev/urandom > key\n"
                "  kith data anonymise ml-100k --key-file key --coarsen age=10,zip=2 --time-step "
                "86400 --out open.csv",
      .run = cmd_data_anonymise,
      .options = { READ_OPTIONS, ANONYMISE_OPTIONS, "out", "to", "force" },
      .required = { "out", "key-file" } },
    { .name = "train",
      .summary = "train a model on all of the data and write it to a file",
      .detail = "  kith train --data ratings.csv --model ials -p n_factors=128 --out films.kith",
      .run = cmd_train,
      .options = { "data", "model", "param", "out", "force", READ_OPTIONS, "anonymise",
                   ANONYMISE_OPTIONS },
      .required = { "data", "model", "out" } },
    { .name = "evaluate",
      .summary =
          "how good is a model, or which of several is better: honest figures with intervals",
      .detail =
          "  kith evaluate --data ratings.csv --model popularity,item-knn,ials\n"
          "  kith evaluate --data ml-100k --model funk-svd --protocol kfold:5 --metrics rmse,mae\n"
          "  kith evaluate --train a.csv --test b.csv --model ease --metrics recall@20,ndcg@20 "
          "--json",
      .run = cmd_evaluate,
      .options = { "data", "train", "test", "model", "param", "protocol", "metrics",
                   "relevant-from", "confidence", "per-user", "ties", "metric-style", "negatives",
                   "group-users", "group-items", "calibrate", "force", READ_OPTIONS },
      .required = { "model" } },
    { .name = "tune",
      .summary = "search for better parameters, within a budget of time and trials",
      .detail =
          "  kith tune --data ratings.csv --model ials --budget 60s\n"
          "  kith tune --data ml-100k --model funk-svd --metric rmse -p n_factors=50 --trials 40",
      .run = cmd_tune,
      .options = { "data", "model", "param", "protocol", "metric", "relevant-from", "budget",
                   "trials", READ_OPTIONS },
      .required = { "data", "model" } },
    { .name = "recommend",
      .summary = "the best items for a user, or for somebody who likes some items",
      .detail =
          "  kith recommend --model-file films.kith --user 196 --explain\n"
          "  kith recommend --model-file films.kith --liked 50,181=4,174=4.5 -n 5\n"
          "  kith recommend --model-file films.kith --liked \"Godfather, The\" --liked 50\n"
          "  kith recommend --model-file films.kith --user 196 --filter 'year >= 1990'\n"
          "  kith recommend --model-file films.kith --text \"space documentaries\"\n"
          "  kith recommend --model-file shop.kith --filter 'category = \"laptop\"' "
          "--wish 'price <= 1200' --wish '2: ram >= 16'\n"
          "  kith recommend --model-file films.kith --all-users lists.csv\n"
          "  kith recommend --model-file films.kith --all-users elasticsearch:lists\n\n"
          "An item is named by its id or, where no item has that id, by its title: the whole "
          "of it in any order of words, with or without the year, or some words that only one "
          "title holds.\n\n"
          "--liked takes items between commas; =VALUE after an item is the value it got (else "
          "the best one).  A title with commas wants a --liked of its own, or quotes:\n"
          "  kith recommend --model-file films.kith --liked '\"Godfather, The\"=5,50=4'\n\n"
          "With --json each item has reasons, the items of the history with the largest shares "
          "of its score (below zero: it speaks against the item), and rest, what else makes up "
          "the score.",
      .run = cmd_recommend,
      .options = { "model-file", "user", "liked", "text", "all-users", "number", "exclude",
                   "include-seen", "filter", "wish", "context", "pipeline", "explain", "reasons",
                   "on-unknown", "language", "block", "force" },
      .required = { "model-file" } },
    { .name = "why-not",
      .summary = "why an item is not in somebody's list: seen, filtered by what, or how far below",
      .detail = "  kith why-not --model-file films.kith --user 196 --item \"Godfather, The\"",
      .run = cmd_why_not,
      .options = { "model-file", "user", "liked", "item", "number", "exclude", "include-seen",
                   "filter", "wish", "context", "pipeline", "block", "on-unknown", "language" },
      .required = { "model-file", "item" } },
    { .name = "search",
      .words = "WORDS",
      .min_words = 1,
      .max_words = CLI_MAX_WORDS - 1,
      .summary = "which items are called so: ids and titles",
      .detail = "  kith search --model-file films.kith star wars",
      .run = cmd_search,
      .options = { "model-file", "number" },
      .required = { "model-file" } },
    { .name = "similar",
      .summary = "the items most like one item",
      .detail = "  kith similar --model-file films.kith --item 50\n"
                "  kith similar --model-file films.kith --item \"toy story\"",
      .run = cmd_similar,
      .options = { "model-file", "item", "number", "block" },
      .required = { "model-file", "item" } },
    { .name = "predict",
      .summary = "the rating, or preference, of one user for one item",
      .detail = "  kith predict --model-file films.kith --user 196 --item 302\n\n"
                "An unknown user or item is no failure: the reply says which one is unknown.",
      .run = cmd_predict,
      .options = { "model-file", "user", "item" },
      .required = { "model-file", "user", "item" } },
    { .name = "serve",
      .summary =
          "an HTTP service: lists that know the last event, models trained in the background",
      .detail =
          "  kith serve --data ratings.csv                       in memory, from a file to an API\n"
          "  kith serve --db kith.db --data ratings.csv          the same, kept in kith.db\n"
          "  kith serve --db kith.db --port 80 --host 0.0.0.0 --config kith.json\n"
          "  kith serve --settings                               what the config may hold\n\n"
          "The data is read into an empty store only.  Settings come from the config file, then "
          "from "
          "the environment (KITH_DB, KITH_PORT, KITH_LIMITS_THREADS for {\"limits\": {\"threads\": "
          "...}}), then from the options; later ones win.  On a terminal it says where it answers, "
          "else it writes JSON lines to standard error.  Ctrl-C or SIGTERM lets it finish what it "
          "does.",
      .run = cmd_serve,
      .options = { "data", "db", "port", "host", "config", "model", "param", "insecure-local",
                   "settings", READ_OPTIONS } },
    { .name = "run",
      .words = "REQUEST.json|-",
      .min_words = 1,
      .max_words = 1,
      .summary =
          "serve one request of the tool contract: data and configuration in, lists and figures "
          "out",
      .detail = "  kith run request.json\n"
                "  kith run request.json --tables --out result.json\n"
                "  kith run - < request.json | jq .metadata\n"
                "  kith run request.json --anonymise --key-file key --coarsen age=10\n\n"
                "A terminal gets tables, a pipe or a file gets the result as JSON. Paths in the "
                "request begin at its folder.",
      .run = cmd_run,
      .options = { "out", "tables", "force", "anonymise", ANONYMISE_OPTIONS } },
    { .name = "schema",
      .words = "request|response",
      .min_words = 1,
      .max_words = 1,
      .summary = "print the JSON Schema of the tool contract",
      .detail = "  kith schema request",
      .run = cmd_schema },
    { .name = "store check",
      .words = "DB",
      .min_words = 1,
      .max_words = 1,
      .summary = "read through the store of a service: is it sound, and what is in it",
      .detail = "  kith store check kith.db\n\nMay run beside the service.",
      .run = cmd_store_check },
    { .name = "store backup",
      .words = "DB",
      .min_words = 1,
      .max_words = 1,
      .summary = "copy a store as it is at one moment, while it is in use or not",
      .detail = "  kith store backup kith.db --out monday.db",
      .run = cmd_store_backup,
      .options = { "out", "force" },
      .required = { "out" } },
    { .name = "store export",
      .words = "DB",
      .min_words = 1,
      .max_words = 1,
      .summary = "write all that a store holds as lines of JSON",
      .detail = "  kith store export kith.db --out all.ndjson",
      .run = cmd_store_export,
      .options = { "out", "force" },
      .required = { "out" } },
    { .name = "store import",
      .words = "DB FILE",
      .min_words = 2,
      .max_words = 2,
      .summary = "read lines of JSON that were exported into a store, new or not",
      .detail = "  kith store import new.db all.ndjson\n\nThe service must not run meanwhile. A "
                "line that is wrong ends it; what came before is kept.",
      .run = cmd_store_import },
    { .name = "completion",
      .words = "bash|zsh|fish",
      .min_words = 1,
      .max_words = 1,
      .summary = "print a completion script for a shell",
      .detail = "  source <(kith completion bash)",
      .run = cmd_completion },
    { .name = "version",
      .summary = "version and what it was built with",
      .detail = "  kith version --json",
      .run = cmd_version },
};

const int cli_n_commands = sizeof cli_commands / sizeof cli_commands[0];
