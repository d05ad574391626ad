/* SPDX-License-Identifier: MIT
 * routes_models.c -- versions of the model, and the long work that makes them
 */
#include "serve/bodies.h"
#include "serve/routes.h"
#include "serve/tasks.h"

#include "base/mem.h"
#include "serve/service_parts.h" /* ki_service_model_document */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ki_shape by_version[] = {
    { .name = "version", .kind = KI_IS_TEXT, .required = 1, .about = "of a model", .max = 64 },
};
static const ki_shape version_path = { .kind = KI_IS_OBJECT, KI_INSIDE(by_version) };
static const ki_shape by_task[] = {
    { .name = "task_id", .kind = KI_IS_TEXT, .required = 1, .about = "of a task", .max = 64 },
};
static const ki_shape task_path = { .kind = KI_IS_OBJECT, KI_INSIDE(by_task) };

static const char *const promote_words[] = { "better", "always", "never", NULL };
static const ki_shape a_recipe[] = {
    { .name = "algorithm",
      .kind = KI_IS_NAME,
      .about = "which one (that of the service); `kith models` lists them",
      .max = 64 },
    { .name = "params", .kind = KI_IS_OPEN, .about = "its parameters, by name" },
    { .name = "promote",
      .kind = KI_IS_TEXT,
      .about = "put it in force unless it is worse than the one that is (better), in any case, or "
               "leave it a candidate",
      .words = promote_words,
      .init = "\"better\"" },
};
static const ki_shape recipe = { .kind = KI_IS_OBJECT,
                                 KI_INSIDE(a_recipe),
                                 .type = "Recipe",
                                 .example = "{\"algorithm\": \"ials-text\", \"params\": "
                                            "{\"n_factors\": 32}, \"promote\": \"always\"}" };
static const ki_shape a_search[] = {
    { .name = "algorithm", .kind = KI_IS_NAME, .about = "as in train_model", .max = 64 },
    { .name = "params", .kind = KI_IS_OPEN, .about = "held as they are" },
    { .name = "seconds",
      .kind = KI_IS_NUMBER,
      .about = "most time",
      .min = 1,
      .max = 86400,
      .init = "60" },
    { .name = "trials",
      .kind = KI_IS_WHOLE,
      .about = "most settings",
      .min = 1,
      .max = 1000,
      .init = "20" },
};
static const ki_shape search = {
    .kind = KI_IS_OBJECT,
    KI_INSIDE(a_search),
    .type = "Search",
    .example = "{\"algorithm\": \"item-knn\", \"seconds\": 5, \"trials\": 3}"
};
static const ki_shape a_queued_task[] = {
    { .name = "task_id", .kind = KI_IS_TEXT, .required = 1, .about = "ask /v1/tasks/{task_id}" },
};
static const ki_shape queued = { .kind = KI_IS_OBJECT,
                                 KI_INSIDE(a_queued_task),
                                 .type = "TaskQueued" };
static const ki_link to_task[] = { { "get_task", "task_id", "/task_id" },
                                   { "watch_task", "task_id", "/task_id" },
                                   { "cancel_task", "task_id", "/task_id" },
                                   { NULL, NULL, NULL } };

/* ---- what is told ---- */

static const ki_shape a_considered[] = {
    { .name = "algorithm", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "params", .kind = KI_IS_OPEN, .required = 1 },
    { .name = "value",
      .kind = KI_IS_NUMBER,
      .required = 1,
      .or_null = 1,
      .about = "of the metric" },
};
static const ki_shape considered = { .kind = KI_IS_OBJECT,
                                     KI_INSIDE(a_considered),
                                     .type = "Considered" };
