/* SPDX-License-Identifier: MIT
 * failure.h -- a failed run as the contract tells it
 */
#ifndef KI_FAILURE_H
#define KI_FAILURE_H

#include "tool/findings.h"

/* {"error": {type, code, message, hint, violations?}} for the last failure of this thread; a new
 * reference, NULL when memory ran out. */
json_t *ki_failure_json(kith_err err, kith_stage stage, const ki_findings *f);

#endif
