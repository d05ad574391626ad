/* SPDX-License-Identifier: MIT
 *
 * kith.h -- recommendations from ratings and events: the one public header of libkith
 *
 * Reading order: errors, a context, data, training, asking, evaluating.  The first five minutes are
 *
 *     kith *k;  kith_data *d;  kith_model *m;  kith_list *l;
 *     kith_new(NULL, &k);
 *     kith_data_read(k, "ratings.csv", NULL, &d);
 *     kith_train(k, d, "ials", NULL, 0, &m);
 *     kith_recommend(k, m, &(kith_query){ .user = "ann", .n = 10 }, &l);
 *
 * Conventions, said once:
 *   - A function that can fail returns kith_err; 0 is success.  On failure outputs are untouched
 * and kith_last_error() holds one sentence that says what, where and what to do.
 *   - Inputs are borrowed for the call.  What arrives through a `**out` is yours and is freed by
 * the function of its name (kith_data_free, ...), each of which accepts NULL.  A `char **` is freed
 * by kith_string_free.
 *   - Pointers from accessors live as long as their object.
 *   - In options structs zero means the default, so `{ 0 }`, or NULL for the whole struct, is
 * always good.
 *   - Identifiers are your own strings; dense indexes (`u`, `i`) run from 0 in order of first
 * appearance.
 *   - A kith_data and a kith_model never change once made and may be used from many threads at
 * once; a kith context runs one call at a time.
 */
#ifndef KITH_H
#define KITH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define KITH_API __attribute__((visibility("default")))
#else
#define KITH_API
#endif

#define KITH_VERSION "0.1.0"

/* ---- errors
 * ---------------------------------------------------------------------------------------------------
 */

typedef enum kith_err {
    KITH_OK = 0,
    KITH_EINVAL = -1,  /* an argument, option or parameter is out of range or unknown */
    KITH_ENOMEM = -2,  /* memory ran out, or the call would pass the context's memory limit */
    KITH_EIO = -3,     /* the operating system refused a file */
    KITH_EFORMAT = -4, /* a file or document is not what it should be; the sentence names file, line
                          and column */
    KITH_ENOTFOUND = -5, /* no such user, item, model, metric, file section */
    KITH_ECANCELED = -6, /* kith_cancel was called */
    KITH_EDATA = -7,     /* the data is too little or of the wrong kind for what was asked */
} kith_err;

/* The sentence of the last failure on this thread; "" when there was none.  Valid until the next
 * failing call. */
KITH_API const char *kith_last_error(void);

/* A short constant name, such as "out of memory" for KITH_ENOMEM; never NULL. */
KITH_API const char *kith_err_name(kith_err err);

/* Version of the library, such as "0.1.0", and a JSON object with version, compiler, CPU kernels in
 * use and the libraries it was built with.  The second is to be freed with kith_string_free. */
KITH_API const char *kith_version(void);
KITH_API kith_err kith_build_info(char **json);

KITH_API void kith_string_free(char *s);

/* ---- context: threads, seed, memory limit, progress
 * -------------------------------------------------------------- */

typedef struct kith kith;

/* Called from time to time from the thread that made the call: `done` of `total` steps of `what`
 * ("fit ials"). total is 0 when it is not known.  done == total ends that line of work. */
typedef void (*kith_progress_fn)(void *udata, const char *what, int64_t done, int64_t total);

typedef struct kith_options {
    int threads;               /* 0: one per processor; at most 256 */
    uint64_t seed;             /* every random choice follows from it; 0 is a seed like any other */
    size_t memory_bytes;       /* refuse what would need more than this; 0: what the machine has */
    kith_progress_fn progress; /* NULL: none */
    void *udata;               /* handed to progress */
    int cancel_for_good; /* 1: kith_cancel is meant for all calls, also those that begin later */
} kith_options;

KITH_API kith_err kith_new(const kith_options *options, kith **out);
KITH_API void kith_free(kith *k);

