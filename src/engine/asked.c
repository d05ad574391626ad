/* SPDX-License-Identifier: MIT
 * asked.c -- making sense of a query
 *
 * A known user brings the training history.  A list of liked items is a history of its own: sorted,
 * known ids only, the last of a repeated id counts.  Whoever brings neither gets popular items,
 * unless the query wants that refused.
 */
#include "engine/asked.h"

#include "base/mem.h"
#include "engine/request.h"
#include "model/form_blend.h" /* a hybrid reads what its parts read */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_N = 10, MAX_N = 1000000, NAMED = 5, NAME_BYTES = 40, QUOTE_BYTES = 16 };

/* ---- single arguments ---- */

kith_err ki_asked_count(const kith_model *m, int n, int *out)
{
    if (n < 0 || n > MAX_N)
        return ki_fail(KITH_EINVAL, "n is %d, want 1 to %d (0: %d)", n, MAX_N, DEFAULT_N);
    *out = KI_MIN(n == 0 ? DEFAULT_N : n, KI_MAX(m->core.n_items, 1));
    return KITH_OK;
}

kith_err ki_asked_id(const ki_idmap *ids, const char *what, const char *id, int32_t *out)
{
    *out = ki_idmap_find(ids, id, strlen(id));
    if (*out >= 0) return KITH_OK;
    if (ids->n == 0)
        return ki_fail(KITH_ENOTFOUND, "no %s \"%.64s\": the model has none", what, id);
    return ki_fail(KITH_ENOTFOUND,
                   "no %s \"%.64s\" among the %d that the model knows; the first is \"%.64s\"",
                   what, id, ids->n, ki_idmap_name(ids, 0));
}

static kith_err check_list(const char *what, const char *const *ids, int n)
{
    if (n < 0) return ki_fail(KITH_EINVAL, "%s: a count of %d", what, n);
    if (n > 0 && ids == NULL)
        return ki_fail(KITH_EINVAL, "%s: %d ids, but the list is NULL", what, n);
    for (int j = 0; j < n; j++)
        if (ids[j] == NULL) return ki_fail(KITH_EINVAL, "%s: id %d is NULL", what, j);
    return KITH_OK;
}

static kith_err check(const kith_query *q)
{
    kith_err err;
    if ((err = check_list("liked", q->liked, q->n_liked)) != KITH_OK) return err;
    if ((err = check_list("exclude", q->exclude, q->n_exclude)) != KITH_OK) return err;
    for (int j = 0; q->liked_values != NULL && j < q->n_liked; j++)
        if (!isfinite(q->liked_values[j]))
            return ki_fail(KITH_EINVAL, "liked: value %d is not finite", j);
    if (q->n_reasons < 0)
        return ki_fail(KITH_EINVAL, "n_reasons is %d, want 0 or more", q->n_reasons);
    if (q->user != NULL && q->n_liked > 0)
        return ki_fail(KITH_EINVAL, "the query names a user and liked items; want one of them");
    return KITH_OK;
}

/* ---- notes ---- */

/* How many bytes of an id to show: at most NAME_BYTES, never half of a UTF-8 character. */
static int shown(const char *id)
{
    size_t n = strnlen(id, NAME_BYTES + 1);
    if (n <= NAME_BYTES) return (int)n;
    for (n = NAME_BYTES; n > 0 && ((unsigned char)id[n] & 0xc0) == 0x80;) n--;
    return (int)n;
}

/* The note says this phrase of n things. */
static void note(ki_asked *a, ki_phrase phrase, int n, const char *filling)
{
    ki_phrase_fill(ki_phrasebook_say(a->language, phrase, n), filling, a->note, sizeof a->note);
}

static void note_user(ki_asked *a, ki_phrase phrase, const char *user)
{
    char name[NAME_BYTES + QUOTE_BYTES];
    ki_phrasebook_quote(a->language, user, (size_t)shown(user), name, 0, sizeof name);
    note(a, phrase, 1, name);
}

/* "x", "y" and 3 more: the first few ids that the model lacks.  Returns how many it lacks. */
static int name_unknown(const kith_model *m, const kith_query *q, const ki_phrasebook *l, char *out,
                        size_t size)
{
    char count[40];
    int n = 0;
    size_t used = 0;
    out[0] = '\0';
    for (int j = 0; j < q->n_liked; j++) {
        const char *id = q->liked[j];
        if (ki_idmap_find(&m->items, id, strlen(id)) >= 0 || n++ >= NAMED) continue;
        if (n > 1) used += (size_t)snprintf(out + used, size - used, ", ");
        used = ki_phrasebook_quote(l, id, (size_t)shown(id), out, used, size);
    }
    if (n > NAMED)
        ki_phrase_fill(ki_phrasebook_say(l, KI_PHRASE_MORE, n - NAMED),
                       ki_phrasebook_count(l, n - NAMED, count, sizeof count), out + used,
                       size - used);
    return n;
}

