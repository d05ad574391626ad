/* SPDX-License-Identifier: MIT
 * fuzz_param.c -- a name, a line break and a value; or a JSON object, as in the header of a saved model
 */
#include "base/param.h"
#include "fuzz.h"

struct settings {
    int32_t whole, flag, choice;
    float real;
};

static const char *const choices[] = { "cosine", "pearson", NULL };

static const ki_param table[] = {
    { .name = "whole", .kind = KI_INT, .offset = offsetof(struct settings, whole), .init = 3, .min = -5, .max = 1000 },
    { .name = "real", .kind = KI_FLOAT, .offset = offsetof(struct settings, real), .init = 0.5, .min = 0, .max = 1e3 },
    { .name = "flag", .kind = KI_BOOL, .offset = offsetof(struct settings, flag) },
    { .name = "choice", .kind = KI_CHOICE, .offset = offsetof(struct settings, choice), .choices = choices },
};

static void check(const struct settings *s)
{
    MUST(s->whole >= -5 && s->whole <= 1000);
    MUST(s->real >= 0 && s->real <= 1e3f);
    MUST(s->flag == 0 || s->flag == 1);
    MUST(s->choice == 0 || s->choice == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct settings s;
    char text[256];
    if (n >= sizeof text) return 0;
    memcpy(text, bytes, n);
    text[n] = '\0';
    ki_params_default(table, KI_COUNT(table), &s);
    json_t *object = json_loads(text, 0, NULL);
    if (object != NULL) ki_params_read(table, KI_COUNT(table), &s, "fuzz", object);
    json_decref(object);
    check(&s);
    char *value = strchr(text, '\n');
    if (value == NULL) return 0;
    *value++ = '\0';
    ki_params_set(table, KI_COUNT(table), &s, "fuzz", text, value);
    check(&s);
    return 0;
}
