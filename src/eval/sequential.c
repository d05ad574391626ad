/* SPDX-License-Identifier: MIT
 * sequential.c -- confidence sequences for a difference and a lift, and a test of the sample ratio
 *
 * Interval   Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, Time-uniform central limit theory and asymptotic
 *            confidence sequences, Annals of Statistics 2024, theorem 2.2.  For t units whose influence has mean d
 *            and variance s^2, at all t at once with chance 1 - alpha:
 *                |d_t - d| <= s_t sqrt(B_t),  B_t = 2 (t rho^2 + 1) / (t^2 rho^2) * log(sqrt(t rho^2 + 1) / alpha)
 *            With assignment by design, treatment with chance q, the influence of a unit has variance
 *                s^2 = var_1 / q + var_0 / (1 - q)
 * p          The alpha at which the interval would just leave out 0.
 * Lift       c = mean_1 / mean_0 is in the set when 0 is in the interval of mean_1 - c mean_0, whose variance is
 *            var_1 / q + c^2 var_0 / (1 - q): a quadratic in c (Fieller), valid for all c at once.
 * Ratio      Lindon, Malek, Anytime-valid inference for multinomial count data, NeurIPS 2022: the Bayes factor of
 *            a Dirichlet around the design against the design itself is a martingale under the design, so
 *            1 / factor is an always-valid p.
 * Checked    test_sequential.c: by hand; looked at after every unit, a true null is refused in less than alpha
 *            of the runs, where the usual test fails in a third of them; a real difference is found
 */
#include "eval/sequential.h"

#include <math.h>
#include <stddef.h>

enum { TUNED_FOR = 1000, CONCENTRATION = 100 };

void ki_arm_add(ki_arm *a, double outcome)
{
    const double off = outcome - a->mean;
    a->n++;
    a->mean += off / (double)a->n;
    a->m2 += off * (outcome - a->mean);
}

double ki_arm_variance(const ki_arm *a)
{
    return a->n < 2 ? 0 : a->m2 / (double)(a->n - 1);
}

/* rho^2 at which the interval after n units is tightest, closely (Howard et al. 2021, section 3.5). */
static double rho2_for(int64_t n, double alpha)
{
    const double l = -2 * log(alpha);
    return (l + log(l) + 1) / (double)n;
}

/* B_t: the squared half width in units of the influence's variance. */
static double boundary(double t, double rho2, double alpha)
{
    const double r = t * rho2 + 1;
    return 2 * r / (t * t * rho2) * log(sqrt(r) / alpha);
}

/* The alpha at which the squared half width is (difference / s)^2. */
static double p_of(double ratio2, double t, double rho2)
{
    const double r = t * rho2 + 1;
    const double p = sqrt(r) * exp(-ratio2 * t * t * rho2 / (2 * r));
    return p < 1 ? p : 1;
}

/* All c with (m1 - c m0)^2 <= B (v1 + c^2 v0). */
static void find_lift(double m0, double m1, double v0, double v1, double B, ki_compared *out)
{
    const double a = m0 * m0 - B * v0, b = m0 * m1, c = m1 * m1 - B * v1;
    if (m0 <= 0 || a <= 0) return; /* control's mean may be 0: no bound on a ratio */
    const double root = sqrt(fmax(b * b - a * c, 0));
    out->lift_lo = (b - root) / a - 1;
    out->lift_hi = (b + root) / a - 1;
}

ki_compared ki_compare(const ki_arm *control, const ki_arm *treatment, double share, double alpha,
                       int64_t tuned_for)
{
    ki_compared out = { .difference = treatment->mean - control->mean,
                        .lo = -INFINITY,
                        .hi = INFINITY,
                        .lift = NAN,
                        .lift_lo = -INFINITY,
                        .lift_hi = INFINITY,
                        .p = 1 };
    const double v0 = ki_arm_variance(control) / (1 - share),
                 v1 = ki_arm_variance(treatment) / share;
    const double t = (double)control->n + (double)treatment->n, variance = v0 + v1;
    if (control->n < 2 || treatment->n < 2) return out;
    const double rho2 = rho2_for(tuned_for > 0 ? tuned_for : TUNED_FOR, alpha);
    const double B = boundary(t, rho2, alpha), half = sqrt(B * variance);
    if (control->mean > 0) out.lift = treatment->mean / control->mean - 1;
    if (variance <= 0) return out; /* all outcomes alike: nothing is known of how they vary */
    find_lift(control->mean, treatment->mean, v0, v1, B, &out);
    out.lo = out.difference - half;
    out.hi = out.difference + half;
    out.p = p_of(out.difference * out.difference / variance, t, rho2);
    return out;
}

double ki_sample_ratio_p(const int64_t *counts, const double *shares, int n)
{
    double total = 0, log_factor = 0;
    int64_t units = 0;
    for (int k = 0; k < n; k++) {
        total += shares[k];
        units += counts[k];
    }
    for (int k = 0; k < n; k++) {
        const double design = shares[k] / total, prior = CONCENTRATION * design,
                     count = (double)counts[k];
        log_factor += lgamma(prior + count) - lgamma(prior) - count * log(design);
    }
    log_factor += lgamma(CONCENTRATION) - lgamma(CONCENTRATION + (double)units);
    return log_factor > 0 ? exp(-log_factor) : 1;
}
