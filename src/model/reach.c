/* SPDX-License-Identifier: MIT
 * reach.c -- the items of a model in the order of how high they can score
 */
#include "model/model.h"

#include "base/mem.h"
#include "model/best.h"

#include <math.h>

/* Keys of the items that are ranked; 0 when one of them has no finite bound. */
static int warm_keys(const ki_model *m, const float *most, uint64_t *keys, int32_t *n)
{
    int32_t cold = 0;
    *n = 0;
    for (int32_t i = 0; i < m->n_items; i++) {
        if (cold < m->n_cold && m->cold[cold] == i) {
            cold++;
            continue;
        }
        if (!isfinite(most[i])) return 0;
        keys[(*n)++] = ki_best_key(most[i], i);
    }
    return 1;
}

static kith_err fill(ki_reach *reach, const uint64_t *keys, int32_t n)
{
    kith_err err;
    if ((err = ki_alloc(&reach->item, (size_t)n, sizeof *reach->item)) != KITH_OK) return err;
    if ((err = ki_alloc(&reach->most, (size_t)n, sizeof *reach->most)) != KITH_OK) return err;
    for (int32_t t = 0; t < n; t++) {
        reach->item[t] = ki_best_index(keys[t]);
        reach->most[t] = ki_best_score(keys[t]);
    }
    reach->n = n;
    return KITH_OK;
}

kith_err ki_model_find_reach(ki_model *m)
{
    float *most = NULL;
    uint64_t *keys = NULL;
    int32_t n = 0;
    kith_err err;
    ki_reach_clear(&m->reach);
    if (m->desc->form->reach == NULL) return KITH_OK;
    if ((err = ki_alloc(&most, (size_t)m->n_items, sizeof *most)) != KITH_OK) goto done;
    if (!m->desc->form->reach(m, most)) goto done;
    if ((err = ki_alloc(&keys, (size_t)m->n_items, sizeof *keys)) != KITH_OK) goto done;
    if (!warm_keys(m, most, keys, &n)) goto done;
    ki_best_sort(keys, n);
    err = fill(&m->reach, keys, n);
done:
    ki_free(most);
    ki_free(keys);
    return err;
}

void ki_reach_clear(ki_reach *reach)
{
    ki_free(reach->item);
    ki_free(reach->most);
    *reach = (ki_reach){ 0 };
}
