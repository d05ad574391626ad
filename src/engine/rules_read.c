/* SPDX-License-Identifier: MIT
 * rules_read.c -- rules out of JSON, with every violation told
 */
#include "engine/rules.h"

#include "base/mem.h"
#include "engine/wording.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    ki_rules *r;
    const json_t *json;
    ki_violations *v;
    char at[64]; /* the pointer of the entry at hand */
};

static const json_t *entry(struct reader *in, const json_t *list, const char *key, size_t j)
{
    snprintf(in->at, sizeof in->at, "/%s/%zu", key, j);
    return json_array_get(list, j);
}

/* How many entries of a list to read. */
static size_t entries(struct reader *in, const char *key, const json_t **list)
{
    *list = ki_read_list(in->v, "", in->json, key);
    const size_t n = *list == NULL ? 0 : json_array_size(*list);
    if (n <= KI_RULES_MAX) return n;
    snprintf(in->at, sizeof in->at, "/%s", key);
    ki_violate(in->v, in->at, "%zu entries, want at most %d", n, KI_RULES_MAX);
    return KI_RULES_MAX;
}

/* ---- lists of ids ---- */

static int rising(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static kith_err read_ids(struct reader *in, const char *key, int32_t **out, int32_t *n_out)
{
    const json_t *list = ki_read_list(in->v, "", in->json, key);
    const size_t n = list == NULL ? 0 : json_array_size(list);
    const kith_err err = ki_alloc(out, n, sizeof **out);
    if (err != KITH_OK) return err;
    for (size_t j = 0; j < n; j++) {
        const json_t *id = entry(in, list, key, j);
        if (!json_is_string(id)) {
            ki_violate(in->v, in->at, "want the id of an item, a string");
            continue;
        }
        const int32_t item =
            ki_idmap_find(in->r->schema.items, json_string_value(id), json_string_length(id));
        if (item >= 0)
            (*out)[(*n_out)++] = item;
        else
            in->r->n_unknown++;
    }
    if (*n_out > 1) qsort(*out, (size_t)*n_out, sizeof **out, rising);
    return KITH_OK;
}

/* ---- preferences ---- */

static kith_err read_preference(struct reader *in, const json_t *json)
{
    static const char *const keys[] = { "when", "add", "multiply" };
    ki_preference p = { 0 };
    if (!ki_check_keys(in->v, in->at, json, keys, KI_COUNT(keys))) return KITH_OK;
    p.multiplies = json_object_get(json, "multiply") != NULL;
    if (p.multiplies == (json_object_get(json, "add") != NULL))
        ki_violate(in->v, in->at, "want either \"add\" or \"multiply\"");
    else if (p.multiplies)
        p.by = ki_read_number(in->v, in->at, json, "multiply", 1e-6, 1e6, 1);
    else
        p.by = ki_read_number(in->v, in->at, json, "add", -1e9, 1e9, 0);
    const kith_err err = ki_read_filter(in->v, in->at, json, "when", 1, &in->r->schema, &p.when);
    if (p.when != NULL) in->r->prefer[in->r->n_prefer++] = p;
    return err;
}

/* ---- pins ---- */

static void read_pin(struct reader *in, const json_t *json)
{
    static const char *const keys[] = { "item", "at" };
    if (!ki_check_keys(in->v, in->at, json, keys, KI_COUNT(keys))) return;
    const char *id = ki_read_string(in->v, in->at, json, "item", 1);
    const double at = ki_read_number(in->v, in->at, json, "at", 1, 1e6, 0);
    if (json_object_get(json, "at") == NULL)
        ki_violate(in->v, in->at, "\"at\" is missing: the place in the list, from 1");
    if (at != floor(at)) ki_violate(in->v, in->at, "\"at\" is %g, want a whole number", at);
    if (id == NULL || at < 1 || at != floor(at)) return;
    const ki_pin p = { ki_idmap_find(in->r->schema.items, id, strlen(id)), (int32_t)at };
    for (int j = 0; j < in->r->n_pin; j++) {
        if (in->r->pin[j].at == p.at) ki_violate(in->v, in->at, "two pins at place %d", p.at);
        if (p.item >= 0 && in->r->pin[j].item == p.item)
            ki_violate(in->v, in->at, "item \"%.64s\" is pinned twice", id);
    }
    in->r->n_unknown += p.item < 0;
    in->r->pin[in->r->n_pin++] = p;
}

/* ---- caps ---- */

static int find_column(const ki_table *t, const char *name)
{
    for (int c = 0; t != NULL && c < t->n_columns; c++)
        if (strcmp(t->columns[c].name, name) == 0) return c;
    return -1;
}

static void read_cap(struct reader *in, const json_t *json)
{
    static const char *const keys[] = { "column", "at_most" };
    const ki_table *t = in->r->schema.table;
    if (!ki_check_keys(in->v, in->at, json, keys, KI_COUNT(keys))) return;
    const char *name = ki_read_string(in->v, in->at, json, "column", 1);
    const double most = ki_read_number(in->v, in->at, json, "at_most", 0, 1e6, -1);
    if (json_object_get(json, "at_most") == NULL)
        ki_violate(in->v, in->at, "\"at_most\" is missing: how many items of one value");
    if (name == NULL) return;
    const int column = find_column(t, name);
    if (column < 0)
        ki_violate(in->v, in->at, "there is no column %.64s", name);
    else if (t->columns[column].kind != KI_COL_CATEGORY && t->columns[column].kind != KI_COL_SET)
        ki_violate(in->v, in->at,
                   "column %.64s is neither a category nor a set, so its values cannot be counted",
                   name);
    else if (most != floor(most))
        ki_violate(in->v, in->at, "\"at_most\" is %g, want a whole number", most);
    else
        in->r->cap[in->r->n_cap++] = (ki_cap){ column, (int32_t)most };
}

/* ---- all ---- */

static kith_err read_all(struct reader *in)
{
    static const char *const keys[] = { "filter", "block", "exclude", "prefer", "pin", "cap" };
    ki_rules *r = in->r;
    const json_t *list;
    if (!ki_check_keys(in->v, "", in->json, keys, KI_COUNT(keys))) return KITH_OK;
    kith_err err = ki_read_filter(in->v, "", in->json, "filter", 0, &r->schema, &r->filter);
    if (err == KITH_OK) err = read_ids(in, "block", &r->block, &r->n_block);
    if (err == KITH_OK) err = read_ids(in, "exclude", &r->exclude, &r->n_exclude);
    for (size_t j = 0, n = entries(in, "prefer", &list); err == KITH_OK && j < n; j++)
        err = read_preference(in, entry(in, list, "prefer", j));
    for (size_t j = 0, n = entries(in, "pin", &list); j < n; j++)
        read_pin(in, entry(in, list, "pin", j));
    for (size_t j = 0, n = entries(in, "cap", &list); j < n; j++)
        read_cap(in, entry(in, list, "cap", j));
    return err;
}

kith_err ki_rules_read(const ki_schema *schema, const json_t *json, ki_rules *out,
                       ki_violations *found)
{
    ki_violations *v = NULL;
    ki_rules r = { .schema = *schema };
    kith_err err = ki_alloc(&v, 1, sizeof *v);
    if (err != KITH_OK) return err;
    struct reader in = { .r = &r, .json = json, .v = v };
    err = read_all(&in);
    if (found != NULL) *found = *v;
    if (err == KITH_OK) err = ki_violations_result(v, "rules");
    ki_free(v);
    if (err != KITH_OK)
        ki_rules_clear(&r);
    else
        *out = r;
    return err;
}

void ki_rules_clear(ki_rules *r)
{
    for (int j = 0; j < r->n_prefer; j++) ki_filter_free(r->prefer[j].when);
    ki_filter_free(r->filter);
    ki_free(r->block);
    ki_free(r->exclude);
    *r = (ki_rules){ 0 };
}
