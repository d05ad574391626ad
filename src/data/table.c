/* SPDX-License-Identifier: MIT
 * table.c -- typed attribute columns: made from text, printed, checked, copied
 *
 * Kinds       The first that fits all cells: text when the name says so (title, description, ...); number, unless the
 *             name or a leading zero says that it is a code; time (ISO 8601); set when a separator is in one of them;
 *             category when there are few different ones; else text.
 */
#include "data/table.h"

#include "base/mem.h"
#include "base/scan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const ki_column *ki_table_find(const ki_table *t, const char *name)
{
    for (int c = 0; c < t->n_columns; c++)
        if (strcmp(t->columns[c].name, name) == 0) return &t->columns[c];
    return NULL;
}

kith_err ki_table_append(ki_table *t, ki_column *c)
{
    const kith_err err =
        ki_grow(&t->columns, (size_t)t->n_columns, (size_t)t->n_columns + 1, sizeof *t->columns);
    if (err != KITH_OK) {
        ki_column_clear(c);
        return err;
    }
    t->columns[t->n_columns++] = *c;
    *c = (ki_column){ 0 };
    return KITH_OK;
}

/* ---- which kind ---- */

enum { LONGEST_WORD = 64, FEW_WORDS = 20 };

int ki_column_is_prose(const char *name, size_t n)
{
    static const char *const words[] = { "title",    "name",     "description", "overview",
                                         "summary",  "content",  "text",        "body",
                                         "plot",     "abstract", "tagline",     "comment",
                                         "headline", "bio",      "about",       "looking_for" };
    for (size_t j = 0; j < KI_COUNT(words); j++) {
        const size_t k = strlen(words[j]);
        if (n < k || strncasecmp(name + n - k, words[j], k) != 0) continue;
        if (n == k || name[n - k - 1] == '_') return 1;
    }
    return 0;
}

static int is_plain_number(const char *s, size_t n)
{
    double x;
    const size_t sign = n > 0 && (s[0] == '-' || s[0] == '+');
    if (n > sign + 1 && s[sign] == '0' && s[sign + 1] != '.') return 0; /* "0042" is a code */
    return ki_scan_number(s, n, &x) && isfinite(x);
}

static int is_iso_time(const char *s, size_t n)
{
    int64_t t;
    return n >= 10 && s[4] == '-' && ki_scan_time(s, n, &t);
}

/* "tmdbId", "parent_id": its numbers count nothing. */
static int is_id_name(const char *name)
{
    const size_t n = strlen(name);
    return (n > 2 && strcmp(name + n - 2, "Id") == 0) ||
           (n > 3 && strcasecmp(name + n - 3, "_id") == 0);
}

struct look { /* at all cells that are there */
    int32_t n;
    int numbers, times, sets; /* all are; all are; one is */
    size_t longest;
};

static struct look look_at(int32_t n_rows, const char *const *cells, char separator)
{
    struct look l = { .numbers = 1, .times = 1 };
    for (int32_t r = 0; r < n_rows; r++) {
        if (cells[r] == NULL) continue;
        const size_t n = strlen(cells[r]);
        l.n++;
        l.numbers = l.numbers && is_plain_number(cells[r], n);
        l.times = l.times && is_iso_time(cells[r], n);
        l.sets = l.sets || (separator != 0 && memchr(cells[r], separator, n) != NULL);
        l.longest = KI_MAX(l.longest, n);
    }
    return l;
}

/* Are the cells words that repeat? */
static kith_err few_words(int32_t n_rows, const char *const *cells, int32_t n, int *out)
{
    ki_idmap words = { 0 };
    kith_err err = KITH_OK;
    int32_t code;
    for (int32_t r = 0; err == KITH_OK && r < n_rows; r++)
        if (cells[r] != NULL) err = ki_idmap_add(&words, cells[r], strlen(cells[r]), &code);
    *out = words.n <= KI_MAX(FEW_WORDS, n / 2);
    ki_idmap_clear(&words);
    return err;
}

