/* SPDX-License-Identifier: MIT
 * findings.h -- what is wrong with a request, place by place, and what else its sender should know
 *
 * Three lists that a run fills as it goes: violations (the request is refused, all of them are
 * told), warnings (it is served, but not all of it was used), and fields of the result that are
 * left out, with the reason.
 */
#ifndef KI_FINDINGS_H
#define KI_FINDINGS_H

#include "base/err.h"

#include <jansson.h>
#include <stdint.h>

enum { KI_FINDINGS_SHOWN = 1000 }; /* violations and warnings beyond these are only counted */

typedef struct ki_findings {
    int64_t n_violations, n_warnings; /* all of them */
    json_t *violations;               /* array of {pointer, message}; NULL: none yet */
    json_t *warnings;                 /* array of strings */
    json_t *left_out;                 /* object: pointer of a field -> why it is not there */
} ki_findings;                        /* {0} is empty */

/* A place in a document, from the inside out: the last step of its JSON pointer, and the rest. */
typedef struct ki_place {
    const struct ki_place *up; /* NULL: the whole document */
    const char *key;           /* member; NULL: element `index` */
    size_t index;
} ki_place;

#define KI_POINTER_ROOM 512
void ki_place_print(const ki_place *p, char *out); /* RFC 6901; out[KI_POINTER_ROOM], cut if long */

/* The sentences may hold parts of the request; what memory refuses to keep is counted all the same. */
void ki_object_to(ki_findings *f, const ki_place *at, const char *format, ...) KI_PRINTF(3, 4);
void ki_object_to_pointer(ki_findings *f, const char *pointer, const char *format, ...)
    KI_PRINTF(3, 4);
void ki_warning(ki_findings *f, const char *format, ...) KI_PRINTF(2, 3);
void ki_left_out(ki_findings *f, const char *pointer, const char *format, ...) KI_PRINTF(3, 4);

/* KITH_EINVAL with a sentence that holds the first violation and their number; KITH_OK without any. */
kith_err ki_findings_judge(const ki_findings *f);

void ki_findings_clear(ki_findings *f);

#endif
