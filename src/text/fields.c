/* SPDX-License-Identifier: MIT
 * fields.c -- which columns, with which weights, and the terms of their cells
 */
#include "text/fields.h"

#include "base/mem.h"
#include "base/scan.h"

#include <stdio.h>
#include <string.h>

enum { VOTING_ROWS = 2000, VALUE_BYTES = KI_GRAM_BYTES - 1 };

/* ---- choosing ---- */

static int has_terms(const ki_column *c)
{
    return c->kind == KI_COL_TEXT || c->kind == KI_COL_CATEGORY || c->kind == KI_COL_SET;
}

/* Is `name` one of the names in the list?  With `value`, entries read "name=value". */
static int listed(const char *list, const char *name, const char **value, size_t *value_n)
{
    const size_t n = strlen(name);
    while (*list != '\0') {
        const size_t len = strcspn(list, ",");
        const int whole = value == NULL ? len == n : len > n && list[n] == '=';
        if (whole && memcmp(list, name, n) == 0) {
            if (value != NULL) *value = list + n + 1, *value_n = len - n - 1;
            return 1;
        }
        list += len + (list[len] == ',');
    }
    return 0;
}

static void name_columns(const ki_table *t, char *out, size_t size)
{
    size_t used = 0;
    snprintf(out, size, "none");
    for (int c = 0; c < t->n_columns && used < size; c++) {
        if (!has_terms(&t->columns[c])) continue;
        const int wrote =
            snprintf(out + used, size - used, "%s%.64s", used > 0 ? ", " : "", t->columns[c].name);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
}

static int has_column(const ki_table *t, const char *name, size_t n)
{
    for (int c = 0; c < t->n_columns; c++)
        if (has_terms(&t->columns[c]) && strlen(t->columns[c].name) == n &&
            memcmp(t->columns[c].name, name, n) == 0)
            return 1;
    return 0;
}

/* Every name of the list must be a column with terms. */
static kith_err check_names(const ki_table *t, const ki_field_choice *c)
{
    char names[512];
    for (const char *at = c->names; *at != '\0';) {
        const size_t len = strcspn(at, ",");
        if (!has_column(t, at, len)) {
            name_columns(t, names, sizeof names);
            return ki_fail(KITH_EINVAL, "%s: %s names \"%.*s\"; the columns with words are: %s",
                           c->owner, c->param, (int)KI_MIN(len, (size_t)64), at, names);
        }
        at += len + (at[len] == ',');
    }
    return KITH_OK;
}

static int parse_weight(const char *s, size_t n, double *out)
{
    return ki_scan_number(s, n, out) && *out >= 0 && *out <= 1e6;
}

static kith_err check_weights(const ki_table *t, const ki_field_choice *c)
{
    double weight;
    for (const char *at = c->weights; *at != '\0';) {
        const size_t len = strcspn(at, ","), name = strcspn(at, "=,");
        if (name == 0 || name >= len || !parse_weight(at + name + 1, len - name - 1, &weight))
            return ki_fail(KITH_EINVAL,
                           "%s: %s has \"%.*s\", want a column, '=' and a number from 0 to 1e6",
                           c->owner, c->weights_param, (int)KI_MIN(len, (size_t)64), at);
        if (!has_column(t, at, name) && !has_column(c->other, at, name))
            return ki_fail(KITH_EINVAL, "%s: %s names \"%.*s\", which is no column with words",
                           c->owner, c->weights_param, (int)KI_MIN(name, (size_t)64), at);
        at += len + (at[len] == ',');
    }
    return KITH_OK;
}

static int is_meant(const ki_column *column, const ki_field_choice *c)
{
    if (!has_terms(column)) return 0;
    if (c->names[0] != '\0') return listed(c->names, column->name, NULL, NULL);
    return !(c->leave_categories && column->kind == KI_COL_CATEGORY);
}

static float weight_of(const ki_column *column, const ki_field_choice *c)
{
    const char *value;
    size_t n;
    double weight = 1;
    if (listed(c->weights, column->name, &value, &n)) parse_weight(value, n, &weight);
    return (float)weight;
}

kith_err ki_text_fields(const ki_table *t, const ki_field_choice *c, ki_text_field **out, int *n)
{
    ki_text_field *fields = NULL;
    kith_err err;
    if ((err = check_names(t, c)) != KITH_OK || (err = check_weights(t, c)) != KITH_OK) return err;
    if ((err = ki_alloc(&fields, (size_t)t->n_columns, sizeof *fields)) != KITH_OK) return err;
    *n = 0;
    for (int j = 0; j < t->n_columns; j++) {
        const ki_column *column = &t->columns[j];
        if (!is_meant(column, c)) continue;
        const float weight = weight_of(column, c);
        if (weight > 0) fields[(*n)++] = (ki_text_field){ column, weight };
    }
    *out = fields;
    return KITH_OK;
}

/* ---- cells ---- */

/* "genres=science fiction": the folded words of the value.  Values too long to be a term of their
 * own have only their words. */
static kith_err tell_value(const ki_text_field *f, const char *value, size_t n, ki_grams *g,
                           ki_gram_fn fn, void *arg)
{
    char text[VALUE_BYTES];
    const size_t name_n = strlen(f->column->name);
    const kith_err err = ki_tokens_split(&g->tokens, value, n);
    if (err != KITH_OK || g->tokens.n == 0 || name_n > VALUE_BYTES / 2) return err;
    memcpy(text, f->column->name, name_n);
    size_t used = name_n;
    text[used++] = '=';
    for (int32_t j = 0; j < g->tokens.n; j++) {
        char bare[KI_TOKEN_BYTES + 1];
        const size_t len = ki_token_strip(ki_token_text(&g->tokens, j), g->tokens.list[j].n, bare);
        if (used + len + 1 > VALUE_BYTES) return KITH_OK;
        if (j > 0) text[used++] = ' ';
        memcpy(text + used, bare, len);
        used += len;
    }
    const int readable = n < VALUE_BYTES; /* else it would be cut */
    return fn(arg, &(ki_gram){ text, used, readable ? value : NULL, readable ? n : 0 }, f->weight);
}

static kith_err tell_code(const ki_text_field *f, int32_t code, ki_grams *g, ki_gram_fn fn,
                          void *arg)
{
    const ki_idmap *words = &f->column->words;
    const char *value = ki_idmap_name(words, code);
    const size_t n = ki_idmap_length(words, code);
    const kith_err err = tell_value(f, value, n, g, fn, arg);
    return err != KITH_OK ? err : ki_grams_of(g, value, n, f->weight, fn, arg);
}

/* ---- language ---- */

static kith_err count_cell(const ki_column *c, int32_t row, ki_tokens *tokens,
                           ki_language_votes *votes)
{
    if (c->kind != KI_COL_TEXT) return KITH_OK; /* names and labels have no stop words */
    const kith_err err = ki_tokens_split(tokens, c->text + c->text_ptr[row],
                                         (size_t)(c->text_ptr[row + 1] - c->text_ptr[row]) - 1);
    if (err == KITH_OK) ki_language_count(votes, tokens);
    return err;
}

kith_err ki_text_fields_vote(const ki_text_field *fields, int n, int32_t n_rows,
                             ki_language_votes *votes)
{
    ki_tokens tokens = { 0 };
    kith_err err = KITH_OK;
    for (int f = 0; f < n; f++)
        for (int32_t r = 0; err == KITH_OK && r < KI_MIN(n_rows, VOTING_ROWS); r++)
            err = count_cell(fields[f].column, r, &tokens, votes);
    ki_tokens_clear(&tokens);
    return err;
}

/* Of one row: all its texts speak one language. */
static kith_err vote_of_row(const ki_text_field *fields, int n, int32_t row, ki_tokens *tokens,
                            ki_language_votes *votes)
{
    kith_err err = KITH_OK;
    for (int f = 0; err == KITH_OK && f < n; f++)
        err = count_cell(fields[f].column, row, tokens, votes);
    return err;
}

/* ---- rows ---- */

static kith_err tell_cell(const ki_text_field *f, int32_t row, ki_grams *g, ki_gram_fn fn,
                          void *arg)
{
    const ki_column *c = f->column;
    kith_err err = KITH_OK;
    if (c->kind == KI_COL_TEXT)
        return ki_grams_of(g, c->text + c->text_ptr[row],
                           (size_t)(c->text_ptr[row + 1] - c->text_ptr[row]) - 1, f->weight, fn,
                           arg);
    if (c->kind == KI_COL_CATEGORY)
        return c->code[row] < 0 ? KITH_OK : tell_code(f, c->code[row], g, fn, arg);
    for (int64_t t = c->set_ptr[row]; err == KITH_OK && t < c->set_ptr[row + 1]; t++)
        err = tell_code(f, c->code[t], g, fn, arg);
    return err;
}

/* Where every text has its own language, labels are in the main one. */
kith_err ki_text_fields_row(const ki_text_field *fields, int n, int32_t row, ki_grams *g,
                            ki_gram_fn fn, void *arg)
{
    const ki_language_votes none = { 0 };
    ki_language_votes own = { 0 };
    kith_err err = KITH_OK;
    if (g->options.each) err = vote_of_row(fields, n, row, &g->tokens, &own);
    for (int f = 0; err == KITH_OK && f < n; f++) {
        const int is_text = fields[f].column->kind == KI_COL_TEXT;
        if (g->options.each) err = ki_grams_speak(g, is_text ? &own : &none);
        if (err == KITH_OK) err = tell_cell(&fields[f], row, g, fn, arg);
    }
    return err;
}
