/* SPDX-License-Identifier: MIT
 * test_content.c -- content-based lists by hand: weights, profiles, shares, cold items, the news example
 */
#include "test.h"

#include "base/mem.h"
#include "data/read.h"
#include "model/form_features.h"
#include "model/package.h"
#include "model/rank.h"

/* The content-based example of the tool contract, and user3, who has interests and no events. */
static const char news[] =
    "{\"user_data\": ["
    "{\"user_id\": \"user1\", \"interests\": [\"technology\", \"AI\", \"programming\"]},"
    "{\"user_id\": \"user2\", \"interests\": [\"sports\", \"football\", \"fitness\"]},"
    "{\"user_id\": \"user3\", \"interests\": [\"technology\", \"AI\", \"programming\"]}],"
    "\"item_data\": ["
    "{\"item_id\": \"article1\", \"title\": \"AI Breakthrough\", \"content\": \"Latest developments in AI...\","
    " \"tags\": [\"technology\", \"AI\"]},"
    "{\"item_id\": \"article2\", \"title\": \"Football Championship\", \"content\": \"Championship results...\","
    " \"tags\": [\"sports\", \"football\"]}],"
    "\"interaction_data\": ["
    "{\"user_id\": \"user1\", \"item_id\": \"article1\", \"read_time\": 300, \"liked\": true},"
    "{\"user_id\": \"user2\", \"item_id\": \"article2\", \"read_time\": 180, \"liked\": true}]}";

static kith *context(void)
{
    kith *k;
    CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &k));
    return k;
}

static kith_data *read_json(kith *k, const char *text)
{
    static const kith_read_options options = { 0 };
    static const ki_row_limits limits = { 0 };
    kith_data *d;
    CHECK_OK(ki_read_buffer(ki_context_job(k), "contract", (const uint8_t *)text, strlen(text), &options, &limits, &d));
    return d;
}

static kith_model *train(kith *k, const char *json, const kith_param *params, int n)
{
    kith_data *d = read_json(k, json);
    kith_model *m;
    CHECK_OK(kith_train(k, d, "content", params, n, &m));
    kith_data_free(d);
    return m;
}