static kith_err find_kind(const char *name, int32_t n_rows, const char *const *cells,
                          char separator, ki_column_kind *out)
{
    int few = 1;
    kith_err err = KITH_OK;
    const struct look l = look_at(n_rows, cells, separator);
    if (ki_column_is_prose(name, strlen(name)))
        *out = KI_COL_TEXT;
    else if (l.n > 0 && l.numbers && !is_id_name(name))
        *out = KI_COL_NUMBER;
    else if (l.n > 0 && l.times)
        *out = KI_COL_TIME;
    else if (l.sets)
        *out = KI_COL_SET;
    else if (l.longest > LONGEST_WORD)
        *out = KI_COL_TEXT;
    else if ((err = few_words(n_rows, cells, l.n, &few)) == KITH_OK)
        *out = few ? KI_COL_CATEGORY : KI_COL_TEXT;
    return err;
}

/* ---- one maker per kind ---- */

static kith_err bad_cell(const ki_column *c, int32_t row, const char *cell, const char *want)
{
    char shown[KI_SHOW];
    return ki_fail(KITH_EFORMAT, "column \"%.64s\", row %d: got %s, want %s", c->name, row,
                   ki_show(shown, cell, strlen(cell)), want);
}

static kith_err make_numbers(ki_column *c, int32_t n_rows, const char *const *cells)
{
    const kith_err err = ki_alloc(&c->number, (size_t)n_rows, sizeof *c->number);
    if (err != KITH_OK) return err;
    for (int32_t r = 0; r < n_rows; r++) {
        c->number[r] = NAN;
        if (cells[r] == NULL) continue;
        if (!ki_scan_number(cells[r], strlen(cells[r]), &c->number[r]) || !isfinite(c->number[r]))
            return bad_cell(c, r, cells[r], "a number");
    }
    return KITH_OK;
}

static kith_err make_times(ki_column *c, int32_t n_rows, const char *const *cells)
{
    const kith_err err = ki_alloc(&c->time, (size_t)n_rows, sizeof *c->time);
    if (err != KITH_OK) return err;
    for (int32_t r = 0; r < n_rows; r++) {
        c->time[r] = INT64_MIN;
        if (cells[r] != NULL && !ki_scan_time(cells[r], strlen(cells[r]), &c->time[r]))
            return bad_cell(c, r, cells[r], "unix seconds or an ISO 8601 time");
    }
    return KITH_OK;
}

static kith_err make_categories(ki_column *c, int32_t n_rows, const char *const *cells)
{
    kith_err err = ki_alloc(&c->code, (size_t)n_rows, sizeof *c->code);
    for (int32_t r = 0; err == KITH_OK && r < n_rows; r++) {
        c->code[r] = -1;
        if (cells[r] != NULL)
            err = ki_idmap_add(&c->words, cells[r], strlen(cells[r]), &c->code[r]);
    }
    return err;
}

/* The word at *at and past its separator; 0 bytes for an empty one, NULL at the end. */
static const char *next_word(const char **at, char separator, size_t *n)
{
    const char *from = *at, *stop;
    if (from == NULL || *from == '\0') return NULL;
    stop = separator == 0 ? NULL : strchr(from, separator);
    *at = stop == NULL ? NULL : stop + 1;
    *n = stop == NULL ? strlen(from) : (size_t)(stop - from);
    while (*n > 0 && *from == ' ') from++, --*n;
    while (*n > 0 && from[*n - 1] == ' ') --*n;
    return from;
}

static int holds(const int32_t *codes, int64_t n, int32_t code)
{
    for (int64_t j = 0; j < n; j++)
        if (codes[j] == code) return 1;
    return 0;
}

/* Codes of one cell at c->code[set_ptr[r]], each word once; room for them is there. */
static kith_err make_set(ki_column *c, int32_t r, const char *cell, char separator)
{
    int32_t *codes = c->code + c->set_ptr[r], code;
    int64_t n_codes = 0;
    const char *at = cell, *word;
    size_t n;
    while ((word = next_word(&at, separator, &n)) != NULL) {
        if (n == 0) continue;
        const kith_err err = ki_idmap_add(&c->words, word, n, &code);
        if (err != KITH_OK) return err;
        if (!holds(codes, n_codes, code)) codes[n_codes++] = code;
    }
    c->set_ptr[r + 1] = c->set_ptr[r] + n_codes;
    return KITH_OK;
}

