/* SPDX-License-Identifier: MIT
 * mlflow.h -- one run in an MLflow tracking server, by its REST API (2.0)
 *
 *      begin     experiments/get-by-name, else experiments/create; runs/create
 *      end       runs/log-batch (100 parameters and 500 metrics at a time), runs/update
 *
 * Nothing here fails: what goes wrong is kept as a sentence, the first of them is told, and when the server
 * does not answer it is not asked again.
 */
#ifndef KI_MLFLOW_H
#define KI_MLFLOW_H

#include "base/err.h"

#include <jansson.h>

typedef struct ki_mlflow ki_mlflow;

/* Begin a run.  uri NULL: $MLFLOW_TRACKING_URI; the experiment is $MLFLOW_EXPERIMENT_NAME, else "kith"; user
 * and password, or token, are $MLFLOW_TRACKING_USERNAME, _PASSWORD, _TOKEN.  tags: an object of strings,
 * borrowed.  NULL when no server is named (or memory ran out). */
ki_mlflow *ki_mlflow_begin(const char *uri, const char *run_name, const json_t *tags);

/* What is to be logged when the run ends.  Names are brought into the form that MLflow allows (ndcg@10 is
 * ndcg_at_10); values that are no text become one; members of an object follow its name and a dot. */
void ki_mlflow_param(ki_mlflow *m, const char *name, const json_t *value);
void ki_mlflow_params(ki_mlflow *m, const char *prefix, const json_t *object);
void ki_mlflow_metric(ki_mlflow *m, const char *name, double value, int step); /* NaN: not logged */
void ki_mlflow_tag(ki_mlflow *m, const char *name, const char *value);

/* "FINISHED", "FAILED" or "KILLED"; sends everything. */
void ki_mlflow_end(ki_mlflow *m, const char *status);

/* {logged: true, server, experiment, experiment_id, run_id}, or {logged: false, reason, ...}. */
json_t *ki_mlflow_json(const ki_mlflow *m);

void ki_mlflow_free(ki_mlflow *m); /* accepts NULL, as do all above */

#endif
