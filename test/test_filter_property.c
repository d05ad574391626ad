/* SPDX-License-Identifier: MIT
 * test_filter_property.c -- random filters over random tables: blocks = interpreter, and print is the inverse of parse
 */
#include "test.h"

#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "engine/filter.h"
#include "engine/wording.h"

/* More than two blocks of 1024 items, the last not full; few words, so that tests hit. */
enum { ITEMS = 2500, WORDS = 5, TABLES = 4, FILTERS = 250 };

static const char *const words[WORDS] = { "alpha", "Beta", "gamma", "δέλτα", "be" };

struct world {
    ki_idmap items;
    ki_table table;
    ki_context context;
    double popularity[ITEMS];
    ki_schema schema;
};

static void random_cells(ki_rng *r, const char *name, int kind, ki_table *t)
{
    static char text[ITEMS][64];
    const char *cells[ITEMS];
    for (int j = 0; j < ITEMS; j++) {
        cells[j] = text[j];
        if (ki_rng_below(r, 5) == 0)
            cells[j] = NULL;
        else if (kind == KI_COL_NUMBER)
            snprintf(text[j], sizeof text[j], "%d", (int)ki_rng_below(r, 9) - 4);
        else if (kind == KI_COL_TIME)
            snprintf(text[j], sizeof text[j], "2024-01-%02d", 1 + (int)ki_rng_below(r, 9));
        else if (kind == KI_COL_SET)
            snprintf(text[j], sizeof text[j], "%s|%s", words[ki_rng_below(r, WORDS)], words[ki_rng_below(r, WORDS)]);
        else
            snprintf(text[j], sizeof text[j], "%s", words[ki_rng_below(r, WORDS)]);
    }
    ki_column c;
    CHECK_OK(ki_column_from_strings(&c, name, ITEMS, cells, kind, '|'));
    CHECK_OK(ki_table_append(t, &c));
}

static void make_world(struct world *w, uint64_t seed)
{
    ki_rng r = ki_rng_make(seed, 1, 0);
    int32_t at;
    char id[16];
    *w = (struct world){ .table = { .n_rows = ITEMS } };
    for (int j = 0; j < ITEMS; j++) {
        snprintf(id, sizeof id, "n%d", j);
        CHECK_OK(ki_idmap_add(&w->items, id, strlen(id), &at));
        w->popularity[j] = ki_rng_below(&r, 9);
    }
    random_cells(&r, "a", KI_COL_NUMBER, &w->table);
    random_cells(&r, "b", KI_COL_NUMBER, &w->table);
    random_cells(&r, "t", KI_COL_TIME, &w->table);
    random_cells(&r, "c", KI_COL_CATEGORY, &w->table);
    random_cells(&r, "s", KI_COL_SET, &w->table);
    random_cells(&r, "x", KI_COL_TEXT, &w->table);
    json_t *json = json_loads("{\"n\": 2, \"w\": \"Beta\", \"yes\": true, \"no\": null, \"ws\": [\"alpha\", \"be\"], "
                              "\"ns\": [1, 3], \"none\": []}",
                              0, NULL);
    CHECK_OK(ki_context_read(&w->context, json, NULL));
    json_decref(json);
    w->schema = (ki_schema){ &w->items, &w->table, w->popularity, &w->context };
}

static void clear_world(struct world *w)
{
    ki_idmap_clear(&w->items);
    ki_table_clear(&w->table);
    ki_context_clear(&w->context);
}

/* ---- random text of each type ---- */

static const char *pick(ki_rng *r, const char *const *list, uint32_t n)
{
    return list[ki_rng_below(r, n)];
}

static void number(ki_rng *r, int depth, ki_words *out)
{
    static const char *const leaves[] = {
        "a", "b", "popularity", "$n", "3", "-1", "0", "2.5", "((t - 2024-01-03) / 1d)"
    };
    static const char *const ops[] = { " + ", " - ", " * ", " / " };
    if (depth <= 0 || ki_rng_below(r, 3) == 0) {
        ki_words_add(out, "%s", pick(r, leaves, KI_COUNT(leaves)));
        return;
    }
    ki_words_add(out, ki_rng_below(r, 4) == 0 ? "-(" : "(");
    number(r, depth - 1, out);
    ki_words_add(out, "%s", pick(r, ops, KI_COUNT(ops)));
    number(r, depth - 1, out);
    ki_words_add(out, ")");
}

static void put_word(ki_rng *r, ki_words *out)
{
    const uint32_t j = ki_rng_below(r, WORDS + 3);
    if (j < WORDS)
        ki_words_add(out, "\"%s\"", words[j]);
    else
        ki_words_add(out, "%s", j == WORDS ? "$w" : j == WORDS + 1 ? "$no" : "'never'");
}

static void put_words(ki_rng *r, ki_words *out)
{
    const uint32_t n = ki_rng_below(r, 5);
    if (n == 0) {
        ki_words_add(out, ki_rng_below(r, 2) ? "$ws" : "$none");
        return;
    }
    for (uint32_t j = 0; j < n; j++) {
        ki_words_add(out, j == 0 ? "(" : ", ");
        put_word(r, out);
    }
    ki_words_add(out, ")");
}

static void word_test(ki_rng *r, ki_words *out)
{
    static const char *const columns[] = { "c", "x", "item", "$w", "c", "x" };
    static const char *const ops[] = { " = ", " != ", " ~ ", " contains ", " starts with " };
    static const char *const has[] = { " has any ", " has all ", " not has any " };
    switch (ki_rng_below(r, 4)) {
    case 0:
        ki_words_add(out, "%s%s", pick(r, columns, 6), ki_rng_below(r, 2) ? " in " : " not in ");
        put_words(r, out);
        break;
    case 1:
        ki_words_add(out, "s has ");
        put_word(r, out);
        break;
    case 2:
        ki_words_add(out, "s%s", pick(r, has, KI_COUNT(has)));
        put_words(r, out);
        break;
    default: ki_words_add(out, "%s%s", pick(r, columns, 6), pick(r, ops, KI_COUNT(ops))); put_word(r, out);
    }
}