TEST(the_news_example_ranks_the_technology_article_first)
{
    static const kith_param params[] = { { "vectorization_method", "tfidf" },
                                         { "similarity_metric", "cosine" },
                                         { "content_features", "title,content,tags" } };
    kith *k = context();
    kith_model *m = train(k, news, params, 3);
    kith_list *l;
    CHECK_OK(kith_recommend(k, m, &(kith_query){ .user = "user1", .include_seen = 1 }, &l));
    CHECK_INT(l->n, 2);
    CHECK_STR(l->items[0].item_id, "article1");
    CHECK(l->items[0].score > 0.5 && l->items[0].score > l->items[1].score);
    kith_list_free(l);
    CHECK_OK(kith_recommend(k, m, &(kith_query){ .user = "user2", .include_seen = 1 }, &l));
    CHECK_STR(l->items[0].item_id, "article2");
    kith_list_free(l);
    /* interests alone: no event of user3 is known */
    CHECK_OK(kith_recommend(k, m, &(kith_query){ .user = "user3" }, &l));
    CHECK_STR(l->items[0].item_id, "article1");
    CHECK_STR(l->basis, "text");
    kith_list_free(l);
    CHECK_OK(kith_recommend(k, m, &(kith_query){ .text = "anything about football and fitness" }, &l));
    CHECK_STR(l->items[0].item_id, "article2");
    CHECK_STR(l->basis, "text");
    kith_list_free(l);
    CHECK_OK(kith_recommend(k, m, &(kith_query){ .text = "zzz" }, &l)); /* no word of it is known */
    CHECK_STR(l->basis, "popular");
    CHECK_STR(l->note, "the model knows no word of the text; these are popular items");
    kith_list_free(l);
    kith_model_free(m);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- four films, of which the last two have no event ---- */

static const char films[] =
    "{\"user_data\": [{\"user_id\": \"ann\"}, {\"user_id\": \"bob\", \"about\": \"I love whales\"}],"
    "\"item_data\": [{\"item_id\": \"a\", \"plot\": \"red fox\"}, {\"item_id\": \"b\", \"plot\": \"blue whale\"},"
    "{\"item_id\": \"c\", \"plot\": \"red whale\"}, {\"item_id\": \"d\", \"plot\": \"moon\"}],"
    "\"interaction_data\": [{\"user_id\": \"ann\", \"item_id\": \"a\", \"rating\": 5},"
    "{\"user_id\": \"ann\", \"item_id\": \"b\", \"rating\": 2}, {\"user_id\": \"bob\", \"item_id\": \"a\", \"rating\": "
    "4}]}";

static const kith_param counting[] = { { "vectorization_method", "count" },
                                       { "ngram", "1" },
                                       { "language", "none" },
                                       { "user_features", "about" },
                                       { "history_values", "ones" },
                                       { "similarity_metric", "cosine" } };

static struct kith_model *train_films(kith *k, const char *metric, const char *values, float weight)
{
    kith_param params[7];
    char text[32];
    snprintf(text, sizeof text, "%g", (double)weight);
    memcpy(params, counting, sizeof counting);
    params[4].value = values;
    params[5].value = metric;
    params[6] = (kith_param){ "history_weight", text };
    return train(k, films, params, 7);
}

static void scores_of(const kith_model *m, const ki_query *q, float *out)
{
    ki_ranker *r;
    CHECK_OK(ki_ranker_new(&m->core, 1, 1, &r));
    CHECK_OK(ki_ranker_scores(r, q, out));
    ki_ranker_free(r);
}

TEST(a_cosine_profile_is_the_sum_of_the_history)
{
    kith *k = context();
    kith_model *m = train_films(k, "cosine", "ones", 1);
    float s[4];
    ki_query q = ki_query_user(&m->core, 0);
    q.n_skip = 0;
    scores_of(m, &q, s);
    /* p ~ (blue, fox, red, whale), all equal: |p| = 2 in those units, items have two of the four */
    CHECK_NEAR(s[0], sqrt(0.5), 1e-6);
    CHECK_NEAR(s[1], sqrt(0.5), 1e-6);
    CHECK_NEAR(s[2], sqrt(0.5), 1e-6);
    CHECK_NEAR(s[3], 0, 0);
    kith_model_free(m);
    kith_free(k);
}

TEST(a_low_rating_speaks_against_its_words)
{
    kith *k = context();
    kith_model *m = train_films(k, "dot", "centred", 2);
    float s[4];
    ki_query q = ki_query_user(&m->core, 0);
    q.n_skip = 0;
    scores_of(m, &q, s);
    /* w = 1.5 for a, -1.5 for b; over sum |w| = 3 and times 2: p = red + fox - blue - whale */
    CHECK_NEAR(s[0], 2, 1e-6);
    CHECK_NEAR(s[1], -2, 1e-6);
    CHECK_NEAR(s[2], 0, 1e-6);
    q = ki_query_user(&m->core, 1); /* one rating: it counts, and so does what bob says; skips a */
    scores_of(m, &q, s);
    CHECK_NEAR(s[2], 2, 1e-6); /* 2 (red + fox): red; "whales" is no "whale" where nothing is stemmed */
    kith_model_free(m);
    kith_free(k);
}

TEST(jaccard_compares_with_each_item_of_the_history)
{
    kith *k = context();
    kith_model *m = train_films(k, "jaccard", "ones", 1);
    float s[4];
    ki_query q = ki_query_user(&m->core, 0);
    q.n_skip = 0;
    scores_of(m, &q, s);
    CHECK_NEAR(s[0], 0.5, 1e-6);                     /* itself 1, with b 0 */
    CHECK_NEAR(s[2], (1.0 / 3 + 1.0 / 3) / 2, 1e-6); /* one word of three with each */
    q.n = 0;
    q.user = -1;
    q.text = "red whale";
    scores_of(m, &q, s);
    CHECK_NEAR(s[2], 1, 1e-6);
    CHECK_NEAR(s[0], 1.0 / 3, 1e-6);
    kith_model_free(m);
    kith_free(k);
}

TEST(items_that_nobody_has_are_ranked_when_they_have_words)
{
    kith *k = context();
    kith_model *m = train_films(k, "cosine", "ones", 1);
    kith_list *l;
    CHECK_INT(m->core.n_cold, 0);
    CHECK_OK(kith_recommend(k, m, &(kith_query){ .user = "ann", .n_reasons = 2 }, &l));
    CHECK_INT(l->n, 2);
    CHECK_STR(l->items[0].item_id, "c");
    CHECK_INT(l->items[0].n_reasons, 2);
    CHECK_NEAR(l->items[0].reasons[0].contribution + l->items[0].reasons[1].contribution, l->items[0].score, 1e-6);
    kith_list_free(l);
    CHECK_OK(kith_similar(k, m, "c", 3, &l));
    CHECK_STR(l->items[0].item_id, "a");
    CHECK_NEAR(l->items[0].score, 0.5, 1e-6);
    kith_list_free(l);
    kith_model_free(m);
    kith_free(k);
}

TEST(shared_words_have_shares_that_add_up)
{
    static const char *const metrics[] = { "cosine", "dot", "jaccard" };
    kith *k = context();
    for (int j = 0; j < 3; j++) {
        kith_model *m = train_films(k, metrics[j], "ones", 1);
        ki_word words[4];
        float s[4];
        ki_query q = ki_query_user(&m->core, 0);
        q.n_skip = 0;
        q.text = "whale";
        scores_of(m, &q, s);
        const int n = m->core.desc->form->words(&m->core, &q, 2, words, 4);
        CHECK_INT(n, 2);
        CHECK_STR(words[0].word, "whale"); /* said twice: by the history and by the text */
        CHECK_STR(words[1].word, "red");
        CHECK_NEAR(words[0].part + words[1].part, s[2], 1e-6);
        kith_model_free(m);
    }
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(data_without_words_is_refused)
{
    static const char *const users[] = { "a", "b" }, *const items[] = { "x", "y" };
    static const char bare[] = "{\"item_data\": [{\"item_id\": \"a\", \"title\": \"fox\"}],"
                               "\"interaction_data\": [{\"user_id\": \"u\", \"item_id\": \"a\"}]}";
    kith *k = context();
    kith_data *d;
    kith_model *m = NULL;
    CHECK_OK(kith_data_new(k, 2, users, items, NULL, NULL, &d));
    CHECK_FAILS(kith_train(k, d, "content", NULL, 0, &m), KITH_EDATA, "items with words");
    kith_data_free(d);
    d = read_json(k, bare);
    CHECK_FAILS(kith_train(k, d, "content", &(kith_param){ "content_features", "plot" }, 1, &m), KITH_EINVAL,
                "the columns with words are: title");
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}
