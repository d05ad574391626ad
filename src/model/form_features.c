/* SPDX-License-Identifier: MIT
 * form_features.c -- scores from the terms that a profile and an item share
 *
 * Profile    p = h sum_j w_j x_j / z + u + t: the history's items, the user's own features, the text
 *            of the query.  w_j is the value less the user's mean, the value, or 1; z makes the
 *            first part as long as one item: its norm (cosine), else sum |w_j|.
 * cosine     p . x_i / |p| with all rows of X of length 1
 * dot        p . x_i with rows as they are weighted
 * jaccard    sum over the parts of p of weight * J(part, x_i), J(a, b) = sum min(a, b) / sum
 *            max(a, b): similarity to a sum of sets is no sum, so each part is compared by itself
 * Explain    each is a sum over the history, so the shares are its terms; each of these is a sum
 *            over terms of the vocabulary, which gives words their shares.
 * Prepared   [n_items + 1]: all scores, then what one unit of w_j counts
 * Cost       cosine, dot: the lists of the profile's terms, once; jaccard: once for each part
 */
#include "model/form_features.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>
#include <strings.h> /* strncasecmp */

enum { MOST_WORDS = 24 }; /* looked at for a sentence that names fewer */

struct vector { /* a sparse row */
    const int32_t *idx;
    const float *val;
    int64_t n;
};

/* ---- making ---- */

kith_err ki_features_take(ki_features *f, ki_csr *X, ki_csr *U)
{
    ki_csr terms;
    const kith_err err = ki_csr_transpose(&terms, X);
    if (err != KITH_OK) return err;
    f->n_items = X->n_rows;
    f->n_users = U->n_rows;
    f->nnz = ki_csr_nnz(X);
    f->user_nnz = ki_csr_nnz(U);
    f->item_ptr = X->ptr, f->item_idx = X->idx, f->item_val = X->val;
    f->term_ptr = terms.ptr, f->term_idx = terms.idx, f->term_val = terms.val;
    f->user_ptr = U->ptr, f->user_idx = U->idx, f->user_val = U->val;
    *X = *U = (ki_csr){ 0 };
    return KITH_OK;
}

/* ---- saving, loading ---- */

static int fields(void *state, ki_field *out)
{
    ki_features *f = state;
    int n = ki_text_space_fields(&f->space, out);
    out[n++] = (ki_field){ "metric", KI_I32, 1, { &f->one }, 0, (void **)&f->metric, 0 };
    out[n++] = (ki_field){ "values", KI_I32, 1, { &f->one }, 0, (void **)&f->values, 0 };
    out[n++] =
        (ki_field){ "history_weight", KI_F32, 1, { &f->one }, 0, (void **)&f->history_weight, 0 };
    out[n++] = (ki_field){ "item_start", KI_I64, 1, { &f->n_items }, 1, (void **)&f->item_ptr, 0 };
    out[n++] = (ki_field){ "item_term", KI_I32, 1, { &f->nnz }, 0, (void **)&f->item_idx, 0 };
    out[n++] = (ki_field){ "item_weight", KI_F32, 1, { &f->nnz }, 0, (void **)&f->item_val, 0 };
    out[n++] =
        (ki_field){ "list_start", KI_I64, 1, { &f->space.n_terms }, 1, (void **)&f->term_ptr, 0 };
    out[n++] = (ki_field){ "list_item", KI_I32, 1, { &f->nnz }, 0, (void **)&f->term_idx, 0 };
    out[n++] = (ki_field){ "list_weight", KI_F32, 1, { &f->nnz }, 0, (void **)&f->term_val, 0 };
    out[n++] = (ki_field){ "user_start", KI_I64, 1, { &f->n_users }, 1, (void **)&f->user_ptr, 0 };
    out[n++] = (ki_field){ "user_term", KI_I32, 1, { &f->user_nnz }, 0, (void **)&f->user_idx, 0 };
    out[n++] =
        (ki_field){ "user_weight", KI_F32, 1, { &f->user_nnz }, 0, (void **)&f->user_val, 0 };
    return n;
}

