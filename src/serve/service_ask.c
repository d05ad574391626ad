/* SPDX-License-Identifier: MIT
 * service_ask.c -- a request becomes a list: from the cache or the engine, under a rec_id, page by page
 *
 *      request + scenario + variant --wish--> cache? --> engine --> text, kept under the rec_id, journal
 *
 * What is kept in the cache is the text after the rec_id, under a key that holds what the list was made of: the
 * user's counter of changes, the catalogue's, the model's, and the question.  An event raises the counter before
 * its write returns, so the very next question has another key.
 */
#include "serve/service_parts.h"

#include "base/mem.h"
#include "serve/exposures.h"
#include "serve/jsonwrite.h"
#include "serve/wish.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MOST_PAGED = 1000, PAGES_AHEAD = 20 };

/* ---- a list as text ---- */

static void write_reasons(ki_text *t, const kith_item *item)
{
    ki_write_key(t, "reason");
    ki_write_string(t, item->reason);
    if (item->n_reasons == 0) return;
    ki_write_key(t, "reasons");
    ki_text_say(t, "[");
    for (int j = 0; j < item->n_reasons; j++) {
        ki_write_next(t);
        ki_text_say(t, "{");
        ki_write_key(t, "item_id");
        ki_write_string(t, item->reasons[j].item_id);
        if (item->reasons[j].title != NULL) {
            ki_write_key(t, "title");
            ki_write_string(t, item->reasons[j].title);
        }
        ki_write_key(t, "contribution");
        ki_write_number(t, item->reasons[j].contribution);
        ki_text_say(t, "}");
    }
    ki_text_say(t, "]");
    ki_write_key(t, "rest");
    ki_write_number(t, item->rest);
}

static void write_wishes(ki_text *t, const kith_item *item)
{
    ki_write_key(t, "wishes");
    ki_text_say(t, "[");
    for (int j = 0; j < item->n_wishes; j++) {
        ki_write_next(t);
        ki_text_say(t, "{");
        ki_write_key(t, "want");
        ki_write_string(t, item->wishes[j].want);
        ki_write_key(t, "weight");
        ki_write_number(t, item->wishes[j].weight);
        ki_write_key(t, "degree");
        ki_write_number(t, item->wishes[j].degree);
        ki_text_say(t, "}");
    }
    ki_text_say(t, "]");
}

static void write_item(ki_text *t, const kith_item *item)
{
    ki_write_next(t);
    ki_text_say(t, "{");
    ki_write_key(t, "item_id");
    ki_write_string(t, item->item_id);
    if (item->title != NULL) {
        ki_write_key(t, "title");
        ki_write_string(t, item->title);
    }
    ki_write_key(t, "score");
    ki_write_number(t, item->score);
    if (item->n_wishes > 0) write_wishes(t, item);
    if (item->reason != NULL) write_reasons(t, item);
    if (item->propensity != 1) {
        ki_write_key(t, "propensity");
        ki_write_number(t, item->propensity);
    }
    ki_text_say(t, "}");
}

void ki_write_list(ki_text *t, const kith_list *list)
{
    ki_write_key(t, "basis");
    ki_write_string(t, list->basis);
    ki_write_key(t, "note");
    ki_write_string(t, list->note);
    ki_write_key(t, "items");
    ki_text_say(t, "[");
    for (int j = 0; j < list->n; j++) write_item(t, &list->items[j]);
    ki_text_say(t, "]");
    if (list->report != NULL && list->report[0] != '\0') {
        ki_write_key(t, "report");
        ki_text_say(t, list->report);
    }
}

static void write_answer(ki_text *t, const kith_list *list, const ki_answer *a)
{
    ki_write_key(t, "model");
    ki_write_string(t, a->version);
    ki_write_key(t, "history");
    ki_write_whole(t, a->n_history);
    ki_write_key(t, "folded");
    ki_text_say(t, a->folded ? "true" : "false");
    ki_write_list(t, list);
}

/* ---- the cache: ids one after the other, each with its NUL, then the text ---- */

struct shown { /* a finished list, wherever it came from; at is one block */
    char *block;
    const char **ids;
    int n;
    const char *text; /* members after those that say for whom, a comma before each */
    size_t n_text;
};

static void clear_shown(struct shown *l)
{
    ki_free(l->block);
    ki_free(l->ids);
}

