/* SPDX-License-Identifier: MIT
 * lines.c -- a text line by line
 */
#include "base/lines.h"

#include "base/mem.h"

#include <string.h>

enum { FIRST_ROOM = 1 << 16 };

/* Bytes after those that are there; what was taken makes room first. */
static kith_err read_on(ki_lines *l)
{
    size_t got = 0;
    if (l->n > 0) memmove(l->text, l->text + l->at, l->n - l->at);
    l->n -= l->at;
    l->at = 0;
    if (l->n == l->room) {
        const size_t room = KI_MAX(2 * l->room, (size_t)FIRST_ROOM);
        if (l->room > l->most)
            return ki_fail(KITH_EFORMAT, "%s: a line has more than %zu MB",
                           ki_source_name(l->source), l->most >> 20);
        const kith_err err = ki_grow(&l->text, l->n, room, 1);
        if (err != KITH_OK) return err;
        l->room = room;
    }
    const kith_err err = ki_source_read(l->source, l->text + l->n, l->room - l->n, &got);
    l->end = err == KITH_OK && got < l->room - l->n;
    l->n += got;
    return err;
}

kith_err ki_lines_next(ki_lines *l, char **line, size_t *n)
{
    char *stop = NULL;
    while ((l->n == l->at || (stop = memchr(l->text + l->at, '\n', l->n - l->at)) == NULL) &&
           !l->end) {
        const kith_err err = read_on(l);
        if (err != KITH_OK) return err;
    }
    *line = l->at == l->n ? NULL : l->text + l->at;
    *n = stop == NULL ? l->n - l->at : (size_t)(stop - *line);
    l->at += *n + (stop != NULL);
    l->number += *line != NULL;
    return KITH_OK;
}

void ki_lines_clear(ki_lines *l)
{
    ki_free(l->text);
    l->text = NULL;
    l->n = l->at = l->room = 0;
}
