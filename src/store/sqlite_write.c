/* SPDX-License-Identifier: MIT
 * sqlite_write.c -- a transaction of batches
 *
 * Each batch is a savepoint where they are to be apart, so that one that is refused leaves the others alone.  Numbers (of users, items, rows) are
 * counted in memory and written to the one row of table `state` with the commit; what does not come to a commit takes
 * its numbers back.
 */
#include "store/sqlite.h"

#include "base/mem.h"
#include "base/scan.h"
#include "data/idmap.h" /* KI_IDS_MAX */

#include <math.h>
#include <string.h>
#include <time.h>

enum statement {
    W_BEGIN,
    W_STATE,
    W_COMMIT,
    W_SAVE,
    W_RELEASE,
    W_BACK,
    W_FIND_USER,
    W_FIND_ITEM,
    W_ADD_USER,
    W_ADD_ITEM,
    W_SET_USER,
    W_SET_ITEM,
    W_FORGET_USER,
    W_FORGET_ITEM,
    W_USER_EVENTS,
    W_ITEM_EVENTS,
    W_USER_JOURNALS,
    W_ITEM_JOURNALS,
    W_FIND_EVENT,
    W_ADD_EVENT,
    W_DROP_EVENTS,
    W_ADD_DOCUMENT,
    W_DROP_DOCUMENT,
    W_ADD_JOURNAL,
    N_WRITES
};

static const char *const texts[N_WRITES] = {
    [W_BEGIN] = "BEGIN IMMEDIATE",
    [W_STATE] = "UPDATE state SET seq = ?1, users = ?2, items = ?3, events = ?4, documents = ?5, "
                "journals = ?6",
    [W_COMMIT] = "COMMIT",
    [W_SAVE] = "SAVEPOINT batch",
    [W_RELEASE] = "RELEASE batch",
    [W_BACK] = "ROLLBACK TO batch",
    [W_FIND_USER] = "SELECT number FROM users WHERE id = ?1",
    [W_FIND_ITEM] = "SELECT number FROM items WHERE id = ?1",
    [W_ADD_USER] = "INSERT INTO users (number, id, json, time) VALUES (?1, ?2, ?3, ?4)",
    [W_ADD_ITEM] = "INSERT INTO items (number, id, json, time, hidden) VALUES (?1, ?2, ?3, ?4, ?5)",
    [W_SET_USER] = "UPDATE users SET json = ifnull(?2, json) WHERE number = ?1",
    [W_SET_ITEM] =
        "UPDATE items SET json = ifnull(?2, json), time = CASE ?3 WHEN 0 THEN time ELSE ?3 END,"
        "  hidden = CASE ?4 WHEN -1 THEN hidden ELSE ?4 END WHERE number = ?1",
    [W_FORGET_USER] = "UPDATE users SET id = NULL, json = NULL, time = 0 WHERE number = ?1",
    [W_FORGET_ITEM] =
        "UPDATE items SET id = NULL, json = NULL, time = 0, hidden = 0 WHERE number = ?1",
    [W_USER_EVENTS] = "DELETE FROM events WHERE user = ?1",
    [W_ITEM_EVENTS] = "DELETE FROM events WHERE item = ?1",
    [W_USER_JOURNALS] = "DELETE FROM journals WHERE user = ?1",
    [W_ITEM_JOURNALS] = "DELETE FROM journals WHERE item = ?1",
    [W_FIND_EVENT] = "SELECT seq, user, item, kind FROM events WHERE id = ?1",
    [W_ADD_EVENT] = "INSERT INTO events (seq, user, item, kind, value, time, rec_id, id, json)"
                    "  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [W_DROP_EVENTS] =
        "DELETE FROM events WHERE user = ?1 AND +item = ?2 AND (?3 IS NULL OR kind = ?3)",
    [W_ADD_DOCUMENT] =
        "INSERT INTO documents (seq, kind, id, json, time) VALUES (?1, ?2, ?3, ?4, ?5)",
    [W_DROP_DOCUMENT] = "DELETE FROM documents WHERE kind = ?1 AND id = ?2",
    [W_ADD_JOURNAL] = "INSERT INTO journals (seq, kind, id, user, item, json, time)"
                      "  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
};

