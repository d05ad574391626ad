/* SPDX-License-Identifier: MIT
 * fuzz_filter.c -- a filter over three items: refused with a sentence and a picture, or printed, parsed again to the same
 * tree, and run to the same answers as its interpreter
 */
#include "engine/filter.h"
#include "fuzz.h"

#include <stdlib.h>

enum { ITEMS = 3 };

static void add(ki_table *t, const char *name, int kind, const char *a, const char *b, const char *c)
{
    const char *const cells[ITEMS] = { a, b, c };
    ki_column column;
    MUST(ki_column_from_strings(&column, name, ITEMS, cells, kind, '|') == KITH_OK);
    MUST(ki_table_append(t, &column) == KITH_OK);
}

static ki_schema schema;

static void make_schema(void)
{
    static ki_idmap items;
    static ki_table t = { .n_rows = ITEMS };
    static ki_context context;
    static const double popularity[ITEMS] = { 0, 3, 5 };
    int32_t at;
    for (const char *id = "abc"; *id != '\0'; id++) MUST(ki_idmap_add(&items, id, 1, &at) == KITH_OK);
    add(&t, "n", KI_COL_NUMBER, "1", NULL, "-2.5");
    add(&t, "t", KI_COL_TIME, "2020-01-01", "1999-12-31T23:59:59", NULL);
    add(&t, "c", KI_COL_CATEGORY, "x", "Y", NULL);
    add(&t, "s", KI_COL_SET, "x|y", NULL, "y");
    add(&t, "title", KI_COL_TEXT, "Star", NULL, "Ümlaut");
    add(&t, "in", KI_COL_VECTOR, "1|2", NULL, "0|3");
    json_t *json =
        json_loads("{\"w\": \"x\", \"k\": 2, \"b\": true, \"l\": [\"x\", \"q\"], \"m\": [1, 2], \"o\": null}", 0, NULL);
    MUST(ki_context_read(&context, json, NULL) == KITH_OK);
    json_decref(json);
    schema = (ki_schema){ &items, &t, popularity, &context };
}

static void check_refused(const ki_complaint *why, size_t n)
{
    MUST(kith_last_error()[0] != '\0');
    MUST(why->at >= 0 && (size_t)why->at <= n);
    MUST(strlen(why->picture) < KI_PICTURE_SIZE);
}

static void check_taken(const ki_filter *f)
{
    const ki_env env = { 1577923200, schema.context };
    uint8_t mask[ITEMS];
    ki_filter *again = NULL;
    char *text = NULL;
    json_t *json = NULL;
    MUST(ki_filter_run(f, &env, mask) == KITH_OK);
    for (int32_t j = 0; j < ITEMS; j++) MUST(mask[j] == (ki_filter_one(f, &env, j) == KI_TRUE));
    MUST(ki_filter_print(f, &text) == KITH_OK);
    /* the canonical text may be longer than what a text may be */
    if (strlen(text) <= KI_FILTER_BYTES) {
        MUST(ki_filter_parse(&schema, text, &again, NULL) == KITH_OK);
        MUST(ki_filter_equal(f, again));
    }
    MUST(ki_filter_json(f, &json) == KITH_OK);
    json_decref(json);
    ki_free(text);
    ki_filter_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    ki_filter *f = NULL;
    ki_complaint why;
    if (schema.items == NULL) make_schema();
    const int64_t live = ki_alloc_live();
    char *text = malloc(n + 1);
    MUST(text != NULL);
    memcpy(text, bytes, n);
    text[n] = '\0';
    if (ki_filter_parse(&schema, text, &f, &why) == KITH_OK)
        check_taken(f);
    else
        check_refused(&why, n);
    ki_filter_free(f);
    free(text);
    MUST(ki_alloc_live() == live);
    return 0;
}
