/* SPDX-License-Identifier: MIT
 * intake.c -- reading the four parts of recommendation_data
 *
 * Order       interactions, then items, then users, so that dense indexes run by first appearance
 *             and the cold part of a catalogue comes last, as with every other source.
 * Duplicates  of a pair, the last rating or like counts; strengths without either are added up.
 */
#include "tool/intake.h"

#include "base/mem.h"
#include "base/scan.h"
#include "data/contract.h"
#include "data/jsonrow.h"
#include "tool/records.h"
#include "tool/schema.h"
#include "tool/verify.h"

#include <math.h>
#include <string.h>

static const ki_place data_place = { .key = "recommendation_data" };

struct taking {
    ki_intake *in;
    const ki_intake_options *o;
    const ki_cut *cut;
    ki_findings *f;
    const json_t *element; /* schema of one element of the list being read; NULL: not checked */
    ki_place place;        /* of that list */
    int from_file; /* it is one of a file, whose objects may carry the _id of a document store */
    ki_attrs users, items, *attrs;
    ki_role role;
    int64_t n_timed, room;
    int32_t *user, *item; /* [room] */
    int64_t *time;
};

/* ---- files ---- */

/* out[KI_PATH_MAX] = a path of the request, as the process can open it. */
static kith_err find_path(const struct taking *t, const char *path, char *out)
{
    const int whole = path[0] == '/' || t->o->folder == NULL || !ki_source_is_file(path);
    const char *folder = whole ? "" : t->o->folder;
    const size_t length = strlen(folder);
    const char *slash = length > 0 && folder[length - 1] != '/' ? "/" : "";
    const int n = snprintf(out, KI_PATH_MAX, "%s%s%s", folder, slash, path);
    if (n < KI_PATH_MAX) return KITH_OK;
    return ki_fail(KITH_EIO, "a path of %d bytes, want fewer than %d", n, KI_PATH_MAX);
}

/* ---- context ---- */

static kith_err load_document(const struct taking *t, const char *given, json_t **out)
{
    json_error_t error;
    ki_source *s;
    char path[KI_PATH_MAX], *text = NULL;
    size_t n = 0;
    kith_err err = find_path(t, given, path);
    if (err == KITH_OK) err = ki_source_open(path, &s);
    if (err != KITH_OK) return err;
    err = ki_source_rest(s, (size_t)64 << 20, &text, &n);
    ki_source_close(s);
    if (err != KITH_OK) return err;
    *out = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    ki_free(text);
    if (*out != NULL) return KITH_OK;
    return ki_fail(KITH_EFORMAT, "%s:%d:%d: got %.120s, want JSON", path, error.line, error.column,
                   error.text);
}

/* 1 when the time of `v` was read. */
static int read_time(const json_t *v, int64_t *out)
{
    char text[40];
    if (json_is_string(v)) return ki_scan_time(json_string_value(v), json_string_length(v), out);
    if (!json_is_number(v)) return 0;
    snprintf(text, sizeof text, "%.0f", floor(json_number_value(v)));
    return ki_scan_time(text, strlen(text), out);
}

static kith_err take_context(struct taking *t, const json_t *data)
{
    const ki_place at = { .up = &data_place, .key = "context_data" },
                   now = { .up = &at, .key = "now" };
    json_t *context = json_object_get(data, at.key);
    if (json_is_string(context)) {
        if (t->o->no_files) {
            ki_object_to(t->f, &at,
                         "paths and indexes are not accepted here; send the object itself");
            return KITH_OK;
        }
        json_t *loaded = NULL;
        const kith_err err = load_document(t, json_string_value(context), &loaded);
        if (err != KITH_OK) return err;
        const json_t *both = json_object_get(
            json_object_get(
                json_object_get(json_object_get(t->o->schema, "properties"), "recommendation_data"),
                "properties"),
            at.key);
        ki_verify(both, loaded, &at, t->f);
        t->in->context = loaded;
    } else if (json_is_object(context)) {
        t->in->context = json_incref(context);
    }
    const json_t *v = json_object_get(t->in->context, "now");
    t->in->has_now = v != NULL && read_time(v, &t->in->now);
    if (v != NULL && !t->in->has_now)
        ki_object_to(t->f, &now, "got no time, want ISO 8601 or seconds");
    if (!json_is_object(t->in->context)) {
        json_decref(t->in->context);
        t->in->context = json_object();
    }
    return t->in->context == NULL ? ki_fail_memory(64) : KITH_OK;
}

