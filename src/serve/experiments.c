/* SPDX-License-Identifier: MIT
 * experiments.c -- from the journal of lists and the log of events to arms, and from arms to a report
 */
#include "serve/experiments.h"

#include "base/closest.h"
#include "base/mem.h"
#include "data/idmap.h"
#include "eval/sequential.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double DAY_MS = 86400e3, RATIO_ALARM = .01;

struct unit {         /* one user */
    int64_t first_ms; /* when the first list was shown */
    double outcome;
    int8_t variant; /* -1: saw lists of more than one */
};

struct reading {
    const json_t *document;
    const char *name;
    const json_t *kinds; /* of events; borrowed */
    const char *of;      /* "conversion", "count" or "value" */
    int attributed, n;   /* number of variants */
    double window_ms;
    ki_idmap users, lists; /* lists: rec_ids, only where they are needed */
    struct unit *units;    /* [users.n] */
    int32_t room;
    int64_t n_lists[KI_MAX_VARIANTS], crossed;
};

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text == NULL ? "" : text;
}

static double number_of(const json_t *o, const char *name, double init)
{
    const json_t *v = json_object_get(o, name);
    return json_is_number(v) ? json_number_value(v) : init;
}

static const json_t *variant(const json_t *document, int v)
{
    return json_array_get(json_object_get(document, "variants"), (size_t)v);
}

static int find_variant(const json_t *document, const char *name)
{
    for (int v = 0; v < (int)json_array_size(json_object_get(document, "variants")); v++)
        if (strcmp(text_of(variant(document, v), "name"), name) == 0) return v;
    return -1;
}

/* ---- checking ---- */

static kith_err check_variant(ki_service *s, const json_t *document, int v)
{
    const json_t *one = variant(document, v);
    const char *name = text_of(one, "name"), *scenario = text_of(one, "scenario");
    char hint[KI_HINT_SIZE];
    json_t *found = NULL;
    kith_err err = KITH_OK;
    if (find_variant(document, name) != v)
        return ki_fail(KITH_EINVAL, "/variants/%d/name: there is another variant \"%.60s\"", v,
                       name);
    if (!(number_of(one, "share", 0) > 0))
        return ki_fail(KITH_EINVAL, "/variants/%d/share: want a share of the users above 0", v);
    if (scenario[0] != '\0')
        err = ki_store_get(ki_service_store(s), KI_DOCUMENTS, "scenario", scenario, &found);
    json_decref(found);
    if (err != KITH_ENOTFOUND) return err;
    return ki_fail(KITH_EINVAL, "/variants/%d/scenario: there is no scenario \"%.60s\"%s", v,
                   scenario, ki_service_near_scenario(s, scenario, hint));
}

kith_err ki_experiment_check(ki_service *s, const json_t *document)
{
    const int n = (int)json_array_size(json_object_get(document, "variants"));
    if (n < 2 || n > KI_MAX_VARIANTS)
        return ki_fail(KITH_EINVAL, "/variants: got %d, want 2 to %d; the first is the control", n,
                       KI_MAX_VARIANTS);
    for (int v = 0; v < n; v++) {
        const kith_err err = check_variant(s, document, v);
        if (err != KITH_OK) return err;
    }
    return KITH_OK;
}

/* ---- reading ---- */

static kith_err add_unit(struct reading *r, const char *user, int v, int64_t time_ms)
{
    int32_t u;
    const int32_t before = r->users.n;
    kith_err err = ki_idmap_add(&r->users, user, strlen(user), &u);
    if (err != KITH_OK) return err;
    if (r->users.n > r->room) {
        struct unit *grown = NULL;
        const int32_t room = KI_MAX(1024, 2 * r->room);
        if ((err = ki_alloc(&grown, (size_t)room, sizeof *grown)) != KITH_OK) return err;
        if (before > 0) memcpy(grown, r->units, (size_t)before * sizeof *grown);
        ki_free(r->units);
        r->units = grown;
        r->room = room;
    }
    struct unit *unit = &r->units[u];
    if (u == before) *unit = (struct unit){ .first_ms = time_ms, .variant = (int8_t)v };
    if (unit->variant == v || unit->variant < 0) return KITH_OK;
    unit->variant = -1;
    r->crossed++;
    return KITH_OK;
}

