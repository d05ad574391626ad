/* SPDX-License-Identifier: MIT
 * commands.c -- every command of the program, said once
 */
#include "cli/command.h"

#define READ_OPTIONS                                                                               \
    "layout", "skip-bad", "duplicates", "users", "items", "user-column", "item-column",            \
        "value-column", "time-column"

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
      .options = { READ_OPTIONS, "test" } },
    { .name = "data convert",
      .words = "PATH",
      .min_words = 1,
      .max_words = 1,
      .summary = "read data of any layout and write it in another",
      .detail = "  kith data convert ml-100k --out ml.kithdata      binary, reads back at once\n"
                "  kith data convert events.ndjson --out events.csv",
      .run = cmd_data_convert,
      .options = { READ_OPTIONS, "test", "out", "to" },
      .required = { "out" } },
    { .name = "data generate",
      .summary = "make simulated data, the same for the same seed",
      .detail = "  kith data generate --n-users 100000 --n-items 20000 --n-interactions 5000000 "
                "--out big.kithdata\n"
                "  kith data generate --items sample/films.csv --n-users 2000 --n-interactions "
                "120000 --out viewers.csv",
      .run = cmd_data_generate,
      .options = { "n-users", "n-items", "n-interactions", "rank", "popularity-power", "noise",
                   "implicit", "items", "out", "to" },
      .required = { "out" } },
    { .name = "train",
      .summary = "train a model on all of the data and write it to a file",
      .detail = "  kith train --data ratings.csv --model ials -p n_factors=128 --out films.kith",
      .run = cmd_train,
      .options = { "data", "model", "param", "out", READ_OPTIONS },
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
                   "relevant-from", "confidence", "per-user", READ_OPTIONS },
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
      .detail = "  kith recommend --model-file films.kith --user 196 --explain\n"
                "  kith recommend --model-file films.kith --liked 50,181,174 -n 5\n"
                "  kith recommend --model-file films.kith --all-users lists.csv",
      .run = cmd_recommend,
      .options = { "model-file", "user", "liked", "all-users", "number", "exclude", "include-seen",
                   "explain", "on-unknown" },
      .required = { "model-file" } },
    { .name = "similar",
      .summary = "the items most like one item",
      .detail = "  kith similar --model-file films.kith --item 50",
      .run = cmd_similar,
      .options = { "model-file", "item", "number" },
      .required = { "model-file", "item" } },
    { .name = "predict",
      .summary = "the rating, or preference, of one user for one item",
      .detail = "  kith predict --model-file films.kith --user 196 --item 302",
      .run = cmd_predict,
      .options = { "model-file", "user", "item" },
      .required = { "model-file", "user", "item" } },
    { .name = "run",
      .words = "REQUEST.json|-",
      .min_words = 1,
      .max_words = 1,
      .summary =
          "serve one request of the tool contract: data and configuration in, lists and figures "
          "out",
      .detail = "  kith run request.json --out result.json\n  kith run - < request.json",
      .run = cmd_run,
      .options = { "out" } },
    { .name = "schema",
      .words = "request|response",
      .min_words = 1,
      .max_words = 1,
      .summary = "print the JSON Schema of the tool contract",
      .detail = "  kith schema request",
      .run = cmd_schema },
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