const ki_shape ki_figures[KI_N_FIGURES] = {
    { .name = "reason", .kind = KI_IS_TEXT, .about = "why there are none: too few events" },
    { .name = "metric", .kind = KI_IS_TEXT, .about = "such as ndcg@10" },
    { .name = "protocol", .kind = KI_IS_TEXT, .about = "what was held out" },
    { .name = "value", .kind = KI_IS_NUMBER, .or_null = 1, .about = "of this recipe" },
    { .name = "low", .kind = KI_IS_NUMBER, .or_null = 1, .about = "end of its 95% interval" },
    { .name = "high", .kind = KI_IS_NUMBER, .or_null = 1, .about = "the other end" },
    { .name = "popularity", .kind = KI_IS_NUMBER, .or_null = 1, .about = "what is popular got" },
    { .name = "in_force", .kind = KI_IS_NUMBER, .or_null = 1, .about = "the recipe in force got" },
    { .name = "seconds", .kind = KI_IS_NUMBER, .about = "that it took to find out" },
    { .name = "considered",
      .kind = KI_IS_LIST,
      .about = "what it was chosen from, when nobody said which",
      KI_EACH(considered) },
};
static const ki_shape trained_on[] = {
    { .name = "users", .kind = KI_IS_WHOLE, .required = 1 },
    { .name = "items", .kind = KI_IS_WHOLE, .required = 1 },
    { .name = "events", .kind = KI_IS_WHOLE, .required = 1 },
};
static const char *const model_states[] = { "candidate", "promoted", "retired", "refused", NULL };
static const ki_shape a_model[] = {
    { .name = "version", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "algorithm", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "params", .kind = KI_IS_OPEN, .required = 1, .about = "as they were given" },
    { .name = "figures",
      .kind = KI_IS_OBJECT,
      .required = 1,
      KI_INSIDE(ki_figures),
      .type = "Figures" },
    { .name = "trained_at", .kind = KI_IS_TEXT, .required = 1, .about = "ISO 8601, UTC" },
    { .name = "trained_ms", .kind = KI_IS_WHOLE, .required = 1, .about = "since 1970" },
    { .name = "data",
      .kind = KI_IS_OBJECT,
      .required = 1,
      .about = "that it was trained on",
      KI_INSIDE(trained_on),
      .type = "TrainedOn" },
    { .name = "state", .kind = KI_IS_TEXT, .required = 1, .words = model_states },
    { .name = "reason", .kind = KI_IS_TEXT, .required = 1, .about = "why it is in this state" },
    { .name = "promoted_ms", .kind = KI_IS_WHOLE, .about = "when it was put in force, since 1970" },
};
static const ki_shape model = { .kind = KI_IS_OBJECT, KI_INSIDE(a_model), .type = "Model" };
static const ki_shape all_models[] = {
    { .name = "in_force", .kind = KI_IS_TEXT, .required = 1, .about = "version; empty: none is" },
    { .name = "models",
      .kind = KI_IS_LIST,
      .required = 1,
      .about = "newest first",
      KI_EACH(model) },
};
static const ki_shape told_models = { .kind = KI_IS_OBJECT,
                                      KI_INSIDE(all_models),
                                      .type = "Models" };

static const ki_shape a_shadow[] = {
    { .name = "version", .kind = KI_IS_TEXT, .required = 1, .about = "empty: there is none" },
    { .name = "lists", .kind = KI_IS_WHOLE, .required = 1, .about = "that it was asked for too" },
    { .name = "overlap",
      .kind = KI_IS_NUMBER,
      .about = "share of the items shown that it lists too" },
    { .name = "micros", .kind = KI_IS_NUMBER, .about = "microseconds a list, of the shadow" },
    { .name = "micros_in_force", .kind = KI_IS_NUMBER, .about = "and of the model in force" },
};
static const ki_shape shadow = { .kind = KI_IS_OBJECT, KI_INSIDE(a_shadow), .type = "Shadow" };

