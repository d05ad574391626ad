/* SPDX-License-Identifier: MIT
 * titles.c -- kith_model_search, kith_model_pick_item: items by what people call them
 *
 * Every title is graded against the words that were asked (kith_match); nothing is indexed, so one
 * search reads all titles: about 2 ms for 10,000 of them, some ten times that when nothing is found
 * and edit distances are asked.  Does not know synonyms, stems or accents (u is not ü).
 */
#include "base/closest.h"
#include "base/letters.h"
#include "base/mem.h"
#include "model/package.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 16, SHOWN = 8, TITLE_BYTES = 60 };

struct word {
    const char *text;
    size_t n;
};

struct asked { /* what is looked for */
    const char *text;
    struct word words[MOST_WORDS];
    int n_words; /* beyond MOST_WORDS: not a title */
    size_t n_letters;
};

struct graded {
    int32_t item;
    kith_match match;
    int distance; /* of KITH_MATCH_NEAR: letters that are wrong */
    int32_t n_users;
};

static struct asked ask(const char *text)
{
    struct asked a = { .text = text };
    const char *at = text, *end = text + strlen(text), *word;
    size_t n;
    while (a.n_words <= MOST_WORDS && (word = ki_word_next(&at, end, &n)) != NULL) {
        if (a.n_words < MOST_WORDS) a.words[a.n_words] = (struct word){ word, n };
        a.n_words++;
        a.n_letters += n;
    }
    if (a.n_words > MOST_WORDS) a.n_words = 0;
    return a;
}

/* ---- one word against another ---- */

enum likeness { DIFFERENT, BEGINS, SAME };

static enum likeness compare(const struct word *asked, const struct word *other)
{
    const char *a = asked->text, *b = other->text;
    const char *const a_end = a + asked->n, *const b_end = b + other->n;
    while (a < a_end && b < b_end)
        if (ki_letter_next(&a, a_end) != ki_letter_next(&b, b_end)) return DIFFERENT;
    if (a < a_end) return DIFFERENT;
    return b < b_end ? BEGINS : SAME;
}

/* Where the title ends without the year in brackets that films carry. */
static const char *before_year(const char *title)
{
    const size_t n = strlen(title);
    const char *bracket = n < 7 ? NULL : title + n - 6;
    if (bracket == NULL || bracket[0] != '(' || strspn(bracket + 1, "0123456789") != 4 ||
        strcmp(bracket + 5, ")") != 0)
        return title + n;
    return bracket;
}

/* The likeness of the asked word to the most like word of the title. */
static enum likeness best_in(const struct word *asked, const char *title, const char *end)
{
    enum likeness best = DIFFERENT;
    struct word w;
    while (best != SAME && (w.text = ki_word_next(&title, end, &w.n)) != NULL) {
        const enum likeness one = compare(asked, &w);
        if (one > best) best = one;
    }
    return best;
}

/* ---- a title against all words ---- */

/* Are these all the words there are?  Each asked one is in the title already. */
static int says_no_more(const struct asked *a, const char *title, const char *end)
{
    struct word w;
    int n = 0;
    while ((w.text = ki_word_next(&title, end, &w.n)) != NULL) {
        int asked = 0;
        for (int j = 0; j < a->n_words && !asked; j++) asked = compare(&a->words[j], &w) == SAME;
        if (!asked || ++n > a->n_words) return 0;
    }
    return n == a->n_words;
}

/* KITH_MATCH_NEAR stands for: none of the others. */
static kith_match grade(const struct asked *a, const char *title)
{
    const char *end = title + strlen(title), *year = before_year(title);
    enum likeness least = SAME;
    for (int j = 0; j < a->n_words && least != DIFFERENT; j++) {
        const enum likeness one = best_in(&a->words[j], title, end);
        if (one < least) least = one;
    }
    if (a->n_words == 0 || least == DIFFERENT) return KITH_MATCH_NEAR;
    if (least == BEGINS) return KITH_MATCH_BEGINS;
    const int whole = says_no_more(a, title, year) || says_no_more(a, title, end);
    return whole ? KITH_MATCH_TITLE : KITH_MATCH_WORDS;
}

/* How many letters of the words are wrong, each word against the nearest of the title; as many as
 * there are when it is hopeless. */
static int wrong_letters(const struct asked *a, const char *title)
{
    const char *end = title + strlen(title);
    size_t sum = 0;
    for (int j = 0; j < a->n_words && sum * 3 <= a->n_letters; j++) {
        const struct word *asked = &a->words[j];
        size_t best = asked->n;
        struct word w;
        for (const char *at = title; (w.text = ki_word_next(&at, end, &w.n)) != NULL;) {
            const size_t apart = w.n > asked->n ? w.n - asked->n : asked->n - w.n;
            if (apart >= best && apart > 3) continue; /* bytes: a letter has up to four */
            best = KI_MIN(best, (size_t)ki_edit_distance(asked->text, asked->n, w.text, w.n));
        }
        sum += best;
    }
    return (int)KI_MIN(sum, a->n_letters);
}

/* ---- all titles ---- */

