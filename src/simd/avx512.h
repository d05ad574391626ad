/* SPDX-License-Identifier: MIT
 * avx512.h -- what the files of AVX-512 kernels share; only they may include it
 */
#ifndef KI_AVX512_H
#define KI_AVX512_H

#include "simd/kernels.h"

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 16 };

void ki_avx512_sgd(ki_kernels *k); /* sets the kernel of its file */

#endif
