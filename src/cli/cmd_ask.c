/* SPDX-License-Identifier: MIT
 * cmd_ask.c -- kith recommend, similar, predict
 */
#include "base/outfile.h" /* lists of all users */
#include "cli/command.h"
#include "cli/console.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REASONS = 3 };

/* ---- lists
 * ----------------------------------------------------------------------------------------------------
 */

static json_t *item_json(const kith_item *item, int rank)
{
    json_t *o = json_pack("{s:i, s:s, s:s?, s:f}", "rank", rank, "item_id", item->item_id, "title",
                          item->title, "score", item->score);
    if (item->reason == NULL) return o;
    json_t *reasons = json_array();
    for (int r = 0; r < item->n_reasons; r++)
        json_array_append_new(reasons,
                              json_pack("{s:s, s:s?, s:f}", "item_id", item->reasons[r].item_id,
                                        "title", item->reasons[r].title, "contribution",
                                        item->reasons[r].contribution));
    json_object_set_new(o, "reason", json_string(item->reason));
    json_object_set_new(o, "reasons", reasons);
    return o;
}

static cli_exit print_list_json(const kith_list *list, const char *asked, const char *id)
{
    json_t *items = json_array();
    for (int j = 0; j < list->n; j++)
        json_array_append_new(items, item_json(&list->items[j], j + 1));
    return cli_print_object(json_pack("{s:o, s:s, s:o, s:o}", asked, cli_json_text(id), "basis",
                                      list->basis, "note", cli_json_text(list->note), "items",
                                      items));
}

static void print_list(const kith_list *list)
{
    int titles = 0, reasons = 0;
    for (int j = 0; j < list->n; j++) {
        titles |= list->items[j].title != NULL;
        reasons |= list->items[j].reason != NULL;
    }
    char columns[8];
    snprintf(columns, sizeof columns, "rl%sr%s", titles ? "L" : "", reasons ? "L" : "");
    cli_table *t = cli_table_new(columns);
    cli_table_cell(t, "#");
    cli_table_cell(t, "item");
    if (titles) cli_table_cell(t, "title");
    cli_table_cell(t, "score");
    if (reasons) cli_table_cell(t, "why");
    for (int j = 0; j < list->n; j++) {
        const kith_item *item = &list->items[j];
        cli_table_cell(t, "%d", j + 1);
        cli_table_cell(t, "%s", item->item_id);
        if (titles) cli_table_cell(t, "%s", item->title == NULL ? "" : item->title);
        cli_table_cell(t, "%.4f", item->score);
        if (reasons) cli_table_cell(t, "%s", item->reason == NULL ? "" : item->reason);
    }
    cli_table_print(t);
    cli_table_free(t);
}

static cli_exit tell_list(const cli_args *a, const kith_list *list, const char *asked,
                          const char *id)
{
    if (a->json) return print_list_json(list, asked, id);
    if (list->note[0] != '\0' && !a->quiet) fprintf(stderr, "note: %s\n", list->note);
    if (list->n > 0)
        print_list(list);
    else if (strcmp(list->basis, "item") == 0)
        puts("the model finds no item similar to it");
    else
        puts("nothing is left to recommend");
    return CLI_DONE;
}

/* ---- recommend
 * ------------------------------------------------------------------------------------------------
 */

static void put(ki_outfile *to, const char *text)
{
    ki_outfile_put(to, text, strlen(text));
}

/* One field of a CSV row, quoted where it must be. */
static void put_field(ki_outfile *to, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        put(to, text);
        return;
    }
    put(to, "\"");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"') put(to, "\"");
        ki_outfile_put(to, c, 1);
    }
    put(to, "\"");
}

static void put_row(ki_outfile *to, const char *user_id, int rank, const char *item_id, float score)
{
    char number[48];
    put_field(to, user_id);
    snprintf(number, sizeof number, ",%d,", rank);
    put(to, number);
    put_field(to, item_id);
    snprintf(number, sizeof number, ",%.9g\n", (double)score);
    put(to, number);
}

struct lists { /* of all users: rows of n, counts[u] of row u are valid */
    int n;
    int32_t *items, *counts;
    float *scores;
};

/* The file appears whole or not at all. */
static cli_exit write_lists(const char *path, const kith_model *m, const struct lists *l)
{
    ki_outfile *to = NULL;
    kith_err err = ki_outfile_open(path, &to);
    if (err != KITH_OK) return cli_fail(err);
    put(to, "user_id,rank,item_id,score\n");
    for (int32_t u = 0; u < kith_model_n_users(m) && !ki_outfile_failed(to); u++)
        for (int r = 0; r < l->counts[u]; r++) {
            const size_t at = (size_t)u * (size_t)l->n + (size_t)r;
            put_row(to, kith_model_user_id(m, u), r + 1, kith_model_item_id(m, l->items[at]),
                    l->scores[at]);
        }
    err = ki_outfile_commit(to);
    return err == KITH_OK ? CLI_DONE : cli_fail(err);
}

