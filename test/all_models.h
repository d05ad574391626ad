/* SPDX-License-Identifier: MIT
 * all_models.h -- made data, and what a model answers, for the tests that run once for each algorithm of ki_models[]
 *
 * HOLDS and WORKS name the algorithm.  A model may refuse data that it cannot use, with KITH_EDATA and a sentence;
 * whatever it accepts it must serve.
 */
#ifndef KITH_TEST_ALL_MODELS_H
#define KITH_TEST_ALL_MODELS_H

#include "disk.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/package.h"
#include "model/rank.h"

enum { USERS = 41, ITEMS = 31, TOP = 10 }; /* the last user and the last item have test rows only */

static const char *who;
static int people; /* the model wants rows of two people each */

#define HOLDS(cond) ck_assert_msg(cond, "%s: not so: %s (%s)", who, #cond, kith_last_error())
#define WORKS(call) ck_assert_msg((call) == KITH_OK, "%s: %s: %s", who, #call, kith_last_error())

static inline int count_models(void)
{
    int n = 0;
    while (ki_models[n] != NULL) n++;
    return n;
}

static inline const ki_model_desc *begin(int index)
{
    who = ki_models[index]->name;
    people = (ki_models[index]->needs & KI_NEEDS_PEOPLE) != 0;
    return ki_models[index];
}

static inline kith *context(int threads)
{
    kith *k;
    WORKS(kith_new(&(kith_options){ .threads = threads, .seed = 7 }, &k));
    return k;
}

/* ---- data ---- */

enum kind { EXPLICIT, IMPLICIT };

struct rows {
    int n;
    char names[USERS + ITEMS][8];
    const char *users[USERS * ITEMS], *items[USERS * ITEMS];
    float values[USERS * ITEMS];
    int64_t times[USERS * ITEMS];
};

/* Two groups of users like two groups of items; a third of all pairs occurs.  People: the users after the first ten
 * bear the names of the items, so that some like themselves, and some each other. */
static inline void make_rows(struct rows *r)
{
    ki_rng rng = ki_rng_make(3, 0, 0);
    for (int j = 0; j < USERS + ITEMS; j++) {
        const int is_item = j >= USERS || (people && j >= USERS - ITEMS);
        snprintf(r->names[j], sizeof r->names[j], "%c%d", is_item ? 'i' : 'u', is_item && j < USERS ? j + ITEMS : j);
    }
    for (int u = 0; u < USERS; u++) {
        for (int i = 0; i < ITEMS; i++) {
            const int last = u == USERS - 1 || i == ITEMS - 1, match = u % 2 == i % 2;
            const double chance = last ? (u + i) % 9 == 0 : match ? 0.5 : 0.2;
            if (ki_rng_unit(&rng) >= chance) continue;
            const double value = (match ? 4 : 2) + ki_rng_normal(&rng);
            r->users[r->n] = r->names[u];
            r->items[r->n] = r->names[USERS + i];
            r->values[r->n] = (float)fmin(5, fmax(1, round(value)));
            r->times[r->n++] = 1000000 + 3600 * (int64_t)ki_rng_below(&rng, 10000);
        }
    }
}

static inline void append_column(ki_table *t, const char *name, char (*cells)[64], int kind)
{
    const char *at[USERS + ITEMS];
    ki_column c;
    for (int32_t r = 0; r < t->n_rows; r++) at[r] = cells[r];
    WORKS(ki_column_from_strings(&c, name, t->n_rows, at, kind, '|'));
    WORKS(ki_table_append(t, &c));
}

