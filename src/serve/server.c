/* SPDX-License-Identifier: MIT
 * server.c -- kith_serve_start: the service and its HTTP, joined
 *
 * Up: configuration, service (store, engine, model), keys, site, sockets last, so that whoever connects is answered.
 * Down: sockets first, then what they stood on.
 */
#include "base/jsontext.h"
#include "serve/audit.h"
#include "serve/hosts.h"
#include "serve/http.h"
#include "serve/keystore.h"
#include "serve/routes.h"
#include "serve/site.h"
#include "tool/events.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct kith_server {
    json_t *config;
    ki_limits limits;
    ki_settings settings;
    ki_service *service;
    ki_audit *audit;
    ki_site site;
    ki_http *http;
    char url[320], first_key[KI_KEY_TEXT];
};

/* ---- what the site asks of the server ---- */

static kith_err is_ready(void *server)
{
    const kith_server *s = server;
    ki_store_counts n;
    return ki_store_count(ki_service_store(s->service), &n);
}

static void store_gauges(const kith_server *s, ki_text *out)
{
    ki_store_counts n;
    if (ki_store_count(ki_service_store(s->service), &n) != KITH_OK) return;
    ki_metric(out, "kith_store_users", "gauge", "Users in the store.", (double)n.users);
    ki_metric(out, "kith_store_items", "gauge", "Items in the store.", (double)n.items);
    ki_metric(out, "kith_store_events", "gauge", "Events in the store.", (double)n.events);
    ki_metric(out, "kith_store_bytes", "gauge", "Size of the store on the disk.", (double)n.bytes);
    ki_metric(out, "kith_store_commits_total", "counter", "Transactions that reached the disk.",
              (double)n.commits);
    ki_metric(out, "kith_store_batches_total", "counter", "Batches of changes that were kept.",
              (double)n.batches);
    ki_metric(out, "kith_store_changes_total", "counter", "Changes that were kept.",
              (double)n.changes);
    ki_metric(out, "kith_store_last_commit_seconds", "gauge", "How long the last transaction took.",
              (double)n.last_commit_us / 1e6);
    ki_metric(out, "kith_store_queued", "gauge", "Batches that wait for the disk.",
              (double)n.queued);
}

static void live_gauges(const kith_server *s, ki_text *out)
{
    ki_live_counts n;
    ki_live_count(ki_service_live(s->service), &n);
    ki_metric(out, "kith_live_users", "gauge", "Users that the engine knows.", (double)n.users);
    ki_metric(out, "kith_live_items", "gauge", "Items that the engine knows.", (double)n.items);
    ki_metric(out, "kith_live_hidden_items", "gauge", "Items that are hidden.", (double)n.hidden);
    ki_metric(out, "kith_live_pairs", "gauge", "Pairs of user and item with events.",
              (double)n.pairs);
    ki_metric(out, "kith_live_bytes", "gauge", "Memory of the engine.", (double)n.bytes);
    ki_metric(out, "kith_model_events_since", "gauge",
              "Events since the data of the model in force was taken.", (double)n.since_model);
}

/* How long ago the model in force was trained; without one nothing is said. */
static void model_age(const kith_server *s, const char *version, ki_text *out)
{
    json_t *document = NULL;
    struct timespec now;
    if (version == NULL || version[0] == '\0' ||
        ki_store_get(ki_service_store(s->service), KI_DOCUMENTS, "model", version, &document) !=
            KITH_OK)
        return;
    const double ms = json_number_value(json_object_get(document, "trained_ms"));
    clock_gettime(CLOCK_REALTIME, &now);
    if (ms > 0)
        ki_metric(out, "kith_model_age_seconds", "gauge",
                  "How long ago the model in force was trained.", (double)now.tv_sec - ms / 1000);
    json_decref(document);
}

static void list_counters(const kith_server *s, ki_text *out)
{
    json_t *status = NULL;
    if (ki_service_status(s->service, &status) != KITH_OK) return;
    const double lists = json_number_value(json_object_get(status, "lists")),
                 cached = json_number_value(json_object_get(status, "lists_from_cache"));
    ki_metric(out, "kith_lists_total", "counter", "Lists that were asked for.", lists);
    ki_metric(out, "kith_lists_from_cache_total", "counter", "Lists that were found in the cache.",
              cached);
    ki_metric(out, "kith_exposures_lost_total", "counter",
              "Lists that could not be written into the journal in time.",
              json_number_value(json_object_get(status, "exposures_lost")));
    model_age(s, json_string_value(json_object_get(status, "model")), out);
    json_decref(status);
}

