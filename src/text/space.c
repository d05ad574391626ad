/* SPDX-License-Identifier: MIT
 * space.c -- choosing terms, weighing them, and finding them again
 *
 * Kept terms are sorted by their bytes: columns do not depend on the order of documents, and a
 * binary search finds them in a file mapping without any table to be built on loading.
 */
#include "text/space.h"

#include "base/mem.h"
#include "text/counts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP = 256,
    FEW = 200,
    SHARED_FROM = 20
}; /* documents: per progress step; see min_df, max_df */

const char *const ki_text_weightings[] = { "tfidf", "bm25", "count", "binary", NULL };

/* ---- weights ---- */

static float idf_of(ki_text_weighting weighting, int32_t n_docs, int32_t df)
{
    const double n = n_docs, d = df;
    if (weighting == KI_TFIDF) return (float)(1 + log((1 + n) / (1 + d)));
    if (weighting == KI_BM25) return (float)log(1 + (n - d + 0.5) / (d + 0.5));
    return 1;
}

/* The weight of a term that occurs `count` times in a text of that length. */
static float weigh(const ki_text_space *s, int32_t term, float count, float length)
{
    const ki_text_numbers *c = s->numbers;
    const float tf = fabsf(count);
    float w = 1;
    switch ((ki_text_weighting)s->settings->weighting) {
    case KI_TFIDF: w = tf > 1 ? 1 + logf(tf) : tf; break;
    case KI_BM25: {
        const float relative = c->mean_length > 0 ? length / c->mean_length : 1;
        w = tf * (c->k1 + 1) / (tf + c->k1 * (1 - c->b + c->b * relative));
        break;
    }
    case KI_COUNT_TERMS: w = tf; break;
    case KI_BINARY: break;
    }
    return copysignf(w * s->idf[term], count);
}

static float length_of(const float *count, int64_t n)
{
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += (double)fabsf(count[j]);
    return (float)sum;
}

static void normalise(float *val, int64_t n)
{
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += (double)val[j] * (double)val[j];
    const double scale = sum > 0 ? 1 / sqrt(sum) : 0;
    for (int64_t j = 0; j < n; j++) val[j] = (float)((double)val[j] * scale);
}

/* Counts become weights, in place. */
static void weigh_row(const ki_text_space *s, const int32_t *idx, float *val, int64_t n,
                      float length)
{
    for (int64_t j = 0; j < n; j++) val[j] = weigh(s, idx[j], val[j], length);
    if (s->settings->normalise) normalise(val, n);
}

/* ---- choosing terms ---- */

struct named {
    const char *text;
    int32_t column; /* of the counts */
};

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->text, ((const struct named *)b)->text);
}

static int is_kept(const ki_text_options *o, const ki_term_counts *c, int32_t col)
{
    const int32_t least = o->min_df > 0 ? o->min_df : c->n_docs < FEW ? 1 : 2;
    const int shared = o->max_df > 0 && c->n_docs >= SHARED_FROM &&
                       (double)c->df[col] > (double)o->max_df * c->n_docs;
    return c->df[col] >= least && !shared;
}

/* Kept terms in byte order; *to[old column] is the new one, or -1. */
static kith_err order_terms(const ki_text_options *o, const ki_term_counts *c, int32_t *to,
                            struct named **out, int32_t *n)
{
    const kith_err err = ki_alloc(out, (size_t)c->n_cols, sizeof **out);
    if (err != KITH_OK) return err;
    *n = 0;
    for (int32_t j = 0; j < c->n_cols; j++) {
        to[j] = -1;
        if (is_kept(o, c, j)) (*out)[(*n)++] = (struct named){ ki_idmap_name(&c->terms, j), j };
    }
    qsort(*out, (size_t)*n, sizeof **out, by_text);
    for (int32_t j = 0; j < *n; j++) to[(*out)[j].column] = j;
    return KITH_OK;
}

/* Copy the strings at from[start of each] into one blob. */
static void pack(const char *from, const int64_t *starts, const struct named *terms, int32_t n,
                 char *blob, int64_t *start)
{
    int64_t used = 0;
    for (int32_t j = 0; j < n; j++) {
        const char *s = from + starts[terms[j].column];
        const size_t len = strlen(s) + 1;
        start[j] = used;
        memcpy(blob + used, s, len);
        used += (int64_t)len;
    }
    start[n] = used;
}

static int64_t bytes_of(const char *from, const int64_t *starts, const struct named *terms,
                        int32_t n)
{
    int64_t sum = 0;
    for (int32_t j = 0; j < n; j++) sum += (int64_t)strlen(from + starts[terms[j].column]) + 1;
    return sum;
}

