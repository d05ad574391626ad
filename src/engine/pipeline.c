/* SPDX-License-Identifier: MIT
 * pipeline.c -- reading a pipeline: names and ranges in one table per object
 */
#include "engine/pipeline.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 1000000, DEFAULT_QUOTA = 100 };

/* ---- violations ---- */

struct reading {
    json_t *violations; /* may be NULL */
    kith_err err;       /* of the first */
};

static void violate(struct reading *r, const char *pointer, const char *message)
{
    if (r->err == KITH_OK)
        r->err = ki_fail(KITH_EINVAL, "%s: %s", pointer[0] != '\0' ? pointer : "/", message);
    if (r->violations != NULL)
        json_array_append_new(r->violations,
                              json_pack("{s:s, s:s}", "pointer", pointer, "message", message));
}

/* ---- members ---- */

enum kind { WORD, NAME, WHOLE, NUMBER };

struct member {
    const char *name;
    enum kind kind;
    size_t offset;
    double min, max;          /* WHOLE, NUMBER */
    const char *const *words; /* WORD: the int becomes the index */
};

static const char *const source_words[] = { "model", "popular", "new", "similar", NULL };
static const char *const spread_words[] = { "none", "mmr", "calibrated", NULL };

#define SOURCE(field) offsetof(ki_pipe_source, field)
static const struct member source_members[] = {
    { "from", WORD, SOURCE(kind), 0, 0, source_words },
    { "part", NAME, SOURCE(part), 0, 0, NULL },
    { "item", NAME, SOURCE(item), 0, 0, NULL },
    { "quota", WHOLE, SOURCE(quota), 1, MOST, NULL },
    { NULL, WORD, 0, 0, 0, NULL },
};

#define PIPELINE(field) offsetof(ki_pipeline, field)
static const struct member rank_members[] = {
    { "by", NAME, PIPELINE(ranker), 0, 0, NULL },
    { NULL, WORD, 0, 0, 0, NULL },
};
static const struct member diversity_members[] = {
    { "method", WORD, PIPELINE(spread), 0, 0, spread_words },
    { "trade_off", NUMBER, PIPELINE(trade_off), 0, 1, NULL },
    { "column", NAME, PIPELINE(column), 0, 0, NULL },
    { NULL, WORD, 0, 0, 0, NULL },
};
static const struct member explore_members[] = {
    { "slots", WHOLE, PIPELINE(explore), 0, MOST, NULL },
    { NULL, WORD, 0, 0, 0, NULL },
};
static const struct member top_members[] = {
    { "depth", WHOLE, PIPELINE(depth), 1, MOST, NULL },
    { NULL, WORD, 0, 0, 0, NULL },
};

static void read_word(struct reading *r, const struct member *m, const json_t *v, void *field,
                      const char *pointer)
{
    const char *text = json_string_value(v);
    char message[256];
    size_t used = (size_t)snprintf(message, sizeof message, "want one of:");
    for (int j = 0; m->words[j] != NULL; j++) {
        if (text != NULL && strcmp(text, m->words[j]) == 0) {
            memcpy(field, &j, sizeof j); /* an enum of these words, in this order */
            return;
        }
        used += (size_t)snprintf(message + used, sizeof message - used, " %s", m->words[j]);
    }
    violate(r, pointer, message);
}

static void read_name(struct reading *r, const json_t *v, char *field, const char *pointer)
{
    const char *text = json_string_value(v);
    if (text == NULL || strlen(text) >= KI_PIPE_NAME)
        violate(r, pointer, "want a text of at most 63 bytes");
    else
        memcpy(field, text, strlen(text) + 1);
}

static void read_number(struct reading *r, const struct member *m, const json_t *v, void *field,
                        const char *pointer)
{
    const double value = json_number_value(v);
    char message[96];
    const int right = m->kind == WHOLE ? json_is_integer(v) : json_is_number(v);
    snprintf(message, sizeof message, "want a %s of %g to %g",
             m->kind == WHOLE ? "whole number" : "number", m->min, m->max);
    if (!right || !(value >= m->min && value <= m->max)) {
        violate(r, pointer, message);
    } else if (m->kind == WHOLE) {
        const int whole = (int)value;
        memcpy(field, &whole, sizeof whole);
    } else {
        memcpy(field, &value, sizeof value);
    }
}

/* Members of one object into a struct; `others` are names that the caller reads itself. */
static void read_object(struct reading *r, const struct member *table, const char *const *others,
                        const json_t *o, void *self, const char *at)
{
    const char *key;
    json_t *v;
    char pointer[192];
    if (!json_is_object(o)) {
        violate(r, at, "want an object");
        return;
    }
    json_object_foreach ((json_t *)o, key, v) {
        const struct member *m = table;
        int other = 0;
        snprintf(pointer, sizeof pointer, "%s/%.100s", at, key);
        for (int j = 0; others != NULL && others[j] != NULL; j++)
            other |= strcmp(others[j], key) == 0;
        if (other) continue;
        while (m->name != NULL && strcmp(m->name, key) != 0) m++;
        if (m->name == NULL)
            violate(r, pointer, "a pipeline has no such member");
        else if (m->kind == WORD)
            read_word(r, m, v, (char *)self + m->offset, pointer);
        else if (m->kind == NAME)
            read_name(r, v, (char *)self + m->offset, pointer);
        else
            read_number(r, m, v, (char *)self + m->offset, pointer);
    }
}

static void read_sources(struct reading *r, const json_t *list, ki_pipeline *p)
{
    char pointer[48];
    if (!json_is_array(list) || json_array_size(list) > KI_MAX_SOURCES) {
        violate(r, "/retrieve", "want an array of at most 8 sources");
        return;
    }
    for (size_t j = 0; j < json_array_size(list); j++) {
        ki_pipe_source *s = &p->sources[p->n_sources++];
        const json_t *o = json_array_get(list, j);
        *s = (ki_pipe_source){ .quota = DEFAULT_QUOTA };
        snprintf(pointer, sizeof pointer, "/retrieve/%zu", j);
        read_object(r, source_members, NULL, o, s, pointer);
        if (json_is_object(o) && json_object_get(o, "from") == NULL)
            violate(r, pointer, "want a member \"from\"");
    }
}

kith_err ki_pipeline_read(ki_pipeline *out, const json_t *config, json_t *violations)
{
    static const char *const objects[] = { "retrieve", "rank", "diversity", "explore", NULL };
    static const struct member *const tables[] = { NULL, rank_members, diversity_members,
                                                   explore_members };
    struct reading r = { .violations = violations };
    ki_pipeline p = { .trade_off = 0.7 };
    char pointer[32];
    for (int j = 0; config != NULL && objects[j] != NULL; j++) {
        const json_t *o = json_object_get(config, objects[j]);
        snprintf(pointer, sizeof pointer, "/%s", objects[j]);
        if (o == NULL) continue;
        if (tables[j] == NULL)
            read_sources(&r, o, &p);
        else
            read_object(&r, tables[j], NULL, o, &p, pointer);
    }
    if (config != NULL) read_object(&r, top_members, objects, config, &p, "");
    if (r.err == KITH_OK) *out = p;
    return r.err;
}
