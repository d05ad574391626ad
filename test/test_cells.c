/* test_cells.c -- attribute tables that grow by row, and ids that are told no more */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "data/cells.h"

enum { ROWS = 60 };

static kith_err set(ki_cells *c, int32_t row, const char *text)
{
    json_t *o = json_loads(text, JSON_DECODE_ANY, NULL);
    CHECK(o != NULL);
    const kith_err err = ki_cells_set_row(c, row, o);
    json_decref(o);
    return err;
}

static const char *cell(const ki_table *t, int32_t row, const char *column)
{
    static char out[256];
    const ki_column *c = ki_table_find(t, column);
    CHECK(c != NULL);
    ki_column_print(c, row, out, sizeof out);
    return out;
}

static void begin(ki_table *t, ki_cells *c, int n)
{
    *t = (ki_table){ 0 };
    *c = (ki_cells){ .table = t };
    for (int j = 0; j < n; j++) CHECK_OK(ki_cells_add_row(c));
}

static void end(ki_table *t, ki_cells *c)
{
    ki_cells_clear(c);
    ki_table_clear(t);
}

TEST(cells_kinds_follow_values_and_names)
{
    ki_table t;
    ki_cells c;
    begin(&t, &c, 2);
    CHECK_OK(
        set(&c, 1,
            "{\"n\": 3.5, \"when\": \"2024-02-03\", \"brand\": \"HP\", \"new\": true, \"tags\": [\"a\", \"b\", \"a\"],"
            " \"title\": \"T\", \"place\": [1, 2.5], \"nothing\": null, \"none\": []}"));
    CHECK_OK(ki_cells_add_row(&c));
    CHECK_OK(ki_table_check(&t));
    static const struct {
        const char *name, *text;
        ki_column_kind kind;
    } want[] = { { "n", "3.5", KI_COL_NUMBER },      { "when", "2024-02-03", KI_COL_TIME },
                 { "brand", "HP", KI_COL_CATEGORY }, { "new", "true", KI_COL_CATEGORY },
                 { "tags", "a|b", KI_COL_SET },      { "title", "T", KI_COL_TEXT },
                 { "place", "1 2.5", KI_COL_VECTOR } };
    CHECK_INT(t.n_columns, (int)KI_COUNT(want)); /* null and [] make no column */
    for (size_t j = 0; j < KI_COUNT(want); j++) {
        CHECK(ki_table_find(&t, want[j].name)->kind == want[j].kind);
        CHECK(strncmp(cell(&t, 1, want[j].name), want[j].text, strlen(want[j].text)) == 0);
    }
    CHECK_STR(cell(&t, 0, "title"), "");
    CHECK_STR(cell(&t, 2, "tags"), "");
    CHECK_OK(set(&c, 1, "{\"tags\": \"c\", \"when\": 1700000000}")); /* what is not named is missing */
    CHECK_STR(cell(&t, 1, "tags"), "c");
    CHECK_STR(cell(&t, 1, "brand"), "");
    end(&t, &c);
}