static const char *const task_kinds[] = { "train", "evaluate", "tune", NULL };
static const char *const task_states[] = {
    "queued", "running", "done", "failed", "canceled", NULL
};
static const ki_shape a_task[] = {
    { .name = "id", .kind = KI_IS_TEXT, .required = 1 },
    { .name = "kind", .kind = KI_IS_TEXT, .required = 1, .words = task_kinds },
    { .name = "state", .kind = KI_IS_TEXT, .required = 1, .words = task_states },
    { .name = "order", .kind = KI_IS_OPEN, .required = 1, .about = "what was asked for" },
    { .name = "queued_at", .kind = KI_IS_TEXT, .about = "ISO 8601, UTC, as those that follow" },
    { .name = "started_at", .kind = KI_IS_TEXT },
    { .name = "finished_at", .kind = KI_IS_TEXT },
    { .name = "step", .kind = KI_IS_TEXT, .about = "what it does now" },
    { .name = "done", .kind = KI_IS_WHOLE, .about = "of this step" },
    { .name = "total", .kind = KI_IS_WHOLE, .about = "0: nobody knows" },
    { .name = "result",
      .kind = KI_IS_OPEN,
      .about = "of train the model as /v1/models tells it; of evaluate algorithm, params, figures "
               "and worse; of tune what `kith tune --json` says" },
    { .name = "error", .kind = KI_IS_TEXT, .about = "why it failed" },
};
static const ki_shape one_task = { .kind = KI_IS_OBJECT, KI_INSIDE(a_task), .type = "Task" };
static const ki_shape all_tasks[] = {
    { .name = "tasks",
      .kind = KI_IS_LIST,
      .required = 1,
      .about = "newest first",
      KI_EACH(one_task) },
};
static const ki_shape some_tasks = { .kind = KI_IS_OBJECT, KI_INSIDE(all_tasks), .type = "Tasks" };

/* ---- tasks ---- */

static ki_recipe recipe_of(const json_t *order)
{
    const char *promote = json_string_value(json_object_get(order, "promote"));
    ki_recipe r = { .algorithm = json_string_value(json_object_get(order, "algorithm")),
                    .params = json_object_get(order, "params") };
    if (promote != NULL && strcmp(promote, "always") == 0) r.promote = KI_PROMOTE_ALWAYS;
    if (promote != NULL && strcmp(promote, "never") == 0) r.promote = KI_PROMOTE_NEVER;
    return r;
}

static kith_err run_training(void *udata, kith *k, const json_t *order, json_t **result)
{
    const ki_recipe r = recipe_of(order);
    return ki_service_train(udata, k, &r, result);
}

static kith_err run_evaluation(void *udata, kith *k, const json_t *order, json_t **result)
{
    const ki_recipe r = recipe_of(order);
    return ki_service_evaluate(udata, k, &r, result);
}

static kith_err run_tuning(void *udata, kith *k, const json_t *order, json_t **result)
{
    const ki_recipe r = recipe_of(order);
    return ki_service_tune(udata, k, &r, json_number_value(json_object_get(order, "seconds")),
                           (int)json_number_value(json_object_get(order, "trials")), result);
}

/* The body, completed by the defaults of its shape. */
static json_t *order_of(const ki_call *c, const ki_shape *shape)
{
    json_t *order = json_object();
    for (int j = 0; j < shape->n_inside; j++) {
        const json_t *v = ki_call_value(c, shape->inside[j].name);
        if (v != NULL) json_object_set(order, shape->inside[j].name, (json_t *)v);
    }
    return order;
}

static kith_err queue(ki_call *c, const char *kind, ki_task_fn run, const ki_shape *shape)
{
    char id[40];
    const char *algorithm = ki_call_text(c, "algorithm");
    ki_service *s = ki_call_service(c);
    kith_err err = ki_service_check_recipe(s, algorithm, ki_call_value(c, "params"));
    if (err == KITH_ENOTFOUND) return ki_call_refuse(c, 422, KITH_EINVAL, "%s", kith_last_error());
    if (err != KITH_OK) return err;
    err = ki_tasks_add(ki_service_tasks(s), kind, run, order_of(c, shape), id);
    if (err == KITH_EINVAL) return ki_call_refuse(c, 503, err, "%s", kith_last_error());
    return err == KITH_OK ? ki_reply_json(c, json_pack("{s:s}", "task_id", id)) : err;
}

static kith_err train(ki_call *c)
{
    return queue(c, "train", run_training, &recipe);
}

static kith_err evaluate(ki_call *c)
{
    return queue(c, "evaluate", run_evaluation, &recipe);
}

static kith_err tune(ki_call *c)
{
    return queue(c, "tune", run_tuning, &search);
}

