/* SPDX-License-Identifier: MIT
 * running.h -- all that one run has gathered, from the request to the result
 */
#ifndef KI_RUNNING_H
#define KI_RUNNING_H

#include "tool/appraisal.h"
#include "tool/identity.h"
#include "tool/lists.h"
#include "model/package.h"
#include "store/mlflow.h"

typedef struct ki_run {
    kith *k;
    ki_job *job;
    const kith_run_options *o;
    double began; /* seconds of a clock that never goes back */

    /* the request */
    ki_findings findings;
    json_t *schema;
    ki_cut cut;
    const json_t *config, *training,
        *deployment; /* borrowed from cut.shell; the last two may be NULL */
    ki_intake intake;
    ki_method method;
    int n;                   /* recommendation_count */
    const char *filter;      /* of the context, borrowed; NULL: none */
    char *values, *pipeline; /* JSON for every list; NULL: none */
    char *wishes;            /* JSON list for every list; NULL: none */
    json_t *own_wishes;      /* user -> the same as text, with the user's own; NULL: none */
    char *block;             /* entries, one a line; NULL: none */
    json_t *blocked;         /* what they keep out; NULL: nothing */
    json_t *anonymised; /* what was done to the data, and the risk that is left; NULL: nothing */

    kith_cache *cache, *own_cache; /* of caching_strategy, NULL: none; own: to be freed */

    /* the model */
    kith_model *model;
    json_t *about; /* kith_model_json of it */
    char model_id[KI_MODEL_ID_ROOM];
    double fit_seconds;
    int was_loaded;
    json_t *persistence, *tuning; /* for metadata; tuning may be NULL */
    ki_mlflow *mlflow;            /* NULL: not logged anywhere */

    /* what it is worth, and what it says */
    ki_appraisal appraisal;
    json_t *importance; /* feature_importance; NULL: none */
    ki_lists lists;
    ki_latency latency;
    ki_text similar;
    int has_similar;
} ki_run;

/* A member of training_configuration or deployment_configuration, or the default that the schema
 * states for it. */
int ki_run_flag(const ki_run *r, const char *section, const char *field);
double ki_run_number(const ki_run *r, const char *section, const char *field);

/* anonymous.c: the data that were read, and what the request says of users, without their names, if that is asked for. */
kith_err ki_run_anonymise(ki_run *r);

/* narrow.c: filter, values, wishes and pipeline out of the context, checked. */
kith_err ki_run_narrow(ki_run *r);

/* keeping.c: tune, find or train, and keep the model. */
kith_err ki_run_model(ki_run *r);

/* serving.c: the cache that the request asks for (what it cannot have is a violation or a warning); then
 * the lists, what they cost, and similar items. */
kith_err ki_run_cache(ki_run *r);
kith_err ki_run_lists(ki_run *r);

/* tracked.c: begin a run of the tracking server, if one is named; end it with what came of it, or with the
 * failure whose sentence is the last one, which it stays. */
void ki_run_track(ki_run *r);
void ki_run_tracked(ki_run *r, const json_t *info, const json_t *deployed,
                    const json_t *statistics);
void ki_run_track_failure(ki_run *r, kith_err err, kith_stage stage);

/* result.c: the result as text, which is the caller's. */
kith_err ki_run_write(ki_run *r, char **out);

#endif
