/* SPDX-License-Identifier: MIT
 * sqlite_log.c -- the write-ahead log: swept into the file from time to time, emptied, wiped
 *
 * A commit appends to the log; pages must go from there to the file (a checkpoint), else it grows for ever.  That takes
 * tens of milliseconds of writing and syncing, so a thread of its own, the sweeper, does it while the writer goes on
 * appending.  The log can only begin anew when nothing is left in it, and something always has been appended meanwhile:
 * so, when the sweeper is done, the writer itself sweeps the small rest between two commits.  SQLite syncs the file only
 * after a sweep that leaves nothing: the sweeper syncs what it wrote, or all of it would wait for the writer's rest.
 *
 *      IDLE --the log is long--> WANTED --the sweeper takes it--> SWEEPING --> SWEPT --the rest is small--> IDLE
 *                                   ^---------------the rest is large---------------|
 *
 * When nobody writes the log is emptied, and likewise to wipe: secure_delete overwrites deleted bytes in the pages, and
 * emptying the log takes away the older copies of those pages.  The first write to an empty log waits for the disk twice,
 * for the head of the log and for itself: so the log is opened anew while there is time for it.
 */
#include "store/sqlite.h"

#include <signal.h>

enum {
    LONG_LOG = 8000,  /* frames, of a page each: 32 MB */
    SMALL_REST = 100, /* frames that the writer sweeps itself: as many as a commit has under load */
    MOST_SWEEPS = 4,  /* in a row; when the writer outruns the sweeper it sweeps whatever is left */
    NEW_LOG = 1,      /* frame: what a log begins with */
    SCRUB_WAIT_MS = 2000, /* for readers to move on */
};

enum { IDLE, WANTED, SWEEPING, SWEPT };

static int note_frames(void *p, sqlite3 *db, const char *name, int frames)
{
    ki_sqlite *s = p;
    (void)db, (void)name;
    s->frames = frames;
    return SQLITE_OK;
}

/* ---- the sweeper ---- */

/* A failure is the writer's to find: its own sync of the file, before the log begins anew, has it too. */
static void sync_file(sqlite3 *db)
{
    sqlite3_file *file = NULL;
    const int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (rc == SQLITE_OK && file->pMethods != NULL)
        file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

/* Where a reader stands in the way nothing is swept, and there is nothing to sync. */
static void sweep(ki_sqlite *s)
{
    int frames = 0, done = 0;
    const int before = s->swept;
    pthread_mutex_unlock(&s->lock);
    sqlite3_wal_checkpoint_v2(s->sweep_db, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &done);
    if (done != before) sync_file(s->sweep_db);
    pthread_mutex_lock(&s->lock);
    s->swept = done;
}

static void *work(void *p)
{
    ki_sqlite *s = p;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (s->sweep != WANTED && !s->sweep_stop) pthread_cond_wait(&s->sweep_wanted, &s->lock);
        if (s->sweep_stop) break;
        s->sweep = SWEEPING;
        sweep(s);
        s->sweep = SWEPT;
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

kith_err ki_sqlite_start_sweeper(ki_sqlite *s)
{
    sigset_t all, before;
    sqlite3_wal_hook(s->db, note_frames, s);
    kith_err err = ki_sqlite_connect(s, s->path, SQLITE_OPEN_READWRITE, &s->sweep_db);
    if (err == KITH_OK)
        err = ki_sqlite_run(s, s->sweep_db,
                            "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0",
                            "it is opened");
    if (err != KITH_OK) return err;
    sigfillset(&all); /* signals are for the threads of the program */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->has_sweeper = pthread_create(&s->sweeper, NULL, work, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s->has_sweeper
               ? KITH_OK
               : ki_fail(KITH_ENOMEM, "the thread that sweeps the log could not be started");
}

void ki_sqlite_stop_sweeper(ki_sqlite *s)
{
    pthread_mutex_lock(&s->lock);
    s->sweep_stop = 1;
    pthread_cond_signal(&s->sweep_wanted);
    pthread_mutex_unlock(&s->lock);
    if (s->has_sweeper) pthread_join(s->sweeper, NULL);
    sqlite3_close(s->sweep_db);
}

/* ---- the writer's part ---- */

void ki_sqlite_scrub(void *state)
{
    ki_sqlite *s = state;
    if (s->memory) return;
    sqlite3_busy_timeout(s->db, SCRUB_WAIT_MS);
    const int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(s->db, KI_SQLITE_WAIT_MS);
    s->unwiped = rc != SQLITE_OK;
    if (rc == SQLITE_OK) s->frames = s->replaced = 0;
}

/* 1: the rest is the writer's.  With the lock. */
static int advance(ki_sqlite *s)
{
    if (s->sweep == IDLE && s->frames >= LONG_LOG) {
        s->sweeps = 0;
    } else if (s->sweep != SWEPT) {
        return 0;
    } else if (s->frames - s->swept <= SMALL_REST || s->sweeps >= MOST_SWEEPS) {
        s->sweep = IDLE;
        return 1;
    }
    s->sweep = WANTED;
    s->sweeps++;
    pthread_cond_signal(&s->sweep_wanted);
    return 0;
}

static int sweep_all(ki_sqlite *s)
{
    int frames = 0, done = -1;
    const int rc =
        sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &done);
    return rc == SQLITE_OK && frames == done;
}

/* Of no harm when it fails: the next commit begins the log, where a reader does not stand in the way. */
static void tidy_idle(ki_sqlite *s)
{
    if (s->unwiped || s->replaced) ki_sqlite_scrub(s);
    if (s->frames != NEW_LOG && sweep_all(s)) ki_sqlite_begin_log(s);
}

void ki_sqlite_tidy(void *state, int idle)
{
    ki_sqlite *s = state;
    if (s->memory) return;
    if (idle) {
        tidy_idle(s);
        return;
    }
    if (s->unwiped) {
        ki_sqlite_scrub(s);
        return;
    }
    pthread_mutex_lock(&s->lock);
    const int rest = advance(s);
    pthread_mutex_unlock(&s->lock);
    /* When all is swept the next commit begins the log anew; else a reader stands in the way, for a while. */
    if (rest) sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}
