/* SPDX-License-Identifier: MIT
 * datafile.c -- the binary form of a dataset, in the tensors container
 *
 * Texts     format, version, fingerprint (16 hexadecimal digits), has_values, report,
 *           user_attrs and item_attrs (the columns)
 * Arrays    users.*, items.* (ids), user_attrs.*, item_attrs.* (tablefile.h),
 *           log.user, log.item, log.value, and log.time, log.test where the data has them
 */
#include "data/datafile.h"

#include "base/mem.h"
#include "data/tablefile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FORMAT  "kith-data"
#define VERSION "1"

static int log_fields(ki_log *log, ki_field *out)
{
    out[0] = (ki_field){ "user", KI_I32, 1, { &log->n }, 0, (void **)&log->user, 0 };
    out[1] = (ki_field){ "item", KI_I32, 1, { &log->n }, 0, (void **)&log->item, 0 };
    out[2] = (ki_field){ "value", KI_F32, 1, { &log->n }, 0, (void **)&log->value, 0 };
    out[3] = (ki_field){ "time", KI_I64, 1, { &log->n }, 0, (void **)&log->time, 1 };
    out[4] = (ki_field){ "test", KI_U8, 1, { &log->n }, 0, (void **)&log->test, 1 };
    return 5;
}

static void write_fingerprint(const kith_data *d, char out[24])
{
    snprintf(out, 24, "%016" PRIx64, ki_data_fingerprint(d));
}

/* ---- saving ---- */

static json_t *report_json(const ki_read_report *r)
{
    json_t *why = json_string(r->first_skipped); /* NULL: quotes a line that is not UTF-8 */
    json_t *notes = r->notes[0] == '\0' ? NULL : json_string(r->notes); /* none: no member */
    return json_pack("{s:s, s:I, s:I, s:o, s:I, s:s, s:o*}", "layout", r->layout, "n_lines",
                     (json_int_t)r->n_lines, "n_skipped", (json_int_t)r->n_skipped, "first_skipped",
                     why == NULL ? json_string("") : why, "n_duplicates",
                     (json_int_t)r->n_duplicates, "duplicates", r->duplicates, "notes", notes);
}

static kith_err put_texts(const kith_data *d, ki_bundle *b)
{
    char fingerprint[24];
    kith_err err;
    write_fingerprint(d, fingerprint);
    if ((err = ki_bundle_text(b, "format", FORMAT)) != KITH_OK) return err;
    if ((err = ki_bundle_text(b, "version", VERSION)) != KITH_OK) return err;
    if ((err = ki_bundle_text(b, "fingerprint", fingerprint)) != KITH_OK) return err;
    if ((err = ki_bundle_text(b, "has_values", d->has_values ? "1" : "0")) != KITH_OK) return err;
    return ki_bundle_json(b, "report", report_json(&d->report));
}

static kith_err put_arrays(const kith_data *d, ki_bundle *b)
{
    ki_field fields[KI_MAX_FIELDS];
    ki_log lent = d->log;
    kith_err err;
    if ((err = ki_idmap_put(&d->users, "users", b)) != KITH_OK) return err;
    if ((err = ki_idmap_put(&d->items, "items", b)) != KITH_OK) return err;
    if ((err = ki_table_put(&d->user_attrs, "user_attrs", b)) != KITH_OK) return err;
    if ((err = ki_table_put(&d->item_attrs, "item_attrs", b)) != KITH_OK) return err;
    return ki_bundle_fields(b, fields, log_fields(&lent, fields), "log");
}

kith_err kith_data_save(kith *k, const kith_data *data, const char *path)
{
    ki_bundle b = { 0 };
    kith_err err;
    if (k == NULL || data == NULL || path == NULL)
        return ki_fail(KITH_EINVAL, "kith_data_save: context, data and path must not be NULL");
    if ((err = put_texts(data, &b)) == KITH_OK && (err = put_arrays(data, &b)) == KITH_OK)
        err = ki_bundle_write(&b, path);
    ki_bundle_clear(&b);
    return err;
}

/* ---- loading ---- */

