/* SPDX-License-Identifier: MIT
 * alias.c -- Walker's alias table, filled by Vose's method (IEEE TSE 1991)
 *
 * The n places have equal width.  A light place (weight below the mean) is filled up by one heavy
 * one, so each place holds at most two indexes; a draw picks a place and then one of its two.
 * Making it takes time n.
 */
#include "base/alias.h"

#include "base/mem.h"

/* Places in `stack`: light ones grow from the front, heavy ones from the back; left[j] is what is
 * not yet placed. */
static void fill(ki_alias *a, double *left, int32_t *stack)
{
    int32_t light = 0, heavy = a->n;
    for (int32_t j = 0; j < a->n; j++) {
        if (left[j] < 1)
            stack[light++] = j;
        else
            stack[--heavy] = j;
    }
    while (light > 0 && heavy < a->n) {
        const int32_t small = stack[--light], big = stack[heavy];
        a->places[small] = (ki_alias_place){ (float)left[small], big };
        left[big] -= 1 - left[small];
        if (left[big] >= 1) continue;
        heavy++;
        stack[light++] = big;
    }
    /* What remains is 1 but for rounding. */
    while (light > 0) a->places[stack[--light]].cut = 1;
    while (heavy < a->n) a->places[stack[heavy++]].cut = 1;
}

kith_err ki_alias_make(ki_alias *out, const double *weights, int32_t n)
{
    ki_alias a = { .n = n };
    double *left = NULL, sum = 0;
    int32_t *stack = NULL;
    kith_err err;
    *out = (ki_alias){ 0 };
    if ((err = ki_alloc(&a.places, (size_t)n, sizeof *a.places)) != KITH_OK) goto done;
    if ((err = ki_alloc(&left, (size_t)n, sizeof *left)) != KITH_OK) goto done;
    if ((err = ki_alloc(&stack, (size_t)n, sizeof *stack)) != KITH_OK) goto done;
    for (int32_t j = 0; j < n; j++) sum += weights[j];
    for (int32_t j = 0; j < n; j++) left[j] = weights[j] / sum * n;
    fill(&a, left, stack);
    *out = a;
    a = (ki_alias){ 0 };
done:
    ki_alias_clear(&a);
    ki_free(left);
    ki_free(stack);
    return err;
}

void ki_alias_clear(ki_alias *a)
{
    ki_free(a->places);
    *a = (ki_alias){ 0 };
}