static kith_err name_terms(ki_text_space *s, const ki_term_counts *c, const struct named *terms,
                           int32_t n)
{
    kith_err err;
    s->text_bytes = bytes_of(c->terms.text, c->terms.start, terms, n);
    s->label_bytes = bytes_of(c->label, c->label_start, terms, n);
    const size_t room = (size_t)n + 1;
    if ((err = ki_alloc(&s->text, (size_t)s->text_bytes, 1)) != KITH_OK ||
        (err = ki_alloc(&s->text_start, room, sizeof *s->text_start)) != KITH_OK ||
        (err = ki_alloc(&s->label, (size_t)s->label_bytes, 1)) != KITH_OK ||
        (err = ki_alloc(&s->label_start, room, sizeof *s->label_start)) != KITH_OK)
        return err;
    pack(c->terms.text, c->terms.start, terms, n, s->text, s->text_start);
    pack(c->label, c->label_start, terms, n, s->label, s->label_start);
    return KITH_OK;
}

/* Fills to[] and, of the space, terms and idf.  Hashed columns all stay: one of too few or too many
 * documents is to[] = -1 and has idf 0, for texts to come. */
static kith_err choose_terms(ki_text_space *s, const ki_text_options *o, const ki_term_counts *c,
                             int32_t *to)
{
    struct named *terms = NULL;
    int32_t n = c->n_cols;
    kith_err err = KITH_OK;
    if (c->hash_bits > 0)
        for (int32_t j = 0; j < n; j++) to[j] = is_kept(o, c, j) ? j : -1;
    else if ((err = order_terms(o, c, to, &terms, &n)) == KITH_OK)
        err = name_terms(s, c, terms, n);
    ki_free(terms);
    if (err != KITH_OK) return err;
    s->n_terms = n;
    if ((err = ki_alloc(&s->idf, (size_t)n, sizeof *s->idf)) != KITH_OK) return err;
    for (int32_t j = 0; j < c->n_cols; j++)
        if (to[j] >= 0) s->idf[to[j]] = idf_of(o->weighting, c->n_docs, c->df[j]);
    return KITH_OK;
}

/* ---- fit ---- */

static kith_err count_rows(const ki_text_field *fields, int n_fields, int32_t n_rows, ki_grams *g,
                           ki_job *job, const char *what, ki_term_counts *c)
{
    kith_err err = KITH_OK;
    for (int32_t r = 0; r < n_rows; r++) {
        if (r % STEP == 0 && (err = ki_job_step(job, what, r, n_rows)) != KITH_OK) return err;
        if ((err = ki_text_fields_row(fields, n_fields, r, g, ki_term_counts_add, c)) != KITH_OK)
            return err;
        if ((err = ki_term_counts_end(c)) != KITH_OK) return err;
    }
    return ki_job_step(job, what, n_rows, n_rows);
}

static kith_err begin(ki_text_space *s, const ki_text_options *o, ki_language language)
{
    kith_err err;
    s->n_settings = sizeof *s->settings / sizeof(int32_t);
    s->n_numbers = sizeof *s->numbers / sizeof(float);
    if ((err = ki_alloc(&s->settings, 1, sizeof *s->settings)) != KITH_OK) return err;
    if ((err = ki_alloc(&s->numbers, 1, sizeof *s->numbers)) != KITH_OK) return err;
    const int each = o->grams.language == KI_LANGUAGE_EACH;
    *s->settings = (ki_text_settings){ .language = (int32_t)language + (each ? KI_LANGUAGES : 0),
                                       .words = o->grams.words,
                                       .char_min = o->grams.char_min,
                                       .char_max = o->grams.char_max,
                                       .hash_bits = o->hash_bits,
                                       .weighting = (int32_t)o->weighting,
                                       .normalise = o->normalise };
    *s->numbers = (ki_text_numbers){ .k1 = o->k1, .b = o->b };
    return KITH_OK;
}

static ki_gram_options grams_of(const ki_text_space *s)
{
    const ki_text_settings *c = s->settings;
    return (ki_gram_options){ .language = (ki_language)(c->language % KI_LANGUAGES),
                              .each = c->language >= KI_LANGUAGES,
                              .words = c->words,
                              .char_min = c->char_min,
                              .char_max = c->char_max };
}

