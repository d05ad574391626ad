/* SPDX-License-Identifier: MIT
 * http.c -- sockets, threads and libmicrohttpd
 *
 * One flow is one request on one connection.  libmicrohttpd calls on_request once with the headers, again with
 * each piece of the body, and once more at its end.  A flow that goes to the crew is suspended first and
 * resumed when its errand is done, and on_request finds it where it left off.
 */
#include "serve/http.h"

#include "serve/crew.h"
#include "serve/door.h"
#include "serve/reaper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum {
    MEMORY = 4096, /* of a connection, beside its headers: for a piece of a body */
    PASSED_OVER =
        262144, /* bytes of a refused body that are read so that the client sees the refusal */
    HEARTBEAT_S = 15,
};

struct ki_http {
    ki_site *site;
    struct MHD_Daemon *daemon;
    ki_crew *crew;
    ki_reaper *reaper;
    ki_door *door;
    char *cert, *key;
    int port, listening; /* -1: none */
    int most;            /* connections */
    atomic_int guests;   /* that were let in and have not left */
    atomic_int stopping;
    atomic_int streams;
    pthread_mutex_t lock; /* guards the list of streams that wait for news */
    struct flow *waiting;
};

enum state { HEADERS, BODY, AWAY, DONE, REPLIED };

typedef struct flow {
    ki_http *http;
    struct MHD_Connection *connection;
    ki_peer *peer;
    ki_call *call; /* NULL: not yet */
    _Atomic(enum state) state;
    int64_t passed_over, sent_off, away;
    ki_errand errand;
    char *piece; /* of a body of lines, while the crew has it */
    size_t n_piece, room;

    char *news; /* of a stream, being sent */
    size_t n_news, at_news;
    int64_t last_news;
    int is_stream;
    struct flow *next; /* among those that wait */
    char address[INET6_ADDRSTRLEN];
    char target[]; /* as it came */
} flow;

static int64_t after(double seconds)
{
    return ki_clock_ns() + (int64_t)(seconds * 1e9);
}

/* ---- replies ---- */

static struct MHD_Response *whole_response(ki_reply *r)
{
    if (r->owned == NULL)
        return MHD_create_response_from_buffer(r->n, (void *)r->bytes, MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *m =
        MHD_create_response_from_buffer_with_free_callback(r->n, r->owned, ki_free);
    if (m != NULL) r->owned = NULL; /* libmicrohttpd's now */
    return m;
}

static ssize_t read_stream(void *arg, uint64_t at, char *out, size_t room);

static struct MHD_Response *stream_response(flow *f)
{
    f->is_stream = 1;
    f->last_news = ki_clock_ns();
    atomic_fetch_add(&f->http->streams, 1);
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, read_stream, f, NULL);
}

static void add_headers(flow *f, struct MHD_Response *m)
{
    const ki_reply *r = &f->call->reply;
    int has_tag = 0;
    for (int j = 0; j < r->n_headers; j++) {
        MHD_add_response_header(m, r->headers[j].name, r->headers[j].value);
        has_tag |= strcmp(r->headers[j].name, "ETag") == 0;
    }
    if (r->type != NULL) MHD_add_response_header(m, "Content-Type", r->type);
    MHD_add_response_header(m, "X-Request-Id", f->call->id);
    MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(m, "Cache-Control", has_tag ? "no-cache" : "no-store");
    if (atomic_load(&f->http->stopping)) MHD_add_response_header(m, "Connection", "close");
}

static enum MHD_Result answer(flow *f)
{
    ki_call *c = f->call;
    const ki_limits *l = f->http->site->limits;
    if (c->reply.next != NULL && atomic_load(&f->http->streams) >= l->streams)
        ki_call_problem(c, 503,
                        ki_fail(KITH_EINVAL,
                                "%lld streams are open, which is as many as there may be",
                                (long long)l->streams));
    struct MHD_Response *m = c->reply.next != NULL ? stream_response(f) : whole_response(&c->reply);
    if (m == NULL) return MHD_NO;
    add_headers(f, m);
    f->state = REPLIED;
    ki_peer_due(f->peer, f->is_stream
                             ? 0
                             : after(l->reply_seconds +
                                     (double)c->reply.n / (double)l->min_bytes_per_second));
    const enum MHD_Result ok = MHD_queue_response(f->connection, (unsigned)c->reply.status, m);
    MHD_destroy_response(m);
    return ok;
}

/* ---- streams ---- */

