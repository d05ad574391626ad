/* SPDX-License-Identifier: MIT
 * block.c -- reading a block list, and finding what it means in a catalogue
 *
 * Search      Entries are sorted by their whole phrases, each phrase of a column once.  From every word of a
 *             text on, the entries that agree with it so far are narrowed word by word.  A value of a
 *             category or set is searched once, however many items have it.
 * Cost        words of the catalogue times log entries, however many of these begin alike, once; one look
 *             per item and query then.
 */
#include "engine/block.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "model/package.h"
#include "text/tokens.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PRINTED = 128 }; /* bytes of a number or a time */

struct words { /* of all entries, one behind the other */
    char **at;
    int32_t n, room;
};

struct reader {
    const ki_idmap *items;
    const ki_table *attrs;
    kith_block *b;
    int is_kept; /* 1: columns may be gone */
    struct words words;
    ki_tokens tokens;
    int32_t
        *order; /* [n_order] entries with words, by these; of those that say the same the first */
    int32_t n_order;
    int32_t *
        same; /* [n_entries] the entry that says the same, which is in the order; itself: none does */
    int32_t *found; /* [n_found] entries that match the text at hand, each once */
    int32_t n_found;
    int64_t n_searched, *found_in; /* [n_entries] the number of the search that found it last */
    int32_t *seen; /* [n_entries] the last item counted, so that none counts twice */
};

/* ---- reading ---- */

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static kith_err keep_words(struct reader *r, const char *text, size_t n, int line,
                           ki_block_entry *e)
{
    kith_err err = ki_tokens_split(&r->tokens, text, n);
    if (err != KITH_OK) return err;
    if (r->tokens.n == 0)
        return ki_fail(KITH_EINVAL, "block list, line %d: there is no word in \"%.60s\"", line,
                       e->text);
    e->first = r->words.n;
    e->n = r->tokens.n;
    if (r->words.n + e->n > r->words.room) {
        const int32_t room = 2 * (r->words.n + e->n);
        err = ki_grow(&r->words.at, (size_t)r->words.room, (size_t)room, sizeof *r->words.at);
        if (err != KITH_OK) return err;
        r->words.room = room;
    }
    for (int32_t j = 0; j < e->n; j++) {
        if ((err = ki_strdup(&r->words.at[r->words.n], ki_token_text(&r->tokens, j))) != KITH_OK)
            return err;
        r->words.n++;
    }
    return KITH_OK;
}

static int find_column(const ki_table *t, const char *name, size_t n)
{
    for (int c = 0; c < t->n_columns; c++)
        if (strlen(t->columns[c].name) == n && memcmp(t->columns[c].name, name, n) == 0) return c;
    return -1;
}

static kith_err refuse_column(const struct reader *r, const char *name, size_t n, int line)
{
    char list[300] = "";
    for (int c = 0; c < r->attrs->n_columns; c++) {
        const char *one = r->attrs->columns[c].name;
        if (strlen(list) + strlen(one) + 3 > sizeof list) break;
        strcat(strcat(list, c > 0 ? ", " : ""), one);
    }
    return ki_fail(KITH_EINVAL,
                   "block list, line %d: items have no column \"%.*s\"%s%s; words with a colon "
                   "want quotes",
                   line, (int)KI_MIN(n, 60), name, list[0] == '\0' ? "" : "; there are ", list);
}

static void note_item(struct reader *r, int32_t entry, int32_t item)
{
    kith_block *b = r->b;
    if (r->seen[entry] == item) return;
    r->seen[entry] = item;
    b->entries[entry].n_items++;
    b->n_blocked += b->by[item] < 0;
    if (b->by[item] < 0 || b->by[item] > entry) b->by[item] = entry;
}

