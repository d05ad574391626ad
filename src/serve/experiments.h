/* SPDX-License-Identifier: MIT
 * experiments.h -- is one variant better than another?  What an experiment is, and what it has shown so far
 *
 * An experiment is a document (kind "experiment"): variants with shares of the users, each naming a scenario (or
 * none: lists as they are without one), and an outcome.  Who gets which variant follows from experiment, salt and
 * user alone (service_documents.c); every list that was shown under it is in the journal, kind "exposure", with its
 * variant and its rec_id.
 *
 *      unit       a user, from the first list that was shown under the experiment
 *      outcome    what that user did within window_days of it: events of the named kinds; `attributed`: only those
 *                 that carry the rec_id of one of the lists
 *      matured    users whose window is over: they alone are compared, so that a figure never changes again and
 *                 the intervals hold however often one looks (eval/sequential.h)
 */
#ifndef KI_EXPERIMENTS_H
#define KI_EXPERIMENTS_H

#include "serve/service.h"

enum { KI_MAX_VARIANTS = 8 };

/* Does it make sense: two variants or more, names apart, shares above 0, scenarios that there are?
 * KITH_EINVAL. */
kith_err ki_experiment_check(ki_service *s, const json_t *document);

/* The report at `now_ms`: variants with users, outcome and interval against the first one, the sample ratio, and a
 * sentence.  Reads the journal from the start of the experiment on: a scan, for an admin's question. */
kith_err ki_experiment_report(ki_store *store, const char *name, const json_t *document,
                              int64_t now_ms, json_t **out);

#endif