static void gauges(void *server, ki_text *out)
{
    kith_server *s = server;
    ki_http_counts n;
    ki_http_count(s->http, &n);
    ki_metric(out, "kith_http_connections", "gauge", "Connections that are open.", (double)n.open);
    ki_metric(out, "kith_http_connections_total", "counter", "Connections accepted.",
              (double)n.accepted);
    ki_metric(out, "kith_http_late_total", "counter",
              "Connections shut because the client was late.", (double)n.late);
    ki_metric(out, "kith_http_waiting", "gauge", "Requests that wait for a worker.",
              (double)n.waiting);
    ki_metric(out, "kith_http_streams", "gauge", "Streams that are open.", (double)n.streams);
    store_gauges(s, out);
    live_gauges(s, out);
    list_counters(s, out);
}

static void debug(void *server, json_t *into)
{
    kith_server *s = server;
    ki_http_counts n;
    json_t *build = NULL, *status = NULL;
    char *text = NULL;
    ki_http_count(s->http, &n);
    json_object_set_new(into, "http",
                        json_pack("{s:I, s:I, s:I, s:I, s:I}", "connections", (json_int_t)n.open,
                                  "accepted", (json_int_t)n.accepted, "late", (json_int_t)n.late,
                                  "waiting", (json_int_t)n.waiting, "streams",
                                  (json_int_t)n.streams));
    if (ki_service_status(s->service, &status) == KITH_OK)
        json_object_set_new(into, "service", status);
    if (kith_build_info(&text) == KITH_OK && (build = json_loads(text, 0, NULL)) != NULL)
        json_object_set_new(into, "build", build);
    kith_string_free(text);
}

static void audit(void *server, const ki_call *c)
{
    ki_audit_call(((kith_server *)server)->audit, c);
}

/* ---- up ---- */

/* A section that nobody reads is a slip of the fingers. */
static kith_err check_sections(const json_t *config)
{
    const char *name;
    json_t *value, *schema = ki_limits_schema();
    kith_err err = KITH_OK;
    json_object_foreach ((json_t *)config, name, value)
        if (err == KITH_OK && strcmp(name, "service") != 0 &&
            json_object_get(json_object_get(schema, "properties"), name) == NULL)
            err = ki_fail(KITH_EINVAL,
                          "the configuration has a section \"%.60s\" that there is not", name);
    json_decref(schema);
    return err;
}

static kith_err read_config(kith_server *s, const char *text)
{
    json_error_t e;
    kith_err err;
    s->config = text != NULL ? json_loads(text, JSON_REJECT_DUPLICATES, &e) : json_object();
    if (s->config == NULL && text != NULL)
        return ki_fail(KITH_EFORMAT, "the configuration is no JSON: %s (line %d)", e.text, e.line);
    if (s->config == NULL) return ki_fail_memory(64);
    if (!json_is_object(s->config))
        return ki_fail(KITH_EFORMAT, "the configuration is no JSON object");
    if ((err = check_sections(s->config)) != KITH_OK) return err;
    if ((err = ki_limits_read(s->config, &s->limits)) != KITH_OK) return err;
    return ki_settings_read(s->config, &s->settings);
}

static kith_err open_service(kith *k, const kith_serve_options *o, kith_server *s)
{
    const ki_service_options how = {
        .db = o->db,
        .data = o->data,
        .read = o->read,
        .model = o->model,
        .params = o->params,
        .n_params = o->n_params,
        .settings = &s->settings,
        .k = k,
        .event = o->event,
        .udata = o->udata,
    };
    return ki_service_open(&how, &s->service);
}

/* A store without an administrator's key gets one, told once. */
static kith_err open_keys(kith_server *s)
{
    ki_key first = { .role = KI_ROLE_ADMIN, .label = "first administrator" };
    const kith_err err = ki_keystore_load(s->service, &s->site.keys);
    if (err != KITH_OK || ki_keystore_admins(s->site.keys) > 0) return err;
    return ki_keystore_make(s->service, s->site.keys, ki_clock_ns(), &first, s->first_key,
                            &(int){ 0 });
}

static void tell_start(const kith_server *s, const kith_serve_options *o)
{
    const kith_run_options log = { .event = o->event, .udata = o->udata };
    if (o->event == NULL) return;
    ki_event(&log, "listening",
             json_pack("{s:s, s:b, s:s}", "url", s->url, "keys", s->site.keys != NULL, "version",
                       kith_version()));
}

