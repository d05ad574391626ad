/* SPDX-License-Identifier: MIT
 * signals.c -- the table of signals, reading them, and the mapping to a preference
 */
#include "tool/signals.h"

#include "base/mem.h"
#include "base/scan.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the table ---- */

enum { MOST_NAMES = 7 };

static const struct usual {
    const char *name;
    ki_signal_scale scale;
    double weight, unit;
    const char *names[MOST_NAMES]; /* other names; without case and separators */
} usual[] = {
    { "rating", KI_SCALE_VALUE, 1, 1, { "rating", "ratings", "stars", "score", "overall" } },
    { "liked", KI_SCALE_FLAG, 3, 1, { "liked", "like", "likes", "thumbsup", "favorite" } },
    { "read_time",
      KI_SCALE_LOG,
      1,
      60,
      { "readtime", "watchtime", "dwelltime", "listentime", "duration", "timespent" } },
    { "clicks", KI_SCALE_LOG, 1, 1, { "clicks", "click", "clicked", "clickcount" } },
    { "views", KI_SCALE_LOG, 0.5, 1, { "views", "view", "viewed", "viewcount" } },
    { "plays", KI_SCALE_LOG, 1, 1, { "plays", "play", "played", "playcount", "listens" } },
    { "cart_adds", KI_SCALE_LOG, 2, 1, { "cartadds", "addtocart", "addedtocart", "cart" } },
    { "purchases",
      KI_SCALE_LOG,
      5,
      1,
      { "purchases", "purchase", "purchased", "quantity", "orders", "order", "bought" } },
    { "shares", KI_SCALE_LOG, 2, 1, { "shares", "share", "shared" } },
    { "bookmarks", KI_SCALE_LOG, 2, 1, { "bookmarks", "bookmark", "saved", "saves", "wishlist" } },
    { "comments", KI_SCALE_LOG, 2, 1, { "comments", "comment", "commented" } },
    { "count", KI_SCALE_LOG, 1, 1, { "count", "frequency", "events" } },
    { "weight", KI_SCALE_LINEAR, 1, 1, { "weight", "strength", "confidence" } },
};

static const char *const scale_names[] = { "value", "flag", "log", "linear" };

/* Members that say in a word what happened: "event": "purchase". */
static const char *const event_names[] = { "event", "eventtype", "action", "interactiontype",
                                           "type" };

/* Without case and separators; out[64]. */
static void plain(const char *name, char *out)
{
    size_t n = 0;
    for (; *name != '\0' && n < 63; name++)
        if (strchr("_-. ", *name) == NULL) out[n++] = (char)tolower((unsigned char)*name);
    out[n] = '\0';
}

static int among(const char *const *names, size_t n, const char *word)
{
    for (size_t j = 0; j < n && names[j] != NULL; j++)
        if (strcmp(names[j], word) == 0) return 1;
    return 0;
}

/* The number of the signal that a member of that name is, or -1. */
static int find_signal(const ki_signals *s, const char *name)
{
    char word[64];
    for (int j = 0; j < s->n; j++)
        if (strcmp(s->list[j].name, name) == 0) return j;
    plain(name, word);
    for (size_t j = 0; j < KI_COUNT(usual); j++)
        if (among(usual[j].names, MOST_NAMES, word)) return (int)j;
    return -1;
}

/* ---- configuration ---- */

static void set_number(const json_t *v, double *out, const ki_place *at, ki_findings *f)
{
    if (v == NULL) return;
    const double x = json_number_value(v);
    if (!json_is_number(v) || !(x >= 0) || x > 1e9)
        ki_object_to(f, at, "want a number from 0 to 1e9");
    else
        *out = x;
}

static void set_scale(const json_t *v, ki_signal_scale *out, const ki_place *at, ki_findings *f)
{
    if (v == NULL) return;
    for (int j = 0; j < 4; j++)
        if (json_is_string(v) && strcmp(json_string_value(v), scale_names[j]) == 0) {
            *out = (ki_signal_scale)j;
            return;
        }
    ki_object_to(f, at, "want one of value, flag, log or linear");
}

