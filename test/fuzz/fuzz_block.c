/* SPDX-License-Identifier: MIT
 * fuzz_block.c -- a block list, a line of three dashes, and a catalogue of a line per item
 *
 * Every count must hold, and an entry of one plain word must block what a plain search for that word finds.
 */
#include "fuzz.h"
#include "engine/block.h"
#include "text/tokens.h"

enum { LINES = 16 };

/* Is the entry one word, in any column? */
static int is_plain(const ki_block_entry *e)
{
    return e->n == 1 && e->column == KI_BLOCK_ANY;
}

static int has_word(const char *line, const char *entry)
{
    ki_tokens t = { 0 }, word = { 0 };
    int found = 0;
    MUST(ki_tokens_split(&t, line, strlen(line)) == KITH_OK);
    MUST(ki_tokens_split(&word, entry, strlen(entry)) == KITH_OK);
    for (int32_t j = 0; j < t.n; j++) found |= strcmp(ki_token_text(&t, j), ki_token_text(&word, 0)) == 0;
    ki_tokens_clear(&t);
    ki_tokens_clear(&word);
    return found;
}

static void check(const kith_block *b, char **lines, int32_t n)
{
    int32_t blocked = 0;
    json_t *o = ki_block_json(b);
    MUST(o != NULL && b->n_items == n);
    json_decref(o);
    for (int32_t i = 0; i < n; i++) {
        MUST(b->by[i] >= -1 && b->by[i] < b->n_entries);
        blocked += b->by[i] >= 0;
    }
    MUST(blocked == b->n_blocked);
    for (int32_t e = 0; e < b->n_entries; e++) {
        int32_t found = 0;
        for (int32_t i = 0; i < n && is_plain(&b->entries[e]); i++) found += has_word(lines[i], b->entries[e].text);
        MUST(!is_plain(&b->entries[e]) || found == b->entries[e].n_items);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const int64_t live = ki_alloc_live();
    char *copy = malloc(n + 1), *lines[LINES];
    int32_t n_items = 0, at;
    ki_idmap ids = { 0 };
    ki_table t = { 0 };
    ki_column column;
    kith_block *b = NULL;
    if (copy == NULL) return 0;
    memcpy(copy, bytes, n);
    copy[n] = '\0';
    char *rest = strstr(copy, "---\n");
    if (rest != NULL) *rest = '\0', rest += 4;
    for (char *line = rest; line != NULL && n_items < LINES;) {
        char *end = strchr(line, '\n'), id[8];
        if (end != NULL) *end++ = '\0';
        snprintf(id, sizeof id, "%d", n_items);
        MUST(ki_idmap_add(&ids, id, strlen(id), &at) == KITH_OK);
        lines[n_items++] = line;
        line = end;
    }
    t.n_rows = n_items;
    if (n_items > 0) {
        MUST(ki_column_from_strings(&column, "title", n_items, (const char *const *)lines, KI_COL_TEXT, 0) == KITH_OK);
        MUST(ki_table_append(&t, &column) == KITH_OK);
    }
    if (ki_block_make(&ids, &t, copy, &b) == KITH_OK)
        check(b, lines, n_items);
    else
        MUST(b == NULL && kith_last_error()[0] != '\0');
    kith_block_free(b);
    ki_table_clear(&t);
    ki_idmap_clear(&ids);
    free(copy);
    MUST(ki_alloc_live() == live);
    return 0;
}
