/* SPDX-License-Identifier: MIT
 * test_block.c -- what a block list means in a small shop, and that no list holds it
 *
 *      item  title                   genres           year
 *      i0    Night of Terror         horror           1990
 *      i1    Terror Nights           drama            1991
 *      i2    The Terrorist           drama|war        1992
 *      i3    Alien: Romulus          horror|sci-fi    1993
 *      i4    Garden Über Alles       family           1990
 *      i5    -                       -                -
 *      i6    Horrors of a night of TERROR  drama      1995
 *      i7    Plain                   family           1996
 */
#include "test.h"

#include "base/mem.h"
#include "engine/block.h"
#include "base/rng.h"
#include "model/package.h"

#include <unistd.h>

enum { ITEMS = 8 };

static kith *k;
static kith_data *d;
static kith_model *m;

static void add(const char *name, int kind, const char *const *cells)
{
    ki_column c;
    CHECK_OK(ki_column_from_strings(&c, name, ITEMS, cells, kind, '|'));
    CHECK_OK(ki_table_append(&d->item_attrs, &c));
}

/* Everybody has i7 and, by turns, two of the others; the more popular the lower the number. */
static void begin(const char *model)
{
    static const char *const titles[] = { "Night of Terror",
                                          "Terror Nights",
                                          "The Terrorist",
                                          "Alien: Romulus",
                                          "Garden Über Alles",
                                          NULL,
                                          "Horrors of a night of TERROR",
                                          "Plain" };
    static const char *const genres[] = { "horror", "drama", "drama|war", "horror|sci-fi",
                                          "family", NULL,    "drama",     "family" };
    static const char *const years[] = { "1990", "1991", "1992", "1993", "1990", NULL, "1995", "1996" };
    static const char *const users[] = { "a", "b", "c", "d", "e", "f", "a", "b", "c",
                                         "d", "e", "f", "a", "b", "c", "d", "e", "f" };
    static const char *const items[] = { "i0", "i1", "i2", "i3", "i4", "i5", "i6", "i0", "i0",
                                         "i0", "i1", "i1", "i7", "i7", "i7", "i7", "i7", "i7" };
    CHECK_OK(kith_new(&(kith_options){ .threads = 2 }, &k));
    CHECK_OK(kith_data_new(k, 18, users, items, NULL, NULL, &d));
    d->item_attrs.n_rows = ITEMS;
    add("title", KI_COL_TEXT, titles);
    add("genres", KI_COL_SET, genres);
    add("year", KI_COL_NUMBER, years);
    CHECK_OK(kith_train(k, d, model, NULL, 0, &m));
}

