/* SPDX-License-Identifier: MIT
 * labels.c -- attribute columns as a pattern
 */
#include "data/labels.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static int has_words(const ki_column *c)
{
    return c->kind == KI_COL_CATEGORY || c->kind == KI_COL_SET;
}

static int64_t count_words(const ki_column *c, int32_t row)
{
    return c->kind == KI_COL_SET ? c->set_ptr[row + 1] - c->set_ptr[row] : c->code[row] >= 0;
}

/* Words of a set come in any order, and may come twice: into place, rising, each once. */
static int64_t insert(int32_t *to, int64_t n, int32_t word)
{
    int64_t at = n;
    while (at > 0 && to[at - 1] > word) at--;
    if (at > 0 && to[at - 1] == word) return n;
    memmove(to + at + 1, to + at, (size_t)(n - at) * sizeof *to);
    to[at] = word;
    return n + 1;
}

static int64_t add_words(const ki_column *c, int32_t row, int32_t first, int32_t *to)
{
    const int64_t n = count_words(c, row);
    const int32_t *codes = c->kind == KI_COL_SET ? c->code + c->set_ptr[row] : c->code + row;
    int64_t kept = 0;
    for (int64_t j = 0; j < n; j++) kept = insert(to, kept, first + codes[j]);
    return kept;
}

struct selection {
    const int32_t *rows; /* [n] of the table; NULL: all */
    int32_t n;
};

static kith_err build(ki_labels *out, const struct selection *some, const ki_column *const *columns,
                      int n)
{
    int64_t nnz = 0, at = 0;
    int32_t n_words = 0;
    for (int c = 0; c < n; c++) {
        n_words += columns[c]->words.n;
        for (int32_t r = 0; r < some->n; r++)
            nnz += count_words(columns[c], some->rows == NULL ? r : some->rows[r]);
    }
    const kith_err err = ki_csr_alloc(&out->rows, some->n, n_words, nnz);
    if (err != KITH_OK) return err;
    for (int32_t r = 0; r < some->n; r++) {
        int32_t first = 0;
        for (int c = 0; c < n; c++) {
            at += add_words(columns[c], some->rows == NULL ? r : some->rows[r], first,
                            out->rows.idx + at);
            first += columns[c]->words.n;
        }
        out->rows.ptr[r + 1] = at;
    }
    return KITH_OK;
}

kith_err ki_labels_column(ki_labels *out, const ki_table *t, const char *name, const char *whose)
{
    return ki_labels_some(out, t, name, whose, NULL, t->n_rows);
}

kith_err ki_labels_some(ki_labels *out, const ki_table *t, const char *name, const char *whose,
                        const int32_t *rows, int32_t n)
{
    const struct selection some = { rows, n };
    const ki_column *c = ki_table_find(t, name);
    ki_labels l = { 0 };
    *out = l;
    if (c == NULL)
        return ki_fail(KITH_ENOTFOUND, "the data has no %s column \"%.64s\"", whose, name);
    if (!has_words(c))
        return ki_fail(KITH_EINVAL, "%s column %.64s holds neither categories nor sets of them",
                       whose, name);
    const kith_err err = build(&l, &some, &c, 1);
    l.words = &c->words;
    snprintf(l.name, sizeof l.name, "%s", name);
    if (err == KITH_OK) *out = l;
    return err;
}

const char *ki_labels_usual(const ki_table *t)
{
    static const char *const names[] = { "genres", "genre", "categories", "category" };
    for (size_t j = 0; j < KI_COUNT(names); j++) {
        const ki_column *c = ki_table_find(t, names[j]);
        if (c != NULL && has_words(c)) return names[j];
    }
    for (int kind = KI_COL_SET; kind >= KI_COL_CATEGORY; kind--)
        for (int c = 0; c < t->n_columns; c++)
            if ((int)t->columns[c].kind == kind) return t->columns[c].name;
    return NULL;
}

kith_err ki_labels_all(ki_labels *out, const ki_table *t, int *found)
{
    const ki_column **columns = NULL;
    const struct selection all = { NULL, t->n_rows };
    ki_labels l = { 0 };
    size_t used = 0;
    int n = 0;
    *out = l;
    kith_err err = ki_alloc(&columns, (size_t)t->n_columns, sizeof(const ki_column *));
    if (err != KITH_OK) return err;
    for (int c = 0; c < t->n_columns; c++) {
        if (!has_words(&t->columns[c])) continue;
        if (used < sizeof l.name)
            used += (size_t)snprintf(l.name + used, sizeof l.name - used, "%s%s", n > 0 ? ", " : "",
                                     t->columns[c].name);
        columns[n++] = &t->columns[c];
    }
    if (n > 0) err = build(&l, &all, columns, n);
    ki_free(columns);
    *found = n > 0;
    if (err == KITH_OK) *out = l;
    return err;
}

void ki_labels_clear(ki_labels *l)
{
    ki_csr_clear(&l->rows);
    *l = (ki_labels){ 0 };
}