static kith_err check_rows(int64_t n_rows, int64_t n_cols, int64_t nnz, int64_t *ptr, int32_t *idx,
                           float *val, const char *name)
{
    const ki_csr a = { (int32_t)n_rows, (int32_t)n_cols, ptr, idx, val, 0 };
    if (ptr[n_rows] != nnz)
        return ki_fail(KITH_EFORMAT, "%s: rows end at %lld of %lld entries", name,
                       (long long)ptr[n_rows], (long long)nnz);
    return ki_csr_check(&a, name);
}

static kith_err check(const ki_model *m)
{
    const ki_features *f = m->state;
    kith_err err = ki_text_space_check(&f->space);
    if (err != KITH_OK) return err;
    if (f->one != 1 || f->n_items != m->n_items || f->n_users != m->n_users)
        return ki_fail(KITH_EFORMAT, "features are of %lld users and %lld items, want %d and %d",
                       (long long)f->n_users, (long long)f->n_items, m->n_users, m->n_items);
    if (*f->metric < KI_BY_COSINE || *f->metric > KI_BY_JACCARD || *f->values < KI_VALUES_CENTRED ||
        *f->values > KI_VALUES_ONES || !(*f->history_weight >= 0 && *f->history_weight <= 1e6f))
        return ki_fail(KITH_EFORMAT, "features: metric, values or weight is out of range");
    const int64_t n_terms = f->space.n_terms;
    if ((err = check_rows(f->n_items, n_terms, f->nnz, f->item_ptr, f->item_idx, f->item_val,
                          "features of items")) != KITH_OK ||
        (err = check_rows(n_terms, f->n_items, f->nnz, f->term_ptr, f->term_idx, f->term_val,
                          "lists of features")) != KITH_OK)
        return err;
    return check_rows(f->n_users, n_terms, f->user_nnz, f->user_ptr, f->user_idx, f->user_val,
                      "features of users");
}

/* ---- rows ---- */

static struct vector item_row(const ki_features *f, int32_t i)
{
    const int64_t at = f->item_ptr[i];
    return (struct vector){ f->item_idx + at, f->item_val + at, f->item_ptr[i + 1] - at };
}

static struct vector user_row(const ki_features *f, int32_t u)
{
    if (u < 0) return (struct vector){ 0 };
    const int64_t at = f->user_ptr[u];
    return (struct vector){ f->user_idx + at, f->user_val + at, f->user_ptr[u + 1] - at };
}

static kith_err text_row(const ki_features *f, const ki_query *q, ki_text_row *out)
{
    *out = (ki_text_row){ 0 };
    return q->text == NULL ? KITH_OK : ki_text_space_vector(&f->space, q->text, out);
}

/* What two rows share of term t: a product, or the smaller of two weights. */
static float shared(const ki_features *f, float a, float b)
{
    return *f->metric == KI_BY_JACCARD ? fminf(a, b) : a * b;
}

static float size_of(struct vector a)
{
    float sum = 0;
    for (int64_t t = 0; t < a.n; t++) sum += a.val[t];
    return sum;
}

static float overlap(const ki_features *f, struct vector a, struct vector b)
{
    float sum = 0;
    for (int64_t s = 0, t = 0; s < a.n && t < b.n;) {
        if (a.idx[s] == b.idx[t])
            sum += shared(f, a.val[s++], b.val[t++]);
        else if (a.idx[s] < b.idx[t])
            s++;
        else
            t++;
    }
    return sum;
}

/* What an overlap is divided by: of jaccard the sum of the larger weights. */
static float whole_of(const ki_features *f, float size_a, float size_b, float common)
{
    if (*f->metric != KI_BY_JACCARD) return 1;
    const float all = size_a + size_b - common;
    return all > 0 ? all : 1;
}

/* ---- weights of the history ---- */

static ki_weighing weighing_of(const ki_features *f, const ki_query *q)
{
    return ki_weighing_of((ki_history_values)*f->values, q);
}

/* history_weight over sum |w_j|. */
static float per_weight(const ki_features *f, const ki_weighing *w)
{
    return w->total > 0 ? *f->history_weight / w->total : 0;
}

/* ---- cosine and dot: one profile ---- */

static void add_row(float *p, float a, struct vector row)
{
    for (int64_t t = 0; t < row.n; t++) p[row.idx[t]] += a * row.val[t];
}