static void finish(void)
{
    kith_model_free(m);
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* "034": the numbers of the items that the text blocks. */
static const char *blocked(const char *text)
{
    static char out[ITEMS + 1];
    kith_block *b = NULL;
    int n = 0;
    CHECK_OK(kith_block_new(m, text, &b));
    for (int i = 0; i < ITEMS; i++)
        if (ki_block_has(b, i)) out[n++] = kith_model_item_id(m, i)[1];
    out[n] = '\0';
    CHECK_INT(b->n_blocked, n);
    kith_block_free(b);
    return out;
}

TEST(words_are_whole_and_their_case_does_not_count)
{
    begin("popularity");
    CHECK_STR(blocked("terror"), "016");
    CHECK_STR(blocked("TERRORIST"), "2");
    CHECK_STR(blocked("über"), "4");
    CHECK_STR(blocked("horror"), "03"); /* a genre of these; "Horrors" is another word */
    CHECK_STR(blocked("night of terror"), "06");
    CHECK_STR(blocked("of night"), ""); /* in this order alone */
    CHECK_STR(blocked("terror\nterror nights\nwar\n\n  family  \r\n"), "012467");
    CHECK_STR(blocked("sci-fi"), "3");
    CHECK_STR(blocked(""), "");
    finish();
}

TEST(a_column_an_id_a_comment_and_a_colon)
{
    begin("popularity");
    CHECK_STR(blocked("genres: drama"), "126");
    CHECK_STR(blocked("title:drama"), "");
    CHECK_STR(blocked("id: i5\nid:i7\nid: nobody"), "57");
    CHECK_STR(blocked("# terror\n\t# terror"), "");
    CHECK_STR(blocked("\"Alien: Romulus\""), "3");
    CHECK_STR(blocked("1990"), ""); /* numbers only where they are named */
    CHECK_STR(blocked("year: 1990"), "04");
    finish();
}

TEST(an_entry_that_means_nothing_is_refused_with_its_line)
{
    kith_block *b = NULL;
    begin("popularity");
    CHECK_FAILS(kith_block_new(m, "terror\ngenre: horror", &b), KITH_EINVAL,
                "line 2: items have no column \"genre\"; there are title, genres, year");
    CHECK_FAILS(kith_block_new(m, "\n\n!?!", &b), KITH_EINVAL, "line 3: there is no word");
    CHECK_FAILS(kith_block_new(m, "\"\"", &b), KITH_EINVAL, "no word");
    CHECK_FAILS(kith_block_new(m, "title:", &b), KITH_EINVAL, "no word");
    CHECK(b == NULL);
    finish();
}

TEST(it_is_counted_by_entry_and_an_item_counts_once)
{
    char *json = NULL;
    kith_block *b = NULL;
    begin("popularity");
    CHECK_OK(kith_block_new(m, "terror\nunicorn\nhorror\nid: i0\nterror", &b));
    CHECK_OK(kith_block_json(b, &json));
    CHECK_STR(json, "{\"items\":4,\"entries\":[{\"entry\":\"terror\",\"items\":3},{\"entry\":\"unicorn\",\"items\":0},"
                    "{\"entry\":\"horror\",\"items\":2},{\"entry\":\"id: i0\",\"items\":1},"
                    "{\"entry\":\"terror\",\"items\":3}],\"unused\":[\"unicorn\"]}");
    kith_string_free(json);
    kith_block_free(b);
    finish();
}

/* A text that says one word more often than there are entries hides no other entry. */
TEST(a_word_that_comes_again_hides_none)
{
    begin("popularity");
    ki_table t = { .n_rows = 1 };
    ki_idmap ids = { 0 };
    kith_block *b = NULL;
    ki_column c;
    int32_t at;
    CHECK_OK(ki_idmap_add(&ids, "x", 1, &at));
    CHECK_OK(
        ki_column_from_strings(&c, "text", 1, (const char *[]){ "spam spam spam spam spam eggs" }, KI_COL_TEXT, 0));
    CHECK_OK(ki_table_append(&t, &c));
    CHECK_OK(ki_block_make(&ids, &t, "spam\neggs", &b));
    CHECK_INT(b->entries[0].n_items, 1);
    CHECK_INT(b->entries[1].n_items, 1);
    kith_block_free(b);
    ki_table_clear(&t);
    ki_idmap_clear(&ids);
    finish();
}

/* ---- on every surface ---- */

static int holds(const kith_list *l, const char *ids)
{
    for (int j = 0; j < l->n; j++)
        if (strchr(ids, l->items[j].item_id[1]) != NULL) return 1;
    return 0;
}

static void check_list(const kith_query *q, const char *ids)
{
    kith_list *l = NULL;
    CHECK_OK(kith_recommend(k, m, q, &l));
    CHECK(l->n > 0 && !holds(l, ids));
    CHECK(strstr(l->report, "\"block\":{\"items\":4}") != NULL);
    kith_list_free(l);
}

TEST(no_list_holds_what_is_blocked)
{
    static const char *const liked[] = { "i4", "i7" };
    kith_block *b = NULL;
    kith_list *l = NULL;
    begin("item-knn");
    CHECK_OK(kith_block_new(m, "terror\nhorror", &b)); /* i0 i1 i3 i6 */
    check_list(&(kith_query){ .user = "e", .block = b, .include_seen = 1 }, "0136");
    check_list(&(kith_query){ .user = "nobody", .block = b }, "0136"); /* popular items */
    check_list(&(kith_query){ .liked = liked, .n_liked = 2, .block = b }, "0136");
    check_list(&(kith_query){ .user = "f", .block = b, .filter = "year < 2000" }, "0136");
    check_list(&(kith_query){ .user = "f",
                              .block = b,
                              .pipeline = "{\"rules\": {\"pin\": [{\"item\": \"i0\", \"at\": 1}]}, \"explore\": "
                                          "{\"slots\": 2}, \"retrieve\": [{\"from\": \"popular\", \"quota\": 8}, "
                                          "{\"from\": \"similar\", \"item\": \"i7\", \"quota\": 8}]}" },
               "0136");
    CHECK_OK(kith_similar_with(k, m, "i7", &(kith_query){ .n = 2, .block = b }, &l));
    CHECK_INT(l->n, 2); /* as many as wanted, though four more similar ones are blocked */
    CHECK(!holds(l, "0136"));
    kith_list_free(l);
    kith_block_free(b);
    finish();
}

TEST(lists_of_everybody_leave_it_out_too)
{
    int32_t items[6 * 4], counts[6];
    float scores[6 * 4];
    kith_block *b = NULL;
    begin("item-knn");
    CHECK_OK(kith_block_new(m, "terror\nhorror", &b));
    CHECK_OK(kith_recommend_batch_without(k, m, NULL, 6, 4, b, items, scores, counts));
    for (int u = 0; u < 6; u++) {
        kith_list *l = NULL;
        CHECK_OK(kith_recommend(k, m, &(kith_query){ .user = kith_model_user_id(m, u), .n = 4, .block = b }, &l));
        CHECK_INT(counts[u], l->n);
        for (int j = 0; j < l->n; j++) CHECK_STR(kith_model_item_id(m, items[u * 4 + j]), l->items[j].item_id);
        kith_list_free(l);
    }
    kith_block_free(b);
    finish();
}

/* The history may hold what is blocked now: its title is not to be read in a reason. */
TEST(no_reason_names_what_is_blocked)
{
    kith_block *b = NULL;
    kith_list *l = NULL;
    begin("item-knn");
    CHECK_OK(kith_block_new(m, "terror", &b));
    CHECK_OK(kith_recommend(k, m, &(kith_query){ .user = "b", .n_reasons = 5, .block = b }, &l)); /* has i0 i1 i7 */
    CHECK(l->n > 0);
    for (int j = 0; j < l->n; j++) {
        double sum = l->items[j].rest;
        CHECK(strstr(l->items[j].reason, "Terror") == NULL);
        for (int r = 0; r < l->items[j].n_reasons; r++) {
            CHECK_STR(l->items[j].reasons[r].item_id, "i7");
            sum += l->items[j].reasons[r].contribution;
        }
        CHECK_NEAR(sum, l->items[j].score, 1e-6); /* single precision */
    }
    kith_list_free(l);
    kith_block_free(b);
    finish();
}

/* ---- many entries ---- */

enum { TEXTS = 40, WORDS = 12, PHRASES = 60 };

struct phrase {
    int n, column; /* column 0, 1 of the two; -1: any */
    char words[5];
};

static int stands_in(const struct phrase *p, const char *text)
{
    const int n = (int)strlen(text);
    for (int at = 0; at + p->n <= n; at++)
        if (memcmp(text + at, p->words, (size_t)p->n) == 0) return 1;
    return 0;
}

static void spell(const char *letters, int n, char *out)
{
    for (int j = 0; j < n; j++) {
        *out++ = letters[j];
        *out++ = ' ';
    }
    out[n > 0 ? -1 : 0] = '\0';
}

static void make_texts(ki_rng *r, char letters[2][TEXTS][WORDS + 1])
{
    static char spelled[2][TEXTS][2 * WORDS + 1];
    static const char *users[TEXTS], *items[TEXTS];
    static char ids[TEXTS][8];
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < TEXTS; i++) {
            const int n = 1 + (int)ki_rng_below(r, WORDS);
            for (int j = 0; j < n; j++) letters[c][i][j] = "abc"[ki_rng_below(r, 3)];
            letters[c][i][n] = '\0';
            spell(letters[c][i], n, spelled[c][i]);
            snprintf(ids[i], sizeof ids[i], "i%d", i);
            users[i] = "u";
            items[i] = ids[i];
        }
    CHECK_OK(kith_data_new(k, TEXTS, users, items, NULL, NULL, &d));
    d->item_attrs.n_rows = TEXTS;
    for (int c = 0; c < 2; c++) {
        const char *cells[TEXTS];
        ki_column column;
        for (int i = 0; i < TEXTS; i++) cells[i] = spelled[c][i];
        CHECK_OK(ki_column_from_strings(&column, c == 0 ? "title" : "plot", TEXTS, cells, KI_COL_TEXT, '|'));
        CHECK_OK(ki_table_append(&d->item_attrs, &column));
    }
}

