/* SPDX-License-Identifier: MIT
 * uri.h -- the target of a request taken apart: segments of the path and pairs of the query, decoded
 *
 * Strict, so that one thing has one spelling: "%" is followed by two hexadecimal digits, what comes out is
 * UTF-8 without NUL, and nothing is decoded twice.  A path is cut at "/" before it is decoded, so
 * "%2F" is a slash inside of an id.  In the query "+" is a blank, as forms have it.
 */
#ifndef KI_URI_H
#define KI_URI_H

#include "base/err.h"

enum { KI_URI_SEGMENTS = 12, KI_URI_PAIRS = 32, KI_URI_ROOM = 256 };

typedef struct ki_uri_pair {
    const char *name, *value; /* decoded; value "" without a "=" */
} ki_uri_pair;

typedef struct ki_uri {
    char *block;      /* all strings below live here, in `room` when they fit */
    const char *path; /* not decoded, without the query */
    int n_segments, n_pairs;
    const char *segments[KI_URI_SEGMENTS]; /* decoded */
    ki_uri_pair pairs[KI_URI_PAIRS];
    char room[KI_URI_ROOM];
} ki_uri; /* not to be moved or copied once it is parsed */

/* Take a request target apart: "/v1/items?n=3", or the same after "http://host".  KITH_EINVAL for what is
 * no such target; *out is then safe to clear.  More segments than KI_URI_SEGMENTS are KITH_ENOTFOUND. */
kith_err ki_uri_parse(const char *target, ki_uri *out);
void ki_uri_clear(ki_uri *u);

#endif