static void configure_one(ki_signals *s, const char *name, const json_t *v, const ki_place *at,
                          ki_findings *f)
{
    const ki_place weight = { .up = at, .key = "weight" }, scale = { .up = at, .key = "scale" },
                   unit = { .up = at, .key = "unit" };
    int j = find_signal(s, name);
    if (j < 0 && (s->n == KI_MAX_SIGNALS || strlen(name) >= sizeof s->list[0].name)) {
        ki_object_to(f, at, "more signals, or a longer name, than kith keeps");
        return;
    }
    if (j < 0) {
        s->list[j = s->n++] = (ki_signal){ .scale = KI_SCALE_LOG, .weight = 1, .unit = 1 };
        snprintf(s->list[j].name, sizeof s->list[j].name, "%s", name);
    }
    ki_signal *to = &s->list[j];
    if (!json_is_object(v)) {
        set_number(v, &to->weight, at, f);
        return;
    }
    set_number(json_object_get(v, "weight"), &to->weight, &weight, f);
    set_scale(json_object_get(v, "scale"), &to->scale, &scale, f);
    set_number(json_object_get(v, "unit"), &to->unit, &unit, f);
    if (!(to->unit > 0)) ki_object_to(f, &unit, "want more than 0");
}

void ki_signals_begin(ki_signals *s, const json_t *config, const ki_place *at, ki_findings *f)
{
    const char *name;
    json_t *v;
    *s = (ki_signals){ .n = (int)KI_COUNT(usual) };
    for (size_t j = 0; j < KI_COUNT(usual); j++) {
        s->list[j] = (ki_signal){ .scale = usual[j].scale,
                                  .weight = usual[j].weight,
                                  .unit = usual[j].unit };
        snprintf(s->list[j].name, sizeof s->list[j].name, "%s", usual[j].name);
    }
    json_object_foreach ((json_t *)config, name, v) {
        const ki_place here = { .up = at, .key = name };
        configure_one(s, name, v, &here, f);
    }
}

/* ---- reading ---- */

static int truth(const json_t *v, double *out)
{
    static const char *const yes[] = { "true", "yes", "y", "t" }, *const no[] = { "false", "no",
                                                                                  "n", "f" };
    char word[64];
    if (!json_is_string(v)) return 0;
    plain(json_string_value(v), word);
    const int is_yes = among(yes, KI_COUNT(yes), word), is_no = among(no, KI_COUNT(no), word);
    *out = is_yes;
    return is_yes || is_no;
}

/* A number, a boolean, or either as text. */
static int read_cell(const json_t *v, double *out)
{
    if (json_is_boolean(v)) return *out = json_is_true(v), 1;
    if (json_is_number(v)) return *out = json_number_value(v), 1;
    if (truth(v, out)) return 1;
    return json_is_string(v) && ki_scan_number(json_string_value(v), json_string_length(v), out);
}

static kith_err store(ki_signals *s, int j, float x)
{
    ki_signal *to = &s->list[j];
    if (to->x == NULL) {
        const kith_err err = ki_alloc(&to->x, (size_t)s->room, sizeof *to->x);
        if (err != KITH_OK) return err;
        for (int64_t row = 0; row < s->room; row++) to->x[row] = NAN;
    }
    to->n_seen += isnan(to->x[s->n_rows]);
    to->x[s->n_rows] = x;
    return KITH_OK;
}

static kith_err make_room(ki_signals *s)
{
    const int64_t room = s->room == 0 ? 1024 : s->room * 2;
    if (s->n_rows < s->room) return KITH_OK;
    for (int j = 0; j < s->n; j++) {
        float **x = &s->list[j].x;
        if (*x == NULL) continue;
        const kith_err err = ki_grow(x, (size_t)s->room, (size_t)room, sizeof **x);
        if (err != KITH_OK) return err;
        for (int64_t row = s->room; row < room; row++) (*x)[row] = NAN;
    }
    s->room = room;
    return KITH_OK;
}

