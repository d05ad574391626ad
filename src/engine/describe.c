/* SPDX-License-Identifier: MIT
 * describe.c -- what this kith is and has: versions, and every algorithm as its descriptor tells it
 */
#include "base/jsontext.h"
#include "model/model.h"
#include "simd/kernels.h"

#include <cblas.h> /* openblas_get_config */
#include <zlib.h>

const char *kith_version(void)
{
    return KITH_VERSION;
}

kith_err kith_build_info(char **json)
{
    if (json == NULL) return ki_fail(KITH_EINVAL, "kith_build_info: json is NULL");
    return ki_json_print(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "version",
                                   KITH_VERSION, "compiler", __VERSION__, "optimization",
                                   KITH_BUILD_OPTIMIZATION, "kernels", ki_kernels_get()->name,
                                   "blas", openblas_get_config(), "zlib", zlibVersion(), "jansson",
                                   jansson_version_str(), "with", KITH_BUILD_WITH, "without",
                                   KITH_BUILD_WITHOUT),
                         json);
}

/* ---- models ---- */

static json_t *needs_json(unsigned needs)
{
    json_t *list = json_array();
    if (needs & KI_NEEDS_VALUES) json_array_append_new(list, json_string("values"));
    if (needs & KI_NEEDS_TIMES) json_array_append_new(list, json_string("times"));
    if (needs & KI_NEEDS_PEOPLE) json_array_append_new(list, json_string("people"));
    if (needs & KI_NEEDS_WORDS) json_array_append_new(list, json_string("words of items"));
    return list;
}

static json_t *model_json(const ki_model_desc *d)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:b, s:o}", "name", d->name, "family",
                     d->family, "summary", d->summary, "paper", d->paper, "needs",
                     needs_json(d->needs), "predicts", d->rates ? "rating" : "preference", "form",
                     d->form->name, "explains", d->explain != NULL || d->form->explain != NULL,
                     "params", ki_params_describe(d->params, d->n_params));
}

kith_err kith_models_json(const char *name, char **json)
{
    const ki_model_desc *desc;
    if (json == NULL) return ki_fail(KITH_EINVAL, "kith_models_json: json is NULL");
    if (name != NULL) {
        const kith_err err = ki_model_want(name, &desc);
        return err != KITH_OK ? err : ki_json_print(model_json(desc), json);
    }
    json_t *list = json_array();
    for (int j = 0; ki_models[j] != NULL; j++)
        if (json_array_append_new(list, model_json(ki_models[j])) != 0) {
            json_decref(list);
            return ki_fail_memory(1);
        }
    return ki_json_print(list, json);
}
