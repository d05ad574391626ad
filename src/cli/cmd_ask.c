/* SPDX-License-Identifier: MIT
 * cmd_ask.c -- kith recommend, similar, predict
 */
#include "base/file.h" /* pipelines come from files */
#include "base/mem.h"
#include "base/scan.h" /* UTF-8 that was cut */
#include "cli/command.h"
#include "cli/console.h"
#include "cli/picks.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { N_REASONS = 3, MOST_PIPELINE = 1 << 20, MOST_BLOCK = 1 << 26 };

/* ---- lists ---- */

static json_t *wishes_json(const kith_item *item)
{
    json_t *list = json_array();
    for (int w = 0; w < item->n_wishes; w++)
        json_array_append_new(list,
                              json_pack("{s:s, s:f, s:f}", "want", item->wishes[w].want, "weight",
                                        item->wishes[w].weight, "degree", item->wishes[w].degree));
    return list;
}

static json_t *item_json(const kith_item *item, int rank)
{
    json_t *o = json_pack("{s:i, s:s, s:s?, s:f}", "rank", rank, "item_id", item->item_id, "title",
                          item->title, "score", item->score);
    if (item->propensity < 1) json_object_set_new(o, "propensity", json_real(item->propensity));
    if (item->n_wishes > 0) json_object_set_new(o, "wishes", wishes_json(item));
    if (item->reason == NULL) return o;
    json_t *reasons = json_array();
    for (int r = 0; r < item->n_reasons; r++)
        json_array_append_new(reasons,
                              json_pack("{s:s, s:s?, s:f}", "item_id", item->reasons[r].item_id,
                                        "title", item->reasons[r].title, "contribution",
                                        item->reasons[r].contribution));
    json_object_set_new(o, "reason", json_string(item->reason));
    json_object_set_new(o, "reasons", reasons);
    json_object_set_new(o, "rest", json_real(item->rest));
    return o;
}

/* Goes on in `asked`, the object that says what the question was. */
static cli_exit print_list_json(const kith_list *list, json_t *asked)
{
    json_t *items = json_array();
    for (int j = 0; j < list->n; j++)
        json_array_append_new(items, item_json(&list->items[j], j + 1));
    json_object_set_new(asked, "basis", json_string(list->basis));
    json_object_set_new(asked, "note", cli_json_text(list->note));
    json_object_set_new(asked, "items", items);
    if (list->report[0] != '\0')
        json_object_set_new(asked, "report", json_loads(list->report, 0, NULL));
    return cli_print_object(asked);
}

/* "all", or what is met in part: "ram >= 16: 50%".  out[size], cut when it is too long. */
static void tell_wishes(const kith_item *item, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int w = 0; w < item->n_wishes && used < size; w++) {
        const kith_met *m = &item->wishes[w];
        if (m->degree >= 1) continue;
        used += (size_t)snprintf(out + used, size - used, "%s%.60s: %.0f%%", used > 0 ? ", " : "",
                                 m->want, KI_MIN(99, 100 * m->degree));
    }
    if (used == 0) snprintf(out, size, "all");
    ki_utf8_mend(out);
}

static void print_list(const kith_list *list)
{
    char met[256];
    int titles = 0, reasons = 0, wishes = 0;
    for (int j = 0; j < list->n; j++) {
        titles |= list->items[j].title != NULL;
        reasons |= list->items[j].reason != NULL;
        wishes |= list->items[j].n_wishes > 0;
    }
    wishes = wishes && !reasons; /* those begin with them */
    char columns[8];
    snprintf(columns, sizeof columns, "rl%sr%s", titles ? "L" : "", reasons || wishes ? "L" : "");
    cli_table *t = cli_table_new(columns);
    cli_table_cell(t, "#");
    cli_table_cell(t, "item");
    if (titles) cli_table_cell(t, "title");
    cli_table_cell(t, "score");
    if (wishes) cli_table_cell(t, "meets");
    if (reasons) cli_table_cell(t, "why");
    for (int j = 0; j < list->n; j++) {
        const kith_item *item = &list->items[j];
        cli_table_cell(t, "%d", j + 1);
        cli_table_cell(t, "%s", item->item_id);
        if (titles) cli_table_cell(t, "%s", item->title == NULL ? "" : item->title);
        cli_table_cell(t, "%s", cli_fixed(item->score, 4));
        if (wishes) tell_wishes(item, met, sizeof met);
        if (wishes) cli_table_cell(t, "%s", met);
        if (reasons) cli_table_cell(t, "%s", item->reason == NULL ? "" : item->reason);
    }
    cli_table_print(t);
    cli_table_free(t);
}

