/* SPDX-License-Identifier: MIT
 * wished.c -- ranking by wishes
 *
 * Cost       a walk over the wishes per open item, a sort of these, and up to three rankings of at most 2 k items or
 *            of what ties at the k-th place
 * Departs    the ranker's scores are scaled among the candidates alone, so that a share means the same for any model
 * Checked    test_wished.c: by hand, and against a sort of the whole catalogue
 */
#include "engine/wished.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct open_item {
    int32_t item;
    float utility;
};

struct candidate {
    int32_t item;
    float score, utility, ranked; /* ranked: by the ranker; -INFINITY: it does not */
};

struct choice {
    const ki_wished *w;
    int k;
    struct open_item *open; /* [n_open] best first, then as in the catalogue */
    int32_t n_open;
    uint8_t *chosen; /* [n_items] */
    int32_t *items;  /* [room] scratch of the ranker */
    float *scores;
    struct candidate *found; /* [room] */
    int32_t n_found, room;
};

static int by_utility(const void *a, const void *b)
{
    const struct open_item *x = a, *y = b;
    if (x->utility != y->utility) return x->utility < y->utility ? 1 : -1;
    return (x->item > y->item) - (x->item < y->item);
}

static int by_item(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return (x->item > y->item) - (x->item < y->item);
}

static int by_score(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    if (x->ranked != y->ranked) return x->ranked < y->ranked ? 1 : -1;
    return by_item(a, b);
}

static kith_err sort_open(struct choice *c, const float *utility)
{
    const int32_t n_items = c->w->wishes->schema.items->n;
    const kith_err err = ki_alloc(&c->open, (size_t)n_items, sizeof *c->open);
    if (err != KITH_OK) return err;
    for (int32_t i = 0; i < n_items; i++)
        if (c->w->open[i]) c->open[c->n_open++] = (struct open_item){ i, utility[i] };
    qsort(c->open, (size_t)c->n_open, sizeof *c->open, by_utility);
    return KITH_OK;
}

static void choose(struct choice *c, const float *utility, int32_t item)
{
    if (c->chosen[item]) return;
    c->chosen[item] = 1;
    c->found[c->n_found++] =
        (struct candidate){ .item = item, .utility = utility[item], .ranked = -INFINITY };
}

/* The ranker's best k of n items, into c->items. */
static kith_err rank(struct choice *c, const int32_t *only, int32_t n, int k, int32_t *found)
{
    *found = 0;
    if (n == 0 || k == 0) return KITH_OK;
    return c->w->rank(c->w->arg, only, n, k, c->items, c->scores, found);
}

/* Of those that tie at the last place the ranker chooses; what it does not rank comes as in the catalogue. */
static kith_err choose_tied(struct choice *c, const float *utility, int32_t from, int32_t to,
                            int32_t last)
{
    int32_t *only = NULL, n = 0;
    kith_err err = ki_alloc(&only, (size_t)(to - from), sizeof *only);
    for (int32_t j = from; err == KITH_OK && j < to; j++) only[j - from] = c->open[j].item;
    if (err == KITH_OK) err = rank(c, only, to - from, (int)(last - from), &n);
    for (int32_t j = 0; err == KITH_OK && j < n; j++) choose(c, utility, c->items[j]);
    for (int32_t j = from; err == KITH_OK && j < to && c->n_found < last; j++)
        choose(c, utility, c->open[j].item);
    ki_free(only);
    return err;
}

static kith_err choose_by_wishes(struct choice *c, const float *utility)
{
    const int32_t last = KI_MIN((int32_t)c->k, c->n_open);
    int32_t from = last, to = last;
    while (from > 0 && c->open[from - 1].utility == c->open[last - 1].utility) from--;
    while (to > 0 && to < c->n_open && c->open[to].utility == c->open[last - 1].utility) to++;
    if (to == last) from = last; /* nothing ties across the end */
    for (int32_t j = 0; j < from; j++) choose(c, utility, c->open[j].item);
    return from < last ? choose_tied(c, utility, from, to, last) : KITH_OK;
}