/* Ask the call that is running on `k` to stop; it returns KITH_ECANCELED soon.  Safe from any
 * thread and from a signal handler.  The next call on `k` starts afresh, unless the options say
 * cancel_for_good: what a program does may be several calls, and ctrl-C come between two. */
KITH_API void kith_cancel(kith *k);

/* ---- data
 * --------------------------------------------------------------------------------------------------------
 */

typedef struct kith_data kith_data;

typedef enum kith_duplicates { /* what becomes of a (user, item) pair that occurs more than once */
                               KITH_DUPLICATES_AUTO = 0, /* last when the file has values, sum of
                                                            counts when it has none */
                               KITH_DUPLICATES_LAST,
                               KITH_DUPLICATES_FIRST,
                               KITH_DUPLICATES_SUM,
                               KITH_DUPLICATES_MEAN,
                               KITH_DUPLICATES_MAX,
                               KITH_DUPLICATES_ERROR,
} kith_duplicates;

typedef struct kith_read_options {
    const char *layout;     /* NULL: detected; else one of kith_layouts() */
    const char *users_path; /* attributes of users and items; NULL: found beside the file where the
                               layout has them */
    const char *items_path;
    const char *user_column, *item_column, *value_column,
        *time_column; /* CSV/NDJSON names; NULL: the usual ones */
    int64_t skip_bad; /* so many malformed lines may be skipped (and are counted) before reading
                         fails */
    kith_duplicates duplicates;
    const char *test_path; /* a second file whose rows are the test part of protocol `predefined`;
                              NULL: none */
} kith_read_options;

/* Read interactions from a file or a folder that holds one of the known layouts; also `.gz`.  Where a file may stand,
 * here and in the options, "elasticsearch:INDEX" may: lines of JSON from the server that $ELASTICSEARCH_URL names.
 * Folders: MovieLens 100K, 1M and latest, LightGCN train/test.  `path` may also be a file that
 * kith_data_save wrote. KITH_EFORMAT names file, line, column and what was expected. */
KITH_API kith_err kith_data_read(kith *k, const char *path, const kith_read_options *options,
                                 kith_data **out);

/* Make data from arrays of length n.  values == NULL: each is 1; times == NULL: none (seconds since
 * 1970 otherwise). */
KITH_API kith_err kith_data_new(kith *k, size_t n, const char *const *users,
                                const char *const *items, const float *values, const int64_t *times,
                                kith_data **out);

typedef struct kith_generate_options {
    int64_t n_users, n_items; /* 0: 1000, and 500 or the number of the catalogue */
    int64_t n_interactions;   /* 0: 50 a user, or a quarter of the items where that is less */
    int32_t rank;             /* planted low rank of the tastes; 0: 8, or 32 over a catalogue */
    double popularity_power;  /* item popularity ~ rank^-power; 0: 0.8 */
    double noise; /* standard deviation of what the planted model does not explain; 0: 0.5 */
    int implicit; /* 1: events without values instead of ratings 1..5 */
    const char *items_path; /* a catalogue (CSV with attributes) whose genres, people and years
                               shape the tastes */
} kith_generate_options;

/* Simulated data with power-law popularity, planted low-rank tastes and times; the seed of `k`
 * decides all. */
KITH_API kith_err kith_data_generate(kith *k, const kith_generate_options *options,
                                     kith_data **out);

/* Write: kith_data_save in binary (fast to read again), kith_data_write in a text layout ("csv",
 * "ndjson", "tsv"; NULL: csv).  What a text layout has no place for goes into files beside it, where
 * kith_data_read finds it: attributes into PATH.items.csv and PATH.users.csv, and into
 * PATH.test.LAYOUT a test part, for its test_path. */
KITH_API kith_err kith_data_save(kith *k, const kith_data *data, const char *path);
KITH_API kith_err kith_data_write(kith *k, const kith_data *data, const char *path,
                                  const char *layout);

/* Counts, density, value histogram, time range, long-tail curve, duplicates and suspicious things
 * as one JSON object. */
