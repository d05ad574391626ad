/* SPDX-License-Identifier: MIT
 * model.h -- descriptors, forms, fitted models: how an algorithm tells the rest of kith about
 * itself
 *
 * An algorithm is one file that ends in one ki_model_desc.  What its fit leaves behind takes one of
 * a few forms (ki_form), and scoring, ranking, explaining, saving and loading belong to the form.
 * A fitted model is a ki_model.
 *
 *      descriptor --fit(params, ratings)--> state of a form --+
 *                                                             +--> ki_model --rank.h--> lists
 *      history of users, raters of items (training part) -----+
 */
#ifndef KI_MODEL_H
#define KI_MODEL_H

#include "base/job.h"
#include "base/param.h"
#include "base/tensors.h"
#include "data/ratings.h"

typedef struct ki_model ki_model;
typedef struct ki_form ki_form;
typedef struct ki_model_desc ki_model_desc;

/* ---- asking ---- */

/* Who or what is asked for.  A user seen in training: `user` and that user's row of the training
 * matrix.  Anybody else: user == -1 and a history. */
typedef struct ki_query {
    int32_t user;         /* dense index, or -1 */
    const int32_t *items; /* [n] history, rising; may be NULL when n == 0 */
    const float *values;  /* [n] */
    int32_t n;
    const int32_t
        *skip; /* [n_skip] items never to be returned, rising: mostly the history itself */
    int32_t n_skip;
    const int32_t *only; /* [n_only] the items that may be returned, rising; NULL: all */
    int32_t n_only;
    const char
        *text; /* what somebody says of themselves or wants, read by models of texts; NULL: none */
} ki_query;

/* The query of user u with its training history, all of it skipped. */
ki_query ki_query_user(const ki_model *m, int32_t u);

/* One item's part in a score. */
typedef struct ki_term {
    int32_t item;
    float part; /* in the score's unit */
} ki_term;

/* One word's, or one attribute value's, part in a score. */
typedef struct ki_word {
    const char *word; /* as people read it; lives as long as the model */
    float part;       /* in the score's unit */
} ki_word;

/* ---- forms ---- */

struct ki_form {
    const char *name; /* "vectors", "item-item", ... */
    size_t size;      /* of its state struct */
    int needs_raters; /* 1: model.raters must be there when asking */
    int is_function;  /* 1: scores candidates one by one; ranking the catalogue is expensive */

    /* Arrays of the state, for saving, loading and freeing; returns how many (<= KI_MAX_FIELDS). */
    int (*fields)(void *state, ki_field *out);

    /* Let go of what the fields do not cover; NULL: they cover all. */
    void (*end)(void *state, int borrowed);

    /* After loading: is the content sound (indexes in range, rows rising, values finite)? */
    kith_err (*check)(const ki_model *m);

    /* Floats of a prepared query, and of scratch that one worker needs for any call below. */
    void (*sizes)(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats);

    /* Do once per query what all scores share (the user's vector, similarities to all users, ...).
     */
    kith_err (*prepare)(const ki_model *m, const ki_query *q, float *prepared, float *scratch);

    /* out[j, i - begin] = ranking score of item i in [begin, end) for query j of nq; prepared is
     * [nq, query_floats], out rows are ld apart.  Higher is better; NaN or -INFINITY: not to be listed (what the
     * model cannot rank; oneself among friends).  The bits do not depend on nq, begin, end. */
    void (*score)(const ki_model *m, const ki_query *q, const float *prepared, int nq,
                  int32_t begin, int32_t end, float *out, int64_t ld, float *scratch);
    int32_t tile; /* items per call of score that suit the caches; 0: the whole catalogue */

    /* out[n_items] such that no item i scores above base + size * out[i], base and size being what
     * `limit` says of a prepared query, roundings included.  0: this state has no such numbers; NULL:
     * no state of the form has.  Who has them has score_at too: `score` of the n <= tile items listed,
     * with the same bits. */
    int (*reach)(const ki_model *m, float *out);
    void (*limit)(const ki_model *m, const float *prepared, double *base, double *size);
    void (*score_at)(const ki_model *m, const float *prepared, int nq, const int32_t *items,
                     int32_t n, float *out, int64_t ld, float *scratch);

    /* Estimates for some items, unclipped; supported[j] = 0 where nothing but a mean stands behind
     * the estimate. */
    void (*predict)(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch);

    /* Parts of the score of `item`, one for each history item that has one (at most q->n), any
     * order; their sum plus what does not come from the history is the score.  Returns how many;
     * NULL: the form cannot say. */
    int (*explain)(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                   ki_term *out, float *scratch);

    /* The at most `room` words that the query and `item` share and that add most to its score, largest
     * first.  Returns how many; NULL: the form knows no words.  Its allocations may fail; then none. */
    int (*words)(const ki_model *m, const ki_query *q, int32_t item, ki_word *out, int room);

    /* out[n_items] = similarity of every item to `item`; NULL: the form has no such notion. */
    void (*similar)(const ki_model *m, int32_t item, float *out, float *scratch);

    /* Let go of what the state keeps of user u, whose entries [from, from + n) have just left the history; NULL:
     * it keeps nothing of single users. */
    kith_err (*forget)(const ki_model *m, int32_t u, int64_t from, int64_t n);

    /* Of several models in one the one that speaks for the item; NULL: there is one alone. */
    const ki_model *(*speaker)(const ki_model *m, const float *prepared, int32_t item);
};

/* ---- descriptors ---- */

