/* SPDX-License-Identifier: MIT
 * filter.c -- how long a filter takes over a million items, on one core: processor time, least of 25 runs
 *
 *      filter [ITEMS]        default 1000000
 */
#include "base/mem.h"
#include "base/rng.h"
#include "engine/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORDS = 200, RUNS = 25 };

static int32_t n_items = 1000000;

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

static void add_words(ki_column *c)
{
    char word[16];
    int32_t at;
    for (int j = 0; j < WORDS; j++) {
        snprintf(word, sizeof word, "w%d", j);
        must(ki_idmap_add(&c->words, word, strlen(word), &at));
    }
}

static ki_column column(const char *name, ki_column_kind kind)
{
    ki_column c = { .kind = kind };
    must(ki_strdup(&c.name, name));
    return c;
}

static void add_numbers(ki_table *t, ki_rng *r)
{
    ki_column price = column("price", KI_COL_NUMBER), published = column("published", KI_COL_TIME);
    must(ki_alloc(&price.number, (size_t)n_items, sizeof *price.number));
    must(ki_alloc(&published.time, (size_t)n_items, sizeof *published.time));
    for (int32_t j = 0; j < n_items; j++) price.number[j] = ki_rng_below(r, 2000);
    for (int32_t j = 0; j < n_items; j++)
        published.time[j] = 1700000000 - (int64_t)ki_rng_below(r, 365 * 86400);
    must(ki_table_append(t, &price));
    must(ki_table_append(t, &published));
}

/* Words are skewed: w0 is in a fifth of the items, w150 in few. */
static int32_t skewed(ki_rng *r)
{
    const double u = ki_rng_unit(r);
    return (int32_t)(u * u * u * WORDS);
}

static void add_coded(ki_table *t, ki_rng *r)
{
    ki_column category = column("category", KI_COL_CATEGORY), tags = column("tags", KI_COL_SET);
    add_words(&category);
    add_words(&tags);
    must(ki_alloc(&category.code, (size_t)n_items, sizeof *category.code));
    must(ki_alloc(&tags.set_ptr, (size_t)n_items + 1, sizeof *tags.set_ptr));
    must(ki_alloc(&tags.code, (size_t)n_items * 5, sizeof *tags.code));
    for (int32_t j = 0; j < n_items; j++) {
        category.code[j] = skewed(r);
        int64_t at = tags.set_ptr[j];
        for (uint32_t k = ki_rng_below(r, 6); k > 0; k--) tags.code[at++] = skewed(r);
        tags.set_ptr[j + 1] = at;
    }
    must(ki_table_append(t, &category));
    must(ki_table_append(t, &tags));
}

static void add_titles(ki_table *t, ki_rng *r)
{
    ki_column title = column("title", KI_COL_TEXT);
    char word[32];
    must(ki_alloc(&title.text_ptr, (size_t)n_items + 1, sizeof *title.text_ptr));
    must(ki_alloc(&title.text, (size_t)n_items * 32, 1));
    for (int32_t j = 0; j < n_items; j++) {
        const int n = snprintf(word, sizeof word, "The Title of Item %u", ki_rng_below(r, 1000000));
        memcpy(title.text + title.text_ptr[j], word, (size_t)n + 1);
        title.text_ptr[j + 1] = title.text_ptr[j] + n + 1;
    }
    must(ki_table_append(t, &title));
}

static void measure(const ki_schema *schema, const char *text, uint8_t *mask)
{
    const ki_env env = { 1700000000, NULL };
    ki_filter *f;
    double least = 1e30;
    int64_t passed = 0;
    must(ki_filter_parse(schema, text, &f, NULL));
    for (int run = 0; run < RUNS; run++) {
        const double begin = now_ms();
        must(ki_filter_run(f, &env, mask));
        least = KI_MIN(least, now_ms() - begin);
    }
    for (int32_t j = 0; j < n_items; j++) passed += mask[j];
    printf("%8.2f ms  %5.2f ns/item  %5.1f%% pass  %s\n", least, least * 1e6 / n_items,
           100.0 * (double)passed / n_items, text);
    ki_filter_free(f);
}

int main(int argc, char **argv)
{
    static const char *const filters[] = {
        "price <= 1200",
        "price between 500 and 1200",
        "price * 1.2 + 10 <= 1200",
        "published >= now - 30d",
        "category = \"w3\"",
        "category in (\"w3\", \"w5\", \"w8\")",
        "category contains \"7\"",
        "tags has \"w0\"",
        "tags has \"w150\"",
        "tags has any (\"w3\", \"w5\", \"w8\")",
        "tags has all (\"w0\", \"w5\")",
        "title contains \"777\"",
        "category = \"w3\" and title contains \"777\"",
        "category = \"w3\" and price <= 1200 and not tags has \"w0\"",
        "price <= 1200 and published >= now - 90d and tags has any (\"w3\", \"w5\")",
    };
    ki_table t = { 0 };
    ki_idmap items = { 0 };
    uint8_t *mask;
    int32_t at;
    char id[16];
    if (argc > 1) n_items = (int32_t)strtol(argv[1], NULL, 10);
    ki_rng r = ki_rng_make(1, 2, 3);
    t.n_rows = n_items;
    for (int32_t j = 0; j < n_items; j++) {
        const int n = snprintf(id, sizeof id, "i%d", j);
        must(ki_idmap_add(&items, id, (size_t)n, &at));
    }
    add_numbers(&t, &r);
    add_coded(&t, &r);
    add_titles(&t, &r);
    must(ki_alloc(&mask, (size_t)n_items, 1));
    const ki_schema schema = { .items = &items, .table = &t };
    for (size_t j = 0; j < KI_COUNT(filters); j++) measure(&schema, filters[j], mask);
    ki_free(mask);
    ki_table_clear(&t);
    ki_idmap_clear(&items);
    return 0;
}
