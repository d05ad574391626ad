/* SPDX-License-Identifier: MIT
 * method.h -- which of kith's algorithms a request means, with which parameters
 */
#ifndef KI_METHOD_H
#define KI_METHOD_H

#include "model/model.h"
#include "tool/intake.h"

enum { KI_MAX_PARAMS = 64 };

typedef struct ki_method {
    const ki_model_desc *desc;
    const char *family; /* algorithm_type, borrowed from the request */
    json_t *texts;      /* object: parameter -> its value as text; what params point into */
    kith_param params[KI_MAX_PARAMS];
    int n_params;
    json_t *told; /* object for metadata: what was asked, what was taken, why */
} ki_method;

/* Resolve recommendation_configuration (the request is valid by its schema).  What cannot be is a
 * violation, a parameter that the algorithm does not have a warning.  *out may lack desc then: ask
 * ki_findings_judge. */
kith_err ki_method_resolve(ki_method *out, const json_t *config, const json_t *schema,
                           const ki_intake *in, ki_findings *f);

/* Set, or replace, a parameter: what a tuner found. */
kith_err ki_method_set(ki_method *m, const char *name, const json_t *value);

void ki_method_clear(ki_method *m);

#endif
