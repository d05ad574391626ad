/* SPDX-License-Identifier: MIT
 * lists.c -- making lists and writing them, by all threads or one by one
 *
 * Users are cut into chunks; each chunk is a text of its own, and the texts are joined in order, so
 * the result does not depend on threads.  make_list is the one place where a list comes from.
 */
#include "tool/lists.h"

#include "base/mem.h"
#include "base/rng.h" /* ki_hash2 */
#include "engine/phrases.h"
#include "store/cache.h"
#include "tool/events.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHUNK = 16, SLICE = 256 * CHUNK, MOST_EVENTS = 1000, MOST_ASKED = 100, KEY_ROOM = 512 };

struct told { /* of one list, for events and counts */
    int n, cold;
    double sum; /* of scores */
};

struct looked { /* into the cache */
    int64_t n, hits, unasked;
};

struct making {
    const ki_lists_options *o;
    const ki_column *category;
    char settings[32];      /* hash of what a list depends on besides the user and his wishes */
    int32_t begin;          /* first user, or item, of the slice */
    ki_text *pieces;        /* [SLICE / CHUNK] */
    struct told *told;      /* [SLICE] */
    struct looked *looked;  /* [SLICE / CHUNK] */
    const char *similarity; /* similarity_type */
    int n_similar;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- one list ---- */

static const char *wishes_of(const ki_lists_options *o, const char *user)
{
    const char *own = json_string_value(json_object_get(o->own_wishes, user));
    return own != NULL ? own : o->wishes;
}

static kith_query query_of(const ki_lists_options *o, const char *user)
{
    return (kith_query){ .user = user,
                         .n = o->n,
                         .exclude = o->exclude,
                         .n_exclude = o->n_exclude,
                         .include_seen = o->include_seen,
                         .filter = o->filter,
                         .context = o->values,
                         .wishes = wishes_of(o, user),
                         .pipeline = o->pipeline,
                         .language = o->language,
                         .block = o->block,
                         .n_reasons = o->n_reasons,
                         .on_unknown = o->on_unknown };
}

static kith_err make_list(const ki_lists_options *o, const char *user, kith_list **out)
{
    const kith_query q = query_of(o, user);
    return kith_recommend(o->k, o->model, &q, out);
}

const ki_column *ki_category_column(const ki_table *items)
{
    static const char *const names[] = { "category", "categories", "genre",   "genres",
                                         "topic",    "topics",     "section", "department" };
    for (size_t j = 0; j < KI_COUNT(names); j++) {
        const ki_column *c = ki_table_find(items, names[j]);
        if (c != NULL && c->kind != KI_COL_VECTOR) return c;
    }
    for (int j = 0; j < items->n_columns; j++)
        if (items->columns[j].kind == KI_COL_CATEGORY || items->columns[j].kind == KI_COL_SET)
            return &items->columns[j];
    return NULL;
}

/* A text that was cut, perhaps within a character, without the piece of it. */
static json_t *whole_characters(char *text)
{
    json_t *s = json_string(text);
    for (size_t n = strlen(text); s == NULL && n > 0; s = json_string(text)) text[--n] = '\0';
    return s;
}

static json_t *degrees_json(const kith_item *item)
{
    json_t *list = json_array();
    for (int w = 0; w < item->n_wishes; w++)
        json_array_append_new(list,
                              json_pack("{s:s, s:f, s:f}", "want", item->wishes[w].want, "weight",
                                        item->wishes[w].weight, "degree", item->wishes[w].degree));
    return list;
}

static json_t *item_json(const struct making *m, const kith_item *item)
{
    char category[256] = "";
    json_t *o = json_pack("{s:s, s:s*}", "item_id", item->item_id, "title", item->title);
    const int32_t i = kith_data_find_item(m->o->data, item->item_id);
    if (isfinite(item->score)) json_object_set_new(o, "score", json_real(item->score));
    if (item->reason != NULL) json_object_set_new(o, "reason", json_string(item->reason));
    if (m->category != NULL && i >= 0 && i < m->o->data->item_attrs.n_rows)
        ki_column_print(m->category, i, category, sizeof category);
    if (category[0] != '\0') json_object_set_new(o, "category", whole_characters(category));
    if (item->n_wishes > 0) json_object_set_new(o, "wishes", degrees_json(item));
    if (item->propensity < 1) json_object_set_new(o, "propensity", json_real(item->propensity));
    return o;
}

/* Why a list is empty: the filter says it best. */
static const char *note_of(const struct making *m, const kith_list *l, const json_t *report)
{
    const ki_phrasebook *language;
    const char *sentence =
        json_string_value(json_object_get(json_object_get(report, "filter"), "sentence"));
    if (l->note[0] != '\0' || l->n > 0) return l->note;
    if (sentence != NULL && sentence[0] != '\0') return sentence;
    if (ki_phrasebook_find(m->o->language, &language) != KITH_OK) return "";
    return ki_phrasebook_say(language, KI_PHRASE_NOTHING, 1);
}

/* Why each of the items asked about is not in the list, or where it stands; *out may stay NULL. */
static kith_err explain_absent(const ki_lists_options *o, const char *user, json_t **out)
{
    const kith_query q = query_of(o, user);
    if (o->n_why_not > 0 && (*out = json_array()) == NULL) return ki_fail_memory(64);
    for (int j = 0; j < o->n_why_not; j++) {
        char *text = NULL;
        const kith_err err = kith_why_not(o->k, o->model, &q, o->why_not[j], &text);
        if (err != KITH_OK) return err;
        json_t *verdict = json_loads(text, 0, NULL);
        const char *title =
            ki_item_title(&o->data->item_attrs, kith_data_find_item(o->data, o->why_not[j]));
        if (title != NULL) json_object_set_new(verdict, "title", json_string(title));
        json_array_append_new(*out, verdict);
        kith_string_free(text);
    }
    return KITH_OK;
}

static json_t *list_json(const struct making *m, const char *user, const kith_list *l,
                         json_t *absent)
{
    json_t *items = json_array(), *meta = json_pack("{s:s, s:i}", "basis", l->basis, "count", l->n);
    for (int j = 0; j < l->n; j++) json_array_append_new(items, item_json(m, &l->items[j]));
    json_t *report = l->report[0] == '\0' ? NULL : json_loads(l->report, 0, NULL);
    if (note_of(m, l, report)[0] != '\0')
        json_object_set_new(meta, "note", json_string(note_of(m, l, report)));
    if (report != NULL) json_object_set_new(meta, "report", report);
    if (absent != NULL) json_object_set(meta, "why_not", absent);
    return json_pack("{s:s, s:o, s:o}", "user_id", user, "recommended_items", items,
                     "recommendation_metadata", meta);
}

static kith_err write_list(const struct making *m, const char *user, ki_text *to, struct told *told)
{
    kith_list *l = NULL;
    json_t *absent = NULL;
    kith_err err = explain_absent(m->o, user, &absent);
    if (err == KITH_OK) err = make_list(m->o, user, &l);
    if (err != KITH_OK) return json_decref(absent), err;
    *told = (struct told){ .n = l->n, .cold = strcmp(l->basis, "popular") == 0 };
    for (int j = 0; j < l->n; j++) told->sum += l->items[j].score;
    ki_text_json(to, list_json(m, user, l, absent));
    json_decref(absent);
    kith_list_free(l);
    return to->err;
}

/* With the NUL at its end, so that two texts are not the same as one. */
static uint64_t hash_text(uint64_t h, const char *text)
{
    for (; *text != '\0'; text++) h = ki_hash2(h, (uint64_t)(unsigned char)*text);
    return ki_hash2(h, 0);
}

/* ---- with a cache: what is kept is "count cold sum" and, after a line break, the element ---- */

static int unpack(const char *value, size_t n, ki_text *to, struct told *told)
{
    const char *body = memchr(value, '\n', n);
    if (body == NULL || sscanf(value, "%d %d %lf", &told->n, &told->cold, &told->sum) != 3)
        return 0;
    ki_text_add(to, body + 1, n - (size_t)(body + 1 - value));
    return 1;
}

static kith_err keep(const struct making *m, const char *key, const ki_text *element,
                     const struct told *told)
{
    char head[80];
    ki_text packed = { 0 };
    snprintf(head, sizeof head, "%d %d %.17g\n", told->n, told->cold, told->sum);
    ki_text_say(&packed, head);
    ki_text_add(&packed, element->at, element->n);
    kith_err err = packed.err;
    if (err == KITH_OK) err = ki_cache_put(m->o->cache, key, strlen(key), packed.at, packed.n);
    ki_text_clear(&packed);
    return err;
}

static kith_err find_or_make(const struct making *m, const char *user, struct looked *looked,
                             ki_text *to, struct told *told)
{
    char key[KEY_ROOM];
    ki_cached found;
    ki_text element = { 0 };
    if (m->o->cache == NULL || strlen(user) > KEY_ROOM - 200) return write_list(m, user, to, told);
    const char *wishes = wishes_of(m->o, user);
    snprintf(key, sizeof key, "lists/%s/%s/%016" PRIx64 "/%s", m->o->model_id, m->settings,
             wishes == NULL ? 0 : hash_text(1, wishes), user);
    kith_err err = ki_cache_get(m->o->cache, key, strlen(key), &found);
    if (err != KITH_OK) return err;
    const int hit = found.at != NULL && unpack(found.at, found.n, to, told);
    ki_free(found.at);
    looked->n++;
    looked->hits += hit;
    looked->unasked += !found.asked;
    if (hit) return to->err;
    if ((err = write_list(m, user, &element, told)) == KITH_OK) {
        ki_text_add(to, element.at, element.n);
        if (found.asked) err = keep(m, key, &element, told);
    }
    ki_text_clear(&element);
    return err;
}

static kith_err make_chunk(void *arg, int64_t begin, int64_t end, int worker)
{
    struct making *m = arg;
    const int piece = (int)(begin / CHUNK);
    kith_err err = KITH_OK;
    (void)worker;
    for (int64_t j = begin; err == KITH_OK && j < end; j++) {
        if (m->begin + j > 0) ki_text_say(&m->pieces[piece], ",\n");
        err = find_or_make(m, m->o->users[m->begin + j], &m->looked[piece], &m->pieces[piece],
                           &m->told[j]);
    }
    return err;
}

/* ---- all of them ---- */

static void hash_settings(struct making *m)
{
    const ki_lists_options *o = m->o;
    const char *const texts[] = { o->filter, o->values, o->pipeline, o->language, o->block_text };
    uint64_t h = ki_hash2((uint64_t)o->n, (uint64_t)o->n_reasons * 2 + (uint64_t)o->include_seen);
    h = ki_hash2(h, (uint64_t)o->n_exclude);
    h = ki_hash2(h, (uint64_t)o->on_unknown);
    for (int j = 0; j < o->n_exclude; j++) h = hash_text(h, o->exclude[j]);
    for (int j = 0; j < o->n_why_not; j++) h = hash_text(h, o->why_not[j]);
    for (size_t j = 0; j < KI_COUNT(texts); j++)
        h = texts[j] == NULL ? ki_hash2(h, 1) : hash_text(h, texts[j]);
    snprintf(m->settings, sizeof m->settings, "%016" PRIx64, h);
}

static kith_err begin_making(struct making *m, const ki_lists_options *o)
{
    const size_t n = SLICE / CHUNK;
    kith_err err;
    *m = (struct making){ .o = o, .category = ki_category_column(&o->data->item_attrs) };
    hash_settings(m);
    if ((err = ki_alloc(&m->pieces, n, sizeof *m->pieces)) != KITH_OK) return err;
    if ((err = ki_alloc(&m->looked, n, sizeof *m->looked)) != KITH_OK) return err;
    return ki_alloc(&m->told, SLICE, sizeof *m->told);
}

static void end_making(struct making *m)
{
    for (int j = 0; m->pieces != NULL && j < SLICE / CHUNK; j++) ki_text_clear(&m->pieces[j]);
    ki_free(m->pieces);
    ki_free(m->told);
    ki_free(m->looked);
}

/* Run `fn` over the chunks of a slice and join their texts. */
static kith_err run_slice(struct making *m, int32_t n, ki_loop_fn fn, ki_text *out)
{
    ki_pool *pool = m->o->one_by_one ? NULL : m->o->job->pool;
    const kith_err err = ki_parallel_for(pool, n, CHUNK, fn, m);
    for (int j = 0; j < SLICE / CHUNK; j++) {
        ki_text *piece = &m->pieces[j];
        if (err == KITH_OK && piece->n > 0) ki_text_add(out, piece->at, piece->n);
        piece->n = 0;
    }
    return err != KITH_OK ? err : out->err;
}

static void tell(const struct making *m, int32_t n, ki_lists *out)
{
    const ki_lists_options *o = m->o;
    for (int32_t j = 0; j < n; j++) {
        const struct told *t = &m->told[j];
        out->n_listed += t->n;
        out->n_cold += t->cold;
        if (o->n_users > MOST_EVENTS || o->run->event == NULL) continue;
        json_t *event = json_pack("{s:s, s:i}", "user_id", o->users[m->begin + j],
                                  "recommendation_count", t->n);
        if (t->n > 0) json_object_set_new(event, "average_score", json_real(t->sum / t->n));
        ki_event(o->run, "recommendations_generated", event);
    }
}

kith_err ki_lists_make(const ki_lists_options *o, ki_lists *out)
{
    struct making m;
    ki_lists made = { .n_users = o->n_users };
    const double began = seconds();
    kith_err err = begin_making(&m, o);
    for (; err == KITH_OK && m.begin < o->n_users; m.begin += SLICE) {
        const int32_t n = KI_MIN((int32_t)SLICE, o->n_users - m.begin);
        if ((err = run_slice(&m, n, make_chunk, &made.text)) != KITH_OK) break;
        tell(&m, n, &made);
        err = ki_job_step(o->job, "make lists", m.begin + n, o->n_users);
    }
    for (int j = 0; err == KITH_OK && j < SLICE / CHUNK; j++) {
        made.n_lookups += m.looked[j].n;
        made.n_hits += m.looked[j].hits;
        made.n_unasked += m.looked[j].unasked;
    }
    end_making(&m);
    made.seconds = seconds() - began;
    if (err == KITH_OK && o->n_users > MOST_EVENTS)
        ki_event(o->run, "recommendations_generated",
                 json_pack("{s:i, s:I}", "user_count", (int)o->n_users, "recommendation_count",
                           (json_int_t)made.n_listed));
    if (err != KITH_OK)
        ki_text_clear(&made.text);
    else
        *out = made;
    return err;
}

/* ---- latency ---- */

static int rising(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

kith_err ki_lists_latency(const ki_lists_options *o, ki_latency *out)
{
    double ms[MOST_ASKED], sum = 0;
    const int n = KI_MIN((int)o->n_users, MOST_ASKED);
    *out = (ki_latency){ 0 };
    for (int j = 0; j < n; j++) {
        kith_list *l = NULL;
        const double began = seconds();
        const kith_err err = make_list(o, o->users[(int64_t)j * o->n_users / n], &l);
        if (err != KITH_OK) return err;
        ms[j] = 1e3 * (seconds() - began);
        sum += ms[j];
        kith_list_free(l);
    }
    if (n == 0) return KITH_OK;
    qsort(ms, (size_t)n, sizeof *ms, rising);
    *out = (ki_latency){ .n = n, .mean = sum / n, .p50 = ms[n / 2], .p99 = ms[(n * 99) / 100] };
    return KITH_OK;
}

/* ---- similar items ---- */

/* What the numbers of kith_similar are: the measure that the model was told to use, the cosine of
 * its vectors, or its own weights. */
static kith_err similarity_type(const kith_model *model, char *out, size_t size)
{
    char *text = NULL, *described = NULL;
    kith_err err = kith_model_json(model, &text);
    if (err != KITH_OK) return err;
    json_t *about = json_loads(text, 0, NULL);
    const char *name = json_string_value(json_object_get(about, "model")),
               *measure = json_string_value(
                   json_object_get(json_object_get(about, "params"), "similarity"));
    if ((err = kith_models_json(name, &described)) == KITH_OK) {
        json_t *desc = json_loads(described, 0, NULL);
        const char *form = json_string_value(json_object_get(desc, "form"));
        if (measure != NULL && strcmp(measure, "auto") != 0)
            snprintf(out, size, "%s", measure);
        else if (form != NULL && strcmp(form, "vectors") == 0)
            snprintf(out, size, "cosine of %s item factors", name);
        else
            snprintf(out, size, "%s item weights", name);
        json_decref(desc);
    }
    json_decref(about);
    kith_string_free(text);
    kith_string_free(described);
    return err;
}

static json_t *similar_json(const struct making *m, int32_t item, const kith_list *l)
{
    const kith_data *d = m->o->data;
    json_t *items = json_array();
    for (int j = 0; j < l->n; j++)
        if (l->items[j].score > 0 && isfinite(l->items[j].score))
            json_array_append_new(items, json_pack("{s:s, s:s*, s:f, s:s}", "similar_item_id",
                                                   l->items[j].item_id, "title", l->items[j].title,
                                                   "similarity_score", l->items[j].score,
                                                   "similarity_type", m->similarity));
    return json_pack("{s:s, s:s*, s:o}", "item_id", kith_data_item_id(d, item), "title",
                     ki_item_title(&d->item_attrs, item), "similar_items", items);
}

static kith_err similar_chunk(void *arg, int64_t begin, int64_t end, int worker)
{
    struct making *m = arg;
    ki_text *to = &m->pieces[begin / CHUNK];
    (void)worker;
    for (int64_t j = begin; j < end; j++) {
        const char *item = kith_data_item_id(m->o->data, (int32_t)(m->begin + j));
        kith_list *l = NULL;
        const kith_query q = { .n = m->n_similar, .block = m->o->block };
        const kith_err err = kith_similar_with(m->o->k, m->o->model, item, &q, &l);
        if (err != KITH_OK) return err;
        if (m->begin + j > 0) ki_text_say(to, ",\n");
        ki_text_json(to, similar_json(m, (int32_t)(m->begin + j), l));
        kith_list_free(l);
        if (to->err != KITH_OK) return to->err;
    }
    return KITH_OK;
}

kith_err ki_similar_make(const ki_lists_options *o, int32_t n_items, int n, ki_text *out)
{
    struct making m;
    char type[128];
    ki_text text = { 0 };
    kith_err err = begin_making(&m, o);
    if (err == KITH_OK) err = similarity_type(o->model, type, sizeof type);
    m.similarity = type;
    m.n_similar = n;
    for (; err == KITH_OK && m.begin < n_items; m.begin += SLICE) {
        err = run_slice(&m, KI_MIN((int32_t)SLICE, n_items - m.begin), similar_chunk, &text);
        if (err == KITH_OK) err = ki_job_step(o->job, "find similar items", m.begin, n_items);
    }
    end_making(&m);
    if (err != KITH_OK)
        ki_text_clear(&text);
    else
        *out = text;
    return err;
}