static void number_test(ki_rng *r, int depth, ki_words *out)
{
    static const char *const ops[] = { " < ", " <= ", " > ", " >= ", " = ", " != " };
    number(r, depth, out);
    switch (ki_rng_below(r, 5)) {
    case 0:
        ki_words_add(out, " between ");
        number(r, depth - 1, out);
        ki_words_add(out, " and ");
        number(r, depth - 1, out);
        break;
    case 1: ki_words_add(out, ki_rng_below(r, 2) ? " in $ns" : " in (1, $n, -2, 0)"); break;
    case 2: ki_words_add(out, ki_rng_below(r, 2) ? " is missing" : " is present"); break;
    default: ki_words_add(out, "%s", pick(r, ops, KI_COUNT(ops))); number(r, depth - 1, out);
    }
}

static void boolean(ki_rng *r, int depth, ki_words *out)
{
    static const char *const leaves[] = { "true",           "$yes",
                                          "c is missing",   "x is missing",
                                          "s is empty",     "t >= now - 3d",
                                          "now - t < 60h",  "item in (\"n3\", \"n2000\", 'n1')",
                                          "item = 'n1500'", "t is present" };
    if (depth <= 0) {
        ki_words_add(out, "%s", pick(r, leaves, KI_COUNT(leaves)));
        return;
    }
    switch (ki_rng_below(r, 7)) {
    case 0:
        ki_words_add(out, "not ");
        boolean(r, depth - 1, out);
        break;
    case 1: word_test(r, out); break;
    case 2: number_test(r, 2, out); break;
    case 3:
        ki_words_add(out, "(");
        boolean(r, depth - 1, out);
        ki_words_add(out, ki_rng_below(r, 2) ? ") = (" : ") != (");
        boolean(r, depth - 1, out);
        ki_words_add(out, ")");
        break;
    default:
        ki_words_add(out, "(");
        for (uint32_t j = 2 + ki_rng_below(r, 2), conj = ki_rng_below(r, 2); j > 0; j--) {
            boolean(r, depth - 1, out);
            if (j > 1) ki_words_add(out, conj ? " and " : " or ");
        }
        ki_words_add(out, ")");
    }
}

/* ---- the properties ---- */

static void check_filter(const struct world *w, const char *text)
{
    static uint8_t mask[ITEMS];
    const ki_env env = { 1704412800, &w->context }; /* 2024-01-05 */
    ki_filter *f, *again;
    char *printed, *twice;
    CHECK_OK(ki_filter_parse(&w->schema, text, &f, NULL));
    CHECK_OK(ki_filter_run(f, &env, mask));
    for (int32_t j = 0; j < ITEMS; j++) {
        const int one = ki_filter_one(f, &env, j) == KI_TRUE;
        ck_assert_msg(mask[j] == one, "%s: item %d: mask %d, interpreter %d", text, j, mask[j], one);
    }
    CHECK_OK(ki_filter_print(f, &printed));
    CHECK_OK(ki_filter_parse(&w->schema, printed, &again, NULL));
    ck_assert_msg(ki_filter_equal(f, again), "%s prints as %s, which is another filter", text, printed);
    CHECK_OK(ki_filter_print(again, &twice));
    CHECK_STR(twice, printed);
    ki_free(printed);
    ki_free(twice);
    ki_filter_free(f);
    ki_filter_free(again);
}

static int n_tables(void)
{
    return TABLES;
}

TEST_EACH(blocks_agree_with_the_interpreter_and_printing_with_parsing, n_tables)
{
    static struct world w;
    make_world(&w, (uint64_t)loop_index);
    for (int j = 0; j < FILTERS; j++) {
        ki_rng r = ki_rng_make((uint64_t)loop_index, 2, (uint64_t)j);
        ki_words text = { 0 };
        char *s;
        boolean(&r, 1 + j % 5, &text);
        CHECK_OK(ki_words_take(&text, &s));
        check_filter(&w, s);
        ki_free(s);
    }
    clear_world(&w);
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- threads ---- */

struct shared {
    const ki_filter *f;
    ki_env env;
    uint8_t (*masks)[ITEMS];
};

static kith_err run_one(void *arg, int64_t begin, int64_t end, int worker)
{
    const struct shared *s = arg;
    kith_err err = KITH_OK;
    (void)worker;
    for (int64_t j = begin; err == KITH_OK && j < end; j++) err = ki_filter_run(s->f, &s->env, s->masks[j]);
    return err;
}

TEST(one_filter_may_be_run_by_many_threads)
{
    enum { RUNS = 40 };
    static struct world w;
    static uint8_t masks[RUNS][ITEMS];
    ki_pool *pool;
    ki_filter *f;
    make_world(&w, 9);
    CHECK_OK(ki_pool_new(5, &pool));
    CHECK_OK(
        ki_filter_parse(&w.schema, "c in $ws and s has any ($w, \"be\") and a * 2 <= $n or x contains $w", &f, NULL));
    struct shared s = { f, { 1704412800, &w.context }, masks };
    CHECK_OK(ki_parallel_for(pool, RUNS, 1, run_one, &s));
    for (int j = 1; j < RUNS; j++) CHECK(memcmp(masks[j], masks[0], ITEMS) == 0);
    ki_filter_free(f);
    ki_pool_free(pool);
    clear_world(&w);
}
