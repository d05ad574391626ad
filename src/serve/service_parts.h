/* SPDX-License-Identifier: MIT
 * service_parts.h -- what the files of the service share; routes see service.h alone
 *
 *      gate        held shared while events are written and questions are asked by what they mean, exclusively
 *                  while the meaning of events changes or one kind of a pair's events is taken back
 *      attributes  one at a time: a write whose attributes were checked, from the check to the commit
 *      forgetting  one deletion of a user at a time, outside of all others
 *      models      one promotion, deletion or saving at a time: held while files are read and written, so whoever only
 *                  wants to know which versions are in force takes `names` instead
 *      news        counters that a kept list is judged by: what changed since it was made
 */
#ifndef KI_SERVICE_PARTS_H
#define KI_SERVICE_PARTS_H

#include "base/file.h" /* KI_PATH_MAX */
#include "serve/clock.h"
#include "serve/erasures.h"
#include "serve/exposures.h"
#include "serve/lists_kept.h"
#include "serve/meaning.h"
#include "serve/service.h"
#include "serve/tasks.h"
#include "serve/wish.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    KI_NEWS_USERS = 1 << 16
}; /* users share counters: a list may be made anew without need, never the reverse */

typedef struct ki_news {
    atomic_uint users[KI_NEWS_USERS]; /* by index modulo their number: history, attributes */
    atomic_uint catalogue;            /* items: made, changed, hidden, dropped */
    atomic_uint events;               /* of anybody */
    atomic_uint model;                /* promotions */
    atomic_uint settings;             /* scenarios, meanings */
} ki_news;

typedef struct ki_shadowed { /* what the shadow model said beside the one in force */
    pthread_mutex_t lock;
    int64_t n;                               /* lists */
    double overlap, micros, micros_in_force; /* sums */
    struct shadow_block
        *block; /* the list asked with last, found in the shadow's catalogue; NULL: none */
} ki_shadowed;

enum { KI_RUNS = 2 };

typedef struct ki_runs { /* of the tool contract */
    pthread_mutex_t lock;
    kith *of[KI_RUNS]; /* NULL: free */
    int stopped;
} ki_runs;

struct ki_service {
    ki_store *store;
    ki_live *live;
    ki_settings settings;
    char *
        model_name; /* algorithm that is trained by itself; NULL: ials, with the words of items where they have any */
    json_t *params; /* of it: an object of texts */
    uint64_t seed;
    size_t memory_bytes;
    kith_run_options log; /* event and udata are used */

    ki_runs runs;
    pthread_mutex_t forgetting;
    pthread_mutex_t deciding; /* outside of all others too: ki_service_begin_decision */
    ki_erasures erasures;     /* who went lately */
    pthread_rwlock_t gate;
    ki_meanings meanings;       /* under the gate; set by ki_service_take_meanings alone */
    _Atomic float top_of_scale; /* of ratings, for questions; 0: values are strengths */
    pthread_mutex_t attributes;
    ki_news news;

    char *folder;           /* of model files */
    int own_folder;         /* 1: it goes with the service */
    pthread_mutex_t models; /* guards what follows, and the files; one promotion at a time */
    int n_training;         /* that hold a copy of the data */
    json_t *forgotten;      /* users who went while somebody trained: array of ids */
    pthread_mutex_t
        names; /* guards what follows, for as long as a copy takes; changed with `models` held, too */
    char version[64]; /* in force; "" none */
    char shadow[64];  /* asked as shadow; "" none */
    pthread_rwlock_t
        shadow_lock; /* held shared by who asks the shadow; taken after `models` by who changes it, who comes first */
    kith_model *shadow_model; /* behind that name; under shadow_lock */

    ki_tasks *tasks;
    ki_lists_kept *lists;
    struct kith_cache *cache; /* NULL: none */
    uint64_t boot; /* of this start: keys of a shared cache differ from those of another */
    atomic_int has_shadow;
    int64_t trained_ns;             /* when the clock last ordered a training */
    atomic_llong n_asked, n_cached; /* lists asked for; those that were found in the cache */
    ki_shadowed shadowed;

    pthread_rwlock_t documents_lock; /* guards what follows */
    json_t *scenarios, *experiments; /* objects: name -> document */
    json_t *block;                   /* the service's own block list, a text; NULL: none */
    atomic_int has_block;            /* is it there?  Asked without the lock */

    ki_exposures *exposures;

    int imported; /* 1: this start read `data` */
};

/* JSON line for the log; takes fields. */
void ki_service_say(const ki_service *s, const char *event, json_t *fields);

/* One document written; json is borrowed. */
kith_err ki_service_put_document(ki_service *s, const char *kind, const char *id,
                                 const json_t *json);

/* service_load.c: what the store holds into the live engine. */
kith_err ki_service_load(ki_service *s);

/* service_documents.c: put what a document of kind "setting" says in force; NULL: it is gone. */
void ki_service_take_setting(ki_service *s, const char *id, const json_t *document);