KITH_API kith_err kith_data_stats(kith *k, const kith_data *data, char **json);

typedef struct kith_anonymise_options {
    const unsigned char *key; /* secret, 16 to 64 bytes: the same key gives the same names */
    size_t key_bytes;
    int hash_items;          /* 1: item ids too */
    const char *const *drop; /* user columns to leave out; columns of free text go anyway */
    int n_drop;
    const char *const *keep; /* free text of users to keep nevertheless */
    int n_keep;
    const char *const *coarsen; /* "age=10" (steps), "zip=3" (letters), "born=year" */
    int n_coarsen;
    int64_t time_step; /* times of events in steps of so many seconds; 0: as they are */
} kith_anonymise_options;

/* A copy that may be handed on: user ids become keyed hashes, user columns are dropped or made
 * coarser.  `report` (NULL: not wanted) is a JSON object with what was done and the k-anonymity of
 * what is left: how few users look alike in all columns, and which column to drop for relief. */
KITH_API kith_err kith_data_anonymise(kith *k, const kith_data *data,
                                      const kith_anonymise_options *options, kith_data **out,
                                      char **report);

KITH_API int32_t kith_data_n_users(const kith_data *data);
KITH_API int32_t kith_data_n_items(const kith_data *data);
KITH_API int64_t kith_data_n_interactions(const kith_data *data);
KITH_API const char *kith_data_user_id(const kith_data *data,
                                       int32_t u); /* NULL when out of range */
KITH_API const char *kith_data_item_id(const kith_data *data, int32_t i);
KITH_API int32_t kith_data_find_user(const kith_data *data,
                                     const char *user_id); /* -1 when unknown */
KITH_API int32_t kith_data_find_item(const kith_data *data, const char *item_id);
KITH_API void kith_data_free(kith_data *data);

/* Names of the layouts that can be read, ended by NULL. */
KITH_API const char *const *kith_layouts(void);

/* ---- models
 * ------------------------------------------------------------------------------------------------------
 */

typedef struct kith_param {
    const char
        *name; /* as in `kith models NAME`; "ials.n_factors" speaks to one model of several */
    const char *value; /* as text: "64", "0.02", "cosine", "true" */
} kith_param;

/* All there is to say of one algorithm, or of all for name == NULL (then an array): name, family,
 * summary, paper, what it needs, what its predictions are, and its parameters with type, default,
 * range and meaning.  KITH_ENOTFOUND for an unknown name. */
KITH_API kith_err kith_models_json(const char *name, char **json);

typedef struct kith_model kith_model;

/* Train algorithm `name` on all of `data`.  Unknown or out-of-range parameters are KITH_EINVAL. */
KITH_API kith_err kith_train(kith *k, const kith_data *data, const char *name,
                             const kith_param *params, int n_params, kith_model **out);

/* A model file holds everything that asking needs: parameters, ids, histories, titles.  Saving is
 * atomic: `path` is either the whole new file or what it was before.  Loading checks before it
 * trusts. */
KITH_API kith_err kith_model_save(kith *k, const kith_model *model, const char *path);
KITH_API kith_err kith_model_load(kith *k, const char *path, kith_model **out);
KITH_API kith_err kith_model_json(const kith_model *model,
                                  char **json); /* name, params, seed, fingerprint, sizes */
KITH_API int32_t kith_model_n_users(const kith_model *model);
KITH_API int32_t kith_model_n_items(const kith_model *model);
KITH_API const char *kith_model_user_id(const kith_model *model, int32_t u);
KITH_API const char *kith_model_item_id(const kith_model *model, int32_t i);
KITH_API int32_t kith_model_find_user(const kith_model *model,
                                      const char *user_id); /* -1 when unknown */
KITH_API int32_t kith_model_find_item(const kith_model *model, const char *item_id);
KITH_API const char *kith_model_item_title(const kith_model *model,
                                           int32_t i); /* NULL when it has none */