/* Entries of kept terms, still counts. */
static kith_err gather(const ki_text_space *s, const ki_term_counts *c, const int32_t *to,
                       ki_csr *X)
{
    int64_t n = 0;
    for (int64_t j = 0; j < c->nnz; j++) {
        if (to[c->col[j]] < 0) continue;
        c->row[n] = c->row[j];
        c->val[n] = c->val[j];
        c->col[n++] = to[c->col[j]];
    }
    return ki_csr_from_triplets(X, c->n_docs, (int32_t)s->n_terms, n, c->row, c->col, c->val, NULL);
}

static void weigh_all(ki_text_space *s, ki_csr *X)
{
    const double total = (double)length_of(X->val, ki_csr_nnz(X));
    s->numbers->mean_length = X->n_rows > 0 ? (float)(total / X->n_rows) : 0;
    for (int32_t r = 0; r < X->n_rows; r++) {
        const int64_t at = X->ptr[r], n = ki_csr_len(X, r);
        weigh_row(s, X->idx + at, X->val + at, n, length_of(X->val + at, n));
    }
}

kith_err ki_text_space_fit(ki_text_space *s, const ki_text_options *o, const ki_text_field *fields,
                           int n_fields, int32_t n_rows, ki_job *job, const char *what, ki_csr *X)
{
    ki_language_votes votes = { 0 };
    ki_grams grams = { 0 };
    ki_term_counts counts = { 0 };
    int32_t *to = NULL;
    ki_language language = o->grams.language;
    kith_err err;
    *s = (ki_text_space){ 0 };
    *X = (ki_csr){ 0 };
    if (language == KI_LANGUAGE_AUTO || language == KI_LANGUAGE_EACH) {
        if ((err = ki_text_fields_vote(fields, n_fields, n_rows, &votes)) != KITH_OK) return err;
        language = ki_language_decide(&votes, 3);
    }
    if ((err = begin(s, o, language)) != KITH_OK) return err;
    const ki_gram_options options = grams_of(s);
    if ((err = ki_grams_new(&options, &grams)) != KITH_OK) goto done;
    if ((err = ki_term_counts_new(o->hash_bits, &counts)) != KITH_OK) goto done;
    err = count_rows(fields, n_fields, n_rows, &grams, job, what, &counts);
    if (err != KITH_OK) goto done;
    s->settings->n_docs = counts.n_docs;
    if ((err = ki_alloc(&to, (size_t)counts.n_cols, sizeof *to)) != KITH_OK) goto done;
    if ((err = choose_terms(s, o, &counts, to)) != KITH_OK) goto done;
    if ((err = gather(s, &counts, to, X)) == KITH_OK) weigh_all(s, X);
done:
    ki_free(to);
    ki_term_counts_clear(&counts);
    ki_grams_clear(&grams);
    return err;
}

/* ---- new texts ---- */

