/* SPDX-License-Identifier: MIT
 * retrieval.c -- known-item search: at what rank does a text find the item that it was taken from?
 *
 * usage: bench_retrieval EVENTS.csv QUERIES.tsv [FACTORS]
 *
 * EVENTS.csv.items.csv holds the catalogue; a line of QUERIES.tsv is an item id, a tab and a text.  Each way of searching
 * ranks the whole catalogue; an item that shares nothing with the text has no rank.  retrieval.py makes the files.
 */
#include "base/mem.h"
#include "data/dataset.h"
#include "text/embed.h"
#include "text/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE = 1 << 16, DEPTH = 1000 };

struct query {
    int32_t item;
    char *text;
};

struct bench {
    kith *k;
    kith_data *d;
    ki_job *job;
    struct query *queries;
    int n;
    ki_text_field *fields;
    int n_fields;
    int32_t *bm25, *lsa, *n_bm25, *n_lsa; /* [n, DEPTH] and [n]: kept for fusion */
};

static void must(kith_err err)
{
    if (err == KITH_OK) return;
    fprintf(stderr, "bench_retrieval: %s\n", kith_last_error());
    exit(1);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void read_queries(struct bench *b, const char *path)
{
    static char line[LINE];
    FILE *f = fopen(path, "r");
    if (f == NULL) perror(path), exit(1);
    while (fgets(line, sizeof line, f) != NULL) {
        char *tab = strchr(line, '\t');
        if (tab == NULL) continue;
        *tab = '\0';
        const int32_t item = kith_data_find_item(b->d, line);
        if (item < 0) continue;
        must(ki_grow(&b->queries, (size_t)b->n, (size_t)b->n + 1, sizeof *b->queries));
        b->queries[b->n].item = item;
        must(ki_strdup(&b->queries[b->n++].text, tab + 1));
    }
    fclose(f);
}

/* ---- figures ---- */

struct figures {
    double reciprocal, hits, cpu;
};

static void count(struct figures *f, const int32_t *docs, int32_t n, int32_t wanted)
{
    for (int32_t j = 0; j < n; j++)
        if (docs[j] == wanted) {
            f->reciprocal += 1.0 / (j + 1);
            f->hits += j < 10;
            return;
        }
}

static void tell(const struct bench *b, const char *name, const struct figures *f, double fit)
{
    printf("{\"search\": \"%s\", \"queries\": %d, \"mrr\": %.4f, \"recall@10\": %.4f, "
           "\"fit_cpu_s\": %.2f, "
           "\"query_cpu_ms\": %.3f}\n",
           name, b->n, f->reciprocal / b->n, f->hits / b->n, fit, 1e3 * f->cpu / b->n);
    fflush(stdout);
}

/* ---- ways of searching ---- */

static ki_text_options options(void)
{
    return (ki_text_options){ .grams = { .language = KI_LANGUAGE_AUTO, .words = 2 },
                              .max_df = 0.5f,
                              .k1 = 1.2f,
                              .b = 0.75f };
}

static void search_bm25(struct bench *b, int words, const char *name)
{
    struct figures f = { 0 };
    ki_text_index index;
    ki_text_options o = options();
    float *scores;
    o.grams.words = words;
    double at = seconds();
    must(ki_text_index_new(&index, &o, b->fields, b->n_fields, b->d->items.n, b->job));
    const double fit = seconds() - at;
    must(ki_alloc(&scores, DEPTH, sizeof *scores));
    at = seconds();
    for (int q = 0; q < b->n; q++) {
        int32_t *docs = b->bm25 + (size_t)q * DEPTH;
        must(ki_text_index_find(&index, b->queries[q].text, DEPTH, docs, scores, &b->n_bm25[q]));
        count(&f, docs, b->n_bm25[q], b->queries[q].item);
    }
    f.cpu = seconds() - at;
    tell(b, name, &f, fit);
    ki_free(scores);
    ki_text_index_clear(&index);
}

struct scored {
    float score;
    int32_t doc;
};

static int best_first(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->doc - y->doc;
}

static int32_t sort_best(struct scored *all, int32_t n, int32_t *docs)
{
    int32_t kept = 0;
    qsort(all, (size_t)n, sizeof *all, best_first);
    while (kept < KI_MIN(n, DEPTH) && all[kept].score > 0) docs[kept] = all[kept].doc, kept++;
    return kept;
}

static void search_tfidf(struct bench *b)
{
    struct figures f = { 0 };
    const int32_t n = b->d->items.n;
    ki_text_options o = options();
    ki_text_space space;
    ki_csr X, lists;
    struct scored *all;
    int32_t *docs;
    o.normalise = 1;
    double at = seconds();
    must(ki_text_space_fit(&space, &o, b->fields, b->n_fields, n, b->job, "tfidf", &X));
    must(ki_csr_transpose(&lists, &X));
    const double fit = seconds() - at;
    must(ki_alloc(&all, (size_t)n, sizeof *all));
    must(ki_alloc(&docs, DEPTH, sizeof *docs));
    at = seconds();
    for (int q = 0; q < b->n; q++) {
        ki_text_row row;
        must(ki_text_space_vector(&space, b->queries[q].text, &row));
        for (int32_t i = 0; i < n; i++) all[i] = (struct scored){ 0, i };
        for (int32_t t = 0; t < row.n; t++)
            for (int64_t e = lists.ptr[row.idx[t]]; e < lists.ptr[row.idx[t] + 1]; e++)
                all[lists.idx[e]].score += row.val[t] * lists.val[e];
        count(&f, docs, sort_best(all, n, docs), b->queries[q].item);
        ki_text_row_clear(&row);
    }
    f.cpu = seconds() - at;
    tell(b, "tfidf", &f, fit);
    ki_free(all);
    ki_free(docs);
    ki_text_space_clear(&space);
    ki_csr_clear(&X);
    ki_csr_clear(&lists);
}

static void search_lsa(struct bench *b, ki_lsa_options o, const char *name)
{
    struct figures f = { 0 };
    const int32_t n = b->d->items.n;
    ki_lsa lsa;
    float *docs = NULL, *x;
    struct scored *all;
    double at = seconds();
    must(ki_lsa_fit(&lsa, &o, b->fields, b->n_fields, n, b->job, "lsa", &docs));
    const double fit = seconds() - at;
    const ki_embedder e = ki_lsa_embedder(&lsa);
    must(ki_alloc(&all, (size_t)n, sizeof *all));
    must(ki_alloc(&x, (size_t)e.dim, sizeof *x));
    at = seconds();
    for (int q = 0; q < b->n; q++) {
        const char *text = b->queries[q].text;
        must(e.embed(e.self, &text, 1, x));
        for (int32_t i = 0; i < n; i++) {
            float sum = 0;
            for (int32_t j = 0; j < e.dim; j++)
                sum += x[j] * docs[(size_t)i * (size_t)e.dim + (size_t)j];
            all[i] = (struct scored){ sum, i };
        }
        b->n_lsa[q] = sort_best(all, n, b->lsa + (size_t)q * DEPTH);
        count(&f, b->lsa + (size_t)q * DEPTH, b->n_lsa[q], b->queries[q].item);
    }
    f.cpu = seconds() - at;
    tell(b, name, &f, fit);
    ki_free(all);
    ki_free(x);
    ki_free(docs);
    ki_lsa_clear(&lsa);
}

/* The last lists of bm25 and lsa. */
static void search_fused(const struct bench *b, float lsa_weight, const char *name)
{
    struct figures f = { 0 };
    static int32_t docs[DEPTH];
    static float scores[DEPTH];
    int32_t n;
    const double at = seconds();
    for (int q = 0; q < b->n; q++) {
        const ki_ranking rankings[] = { { b->bm25 + (size_t)q * DEPTH, b->n_bm25[q], 1 },
                                        { b->lsa + (size_t)q * DEPTH, b->n_lsa[q], lsa_weight } };
        must(ki_rank_fusion(rankings, 2, b->d->items.n, DEPTH, docs, scores, &n));
        count(&f, docs, n, b->queries[q].item);
    }
    f.cpu = seconds() - at;
    tell(b, name, &f, 0);
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };
    static const ki_table none = { 0 };
    const ki_field_choice choice = { "bench", "fields", "", "weights", "", &none, 0 };
    if (argc < 3 || argc > 4)
        return fprintf(stderr, "usage: bench_retrieval EVENTS.csv QUERIES.tsv [FACTORS]\n"), 2;
    must(kith_new(NULL, &b.k));
    must(kith_data_read(b.k, argv[1], NULL, &b.d));
    b.job = ki_context_job(b.k);
    ki_job_begin(b.job);
    read_queries(&b, argv[2]);
    must(ki_text_fields(&b.d->item_attrs, &choice, &b.fields, &b.n_fields));
    must(ki_alloc(&b.bm25, (size_t)b.n, DEPTH * sizeof *b.bm25));
    must(ki_alloc(&b.lsa, (size_t)b.n, DEPTH * sizeof *b.lsa));
    must(ki_alloc(&b.n_bm25, (size_t)b.n, sizeof *b.n_bm25));
    must(ki_alloc(&b.n_lsa, (size_t)b.n, sizeof *b.n_lsa));
    ki_lsa_options o = {
        .text = options(), .dim = argc == 4 ? atoi(argv[3]) : 128, .alpha = 0.5f, .remove_common = 1
    };
    search_tfidf(&b);
    search_bm25(&b, 2, "bm25 of words and pairs");
    search_bm25(&b, 1, "bm25");
    search_lsa(&b, o, "lsa of words");
    o.text.grams.char_min = 3;
    o.text.grams.char_max = 5;
    search_lsa(&b, o, "lsa");
    search_fused(&b, 1, "bm25 + lsa");
    for (int q = 0; q < b.n; q++) ki_free(b.queries[q].text);
    ki_free(b.queries);
    ki_free(b.fields);
    ki_free(b.bm25);
    ki_free(b.lsa);
    ki_free(b.n_bm25);
    ki_free(b.n_lsa);
    kith_data_free(b.d);
    kith_free(b.k);
    return 0;
}
