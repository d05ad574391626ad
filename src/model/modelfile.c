/* SPDX-License-Identifier: MIT
 * modelfile.c -- a model as one file: everything that asking needs, checked before it is trusted
 *
 * Texts     format, version, model, model_version, params, seed, scale, fingerprint, trained_at,
 *           source, user_attrs and item_attrs (the columns)
 * Arrays    users.*, items.* (ids), user_attrs.*, item_attrs.* (tablefile.h),
 *           history.ptr/idx/val (training matrix by user), state.* (what the form keeps)
 * Loading   borrows all arrays from the mapping.  What is not in the file is made anew: hashes of
 *           ids, counts, items nobody has, raters by item where the form needs them.
 */
#include "base/mem.h"
#include "data/tablefile.h"
#include "model/package.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT  "kith-model"
#define VERSION "1"

static int history_fields(ki_csr *a, int64_t *n_users, int64_t *nnz, ki_field *out)
{
    out[0] = (ki_field){ "ptr", KI_I64, 1, { n_users }, 1, (void **)&a->ptr, 0 };
    out[1] = (ki_field){ "idx", KI_I32, 1, { nnz }, 0, (void **)&a->idx, 0 };
    out[2] = (ki_field){ "val", KI_F32, 1, { nnz }, 0, (void **)&a->val, 0 };
    return 3;
}

/* ---- saving ---- */

static kith_err put_texts(const kith_model *m, ki_bundle *b)
{
    const ki_model_desc *desc = m->core.desc;
    char number[32];
    kith_err err;
    if ((err = ki_bundle_text(b, "format", FORMAT)) != KITH_OK) return err;
    if ((err = ki_bundle_text(b, "version", VERSION)) != KITH_OK) return err;
    if ((err = ki_bundle_text(b, "model", desc->name)) != KITH_OK) return err;
    snprintf(number, sizeof number, "%d", desc->version);
    if ((err = ki_bundle_text(b, "model_version", number)) != KITH_OK) return err;
    err =
        ki_bundle_json(b, "params", ki_params_values(desc->params, desc->n_params, m->core.params));
    if (err != KITH_OK) return err;
    snprintf(number, sizeof number, "%" PRIu64, m->core.seed);
    if ((err = ki_bundle_text(b, "seed", number)) != KITH_OK) return err;
    err = ki_bundle_json(b, "scale",
                         json_pack("{s:f, s:f, s:f, s:b, s:b}", "mean", m->core.mean, "min",
                                   (double)m->core.min, "max", (double)m->core.max, "has_values",
                                   m->core.has_values, "strengths", m->core.strengths));
    if (err != KITH_OK) return err;
    if ((err = ki_bundle_text(b, "fingerprint", m->fingerprint)) != KITH_OK) return err;
    if ((err = ki_bundle_text(b, "trained_at", m->trained_at)) != KITH_OK) return err;
    return ki_bundle_text(b, "source", m->source);
}

static kith_err put_arrays(const kith_model *m, ki_bundle *b)
{
    const ki_form *form = m->core.desc->form;
    ki_field fields[KI_MAX_FIELDS];
    ki_csr history = m->core.history;
    int64_t n_users = history.n_rows, nnz = ki_csr_nnz(&history);
    kith_err err;
    if ((err = ki_idmap_put(&m->users, "users", b)) != KITH_OK) return err;
    if ((err = ki_idmap_put(&m->items, "items", b)) != KITH_OK) return err;
    if ((err = ki_table_put(&m->user_attrs, "user_attrs", b)) != KITH_OK) return err;
    if ((err = ki_table_put(&m->item_attrs, "item_attrs", b)) != KITH_OK) return err;
    err = ki_bundle_fields(b, fields, history_fields(&history, &n_users, &nnz, fields), "history");
    if (err != KITH_OK) return err;
    return ki_bundle_fields(b, fields, form->fields(m->core.state, fields), "state");
}

kith_err kith_model_save(kith *k, const kith_model *model, const char *path)
{
    ki_bundle b = { 0 };
    kith_err err;
    if (k == NULL || model == NULL || path == NULL)
        return ki_fail(KITH_EINVAL, "kith_model_save: context, model and path must not be NULL");
    if ((err = put_texts(model, &b)) == KITH_OK && (err = put_arrays(model, &b)) == KITH_OK)
        err = ki_bundle_write(&b, path);
    ki_bundle_clear(&b);
    return err;
}

