/* SPDX-License-Identifier: MIT
 * rp3beta.c -- where a walk of three steps from you ends, popular ends discounted
 *
 * Paper      Christoffel, Paudel, Newell, Bernstein, Blockbusters and Wallflowers, RecSys 2015;
 *            Paudel, Christoffel, Newell, Bernstein, Updatable, Accurate, Diverse, and Scalable
 *            Recommendations for Interactive Applications, TiiS 2017
 * Scores     s_i = sum over the history's items j of w_j S_ji,
 *            S_ji = sum_u P_ju^alpha P_ui^alpha / n_i^beta (path3.h); w_j = 1, or r_uj when not binary
 * Cost       top_product.h: sum over users of n_u^2 additions; memory n_items * n_neighbors
 * Departs    alpha > 0 may differ from 1 (the paper's has none), as in the code of Ferrari Dacrema,
 *            Cremonesi, Jannach, RecSys 2019
 * Defaults   tuned on a tenth of gowalla's train, carved off user by user
 * Checked    test_path3.c: 3 x 4 by hand; against numpy (test/golden); gowalla predefined with the
 *            defaults: recall@20 .1845, ndcg@20 .1523
 */
#include "model/path3.h"

#include "base/mem.h"

static const ki_param params[] = {
    { .name = "alpha",
      .kind = KI_FLOAT,
      .offset = offsetof(ki_path3, alpha),
      .init = 0.75,
      .min = 0,
      .max = 4,
      .meaning = "power of the probability of each step",
      .scale = KI_LINEAR,
      .tune_min = 0.2,
      .tune_max = 2 },
    { .name = "beta",
      .kind = KI_FLOAT,
      .offset = offsetof(ki_path3, beta),
      .init = 0.25,
      .min = 0,
      .max = 2,
      .meaning = "power of an item's popularity by which its scores are divided",
      .scale = KI_LINEAR,
      .tune_min = 0,
      .tune_max = 1 },
    { .name = "n_neighbors",
      .kind = KI_INT,
      .offset = offsetof(ki_path3, n_neighbors),
      .init = 100,
      .min = 0,
      .max = 100000,
      .meaning = "items kept per item, the likeliest ends; 0: all of them",
      .scale = KI_LOG,
      .tune_min = 20,
      .tune_max = 1000 },
    { .name = "normalize",
      .kind = KI_BOOL,
      .offset = offsetof(ki_path3, normalize),
      .init = 1,
      .meaning = "what is kept of an item's neighbours sums to 1" },
    { .name = "binary",
      .kind = KI_BOOL,
      .offset = offsetof(ki_path3, binary),
      .init = 1,
      .meaning = "an interaction counts 1 whatever its value" },
};

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    return ki_path3_fit(p, "fit rp3beta", in, state);
}

static size_t memory(const void *p, const ki_ratings *r)
{
    return ki_path3_memory(p, r);
}

const ki_model_desc ki_rp3beta = {
    .name = "rp3beta",
    .family = "graph_based",
    .summary = "where a walk of three steps ends, popular ends discounted",
    .paper =
        "Christoffel et al., Blockbusters and Wallflowers, RecSys 2015; Paudel et al., TiiS 2017",
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(ki_path3),
    .form = &ki_form_items,
    .memory = memory,
    .fit = fit,
};
