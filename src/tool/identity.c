/* SPDX-License-Identifier: MIT
 * identity.c -- hashing all that decides a model
 */
#include "tool/identity.h"

#include "base/mem.h"
#include "base/rng.h" /* ki_hash2 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    uint64_t w;
    if (bytes == NULL) return ki_hash2(h, 0);
    for (; n >= 8; n -= 8, b += 8) {
        memcpy(&w, b, 8);
        h = ki_hash2(h, w);
    }
    w = n;
    memcpy(&w, b, n);
    return ki_hash2(h, w + n);
}

static uint64_t mix_text(uint64_t h, const char *text)
{
    return mix(h, text, strlen(text));
}

static uint64_t mix_words(uint64_t h, const ki_idmap *words)
{
    return words->n == 0 ? h : mix(h, words->text, (size_t)words->start[words->n]);
}

static uint64_t mix_column(uint64_t h, const ki_column *c, int32_t rows)
{
    const size_t n = (size_t)rows;
    h = mix_text(ki_hash2(h, (uint64_t)c->kind), c->name);
    switch (c->kind) {
    case KI_COL_NUMBER: return mix(h, c->number, n * sizeof *c->number);
    case KI_COL_TIME: return mix(h, c->time, n * sizeof *c->time);
    case KI_COL_CATEGORY: return mix_words(mix(h, c->code, n * sizeof *c->code), &c->words);
    case KI_COL_SET:
        h = mix(h, c->set_ptr, (n + 1) * sizeof *c->set_ptr);
        return mix_words(mix(h, c->code, (size_t)c->set_ptr[rows] * sizeof *c->code), &c->words);
    case KI_COL_TEXT: return mix(h, c->text, (size_t)c->text_ptr[rows]);
    case KI_COL_VECTOR: break;
    }
    return mix(h, c->vector, n * (size_t)c->dim * sizeof *c->vector);
}

static uint64_t mix_table(uint64_t h, const ki_table *t)
{
    for (int c = 0; c < t->n_columns; c++) h = mix_column(h, &t->columns[c], t->n_rows);
    return h;
}

/* Takes `o`. */
static kith_err mix_json(uint64_t *h, json_t *o)
{
    char *text = o == NULL ? NULL : json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(o);
    if (text == NULL) return ki_fail_memory(64);
    *h = mix_text(*h, text);
    free(text); /* jansson's */
    return KITH_OK;
}

static kith_err mix_params(uint64_t *h, const ki_method *m)
{
    void *params = NULL;
    kith_err err = ki_model_params(m->desc, m->params, m->n_params, 0, &params);
    if (err != KITH_OK) return err;
    err = mix_json(h, ki_params_values(m->desc->params, m->desc->n_params, params));
    ki_free(params);
    return err;
}

kith_err ki_model_id(const ki_method *m, const kith_data *d, const json_t *settings, uint64_t seed,
                     char *out)
{
    uint64_t h = mix_text(1, KITH_VERSION);
    h = ki_hash2(ki_hash2(h, (uint64_t)m->desc->version), seed);
    h = mix_table(mix_table(h, &d->item_attrs), &d->user_attrs);
    kith_err err = mix_params(&h, m);
    if (err == KITH_OK) err = mix_json(&h, json_incref((json_t *)settings));
    if (err != KITH_OK) return err;
    snprintf(out, KI_MODEL_ID_ROOM, "%.64s-%016" PRIx64 "-%016" PRIx64, m->desc->name,
             ki_data_fingerprint(d), h);
    return KITH_OK;
}

void ki_model_path(const char *folder, const char *id, char *out, size_t size)
{
    snprintf(out, size, "%s/%s.kith", folder, id);
}