/* ---- interactions ---- */

static kith_err make_room(struct taking *t)
{
    const int64_t old = t->room, room = old == 0 ? 1024 : old * 2;
    kith_err err;
    if (t->in->n_rows < old) return KITH_OK;
    if ((err = ki_grow(&t->user, (size_t)old, (size_t)room, sizeof *t->user)) != KITH_OK)
        return err;
    if ((err = ki_grow(&t->item, (size_t)old, (size_t)room, sizeof *t->item)) != KITH_OK)
        return err;
    if ((err = ki_grow(&t->time, (size_t)old, (size_t)room, sizeof *t->time)) != KITH_OK)
        return err;
    t->room = room;
    return KITH_OK;
}

/* The time of an interaction; INT64_MIN when it has none, or a malformed one, which has been told. */
static void take_time(struct taking *t, const json_t *o, const ki_place *at, int64_t *out)
{
    static const kith_read_options usual = { 0 };
    const char *name = "timestamp";
    const json_t *v = json_object_get(o, name);
    if (v == NULL) v = ki_json_role(o, KI_TIME, &usual, 0, &name);
    *out = INT64_MIN;
    if (v == NULL || json_is_null(v) || read_time(v, out)) return;
    const ki_place here = { .up = at, .key = name };
    ki_object_to(t->f, &here,
                 "got no time, want ISO 8601 such as 2024-01-15T10:30:00Z, or seconds "
                 "since 1970");
}

static kith_err add_id(ki_idmap *ids, const json_t *v, int32_t *out)
{
    char buffer[24];
    const ki_span id = ki_json_id(v, buffer);
    return ki_idmap_add(ids, id.at, id.n, out);
}

/* The ids of the row whose signals were just taken. */
static kith_err take_ids(struct taking *t, const json_t *o, int64_t time)
{
    ki_intake *in = t->in;
    kith_err err = make_room(t);
    if (err == KITH_OK)
        err = add_id(&in->data->users, json_object_get(o, "user_id"), &t->user[in->n_rows]);
    if (err == KITH_OK)
        err = add_id(&in->data->items, json_object_get(o, "item_id"), &t->item[in->n_rows]);
    if (err != KITH_OK) return err;
    t->time[in->n_rows++] = time;
    t->n_timed += time != INT64_MIN;
    return KITH_OK;
}

/* The place of an object of the list: its number, or the name that a document store has for it. */
static ki_place place_of(const struct taking *t, size_t index, const json_t *o)
{
    const char *id = t->from_file ? json_string_value(json_object_get(o, "_id")) : NULL;
    return (ki_place){ .up = &t->place, .key = id, .index = index };
}

/* Told now and then, for a list may be long. */
static kith_err step(const struct taking *t, const char *what, size_t index)
{
    if ((index & 0xfff) != 0) return KITH_OK;
    return ki_job_step(t->o->job, what, (int64_t)index, 0);
}

static kith_err take_interaction(void *arg, size_t index, json_t *o)
{
    struct taking *t = arg;
    ki_intake *in = t->in;
    const ki_place at = place_of(t, index, o);
    const int64_t before = t->f->n_violations;
    int64_t time = INT64_MIN;
    kith_err err = step(t, "read interactions", index);
    in->n_given++;
    ki_verify(t->element, o, &at, t->f);
    if (err != KITH_OK || !json_is_object(o)) return err;
    take_time(t, o, &at, &time);
    if ((err = ki_signals_take(&in->signals, o, &at, t->f)) != KITH_OK) return err;
    const int is_late = t->in->has_now && time > t->in->now;
    in->n_late += is_late;
    if (!is_late && t->f->n_violations == before) return take_ids(t, o, time);
    ki_signals_drop_last(&in->signals);
    return KITH_OK;
}