TEST(cells_refuse_what_does_not_fit_and_change_nothing)
{
    static const char *const bad[] = { "{\"brand\": \"Dell\", \"n\": \"many\"}",
                                       "{\"brand\": 3}",
                                       "{\"tags\": [1]}",
                                       "{\"tags\": [\"a\", 1]}",
                                       "{\"place\": [1]}",
                                       "{\"title\": [\"x\"]}",
                                       "{\"when\": \"soon\"}",
                                       "{\"other\": {}}",
                                       "{\"other\": [[1]]}",
                                       "{\"title\": \"a\\u0000b\"}",
                                       "[1]",
                                       "3" };
    ki_table t;
    ki_cells c;
    begin(&t, &c, 1);
    CHECK_OK(set(&c, 0,
                 "{\"brand\": \"HP\", \"n\": 1, \"tags\": [\"a\"], \"place\": [1, 2], \"title\": \"T\", \"when\": "
                 "\"2024-02-03\"}"));
    for (size_t j = 0; j < KI_COUNT(bad); j++) {
        json_t *o = json_loads(bad[j], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        CHECK_FAILS(ki_cells_set_row(&c, 0, o), KITH_EINVAL, "attribute");
        json_decref(o);
    }
    CHECK_INT(t.n_columns, 6);
    CHECK_STR(cell(&t, 0, "brand"), "HP");
    CHECK_STR(cell(&t, 0, "title"), "T");
    end(&t, &c);
}

/* Sets and texts lie packed: rows of any length come into the middle, and the rest stays what it was. */
TEST(cells_rows_keep_their_content_while_others_change)
{
    static char text[ROWS][64], tags[ROWS][64];
    ki_table t;
    ki_cells c;
    ki_rng g = ki_rng_make(3, 0, 0);
    int n = 1;
    memset(text, 0, sizeof text);
    memset(tags, 0, sizeof tags);
    begin(&t, &c, 1);
    CHECK_OK(set(&c, 0, "{\"title\": \"first\", \"tags\": [\"w0\"]}"));
    strcpy(text[0], "first");
    strcpy(tags[0], "w0");
    for (int round = 0; round < 2000; round++) {
        char json[256];
        const int row = (int)ki_rng_below(&g, (uint64_t)n), letters = (int)ki_rng_below(&g, 20);
        const int a = (int)ki_rng_below(&g, 30);
        if (n < ROWS && round % 20 == 0) {
            CHECK_OK(ki_cells_add_row(&c));
            n++;
        }
        snprintf(text[row], sizeof text[row], "%.*s", letters, "abcdefghijklmnopqrst");
        if (round % 3 == 0) {
            snprintf(json, sizeof json, "{\"title\": \"%s\"}", text[row]);
            tags[row][0] = '\0';
        } else {
            snprintf(json, sizeof json, "{\"title\": \"%s\", \"tags\": [\"w%d\", \"w%d\"]}", text[row], a, a + 1);
            snprintf(tags[row], sizeof tags[row], "w%d|w%d", a, a + 1);
        }
        CHECK_OK(set(&c, row, json));
        for (int r = 0; r < n; r++) {
            CHECK_STR(cell(&t, r, "title"), text[r]);
            CHECK_STR(cell(&t, r, "tags"), tags[r]);
        }
    }
    CHECK_OK(ki_table_check(&t));
    end(&t, &c);
}

static int holds(const void *p, size_t n, const char *text)
{
    return memmem(p, n, text, strlen(text)) != NULL;
}

TEST(cells_forgotten_rows_leave_no_words)
{
    ki_table t;
    ki_cells c;
    begin(&t, &c, 3);
    CHECK_OK(
        set(&c, 0, "{\"street\": \"Elm\", \"likes\": [\"tea\", \"secret\"], \"motto\": \"x\", \"bio\": \"words\"}"));
    CHECK_OK(set(&c, 1, "{\"street\": \"Oak\", \"likes\": [\"tea\"], \"bio\": \"others\"}"));
    CHECK_OK(ki_table_forget_row(&t, 0));
    CHECK_OK(ki_table_check(&t));
    CHECK_STR(cell(&t, 0, "street"), "");
    CHECK_STR(cell(&t, 0, "likes"), "");
    CHECK_STR(cell(&t, 1, "likes"), "tea"); /* a word that somebody else has stays */
    CHECK_STR(cell(&t, 1, "bio"), "others");
    const ki_idmap *streets = &ki_table_find(&t, "street")->words, *likes = &ki_table_find(&t, "likes")->words;
    CHECK(!holds(streets->text, (size_t)streets->start[streets->n], "Elm"));
    CHECK(!holds(likes->text, (size_t)likes->start[likes->n], "secret"));
    end(&t, &c);
}

TEST(cells_survive_want_of_memory)
{
    ki_table t;
    ki_cells c;
    begin(&t, &c, 1);
    CHECK_OK(set(&c, 0, "{\"title\": \"short\", \"tags\": [\"a\"]}"));
    json_t *o = json_loads(
        "{\"title\": \"a much longer title than before\", \"tags\": [\"b\", \"c\"], \"brand\": \"HP\"}", 0, NULL);
    for (int64_t n = 1;; n++) {
        ki_alloc_fail_at(n, 1);
        const kith_err err = ki_cells_set_row(&c, 0, o);
        ki_alloc_fail_at(0, 0);
        CHECK_OK(ki_table_check(&t));
        if (err == KITH_OK) break;
        CHECK(err == KITH_ENOMEM);
        CHECK_STR(cell(&t, 0, "title"), "short");
        CHECK_STR(cell(&t, 0, "tags"), "a");
    }
    CHECK_STR(cell(&t, 0, "tags"), "b|c");
    json_decref(o);
    end(&t, &c);
    CHECK(ki_alloc_live() == 0);
}

/* ---- ids ---- */

TEST(cells_blank_ids_keep_their_numbers_and_are_found_by_nobody)
{
    ki_idmap m = { 0 }, copy = { 0 };
    int32_t at;
    char id[16];
    for (int j = 0; j < 300; j++) {
        snprintf(id, sizeof id, "id%d", j);
        CHECK_OK(ki_idmap_add(&m, id, strlen(id), &at));
        if (j % 3 == 0) ki_idmap_blank(&m, j);
        if (j % 50 == 0) {
            CHECK_OK(ki_idmap_add_blank(&m, &at));
            CHECK_OK(ki_idmap_add(&m, "", 0, &at)); /* the empty id is an id: the same each time */
        }
    }
    for (int32_t i = 0; i < m.n; i++) {
        const int32_t found = ki_idmap_find(&m, ki_idmap_name(&m, i), strlen(ki_idmap_name(&m, i)));
        CHECK(ki_idmap_is_blank(&m, i) ? found != i : found == i);
    }
    CHECK_OK(ki_idmap_append(&copy, &m, m.n, 'u')); /* for a file: every entry has a name */
    CHECK_INT(copy.n, m.n);
    for (int32_t i = 0; i < m.n; i++) {
        CHECK(!ki_idmap_is_blank(&copy, i));
        if (!ki_idmap_is_blank(&m, i)) CHECK_STR(ki_idmap_name(&copy, i), ki_idmap_name(&m, i));
    }
    CHECK_OK(ki_idmap_rename(&copy, 5, "another", 7));
    CHECK_INT(ki_idmap_find(&copy, "another", 7), 5);
    CHECK_INT(copy.n, m.n);
    CHECK_OK(ki_idmap_add(&m, "id0", 3, &at)); /* a name that was blanked may come back, as another entry */
    CHECK_INT(at, m.n - 1);
    ki_idmap_clear(&m);
    ki_idmap_clear(&copy);
}
