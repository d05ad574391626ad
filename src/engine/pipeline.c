/* SPDX-License-Identifier: MIT
 * pipeline.c -- reading a pipeline from JSON
 */
#include "engine/pipeline.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 1000000, DEFAULT_QUOTA = 100, POINTER = 48 };

static const char *const froms[] = { "model", "popular", "new", "similar" };
static const char *const spreads[] = { "none", "mmr", "calibrated" };

/* Which of the words stands under key: its number; `init` when the key is absent or wrong. */
static int read_word(ki_violations *v, const char *at, const json_t *o, const char *key,
                     const char *const *words, int n, int init)
{
    char want[128] = "", pointer[2 * POINTER];
    size_t used = 0;
    const char *text = ki_read_string(v, at, o, key, init < 0);
    if (text == NULL) return init;
    for (int j = 0; j < n; j++) {
        if (strcmp(text, words[j]) == 0) return j;
        used += (size_t)snprintf(want + used, sizeof want - used, " %s", words[j]);
    }
    snprintf(pointer, sizeof pointer, "%s/%s", at, key);
    ki_violate(v, pointer, "want one of:%s", want);
    return init;
}

static void read_name(ki_violations *v, const char *at, const json_t *o, const char *key, char *out)
{
    char pointer[2 * POINTER];
    const char *text = ki_read_string(v, at, o, key, 0);
    snprintf(pointer, sizeof pointer, "%s/%s", at, key);
    if (text != NULL && strlen(text) >= KI_PIPE_NAME)
        ki_violate(v, pointer, "want at most %d bytes", KI_PIPE_NAME - 1);
    else if (text != NULL)
        memcpy(out, text, strlen(text) + 1);
}

static void read_source(ki_violations *v, const char *at, const json_t *o, ki_pipe_source *s)
{
    static const char *const keys[] = { "from", "part", "item", "quota" };
    if (!ki_check_keys(v, at, o, keys, KI_COUNT(keys))) return;
    const int from = read_word(v, at, o, "from", froms, KI_COUNT(froms), -1);
    s->kind = from < 0 ? KI_FROM_MODEL : (ki_pipe_from)from;
    s->quota = (int)ki_read_number(v, at, o, "quota", 1, MOST, DEFAULT_QUOTA);
    read_name(v, at, o, "part", s->part);
    read_name(v, at, o, "item", s->item);
}

static void read_sources(ki_violations *v, const json_t *config, ki_pipeline *p)
{
    const json_t *list = ki_read_list(v, "", config, "retrieve");
    char at[POINTER];
    if (json_array_size(list) > KI_MAX_SOURCES) {
        ki_violate(v, "/retrieve", "want at most %d sources", KI_MAX_SOURCES);
        return;
    }
    for (size_t j = 0; j < json_array_size(list); j++) {
        snprintf(at, sizeof at, "/retrieve/%zu", j);
        read_source(v, at, json_array_get(list, j), &p->sources[p->n_sources++]);
    }
}

static void read_diversity(ki_violations *v, const json_t *o, ki_pipeline *p)
{
    static const char *const keys[] = { "method", "trade_off", "column" };
    static const char at[] = "/diversity";
    if (o == NULL || !ki_check_keys(v, at, o, keys, KI_COUNT(keys))) return;
    p->spread = (ki_spread)read_word(v, at, o, "method", spreads, KI_COUNT(spreads), KI_SPREAD_MMR);
    p->trade_off = ki_read_number(v, at, o, "trade_off", 0, 1, p->trade_off);
    read_name(v, at, o, "column", p->column);
}

static void read_rank(ki_violations *v, const json_t *o, ki_pipeline *p)
{
    static const char *const keys[] = { "by", "wishes" };
    if (o == NULL || !ki_check_keys(v, "/rank", o, keys, KI_COUNT(keys))) return;
    read_name(v, "/rank", o, "by", p->ranker);
    p->wishes = ki_read_number(v, "/rank", o, "wishes", 0, 1, p->wishes);
}

static void read_explore(ki_violations *v, const json_t *o, ki_pipeline *p)
{
    static const char *const keys[] = { "slots" };
    if (o != NULL && ki_check_keys(v, "/explore", o, keys, KI_COUNT(keys)))
        p->explore = (int)ki_read_number(v, "/explore", o, "slots", 0, MOST, 0);
}

/* The rules' own pointers begin at them. */
static kith_err read_rules(ki_violations *v, const ki_schema *schema, const json_t *o,
                           ki_pipeline *p)
{
    ki_violations *inner = NULL;
    char pointer[2 * KI_PIPE_NAME];
    kith_err err;
    if (o == NULL) return KITH_OK;
    if ((err = ki_alloc(&p->rules, 1, sizeof *p->rules)) != KITH_OK) return err;
    if ((err = ki_alloc(&inner, 1, sizeof *inner)) != KITH_OK) return err;
    err = ki_rules_read(schema, o, p->rules, inner);
    for (int j = 0; j < KI_MIN(inner->n, KI_VIOLATIONS_MAX); j++) {
        snprintf(pointer, sizeof pointer, "/rules%s", inner->list[j].pointer);
        ki_violate(v, pointer, "%s", inner->list[j].sentence);
        if (v->n <= KI_VIOLATIONS_MAX) v->list[v->n - 1].why = inner->list[j].why;
    }
    if (err == KITH_EINVAL && inner->n > 0) err = KITH_OK; /* told */
    ki_free(inner);
    return err;
}

static kith_err read_all(ki_violations *v, const ki_schema *schema, const json_t *config,
                         ki_pipeline *p)
{
    static const char *const keys[] = {
        "retrieve", "rank", "depth", "rules", "diversity", "explore"
    };
    if (config == NULL || !ki_check_keys(v, "", config, keys, KI_COUNT(keys))) return KITH_OK;
    read_sources(v, config, p);
    read_rank(v, json_object_get(config, "rank"), p);
    p->depth = (int)ki_read_number(v, "", config, "depth", 1, MOST, 0);
    read_diversity(v, json_object_get(config, "diversity"), p);
    read_explore(v, json_object_get(config, "explore"), p);
    return read_rules(v, schema, json_object_get(config, "rules"), p);
}

kith_err ki_pipeline_read(const ki_schema *schema, const json_t *config, ki_pipeline *out,
                          ki_violations *found)
{
    ki_violations *v = NULL;
    ki_pipeline p = { .trade_off = 0.7, .wishes = 1 };
    kith_err err = ki_alloc(&v, 1, sizeof *v);
    if (err != KITH_OK) return err;
    if ((err = read_all(v, schema, config, &p)) == KITH_OK)
        err = ki_violations_result(v, "pipeline");
    if (found != NULL) *found = *v;
    ki_free(v);
    if (err != KITH_OK)
        ki_pipeline_clear(&p);
    else
        *out = p;
    return err;
}

void ki_pipeline_clear(ki_pipeline *p)
{
    if (p->rules != NULL) ki_rules_clear(p->rules);
    ki_free(p->rules);
    *p = (ki_pipeline){ 0 };
}
