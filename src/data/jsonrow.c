/* SPDX-License-Identifier: MIT
 * jsonrow.c -- one interaction out of a JSON object
 */
#include "data/jsonrow.h"

#include "base/jsonscan.h"
#include "base/scan.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int ki_json_begins(const char *head, size_t n)
{
    ki_json_scan s = { head, head + n };
    return ki_json_take(&s, '{');
}

const json_t *ki_json_role(const json_t *o, ki_role role, const kith_read_options *options,
                           int plain, const char **name)
{
    const json_t *best = NULL;
    int best_fit = 0;
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)o, key, value) {
        const int fit = ki_role_fit(role, options, key, strlen(key));
        if (fit < 0 || (best != NULL && fit >= best_fit)) continue;
        best = value;
        best_fit = fit;
        *name = key;
    }
    const char *usual = json_object_get(o, "id") != NULL ? "id" : "_id";
    const json_t *id = plain ? json_object_get(o, usual) : NULL;
    if (id == NULL || (best != NULL && ki_role_is_id(role, *name, strlen(*name)))) return best;
    *name = usual;
    return id;
}

ki_span ki_json_id(const json_t *v, char *buffer)
{
    if (json_is_string(v)) return (ki_span){ json_string_value(v), json_string_length(v) };
    if (!json_is_integer(v)) return (ki_span){ buffer, 0 };
    return (ki_span){ buffer,
                      (size_t)snprintf(buffer, 24, "%lld", (long long)json_integer_value(v)) };
}

static int no(ki_json_row *out, const char *format, ...) KI_PRINTF(2, 3);

static int no(ki_json_row *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(out->why, sizeof out->why, format, args);
    va_end(args);
    return 0;
}

static int take_id(const json_t *o, ki_role role, const kith_read_options *options, char *buffer,
                   ki_span *id, ki_json_row *out)
{
    const char *name = "", *wanted = ki_role_option(role, options);
    const json_t *v = ki_json_role(o, role, options, 0, &name);
    if (v == NULL)
        return no(out, "got no %s, want a member %.60s", ki_role_words[role],
                  wanted != NULL ? wanted : ki_role_examples(role));
    *id = ki_json_id(v, buffer);
    if (id->n > 0) return 1;
    return no(out,
              "got an id that is not a string or a whole number, or is empty, want one (%.40s)",
              name);
}

static int take_value(const json_t *o, const kith_read_options *options, ki_json_row *out)
{
    const char *name = "";
    const json_t *v = ki_json_role(o, KI_VALUE, options, 0, &name);
    double x = 1;
    if (json_is_boolean(v))
        x = json_is_true(v);
    else if (json_is_number(v))
        x = json_number_value(v);
    else if (json_is_string(v) && !ki_scan_number(json_string_value(v), json_string_length(v), &x))
        x = NAN;
    else if (v != NULL && !json_is_string(v))
        x = NAN; /* null too: it is no opinion, and 1 may be the worst one */
    out->row.value = (float)x;
    return isfinite(out->row.value) ? 1
                                    : no(out, "got no number below 3.4e38, want one (%.40s)", name);
}

static int take_time(const json_t *o, const kith_read_options *options, ki_json_row *out)
{
    char text[40];
    const char *name = "", *s = text;
    const json_t *v = ki_json_role(o, KI_TIME, options, 0, &name);
    if (v == NULL || json_is_null(v)) return 1;
    if (json_is_string(v))
        s = json_string_value(v);
    else if (json_is_integer(v))
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        snprintf(text, sizeof text, "%.0f", floor(json_real_value(v)));
    else
        s = "";
    out->row.has_time = ki_scan_time(s, strlen(s), &out->row.time);
    return out->row.has_time
               ? 1
               : no(out, "got no time, want unix seconds or an ISO 8601 time (%.40s)", name);
}

int ki_json_interaction(const json_t *o, const kith_read_options *options, ki_json_row *out)
{
    out->row = (ki_found_row){ 0 };
    if (!json_is_object(o)) return no(out, "got no JSON object, want one");
    return take_id(o, KI_USER, options, out->user, &out->row.user, out) &&
           take_id(o, KI_ITEM, options, out->item, &out->row.item, out) &&
           take_value(o, options, out) && take_time(o, options, out);
}
