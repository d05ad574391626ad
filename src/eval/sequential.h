/* SPDX-License-Identifier: MIT
 * sequential.h -- comparing two arms of a running experiment, valid however often one looks
 *
 * A fixed-sample interval that is looked at every day is wrong far more often than it says.  These are valid at
 * all times at once: the chance that the interval ever leaves out the truth, or that p is ever below alpha
 * though nothing differs, is at most alpha.
 */
#ifndef KI_SEQUENTIAL_H
#define KI_SEQUENTIAL_H

#include <stdint.h>

typedef struct ki_arm { /* what is known of one arm: one outcome per unit (a user) */
    int64_t n;
    double mean, m2; /* m2: sum of squared differences from the mean; Welford's running form */
} ki_arm;            /* {0}: nobody yet */

void ki_arm_add(ki_arm *a, double outcome);
double
ki_arm_variance(const ki_arm *a); /* of the outcome, n - 1 below; 0 with fewer than two units */

typedef struct ki_compared {
    double difference, lo,
        hi; /* treatment less control; lo and hi infinite while too little is known */
    double lift, lift_lo,
        lift_hi; /* difference / control's mean; NaN, infinite where control is not above 0 */
    double p;    /* always-valid: 1 with nothing known */
} ki_compared;

/* `share`: the designed share of treatment among units of these two arms, in (0, 1).  `alpha` in (0, .5]: one
 * minus the confidence.  `tuned_for`: the number of units at which the interval is tightest (0: 1000); it stays
 * valid at any other. */
ki_compared ki_compare(const ki_arm *control, const ki_arm *treatment, double share, double alpha,
                       int64_t tuned_for);

/* Do counts[n] of units agree with the designed shares[n] (positive, of any sum)?  An always-valid p: below .01
 * the assignment or the logging is broken, and no other figure of the experiment is to be trusted. */
double ki_sample_ratio_p(const int64_t *counts, const double *shares, int n);

#endif
