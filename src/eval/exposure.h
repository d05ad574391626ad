/* SPDX-License-Identifier: MIT
 * exposure.h -- metrics of all lists together, and how much they vary with the users
 */
#ifndef KI_EXPOSURE_H
#define KI_EXPOSURE_H

#include "eval/measure.h"
#include "eval/significance.h" /* ki_chance */

/* whole[j] = the value of plan->asked[j] for the metrics of exposure, other elements are left alone;
 * NaN where nothing was served to take it over.  `r` must have its lists. */
kith_err ki_exposure_weigh(const ki_measured *r, const ki_catalogue *c, const ki_plan *plan,
                           double *whole);

/* out[j, b] += share times the same over resample b of the users; out is [plan->n, how->n].  The
 * resamples are those of ki_bootstrap. */
kith_err ki_exposure_resample(const ki_measured *r, const ki_catalogue *c, const ki_plan *plan,
                              const ki_chance *how, double share, double *out);

#endif
