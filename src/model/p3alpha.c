/* SPDX-License-Identifier: MIT
 * p3alpha.c -- where a walk of three steps from you ends
 *
 * Paper      Cooper, Lee, Radzik, Siantos, Random Walks in Recommender Systems: Exact Computation and
 *            Simulations, WWW 2014 companion
 * Scores     s_i = sum over the history's items j of w_j S_ji, S_ji = sum_u P_ju^alpha P_ui^alpha
 *            (path3.h); w_j = 1, or r_uj when not binary
 * Cost       top_product.h: sum over users of n_u^2 additions; memory n_items * n_neighbors
 * Departs    the first of the three steps is not bent by alpha, as in the code of Ferrari Dacrema,
 *            Cremonesi, Jannach, RecSys 2019; for events that is a constant of the user
 * Checked    test_path3.c: 3 x 4 by hand; against numpy (test/golden)
 */
#include "model/path3.h"

#include "base/mem.h"

static const ki_param params[] = {
    { .name = "alpha",
      .kind = KI_FLOAT,
      .offset = offsetof(ki_path3, alpha),
      .init = 1,
      .min = 0,
      .max = 4,
      .meaning = "power of the probability of each step",
      .scale = KI_LINEAR,
      .tune_min = 0.2,
      .tune_max = 2 },
    { .name = "n_neighbors",
      .kind = KI_INT,
      .offset = offsetof(ki_path3, n_neighbors),
      .init = 300,
      .min = 0,
      .max = 100000,
      .meaning = "items kept per item, the likeliest ends; 0: all of them",
      .scale = KI_LOG,
      .tune_min = 20,
      .tune_max = 1000 },
    { .name = "normalize",
      .kind = KI_BOOL,
      .offset = offsetof(ki_path3, normalize),
      .init = 0,
      .meaning = "what is kept of an item's neighbours sums to 1" },
    { .name = "binary",
      .kind = KI_BOOL,
      .offset = offsetof(ki_path3, binary),
      .init = 1,
      .meaning = "an interaction counts 1 whatever its value" },
};

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    return ki_path3_fit(p, "fit p3alpha", in, state);
}

static size_t memory(const void *p, const ki_ratings *r)
{
    return ki_path3_memory(p, r);
}

const ki_model_desc ki_p3alpha = {
    .name = "p3alpha",
    .family = "graph_based",
    .summary = "where a walk of three steps over users and items ends",
    .paper = "Cooper et al., Random Walks in Recommender Systems, WWW 2014",
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(ki_path3),
    .form = &ki_form_items,
    .memory = memory,
    .fit = fit,
};
