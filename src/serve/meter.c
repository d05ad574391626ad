/* SPDX-License-Identifier: MIT
 * meter.c -- counters and histograms in slots, printed as Prometheus reads them
 */
#include "serve/meter.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

const char *const ki_stage_names[] = { "queue", "read", "check", "run", "send", NULL };

/* Upper ends in nanoseconds, and as they are printed. */
static const struct {
    int64_t ns;
    const char *text;
} buckets[] = {
    { 50000, "5e-05" },    { 100000, "0.0001" },  { 250000, "0.00025" }, { 500000, "0.0005" },
    { 1000000, "0.001" },  { 2500000, "0.0025" }, { 5000000, "0.005" },  { 10000000, "0.01" },
    { 25000000, "0.025" }, { 50000000, "0.05" },  { 100000000, "0.1" },  { 250000000, "0.25" },
    { 500000000, "0.5" },  { 1000000000, "1" },   { 2500000000, "2.5" }, { 5000000000, "5" },
    { 10000000000, "10" },
};
enum { BUCKETS = KI_COUNT(buckets) + 1 }; /* the last: beyond all */

/* What the service answers; others are counted under 0. */
static const int statuses[] = { 0,   200, 201, 202, 204, 206, 304, 400, 401, 403, 404, 405, 408,
                                409, 412, 413, 414, 415, 422, 429, 431, 500, 501, 503, 504, 507 };
enum { STATUSES = KI_COUNT(statuses) };

typedef struct histogram {
    atomic_llong count[BUCKETS], sum_ns;
} histogram;

typedef struct per_route {
    histogram seconds;
    atomic_llong by_status[STATUSES];
} per_route;

typedef struct slot {
    atomic_llong begun, ended, bytes_in, bytes_out;
    histogram stages[KI_STAGES];
    per_route routes[]; /* [n_routes + 1]: the last is for what has no route */
} slot;

struct ki_meter {
    const ki_router *router;
    int n_routes;
    slot *slots[KI_METER_SLOTS];
};

kith_err ki_meter_new(const ki_router *router, ki_meter **out)
{
    ki_meter *m = NULL;
    kith_err err = ki_alloc(&m, 1, sizeof *m);
    if (err != KITH_OK) return err;
    m->router = router;
    m->n_routes = router->n;
    for (int s = 0; s < KI_METER_SLOTS; s++) {
        err =
            ki_alloc(&m->slots[s], 1, sizeof(slot) + (size_t)(m->n_routes + 1) * sizeof(per_route));
        if (err != KITH_OK) {
            ki_meter_free(m);
            return err;
        }
    }
    *out = m;
    return KITH_OK;
}

void ki_meter_free(ki_meter *m)
{
    if (m == NULL) return;
    for (int s = 0; s < KI_METER_SLOTS; s++) ki_free(m->slots[s]);
    ki_free(m);
}

/* ---- counting ---- */

static slot *mine(ki_meter *m)
{
    static atomic_uint threads;
    static _Thread_local unsigned number;
    if (number == 0) number = atomic_fetch_add(&threads, 1) + 1;
    return m->slots[number % KI_METER_SLOTS];
}

static void add(atomic_llong *at, int64_t n)
{
    atomic_fetch_add_explicit(at, n, memory_order_relaxed);
}

static int64_t get(const atomic_llong *at)
{
    return atomic_load_explicit((atomic_llong *)at, memory_order_relaxed);
}

static void observe(histogram *h, int64_t ns)
{
    size_t b = 0;
    while (b < KI_COUNT(buckets) && ns > buckets[b].ns) b++;
    add(&h->count[b], 1);
    add(&h->sum_ns, ns);
}

void ki_meter_begin(ki_meter *m)
{
    add(&mine(m)->begun, 1);
}

void ki_meter_stage(ki_meter *m, ki_stage stage, int64_t ns)
{
    observe(&mine(m)->stages[stage], ns);
}

void ki_meter_end(ki_meter *m, int route, int status, int64_t ns, int64_t bytes_in,
                  int64_t bytes_out)
{
    slot *s = mine(m);
    per_route *r = &s->routes[route >= 0 ? route : m->n_routes];
    size_t at = 0;
    for (size_t j = 1; j < STATUSES; j++)
        if (statuses[j] == status) at = j;
    add(&r->by_status[at], 1);
    observe(&r->seconds, ns);
    add(&s->bytes_in, bytes_in);
    add(&s->bytes_out, bytes_out);
    add(&s->ended, 1);
}

/* ---- adding up ---- */

/* The sum over slots of the counter that lies `offset` bytes into a slot. */
static int64_t sum_at(const ki_meter *m, size_t offset)
{
    int64_t sum = 0;
    for (int s = 0; s < KI_METER_SLOTS; s++)
        sum += get((const atomic_llong *)((const char *)m->slots[s] + offset));
    return sum;
}