/* The last line of a service that listened: without it the process was killed. */
static void tell_end(const kith_server *s, const kith_run_options *log)
{
    if (s->http == NULL || log->event == NULL) return;
    ki_event(log, "stopped", json_pack("{s:s}", "url", s->url));
}

static kith_err open_site(const kith_serve_options *o, kith_server *s)
{
    kith_err err = ki_site_begin(&s->site, ki_route_groups, &s->limits, !o->insecure_local);
    if (err != KITH_OK) return err;
    s->site.service = s->service;
    s->site.event = o->event;
    s->site.udata = o->udata;
    s->site.hooks = (ki_hooks){
        .server = s, .ready = is_ready, .gauges = gauges, .debug = debug, .audit = audit
    };
    if (!o->insecure_local && (err = open_keys(s)) != KITH_OK) return err;
    return ki_audit_new(s->service, &s->audit);
}

static const char *host_of(const kith_serve_options *o)
{
    return o->host != NULL ? o->host : "127.0.0.1";
}

static int port_of(const kith_serve_options *o)
{
    return o->port == 0 ? 8080 : KI_MAX(o->port, 0);
}

static kith_err listen_there(const kith_serve_options *o, kith_server *s)
{
    const char *host = host_of(o);
    const kith_err err = ki_http_start(&s->site, host, port_of(o), &s->http);
    if (err != KITH_OK) return err;
    const int six = strchr(host, ':') != NULL;
    snprintf(s->url, sizeof s->url, "http%s://%s%.255s%s:%d", s->limits.tls_cert != NULL ? "s" : "",
             six ? "[" : "", host, six ? "]" : "", ki_http_port(s->http));
    return KITH_OK;
}

static kith_err check_options(const kith *k, const kith_serve_options *o, kith_server **out)
{
    if (k == NULL || o == NULL || out == NULL)
        return ki_fail(KITH_EINVAL, "kith_serve_start: an argument is NULL");
    if (o->port > 65535) return ki_fail(KITH_EINVAL, "port %d: want 1 to 65535", o->port);
    if (o->insecure_local && !ki_host_is_loopback(o->host))
        return ki_fail(
            KITH_EINVAL,
            "without keys the service listens on a loopback address only, not on %s; use keys",
            o->host);
    return KITH_OK;
}

kith_err kith_serve_start(kith *k, const kith_serve_options *options, kith_server **out)
{
    kith_server *s = NULL;
    kith_err err = check_options(k, options, out);
    if (err != KITH_OK || (err = ki_alloc(&s, 1, sizeof *s)) != KITH_OK) return err;
    /* a port that is taken is told before the data are read and the first key is made */
    if ((err = read_config(s, options->config)) == KITH_OK &&
        (err = ki_http_probe(host_of(options), port_of(options))) == KITH_OK &&
        (err = open_service(k, options, s)) == KITH_OK &&
        (err = open_site(options, s)) == KITH_OK && (err = listen_there(options, s)) == KITH_OK) {
        tell_start(s, options);
        *out = s;
        return KITH_OK;
    }
    char message[KI_MESSAGE_SIZE];
    ki_message_get(message);
    kith_serve_stop(s, 0);
    ki_message_set(message);
    return err;
}

int kith_serve_port(const kith_server *server)
{
    return server != NULL && server->http != NULL ? ki_http_port(server->http) : 0;
}

const char *kith_serve_url(const kith_server *server)
{
    return server != NULL ? server->url : "";
}

const char *kith_serve_first_key(const kith_server *server)
{
    return server != NULL ? server->first_key : "";
}

kith_err kith_serve_json(const kith_server *server, char **json)
{
    json_t *o = NULL;
    if (server == NULL || json == NULL)
        return ki_fail(KITH_EINVAL, "kith_serve_json: server and json must not be NULL");
    const kith_err err = ki_service_status(server->service, &o);
    return err == KITH_OK ? ki_json_print(o, json) : err;
}

/* ---- down ---- */

void kith_serve_stop(kith_server *s, double seconds)
{
    if (s == NULL) return;
    const kith_run_options log = { .event = s->site.event, .udata = s->site.udata };
    if (s->service != NULL) ki_service_cancel_runs(s->service);
    ki_http_stop(s->http, seconds);
    ki_audit_free(s->audit);
    ki_service_close(s->service);
    ki_site_end(&s->site);
    json_decref(s->config);
    tell_end(s, &log);
    sodium_memzero(s->first_key, sizeof s->first_key);
    ki_free(s);
}
