/* SPDX-License-Identifier: MIT
 * limits.c -- the table of limits, and reading a configuration by it
 */
#include "serve/limits.h"

#include "tool/shape.h"
#include "tool/verify.h"

#include <stddef.h>
#include <string.h>

/* ---- tables ---- */

#define COUNT_OF(n, least, most, normal, text)                                                     \
    {                                                                                              \
        .name = n, .kind = KI_IS_WHOLE, .min = least, .max = most, .init = normal, .about = text   \
    }
#define SECONDS_OF(n, most, normal, text)                                                          \
    {                                                                                              \
        .name = n, .kind = KI_IS_NUMBER, .min = 0, .max = most, .init = normal, .about = text      \
    }

static const ki_shape limits[] = {
    COUNT_OF("connections", 4, 1e6, "4096", "open at a time"),
    COUNT_OF("connections_per_ip", 0, 1e6, "1024",
             "open at a time from one address; 0: any (behind a proxy)"),
    COUNT_OF("header_bytes", 256, 24576, "16384", "request line and headers together"),
    COUNT_OF("target_bytes", 64, 16384, "8192", "the target of the request line"),
    COUNT_OF("body_bytes", 16, 1e9, "1048576", "a JSON body"),
    COUNT_OF("import_bytes", 16, 1e12, "10737418240", "a body of lines"),
    COUNT_OF("line_bytes", 16, 1e8, "1048576", "one line of it"),
    SECONDS_OF("header_seconds", 3600, "10",
               "from the first byte of a request to the end of its headers"),
    SECONDS_OF("body_seconds", 3600, "10", "for a body, and more by min_bytes_per_second"),
    SECONDS_OF("reply_seconds", 3600, "30",
               "for the client to take the reply, and more by min_bytes_per_second"),
    SECONDS_OF("idle_seconds", 3600, "60", "between two requests on one connection"),
    COUNT_OF("min_bytes_per_second", 1, 1e9, "16384", "slower clients are let go"),
    COUNT_OF("threads", 0, 256, "0", "that talk to clients; 0: one per processor"),
    COUNT_OF("workers", 1, 256, "32", "that wait for the disk or for long work"),
    COUNT_OF("queue", 1, 1e6, "1024", "requests that wait for a worker; more get 503"),
    COUNT_OF("streams", 0, 1e5, "256", "server-sent event streams at a time"),
};
static const char *const log_words[] = { "all", "errors", "none", NULL };
static const char *const audit_words[] = { "none", "admin", "write", NULL };
static const ki_shape logging[] = {
    { .name = "requests",
      .kind = KI_IS_TEXT,
      .words = log_words,
      .init = "\"all\"",
      .about = "which requests are told" },
    SECONDS_OF("slow_seconds", 3600, "1",
               "requests that take longer are told, with their stages; 0: none"),
    { .name = "audit",
      .kind = KI_IS_TEXT,
      .words = audit_words,
      .init = "\"write\"",
      .about = "which calls the store keeps a journal of" },
};
static const ki_shape keys[] = {
    { .name = "rate",
      .kind = KI_IS_NUMBER,
      .min = 0,
      .max = 1e9,
      .init = "0",
      .about = "requests a second of a key that has no rate of its own; 0: any" },
    { .name = "burst",
      .kind = KI_IS_NUMBER,
      .min = 0,
      .max = 1e9,
      .init = "0",
      .about = "at once; 0: two seconds of the rate" },
};
static const ki_shape tls[] = {
    { .name = "cert",
      .kind = KI_IS_NAME,
      .required = 1,
      .about = "path of the certificate chain, PEM" },
    { .name = "key", .kind = KI_IS_NAME, .required = 1, .about = "path of its private key, PEM" },
};
static const ki_shape one_origin = { .kind = KI_IS_NAME }, one_host = { .kind = KI_IS_NAME };
static const ki_shape sections[] = {
    { .name = "limits",
      .kind = KI_IS_OBJECT,
      KI_INSIDE(limits),
      .about = "what a client may ask of the service" },
    { .name = "log", .kind = KI_IS_OBJECT, KI_INSIDE(logging) },
    { .name = "keys", .kind = KI_IS_OBJECT, KI_INSIDE(keys) },
    { .name = "tls",
      .kind = KI_IS_OBJECT,
      KI_INSIDE(tls),
      .about = "TLS in this process; a proxy in front does it too" },
    { .name = "cors",
      .kind = KI_IS_LIST,
      KI_EACH(one_origin),
      .min = 0,
      .max = 100,
      .about = "origins, such as https://shop.example, whose pages may call; none by default" },
    { .name = "hosts",
      .kind = KI_IS_LIST,
      KI_EACH(one_host),
      .min = 0,
      .max = 100,
      .about =
          "names, such as shop.example, that requests may be sent to beside loopback addresses; "
          "absent: any with keys, none without" },
};
static const ki_shape whole = { .kind = KI_IS_OPEN, KI_INSIDE(sections) };