KITH_API void kith_model_free(kith_model *model);

/* How an item answers to what somebody wrote, best first.  Case and punctuation do not count. */
typedef enum kith_match {
    KITH_MATCH_ID,     /* it is the item's id */
    KITH_MATCH_TITLE,  /* the words of the title in any order, a year in brackets at its end or not:
                          "the matrix" is "Matrix, The (1999)" */
    KITH_MATCH_WORDS,  /* the title holds all of these words */
    KITH_MATCH_BEGINS, /* each word begins a word of the title: "lor rin" */
    KITH_MATCH_NEAR, /* looked for only when nothing else is found: a third of the letters of these
                          words may be wrong */
} kith_match;

typedef struct kith_found {
    int32_t item; /* dense index */
    kith_match match;
    int32_t n_users;             /* how many training users have it */
    const char *item_id, *title; /* of the model; title may be NULL */
} kith_found;

/* Items by id or title, the best match first, then by falling n_users: the first `n` go to
 * found[n], *n_found is how many they are and *n_all how many there are.  None is no failure. */
KITH_API kith_err kith_model_search(const kith_model *model, const char *text, int n,
                                    kith_found *found, int *n_found, int *n_all);

/* The one item that `text` means: its id, else the only one of the best match of its title.
 * KITH_ENOTFOUND when there is none (the sentence names those that look like it), or when there are
 * several (it names them with their ids). */
KITH_API kith_err kith_model_pick_item(const kith_model *model, const char *text, int32_t *item);

/* ---- asking
 * ------------------------------------------------------------------------------------------------------
 */

typedef enum kith_on_unknown {
    KITH_UNKNOWN_POPULAR = 0, /* an unknown user gets popular items, and the list says so */
    KITH_UNKNOWN_ERROR,       /* KITH_ENOTFOUND */
} kith_on_unknown;

/* Content that no list may hold, found once in a model's catalogue.  One entry a line: words
 * (whole, in either case, one behind the other, in any text, category or set of the item),
 * "words: with a colon" in quotes, `genres: horror` for one column, `id: 1234` for one item; lines
 * that begin with # are comments (doc/safety.md). */
typedef struct kith_block kith_block;
KITH_API kith_err kith_block_new(const kith_model *model, const char *text, kith_block **out);
KITH_API kith_err kith_block_json(const kith_block *block,
                                  char **json); /* how many items, by which entry, and entries that
                                                   match nothing */
KITH_API void kith_block_free(kith_block *block);

typedef struct kith_query {
    const char *user; /* an id seen in training, or NULL */
    const char *const
        *liked; /* or a history: item ids; not both.  Of a repeated id the last counts */
    const float *liked_values; /* their values; NULL: the top of the training scale */
    int n_liked;
    const char *text; /* what somebody says of themselves or wants, for models that read texts; may
                         stand beside a user or liked items; NULL: none */
    int n;            /* how many to return; 0: 10; at most 1000000 */
    const char *const *exclude; /* item ids never to return */
    int n_exclude;
    int include_seen; /* 1: items of the history may be returned */
    int n_reasons;    /* most reasons per item, those of the largest share; 0: none */
    kith_on_unknown on_unknown;
    const char *filter;   /* which items may be returned, as doc/filters.md tells; NULL: all */
    const char *context;  /* JSON object: values of the filter's $names, and "now"; NULL: none */
    const char *pipeline; /* JSON object: sources, ranker, rules, diversity, exploration, as
                             doc/pipeline.md tells; NULL: the model ranks its catalogue */
    const char *wishes;   /* JSON list of what somebody would like, met by degrees: filters, such as
                           "price <= 1200" or with a weight "3: price <= 1200", or objects with want
                           and weight; the list goes by them, the model breaks ties, unless the
                           pipeline shares the score out (doc/filters.md); NULL: none */
    const char
        *language; /* of reasons and notes: "de", "fr-CA", ..., one of kith_languages(); NULL:
                             English */
    const kith_block
        *block; /* never these, and no reason names them; NULL: none; made for the model
                                that is asked, and not freed before the reply */
} kith_query;