static kith_err take_signal(ki_signals *s, int j, const json_t *v, const ki_place *at,
                            ki_findings *f)
{
    double x;
    if (json_is_null(v) || s->list[j].weight == 0) return KITH_OK;
    if (!read_cell(v, &x) || !isfinite(x) || fabs(x) > 1e30) {
        ki_object_to(f, at, "got no number below 1e30 and no true or false");
        return KITH_OK;
    }
    if (x < 0 && s->list[j].scale != KI_SCALE_VALUE) {
        ki_object_to(f, at, "got %g, want 0 or more", x);
        return KITH_OK;
    }
    return store(s, j, (float)x);
}

/* "event": "purchase" is one purchase; "dislike" is the opposite of liked. */
static kith_err take_event(ki_signals *s, const json_t *v)
{
    char word[64];
    if (!json_is_string(v)) return KITH_OK;
    plain(json_string_value(v), word);
    if (strcmp(word, "dislike") == 0) return store(s, find_signal(s, "liked"), 0);
    const int j = find_signal(s, json_string_value(v));
    if (j < 0 || s->list[j].scale == KI_SCALE_VALUE || s->list[j].weight == 0) return KITH_OK;
    return store(s, j, 1);
}

static int is_read_elsewhere(const char *name)
{
    static const char *const known[] = { "user_id", "item_id", "timestamp", "_id" };
    return among(known, KI_COUNT(known), name);
}

static void note_unknown(ki_signals *s, const char *name, ki_findings *f)
{
    if (s->unknown == NULL) s->unknown = json_object();
    if (json_object_get(s->unknown, name) != NULL || json_object_size(s->unknown) >= 50) return;
    json_object_set_new(s->unknown, name, json_true());
    ki_warning(f,
               "interaction_data: \"%.60s\" is not a signal known to kith; name it in "
               "model_parameters.signals to use it",
               name);
}

kith_err ki_signals_take(ki_signals *s, const json_t *o, const ki_place *at, ki_findings *f)
{
    const char *name;
    char word[64];
    json_t *v;
    kith_err err = make_room(s);
    json_object_foreach ((json_t *)o, name, v) {
        const ki_place here = { .up = at, .key = name };
        if (err != KITH_OK) return err;
        if (is_read_elsewhere(name)) continue;
        const int j = find_signal(s, name);
        plain(name, word);
        if (j >= 0)
            err = take_signal(s, j, v, &here, f);
        else if (among(event_names, KI_COUNT(event_names), word))
            err = take_event(s, v);
        else
            note_unknown(s, name, f);
    }
    s->n_rows++;
    return err;
}

void ki_signals_drop_last(ki_signals *s)
{
    s->n_rows--;
    for (int j = 0; j < s->n; j++) {
        if (s->list[j].x == NULL) continue;
        s->list[j].n_seen -= !isnan(s->list[j].x[s->n_rows]);
        s->list[j].x[s->n_rows] = NAN;
    }
}

/* ---- one event ---- */

static double strength(const ki_signal *g, double x)
{
    switch (g->scale) {
    case KI_SCALE_VALUE: return 0;
    case KI_SCALE_FLAG: return x > 0 ? g->weight : 0;
    case KI_SCALE_LOG: return g->weight * log2(1 + x / g->unit);
    case KI_SCALE_LINEAR: return g->weight * x / g->unit;
    }
    return 0;
}

int ki_signals_event(const ki_signals *s, const char *kind, double value, ki_signal_event *out)
{
    char word[64];
    plain(kind, word);
    const int is_dislike = strcmp(word, "dislike") == 0,
              j = find_signal(s, is_dislike ? "liked" : kind);
    if (j < 0) return 0;
    const ki_signal *g = &s->list[j];
    const double x = isnan(value) ? 1 : value;
    *out = (ki_signal_event){ .scale = g->scale, .weight = g->weight };
    out->against = g->scale == KI_SCALE_FLAG && (is_dislike || !(x > 0));
    out->strength = out->against ? 0 : strength(g, x);
    return 1;
}