/* In a file the members may have other names for their roles: userId, movie, date. */
static kith_err take_file_interaction(void *arg, size_t index, json_t *o)
{
    static const struct {
        ki_role role;
        const char *name;
    } roles[] = { { KI_USER, "user_id" }, { KI_ITEM, "item_id" }, { KI_TIME, "timestamp" } };
    static const kith_read_options usual = { 0 };
    for (size_t j = 0; j < KI_COUNT(roles); j++) {
        const char *name = "";
        if (json_object_get(o, roles[j].name) != NULL) continue;
        const json_t *v = ki_json_role(o, roles[j].role, &usual, 0, &name);
        if (v != NULL) json_object_set(o, roles[j].name, (json_t *)v);
        if (v != NULL) json_object_del(o, name);
    }
    return take_interaction(arg, index, o);
}

/* ---- users and items ---- */

/* The user's wishes, which are no attribute: out of `o`, to be checked when the catalogue is known. */
static kith_err take_wishes(struct taking *t, size_t index, json_t *o)
{
    char buffer[24];
    json_t *wishes = json_object_get(o, "wishes");
    const ki_span id = ki_json_id(json_object_get(o, "user_id"), buffer);
    if (t->role != KI_USER || wishes == NULL) return KITH_OK;
    if (t->in->wishes == NULL) t->in->wishes = json_object();
    json_t *list = json_is_array(wishes) ? json_incref(wishes) : json_pack("[O]", wishes);
    json_t *kept = json_pack("{s:I, s:o}", "at", (json_int_t)index, "list", list);
    if (json_object_setn_new(t->in->wishes, id.at, id.n, kept) != 0) return ki_fail_memory(64);
    json_object_del(o, "wishes");
    return KITH_OK;
}

static kith_err take_object(void *arg, size_t index, json_t *o)
{
    struct taking *t = arg;
    const ki_place at = place_of(t, index, o);
    const int64_t before = t->f->n_violations;
    int ok = 0;
    kith_err err = step(t, t->role == KI_USER ? "read users" : "read items", index);
    ki_verify(t->element, o, &at, t->f);
    if (t->f->n_violations > before || err != KITH_OK) return err;
    err = take_wishes(t, index, o);
    if (err == KITH_OK) err = ki_contract_take(t->attrs, o, t->role, &ok);
    if (err == KITH_OK && !ok) ki_object_to(t->f, &at, "has no %s_id", ki_role_words[t->role]);
    return err;
}

/* ---- lists: in the request, or in a file ---- */

static kith_err read_file(struct taking *t, const char *given, ki_element_fn fn)
{
    char path[KI_PATH_MAX];
    ki_source *s = NULL;
    size_t n;
    kith_err err = find_path(t, given, path);
    if (err == KITH_OK) err = ki_source_open(path, &s);
    if (err != KITH_OK) return err;
    const char *head = ki_source_peek(s, &n);
    if (t->attrs != NULL && !ki_json_begins(head, n)) {
        err = ki_attrs_read(t->attrs, s, t->role);
    } else {
        if (t->attrs != NULL) t->element = NULL; /* which member is the id is found by its name */
        t->from_file = 1;
        err = ki_records_each(s, t->attrs == NULL ? take_file_interaction : fn, t, &t->place, t->f);
        t->from_file = 0;
    }
    ki_source_close(s);
    return err;
}

