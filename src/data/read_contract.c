/* SPDX-License-Identifier: MIT
 * read_contract.c -- one JSON document with user_data, item_data and interaction_data
 *
 * Document    {"user_data": [...], "item_data": [...], "interaction_data": [...]}, perhaps within a member
 *             "recommendation_data", or only the array of interactions.  All else in it is ignored.
 * Attributes  Every member of a user or item but its id.  A list of words is a set, a list of numbers that is equally
 *             long everywhere a vector, an object within is spread out with dots ("price.amount"), null is missing.
 *             What no column can hold (objects in lists, names beyond 255 bytes, nesting beyond 8) is counted.
 */
#include "base/lines.h"
#include "base/mem.h"
#include "base/scan.h"
#include "data/contract.h"
#include "data/jsonrow.h"
#include "data/read.h"

#include <stdio.h>
#include <string.h>

static const size_t most_bytes = (size_t)1
                                 << 30; /* read whole; jansson takes about ten times as much */

enum { DEEPEST = 8, NAME_SIZE = 256 };

/* ---- interactions ---- */

static kith_err bad_row(ki_reading *r, ki_source *s, size_t j, const char *why)
{
    ki_read_report *report = &r->data->report;
    if (report->n_skipped++ == 0)
        snprintf(report->first_skipped, sizeof report->first_skipped,
                 "interaction_data[%zu]: %.180s", j, why);
    ki_utf8_mend(report->first_skipped);
    if (report->n_skipped <= r->limits.skip_bad) return KITH_OK;
    return ki_fail(KITH_EFORMAT, "%s: %s", ki_source_name(s), report->first_skipped);
}

static kith_err take_rows(ki_reading *r, ki_source *s, const json_t *list)
{
    const size_t n = json_array_size(list);
    ki_log *log = &r->draft.log;
    ki_json_row found;
    int64_t at;
    kith_err err = ki_log_draft_add(&r->draft, (int64_t)n, 1, r->test, &at);
    if (err != KITH_OK) return err;
    for (size_t j = 0; j < n; j++) {
        if (!ki_json_interaction(json_array_get(list, j), r->options, &found)) {
            if ((err = bad_row(r, s, j, found.why)) != KITH_OK) return err;
            continue;
        }
        const ki_found_row *row = &found.row;
        if ((err = ki_idmap_add(&r->data->users, row->user.at, row->user.n, &log->user[at])) !=
            KITH_OK)
            return err;
        if ((err = ki_idmap_add(&r->data->items, row->item.at, row->item.n, &log->item[at])) !=
            KITH_OK)
            return err;
        log->value[at] = row->value;
        log->time[at++] = row->has_time ? row->time : 0;
        r->draft.n_timed += row->has_time;
    }
    log->n = at; /* without those that were skipped */
    return KITH_OK;
}

/* ---- attributes ---- */

/* What the list of one member holds over all objects: it decides between a set and a vector. */
static int all_numbers(const json_t *list)
{
    for (size_t j = 0; j < json_array_size(list); j++)
        if (!json_is_number(json_array_get(list, j))) return 0;
    return json_array_size(list) > 1;
}

static size_t print_scalar(const json_t *v, char *out, size_t size)
{
    int n = 0;
    if (json_is_string(v)) n = snprintf(out, size, "%s", json_string_value(v));
    if (json_is_integer(v)) n = snprintf(out, size, "%lld", (long long)json_integer_value(v));
    if (json_is_real(v)) n = snprintf(out, size, "%.17g", json_real_value(v));
    if (json_is_boolean(v)) n = snprintf(out, size, "%s", json_is_true(v) ? "true" : "false");
    return (size_t)n;
}

/* A scalar, or the scalars of a list with breaks between; NULL when there is nothing to say. */
static kith_err print_cell(ki_attrs *a, const json_t *v, char **out)
{
    const size_t n = json_is_array(v) ? json_array_size(v) : 1;
    size_t bytes = 0, at = 0;
    *out = NULL;
    for (size_t j = 0; j < n; j++)
        bytes += print_scalar(json_is_array(v) ? json_array_get(v, j) : v, NULL, 0) + 1;
    if (bytes == n) return KITH_OK; /* nothing in it */
    const kith_err err = ki_attrs_text(a, bytes, out);
    if (err != KITH_OK) return err;
    for (size_t j = 0; j < n; j++) {
        if (j > 0) (*out)[at++] = KI_SET_BREAK;
        at += print_scalar(json_is_array(v) ? json_array_get(v, j) : v, *out + at, bytes + 1 - at);
    }
    return KITH_OK;
}

