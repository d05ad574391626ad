/* SPDX-License-Identifier: MIT
 * crash_store.c -- a process that writes is killed again and again; what it was told is kept must be there
 *
 *      crash_store FOLDER ROUNDS [LIFE_MS [SEED]]
 *
 * The child runs threads that write batches of events numbered from 0 without a gap, each batch with a document that says
 * how far its thread is, and tells every batch that was acknowledged through a pipe.  One more thread makes users and
 * forgets them.  The parent kills it with SIGKILL after a random time up to LIFE_MS (80: while it opens,
 * writes, empties its log), opens the store itself, and looks at it:
 *
 *      every acknowledged event is there; each number once, in order, none missing; no batch is there in part;
 *      the document fits the events; who was forgotten is not there; all invariants of the store hold.
 *
 * The next child goes on where the events end, so that a fault of one round is seen in all later ones.
 */
#include "base/mem.h"
#include "store/store.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WRITERS = 4, MOST = 20, FORGETTER = WRITERS, MOST_PATIENCE_MS = 20000 };

struct note { /* through the pipe, whole or not at all: shorter than PIPE_BUF */
    int32_t thread;
    int32_t n; /* events of the thread that are acknowledged, or users that are forgotten */
};

static char path[4096];
static int to_parent;
static ki_store *s;
static int done[WRITERS + 1]; /* how far each thread is, as found in the store */
static uint64_t lot = 1, longest_life_ms = 80;

static int fail(const char *what, int round, int thread, long got, long want)
{
    printf("round %d, thread %d: %s: %ld, want %ld; the files are kept: %s*\n", round, thread, what, got, want, path);
    return 1;
}

/* xorshift64: rounds can be repeated from the seed, as far as the moment of a kill can. */
static uint64_t draw(uint64_t below)
{
    lot ^= lot << 13;
    lot ^= lot >> 7;
    lot ^= lot << 17;
    return lot % below;
}

/* ---- the child ---- */

static void tell(int thread, int n)
{
    const struct note note = { thread, n };
    if (write(to_parent, &note, sizeof note) != sizeof note) _exit(3);
}

static void must(kith_err err)
{
    if (err == KITH_OK) return;
    fprintf(stderr, "crash_store: %s\n", kith_last_error());
    _exit(4);
}

static void *write_events(void *p)
{
    const int t = (int)(intptr_t)p;
    int n = done[t];
    for (unsigned turn = 0;; turn++) {
        char user[16], batch[32], json[32], ids[MOST][32];
        ki_change c[MOST + 1];
        const int size = 1 + (int)((turn * 7 + (unsigned)t) % MOST);
        snprintf(user, sizeof user, "thread-%d", t);
        snprintf(batch, sizeof batch, "%d+%d", n, size);
        snprintf(json, sizeof json, "{\"n\": %d}", n + size);
        for (int j = 0; j < size; j++) {
            snprintf(ids[j], sizeof ids[j], "%d-%d", t, n + j);
            c[j] = (ki_change){ .change = KI_ADD_EVENT,
                                .user = user,
                                .item = ids[j] + 2,
                                .kind = "view",
                                .id = ids[j],
                                .rec_id = batch,
                                .value = n + j };
        }
        c[size] = (ki_change){ .change = KI_PUT_DOCUMENT, .kind = "progress", .id = user, .json = json };
        must(ki_store_write(s, c, size + 1));
        n += size;
        tell(t, n);
    }
    return NULL;
}

static void *forget_users(void *p)
{
    for (int n = done[FORGETTER];; n++) {
        char user[32];
        snprintf(user, sizeof user, "guest-%d", n);
        ki_change come = {
            .change = KI_ADD_EVENT, .user = user, .item = "door", .kind = "visit", .id = user, .value = 1
        };
        ki_change go = { .change = KI_DROP_USER, .id = user };
        must(ki_store_write(s, &come, 1));
        must(ki_store_write(s, &go, 1));
        tell(FORGETTER, n + 1);
    }
    return p;
}

static void live(void)
{
    pthread_t threads[WRITERS + 1];
    must(ki_store_open(path, NULL, &s));
    for (intptr_t t = 0; t < WRITERS; t++) pthread_create(&threads[t], NULL, write_events, (void *)t);
    pthread_create(&threads[FORGETTER], NULL, forget_users, NULL);
    for (;;) pause();
}

/* ---- the parent ---- */

struct found {
    int n[WRITERS]; /* events so far */
    int left;       /* of the batch that is being read */
    int wrong;
    long forgotten_below, guests; /* a guest of a lower number was acknowledged as forgotten */
};

static kith_err look_at_event(void *udata, const ki_row *row)
{
    struct found *f = udata;
    int t, first, size;
    if (sscanf(row->user, "thread-%d", &t) != 1) {
        f->guests++;
        if (atol(row->user + strlen("guest-")) < f->forgotten_below) f->wrong = 1;
        return KITH_OK;
    }
    if (row->rec_id == NULL || sscanf(row->rec_id, "%d+%d", &first, &size) != 2 || t < 0 || t >= WRITERS) {
        f->wrong = 2;
        return KITH_OK;
    }
    const int number = (int)row->value;
    if (number != f->n[t]++) f->wrong = 3;                                /* once each, in order */
    if (f->left == 0 && number != first) f->wrong = 4;                    /* a batch without its beginning */
    f->left = number == first + size - 1 ? 0 : first + size - 1 - number; /* rows of a batch lie together */
    return KITH_OK;
}