static kith_err get_report(kith_data *d, const ki_mapping *m)
{
    json_t *o = NULL;
    json_int_t n_lines, n_skipped, n_duplicates;
    const char *layout, *why, *duplicates, *notes = "";
    ki_read_report *r = &d->report;
    const kith_err err = ki_bundle_find_json(m, "report", JSON_OBJECT, &o);
    if (err != KITH_OK) return err;
    const int good =
        json_unpack(o, "{s:s, s:I, s:I, s:s, s:I, s:s, s?s}", "layout", &layout, "n_lines",
                    &n_lines, "n_skipped", &n_skipped, "first_skipped", &why, "n_duplicates",
                    &n_duplicates, "duplicates", &duplicates, "notes", &notes) == 0 &&
        strlen(layout) < sizeof r->layout && strlen(why) < sizeof r->first_skipped &&
        strlen(duplicates) < sizeof r->duplicates && strlen(notes) < sizeof r->notes;
    if (good) {
        *r = (ki_read_report){ .n_lines = n_lines,
                               .n_skipped = n_skipped,
                               .n_duplicates = n_duplicates };
        snprintf(r->layout, sizeof r->layout, "%s", layout);
        snprintf(r->first_skipped, sizeof r->first_skipped, "%s", why);
        snprintf(r->duplicates, sizeof r->duplicates, "%s", duplicates);
        snprintf(r->notes, sizeof r->notes, "%s", notes);
    }
    json_decref(o);
    return good ? KITH_OK : ki_fail(KITH_EFORMAT, "the report of how it was read is not sound");
}

static kith_err get_texts(kith_data *d, const ki_mapping *m)
{
    const char *has_values = NULL;
    const kith_err err = ki_bundle_find_text(m, "has_values", &has_values);
    if (err != KITH_OK) return err;
    d->has_values = strcmp(has_values, "1") == 0;
    return get_report(d, m);
}

static kith_err get_arrays(kith_data *d, const ki_mapping *m)
{
    ki_field fields[KI_MAX_FIELDS];
    kith_err err;
    if ((err = ki_idmap_get(&d->users, "users", m)) != KITH_OK) return err;
    if ((err = ki_idmap_get(&d->items, "items", m)) != KITH_OK) return err;
    if ((err = ki_table_get(&d->user_attrs, "user_attrs", d->users.n, m)) != KITH_OK) return err;
    if ((err = ki_table_get(&d->item_attrs, "item_attrs", d->items.n, m)) != KITH_OK) return err;
    return ki_bundle_learn(fields, log_fields(&d->log, fields), "log", m);
}

/* ki_table_get has checked the attributes. */
static kith_err verify(kith_data *d, const ki_mapping *m, ki_pool *pool)
{
    const char *want = NULL;
    char got[24];
    kith_err err = ki_data_check_log(d);
    if (err != KITH_OK) return err;
    if ((err = ki_bundle_find_text(m, "fingerprint", &want)) != KITH_OK) return err;
    write_fingerprint(d, got);
    if (strcmp(got, want) == 0) return ki_data_check_unique(d, pool);
    return ki_fail(KITH_EFORMAT, "the fingerprint of its content is %s, its header says %.16s", got,
                   want);
}

/* Simulated data stays known as such: its source is no file. */
static kith_err keep_origin(kith_data *d)
{
    char *source = NULL;
    if (strcmp(d->report.layout, "generated") != 0) return KITH_OK;
    const kith_err err = ki_strdup(&source, "generated");
    if (err != KITH_OK) return err;
    ki_free(d->source);
    d->source = source;
    return KITH_OK;
}

kith_err ki_data_load(kith *k, const char *path, kith_data **out)
{
    kith_data *d = NULL;
    ki_mapping *m = NULL;
    kith_err err = ki_bundle_open(path, FORMAT, VERSION, &m);
    if (err != KITH_OK) return err;
    if ((err = ki_alloc(&d, 1, sizeof *d)) != KITH_OK) return ki_tensors_close(m), err;
    d->mapping = m;
    if ((err = ki_strdup(&d->source, path)) != KITH_OK) goto fail;
    if ((err = get_texts(d, m)) != KITH_OK) goto fail;
    if ((err = get_arrays(d, m)) != KITH_OK) goto fail;
    if ((err = verify(d, m, ki_context_job(k)->pool)) != KITH_OK) goto fail;
    if ((err = keep_origin(d)) != KITH_OK) goto fail;
    *out = d;
    return KITH_OK;
fail:
    kith_data_free(d);
    return ki_bundle_blame(path, err);
}