/* ---- loading ---- */

static kith_err get_descriptor(kith_model *m)
{
    const char *name, *version;
    kith_err err = ki_bundle_find_text(m->mapping, "model", &name);
    if (err != KITH_OK) return err;
    const ki_model_desc *desc = ki_model_find(name);
    if (desc == NULL)
        return ki_fail(KITH_EFORMAT, "%s: holds a model \"%.64s\", which this kith does not have",
                       ki_tensors_path(m->mapping), name);
    if ((err = ki_bundle_find_text(m->mapping, "model_version", &version)) != KITH_OK) return err;
    char *end;
    if (version[0] == '\0' || strtol(version, &end, 10) != desc->version || *end != '\0')
        return ki_fail(KITH_EFORMAT, "%s: %s of version %.16s, want %d; train it anew",
                       ki_tensors_path(m->mapping), name, version, desc->version);
    m->core.desc = desc;
    return KITH_OK;
}

static kith_err get_params(kith_model *m)
{
    const ki_model_desc *desc = m->core.desc;
    json_t *values = NULL;
    kith_err err = ki_model_params(desc, NULL, 0, 0, &m->core.params);
    if (err != KITH_OK) return err;
    if ((err = ki_bundle_find_json(m->mapping, "params", JSON_OBJECT, &values)) != KITH_OK)
        return err;
    if (json_object_size(values) != (size_t)desc->n_params ||
        ki_params_read(desc->params, desc->n_params, m->core.params, desc->name, values) != KITH_OK)
        err = ki_fail(KITH_EFORMAT, "%s: its parameters are not those of %s",
                      ki_tensors_path(m->mapping), desc->name);
    json_decref(values);
    return err;
}

static kith_err get_scale(kith_model *m)
{
    json_t *scale = NULL;
    double mean, min, max;
    const kith_err err = ki_bundle_find_json(m->mapping, "scale", JSON_OBJECT, &scale);
    if (err != KITH_OK) return err;
    const int bad =
        json_unpack(scale, "{s:F, s:F, s:F, s:b, s?b}", "mean", &mean, "min", &min, "max", &max,
                    "has_values", &m->core.has_values, "strengths", &m->core.strengths) != 0;
    json_decref(scale);
    if (bad || !isfinite(mean) || !(min <= max) || !(fabs(min) <= FLT_MAX) ||
        !(fabs(max) <= FLT_MAX))
        return ki_fail(KITH_EFORMAT, "%s: the scale of its ratings is not sound",
                       ki_tensors_path(m->mapping));
    m->core.mean = mean;
    m->core.min = (float)min;
    m->core.max = (float)max;
    return KITH_OK;
}

static kith_err get_origin(kith_model *m)
{
    const char *seed, *source, *trained_at, *fingerprint;
    char *end;
    kith_err err;
    if ((err = ki_bundle_find_text(m->mapping, "seed", &seed)) != KITH_OK) return err;
    if ((err = ki_bundle_find_text(m->mapping, "source", &source)) != KITH_OK) return err;
    if ((err = ki_bundle_find_text(m->mapping, "trained_at", &trained_at)) != KITH_OK) return err;
    if ((err = ki_bundle_find_text(m->mapping, "fingerprint", &fingerprint)) != KITH_OK) return err;
    m->core.seed = strtoull(seed, &end, 10);
    if (end == seed || *end != '\0' || strlen(trained_at) >= sizeof m->trained_at ||
        strlen(fingerprint) >= sizeof m->fingerprint)
        return ki_fail(KITH_EFORMAT, "%s: its seed, date or fingerprint is not sound",
                       ki_tensors_path(m->mapping));
    snprintf(m->trained_at, sizeof m->trained_at, "%s", trained_at);
    snprintf(m->fingerprint, sizeof m->fingerprint, "%s", fingerprint);
    return ki_strdup(&m->source, source);
}

static kith_err get_ids(kith_model *m)
{
    kith_err err;
    if ((err = ki_idmap_get(&m->users, "users", m->mapping)) != KITH_OK) return err;
    if ((err = ki_idmap_get(&m->items, "items", m->mapping)) != KITH_OK) return err;
    if (m->users.n == 0 || m->items.n == 0) /* nothing is ever trained on such data */
        return ki_fail(KITH_EFORMAT, "%s: has no users or no items", ki_tensors_path(m->mapping));
    m->core.n_users = m->users.n;
    m->core.n_items = m->items.n;
    if ((err = ki_table_get(&m->user_attrs, "user_attrs", m->users.n, m->mapping)) != KITH_OK)
        return err;
    return ki_table_get(&m->item_attrs, "item_attrs", m->items.n, m->mapping);
}