/* ---- combining ---- */

struct cells { /* of one row */
    double rating, liked, strength;
    int n; /* signals present */
};

static struct cells look(const ki_signals *s, int64_t row, int shuffled, const int64_t *order)
{
    struct cells c = { .rating = NAN, .liked = NAN };
    for (int j = 0; j < s->n; j++) {
        const ki_signal *g = &s->list[j];
        if (g->x == NULL) continue;
        const double x = g->x[j == shuffled && order != NULL ? order[row] : row];
        if (isnan(x)) continue;
        c.n++;
        if (g->scale == KI_SCALE_VALUE)
            c.rating = x;
        else if (g->scale == KI_SCALE_FLAG && !(x == 0 && c.liked == 0))
            c.liked = x > 0;
        c.strength += strength(g, x);
    }
    return c;
}

static ki_opinion survey(const ki_signals *s, int shuffled, const int64_t *order)
{
    ki_opinion p = { .low = INFINITY, .high = -INFINITY };
    for (int64_t row = 0; row < s->n_rows; row++) {
        const struct cells c = look(s, row, shuffled, order);
        if (c.liked == 0) p.has_dislikes = 1;
        if (!isnan(c.rating)) {
            p.has_ratings = 1;
            p.low = KI_MIN(p.low, c.rating);
            p.high = KI_MAX(p.high, c.rating);
        } else if (isnan(c.liked)) {
            p.n_strengths++;
            p.strongest = KI_MAX(p.strongest, c.strength);
        }
    }
    if (!p.has_ratings) p.low = p.high = 0;
    return p;
}

/* Ratings that are all alike have no bottom of their own: 0 then. */
static double on_scale(const ki_opinion *p, const struct cells *c)
{
    const double low = p->low < p->high ? p->low : KI_MIN(p->low, 0), middle = (low + p->high) / 2;
    if (!isnan(c->rating)) return c->rating;
    if (!isnan(c->liked)) return c->liked > 0 ? p->high : low;
    if (c->n == 0) return middle;
    return middle + (p->high - middle) * c->strength / p->strongest;
}

static double as_strength(const struct cells *c)
{
    if (c->liked == 0) return 0;
    return c->n == 0 ? 1 : c->strength;
}

ki_opinion ki_signals_combine(const ki_signals *s, int shuffled, const int64_t *order, float *value)
{
    const ki_opinion p = survey(s, shuffled, order);
    for (int64_t row = 0; row < s->n_rows; row++) {
        const struct cells c = look(s, row, shuffled, order);
        const int silent = isnan(c.rating) && isnan(c.liked) && c.n > 0 && !(c.strength > 0);
        value[row] = silent          ? NAN
                     : p.has_ratings ? (float)on_scale(&p, &c)
                                     : (float)as_strength(&c);
    }
    return p;
}

json_t *ki_signals_table(const ki_signals *s)
{
    json_t *o = json_object();
    for (int j = 0; j < s->n; j++) {
        const ki_signal *g = &s->list[j];
        json_object_set_new(o, g->name,
                            json_pack("{s:f, s:s, s:f}", "weight", g->weight, "scale",
                                      scale_names[g->scale], "unit", g->unit));
    }
    return o;
}

json_t *ki_signals_json(const ki_signals *s)
{
    json_t *o = json_object();
    for (int j = 0; j < s->n; j++) {
        const ki_signal *g = &s->list[j];
        if (g->n_seen == 0) continue;
        json_object_set_new(o, g->name,
                            json_pack("{s:s, s:f, s:f, s:I}", "scale", scale_names[g->scale],
                                      "weight", g->weight, "unit", g->unit, "rows",
                                      (json_int_t)g->n_seen));
    }
    return o;
}

void ki_signals_clear(ki_signals *s)
{
    for (int j = 0; j < s->n; j++) ki_free(s->list[j].x);
    json_decref(s->unknown);
    *s = (ki_signals){ 0 };
}
