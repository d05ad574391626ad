/* SPDX-License-Identifier: MIT
 * inner.c -- bounds by norm, bounds by bytes, scores
 *
 * Bytes        y ~ s (b - 128) with b in 1..255 for a row of scale s, x ~ t c with c in -63..63, so that the sum of two
 *              products of bytes fits in 16 bits.  With y' and x' what the bytes say,
 *                  x.y = x'.y' + (x - x').y' + x.(y - y'),   |x.y - x'.y'| <= |x - x'| |y'| + |x| |y - y'|
 *              where |y'| and |y - y'| are kept per row, and |x - x'| is known per question.
 * Rounding     a score in floats differs from the exact one by at most (dim + 2) 2^-24 |x| |y|, and bounds are computed
 *              in floats too: |y - y'| is kept with (dim + 16) 2^-23 |y| more, which covers both twice over; the
 *              bias is counted with (|base| + |bias|) 2^-21 more.
 * Order        the k-th best lower bound only rises, so a row that is passed over stays so.
 */
#include "index/inner.h"

#include "base/mem.h"
#include "simd/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 64,
    GROUP = 8,
    GROUPS = BLOCK / GROUP,
    BATCH = 16,
    FIGURES = 4,
    MIDDLE = 128,
    HALF = 63
};

struct ki_inner {
    const float *Y, *bias;
    int32_t n_rows, n_blocks;
    int64_t dim, quads; /* dim in fours, rounded up */
    int32_t *row;       /* [n_blocks * BLOCK] by place; -1 beyond the end */
    int32_t *place;     /* [n_rows]; NULL in a part, which has: */
    const ki_inner *whole;
    uint64_t *set;   /* [whole->n_blocks] its rows by their places there */
    int32_t *before; /* [whole->n_blocks] how many of them come before each word */
    uint8_t
        *groups; /* [n_blocks * GROUPS] of group_bytes: bytes and figures of 8 rows (kernels.h) */
    int64_t group_bytes;
    float *norm;   /* [n_blocks] largest |y| from here on */
    float *most;   /* [n_blocks] largest bias from here on; NULL: none */
    double widest; /* largest |bias| */
};

struct ki_inner_room {
    int8_t *query;      /* [quads * 4] */
    float *rows, *some; /* [BATCH, dim] rows side by side; [BATCH] their scores */
    int32_t *at;        /* [n_rows] places of candidates */
    float *upper;       /* [n_rows] their bounds */
    int32_t n;
    float *lower; /* [k] heap of the best lower bounds, the least at 0 */
    int k_room, n_lower, k;
    struct scored {
        float score;
        int32_t row;
    } * best; /* [k] heap, the worst at 0 */
    int n_best;
};

/* ---- making ---- */

struct by_norm {
    double norm;
    int32_t row;
};