static int better_first(const void *a, const void *b)
{
    const struct graded *x = a, *y = b;
    if (x->match != y->match) return x->match < y->match ? -1 : 1;
    if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
    if (x->n_users != y->n_users) return x->n_users > y->n_users ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static int collect_matches(const kith_model *m, const struct asked *a, struct graded *out)
{
    const int32_t by_id = ki_idmap_find(&m->items, a->text, strlen(a->text));
    int n = 0;
    for (int32_t i = 0; i < m->core.n_items; i++) {
        const char *title = ki_item_title(&m->item_attrs, i);
        kith_match match = KITH_MATCH_ID;
        if (i != by_id && (title == NULL || (match = grade(a, title)) == KITH_MATCH_NEAR)) continue;
        out[n++] = (struct graded){ i, match, 0, m->reach[i] };
    }
    return n;
}

static int collect_near(const kith_model *m, const struct asked *a, struct graded *out)
{
    int n = 0;
    for (int32_t i = 0; a->n_words > 0 && i < m->core.n_items; i++) {
        const char *title = ki_item_title(&m->item_attrs, i);
        const int wrong = title == NULL ? 0 : wrong_letters(a, title);
        if (title == NULL || (size_t)wrong * 3 > a->n_letters) continue;
        out[n++] = (struct graded){ i, KITH_MATCH_NEAR, wrong, m->reach[i] };
    }
    return n;
}

kith_err kith_model_search(const kith_model *m, const char *text, int n, kith_found *found,
                           int *n_found, int *n_all)
{
    struct graded *all = NULL;
    if (m == NULL || text == NULL || (found == NULL && n > 0) || n_found == NULL || n_all == NULL)
        return ki_fail(KITH_EINVAL,
                       "kith_model_search: model, text, found, n_found and n_all must not be NULL");
    if (n < 0) return ki_fail(KITH_EINVAL, "kith_model_search: n is %d, want 0 or more", n);
    const struct asked a = ask(text);
    const kith_err err = ki_alloc(&all, (size_t)m->core.n_items, sizeof *all);
    if (err != KITH_OK) return err;
    *n_all = collect_matches(m, &a, all);
    if (*n_all == 0) *n_all = collect_near(m, &a, all);
    qsort(all, (size_t)*n_all, sizeof *all, better_first);
    *n_found = KI_MIN(n, *n_all);
    for (int j = 0; j < *n_found; j++)
        found[j] = (kith_found){ .item = all[j].item,
                                 .match = all[j].match,
                                 .n_users = all[j].n_users,
                                 .item_id = ki_idmap_name(&m->items, all[j].item),
                                 .title = ki_item_title(&m->item_attrs, all[j].item) };
    ki_free(all);
    return KITH_OK;
}

/* ---- the one that is meant ---- */

/* At most `most` bytes of a text, never half of a UTF-8 character. */
static int shown(const char *text, size_t most)
{
    size_t n = strnlen(text, most + 1);
    if (n <= most) return (int)n;
    for (n = most; n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80;) n--;
    return (int)n;
}

/* "Heat (1995)" (id 12), "Heat Wave" (id 7): as many as there is room for. */
static void name_found(const kith_found *found, int n, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int j = 0; j < n; j++) {
        const char *title = found[j].title == NULL ? "" : found[j].title;
        char one[160];
        const int length = snprintf(one, sizeof one, "%s\"%.*s\" (id %.*s)", j > 0 ? ", " : "",
                                    shown(title, TITLE_BYTES), title, shown(found[j].item_id, 40),
                                    found[j].item_id);
        if (used + (size_t)length >= size) return;
        memcpy(out + used, one, (size_t)length + 1);
        used += (size_t)length;
    }
}

static kith_err none_found(const kith_model *m, const char *text)
{
    return ki_fail(KITH_ENOTFOUND,
                   "no item \"%.64s\" among the %d that the model knows, by id or by title; the "
                   "first has the id \"%.64s\"",
                   text, m->items.n, ki_idmap_name(&m->items, 0));
}

/* Of titles that only look like it those with as few wrong letters: more of them would be far-fetched beside it. */
static int is_as_good(const struct asked *a, const kith_found *one, const kith_found *best)
{
    if (one->match != best->match) return 0;
    return one->match != KITH_MATCH_NEAR ||
           wrong_letters(a, one->title) == wrong_letters(a, best->title);
}

kith_err kith_model_pick_item(const kith_model *m, const char *text, int32_t *item)
{
    kith_found found[SHOWN];
    char names[SHOWN * 100];
    int n = 0, all = 0, best = 0;
    if (m == NULL || text == NULL || item == NULL)
        return ki_fail(KITH_EINVAL, "kith_model_pick_item: model, text and item must not be NULL");
    const int32_t by_id = kith_model_find_item(m, text);
    if (by_id >= 0) return *item = by_id, KITH_OK;
    const kith_err err = kith_model_search(m, text, SHOWN, found, &n, &all);
    if (err != KITH_OK) return err;
    if (n == 0) return none_found(m, text);
    const struct asked a = ask(text);
    while (best < n && is_as_good(&a, &found[best], &found[0])) best++;
    if (found[0].match != KITH_MATCH_NEAR && best == 1) return *item = found[0].item, KITH_OK;
    name_found(found, found[0].match == KITH_MATCH_NEAR ? KI_MIN(best, 3) : best, names,
               sizeof names);
    if (found[0].match == KITH_MATCH_NEAR)
        return ki_fail(KITH_ENOTFOUND, "no item \"%.64s\"; did you mean %s?", text, names);
    return ki_fail(KITH_ENOTFOUND, "\"%.64s\" may be%s: %s; give the id, or the whole title", text,
                   best == SHOWN && all > SHOWN ? " one of many" : "", names);
}

int32_t kith_model_find_user(const kith_model *m, const char *user_id)
{
    return user_id == NULL ? -1 : ki_idmap_find(&m->users, user_id, strlen(user_id));
}

int32_t kith_model_find_item(const kith_model *m, const char *item_id)
{
    return item_id == NULL ? -1 : ki_idmap_find(&m->items, item_id, strlen(item_id));
}

const char *kith_model_item_title(const kith_model *m, int32_t i)
{
    return i >= 0 && i < m->items.n ? ki_item_title(&m->item_attrs, i) : NULL;
}
