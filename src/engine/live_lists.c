/* SPDX-License-Identifier: MIT
 * live_lists.c -- lists that need no model, or no history: charts, search, what is like an item, who is like a user
 */
#include "engine/live_inside.h"

#include "base/mem.h"
#include "engine/listing.h"
#include "model/best.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { USERS = 2048 }; /* histories that are compared between two breaths of the lock */

static int is_in(const int32_t *list, int32_t n, int32_t item)
{
    int32_t low = 0, high = n;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (list[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && list[low] == item;
}

/* ---- charts ---- */

/* The years 1 to 9999, which a store takes, are fewer than 2^39 seconds. */
static const int64_t first_second = -62135596800, last_second = 253402300799;
enum { KEY_BITS = 64, SECOND_BITS = 39 };

/* For the number of an item, and 1 more. */
static int number_bits(const ki_live *l)
{
    return 32 - __builtin_clz((unsigned)l->view.items.n | 1);
}

/* By when it came, then by its number.  Of a catalogue of more than 2^25 items the last bits of the seconds do not
 * count. */
static uint64_t latest_key(const ki_live *l, int32_t i)
{
    const int bits = number_bits(l), lost = KI_MAX(0, bits + SECOND_BITS - KEY_BITS);
    const int64_t created = KI_MAX(first_second, KI_MIN(l->created[i], last_second));
    return (uint64_t)(created - first_second) >> lost << bits | (uint64_t)((uint32_t)i + 1);
}

/* Larger is better; 0: not in this chart. */
static uint64_t chart_key(const ki_live *l, ki_chart which, int64_t now, int32_t i)
{
    if (which == KI_CHART_LATEST) return latest_key(l, i);
    const float score =
        which == KI_CHART_POPULAR ? (float)l->view.reach[i] : (float)ki_live_trend(l, i, now);
    return score > 0 ? ki_best_key(score, i) : 0;
}

static int32_t item_of(const ki_live *l, ki_chart which, uint64_t key)
{
    if (which != KI_CHART_LATEST) return ki_best_index(key);
    return (int32_t)(key & (((uint64_t)1 << number_bits(l)) - 1)) - 1;
}

static float score_of(const ki_live *l, ki_chart which, uint64_t key)
{
    return which == KI_CHART_LATEST ? (float)l->created[item_of(l, which, key)]
                                    : ki_best_score(key);
}

kith_err ki_live_chart_items(const ki_live *l, ki_chart which, int64_t now, const uint8_t *pass,
                             const int32_t *skip, int32_t n_skip, int n, int32_t *items,
                             float *scores, int *n_found)
{
    uint64_t *keys = NULL;
    const kith_err err = ki_alloc(&keys, ki_best_room(n), sizeof *keys);
    if (err != KITH_OK) return err;
    ki_best best = ki_best_into(keys, n);
    best.floor = 1;
    for (int32_t i = 0; i < l->view.items.n; i++) {
        if (l->barred[i] || (pass != NULL && !pass[i])) continue;
        const uint64_t key = chart_key(l, which, now, i);
        if (key >= best.floor && !is_in(skip, n_skip, i)) ki_best_push(&best, key);
    }
    ki_best_finish(&best);
    ki_best_sort(keys, best.n);
    for (int j = 0; j < best.n; j++) {
        items[j] = item_of(l, which, keys[j]);
        scores[j] = score_of(l, which, keys[j]);
    }
    *n_found = best.n;
    ki_free(keys);
    return KITH_OK;
}

/* ---- from items to a list ---- */

static kith_err make_list(const ki_live *l, ki_basis basis, const char *note, int n,
                          const int32_t *items, const float *scores, kith_list **out)
{
    const ki_listing listing = { .m = &l->view,
                                 .basis = basis,
                                 .note = note,
                                 .report = "",
                                 .n = n,
                                 .items = items,
                                 .scores = scores };
    return ki_listing_make(&listing, out);
}

/* n, who asks with what is left out, and the filter: what all lists take from a query. */
struct wanted {
    ki_asked a;
    ki_live_passed passed;
    int32_t *items; /* [n] room for what is found */
    float *scores;
};

static void wanted_clear(ki_live *l, struct wanted *w)
{
    ki_live_pass_done(l, &w->passed);
    ki_asked_clear(&w->a);
    ki_free(w->items);
    ki_free(w->scores);
}

static kith_err wanted_make(ki_live *l, const ki_live_query *q, int by_user, struct wanted *w)
{
    kith_query plain = { .n = q->query.n,
                         .exclude = q->query.exclude,
                         .n_exclude = q->query.n_exclude,
                         .include_seen = q->query.include_seen };
    ki_known known;
    int folded;
    kith_err err;
    *w = (struct wanted){ .items = NULL };
    if (by_user) plain.user = q->query.user;
    const int32_t u =
        plain.user == NULL ? -1 : ki_idmap_find(&l->view.users, plain.user, strlen(plain.user));
    if (u >= 0) ki_live_known(l, u, &known, &folded);
    if ((err = ki_asked_make(&l->view, &plain, u >= 0 ? &known : NULL, &w->a)) != KITH_OK)
        return err;
    if ((err = ki_live_pass(l, q, &w->passed)) == KITH_OK &&
        (err = ki_alloc(&w->items, (size_t)w->a.n, sizeof *w->items)) == KITH_OK)
        err = ki_alloc(&w->scores, (size_t)w->a.n, sizeof *w->scores);
    if (err != KITH_OK) wanted_clear(l, w);
    return err;
}

static int may_stand(const ki_live *l, const struct wanted *w, int32_t i)
{
    return !l->barred[i] && (w->passed.pass == NULL || w->passed.pass[i]) &&
           !is_in(w->a.query.skip, w->a.query.n_skip, i);
}

static ki_basis basis_of(ki_chart which)
{
    if (which == KI_CHART_TRENDING) return KI_BASIS_TRENDING;
    return which == KI_CHART_LATEST ? KI_BASIS_LATEST : KI_BASIS_POPULAR;
}

kith_err ki_live_chart(ki_live *l, ki_chart which, const ki_live_query *q, kith_list **out)
{
    const int64_t now = q->now != 0 ? q->now : (int64_t)time(NULL);
    struct wanted w;
    int n = 0;
    ki_live_read(l);
    kith_err err = wanted_make(l, q, 1, &w);
    if (err == KITH_OK) {
        err = ki_live_chart_items(l, which, now, w.passed.pass, w.a.query.skip, w.a.query.n_skip,
                                  w.a.n, w.items, w.scores, &n);
        if (err == KITH_OK) err = make_list(l, basis_of(which), "", n, w.items, w.scores, out);
        wanted_clear(l, &w);
    }
    ki_live_release(l);
    return err;
}

/* ---- search ---- */

static kith_err search(ki_live *l, const char *text, struct wanted *w, kith_list **out)
{
    kith_found *found = NULL;
    int n = 0, n_found = 0, n_all = 0;
    kith_err err = ki_alloc(&found, (size_t)l->view.items.n, sizeof *found);
    if (err != KITH_OK) return err;
    err = kith_model_search(&l->view, text, l->view.items.n, found, &n_found, &n_all);
    for (int j = 0; err == KITH_OK && j < n_found && n < w->a.n; j++) {
        if (!may_stand(l, w, found[j].item)) continue;
        w->items[n] = found[j].item;
        w->scores[n++] = (float)(KITH_MATCH_NEAR + 1 - found[j].match);
    }
    ki_free(found);
    return err != KITH_OK ? err : make_list(l, KI_BASIS_TEXT, "", n, w->items, w->scores, out);
}

kith_err ki_live_search(ki_live *l, const char *text, const ki_live_query *q, kith_list **out)
{
    struct wanted w;
    ki_live_read(l);
    kith_err err = wanted_make(l, q, 0, &w);
    if (err == KITH_OK) {
        err = search(l, text, &w, out);
        wanted_clear(l, &w);
    }
    ki_live_release(l);
    return err;
}

/* ---- like an item ---- */

static kith_err score_similar(ki_live *l, int32_t item, float **out)
{
    const ki_model *core = &l->view.core;
    const ki_form *form = core->desc->form;
    int64_t query, scratch_floats;
    float *scratch = NULL;
    kith_err err;
    if (form->similar == NULL)
        return ki_fail(KITH_EDATA,
                       "%s has no notion of similar items; train item-knn, ials or another model",
                       core->desc->name);
    form->sizes(core, &query, &scratch_floats);
    if ((err = ki_alloc(&scratch, (size_t)scratch_floats, sizeof *scratch)) != KITH_OK) return err;
    if ((err = ki_alloc(out, (size_t)core->n_items, sizeof **out)) == KITH_OK) {
        form->similar(core, item, *out, scratch);
        (*out)[item] = -INFINITY;
        for (int32_t j = 0; j < core->n_cold; j++) (*out)[core->cold[j]] = -INFINITY;
    }
    ki_free(scratch);
    return err;
}

static kith_err take_similar(ki_live *l, int32_t item, struct wanted *w, int *n)
{
    float *score = NULL;
    uint64_t *keys = NULL;
    kith_err err = score_similar(l, item, &score);
    if (err == KITH_OK) err = ki_alloc(&keys, ki_best_room(w->a.n), sizeof *keys);
    if (err == KITH_OK) {
        ki_best best = ki_best_into(keys, w->a.n);
        for (int32_t i = 0; i < l->view.core.n_items; i++) {
            const uint64_t key = ki_best_key(score[i], i);
            if (score[i] > -INFINITY && key >= best.floor && may_stand(l, w, i))
                ki_best_push(&best, key);
        }
        ki_best_finish(&best);
        ki_best_sort(keys, best.n);
        for (int j = 0; j < best.n; j++) {
            w->items[j] = ki_best_index(keys[j]);
            w->scores[j] = ki_best_score(keys[j]);
        }
        *n = best.n;
    }
    ki_free(score);
    ki_free(keys);
    return err;
}

static kith_err similar(ki_live *l, const char *item_id, struct wanted *w, kith_list **out)
{
    const char *note = "";
    int32_t item;
    int n = 0;
    kith_err err = ki_asked_id(&l->view.items, "item", item_id, &item);
    if (err != KITH_OK) return err;
    if (l->model == NULL)
        note = "no model is in force yet, which would know what is alike";
    else if (!l->ranked[item])
        note = "the model in force does not know this item; the next training will";
    else if ((err = take_similar(l, item, w, &n)) != KITH_OK)
        return err;
    return make_list(l, KI_BASIS_ITEM, note, n, w->items, w->scores, out);
}

kith_err ki_live_similar(ki_live *l, const char *item_id, const ki_live_query *q, kith_list **out)
{
    struct wanted w;
    ki_live_read(l);
    kith_err err = wanted_make(l, q, 0, &w);
    if (err == KITH_OK) {
        err = similar(l, item_id, &w, out);
        wanted_clear(l, &w);
    }
    ki_live_release(l);
    return err;
}

/* ---- like a user: cosine of the two sets of items, over the histories of now ---- */

struct comparing {
    ki_live *l;
    int32_t u, n_items, n_users, n; /* n: items of u */
    uint8_t *has;                   /* [n_items] */
    ki_best best;
};

static void compare(struct comparing *c, int32_t begin, int32_t end)
{
    for (int32_t v = begin; v < end; v++) {
        const ki_history *row = &c->l->histories.rows[v];
        int64_t common = 0;
        for (int32_t j = 0; j < row->n && row->items[j] < c->n_items; j++)
            common += c->has[row->items[j]];
        if (common == 0 || v == c->u) continue;
        const double cosine = (double)common / sqrt((double)c->n * row->n);
        ki_best_push(&c->best, ki_best_key((float)cosine, v));
    }
}

static kith_err begin_comparing(struct comparing *c, const char *user_id)
{
    const kith_model *v = &c->l->view;
    kith_err err = ki_asked_id(&v->users, "user", user_id, &c->u);
    if (err != KITH_OK) return err;
    const ki_history *row = &c->l->histories.rows[c->u];
    c->n_items = v->items.n;
    c->n_users = v->users.n;
    c->n = row->n;
    if ((err = ki_alloc(&c->has, (size_t)c->n_items, 1)) != KITH_OK) return err;
    for (int32_t j = 0; j < row->n; j++) c->has[row->items[j]] = 1;
    return KITH_OK;
}

/* Users have no titles: the listing is of a model whose items they are. */
static kith_err list_users(const ki_live *l, const ki_best *best, kith_list **out)
{
    kith_model people = { .items = l->view.users, .core.desc = l->view.core.desc };
    int32_t *users = NULL;
    float *scores = NULL;
    int n = 0;
    kith_err err;
    if ((err = ki_alloc(&users, (size_t)best->n, sizeof *users)) != KITH_OK) goto done;
    if ((err = ki_alloc(&scores, (size_t)best->n, sizeof *scores)) != KITH_OK) goto done;
    for (int j = 0; j < best->n; j++) {
        const int32_t v = ki_best_index(best->key[j]);
        if (ki_idmap_is_blank(&l->view.users, v)) continue; /* dropped since it was compared */
        users[n] = v;
        scores[n++] = ki_best_score(best->key[j]);
    }
    const ki_listing listing = { .m = &people,
                                 .basis = KI_BASIS_USER,
                                 .note = "",
                                 .report = "",
                                 .n = n,
                                 .items = users,
                                 .scores = scores };
    err = ki_listing_make(&listing, out);
done:
    ki_free(users);
    ki_free(scores);
    return err;
}

kith_err ki_live_similar_users(ki_live *l, const char *user_id, int n, kith_list **out)
{
    struct comparing c = { .l = l };
    uint64_t *keys = NULL;
    int32_t at = 0;
    if (n < 0) return ki_fail(KITH_EINVAL, "n is %d, want 0 or more", n);
    if (n == 0) n = 10;
    kith_err err = ki_alloc(&keys, ki_best_room(n), sizeof *keys);
    if (err != KITH_OK) return err;
    c.best = ki_best_into(keys, n);
    ki_live_read(l);
    err = begin_comparing(&c, user_id);
    while (err == KITH_OK && at < c.n_users) {
        const int32_t end = KI_MIN(at + USERS, c.n_users);
        compare(&c, at, end);
        at = end;
        ki_live_release(l);
        ki_live_read(l);
    }
    if (err == KITH_OK) {
        ki_best_finish(&c.best);
        ki_best_sort(keys, c.best.n);
        err = list_users(l, &c.best, out);
    }
    ki_live_release(l);
    ki_free(c.has);
    ki_free(keys);
    return err;
}

/* ---- a history ---- */

struct event {
    int64_t time;
    int32_t item;
    float value;
};

static int newest_first(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->time != y->time) return x->time > y->time ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static json_t *event_json(const kith_model *v, const struct event *e)
{
    return json_pack("{s:s, s:s*, s:f, s:I}", "item_id", ki_idmap_name(&v->items, e->item), "title",
                     ki_item_title(&v->item_attrs, e->item), "value", (double)e->value, "time",
                     (json_int_t)e->time);
}

static kith_err history(const ki_live *l, const char *user_id, int limit, json_t **out)
{
    struct event *events = NULL;
    int32_t u;
    kith_err err = ki_asked_id(&l->view.users, "user", user_id, &u);
    if (err != KITH_OK) return err;
    const ki_history *row = &l->histories.rows[u];
    if ((err = ki_alloc(&events, (size_t)row->n, sizeof *events)) != KITH_OK) return err;
    for (int32_t j = 0; j < row->n; j++)
        events[j] = (struct event){ row->times[j], row->items[j], row->values[j] };
    qsort(events, (size_t)row->n, sizeof *events, newest_first);
    json_t *list = json_array();
    int failed = list == NULL;
    for (int32_t j = 0; j < row->n && (limit <= 0 || j < limit) && !failed; j++)
        failed = json_array_append_new(list, event_json(&l->view, &events[j])) != 0;
    ki_free(events);
    if (failed) return json_decref(list), ki_fail_memory(0);
    *out = list;
    return KITH_OK;
}

kith_err ki_live_history(ki_live *l, const char *user_id, int limit, json_t **out)
{
    ki_live_read(l);
    const kith_err err = history(l, user_id, limit, out);
    ki_live_release(l);
    return err;
}