static int larger_first(const void *a, const void *b)
{
    const struct by_norm *x = a, *y = b;
    if (x->norm != y->norm) return x->norm > y->norm ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static double norm_of(const float *x, int64_t n)
{
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += (double)x[j] * (double)x[j];
    return sqrt(sum);
}

static float above(double x) /* the next floats up */
{
    return (float)(x * (1 + 1e-6)) + 1e-37f;
}

static uint8_t *byte_of(const ki_inner *x, int32_t place, int64_t j)
{
    return x->groups + place / GROUP * x->group_bytes + (j / 4 * GROUP + place % GROUP) * 4 + j % 4;
}

/* Figure `which` of a row: scale, |y'|, what is lost, bias. */
static float *figure_of(const ki_inner *x, int32_t place, int which)
{
    float *figures = (float *)(void *)(x->groups + place / GROUP * x->group_bytes + x->quads * 32);
    return figures + which * GROUP + place % GROUP;
}

static void put_row(ki_inner *x, int32_t place, int32_t row, double norm)
{
    const float *y = x->Y + (int64_t)row * x->dim;
    float most = 0;
    double size = 0, lost = 0;
    for (int64_t j = 0; j < x->dim; j++) most = fmaxf(most, fabsf(y[j]));
    const float scale = most / (MIDDLE - 1);
    for (int64_t j = 0; j < x->dim; j++) {
        const int b = scale > 0 ? (int)lrintf(y[j] / scale) : 0;
        const int kept = KI_MAX(-(MIDDLE - 1), KI_MIN(b, MIDDLE - 1));
        const double says = (double)scale * kept;
        *byte_of(x, place, j) = (uint8_t)(kept + MIDDLE);
        size += says * says;
        lost += ((double)y[j] - says) * ((double)y[j] - says);
    }
    x->row[place] = row;
    x->place[row] = place;
    *figure_of(x, place, 0) = scale;
    *figure_of(x, place, 1) = above(sqrt(size));
    *figure_of(x, place, 2) = above(sqrt(lost) + norm * (double)(x->dim + 16) * 0x1p-23);
    *figure_of(x, place, 3) = x->bias != NULL ? x->bias[row] : 0;
}

/* What holds for all places from a block's first one on, the longest of them. */
static void measure_blocks(ki_inner *x)
{
    float most = -INFINITY;
    for (int32_t b = x->n_blocks - 1; b >= 0; b--) {
        x->norm[b] = above(norm_of(x->Y + (int64_t)x->row[b * BLOCK] * x->dim, x->dim));
        for (int32_t p = b * BLOCK; x->bias != NULL && p < KI_MIN((b + 1) * BLOCK, x->n_rows); p++)
            most = fmaxf(most, *figure_of(x, p, 3));
        if (x->most != NULL) x->most[b] = most;
    }
    for (int32_t p = 0; x->bias != NULL && p < x->n_rows; p++)
        x->widest = fmax(x->widest, fabs((double)x->bias[x->row[p]]));
}

/* Groups as they are before rows are put into them: what nobody puts there is zero. */
static void clear_groups(ki_inner *x)
{
    for (int32_t g = 0; g < x->n_blocks * GROUPS; g++)
        memset(x->groups + g * x->group_bytes, MIDDLE, (size_t)x->quads * 32);
    for (int32_t p = 0; p < x->n_blocks * BLOCK; p++) x->row[p] = -1;
}

static kith_err fill(ki_inner *x)
{
    struct by_norm *order = NULL;
    const kith_err err = ki_alloc(&order, (size_t)x->n_rows, sizeof *order);
    if (err != KITH_OK) return err;
    for (int32_t r = 0; r < x->n_rows; r++)
        order[r] = (struct by_norm){ norm_of(x->Y + (int64_t)r * x->dim, x->dim), r };
    qsort(order, (size_t)x->n_rows, sizeof *order, larger_first);
    clear_groups(x);
    for (int32_t p = 0; p < x->n_rows; p++) put_row(x, p, order[p].row, order[p].norm);
    measure_blocks(x);
    ki_free(order);
    return KITH_OK;
}

/* x with its sizes set gets its arrays, but for those that a part does not have or has alone. */
static kith_err make_room(ki_inner *x)
{
    const size_t n = (size_t)x->n_blocks * BLOCK, blocks = (size_t)x->n_blocks;
    kith_err err;
    if ((err = ki_alloc(&x->row, n, sizeof *x->row)) == KITH_OK &&
        (err = ki_alloc(&x->groups, n / GROUP, (size_t)x->group_bytes)) == KITH_OK &&
        (err = ki_alloc(&x->norm, blocks, sizeof *x->norm)) == KITH_OK && x->bias != NULL)
        err = ki_alloc(&x->most, blocks, sizeof *x->most);
    return err;
}

static int32_t blocks_of(int32_t n_rows)
{
    return (int32_t)(((int64_t)n_rows + BLOCK - 1) / BLOCK);
}

kith_err ki_inner_new(const float *Y, const float *bias, int32_t n_rows, int64_t dim,
                      ki_inner **out)
{
    ki_inner *x = NULL;
    kith_err err = ki_alloc(&x, 1, sizeof *x);
    if (err != KITH_OK) return err;
    *x = (ki_inner){ .Y = Y, .bias = bias, .n_rows = n_rows, .dim = dim, .quads = (dim + 3) / 4 };
    x->group_bytes = x->quads * 32 + FIGURES * GROUP * (int64_t)sizeof(float);
    x->n_blocks = blocks_of(n_rows);
    if ((err = make_room(x)) != KITH_OK ||
        (err = ki_alloc(&x->place, (size_t)n_rows, sizeof *x->place)) != KITH_OK ||
        (err = fill(x)) != KITH_OK) {
        ki_inner_free(x);
        return err;
    }
    *out = x;
    return KITH_OK;
}

/* ---- parts ---- */

static void copy_row(ki_inner *x, int32_t place, int32_t from)
{
    for (int64_t j = 0; j < x->quads * 4; j += 4)
        memcpy(byte_of(x, place, j), byte_of(x->whole, from, j), 4);
    for (int f = 0; f < FIGURES; f++) *figure_of(x, place, f) = *figure_of(x->whole, from, f);
    x->row[place] = x->whole->row[from];
}

/* Rows in the order of the whole, which is that of norms. */
static void copy_rows(ki_inner *x)
{
    int32_t n = 0;
    clear_groups(x);
    for (int32_t b = 0; b < x->whole->n_blocks; b++) {
        x->before[b] = n;
        for (uint64_t left = x->set[b]; left != 0; left &= left - 1)
            copy_row(x, n++, b * BLOCK + __builtin_ctzll(left));
    }
    measure_blocks(x);
}

static int32_t count_bits(const uint64_t *set, int32_t n_words)
{
    int32_t n = 0;
    for (int32_t w = 0; w < n_words; w++) n += __builtin_popcountll(set[w]);
    return n;
}

kith_err ki_inner_part(const ki_inner *whole, const uint64_t *set, ki_inner **out)
{
    ki_inner *x = NULL;
    const size_t words = (size_t)whole->n_blocks;
    kith_err err = ki_alloc(&x, 1, sizeof *x);
    if (err != KITH_OK) return err;
    *x = (ki_inner){ .Y = whole->Y,
                     .bias = whole->bias,
                     .whole = whole,
                     .n_rows = count_bits(set, whole->n_blocks),
                     .dim = whole->dim,
                     .quads = whole->quads,
                     .group_bytes = whole->group_bytes };
    x->n_blocks = blocks_of(x->n_rows);
    if ((err = make_room(x)) != KITH_OK ||
        (err = ki_alloc(&x->set, words, sizeof *x->set)) != KITH_OK ||
        (err = ki_alloc(&x->before, words, sizeof *x->before)) != KITH_OK) {
        ki_inner_free(x);
        return err;
    }
    memcpy(x->set, set, words * sizeof *set);
    copy_rows(x);
    *out = x;
    return KITH_OK;
}

void ki_inner_free(ki_inner *x)
{
    if (x == NULL) return;
    ki_free(x->row);
    ki_free(x->place);
    ki_free(x->set);
    ki_free(x->before);
    ki_free(x->groups);
    ki_free(x->norm);
    ki_free(x->most);
    ki_free(x);
}

size_t ki_inner_bytes(const ki_inner *x)
{
    const size_t more = x->whole == NULL ? 0 : 12 * (size_t)x->whole->n_blocks;
    return (size_t)x->n_rows * ((size_t)x->quads * 4 + 24) + more;
}

/* ---- sets ---- */

int64_t ki_inner_words(const ki_inner *x)
{
    return x->n_blocks;
}

int32_t ki_inner_place(const ki_inner *x, int32_t row)
{
    if (x->whole == NULL) return x->place[row];
    const int32_t there = x->whole->place[row], word = there / BLOCK;
    const uint64_t bit = (uint64_t)1 << there % BLOCK;
    if ((x->set[word] & bit) == 0) return -1;
    return x->before[word] + __builtin_popcountll(x->set[word] & (bit - 1));
}

void ki_inner_all(const ki_inner *x, uint64_t *set)
{
    const int rest = x->n_rows % BLOCK;
    memset(set, 0xff, (size_t)x->n_blocks * sizeof *set);
    if (rest > 0) set[x->n_blocks - 1] = ((uint64_t)1 << rest) - 1;
}

/* ---- scratch ---- */

kith_err ki_inner_room_new(const ki_inner *x, ki_inner_room **out)
{
    ki_inner_room *r = NULL;
    kith_err err = ki_alloc(&r, 1, sizeof *r);
    if (err != KITH_OK) return err;
    if ((err = ki_alloc(&r->query, (size_t)x->quads * 4, 1)) != KITH_OK ||
        (err = ki_alloc(&r->rows, (size_t)BATCH * (size_t)x->dim, sizeof *r->rows)) != KITH_OK ||
        (err = ki_alloc(&r->some, BATCH, sizeof *r->some)) != KITH_OK ||
        (err = ki_alloc(&r->at, (size_t)x->n_rows, sizeof *r->at)) != KITH_OK ||
        (err = ki_alloc(&r->upper, (size_t)x->n_rows, sizeof *r->upper)) != KITH_OK) {
        ki_inner_room_free(r);
        return err;
    }
    *out = r;
    return KITH_OK;
}

void ki_inner_room_free(ki_inner_room *r)
{
    if (r == NULL) return;
    ki_free(r->query);
    ki_free(r->rows);
    ki_free(r->some);
    ki_free(r->at);
    ki_free(r->upper);
    ki_free(r->lower);
    ki_free(r->best);
    ki_free(r);
}

static kith_err room_for(ki_inner_room *r, int k)
{
    kith_err err;
    r->n = r->n_lower = r->n_best = 0;
    r->k = k;
    if (k <= r->k_room) return KITH_OK;
    ki_free(r->lower);
    ki_free(r->best);
    r->lower = NULL;
    r->best = NULL;
    r->k_room = 0;
    if ((err = ki_alloc(&r->lower, (size_t)k, sizeof *r->lower)) != KITH_OK) return err;
    if ((err = ki_alloc(&r->best, (size_t)k, sizeof *r->best)) != KITH_OK) return err;
    r->k_room = k;
    return KITH_OK;
}

/* ---- the k-th best lower bound ---- */

static void sift_lower(float *h, int n, int at)
{
    for (;;) {
        int least = at;
        const int left = 2 * at + 1;
        if (left < n && h[left] < h[least]) least = left;
        if (left + 1 < n && h[left + 1] < h[least]) least = left + 1;
        if (least == at) return;
        const float kept = h[at];
        h[at] = h[least];
        h[least] = kept;
        at = least;
    }
}

static float least_lower(const ki_inner_room *r)
{
    return r->n_lower == r->k ? r->lower[0] : -INFINITY;
}

static void push_lower(ki_inner_room *r, float bound)
{
    if (r->n_lower == r->k) {
        if (bound <= r->lower[0]) return;
        r->lower[0] = bound;
        sift_lower(r->lower, r->k, 0);
        return;
    }
    r->lower[r->n_lower++] = bound;
    if (r->n_lower == r->k)
        for (int at = r->k / 2; at >= 0; at--) sift_lower(r->lower, r->k, at);
}

/* ---- bounds ---- */

struct question {
    const ki_inner *x;
    ki_inner_room *room;
    const float *query;
    float base;
    ki_bytes_query bytes;
    const ki_kernels *kernels;
};

/* 0 when the query is too large for bounds.  Bounds are without the base, which all rows share. */
static int begin(struct question *q)
{
    const int64_t dim = q->x->dim;
    int8_t *bytes = q->room->query;
    float most = 0;
    double lost = 0;
    int32_t sum = 0;
    for (int64_t j = 0; j < dim; j++) most = fmaxf(most, fabsf(q->query[j]));
    const float scale = most / HALF, inverse = most > 0 ? HALF / most : 0;
    for (int64_t j = 0; j < dim; j++) {
        const int b = (int)lrintf(q->query[j] * inverse);
        bytes[j] = (int8_t)KI_MAX(-HALF, KI_MIN(b, HALF));
        const double apart = (double)q->query[j] - (double)scale * bytes[j];
        lost += apart * apart;
        sum += bytes[j];
    }
    q->bytes = (ki_bytes_query){ .x = bytes,
                                 .quads = q->x->quads,
                                 .scale = scale,
                                 .shift = MIDDLE * sum,
                                 .lost = above(sqrt(lost)),
                                 .norm = above(norm_of(q->query, dim)),
                                 .loose = above((fabs((double)q->base) + q->x->widest) * 0x1p-21) };
    const float longest = q->x->n_blocks > 0 ? q->x->norm[0] : 0;
    return isfinite(q->bytes.norm) && isfinite(scale * longest) && isfinite(inverse);
}

/* No row from this block on has more. */
static float most_from(const struct question *q, int32_t block)
{
    const float most = q->bytes.norm * q->x->norm[block] * (1 + 1e-5f) + q->bytes.loose;
    return q->x->most == NULL ? most : most + q->x->most[block];
}

/* Candidates among the open rows of 8 from `place` on. */
static void take_group(const struct question *q, int32_t place, unsigned set)
{
    ki_inner_room *r = q->room;
    float lower[GROUP], upper[GROUP];
    set &= (unsigned)q->kernels->bound_bytes(
        lower, upper, &q->bytes, q->x->groups + place / GROUP * q->x->group_bytes, least_lower(r));
    for (; set != 0; set &= set - 1) {
        const int p = __builtin_ctz(set);
        push_lower(r, lower[p]);
        r->at[r->n] = place + p;
        r->upper[r->n++] = upper[p];
    }
}

static void take_block(const struct question *q, int32_t block, uint64_t set)
{
    while (set != 0) {
        const int at = __builtin_ctzll(set) & ~(GROUP - 1);
        take_group(q, block * BLOCK + at, (unsigned)(set >> at) & 0xff);
        set &= ~((uint64_t)0xff << at);
    }
}

/* ---- scores ---- */

static int worse(const struct scored *a, const struct scored *b)
{
    return a->score < b->score || (a->score == b->score && a->row > b->row);
}

static void sift_best(struct scored *h, int n, int at)
{
    for (;;) {
        int worst = at;
        const int left = 2 * at + 1;
        if (left < n && worse(&h[left], &h[worst])) worst = left;
        if (left + 1 < n && worse(&h[left + 1], &h[worst])) worst = left + 1;
        if (worst == at) return;
        const struct scored kept = h[at];
        h[at] = h[worst];
        h[worst] = kept;
        at = worst;
    }
}

static void push_best(ki_inner_room *r, struct scored one)
{
    if (r->n_best < r->k) {
        r->best[r->n_best++] = one;
        if (r->n_best == r->k)
            for (int at = r->k / 2; at >= 0; at--) sift_best(r->best, r->k, at);
    } else if (worse(&r->best[0], &one)) {
        r->best[0] = one;
        sift_best(r->best, r->k, 0);
    }
}

/* Score some candidates in floats, as forms do. */
static void score_batch(const struct question *q, const int32_t *at, int n)
{
    const ki_inner *x = q->x;
    ki_inner_room *r = q->room;
    for (int j = 0; j < n; j++)
        memcpy(r->rows + j * x->dim, x->Y + (int64_t)x->row[at[j]] * x->dim,
               (size_t)x->dim * sizeof *r->rows);
    q->kernels->score_tile(r->some, BATCH, q->query, 1, r->rows, n, x->dim);
    for (int j = 0; j < n; j++) {
        const int32_t row = x->row[at[j]];
        float score = r->some[j];
        if (x->bias != NULL)
            score += q->base + x->bias[row];
        else if (q->base != 0)
            score += q->base;
        push_best(r, (struct scored){ score, row });
    }
}

static void score_candidates(const struct question *q)
{
    ki_inner_room *r = q->room;
    const float least = least_lower(r);
    int32_t batch[BATCH];
    int n = 0;
    for (int32_t c = 0; c < r->n; c++) {
        if (!(r->upper[c] >= least)) continue;
        batch[n++] = r->at[c];
        if (n == BATCH) score_batch(q, batch, n), n = 0;
    }
    if (n > 0) score_batch(q, batch, n);
}

static int better_first(const void *a, const void *b)
{
    return worse(a, b) ? 1 : -1;
}

kith_err ki_inner_top(const ki_inner *x, ki_inner_room *room, const float *query, float base,
                      const uint64_t *set, int k, int32_t *rows, float *scores, int32_t *n,
                      int64_t *scanned)
{
    struct question q = {
        .x = x, .room = room, .query = query, .base = base, .kernels = ki_kernels_get()
    };
    int64_t looked = 0;
    const kith_err err = room_for(room, k);
    if (err != KITH_OK) return err;
    if (!begin(&q)) return ki_fail(KITH_EINVAL, "a vector too large for bounds");
    for (int32_t b = 0; b < x->n_blocks; b++) {
        if (set[b] == 0) continue;
        if (most_from(&q, b) < least_lower(room)) break;
        take_block(&q, b, set[b]);
        if (scanned != NULL) looked += __builtin_popcountll(set[b]);
    }
    score_candidates(&q);
    qsort(room->best, (size_t)room->n_best, sizeof *room->best, better_first);
    for (int j = 0; j < room->n_best; j++) {
        rows[j] = room->best[j].row;
        scores[j] = room->best[j].score;
    }
    *n = room->n_best;
    if (scanned != NULL) *scanned = looked;
    return KITH_OK;
}
