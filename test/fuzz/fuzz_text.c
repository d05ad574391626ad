/* SPDX-License-Identifier: MIT
 * fuzz_text.c -- any bytes as a text: tokens, terms, and a space over the lines of it
 *
 * The first byte chooses language, words, parts of words, hashing and weighting.
 */
#include "base/scan.h"
#include "text/search.h"
#include "fuzz.h"

enum { LINES = 16 };

static void check_tokens(const char *text, size_t n)
{
    ki_tokens t = { 0 };
    char bare[KI_TOKEN_BYTES + 1];
    MUST(ki_tokens_split(&t, text, n) == KITH_OK);
    for (int32_t j = 0; j < t.n; j++) {
        const char *token = ki_token_text(&t, j);
        MUST(t.list[j].n >= 1 && t.list[j].n <= KI_TOKEN_BYTES && strlen(token) == t.list[j].n);
        MUST(ki_utf8_valid(token, t.list[j].n));
        const size_t left = ki_token_strip(token, t.list[j].n, bare);
        MUST(left <= KI_TOKEN_BYTES && ki_utf8_valid(bare, left) && bare[left] == '\0');
    }
    ki_tokens_clear(&t);
}

static ki_text_options choose(uint8_t byte)
{
    ki_text_options o = { .weighting = byte % 4, .k1 = 1.2f, .b = 0.75f, .normalise = byte & 4 };
    o.grams = (ki_gram_options){ .language = byte % KI_LANGUAGES, .words = 1 + byte % KI_GRAM_WORDS };
    if (byte & 8) o.grams.char_min = 2, o.grams.char_max = 5;
    o.hash_bits = byte & 16 ? 8 : 0;
    o.max_df = byte & 32 ? 0.5f : 0;
    return o;
}

static void check_space(const ki_text_options *o, const ki_column *column, int32_t n_rows, const char *query)
{
    const ki_text_field field = { column, 1 };
    ki_text_space s;
    ki_csr X, again = { 0 };
    ki_text_row row;
    ki_job job = { 0 };
    MUST(ki_text_space_fit(&s, o, &field, 1, n_rows, &job, "fuzz", &X) == KITH_OK);
    MUST(ki_text_space_check(&s) == KITH_OK && ki_csr_check(&X, "X") == KITH_OK);
    MUST(ki_text_space_rows(&s, &field, 1, n_rows, &job, "fuzz", &again) == KITH_OK);
    MUST(ki_csr_check(&again, "rows") == KITH_OK && ki_csr_nnz(&again) == ki_csr_nnz(&X));
    MUST(ki_text_space_vector(&s, query, &row) == KITH_OK);
    for (int32_t j = 0; j < row.n; j++)
        MUST(row.idx[j] >= 0 && row.idx[j] < s.n_terms && (j == 0 || row.idx[j] > row.idx[j - 1]));
    ki_text_row_clear(&row);
    ki_csr_clear(&X);
    ki_csr_clear(&again);
    ki_text_space_clear(&s);
}

static void check_index(const ki_text_options *o, const ki_column *column, int32_t n_rows, const char *query)
{
    const ki_text_field field = { column, 1 };
    ki_text_index index;
    ki_job job = { 0 };
    int32_t docs[LINES], n;
    float scores[LINES];
    MUST(ki_text_index_new(&index, o, &field, 1, n_rows, &job) == KITH_OK);
    MUST(ki_text_index_find(&index, query, LINES, docs, scores, &n) == KITH_OK && n <= n_rows);
    for (int32_t j = 1; j < n; j++) MUST(scores[j] <= scores[j - 1]);
    ki_text_index_clear(&index);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const int64_t live = ki_alloc_live();
    char *lines[LINES], *copy = malloc(n + 1);
    int32_t n_rows = 0;
    ki_column column;
    if (copy == NULL || n == 0) return free(copy), 0;
    memcpy(copy, bytes, n);
    copy[n] = '\0';
    check_tokens(copy + 1, n - 1);
    const ki_text_options o = choose(bytes[0]);
    for (char *at = copy + 1; at != NULL && n_rows < LINES;) {
        char *end = strchr(at, '\n');
        if (end != NULL) *end++ = '\0';
        lines[n_rows++] = at;
        at = end;
    }
    const int kind = bytes[0] & 64 ? KI_COL_SET : bytes[0] & 128 ? KI_COL_CATEGORY : KI_COL_TEXT;
    if (ki_column_from_strings(&column, "line", n_rows, (const char *const *)lines, kind, '|') == KITH_OK) {
        check_space(&o, &column, n_rows, lines[0]);
        check_index(&o, &column, n_rows, lines[n_rows - 1]);
        ki_column_clear(&column);
    }
    free(copy);
    MUST(ki_alloc_live() == live);
    return 0;
}
