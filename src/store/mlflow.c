/* SPDX-License-Identifier: MIT
 * mlflow.c -- a run in MLflow: begun, filled, ended
 */
#include "store/mlflow.h"

#include "base/mem.h"
#include "base/scan.h" /* ki_utf8_valid */
#include "base/http.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    MOST_PARAMS = 100, /* of one log-batch, as the server has it */
    MOST_METRICS = 500,
    NAME_ROOM = 251, /* 250 bytes */
    VALUE_ROOM = 501,
    URI_ROOM = 1024,
};

struct ki_mlflow {
    ki_http *http;
    char uri[URI_ROOM];                        /* without a slash at its end, user or password */
    char *experiment, *experiment_id, *run_id; /* NULL: none yet */
    json_t *params, *metrics, *tags;           /* arrays as log-batch takes them */
    int away, ended;                           /* away: the server does not answer */
    char why[KI_MESSAGE_SIZE];                 /* the first thing that went wrong */
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- what goes wrong ---- */

/* The sentence of the last failure, unless another came before. */
static void remember(ki_mlflow *m)
{
    if (m->why[0] == '\0') ki_message_get(m->why);
}

/* What the server says of a refusal: {"error_code": ..., "message": ...}, or something else. */
static const char *said(const json_t *answer, const char *member)
{
    const char *s = json_string_value(json_object_get(answer, member));
    return s == NULL ? "" : s;
}

static kith_err refused(const ki_mlflow *m, const char *call, int status, const json_t *answer)
{
    return ki_fail(KITH_EFORMAT, "MLflow at %.200s: %s: status %d %.60s %.300s", m->uri, call,
                   status, said(answer, "error_code"), said(answer, "message"));
}

/* ---- one call ---- */

/* POST `body`, which is taken, or GET without one.  *out = the answer, an object; KITH_EFORMAT when the server
 * refuses, and then *out is what it said, or NULL; KITH_EIO when it does not answer. */
static kith_err call(ki_mlflow *m, const char *what, const char *query, json_t *body, json_t **out)
{
    char url[URI_ROOM + 2048];
    ki_http_reply reply = { 0 };
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(17));
    const int wants_text = body != NULL;
    json_decref(body);
    if (wants_text && text == NULL) return ki_fail_memory(64);
    snprintf(url, sizeof url, "%s/api/2.0/mlflow/%s%s", m->uri, what, query);
    kith_err err = ki_http_ask(m->http, url, text, &reply);
    free(text); /* jansson's */
    if (err != KITH_OK) {
        char why[KI_MESSAGE_SIZE];
        ki_message_get(why);
        m->away = 1;
        return ki_fail(err, "MLflow at %.200s: %.300s", m->uri, why);
    }
    *out = json_loadb(reply.body, reply.n, 0, NULL);
    ki_free(reply.body);
    if (reply.status != 200 || !json_is_object(*out)) err = refused(m, what, reply.status, *out);
    return err;
}

/* A copy of answer.path[0].path[1]..., which must be text. */
static kith_err take_text(const json_t *answer, const char *const *path, char **out)
{
    const json_t *v = answer;
    for (; *path != NULL; path++) v = json_object_get(v, *path);
    const char *text = json_string_value(v);
    if (text == NULL) return ki_fail(KITH_EFORMAT, "MLflow answers without %s", path[-1]);
    ki_free(*out);
    *out = NULL;
    return ki_strdup(out, text);
}

/* ---- begin ---- */

static kith_err find_experiment(ki_mlflow *m, json_t **answer)
{
    static const char *const id[] = { "experiment", "experiment_id", NULL };
    char name[1024], query[1100];
    ki_http_escape(m->experiment, name, sizeof name);
    snprintf(query, sizeof query, "?experiment_name=%s", name);
    kith_err err = call(m, "experiments/get-by-name", query, NULL, answer);
    if (err != KITH_OK) return err;
    const json_t *found = json_object_get(*answer, "experiment");
    if (strcmp(said(found, "lifecycle_stage"), "deleted") == 0)
        return ki_fail(
            KITH_EINVAL,
            "MLflow at %.200s: the experiment \"%.100s\" was deleted; restore it, or name another "
            "by MLFLOW_EXPERIMENT_NAME",
            m->uri, m->experiment);
    return take_text(*answer, id, &m->experiment_id);
}

static kith_err make_experiment(ki_mlflow *m)
{
    static const char *const id[] = { "experiment_id", NULL };
    json_t *answer = NULL;
    kith_err err =
        call(m, "experiments/create", "", json_pack("{s:s}", "name", m->experiment), &answer);
    if (err == KITH_OK) err = take_text(answer, id, &m->experiment_id);
    json_decref(answer);
    return err;
}

