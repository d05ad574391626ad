/* SPDX-License-Identifier: MIT
 * ridge.h -- the linear map between two sets of coordinates of the same things
 */
#ifndef KI_RIDGE_H
#define KI_RIDGE_H

#include "base/err.h"

#include <stdint.h>

/* W [a, b] = argmin |T W - Q|^2 + l2 |W|^2 = (T'T + l2 I)^-1 T'Q; T is [n, a], Q is [n, b], all
 * row-major.  One thread; time n a (a + b) + a^3 / 3.  KITH_EDATA when T'T + l2 I is not positive
 * definite, which l2 > 0 and finite values prevent; W is then spoilt. */
kith_err ki_ridge_map(const float *T, const float *Q, int64_t n, int64_t a, int64_t b, float l2,
                      float *W);

#endif
