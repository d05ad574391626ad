/* SPDX-License-Identifier: MIT
 * language.c -- stop words looked up, and counted to tell languages apart
 *
 * Running text is two fifths to a half stop words of its own language and a tenth of a neighbour's,
 * so counts tell them apart after a few sentences.  Titles and tags alone have hardly any: then
 * nothing is stemmed, rather than by the wrong rules.
 */
#include "text/language.h"

#include <stdlib.h>
#include <string.h>

const char *const ki_language_names[KI_LANGUAGES + 2] = {
    "auto",       "none",    "english", "german",    "french",  "spanish", "italian", "dutch",
    "portuguese", "swedish", "danish",  "norwegian", "finnish", "russian", "each",
};

static int by_bytes(const void *word, const void *entry)
{
    return strcmp(word, *(const char *const *)entry);
}

/* The word's number among the stop words, or -1. */
static int find_stop(ki_language language, const char *word)
{
    const ki_stop_list *list = &ki_stop_lists[language];
    const char *const *at =
        list->n == 0 ? NULL
                     : bsearch(word, list->words, (size_t)list->n, sizeof *list->words, by_bytes);
    return at == NULL ? -1 : (int)(at - list->words);
}

int ki_language_stops(ki_language language, const char *word)
{
    return find_stop(language, word) >= 0;
}

void ki_language_count(ki_language_votes *v, const ki_tokens *t)
{
    char bare[KI_TOKEN_BYTES + 1];
    v->n += t->n;
    for (int32_t j = 0; j < t->n; j++) {
        const char *word = ki_token_text(t, j);
        if (t->list[j].is_pair) continue;
        if (!t->list[j].is_ascii) {
            ki_token_strip(word, t->list[j].n, bare);
            word = bare;
        }
        for (int l = 0; l < KI_LANGUAGES; l++) {
            const int stop = find_stop(l, word);
            v->stops[l] += stop >= 0;
            if (stop >= 0) v->met[l] |= (uint64_t)1 << stop % 64;
        }
    }
}

ki_language ki_language_decide(const ki_language_votes *v, int least)
{
    int best = KI_LANGUAGE_NONE;
    for (int l = 0; l < KI_LANGUAGES; l++)
        if (v->stops[l] > v->stops[best]) best = l;
    const int known = v->stops[best] * 10 >= v->n && __builtin_popcountll(v->met[best]) >= least;
    return known ? best : KI_LANGUAGE_NONE;
}