/* Each line of a text becomes a line of data; a raw stream goes out as it is. */
static kith_err frame(flow *f, char *text)
{
    ki_text t = { 0 };
    if (f->call->entry->route->flags & KI_ROUTE_RAW) {
        f->news = text;
        f->n_news = strlen(text);
        return KITH_OK;
    }
    for (const char *s = text; s != NULL;) {
        const size_t n = strcspn(s, "\n");
        ki_text_say(&t, "data: ");
        ki_text_add(&t, s, n);
        ki_text_say(&t, "\n");
        s = s[n] == '\n' ? s + n + 1 : NULL;
    }
    ki_text_say(&t, "\n");
    ki_free(text);
    f->news = t.at;
    f->n_news = t.n;
    return t.err;
}

/* A stream that has said nothing for a while says so, or proxies close it. */
static kith_err heartbeat(flow *f)
{
    const int raw = (f->call->entry->route->flags & KI_ROUTE_RAW) != 0;
    if (raw || ki_clock_ns() - f->last_news < (int64_t)HEARTBEAT_S * 1000000000) return KITH_OK;
    const kith_err err = ki_strdup(&f->news, ": nothing new\n\n");
    f->n_news = err == KITH_OK ? strlen(f->news) : 0;
    return err;
}

static kith_err get_news(flow *f)
{
    char *text = NULL;
    ki_reply *r = &f->call->reply;
    if (atomic_load(&f->http->stopping)) return KITH_ECANCELED;
    kith_err err = r->next(r->udata, &text);
    if (err == KITH_OK && text != NULL) err = frame(f, text);
    if (err == KITH_OK && f->news == NULL) err = heartbeat(f);
    if (f->news != NULL) f->last_news = ki_clock_ns();
    f->at_news = 0;
    return err;
}

/* 0: the service stops, and nothing may be suspended any more. */
static int wait_for_news(flow *f)
{
    ki_http *h = f->http;
    pthread_mutex_lock(&h->lock);
    const int may = !atomic_load(&h->stopping);
    if (may) {
        MHD_suspend_connection(f->connection);
        f->next = h->waiting;
        h->waiting = f;
    }
    pthread_mutex_unlock(&h->lock);
    return may;
}

/* libmicrohttpd asks for more when it has written what it had: a client that stops reading is late with that. */
static void taken_due(flow *f, size_t n)
{
    const ki_limits *l = f->http->site->limits;
    ki_peer_due(f->peer, after(l->reply_seconds + (double)n / (double)l->min_bytes_per_second));
}

static ssize_t read_stream(void *arg, uint64_t at, char *out, size_t room)
{
    flow *f = arg;
    (void)at;
    if (f->news == NULL) {
        ki_peer_due(f->peer, 0); /* it has taken all that there was */
        if (get_news(f) != KITH_OK) return MHD_CONTENT_READER_END_OF_STREAM;
        if (f->news == NULL) return wait_for_news(f) ? 0 : MHD_CONTENT_READER_END_OF_STREAM;
    }
    const size_t n = KI_MIN(room, f->n_news - f->at_news);
    taken_due(f, n);
    memcpy(out, f->news + f->at_news, n);
    f->at_news += n;
    f->call->reply.n += n;
    if (f->at_news == f->n_news) {
        ki_free(f->news);
        f->news = NULL;
    }
    return (ssize_t)n;
}

static void wake_streams(void *arg)
{
    ki_http *h = arg;
    pthread_mutex_lock(&h->lock);
    flow *f = h->waiting;
    h->waiting = NULL;
    while (f != NULL) {
        flow *next = f->next; /* once resumed it may wait again, or be gone */
        MHD_resume_connection(f->connection);
        f = next;
    }
    pthread_mutex_unlock(&h->lock);
}

/* ---- the crew ---- */

static void body_due(flow *f)
{
    const ki_limits *l = f->http->site->limits;
    const double more = (double)f->call->n_body / (double)l->min_bytes_per_second;
    ki_peer_due(f->peer, f->call->opened + f->away + (int64_t)((l->body_seconds + more) * 1e9));
}

static void piece_done(void *arg)
{
    flow *f = arg;
    ki_call_take(f->call, f->piece, f->n_piece);
    f->away += ki_clock_ns() - f->sent_off; /* the service's own time */
    body_due(f);
    f->state = BODY;
    MHD_resume_connection(f->connection);
}

static void run_done(void *arg)
{
    flow *f = arg;
    ki_meter_stage(f->http->site->meter, KI_STAGE_QUEUE, ki_clock_ns() - f->sent_off);
    ki_call_finish(f->call);
    f->state = DONE;
    MHD_resume_connection(f->connection);
}