/* The text of entry `e`, without blanks at either end. */
static kith_err read_entry(struct reader *r, ki_block_entry *e, int line)
{
    const char *text = e->text, *colon = strchr(text, ':');
    const size_t n = strlen(text);
    e->column = KI_BLOCK_ANY;
    if (text[0] == '"' && n > 1 && text[n - 1] == '"')
        return keep_words(r, text + 1, n - 2, line, e);
    if (colon == NULL) return keep_words(r, text, n, line, e);
    const char *rest = colon + 1;
    while (is_blank(*rest)) rest++;
    if (colon - text == 2 && memcmp(text, "id", 2) == 0) {
        e->column = KI_BLOCK_ID;
        return KITH_OK;
    }
    e->column = find_column(r->attrs, text, (size_t)(colon - text));
    if (e->column < 0 && !r->is_kept) return refuse_column(r, text, (size_t)(colon - text), line);
    if (e->column < 0) e->column = KI_BLOCK_NOWHERE;
    return keep_words(r, rest, strlen(rest), line, e);
}

/* The next line without blanks at its ends; NULL at the end of the text. */
static const char *next_line(const char **at, size_t *n)
{
    const char *from = *at, *end = from + strcspn(from, "\n");
    if (*from == '\0') return NULL;
    *at = *end == '\n' ? end + 1 : end;
    while (from < end && is_blank(*from)) from++;
    while (end > from && is_blank(end[-1])) end--;
    *n = (size_t)(end - from);
    return from;
}

static int is_entry(const char *line, size_t n)
{
    return n > 0 && line[0] != '#';
}

int32_t ki_block_count(const char *text)
{
    const char *at = text, *line;
    size_t n;
    int32_t n_entries = 0;
    while (n_entries < INT32_MAX && (line = next_line(&at, &n)) != NULL)
        n_entries += is_entry(line, n);
    return n_entries;
}

static kith_err read_all(struct reader *r, const char *text)
{
    kith_block *b = r->b;
    const char *at = text, *line;
    size_t n;
    const int32_t n_entries = ki_block_count(text);
    if (n_entries > INT32_MAX / 2) return ki_fail(KITH_EINVAL, "block list: too many entries");
    kith_err err = ki_alloc(&b->entries, (size_t)n_entries, sizeof *b->entries);
    if (err != KITH_OK) return err;
    for (int number = 1; (line = next_line(&at, &n)) != NULL; number++) {
        if (!is_entry(line, n)) continue;
        ki_block_entry *e = &b->entries[b->n_entries];
        if ((err = ki_strndup(&e->text, line, n)) != KITH_OK) return err;
        b->n_entries++;
        if ((err = read_entry(r, e, number)) != KITH_OK) return err;
    }
    return KITH_OK;
}

/* ---- search ---- */

static const char *word_of(const struct reader *r, int32_t entry, int32_t j)
{
    return r->words.at[r->b->entries[entry].first + j];
}

/* The order of entries by their words, those that end first before the others; then by column, and as they were written. */
static int by_phrase(const void *a, const void *b, void *arg)
{
    const struct reader *r = arg;
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    const ki_block_entry *e = &r->b->entries[x], *f = &r->b->entries[y];
    for (int32_t j = 0; j < e->n && j < f->n; j++) {
        const int c = strcmp(word_of(r, x, j), word_of(r, y, j));
        if (c != 0) return c;
    }
    if (e->n != f->n) return e->n < f->n ? -1 : 1;
    if (e->column != f->column) return e->column < f->column ? -1 : 1;
    return (x > y) - (x < y);
}

static int say_the_same(const struct reader *r, int32_t x, int32_t y)
{
    const ki_block_entry *e = &r->b->entries[x], *f = &r->b->entries[y];
    if (e->n != f->n || e->column != f->column) return 0;
    for (int32_t j = 0; j < e->n; j++)
        if (strcmp(word_of(r, x, j), word_of(r, y, j)) != 0) return 0;
    return 1;
}

/* Of those that say the same the first stays. */
static void drop_repeated(struct reader *r)
{
    int32_t to = 0;
    for (int32_t j = 0; j < r->n_order; j++) {
        const int32_t e = r->order[j];
        if (to > 0 && say_the_same(r, r->order[to - 1], e))
            r->same[e] = r->order[to - 1];
        else
            r->order[to++] = e;
    }
    r->n_order = to;
}