_Static_assert((int)N_WRITES <= (int)KI_SQLITE_WRITES, "room for every statement");

kith_err ki_sqlite_prepare_writes(ki_sqlite *s)
{
    for (int w = 0; w < N_WRITES; w++) {
        const int rc =
            sqlite3_prepare_v3(s->db, texts[w], -1, SQLITE_PREPARE_PERSISTENT, &s->writes[w], NULL);
        if (rc != SQLITE_OK) return ki_sqlite_fail(s, s->db, rc, "its tables are looked up");
    }
    return KITH_OK;
}

void ki_sqlite_finish_writes(ki_sqlite *s)
{
    for (int w = 0; w < N_WRITES; w++) sqlite3_finalize(s->writes[w]);
}

/* ---- statements ---- */

/* One step; *row says whether it gave a row, whose columns may be read until `finish`. */
static kith_err step(ki_sqlite *s, enum statement which, int *row)
{
    const int rc = sqlite3_step(s->writes[which]);
    *row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW || rc == SQLITE_DONE) return KITH_OK;
    const kith_err err = ki_sqlite_fail(s, s->db, rc, "it is written to");
    sqlite3_reset(s->writes[which]);
    return err;
}

static void finish(ki_sqlite *s, enum statement which)
{
    sqlite3_reset(s->writes[which]);
}

static kith_err run(ki_sqlite *s, enum statement which)
{
    int row;
    const kith_err err = step(s, which, &row);
    if (err == KITH_OK) finish(s, which);
    return err;
}

static void bind_number(ki_sqlite *s, enum statement which, int at, int64_t value)
{
    sqlite3_bind_int64(s->writes[which], at, value);
}

static void bind_text(ki_sqlite *s, enum statement which, int at, const char *text)
{
    sqlite3_bind_text(s->writes[which], at, text, -1, SQLITE_STATIC); /* NULL binds NULL */
}

static int64_t changed(const ki_sqlite *s)
{
    return sqlite3_changes64(s->db);
}

/* ---- users and items ---- */

/* What differs between the two. */
struct side {
    const char *name;
    enum statement find, add, set, forget, events, journals;
    size_t next, count; /* in ki_tally */
};

static const struct side users = { "user",
                                   W_FIND_USER,
                                   W_ADD_USER,
                                   W_SET_USER,
                                   W_FORGET_USER,
                                   W_USER_EVENTS,
                                   W_USER_JOURNALS,
                                   offsetof(ki_tally, next_user),
                                   offsetof(ki_tally, users) };
static const struct side items = { "item",
                                   W_FIND_ITEM,
                                   W_ADD_ITEM,
                                   W_SET_ITEM,
                                   W_FORGET_ITEM,
                                   W_ITEM_EVENTS,
                                   W_ITEM_JOURNALS,
                                   offsetof(ki_tally, next_item),
                                   offsetof(ki_tally, items) };

static int64_t *tally_at(ki_sqlite *s, size_t offset)
{
    return (int64_t *)(void *)((char *)&s->tally + offset);
}

static kith_err find(ki_sqlite *s, const struct side *side, const char *id, int32_t *number)
{
    int row;
    bind_text(s, side->find, 1, id);
    const kith_err err = step(s, side->find, &row);
    if (err != KITH_OK) return err;
    const int64_t got = row ? sqlite3_column_int64(s->writes[side->find], 0) : -1;
    finish(s, side->find);
    if (row && (got < 0 || got >= *tally_at(s, side->next)))
        return ki_fail(KITH_EFORMAT, "%s: the store is damaged: it has a %s %lld", s->path,
                       side->name, (long long)got);
    *number = (int32_t)got;
    return KITH_OK;
}