static kith_err make_sets(ki_column *c, int32_t n_rows, const char *const *cells, char separator)
{
    size_t most = 0, n;
    kith_err err;
    for (int32_t r = 0; r < n_rows; r++)
        for (const char *at = cells[r]; next_word(&at, separator, &n) != NULL;) most++;
    if ((err = ki_alloc(&c->set_ptr, (size_t)n_rows + 1, sizeof *c->set_ptr)) != KITH_OK)
        return err;
    if ((err = ki_alloc(&c->code, most, sizeof *c->code)) != KITH_OK) return err;
    for (int32_t r = 0; err == KITH_OK && r < n_rows; r++)
        err = make_set(c, r, cells[r], separator);
    return err;
}

static kith_err make_texts(ki_column *c, int32_t n_rows, const char *const *cells)
{
    int64_t bytes = 0;
    kith_err err = ki_alloc(&c->text_ptr, (size_t)n_rows + 1, sizeof *c->text_ptr);
    if (err != KITH_OK) return err;
    for (int32_t r = 0; r < n_rows; r++) {
        c->text_ptr[r] = bytes;
        bytes += (cells[r] == NULL ? 0 : (int64_t)strlen(cells[r])) + 1;
    }
    c->text_ptr[n_rows] = bytes;
    if ((err = ki_alloc(&c->text, (size_t)bytes, 1)) != KITH_OK) return err;
    for (int32_t r = 0; r < n_rows; r++)
        if (cells[r] != NULL) memcpy(c->text + c->text_ptr[r], cells[r], strlen(cells[r]));
    return KITH_OK;
}

/* Numbers of the cell into v[dim] (NULL: only counted); how many there are, or -1 if one is none. */
static int64_t scan_vector(const char *cell, char separator, float *v, int32_t dim)
{
    int64_t found = 0;
    const char *at = cell, *word;
    double x;
    size_t n;
    while ((word = next_word(&at, separator == 0 ? ' ' : separator, &n)) != NULL) {
        if (n == 0) continue;
        if (!ki_scan_number(word, n, &x) || !isfinite((float)x)) return -1;
        if (v != NULL && found < dim) v[found] = (float)x;
        found++;
    }
    return found;
}

static kith_err make_vectors(ki_column *c, int32_t n_rows, const char *const *cells, char separator)
{
    char want[64];
    c->dim = 0;
    for (int32_t r = 0; r < n_rows && c->dim <= 0; r++) {
        if (cells[r] == NULL) continue;
        const int64_t dim = scan_vector(cells[r], separator, NULL, 0);
        if (dim < 0 || dim > 65536) return bad_cell(c, r, cells[r], "at most 65536 numbers");
        c->dim = (int32_t)dim;
    }
    const kith_err err = ki_alloc(&c->vector, (size_t)n_rows * (size_t)c->dim, sizeof *c->vector);
    if (err != KITH_OK) return err;
    for (int32_t r = 0; r < n_rows; r++) {
        if (cells[r] == NULL || cells[r][0] == '\0') continue;
        if (scan_vector(cells[r], separator, c->vector + (size_t)r * (size_t)c->dim, c->dim) ==
            c->dim)
            continue;
        snprintf(want, sizeof want, "%d numbers as in the first row that has some", c->dim);
        return bad_cell(c, r, cells[r], want);
    }
    return KITH_OK;
}

static kith_err make_cells(ki_column *c, int32_t n_rows, const char *const *cells, char separator)
{
    switch (c->kind) {
    case KI_COL_NUMBER: return make_numbers(c, n_rows, cells);
    case KI_COL_TIME: return make_times(c, n_rows, cells);
    case KI_COL_CATEGORY: return make_categories(c, n_rows, cells);
    case KI_COL_SET: return make_sets(c, n_rows, cells, separator);
    case KI_COL_TEXT: return make_texts(c, n_rows, cells);
    case KI_COL_VECTOR: return make_vectors(c, n_rows, cells, separator);
    }
    return ki_fail(KITH_EINVAL, "column \"%.64s\": there is no kind %d", c->name, (int)c->kind);
}

