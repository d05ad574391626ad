/* SPDX-License-Identifier: MIT
 * train.c -- kith_train: from a dataset to a model that stands alone
 *
 * Rows of the log marked as test are left out.  Ids and attributes are copied, so that the data may
 * be freed; what only a fit reads (times, and raters where the form does not serve from them) is
 * let go afterwards.
 */
#include "base/mem.h"
#include "model/package.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static kith_err take_ratings(kith_model *m, const kith_data *data)
{
    uint8_t *keep = NULL;
    kith_err err = KITH_OK;
    if (data->log.test != NULL) {
        if ((err = ki_alloc(&keep, (size_t)data->log.n, 1)) != KITH_OK) return err;
        for (int64_t j = 0; j < data->log.n; j++) keep[j] = !data->log.test[j];
    }
    err = ki_ratings_build(&m->ratings, data, keep);
    ki_free(keep);
    return err;
}

static kith_err take_names(kith_model *m, const kith_data *data)
{
    kith_err err;
    if ((err = ki_idmap_copy(&m->users, &data->users)) != KITH_OK) return err;
    if ((err = ki_idmap_copy(&m->items, &data->items)) != KITH_OK) return err;
    if ((err = ki_table_copy(&m->user_attrs, &data->user_attrs)) != KITH_OK) return err;
    return ki_table_copy(&m->item_attrs, &data->item_attrs);
}

/* A path need not be UTF-8, a header must be: bytes beyond ASCII become '?' where it is not. */
static void make_utf8(char *text)
{
    json_t *string = json_string(text);
    for (char *p = text; string == NULL && *p != '\0'; p++)
        if ((unsigned char)*p >= 0x80) *p = '?';
    json_decref(string);
}

static kith_err take_origin(kith_model *m, const kith_data *data)
{
    const time_t now = time(NULL);
    struct tm utc;
    const kith_err err = ki_strdup(&m->source, data->source);
    if (err != KITH_OK) return err;
    make_utf8(m->source);
    strftime(m->trained_at, sizeof m->trained_at, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    snprintf(m->fingerprint, sizeof m->fingerprint, "%016" PRIx64, ki_data_fingerprint(data));
    return KITH_OK;
}

static void drop_fit_only(kith_model *m)
{
    ki_free(m->ratings.time);
    m->ratings.time = NULL;
    if (m->core.desc->form->needs_raters) return;
    ki_csr_clear(&m->ratings.by_item);
    m->core.raters = (ki_csr){ 0 };
}

static kith_err train(kith_model *m, const kith_data *data, const ki_model_desc *desc, void *params,
                      ki_job *job)
{
    kith_err err;
    if ((err = ki_job_step(job, "arrange ratings", 0, 1)) != KITH_OK) goto fail;
    if ((err = take_ratings(m, data)) != KITH_OK) goto fail;
    if ((err = take_names(m, data)) != KITH_OK) goto fail;
    if ((err = take_origin(m, data)) != KITH_OK) goto fail;
    if ((err = ki_job_step(job, "arrange ratings", 1, 1)) != KITH_OK) goto fail;
    if ((err = ki_model_fit(&m->core, desc, params, data, &m->ratings, job)) != KITH_OK) return err;
    drop_fit_only(m);
    return ki_package_count(m);
fail:
    ki_free(params);
    return err;
}

kith_err kith_train(kith *k, const kith_data *data, const char *name, const kith_param *params,
                    int n_params, kith_model **out)
{
    kith_model *m = NULL;
    void *settings = NULL;
    kith_err err;
    if (k == NULL || data == NULL || name == NULL || out == NULL || n_params < 0 ||
        (n_params > 0 && params == NULL))
        return ki_fail(KITH_EINVAL,
                       "kith_train: context, data, name, params and out must not be NULL");
    for (int j = 0; j < n_params; j++)
        if (params[j].name == NULL || params[j].value == NULL)
            return ki_fail(KITH_EINVAL, "kith_train: parameter %d has no name or no value", j);
    const ki_model_desc *desc;
    if ((err = ki_model_want(name, &desc)) != KITH_OK) return err;
    if ((err = ki_model_params(desc, params, n_params, 0, &settings)) != KITH_OK) return err;
    if ((err = ki_alloc(&m, 1, sizeof *m)) != KITH_OK) return ki_free(settings), err;
    ki_job *job = ki_context_job(k);
    ki_job_begin(job);
    if ((err = train(m, data, desc, settings, job)) != KITH_OK)
        kith_model_free(m);
    else
        *out = m;
    return err;
}
