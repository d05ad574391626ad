/* SPDX-License-Identifier: MIT
 * routes_health.c -- is it alive, what is it, how does it do, and how is it used
 */
#include "base/mem.h"
#include "serve/call.h"
#include "serve/pages.h"
#include "serve/routes.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* ---- health ---- */

static const ki_shape a_state[] = {
    { .name = "status", .kind = KI_IS_TEXT, .required = 1, .about = "ok" },
};
static const ki_shape state = {
    .kind = KI_IS_OBJECT, KI_INSIDE(a_state), .type = "Health", .example = "{\"status\": \"ok\"}"
};

static const char ok[] = "{\"status\":\"ok\"}";

static kith_err live(ki_call *c)
{
    return ki_reply_static(c, ok, sizeof ok - 1, "application/json", NULL);
}

static kith_err ready(ki_call *c)
{
    const ki_hooks *h = &c->site->hooks;
    if (h->ready != NULL && h->ready(h->server) != KITH_OK)
        return ki_call_refuse(c, 503, KITH_EIO, "%s", kith_last_error());
    return live(c);
}

/* ---- version ---- */

static const ki_shape a_version[] = {
    { .name = "version", .kind = KI_IS_TEXT, .required = 1, .about = "of kith" },
    { .name = "api", .kind = KI_IS_TEXT, .required = 1, .about = "of the paths: v1" },
};
static const ki_shape version = { .kind = KI_IS_OBJECT, KI_INSIDE(a_version), .type = "Version" };

static kith_err tell_version(ki_call *c)
{
    return ki_reply_json(c, json_pack("{s:s, s:s}", "version", kith_version(), "api", "v1"));
}

/* ---- metrics ---- */

static void print_process(const ki_site *site, ki_text *out)
{
    struct rusage u;
    long pages = 0;
    FILE *in = fopen("/proc/self/statm", "r");
    if (in != NULL && fscanf(in, "%*d %ld", &pages) != 1) pages = 0;
    if (in != NULL) fclose(in);
    getrusage(RUSAGE_SELF, &u);
    ki_metric(out, "process_resident_memory_bytes", "gauge", "Memory in use.",
              (double)pages * (double)sysconf(_SC_PAGESIZE));
    ki_metric(out, "process_cpu_seconds_total", "counter", "Processor time, of user and system.",
              (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                  (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
    ki_metric(out, "process_start_time_seconds", "gauge", "When the service began, since 1970.",
              (double)site->started);
    ki_metric(out, "kith_up_seconds", "gauge", "Seconds since the service began.",
              (double)((int64_t)time(NULL) - site->started));
}

static void print_build(ki_text *out)
{
    ki_text_say(out, "# HELP kith_build_info Which kith this is.\n# TYPE kith_build_info "
                     "gauge\nkith_build_info{version=\"");
    ki_text_say(out, kith_version());
    ki_text_say(out, "\"} 1\n");
}

static kith_err metrics(ki_call *c)
{
    ki_text t = { 0 };
    const ki_hooks *h = &c->site->hooks;
    ki_meter_print(c->site->meter, &t);
    print_process(c->site, &t);
    print_build(&t);
    if (h->gauges != NULL) h->gauges(h->server, &t);
    if (t.err != KITH_OK) {
        ki_text_clear(&t);
        return KITH_ENOMEM;
    }
    return ki_reply_text(c, t.at, t.n, "text/plain; version=0.0.4; charset=utf-8");
}

/* ---- documentation ---- */

static kith_err openapi(ki_call *c)
{
    return ki_reply_static(c, c->site->openapi_text, c->site->n_openapi, "application/json", NULL);
}

static const ki_shape document = { .kind = KI_IS_OPEN,
                                   .about = "an OpenAPI 3.1 document",
                                   .type = "OpenApi" };

/* The pages ask only the service itself; nothing from elsewhere runs in them. */
static kith_err show(ki_call *c, const ki_page *page)
{
    const kith_err err = ki_reply_header(
        c, "Content-Security-Policy",
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'");
    return err != KITH_OK
               ? err
               : ki_reply_static(c, page->bytes, page->n, "text/html; charset=utf-8", page->etag);
}

static kith_err docs(ki_call *c)
{
    return show(c, &ki_page_docs);
}

static kith_err dashboard(ki_call *c)
{
    return show(c, &ki_page_dashboard);
}

static kith_err to_dashboard(ki_call *c)
{
    ki_reply_status(c, 302);
    return ki_reply_header(c, "Location", "/v1/dashboard");
}

/* ---- debug ---- */

static const ki_shape anything = { .kind = KI_IS_OPEN,
                                   .about = "for people; its members may change",
                                   .type = "Debug" };

static kith_err debug(ki_call *c)
{
    const ki_hooks *h = &c->site->hooks;
    json_t *o = json_pack("{s:s, s:I, s:I, s:I}", "version", kith_version(), "up_seconds",
                          (json_int_t)((int64_t)time(NULL) - c->site->started), "requests",
                          (json_int_t)ki_meter_requests(c->site->meter), "in_flight",
                          (json_int_t)ki_meter_in_flight(c->site->meter));
    if (o != NULL && h->debug != NULL) h->debug(h->server, o);
    return ki_reply_json(c, o);
}

/* ---- routes ---- */

static const ki_route routes[] = {
    { "GET", "/v1/health/live", "health_live", "Is the process alive?", NULL, KI_ROLE_NOBODY,
      KI_ROUTE_QUICK, .reply = &state, .run = live },
    { "GET", "/v1/health/ready", "health_ready", "Can it answer?",
      "503 while it cannot, with the reason: for load balancers.", KI_ROLE_NOBODY, 0,
      .reply = &state, .run = ready },
    { "GET", "/v1/version", "version", "Which kith is this?", NULL, KI_ROLE_NOBODY, 0,
      .reply = &version, .run = tell_version },
    { "GET", "/v1/metrics", "metrics", "Metrics for Prometheus",
      "Text exposition format: requests by route and status, times as histograms, the store, the "
      "live engine.",
      KI_ROLE_READ, KI_ROUTE_RAW, .run = metrics },
    { "GET", "/v1/debug", "debug", "What is going on inside", "Connections, queues, memory, build.",
      KI_ROLE_ADMIN, 0, .reply = &anything, .run = debug },
    { "GET", "/v1/openapi.json", "openapi", "This description", NULL, KI_ROLE_NOBODY, 0,
      .reply = &document, .run = openapi },
    { "GET", "/v1/docs", "docs", "This description, to be read and tried", NULL, KI_ROLE_NOBODY,
      KI_ROUTE_RAW | KI_ROUTE_HIDDEN, .run = docs },
    { "GET", "/v1/dashboard", "dashboard", "What is here, how it does, and a place to ask", NULL,
      KI_ROLE_NOBODY, KI_ROUTE_RAW | KI_ROUTE_HIDDEN, .run = dashboard },
    { "GET", "/", "root", "To the dashboard", NULL, KI_ROLE_NOBODY, KI_ROUTE_RAW | KI_ROUTE_HIDDEN,
      .status = 302, .run = to_dashboard },
};

const ki_route_group ki_routes_health = { "service", "Health, version, metrics and documentation",
                                          routes, KI_COUNT(routes) };
