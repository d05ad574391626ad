/* SPDX-License-Identifier: MIT
 * read.c -- kith_data_read: which layout it is, its files in order, and a finished dataset
 *
 * Order       rows of the training file, rows of the test file, attributes of items, of users, then duplicates: so
 *             that indexes run by first appearance, training part first, and the cold part of a catalogue comes last.
 */
#include "data/read.h"

#include "base/mem.h"
#include "base/tensors.h"
#include "data/datafile.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* The binary form has no rows; it is read by ki_data_load. */
static const ki_layout binary = { .name = "binary",
                                  .summary = "what `kith data convert` and kith_data_save write" };

static const ki_layout *const layouts[] = {
    /* in the order of detection: the more particular ones first */
    &binary,
    &ki_layout_movielens_100k,
    &ki_layout_movielens_latest,
    &ki_layout_lightgcn,
    &ki_layout_recbole,
    &ki_layout_contract,
    &ki_layout_ndjson,
    &ki_layout_movielens_1m,
    &ki_layout_pairs,
    &ki_layout_sequences,
    &ki_layout_csv,
    &ki_layout_tsv,
};

static const char *layout_names[KI_COUNT(layouts) + 1]; /* set once */

static void name_layouts(void)
{
    for (size_t j = 0; j < KI_COUNT(layouts); j++) layout_names[j] = layouts[j]->name;
}

const char *const *kith_layouts(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, name_layouts);
    return layout_names;
}

/* ---- which layout ---- */

/* By name, of which `n` bytes count. */
static const ki_layout *find_layout(const char *name, size_t n)
{
    for (size_t j = 0; j < KI_COUNT(layouts); j++)
        if (strlen(layouts[j]->name) == n && memcmp(layouts[j]->name, name, n) == 0)
            return layouts[j];
    return NULL;
}

static kith_err unknown_layout(const char *name)
{
    char list[512];
    size_t n = 0;
    for (size_t j = 0; j < KI_COUNT(layouts); j++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", j > 0 ? ", " : "",
                              layouts[j]->name);
    return ki_fail(KITH_EINVAL, "there is no layout \"%.60s\"; there are %s", name, list);
}

static kith_err detect(const ki_probe *p, const ki_layout **out)
{
    for (size_t j = 0; j < KI_COUNT(layouts); j++) {
        if (layouts[j]->detect == NULL || !layouts[j]->detect(p)) continue;
        *out = layouts[j];
        return KITH_OK;
    }
    if (p->is_folder)
        return ki_fail(
            KITH_EFORMAT,
            "%s: no data set known to kith in this folder; want a file, or a folder with u.data, "
            "ratings.dat, ratings.csv and movies.csv, train.txt, or interactions.csv",
            p->path);
    return ki_fail(KITH_EFORMAT,
                   "%s: not a known layout; name one with the option layout if it is one after all",
                   p->path);
}

/* `name` is "layout" or "layout:variant", or NULL. */
static kith_err choose(const char *name, const ki_probe *p, const ki_layout **out,
                       const char **variant)
{
    *variant = NULL;
    if (name == NULL) return detect(p, out);
    const char *colon = strchr(name, ':');
    *out = find_layout(name, colon == NULL ? strlen(name) : (size_t)(colon - name));
    if (*out == NULL) return unknown_layout(name);
    if (colon != NULL) *variant = colon + 1;
    return KITH_OK;
}

/* ---- reading ---- */

static kith_err begin(ki_reading *r, const char *source)
{
    const kith_err err = ki_alloc(&r->data, 1, sizeof *r->data);
    if (err != KITH_OK) return err;
    r->users.ids = &r->data->users;
    r->items.ids = &r->data->items;
    r->users.job = r->items.job = r->job;
    r->limits.skip_bad = KI_MAX(r->options->skip_bad, 0);
    return ki_strdup(&r->data->source, source);
}

static kith_err read_rows(ki_reading *r, const ki_layout *layout, ki_source *s, int test)
{
    size_t n;
    const char *head = ki_source_peek(s, &n);
    if (n == 0) return ki_fail(KITH_EDATA, "%s: the file is empty", ki_source_name(s));
    if (n >= 2 && (memcmp(head, "\xff\xfe", 2) == 0 || memcmp(head, "\xfe\xff", 2) == 0))
        return ki_fail(KITH_EFORMAT, "%s:1:1: got UTF-16, want UTF-8; convert it first",
                       ki_source_name(s));
    const int64_t before = r->draft.log.n;
    r->test = test;
    const kith_err err = layout->rows(r, s);
    if (err == KITH_OK && r->draft.log.n == before)
        return ki_fail(KITH_EDATA, "%s: no interactions in it", ki_source_name(s));
    return err;
}