kith_err ki_column_from_strings(ki_column *out, const char *name, int32_t n_rows,
                                const char *const *cells, int kind, char separator)
{
    ki_column c = { .kind = (ki_column_kind)kind };
    kith_err err = ki_strdup(&c.name, name);
    if (err == KITH_OK && kind < 0) err = find_kind(name, n_rows, cells, separator, &c.kind);
    if (err == KITH_OK) err = make_cells(&c, n_rows, cells, separator);
    if (err != KITH_OK) {
        ki_column_clear(&c);
        return err;
    }
    *out = c;
    return KITH_OK;
}

/* ---- print ---- */

static void append(char *out, size_t size, const char *text)
{
    const size_t n = strlen(out);
    if (n + 1 < size) snprintf(out + n, size - n, "%s", text);
}

static void print_set(const ki_column *c, int32_t row, char *out, size_t size)
{
    for (int64_t j = c->set_ptr[row]; j < c->set_ptr[row + 1]; j++) {
        if (j > c->set_ptr[row]) append(out, size, "|");
        append(out, size, ki_idmap_name(&c->words, c->code[j]));
    }
}

static void print_vector(const ki_column *c, int32_t row, char *out, size_t size)
{
    char number[32];
    for (int32_t j = 0; j < c->dim && strlen(out) + 1 < size; j++) {
        snprintf(number, sizeof number, "%s%g", j > 0 ? " " : "",
                 (double)c->vector[(size_t)row * (size_t)c->dim + (size_t)j]);
        append(out, size, number);
    }
}

/* A cut must not leave half a character behind. */
static void drop_partial(char *out)
{
    size_t n = strlen(out);
    for (int j = 0; j < 3 && n > 0 && !ki_utf8_valid(out, strlen(out)); j++) out[--n] = '\0';
}

void ki_column_print(const ki_column *c, int32_t row, char *out, size_t size)
{
    char time[KI_TIME_TEXT];
    if (size == 0) return;
    out[0] = '\0';
    switch (c->kind) {
    case KI_COL_NUMBER:
        if (isfinite(c->number[row])) snprintf(out, size, "%.10g", c->number[row]);
        break;
    case KI_COL_TIME:
        if (c->time[row] == INT64_MIN) break;
        ki_time_print(c->time[row], time);
        append(out, size, time);
        break;
    case KI_COL_CATEGORY:
        if (c->code[row] >= 0) append(out, size, ki_idmap_name(&c->words, c->code[row]));
        break;
    case KI_COL_SET: print_set(c, row, out, size); break;
    case KI_COL_TEXT: append(out, size, c->text + c->text_ptr[row]); break;
    case KI_COL_VECTOR: print_vector(c, row, out, size); break;
    }
    drop_partial(out);
}

/* ---- check, copy, clear ---- */

static kith_err broken(const ki_column *c, int64_t row, const char *what)
{
    return ki_fail(KITH_EFORMAT, "column \"%.64s\", row %lld: %s", c->name, (long long)row, what);
}

/* Do ptr[0..n_rows] rise from 0? */
static kith_err check_pointers(const ki_column *c, const int64_t *ptr, int32_t n_rows)
{
    if (ptr[0] != 0) return broken(c, 0, "pointers do not begin at 0");
    for (int32_t r = 0; r < n_rows; r++)
        if (ptr[r + 1] < ptr[r]) return broken(c, r, "pointers fall");
    return KITH_OK;
}

static kith_err check_codes(const ki_column *c, int64_t n, int32_t least)
{
    for (int64_t j = 0; j < n; j++)
        if (c->code[j] < least || c->code[j] >= c->words.n)
            return broken(c, j, "a code stands for no word");
    return KITH_OK;
}

static kith_err check_texts(const ki_column *c, int32_t n_rows)
{
    const kith_err err = check_pointers(c, c->text_ptr, n_rows);
    if (err != KITH_OK) return err;
    for (int32_t r = 0; r < n_rows; r++)
        if (c->text_ptr[r + 1] == c->text_ptr[r] || c->text[c->text_ptr[r + 1] - 1] != '\0')
            return broken(c, r, "a text has no end");
    return KITH_OK;
}

static kith_err check_vectors(const ki_column *c, int32_t n_rows)
{
    if (c->dim < 0) return broken(c, 0, "a vector of negative length");
    for (int64_t j = 0; j < (int64_t)n_rows * c->dim; j++)
        if (!isfinite(c->vector[j])) return broken(c, j / c->dim, "a vector that is not finite");
    return KITH_OK;
}