static int rising(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* The best by the ranker too, where it has a say. */
static kith_err choose_by_ranker(struct choice *c, const float *utility)
{
    int32_t *only = NULL, n = 0;
    if (c->w->share >= 1) return KITH_OK;
    kith_err err = ki_alloc(&only, (size_t)c->n_open, sizeof *only);
    for (int32_t j = 0; err == KITH_OK && j < c->n_open; j++) only[j] = c->open[j].item;
    if (err == KITH_OK) {
        qsort(only, (size_t)c->n_open, sizeof *only, rising);
        err = rank(c, only, c->n_open, c->k, &n);
    }
    for (int32_t j = 0; err == KITH_OK && j < n; j++) choose(c, utility, c->items[j]);
    ki_free(only);
    return err;
}

/* What the ranker says of each candidate; they are sorted by item meanwhile. */
static kith_err score_by_ranker(struct choice *c)
{
    int32_t *only = NULL, n = 0;
    qsort(c->found, (size_t)c->n_found, sizeof *c->found, by_item);
    kith_err err = ki_alloc(&only, (size_t)c->n_found, sizeof *only);
    for (int32_t j = 0; err == KITH_OK && j < c->n_found; j++) only[j] = c->found[j].item;
    if (err == KITH_OK) err = rank(c, only, c->n_found, c->n_found, &n);
    for (int32_t j = 0; err == KITH_OK && j < n; j++) {
        const struct candidate key = { .item = c->items[j] };
        struct candidate *one =
            bsearch(&key, c->found, (size_t)c->n_found, sizeof *c->found, by_item);
        if (one != NULL) one->ranked = c->scores[j];
    }
    ki_free(only);
    return err;
}

static void weigh(struct choice *c)
{
    const double share = c->w->share;
    float least = INFINITY, greatest = -INFINITY;
    for (int32_t j = 0; j < c->n_found; j++) {
        if (!isfinite(c->found[j].ranked)) continue;
        least = KI_MIN(least, c->found[j].ranked);
        greatest = KI_MAX(greatest, c->found[j].ranked);
    }
    for (int32_t j = 0; j < c->n_found; j++) {
        struct candidate *one = &c->found[j];
        double s = 0;
        if (isfinite(one->ranked))
            s = greatest > least ? (double)(one->ranked - least) / (double)(greatest - least) : 1;
        one->score =
            share >= 1 ? one->utility : (float)(share * (double)one->utility + (1 - share) * s);
    }
    qsort(c->found, (size_t)c->n_found, sizeof *c->found, by_score);
}

static kith_err run(struct choice *c, float *utility, ki_met *fits)
{
    const int32_t n_items = c->w->wishes->schema.items->n;
    kith_err err;
    if ((err = ki_knowledge_score(c->w->wishes, c->w->env, c->w->open, utility, fits)) != KITH_OK)
        return err;
    if ((err = sort_open(c, utility)) != KITH_OK) return err;
    c->room = (int32_t)KI_MIN(2 * (int64_t)c->k, (int64_t)n_items);
    if ((err = ki_alloc(&c->chosen, (size_t)n_items, 1)) != KITH_OK) return err;
    if ((err = ki_alloc(&c->items, (size_t)c->room, sizeof *c->items)) != KITH_OK) return err;
    if ((err = ki_alloc(&c->scores, (size_t)c->room, sizeof *c->scores)) != KITH_OK) return err;
    if ((err = ki_alloc(&c->found, (size_t)c->room, sizeof *c->found)) != KITH_OK) return err;
    if ((err = choose_by_wishes(c, utility)) != KITH_OK) return err;
    if ((err = choose_by_ranker(c, utility)) != KITH_OK) return err;
    if ((err = score_by_ranker(c)) != KITH_OK) return err;
    weigh(c);
    return KITH_OK;
}

kith_err ki_wished_rank(const ki_wished *w, int k, int32_t *items, float *scores, int32_t *n,
                        ki_met *fits)
{
    struct choice c = { .w = w, .k = k };
    float *utility = NULL;
    kith_err err = ki_alloc(&utility, (size_t)w->wishes->schema.items->n, sizeof *utility);
    if (err == KITH_OK) err = run(&c, utility, fits);
    for (*n = 0; err == KITH_OK && *n < KI_MIN((int32_t)k, c.n_found); ++*n) {
        items[*n] = c.found[*n].item;
        scores[*n] = c.found[*n].score;
    }
    ki_free(utility);
    ki_free(c.open);
    ki_free(c.chosen);
    ki_free(c.items);
    ki_free(c.scores);
    ki_free(c.found);
    return err;
}
