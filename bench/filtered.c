/* SPDX-License-Identifier: MIT
 * filtered.c -- how long a filtered top-10 takes, by size of the catalogue and share that passes
 *
 *      filtered [ITEMS ...]        default 100000 1000000
 *
 * iALS of 64 factors; each user has 20 items.  A query is kith_recommend with the filter as text, so that reading it,
 * running it over the whole catalogue, counting what each clause removed and ranking what is left are all in it.
 * One thread, 40 users in turn after one to warm up; processor time, which other programs disturb least.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "data/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { USERS = 20000, PER_USER = 20, ASKED = 40, N = 10, ID = 12 };

struct shop {
    kith *k;
    kith_data *d;
    kith_model *m;
};

static void must(kith_err err)
{
    if (err == KITH_OK) return;
    fprintf(stderr, "%s\n", kith_last_error());
    exit(1);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Every item has an event, or it would not be ranked: rows go through the catalogue in turn, then by lot. */
static void fill(struct shop *s, int32_t n_items)
{
    const size_t n = KI_MAX((size_t)USERS * PER_USER, (size_t)n_items);
    char(*names)[2][ID];
    const char **users, **items;
    ki_rng r = ki_rng_make(4, 5, 6);
    must(ki_alloc(&names, n, sizeof *names));
    must(ki_alloc(&users, n, sizeof *users));
    must(ki_alloc(&items, n, sizeof *items));
    for (size_t j = 0; j < n; j++) {
        const uint32_t item =
            j < (size_t)n_items ? (uint32_t)j : ki_rng_below(&r, (uint64_t)n_items);
        snprintf(names[j][0], ID, "u%u", (unsigned)ki_rng_below(&r, USERS));
        snprintf(names[j][1], ID, "i%u", (unsigned)item);
        users[j] = names[j][0];
        items[j] = names[j][1];
    }
    must(kith_data_new(s->k, n, users, items, NULL, NULL, &s->d));
    ki_free(names);
    ki_free(users);
    ki_free(items);
}

/* "share" is 0 to 99, in no order: `share < p` lets p percent through. */
static void add_share(kith_data *d)
{
    ki_column c = { .kind = KI_COL_NUMBER };
    ki_rng r = ki_rng_make(7, 8, 9);
    must(ki_strdup(&c.name, "share"));
    must(ki_alloc(&c.number, (size_t)d->items.n, sizeof *c.number));
    for (int32_t j = 0; j < d->items.n; j++) c.number[j] = (double)ki_rng_below(&r, 100);
    d->item_attrs.n_rows = d->items.n;
    must(ki_table_append(&d->item_attrs, &c));
}

static double ask(const struct shop *s, int u, const char *filter)
{
    char user[ID];
    kith_list *l = NULL;
    snprintf(user, sizeof user, "u%d", u);
    const kith_query q = { .user = user, .n = N, .filter = filter };
    const double began = now_ms();
    must(kith_recommend(s->k, s->m, &q, &l));
    const double ms = now_ms() - began;
    if (l->n != N) {
        fprintf(stderr, "%d items of %d for %s\n", l->n, N, user);
        exit(1);
    }
    kith_list_free(l);
    return ms;
}

static int rising(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const struct shop *s, const char *filter)
{
    double ms[ASKED];
    ask(s, ASKED, filter);
    for (int u = 0; u < ASKED; u++) ms[u] = ask(s, u, filter);
    qsort(ms, ASKED, sizeof *ms, rising);
    printf("| %9d | %-11s | %6.2f | %6.2f |\n", (int)s->d->items.n,
           filter == NULL ? "none" : filter, ms[ASKED / 2], ms[ASKED - 1]);
    fflush(stdout);
}

static void run(int32_t n_items)
{
    static const char *const filters[] = { "share < 1", "share < 10", "share < 100", NULL };
    static const kith_param params[] = { { "n_factors", "64" },
                                         { "n_epochs", "1" },
                                         { "solver", "cg" } };
    struct shop s = { 0 };
    must(kith_new(&(kith_options){ .seed = 1 }, &s.k));
    fill(&s, n_items);
    add_share(s.d);
    must(kith_train(s.k, s.d, "ials", params, KI_COUNT(params), &s.m));
    for (size_t j = 0; j < KI_COUNT(filters); j++) measure(&s, filters[j]);
    kith_model_free(s.m);
    kith_data_free(s.d);
    kith_free(s.k);
}

int main(int argc, char **argv)
{
    puts("|     items | filter      | median ms | most ms |\n|---:|---|---:|---:|");
    for (int j = 1; j < argc; j++) run((int32_t)strtol(argv[j], NULL, 10));
    if (argc > 1) return 0;
    run(100000);
    run(1000000);
    return 0;
}