static float norm_of(const float *p, int64_t n)
{
    double sum = 0;
    for (int64_t t = 0; t < n; t++) sum += (double)p[t] * (double)p[t];
    return (float)sqrt(sum);
}

/* p[n_terms], of length 1 for cosine; returns what one unit of w_j counts in it. */
static float make_profile(const ki_features *f, const ki_query *q, const ki_text_row *text,
                          float *p)
{
    const int64_t n = f->space.n_terms;
    const ki_weighing w = weighing_of(f, q);
    float unit = per_weight(f, &w);
    memset(p, 0, (size_t)n * sizeof *p);
    for (int32_t j = 0; j < q->n; j++)
        add_row(p, unit * ki_weigh(&w, q, j), item_row(f, q->items[j]));
    if (*f->metric == KI_BY_COSINE) {
        const float norm = norm_of(p, n);
        const float longer = norm > 1e-12f ? *f->history_weight / norm : 0;
        for (int64_t t = 0; t < n; t++) p[t] *= longer;
        unit *= longer;
    }
    add_row(p, 1, user_row(f, q->user));
    add_row(p, 1, (struct vector){ text->idx, text->val, text->n });
    if (*f->metric == KI_BY_COSINE) {
        const float norm = norm_of(p, n), scale = norm > 0 ? 1 / norm : 0;
        for (int64_t t = 0; t < n; t++) p[t] *= scale;
        unit *= scale;
    }
    return unit;
}

static void score_profile(const ki_features *f, const float *p, float *out)
{
    for (int64_t t = 0; t < f->space.n_terms; t++) {
        if (p[t] == 0) continue;
        for (int64_t e = f->term_ptr[t]; e < f->term_ptr[t + 1]; e++)
            out[f->term_idx[e]] += p[t] * f->term_val[e];
    }
}

/* ---- jaccard: part by part ---- */

/* out += a * J(part, x_i) for all items; common is [n_items], left zero. */
static void add_jaccard(const ki_features *f, float a, struct vector part, float *common,
                        float *out)
{
    const float size = size_of(part);
    for (int64_t t = 0; t < part.n; t++) {
        const int32_t term = part.idx[t];
        for (int64_t e = f->term_ptr[term]; e < f->term_ptr[term + 1]; e++)
            common[f->term_idx[e]] += fminf(part.val[t], f->term_val[e]);
    }
    for (int32_t i = 0; i < f->n_items; i++) {
        if (common[i] == 0) continue;
        out[i] += a * common[i] / whole_of(f, size, size_of(item_row(f, i)), common[i]);
        common[i] = 0;
    }
}

static float score_parts(const ki_features *f, const ki_query *q, const ki_text_row *text,
                         float *common, float *out)
{
    const ki_weighing w = weighing_of(f, q);
    const float unit = per_weight(f, &w);
    memset(common, 0, (size_t)f->n_items * sizeof *common);
    for (int32_t j = 0; j < q->n; j++)
        add_jaccard(f, unit * ki_weigh(&w, q, j), item_row(f, q->items[j]), common, out);
    add_jaccard(f, 1, user_row(f, q->user), common, out);
    add_jaccard(f, 1, (struct vector){ text->idx, text->val, text->n }, common, out);
    return unit;
}

/* ---- asking ---- */

static void sizes(const ki_model *m, int64_t *query_floats, int64_t *scratch_floats)
{
    const ki_features *f = m->state;
    *query_floats = f->n_items + 1;
    *scratch_floats = KI_MAX(f->space.n_terms, f->n_items);
}

static kith_err prepare(const ki_model *m, const ki_query *q, float *prepared, float *scratch)
{
    const ki_features *f = m->state;
    ki_text_row text;
    const kith_err err = text_row(f, q, &text);
    if (err != KITH_OK) return err;
    memset(prepared, 0, (size_t)f->n_items * sizeof *prepared);
    if (*f->metric == KI_BY_JACCARD) {
        prepared[f->n_items] = score_parts(f, q, &text, scratch, prepared);
    } else {
        prepared[f->n_items] = make_profile(f, q, &text, scratch);
        score_profile(f, scratch, prepared);
    }
    ki_text_row_clear(&text);
    return KITH_OK;
}

