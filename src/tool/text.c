/* SPDX-License-Identifier: MIT
 * text.c -- appending, by doubling
 */
#include "tool/text.h"

#include "base/mem.h"

#include <string.h>

void ki_text_reserve(ki_text *t, size_t n)
{
    if (t->err != KITH_OK || t->n + n + 1 <= t->room) return;
    const size_t room = KI_MAX(t->room * 2, KI_MAX(t->n + n + 1, (size_t)256));
    t->err = ki_grow(&t->at, t->room, room, 1);
    if (t->err == KITH_OK) t->room = room;
}

void ki_text_add(ki_text *t, const char *bytes, size_t n)
{
    ki_text_reserve(t, n);
    if (t->err != KITH_OK) return;
    memcpy(t->at + t->n, bytes, n);
    t->n += n;
    t->at[t->n] = '\0';
}

void ki_text_say(ki_text *t, const char *text)
{
    ki_text_add(t, text, strlen(text));
}

static int append(const char *bytes, size_t n, void *arg)
{
    ki_text *t = arg;
    ki_text_add(t, bytes, n);
    return t->err == KITH_OK ? 0 : -1;
}

void ki_text_json(ki_text *t, json_t *value)
{
    const int flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9);
    if (t->err == KITH_OK &&
        (value == NULL || (json_dump_callback(value, append, t, flags) != 0 && t->err == KITH_OK)))
        t->err = ki_fail_memory(64);
    json_decref(value);
}

void ki_text_clear(ki_text *t)
{
    ki_free(t->at);
    *t = (ki_text){ 0 };
}
