/* SPDX-License-Identifier: MIT
 * all_users.c -- kith recommend --all-users: the lists of everybody as one CSV, or in an index
 */
#include "base/file.h"    /* which names are no files */
#include "base/outfile.h" /* the file appears whole or not at all */
#include "cli/command.h"
#include "cli/console.h"

#include <stdlib.h>

static void put_row(ki_outfile *to, const char *user_id, int rank, const char *item_id, float score)
{
    char number[48];
    ki_outfile_field(to, user_id, ',');
    snprintf(number, sizeof number, ",%d,", rank);
    ki_outfile_text(to, number);
    ki_outfile_field(to, item_id, ',');
    snprintf(number, sizeof number, ",%.9g\n", (double)score);
    ki_outfile_text(to, number);
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
    ki_outfile_text(to, "user_id,rank,item_id,score\n");
    for (int32_t u = 0; u < kith_model_n_users(m) && !ki_outfile_failed(to); u++)
        for (int r = 0; r < l->counts[u]; r++) {
            const size_t at = (size_t)u * (size_t)l->n + (size_t)r;
            put_row(to, kith_model_user_id(m, u), r + 1, kith_model_item_id(m, l->items[at]),
                    l->scores[at]);
        }
    err = ki_outfile_commit(to);
    return err == KITH_OK ? CLI_DONE : cli_fail(err);
}

static cli_exit tell_written(const cli_args *a, const kith_model *m, const struct lists *l,
                             double spent)
{
    if (a->json)
        printf("{\"users\": %d, \"n\": %d, \"topk_seconds\": %.6f}\n", kith_model_n_users(m), l->n,
               spent);
    else if (!a->quiet)
        printf("%s lists of %d, made in %.2f s, written to %s\n", cli_count(kith_model_n_users(m)),
               l->n, spent, a->users);
    return CLI_DONE;
}

/* What the server says of the documents; one that it refused is a list that is missing. */
static cli_exit tell_sent(const cli_args *a, const struct lists *l, json_t *report, double spent)
{
    const int64_t refused = json_integer_value(json_object_get(report, "refused"));
    const int64_t documents = json_integer_value(json_object_get(report, "documents"));
    cli_exit code = CLI_DONE;
    cli_progress_clear();
    if (refused > 0)
        code = cli_complain(CLI_FAILED, "%s at %s refused %s of %s lists; the first, of user %s",
                            a->users, json_string_value(json_object_get(report, "server")),
                            cli_count(refused), cli_count(refused + documents),
                            json_string_value(json_object_get(report, "first_refused")));
    if (!a->json && !a->quiet)
        printf("%s lists of %d, made in %.2f s, written to %s at %s\n", cli_count(documents), l->n,
               spent, a->users, json_string_value(json_object_get(report, "server")));
    if (a->json) {
        json_object_set_new(report, "n", json_integer(l->n));
        json_object_set_new(report, "topk_seconds", json_real(spent));
        return cli_print_object(report) == CLI_DONE ? code : CLI_FAILED;
    }
    json_decref(report);
    return code;
}

static cli_exit send_lists(const cli_args *a, kith *k, const kith_model *m, const struct lists *l,
                           double spent)
{
    char *text = NULL;
    const kith_batch batch = { .n_users = kith_model_n_users(m),
                               .n = l->n,
                               .items = l->items,
                               .scores = l->scores,
                               .counts = l->counts };
    const kith_err err = kith_batch_send(k, m, &batch, a->users, a->force, &text);
    if (err != KITH_OK) return cli_fail(err);
    json_t *report = json_loads(text, 0, NULL);
    kith_string_free(text);
    return tell_sent(a, l, report, spent);
}

static cli_exit rank_all(const cli_args *a, kith *k, const kith_model *m, const struct lists *l)
{
    kith_block *block = NULL;
    cli_exit code = cli_read_block(a, m, &block);
    if (code != CLI_DONE) return code;
    const double began = cli_seconds();
    const kith_err err = kith_recommend_batch_without(k, m, NULL, kith_model_n_users(m), l->n,
                                                      block, l->items, l->scores, l->counts);
    const double spent = cli_seconds() - began;
    kith_block_free(block);
    if (err != KITH_OK) return cli_fail(err);
    if (!ki_source_is_file(a->users)) return send_lists(a, k, m, l, spent);
    code = write_lists(a->users, m, l);
    return code == CLI_DONE ? tell_written(a, m, l, spent) : code;
}

cli_exit cli_recommend_all(const cli_args *a, kith *k, const kith_model *m)
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
