/* SPDX-License-Identifier: MIT
 * read_recbole.c -- RecBole's atomic files: NAME.inter, with NAME.item and NAME.user beside it
 *
 * Columns are separated by tabs, and the header gives each a type: token, token_seq, float, float_seq.  Interactions
 * go by the names as in any table; the types decide the kinds of attributes (attrs.c).
 */
#include "data/read.h"

#include <stdio.h>
#include <string.h>

static kith_err recbole_rows(ki_reading *r, ki_source *s)
{
    return ki_read_csv(r, s, &(ki_csv_form){ .separator = '\t', .header = 1 });
}

/* Where ".inter" or ".inter.gz" begins at the end of a name, or NULL. */
static const char *ending(const char *base)
{
    const char *dot = strstr(base, ".inter");
    return dot != NULL && (strcmp(dot, ".inter") == 0 || strcmp(dot, ".inter.gz") == 0) ? dot
                                                                                        : NULL;
}

static int detect_recbole(const ki_probe *p)
{
    char path[KI_PATH_MAX];
    if (p->is_folder) return ki_path_find_ending(path, p->path, ".inter") > 0;
    const char *stop = memchr(p->head, '\n', p->n_head);
    const size_t n = stop == NULL ? p->n_head : (size_t)(stop - p->head);
    return memchr(p->head, '\t', n) != NULL && memmem(p->head, n, ":token", 6) != NULL;
}

static kith_err find_recbole(ki_reading *r, const ki_probe *p, const char *variant)
{
    char folder[KI_PATH_MAX], name[KI_PATH_MAX];
    if (variant != NULL)
        return ki_fail(KITH_EINVAL, "layout recbole has no variant \"%.60s\"", variant);
    snprintf(r->files.rows, KI_PATH_MAX, "%s", p->path);
    if (p->is_folder) {
        const int n = ki_path_find_ending(r->files.rows, p->path, ".inter");
        if (n != 1)
            return ki_fail(KITH_ENOTFOUND,
                           "%s: %d files NAME.inter in it, want one; or name the file", p->path, n);
    }
    const char *base = ki_path_base(r->files.rows), *dot = ending(base);
    if (dot == NULL) return KITH_OK;
    ki_path_folder(folder, r->files.rows);
    snprintf(name, sizeof name, "%.*s.item", (int)(dot - base), base);
    ki_path_find(r->files.items, folder, name);
    snprintf(name, sizeof name, "%.*s.user", (int)(dot - base), base);
    ki_path_find(r->files.users, folder, name);
    return KITH_OK;
}

const ki_layout ki_layout_recbole = {
    .name = "recbole",
    .summary = "RecBole's atomic files: NAME.inter, NAME.item, NAME.user, with typed headers",
    .detect = detect_recbole,
    .find = find_recbole,
    .rows = recbole_rows,
};
