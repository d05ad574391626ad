/* knock.c -- open and close many connections to a service on the loopback, in every way in which a client may leave
 *
 *      knock PORT CONNECTIONS THREADS
 *
 * Ways in turn: nothing is said; half a request; a request whose reply is not read; a request and its reply; the same with
 * `Connection: close`.  Every one ends with a reset (SO_LINGER 0), so that no port waits and the number of ports is no
 * limit.  Prints one JSON object; the exit code is 1 when a reply was not a 200 or a connection was refused.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THREADS = 64 };

static const char keep[] = "GET /v1/health/live HTTP/1.1\r\nHost: knock\r\n\r\n";
static const char leave[] = "GET /v1/health/live HTTP/1.1\r\nHost: knock\r\nConnection: close\r\n\r\n";

enum way { SAY_NOTHING, SAY_HALF, DO_NOT_READ, ASK, ASK_AND_CLOSE, N_WAYS };

struct knocker {
    pthread_t thread;
    int port;
    long n, replies, failed;
};

static int open_one(int port)
{
    const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    const struct timeval limit = { .tv_sec = 20 };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0) return -1;
    setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(s, (struct sockaddr *)&to, sizeof to) == 0) return s;
    close(s);
    return -1;
}

/* The reply is shorter than what one reads at once; one that comes in pieces is read on. */
static int is_answered(int s, int to_the_end)
{
    char data[4096];
    size_t have = 0;
    ssize_t more;
    do {
        more = recv(s, data + have, sizeof data - 1 - have, 0);
        if (more > 0) have += (size_t)more;
        data[have] = '\0';
    } while (more > 0 && (to_the_end || strstr(data, "\r\n\r\n") == NULL));
    return strncmp(data, "HTTP/1.1 200", 12) == 0 && (!to_the_end || more == 0);
}

static int say(int s, const char *text, size_t n)
{
    return send(s, text, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static void knock(struct knocker *k, enum way way)
{
    const int s = open_one(k->port);
    int well = s >= 0;
    if (s < 0) {
        k->failed++;
        return;
    }
    if (way == SAY_HALF) well = say(s, keep, sizeof keep / 2);
    if (way == DO_NOT_READ) well = say(s, keep, sizeof keep - 1);
    if (way == ASK) well = say(s, keep, sizeof keep - 1) && is_answered(s, 0);
    if (way == ASK_AND_CLOSE) well = say(s, leave, sizeof leave - 1) && is_answered(s, 1);
    k->replies += well && way >= ASK;
    k->failed += !well;
    close(s);
}

static void *knock_on(void *arg)
{
    struct knocker *k = arg;
    for (long j = 0; j < k->n; j++) knock(k, (enum way)(j % N_WAYS));
    return NULL;
}

int main(int argc, char **argv)
{
    static struct knocker crowd[MAX_THREADS];
    const long n = argc > 2 ? atol(argv[2]) : 0;
    const int n_threads = argc > 3 ? atoi(argv[3]) : 4;
    struct timespec begun, ended;
    long replies = 0, failed = 0;
    if (argc < 3 || n_threads < 1 || n_threads > MAX_THREADS) {
        fprintf(stderr, "usage: knock PORT CONNECTIONS [THREADS]\n");
        return 2;
    }
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (int t = 0; t < n_threads; t++) {
        crowd[t] = (struct knocker){ .port = atoi(argv[1]), .n = n / n_threads };
        if (pthread_create(&crowd[t].thread, NULL, knock_on, &crowd[t]) != 0) return 2;
    }
    for (int t = 0; t < n_threads; t++) {
        pthread_join(crowd[t].thread, NULL);
        replies += crowd[t].replies;
        failed += crowd[t].failed;
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("{\"connections\": %ld, \"replies\": %ld, \"failed\": %ld, \"seconds\": %.3f}\n", n / n_threads * n_threads,
           replies, failed, (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9);
    return failed > 0;
}