typedef struct kith_reason {
    const char *item_id; /* an item of the history */
    const char *title;   /* its title, or NULL */
    double contribution; /* its exact share of the score, in the score's unit; below zero when it
                            speaks against the item */
} kith_reason;

typedef struct kith_met {
    const char *want;      /* the wish, as it was said */
    double weight, degree; /* degree: to which it is met, from 0 to 1 */
} kith_met;

typedef struct kith_item {
    const char *item_id;
    const char *title;  /* NULL when the data had none */
    double score;       /* higher is better; not comparable between users */
    const char *reason; /* one plain sentence of what speaks for it, or NULL when no reasons were
                           asked for */
    const kith_reason *reasons; /* those of the largest share, of either sign, largest first; none
                                   when the model cannot say */
    int n_reasons;
    const kith_met *wishes; /* how the item meets each of the query's wishes */
    int n_wishes;
    double propensity; /* chance of having been drawn into this place; 1 where nothing was drawn */
    double rest; /* score less these contributions: the share of the rest of the history, and of
                    what belongs to no history (popularity, means) */
} kith_item;

typedef struct kith_list {
    const kith_item *items;
    int n;
    const char
        *basis; /* "user", "liked", "text", "wishes", "popular" or "item": what it was made from */
    const char *note;   /* a sentence when the basis is not what was asked for, or ""  */
    const char *report; /* JSON object: what each clause of the filter removed and which to relax,
                           what sources and rules did; "" when there is nothing to tell */
} kith_list;

/* The languages that reasons and notes come in, such as "en"; ends with NULL. */
KITH_API const char *const *kith_languages(void);

/* The best items for a user or a history, best first; ties go to the lower item index.  Liked ids
 * that the model does not know are named in the note; none known is handled as an unknown user, and so
 * is a user without training history.  The list holds copies: it may outlive the model. */
KITH_API kith_err kith_recommend(kith *k, const kith_model *model, const kith_query *query,
                                 kith_list **out);

/* Why an item is not in the list of a query, or where it stands in it, as a JSON object: why
 * ("unknown", "hidden", "blocked", "excluded", "seen", "filtered", "no_source", "capped", "below", "shown"), a
 * sentence, and where they apply the clauses that remove it, its rank and score, and how much more
 * score would do. */
KITH_API kith_err kith_why_not(kith *k, const kith_model *model, const kith_query *query,
                               const char *item_id, char **json);

/* The items most like one item; score is the model's own similarity. */
KITH_API kith_err kith_similar(kith *k, const kith_model *model, const char *item_id, int n,
                               kith_list **out);
/* The same without what query->block holds; of the query n counts too, and nothing else. */
KITH_API kith_err kith_similar_with(kith *k, const kith_model *model, const char *item_id,
                                    const kith_query *query, kith_list **out);
KITH_API void kith_list_free(kith_list *list);

typedef struct kith_prediction {
    double value; /* a rating (clipped to the training scale) when is_rating, else a preference
                     score */
    double raw;   /* before clipping */
    int is_rating;
    int is_fallback; /* 1: user or item is unknown, or nothing supports an estimate; value is then
                        what the model has without it: the item's mean, or that of all values (0
                        for preference scores) */
    int unknown_user, unknown_item; /* 1: the model does not have that id */
} kith_prediction;

/* An unknown id is no failure: the prediction says so. */
KITH_API kith_err kith_predict(kith *k, const kith_model *model, const char *user_id,
                               const char *item_id, kith_prediction *out);

/* Top n for users[0..n_users) (dense indexes; NULL: the first n_users, or all when that is 0 too) by
 * blocks that share a pass over the catalogue, seen items left out.  items and scores are
 * [n_users, n]; counts[r] of row r are valid, the rest is -1 and -inf.  A user without training
 * history gets none. */
