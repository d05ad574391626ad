/* SPDX-License-Identifier: MIT
 * bias.c -- ratings from the mean and the habits of user and item: mean + bu + bi
 *
 * Paper      Koren, Factor in the Neighbors, TKDD 2010, section 2.1
 * Fit        baseline.c, by ALS or SGD; a new history gets the damped mean of what it leaves over
 * Cost       per epoch nnz additions; memory m + n
 * Checked    test_bias.c: hand-computed steps, normal equations, fold-in, 1 = 5 threads
 */
#include "model/baseline.h"
#include "model/form_vectors.h"

#include "base/mem.h" /* KI_COUNT */

enum method { ALS, SGD };
static const char *const methods[] = { "als", "sgd", NULL };

struct bias {
    int32_t method, n_epochs;
    float reg_u, reg_i, reg, learning_rate;
};

#define FIELD(name) offsetof(struct bias, name)
static const ki_param params[] = {
    { .name = "method",
      .kind = KI_CHOICE,
      .offset = FIELD(method),
      .init = ALS,
      .choices = methods,
      .meaning = "alternating least squares, or stochastic gradient" },
    { "n_epochs", KI_INT, FIELD(n_epochs), 0, 0, 10000, "passes; 0: 10 of als, 20 of sgd", NULL,
      KI_FIXED, 0, 0 },
    { "reg_u", KI_FLOAT, FIELD(reg_u), 15, 0, 1e6, "als: damping of users, in ratings", NULL,
      KI_LOG, 1, 50 },
    { "reg_i", KI_FLOAT, FIELD(reg_i), 10, 0, 1e6, "als: damping of items, in ratings", NULL,
      KI_LOG, 1, 50 },
    { "reg", KI_FLOAT, FIELD(reg), .02, 0, 10, "sgd: penalty", NULL, KI_LOG, .001, .2 },
    { "learning_rate", KI_FLOAT, FIELD(learning_rate), .005, 1e-9, 1, "sgd: step", NULL, KI_LOG,
      .001, .05 },
};

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    const struct bias *o = p;
    const ki_baseline_als als = { o->n_epochs > 0 ? o->n_epochs : 10, o->reg_u, o->reg_i };
    const ki_baseline_sgd sgd = { o->n_epochs > 0 ? o->n_epochs : 20, o->reg, o->learning_rate };
    ki_vectors *v = state;
    const kith_err err = ki_vectors_alloc(v, in->ratings, 0, 1, 0);
    if (err != KITH_OK) return err;
    *v->mean = (float)in->ratings->mean;
    /* What the form damps a folded-in bu by: of ALS its own step; stopping SGD after T steps of
     * length lr is worth a ridge of about 1 / (lr T). */
    *v->l2 = o->method == ALS ? o->reg_u : 1 / (sgd.learning_rate * (float)sgd.n_epochs);
    return o->method == SGD ? ki_baseline_by_sgd(in->ratings, &sgd, in->job, v->bu, v->bi)
                            : ki_baseline_by_als(in->ratings, &als, in->job, v->bu, v->bi);
}

const ki_model_desc ki_bias = {
    .name = "bias",
    .family = "collaborative_filtering",
    .summary = "mean rating, plus what the user and the item usually add or take away",
    .paper = "Koren, Factor in the Neighbors, TKDD 2010 (baseline estimates, section 2.1)",
    .needs = KI_NEEDS_VALUES,
    .rates = 1,
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(struct bias),
    .form = &ki_form_vectors,
    .fit = fit,
};