static kith_err add(ki_sqlite *s, const struct side *side, const char *id, const char *json,
                    int64_t time_ms, int hidden, int32_t *number)
{
    int64_t *next = tally_at(s, side->next);
    if (*next > KI_IDS_MAX)
        return ki_fail(KITH_EDATA, "the store has %lld %ss and takes no more", (long long)*next,
                       side->name);
    bind_number(s, side->add, 1, *next);
    bind_text(s, side->add, 2, id);
    bind_text(s, side->add, 3, json);
    bind_number(s, side->add, 4, time_ms);
    if (side == &items) bind_number(s, side->add, 5, hidden);
    const kith_err err = run(s, side->add);
    if (err != KITH_OK) return err;
    *number = (int32_t)(*next)++;
    ++*tally_at(s, side->count);
    return KITH_OK;
}

static kith_err set(ki_sqlite *s, const struct side *side, int32_t number, const ki_change *c)
{
    if (side == &users && c->json == NULL) return KITH_OK;
    bind_number(s, side->set, 1, number);
    bind_text(s, side->set, 2, c->json);
    if (side == &items) {
        bind_number(s, side->set, 3, c->time_ms);
        bind_number(s, side->set, 4, c->hidden);
    }
    return run(s, side->set);
}

static kith_err put_one(ki_sqlite *s, const struct side *side, ki_change *c, int32_t *number)
{
    kith_err err = find(s, side, c->id, number);
    if (err != KITH_OK) return err;
    if (*number >= 0) return set(s, side, *number, c);
    if (c->time_ms == 0) c->time_ms = s->now_ms;
    if (c->hidden < 0) c->hidden = 0;
    c->was_new = side == &users ? 1 : 2;
    return add(s, side, c->id, c->json, c->time_ms, c->hidden, number);
}

static kith_err drop_one(ki_sqlite *s, const struct side *side, ki_change *c, int32_t *number)
{
    kith_err err = find(s, side, c->id, number);
    if (err != KITH_OK) return err;
    c->n_dropped = 0; /* it may be written for the second time */
    if (*number >= 0) {
        bind_number(s, side->events, 1, *number);
        if ((err = run(s, side->events)) != KITH_OK) return err;
        c->n_dropped = 1 + changed(s);
        s->tally.events -= changed(s);
        bind_number(s, side->forget, 1, *number);
        if ((err = run(s, side->forget)) != KITH_OK) return err;
        --*tally_at(s, side->count);
    }
    bind_text(s, side->journals, 1, c->id);
    if ((err = run(s, side->journals)) != KITH_OK) return err;
    c->n_dropped += changed(s);
    s->tally.journals -= changed(s);
    return KITH_OK;
}

/* ---- events ---- */

/* Is the event of that id the same one? */
static kith_err compare_event(ki_sqlite *s, ki_change *c, int32_t user, int32_t item)
{
    sqlite3_stmt *first = s->writes[W_FIND_EVENT];
    const char *kind = (const char *)sqlite3_column_text(first, 3);
    char show[KI_SHOW];
    c->seq = sqlite3_column_int64(first, 0);
    c->user_index = user;
    c->item_index = item;
    c->repeated = 1;
    if (kind != NULL && user == sqlite3_column_int64(first, 1) &&
        item == sqlite3_column_int64(first, 2) && strcmp(kind, c->kind) == 0)
        return KITH_OK;
    return ki_fail(
        KITH_EINVAL,
        "the event id %s was used before, for another user, item or kind; an id is for one "
        "event",
        ki_show(show, c->id, strlen(c->id)));
}

/* c->repeated says whether it was there; nobody is made for an event that was. */
static kith_err find_event(ki_sqlite *s, ki_change *c)
{
    int32_t user, item;
    int row;
    kith_err err = find(s, &users, c->user, &user);
    if (err == KITH_OK) err = find(s, &items, c->item, &item);
    if (err != KITH_OK) return err;
    bind_text(s, W_FIND_EVENT, 1, c->id);
    if ((err = step(s, W_FIND_EVENT, &row)) != KITH_OK) return err;
    if (row) err = compare_event(s, c, user, item);
    finish(s, W_FIND_EVENT);
    return err;
}