KITH_API kith_err kith_recommend_batch(kith *k, const kith_model *model, const int32_t *users,
                                       int32_t n_users, int n, int32_t *items, float *scores,
                                       int32_t *counts);

/* The same without what the block list holds; NULL: all. */
KITH_API kith_err kith_recommend_batch_without(kith *k, const kith_model *model,
                                               const int32_t *users, int32_t n_users, int n,
                                               const kith_block *block, int32_t *items,
                                               float *scores, int32_t *counts);

typedef struct kith_batch { /* what kith_recommend_batch took and gave */
    const int32_t *users;   /* [n_users]; NULL: the first n_users */
    int32_t n_users;
    int n; /* places of a row */
    const int32_t *items;
    const float *scores;
    const int32_t *counts;
} kith_batch;

/* Write the lists into an index, `to` being "elasticsearch:INDEX" of the server that $ELASTICSEARCH_URL names: for
 * each user a document under the user's id, {user_id, model, recommendations: [{item_id, score, rank}]}.  It takes the
 * place of one that is there; documents of users that are not in the batch stay.  An index that holds anything but
 * such lists is left alone (KITH_EINVAL) unless `replace`.  *json tells {index, server, documents, refused,
 * first_refused}: what the server refused is no failure of the call. */
KITH_API kith_err kith_batch_send(kith *k, const kith_model *model, const kith_batch *lists,
                                  const char *to, int replace, char **json);

/* ---- evaluating
 * --------------------------------------------------------------------------------------------------
 */

typedef struct kith_evaluate_options {
    const char *const *models; /* names of algorithms */
    int n_models;
    const kith_param *params; /* a bare name goes to every model that has it; "ials.reg" to one */
    int n_params;
    const char
        *protocol; /* "kfold:5", "holdout:0.8", "temporal:0.8", "leave-one-out", "predefined[:u1]",
                    * "strong:0.8"; NULL: predefined when the data came with a test part, else
                    * temporal:0.8 when it has times, else holdout:0.8 */
    const char *metrics;  /* "recall@10,ndcg@10,rmse"; NULL: those that fit the data */
    double relevant_from; /* test items with at least this value are relevant; 0: all of them */
    double confidence;    /* of the intervals; 0: 0.95 */
    const char *per_user_path; /* CSV of per-user values; NULL: none */
    const char *
        ties; /* "index" (or NULL): equal scores stand in order of their items; "average": metrics of what
                         was found are means over all orders of equal scores */
    const char *
        metric_style; /* definitions of another library: "implicit", "recbole", "surprise", "lenskit",
                                 "cornac"; NULL or "kith": kith's own */
    const char *
        negatives; /* "100" or "100:popular": rank the relevant items among so many others, drawn at
                                 random, instead of the whole catalogue; NULL: do not */
    const char *group_users; /* attribute columns for the report on fairness; NULL: none */
    const char *group_items;
    const char *
        calibrate; /* attribute column of items for calibration@k; NULL: genres, category, or the first */
} kith_evaluate_options;

typedef struct kith_report kith_report;

KITH_API kith_err kith_evaluate(kith *k, const kith_data *data,
                                const kith_evaluate_options *options, kith_report **out);

/* One metric of model number `m`: the mean over users (or ratings), and the ends of its confidence
 * interval; lo and hi may be NULL.  KITH_ENOTFOUND when the report does not have it. */
KITH_API kith_err kith_report_metric(const kith_report *report, int m, const char *metric,
                                     double *mean, double *lo, double *hi);

/* The whole report as JSON: one object for one model, an object with `models` and `comparisons` for
 * several. */
KITH_API kith_err kith_report_json(const kith_report *report, char **json);
KITH_API void kith_report_free(kith_report *report);

/* Names and one-line definitions of all metrics, protocols and metric styles, as JSON. */
KITH_API kith_err kith_metrics_json(char **json);

/* ---- tuning
 * --------------------------------------------------------------------------------------------------
 */