/* Wishes that nothing meets in full. */
static void tell_unmet(const json_t *wishes)
{
    size_t j;
    const json_t *one;
    json_array_foreach (wishes, j, one)
        if (json_integer_value(json_object_get(one, "met")) == 0)
            fprintf(stderr, "note: nothing meets `%s` in full; the nearest comes to %.0f%%\n",
                    json_string_value(json_object_get(one, "want")),
                    100 * json_number_value(json_object_get(one, "best")));
}

/* What the filter did, when it left too few; and what of it was probably not meant. */
static void tell_filter(const char *text, int n)
{
    json_t *report = json_loads(text, 0, NULL);
    const json_t *filter = json_object_get(report, "filter"), *note;
    const char *sentence = json_string_value(json_object_get(filter, "sentence"));
    size_t j;
    json_array_foreach (json_object_get(report, "notes"), j, note)
        fprintf(stderr, "note: %s\n", json_string_value(note));
    if (sentence != NULL && sentence[0] != '\0') fprintf(stderr, "note: %s\n", sentence);
    if (n > 0) tell_unmet(json_object_get(report, "wishes"));
    json_decref(report);
}

/* Takes `asked`. */
static cli_exit tell_list(const cli_args *a, const kith_list *list, json_t *asked)
{
    if (a->json) return print_list_json(list, asked);
    json_decref(asked);
    if (list->note[0] != '\0' && !a->quiet) fprintf(stderr, "note: %s\n", list->note);
    if (list->report[0] != '\0' && !a->quiet) tell_filter(list->report, list->n);
    if (list->n > 0)
        print_list(list);
    else if (strcmp(list->basis, "item") == 0)
        puts("the model finds no item similar to it");
    else
        puts("nothing is left to recommend");
    return CLI_DONE;
}

/* ---- recommend ---- */

/* Lowest and highest value of the training data. */
static kith_err scale_of(const kith_model *m, double *min, double *max)
{
    char *text = NULL;
    const kith_err err = kith_model_json(m, &text);
    if (err != KITH_OK) return err;
    json_t *o = json_loads(text, 0, NULL);
    *min = json_number_value(json_object_get(o, "min"));
    *max = json_number_value(json_object_get(o, "max"));
    json_decref(o);
    kith_string_free(text);
    return KITH_OK;
}

/* ids[] and values[] as the library takes them; an item without a value gets the top of the scale. */
static cli_exit split(const cli_args *a, const kith_model *m, const cli_picks *p, const char **ids,
                      float *values)
{
    double min, max;
    const kith_err err = scale_of(m, &min, &max);
    if (err != KITH_OK) return cli_fail(err);
    for (int j = 0; j < p->n; j++) {
        const cli_pick *one = &p->at[j];
        ids[j] = cli_pick_id(one);
        values[j] = (float)(one->has_value ? one->value : max);
        if (one->has_value && (one->value < min || one->value > max) && !a->quiet)
            fprintf(stderr, "note: %s=%g is outside of the values trained on, %g to %g\n",
                    one->asked, one->value, min, max);
    }
    return CLI_DONE;
}