/* Suspended before it is sent: the crew may be done before this returns. */
static int send_off(flow *f, void (*run)(void *arg))
{
    f->errand = (ki_errand){ .run = run, .arg = f };
    f->sent_off = ki_clock_ns();
    f->state = AWAY;
    ki_peer_due(f->peer, 0);
    MHD_suspend_connection(f->connection);
    if (ki_crew_send(f->http->crew, &f->errand)) return 1;
    ki_call_problem(f->call, 503, ki_fail(KITH_EINVAL, "too many requests wait for a worker"));
    f->state = DONE;
    MHD_resume_connection(f->connection);
    return 0;
}

/* ---- requests ---- */

static enum MHD_Result add_head(void *arg, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    (void)kind;
    ki_heads_add(arg, name, value);
    return MHD_YES;
}

static const char *address_of(flow *f)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(f->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *a = info != NULL ? info->client_addr : NULL;
    if (a != NULL && a->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, f->address,
                  sizeof f->address);
    if (a != NULL && a->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, f->address,
                  sizeof f->address);
    return f->address;
}

/* May the refusal wait until the body, if any, has been passed over?  It saves the connection (libmicrohttpd closes
 * one that is answered before its request has ended), and a client that only reads once it has written
 * sees the reply and no reset.  One that asks with Expect is told at once. */
static int may_pass_over(flow *f, const ki_heads *heads)
{
    if (MHD_lookup_connection_value(f->connection, MHD_HEADER_KIND, "Expect") != NULL) return 0;
    if (heads->transfer_encoding != NULL) return heads->content_length == NULL;
    return heads->content_length == NULL || strlen(heads->content_length) < 6;
}

static enum MHD_Result on_headers(flow *f, const char *method)
{
    ki_heads heads = { 0 };
    if (ki_call_new(f->http->site, method, f->target, &f->call) != KITH_OK) return MHD_NO;
    MHD_get_connection_values(f->connection, MHD_HEADER_KIND, add_head, &heads);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(f->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    heads.bytes = info != NULL ? info->header_size : 0;
    heads.peer = f->http->site->event != NULL ? address_of(f) : "";
    ki_call_open(f->call, &heads);
    f->state = BODY;
    body_due(f);
    if (f->call->reply.status != 0 && !may_pass_over(f, &heads)) {
        ki_call_finish(f->call);
        return answer(f);
    }
    return MHD_YES;
}

static enum MHD_Result on_piece(flow *f, const char *bytes, size_t *n)
{
    ki_call *c = f->call;
    body_due(f);
    if (c->reply.status != 0) {
        f->passed_over += (int64_t)*n;
        *n = 0;
        return f->passed_over <= PASSED_OVER ? MHD_YES : MHD_NO;
    }
    if (c->entry->route->flags & KI_ROUTE_LINES) {
        if (*n > f->room) {
            if (ki_grow(&f->piece, 0, *n, 1) != KITH_OK) return MHD_NO;
            f->room = *n;
        }
        memcpy(f->piece, bytes, *n);
        f->n_piece = *n;
        *n = 0;
        send_off(f, piece_done);
        return MHD_YES;
    }
    ki_call_take(c, bytes, *n);
    *n = 0;
    return MHD_YES;
}

static enum MHD_Result on_end(flow *f)
{
    ki_peer_due(f->peer, 0);
    if (ki_call_waits(f->call)) {
        send_off(f, run_done);
        return MHD_YES;
    }
    ki_call_finish(f->call);
    return answer(f);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *n, void **context)
{
    flow *f = *context;
    (void)arg, (void)url, (void)version, (void)connection;
    if (f == NULL) return MHD_NO; /* there was no memory for it */
    switch (f->state) {
    case HEADERS: return on_headers(f, method);
    case BODY: return *n > 0 ? on_piece(f, bytes, n) : on_end(f);
    case DONE: return answer(f);
    case AWAY:
    case REPLIED: break;
    }
    *n = 0;
    return MHD_YES;
}

/* libmicrohttpd could not read it, and has said so itself or will say nothing. */
static void count_unread(ki_http *h)
{
    ki_meter_begin(h->site->meter);
    ki_meter_end(h->site->meter, -1, 400, 0, 0, 0);
}

/* A target with more parameters than libmicrohttpd has room for is told to on_target and never completed. */
static void drop_unread(ki_http *h, ki_peer *p)
{
    if (p == NULL || p->request == NULL) return;
    count_unread(h);
    ki_free(p->request);
    p->request = NULL;
}

/* The request line is there: what follows has its time. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *connection)
{
    ki_http *h = arg;
    flow *f = NULL;
    const size_t n = strlen(target);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    ki_peer *peer = info != NULL ? info->socket_context : NULL;
    drop_unread(h, peer);
    if (ki_alloc(&f, 1, sizeof *f + n + 1) != KITH_OK) return NULL;
    memcpy(f->target, target, n + 1);
    f->http = h;
    f->connection = connection;
    f->peer = peer;
    if (peer != NULL) peer->request = f;
    ki_peer_due(f->peer, after(h->site->limits->header_seconds));
    return f;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    ki_http *h = arg;
    flow *f = *context;
    (void)connection;
    *context = NULL;
    if (f == NULL) return;
    if (f->peer != NULL) f->peer->request = NULL;
    ki_peer_due(f->peer, after(h->site->limits->idle_seconds));
    if (f->is_stream) atomic_fetch_sub(&h->streams, 1);
    if (f->call != NULL && f->state != REPLIED && code != MHD_REQUEST_TERMINATED_COMPLETED_OK)
        f->call->reply.status = 0; /* it went away */
    if (f->call == NULL) count_unread(h);
    ki_call_free(f->call);
    ki_free(f->piece);
    ki_free(f->news);
    ki_free(f);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    ki_http *h = arg;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        drop_unread(h, *context);
        ki_reaper_remove(h->reaper, *context);
        atomic_fetch_sub(&h->guests, 1);
        *context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *context = info != NULL ? ki_reaper_add(h->reaper, info->connect_fd,
                                            after(h->site->limits->header_seconds))
                            : NULL;
}

