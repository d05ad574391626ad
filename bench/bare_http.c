/* SPDX-License-Identifier: MIT
 * bare_http.c -- libmicrohttpd with nothing on top: what http_layer.py compares the service's layer with
 *
 * The same daemon options, the same reply with the same headers, no routing, keys, metrics or checks.  Prints its port,
 * answers until its input ends.
 */
#include <microhttpd.h>
#include <stdio.h>
#include <unistd.h>

static const char ok[] = "{\"status\":\"ok\"}";

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *bytes, size_t *n,
                              void **context)
{
    static int seen;
    (void)arg, (void)url, (void)method, (void)version, (void)bytes, (void)n;
    if (*context == NULL) {
        *context = &seen;
        return MHD_YES;
    }
    struct MHD_Response *m =
        MHD_create_response_from_buffer(sizeof ok - 1, (void *)ok, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(m, "Content-Type", "application/json");
    MHD_add_response_header(m, "X-Request-Id", "0123456789abcdef");
    MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(m, "Cache-Control", "no-store");
    const enum MHD_Result done = MHD_queue_response(connection, 200, m);
    MHD_destroy_response(m);
    return done;
}

int main(void)
{
    char nothing[64];
    const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    struct MHD_Daemon *d = MHD_start_daemon(
        flags, 0, NULL, NULL, answer, NULL, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)sysconf(_SC_NPROCESSORS_ONLN), MHD_OPTION_CONNECTION_LIMIT, 4096u,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(16384 + 4096), MHD_OPTION_END);
    if (d == NULL) return 1;
    printf("{\"port\":%d,\"key\":\"\"}\n",
           (int)MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    while (read(STDIN_FILENO, nothing, sizeof nothing) > 0) continue;
    MHD_stop_daemon(d);
    return 0;
}