/* Nothing is known that a model could answer to: the wishes, or popular items. */
static void go_without(ki_asked *a, const kith_query *q, ki_phrase phrase)
{
    a->basis = a->by_wishes ? KI_BASIS_WISHES : KI_BASIS_POPULAR;
    if (q->user != NULL)
        note_user(a, a->by_wishes ? KI_PHRASE_BY_WISHES : phrase, q->user);
    else if (!a->by_wishes)
        note(a, phrase, 1, "");
}

int ki_asked_is_unknown(const ki_asked *a)
{
    return a->basis == KI_BASIS_POPULAR || a->basis == KI_BASIS_WISHES;
}

/* ---- history ---- */

struct liked {
    int32_t item;
    int at; /* place in the query: the last of a repeated id counts */
};

static int by_item(const void *a, const void *b)
{
    const struct liked *x = a, *y = b;
    if (x->item != y->item) return x->item > y->item ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

/* The known liked ids, rising, each once, with its value (none given: the top of the training
 * scale). */
static kith_err fold(const kith_model *m, const kith_query *q, ki_asked *a)
{
    struct liked *list = NULL;
    int n = 0, to = 0;
    kith_err err = ki_alloc(&list, (size_t)q->n_liked, sizeof *list);
    if (err != KITH_OK) return err;
    if ((err = ki_alloc(&a->items, (size_t)q->n_liked, sizeof *a->items)) != KITH_OK) goto done;
    if ((err = ki_alloc(&a->values, (size_t)q->n_liked, sizeof *a->values)) != KITH_OK) goto done;
    for (int j = 0; j < q->n_liked; j++) {
        const int32_t item = ki_idmap_find(&m->items, q->liked[j], strlen(q->liked[j]));
        if (item >= 0) list[n++] = (struct liked){ item, j };
    }
    qsort(list, (size_t)n, sizeof *list, by_item);
    for (int j = 0; j < n; j++) {
        if (j + 1 < n && list[j + 1].item == list[j].item) continue;
        a->items[to] = list[j].item;
        a->values[to++] = q->liked_values == NULL ? m->core.max : q->liked_values[list[j].at];
    }
    a->query = (ki_query){ .user = -1, .items = a->items, .values = a->values, .n = to };
    a->seen = a->items;
    a->n_seen = to;
done:
    ki_free(list);
    return err;
}

static kith_err take_liked(const kith_model *m, const kith_query *q, ki_asked *a)
{
    char names[NAMED * (NAME_BYTES + QUOTE_BYTES) + 64];
    const kith_err err = fold(m, q, a);
    if (err != KITH_OK) return err;
    const int unknown = name_unknown(m, q, a->language, names, sizeof names);
    a->basis = a->query.n > 0 ? KI_BASIS_LIKED : a->by_wishes ? KI_BASIS_WISHES : KI_BASIS_POPULAR;
    if (a->query.n > 0 && unknown > 0)
        note(a, KI_PHRASE_LEFT_OUT, unknown, names);
    else if (a->query.n == 0 && q->on_unknown == KITH_UNKNOWN_ERROR)
        return ki_fail(KITH_ENOTFOUND, "the model knows none of the liked items: %s", names);
    else if (a->query.n == 0)
        note(a, a->by_wishes ? KI_PHRASE_LEFT_OUT : KI_PHRASE_NONE_KNOWN, unknown, names);
    return KITH_OK;
}

/* The history of user u. */
static ki_known find_known(const kith_model *m, const ki_known *known, int32_t u)
{
    if (known != NULL) return *known;
    const ki_query q = ki_query_user(&m->core, u);
    return (ki_known){ .query = q, .seen = q.items, .n_seen = q.n };
}

static kith_err take_user(const kith_model *m, const kith_query *q, const ki_known *known,
                          ki_asked *a)
{
    ki_known is = { .n_seen = 0 };
    int32_t u;
    const kith_err err = ki_asked_id(&m->users, "user", q->user, &u);
    if (err != KITH_OK && q->on_unknown == KITH_UNKNOWN_ERROR) return err;
    a->query = (ki_query){ .user = -1 };
    if (err == KITH_OK) is = find_known(m, known, u);
    a->seen = is.seen;
    a->n_seen = is.n_seen;
    if (err != KITH_OK) {
        go_without(a, q, KI_PHRASE_STRANGER);
    } else if (is.query.n > 0) {
        a->query = is.query;
        a->basis = KI_BASIS_USER;
    } else if (q->on_unknown == KITH_UNKNOWN_ERROR) {
        return ki_fail(KITH_ENOTFOUND, "user \"%.64s\" has nothing in the training data", q->user);
    } else {
        go_without(a, q, KI_PHRASE_NO_HISTORY);
    }
    return KITH_OK;
}

/* Somebody without history of whom the model can read words: their own attributes, or a text. */
static int take_words(const kith_model *m, const kith_query *q, const ki_known *known, ki_asked *a)
{
    const ki_model_desc *desc = m->core.desc;
    ki_query asked = { .user = -1, .text = q->text };
    int unknown = 0;
    if (desc->answers == NULL || q->n_liked > 0) return 0;
    if (q->user != NULL) {
        asked.user = ki_idmap_find(&m->users, q->user, strlen(q->user));
        if (asked.user < 0 && q->on_unknown == KITH_UNKNOWN_ERROR) return 0;
        unknown = asked.user < 0;
        const ki_known is = unknown ? (ki_known){ .n_seen = 0 } : find_known(m, known, asked.user);
        if (is.query.n > 0) return 0;
        if (!unknown) asked.user = is.query.user;
        a->seen = is.seen;
        a->n_seen = is.n_seen;
    }
    if (!desc->answers(&m->core, &asked)) return 0;
    a->query = asked;
    a->basis = KI_BASIS_TEXT;
    if (unknown) note_user(a, KI_PHRASE_BY_TEXT, q->user);
    return 1;
}

static kith_err check_text(const kith_model *m, const kith_query *q)
{
    if (q->text == NULL || ki_blend_reads(&m->core)) return KITH_OK;
    return ki_fail(KITH_EINVAL,
                   "%s reads no texts; train content, another model of texts, or a hybrid with one "
                   "among its parts",
                   m->core.desc->name);
}

static kith_err take_nobody(const kith_query *q, ki_asked *a)
{
    if (q->on_unknown == KITH_UNKNOWN_ERROR && !a->by_wishes)
        return ki_fail(KITH_ENOTFOUND, q->text != NULL
                                           ? "the model knows no word of the text"
                                           : "the query names neither a user nor liked items");
    a->query = (ki_query){ .user = -1 };
    go_without(a, q, q->text != NULL ? KI_PHRASE_NO_WORDS : KI_PHRASE_NOBODY);
    return KITH_OK;
}

/* ---- what to leave out ---- */

static int rising(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static kith_err take_skips(const kith_model *m, const kith_query *q, ki_asked *a)
{
    const int32_t seen = q->include_seen ? 0 : a->n_seen;
    int32_t n = seen;
    const kith_err err = ki_alloc(&a->skip, (size_t)seen + (size_t)q->n_exclude, sizeof *a->skip);
    if (err != KITH_OK) return err;
    if (seen > 0) memcpy(a->skip, a->seen, (size_t)seen * sizeof *a->skip);
    for (int j = 0; j < q->n_exclude; j++) {
        const int32_t item = ki_idmap_find(&m->items, q->exclude[j], strlen(q->exclude[j]));
        if (item >= 0) a->skip[n++] = item;
    }
    if (n > seen) qsort(a->skip, (size_t)n, sizeof *a->skip, rising);
    a->query.skip = a->skip;
    a->query.n_skip = n;
    return KITH_OK;
}

kith_err ki_asked_make(const kith_model *m, const kith_query *q, const ki_known *known,
                       ki_asked *out)
{
    ki_asked a = { .by_wishes = ki_request_wishes(q) };
    kith_err err;
    if ((err = check(q)) != KITH_OK) return err;
    if ((err = check_text(m, q)) != KITH_OK) return err;
    if ((err = ki_asked_count(m, q->n, &a.n)) != KITH_OK) return err;
    if ((err = ki_phrasebook_find(q->language, &a.language)) != KITH_OK) return err;
    if (take_words(m, q, known, &a))
        err = KITH_OK;
    else if (q->user != NULL)
        err = take_user(m, q, known, &a);
    else
        err = q->n_liked > 0 ? take_liked(m, q, &a) : take_nobody(q, &a);
    a.query.text = q->text;
    if (err == KITH_OK) err = take_skips(m, q, &a);
    if (err != KITH_OK)
        ki_asked_clear(&a);
    else
        *out = a;
    return err;
}

void ki_asked_clear(ki_asked *a)
{
    ki_free(a->items);
    ki_free(a->values);
    ki_free(a->skip);
    *a = (ki_asked){ 0 };
}
