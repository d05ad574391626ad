/* SPDX-License-Identifier: MIT
 * storage.h -- stores for tests: changes written in a line, rows gathered as text
 */
#ifndef KITH_TEST_STORAGE_H
#define KITH_TEST_STORAGE_H

#include "disk.h"
#include "store/store.h"

#include <math.h>

/* A folder of one's own for a store and what lies beside it, and the path of a store in it. */
static inline void storage_path(char *path, size_t size, const char *name)
{
    char command[400];
    snprintf(path, size, "%s.db", scratch_path(name));
    snprintf(command, sizeof command, "rm -f '%s'*", path);
    CHECK(system(command) == 0);
}

static inline ki_change an_event(const char *user, const char *item, const char *kind, double value)
{
    return (ki_change){ .change = KI_ADD_EVENT, .user = user, .item = item, .kind = kind, .value = value };
}

static inline ki_change a_user(const char *id, const char *json)
{
    return (ki_change){ .change = KI_PUT_USER, .id = id, .json = json };
}

static inline ki_change an_item(const char *id, const char *json)
{
    return (ki_change){ .change = KI_PUT_ITEM, .id = id, .json = json };
}

static inline ki_change a_document(const char *kind, const char *id, const char *json)
{
    return (ki_change){ .change = KI_PUT_DOCUMENT, .kind = kind, .id = id, .json = json };
}

static inline kith_err write_one(ki_store *s, ki_change c)
{
    return ki_store_write(s, &c, 1);
}

struct gathered {
    ki_table_name table;
    char text[1 << 16];
    size_t n;
    int64_t rows;
};

/* Users and items as "0:ann ", dropped ones as "0:- "; the others as "seq:kind/user/item/id ", without what is not
 * there. */
static inline kith_err gather_row(void *udata, const ki_row *r)
{
    struct gathered *g = udata;
    char *to = g->text + g->n;
    const size_t room = sizeof g->text - g->n;
    g->rows++;
    if (room < 2000) return KITH_OK;
    if (g->table <= KI_ITEMS)
        g->n += (size_t)snprintf(to, room, "%d:%s ", r->index, r->id == NULL ? "-" : r->id);
    else
        g->n += (size_t)snprintf(to, room, "%lld:%s%s%s%s%s%s%s ", (long long)r->seq, r->kind, r->user ? "/" : "",
                                 r->user ? r->user : "", r->item ? "/" : "", r->item ? r->item : "", r->id ? "/" : "",
                                 r->id ? r->id : "");
    return KITH_OK;
}

/* Good until the next call. */
static inline const char *gather(ki_store *s, ki_table_name table, const ki_select *which)
{
    static struct gathered g;
    g.table = table;
    g.n = 0;
    g.rows = 0;
    g.text[0] = '\0';
    CHECK_OK(ki_store_each(s, table, which, gather_row, &g));
    if (g.n > 0) g.text[g.n - 1] = '\0';
    return g.text;
}

static inline int64_t count_rows(ki_store *s, ki_table_name table)
{
    static struct gathered g;
    g.table = table;
    g.n = 0;
    g.rows = 0;
    CHECK_OK(ki_store_each(s, table, &(ki_select){ .no_ids = 1 }, gather_row, &g));
    return g.rows;
}

#endif
