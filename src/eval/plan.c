/* SPDX-License-Identifier: MIT
 * plan.c -- from "recall@10,rmse" to rows of the tables of metrics
 */
#include "eval/metrics.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ki_metric_table *const tables[] = { &ki_accuracy_metrics, &ki_served_metrics };

/* Other words for a metric; a report keeps the word that was used. */
static const struct {
    const char *word, *name;
} aliases[] = {
    { "f1_score", "f1" },
    { "ap", "map" },
    { "diversity", "intra_list_diversity" },
    { "coverage", "catalog_coverage" },
};

static int needs_cutoff(const ki_metric *m)
{
    return m->kind == KI_OF_LISTS || m->kind == KI_OF_EXPOSURE;
}

double ki_metric_value(const ki_metric *m, double sum, double weight)
{
    if (!(weight > 0)) return NAN;
    return m->root ? sqrt(sum / weight) : sum / weight;
}

/* ---- a plan
 * ------------------------------------------------------------------------------------------------------
 */

struct names {
    char text[1024];
    size_t used;
};

static void add_name(struct names *n, const ki_metric *m)
{
    if (n->used < sizeof n->text)
        n->used += (size_t)snprintf(n->text + n->used, sizeof n->text - n->used, "%s%s%s",
                                    n->used > 0 ? ", " : "", m->name, needs_cutoff(m) ? "@k" : "");
}

static const ki_metric *find_in(const ki_metric_table *t, const char *word, size_t n)
{
    for (int j = 0; j < t->n; j++)
        if (strlen(t->rows[j].name) == n && strncmp(t->rows[j].name, word, n) == 0)
            return &t->rows[j];
    return NULL;
}

static const ki_metric *find_ours(const char *word, size_t n)
{
    const ki_metric *m = NULL;
    for (size_t t = 0; m == NULL && t < KI_COUNT(tables); t++) m = find_in(tables[t], word, n);
    return m;
}

static kith_err no_such(const ki_style *style, const char *word, int n)
{
    struct names names = { .used = 0 };
    for (size_t t = 0; style == NULL && t < KI_COUNT(tables); t++)
        for (int j = 0; j < tables[t]->n; j++) add_name(&names, &tables[t]->rows[j]);
    for (int j = 0; style != NULL && j < style->own.n; j++) add_name(&names, &style->own.rows[j]);
    for (int j = 0; style != NULL && style->shared[j] != NULL; j++)
        add_name(&names, find_ours(style->shared[j], strlen(style->shared[j])));
    return ki_fail(KITH_ENOTFOUND, "there is no metric \"%.*s\"%s%s; there are: %s", KI_MIN(n, 64),
                   word, style == NULL ? "" : " of ", style == NULL ? "" : style->name, names.text);
}

static int is_shared(const ki_style *style, const char *word, size_t n)
{
    for (int j = 0; style->shared[j] != NULL; j++)
        if (strlen(style->shared[j]) == n && strncmp(style->shared[j], word, n) == 0) return 1;
    return 0;
}

static const ki_metric *find(const ki_style *style, const char *word, size_t n)
{
    for (size_t j = 0; j < KI_COUNT(aliases); j++) {
        if (strlen(aliases[j].word) != n || strncmp(aliases[j].word, word, n) != 0) continue;
        return find(style, aliases[j].name, strlen(aliases[j].name));
    }
    if (style == NULL) return find_ours(word, n);
    const ki_metric *own = find_in(&style->own, word, n);
    return own == NULL && is_shared(style, word, n) ? find_ours(word, n) : own;
}

static kith_err parse_cutoff(const ki_metric *m, const char *digits, int n, int *out)
{
    char *end;
    const long k = strtol(digits, &end, 10);
    if (end != digits + n || n == 0 || k < 1 || k > KI_MAX_CUTOFF)
        return ki_fail(KITH_EINVAL, "%s@%.*s: the cut-off must be a whole number from 1 to %d",
                       m->name, KI_MIN(n, 32), digits, KI_MAX_CUTOFF);
    *out = (int)k;
    return KITH_OK;
}

