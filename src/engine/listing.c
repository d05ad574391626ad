/* SPDX-License-Identifier: MIT
 * listing.c -- laying a list out in one block
 *
 * The same walk runs twice: without memory it counts the bytes, with memory it writes them.  The
 * block is the list, its items, how they meet wishes, their reasons, then all strings.
 *
 * Wishes      stand first: "meets your wishes to 87% (ram >= 16: 50%); because you liked ...".
 * Sentences   "because you liked Heat (1995) and Ronin (1998)" names history items with a positive
 *             part in the score.  An item counts as liked when its value is not below both the
 *             user's mean and that of all; where only others speak for the recommendation it is
 *             "because of how you rated ...", unless values are strengths of interest.  A model of
 *             people says "because you know ...".  A model of texts adds the words that they share
 *             with it, or says these alone.  Without any it is how many people have the item, or
 *             that it fits the description when there is one.  An item that nobody has is said to
 *             be new.  The words are those of phrases.c.
 */
#include "engine/listing.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum { NAMED = 3 }; /* items in one sentence */

struct ki_said { /* words of one item */
    ki_word words[NAMED];
    int n;
};

struct block {
    char *base; /* NULL: only count */
    size_t used;
};

/* ---- strings ---- */

static const char *place(const struct block *b)
{
    return b->base == NULL ? NULL : b->base + b->used;
}

static void append(struct block *b, const char *text, size_t n)
{
    if (b->base != NULL) memcpy(b->base + b->used, text, n);
    b->used += n;
}

static void say(struct block *b, const char *text)
{
    append(b, text, strlen(text));
}

static const char *put(struct block *b, const char *text)
{
    const char *at = place(b);
    append(b, text, strlen(text) + 1);
    return at;
}

static const char *put_title(struct block *b, const kith_model *m, int32_t item)
{
    const char *title = ki_item_title(&m->item_attrs, item);
    return title == NULL ? NULL : put(b, title);
}

/* ---- sentences ---- */

static const char *name_of(const kith_model *m, int32_t item)
{
    const char *title = ki_item_title(&m->item_attrs, item);
    return title != NULL ? title : ki_idmap_name(&m->items, item);
}

/* What a phrase about n things says before its slot, and behind it. */
static void say_before(struct block *b, const ki_listing *l, ki_phrase phrase, int64_t n)
{
    const char *pattern = ki_phrasebook_say(l->language, phrase, n), *slot = strstr(pattern, "{}");
    append(b, pattern, (size_t)(slot - pattern));
}

static void say_behind(struct block *b, const ki_listing *l, ki_phrase phrase, int64_t n)
{
    say(b, strstr(ki_phrasebook_say(l->language, phrase, n), "{}") + 2);
}

/* Between name j and the one before it; `name` is the j-th of n. */
static void say_between(struct block *b, const ki_listing *l, int j, int n, const char *name)
{
    if (j > 0) say(b, j == n - 1 ? ki_phrasebook_and(l->language, name) : ", ");
}

static double history_mean(const ki_query *q)
{
    double sum = 0;
    for (int32_t j = 0; j < q->n; j++) sum += (double)q->values[j];
    return q->n > 0 ? sum / q->n : 0;
}

static double value_of(const ki_query *q, int32_t item)
{
    for (int32_t low = 0, high = q->n; low < high;) {
        const int32_t mid = low + (high - low) / 2;
        if (q->items[mid] == item) return (double)q->values[mid];
        if (q->items[mid] < item)
            low = mid + 1;
        else
            high = mid;
    }
    return 0;
}

/* At least this value means that somebody liked it: no less than usual, for all or for whoever gives little to anything;
 * but what lies in the lowest quarter of a scale is liked by nobody, whatever else they gave. */
static double liked_from(const ki_listing *l)
{
    const double usual = KI_MIN(l->m->core.mean, history_mean(l->query));
    const double min = (double)l->m->core.min, max = (double)l->m->core.max;
    if (l->m->core.strengths || !(max > min)) return usual;
    return KI_MAX(usual, nextafter(min + (max - min) / 4, max));
}

