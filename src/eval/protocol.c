/* SPDX-License-Identifier: MIT
 * protocol.c -- the table of protocols, how each labels the log, and how a name is read
 *
 * Randomness  One seeded Fisher-Yates shuffle of the rows (or of the users) per protocol, so sizes
 *             are exact: the folds of kfold differ by one row at most.
 * Time        Rows are ordered by (time, place in the file), so tied times keep file order.
 * Test file   Rows that a reader marked as test belong to `predefined` alone; every other protocol
 *             leaves them out, so that tuning on a part of the training rows never sees them.
 */
#include "eval/protocol.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NEEDS_TIMES = 1, NEEDS_TEST_ROWS = 2 };
enum { STREAM_ROWS = 0x70726f74, STREAM_USERS, STREAM_HISTORIES }; /* of the seed */

struct cut { /* what a protocol labels */
    const kith_data *d;
    const ki_protocol *p;
    uint64_t seed;
    int64_t n;     /* rows in play */
    int64_t *rows; /* [n], rising */
    uint8_t *label;
};

struct ki_protocol_desc {
    const char *name;
    const char *argument; /* what the number after the colon is; NULL: there is none */
    double init, min, max;
    int whole; /* the argument is a whole number, and it is the number of folds */
    unsigned needs;
    const char *summary;
    kith_err (*label)(struct cut *c);
};

/* ---- labelling
 * ---------------------------------------------------------------------------------------------------
 */

static int64_t share_of(int64_t n, double share)
{
    return (int64_t)floor((double)n * share + 1e-9); /* 0.8 * 5 is 4 in spite of binary 0.8 */
}

static void shuffle(int64_t *x, int64_t n, uint64_t seed, uint64_t stream, uint64_t position)
{
    ki_rng rng = ki_rng_make(seed, stream, position);
    ki_rng_shuffle(&rng, x, n);
}

static void label_ends(struct cut *c)
{
    const int64_t n_train = share_of(c->n, c->p->argument);
    for (int64_t j = 0; j < c->n; j++)
        c->label[c->rows[j]] = j < n_train ? KI_PART_TRAIN : KI_PART_TEST;
}

static kith_err label_kfold(struct cut *c)
{
    const int64_t folds = (int64_t)c->p->argument;
    if (c->n < folds)
        return ki_fail(KITH_EDATA, "%s needs at least %lld interactions, and there are %lld",
                       c->p->text, (long long)folds, (long long)c->n);
    shuffle(c->rows, c->n, c->seed, STREAM_ROWS, 0);
    for (int64_t j = 0; j < c->n; j++)
        c->label[c->rows[j]] = (uint8_t)(KI_PART_FOLD + j * folds / c->n);
    return KITH_OK;
}

static kith_err label_holdout(struct cut *c)
{
    shuffle(c->rows, c->n, c->seed, STREAM_ROWS, 0);
    label_ends(c);
    return KITH_OK;
}

struct moment {
    int64_t time, row;
};

