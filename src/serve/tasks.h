/* SPDX-License-Identifier: MIT
 * tasks.h -- long work, one piece after the other, in a thread that steps back for those who ask
 *
 * A task has a kith context of its own; its steps are what kith's progress callback tells.  The last hundred that
 * ended are kept for whoever asks how they went.  Work also comes by the clock: `tick` is called between tasks, once
 * a second.
 */
#ifndef KI_TASKS_H
#define KI_TASKS_H

#include "base/err.h"

#include <jansson.h>
#include <stdint.h>

typedef struct ki_tasks ki_tasks;

/* The work: `order` is what was asked for; *result (NULL: none) becomes part of what the task tells. */
typedef kith_err (*ki_task_fn)(void *udata, kith *k, const json_t *order, json_t **result);

typedef struct ki_tasks_options {
    kith_options context; /* of each task; its progress is not used */
    void (*tick)(void *udata);
    void *udata; /* handed to tick and to the work */
} ki_tasks_options;

kith_err ki_tasks_new(const ki_tasks_options *o, ki_tasks **out);
void ki_tasks_free(ki_tasks *t); /* cancels what runs; accepts NULL */

/* Queue; takes `order`.  id[40] is the task's.  KITH_EINVAL when too many wait. */
kith_err ki_tasks_add(ki_tasks *t, const char *kind, ki_task_fn run, json_t *order, char *id);

/* {id, kind, state: queued | running | done | failed | canceled, step, done, total, queued_at, started_at,
 * finished_at, order, result, error}, a new reference; KITH_ENOTFOUND. */
kith_err ki_tasks_get(ki_tasks *t, const char *id, json_t **out);
kith_err ki_tasks_list(ki_tasks *t, json_t **out); /* newest first */
kith_err ki_tasks_cancel(ki_tasks *t, const char *id);

/* Rises whenever something of the task changes; 0: no such task.  *over: it has ended. */
int64_t ki_tasks_change(ki_tasks *t, const char *id, int *over);

/* Is a task of this kind queued or running? */
int ki_tasks_busy(ki_tasks *t, const char *kind);

/* Wait until it has ended; what it failed with is returned. */
kith_err ki_tasks_wait(ki_tasks *t, const char *id);

#endif