static kith_err find_or_add(ki_sqlite *s, const struct side *side, const char *id, int new_bit,
                            ki_change *c, int32_t *number)
{
    const kith_err err = find(s, side, id, number);
    if (err != KITH_OK || *number >= 0) return err;
    c->was_new |= new_bit;
    return add(s, side, id, NULL, s->now_ms, 0, number);
}

static kith_err insert_event(ki_sqlite *s, ki_change *c)
{
    c->seq = ++s->tally.seq;
    if (c->time_ms == 0) c->time_ms = s->now_ms;
    bind_number(s, W_ADD_EVENT, 1, c->seq);
    bind_number(s, W_ADD_EVENT, 2, c->user_index);
    bind_number(s, W_ADD_EVENT, 3, c->item_index);
    bind_text(s, W_ADD_EVENT, 4, c->kind);
    if (isnan(c->value))
        sqlite3_bind_null(s->writes[W_ADD_EVENT], 5);
    else
        sqlite3_bind_double(s->writes[W_ADD_EVENT], 5, c->value);
    bind_number(s, W_ADD_EVENT, 6, c->time_ms);
    bind_text(s, W_ADD_EVENT, 7, c->rec_id);
    bind_text(s, W_ADD_EVENT, 8, c->id);
    bind_text(s, W_ADD_EVENT, 9, c->json);
    s->tally.events++;
    return run(s, W_ADD_EVENT);
}

static kith_err add_event(ki_sqlite *s, ki_change *c)
{
    kith_err err = c->id != NULL ? find_event(s, c) : KITH_OK;
    if (err != KITH_OK || c->repeated) return err;
    err = find_or_add(s, &users, c->user, 1, c, &c->user_index);
    if (err == KITH_OK) err = find_or_add(s, &items, c->item, 2, c, &c->item_index);
    return err == KITH_OK ? insert_event(s, c) : err;
}

static kith_err drop_events(ki_sqlite *s, ki_change *c)
{
    kith_err err = find(s, &users, c->user, &c->user_index);
    if (err == KITH_OK) err = find(s, &items, c->item, &c->item_index);
    if (err != KITH_OK || c->user_index < 0 || c->item_index < 0) return err;
    bind_number(s, W_DROP_EVENTS, 1, c->user_index);
    bind_number(s, W_DROP_EVENTS, 2, c->item_index);
    bind_text(s, W_DROP_EVENTS, 3, c->kind);
    if ((err = run(s, W_DROP_EVENTS)) != KITH_OK) return err;
    c->n_dropped = changed(s);
    s->tally.events -= c->n_dropped;
    return KITH_OK;
}

/* ---- documents and journals ---- */

static kith_err drop_document(ki_sqlite *s, ki_change *c)
{
    bind_text(s, W_DROP_DOCUMENT, 1, c->kind);
    bind_text(s, W_DROP_DOCUMENT, 2, c->id);
    const kith_err err = run(s, W_DROP_DOCUMENT);
    if (err != KITH_OK) return err;
    c->n_dropped = changed(s);
    s->tally.documents -= c->n_dropped;
    return KITH_OK;
}

static kith_err put_document(ki_sqlite *s, ki_change *c)
{
    const kith_err err = drop_document(s, c);
    if (err != KITH_OK) return err;
    c->was_new = c->n_dropped == 0;
    c->n_dropped = 0;
    c->seq = ++s->tally.seq;
    if (c->time_ms == 0) c->time_ms = s->now_ms;
    s->tally.documents++;
    bind_number(s, W_ADD_DOCUMENT, 1, c->seq);
    bind_text(s, W_ADD_DOCUMENT, 2, c->kind);
    bind_text(s, W_ADD_DOCUMENT, 3, c->id);
    bind_text(s, W_ADD_DOCUMENT, 4, c->json);
    bind_number(s, W_ADD_DOCUMENT, 5, c->time_ms);
    return run(s, W_ADD_DOCUMENT);
}