static kith_err list_tasks(ki_call *c)
{
    json_t *list = NULL;
    const kith_err err = ki_tasks_list(ki_service_tasks(ki_call_service(c)), &list);
    return err == KITH_OK ? ki_reply_json(c, json_pack("{s:o}", "tasks", list)) : err;
}

static kith_err get_task(ki_call *c)
{
    json_t *task = NULL;
    const kith_err err =
        ki_tasks_get(ki_service_tasks(ki_call_service(c)), ki_call_text(c, "task_id"), &task);
    return err == KITH_OK ? ki_reply_json(c, task) : err;
}

static kith_err cancel_task(ki_call *c)
{
    const kith_err err =
        ki_tasks_cancel(ki_service_tasks(ki_call_service(c)), ki_call_text(c, "task_id"));
    return err == KITH_EINVAL ? ki_call_refuse(c, 409, err, "%s", kith_last_error()) : err;
}

struct watch { /* a client that follows a task */
    ki_tasks *tasks;
    char id[64];
    int64_t seen;
    int over;
};

static kith_err next_step(void *udata, char **text)
{
    struct watch *w = udata;
    json_t *task = NULL;
    int over;
    const int64_t change = ki_tasks_change(w->tasks, w->id, &over);
    *text = NULL;
    if (w->over) return KITH_ECANCELED;
    if (change == w->seen) return KITH_OK;
    w->seen = change;
    w->over = over;
    kith_err err = ki_tasks_get(w->tasks, w->id, &task);
    if (err != KITH_OK) return KITH_ECANCELED;
    char *line = json_dumps(task, JSON_COMPACT);
    json_decref(task);
    err = line == NULL ? ki_fail_memory(256) : ki_strdup(text, line);
    free(line);
    return err;
}

static kith_err watch_task(ki_call *c)
{
    struct watch *w = NULL;
    json_t *task = NULL;
    ki_tasks *tasks = ki_service_tasks(ki_call_service(c));
    kith_err err = ki_tasks_get(tasks, ki_call_text(c, "task_id"), &task);
    json_decref(task);
    if (err == KITH_OK) err = ki_alloc(&w, 1, sizeof *w);
    if (err != KITH_OK) return err;
    w->tasks = tasks;
    snprintf(w->id, sizeof w->id, "%s", ki_call_text(c, "task_id"));
    return ki_reply_stream(c, next_step, ki_free, w);
}

/* ---- versions ---- */

static kith_err take_document(void *udata, const ki_row *row)
{
    json_t *o = json_loads(row->json, 0, NULL);
    if (o != NULL) json_array_insert_new(udata, 0, o);
    return KITH_OK;
}

static kith_err list_models(ki_call *c)
{
    char version[64];
    ki_service *s = ki_call_service(c);
    json_t *list = json_array();
    const ki_select models = { .kind = "model" };
    const kith_err err =
        ki_store_each(ki_service_store(s), KI_DOCUMENTS, &models, take_document, list);
    ki_service_version(s, version);
    if (err == KITH_OK)
        return ki_reply_json(c, json_pack("{s:s, s:o}", "in_force", version, "models", list));
    json_decref(list);
    return err;
}

static kith_err reply_model(ki_call *c, const char *version)
{
    json_t *document = NULL;
    const kith_err err = ki_service_model_document(ki_call_service(c), version, &document);
    return err == KITH_OK ? ki_reply_json(c, document) : err;
}

static kith_err get_model(ki_call *c)
{
    return reply_model(c, ki_call_text(c, "version"));
}

static kith_err promote(ki_call *c)
{
    const char *version = ki_call_text(c, "version");
    const kith_err err = ki_service_promote(ki_call_service(c), version, "told to");
    return err == KITH_OK ? reply_model(c, version) : err;
}

static kith_err roll_back(ki_call *c)
{
    json_t *document = NULL;
    const kith_err err = ki_service_rollback(ki_call_service(c), &document);
    if (err == KITH_ENOTFOUND) return ki_call_refuse(c, 409, err, "%s", kith_last_error());
    return err == KITH_OK ? ki_reply_json(c, document) : err;
}

static kith_err reply_shadow(ki_call *c)
{
    json_t *o = NULL;
    const kith_err err = ki_service_shadow_report(ki_call_service(c), &o);
    return err == KITH_OK ? ki_reply_json(c, o) : err;
}