static kith_err read_list(struct taking *t, const json_t *data, ki_list_name which,
                          ki_element_fn fn)
{
    const json_t *v = json_object_get(data, ki_list_names[which]);
    t->place = (ki_place){ .up = &data_place, .key = ki_list_names[which] };
    t->element = ki_schema_element(t->o->schema, ki_list_names[which]);
    if (!json_is_string(v)) return ki_cut_each(t->cut, which, fn, t, t->f);
    if (t->o->no_files) {
        ki_object_to(t->f, &t->place,
                     "paths and indexes are not accepted here; send the list itself");
        return KITH_OK;
    }
    return read_file(t, json_string_value(v), fn);
}

static kith_err read_objects(struct taking *t, const json_t *data, ki_list_name which)
{
    t->attrs = which == KI_USER_DATA ? &t->users : &t->items;
    t->role = which == KI_USER_DATA ? KI_USER : KI_ITEM;
    ki_attrs_begin(t->attrs);
    const kith_err err = read_list(t, data, which, take_object);
    ki_contract_settle(t->attrs);
    t->attrs = NULL;
    return err;
}

/* ---- the dataset ---- */

/* The log of `d` from rows[n] as they came; times only if all have one. */
static kith_err fill_log(kith_data *d, const struct taking *t, const float *value)
{
    ki_log *log = &d->log;
    const int64_t n = t->in->n_rows;
    const int timed = n > 0 && t->n_timed == n;
    kith_err err;
    if ((err = ki_alloc(&log->user, (size_t)n, sizeof *log->user)) != KITH_OK) return err;
    if ((err = ki_alloc(&log->item, (size_t)n, sizeof *log->item)) != KITH_OK) return err;
    if ((err = ki_alloc(&log->value, (size_t)n, sizeof *log->value)) != KITH_OK) return err;
    if (timed && (err = ki_alloc(&log->time, (size_t)n, sizeof *log->time)) != KITH_OK) return err;
    for (int64_t row = 0; row < n; row++) {
        if (isnan(value[row])) continue;
        log->user[log->n] = t->user[row];
        log->item[log->n] = t->item[row];
        if (timed) log->time[log->n] = t->time[row];
        log->value[log->n++] = value[row];
    }
    return KITH_OK;
}

static kith_err merge(kith_data *d, const ki_opinion *p, ki_pool *pool)
{
    return ki_data_finish(
        d, p->has_ratings || p->has_dislikes ? KITH_DUPLICATES_LAST : KITH_DUPLICATES_SUM, pool);
}

static kith_err finish(struct taking *t)
{
    ki_intake *in = t->in;
    kith_data *d = in->data;
    float *value = NULL;
    kith_err err = ki_alloc(&value, (size_t)in->n_rows, sizeof *value);
    if (err != KITH_OK) return err;
    in->preference = ki_signals_combine(&in->signals, -1, NULL, value);
    for (int64_t row = 0; row < in->n_rows; row++) in->n_silent += isnan(value[row]);
    in->n_untimed = t->n_timed > 0 ? in->n_rows - t->n_timed : 0;
    d->strengths = !in->preference.has_ratings;
    if ((err = fill_log(d, t, value)) == KITH_OK) err = ki_attrs_finish(&t->items, &d->item_attrs);
    if (err == KITH_OK) err = ki_attrs_finish(&t->users, &d->user_attrs);
    if (err == KITH_OK) err = merge(d, &in->preference, t->o->job->pool);
    if (err == KITH_OK && in->n_rows <= KI_KEEP_ROWS) {
        in->user = t->user;
        in->item = t->item;
        in->value = value;
        in->time = d->log.time != NULL ? t->time : NULL;
        if (in->time != NULL) t->time = NULL;
        t->user = t->item = NULL;
        return KITH_OK;
    }
    ki_free(value);
    return err;
}

static void warn(const ki_intake *in, ki_findings *f)
{
    if (in->n_untimed > 0)
        ki_warning(f, "%lld of %lld interactions have no timestamp, so that no times are used",
                   (long long)in->n_untimed, (long long)in->n_rows);
    if (in->n_silent > 0)
        ki_warning(f,
                   "%lld interactions say nothing, as all their signals are 0; they are left out",
                   (long long)in->n_silent);
    if (in->n_late > 0)
        ki_warning(f, "%lld interactions are later than context_data.now; they are left out",
                   (long long)in->n_late);
}