static int earlier(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static kith_err label_temporal(struct cut *c)
{
    struct moment *m = NULL;
    const kith_err err = ki_alloc(&m, (size_t)c->n, sizeof *m);
    if (err != KITH_OK) return err;
    for (int64_t j = 0; j < c->n; j++)
        m[j] = (struct moment){ c->d->log.time[c->rows[j]], c->rows[j] };
    qsort(m, (size_t)c->n, sizeof *m, earlier);
    for (int64_t j = 0; j < c->n; j++) c->rows[j] = m[j].row;
    label_ends(c);
    ki_free(m);
    return KITH_OK;
}

static kith_err label_leave_one_out(struct cut *c)
{
    const ki_log *log = &c->d->log;
    int64_t *last = NULL, *count = NULL; /* [n_users] */
    kith_err err = ki_alloc(&last, (size_t)c->d->users.n, sizeof *last);
    if (err == KITH_OK) err = ki_alloc(&count, (size_t)c->d->users.n, sizeof *count);
    if (err != KITH_OK) goto done;
    for (int64_t j = 0; j < c->n; j++) {
        const int64_t row = c->rows[j];
        const int32_t u = log->user[row];
        c->label[row] = KI_PART_TRAIN;
        if (count[u]++ == 0 || log->time == NULL || log->time[row] >= log->time[last[u]])
            last[u] = row;
    }
    for (int32_t u = 0; u < c->d->users.n; u++)
        if (count[u] > 1) c->label[last[u]] = KI_PART_TEST;
done:
    ki_free(last);
    ki_free(count);
    return err;
}

static kith_err label_predefined(struct cut *c)
{
    const ki_log *log = &c->d->log;
    for (int64_t row = 0; row < log->n; row++)
        c->label[row] = log->test[row] ? KI_PART_TEST : KI_PART_TRAIN;
    return KITH_OK;
}

/* Of a held-out user's n rows a fifth, and at least one, is tested; a user of one row is not. */
static int64_t n_tested(int64_t n)
{
    return n < 2 ? 0 : KI_MAX(n / 5, (int64_t)1);
}

/* rows is grouped by user, ptr[u]..ptr[u + 1); users[0..n_train) are trained on. */
static void label_users(struct cut *c, const int64_t *ptr, int64_t *rows, const int64_t *users,
                        int64_t n, int64_t n_train)
{
    for (int64_t j = 0; j < n; j++) {
        const int64_t u = users[j], len = ptr[u + 1] - ptr[u];
        if (j >= n_train) shuffle(rows + ptr[u], len, c->seed, STREAM_HISTORIES, (uint64_t)u);
        for (int64_t t = 0; t < len; t++)
            c->label[rows[ptr[u] + t]] = j < n_train         ? KI_PART_TRAIN
                                         : t < n_tested(len) ? KI_PART_TEST
                                                             : KI_PART_HISTORY;
    }
}

static kith_err label_strong(struct cut *c)
{
    const ki_log *log = &c->d->log;
    const int32_t n_users = c->d->users.n;
    int64_t *ptr = NULL, *rows = NULL, *users = NULL, n = 0;
    kith_err err = ki_alloc(&ptr, (size_t)n_users + 2, sizeof *ptr);
    if (err == KITH_OK) err = ki_alloc(&rows, (size_t)c->n, sizeof *rows);
    if (err == KITH_OK) err = ki_alloc(&users, (size_t)n_users, sizeof *users);
    if (err != KITH_OK) goto done;
    for (int64_t j = 0; j < c->n; j++) ptr[log->user[c->rows[j]] + 2]++;
    for (int32_t u = 0; u < n_users; u++) {
        if (ptr[u + 2] > 0) users[n++] = u;
        ptr[u + 2] += ptr[u + 1];
    } /* ptr[u + 1] is where u begins; filling moves it to where u ends */
    for (int64_t j = 0; j < c->n; j++) rows[ptr[log->user[c->rows[j]] + 1]++] = c->rows[j];
    shuffle(users, n, c->seed, STREAM_USERS, 0);
    label_users(c, ptr, rows, users, n, share_of(n, c->p->argument));
done:
    ki_free(ptr);
    ki_free(rows);
    ki_free(users);
    return err;
}

/* ---- the table
 * ---------------------------------------------------------------------------------------------------
 */

static const ki_protocol_desc protocols[] = {
    { "kfold", "number of folds", 5, 2, KI_MAX_FOLDS, 1, 0,
      "cross-validation: rows are dealt at random into folds; each is tested once with all others "
      "as training",
      label_kfold },
    { "holdout", "share of rows trained on", 0.8, 0.01, 0.99, 0, 0,
      "rows are drawn at random, whoever they belong to", label_holdout },
    { "temporal", "share of rows trained on", 0.8, 0.01, 0.99, 0, NEEDS_TIMES,
      "one cut in time for everybody: the earliest rows are trained on, the latest tested; tied "
      "times keep file order",
      label_temporal },
    { "leave-one-out", NULL, 0, 0, 0, 0, 0,
      "each user's last row by time (by place in the file without times) is tested; users with one "
      "row only train; other users' later rows are seen in training",
      label_leave_one_out },
    { "predefined", NULL, 0, 0, 0, 0, NEEDS_TEST_ROWS,
      "the split that the data came with: a test file, or the variant of a layout, as in "
      "predefined:u1 of "
      "movielens-100k:u1",
      label_predefined },
    { "strong", "share of users trained on", 0.8, 0.01, 0.99, 0, 0,
      "held-out users are absent from training; four fifths of their rows, drawn at random, are "
      "the history that the model is asked with, the rest is tested",
      label_strong },
};

static kith_err no_such(const char *text)
{
    char names[256] = "";
    size_t used = 0;
    for (size_t j = 0; j < KI_COUNT(protocols); j++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s%s", j > 0 ? ", " : "",
                                 protocols[j].name, protocols[j].argument != NULL ? ":N" : "");
    return ki_fail(KITH_EINVAL, "there is no protocol \"%.64s\"; want one of: %s", text, names);
}

static kith_err bad_argument(const ki_protocol_desc *desc, const char *text)
{
    return ki_fail(KITH_EINVAL, "protocol \"%.64s\": the %s must be %s from %g to %g, as in %s:%g",
                   text, desc->argument, desc->whole ? "a whole number" : "a number", desc->min,
                   desc->max, desc->name, desc->init);
}

static kith_err parse_argument(ki_protocol *p, const char *text, const char *colon)
{
    const ki_protocol_desc *desc = p->desc;
    snprintf(p->text, sizeof p->text, "%s", text);
    if (desc->argument == NULL) {
        if (colon == NULL || (desc->needs & NEEDS_TEST_ROWS)) return KITH_OK;
        return ki_fail(KITH_EINVAL, "protocol \"%.64s\": %s takes nothing after a colon", text,
                       desc->name);
    }
    p->argument = desc->init;
    if (colon == NULL) {
        snprintf(p->text, sizeof p->text, "%s:%g", desc->name, desc->init);
        return KITH_OK;
    }
    char *end;
    p->argument = strtod(colon + 1, &end);
    if (end == colon + 1 || *end != '\0' || !(p->argument >= desc->min) ||
        !(p->argument <= desc->max) || (desc->whole && p->argument != floor(p->argument)))
        return bad_argument(desc, text);
    return KITH_OK;
}

/* "predefined:u1" wants data that was read as variant u1 of its layout. */
static kith_err check_variant(const ki_protocol *p, const char *colon, const kith_data *d)
{
    const char *has = strchr(d->report.layout, ':');
    if (colon == NULL || (has != NULL && strcmp(has, colon) == 0)) return KITH_OK;
    return ki_fail(KITH_EDATA, "%s: %s was read as %s; read it with the layout movielens-100k%s",
                   p->text, d->source, d->report.layout[0] != '\0' ? d->report.layout : "memory",
                   colon);
}

static const char *usual(const kith_data *d)
{
    if (d->log.test != NULL) return "predefined";
    return d->log.time != NULL ? "temporal" : "holdout";
}

kith_err ki_protocol_parse(ki_protocol *out, const char *text, const kith_data *d)
{
    ki_protocol p = { 0 };
    if (text == NULL || text[0] == '\0') text = usual(d);
    const char *colon = strchr(text, ':');
    const size_t n = colon == NULL ? strlen(text) : (size_t)(colon - text);
    for (size_t j = 0; j < KI_COUNT(protocols) && p.desc == NULL; j++)
        if (strlen(protocols[j].name) == n && strncmp(protocols[j].name, text, n) == 0)
            p.desc = &protocols[j];
    if (p.desc == NULL) return no_such(text);
    kith_err err = parse_argument(&p, text, colon);
    if (err != KITH_OK) return err;
    if ((p.desc->needs & NEEDS_TIMES) && d->log.time == NULL)
        return ki_fail(KITH_EDATA, "%s needs times, and %s has none; use holdout or kfold", p.text,
                       d->source);
    if ((p.desc->needs & NEEDS_TEST_ROWS) && d->log.test == NULL)
        return ki_fail(KITH_EDATA,
                       "%s needs test rows, and %s came without; name a test file, or use holdout "
                       "or kfold",
                       p.text, d->source);
    if ((p.desc->needs & NEEDS_TEST_ROWS) && (err = check_variant(&p, colon, d)) != KITH_OK)
        return err;
    *out = p;
    return KITH_OK;
}

/* ---- splits
 * ------------------------------------------------------------------------------------------------------
 */

static kith_err rows_in_play(struct cut *c)
{
    const ki_log *log = &c->d->log;
    const kith_err err = ki_alloc(&c->rows, (size_t)log->n, sizeof *c->rows);
    if (err != KITH_OK) return err;
    for (int64_t row = 0; row < log->n; row++)
        if (log->test == NULL || !log->test[row]) c->rows[c->n++] = row;
    return KITH_OK;
}

static kith_err check_folds(const ki_splits *s, const ki_protocol *p)
{
    for (int f = 0; f < s->n_folds; f++) {
        int64_t n[KI_PART_FOLD] = { 0 };
        for (int64_t row = 0; row < s->n; row++) n[ki_splits_part(s, row, f)]++;
        if (n[KI_PART_TRAIN] > 0 && n[KI_PART_TEST] > 0) continue;
        return ki_fail(KITH_EDATA, "%s leaves nothing to %s: there are %lld interactions", p->text,
                       n[KI_PART_TRAIN] == 0 ? "train on" : "test on", (long long)s->n);
    }
    return KITH_OK;
}

kith_err ki_splits_make(ki_splits *out, const ki_protocol *p, const kith_data *d, uint64_t seed)
{
    struct cut c = { .d = d, .p = p, .seed = seed };
    ki_splits s = { .n = d->log.n, .n_folds = p->desc->whole ? (int)p->argument : 1 };
    kith_err err = ki_alloc(&s.label, (size_t)s.n, 1);
    *out = (ki_splits){ 0 };
    c.label = s.label;
    if (err == KITH_OK) err = rows_in_play(&c);
    if (err == KITH_OK) err = p->desc->label(&c);
    if (err == KITH_OK) err = check_folds(&s, p);
    ki_free(c.rows);
    if (err != KITH_OK) {
        ki_splits_clear(&s);
        return err;
    }
    *out = s;
    return KITH_OK;
}

void ki_splits_fold(const ki_splits *s, int fold, uint8_t *part)
{
    for (int64_t row = 0; row < s->n; row++) part[row] = (uint8_t)ki_splits_part(s, row, fold);
}

void ki_splits_clear(ki_splits *s)
{
    ki_free(s->label);
    *s = (ki_splits){ 0 };
}

json_t *ki_protocols_json(void)
{
    json_t *list = json_array();
    for (size_t j = 0; list != NULL && j < KI_COUNT(protocols); j++) {
        const ki_protocol_desc *p = &protocols[j];
        json_t *o = json_pack("{s:s, s:s}", "name", p->name, "summary", p->summary);
        if (p->argument != NULL)
            json_object_update_new(o, json_pack("{s:s, s:f, s:f, s:f}", "argument", p->argument,
                                                "default", p->init, "min", p->min, "max", p->max));
        json_object_set_new(o, "needs",
                            p->needs & NEEDS_TIMES       ? json_string("times")
                            : p->needs & NEEDS_TEST_ROWS ? json_string("test rows")
                                                         : json_null());
        json_array_append_new(list, o);
    }
    return list;
}