int32_t ki_text_space_find(const ki_text_space *s, const char *term, size_t n)
{
    int64_t low = 0, high = s->n_terms;
    while (s->text != NULL && low < high) {
        const int64_t middle = low + (high - low) / 2;
        const char *there = s->text + s->text_start[middle];
        const int order = strncmp(there, term, n);
        if (order == 0 && there[n] == '\0') return (int32_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

const char *ki_text_space_label(const ki_text_space *s, int32_t term)
{
    return s->label == NULL ? "" : s->label + s->label_start[term];
}

struct entry {
    int32_t col, at; /* at: place in the text, so that sums have one order */
    float val;
};

struct bag { /* terms of one text as they come */
    const ki_text_space *s;
    struct entry *list; /* [n] */
    int32_t n, room;
};

static kith_err put(void *arg, const ki_gram *gram, float weight)
{
    struct bag *b = arg;
    const int bits = b->s->settings->hash_bits;
    float sign = 1;
    const int32_t col = bits > 0 ? ki_term_counts_hash(gram->text, gram->n, bits, &sign)
                                 : ki_text_space_find(b->s, gram->text, gram->n);
    if (col < 0 || b->s->idf[col] == 0) return KITH_OK;
    if (b->n == b->room) {
        const size_t room = 2 * (size_t)b->room + 64;
        const kith_err err = ki_grow(&b->list, (size_t)b->room, room, sizeof *b->list);
        if (err != KITH_OK) return err;
        b->room = (int32_t)room;
    }
    b->list[b->n] = (struct entry){ col, b->n, sign * weight };
    b->n++;
    return KITH_OK;
}

static int by_column(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->col != y->col) return x->col < y->col ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Entries of one column become one, in front of the list; what cancels is dropped. */
static void merge(struct bag *b)
{
    int32_t to = 0;
    if (b->n > 1) qsort(b->list, (size_t)b->n, sizeof *b->list, by_column);
    for (int32_t j = 0; j < b->n;) {
        struct entry sum = b->list[j++];
        for (; j < b->n && b->list[j].col == sum.col; j++) sum.val += b->list[j].val;
        if (sum.val != 0) b->list[to++] = sum;
    }
    b->n = to;
}

/* The bag's weighted vector into idx and val. */
static void finish(struct bag *b, int32_t *idx, float *val)
{
    for (int32_t j = 0; j < b->n; j++) {
        idx[j] = b->list[j].col;
        val[j] = b->list[j].val;
    }
    weigh_row(b->s, idx, val, b->n, b->s->numbers->mean_length);
}

/* Which language does a text speak? */
static kith_err listen(ki_grams *g, const char *text)
{
    ki_language_votes votes = { 0 };
    if (!g->options.each) return KITH_OK;
    const kith_err err = ki_tokens_split(&g->tokens, text, strlen(text));
    if (err != KITH_OK) return err;
    ki_language_count(&votes, &g->tokens);
    return ki_grams_speak(g, &votes);
}

kith_err ki_text_space_vector(const ki_text_space *s, const char *text, ki_text_row *out)
{
    const ki_gram_options options = grams_of(s);
    struct bag b = { .s = s };
    ki_text_row row = { 0 };
    ki_grams g = { 0 };
    kith_err err = ki_grams_new(&options, &g);
    if (err != KITH_OK) return err;
    if ((err = listen(&g, text)) != KITH_OK) goto done;
    if ((err = ki_grams_of(&g, text, strlen(text), 1, put, &b)) != KITH_OK) goto done;
    merge(&b);
    if ((err = ki_alloc(&row.idx, (size_t)b.n, sizeof *row.idx)) != KITH_OK) goto done;
    if ((err = ki_alloc(&row.val, (size_t)b.n, sizeof *row.val)) != KITH_OK) goto done;
    row.n = b.n;
    finish(&b, row.idx, row.val);
    *out = row;
done:
    if (err != KITH_OK) ki_text_row_clear(&row);
    ki_free(b.list);
    ki_grams_clear(&g);
    return err;
}

void ki_text_row_clear(ki_text_row *r)
{
    ki_free(r->idx);
    ki_free(r->val);
    *r = (ki_text_row){ 0 };
}

/* One more row at the end of X, whose idx and val have *room entries. */
static kith_err append_row(ki_csr *X, struct bag *b, int32_t row, int64_t *room)
{
    const int64_t at = X->ptr[row];
    if (at + b->n > *room) {
        const int64_t more = KI_MAX(at + b->n, 2 * *room + 256);
        kith_err err;
        if ((err = ki_grow(&X->idx, (size_t)at, (size_t)more, sizeof *X->idx)) != KITH_OK ||
            (err = ki_grow(&X->val, (size_t)at, (size_t)more, sizeof *X->val)) != KITH_OK)
            return err;
        *room = more;
    }
    finish(b, X->idx + at, X->val + at);
    X->ptr[row + 1] = at + b->n;
    return KITH_OK;
}

kith_err ki_text_space_rows(const ki_text_space *s, const ki_text_field *fields, int n_fields,
                            int32_t n_rows, ki_job *job, const char *what, ki_csr *X)
{
    const ki_gram_options options = grams_of(s);
    struct bag b = { .s = s };
    ki_grams g = { 0 };
    int64_t room = 0;
    kith_err err;
    if ((err = ki_csr_alloc(X, n_rows, (int32_t)s->n_terms, 0)) != KITH_OK) return err;
    if ((err = ki_grams_new(&options, &g)) != KITH_OK) return err;
    for (int32_t r = 0; err == KITH_OK && r < n_rows; r++) {
        if (r % STEP == 0 && (err = ki_job_step(job, what, r, n_rows)) != KITH_OK) break;
        b.n = 0;
        if ((err = ki_text_fields_row(fields, n_fields, r, &g, put, &b)) != KITH_OK) break;
        merge(&b);
        err = append_row(X, &b, r, &room);
    }
    ki_free(b.list);
    ki_grams_clear(&g);
    return err;
}

/* ---- saving, loading ---- */

int ki_text_space_fields(ki_text_space *s, ki_field *out)
{
    const ki_field all[KI_TEXT_SPACE_FIELDS] = {
        { "text_settings", KI_I32, 1, { &s->n_settings }, 0, (void **)&s->settings, 0 },
        { "text_numbers", KI_F32, 1, { &s->n_numbers }, 0, (void **)&s->numbers, 0 },
        { "term_idf", KI_F32, 1, { &s->n_terms }, 0, (void **)&s->idf, 0 },
        { "term_text", KI_U8, 1, { &s->text_bytes }, 0, (void **)&s->text, 1 },
        { "term_start", KI_I64, 1, { &s->n_terms }, 1, (void **)&s->text_start, 1 },
        { "term_label", KI_U8, 1, { &s->label_bytes }, 0, (void **)&s->label, 1 },
        { "label_start", KI_I64, 1, { &s->n_terms }, 1, (void **)&s->label_start, 1 },
    };
    memcpy(out, all, sizeof all);
    return KI_TEXT_SPACE_FIELDS;
}

static int in_range(int32_t x, int32_t low, int32_t high)
{
    return x >= low && x <= high;
}

static kith_err check_settings(const ki_text_space *s)
{
    const ki_text_settings *c = s->settings;
    const ki_text_numbers *f = s->numbers;
    if (s->n_settings != sizeof *c / sizeof(int32_t) || s->n_numbers != sizeof *f / sizeof(float))
        return ki_fail(KITH_EFORMAT, "text settings are %lld and %lld values, want %zu and %zu",
                       (long long)s->n_settings, (long long)s->n_numbers,
                       sizeof *c / sizeof(int32_t), sizeof *f / sizeof(float));
    const int parts = (c->char_min == 0 && c->char_max == 0) ||
                      (in_range(c->char_min, 1, 8) && in_range(c->char_max, c->char_min, 8));
    const int hashed = c->hash_bits == 0 ||
                       (in_range(c->hash_bits, 8, 24) && s->n_terms == (int64_t)1 << c->hash_bits);
    if (!parts || !hashed || c->language < 0 ||
        !in_range(c->language % KI_LANGUAGES, KI_LANGUAGE_NONE, KI_LANGUAGES - 1) ||
        c->language >= 2 * KI_LANGUAGES || !in_range(c->words, 1, KI_GRAM_WORDS) ||
        !in_range(c->weighting, KI_TFIDF, KI_BINARY) || !(f->k1 >= 0 && f->k1 <= 1e6f) ||
        !(f->b >= 0 && f->b <= 1) || !(f->mean_length >= 0 && isfinite(f->mean_length)))
        return ki_fail(KITH_EFORMAT, "text settings: a value is out of range");
    return KITH_OK;
}

/* n strings, one after the other, each ended by NUL. */
static kith_err check_strings(const char *text, int64_t bytes, const int64_t *start, int64_t n,
                              const char *what)
{
    if (text == NULL || start == NULL) return ki_fail(KITH_EFORMAT, "%s are not there", what);
    if (start[0] != 0 || start[n] != bytes)
        return ki_fail(KITH_EFORMAT, "%s do not fill their %lld bytes", what, (long long)bytes);
    for (int64_t j = 0; j < n; j++)
        if (start[j + 1] <= start[j] || start[j + 1] > bytes || text[start[j + 1] - 1] != '\0')
            return ki_fail(KITH_EFORMAT, "%s: %lld is not ended", what, (long long)j);
    return KITH_OK;
}

kith_err ki_text_space_check(const ki_text_space *s)
{
    kith_err err = check_settings(s);
    if (err != KITH_OK) return err;
    if (s->n_terms > INT32_MAX)
        return ki_fail(KITH_EFORMAT, "%lld terms are too many", (long long)s->n_terms);
    for (int64_t j = 0; j < s->n_terms; j++)
        if (!isfinite(s->idf[j]) || fabsf(s->idf[j]) > 1e6f)
            return ki_fail(KITH_EFORMAT, "weight of term %lld is not sound", (long long)j);
    if (s->settings->hash_bits > 0) {
        if (s->text == NULL && s->text_start == NULL && s->label == NULL && s->label_start == NULL)
            return KITH_OK;
        return ki_fail(KITH_EFORMAT, "hashed terms have names");
    }
    err = check_strings(s->text, s->text_bytes, s->text_start, s->n_terms, "terms");
    if (err != KITH_OK) return err;
    return check_strings(s->label, s->label_bytes, s->label_start, s->n_terms, "labels of terms");
}

void ki_text_space_clear(ki_text_space *s)
{
    ki_field fields[KI_TEXT_SPACE_FIELDS];
    ki_fields_free(fields, ki_text_space_fields(s, fields));
    *s = (ki_text_space){ 0 };
}