/* The first few terms that are liked items, or that are not: `liked` says which.  Returns how many.  They are sought among
 * the same however many reasons are wanted, so that more of these never make a sentence shorter. */
static int choose_named(const ki_listing *l, const ki_term *terms, int n, int liked, int32_t *out)
{
    const double from = liked_from(l);
    int to = 0;
    for (int t = 0; t < n && to < KI_MIN(l->n_reasons, (int)NAMED); t++) {
        const int is_liked = !l->m->core.has_values || value_of(l->query, terms[t].item) >= from;
        if (is_liked == liked) out[to++] = terms[t].item;
    }
    return to;
}

/* The first few terms, whatever their values. */
static int name_all(const ki_listing *l, const ki_term *terms, int n, int32_t *out)
{
    const int to = KI_MIN(n, KI_MIN(l->n_reasons, (int)NAMED));
    for (int t = 0; t < to; t++) out[t] = terms[t].item;
    return to;
}

/* In quotes when it has a comma, which would part it from itself among others. */
static void say_name(struct block *b, const ki_listing *l, const char *name)
{
    const int quotes = strchr(name, ',') != NULL;
    if (quotes) say(b, ki_phrasebook_open(l->language));
    say(b, name);
    if (quotes) say(b, ki_phrasebook_close(l->language));
}

/* The words that are shared: behind the sentence about n items, or alone. */
static void say_words(struct block *b, const ki_listing *l, const struct ki_said *said, int n)
{
    const ki_phrase phrase = n > 0 ? KI_PHRASE_SHARED : KI_PHRASE_WORDS;
    say_before(b, l, phrase, n);
    for (int j = 0; j < said->n; j++) {
        say_between(b, l, j, said->n, said->words[j].word);
        say(b, said->words[j].word);
    }
    say_behind(b, l, phrase, n);
}

/* The items of the history that speak, under the phrase that fits them. */
static void say_items(struct block *b, const ki_listing *l, ki_phrase phrase, const int32_t *named,
                      int n)
{
    say_before(b, l, phrase, n);
    for (int j = 0; j < n; j++) {
        const char *name = name_of(l->m, named[j]);
        say_between(b, l, j, n, name);
        say_name(b, l, name);
    }
    say_behind(b, l, phrase, n);
}

static void say_reach(struct block *b, const ki_listing *l, int32_t item)
{
    const int rated = l->m->core.has_values && !l->m->core.strengths;
    const ki_phrase phrase = rated ? KI_PHRASE_N_RATED : KI_PHRASE_N_LIKED;
    const int32_t n = l->m->reach[item];
    char count[40];
    say_before(b, l, phrase, n);
    say(b, ki_phrasebook_count(l->language, n, count, sizeof count));
    say_behind(b, l, phrase, n);
}

/* Where neither items nor words speak: the description, if the score says so, that it is new, or how
 * many have it. */
static void say_plain(struct block *b, const ki_listing *l, int j)
{
    const int32_t item = l->items[j];
    if (l->basis == KI_BASIS_TEXT && l->scores[j] > 0)
        say(b, ki_phrasebook_say(l->language, KI_PHRASE_DESCRIBED, 1));
    else if (l->m->reach[item] == 0)
        say(b, ki_phrasebook_say(l->language, KI_PHRASE_NEW, 1));
    else
        say_reach(b, l, item);
}

static int n_wishes_of(const ki_listing *l)
{
    return l->wishes == NULL || l->matches == NULL ? 0 : l->wishes->n_wishes;
}