/* ---- where each goes ---- */

static const struct slot {
    const char *section, *name;
    size_t offset;
    int is_count;
} slots[] = {
#define COUNT_AT(section, name, field)                                                             \
    {                                                                                              \
        section, name, offsetof(ki_limits, field), 1                                               \
    }
#define SECONDS_AT(section, name, field)                                                           \
    {                                                                                              \
        section, name, offsetof(ki_limits, field), 0                                               \
    }
    COUNT_AT("limits", "connections", connections),
    COUNT_AT("limits", "connections_per_ip", connections_per_ip),
    COUNT_AT("limits", "header_bytes", header_bytes),
    COUNT_AT("limits", "target_bytes", target_bytes),
    COUNT_AT("limits", "body_bytes", body_bytes),
    COUNT_AT("limits", "import_bytes", import_bytes),
    COUNT_AT("limits", "line_bytes", line_bytes),
    SECONDS_AT("limits", "header_seconds", header_seconds),
    SECONDS_AT("limits", "body_seconds", body_seconds),
    SECONDS_AT("limits", "reply_seconds", reply_seconds),
    SECONDS_AT("limits", "idle_seconds", idle_seconds),
    COUNT_AT("limits", "min_bytes_per_second", min_bytes_per_second),
    COUNT_AT("limits", "threads", threads),
    COUNT_AT("limits", "workers", workers),
    COUNT_AT("limits", "queue", queue),
    COUNT_AT("limits", "streams", streams),
    SECONDS_AT("log", "slow_seconds", slow_seconds),
    SECONDS_AT("keys", "rate", key_rate),
    SECONDS_AT("keys", "burst", key_burst),
};

static const json_t *given(const json_t *config, const json_t *schema, const char *section,
                           const char *name)
{
    const json_t *value = json_object_get(json_object_get(config, section), name);
    if (value != NULL) return value;
    const json_t *properties = json_object_get(
        json_object_get(json_object_get(schema, "properties"), section), "properties");
    return json_object_get(json_object_get(properties, name), "default");
}

static int word_number(const char *const *words, const json_t *value)
{
    for (int j = 0; words[j] != NULL; j++)
        if (strcmp(words[j], json_string_value(value)) == 0) return j;
    return 0;
}

static void fill_in(const json_t *config, const json_t *schema, ki_limits *out)
{
    const json_t *tls_section = json_object_get(config, "tls");
    for (size_t j = 0; j < KI_COUNT(slots); j++) {
        const double x = json_number_value(given(config, schema, slots[j].section, slots[j].name));
        if (slots[j].is_count)
            *(int64_t *)((char *)out + slots[j].offset) = (int64_t)x;
        else
            *(double *)((char *)out + slots[j].offset) = x;
    }
    out->log = (ki_log_requests)word_number(log_words, given(config, schema, "log", "requests"));
    out->audit = word_number(audit_words, given(config, schema, "log", "audit"));
    out->tls_cert = json_string_value(json_object_get(tls_section, "cert"));
    out->tls_key = json_string_value(json_object_get(tls_section, "key"));
    out->origins = json_object_get(config, "cors");
    out->hosts = json_object_get(config, "hosts");
}

json_t *ki_limits_schema(void)
{
    return ki_shape_schema(&whole, 1);
}

kith_err ki_limits_read(const json_t *config, ki_limits *out)
{
    ki_findings f = { 0 };
    json_t *schema = ki_limits_schema();
    if (schema == NULL) return ki_fail_memory(sizeof *out);
    if (config != NULL) ki_verify(schema, config, NULL, &f);
    kith_err err = ki_findings_judge(&f);
    if (err == KITH_OK) {
        *out = (ki_limits){ 0 };
        fill_in(config, schema, out);
    } else {
        char message[KI_MESSAGE_SIZE];
        ki_message_get(message);
        err = ki_fail(err, "the configuration of the service: %.900s", message);
    }
    ki_findings_clear(&f);
    json_decref(schema);
    return err;
}
