/* SPDX-License-Identifier: MIT
 * hybrid.c -- several algorithms in one model: weighted, switching, mixed, cascade
 *
 * Paper      Burke, Hybrid Recommender Systems: Survey and Experiments, UMUAI 2002; the rules are in
 *            form_blend.h, feature augmentation is a model of its own
 * Parts      `parts` names two to four algorithms; `options` speaks to them as the command line
 *            does: "ials.n_factors=32 item-knn.k=100"
 * Cold       an item without a training event is ranked by the parts that can (content), a user with
 *            a short history by the part that is made for it (switching), and who is only described
 *            by the parts that read words, whatever the strategy
 * Checked    test_hybrid.c: hand-computed sums, switches, shuffles and cascades; terms add up;
 *            saved and loaded bit for bit
 */
#include "model/form_blend.h"

#include "base/mem.h"

#include <string.h>

static const char *const strategies[] = { "weighted", "switching", "mixed", "cascade", NULL };
static const char *const normals[] = { "zscore", "rank", "none", NULL };

struct hybrid {
    char parts[KI_TEXT_ROOM], options[KI_TEXT_ROOM];
    int32_t strategy, normalize, min_history, depth;
    float weight;
};

#define FIELD(name) offsetof(struct hybrid, name)
static const ki_param params[] = {
    { "parts", KI_TEXT, FIELD(parts), 0, 0, 0,
      "two to four models, commas between; empty: ials,item-knn", NULL, KI_FIXED, 0, 0 },
    { "options", KI_TEXT, FIELD(options), 0, 0, 0,
      "parameters of the parts, blanks between: ials.n_factors=32", NULL, KI_FIXED, 0, 0 },
    { .name = "strategy",
      .kind = KI_CHOICE,
      .offset = FIELD(strategy),
      .init = KI_WEIGHTED,
      .choices = strategies,
      .meaning = "how one score is made of several" },
    { "weight", KI_FLOAT, FIELD(weight), .5, 0, 1,
      "of the first part; the others share the rest (weighted)", NULL, KI_LINEAR, 0, 1 },
    { .name = "normalize",
      .kind = KI_CHOICE,
      .offset = FIELD(normalize),
      .init = KI_NORMAL_Z,
      .choices = normals,
      .meaning = "what is done to a part's scores before they are added (weighted)" },
    { "min_history", KI_INT, FIELD(min_history), 5, 0, 1000000,
      "items of a history from which on the first part serves (switching)", NULL, KI_LINEAR, 1,
      20 },
    { "depth", KI_INT, FIELD(depth), 500, 1, 1000000,
      "items of a part's list that count (mixed, cascade, rank)", NULL, KI_LOG, 50, 1000 },
};

/* ---- names and options ---- */

/* The next word of *at, ended by one of `breaks`, into word; 0 at the end. */
static int next_word(const char **at, const char *breaks, char *word)
{
    *at += strspn(*at, breaks);
    const size_t n = strcspn(*at, breaks);
    memcpy(word, *at, n);
    word[n] = '\0';
    *at += n;
    return n > 0;
}

/* "ials.n_factors=32" to one of the parts; KITH_EINVAL where none has that name. */
static kith_err set_option(ki_blend *s, char *word)
{
    char *value = strchr(word, '='), *name = strchr(word, '.');
    if (value == NULL || name == NULL || name > value)
        return ki_fail(KITH_EINVAL, "hybrid: option \"%.64s\", want model.parameter=value", word);
    *value++ = '\0';
    *name++ = '\0';
    for (int p = 0; p < s->n_parts; p++) {
        const ki_model_desc *d = s->part[p].desc;
        if (strcmp(d->name, word) == 0)
            return ki_params_set(d->params, d->n_params, s->part[p].params, d->name, name, value);
    }
    return ki_fail(KITH_EINVAL, "hybrid: the option for \"%.64s\" speaks to none of its parts",
                   word);
}

static kith_err add_part(ki_blend *s, const char *name)
{
    ki_model part = { 0 };
    kith_err err;
    if (s->n_parts == KI_MAX_PARTS)
        return ki_fail(KITH_EINVAL, "hybrid: more than %d parts", KI_MAX_PARTS);
    for (int p = 0; p < s->n_parts; p++)
        if (strcmp(s->part[p].desc->name, name) == 0)
            return ki_fail(KITH_EINVAL, "hybrid: %s is named twice among its parts", name);
    if ((err = ki_model_want(name, &part.desc)) != KITH_OK) return err;
    if (part.desc->form == &ki_form_blend)
        return ki_fail(KITH_EINVAL, "hybrid: a part cannot be a hybrid itself");
    if ((err = ki_model_params(part.desc, NULL, 0, 0, &part.params)) != KITH_OK) return err;
    if ((err = ki_alloc(&part.state, 1, part.desc->form->size)) != KITH_OK)
        return ki_free(part.params), err;
    s->part[s->n_parts++] = part;
    return KITH_OK;
}

static kith_err add_parts(const struct hybrid *o, ki_blend *s)
{
    const char *at = o->parts[0] != '\0' ? o->parts : "ials,item-knn";
    char word[KI_TEXT_ROOM];
    kith_err err;
    while (next_word(&at, ", ", word))
        if ((err = add_part(s, word)) != KITH_OK) return err;
    if (s->n_parts < 2)
        return ki_fail(KITH_EINVAL, "hybrid: parts names one model, want two to four");
    at = o->options;
    while (next_word(&at, " ;", word))
        if ((err = set_option(s, word)) != KITH_OK) return err;
    return KITH_OK;
}

static kith_err begin(const void *p, void *state)
{
    const struct hybrid *o = p;
    ki_blend *s = state;
    kith_err err = add_parts(o, s);
    for (int j = 0; err == KITH_OK && j < s->n_parts; j++) {
        const ki_model *part = &s->part[j];
        s->weight[j] = j == 0 ? o->weight : (1 - o->weight) / (float)(s->n_parts - 1);
        if (part->desc->begin != NULL) err = part->desc->begin(part->params, part->state);
    }
    s->rule = (ki_blend_rule)o->strategy;
    s->normal = (ki_blend_normal)o->normalize;
    s->switch_at = o->min_history;
    s->depth = o->depth;
    return err;
}

static kith_err fit(const void *p, const ki_fit *in, void *state)
{
    (void)p;
    return ki_blend_fit(state, in);
}

static size_t memory(const void *p, const ki_ratings *r)
{
    ki_blend s = { 0 };
    size_t bytes = 0;
    if (add_parts(p, &s) == KITH_OK) /* else the fit says so */
        for (int j = 0; j < s.n_parts; j++)
            if (s.part[j].desc->memory != NULL)
                bytes += s.part[j].desc->memory(s.part[j].params, r);
    ki_form_blend.end(&s, 0);
    return bytes;
}

const ki_model_desc ki_hybrid = {
    .name = "hybrid",
    .family = "hybrid",
    .summary = "several models in one: a weighted sum, a switch, a shuffle or a cascade of them",
    .paper = "Burke, Hybrid Recommender Systems: Survey and Experiments, UMUAI 2002",
    .rates = 1,
    .params = params,
    .n_params = KI_COUNT(params),
    .size = sizeof(struct hybrid),
    .form = &ki_form_blend,
    .memory = memory,
    .begin = begin,
    .fit = fit,
    .knows_cold = ki_blend_knows_cold,
    .answers = ki_blend_answers,
};