static void score(const ki_model *m, const ki_query *q, const float *prepared, int nq,
                  int32_t begin, int32_t end, float *out, int64_t ld, float *scratch)
{
    const ki_features *f = m->state;
    (void)q, (void)scratch;
    for (int j = 0; j < nq; j++)
        memcpy(out + j * ld, prepared + j * (f->n_items + 1) + begin,
               (size_t)(end - begin) * sizeof *out);
}

static void predict(const ki_model *m, const ki_query *q, const float *prepared,
                    const int32_t *items, int n, float *out, uint8_t *supported, float *scratch)
{
    (void)m, (void)q, (void)scratch;
    for (int j = 0; j < n; j++) {
        out[j] = prepared[items[j]];
        supported[j] = prepared[items[j]] != 0;
    }
}

static int explain(const ki_model *m, const ki_query *q, const float *prepared, int32_t item,
                   ki_term *out, float *scratch)
{
    const ki_features *f = m->state;
    const ki_weighing w = weighing_of(f, q);
    const struct vector x = item_row(f, item);
    int n = 0;
    (void)scratch;
    for (int32_t j = 0; j < q->n; j++) {
        const struct vector y = item_row(f, q->items[j]);
        const float common = overlap(f, y, x);
        const float sim = common / whole_of(f, size_of(y), size_of(x), common);
        const float part = prepared[f->n_items] * ki_weigh(&w, q, j) * sim;
        if (part != 0) out[n++] = (ki_term){ .item = q->items[j], .part = part };
    }
    return n;
}

/* ---- words ---- */

/* shares[t] += a times what term t of x has in common with the part. */
static void add_shares(const ki_features *f, float a, struct vector part, struct vector x,
                       float *shares)
{
    const float common = overlap(f, part, x);
    const float each = a / whole_of(f, size_of(part), size_of(x), common);
    for (int64_t s = 0, t = 0; s < part.n && t < x.n;) {
        if (part.idx[s] == x.idx[t])
            shares[t] += each * shared(f, part.val[s++], x.val[t]), t++;
        else if (part.idx[s] < x.idx[t])
            s++;
        else
            t++;
    }
}

/* Insert into out[n], largest first, at most room. */
static int insert_word(ki_word *out, int n, int room, ki_word word)
{
    int at = n;
    if (n == room && !(word.part > out[n - 1].part)) return n;
    if (n == room)
        at--;
    else
        n++;
    for (; at > 0 && word.part > out[at - 1].part; at--) out[at] = out[at - 1];
    out[at] = word;
    return n;
}

static kith_err word_shares(const ki_features *f, const ki_query *q, struct vector x,
                            float *scratch, float *shares)
{
    ki_text_row text;
    const kith_err err = text_row(f, q, &text);
    if (err != KITH_OK) return err;
    if (*f->metric == KI_BY_JACCARD) {
        const ki_weighing w = weighing_of(f, q);
        const float unit = per_weight(f, &w);
        for (int32_t j = 0; j < q->n; j++)
            add_shares(f, unit * ki_weigh(&w, q, j), item_row(f, q->items[j]), x, shares);
        add_shares(f, 1, user_row(f, q->user), x, shares);
        add_shares(f, 1, (struct vector){ text.idx, text.val, text.n }, x, shares);
    } else {
        make_profile(f, q, &text, scratch);
        for (int64_t t = 0; t < x.n; t++) shares[t] = scratch[x.idx[t]] * x.val[t];
    }
    ki_text_row_clear(&text);
    return KITH_OK;
}

/* Does a text hold another one, from the beginning of a word on?  "night trains" holds "train". */
static int holds(const char *text, const char *part)
{
    const size_t n = strlen(part);
    for (const char *at = text; at != NULL; at = strchr(at, ' '))
        if (strncasecmp(at += *at == ' ', part, n) == 0) return 1;
    return 0;
}

/* Put `word` in the place of the first of out[n] that it holds, and let go of the others that it
 * holds.  Returns how many are left; n + 1: it holds none. */
static int replace_held(ki_word *out, int n, const char *word)
{
    int to = 0, first = 1;
    for (int k = 0; k < n; k++) {
        const int held = holds(word, out[k].word);
        if (held && first) out[k].word = word;
        if (!held || first) out[to++] = out[k];
        first = first && !held;
    }
    return first ? n + 1 : to;
}