/* Phrases of few words in texts of few words agree in every way that there is: as many items as by looking. */
TEST(entries_that_begin_alike_and_repeat_are_counted_one_by_one)
{
    for (uint64_t round = 0; round < 20; round++) {
        ki_rng r = ki_rng_make(23, round, 0);
        char letters[2][TEXTS][WORDS + 1], text[PHRASES * 20] = "";
        struct phrase phrases[PHRASES];
        kith_block *b = NULL;
        CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &k));
        make_texts(&r, letters);
        for (int e = 0; e < PHRASES; e++) {
            struct phrase *p = &phrases[e];
            char spelled[16];
            p->n = 1 + (int)ki_rng_below(&r, 4);
            p->column = (int)ki_rng_below(&r, 3) - 1;
            for (int j = 0; j < p->n; j++) p->words[j] = "abc"[ki_rng_below(&r, 3)];
            spell(p->words, p->n, spelled);
            strcat(text, p->column < 0 ? "" : p->column == 0 ? "title: " : "plot: ");
            strcat(strcat(text, spelled), "\n");
        }
        CHECK_OK(ki_block_make(&d->items, &d->item_attrs, text, &b));
        for (int e = 0; e < PHRASES; e++) {
            const struct phrase *p = &phrases[e];
            int n = 0;
            for (int i = 0; i < TEXTS; i++)
                n += (p->column != 1 && stands_in(p, letters[0][i])) || (p->column != 0 && stands_in(p, letters[1][i]));
            CHECK_INT(b->entries[e].n_items, n);
        }
        for (int i = 0; i < TEXTS; i++) {
            int first = -1;
            for (int e = PHRASES - 1; e >= 0; e--)
                if ((phrases[e].column != 1 && stands_in(&phrases[e], letters[0][i])) ||
                    (phrases[e].column != 0 && stands_in(&phrases[e], letters[1][i])))
                    first = e;
            CHECK_INT(b->by[i], first);
        }
        kith_block_free(b);
        kith_data_free(d);
        kith_free(k);
    }
    CHECK_INT(ki_alloc_live(), 0);
}

