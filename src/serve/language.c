/* SPDX-License-Identifier: MIT
 * language.c -- Accept-Language (RFC 9110, 12.5.4): "de-AT, fr;q=0.8, *;q=0.1"
 *
 * Of a tag the first part counts, as sentences know no regions.  A weight that is none counts as 0.
 */
#include "serve/call.h"

#include "base/scan.h"

#include <string.h>
#include <strings.h>

static const char *find(const char *tag, size_t n)
{
    const char *const *codes = kith_languages();
    const char *end = memchr(tag, '-', n);
    if (end != NULL) n = (size_t)(end - tag);
    for (; *codes != NULL; codes++)
        if (strlen(*codes) == n && strncasecmp(*codes, tag, n) == 0) return *codes;
    return NULL;
}

/* Behind the tag: ";q=0.8". */
static double weight(const char *from, const char *end)
{
    double q;
    const char *semicolon = memchr(from, ';', (size_t)(end - from));
    if (semicolon == NULL) return 1;
    const char *at = semicolon + 1;
    while (at < end && (*at == ' ' || *at == '\t')) at++;
    if (end - at < 3 || (*at != 'q' && *at != 'Q') || at[1] != '=') return 0;
    size_t n = (size_t)(end - at) - 2;
    while (n > 0 && (at[1 + n] == ' ' || at[1 + n] == '\t')) n--;
    return ki_scan_number(at + 2, n, &q) && q > 0 && q <= 1 ? q : 0;
}

const char *ki_call_language(ki_call *c)
{
    ki_reply_header(c, "Vary", "Accept-Language");
    const char *at = c->heads.accept_language, *best = NULL;
    double most = 0;
    while (at != NULL && *at != '\0') {
        at += strspn(at, ", \t");
        const char *end = at + strcspn(at, ",");
        const char *code = find(at, strcspn(at, ",; \t"));
        const double q = code == NULL ? 0 : weight(at, end);
        if (q > most) {
            most = q;
            best = code;
        }
        at = end;
    }
    return best;
}