static int is_missing(const json_t *answer)
{
    return strcmp(said(answer, "error_code"), "RESOURCE_DOES_NOT_EXIST") == 0;
}

/* Two that begin at once both find nothing, and one of them comes too late to make it: hence a second look. */
static kith_err settle_experiment(ki_mlflow *m)
{
    json_t *answer = NULL;
    kith_err err = find_experiment(m, &answer);
    if (err == KITH_EFORMAT && is_missing(answer)) {
        json_decref(answer);
        answer = NULL;
        err = make_experiment(m);
        if (err == KITH_EFORMAT) err = find_experiment(m, &answer);
    }
    json_decref(answer);
    return err;
}

static kith_err create_run(ki_mlflow *m, const char *name, const json_t *tags)
{
    static const char *const id[] = { "run", "info", "run_id", NULL };
    json_t *list = json_array(), *answer = NULL, *value;
    const char *key;
    json_object_foreach ((json_t *)tags, key, value)
        json_array_append_new(list, json_pack("{s:s, s:O}", "key", key, "value", value));
    json_array_append_new(list, json_pack("{s:s, s:s}", "key", "mlflow.runName", "value", name));
    kith_err err =
        call(m, "runs/create", "",
             json_pack("{s:s, s:I, s:s, s:o}", "experiment_id", m->experiment_id, "start_time",
                       (json_int_t)now_ms(), "run_name", name, "tags", list),
             &answer);
    if (err == KITH_OK) err = take_text(answer, id, &m->run_id);
    json_decref(answer);
    return err;
}

/* The URI without a slash at its end; user:password@ is no part of what is told. */
static kith_err take_uri(ki_mlflow *m, const char *uri)
{
    const size_t n = strlen(uri);
    if (strncmp(uri, "http://", 7) != 0 && strncmp(uri, "https://", 8) != 0)
        return ki_fail(KITH_EINVAL, "MLFLOW_TRACKING_URI: a server at http(s)://host:port is "
                                    "spoken to, and no other store");
    if (n >= sizeof m->uri || memchr(uri, '@', strcspn(uri + 8, "/") + 8) != NULL)
        return ki_fail(KITH_EINVAL,
                       "MLFLOW_TRACKING_URI: too long, or with a user before the @: use "
                       "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD");
    memcpy(m->uri, uri, n + 1);
    for (size_t j = n; j > 8 && m->uri[j - 1] == '/'; j--) m->uri[j - 1] = '\0';
    return KITH_OK;
}

static const char *named(const char *variable)
{
    const char *value = getenv(variable);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static kith_err begin(ki_mlflow *m, const char *uri, const char *run_name, const json_t *tags)
{
    const char *experiment = named("MLFLOW_EXPERIMENT_NAME");
    const ki_http_options o = { .user = named("MLFLOW_TRACKING_USERNAME"),
                                .password = named("MLFLOW_TRACKING_PASSWORD"),
                                .token = named("MLFLOW_TRACKING_TOKEN") };
    kith_err err;
    m->params = json_array();
    m->metrics = json_array();
    m->tags = json_array();
    if ((err = ki_strdup(&m->experiment, experiment == NULL ? "kith" : experiment)) != KITH_OK)
        return err;
    if ((err = take_uri(m, uri)) != KITH_OK) return err;
    if ((err = ki_http_new(&o, &m->http)) != KITH_OK) return err;
    if ((err = settle_experiment(m)) != KITH_OK) return err;
    return create_run(m, run_name, tags);
}

ki_mlflow *ki_mlflow_begin(const char *uri, const char *run_name, const json_t *tags)
{
    ki_mlflow *m = NULL;
    if (uri == NULL) uri = named("MLFLOW_TRACKING_URI");
    if (uri == NULL || uri[0] == '\0' || ki_alloc(&m, 1, sizeof *m) != KITH_OK) return NULL;
    if (begin(m, uri, run_name, tags) != KITH_OK) remember(m);
    return m;
}

/* ---- fill ---- */

/* Letters, digits, _ - . / and blanks are what MLflow allows; @ stands for a cut-off. */
static void allowed_name(const char *prefix, const char *name, char *out)
{
    const char *const parts[] = { prefix, name };
    size_t n = 0;
    for (int p = 0; p < 2; p++)
        for (const char *c = parts[p]; *c != '\0' && n + 5 < NAME_ROOM; c++) {
            const int plain = isalnum((unsigned char)*c) && (unsigned char)*c < 128;
            if (*c == '@')
                n += (size_t)snprintf(out + n, NAME_ROOM - n, "_at_");
            else
                out[n++] = plain || strchr("_-./ ", *c) != NULL ? *c : '_';
        }
    out[n] = '\0';
}

/* At most VALUE_ROOM - 1 bytes, cut between characters. */
static void add_pair(json_t *list, const char *name, const char *text)
{
    char value[VALUE_ROOM];
    size_t n = (size_t)KI_MIN(snprintf(value, sizeof value, "%s", text), VALUE_ROOM - 1);
    while (n > 0 && !ki_utf8_valid(value, n)) n--;
    value[n] = '\0';
    json_array_append_new(list, json_pack("{s:s, s:s}", "key", name, "value", value));
}

static void add_param(ki_mlflow *m, const char *prefix, const char *name, const json_t *value)
{
    char full[NAME_ROOM];
    if (m == NULL || m->run_id == NULL || value == NULL) return;
    allowed_name(prefix, name, full);
    if (json_is_object(value)) {
        const size_t n = strlen(full);
        snprintf(full + n, sizeof full - n, ".");
        ki_mlflow_params(m, full, value);
    } else if (json_is_string(value)) {
        add_pair(m->params, full, json_string_value(value));
    } else {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
        if (text != NULL) add_pair(m->params, full, text);
        free(text); /* jansson's */
    }
}

void ki_mlflow_param(ki_mlflow *m, const char *name, const json_t *value)
{
    add_param(m, "", name, value);
}

void ki_mlflow_params(ki_mlflow *m, const char *prefix, const json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)object, name, value) add_param(m, prefix, name, value);
}