static kith_err read_rows_at(ki_reading *r, const ki_layout *layout, const char *path, int test)
{
    ki_source *s = NULL;
    kith_err err = ki_source_open(path, &s);
    if (err == KITH_OK) err = read_rows(r, layout, s, test);
    ki_source_close(s);
    return err;
}

static kith_err read_attributes(ki_reading *r, const ki_layout *layout)
{
    const kith_read_options *o = r->options;
    kith_err err = KITH_OK;
    if (o->items_path != NULL) r->files.items[0] = '\0';
    if (o->users_path != NULL) r->files.users[0] = '\0';
    if (layout->attributes != NULL && (err = layout->attributes(r)) != KITH_OK) return err;
    if (layout->attributes == NULL && r->files.items[0] != '\0')
        err = ki_attrs_read_file(&r->items, r->files.items, KI_ITEM);
    if (layout->attributes == NULL && r->files.users[0] != '\0' && err == KITH_OK)
        err = ki_attrs_read_file(&r->users, r->files.users, KI_USER);
    if (err == KITH_OK && o->items_path != NULL)
        err = ki_attrs_read_file(&r->items, o->items_path, KI_ITEM);
    if (err == KITH_OK && o->users_path != NULL)
        err = ki_attrs_read_file(&r->users, o->users_path, KI_USER);
    return err;
}

static void note_attributes(ki_reading *r, const ki_attrs *a, const char *whose)
{
    if (a->n_repeated > 0)
        ki_read_note(&r->data->report,
                     "%lld rows of %s attributes have an id that came before; what they say counts",
                     (long long)a->n_repeated, whose);
    if (a->n_left_out > 0)
        ki_read_note(
            &r->data->report,
            "%lld %s attributes were left out: objects in lists, names beyond 255 bytes or "
            "nesting beyond 8",
            (long long)a->n_left_out, whose);
}

/* From all that was read to a dataset. */
static kith_err finish(ki_reading *r, const char *layout)
{
    kith_data *d = r->data;
    kith_err err;
    snprintf(d->report.layout, sizeof d->report.layout, "%s", layout);
    note_attributes(r, &r->items, "item");
    note_attributes(r, &r->users, "user");
    if ((err = ki_log_draft_finish(&r->draft, d)) != KITH_OK) return err;
    if ((err = ki_attrs_finish(&r->items, &d->item_attrs)) != KITH_OK) return err;
    if ((err = ki_attrs_finish(&r->users, &d->user_attrs)) != KITH_OK) return err;
    return ki_data_finish(d, r->options->duplicates, r->job->pool);
}

static kith_err end(ki_reading *r, kith_err err, kith_data **out)
{
    ki_log_draft_clear(&r->draft);
    ki_attrs_clear(&r->users);
    ki_attrs_clear(&r->items);
    if (err == KITH_OK)
        *out = r->data;
    else
        kith_data_free(r->data);
    ki_free(r);
    return err;
}

/* PATH.items.csv and PATH.users.csv, where kith_data_write leaves attributes. */
static void find_written_beside(ki_reading *r, const ki_probe *p)
{
    char folder[KI_PATH_MAX], name[KI_PATH_MAX];
    ki_path_folder(folder, p->path);
    snprintf(name, sizeof name, "%.4000s.items.csv", p->base);
    ki_path_find(r->files.items, folder, name);
    snprintf(name, sizeof name, "%.4000s.users.csv", p->base);
    ki_path_find(r->files.users, folder, name);
}

static kith_err find_files(ki_reading *r, const ki_layout *layout, const ki_probe *p,
                           const char *variant)
{
    if (!p->is_folder) find_written_beside(r, p);
    if (layout->find != NULL) return layout->find(r, p, variant);
    if (variant != NULL)
        return ki_fail(KITH_EINVAL, "layout %s has no variant \"%.60s\"", layout->name, variant);
    if (p->is_folder)
        return ki_fail(KITH_EINVAL, "%s: a folder, but layout %s is a file", p->path, layout->name);
    snprintf(r->files.rows, KI_PATH_MAX, "%s", p->path);
    return KITH_OK;
}

/* The file that was opened for its head is not opened again: a pipe gives its bytes once. */
static kith_err read_first(ki_reading *r, const ki_layout *layout, const char *path, ki_source *s)
{
    if (s != NULL && strcmp(path, r->files.rows) == 0) return read_rows(r, layout, s, 0);
    return read_rows_at(r, layout, r->files.rows, 0);
}

