/* SPDX-License-Identifier: MIT
 * read_recbole.c -- RecBole's atomic files: NAME.inter, with NAME.item and NAME.user beside it
 *
 * Columns are separated by tabs, and the header gives each a type: token, token_seq, float, float_seq.  Interactions
 * go by the names as in any table; the types decide the kinds of attributes (attrs.c).
 *
 * Splits      NAME.train.inter, NAME.valid.inter and NAME.test.inter are read together, by the folder or by the first of
 *             them: train and valid as training rows, test as the test part (protocol predefined).
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

/* The three files of a split, if r->files.rows is the training one; its name without their ending goes to `name`. */
static int find_split(ki_reading *r, const char *folder, char *name)
{
    static const char middle[] = ".train";
    const char *base = ki_path_base(r->files.rows), *dot = ending(base);
    const size_t n = dot == NULL ? 0 : (size_t)(dot - base), k = sizeof middle - 1;
    char other[KI_PATH_MAX];
    if (n <= k || memcmp(dot - k, middle, k) != 0) return 0;
    snprintf(name, KI_PATH_MAX, "%.*s", (int)(n - k), base);
    snprintf(other, sizeof other, "%.4000s.valid.inter", name);
    ki_path_find(r->files.more, folder, other);
    snprintf(other, sizeof other, "%.4000s.test.inter", name);
    ki_path_find(r->files.test, folder, other);
    if (r->files.more[0] == '\0' && r->files.test[0] == '\0') return 0;
    ki_read_note(&r->data->report, "%.200s.train.inter was read%s%s", name,
                 r->files.more[0] != '\0' ? " with the valid part for training" : "",
                 r->files.test[0] != '\0' ? ", and the test part as the predefined split" : "");
    return 1;
}

static kith_err find_in_folder(ki_reading *r, const char *folder)
{
    int n = ki_path_find_ending(r->files.rows, folder, ".train.inter");
    if (n != 1) n = ki_path_find_ending(r->files.rows, folder, ".inter");
    if (n == 1) return KITH_OK;
    return ki_fail(KITH_ENOTFOUND, "%s: %d files NAME.inter in it, want one; or name the file",
                   folder, n);
}

static kith_err find_recbole(ki_reading *r, const ki_probe *p, const char *variant)
{
    char folder[KI_PATH_MAX], name[KI_PATH_MAX], path[KI_PATH_MAX];
    kith_err err;
    if (variant != NULL)
        return ki_fail(KITH_EINVAL, "layout recbole has no variant \"%.60s\"", variant);
    snprintf(r->files.rows, KI_PATH_MAX, "%s", p->path);
    if (p->is_folder && (err = find_in_folder(r, p->path)) != KITH_OK) return err;
    const char *base = ki_path_base(r->files.rows), *dot = ending(base);
    if (dot == NULL) return KITH_OK;
    ki_path_folder(folder, r->files.rows);
    if (!find_split(r, folder, name)) snprintf(name, sizeof name, "%.*s", (int)(dot - base), base);
    snprintf(path, sizeof path, "%.4000s.item", name);
    ki_path_find(r->files.items, folder, path);
    snprintf(path, sizeof path, "%.4000s.user", name);
    ki_path_find(r->files.users, folder, path);
    return KITH_OK;
}

const ki_layout ki_layout_recbole = {
    .name = "recbole",
    .summary = "RecBole's atomic files: NAME.inter (or .train, .valid, .test.inter), NAME.item, "
               "NAME.user, with typed headers",
    .detect = detect_recbole,
    .find = find_recbole,
    .rows = recbole_rows,
};