void ki_mlflow_metric(ki_mlflow *m, const char *name, double value, int step)
{
    char full[NAME_ROOM];
    if (m == NULL || m->run_id == NULL || !isfinite(value)) return;
    allowed_name("", name, full);
    json_array_append_new(m->metrics, json_pack("{s:s, s:f, s:I, s:i}", "key", full, "value", value,
                                                "timestamp", (json_int_t)now_ms(), "step", step));
}

void ki_mlflow_tag(ki_mlflow *m, const char *name, const char *value)
{
    if (m != NULL && m->run_id != NULL) add_pair(m->tags, name, value);
}

/* ---- end ---- */

/* The next `most` elements of a list, from *from on. */
static json_t *slice(const json_t *list, size_t *from, size_t most)
{
    json_t *some = json_array();
    for (; most > 0 && *from < json_array_size(list); most--, (*from)++)
        json_array_append(some, json_array_get(list, *from));
    return some;
}

/* A batch that is refused is remembered, and the others are sent all the same. */
static void log_all(ki_mlflow *m)
{
    size_t params = 0, metrics = 0, tags = 0;
    do {
        json_t *answer = NULL;
        json_t *batch = json_pack("{s:s, s:o, s:o, s:o}", "run_id", m->run_id, "params",
                                  slice(m->params, &params, MOST_PARAMS), "metrics",
                                  slice(m->metrics, &metrics, MOST_METRICS), "tags",
                                  slice(m->tags, &tags, MOST_PARAMS));
        if (call(m, "runs/log-batch", "", batch, &answer) != KITH_OK) remember(m);
        json_decref(answer);
    } while (!m->away &&
             (params < json_array_size(m->params) || metrics < json_array_size(m->metrics)));
}

void ki_mlflow_end(ki_mlflow *m, const char *status)
{
    json_t *answer = NULL;
    if (m == NULL || m->run_id == NULL || m->ended) return;
    m->ended = 1;
    log_all(m);
    if (m->away) return;
    json_t *last = json_pack("{s:s, s:s, s:I}", "run_id", m->run_id, "status", status, "end_time",
                             (json_int_t)now_ms());
    if (call(m, "runs/update", "", last, &answer) != KITH_OK) remember(m);
    json_decref(answer);
}

/* Sentences may be cut within a character, and then lose it. */
static void tell(json_t *o, const char *member, const char *text)
{
    size_t n = text == NULL ? 0 : strlen(text);
    while (n > 0 && !ki_utf8_valid(text, n)) n--;
    if (n > 0) json_object_set_new(o, member, json_stringn(text, n));
}

json_t *ki_mlflow_json(const ki_mlflow *m)
{
    if (m == NULL) return NULL;
    json_t *o = json_pack("{s:b}", "logged", m->ended && m->why[0] == '\0');
    tell(o, "reason", m->why);
    tell(o, "server", m->uri);
    tell(o, "experiment", m->experiment);
    tell(o, "experiment_id", m->experiment_id);
    tell(o, "run_id", m->run_id);
    return o;
}

void ki_mlflow_free(ki_mlflow *m)
{
    if (m == NULL) return;
    ki_http_free(m->http);
    ki_free(m->experiment);
    ki_free(m->experiment_id);
    ki_free(m->run_id);
    json_decref(m->params);
    json_decref(m->metrics);
    json_decref(m->tags);
    ki_free(m);
}
