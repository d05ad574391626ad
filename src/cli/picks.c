/* SPDX-License-Identifier: MIT
 * picks.c -- from words to items: cutting at commas, values, titles
 *
 * An argument whose pieces are all ids is a list of ids.  Else the whole of it may be one title,
 * commas and all.  Else each piece is an id, a title, or unknown.
 */
#include "cli/picks.h"

#include "cli/console.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- cutting, in place ---- */

static char *trim(char *word)
{
    word += strspn(word, " \t");
    for (size_t n = strlen(word); n > 0 && (word[n - 1] == ' ' || word[n - 1] == '\t'); n--)
        word[n - 1] = '\0';
    return word;
}

/* Up to the next comma outside quotes; *at is NULL after the last piece. */
static char *next_piece(char **at)
{
    char *piece = *at, *c = piece;
    for (int quoted = 0; *c != '\0' && (quoted || *c != ','); c++)
        if (*c == '"') quoted = !quoted;
    *at = *c == ',' ? c + 1 : NULL;
    *c = '\0';
    return trim(piece);
}

/* "50=5" becomes "50"; 0 when no number follows the last '='. */
static int cut_value(char *text, double *out)
{
    char *equals = strrchr(text, '='), *end;
    if (equals == NULL || equals == text) return 0;
    *out = strtod(equals + 1, &end);
    if (end == equals + 1 || *end != '\0' || !isfinite(*out)) return 0;
    *equals = '\0';
    trim(text);
    return 1;
}

/* "a ""b""" in quotes becomes a "b"; what is not in quotes stays. */
static void unquote(char *text)
{
    const size_t n = strlen(text);
    char *to = text;
    if (n < 2 || text[0] != '"' || text[n - 1] != '"') return;
    text[n - 1] = '\0';
    for (const char *from = text + 1; *from != '\0'; from++) {
        if (from[0] == '"' && from[1] == '"') from++;
        *to++ = *from;
    }
    *to = '\0';
}

static cli_pick read_pick(char *text, int with_value)
{
    cli_pick p = { .asked = text };
    p.has_value = with_value && cut_value(text, &p.value);
    unquote(text);
    return p;
}

/* ---- finding ---- */

static void settle(const kith_model *m, int32_t item, cli_pick *p)
{
    p->item_id = kith_model_item_id(m, item);
    p->title = kith_model_item_title(m, item);
}

static int find_by_id(const kith_model *m, cli_pick *p)
{
    const int32_t item = kith_model_find_item(m, p->asked);
    if (item >= 0) settle(m, item, p);
    return item >= 0;
}

/* "dune" is Dune (1984): what was not written as it stands in the catalogue. */
static void tell(const cli_args *a, const cli_pick *p)
{
    if (a->quiet || a->json || p->title == NULL) return;
    if (strcmp(p->item_id, p->asked) == 0 || strcmp(p->title, p->asked) == 0) return;
    fprintf(stderr, "note: \"%s\" is %s, id %s\n", p->asked, p->title, p->item_id);
}

/* KITH_ENOTFOUND when nothing, or nothing certain, was found; *several: too much was. */
static kith_err look_up(const kith_model *m, cli_pick *p, int *several)
{
    kith_found first;
    int32_t item;
    int n = 0, all = 0;
    kith_err err = kith_model_search(m, p->asked, 1, &first, &n, &all);
    if (err != KITH_OK) return err;
    *several = n > 0 && first.match != KITH_MATCH_NEAR;
    if (n > 0 && first.match == KITH_MATCH_NEAR) {
        p->near_id = first.item_id;
        p->near_title = first.title;
    }
    if ((err = kith_model_pick_item(m, p->asked, &item)) == KITH_OK) settle(m, item, p);
    return err;
}

static cli_exit find(const cli_args *a, const kith_model *m, int must, cli_pick *p)
{
    int several = 0;
    if (find_by_id(m, p)) return CLI_DONE;
    const kith_err err = look_up(m, p, &several);
    if (err == KITH_OK) return tell(a, p), CLI_DONE;
    if (err != KITH_ENOTFOUND || several || must) return cli_fail(err);
    if (p->near_id != NULL && !a->quiet && !a->json)
        fprintf(stderr, "note: %s\n", kith_last_error());
    return CLI_DONE;
}

