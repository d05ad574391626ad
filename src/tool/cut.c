/* SPDX-License-Identifier: MIT
 * cut.c -- the scan, the shell, and the walk over a list
 *
 * The scan need not judge: where it meets something odd it cuts nothing, and the parser, which then
 * gets the whole text, says what is wrong and where.
 */
#include "tool/cut.h"

#include "base/jsonscan.h"
#include "base/mem.h"

#include <string.h>

const char *const ki_list_names[KI_N_LISTS] = { "user_data", "item_data", "interaction_data" };

/* ---- scanning ---- */

/* The value of `key` is next: keep it if it is one of the lists. */
static int keep_list(ki_json_scan *s, const char *key, size_t n, ki_cut_list *lists)
{
    ki_json_blanks(s);
    const char *from = s->at;
    if (!ki_json_skip(s)) return 0;
    for (int l = 0; l < KI_N_LISTS; l++)
        if (ki_json_is(key, n, ki_list_names[l]) && *from == '[' && lists[l].at == NULL)
            lists[l] = (ki_cut_list){ from, (size_t)(s->at - from) };
    return 1;
}

/* Members of the object that is next.  In the outer one only "recommendation_data" counts. */
static int scan_object(ki_json_scan *s, int outer, ki_cut_list *lists)
{
    const char *key;
    size_t n;
    if (!ki_json_take(s, '{')) return 0;
    if (ki_json_take(s, '}')) return 1;
    do {
        if (!ki_json_key(s, &key, &n)) return 0;
        ki_json_blanks(s);
        const int inner =
            outer && ki_json_is(key, n, "recommendation_data") && s->at < s->end && *s->at == '{';
        const int ok = inner   ? scan_object(s, 0, lists)
                       : outer ? ki_json_skip(s)
                               : keep_list(s, key, n, lists);
        if (!ok) return 0;
    } while (ki_json_take(s, ','));
    return ki_json_take(s, '}');
}

/* ---- the shell ---- */

static void tell_syntax(const ki_cut *c, const ki_place *at, size_t offset, const char *why,
                        ki_findings *f)
{
    size_t line = 1, column = 1;
    for (size_t j = 0; j < offset && j < c->n; j++) {
        column = c->text[j] == '\n' ? 1 : column + 1;
        line += c->text[j] == '\n';
    }
    ki_object_to(f, at, "line %zu, column %zu: got %.160s, want JSON", line, column, why);
}

/* The list that begins first at or after `from`, or NULL. */
static const ki_cut_list *next_list(const ki_cut *c, const char *from)
{
    const ki_cut_list *first = NULL;
    for (int l = 0; l < KI_N_LISTS; l++) {
        const ki_cut_list *one = &c->lists[l];
        if (one->at != NULL && one->at >= from && (first == NULL || one->at < first->at))
            first = one;
    }
    return first;
}

/* The request with [] for each list, into out (which has room for c->n bytes); returns how long. */
static size_t write_shell(const ki_cut *c, char *out)
{
    const char *from = c->text, *end = c->text + c->n;
    size_t n = 0;
    for (const ki_cut_list *l; (l = next_list(c, from)) != NULL; from = l->at + l->n) {
        memcpy(out + n, from, (size_t)(l->at - from));
        n += (size_t)(l->at - from);
        memcpy(out + n, "[]", 2);
        n += 2;
    }
    memcpy(out + n, from, (size_t)(end - from));
    return n + (size_t)(end - from);
}

/* Where in the request the byte `at` of the shell stands. */
static size_t place_of(const ki_cut *c, size_t at)
{
    for (const ki_cut_list *l = next_list(c, c->text); l != NULL; l = next_list(c, l->at + l->n)) {
        if ((size_t)(l->at - c->text) + 2 > at) break;
        at += l->n - 2;
    }
    return at;
}

static size_t cut_bytes(const ki_cut *c)
{
    size_t n = 0;
    for (int l = 0; l < KI_N_LISTS; l++) n += c->lists[l].at == NULL ? 0 : c->lists[l].n;
    return n;
}

/* A list that the scan did not find, as when its name is written with escapes: it is refused, for
 * what was parsed is not kept twice. */
static void refuse_uncut(const ki_cut *c, ki_findings *f)
{
    const ki_place data = { .key = "recommendation_data" };
    for (int l = 0; l < KI_N_LISTS; l++) {
        const ki_place at = { .up = &data, .key = ki_list_names[l] };
        const json_t *list = json_object_get(json_object_get(c->shell, data.key), at.key);
        if (c->lists[l].at == NULL && json_array_size(list) > 0)
            ki_object_to(f, &at, "write this name without escapes");
    }
}

kith_err ki_cut_make(ki_cut *out, const char *text, size_t n, ki_findings *f)
{
    ki_cut c = { .text = text, .n = n };
    ki_json_scan s = { text, text + n };
    char *shell = NULL;
    json_error_t error;
    if (!scan_object(&s, 1, c.lists)) memset(c.lists, 0, sizeof c.lists);
    const kith_err err = ki_alloc(&shell, n - cut_bytes(&c) + 2 * KI_N_LISTS + 1, 1);
    if (err != KITH_OK) return err;
    const size_t length = write_shell(&c, shell);
    c.shell = json_loadb(shell, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    ki_free(shell);
    if (c.shell == NULL) {
        if (json_error_code(&error) == json_error_out_of_memory) return ki_fail_memory(length);
        tell_syntax(&c, NULL, place_of(&c, (size_t)KI_MAX(error.position, 0)), error.text, f);
        return ki_findings_judge(f);
    }
    refuse_uncut(&c, f);
    *out = c;
    return KITH_OK;
}

void ki_cut_clear(ki_cut *c)
{
    json_decref(c->shell);
    *c = (ki_cut){ 0 };
}

/* ---- the walk ---- */

kith_err ki_cut_each(const ki_cut *c, ki_list_name which, ki_element_fn fn, void *arg,
                     ki_findings *f)
{
    const ki_place data = { .key = "recommendation_data" },
                   list = { .up = &data, .key = ki_list_names[which] };
    const ki_cut_list *l = &c->lists[which];
    kith_err err = KITH_OK;
    if (l->at == NULL) return KITH_OK;
    ki_json_scan s = { l->at, l->at + l->n };
    if (!ki_json_take(&s, '[') || ki_json_take(&s, ']')) return KITH_OK;
    for (size_t j = 0; err == KITH_OK; j++) {
        json_error_t error;
        const ki_place at = { .up = &list, .index = j };
        ki_json_blanks(&s);
        json_t *v =
            json_loadb(s.at, (size_t)(s.end - s.at),
                       JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
        if (v == NULL && json_error_code(&error) == json_error_out_of_memory)
            return ki_fail_memory((size_t)(s.end - s.at));
        const size_t offset = (size_t)(s.at - c->text) + (size_t)KI_MAX(error.position, 0);
        if (v == NULL) return tell_syntax(c, &at, offset, error.text, f), KITH_OK;
        s.at += error.position;
        err = fn(arg, j, v);
        json_decref(v);
        if (ki_json_take(&s, ',')) continue;
        if (!ki_json_take(&s, ']') || s.at != s.end)
            tell_syntax(c, &at, (size_t)(s.at - c->text), "no comma after the element", f);
        return err;
    }
    return err;
}
