/* SPDX-License-Identifier: MIT
 * pick.c -- chooses the kernel set once: the best that the CPU has, or what KITH_SIMD says
 *
 * Each set is ref with the overrides of every set up to its own, in the order of the table.
 */
#include "simd/kernels.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int always(void)
{
    return 1;
}

#ifdef KI_SIMD_X86 /* said by the build, which compiles avx2.c and avx512.c only for x86-64 */
static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
}

static int has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f");
}
#endif

static const struct {
    const char *name;
    void (*override)(ki_kernels *k);
    int (*present)(void);
} known[] = {
    /* slowest first */
    { "ref", ki_kernels_ref, always },
#ifdef KI_SIMD_X86
    { "avx2", ki_kernels_avx2, has_avx2 },
    { "avx512", ki_kernels_avx512, has_avx512 },
#endif
};
enum { N_KNOWN = sizeof known / sizeof known[0] };

static ki_kernels sets[N_KNOWN];
static int n_sets; /* those that the CPU has */
static const ki_kernels *chosen;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const ki_kernels *find(const char *name)
{
    for (int s = 0; s < n_sets; s++)
        if (strcmp(sets[s].name, name) == 0) return &sets[s];
    return NULL;
}

static void choose(void)
{
    for (; n_sets < N_KNOWN && known[n_sets].present(); n_sets++) {
        if (n_sets > 0) sets[n_sets] = sets[n_sets - 1];
        known[n_sets].override(&sets[n_sets]);
        sets[n_sets].name = known[n_sets].name;
    }
    const char *forced = getenv("KITH_SIMD");
    if (forced != NULL) chosen = find(forced);
    if (chosen == NULL) chosen = &sets[n_sets - 1];
}

const ki_kernels *ki_kernels_get(void)
{
    pthread_once(&once, choose);
    return chosen;
}

const ki_kernels *ki_kernels_named(const char *name)
{
    pthread_once(&once, choose);
    return find(name);
}
