/* SPDX-License-Identifier: MIT
 * test_lsa.c -- texts as dense vectors: topics by hand, texts that share no word, the map into a collaborative space
 */
#include "test.h"

#include "base/mem.h"
#include "data/ratings.h"
#include "math/ridge.h"
#include "model/form_text_vectors.h"
#include "model/package.h"
#include "model/rank.h"
#include "text/embed.h"

static ki_column column(const char *name, const char *const *cells, int32_t n)
{
    ki_column c;
    CHECK_OK(ki_column_from_strings(&c, name, n, cells, KI_COL_TEXT, 0));
    return c;
}

static double dot(const float *a, const float *b, int64_t n)
{
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += (double)a[j] * (double)b[j];
    return sum;
}

/* Two topics; documents 0 and 2 share no word, but both share some with document 1. */
static const char *const plots[] = { "rocket moon", "moon planet", "planet alien", "love paris", "paris wedding" };

static const ki_lsa_options two_topics = {
    .text = { .grams = { .language = KI_LANGUAGE_NONE, .words = 1 }, .min_df = 1 }, .dim = 2, .alpha = 0.5f
};

static ki_lsa fit(const ki_lsa_options *o, float **docs)
{
    ki_column c = column("plot", plots, 5);
    const ki_text_field field = { &c, 1 };
    ki_job job = { .seed = 1 };
    ki_lsa lsa;
    CHECK_OK(ki_lsa_fit(&lsa, o, &field, 1, 5, &job, "test", docs));
    CHECK_OK(ki_lsa_check(&lsa));
    ki_column_clear(&c);
    return lsa;
}

TEST(texts_of_one_topic_are_alike_even_without_a_common_word)
{
    float *docs = NULL;
    ki_lsa lsa = fit(&two_topics, &docs);
    CHECK_INT(lsa.dim, 2);
    for (int d = 0; d < 5; d++) CHECK_NEAR(dot(docs + 2 * d, docs + 2 * d, 2), 1, 1e-6); /* float32 */
    CHECK(dot(docs, docs + 4, 2) > 0.99);       /* rocket moon, planet alien: one direction is theirs alone */
    CHECK(fabs(dot(docs, docs + 6, 2)) < 1e-3); /* rocket moon, love paris: blocks that share nothing; SVD in double */
    ki_free(docs);
    ki_lsa_clear(&lsa);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_document_embeds_like_its_own_text_through_the_seam)
{
    for (int common = 0; common <= 1; common++) {
        ki_lsa_options o = two_topics;
        o.remove_common = common;
        o.text.grams.char_min = o.text.grams.char_max = 3;
        o.dim = 3;
        float *docs = NULL, out[6];
        ki_lsa lsa = fit(&o, &docs);
        const ki_embedder e = ki_lsa_embedder(&lsa);
        const char *const texts[] = { "Moon, ROCKET!", "unheard zzz" };
        CHECK_STR(e.name, "lsa");
        CHECK_INT(e.dim, 3);
        CHECK_OK(e.embed(e.self, texts, 2, out));
        for (int j = 0; j < 3; j++) CHECK_NEAR(out[j], docs[j], 1e-5); /* the same sums, terms in one order */
        for (int j = 3; j < 6; j++) CHECK_NEAR(out[j], 0, 0);
        ki_free(docs);
        ki_lsa_clear(&lsa);
    }
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_common_direction_is_taken_out)
{
    ki_lsa_options o = two_topics;
    o.remove_common = 1;
    o.dim = 3;
    float *docs = NULL;
    ki_lsa lsa = fit(&o, &docs);
    CHECK_NEAR(dot(lsa.common, lsa.common, 3), 1, 1e-6);
    for (int d = 0; d < 5; d++) CHECK_NEAR(dot(docs + 3 * d, lsa.common, 3), 0, 1e-5); /* float32, once more scaled */
    ki_free(docs);
    ki_lsa_clear(&lsa);
}