static kith_query query_of(const cli_args *a)
{
    const int strict = a->on_unknown != NULL && strcmp(a->on_unknown, "error") == 0;
    return (kith_query){ .user = a->user,
                         .n = (int)a->n,
                         .include_seen = a->include_seen,
                         .filter = a->filter,
                         .context = a->context,
                         .language = a->language,
                         .n_reasons =
                             a->reasons > 0 ? (int)a->reasons : (a->explain ? N_REASONS : 0),
                         .on_unknown = strict ? KITH_UNKNOWN_ERROR : KITH_UNKNOWN_POPULAR };
}

/* What is done with a query that is ready; takes `asked`, the object that says what the question was. */
typedef cli_exit answer_fn(const cli_args *a, kith *k, const kith_model *m, const kith_query *q,
                           json_t *asked);

static cli_exit answer_list(const cli_args *a, kith *k, const kith_model *m, const kith_query *q,
                            json_t *asked)
{
    kith_list *list = NULL;
    const kith_err err = kith_recommend(k, m, q, &list);
    if (err != KITH_OK) return json_decref(asked), cli_fail(err);
    const cli_exit code = tell_list(a, list, asked);
    kith_list_free(list);
    return code;
}

/* The text of a file, to be freed; NULL where there is none. */
static kith_err read_text(const char *path, size_t most, char **out)
{
    size_t n;
    ki_source *s = NULL;
    *out = NULL;
    if (path == NULL) return KITH_OK;
    kith_err err = ki_source_open(path, &s);
    if (err == KITH_OK) err = ki_source_rest(s, most, out, &n);
    ki_source_close(s);
    return err;
}

static void note_unused(const kith_block *block)
{
    char *text = NULL;
    const json_t *one;
    size_t j;
    if (kith_block_json(block, &text) != KITH_OK) return;
    json_t *o = json_loads(text, 0, NULL);
    json_array_foreach (json_object_get(o, "unused"), j, one)
        fprintf(stderr, "note: no item has what the block list says in `%s`\n",
                json_string_value(one));
    json_decref(o);
    kith_string_free(text);
}

cli_exit cli_read_block(const cli_args *a, const kith_model *m, kith_block **out)
{
    char *text = NULL;
    *out = NULL;
    kith_err err = read_text(a->block, MOST_BLOCK, &text);
    if (err == KITH_OK && text != NULL) err = kith_block_new(m, text, out);
    ki_free(text);
    if (err != KITH_OK) return cli_fail(err);
    if (*out != NULL && !a->quiet) note_unused(*out);
    return CLI_DONE;
}