static kith_err sort_entries(struct reader *r)
{
    const size_t n = (size_t)r->b->n_entries;
    kith_err err = ki_alloc(&r->order, n, sizeof *r->order);
    if (err == KITH_OK) err = ki_alloc(&r->same, n, sizeof *r->same);
    if (err == KITH_OK) err = ki_alloc(&r->found, n, sizeof *r->found);
    if (err == KITH_OK) err = ki_alloc(&r->found_in, n, sizeof *r->found_in);
    if (err == KITH_OK) err = ki_alloc(&r->seen, n, sizeof *r->seen);
    if (err != KITH_OK) return err;
    for (int32_t e = 0; e < r->b->n_entries; e++) {
        r->seen[e] = -1;
        r->same[e] = e;
        if (r->b->entries[e].n > 0) r->order[r->n_order++] = e;
    }
    if (r->n_order > 1) qsort_r(r->order, (size_t)r->n_order, sizeof *r->order, by_phrase, r);
    drop_repeated(r);
    return KITH_OK;
}

/* In order[low, high), whose words before word `j` are all the same and which all have one more: the first place whose
 * word `j` is not before `word`, or, with `beyond`, that is after it. */
static int32_t first_place(const struct reader *r, int32_t low, int32_t high, int32_t j,
                           const char *word, int beyond)
{
    while (low < high) {
        const int32_t mid = low + (high - low) / 2;
        if (strcmp(word_of(r, r->order[mid], j), word) < beyond)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* May the entry speak of this column?  Numbers and times are looked at only when they are named. */
static int speaks_of(const struct reader *r, int32_t entry, int column)
{
    const int named = r->b->entries[entry].column;
    const ki_column_kind kind = r->attrs->columns[column].kind;
    if (named != KI_BLOCK_ANY) return named == column;
    return kind == KI_COL_TEXT || kind == KI_COL_CATEGORY || kind == KI_COL_SET;
}

static void note_found(struct reader *r, int32_t entry, int column)
{
    if (r->found_in[entry] == r->n_searched || !speaks_of(r, entry, column)) return;
    r->found_in[entry] = r->n_searched;
    r->found[r->n_found++] = entry;
}

/* The entries whose words stand in the text from word `at` on. */
static void search_from(struct reader *r, int32_t at, int column)
{
    int32_t low = 0, high = r->n_order;
    for (int32_t j = 0; low < high && at + j < r->tokens.n; j++) {
        const char *word = ki_token_text(&r->tokens, at + j);
        low = first_place(r, low, high, j, word, 0);
        high = first_place(r, low, high, j, word, 1);
        for (; low < high && r->b->entries[r->order[low]].n == j + 1; low++)
            note_found(r, r->order[low], column);
    }
}

/* found[] = the entries, of any column or of this one, that the text holds. */
static kith_err search(struct reader *r, int column, const char *text)
{
    const kith_err err = ki_tokens_split(&r->tokens, text, strlen(text));
    r->n_found = 0;
    r->n_searched++;
    for (int32_t t = 0; err == KITH_OK && t < r->tokens.n; t++) search_from(r, t, column);
    return err;
}

/* What says the same keeps out the same. */
static void count_repeated(struct reader *r)
{
    for (int32_t e = 0; e < r->b->n_entries; e++)
        r->b->entries[e].n_items = r->b->entries[r->same[e]].n_items;
}

/* ---- columns ---- */

struct values {     /* of a category or set: the entries that each value holds, searched once */
    int64_t *start; /* [n_words + 1]; NULL: the column is searched row by row */
    int32_t *entries;
    int64_t room;
};

static kith_err keep_found(const struct reader *r, int32_t value, struct values *to)
{
    const int64_t from = to->start[value], end = from + r->n_found;
    if (end > to->room) {
        const int64_t room = 2 * end;
        const kith_err err =
            ki_grow(&to->entries, (size_t)to->room, (size_t)room, sizeof *to->entries);
        if (err != KITH_OK) return err;
        to->room = room;
    }
    for (int32_t j = 0; j < r->n_found; j++) to->entries[from + j] = r->found[j];
    to->start[value + 1] = end;
    return KITH_OK;
}

static kith_err search_values(struct reader *r, int column, struct values *out)
{
    const ki_idmap *words = &r->attrs->columns[column].words;
    kith_err err = ki_alloc(&out->start, (size_t)words->n + 1, sizeof *out->start);
    for (int32_t v = 0; err == KITH_OK && v < words->n; v++)
        if ((err = search(r, column, ki_idmap_name(words, v))) == KITH_OK)
            err = keep_found(r, v, out);
    return err;
}

static const int32_t *codes_of(const ki_column *c, int32_t row, int64_t *n)
{
    if (c->kind == KI_COL_SET) {
        *n = c->set_ptr[row + 1] - c->set_ptr[row];
        return c->code + c->set_ptr[row];
    }
    *n = c->code[row] >= 0;
    return c->code + row;
}

static void note_values(struct reader *r, const ki_column *c, const struct values *values,
                        int32_t item)
{
    int64_t n;
    const int32_t *codes = codes_of(c, item, &n);
    for (int64_t j = 0; j < n; j++)
        for (int64_t e = values->start[codes[j]]; e < values->start[codes[j] + 1]; e++)
            note_item(r, values->entries[e], item);
}

static kith_err note_cell(struct reader *r, int column, int32_t item)
{
    const ki_column *c = &r->attrs->columns[column];
    char printed[MOST_PRINTED];
    const char *text = printed;
    if (c->kind == KI_COL_TEXT)
        text = c->text + c->text_ptr[item];
    else
        ki_column_print(c, item, printed, sizeof printed);
    const kith_err err = text[0] == '\0' ? KITH_OK : search(r, column, text);
    for (int32_t j = 0; err == KITH_OK && text[0] != '\0' && j < r->n_found; j++)
        note_item(r, r->found[j], item);
    return err;
}

static int is_searched(const struct reader *r, int column)
{
    if (r->attrs->columns[column].kind == KI_COL_VECTOR) return 0;
    for (int32_t j = 0; j < r->n_order; j++)
        if (speaks_of(r, r->order[j], column)) return 1;
    return 0;
}

/* Item by item, so that one with the words in several columns counts once. */
static kith_err search_rows(struct reader *r, const uint8_t *searched, const struct values *values)
{
    const int32_t n = KI_MIN(r->attrs->n_rows, r->b->n_items);
    kith_err err = KITH_OK;
    for (int32_t i = 0; i < n; i++)
        for (int c = 0; c < r->attrs->n_columns; c++) {
            if (!searched[c]) continue;
            if (values[c].start != NULL)
                note_values(r, &r->attrs->columns[c], &values[c], i);
            else if ((err = note_cell(r, c, i)) != KITH_OK)
                return err;
        }
    return err;
}

static kith_err search_columns(struct reader *r)
{
    const size_t n = (size_t)r->attrs->n_columns;
    struct values *values = NULL;
    uint8_t *searched = NULL;
    kith_err err;
    if ((err = ki_alloc(&values, n, sizeof *values)) != KITH_OK) goto done;
    if ((err = ki_alloc(&searched, n, 1)) != KITH_OK) goto done;
    for (int c = 0; c < (int)n; c++) {
        const ki_column_kind kind = r->attrs->columns[c].kind;
        searched[c] = (uint8_t)is_searched(r, c);
        if (searched[c] && (kind == KI_COL_CATEGORY || kind == KI_COL_SET) &&
            (err = search_values(r, c, &values[c])) != KITH_OK)
            goto done;
    }
    err = search_rows(r, searched, values);
done:
    for (size_t c = 0; values != NULL && c < n; c++) {
        ki_free(values[c].start);
        ki_free(values[c].entries);
    }
    ki_free(values);
    ki_free(searched);
    return err;
}

static void find_ids(struct reader *r)
{
    for (int32_t e = 0; e < r->b->n_entries; e++) {
        if (r->b->entries[e].column != KI_BLOCK_ID) continue;
        const char *id = strchr(r->b->entries[e].text, ':') + 1;
        while (is_blank(*id)) id++;
        const int32_t item = ki_idmap_find(r->items, id, strlen(id));
        if (item >= 0) note_item(r, e, item);
    }
}

/* ---- all ---- */

static void clear(struct reader *r)
{
    for (int32_t j = 0; j < r->words.n; j++) ki_free(r->words.at[j]);
    ki_free(r->words.at);
    ki_free(r->order);
    ki_free(r->same);
    ki_free(r->found);
    ki_free(r->found_in);
    ki_free(r->seen);
    ki_tokens_clear(&r->tokens);
}

static kith_err make(const ki_idmap *items, const ki_table *attrs, const char *text, int is_kept,
                     kith_block **out)
{
    struct reader r = { .items = items, .attrs = attrs, .is_kept = is_kept };
    kith_err err = ki_alloc(&r.b, 1, sizeof *r.b);
    if (err != KITH_OK) return err;
    r.b->n_items = items->n;
    if ((err = ki_alloc(&r.b->by, (size_t)items->n, sizeof *r.b->by)) == KITH_OK) {
        memset(r.b->by, 0xff, (size_t)items->n * sizeof *r.b->by);
        err = read_all(&r, text);
    }
    if (err == KITH_OK) err = sort_entries(&r);
    if (err == KITH_OK) find_ids(&r);
    if (err == KITH_OK) err = search_columns(&r);
    if (err == KITH_OK) count_repeated(&r);
    clear(&r);
    if (err != KITH_OK)
        kith_block_free(r.b);
    else
        *out = r.b;
    return err;
}

kith_err ki_block_make(const ki_idmap *items, const ki_table *attrs, const char *text,
                       kith_block **out)
{
    return make(items, attrs, text, 0, out);
}

kith_err ki_block_make_kept(const ki_idmap *items, const ki_table *attrs, const char *text,
                            kith_block **out)
{
    return make(items, attrs, text, 1, out);
}

kith_err ki_block_check_text(const ki_table *attrs, const char *text)
{
    struct reader r = { .attrs = attrs };
    kith_err err = ki_alloc(&r.b, 1, sizeof *r.b);
    if (err != KITH_OK) return err;
    err = read_all(&r, text);
    clear(&r);
    kith_block_free(r.b);
    return err;
}

kith_err ki_block_check(const kith_block *b, int32_t n_items)
{
    if (b == NULL || b->n_items == n_items) return KITH_OK;
    return ki_fail(KITH_EINVAL,
                   "the block list was made for a catalogue of %d items, and the model has %d",
                   b->n_items, n_items);
}

json_t *ki_block_json(const kith_block *b)
{
    json_t *entries = json_array(), *unused = json_array();
    int bad = entries == NULL || unused == NULL;
    for (int32_t e = 0; e < b->n_entries; e++) {
        const ki_block_entry *one = &b->entries[e];
        json_t *text = json_string(one->text); /* NULL where the file is not UTF-8 */
        if (text == NULL) text = json_sprintf("entry %d", e + 1);
        bad |= text == NULL;
        if (one->n_items == 0) bad |= json_array_append(unused, text) != 0;
        bad |= json_array_append_new(entries, json_pack("{s:o, s:i}", "entry", text, "items",
                                                        (int)one->n_items)) != 0;
    }
    json_t *o = json_pack("{s:i, s:o, s:o}", "items", (int)b->n_blocked, "entries", entries,
                          "unused", unused);
    if (!bad) return o;
    json_decref(o);
    return NULL;
}

/* ---- public ---- */

kith_err kith_block_new(const kith_model *model, const char *text, kith_block **out)
{
    if (model == NULL || text == NULL || out == NULL)
        return ki_fail(KITH_EINVAL, "kith_block_new: model, text and out must not be NULL");
    return ki_block_make(&model->items, &model->item_attrs, text, out);
}

kith_err kith_block_json(const kith_block *block, char **json)
{
    if (block == NULL || json == NULL)
        return ki_fail(KITH_EINVAL, "kith_block_json: block and json must not be NULL");
    return ki_json_print(ki_block_json(block), json);
}

void kith_block_free(kith_block *b)
{
    if (b == NULL) return;
    for (int32_t e = 0; e < b->n_entries; e++) ki_free(b->entries[e].text);
    ki_free(b->entries);
    ki_free(b->by);
    ki_free(b);
}
