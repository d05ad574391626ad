/* SPDX-License-Identifier: MIT
 * service_shadow.c -- a version that is asked beside the one in force, and whose lists nobody sees
 *
 * For every 1 / shadow_share th list of a user the shadow is asked too, with the user's history of now, in the thread of
 * the question that had its turn; what is kept of it are sums.  Filters, pipelines and block lists are the question's, over the
 * catalogue that the shadow was trained on.
 */
#include "serve/service_parts.h"

#include "base/mem.h"
#include "engine/block.h"
#include "serve/wish.h"

#include <string.h>
#include <time.h>

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int is_in(const kith_list *l, const char *id)
{
    for (int j = 0; j < l->n; j++)
        if (strcmp(l->items[j].item_id, id) == 0) return 1;
    return 0;
}

static double overlap(const kith_list *a, const kith_list *b)
{
    int both = 0;
    for (int j = 0; j < a->n; j++) both += is_in(b, a->items[j].item_id);
    return a->n == 0 ? 1 : (double)both / a->n;
}

/* Every so many-th list: a share that the settings say, without a random number for each. */
static int is_its_turn(ki_service *s)
{
    const double share = (double)s->settings.shadow_share;
    const long long n = atomic_load(&s->n_asked);
    return share > 0 && (long long)((double)n * share) != (long long)((double)(n - 1) * share);
}

/* The question as the shadow can be asked it: by what the user has, which may be newer than the model. */
static kith_err by_history(ki_service *s, const ki_wish *w, json_t **history, const char ***liked,
                           float **values, kith_query *out)
{
    int n = 0;
    *out = w->q.query;
    if (out->user == NULL) return KITH_OK;
    kith_err err = ki_live_history(s->live, out->user, 1000, history);
    const size_t room = json_array_size(*history);
    if (err == KITH_OK) err = ki_alloc(liked, room, sizeof **liked);
    if (err == KITH_OK) err = ki_alloc(values, room, sizeof **values);
    if (err != KITH_OK || room == 0) return err;
    for (size_t j = room; j-- > 0; n++) { /* oldest first: of a repeated item the last counts */
        const json_t *event = json_array_get(*history, j);
        (*liked)[n] = json_string_value(json_object_get(event, "item_id"));
        (*values)[n] = (float)json_number_value(json_object_get(event, "value"));
    }
    out->user = NULL;
    out->liked = *liked;
    out->liked_values = *values;
    out->n_liked = n;
    return KITH_OK;
}

/* ---- the block list, found once in the shadow's catalogue for as long as it is the same ---- */

struct shadow_block {
    char *text;
    kith_block *block;
    int refs; /* under the lock of ki_shadowed: one of it, one of each question */
};

static void free_block(struct shadow_block *b)
{
    if (b == NULL) return;
    kith_block_free(b->block);
    ki_free(b->text);
    ki_free(b);
}

/* One use less; the last one frees it. */
static void give_block(ki_service *s, struct shadow_block *b)
{
    if (b == NULL) return;
    pthread_mutex_lock(&s->shadowed.lock);
    const int last = --b->refs == 0;
    pthread_mutex_unlock(&s->shadowed.lock);
    if (last) free_block(b);
}

static struct shadow_block *find_block(ki_service *s, const char *text)
{
    pthread_mutex_lock(&s->shadowed.lock);
    struct shadow_block *b = s->shadowed.block;
    if (b != NULL && strcmp(b->text, text) != 0) b = NULL;
    if (b != NULL) b->refs++;
    pthread_mutex_unlock(&s->shadowed.lock);
    return b;
}

/* In the place of the one before. */
static void put_block(ki_service *s, struct shadow_block *b)
{
    pthread_mutex_lock(&s->shadowed.lock);
    struct shadow_block *before = s->shadowed.block;
    s->shadowed.block = b;
    pthread_mutex_unlock(&s->shadowed.lock);
    give_block(s, before);
}

/* A column that the shadow's catalogue lacks is matched by nothing. */
static kith_err take_block(ki_service *s, const char *text, struct shadow_block **out)
{
    struct shadow_block *b = NULL;
    if (text == NULL || (*out = find_block(s, text)) != NULL) return KITH_OK;
    kith_err err = ki_alloc(&b, 1, sizeof *b);
    if (err == KITH_OK) err = ki_strdup(&b->text, text);
    if (err == KITH_OK)
        err = ki_block_make_kept(&s->shadow_model->items, &s->shadow_model->item_attrs, text,
                                 &b->block);
    if (err != KITH_OK) {
        free_block(b);
        return err;
    }
    b->refs = 2;
    put_block(s, *out = b);
    return KITH_OK;
}

