/* SPDX-License-Identifier: MIT
 * violations.c -- all that is wrong with a JSON document, each with a JSON pointer (RFC 6901)
 */
#include "engine/violations.h"

#include "base/scan.h"

#include "base/mem.h"
#include "engine/wording.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void ki_violate(ki_violations *v, const char *pointer, const char *format, ...)
{
    va_list args;
    if (v->n++ >= KI_VIOLATIONS_MAX) return;
    ki_violation *one = &v->list[v->n - 1];
    *one = (ki_violation){ 0 };
    snprintf(one->pointer, sizeof one->pointer, "%s", pointer);
    va_start(args, format);
    vsnprintf(one->sentence, sizeof one->sentence, format, args);
    va_end(args);
    ki_utf8_mend(one->sentence);
}

kith_err ki_violations_result(const ki_violations *v, const char *what)
{
    if (v->n == 0) return KITH_OK;
    const char *pointer = v->list[0].pointer[0] == '\0' ? "/" : v->list[0].pointer;
    if (v->n == 1) return ki_fail(KITH_EINVAL, "%s, %s: %s", what, pointer, v->list[0].sentence);
    return ki_fail(KITH_EINVAL, "%s, %s: %s (and %d more)", what, pointer, v->list[0].sentence,
                   v->n - 1);
}

struct place {
    char text[96];
};

/* pointer/key, with ~ and / of the key escaped */
static struct place under(const char *pointer, const char *key)
{
    struct place p;
    size_t n = (size_t)snprintf(p.text, sizeof p.text, "%.60s/", pointer);
    for (; *key != '\0' && n + 3 < sizeof p.text; key++) {
        if (*key == '~' || *key == '/') {
            p.text[n++] = '~';
            p.text[n++] = *key == '~' ? '0' : '1';
        } else {
            p.text[n++] = *key;
        }
    }
    p.text[n] = '\0';
    return p;
}

int ki_check_keys(ki_violations *v, const char *pointer, const json_t *json,
                  const char *const *names, int n)
{
    const char *key;
    json_t *value;
    if (!json_is_object(json)) {
        ki_violate(v, pointer, "want an object");
        return 0;
    }
    json_object_foreach ((json_t *)json, key, value) {
        int known = 0;
        for (int j = 0; j < n; j++) known |= strcmp(key, names[j]) == 0;
        const int32_t near = known ? -1 : ki_nearest(key, names, n);
        if (!known && near >= 0)
            ki_violate(v, under(pointer, key).text, "there is no such key; did you mean %s?",
                       names[near]);
        else if (!known)
            ki_violate(v, under(pointer, key).text,
                       "there is no such key; the first that there is is %s", names[0]);
    }
    return 1;
}

double ki_read_number(ki_violations *v, const char *pointer, const json_t *object, const char *key,
                      double min, double max, double init)
{
    const json_t *json = json_object_get(object, key);
    if (json == NULL) return init;
    const double x = json_number_value(json);
    if (json_is_number(json) && x >= min && x <= max) return x;
    ki_violate(v, under(pointer, key).text, "want a number from %g to %g", min, max);
    return init;
}

const char *ki_read_string(ki_violations *v, const char *pointer, const json_t *object,
                           const char *key, int required)
{
    const json_t *json = json_object_get(object, key);
    if (json == NULL && !required) return NULL;
    if (json_is_string(json) && strlen(json_string_value(json)) == json_string_length(json))
        return json_string_value(json);
    ki_violate(v, under(pointer, key).text,
               json == NULL ? "is missing; want a string" : "want a string");
    return NULL;
}

const json_t *ki_read_list(ki_violations *v, const char *pointer, const json_t *object,
                           const char *key)
{
    const json_t *json = json_object_get(object, key);
    if (json == NULL || json_is_array(json)) return json;
    ki_violate(v, under(pointer, key).text, "want a list");
    return NULL;
}

kith_err ki_read_filter(ki_violations *v, const char *pointer, const json_t *object,
                        const char *key, int required, const ki_schema *schema, ki_filter **out)
{
    ki_complaint why;
    *out = NULL;
    const char *text = ki_read_string(v, pointer, object, key, required);
    const kith_err err = text == NULL ? KITH_OK : ki_filter_parse(schema, text, out, &why);
    if (err != KITH_EINVAL) return err;
    ki_violate(v, under(pointer, key).text, "%s", kith_last_error());
    if (v->n <= KI_VIOLATIONS_MAX) v->list[v->n - 1].why = why;
    return KITH_OK;
}
