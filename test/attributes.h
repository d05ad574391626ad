/* SPDX-License-Identifier: MIT
 * attributes.h -- three items with a column of every kind, made by hand and recognised again
 */
#ifndef KITH_TEST_ATTRIBUTES_H
#define KITH_TEST_ATTRIBUTES_H

#include "test.h"

#include "base/mem.h"
#include "data/dataset.h"

static inline void append(ki_table *t, const char *name, ki_column c)
{
    CHECK_OK(ki_strdup(&c.name, name));
    CHECK_OK(ki_table_append(t, &c));
}

static inline void *copy(const void *from, size_t n, size_t size)
{
    void *to;
    CHECK_OK(ki_alloc(&to, n, size));
    memcpy(to, from, n * size);
    return to;
}

static inline void add_words(ki_column *c)
{
    int32_t at;
    CHECK_OK(ki_idmap_add(&c->words, "drama", 5, &at));
    CHECK_OK(ki_idmap_add(&c->words, "crime", 5, &at));
}

static inline void add_attributes(kith_data *d)
{
    ki_table *t = &d->item_attrs;
    t->n_rows = 3;
    append(t, "year", (ki_column){ .kind = KI_COL_NUMBER, .number = copy((double[]){ 1995, NAN, 0.5 }, 3, 8) });
    append(t, "released", (ki_column){ .kind = KI_COL_TIME, .time = copy((int64_t[]){ 7, INT64_MIN, -9 }, 3, 8) });
    ki_column kind = { .kind = KI_COL_CATEGORY, .code = copy((int32_t[]){ 1, -1, 0 }, 3, 4) };
    add_words(&kind);
    append(t, "kind", kind);
    ki_column genres = { .kind = KI_COL_SET,
                         .set_ptr = copy((int64_t[]){ 0, 2, 2, 3 }, 4, 8),
                         .code = copy((int32_t[]){ 0, 1, 1 }, 3, 4) };
    add_words(&genres);
    append(t, "genres", genres);
    append(t, "title",
           (ki_column){ .kind = KI_COL_TEXT,
                        .text_ptr = copy((int64_t[]){ 0, 5, 6, 12 }, 4, 8),
                        .text = copy("Heat\0\0Ronin", 12, 1) });
    append(t, "embedding",
           (ki_column){ .kind = KI_COL_VECTOR, .dim = 2, .vector = copy((float[]){ 1, 2, 0, 0, 5, 6 }, 6, 4) });
    d->user_attrs.n_rows = 4;
    append(&d->user_attrs, "age", (ki_column){ .kind = KI_COL_NUMBER, .number = copy((double[]){ 1, 2, 3, 4 }, 4, 8) });
}

static inline void check_attributes(const ki_table *t)
{
    CHECK_INT(t->n_columns, 6);
    CHECK_INT(t->n_rows, 3);
    const ki_column *year = ki_table_find(t, "year"), *genres = ki_table_find(t, "genres");
    CHECK(year->number[0] == 1995 && isnan(year->number[1]));
    CHECK(ki_table_find(t, "released")->time[1] == INT64_MIN);
    CHECK_STR(ki_idmap_name(&ki_table_find(t, "kind")->words, ki_table_find(t, "kind")->code[0]), "crime");
    CHECK_INT(genres->set_ptr[3], 3);
    CHECK_STR(ki_idmap_name(&genres->words, genres->code[2]), "crime");
    CHECK_STR(ki_item_title(t, 2), "Ronin");
    CHECK(ki_item_title(t, 1) == NULL);
    CHECK_INT(ki_table_find(t, "embedding")->dim, 2);
    CHECK_NEAR(ki_table_find(t, "embedding")->vector[5], 6, 0);
}

#endif