static kith_err set_shadow(ki_call *c)
{
    const kith_err err = ki_service_shadow(ki_call_service(c), ki_call_text(c, "version"));
    return err == KITH_OK ? reply_shadow(c) : err;
}

static kith_err drop_shadow(ki_call *c)
{
    return ki_service_shadow(ki_call_service(c), NULL);
}

static const ki_link to_model[] = { { "get_model", "version", "/in_force" },
                                    { "promote_model", "version", "/in_force" },
                                    { "set_shadow", "version", "/in_force" },
                                    { NULL, NULL, NULL } };
static const ki_route routes[] = {
    { "POST", "/v1/models", "train_model", "Train a model in the background",
      "On a copy of what is known now, while serving goes on.  It is evaluated beside the one in "
      "force on the same held-out part, and refused when it is worse.",
      KI_ROLE_ADMIN, .body = &recipe, .reply = &queued, .status = 202, .run = train,
      .links = to_task },
    { "GET", "/v1/models", "list_models", "Versions, newest first", NULL, KI_ROLE_READ,
      .reply = &told_models, .run = list_models, .links = to_model },
    { "GET", "/v1/models/{version}", "get_model", "A version: recipe, figures, state", NULL,
      KI_ROLE_READ, .path_shape = &version_path, .reply = &model, .run = get_model },
    { "POST", "/v1/models/{version}/promote", "promote_model", "Put a version in force", NULL,
      KI_ROLE_ADMIN, KI_ROUTE_CONFLICTS, .path_shape = &version_path, .reply = &model,
      .run = promote },
    { "POST", "/v1/models/rollback", "roll_back", "Back to the version that was in force before",
      NULL, KI_ROLE_ADMIN, KI_ROUTE_CONFLICTS, .reply = &model, .run = roll_back },
    { "POST", "/v1/models/evaluate", "evaluate_model",
      "How good would a recipe be, beside the one in force?", "Nothing is kept.", KI_ROLE_ADMIN,
      .body = &recipe, .reply = &queued, .status = 202, .run = evaluate, .links = to_task },
    { "POST", "/v1/models/tune", "tune_model", "Search for better parameters", NULL, KI_ROLE_ADMIN,
      .body = &search, .reply = &queued, .status = 202, .run = tune, .links = to_task },
    { "GET", "/v1/shadow", "get_shadow", "What the shadow model says beside the one in force",
      "Overlap of the lists, and microseconds of both.", KI_ROLE_READ, .reply = &shadow,
      .run = reply_shadow },
    { "PUT", "/v1/shadow/{version}", "set_shadow", "Ask this version too, for a share of the lists",
      NULL, KI_ROLE_ADMIN, KI_ROUTE_CONFLICTS, .path_shape = &version_path, .reply = &shadow,
      .run = set_shadow },
    { "DELETE", "/v1/shadow", "drop_shadow", "Ask no second version any more", NULL, KI_ROLE_ADMIN,
      .run = drop_shadow },
    { "GET", "/v1/tasks", "list_tasks", "Long work: what waits, runs, and has ended", NULL,
      KI_ROLE_READ, .reply = &some_tasks, .run = list_tasks },
    { "GET", "/v1/tasks/{task_id}", "get_task", "A task, with its progress or result", NULL,
      KI_ROLE_READ, .path_shape = &task_path, .reply = &one_task, .run = get_task },
    { "POST", "/v1/tasks/{task_id}/cancel", "cancel_task", "Stop a task",
      "It stays among those that have ended, as canceled.  409 when it has ended already.",
      KI_ROLE_ADMIN, KI_ROUTE_CONFLICTS, .path_shape = &task_path, .run = cancel_task },
    { "GET", "/v1/tasks/{task_id}/events", "watch_task", "Follow a task",
      "Server-sent events: the task whenever something of it changes, until it has ended.",
      KI_ROLE_READ, KI_ROUTE_STREAM, .path_shape = &task_path, .run = watch_task },
};

const ki_route_group ki_routes_models = { "models", "Training, versions and tasks", routes,
                                          KI_COUNT(routes) };