typedef struct kith_tune_options {
    const char *const *models; /* names of algorithms: the best setting of all of them wins */
    int n_models;
    const kith_param
        *params; /* held as they are, and so not tuned; addressed as in kith_evaluate */
    int n_params;
    const char *protocol; /* how a validation part is carved out of the training rows, one fold;
                                 NULL: temporal:0.8 when there are times, else holdout:0.8 */
    const char *metric;   /* what is made better; NULL: ndcg@10 */
    double relevant_from; /* as in kith_evaluate */
    int params_start;     /* 1: params are not held, they are the first setting that is tried */
    int max_trials;       /* settings tried; 0: 20 */
    double max_seconds;   /* 0: 60; what is running then is finished */
} kith_tune_options;

/* Search the tuning ranges of the parameters: settings drawn at random, the default one first, tried on
 * a part of the training rows where there are many, the better third on more of them, and so on.  Rows
 * marked as test are never looked at.  *json: model, metric, best {params, value}, default {value},
 * trials.  The same seed tries the same settings, but the time limit may end it sooner or later. */
KITH_API kith_err kith_tune(kith *k, const kith_data *data, const kith_tune_options *options,
                            char **json);

/* ---- the tool contract: a JSON request in, a JSON result out (doc/contract.md)
 * ----------------------------------------------------------------------------------------
 */

/* What a run was doing when it failed: the same code means different things. */
typedef enum kith_stage {
    KITH_STAGE_REQUEST, /* reading and checking what was sent */
    KITH_STAGE_TRAIN,   /* tuning and training */
    KITH_STAGE_EVALUATE,
    KITH_STAGE_ASK,   /* making lists */
    KITH_STAGE_STORE, /* keeping or finding a model */
} kith_stage;

/* The contract's name for a failure, such as "DataInsufficientError", and what to do about it; ""
 * for KITH_OK.  The same names in the library, the program and over HTTP. */
KITH_API const char *kith_error_type(kith_err err, kith_stage stage);
KITH_API const char *kith_error_hint(kith_err err, kith_stage stage);

/* Lists that are kept from run to run; one cache may serve many runs at once. */
typedef struct kith_cache kith_cache;
KITH_API kith_err kith_cache_memory(size_t bytes, kith_cache **out); /* bytes 0: 256 MiB */

/* In a Redis server: url redis://[[user]:password@]host[:port][/database] or unix:///path[?db=database]; NULL:
 * $REDIS_URL.  What is kept goes after ttl_seconds (0: an hour).  It is not connected to in this call, and a
 * server that is away later is told as a warning of each run and never fails or delays one for long.  KITH_EINVAL
 * for a URL that is none, or when kith was built without hiredis. */
KITH_API kith_err kith_cache_redis(const char *url, double ttl_seconds, kith_cache **out);
KITH_API void kith_cache_free(kith_cache *cache);

/* One event of a run: a JSON object without line breaks.  Called by the thread that made the call. */
typedef void (*kith_event_fn)(void *udata, const char *event);

typedef struct kith_run_options {
    kith_event_fn event; /* NULL: none */
    void *udata;         /* handed to event */
    const char
        *model_folder; /* where models are kept; NULL: $RECOMMENDATION_MODEL_CACHE; "": nowhere */
    kith_cache *cache; /* for the caching_strategy of its kind; NULL: one for this run alone, in
                          memory or in the server at $REDIS_URL */
    const char *endpoint; /* told as model_endpoint; NULL: there is none */
    int no_files;         /* 1: paths and indexes in the request are refused, as a service must */
    const char *folder;   /* where its relative paths begin; NULL: the working directory */
    const char
        *tracking_uri; /* MLflow server that the run is logged in; NULL: $MLFLOW_TRACKING_URI;
                                 "": none */
    const kith_anonymise_options
        *anonymise; /* what kith_data_anonymise would do to the data, before anything
                                                else sees them; NULL: nothing */
} kith_run_options;

