/* SPDX-License-Identifier: MIT
 * catalogue.h -- eight items of a shop, small enough to decide every filter by hand
 *
 *      item  category  price  ram  brand   tags               published   title          popularity
 *      i1    laptop    999    16   Lenovo  light new          2024-01-10  Star Book      5
 *      i2    laptop    1349   32   HP      new                2024-01-01  Work Star      20
 *      i3    laptop    800    8    Lenovo  refurbished        2023-06-01  Old Faithful   3
 *      i4    phone     600    8    Apple   new light          2024-01-12  Ümlaut Phone   10
 *      i5    phone     -      6    -       -                  -           -              0
 *      i6    tablet    450    -    Apple   refurbished light  2022-01-01  Starling       7
 *      i7    laptop    1200   16   HP      -                  2024-01-14  Ultra          12
 *      i8    monitor   300    -    Dell    new                2020-02-02  Wide "view"    1
 *
 * It is midnight of 2024-01-15.
 */
#ifndef KITH_TEST_CATALOGUE_H
#define KITH_TEST_CATALOGUE_H

#include "test.h"

#include "base/mem.h"
#include "base/scan.h"
#include "engine/filter.h"

enum { N_ITEMS = 8 };

struct catalogue {
    ki_idmap items;
    ki_table table;
    ki_context
        context; /* country "AT", budget 1000, member true, brands ["HP", "Dell"], years, since, word; absent: none */
    double popularity[N_ITEMS];
    ki_schema schema;
    ki_env env;
};

static inline void add_column(ki_table *t, const char *name, int kind, const char *const *cells)
{
    ki_column c;
    CHECK_OK(ki_column_from_strings(&c, name, t->n_rows, cells, kind, '|'));
    CHECK_OK(ki_table_append(t, &c));
}

static inline void make_context(ki_context *out, const char *text, const ki_context *declared)
{
    json_t *json = json_loads(text, 0, NULL);
    CHECK(json != NULL);
    CHECK_OK(ki_context_read(out, json, declared));
    json_decref(json);
}

static inline void make_catalogue(struct catalogue *c)
{
    static const char *const category[] = { "laptop", "laptop", "laptop", "phone",
                                            "phone",  "tablet", "laptop", "monitor" };
    static const char *const price[] = { "999", "1349", "800", "600", NULL, "450", "1200", "300" };
    static const char *const ram[] = { "16", "32", "8", "8", "6", NULL, "16", NULL };
    static const char *const brand[] = { "Lenovo", "HP", "Lenovo", "Apple", NULL, "Apple", "HP", "Dell" };
    static const char *const tags[] = { "light|new",         "new", "refurbished", "new|light", NULL,
                                        "refurbished|light", NULL,  "new" };
    static const char *const published[] = { "2024-01-10", "2024-01-01", "2023-06-01", "2024-01-12",
                                             NULL,         "2022-01-01", "2024-01-14", "2020-02-02" };
    static const char *const title[] = { "Star Book", "Work Star", "Old Faithful", "Ümlaut Phone",
                                         NULL,        "Starling",  "Ultra",        "Wide \"view\"" };
    static const char *const vector[] = { "1|0", "0|1", NULL, "2|2", NULL, "1|1", "3|0", "0|2" };
    static const double popularity[] = { 5, 20, 3, 10, 0, 7, 12, 1 };
    char id[8];
    int32_t at;
    *c = (struct catalogue){ .table = { .n_rows = N_ITEMS } };
    for (int j = 1; j <= N_ITEMS; j++) {
        snprintf(id, sizeof id, "i%d", j);
        CHECK_OK(ki_idmap_add(&c->items, id, strlen(id), &at));
    }
    add_column(&c->table, "category", KI_COL_CATEGORY, category);
    add_column(&c->table, "price", KI_COL_NUMBER, price);
    add_column(&c->table, "ram", KI_COL_NUMBER, ram);
    add_column(&c->table, "brand", KI_COL_CATEGORY, brand);
    add_column(&c->table, "tags", KI_COL_SET, tags);
    add_column(&c->table, "published", KI_COL_TIME, published);
    add_column(&c->table, "title", KI_COL_TEXT, title);
    add_column(&c->table, "screen size`", KI_COL_VECTOR, vector);
    memcpy(c->popularity, popularity, sizeof popularity);
    make_context(&c->context,
                 "{\"country\": \"AT\", \"budget\": 1000, \"member\": true, \"brands\": [\"HP\", \"Dell\"], "
                 "\"rams\": [8, 16], \"word\": \"ST\", \"absent\": null}",
                 NULL);
    c->schema = (ki_schema){ &c->items, &c->table, c->popularity, &c->context };
    c->env = (ki_env){ ki_days_of(2024, 1, 15) * 86400, &c->context };
}

static inline void clear_catalogue(struct catalogue *c)
{
    ki_idmap_clear(&c->items);
    ki_table_clear(&c->table);
    ki_context_clear(&c->context);
}

/* For each item 1, 0 or ? when the truth is unknown. */
static inline const char *truths(const struct catalogue *c, const char *text)
{
    static char out[N_ITEMS + 1];
    uint8_t mask[N_ITEMS];
    ki_filter *f;
    CHECK_OK(ki_filter_parse(&c->schema, text, &f, NULL));
    CHECK_OK(ki_filter_run(f, &c->env, mask));
    for (int32_t j = 0; j < N_ITEMS; j++) {
        const ki_truth t = ki_filter_one(f, &c->env, j);
        out[j] = "0?1"[t];
        CHECK_INT(mask[j], t == KI_TRUE);
    }
    ki_filter_free(f);
    return out;
}

#endif