/* ---- asking ---- */

/* With shadow_lock held: the shadow may not go meanwhile. */
static kith_err ask(ki_service *s, const char *block, kith_query *q, kith_list **list,
                    double *micros)
{
    kith *k = NULL;
    struct shadow_block *blocked = NULL;
    kith_err err = kith_new(&(kith_options){ .threads = 1, .seed = s->seed }, &k);
    if (err == KITH_OK) err = take_block(s, block, &blocked);
    const double began = now_us();
    if (err == KITH_OK) {
        q->block = blocked == NULL ? NULL : blocked->block;
        err = kith_recommend(k, s->shadow_model, q, list);
    }
    *micros = now_us() - began;
    give_block(s, blocked);
    kith_free(k);
    return err;
}

static void count(ki_service *s, const kith_list *shown, const kith_list *list, double micros,
                  double micros_in_force)
{
    pthread_mutex_lock(&s->shadowed.lock);
    s->shadowed.n++;
    s->shadowed.overlap += overlap(shown, list);
    s->shadowed.micros += micros;
    s->shadowed.micros_in_force += micros_in_force;
    pthread_mutex_unlock(&s->shadowed.lock);
}

void ki_service_ask_shadow(ki_service *s, const ki_wish *w, const kith_list *shown, double micros)
{
    json_t *history = NULL;
    const char **liked = NULL;
    float *values = NULL;
    kith_list *list = NULL;
    kith_query q;
    double took = 0;
    if (!atomic_load(&s->has_shadow) || !is_its_turn(s)) return;
    if (by_history(s, w, &history, &liked, &values, &q) == KITH_OK) {
        pthread_rwlock_rdlock(&s->shadow_lock);
        if (s->shadow_model != NULL && ask(s, w->q.block, &q, &list, &took) == KITH_OK)
            count(s, shown, list, took, micros);
        pthread_rwlock_unlock(&s->shadow_lock);
    }
    kith_list_free(list);
    ki_free(liked);
    ki_free(values);
    json_decref(history);
}

static void begin_anew(ki_service *s, const char *version)
{
    ki_service_put_name(s, s->shadow, version);
    atomic_store(&s->has_shadow, version[0] != '\0');
    pthread_mutex_lock(&s->shadowed.lock);
    s->shadowed.n = 0;
    s->shadowed.overlap = s->shadowed.micros = s->shadowed.micros_in_force = 0;
    pthread_mutex_unlock(&s->shadowed.lock);
}

/* Questions that have begun with the one before end first.  With the lock on models held. */
void ki_service_put_shadow(ki_service *s, const char *version, kith_model *m)
{
    pthread_rwlock_wrlock(&s->shadow_lock);
    kith_model *before = s->shadow_model;
    s->shadow_model = m;
    put_block(s, NULL); /* it was found in the other catalogue */
    pthread_rwlock_unlock(&s->shadow_lock);
    kith_model_free(before);
    begin_anew(s, version);
}

kith_err ki_service_shadow(ki_service *s, const char *version)
{
    json_t *document = NULL;
    kith_model *m = NULL;
    kith *k = NULL;
    kith_err err = kith_new(&(kith_options){ .threads = 1, .seed = s->seed }, &k);
    if (err == KITH_OK && version != NULL) err = ki_service_model_document(s, version, &document);
    json_decref(document);
    pthread_mutex_lock(&s->models);
    if (err == KITH_OK && version != NULL) err = ki_service_load_model(s, k, version, &m);
    if (err == KITH_OK) ki_service_put_shadow(s, version != NULL ? version : "", m);
    pthread_mutex_unlock(&s->models);
    kith_free(k);
    return err;
}

kith_err ki_service_shadow_report(ki_service *s, json_t **out)
{
    char version[64];
    pthread_mutex_lock(&s->names);
    memcpy(version, s->shadow, sizeof version);
    pthread_mutex_unlock(&s->names);
    pthread_mutex_lock(&s->shadowed.lock);
    const int64_t n = s->shadowed.n;
    const double d = n > 0 ? (double)n : 1;
    json_t *o = json_pack("{s:s, s:I}", "version", version, "lists", (json_int_t)n);
    if (n > 0) {
        json_object_set_new(o, "overlap", json_real(s->shadowed.overlap / d));
        json_object_set_new(o, "micros", json_real(s->shadowed.micros / d));
        json_object_set_new(o, "micros_in_force", json_real(s->shadowed.micros_in_force / d));
    }
    pthread_mutex_unlock(&s->shadowed.lock);
    return o == NULL ? ki_fail_memory(128) : (*out = o, KITH_OK);
}