/* Targets are taken apart by ki_uri_parse alone. */
static size_t as_it_is(void *arg, struct MHD_Connection *connection, char *s)
{
    (void)arg, (void)connection;
    return strlen(s);
}

/* ---- start ---- */

static kith_err listen_on(const char *host, int port, int *out)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV },
                    *list = NULL;
    char service[16];
    const char *name = host != NULL ? host : "127.0.0.1";
    const int yes = 1;
    snprintf(service, sizeof service, "%d", port);
    const int failed = getaddrinfo(name, service, &hints, &list);
    if (failed != 0) return ki_fail(KITH_EINVAL, "host %s: %s", name, gai_strerror(failed));
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd < 0 || bind(fd, list->ai_addr, list->ai_addrlen) != 0 || listen(fd, 1024) != 0) {
        const int e = errno;
        if (fd >= 0) close(fd);
        freeaddrinfo(list);
        return ki_fail(KITH_EIO, "cannot listen on %s port %d: %s%s", name, port, strerror(e),
                       e == EADDRINUSE ? "; choose another port" : "");
    }
    freeaddrinfo(list);
    *out = fd;
    return KITH_OK;
}

static int port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0) return 0;
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                         : ((struct sockaddr_in *)&a)->sin_port);
}

static kith_err read_file(const char *path, char **out)
{
    ki_text t = { 0 };
    char part[4096];
    FILE *in = fopen(path, "rb");
    if (in == NULL) return ki_fail(KITH_EIO, "%s: %s", path, strerror(errno));
    for (size_t n; (n = fread(part, 1, sizeof part, in)) > 0;) ki_text_add(&t, part, n);
    fclose(in);
    if (t.err == KITH_OK && t.n == 0) t.err = ki_fail(KITH_EFORMAT, "%s is empty", path);
    if (t.err != KITH_OK) ki_free(t.at);
    if (t.err == KITH_OK) *out = t.at;
    return t.err;
}

/* Connections go round the threads by their descriptors.  They are counted here, and libmicrohttpd's own limit is one that is
 * never met: its threads count a connection after it was handed to them, and one that they refuse then (0.9.75) waits for a
 * lock of its own for ever. */
static void let_in(void *arg, int fd, const struct sockaddr *from, socklen_t n)
{
    ki_http *h = arg;
    atomic_fetch_add(&h->guests, 1);
    if (MHD_add_connection(h->daemon, fd, from, n) != MHD_YES) /* it has closed fd */
        atomic_fetch_sub(&h->guests, 1);
}

static int is_full(void *arg)
{
    ki_http *h = arg;
    return atomic_load(&h->guests) >= h->most;
}