int64_t ki_meter_in_flight(const ki_meter *m)
{
    const int64_t ended =
        sum_at(m, offsetof(slot, ended)); /* first, so that the difference is never below 0 */
    return sum_at(m, offsetof(slot, begun)) - ended;
}

int64_t ki_meter_requests(const ki_meter *m)
{
    return sum_at(m, offsetof(slot, ended));
}

/* ---- printing ---- */

static void head(ki_text *out, const char *name, const char *kind, const char *help)
{
    char line[400];
    ki_text_add(out, line,
                (size_t)snprintf(line, sizeof line, "# HELP %s %s\n# TYPE %s %s\n", name, help,
                                 name, kind));
}

void ki_metric(ki_text *out, const char *name, const char *kind, const char *help, double value)
{
    char line[200];
    head(out, name, kind, help);
    ki_text_add(out, line, (size_t)snprintf(line, sizeof line, "%s %.15g\n", name, value));
}

static void print_histogram(const ki_meter *m, ki_text *out, const char *name, const char *labels,
                            size_t offset)
{
    char line[400];
    int64_t below = 0;
    for (size_t b = 0; b < BUCKETS; b++) {
        below += sum_at(m, offset + offsetof(histogram, count) + b * sizeof(atomic_llong));
        ki_text_add(out, line,
                    (size_t)snprintf(line, sizeof line, "%s_bucket{%s,le=\"%s\"} %lld\n", name,
                                     labels, b < KI_COUNT(buckets) ? buckets[b].text : "+Inf",
                                     (long long)below));
    }
    const double sum = (double)sum_at(m, offset + offsetof(histogram, sum_ns)) / 1e9;
    ki_text_add(out, line,
                (size_t)snprintf(line, sizeof line, "%s_sum{%s} %.9g\n%s_count{%s} %lld\n", name,
                                 labels, sum, name, labels, (long long)below));
}

static size_t route_at(int j)
{
    return offsetof(slot, routes) + (size_t)j * sizeof(per_route);
}

static void route_labels(const ki_meter *m, int j, char *out, size_t size)
{
    const ki_route *r = j < m->n_routes ? m->router->entries[j].route : NULL;
    snprintf(out, size, "route=\"%s\",method=\"%s\"", r != NULL ? r->path : "none",
             r != NULL ? r->method : "any");
}

/* Every route with every status that it has answered, and 200 at least, so that a rate of nothing is 0. */
static void print_requests(const ki_meter *m, ki_text *out)
{
    char labels[240], line[400];
    head(out, "kith_http_requests_total", "counter",
         "Requests by route and status; status 0 is a client that went away.");
    for (int j = 0; j <= m->n_routes; j++) {
        route_labels(m, j, labels, sizeof labels);
        for (size_t s = 0; s < STATUSES; s++) {
            const int64_t n =
                sum_at(m, route_at(j) + offsetof(per_route, by_status) + s * sizeof(atomic_llong));
            if (n == 0 && statuses[s] != 200) continue;
            ki_text_add(out, line,
                        (size_t)snprintf(line, sizeof line,
                                         "kith_http_requests_total{%s,status=\"%d\"} %lld\n",
                                         labels, statuses[s], (long long)n));
        }
    }
}

static int was_asked(const ki_meter *m, int j)
{
    int64_t n = 0;
    for (size_t b = 0; b < BUCKETS; b++)
        n += sum_at(m, route_at(j) + offsetof(per_route, seconds) + b * sizeof(atomic_llong));
    return n > 0;
}

static void print_seconds(const ki_meter *m, ki_text *out)
{
    char labels[240];
    head(out, "kith_http_request_seconds", "histogram",
         "From the first line of a request to the end of its reply.");
    for (int j = 0; j <= m->n_routes; j++) {
        if (!was_asked(m, j)) continue;
        route_labels(m, j, labels, sizeof labels);
        print_histogram(m, out, "kith_http_request_seconds", labels,
                        route_at(j) + offsetof(per_route, seconds));
    }
    head(out, "kith_http_stage_seconds", "histogram", "Where the time of a request goes.");
    for (int s = 0; s < KI_STAGES; s++) {
        snprintf(labels, sizeof labels, "stage=\"%s\"", ki_stage_names[s]);
        print_histogram(m, out, "kith_http_stage_seconds", labels,
                        offsetof(slot, stages) + (size_t)s * sizeof(histogram));
    }
}

void ki_meter_print(const ki_meter *m, ki_text *out)
{
    print_requests(m, out);
    print_seconds(m, out);
    ki_metric(out, "kith_http_in_flight", "gauge", "Requests that have begun and not ended.",
              (double)ki_meter_in_flight(m));
    ki_metric(out, "kith_http_request_bytes_total", "counter", "Bytes of bodies received.",
              (double)sum_at(m, offsetof(slot, bytes_in)));
    ki_metric(out, "kith_http_response_bytes_total", "counter", "Bytes of replies.",
              (double)sum_at(m, offsetof(slot, bytes_out)));
}