/* Is it of the form that the cache keeps?  What comes from a cache on the network may be anything. */
static int is_packed(const char *block, size_t n)
{
    int32_t n_ids;
    if (n < sizeof n_ids) return 0;
    memcpy(&n_ids, block, sizeof n_ids);
    const char *at = block + sizeof n_ids, *end = block + n;
    for (; n_ids > 0; n_ids--, at++)
        if ((at = memchr(at, '\0', (size_t)(end - at))) == NULL) return 0;
    return n_ids == 0;
}

/* From that form; takes the block. */
static kith_err unpack(char *block, size_t n, struct shown *out)
{
    int32_t n_ids;
    *out = (struct shown){ .block = block };
    memcpy(&n_ids, block, sizeof n_ids);
    const kith_err err = ki_alloc(&out->ids, (size_t)n_ids, sizeof *out->ids);
    if (err != KITH_OK) return err;
    const char *at = block + sizeof n_ids;
    for (; out->n < n_ids; at += strlen(at) + 1) out->ids[out->n++] = at;
    out->text = at;
    out->n_text = n - (size_t)(at - block);
    return KITH_OK;
}

/* What the request itself wants blocked and nothing has, which may be a slip of the pen; the lists of service and scenario
 * are nothing that whoever asks need know. */
static kith_err name_unused(ki_service *s, const ki_wish *w, json_t **unused)
{
    return w->n_block == 0 ? KITH_OK : ki_live_block_unused(s->live, &w->q, w->n_block, unused);
}