static kith_err read_all(struct taking *t)
{
    const json_t *data = json_object_get(t->cut->shell, data_place.key),
                 *config = json_object_get(t->cut->shell, "recommendation_configuration");
    const ki_place top = { .key = "recommendation_configuration" },
                   params = { .up = &top, .key = "model_parameters" },
                   signals = { .up = &params, .key = "signals" };
    ki_intake *in = t->in;
    kith_err err;
    if ((err = ki_alloc(&in->data, 1, sizeof *in->data)) != KITH_OK) return err;
    if ((err = ki_strdup(&in->data->source, "request")) != KITH_OK) return err;
    t->users.ids = &in->data->users;
    t->items.ids = &in->data->items;
    if ((err = take_context(t, data)) != KITH_OK) return err;
    ki_signals_begin(&in->signals,
                     json_object_get(json_object_get(config, params.key), signals.key), &signals,
                     t->f);
    if ((err = read_list(t, data, KI_INTERACTION_DATA, take_interaction)) != KITH_OK) return err;
    if ((err = read_objects(t, data, KI_ITEM_DATA)) != KITH_OK) return err;
    if ((err = read_objects(t, data, KI_USER_DATA)) != KITH_OK) return err;
    if (t->f->n_violations > 0) return KITH_OK;
    if ((err = finish(t)) != KITH_OK) return err;
    warn(in, t->f);
    return KITH_OK;
}

kith_err ki_intake_read(ki_intake *out, const ki_cut *c, const ki_intake_options *o, ki_findings *f)
{
    struct taking t = { .in = out, .o = o, .cut = c, .f = f };
    *out = (ki_intake){ 0 };
    const kith_err err = read_all(&t);
    ki_attrs_clear(&t.users);
    ki_attrs_clear(&t.items);
    ki_free(t.user);
    ki_free(t.item);
    ki_free(t.time);
    if (err != KITH_OK) ki_intake_clear(out);
    return err;
}

kith_err ki_intake_shuffled(const ki_intake *in, int j, const int64_t *order, kith_data **out)
{
    const struct taking t = { .in = (ki_intake *)in,
                              .user = in->user,
                              .item = in->item,
                              .time = in->time,
                              .n_timed = in->time != NULL ? in->n_rows : 0 };
    kith_data *d = NULL;
    float *value = NULL;
    kith_err err = ki_alloc(&d, 1, sizeof *d);
    if (err == KITH_OK) err = ki_alloc(&value, (size_t)in->n_rows, sizeof *value);
    if (err != KITH_OK) goto done;
    ki_signals_combine(&in->signals, j, order, value);
    for (int64_t row = 0; row < in->n_rows; row++)
        if (isnan(in->value[row]) || isnan(value[row]))
            value[row] = isnan(in->value[row]) ? NAN : 0;
    if ((err = ki_strdup(&d->source, in->data->source)) != KITH_OK) goto done;
    if ((err = ki_idmap_copy(&d->users, &in->data->users)) != KITH_OK) goto done;
    if ((err = ki_idmap_copy(&d->items, &in->data->items)) != KITH_OK) goto done;
    if ((err = fill_log(d, &t, value)) == KITH_OK) err = merge(d, &in->preference, NULL);
done:
    ki_free(value);
    if (err != KITH_OK)
        kith_data_free(d);
    else
        *out = d;
    return err;
}

void ki_intake_clear(ki_intake *in)
{
    kith_data_free(in->data);
    json_decref(in->context);
    json_decref(in->wishes);
    ki_signals_clear(&in->signals);
    ki_free(in->user);
    ki_free(in->item);
    ki_free(in->time);
    ki_free(in->value);
    *in = (ki_intake){ 0 };
}