TEST(data_without_terms_cannot_be_embedded)
{
    const char *const empty[] = { "", "!" };
    ki_column c = column("plot", empty, 2);
    const ki_text_field field = { &c, 1 };
    ki_job job = { 0 };
    ki_lsa lsa;
    float *docs = NULL;
    CHECK_FAILS(ki_lsa_fit(&lsa, &two_topics, &field, 1, 2, &job, "fit lsa", &docs), KITH_EDATA, "min_df");
    ki_lsa_clear(&lsa);
    ki_column_clear(&c);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(the_ridge_map_is_the_closed_form)
{
    /* T'T = [[2, 1], [1, 2]], T'Q = [3, 3]; with l2 = 1: [[3, 1], [1, 3]] W = [3, 3], W = [3/4, 3/4] */
    const float T[] = { 1, 0, 1, 1, 0, 1 }, Q[] = { 1, 2, 1 };
    float W[2];
    CHECK_OK(ki_ridge_map(T, Q, 3, 2, 1, 1, W));
    CHECK_NEAR(W[0], 0.75, 1e-6);
    CHECK_NEAR(W[1], 0.75, 1e-6);
    CHECK_FAILS(ki_ridge_map(T, Q, 0, 2, 1, 0, W), KITH_EDATA, "ridge");
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- models: 20 films of two topics, viewers of one each; the last film of each topic has no event ---- */

enum { VIEWERS = 24, FILMS = 20 };

static kith_data *two_tastes(kith *k)
{
    static char names[VIEWERS + FILMS][8], cells[FILMS][64];
    static const char *const words[2][4] = { { "rocket", "moon", "planet", "alien" },
                                             { "love", "paris", "wedding", "kiss" } };
    const char *users[VIEWERS * FILMS], *items[VIEWERS * FILMS], *plot[FILMS];
    size_t n = 0;
    kith_data *d;
    for (int j = 0; j < VIEWERS; j++) snprintf(names[j], 8, "u%d", j);
    for (int i = 0; i < FILMS; i++) {
        snprintf(names[VIEWERS + i], 8, "i%d", i);
        snprintf(cells[i], 64, "%s %s", words[i % 2][i / 2 % 4], words[i % 2][(i / 2 + 1 + i / 8) % 4]);
        plot[i] = cells[i];
    }
    for (int i = 0; i < FILMS; i++) /* films in order, so that dense indexes are those of plot; the last two are test */
        for (int u = 0; u < VIEWERS; u++) {
            if (u % 2 != i % 2 || (u * 7 + i * 5) % 9 == 0) continue;
            users[n] = names[u];
            items[n++] = names[VIEWERS + i];
        }
    CHECK_OK(kith_data_new(k, n, users, items, NULL, NULL, &d));
    CHECK_OK(ki_alloc(&d->log.test, n, 1));
    for (size_t j = 0; j < n; j++) d->log.test[j] = d->log.item[j] >= FILMS - 2;
    d->item_attrs.n_rows = FILMS;
    ki_column c = column("plot", plot, FILMS);
    CHECK_OK(ki_table_append(&d->item_attrs, &c));
    return d;
}

static kith *context(int threads)
{
    kith *k;
    CHECK_OK(kith_new(&(kith_options){ .threads = threads, .seed = 3 }, &k));
    return k;
}

static void score_of(const kith_model *m, const ki_query *q, float *out)
{
    ki_ranker *r;
    CHECK_OK(ki_ranker_new(&m->core, 1, 1, &r));
    CHECK_OK(ki_ranker_scores(r, q, out));
    ki_ranker_free(r);
}

static void check_sides(const char *name, const kith_param *params, int n)
{
    kith *k = context(2);
    kith_data *d = two_tastes(k);
    kith_model *m;
    float s[FILMS];
    CHECK_OK(kith_train(k, d, name, params, n, &m));
    CHECK_INT(m->core.n_cold, 0);
    for (int u = 0; u < VIEWERS; u++) {
        char id[8];
        snprintf(id, sizeof id, "u%d", u);
        ki_query q = ki_query_user(&m->core, kith_data_find_user(d, id));
        const int side = u % 2;
        q.n_skip = 0;
        score_of(m, &q, s);
        CHECK(s[FILMS - 2 + side] > s[FILMS - 1 - side]); /* the new film of the taste before the other */
    }
    const ki_query said = { .user = -1, .text = "a rocket to the moon" };
    score_of(m, &said, s);
    CHECK(s[FILMS - 2] > s[FILMS - 1] && s[0] > s[1]);
    kith_list *l;
    CHECK_OK(kith_recommend(k, m, &(kith_query){ .text = "wedding in Paris", .n_reasons = 1 }, &l));
    CHECK_STR(l->basis, "text");
    CHECK(atoi(l->items[0].item_id + 1) % 2 == 1);
    kith_list_free(l);
    kith_model_free(m);
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(lsa_ranks_new_films_and_texts_by_their_topic)
{
    check_sides("lsa", &(kith_param){ "n_factors", "4" }, 1);
}

TEST(ials_text_gives_new_films_the_side_of_their_words)
{
    static const kith_param params[] = { { "n_factors", "4" }, { "text_factors", "4" }, { "map_reg", "0.01" } };
    check_sides("ials-text", params, 3);
}

TEST(films_with_events_keep_the_points_of_ials)
{
    static const kith_param params[] = { { "n_factors", "4" }, { "n_epochs", "7" } };
    kith *k = context(1);
    kith_data *d = two_tastes(k);
    kith_model *plain, *with_text;
    CHECK_OK(kith_train(k, d, "ials", params, 2, &plain));
    CHECK_OK(kith_train(k, d, "ials-text", params, 2, &with_text));
    const ki_vectors *a = plain->core.state, *b = with_text->core.state;
    CHECK(memcmp(a->X, b->X, (size_t)(a->n_users * a->dim) * sizeof(float)) == 0);
    CHECK(memcmp(a->Y, b->Y, (size_t)((FILMS - 2) * a->dim) * sizeof(float)) == 0);
    kith_model_free(plain);
    kith_model_free(with_text);
    kith_data_free(d);
    kith_free(k);
}

TEST(a_model_without_words_refuses_a_text)
{
    kith *k = context(1);
    kith_data *d = two_tastes(k);
    kith_model *m;
    kith_list *l = NULL;
    CHECK_OK(kith_train(k, d, "popularity", NULL, 0, &m));
    CHECK_FAILS(kith_recommend(k, m, &(kith_query){ .text = "moon" }, &l), KITH_EINVAL, "reads no texts");
    kith_model_free(m);
    kith_data_free(d);
    kith_free(k);
}