/* How many objects and lists are in it that no cell can hold. */
static int64_t left_out(const json_t *v)
{
    int64_t n = json_is_object(v);
    for (size_t j = 0; j < json_array_size(v); j++) {
        const json_t *word = json_array_get(v, j);
        n += json_is_object(word) || json_is_array(word);
    }
    return n;
}

static kith_err take_member(ki_attrs *a, int32_t row, const char *name, const json_t *v)
{
    int column;
    char *text;
    kith_err err = print_cell(a, v, &text);
    a->n_left_out += left_out(v);
    if (err != KITH_OK || text == NULL) return err;
    const int kind = json_is_array(v) ? (all_numbers(v) ? KI_COL_VECTOR : KI_COL_SET) : -1;
    err = ki_attrs_column(a, name, strlen(name), kind, KI_SET_BREAK, &column);
    if (err != KITH_OK) return err;
    if (kind == KI_COL_SET || (kind < 0 && a->columns[column].kind == KI_COL_VECTOR))
        a->columns[column].kind = KI_COL_SET;
    return ki_attrs_set(a, column, row, text);
}

/* All members of `o` but `id` and what a document store calls it, those of objects within under "prefix.name". */
static kith_err take_members(ki_attrs *a, int32_t row, const char *prefix, const json_t *o,
                             const char *id, int depth)
{
    char name[NAME_SIZE];
    const char *key;
    json_t *v;
    kith_err err = KITH_OK;
    json_object_foreach ((json_t *)o, key, v) {
        if (id != NULL && (strcmp(key, id) == 0 || strcmp(key, "_id") == 0)) continue;
        if (snprintf(name, sizeof name, "%s%s", prefix, key) >= NAME_SIZE - 1) {
            a->n_left_out++;
            continue;
        }
        if (json_is_object(v) && depth < DEEPEST) {
            strcat(name, ".");
            err = take_members(a, row, name, v, NULL, depth + 1);
        } else {
            err = take_member(a, row, name, v);
        }
        if (err != KITH_OK) return err;
    }
    return err;
}

void ki_contract_settle(ki_attrs *a)
{
    for (int j = 0; j < a->n_columns; j++) {
        ki_attr_column *c = &a->columns[j];
        size_t want = 0;
        for (int32_t r = 0; c->kind == KI_COL_VECTOR && r < c->room; r++) {
            size_t n = 1;
            if (c->cell[r] == NULL) continue;
            for (const char *p = c->cell[r]; (p = strchr(p, KI_SET_BREAK)) != NULL; p++) n++;
            if (want > 0 && n != want) c->kind = KI_COL_SET;
            want = n;
        }
    }
}

kith_err ki_contract_take(ki_attrs *a, const json_t *o, ki_role role, int *ok)
{
    static const kith_read_options usual = { 0 };
    char buffer[24];
    const char *name = "";
    int32_t row;
    kith_err err;
    const json_t *v = json_is_object(o) ? ki_json_role(o, role, &usual, 1, &name) : NULL;
    const ki_span id = ki_json_id(v, buffer);
    *ok = id.n > 0;
    if (!*ok) return KITH_OK;
    if ((err = ki_attrs_row(a, id.at, id.n, &row)) != KITH_OK) return err;
    return take_members(a, row, "", o, name, 0);
}

static kith_err take_line(ki_attrs *a, ki_lines *l, const char *line, size_t n, ki_role role)
{
    json_error_t error;
    int ok = 0;
    const char *name = ki_source_name(l->source);
    json_t *o = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);
    if (o == NULL && json_error_code(&error) == json_error_out_of_memory) return ki_fail_memory(n);
    if (o == NULL)
        return ki_fail(KITH_EFORMAT, "%s:%lld:%d: got %.120s, want a JSON object", name,
                       (long long)l->number, error.column, error.text);
    kith_err err = ki_contract_take(a, o, role, &ok);
    json_decref(o);
    if (err == KITH_OK && !ok)
        err =
            ki_fail(KITH_EFORMAT, "%s:%lld:1: got no id, want %s_id as a string or a whole number",
                    name, (long long)l->number, ki_role_words[role]);
    return err;
}