cli_exit cli_pick_item(const cli_args *a, const kith_model *m, const char *asked, int must,
                       cli_pick *out)
{
    *out = (cli_pick){ .asked = asked };
    return find(a, m, must, out);
}

/* ---- lists ---- */

static cli_exit add(const char *option, cli_pick pick, cli_picks *out)
{
    if (pick.asked[0] == '\0') return CLI_DONE;
    if (out->n == CLI_MAX_PICKS)
        return cli_complain(CLI_USAGE, "--%s: more than %d items", option, CLI_MAX_PICKS);
    out->n_values += pick.has_value;
    out->at[out->n++] = pick;
    return CLI_DONE;
}

/* Is the whole argument the id or the title of one item?  Then *p is that item. */
static int is_one_item(const kith_model *m, cli_pick *p)
{
    kith_found first[2];
    int n = 0, all = 0;
    if (kith_model_search(m, p->asked, 2, first, &n, &all) != KITH_OK || n == 0) return 0;
    if (first[0].match > KITH_MATCH_TITLE || (n > 1 && first[1].match == first[0].match)) return 0;
    settle(m, first[0].item, p);
    return 1;
}

/* `whole` and `pieces` hold the argument twice, to be cut up. */
static cli_exit take(const cli_args *a, const kith_model *m, const char *option, char *whole,
                     char *pieces, cli_picks *out)
{
    const int with_value = strcmp(option, "liked") == 0, before = out->n, values = out->n_values;
    cli_exit code = CLI_DONE;
    int known = 1;
    for (char *at = pieces; at != NULL && code == CLI_DONE;)
        code = add(option, read_pick(next_piece(&at), with_value), out);
    for (int j = before; j < out->n; j++) known &= find_by_id(m, &out->at[j]);
    if (code != CLI_DONE || known) return code;
    cli_pick one = read_pick(trim(whole), with_value);
    if (is_one_item(m, &one)) {
        out->n = before;
        out->n_values = values;
        tell(a, &one);
        return add(option, one, out);
    }
    for (int j = before; j < out->n && code == CLI_DONE; j++)
        if (out->at[j].item_id == NULL) code = find(a, m, 0, &out->at[j]);
    return code;
}

cli_exit cli_pick_list(const cli_args *a, const kith_model *m, const char *option,
                       const cli_list *list, cli_picks *out)
{
    size_t size = 1;
    cli_exit code = CLI_DONE;
    out->n = out->n_values = 0;
    for (int j = 0; j < list->n; j++) size += 2 * (strlen(list->at[j]) + 1);
    char *to = out->text = malloc(size);
    if (to == NULL) return cli_complain(CLI_FAILED, "out of memory");
    for (int j = 0; j < list->n && code == CLI_DONE; j++) {
        const size_t n = strlen(list->at[j]) + 1;
        memcpy(to, list->at[j], n);
        memcpy(to + n, list->at[j], n);
        code = take(a, m, option, to, to + n, out);
        to += 2 * n;
    }
    return code;
}

void cli_picks_clear(cli_picks *p)
{
    free(p->text);
    p->text = NULL;
    p->n = p->n_values = 0;
}

const char *cli_pick_id(const cli_pick *p)
{
    return p->item_id != NULL ? p->item_id : p->asked;
}

void cli_pick_hint(const cli_pick *p, json_t *o)
{
    if (p->item_id != NULL || p->near_id == NULL) return;
    json_object_set_new(
        o, "did_you_mean",
        json_pack("{s:o, s:s?}", "item_id", cli_json_text(p->near_id), "title", p->near_title));
}

json_t *cli_picks_json(const cli_picks *p)
{
    json_t *list = json_array();
    for (int j = 0; j < p->n; j++) {
        const cli_pick *one = &p->at[j];
        json_t *o = json_pack("{s:o, s:o, s:s?, s:o}", "asked", cli_json_text(one->asked),
                              "item_id", cli_json_text(one->item_id), "title", one->title, "value",
                              one->has_value ? json_real(one->value) : json_null());
        cli_pick_hint(one, o);
        json_array_append_new(list, o);
    }
    return list;
}