/* The first few wishes that are met in part: "ram >= 16: 50%". */
static void say_unmet(struct block *b, const ki_listing *l, const double *matches)
{
    char share[24];
    int said = 0;
    for (int w = 0; w < n_wishes_of(l) && said < NAMED; w++) {
        if (matches[w] >= 1) continue;
        say(b, said++ == 0 ? " (" : ", ");
        say(b, l->wishes->wishes[w].text);
        say(b, ": ");
        say(b, ki_phrasebook_percent(l->language, matches[w], share, sizeof share));
    }
    say(b, ")");
}

static void say_wishes(struct block *b, const ki_listing *l, int j)
{
    const int n = n_wishes_of(l);
    const double *matches = l->matches + (size_t)j * (size_t)n,
                 utility = ki_knowledge_utility(l->wishes, matches);
    char share[24];
    if (utility >= 1) {
        say(b, ki_phrasebook_say(l->language, KI_PHRASE_ALL_WISHES, n));
    } else {
        say_before(b, l, KI_PHRASE_WISHES, n);
        say(b, ki_phrasebook_percent(l->language, utility, share, sizeof share));
        say_behind(b, l, KI_PHRASE_WISHES, n);
        if (n > 1) say_unmet(b, l, matches);
    }
    say(b, "; ");
}

static const char *put_sentence(struct block *b, const ki_listing *l, int j, const ki_term *terms,
                                int n_terms)
{
    const struct ki_said *said = &l->said[j];
    const char *at = place(b);
    const int people = (l->m->core.desc->needs & KI_NEEDS_PEOPLE) != 0;
    ki_phrase phrase = people ? KI_PHRASE_KNOWN : KI_PHRASE_LIKED;
    int32_t named[NAMED];
    int n = people ? name_all(l, terms, n_terms, named) : choose_named(l, terms, n_terms, 1, named);
    if (n == 0 && n_terms > 0) {
        n = choose_named(l, terms, n_terms, 0, named);
        phrase = l->m->core.strengths ? KI_PHRASE_LIKED : KI_PHRASE_RATED;
    }
    if (n_wishes_of(l) > 0) say_wishes(b, l, j);
    if (n > 0) say_items(b, l, phrase, named, n);
    if (said->n > 0) say_words(b, l, said, n);
    if (n == 0 && said->n == 0) say_plain(b, l, j);
    if ((n > 0 || said->n > 0) && l->m->reach[l->items[j]] == 0) {
        say(b, " (");
        say(b, ki_phrasebook_say(l->language, KI_PHRASE_NEW, 1));
        say(b, ")");
    }
    append(b, "", 1);
    return at;
}

/* ---- layout ---- */

static int n_reasons_of(const ki_listing *l, int j)
{
    return l->terms == NULL ? 0 : KI_MIN(l->n_terms[j], l->n_reasons);
}

/* Terms that speak for the item: they come from the greatest down. */
static int n_positive(const ki_term *terms, int n)
{
    int to = 0;
    while (to < n && terms[to].part > 0) to++;
    return to;
}

static kith_reason make_reason(struct block *b, const kith_model *m, const ki_term *t)
{
    kith_reason r = { .contribution = (double)t->part };
    r.item_id = put(b, ki_idmap_name(&m->items, t->item));
    r.title = put_title(b, m, t->item);
    return r;
}

/* How far item j meets each wish, into met[] (NULL while counting). */
static void lay_wishes(struct block *b, const ki_listing *l, int j, kith_met *met)
{
    const int n = n_wishes_of(l);
    for (int w = 0; w < n; w++) {
        const ki_want *want = &l->wishes->wishes[w];
        const kith_met one = { .want = put(b, want->text),
                               .weight = want->weight,
                               .degree = l->matches[(size_t)j * (size_t)n + (size_t)w] };
        if (met != NULL) met[w] = one;
    }
}