kith_err ki_contract_lines(ki_attrs *a, ki_source *s, ki_role role)
{
    ki_lines l = { .source = s, .most = KI_LINE_MAX };
    char *line, what[80];
    size_t n;
    kith_err err = KITH_OK;
    snprintf(what, sizeof what, "read %.60s", ki_path_base(ki_source_name(s)));
    while (err == KITH_OK && (err = ki_lines_next(&l, &line, &n)) == KITH_OK && line != NULL) {
        if (n > 0 && line[n - 1] == '\r') n--;
        if (n > 0) err = take_line(a, &l, line, n, role);
        if (err == KITH_OK && a->job != NULL && l.number % 1024 == 0)
            err = ki_job_step(a->job, what, ki_source_at(s), ki_source_size(s));
    }
    if (err == KITH_OK && a->job != NULL)
        err = ki_job_step(a->job, what, ki_source_at(s), ki_source_at(s));
    ki_lines_clear(&l);
    ki_contract_settle(a);
    return err;
}

static kith_err take_objects(ki_attrs *a, ki_source *s, const json_t *list, const char *member,
                             ki_role role)
{
    ki_attrs_begin(a);
    for (size_t j = 0; j < json_array_size(list); j++) {
        int ok;
        const kith_err err = ki_contract_take(a, json_array_get(list, j), role, &ok);
        if (err != KITH_OK) return err;
        if (!ok)
            return ki_fail(KITH_EFORMAT,
                           "%s: %s[%zu]: got no id, want %s_id as a string or a whole number",
                           ki_source_name(s), member, j, ki_role_words[role]);
    }
    ki_contract_settle(a);
    return KITH_OK;
}

/* ---- the document ---- */

static kith_err member_array(ki_source *s, const json_t *o, const char *name, const json_t **out)
{
    *out = json_object_get(o, name);
    if (*out == NULL || json_is_array(*out)) return KITH_OK;
    return ki_fail(KITH_EFORMAT, "%s: %s is not an array, want an array of objects",
                   ki_source_name(s), name);
}

static kith_err take_document(ki_reading *r, ki_source *s, const json_t *root)
{
    const json_t *inner = json_object_get(root, "recommendation_data"), *rows, *users, *items;
    kith_err err;
    if (json_is_array(root)) return take_rows(r, s, root);
    if (inner != NULL) root = inner;
    if ((err = member_array(s, root, "interaction_data", &rows)) != KITH_OK) return err;
    if ((err = member_array(s, root, "user_data", &users)) != KITH_OK) return err;
    if ((err = member_array(s, root, "item_data", &items)) != KITH_OK) return err;
    if (rows == NULL)
        return ki_fail(KITH_EFORMAT, "%s: got no interaction_data, want an array of objects",
                       ki_source_name(s));
    if ((err = take_rows(r, s, rows)) != KITH_OK) return err;
    if ((err = take_objects(&r->users, s, users, "user_data", KI_USER)) != KITH_OK) return err;
    return take_objects(&r->items, s, items, "item_data", KI_ITEM);
}

static kith_err contract_rows(ki_reading *r, ki_source *s)
{
    json_error_t error;
    char *text = NULL;
    size_t n;
    kith_err err = ki_source_rest(s, most_bytes, &text, &n);
    if (err != KITH_OK) return err;
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    for (size_t j = 0; j < n; j++) r->data->report.n_lines += text[j] == '\n' || j + 1 == n;
    ki_free(text);
    if (root == NULL && json_error_code(&error) == json_error_out_of_memory)
        return ki_fail_memory(n);
    if (root == NULL)
        return ki_fail(KITH_EFORMAT, "%s:%d:%d: got %.120s, want JSON", ki_source_name(s),
                       error.line, error.column, error.text);
    err = take_document(r, s, root);
    json_decref(root);
    return err;
}

static int detect_contract(const ki_probe *p)
{
    static const char *const members[] = { "\"recommendation_data\"", "\"interaction_data\"",
                                           "\"user_data\"", "\"item_data\"" };
    size_t at = 0;
    while (at < p->n_head && strchr(" \t\r\n", p->head[at]) != NULL && p->head[at] != '\0') at++;
    if (at == p->n_head || (p->head[at] != '{' && p->head[at] != '[')) return 0;
    if (p->head[at] == '[') return 1;
    for (size_t j = 0; j < KI_COUNT(members); j++)
        if (memmem(p->head, p->n_head, members[j], strlen(members[j])) != NULL) return 1;
    return 0;
}

const ki_layout ki_layout_contract = {
    .name = "contract",
    .summary = "a JSON document with user_data, item_data and interaction_data",
    .detect = detect_contract,
    .rows = contract_rows,
};