typedef struct ki_fit { /* what a fit reads */
    const ki_ratings *ratings;
    const kith_data
        *data;   /* ids and attributes; its log holds test rows too and is not to be read */
    ki_job *job; /* pool, seed, progress; call ki_job_step once per sweep */
} ki_fit;

/* Words are refused by the models that need them: which columns have words is theirs to say. */
enum ki_needs {
    KI_NEEDS_VALUES = 1,
    KI_NEEDS_TIMES = 2,
    KI_NEEDS_PEOPLE = 4, /* ids of users that are ids of items too: rows link people */
    KI_NEEDS_WORDS = 16,
};

struct ki_model_desc {
    const char *name;    /* "ials" */
    const char *family;  /* algorithm_type of the tool contract: "collaborative_filtering", ... */
    const char *summary; /* one line */
    const char *paper;   /* authors, title, venue, year */
    unsigned needs;      /* of enum ki_needs; refused with KITH_EDATA when the data lacks it */
    int version; /* of what fit leaves behind: raised when files saved before would mean something
                    else */
    int rates;   /* 1: predict estimates ratings (when the data has values); 0: preference scores */

    const ki_param *params;
    int n_params;
    size_t size; /* of the parameter struct */
    const ki_form *form;

    /* Peak bytes that fit will take beyond the ratings; NULL: a small multiple of them. */
    size_t (*memory)(const void *params, const ki_ratings *r);

    /* After loading and after the form's check: are the optional parts of the state there that the
     * functions below read?  NULL: they read none. */
    kith_err (*check)(const ki_model *m);

    /* What the parameters alone decide about the zeroed state, before fitting and before loading;
     * NULL: nothing.  On failure the caller frees what there is, as after fit. */
    kith_err (*begin)(const void *params, void *state);

    /* Fill *state (zeroed, of form->size) with arrays from ki_alloc.  On failure what was allocated
     * is freed by the caller through form->fields. */
    kith_err (*fit)(const void *params, const ki_fit *in, void *state);

    /* Form vectors: x[dim] (and, returned through bias, b_u) for a history; NULL: the form's ridge
     * solve. */
    kith_err (*fold_in)(const ki_model *m, const ki_query *q, float *x, float *bias,
                        float *scratch);

    /* Form function: out[j] = score of items[j] for a query; higher is better.  NULL for other forms. */
    void (*score_items)(const ki_model *m, const ki_query *q, const int32_t *items, int n,
                        float *out);

    /* Can it rank this item, which has no training event?  NULL: none. */
    int (*knows_cold)(const ki_model *m, int32_t item);

    /* Can it answer a query without history: by the query's text, by what it knows of the user?
     * NULL: none. */
    int (*answers)(const ki_model *m, const ki_query *q);

    /* In place of the form's own; NULL: the form's. */
    void (*predict)(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch);
    int (*explain)(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                   ki_term *out, float *scratch);
};

extern const ki_model_desc *const ki_models[];        /* list.c; ends with NULL */
const ki_model_desc *ki_model_find(const char *name); /* NULL when unknown */

/* The same, KITH_ENOTFOUND with the names that there are when unknown. */
kith_err ki_model_want(const char *name, const ki_model_desc **out);

/* ---- a fitted model ---- */

/* The items that are ranked, in the order of how high they can score: a list is full, and settled,
 * long before the end of it. */
typedef struct ki_reach {
    int32_t *item; /* [n] */
    float *most;   /* [n] falling; what the form's `reach` says */
    int32_t n;     /* 0: there is no such order */
} ki_reach;

struct ki_model {
    const ki_model_desc *desc;
    void *params;       /* [desc->size] */
    void *state;        /* [desc->form->size] */
    int state_borrowed; /* 1: its arrays belong to a file mapping */

    ki_csr history; /* by user, training part; borrowed from the ratings or the file */
    ki_csr raters;  /* by item; borrowed; {0} when loaded for a form that does not need it */
    int32_t n_users, n_items;
    int32_t *cold; /* [n_cold] items that are never ranked, rising: without a training event, unless
                      the descriptor ranks them */
    int32_t n_cold;
    ki_reach reach;
    double mean;    /* of training values */
    float min, max; /* training scale */
    int has_values;
    int strengths; /* values are no ratings, but how strong an interest was */
    uint64_t seed;
};

/* Default parameters of `desc`, overridden by `given`.  When `lenient`, bare names that it lacks and
 * names that speak to another model are skipped; else they are KITH_EINVAL. */
kith_err ki_model_params(const ki_model_desc *desc, const kith_param *given, int n, int lenient,
                         void **out);

/* Fit on `ratings`, which the model borrows until it is cleared; takes `params` (freed on failure
 * too).  Refuses what the job's memory limit forbids, and data of the wrong kind.  On failure *out
 * is {0}. */
kith_err ki_model_fit(ki_model *out, const ki_model_desc *desc, void *params, const kith_data *data,
                      const ki_ratings *ratings, ki_job *job);

/* n_cold, cold and reach from the history and the state; the last part of fitting and of loading. */
kith_err ki_model_find_cold(ki_model *m);

/* reach alone, from the state and what is cold. */
kith_err ki_model_find_reach(ki_model *m);
void ki_reach_clear(ki_reach *reach);

void ki_model_clear(ki_model *m);

/* 1 when predict of this model estimates ratings. */
static inline int ki_model_rates(const ki_model *m)
{
    return m->desc->rates && m->has_values;
}

#endif