/* Serve one request of n bytes.  *result is the result, or, when the call fails, {"error": ...} with
 * type, code, message, hint and violations (NULL only if not even that could be made); it is freed by
 * kith_string_free. */
KITH_API kith_err kith_run(kith *k, const char *request, size_t n, const kith_run_options *options,
                           char **result);

/* Log what kith_report_json or kith_tune gave, one run a model, in the MLflow server at `uri` (NULL:
 * $MLFLOW_TRACKING_URI).  *told is a JSON array of {logged, run_id, reason, ...}, for kith_string_free; NULL
 * when no server is named.  A server that is away or refuses is told there and is no failure. */
KITH_API kith_err kith_track(const char *uri, const char *report, char **told);

/* The JSON Schema (2020-12) of "request" or "response". */
KITH_API kith_err kith_schema_json(const char *which, char **json);

/* ---- the service: an HTTP API over one store file (doc/service.md)
 * ----------------------------------------------------------------------------------------
 */

typedef struct kith_server kith_server;

typedef struct kith_serve_options {
    const char
        *db; /* store file, made when it is not there; NULL: in memory, gone with the process */
    const char *data;              /* interactions to read when the store is empty; NULL: none */
    const kith_read_options *read; /* how to read them; NULL: found */
    const char *model;             /* algorithm that is trained when there is none; NULL: ials */
    const kith_param *params;
    int n_params;
    const char *
        config; /* JSON object: every other setting, as doc/service.md lists them; NULL: defaults */
    const char *host;    /* address to listen on; NULL: 127.0.0.1 */
    int port;            /* 0: 8080; -1: a free one */
    int insecure_local;  /* 1: no key is asked for; only where host is a loopback address */
    kith_event_fn event; /* log lines, each a JSON object; NULL: none */
    void *udata;
} kith_serve_options;

/* Open the store, train a model if there is none, and answer.  Returns when the service is ready; it runs in
 * threads of its own until it is stopped.  The threads, seed and memory limit are those of `k`.  KITH_EINVAL when
 * kith was built without libmicrohttpd or sqlite3 (the sentence says which). */
KITH_API kith_err kith_serve_start(kith *k, const kith_serve_options *options, kith_server **out);
/* The settings that `config` may hold, as a JSON array of {name, type, default, min, max, choices, meaning}. */
KITH_API kith_err kith_serve_settings(char **json);

KITH_API int kith_serve_port(const kith_server *server);
KITH_API const char *kith_serve_url(const kith_server *server);

/* What is there as a JSON object: users, items, events, the model in force with its figures, whether `data` was read. */
KITH_API kith_err kith_serve_json(const kith_server *server, char **json);

/* The key that was made with the store, once, for the first administrator; "" when there were keys already. */
KITH_API const char *kith_serve_first_key(const kith_server *server);

/* Let go: requests that run are finished (at most `seconds`), what was acknowledged is kept.  Accepts NULL. */
KITH_API void kith_serve_stop(kith_server *server, double seconds);

/* ---- the store of a service, by itself (doc/store.md)
 * ----------------------------------------------------------------------------------------
 *
 * Check, backup and export read, also while a service has the store open; import writes, and wants it
 * for itself. */

/* Read through all of it: KITH_EFORMAT says what is damaged.  *json (NULL: not wanted) counts what it holds. */
KITH_API kith_err kith_store_check(const char *db, char **json);

/* The store as it is at one moment; `path` is replaced when the copy is whole and on the disk. */
KITH_API kith_err kith_store_backup(const char *db, const char *path);

/* All that it holds as lines of JSON, and back, into a store that is there or made (.gz too).  Import stops at the
 * first line that is wrong (KITH_EFORMAT, with its number); what came before is kept.  *json (NULL: not wanted)
 * counts what was written. */
KITH_API kith_err kith_store_export(const char *db, const char *path);
KITH_API kith_err kith_store_import(const char *db, const char *path, char **json);

#ifdef __cplusplus
}
#endif
#endif