static kith_err get_history(kith_model *m)
{
    ki_field fields[3];
    ki_csr *history = &m->ratings.by_user;
    int64_t n_users, nnz;
    kith_err err = ki_bundle_learn(fields, history_fields(history, &n_users, &nnz, fields),
                                   "history", m->mapping);
    if (err != KITH_OK) return *history = (ki_csr){ 0 }, err;
    history->n_rows = m->users.n;
    history->n_cols = m->items.n;
    if (n_users != m->users.n || history->ptr[n_users] != nnz)
        return ki_fail(KITH_EFORMAT, "%s: the histories are not those of its users",
                       ki_tensors_path(m->mapping));
    if ((err = ki_csr_check(history, "histories")) != KITH_OK) return err;
    if (m->core.desc->form->needs_raters &&
        (err = ki_csr_transpose(&m->ratings.by_item, history)) != KITH_OK)
        return err;
    m->core.history = ki_csr_lend(history);
    m->core.raters = ki_csr_lend(&m->ratings.by_item);
    return KITH_OK;
}

/* An array that nobody asked for is a sign of another kith, or of a changed file. */
static kith_err check_claimed(const kith_model *m, const ki_field *fields, int n_fields)
{
    static const char *const others[] = { "users.", "items.", "user_attrs.", "item_attrs.",
                                          "history." };
    int claimed = 0, there = ki_tensors_count(m->mapping);
    for (int j = 0; j < n_fields; j++) claimed += *fields[j].data != NULL;
    for (int j = 0; j < ki_tensors_count(m->mapping); j++)
        for (size_t o = 0; o < KI_COUNT(others); o++)
            there -= strncmp(ki_tensors_at(m->mapping, j)->name, others[o], strlen(others[o])) == 0;
    if (claimed == there) return KITH_OK;
    return ki_fail(KITH_EFORMAT, "%s: holds arrays that %s does not know",
                   ki_tensors_path(m->mapping), m->core.desc->name);
}

static kith_err get_state(kith_model *m)
{
    const ki_model_desc *desc = m->core.desc;
    ki_field fields[KI_MAX_FIELDS];
    kith_err err = ki_alloc(&m->core.state, 1, desc->form->size);
    if (err != KITH_OK) return err;
    m->core.state_borrowed = 1;
    if (desc->begin != NULL && (err = desc->begin(m->core.params, m->core.state)) != KITH_OK)
        return err;
    const int n = desc->form->fields(m->core.state, fields);
    if ((err = ki_bundle_learn(fields, n, "state", m->mapping)) != KITH_OK) return err;
    if ((err = check_claimed(m, fields, n)) != KITH_OK) return err;
    if ((err = desc->form->check(&m->core)) != KITH_OK) return err;
    return desc->check == NULL ? KITH_OK : desc->check(&m->core);
}

static kith_err get_all(kith_model *m)
{
    kith_err (*const steps[])(kith_model *) = { get_descriptor, get_params,      get_scale,
                                                get_origin,     get_ids,         get_history,
                                                get_state,      ki_package_count };
    for (size_t s = 0; s < KI_COUNT(steps); s++) {
        const kith_err err = steps[s](m);
        if (err != KITH_OK) return err;
    }
    return ki_model_find_cold(&m->core);
}

kith_err kith_model_load(kith *k, const char *path, kith_model **out)
{
    kith_model *m = NULL;
    kith_err err;
    if (k == NULL || path == NULL || out == NULL)
        return ki_fail(KITH_EINVAL, "kith_model_load: context, path and out must not be NULL");
    if ((err = ki_alloc(&m, 1, sizeof *m)) != KITH_OK) return err;
    if ((err = ki_bundle_open(path, FORMAT, VERSION, &m->mapping)) == KITH_OK) err = get_all(m);
    if (err != KITH_OK) {
        kith_model_free(m);
        return ki_bundle_blame(path, err);
    }
    *out = m;
    return KITH_OK;
}