/* Item j; its reasons go to reasons[] (NULL while counting).  Returns how many there are. */
static int lay_item(struct block *b, const ki_listing *l, int j, kith_item *item,
                    kith_reason *reasons)
{
    const int32_t i = l->items[j];
    const size_t at = (size_t)j * (size_t)l->n_reasons;
    const int n = n_reasons_of(l, j);
    const ki_term *terms = n == 0 ? NULL : l->terms + (size_t)j * (size_t)l->n_spoken;
    kith_item made = { .score = (double)l->scores[j], .reasons = reasons, .n_reasons = n };
    made.item_id = put(b, ki_idmap_name(&l->m->items, i));
    made.title = put_title(b, l->m, i);
    made.rest = made.score;
    made.propensity = l->propensity != NULL ? l->propensity[j] : 1;
    if (l->n_reasons > 0)
        made.reason = put_sentence(
            b, l, j, terms, n == 0 ? 0 : n_positive(terms, KI_MIN(l->n_terms[j], l->n_spoken)));
    for (int t = 0; t < n; t++) {
        const kith_reason reason = make_reason(b, l->m, &l->largest[at + (size_t)t]);
        made.rest -= reason.contribution;
        if (reasons != NULL) reasons[t] = reason;
    }
    if (item != NULL) *item = made;
    return n;
}

static const char *const basis_names[] = { "user",    "liked", "text",     "wishes",
                                           "popular", "item",  "trending", "latest" };

static void lay(struct block *b, const ki_listing *l, size_t n_reasons)
{
    kith_list *list = (kith_list *)(void *)b->base;
    kith_item *items = NULL;
    kith_reason *reasons = NULL;
    kith_met *met = NULL;
    const size_t n_met = (size_t)n_wishes_of(l);
    b->used = sizeof *list + (size_t)l->n * (sizeof *items + n_met * sizeof *met) +
              n_reasons * sizeof *reasons;
    if (list != NULL) {
        items = (kith_item *)(list + 1);
        met = (kith_met *)(items + l->n);
        reasons = (kith_reason *)(met + n_met * (size_t)l->n);
    }
    for (int j = 0; j < l->n; j++) {
        const int n = lay_item(b, l, j, items == NULL ? NULL : &items[j], reasons);
        if (reasons != NULL) reasons += n;
        lay_wishes(b, l, j, met);
        if (met == NULL || n_met == 0) continue;
        items[j].wishes = met;
        items[j].n_wishes = (int)n_met;
        met += n_met;
    }
    const char *note = put(b, l->note), *report = put(b, l->report);
    if (list != NULL)
        *list = (kith_list){ .items = items,
                             .n = l->n,
                             .basis = basis_names[l->basis],
                             .note = note,
                             .report = report };
}

/* The words of all items; none without a query to share them, and none for a popular list. */
static kith_err find_words(const ki_listing *l, struct ki_said **out)
{
    const ki_model *m = &l->m->core;
    const ki_form *form = m->desc->form;
    const kith_err err = ki_alloc(out, (size_t)l->n, sizeof **out);
    if (err != KITH_OK || form->words == NULL || l->n_reasons == 0 || l->query == NULL ||
        l->basis == KI_BASIS_POPULAR || l->basis == KI_BASIS_WISHES)
        return err;
    for (int j = 0; j < l->n; j++)
        (*out)[j].n = form->words(m, l->query, l->items[j], (*out)[j].words, NAMED);
    return KITH_OK;
}

kith_err ki_listing_make(const ki_listing *listing, kith_list **out)
{
    ki_listing l = *listing;
    struct block b = { 0 };
    struct ki_said *said = NULL;
    size_t n_reasons = 0;
    kith_err err = find_words(&l, &said);
    if (err != KITH_OK) return err;
    l.said = said;
    for (int j = 0; j < l.n; j++) n_reasons += (size_t)n_reasons_of(&l, j);
    lay(&b, &l, n_reasons);
    if ((err = ki_alloc(&b.base, b.used, 1)) == KITH_OK) {
        lay(&b, &l, n_reasons);
        *out = (kith_list *)(void *)b.base;
    }
    ki_free(said);
    return err;
}

void kith_list_free(kith_list *list)
{
    ki_free(list);
}