/* In a row's JSON it stands as it is: what JSON may write in another way does not. */
static int is_plain(const char *name)
{
    for (; *name != '\0'; name++)
        if ((unsigned char)*name < 0x20 || (unsigned char)*name >= 0x7f || strchr("\"\\/", *name))
            return 0;
    return 1;
}

static kith_err take_exposure(void *udata, const ki_row *row)
{
    struct reading *r = udata;
    int32_t list;
    if (row->user == NULL || row->json == NULL) return KITH_OK;
    if (is_plain(r->name) && strstr(row->json, r->name) == NULL) return KITH_OK; /* saves parsing */
    json_t *o = json_loads(row->json, 0, NULL);
    const int mine = strcmp(text_of(o, "experiment"), r->name) == 0;
    const int v = mine ? find_variant(r->document, text_of(o, "variant")) : -1;
    kith_err err = KITH_OK;
    if (v >= 0) {
        r->n_lists[v]++;
        err = add_unit(r, row->user, v, row->time_ms);
        if (err == KITH_OK && r->attributed && row->id != NULL)
            err = ki_idmap_add(&r->lists, row->id, strlen(row->id), &list);
    }
    json_decref(o);
    return err;
}

static int is_outcome(const struct reading *r, const char *kind)
{
    for (size_t j = 0; j < json_array_size(r->kinds); j++)
        if (strcmp(json_string_value(json_array_get(r->kinds, j)), kind) == 0) return 1;
    return 0;
}

static kith_err take_event(void *udata, const ki_row *row)
{
    struct reading *r = udata;
    if (row->user == NULL || row->kind == NULL || !is_outcome(r, row->kind)) return KITH_OK;
    const int32_t u = ki_idmap_find(&r->users, row->user, strlen(row->user));
    if (u < 0) return KITH_OK;
    if (r->attributed &&
        (row->rec_id == NULL || ki_idmap_find(&r->lists, row->rec_id, strlen(row->rec_id)) < 0))
        return KITH_OK;
    struct unit *unit = &r->units[u];
    const double since = (double)(row->time_ms - unit->first_ms);
    if (since < 0 || since >= r->window_ms) return KITH_OK;
    if (strcmp(r->of, "conversion") == 0)
        unit->outcome = 1;
    else if (strcmp(r->of, "count") == 0)
        unit->outcome += 1;
    else
        unit->outcome += isnan(row->value) ? 1 : row->value;
    return KITH_OK;
}

static kith_err read_all(struct reading *r, ki_store *store)
{
    const int64_t from = (int64_t)number_of(r->document, "started_ms", 0);
    const int64_t stopped = (int64_t)number_of(r->document, "stopped_ms", 0);
    const ki_select exposures = { .kind = "exposure", .from_ms = from, .to_ms = stopped };
    const ki_select events = { .from_ms = from };
    const kith_err err = ki_store_each(store, KI_JOURNALS, &exposures, take_exposure, r);
    return err != KITH_OK ? err : ki_store_each(store, KI_EVENTS, &events, take_event, r);
}

/* ---- telling ---- */

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

/* Design share of variant v among v and the control. */
static double share_beside_control(const json_t *document, int v)
{
    const double mine = number_of(variant(document, v), "share", 0);
    return mine / (mine + number_of(variant(document, 0), "share", 0));
}

static json_t *tell_compared(const ki_compared *c, double confidence)
{
    return json_pack("{s:o, s:[o, o], s:o, s:[o, o], s:o, s:f}", "difference",
                     number(c->difference), "difference_interval", number(c->lo), number(c->hi),
                     "lift", number(c->lift), "lift_interval", number(c->lift_lo),
                     number(c->lift_hi), "p", number(c->p), "confidence", confidence);
}

static const char *verdict(const ki_compared *c)
{
    if (c->lo > 0) return "better";
    if (c->hi < 0) return "worse";
    return "undecided";
}

