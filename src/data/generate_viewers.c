/* SPDX-License-Identifier: MIT
 * generate_viewers.c -- factors of the items of a catalogue, so that simulated viewers have tastes about its content
 *
 * Every word of every category or set column (a genre, a director, a language) has a random normal direction, and so
 * has every fifth of the range of a number column (an era), with what lies between two of them interpolated.
 * An item's factor is the weighted sum of its columns:
 *
 *     y_i = sum over columns c of  weight_c * sum over words w of i in c of  v_w / sqrt(number of words)
 *
 * A viewer x likes word w by x.v_w; so items that share words are liked by the same people.  Directions of unrelated
 * words meet by chance the more, the lower the rank is, which is why a catalogue wants a higher one than a matrix.  Titles, texts and vectors
 * say nothing here.
 */
#include "data/generate.h"

#include "base/mem.h"
#include "data/attrs.h" /* the same reader as for any items file */

#include <math.h>

enum { BROAD_WORDS = 64, N_KNOTS = 6 };

/* Genres and the era speak louder than names and places. */
static const double broad_weight = 1.0, narrow_weight = 0.5, category_weight = 0.5,
                    number_weight = 0.8;

kith_err ki_catalogue_read(const char *path, ki_idmap *ids, ki_table *table)
{
    ki_attrs a = { .ids = ids };
    kith_err err = ki_attrs_read_file(&a, path, KI_ITEM);
    if (err == KITH_OK && ids->n == 0)
        err = ki_fail(KITH_EDATA,
                      "%s: a catalogue without rows; want a CSV with item_id and attributes", path);
    if (err == KITH_OK) err = ki_attrs_finish(&a, table);
    ki_attrs_clear(&a);
    return err;
}

/* y += weight * direction of word `word` of column `column`. */
static void add_direction(const ki_world *w, int column, int32_t word, double weight, float *y)
{
    ki_rng r =
        ki_rng_make(w->seed, KI_STREAM_CATALOGUE, ki_hash2((uint64_t)column + 1, (uint64_t)word));
    for (int32_t k = 0; k < w->rank; k++) y[k] += (float)(weight * ki_rng_normal(&r));
}

static void add_set(const ki_world *w, const ki_column *c, int column, int32_t i, float *y)
{
    const int64_t n = c->set_ptr[i + 1] - c->set_ptr[i];
    const double weight = c->words.n <= BROAD_WORDS ? broad_weight : narrow_weight;
    for (int64_t j = c->set_ptr[i]; j < c->set_ptr[i + 1]; j++)
        add_direction(w, column, c->code[j], weight / sqrt((double)n), y);
}

/* The number of row i, or NaN. */
static double number_of(const ki_column *c, int32_t i)
{
    if (c->kind == KI_COL_NUMBER) return c->number[i];
    return c->time[i] == INT64_MIN ? NAN : (double)c->time[i];
}

/* Between knots a and a + 1 at distance f: (1 - f) v_a + f v_(a+1), scaled so that its length does not dip. */
static void add_numbers(const ki_world *w, const ki_column *c, int column, int32_t n_rows, float *Y)
{
    double low = INFINITY, high = -INFINITY;
    for (int32_t i = 0; i < n_rows; i++) {
        const double x = number_of(c, i);
        low = fmin(low, x); /* fmin and fmax pass over NaN */
        high = fmax(high, x);
    }
    if (!(high > low)) return;
    for (int32_t i = 0; i < n_rows; i++) {
        const double x = number_of(c, i);
        if (isnan(x)) continue;
        const double place = (x - low) / (high - low) * (N_KNOTS - 1);
        const int32_t knot = KI_MIN((int32_t)place, N_KNOTS - 2);
        const double f = place - knot, length = sqrt(f * f + (1 - f) * (1 - f));
        float *y = Y + (size_t)i * (size_t)w->rank;
        add_direction(w, column, knot, number_weight * (1 - f) / length, y);
        add_direction(w, column, knot + 1, number_weight * f / length, y);
    }
}

static int add_column(const ki_world *w, const ki_table *t, int column, float *Y)
{
    const ki_column *c = &t->columns[column];
    if (c->kind == KI_COL_TEXT || c->kind == KI_COL_VECTOR) return 0;
    if (c->kind == KI_COL_NUMBER || c->kind == KI_COL_TIME) {
        add_numbers(w, c, column, t->n_rows, Y);
        return 1;
    }
    for (int32_t i = 0; i < t->n_rows; i++) {
        float *y = Y + (size_t)i * (size_t)w->rank;
        if (c->kind == KI_COL_SET)
            add_set(w, c, column, i, y);
        else if (c->code[i] >= 0)
            add_direction(w, column, c->code[i], category_weight, y);
    }
    return 1;
}

kith_err ki_catalogue_factors(const ki_table *catalogue, const ki_world *w, float *Y)
{
    int used = 0;
    for (int c = 0; c < catalogue->n_columns; c++) used += add_column(w, catalogue, c, Y);
    if (used == 0)
        return ki_fail(KITH_EDATA, "the catalogue has no column of words or numbers (such as "
                                   "genres or year), so there is nothing "
                                   "that viewers could have a taste about");
    return KITH_OK;
}