static kith_err add_journal(ki_sqlite *s, ki_change *c)
{
    c->seq = ++s->tally.seq;
    if (c->time_ms == 0) c->time_ms = s->now_ms;
    s->tally.journals++;
    bind_number(s, W_ADD_JOURNAL, 1, c->seq);
    bind_text(s, W_ADD_JOURNAL, 2, c->kind);
    bind_text(s, W_ADD_JOURNAL, 3, c->id);
    bind_text(s, W_ADD_JOURNAL, 4, c->user);
    bind_text(s, W_ADD_JOURNAL, 5, c->item);
    bind_text(s, W_ADD_JOURNAL, 6, c->json);
    bind_number(s, W_ADD_JOURNAL, 7, c->time_ms);
    return run(s, W_ADD_JOURNAL);
}

/* ---- batches and transactions ---- */

static kith_err write_one(ki_sqlite *s, ki_change *c)
{
    s->replaced |= c->change != KI_ADD_EVENT && c->change != KI_ADD_JOURNAL;
    switch (c->change) {
    case KI_PUT_USER: return put_one(s, &users, c, &c->user_index);
    case KI_PUT_ITEM: return put_one(s, &items, c, &c->item_index);
    case KI_DROP_USER: return drop_one(s, &users, c, &c->user_index);
    case KI_DROP_ITEM: return drop_one(s, &items, c, &c->item_index);
    case KI_ADD_EVENT: return add_event(s, c);
    case KI_DROP_EVENTS: return drop_events(s, c);
    case KI_PUT_DOCUMENT: return put_document(s, c);
    case KI_DROP_DOCUMENT: return drop_document(s, c);
    case KI_ADD_JOURNAL: return add_journal(s, c);
    }
    return ki_fail(KITH_EINVAL, "there is no kind of change %d", (int)c->change);
}

static kith_err write_all(ki_sqlite *s, ki_change *changes, int n)
{
    kith_err err = KITH_OK;
    for (int j = 0; err == KITH_OK && j < n; j++) err = write_one(s, &changes[j]);
    return err;
}

static kith_err write_apart(ki_sqlite *s, ki_change *changes, int n)
{
    const ki_tally before = s->tally;
    kith_err err = run(s, W_SAVE), lost;
    if (err != KITH_OK) return err;
    err = write_all(s, changes, n);
    if (err == KITH_OK) return run(s, W_RELEASE);
    if (err != KITH_EINVAL && err != KITH_EDATA) return err; /* all will be rolled back */
    char said[KI_MESSAGE_SIZE];
    ki_message_get(said);
    s->tally = before;
    lost = run(s, W_BACK);
    if (lost == KITH_OK) lost = run(s, W_RELEASE);
    if (lost != KITH_OK) return lost;
    ki_message_set(said);
    return err;
}

kith_err ki_sqlite_write(void *state, ki_change *changes, int n)
{
    ki_sqlite *s = state;
    return s->apart ? write_apart(s, changes, n) : write_all(s, changes, n);
}

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

kith_err ki_sqlite_begin(void *state, int apart)
{
    ki_sqlite *s = state;
    if (s->memory) pthread_mutex_lock(&s->turn);
    s->apart = apart;
    s->now_ms = clock_ms();
    return run(s, W_BEGIN);
}

static void end_turn(ki_sqlite *s)
{
    if (s->memory) pthread_mutex_unlock(&s->turn);
}

kith_err ki_sqlite_commit(void *state)
{
    ki_sqlite *s = state;
    const int64_t row[] = { s->tally.seq,    s->tally.users,     s->tally.items,
                            s->tally.events, s->tally.documents, s->tally.journals };
    for (int c = 0; c < (int)KI_COUNT(row); c++) bind_number(s, W_STATE, c + 1, row[c]);
    kith_err err = run(s, W_STATE);
    if (err == KITH_OK) err = run(s, W_COMMIT);
    if (err != KITH_OK) return err;
    pthread_mutex_lock(&s->lock);
    s->kept = s->tally;
    pthread_mutex_unlock(&s->lock);
    end_turn(s);
    return KITH_OK;
}

void ki_sqlite_rollback(void *state)
{
    ki_sqlite *s = state;
    if (!sqlite3_get_autocommit(s->db)) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    s->tally = s->kept; /* only this thread changes it */
    end_turn(s);
}
