/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/mem.h"
#include "model/package.h"

static const char *const titles[] = {
    "Toy Story (1995)",
    "Toy Story 2 (1999)",
    "Matrix, The (1999)",
    "Matrix Reloaded, The (2003)",
    "Sabrina (1954)",
    "Sabrina (1995)",
    "Dune (1984)",
    "",
    "\xc3\x89t\xc3\xa9 (2001)",
    "300",
};
enum { N = 10 };

struct world {
    kith *k;
    kith_data *d;
    kith_model *m;
};

/* Item "10" + j has the title titles[j] and N - j users; with `titled` 0 none has a title. */
static struct world open_world(int titled)
{
    static char names[N][8], people[N][8];
    const char *users[N * N], *items[N * N];
    struct world w = { 0 };
    size_t n = 0;
    for (int j = 0; j < N; j++) {
        snprintf(names[j], sizeof names[j], "%d", 10 + j);
        snprintf(people[j], sizeof people[j], "u%d", j);
    }
    for (int j = 0; j < N; j++)
        for (int u = 0; u < N - j; u++, n++) {
            users[n] = people[u];
            items[n] = names[j];
        }
    CHECK_OK(kith_new(NULL, &w.k));
    CHECK_OK(kith_data_new(w.k, n, users, items, NULL, NULL, &w.d));
    if (titled) {
        ki_column c;
        w.d->item_attrs.n_rows = N;
        CHECK_OK(ki_column_from_strings(&c, "title", N, titles, KI_COL_TEXT, 0));
        CHECK_OK(ki_table_append(&w.d->item_attrs, &c));
    }
    CHECK_OK(kith_train(w.k, w.d, "popularity", NULL, 0, &w.m));
    return w;
}

static void close_world(struct world *w)
{
    kith_model_free(w->m);
    kith_data_free(w->d);
    kith_free(w->k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* "10 11": the ids found, best first. */
static const char *search(const struct world *w, const char *text, kith_match best)
{
    static char out[256];
    kith_found found[N];
    int n = 0, all = 0;
    out[0] = '\0';
    CHECK_OK(kith_model_search(w->m, text, N, found, &n, &all));
    CHECK_INT(n, all);
    if (n > 0) CHECK_INT(found[0].match, best);
    for (int j = 0; j < n; j++) {
        if (j > 0) strcat(out, " ");
        strcat(out, found[j].item_id);
        CHECK_INT(found[j].n_users, N - found[j].item);
    }
    return out;
}

TEST(titles_are_found_by_grade_and_then_by_their_users)
{
    struct world w = open_world(1);
    CHECK_STR(search(&w, "TOY story", KITH_MATCH_TITLE), "10 11");
    CHECK_STR(search(&w, "story toy (1995)", KITH_MATCH_TITLE), "10");
    CHECK_STR(search(&w, "the matrix", KITH_MATCH_TITLE), "12 13");
    CHECK_STR(search(&w, "Matrix", KITH_MATCH_WORDS), "12 13");
    CHECK_STR(search(&w, "rel mat", KITH_MATCH_BEGINS), "13");
    CHECK_STR(search(&w, "Sabrina", KITH_MATCH_TITLE), "14 15");
    CHECK_STR(search(&w, "\xc3\xa9T\xc3\x89", KITH_MATCH_TITLE), "18");
    CHECK_STR(search(&w, "12", KITH_MATCH_ID), "12");
    CHECK_STR(search(&w, "300", KITH_MATCH_TITLE), "19");
    CHECK_STR(search(&w, "toy toy", KITH_MATCH_WORDS), "10 11");
    CHECK_STR(search(&w, "dnue", KITH_MATCH_NEAR), "16");
    CHECK_STR(search(&w, "matrx reloded", KITH_MATCH_NEAR), "13");
    CHECK_STR(search(&w, "qqqq", KITH_MATCH_NEAR), "");
    CHECK_STR(search(&w, "", KITH_MATCH_NEAR), "");
    CHECK_STR(search(&w, "?!", KITH_MATCH_NEAR), "");
    CHECK_STR(search(&w, "a b c d e f g h i j k l m n o p q r s", KITH_MATCH_NEAR), "");
    close_world(&w);
}

TEST(the_number_found_is_told_beyond_those_returned)
{
    struct world w = open_world(1);
    kith_found found[1];
    int n = 0, all = 0;
    CHECK_OK(kith_model_search(w.m, "1999", 1, found, &n, &all));
    CHECK(n == 1 && all == 2 && found[0].item == 1);
    CHECK_STR(found[0].title, kith_model_item_title(w.m, 1));
    CHECK_OK(kith_model_search(w.m, "1999", 0, NULL, &n, &all));
    CHECK(n == 0 && all == 2);
    CHECK_FAILS(kith_model_search(w.m, "1999", -1, found, &n, &all), KITH_EINVAL, "n is -1");
    CHECK_FAILS(kith_model_search(w.m, NULL, 1, found, &n, &all), KITH_EINVAL, "must not be NULL");
    CHECK(kith_model_item_title(w.m, 7) == NULL && kith_model_item_title(w.m, N) == NULL);
    close_world(&w);
}

static int32_t find(const struct world *w, const char *text)
{
    int32_t item = -1;
    CHECK_OK(kith_model_pick_item(w->m, text, &item));
    return item;
}

TEST(one_item_is_meant_or_the_sentence_helps)
{
    struct world w = open_world(1);
    int32_t item = -1;
    CHECK_INT(find(&w, "15"), 5);
    CHECK_INT(find(&w, "toy story"), 0); /* the second one holds the words, the first one is them */
    CHECK_INT(find(&w, "The Matrix"), 2);
    CHECK_INT(find(&w, "reloaded"), 3);
    CHECK_FAILS(kith_model_pick_item(w.m, "sabrina", &item), KITH_ENOTFOUND,
                "\"sabrina\" may be: \"Sabrina (1954)\" (id 14), \"Sabrina (1995)\" (id 15); give the id");
    CHECK_FAILS(kith_model_pick_item(w.m, "dnue", &item), KITH_ENOTFOUND,
                "no item \"dnue\"; did you mean \"Dune (1984)\" (id 16)?");
    CHECK_FAILS(kith_model_pick_item(w.m, "qqqq", &item), KITH_ENOTFOUND, "among the 10");
    CHECK_FAILS(kith_model_pick_item(w.m, NULL, &item), KITH_EINVAL, "must not be NULL");
    CHECK_INT(item, -1);
    CHECK(kith_model_find_item(w.m, "15") == 5 && kith_model_find_item(w.m, "Dune (1984)") == -1);
    CHECK(kith_model_find_user(w.m, "u3") == 3 && kith_model_find_user(w.m, "u10") == -1);
    close_world(&w);
}

TEST(without_titles_ids_are_still_found)
{
    struct world w = open_world(0);
    CHECK_STR(search(&w, "15", KITH_MATCH_ID), "15");
    CHECK_STR(search(&w, "toy story", KITH_MATCH_NEAR), "");
    close_world(&w);
}

TEST(a_refused_allocation_fails_the_search_and_leaks_nothing)
{
    struct world w = open_world(1);
    const int64_t before = ki_alloc_live();
    int32_t item = -1;
    ki_alloc_fail_at(1, 0);
    CHECK_FAILS(kith_model_pick_item(w.m, "toy story", &item), KITH_ENOMEM, "");
    ki_alloc_fail_at(0, 0);
    CHECK(item == -1 && ki_alloc_live() == before);
    close_world(&w);
}