/* Words that follow the two groups, with some that all share; every fourth user has interests. */
static inline void add_attributes(kith_data *d)
{
    static const char *const topics[2][3] = { { "space", "robots", "planets" }, { "paris", "lovers", "music" } };
    char titles[USERS + ITEMS][64], genres[USERS + ITEMS][64], interests[USERS + ITEMS][64];
    d->item_attrs.n_rows = d->items.n;
    d->user_attrs.n_rows = d->users.n;
    for (int32_t i = 0; i < d->items.n; i++) {
        const int id = atoi(ki_idmap_name(&d->items, i) + 1), group = (id - USERS) % 2;
        snprintf(titles[i], 64, "The %s of %s number %d", topics[group][id % 3], topics[group][(id / 3) % 3], id % 7);
        snprintf(genres[i], 64, "%s|%s", group ? "Romance" : "Science Fiction", id % 5 == 0 ? "Drama" : "Family");
    }
    for (int32_t u = 0; u < d->users.n; u++) {
        const int id = atoi(ki_idmap_name(&d->users, u) + 1);
        snprintf(interests[u], 64, "%s", id % 4 == 0 ? "robots|science" : id % 4 == 1 ? "music|romance" : "");
    }
    append_column(&d->item_attrs, "title", titles, KI_COL_TEXT);
    append_column(&d->item_attrs, "genres", genres, KI_COL_SET);
    append_column(&d->user_attrs, "interests", interests, KI_COL_SET);
}

static inline kith_data *make_data(kith *k, enum kind kind)
{
    struct rows *r = calloc(1, sizeof *r);
    kith_data *d;
    make_rows(r);
    WORKS(kith_data_new(k, (size_t)r->n, r->users, r->items, kind == EXPLICIT ? r->values : NULL, r->times, &d));
    WORKS(ki_alloc(&d->log.test, (size_t)d->log.n, 1));
    for (int64_t j = 0; j < d->log.n; j++)
        d->log.test[j] = strcmp(r->names[USERS - 1], kith_data_user_id(d, d->log.user[j])) == 0 ||
                         strcmp(r->names[USERS + ITEMS - 1], kith_data_item_id(d, d->log.item[j])) == 0;
    add_attributes(d);
    free(r);
    return d;
}

/* NULL when the model says that this data is not for it. */
static inline kith_model *train(kith *k, const kith_data *d, const kith_param *params, int n)
{
    kith_model *m = NULL;
    const kith_err err = kith_train(k, d, who, params, n, &m);
    if (err == KITH_EDATA) {
        HOLDS(strstr(kith_last_error(), who) != NULL);
        return NULL;
    }
    ck_assert_msg(err == KITH_OK, "%s: %s: %s", who, kith_err_name(err), kith_last_error());
    return m;
}

/* ---- everything that a model says, to be compared bit for bit ---- */

struct answers {
    int32_t items[USERS * TOP], counts[USERS];
    float scores[USERS * TOP], estimates[USERS * ITEMS];
};

static inline void answer(kith *k, const kith_model *m, struct answers *a)
{
    const int n_users = kith_model_n_users(m), n_items = kith_model_n_items(m);
    int32_t all[ITEMS];
    uint8_t supported[ITEMS];
    ki_ranker *r;
    memset(a, 0, sizeof *a);
    WORKS(kith_recommend_batch(k, m, NULL, 0, TOP, a->items, a->scores, a->counts));
    WORKS(ki_ranker_new(&m->core, 1, 0, &r));
    for (int i = 0; i < n_items; i++) all[i] = i;
    for (int u = 0; u < n_users; u++) {
        const ki_query q = ki_query_user(&m->core, u);
        WORKS(ki_ranker_predict(r, &q, all, n_items, a->estimates + u * ITEMS, supported));
    }
    ki_ranker_free(r);
}

static inline void check_finite(const struct answers *a, const kith_model *m)
{
    for (int u = 0; u < kith_model_n_users(m); u++) {
        for (int j = 0; j < a->counts[u]; j++) HOLDS(isfinite(a->scores[u * TOP + j]));
        for (int i = 0; i < kith_model_n_items(m); i++) HOLDS(isfinite(a->estimates[u * ITEMS + i]));
    }
}

/* Parameters that say how long a fit takes, cut down for tests that fit hundreds of times. */
static inline int cheap_params(const ki_model_desc *desc, kith_param *out)
{
    static const char *const words[] = { "epoch", "sweep", "iteration", "steps", "factors", "dim" };
    int n = 0;
    for (int j = 0; j < desc->n_params; j++)
        for (size_t w = 0; w < KI_COUNT(words); w++)
            if (desc->params[j].kind == KI_INT && strstr(desc->params[j].name, words[w]) != NULL &&
                desc->params[j].min <= 3 && desc->params[j].init > 3) {
                out[n++] = (kith_param){ desc->params[j].name, "3" };
                break;
            }
    return n;
}

#endif