/* What is said once: of "train", "night train" and "night trains" the longest, in the place of the
 * first. */
static int without_repeats(const ki_word *found, int n, ki_word *out, int room)
{
    int to = 0;
    for (int j = 0; j < n; j++) {
        int said = 0;
        for (int k = 0; k < to && !said; k++) said = holds(out[k].word, found[j].word);
        if (said) continue;
        const int left = replace_held(out, to, found[j].word);
        if (left <= to)
            to = left;
        else if (to < room)
            out[to++] = found[j];
    }
    return to;
}

static int words(const ki_model *m, const ki_query *q, int32_t item, ki_word *out, int room)
{
    ki_word found[MOST_WORDS];
    const ki_features *f = m->state;
    const struct vector x = item_row(f, item);
    float *scratch = NULL, *shares = NULL;
    int n = 0;
    if (room > 0 && ki_alloc(&scratch, (size_t)f->space.n_terms, sizeof *scratch) == KITH_OK &&
        ki_alloc(&shares, (size_t)x.n, sizeof *shares) == KITH_OK &&
        word_shares(f, q, x, scratch, shares) == KITH_OK)
        for (int64_t t = 0; t < x.n; t++) {
            const char *label = ki_text_space_label(&f->space, x.idx[t]);
            if (shares[t] > 0 && label[0] != '\0')
                n = insert_word(found, n, MOST_WORDS, (ki_word){ label, shares[t] });
        }
    ki_free(scratch);
    ki_free(shares);
    return without_repeats(found, n, out, room);
}

/* ---- between items ---- */

static float length_of(struct vector a)
{
    double sum = 0;
    for (int64_t t = 0; t < a.n; t++) sum += (double)a.val[t] * (double)a.val[t];
    return (float)sqrt(sum);
}

/* Cosine, whatever the metric of lists. */
static void similar(const ki_model *m, int32_t item, float *out, float *scratch)
{
    const ki_features *f = m->state;
    const struct vector x = item_row(f, item);
    const float length = length_of(x);
    (void)scratch;
    memset(out, 0, (size_t)f->n_items * sizeof *out);
    for (int64_t t = 0; t < x.n; t++)
        for (int64_t e = f->term_ptr[x.idx[t]]; e < f->term_ptr[x.idx[t] + 1]; e++)
            out[f->term_idx[e]] += x.val[t] * f->term_val[e];
    for (int32_t i = 0; i < f->n_items; i++) {
        if (out[i] == 0) continue;
        const float both = length * length_of(item_row(f, i));
        out[i] = both > 0 ? out[i] / both : 0;
    }
}

int ki_features_knows_cold(const ki_model *m, int32_t item)
{
    return item_row(m->state, item).n > 0;
}

int ki_features_answers(const ki_model *m, const ki_query *q)
{
    const ki_features *f = m->state;
    ki_text_row text;
    if (user_row(f, q->user).n > 0) return 1;
    if (text_row(f, q, &text) != KITH_OK) return 1; /* memory ran out: ranking will say so */
    const int known = text.n > 0;
    ki_text_row_clear(&text);
    return known;
}

static kith_err forget(const ki_model *m, int32_t u, int64_t from, int64_t n)
{
    ki_features *f = m->state;
    const int64_t at = f->user_ptr[u], words = f->user_ptr[u + 1] - at;
    const size_t rest = (size_t)(f->user_nnz - at - words);
    (void)from, (void)n;
    memmove(f->user_idx + at, f->user_idx + at + words, rest * sizeof *f->user_idx);
    memmove(f->user_val + at, f->user_val + at + words, rest * sizeof *f->user_val);
    for (int64_t v = u + 1; v <= f->n_users; v++) f->user_ptr[v] -= words;
    f->user_nnz -= words;
    return KITH_OK;
}

const ki_form ki_form_features = {
    .name = "features",
    .size = sizeof(ki_features),
    .fields = fields,
    .check = check,
    .sizes = sizes,
    .prepare = prepare,
    .score = score,
    .predict = predict,
    .explain = explain,
    .words = words,
    .similar = similar,
    .forget = forget,
};