/* The wishes as the library takes them, a JSON list, to be freed; NULL without. */
static char *wishes_of(const cli_args *a)
{
    json_t *list = json_array();
    if (a->wishes.n == 0) return json_decref(list), NULL;
    for (int j = 0; j < a->wishes.n; j++)
        json_array_append_new(list, cli_json_text(a->wishes.at[j]));
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

static cli_exit ask(const cli_args *a, kith *k, const kith_model *m, const cli_picks *liked,
                    const cli_picks *excluded, answer_fn *answer)
{
    const char *ids[CLI_MAX_PICKS], *never[CLI_MAX_PICKS];
    float values[CLI_MAX_PICKS];
    char *pipeline = NULL, *wishes = NULL;
    kith_block *block = NULL;
    kith_query q = query_of(a);
    cli_exit code = split(a, m, liked, ids, values);
    if (code == CLI_DONE) code = cli_read_block(a, m, &block);
    if (code != CLI_DONE) return code;
    const kith_err err = read_text(a->pipeline, MOST_PIPELINE, &pipeline);
    if (err != KITH_OK) {
        kith_block_free(block);
        return cli_fail(err);
    }
    wishes = wishes_of(a);
    for (int j = 0; j < excluded->n; j++) never[j] = cli_pick_id(&excluded->at[j]);
    q.liked = liked->n > 0 ? ids : NULL;
    q.liked_values = liked->n_values > 0 ? values : NULL;
    q.n_liked = liked->n;
    q.text = a->text;
    q.exclude = never;
    q.n_exclude = excluded->n;
    q.pipeline = pipeline;
    q.wishes = wishes;
    q.block = block;
    json_t *asked = json_pack("{s:o}", "user", cli_json_text(a->user));
    if (liked->n > 0) json_object_set_new(asked, "liked", cli_picks_json(liked));
    code = answer(a, k, m, &q, asked);
    ki_free(pipeline);
    free(wishes); /* jansson's */
    kith_block_free(block);
    return code;
}

static cli_exit ask_one(const cli_args *a, kith *k, const kith_model *m, answer_fn *answer)
{
    cli_picks liked = { 0 }, excluded = { 0 };
    cli_exit code = cli_pick_list(a, m, "liked", &a->liked, &liked);
    if (code == CLI_DONE) code = cli_pick_list(a, m, "exclude", &a->exclude, &excluded);
    if (code == CLI_DONE) code = ask(a, k, m, &liked, &excluded, answer);
    cli_picks_clear(&liked);
    cli_picks_clear(&excluded);
    return code;
}

cli_exit cmd_recommend(const cli_args *a, kith *k)
{
    kith_model *m = NULL;
    const int ways = (a->user != NULL) + (a->liked.n > 0) + (a->users != NULL);
    if (ways > 1 || (ways == 0 && a->text == NULL && a->wishes.n == 0))
        return cli_complain(CLI_USAGE,
                            "recommend wants one of --user ID, --liked ID,ID or --all-users FILE, "
                            "or --text WORDS, or --wish EXPR");
    if (a->users != NULL &&
        (a->text != NULL || a->exclude.n > 0 || a->include_seen || a->explain || a->reasons > 0 ||
         a->on_unknown || a->filter || a->wishes.n > 0 || a->context || a->pipeline || a->language))
        return cli_complain(
            CLI_USAGE,
            "--all-users writes plain lists: beside --block it takes no --text, --exclude, "
            "--include-seen, --filter, --wish, --context, --pipeline, --explain, "
            "--reasons, --language or --on-unknown");
    cli_exit code = cli_check_target(a, a->users, "lists");
    if (code != CLI_DONE) return code;
    const kith_err err = kith_model_load(k, a->model_file, &m);
    if (err != KITH_OK) return cli_fail(err);
    code = a->users != NULL ? cli_recommend_all(a, k, m) : ask_one(a, k, m, answer_list);
    kith_model_free(m);
    return code;
}

/* ---- why not ---- */

static cli_exit answer_why(const cli_args *a, kith *k, const kith_model *m, const kith_query *q,
                           json_t *asked)
{
    char *text = NULL;
    cli_pick item;
    const cli_exit code = cli_pick_item(a, m, a->item, 0, &item);
    if (code != CLI_DONE) return json_decref(asked), code;
    const kith_err err = kith_why_not(k, m, q, cli_pick_id(&item), &text);
    if (err != KITH_OK) return json_decref(asked), cli_fail(err);
    json_t *verdict = json_loads(text, 0, NULL);
    kith_string_free(text);
    json_object_set_new(asked, "item", cli_json_text(cli_pick_id(&item)));
    json_object_update(asked, verdict);
    if (!a->json) puts(json_string_value(json_object_get(verdict, "sentence")));
    json_decref(verdict);
    if (a->json) return cli_print_object(asked);
    json_decref(asked);
    return CLI_DONE;
}

cli_exit cmd_why_not(const cli_args *a, kith *k)
{
    kith_model *m = NULL;
    if ((a->user != NULL) + (a->liked.n > 0) != 1)
        return cli_complain(CLI_USAGE, "why-not wants one of --user ID or --liked ID,ID");
    const kith_err err = kith_model_load(k, a->model_file, &m);
    if (err != KITH_OK) return cli_fail(err);
    const cli_exit code = ask_one(a, k, m, answer_why);
    kith_model_free(m);
    return code;
}

/* ---- similar ---- */

static cli_exit similar(const cli_args *a, kith *k, const kith_model *m)
{
    kith_list *list = NULL;
    kith_block *block = NULL;
    cli_pick pick;
    cli_exit code = cli_pick_item(a, m, a->item, 1, &pick);
    if (code == CLI_DONE) code = cli_read_block(a, m, &block);
    if (code != CLI_DONE) return code;
    const kith_query q = { .n = (int)a->n, .block = block };
    const kith_err err = kith_similar_with(k, m, cli_pick_id(&pick), &q, &list);
    kith_block_free(block);
    if (err != KITH_OK) return cli_fail(err);
    json_t *asked =
        json_pack("{s:o, s:s?}", "item", cli_json_text(pick.item_id), "title", pick.title);
    code = tell_list(a, list, asked);
    kith_list_free(list);
    return code;
}

cli_exit cmd_similar(const cli_args *a, kith *k)
{
    kith_model *m = NULL;
    const kith_err err = kith_model_load(k, a->model_file, &m);
    const cli_exit code = err != KITH_OK ? cli_fail(err) : similar(a, k, m);
    kith_model_free(m);
    return code;
}

/* ---- predict ---- */

static json_t *prediction_json(const cli_args *a, const cli_pick *item, const kith_prediction *p)
{
    json_t *o =
        json_pack("{s:o, s:o, s:s?, s:f, s:f, s:b, s:b, s:b, s:b}", "user", cli_json_text(a->user),
                  "item", cli_json_text(cli_pick_id(item)), "title", item->title, "value", p->value,
                  "raw", p->raw, "is_rating", p->is_rating, "is_fallback", p->is_fallback,
                  "unknown_user", p->unknown_user, "unknown_item", p->unknown_item);
    cli_pick_hint(item, o);
    return o;
}

static void tell_fallback(const cli_args *a, const kith_prediction *p)
{
    const char *without = p->is_rating ? "this is the mean of all ratings" : "there is no estimate";
    if (p->unknown_user && p->unknown_item)
        printf("the model knows neither user %s nor item %s: %s\n", a->user, a->item, without);
    else if (p->unknown_item)
        printf("the model does not know item %s: %s\n", a->item, without);
    else if (p->unknown_user)
        printf("the model does not know user %s: %s\n", a->user,
               p->is_rating ? "this is what it has for the item alone" : without);
    else
        printf("nothing in the data supports an estimate for this pair: %s\n",
               p->is_rating ? "this is a mean" : without);
}

static void print_prediction(const cli_args *a, const cli_pick *item, const kith_prediction *p)
{
    const char *title = item->title;
    const int none = p->is_fallback && !p->is_rating; /* its 0 would be taken for a low one */
    printf("%s of user %s for item %s%s%s%s: %s\n", p->is_rating ? "rating" : "preference", a->user,
           cli_pick_id(item), title == NULL ? "" : " (", title == NULL ? "" : title,
           title == NULL ? "" : ")", none ? "unknown" : cli_fixed(p->value, 3));
    if (p->value != p->raw)
        printf("before clipping to the rating scale: %s\n", cli_fixed(p->raw, 3));
    if (p->is_fallback) tell_fallback(a, p);
}

static cli_exit predict(const cli_args *a, kith *k, const kith_model *m)
{
    cli_pick item;
    kith_prediction p;
    const cli_exit code = cli_pick_item(a, m, a->item, 0, &item);
    if (code != CLI_DONE) return code;
    const kith_err err = kith_predict(k, m, a->user, cli_pick_id(&item), &p);
    if (err != KITH_OK) return cli_fail(err);
    if (a->json) return cli_print_object(prediction_json(a, &item, &p));
    print_prediction(a, &item, &p);
    return CLI_DONE;
}

cli_exit cmd_predict(const cli_args *a, kith *k)
{
    kith_model *m = NULL;
    const kith_err err = kith_model_load(k, a->model_file, &m);
    const cli_exit code = err != KITH_OK ? cli_fail(err) : predict(a, k, m);
    kith_model_free(m);
    return code;
}