/* The entries of a list, a line each, behind those of `before` (NULL: none), as one text. */
kith_err ki_block_lines(const json_t *list, const char *before, char **out);

/* The values of all histories anew, after the meaning of events has changed.  With the gate held alone. */
kith_err ki_service_reload_events(ki_service *s);

/* service_documents.c: another meaning in force.  With the gate held alone, or before anybody else is there. */
void ki_service_take_meanings(ki_service *s, const ki_meanings *m);

/* applied.c: the store's callback. */
void ki_service_applied(void *udata, const ki_change *changes, int n);

/* service_import.c: `path` into the empty store. */
kith_err ki_service_import(ki_service *s, kith *k, const char *path, const kith_read_options *how);

/* service_models.c */
void ki_service_put_name(ki_service *s, char *which /* version or shadow */, const char *version);
kith_err ki_service_find_folder(ki_service *s, const char *db);
kith_err ki_service_restore_model(ki_service *s, kith *k, int *found);
void ki_service_remove_folder(ki_service *s);
kith_err ki_service_model_document(ki_service *s, const char *version, json_t **out);
void ki_service_model_path(const ki_service *s, const char *version, char *out /* [KI_PATH_MAX] */);

/* The model of a version out of its file; KITH_ENOTFOUND when that is gone (keep_models, a disk that was cleared).
 * With the lock on models held, so that it does not go meanwhile. */
kith_err ki_service_load_model(const ki_service *s, kith *k, const char *version, kith_model **out);
void ki_service_train_by_clock(void *udata); /* the tick of tasks */
kith_err ki_service_forget_in_model(kith_model *m,
                                    const char *user_id); /* unknown: nothing to do */

/* service_forget.c: what an erasure that was cut short has left. */
kith_err ki_service_finish_erasures(ki_service *s);

/* The id of a user's record: 128 bits of a hash with a secret of this store, which says nothing to others. */
enum { KI_ERASURE_ID = 33 };
kith_err ki_service_erasure_id(ki_service *s, const char *user_id, char *out /* [KI_ERASURE_ID] */);

typedef struct ki_figure {
    double value, low, high;
} ki_figure;

/* service_evaluate.c: the metric of a recipe on the held-out part of `d`.  KITH_EDATA: too little is there. */
kith_err ki_service_measure(ki_service *s, kith *k, const kith_data *d, const ki_recipe *r,
                            ki_figure *out);

/* What a recipe is worth (known; NULL: it is measured), beside the one in force (NULL: none) and
 * beside popularity: {metric, protocol, value, low, high, popularity, in_force} or {reason}. */
kith_err ki_service_appraise(ki_service *s, kith *k, const kith_data *d, const ki_recipe *r,
                             const ki_figure *known, const ki_recipe *in_force, json_t **out);

const char *ki_service_protocol(const ki_service *s, const kith_data *d);

/* Is it so much worse than the one in force that it must not replace it? */
int ki_service_is_worse(const ki_service *s, const json_t *figures);
int ki_service_is_worse_than(const ki_service *s, double value,
                             double other); /* by more than keep_old */

/* service_choose.c: what is trained when nobody says what.  The first is what is taken unasked. */
const char *ki_service_usual(const ki_service *s, const kith_data *d);

/* Into *r the best on the held-out part of `d` of those that come into question; r->params for json_decref.
 * *measured 1: *figure is what it is worth there, and *told [{algorithm, params, value}], a new reference, what
 * the others are; 0: there is nothing to choose from, or too little is held out, and *r is the usual one. */
kith_err ki_service_choose(ki_service *s, kith *k, const kith_data *d, ki_recipe *r,
                           ki_figure *figure, int *measured, json_t **told);

/* Parameters as the library takes them, from an object; `owner`. before each name when not NULL.  *texts is what they
 * point into, for json_decref; params[KI_MAX_RECIPE]. */
enum { KI_MAX_RECIPE = 64 };
kith_err ki_recipe_params(const json_t *object, kith_param *params, int *n, json_t **texts);

/* service_cache.c: finished lists under keys that hold what they were made of.  1: key[KI_LIST_KEY_ROOM] is there, 0: such
 * a list is not to be kept.  `asked`: the question as text.  *value NULL: none is. */
enum { KI_LIST_KEY_ROOM = 4096 };
kith_err ki_service_open_cache(ki_service *s);
int ki_service_cache_key(ki_service *s, const ki_wish *w, const ki_text *asked, char *key);
kith_err ki_service_cache_get(ki_service *s, const char *key, char **value, size_t *n);
kith_err ki_service_cache_put(ki_service *s, const char *key, const char *value, size_t n);
kith_err ki_service_cache_empty(ki_service *s);

/* service_shadow.c: another shadow, or none (version "", NULL); takes m.  With the lock on models held, or by who closes. */
void ki_service_put_shadow(ki_service *s, const char *version, kith_model *m);

/* Ask the shadow too, when it is its turn. */
void ki_service_ask_shadow(ki_service *s, const ki_wish *w, const kith_list *shown, double micros);

#endif