static kith_err parse_word(ki_asked *out, const ki_style *style, const char *word, int n)
{
    const char *at = memchr(word, '@', (size_t)n);
    const int name = at == NULL ? n : (int)(at - word);
    const ki_metric *m = find(style, word, (size_t)name);
    *out = (ki_asked){ .metric = m };
    if (m == NULL) return no_such(style, word, n);
    if (at == NULL && needs_cutoff(m))
        return ki_fail(KITH_EINVAL, "%s needs a cut-off, as in %s@10", m->name, m->name);
    if (at != NULL && !needs_cutoff(m))
        return ki_fail(KITH_EINVAL, "%s takes no cut-off: it is over all of the %s", m->name,
                       m->kind == KI_OF_RATINGS ? "ratings" : "catalogue");
    const kith_err err = at == NULL ? KITH_OK : parse_cutoff(m, at + 1, n - name - 1, &out->k);
    if (err == KITH_OK) snprintf(out->name, sizeof out->name, "%.*s", n, word);
    return err;
}

static void add_cutoff(ki_plan *p, int k)
{
    int at = p->n_cutoffs;
    for (int j = 0; j < p->n_cutoffs; j++)
        if (p->cutoffs[j] == k) return;
    for (; at > 0 && p->cutoffs[at - 1] > k; at--) p->cutoffs[at] = p->cutoffs[at - 1];
    p->cutoffs[at] = k;
    p->n_cutoffs++;
}

static void find_bands(ki_plan *p)
{
    for (int j = 0; j < p->n; j++) {
        if (p->asked[j].k > 0) add_cutoff(p, p->asked[j].k);
        p->kinds |= 1 << p->asked[j].metric->kind;
        p->needs |= p->asked[j].metric->needs;
    }
    for (int j = 0; j < p->n; j++)
        while (p->asked[j].k > 0 && p->cutoffs[p->asked[j].band] != p->asked[j].k)
            p->asked[j].band++;
}

kith_err ki_plan_parse(ki_plan *out, const char *text, const ki_style *style)
{
    static const char *const between = ", \t";
    ki_plan p = { 0 };
    for (const char *word = text + strspn(text, between); *word != '\0';) {
        const int n = (int)strcspn(word, between);
        ki_asked asked;
        const kith_err err = parse_word(&asked, style, word, n);
        if (err != KITH_OK) return err;
        if (ki_plan_find(&p, asked.name) < 0) {
            if (p.n == KI_MAX_METRICS)
                return ki_fail(KITH_EINVAL, "more than %d metrics", KI_MAX_METRICS);
            p.asked[p.n++] = asked;
        }
        word += n;
        word += strspn(word, between);
    }
    if (p.n == 0) return ki_fail(KITH_EINVAL, "no metric is named");
    find_bands(&p);
    *out = p;
    return KITH_OK;
}

int ki_plan_find(const ki_plan *p, const char *name)
{
    for (int j = 0; j < p->n; j++)
        if (strcmp(p->asked[j].name, name) == 0) return j;
    return -1;
}

static json_t *row_json(const ki_metric *m)
{
    static const char *const better[] = { "higher", "lower", "neither" };
    json_t *words = json_array();
    for (size_t j = 0; j < KI_COUNT(aliases); j++)
        if (strcmp(aliases[j].name, m->name) == 0)
            json_array_append_new(words, json_string(aliases[j].word));
    return json_pack("{s:s, s:b, s:s, s:s, s:o}", "name", m->name, "cutoff", needs_cutoff(m),
                     "better", better[m->better], "definition", m->definition, "aliases", words);
}

json_t *ki_metrics_table_json(void)
{
    json_t *list = json_array();
    for (size_t t = 0; t < KI_COUNT(tables); t++)
        for (int j = 0; j < tables[t]->n; j++)
            json_array_append_new(list, row_json(&tables[t]->rows[j]));
    return list;
}

json_t *ki_style_metrics_json(const ki_style *style)
{
    json_t *list = json_array();
    for (int j = 0; j < style->own.n; j++)
        json_array_append_new(list, row_json(&style->own.rows[j]));
    for (int j = 0; style->shared[j] != NULL; j++)
        json_array_append_new(list,
                              row_json(find_ours(style->shared[j], strlen(style->shared[j]))));
    return list;
}
