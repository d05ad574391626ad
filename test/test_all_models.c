/* SPDX-License-Identifier: MIT
 * What every algorithm of ki_models[] owes, on small made data.
 */
#include "all_models.h"

TEST_EACH(a_model_with_default_parameters_serves_finite_lists_without_what_was_seen, count_models)
{
    const ki_model_desc *desc = begin(loop_index);
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
                    HOLDS(m->reach[a.items[u * TOP + j]] > 0 || desc->knows_cold != NULL);
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

/* ---- parameters ---- */

static void number_text(const ki_param *p, double value, char out[32])
{
    snprintf(out, 32, p->kind == KI_INT ? "%.0f" : "%.9g", value);
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

/* ---- few items allowed ---- */

/* Rank for a user's history what is allowed (NULL: all): score[i] of what came back, NAN of the rest. */
static void rank_allowed(const kith_model *m, int32_t user, const int32_t *only, int32_t n_only, float *score)
{
    const int32_t n_items = kith_model_n_items(m);
    int32_t *items = calloc((size_t)n_items, sizeof *items), count = 0;
    float *scores = calloc((size_t)n_items, sizeof *scores);
    ki_ranker *r;
    ki_query q = ki_query_user(&m->core, user);
    q.only = only;
    q.n_only = n_only;
    WORKS(ki_ranker_new(&m->core, n_items, 1, &r));
    WORKS(ki_ranker_run(r, &q, 1, items, scores, &count));
    for (int32_t i = 0; i < n_items; i++) score[i] = NAN;
    for (int32_t j = 0; j < count; j++) score[items[j]] = scores[j];
    ki_ranker_free(r);
    free(items);
    free(scores);
}

/* A filter changes what is ranked, and no bit of a score, though other stretches are scored then. */
TEST_EACH(what_is_allowed_has_the_scores_that_it_has_among_all, count_models)
{
    begin(loop_index);
    kith *k = context(1);
    kith_data *d = make_data(k, EXPLICIT);
    kith_model *m = train(k, d, NULL, 0);
    const int32_t n_items = kith_model_n_items(m);
    int32_t *only = calloc((size_t)n_items, sizeof *only), n_only = 0;
    float *all = calloc((size_t)n_items, sizeof *all), *some = calloc((size_t)n_items, sizeof *some);
    for (int32_t i = 1; i < n_items; i += i % 5 == 0 ? 23 : 2) only[n_only++] = i; /* near and far ones */
    rank_allowed(m, 1, NULL, 0, all);
    rank_allowed(m, 1, only, n_only, some);
    for (int32_t i = 0, at = 0; i < n_items; i++) {
        const int allowed = at < n_only && only[at] == i;
        at += allowed;
        HOLDS(allowed ? memcmp(&all[i], &some[i], sizeof *all) == 0 || (isnan(all[i]) && isnan(some[i]))
                      : isnan(some[i]));
    }
    free(only);
    free(all);
    free(some);
    kith_model_free(m);
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

/* Over the places where both are finite: a form may rule items out for a known user. */
static double correlation(const float *a, const float *b, int n)
{
    double ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
    int m = 0;
    for (int j = 0; j < n; j++)
        if (isfinite(a[j]) && isfinite(b[j])) ma += (double)a[j], mb += (double)b[j], m++;
    for (int j = 0; j < n; j++) {
        if (!isfinite(a[j]) || !isfinite(b[j])) continue;
        const double x = (double)a[j] - ma / m, y = (double)b[j] - mb / m;
        aa += x * x;
        bb += y * y;
        ab += x * y;
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
