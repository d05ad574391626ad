/* SPDX-License-Identifier: MIT
 * lines.h -- a text line by line, of any length up to a limit, in a buffer that moves along
 */
#ifndef KI_LINES_H
#define KI_LINES_H

#include "base/file.h"

typedef struct ki_lines {
    ki_source *source; /* borrowed; what was peeked at comes too */
    size_t most;       /* bytes of a line */
    int64_t number;    /* of the line that came last, from 1 */

    char *text; /* [room]: bytes that were read, of which n are there and `at` are taken */
    size_t n, at, room;
    int end;
} ki_lines;

/* *n bytes at *line without the line break, which may be written to and stay until the next call; *line NULL at the
 * end.  Empty lines are lines too.  KITH_EFORMAT for one that is too long. */
kith_err ki_lines_next(ki_lines *l, char **line, size_t *n);

void ki_lines_clear(ki_lines *l); /* not the source */

#endif
