/* SPDX-License-Identifier: MIT
 * test_all_models.c -- what every algorithm of ki_models[] owes, on small made data
 *
 * Each test runs once for each model; HOLDS and WORKS name it.  A model may refuse data that it cannot use, with
 * KITH_EDATA and a sentence; whatever it accepts it must serve.
 */
#include "disk.h"

#include "base/mem.h"
#include "base/rng.h"
#include "model/package.h"
#include "model/rank.h"

enum { USERS = 41, ITEMS = 31, TOP = 10 }; /* the last user and the last item have test rows only */

static const char *who;

#define HOLDS(cond) ck_assert_msg(cond, "%s: not so: %s (%s)", who, #cond, kith_last_error())
#define WORKS(call) ck_assert_msg((call) == KITH_OK, "%s: %s: %s", who, #call, kith_last_error())

static int count_models(void)
{
    int n = 0;
    while (ki_models[n] != NULL) n++;
    return n;
}

static const ki_model_desc *begin(int index)
{
    who = ki_models[index]->name;
    return ki_models[index];
}

static kith *context(int threads)
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

/* Two groups of users like two groups of items; a third of all pairs occurs. */
static void make_rows(struct rows *r)
{
    ki_rng rng = ki_rng_make(3, 0, 0);
    for (int j = 0; j < USERS + ITEMS; j++) snprintf(r->names[j], sizeof r->names[j], "%c%d", j < USERS ? 'u' : 'i', j);
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

static kith_data *make_data(kith *k, enum kind kind)
{
    struct rows *r = calloc(1, sizeof *r);
    kith_data *d;
    make_rows(r);
    WORKS(kith_data_new(k, (size_t)r->n, r->users, r->items, kind == EXPLICIT ? r->values : NULL, r->times, &d));
    WORKS(ki_alloc(&d->log.test, (size_t)d->log.n, 1));
    for (int64_t j = 0; j < d->log.n; j++)
        d->log.test[j] = strcmp(r->names[USERS - 1], kith_data_user_id(d, d->log.user[j])) == 0 ||
                         strcmp(r->names[USERS + ITEMS - 1], kith_data_item_id(d, d->log.item[j])) == 0;
    free(r);
    return d;
}

/* NULL when the model says that this data is not for it. */
static kith_model *train(kith *k, const kith_data *d, const kith_param *params, int n)
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

static void answer(kith *k, const kith_model *m, struct answers *a)
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

static void check_finite(const struct answers *a, const kith_model *m)
{
    for (int u = 0; u < kith_model_n_users(m); u++) {
        for (int j = 0; j < a->counts[u]; j++) HOLDS(isfinite(a->scores[u * TOP + j]));
        for (int i = 0; i < kith_model_n_items(m); i++) HOLDS(isfinite(a->estimates[u * ITEMS + i]));
    }
}

TEST_EACH(a_model_with_default_parameters_serves_finite_lists_without_what_was_seen, count_models)
{
    begin(loop_index);
    static struct answers a;
    kith *k = context(1);
    int served = 0;
    for (enum kind kind = EXPLICIT; kind <= IMPLICIT; kind++) {
        kith_data *d = make_data(k, kind);
        kith_model *m = train(k, d, NULL, 0);
        if (m != NULL) {
            answer(k, m, &a);
            check_finite(&a, m);
            for (int u = 0; u < USERS; u++) {
                HOLDS((a.counts[u] == 0) == (ki_csr_len(&m->core.history, u) == 0));
                for (int j = 0; j < a.counts[u]; j++) {
                    HOLDS(ki_csr_find(&m->core.history, u, a.items[u * TOP + j]) < 0);
                    HOLDS(m->reach[a.items[u * TOP + j]] > 0);
                }
            }
            served++;
        }
        kith_model_free(m);
        kith_data_free(d);
    }
    HOLDS(served > 0);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST_EACH(five_threads_give_the_bits_of_one, count_models)
{
    begin(loop_index);
    static struct answers one, five;
    kith *k = context(1), *many = context(5);
    for (enum kind kind = EXPLICIT; kind <= IMPLICIT; kind++) {
        kith_data *d = make_data(k, kind);
        kith_model *a = train(k, d, NULL, 0), *b = train(many, d, NULL, 0);
        HOLDS((a == NULL) == (b == NULL));
        if (a != NULL) {
            answer(k, a, &one);
            answer(many, b, &five);
            HOLDS(memcmp(&one, &five, sizeof one) == 0);
        }
        kith_model_free(a);
        kith_model_free(b);
        kith_data_free(d);
    }
    kith_free(k);
    kith_free(many);
}

TEST_EACH(a_saved_model_gives_the_same_bits, count_models)
{
    begin(loop_index);
    static struct answers before, after;
    kith *k = context(2);
    const char *path = scratch_path("all");
    for (enum kind kind = EXPLICIT; kind <= IMPLICIT; kind++) {
        kith_data *d = make_data(k, kind);
        kith_model *m = train(k, d, NULL, 0), *back;
        kith_data_free(d); /* the model stands alone */
        if (m == NULL) continue;
        answer(k, m, &before);
        WORKS(kith_model_save(k, m, path));
        kith_model_free(m);
        WORKS(kith_model_load(k, path, &back));
        answer(k, back, &after);
        HOLDS(memcmp(&before, &after, sizeof before) == 0);
        kith_model_free(back);
        unlink(path);
    }
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- parameters ---- */

static void number_text(const ki_param *p, double value, char out[32])
{
    snprintf(out, 32, p->kind == KI_INT ? "%.0f" : "%.9g", value);
}

/* Parameters that say how long a fit takes, cut down for tests that fit hundreds of times. */
static int cheap_params(const ki_model_desc *desc, kith_param *out)
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

/* Trained with one parameter set, a model says finite things or that it cannot. */
static void try_value(kith *k, const kith_data *d, const ki_model_desc *desc, const ki_param *p, const char *text)
{
    static struct answers a;
    kith_param params[32];
    int n = cheap_params(desc, params);
    kith_model *m = NULL;
    params[n++] = (kith_param){ p->name, text };
    const kith_err err = kith_train(k, d, who, params, n, &m);
    ck_assert_msg(err == KITH_OK || err == KITH_EDATA || err == KITH_EINVAL, "%s with %s = %s: %s", who, p->name, text,
                  kith_last_error());
    if (err != KITH_OK) return;
    answer(k, m, &a);
    check_finite(&a, m);
    kith_model_free(m);
}

static void try_parameter(kith *k, const kith_data *d, const ki_model_desc *desc, const ki_param *p)
{
    char text[32];
    if (p->kind == KI_TEXT) return; /* it has no ends: the model's own test */
    if (p->kind == KI_CHOICE) {
        for (int c = 0; p->choices[c] != NULL; c++) try_value(k, d, desc, p, p->choices[c]);
    } else if (p->kind == KI_BOOL) {
        try_value(k, d, desc, p, "true");
        try_value(k, d, desc, p, "false");
    } else { /* the lowest that is allowed; at the upper end what a tuner would try */
        number_text(p, p->min, text);
        try_value(k, d, desc, p, text);
        if (p->scale == KI_FIXED) return;
        number_text(p, p->tune_min, text);
        try_value(k, d, desc, p, text);
        number_text(p, p->tune_max, text);
        try_value(k, d, desc, p, text);
    }
}

TEST_EACH(every_parameter_works_at_its_ends, count_models)
{
    const ki_model_desc *desc = begin(loop_index);
    kith *k = context(1);
    for (enum kind kind = EXPLICIT; kind <= IMPLICIT; kind++) {
        kith_data *d = make_data(k, kind);
        for (int j = 0; j < desc->n_params; j++) try_parameter(k, d, desc, &desc->params[j]);
        kith_data_free(d);
    }
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

static void check_refused(kith *k, const kith_data *d, const ki_param *p, const char *text)
{
    kith_model *m = NULL;
    const kith_param given = { p->name, text };
    ck_assert_msg(kith_train(k, d, who, &given, 1, &m) == KITH_EINVAL && m == NULL, "%s takes %s = %s", who, p->name,
                  text);
    HOLDS(strstr(kith_last_error(), p->name) != NULL);
}

TEST_EACH(parameters_out_of_range_are_refused_by_name, count_models)
{
    const ki_model_desc *desc = begin(loop_index);
    kith *k = context(1);
    kith_data *d = make_data(k, EXPLICIT);
    char text[32];
    for (int j = 0; j < desc->n_params; j++) {
        const ki_param *p = &desc->params[j];
        if (p->kind == KI_TEXT) continue; /* what it may name is the model's own test */
        check_refused(k, d, p, "nonsense");
        if (p->kind == KI_CHOICE || p->kind == KI_BOOL) continue;
        HOLDS(p->min <= p->init && p->init <= p->max);
        HOLDS(p->scale == KI_FIXED || (p->min <= p->tune_min && p->tune_min < p->tune_max && p->tune_max <= p->max));
        HOLDS(p->scale != KI_LOG || p->tune_min > 0);
        number_text(p, p->min - 1, text);
        check_refused(k, d, p, text);
        number_text(p, p->max * 2 + 1, text);
        check_refused(k, d, p, text);
        check_refused(k, d, p, "nan");
    }
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- things that go wrong ---- */

static kith_err train_and_ask(kith *k, const kith_data *d, const kith_param *params, int n)
{
    const char *const liked[] = { "i41", "i43", "i44" };
    const kith_query known = { .user = "u0", .n_reasons = 2 }, folded = { .liked = liked, .n_liked = 3 };
    kith_model *m = NULL;
    kith_list *l = NULL;
    kith_err err = kith_train(k, d, who, params, n, &m);
    if (err == KITH_OK) err = kith_recommend(k, m, &known, &l);
    kith_list_free(l);
    l = NULL;
    if (err == KITH_OK) err = kith_recommend(k, m, &folded, &l);
    kith_list_free(l);
    l = NULL;
    if (err == KITH_OK && (err = kith_similar(k, m, "i41", 3, &l)) == KITH_EDATA) err = KITH_OK; /* no such notion */
    kith_list_free(l);
    kith_model_free(m);
    return err;
}

TEST_EACH(every_refused_allocation_is_a_clear_error, count_models)
{
    const ki_model_desc *desc = begin(loop_index);
    kith *k = context(2);
    kith_data *d = make_data(k, EXPLICIT);
    kith_param params[32];
    const int n_params = cheap_params(desc, params);
    const int64_t live = ki_alloc_live();
    kith_err err = KITH_ENOMEM;
    for (int64_t n = 1; err != KITH_OK; n += 1 + n / 256) { /* all of the first 256, then fewer and fewer */
        ki_alloc_fail_at(n, 0);
        err = train_and_ask(k, d, params, n_params);
        ki_alloc_fail_at(0, 0);
        HOLDS(err == KITH_OK || err == KITH_ENOMEM);
        HOLDS(err == KITH_OK || strstr(kith_last_error(), "memory") != NULL);
        ck_assert_msg(ki_alloc_live() == live, "%s: allocation %lld refused: %lld blocks stay", who, (long long)n,
                      (long long)(ki_alloc_live() - live));
    }
    kith_data_free(d);
    kith_free(k);
}

struct canceller {
    kith *k;
    int calls, at; /* cancel at this call; 0: never */
};

static void cancel_at(void *udata, const char *what, int64_t done, int64_t total)
{
    struct canceller *c = udata;
    (void)what, (void)done, (void)total;
    if (++c->calls == c->at) kith_cancel(c->k);
}

TEST_EACH(a_fit_can_be_cancelled_at_each_step_and_begun_again, count_models)
{
    const ki_model_desc *desc = begin(loop_index);
    struct canceller c = { 0 };
    kith_param params[32];
    const int n_params = cheap_params(desc, params);
    WORKS(kith_new(&(kith_options){ .threads = 2, .progress = cancel_at, .udata = &c }, &c.k));
    kith_data *d = make_data(c.k, EXPLICIT);
    kith_model *m = NULL;
    WORKS(kith_train(c.k, d, who, params, n_params, &m));
    kith_model_free(m);
    const int64_t live = ki_alloc_live();
    for (int at = 1, steps = c.calls; at < steps; at++) {
        c.calls = 0;
        c.at = at;
        m = NULL;
        HOLDS(kith_train(c.k, d, who, params, n_params, &m) == KITH_ECANCELED);
        HOLDS(m == NULL && ki_alloc_live() == live);
    }
    c.at = 0;
    WORKS(kith_train(c.k, d, who, params, n_params, &m)); /* the next call starts afresh */
    kith_model_free(m);
    kith_data_free(d);
    kith_free(c.k);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST_EACH(too_little_data_is_served_or_refused_by_name, count_models)
{
    begin(loop_index);
    static struct answers a;
    kith *k = context(1);
    const char *const one[] = { "a" };
    const float value[] = { 4 };
    const int64_t when[] = { 1000 };
    for (int n = 0; n <= 1; n++) {
        kith_data *d;
        WORKS(kith_data_new(k, (size_t)n, one, one, value, when, &d));
        kith_model *m = train(k, d, NULL, 0);
        HOLDS(n == 1 || m == NULL);
        if (m != NULL) {
            answer(k, m, &a);
            check_finite(&a, m);
            HOLDS(a.counts[0] == 0); /* the only item was seen */
        }
        kith_model_free(m);
        kith_data_free(d);
    }
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* Ask a model that was loaded from a doubtful file everything that there is to ask. */
static void exercise(kith *k, const kith_model *m)
{
    static struct answers a;
    const char *const liked[] = { kith_model_item_id(m, 0), kith_model_item_id(m, 1) };
    kith_list *l = NULL;
    if (m->users.n > USERS || m->items.n > ITEMS) return;
    answer(k, m, &a);
    for (int32_t u = 0; u < m->users.n; u += 9) {
        const kith_query q = { .user = kith_model_user_id(m, u), .n_reasons = 3 };
        WORKS(kith_recommend(k, m, &q, &l));
        kith_list_free(l);
    }
    WORKS(kith_recommend(k, m, &(kith_query){ .liked = liked, .n_liked = 2, .n_reasons = 1 }, &l));
    kith_list_free(l);
    l = NULL;
    const kith_err err = kith_similar(k, m, liked[0], 3, &l);
    HOLDS(err == KITH_OK || err == KITH_EDATA); /* EDATA: the model has no such notion */
    kith_list_free(l);
}

/* Flip bytes of a saved model: all of the header, then 500 of the rest.  What still loads must be servable without harm. */
TEST_EACH(no_flipped_byte_of_a_saved_model_is_dangerous, count_models)
{
    begin(loop_index);
    kith *k = context(1);
    kith_data *d = make_data(k, EXPLICIT);
    const char *path = scratch_path("flip");
    kith_model *m = train(k, d, NULL, 0);
    size_t n, header;
    WORKS(kith_model_save(k, m, path));
    unsigned char *bytes = read_file(path, &n);
    for (header = 8; header < n && bytes[header - 1] != ' ';) header++; /* the header is padded with blanks */
    for (size_t j = 0; j < n; j += j < header ? 1 : 1 + (n - header) / 500) {
        const unsigned char was = bytes[j];
        kith_model *back = NULL;
        bytes[j] = was ^ (j % 2 == 0 ? 0x01 : 0xff);
        write_file(path, bytes, n);
        bytes[j] = was;
        if (kith_model_load(k, path, &back) == KITH_OK) exercise(k, back);
        kith_model_free(back);
    }
    free(bytes);
    unlink(path);
    kith_model_free(m);
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* `from` without its array number `left_out`, at `to`. */
static void write_without(const char *from, int left_out, const char *to)
{
    ki_tensor list[64];
    ki_mapping *m;
    int n = 0;
    WORKS(ki_tensors_open(from, &m));
    for (int j = 0; j < ki_tensors_count(m); j++)
        if (j != left_out) list[n++] = *ki_tensors_at(m, j);
    WORKS(ki_tensors_write(to, list, n, ki_tensors_metadata(m)));
    ki_tensors_close(m);
}

/* Every array of a saved model left out in turn: refused, or not needed. */
static void leave_out_each(kith *k, const kith_data *d, const kith_param *params, int n_params)
{
    char whole[256], part[256];
    kith_model *m = train(k, d, params, n_params);
    snprintf(whole, sizeof whole, "%s", scratch_path("whole"));
    snprintf(part, sizeof part, "%s", scratch_path("part"));
    if (m == NULL) return;
    WORKS(kith_model_save(k, m, whole));
    ki_mapping *mapping;
    WORKS(ki_tensors_open(whole, &mapping));
    const int n = ki_tensors_count(mapping);
    ki_tensors_close(mapping);
    for (int j = 0; j < n; j++) {
        kith_model *back = NULL;
        write_without(whole, j, part);
        if (kith_model_load(k, part, &back) == KITH_OK) exercise(k, back);
        kith_model_free(back);
    }
    kith_model_free(m);
    unlink(whole);
    unlink(part);
}

TEST_EACH(a_saved_model_that_lacks_an_array_does_no_harm, count_models)
{
    const ki_model_desc *desc = begin(loop_index);
    kith *k = context(1);
    kith_data *d = make_data(k, EXPLICIT);
    kith_param params[33];
    const int n = cheap_params(desc, params);
    leave_out_each(k, d, params, n);
    for (int j = 0; j < desc->n_params; j++)
        for (int c = 0; desc->params[j].kind == KI_CHOICE && desc->params[j].choices[c] != NULL; c++) {
            params[n] = (kith_param){ desc->params[j].name, desc->params[j].choices[c] };
            leave_out_each(k, d, params, n + 1);
        }
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- histories ---- */

/* Scores of all items (cold ones too) for a query. */
static void score_all(const kith_model *m, const ki_query *q, float *out)
{
    const ki_form *form = m->core.desc->form;
    int64_t query_floats, scratch_floats;
    float *prepared, *scratch;
    form->sizes(&m->core, &query_floats, &scratch_floats);
    WORKS(ki_alloc(&prepared, (size_t)query_floats, sizeof(float)));
    WORKS(ki_alloc(&scratch, (size_t)scratch_floats, sizeof(float)));
    WORKS(form->prepare(&m->core, q, prepared, scratch));
    form->score(&m->core, q, prepared, 1, 0, m->core.n_items, out, m->core.n_items, scratch);
    ki_free(prepared);
    ki_free(scratch);
}

static double correlation(const float *a, const float *b, int n)
{
    double ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
    for (int j = 0; j < n; j++) ma += (double)a[j] / n, mb += (double)b[j] / n;
    for (int j = 0; j < n; j++) {
        aa += (a[j] - ma) * (a[j] - ma);
        bb += (b[j] - mb) * (b[j] - mb);
        ab += (a[j] - ma) * (b[j] - mb);
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 1;
}

TEST_EACH(a_folded_in_history_is_scored_much_like_its_user, count_models)
{
    begin(loop_index);
    if (strcmp(who, "random") == 0) return; /* by lot: a stranger draws a lot of their own */
    kith *k = context(1);
    for (enum kind kind = EXPLICIT; kind <= IMPLICIT; kind++) {
        kith_data *d = make_data(k, kind);
        kith_model *m = train(k, d, NULL, 0);
        float own[ITEMS], folded[ITEMS];
        double sum = 0;
        for (int u = 0; m != NULL && u < USERS - 1; u++) {
            ki_query q = ki_query_user(&m->core, u);
            score_all(m, &q, own);
            q.user = -1;
            score_all(m, &q, folded);
            for (int c = 0; c < m->core.n_cold; c++) /* nothing need be said of them */
                own[m->core.cold[c]] = folded[m->core.cold[c]] = 0;
            for (int i = 0; i < ITEMS; i++) HOLDS(isfinite(folded[i]));
            sum += correlation(own, folded, ITEMS);
        }
        /* Forms that score from the history give 1; a ridge solve into SGD's factors is near, not equal.  A function
         * may tell users apart by who they are (random does). */
        ck_assert_msg(m == NULL || m->core.desc->form->is_function || sum / (USERS - 1) > 0.8,
                      "%s: folded-in and own scores correlate by %.3f only", who, sum / (USERS - 1));
        kith_model_free(m);
        kith_data_free(d);
    }
    kith_free(k);
}

/* score(history, i) - terms(i) - score(nothing, i) is what of the score is not the history's: the same for all i. */
TEST_EACH(reasons_add_up_to_the_score, count_models)
{
    const ki_model_desc *desc = begin(loop_index);
    if (desc->explain == NULL && desc->form->explain == NULL) return;
    kith *k = context(1);
    kith_data *d = make_data(k, EXPLICIT);
    kith_model *m = train(k, d, NULL, 0);
    float with[ITEMS], without[ITEMS];
    ki_term terms[ITEMS];
    ki_ranker *r;
    WORKS(ki_ranker_new(&m->core, 1, 1, &r));
    score_all(m, &(ki_query){ .user = -1 }, without);
    for (int u = 0; u < 5; u++) {
        ki_query q = ki_query_user(&m->core, u);
        double low = INFINITY, high = -INFINITY, size = 0;
        q.user = -1;
        score_all(m, &q, with);
        for (int i = 0; i < ITEMS - 1; i++) {
            int n;
            double rest = (double)with[i] - (double)without[i];
            WORKS(ki_ranker_explain(r, &q, i, terms, &n));
            for (int t = 0; t < n; t++) {
                HOLDS(t == 0 || terms[t].part <= terms[t - 1].part);
                HOLDS(ki_csr_find(&m->core.history, u, terms[t].item) >= 0);
                rest -= (double)terms[t].part;
                size += fabs((double)terms[t].part);
            }
            low = fmin(low, rest);
            high = fmax(high, rest);
        }
        /* float32 sums and solves over a dozen terms: 1e-4 of their size is a hundred roundings */
        ck_assert_msg(high - low <= 1e-4 * (1 + size), "%s: terms miss the score of user %d by %g", who, u, high - low);
    }
    ki_ranker_free(r);
    kith_model_free(m);
    kith_data_free(d);
    kith_free(k);
}