static kith_err start_daemon(ki_http *h)
{
    const ki_limits *l = h->site->limits;
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const unsigned threads = (unsigned)(l->threads > 0 ? l->threads : KI_MAX(processors, 1));
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, h->cert },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, h->key },
        { MHD_OPTION_END, 0, NULL },
    };
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET;
    if (h->cert != NULL) flags |= MHD_USE_TLS;
    h->most = (int)KI_MIN(KI_MAX(l->connections, (int64_t)threads), (int64_t)INT_MAX / threads);
    h->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, on_request, h, MHD_OPTION_THREAD_POOL_SIZE, threads,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)h->most * threads,
                         MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)l->connections_per_ip,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(l->header_bytes + MEMORY),
                         MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_NOTIFY_CONNECTION,
                         on_connection, h, MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
                         MHD_OPTION_UNESCAPE_CALLBACK, as_it_is, NULL, MHD_OPTION_STRICT_FOR_CLIENT,
                         1, MHD_OPTION_ARRAY, h->cert != NULL ? tls : &tls[2], MHD_OPTION_END);
    if (h->daemon != NULL) return KITH_OK;
    return ki_fail(
        KITH_EIO,
        h->cert != NULL
            ? "the server cannot start: are certificate and key a PEM pair?"
            : "the server cannot start: too many connections or threads for this process?");
}

kith_err ki_http_probe(const char *host, int port)
{
    int fd = -1;
    const kith_err err = listen_on(host, port, &fd);
    if (err == KITH_OK) close(fd);
    return err;
}

kith_err ki_http_start(ki_site *site, const char *host, int port, ki_http **out)
{
    const ki_limits *l = site->limits;
    ki_http *h = NULL;
    kith_err err = ki_alloc(&h, 1, sizeof *h);
    if (err != KITH_OK) return err;
    h->site = site;
    h->listening = -1;
    pthread_mutex_init(&h->lock, NULL);
    if (l->tls_cert != NULL && (err = read_file(l->tls_cert, &h->cert)) != KITH_OK) goto fail;
    if (l->tls_key != NULL && (err = read_file(l->tls_key, &h->key)) != KITH_OK) goto fail;
    if ((err = listen_on(host, port, &h->listening)) != KITH_OK) goto fail;
    h->port = port_of(h->listening);
    if ((err = ki_crew_new((int)l->workers, l->queue, &h->crew)) != KITH_OK) goto fail;
    if ((err = ki_reaper_new(wake_streams, h, &h->reaper)) != KITH_OK) goto fail;
    *out = h; /* first: the site's hooks may be asked as soon as the daemon runs */
    if ((err = start_daemon(h)) == KITH_OK &&
        (err = ki_door_open(h->listening, &(ki_guests){ is_full, let_in, h }, &h->door)) == KITH_OK)
        return KITH_OK;
fail:
    *out = NULL;
    ki_http_stop(h, 0);
    return err;
}

int ki_http_port(const ki_http *h)
{
    return h->port;
}

void ki_http_count(ki_http *h, ki_http_counts *out)
{
    ki_reaper_counts c;
    ki_reaper_count(h->reaper, &c);
    *out = (ki_http_counts){ .open = c.open,
                             .accepted = c.accepted,
                             .late = c.late,
                             .waiting = ki_crew_waiting(h->crew),
                             .streams = atomic_load(&h->streams) };
}

/* ---- stop ---- */

/* Streams end at once, other requests when they are done. */
static void drain(ki_http *h, double seconds)
{
    const int64_t end = after(seconds);
    const struct timespec moment = { .tv_nsec = 5000000 };
    while (ki_meter_in_flight(h->site->meter) > 0 && ki_clock_ns() < end) {
        wake_streams(h);
        nanosleep(&moment, NULL);
    }
}

void ki_http_stop(ki_http *h, double seconds)
{
    if (h == NULL) return;
    pthread_mutex_lock(&h->lock);
    atomic_store(&h->stopping, 1);
    pthread_mutex_unlock(&h->lock);
    ki_door_shut(h->door);
    if (h->listening >= 0) close(h->listening); /* new clients are refused */
    if (h->daemon != NULL) drain(h, seconds);
    ki_crew_stop(h->crew); /* every flow that was suspended is resumed after this */
    ki_reaper_stop(h->reaper);
    wake_streams(h);
    if (h->daemon != NULL) MHD_stop_daemon(h->daemon);
    ki_crew_free(h->crew);
    ki_reaper_free(h->reaper);
    ki_free(h->cert);
    ki_free(h->key);
    pthread_mutex_destroy(&h->lock);
    ki_free(h);
}