struct tally {
    ki_arm arms[KI_MAX_VARIANTS]; /* matured users */
    int64_t users[KI_MAX_VARIANTS], maturing[KI_MAX_VARIANTS];
};

static void count(const struct reading *r, int64_t now_ms, struct tally *t)
{
    for (int32_t u = 0; u < r->users.n; u++) {
        const struct unit *unit = &r->units[u];
        if (unit->variant < 0) continue;
        t->users[unit->variant]++;
        if ((double)(now_ms - unit->first_ms) < r->window_ms)
            t->maturing[unit->variant]++;
        else
            ki_arm_add(&t->arms[unit->variant], unit->outcome);
    }
}

static json_t *tell_variant(const struct reading *r, const struct tally *t, int v, double alpha)
{
    const ki_arm *arm = &t->arms[v];
    json_t *o = json_pack("{s:s, s:f, s:I, s:I, s:I, s:I, s:f, s:f}", "name",
                          text_of(variant(r->document, v), "name"), "share",
                          number_of(variant(r->document, v), "share", 0), "lists",
                          (json_int_t)r->n_lists[v], "users", (json_int_t)t->users[v], "matured",
                          (json_int_t)arm->n, "maturing", (json_int_t)t->maturing[v], "outcome",
                          arm->mean, "deviation", sqrt(ki_arm_variance(arm)));
    if (v == 0 || o == NULL) return o;
    const ki_compared c =
        ki_compare(&t->arms[0], arm, share_beside_control(r->document, v), alpha, 0);
    json_object_set_new(o, "against_control", tell_compared(&c, 1 - alpha));
    json_object_set_new(o, "verdict", json_string(verdict(&c)));
    return o;
}

static json_t *tell_ratio(const struct reading *r, const struct tally *t)
{
    double shares[KI_MAX_VARIANTS];
    for (int v = 0; v < r->n; v++) shares[v] = number_of(variant(r->document, v), "share", 0);
    const double p = ki_sample_ratio_p(t->users, shares, r->n);
    return json_pack(
        "{s:f, s:b, s:s}", "p", p, "broken", p < RATIO_ALARM, "note",
        p < RATIO_ALARM
            ? "users are not split as designed: find out why before believing any figure here"
            : "users are split as designed");
}

static json_t *tell(const struct reading *r, int64_t now_ms)
{
    struct tally t = { 0 };
    const double alpha = 1 - number_of(r->document, "confidence", .95);
    json_t *variants = json_array();
    count(r, now_ms, &t);
    for (int v = 0; v < r->n; v++) /* several comparisons share one alpha (Bonferroni) */
        json_array_append_new(variants, tell_variant(r, &t, v, alpha / KI_MAX(1, r->n - 1)));
    return json_pack("{s:s, s:s, s:s, s:f, s:b, s:o, s:o, s:I, s:s}", "experiment", r->name,
                     "state", text_of(r->document, "state"), "outcome", r->of, "window_days",
                     r->window_ms / DAY_MS, "attributed", r->attributed, "variants", variants,
                     "sample_ratio", tell_ratio(r, &t), "crossed", (json_int_t)r->crossed, "note",
                     "intervals and p hold however often this report is looked at; users count "
                     "once their window is over");
}

kith_err ki_experiment_report(ki_store *store, const char *name, const json_t *document,
                              int64_t now_ms, json_t **out)
{
    const json_t *outcome = json_object_get(document, "outcome");
    struct reading r = { .document = document,
                         .name = name,
                         .kinds = json_object_get(outcome, "events"),
                         .of = text_of(outcome, "of"),
                         .attributed = json_is_true(json_object_get(outcome, "attributed")),
                         .n = (int)json_array_size(json_object_get(document, "variants")),
                         .window_ms = number_of(outcome, "window_days", 7) * DAY_MS };
    if (r.of[0] == '\0') r.of = "conversion";
    kith_err err = read_all(&r, store);
    if (err == KITH_OK && (*out = tell(&r, now_ms)) == NULL) err = ki_fail_memory(1024);
    ki_idmap_clear(&r.users);
    ki_idmap_clear(&r.lists);
    ki_free(r.units);
    return err;
}
