/* SPDX-License-Identifier: MIT
 * package.c -- looking at a model that stands alone, and letting it go
 */
#include "model/package.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "data/cells.h"

#include <string.h>

/* popular = items by falling reach, then by index: one counting sort. */
static kith_err order_by_reach(kith_model *m)
{
    const int32_t n = m->core.n_items, most = m->core.n_users;
    int32_t *place = NULL; /* [most + 1]: where items of reach r begin */
    kith_err err;
    if ((err = ki_alloc(&m->popular, (size_t)n, sizeof *m->popular)) != KITH_OK) return err;
    if ((err = ki_alloc(&place, (size_t)most + 2, sizeof *place)) != KITH_OK) return err;
    for (int32_t i = 0; i < n; i++) place[KI_MIN(m->reach[i], most)]++;
    for (int32_t r = most, before = 0; r >= 0; r--) {
        const int32_t here = place[r];
        place[r] = before;
        before += here;
    }
    for (int32_t i = 0; i < n; i++) m->popular[place[KI_MIN(m->reach[i], most)]++] = i;
    ki_free(place);
    return KITH_OK;
}

kith_err ki_package_count(kith_model *m)
{
    const size_t n = (size_t)m->core.n_items;
    kith_err err;
    if ((err = ki_alloc(&m->reach, n, sizeof *m->reach)) != KITH_OK) return err;
    if ((err = ki_alloc(&m->popularity, n, sizeof *m->popularity)) != KITH_OK) return err;
    for (int64_t j = 0; j < ki_csr_nnz(&m->core.history); j++) m->reach[m->core.history.idx[j]]++;
    for (size_t i = 0; i < n; i++) m->popularity[i] = m->reach[i];
    return order_by_reach(m);
}

/* ---- forgetting ---- */

/* Take entries [from, from + n) out of row u. */
static void empty_row(ki_csr *a, int32_t u)
{
    const int64_t from = a->ptr[u], n = a->ptr[u + 1] - from, rest = ki_csr_nnz(a) - from - n;
    memmove(a->idx + from, a->idx + from + n, (size_t)rest * sizeof *a->idx);
    memmove(a->val + from, a->val + from + n, (size_t)rest * sizeof *a->val);
    for (int32_t r = u + 1; r <= a->n_rows; r++) a->ptr[r] -= n;
}

/* Take column u out of every row. */
static void empty_column(ki_csr *a, int32_t u)
{
    int64_t to = 0;
    for (int32_t r = 0; r < a->n_rows; r++) {
        const int64_t begin = a->ptr[r], end = a->ptr[r + 1];
        a->ptr[r] = to;
        for (int64_t j = begin; j < end; j++) {
            if (a->idx[j] == u) continue;
            a->idx[to] = a->idx[j];
            a->val[to++] = a->val[j];
        }
    }
    a->ptr[a->n_rows] = to;
}

static void uncount(kith_model *m, int32_t u)
{
    const ki_csr *h = &m->core.history;
    for (int64_t j = h->ptr[u]; j < h->ptr[u + 1]; j++)
        m->popularity[h->idx[j]] = --m->reach[h->idx[j]];
}

kith_err ki_package_forget_user(kith_model *m, int32_t u)
{
    char stand_in[KI_IDMAP_STAND_IN];
    const ki_form *form = m->core.desc->form;
    const int64_t from = m->core.history.ptr[u], n = ki_csr_len(&m->core.history, u);
    kith_err err = m->mapping == NULL ? KITH_OK : ki_tensors_unlock(m->mapping);
    ki_idmap_stand_in(stand_in, 'u', u);
    if (err == KITH_OK) err = ki_idmap_rename(&m->users, u, stand_in, strlen(stand_in));
    if (err == KITH_OK) err = ki_table_forget_row(&m->user_attrs, u);
    if (err != KITH_OK) return err;
    uncount(m, u);
    ki_free(m->popular);
    m->popular = NULL;
    if ((err = order_by_reach(m)) != KITH_OK) return err;
    empty_row(&m->core.history, u); /* the same arrays as those of the ratings */
    if (m->core.raters.ptr != NULL) empty_column(&m->core.raters, u);
    return form->forget == NULL ? KITH_OK : form->forget(&m->core, u, from, n);
}

json_t *ki_seed_json(uint64_t seed)
{
    return seed <= INT64_MAX ? json_integer((json_int_t)seed)
                             : json_sprintf("%llu", (unsigned long long)seed);
}

kith_err kith_model_json(const kith_model *m, char **json)
{
    if (m == NULL || json == NULL)
        return ki_fail(KITH_EINVAL, "kith_model_json: model and json must not be NULL");
    const ki_model *core = &m->core;
    const ki_model_desc *desc = core->desc;
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:i, s:i, s:I, s:s, s:s, s:s, s:f, s:f, s:f}", "model",
                  desc->name, "family", desc->family, "predicts",
                  ki_model_rates(core) ? "rating" : "preference", "params",
                  ki_params_values(desc->params, desc->n_params, core->params), "seed",
                  ki_seed_json(core->seed), "n_users", (int)core->n_users, "n_items",
                  (int)core->n_items, "n_interactions", (json_int_t)ki_csr_nnz(&core->history),
                  "fingerprint", m->fingerprint, "trained_at", m->trained_at, "source", m->source,
                  "mean", core->mean, "min", (double)core->min, "max", (double)core->max);
    return ki_json_print(o, json);
}

int32_t kith_model_n_users(const kith_model *m)
{
    return m->core.n_users;
}

int32_t kith_model_n_items(const kith_model *m)
{
    return m->core.n_items;
}

const char *kith_model_user_id(const kith_model *m, int32_t u)
{
    return u >= 0 && u < m->users.n ? ki_idmap_name(&m->users, u) : NULL;
}

const char *kith_model_item_id(const kith_model *m, int32_t i)
{
    return i >= 0 && i < m->items.n ? ki_idmap_name(&m->items, i) : NULL;
}

void kith_model_free(kith_model *m)
{
    if (m == NULL) return;
    ki_model_clear(&m->core);
    ki_ratings_clear(&m->ratings);
    ki_idmap_clear(&m->users);
    ki_idmap_clear(&m->items);
    ki_table_clear(&m->user_attrs);
    ki_table_clear(&m->item_attrs);
    ki_free(m->reach);
    ki_free(m->popularity);
    ki_free(m->popular);
    ki_free(m->source);
    ki_tensors_close(m->mapping);
    ki_free(m);
}