static kith_err pack(const kith_list *list, const ki_answer *a, const json_t *unused, ki_text *t)
{
    const int32_t n = list->n;
    size_t ids = sizeof n, rest = 512;
    for (int j = 0; j < n; j++) ids += strlen(list->items[j].item_id) + 1;
    if (list->report != NULL) rest += strlen(list->report);
    ki_text_reserve(t, ids * 2 + (size_t)n * 48 + rest); /* titles and reasons may want more */
    ki_text_add(t, (const char *)&n, sizeof n);
    for (int j = 0; j < n; j++)
        ki_text_add(t, list->items[j].item_id, strlen(list->items[j].item_id) + 1);
    write_answer(t, list, a);
    if (json_array_size(unused) > 0) {
        ki_write_key(t, "block_unused");
        ki_write_value(t, unused);
    }
    return t->err;
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

/* Only lists that are made from what the key holds are kept: not those of popular items. */
static int is_lasting(const kith_list *list)
{
    return strcmp(list->basis, "user") == 0 || strcmp(list->basis, "liked") == 0 ||
           strcmp(list->basis, "text") == 0 || strcmp(list->basis, "wishes") == 0;
}

/* Was the user deleted since the list was begun?  Between ki_erasures_enter and leave. */
static int is_gone(const ki_service *s, const ki_wish *w)
{
    return w->user != NULL && ki_erasures_has(&s->erasures, w->user, w->began);
}

static kith_err keep_in_cache(ki_service *s, const ki_wish *w, const char *key, const ki_text *t)
{
    ki_erasures_enter(&s->erasures);
    const kith_err err = is_gone(s, w) ? KITH_OK : ki_service_cache_put(s, key, t->at, t->n);
    ki_erasures_leave(&s->erasures);
    return err;
}

static kith_err make(ki_service *s, const ki_wish *w, const char *key, struct shown *out)
{
    kith_list *list = NULL;
    ki_answer answer = { 0 };
    ki_text packed = { 0 };
    const double began = now_us();
    kith_err err = ki_live_recommend(s->live, &w->q, &list, &answer);
    if (err != KITH_OK) return err;
    if (w->user != NULL) ki_service_ask_shadow(s, w, list, now_us() - began);
    json_t *unused = NULL;
    if ((err = name_unused(s, w, &unused)) == KITH_OK &&
        (err = pack(list, &answer, unused, &packed)) == KITH_OK && key[0] != '\0' &&
        is_lasting(list))
        err = keep_in_cache(s, w, key, &packed);
    json_decref(unused);
    kith_list_free(list);
    if (err == KITH_OK) return unpack(packed.at, packed.n, out);
    ki_text_clear(&packed);
    return err;
}

static kith_err find_or_make(ki_service *s, const ki_wish *w, const ki_text *asked,
                             struct shown *out)
{
    char key[KI_LIST_KEY_ROOM] = "", *kept = NULL;
    size_t n = 0;
    atomic_fetch_add(&s->n_asked, 1);
    if (ki_service_cache_key(s, w, asked, key)) {
        const kith_err err = ki_service_cache_get(s, key, &kept, &n);
        if (err != KITH_OK) return err;
    } else {
        key[0] = '\0';
    }
    if (kept != NULL && !is_packed(kept, n)) {
        ki_free(kept);
        kept = NULL;
    }
    if (kept == NULL) return make(s, w, key, out);
    atomic_fetch_add(&s->n_cached, 1);
    return unpack(kept, n, out);
}

/* ---- under a rec_id ---- */

struct question {      /* as it is kept */
    ki_text text, who; /* the whole request; members that say for whom */
};

static kith_err keep(ki_service *s, const ki_wish *w, const struct question *asked,
                     const struct shown *l, char *rec_id)
{
    const int n = (int)json_number_value(json_object_get(w->request, "n"));
    const ki_kept_list list = { .user = w->user,
                                .request = asked->text.at,
                                .who = asked->who.at,
                                .page = n > 0 ? n : 10,
                                .n = l->n,
                                .items = l->ids };
    return ki_lists_kept_add(s->lists, &list, rec_id);
}

/* Members of a reply: for whom, and by which scenario and variant. */
static void write_who(ki_text *t, const ki_wish *w)
{
    const char *scenario = json_string_value(json_object_get(w->request, "scenario"));
    if (w->user != NULL) {
        ki_write_key(t, "user_id");
        ki_write_string(t, w->user);
    }
    if (scenario == NULL && w->variant.scenario[0] != '\0') scenario = w->variant.scenario;
    if (scenario != NULL) {
        ki_write_key(t, "scenario");
        ki_write_string(t, scenario);
    }
    if (w->variant.experiment[0] != '\0') {
        ki_write_key(t, "experiment");
        ki_write_string(t, w->variant.experiment);
        ki_write_key(t, "variant");
        ki_write_string(t, w->variant.variant);
        ki_write_key(t, "share");
        ki_write_number(t, w->variant.share);
    }
}

static kith_err write_question(const ki_wish *w, struct question *out)
{
    ki_write_value(&out->text, w->request);
    write_who(&out->who, w);
    ki_text_say(&out->who, ""); /* a text, also where there is nobody */
    return out->text.err != KITH_OK ? out->text.err : out->who.err;
}

static void clear_question(struct question *q)
{
    ki_text_clear(&q->text);
    ki_text_clear(&q->who);
}

/* The beginning of a reply, and of what the journal has of it; further pages say the same as the first. */
static void begin_reply(ki_text *t, const char *who, const char *rec_id)
{
    ki_text_say(t, "{");
    ki_write_key(t, "rec_id");
    ki_write_string(t, rec_id);
    if (who[0] != '\0') ki_text_say(t, ",");
    ki_text_say(t, who);
}

/* What was shown, to whom, by what: the reply without scores is what a journal needs, and the reply has it all. */
static void journal(ki_service *s, const ki_wish *w, const struct question *asked,
                    const struct shown *l, const char *rec_id)
{
    ki_text t = { 0 };
    if (w->user == NULL || (!w->log && !s->settings.log_lists && w->variant.experiment[0] == '\0'))
        return;
    begin_reply(&t, asked->who.at, rec_id);
    ki_write_key(&t, "shown");
    ki_text_say(&t, "[");
    for (int j = 0; j < l->n; j++) {
        ki_write_next(&t);
        ki_write_string(&t, l->ids[j]);
    }
    ki_text_say(&t, "]");
    ki_text_add(&t, l->text, l->n_text);
    ki_text_say(&t, "}");
    if (t.err == KITH_OK) (void)ki_exposures_add(s->exposures, rec_id, w->user, t.at);
    ki_text_clear(&t);
}

/* Of a user who is there no more nothing is kept, and nothing told. */
static kith_err keep_and_tell(ki_service *s, const ki_wish *w, const struct question *asked,
                              const struct shown *l, char *rec_id)
{
    ki_erasures_enter(&s->erasures);
    kith_err err =
        is_gone(s, w)
            ? ki_fail(KITH_ENOTFOUND, "user \"%.64s\" was deleted while the list was made", w->user)
            : keep(s, w, asked, l, rec_id);
    if (err == KITH_OK) journal(s, w, asked, l, rec_id);
    ki_erasures_leave(&s->erasures);
    return err;
}

static kith_err write_reply(const struct question *asked, const struct shown *l, const char *rec_id,
                            ki_text *reply)
{
    ki_text_reserve(reply, l->n_text + 256);
    begin_reply(reply, asked->who.at, rec_id);
    ki_text_add(reply, l->text, l->n_text);
    ki_text_add(reply, "}", 1);
    return reply->err;
}

kith_err ki_service_recommend(ki_service *s, const json_t *request, ki_text *reply)
{
    ki_wish w;
    struct question asked = { 0 };
    struct shown l = { 0 };
    char rec_id[KI_REC_ID_ROOM];
    kith_err err = ki_wish_read(s, request, &w);
    if (err != KITH_OK) return err;
    if ((err = write_question(&w, &asked)) == KITH_OK &&
        (err = find_or_make(s, &w, &asked.text, &l)) == KITH_OK &&
        (err = keep_and_tell(s, &w, &asked, &l, rec_id)) == KITH_OK)
        err = write_reply(&asked, &l, rec_id, reply);
    clear_question(&asked);
    clear_shown(&l);
    ki_wish_clear(&w);
    return err;
}

kith_err ki_service_why_not(ki_service *s, const json_t *request, const char *item_id, char **json)
{
    ki_wish w;
    kith_err err = ki_wish_read(s, request, &w);
    if (err != KITH_OK) return err;
    err = ki_live_why_not(s->live, &w.q, item_id, json);
    ki_wish_clear(&w);
    return err;
}

/* ---- why ---- */

/* Where the item cannot be listed for this user the list is empty, and why is its note. */
static kith_err note_why(ki_service *s, const ki_wish *w, const char *item, json_t **verdict)
{
    char *text = NULL;
    const kith_err err = ki_live_why_not(s->live, &w->q, item, &text);
    if (err == KITH_OK) *verdict = json_loads(text, 0, NULL);
    kith_string_free(text);
    return err;
}

static kith_err explain(ki_service *s, const ki_wish *w, const char *item, ki_text *reply)
{
    kith_list *list = NULL;
    ki_answer answer;
    json_t *verdict = NULL;
    kith_err err = ki_live_recommend(s->live, &w->q, &list, &answer);
    if (err == KITH_OK && list->n == 0) err = note_why(s, w, item, &verdict);
    if (err == KITH_OK) {
        list->report = ""; /* of a filter that nobody asked for */
        if (verdict != NULL) list->note = json_string_value(json_object_get(verdict, "sentence"));
        ki_text_say(reply, "{");
        ki_write_key(reply, "user_id");
        ki_write_string(reply, w->user);
        write_answer(reply, list, &answer);
        ki_text_say(reply, "}");
        err = reply->err;
    }
    kith_list_free(list);
    json_decref(verdict);
    return err;
}

/* The list of one that may only hold this item, as it would be without scenario and experiment; it is shown to nobody, and
 * neither kept nor written into the journal. */
kith_err ki_service_explain(ki_service *s, const char *user_id, const char *item_id, int n_reasons,
                            const char *language, ki_text *reply)
{
    ki_wish w;
    int32_t i;
    kith_err err = ki_live_find_item(s->live, item_id, &i);
    if (err != KITH_OK) return err;
    json_t *request = json_pack("{s:s, s:s, s:s, s:{s:s}, s:i, s:b, s:i, s:s}", "user_id", user_id,
                                "scenario", "", "filter", "item = $kith_item", "context",
                                "kith_item", item_id, "n", 1, "include_seen", 1, "reasons",
                                n_reasons, "language", language == NULL ? "en" : language);
    err = request == NULL ? ki_fail_memory(128) : ki_wish_read(s, request, &w);
    json_decref(request);
    if (err != KITH_OK) return err;
    err = explain(s, &w, item_id, reply);
    ki_wish_clear(&w);
    return err;
}

/* ---- pages ---- */

/* The rest of the list.  Of two that do this at once the first decides, so that both go on with the same. */
static kith_err freeze(ki_service *s, const char *rec_id, ki_kept_list **list)
{
    const ki_kept_list *old = *list;
    ki_kept_list made = *old;
    const char **items = NULL;
    kith_list *more = NULL;
    ki_answer answer;
    ki_wish w = { 0 };
    json_t *request = json_loads(old->request, 0, NULL), *exclude = json_array();
    if (request == NULL || exclude == NULL) {
        json_decref(request);
        json_decref(exclude);
        return ki_fail_memory(256);
    }
    json_array_extend(exclude, json_object_get(request, "exclude"));
    for (int j = 0; j < old->n; j++) json_array_append_new(exclude, json_string(old->items[j]));
    json_object_set_new(request, "exclude", exclude);
    json_object_set_new(request, "n", json_integer(KI_MIN(MOST_PAGED, old->page * PAGES_AHEAD)));
    json_object_del(request, "reasons");
    kith_err err = ki_wish_read_again(s, request, &w);
    if (err == KITH_OK) err = ki_live_recommend(s->live, &w.q, &more, &answer);
    if (err == KITH_OK) err = ki_alloc(&items, (size_t)(old->n + more->n), sizeof *items);
    if (err == KITH_OK) {
        memcpy(items, old->items, (size_t)old->n * sizeof *items);
        for (int j = 0; j < more->n; j++) items[old->n + j] = more->items[j].item_id;
        made.items = items;
        made.n = old->n + more->n;
        err = ki_lists_kept_freeze(s->lists, rec_id, &made);
    }
    ki_free(items);
    kith_list_free(more);
    ki_wish_clear(&w);
    json_decref(request);
    if (err != KITH_OK) return err;
    ki_free(*list);
    *list = NULL;
    return ki_lists_kept_get(s->lists, rec_id, list);
}

/* The question for just these items: whoever may no longer be served (hidden, seen by now) is not in the answer. */
static json_t *question_for(const ki_kept_list *l, int from, int to)
{
    json_t *request = json_loads(l->request, 0, NULL), *ids = json_array();
    const char *filter = json_string_value(json_object_get(request, "filter"));
    for (int j = from; j < to; j++) json_array_append_new(ids, json_string(l->items[j]));
    json_t *context = json_copy(json_object_get(request, "context"));
    if (context == NULL) context = json_object();
    json_object_set_new(context, "kith_page", ids);
    json_t *both = filter != NULL && filter[0] != '\0'
                       ? json_sprintf("(%s) and item in $kith_page", filter)
                       : json_string("item in $kith_page");
    json_object_set_new(request, "filter", both);
    json_object_set_new(request, "context", context);
    json_object_set_new(request, "n", json_integer(KI_MAX(1, to - from)));
    json_object_del(request, "pipeline");
    return request;
}

static const kith_item *find_item(const kith_list *list, const char *id)
{
    for (int j = 0; j < list->n; j++)
        if (strcmp(list->items[j].item_id, id) == 0) return &list->items[j];
    return NULL;
}

static kith_err write_page(ki_service *s, const ki_kept_list *l, int page, const char *rec_id,
                           ki_text *reply)
{
    const int from = KI_MIN(l->n, (page - 1) * l->page), to = KI_MIN(l->n, page * l->page);
    json_t *request = question_for(l, from, to);
    kith_list *list = NULL;
    ki_answer answer;
    ki_wish w = { 0 };
    kith_err err = request == NULL ? ki_fail_memory(256) : ki_wish_read_again(s, request, &w);
    if (err == KITH_OK) err = ki_live_recommend(s->live, &w.q, &list, &answer);
    if (err == KITH_OK) {
        begin_reply(reply, l->who, rec_id);
        ki_write_key(reply, "page");
        ki_write_whole(reply, page);
        ki_write_key(reply, "more");
        ki_text_say(reply, to < l->n || !l->frozen ? "true" : "false");
        ki_write_key(reply, "items");
        ki_text_say(reply, "[");
        for (int j = from; j < to; j++) {
            const kith_item *item = find_item(list, l->items[j]);
            if (item != NULL) write_item(reply, item);
        }
        ki_text_say(reply, "]}");
        err = reply->err;
    }
    kith_list_free(list);
    ki_wish_clear(&w);
    json_decref(request);
    return err;
}

kith_err ki_service_page(ki_service *s, const char *rec_id, int page, const char *only_user,
                         ki_text *reply)
{
    ki_kept_list *list = NULL;
    kith_err err = ki_lists_kept_get(s->lists, rec_id, &list);
    if (err == KITH_OK && only_user != NULL &&
        (list->user == NULL || strcmp(list->user, only_user) != 0))
        err = ki_fail(KITH_ENOTFOUND, "no list of this user has the rec_id \"%.40s\"", rec_id);
    if (err == KITH_OK && page > 1 && !list->frozen) err = freeze(s, rec_id, &list);
    if (err == KITH_OK) err = write_page(s, list, page, rec_id, reply);
    ki_free(list);
    return err;
}