/* Entries times places where they might begin are 10 thousand million. */
TEST(many_entries_that_begin_alike_cost_no_more_than_others)
{
    enum { MANY = 100000 };
    static char text[MANY * 12], title[MANY * 2 + 8];
    static const char *const user[] = { "u" }, *const item[] = { "i" };
    const char *cells[] = { title };
    size_t at = 0;
    ki_column column;
    kith_block *b = NULL;
    for (int e = 0; e < MANY; e++) at += (size_t)sprintf(text + at, "a %d\n", e);
    for (int j = 0; j < MANY; j++) memcpy(title + 2 * (size_t)j, "a ", 2);
    memcpy(title + 2 * (size_t)MANY, "77", 3);
    CHECK_OK(kith_new(&(kith_options){ .threads = 1 }, &k));
    CHECK_OK(kith_data_new(k, 1, user, item, NULL, NULL, &d));
    d->item_attrs.n_rows = 1;
    CHECK_OK(ki_column_from_strings(&column, "title", 1, cells, KI_COL_TEXT, '|'));
    CHECK_OK(ki_table_append(&d->item_attrs, &column));
    alarm(20);
    CHECK_OK(ki_block_make(&d->items, &d->item_attrs, text, &b));
    alarm(0);
    CHECK_INT(b->by[0], 77);
    kith_block_free(b);
    kith_data_free(d);
    kith_free(k);
}

TEST(why_not_names_the_entry)
{
    char *json = NULL;
    kith_block *b = NULL;
    begin("item-knn");
    CHECK_OK(kith_block_new(m, "night of terror\nhorror\nid: i0", &b));
    CHECK_OK(kith_why_not(k, m, &(kith_query){ .user = "f", .block = b }, "i0", &json));
    CHECK(strstr(json, "\"why\":\"blocked\"") != NULL);
    CHECK(strstr(json, "\"entry\":\"night of terror\"") != NULL); /* the first of three */
    kith_string_free(json);
    CHECK_OK(kith_why_not(k, m, &(kith_query){ .user = "f", .block = b }, "i4", &json));
    CHECK(strstr(json, "blocked") == NULL);
    kith_string_free(json);
    kith_block_free(b);
    finish();
}

TEST(a_list_of_another_catalogue_is_refused)
{
    ki_idmap none = { 0 };
    ki_table t = { 0 };
    kith_block *b = NULL;
    kith_list *l = NULL;
    begin("item-knn");
    CHECK_OK(ki_block_make(&none, &t, "terror", &b));
    CHECK_FAILS(kith_recommend(k, m, &(kith_query){ .user = "a", .block = b }, &l), KITH_EINVAL,
                "catalogue of 0 items");
    CHECK_FAILS(kith_similar_with(k, m, "i0", &(kith_query){ .block = b }, &l), KITH_EINVAL, "catalogue of 0 items");
    CHECK(l == NULL);
    kith_block_free(b);
    finish();
}

TEST(memory_that_runs_out_is_said_and_nothing_leaks)
{
    begin("popularity");
    for (int64_t n = 1, done = 0; !done; n++) {
        kith_block *b = NULL;
        ki_alloc_fail_at(n, 1);
        const kith_err err = kith_block_new(m, "terror\nid: i1\ngenres: drama\nyear: 1990", &b);
        ki_alloc_fail_at(0, 0);
        done = err == KITH_OK;
        CHECK(done ? b != NULL : b == NULL && err == KITH_ENOMEM);
        CHECK(n < 10000);
        kith_block_free(b);
    }
    finish();
}