static kith_err check_column(const ki_column *c, int32_t n_rows)
{
    kith_err err;
    switch (c->kind) {
    case KI_COL_NUMBER:
        for (int32_t r = 0; r < n_rows; r++)
            if (isinf(c->number[r])) return broken(c, r, "an infinite number");
        return KITH_OK;
    case KI_COL_TIME: return KITH_OK;
    case KI_COL_CATEGORY: return check_codes(c, n_rows, -1);
    case KI_COL_SET:
        err = check_pointers(c, c->set_ptr, n_rows);
        return err != KITH_OK ? err : check_codes(c, c->set_ptr[n_rows], 0);
    case KI_COL_TEXT: return check_texts(c, n_rows);
    case KI_COL_VECTOR: return check_vectors(c, n_rows);
    }
    return broken(c, 0, "a kind that does not exist");
}

kith_err ki_table_check(const ki_table *t)
{
    kith_err err = KITH_OK;
    for (int c = 0; err == KITH_OK && c < t->n_columns; c++)
        err = check_column(&t->columns[c], t->n_rows);
    return err;
}

static kith_err copy_array(void *out, const void *from, size_t n, size_t size)
{
    void *to;
    if (from == NULL) return KITH_OK;
    const kith_err err = ki_alloc(&to, n, size);
    if (err != KITH_OK) return err;
    if (n > 0) memcpy(to, from, n * size);
    memcpy(out, &to, sizeof to);
    return KITH_OK;
}

kith_err ki_column_copy(ki_column *out, const ki_column *from, int32_t n_rows)
{
    const size_t n = (size_t)n_rows,
                 n_codes = from->kind == KI_COL_SET ? (size_t)from->set_ptr[n] : n;
    const size_t n_text = from->kind == KI_COL_TEXT ? (size_t)from->text_ptr[n] : 0;
    ki_column c = { .kind = from->kind, .dim = from->dim };
    kith_err err;
    if ((err = ki_strdup(&c.name, from->name)) != KITH_OK ||
        (err = copy_array(&c.number, from->number, n, sizeof *c.number)) != KITH_OK ||
        (err = copy_array(&c.time, from->time, n, sizeof *c.time)) != KITH_OK ||
        (err = copy_array(&c.code, from->code, n_codes, sizeof *c.code)) != KITH_OK ||
        (err = copy_array(&c.set_ptr, from->set_ptr, n + 1, sizeof *c.set_ptr)) != KITH_OK ||
        (err = copy_array(&c.text, from->text, n_text, 1)) != KITH_OK ||
        (err = copy_array(&c.text_ptr, from->text_ptr, n + 1, sizeof *c.text_ptr)) != KITH_OK ||
        (err = copy_array(&c.vector, from->vector, n * (size_t)from->dim, sizeof *c.vector)) !=
            KITH_OK ||
        (err = ki_idmap_append(&c.words, &from->words, from->words.n, 'w')) != KITH_OK) {
        ki_column_clear(&c);
        return err;
    }
    *out = c;
    return KITH_OK;
}

kith_err ki_table_copy(ki_table *out, const ki_table *from)
{
    ki_table t = { .n_rows = from->n_rows };
    kith_err err = KITH_OK;
    for (int j = 0; err == KITH_OK && j < from->n_columns; j++) {
        ki_column c = { 0 };
        err = ki_column_copy(&c, &from->columns[j], from->n_rows);
        if (err == KITH_OK) err = ki_table_append(&t, &c);
    }
    if (err != KITH_OK) {
        ki_table_clear(&t);
        return err;
    }
    *out = t;
    return KITH_OK;
}

void ki_column_clear(ki_column *c)
{
    ki_free(c->name);
    if (!c->borrowed) {
        ki_free(c->number);
        ki_free(c->time);
        ki_free(c->code);
        ki_free(c->set_ptr);
        ki_free(c->text);
        ki_free(c->text_ptr);
        ki_free(c->vector);
    }
    ki_idmap_clear(&c->words);
    *c = (ki_column){ 0 };
}

void ki_table_clear(ki_table *t)
{
    for (int c = 0; c < t->n_columns; c++) ki_column_clear(&t->columns[c]);
    ki_free(t->columns);
    *t = (ki_table){ 0 };
}