static cli_exit rank_all(const cli_args *a, kith *k, const kith_model *m, const struct lists *l)
{
    const double began = cli_seconds();
    const kith_err err = kith_recommend_batch(k, m, NULL, kith_model_n_users(m), l->n, l->items,
                                              l->scores, l->counts);
    const double spent = cli_seconds() - began;
    if (err != KITH_OK) return cli_fail(err);
    const cli_exit code = write_lists(a->users, m, l);
    if (code != CLI_DONE) return code;
    if (a->json)
        printf("{\"users\": %d, \"n\": %d, \"topk_seconds\": %.6f}\n", kith_model_n_users(m), l->n,
               spent);
    else if (!a->quiet)
        printf("%s lists of %d, made in %.2f s, written to %s\n", cli_count(kith_model_n_users(m)),
               l->n, spent, a->users);
    return CLI_DONE;
}

static cli_exit recommend_all(const cli_args *a, kith *k, const kith_model *m)
{
    const size_t n_users = (size_t)kith_model_n_users(m);
    struct lists l = { .n = a->n > 0 ? (int)a->n : 10 };
    l.items = malloc(n_users * (size_t)l.n * sizeof *l.items);
    l.scores = malloc(n_users * (size_t)l.n * sizeof *l.scores);
    l.counts = malloc(n_users * sizeof *l.counts);
    const int short_of = l.items == NULL || l.scores == NULL || l.counts == NULL;
    const cli_exit code =
        short_of ? cli_complain(CLI_FAILED, "out of memory for %zu lists of %d", n_users, l.n)
                 : rank_all(a, k, m, &l);
    free(l.items);
    free(l.scores);
    free(l.counts);
    return code;
}

static cli_exit recommend_one(const cli_args *a, kith *k, const kith_model *m)
{
    const kith_query q = {
        .user = a->user,
        .liked = a->liked.n > 0 ? a->liked.at : NULL,
        .n_liked = a->liked.n,
        .text = a->text,
        .n = (int)a->n,
        .exclude = a->exclude.at,
        .n_exclude = a->exclude.n,
        .include_seen = a->include_seen,
        .n_reasons = a->explain ? MOST_REASONS : 0,
        .on_unknown = a->on_unknown != NULL && strcmp(a->on_unknown, "error") == 0
                          ? KITH_UNKNOWN_ERROR
                          : KITH_UNKNOWN_POPULAR,
    };
    kith_list *list = NULL;
    const kith_err err = kith_recommend(k, m, &q, &list);
    if (err != KITH_OK) return cli_fail(err);
    const cli_exit code = tell_list(a, list, "user", a->user);
    kith_list_free(list);
    return code;
}

cli_exit cmd_recommend(const cli_args *a, kith *k)
{
    kith_model *m = NULL;
    const int ways = (a->user != NULL) + (a->liked.n > 0) + (a->users != NULL);
    if (ways > 1 || (ways == 0 && a->text == NULL))
        return cli_complain(CLI_USAGE,
                            "recommend wants one of --user ID, --liked ID,ID or --all-users FILE, "
                            "or --text WORDS");
    if (a->users != NULL &&
        (a->text != NULL || a->exclude.n > 0 || a->include_seen || a->explain || a->on_unknown))
        return cli_complain(CLI_USAGE,
                            "--all-users writes plain lists: it takes no --text, --exclude, "
                            "--include-seen, --explain or --on-unknown");
    if (a->on_unknown != NULL && strcmp(a->on_unknown, "error") != 0 &&
        strcmp(a->on_unknown, "popular") != 0)
        return cli_complain(CLI_USAGE, "--on-unknown %s: want popular or error", a->on_unknown);
    const kith_err err = kith_model_load(k, a->model_file, &m);
    if (err != KITH_OK) return cli_fail(err);
    const cli_exit code = a->users != NULL ? recommend_all(a, k, m) : recommend_one(a, k, m);
    kith_model_free(m);
    return code;
}

/* ---- similar, predict
 * ----------------------------------------------------------------------------------------- */

cli_exit cmd_similar(const cli_args *a, kith *k)
{
    kith_model *m = NULL;
    kith_list *list = NULL;
    cli_exit code;
    kith_err err = kith_model_load(k, a->model_file, &m);
    if (err != KITH_OK) return cli_fail(err);
    err = kith_similar(k, m, a->item, a->n > 0 ? (int)a->n : 10, &list);
    code = err != KITH_OK ? cli_fail(err) : tell_list(a, list, "item", a->item);
    kith_list_free(list);
    kith_model_free(m);
    return code;
}

static cli_exit tell_prediction(const cli_args *a, const kith_prediction *p)
{
    if (a->json)
        return cli_print_object(json_pack("{s:o, s:o, s:f, s:f, s:b, s:b}", "user",
                                          cli_json_text(a->user), "item", cli_json_text(a->item),
                                          "value", p->value, "raw", p->raw, "is_rating",
                                          p->is_rating, "is_fallback", p->is_fallback));
    printf("%s of user %s for item %s: %.3f\n", p->is_rating ? "rating" : "preference", a->user,
           a->item, p->value);
    if (p->value != p->raw) printf("before clipping to the rating scale: %.3f\n", p->raw);
    if (p->is_fallback)
        puts("nothing in the data supports an estimate for this pair: this is a mean");
    return CLI_DONE;
}

cli_exit cmd_predict(const cli_args *a, kith *k)
{
    kith_model *m = NULL;
    kith_prediction p;
    kith_err err = kith_model_load(k, a->model_file, &m);
    if (err != KITH_OK) return cli_fail(err);
    err = kith_predict(k, m, a->user, a->item, &p);
    kith_model_free(m);
    return err == KITH_OK ? tell_prediction(a, &p) : cli_fail(err);
}
