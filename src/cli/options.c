/* SPDX-License-Identifier: MIT
 * options.c -- every option of the program, said once
 */
#include "cli/command.h"

#include <stddef.h>
#include <string.h>

#define AT(field) offsetof(cli_args, field)

const cli_option cli_options[] = {
    { "help", 'h', CLI_FLAG, AT(help), NULL, "show the help of the command", NULL, 0, 0 },
    { "json", 0, CLI_FLAG, AT(json), NULL, "print one JSON object on standard output, nothing else",
      NULL, 0, 0 },
    { "quiet", 'q', CLI_FLAG, AT(quiet), NULL, "no progress and no notes, only results and errors",
      NULL, 0, 0 },
    { "seed", 0, CLI_WHOLE, AT(seed), "N", "every random choice follows from it (42)", NULL, 0,
      9e15 },
    { "threads", 0, CLI_WHOLE, AT(threads), "N", "worker threads (one per processor)", NULL, 0,
      256 },
    { "memory", 0, CLI_BYTES, AT(memory), "SIZE",
      "refuse what needs more, such as 8G (all there is)", NULL, 0, 0 },

    { "data", 'd', CLI_TEXT, AT(data), "PATH",
      "ratings or events: a file or folder of any known layout", "file", 0, 0 },
    { "train", 0, CLI_TEXT, AT(train), "FILE",
      "the training part, with --test, for protocol predefined", "file", 0, 0 },
    { "test", 0, CLI_TEXT, AT(test), "FILE", "the test part, of protocol predefined", "file", 0,
      0 },
    { "layout", 0, CLI_TEXT, AT(layout), "NAME", "layout of the data (detected)", "layout", 0, 0 },
    { "skip-bad", 0, CLI_WHOLE, AT(skip_bad), "N", "skip and count up to N malformed lines (0)",
      NULL, 0, 9e15 },
    { "duplicates", 0, CLI_CHOICE, AT(duplicates), "POLICY",
      "what becomes of repeated pairs: auto, last, first, sum, mean, max, error (auto)",
      "auto last first sum mean max error", 0, 0 },
    { "users", 0, CLI_TEXT, AT(users_file), "FILE", "attributes of users (found beside the data)",
      "file", 0, 0 },
    { "items", 0, CLI_TEXT, AT(items_file), "FILE", "attributes of items (found beside the data)",
      "file", 0, 0 },
    { "user-column", 0, CLI_TEXT, AT(user_column), "NAME",
      "column that holds the user (the usual names)", NULL, 0, 0 },
    { "item-column", 0, CLI_TEXT, AT(item_column), "NAME", "column that holds the item", NULL, 0,
      0 },
    { "value-column", 0, CLI_TEXT, AT(value_column), "NAME",
      "column that holds the rating or count", NULL, 0, 0 },
    { "time-column", 0, CLI_TEXT, AT(time_column), "NAME", "column that holds the time", NULL, 0,
      0 },
    { "out", 'o', CLI_TEXT, AT(out), "FILE", "file to write", "file", 0, 0 },
    { "force", 0, CLI_FLAG, AT(force), NULL, "replace a file that is there, whatever it holds",
      NULL, 0, 0 },
    { "to", 0, CLI_CHOICE, AT(to), "LAYOUT", "binary, csv, tsv or ndjson (by the ending of --out)",
      "binary csv tsv ndjson", 0, 0 },
    { "n-users", 0, CLI_WHOLE, AT(n_users), "N", "users (1000)", NULL, 1, 2e9 },
    { "n-items", 0, CLI_WHOLE, AT(n_items), "N", "items (500)", NULL, 1, 2e9 },
    { "n-interactions", 0, CLI_WHOLE, AT(n_interactions), "N", "interactions (50000)", NULL, 1,
      1e12 },
    { "rank", 0, CLI_WHOLE, AT(rank), "N", "planted rank of the tastes (8)", NULL, 1, 256 },
    { "popularity-power", 0, CLI_NUMBER, AT(popularity_power), "X",
      "item popularity falls as rank^-X (0.8)", NULL, 0.001, 10 },
    { "noise", 0, CLI_NUMBER, AT(noise), "X", "standard deviation beyond the planted tastes (0.5)",
      NULL, 0.001, 100 },
    { "implicit", 0, CLI_FLAG, AT(implicit), NULL,
      "events without values instead of ratings 1 to 5", NULL, 0, 0 },
    { "key-file", 0, CLI_TEXT, AT(key_file), "FILE",
      "16 to 64 secret bytes: the same key gives the same names", "file", 0, 0 },
    { "drop", 0, CLI_WORDS, AT(drop), "COLUMN[,...]", "leave out these columns of users", NULL, 0,
      0 },
    { "keep", 0, CLI_WORDS, AT(keep), "COLUMN[,...]",
      "keep these columns of users though they are free text", NULL, 0, 0 },
    { "coarsen", 0, CLI_WORDS, AT(coarsen), "COLUMN=STEP[,...]",
      "numbers in steps (age=10), words by letters (zip=3), times by day, month or year "
      "(born=year)",
      NULL, 0, 0 },
    { "hash-items", 0, CLI_FLAG, AT(hash_items), NULL, "item ids become keyed hashes too", NULL, 0,
      0 },
    { "time-step", 0, CLI_WHOLE, AT(time_step), "SECONDS", "times of events in steps (86400: days)",
      NULL, 1, 1e10 },

    { "model", 'm', CLI_WORDS, AT(models), "NAME[,NAME...]",
      "which algorithm; `kith models` lists them", "model", 0, 0 },
    { "param", 'p', CLI_EACH, AT(params), "KEY=VALUE",
      "a parameter; again for more; ials.reg=0.1 speaks to one model", NULL, 0, 0 },
    { "protocol", 0, CLI_TEXT, AT(protocol), "P",
      "kfold:5, holdout:0.8, temporal:0.8, leave-one-out, predefined, predefined:u1, strong:0.8 "
      "(predefined with a test part, else temporal with times, else holdout)",
      "kfold:5 holdout:0.8 temporal:0.8 leave-one-out predefined strong:0.8", 0, 0 },
    { "metrics", 0, CLI_TEXT, AT(metrics), "LIST",
      "such as rmse,recall@20,ndcg@20 (those that fit the data)", "metric", 0, 0 },
    { "relevant-from", 0, CLI_NUMBER, AT(relevant_from), "X",
      "test items with at least this value count as relevant", NULL, 0, 0 },
    { "confidence", 0, CLI_NUMBER, AT(confidence), "X", "of the intervals (0.95)", NULL, 0.5,
      0.9999 },
    { "per-user", 0, CLI_TEXT, AT(per_user), "FILE", "write each user's values there as CSV",
      "file", 0, 0 },
    { "ties", 0, CLI_TEXT, AT(ties), "HOW",
      "equal scores: index (in order of the items) or average (over all their orders) (index)",
      "index average", 0, 0 },
    { "metric-style", 0, CLI_TEXT, AT(metric_style), "NAME",
      "metrics as kith, implicit, recbole, surprise, lenskit or cornac define them (kith)",
      "kith implicit recbole surprise lenskit cornac", 0, 0 },
    { "negatives", 0, CLI_TEXT, AT(negatives), "N[:popular]",
      "rank among N sampled items instead of the whole catalogue", NULL, 0, 0 },
    { "group-users", 0, CLI_TEXT, AT(group_users), "COLUMN",
      "quality by group of users, such as gender", NULL, 0, 0 },
    { "group-items", 0, CLI_TEXT, AT(group_items), "COLUMN",
      "exposure and quality by group of items, such as genres", NULL, 0, 0 },
    { "calibrate", 0, CLI_TEXT, AT(calibrate), "COLUMN",
      "the column of items that calibration@k is of (genres, category, or the first)", NULL, 0, 0 },

    { "metric", 0, CLI_TEXT, AT(metrics), "NAME", "what is made better (ndcg@10)", NULL, 0, 0 },
    { "budget", 0, CLI_SECONDS, AT(budget), "TIME", "most time, such as 90s, 10m or 2h (60s)", NULL,
      0, 0 },
    { "trials", 0, CLI_WHOLE, AT(trials), "N", "most settings tried (20)", NULL, 1, 10000 },

    { "model-file", 'f', CLI_TEXT, AT(model_file), "FILE", "a model that `kith train` wrote",
      "file", 0, 0 },
    { "user", 'u', CLI_TEXT, AT(user), "ID", "for this user", NULL, 0, 0 },
    { "all-users", 0, CLI_TEXT, AT(users), "FILE",
      "the lists of every user, as CSV, into this file", "file", 0, 0 },
    { "item", 'i', CLI_TEXT, AT(item), "ITEM", "for this item: its id or its title", NULL, 0, 0 },
    { "liked", 'l', CLI_EACH, AT(liked), "ITEM[=VALUE][,...]",
      "for somebody new who likes these items (and gave them these values); again for more", NULL,
      0, 0 },
    { "exclude", 'x', CLI_EACH, AT(exclude), "ITEM[,...]", "never these items; again for more",
      NULL, 0, 0 },
    { "number", 'n', CLI_WHOLE, AT(n), "N", "how many (10)", NULL, 1, 100000 },
    { "include-seen", 0, CLI_FLAG, AT(include_seen), NULL,
      "items of the history may be recommended", NULL, 0, 0 },
    { "explain", 'e', CLI_FLAG, AT(explain), NULL,
      "say why; with --json also the items of the history with the largest shares of the score",
      NULL, 0, 0 },
    { "reasons", 0, CLI_WHOLE, AT(reasons), "N", "explain with so many items of the history (3)",
      NULL, 1, 1000 },
    { "on-unknown", 0, CLI_CHOICE, AT(on_unknown), "WHAT",
      "an unknown user gets popular items, or an error (popular)", "popular error", 0, 0 },
};

const int cli_n_options = sizeof cli_options / sizeof cli_options[0];

const char *const cli_common_options[] = { "json",   "quiet", "seed", "threads",
                                           "memory", "help",  NULL };

const cli_option *cli_find_option(const char *name)
{
    for (int j = 0; j < cli_n_options; j++)
        if (strcmp(cli_options[j].name, name) == 0) return &cli_options[j];
    return NULL;
}