static int check_progress(int round, int t, int events)
{
    char user[16];
    json_t *doc = NULL;
    snprintf(user, sizeof user, "thread-%d", t);
    const kith_err err = ki_store_get(s, KI_DOCUMENTS, "progress", user, &doc);
    const long says = err == KITH_OK ? (long)json_integer_value(json_object_get(doc, "n")) : 0;
    json_decref(doc);
    if (err != KITH_OK && err != KITH_ENOTFOUND) return fail(kith_last_error(), round, t, err, KITH_OK);
    return says == events ? 0 : fail("the document does not fit the events", round, t, says, events);
}

static int look(int round, const int *acknowledged)
{
    struct found f = { .forgotten_below = acknowledged[FORGETTER] };
    int bad = 0;
    if (ki_store_open(path, &(ki_store_options){ .check = 1 }, &s) != KITH_OK)
        return fail(kith_last_error(), round, -1, 0, 0);
    if (ki_store_check(s) != KITH_OK) bad = fail(kith_last_error(), round, -1, 0, 0);
    if (ki_store_each(s, KI_EVENTS, NULL, look_at_event, &f) != KITH_OK) bad = fail(kith_last_error(), round, -1, 0, 0);
    if (f.wrong != 0 || f.left != 0) bad = fail("events are not as they were written", round, -1, f.wrong, f.left);
    if (f.guests > 1) bad = fail("forgotten users are there", round, FORGETTER, f.guests, 1);
    for (int t = 0; t < WRITERS; t++) {
        if (f.n[t] < acknowledged[t]) bad = fail("acknowledged events are lost", round, t, f.n[t], acknowledged[t]);
        bad |= check_progress(round, t, f.n[t]);
        done[t] = f.n[t];
    }
    done[FORGETTER] = acknowledged[FORGETTER] + 1; /* the next may be there already */
    char user[32];
    snprintf(user, sizeof user, "guest-%d", done[FORGETTER] - 1);
    (void)ki_store_write(s, &(ki_change){ .change = KI_DROP_USER, .id = user }, 1);
    ki_store_close(s);
    return bad;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Read what the child tells until it is time to kill it, and what is left in the pipe after.  In every other round its
 * life counts from its first word, so that a slow machine kills more than stores that are being opened. */
static void listen_and_kill(int round, pid_t child, int from, int64_t life_ms, int *acknowledged)
{
    struct note note;
    struct pollfd p = { .fd = from, .events = POLLIN };
    int64_t until = now_ms() + life_ms + (round % 2 ? MOST_PATIENCE_MS : 0);
    int killed = 0;
    for (;;) {
        const int64_t left = until - now_ms();
        if (!killed && left <= 0) killed = kill(child, SIGKILL) == 0;
        if (poll(&p, 1, killed ? 1000 : (int)KI_MAX(left, 0)) <= 0) continue;
        if (read(from, &note, sizeof note) != sizeof note) break; /* the end: nobody holds the other side */
        acknowledged[note.thread] = note.n;
        until = KI_MIN(until, now_ms() + life_ms);
    }
}

/* 1: something is wrong. */
static int run_round(int round, int *acknowledged)
{
    int ends[2], status;
    if (pipe(ends) != 0) return fail("no pipe", round, -1, 0, 0);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        to_parent = ends[1];
        live();
    }
    close(ends[1]);
    listen_and_kill(round, child, ends[0], 1 + (int64_t)draw(longest_life_ms), acknowledged);
    close(ends[0]);
    waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        return fail("the child ended by itself", round, -1, status, SIGKILL);
    return look(round, acknowledged);
}

int main(int argc, char **argv)
{
    int acknowledged[WRITERS + 1] = { 0 };
    if (argc < 3) {
        fprintf(stderr, "usage: crash_store FOLDER ROUNDS [LIFE_MS [SEED]]\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/kith-crash-%ld.db", argv[1], (long)getpid());
    const int rounds = atoi(argv[2]);
    if (argc > 3) longest_life_ms = KI_MAX(strtoull(argv[3], NULL, 10), 1);
    lot = argc > 4 ? strtoull(argv[4], NULL, 10) : (uint64_t)time(NULL) * 2654435761u + (uint64_t)getpid();
    if (lot == 0) lot = 1;
    printf("seed %llu\n", (unsigned long long)lot);
    int bad = 0, round = 0;
    for (; !bad && round < rounds; round++) bad = run_round(round, acknowledged);
    long all = 0;
    for (int t = 0; t < WRITERS; t++) all += acknowledged[t];
    printf("%d kills: %ld acknowledged events, %d users forgotten\n", round, all, acknowledged[FORGETTER]);
    if (!bad && all == 0) bad = fail("nothing was acknowledged in all rounds", round, -1, all, 1);
    if (!bad) {
        char *const ends[] = { "", "-wal", "-shm", "-lock" };
        for (size_t j = 0; j < KI_COUNT(ends); j++) {
            char name[4200];
            snprintf(name, sizeof name, "%s%s", path, ends[j]);
            unlink(name);
        }
    }
    printf("%d passed, %d failed\n", !bad, bad);
    return bad;
}
