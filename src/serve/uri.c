/* SPDX-License-Identifier: MIT
 * uri.c -- cutting first, decoding after
 */
#include "serve/uri.h"

#include "base/mem.h"
#include "base/scan.h"

#include <string.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place: what comes out is never longer than what went in. */
static kith_err decode(char *s, int form)
{
    char *out = s;
    for (const char *in = s; *in != '\0'; in++) {
        if (*in != '%') {
            *out++ = form && *in == '+' ? ' ' : *in;
            continue;
        }
        const int high = hex(in[1]), low = high < 0 ? -1 : hex(in[2]);
        if (low < 0)
            return ki_fail(KITH_EINVAL,
                           "the request target has a \"%%\" without two hexadecimal digits");
        if (high == 0 && low == 0)
            return ki_fail(KITH_EINVAL, "the request target has a NUL byte (%%00)");
        *out++ = (char)(high * 16 + low);
        in += 2;
    }
    *out = '\0';
    if (!ki_utf8_valid(s, (size_t)(out - s)))
        return ki_fail(KITH_EINVAL, "the request target is not UTF-8 once it is decoded");
    return KITH_OK;
}

/* Blanks, controls and fragments have no place in a target. */
static kith_err check_bytes(const char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s <= ' ' || *s == 0x7f || *s == '#')
            return ki_fail(KITH_EINVAL,
                           "the request target has the byte 0x%02x, which must be percent-encoded",
                           (unsigned)(unsigned char)*s);
    return KITH_OK;
}

/* The path of "http://host/path"; s itself when it is no absolute form. */
static const char *after_authority(const char *s)
{
    const char *host =
        strncmp(s, "http://", 7) == 0 ? s + 7 : (strncmp(s, "https://", 8) == 0 ? s + 8 : NULL);
    if (host == NULL) return s;
    const size_t n = strcspn(host, "/?");
    return host[n] == '/' ? host + n : "/";
}

static kith_err cut_path(char *path, ki_uri *out)
{
    kith_err err;
    for (char *s = path; s != NULL;) {
        char *next = strchr(s, '/');
        if (next != NULL) *next++ = '\0';
        if (out->n_segments == KI_URI_SEGMENTS)
            return ki_fail(KITH_ENOTFOUND, "the path has more than %d segments", KI_URI_SEGMENTS);
        if ((err = decode(s, 0)) != KITH_OK) return err;
        out->segments[out->n_segments++] = s;
        s = next;
    }
    return KITH_OK;
}

static kith_err cut_pair(char *s, ki_uri *out)
{
    kith_err err;
    char *value = strchr(s, '=');
    if (*s == '\0') return KITH_OK;
    if (value != NULL) *value++ = '\0';
    if (out->n_pairs == KI_URI_PAIRS)
        return ki_fail(KITH_EINVAL, "the query has more than %d parameters", KI_URI_PAIRS);
    if ((err = decode(s, 1)) != KITH_OK) return err;
    if (value != NULL && (err = decode(value, 1)) != KITH_OK) return err;
    out->pairs[out->n_pairs++] = (ki_uri_pair){ s, value != NULL ? value : "" };
    return KITH_OK;
}

static kith_err cut_query(char *query, ki_uri *out)
{
    kith_err err = KITH_OK;
    for (char *s = query; s != NULL && err == KITH_OK;) {
        char *next = strchr(s, '&');
        if (next != NULL) *next++ = '\0';
        err = cut_pair(s, out);
        s = next;
    }
    return err;
}

kith_err ki_uri_parse(const char *target, ki_uri *out)
{
    kith_err err;
    const char *s = after_authority(target);
    const size_t n = strlen(s), n_path = strcspn(s, "?");
    out->block = NULL;
    out->path = "";
    out->n_segments = out->n_pairs = 0;
    if (*s != '/') return ki_fail(KITH_EINVAL, "the request target does not begin with \"/\"");
    if ((err = check_bytes(s)) != KITH_OK) return err;

    /* Twice: the path as it came, for the log, and a copy to be cut. */
    out->block = out->room;
    if (n + n_path + 2 > sizeof out->room &&
        (err = ki_alloc(&out->block, n + n_path + 2, 1)) != KITH_OK) {
        out->block = NULL;
        return err;
    }
    memcpy(out->block, s, n_path);
    out->block[n_path] = '\0';
    out->path = out->block;
    char *copy = out->block + n_path + 1;
    memcpy(copy, s, n + 1);
    if (s[n_path] == '?') copy[n_path] = '\0';
    if ((err = cut_path(copy + 1, out)) != KITH_OK) return err;
    return s[n_path] == '?' ? cut_query(copy + n_path + 1, out) : KITH_OK;
}

void ki_uri_clear(ki_uri *u)
{
    if (u->block != u->room) ki_free(u->block);
    u->block = NULL;
    u->n_segments = u->n_pairs = 0;
}