/* `s` is the open file at p->path; NULL for a folder. */
static kith_err read_all(ki_reading *r, const ki_probe *p, ki_source *s)
{
    const ki_layout *layout = NULL;
    const char *variant;
    kith_err err;
    if ((err = choose(r->options->layout, p, &layout, &variant)) != KITH_OK) return err;
    if (layout == &binary)
        return ki_fail(KITH_EFORMAT, "%s: not a file in kith's binary form", p->path);
    if ((err = find_files(r, layout, p, variant)) != KITH_OK) return err;
    const char *test = r->options->test_path != NULL ? r->options->test_path : r->files.test;
    if ((err = read_first(r, layout, p->path, s)) != KITH_OK) return err;
    if (r->files.more[0] != '\0' && (err = read_rows_at(r, layout, r->files.more, 0)) != KITH_OK)
        return err;
    if (test[0] != '\0' && (err = read_rows_at(r, layout, test, 1)) != KITH_OK) return err;
    if ((err = read_attributes(r, layout)) != KITH_OK) return err;
    return finish(r, r->options->layout != NULL ? r->options->layout : layout->name);
}

/* What detection looks at. */
static kith_err read_path(ki_reading *r, const char *path)
{
    ki_probe p = { .path = path, .base = ki_path_base(path), .head = "" };
    ki_source *s = NULL;
    kith_err err;
    if (strlen(path) >= KI_PATH_MAX)
        return ki_fail(KITH_EINVAL, "a path of more than %d bytes", KI_PATH_MAX - 1);
    p.is_folder = ki_path_look(path) == KI_PATH_FOLDER;
    if (p.is_folder) return read_all(r, &p, NULL);
    if ((err = ki_source_open(path, &s)) != KITH_OK) return err;
    p.head = ki_source_peek(s, &p.n_head);
    err = p.n_head == 0 ? ki_fail(KITH_EDATA, "%s: the file is empty", path) : read_all(r, &p, s);
    ki_source_close(s);
    return err;
}

/* The binary form holds finished data: what says how to read or join text has no meaning for it. */
static kith_err check_for_binary(const char *path, const kith_read_options *o)
{
    const char *wrong = o->items_path != NULL     ? "items"
                        : o->users_path != NULL   ? "users"
                        : o->test_path != NULL    ? "test"
                        : o->user_column != NULL  ? "user_column"
                        : o->item_column != NULL  ? "item_column"
                        : o->value_column != NULL ? "value_column"
                        : o->time_column != NULL  ? "time_column"
                                                  : NULL;
    if (o->layout != NULL && strcmp(o->layout, binary.name) != 0) wrong = "layout";
    if (wrong == NULL) return KITH_OK;
    return ki_fail(
        KITH_EINVAL,
        "%s: a file in kith's binary form, which the option %s cannot change; leave it out", path,
        wrong);
}

kith_err kith_data_read(kith *k, const char *path, const kith_read_options *options,
                        kith_data **out)
{
    static const kith_read_options none = { 0 };
    ki_reading *r = NULL;
    kith_err err;
    if (k == NULL || path == NULL || out == NULL)
        return ki_fail(KITH_EINVAL, "kith_data_read: context, path and out must not be NULL");
    if (options == NULL) options = &none;
    ki_job_begin(ki_context_job(k));
    if (ki_tensors_is_file(path)) {
        err = check_for_binary(path, options);
        return err != KITH_OK ? err : ki_data_load(k, path, out);
    }
    if ((err = ki_alloc(&r, 1, sizeof *r)) != KITH_OK) return err;
    r->options = options;
    r->job = ki_context_job(k);
    if ((err = begin(r, path)) == KITH_OK) err = read_path(r, path);
    return end(r, err, out);
}

kith_err ki_read_buffer(ki_job *job, const char *layout, const void *bytes, size_t n,
                        const kith_read_options *options, const ki_row_limits *limits,
                        kith_data **out)
{
    const ki_layout *found = find_layout(layout, strlen(layout));
    ki_reading *r = NULL;
    ki_source *s = NULL;
    kith_err err;
    if (found == NULL || found->rows == NULL) return unknown_layout(layout);
    if ((err = ki_alloc(&r, 1, sizeof *r)) != KITH_OK) return err;
    r->options = options;
    r->job = job;
    if ((err = begin(r, "buffer")) != KITH_OK) return end(r, err, out);
    if (limits != NULL) r->limits = *limits;
    if ((err = ki_source_memory("buffer", bytes, n, &s)) == KITH_OK)
        err = read_rows(r, found, s, 0);
    ki_source_close(s);
    if (err == KITH_OK) err = finish(r, layout);
    return end(r, err, out);
}
