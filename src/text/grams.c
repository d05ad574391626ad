/* SPDX-License-Identifier: MIT
 * grams.c -- stop words out, stems in, then runs of words and parts of words
 *
 * A word is looked up among the stop words without its accents, stemmed with them (rules for French
 * endings name them), and stripped of them at last, so that "Pokémon" and "pokemon" meet.
 */
#include "text/grams.h"

#include "base/mem.h"

#include <libstemmer.h>
#include <string.h>

struct word {
    char stem[KI_TOKEN_BYTES + 1], label[KI_TOKEN_BYTES + 1];
    size_t stem_n, label_n;
};

struct recent { /* the last words, newest at the end; n falls to 0 at punctuation */
    struct word words[KI_GRAM_WORDS];
    int n;
};

static kith_err speak(ki_grams *g, ki_language language)
{
    struct sb_stemmer **stemmer = &g->stemmer[language];
    if (language > KI_LANGUAGE_NONE && *stemmer == NULL &&
        (*stemmer = sb_stemmer_new(ki_language_names[language], NULL)) == NULL)
        return ki_fail_memory(sizeof(struct word)); /* all names are known */
    g->speaks = language;
    return KITH_OK;
}

kith_err ki_grams_new(const ki_gram_options *options, ki_grams *out)
{
    ki_grams g = { .options = *options };
    const kith_err err = speak(&g, options->language);
    if (err == KITH_OK) *out = g;
    return err;
}

kith_err ki_grams_speak(ki_grams *g, const ki_language_votes *votes)
{
    const ki_language own = ki_language_decide(votes, 1);
    return speak(g, own == KI_LANGUAGE_NONE ? g->options.language : own);
}

void ki_grams_clear(ki_grams *g)
{
    for (int l = 0; l < KI_LANGUAGES; l++)
        if (g->stemmer[l] != NULL) sb_stemmer_delete(g->stemmer[l]);
    ki_tokens_clear(&g->tokens);
    *g = (ki_grams){ 0 };
}

/* ---- one word ---- */

static size_t bare(const ki_token *t, const char *text, size_t n, char *out)
{
    if (!t->is_ascii) return ki_token_strip(text, n, out);
    memcpy(out, text, n);
    out[n] = '\0';
    return n;
}

/* Fill *w from token j; 0 when the word is none that counts. */
static int make_word(ki_grams *g, int32_t j, struct word *w)
{
    const ki_token *t = &g->tokens.list[j];
    const char *text = ki_token_text(&g->tokens, j);
    memcpy(w->label, text, (size_t)t->n + 1);
    w->label_n = t->n;
    w->stem_n = bare(t, text, t->n, w->stem);
    if (t->is_pair) return w->stem_n > 0;
    if (w->stem_n == 0 || ki_language_stops(g->speaks, w->stem)) return 0;
    struct sb_stemmer *stemmer = g->stemmer[g->speaks];
    if (stemmer == NULL) return 1;
    const sb_symbol *stem = sb_stemmer_stem(stemmer, (const sb_symbol *)text, t->n);
    const int n = stem == NULL ? 0 : sb_stemmer_length(stemmer);
    if (n > 0 && n <= KI_TOKEN_BYTES) w->stem_n = bare(t, (const char *)stem, (size_t)n, w->stem);
    return w->stem_n > 0;
}

/* ---- terms ---- */

static size_t put(char *out, size_t used, const char *word, size_t n)
{
    if (used > 0) out[used++] = ' ';
    memcpy(out + used, word, n);
    return used + n;
}

/* The last n words as one term. */
static kith_err tell_words(const struct recent *r, int n, float weight, ki_gram_fn fn, void *arg)
{
    char text[KI_GRAM_BYTES], label[KI_GRAM_BYTES];
    size_t text_n = 0, label_n = 0;
    for (int j = r->n - n; j < r->n; j++) {
        text_n = put(text, text_n, r->words[j].stem, r->words[j].stem_n);
        label_n = put(label, label_n, r->words[j].label, r->words[j].label_n);
    }
    return fn(arg, &(ki_gram){ text, text_n, label, label_n }, weight);
}

static kith_err tell_word(const ki_grams *g, struct recent *r, const struct word *w, float weight,
                          ki_gram_fn fn, void *arg)
{
    if (r->n == KI_GRAM_WORDS) memmove(r->words, r->words + 1, (size_t)--r->n * sizeof *w);
    r->words[r->n++] = *w;
    for (int n = 1; n <= KI_MIN(g->options.words, r->n); n++) {
        const kith_err err = tell_words(r, n, weight, fn, arg);
        if (err != KITH_OK) return err;
    }
    return KITH_OK;
}

/* "~" and each run of char_min to char_max characters of "_word_". */
static kith_err tell_parts(const ki_grams *g, const char *word, size_t n, float weight,
                           ki_gram_fn fn, void *arg)
{
    char padded[KI_TOKEN_BYTES + 3], part[KI_TOKEN_BYTES + 4] = "~";
    size_t at[KI_TOKEN_BYTES + 4]; /* where characters begin; the end too */
    int n_chars = 0;
    padded[0] = padded[n + 1] = '_';
    memcpy(padded + 1, word, n);
    for (size_t j = 0; j < n + 2; j++)
        if (((unsigned char)padded[j] & 0xc0) != 0x80) at[n_chars++] = j;
    at[n_chars] = n + 2;
    for (int len = g->options.char_min; len <= g->options.char_max; len++)
        for (int j = 0; j + len <= n_chars; j++) {
            const size_t bytes = at[j + len] - at[j];
            memcpy(part + 1, padded + at[j], bytes);
            const kith_err err = fn(arg, &(ki_gram){ .text = part, .n = bytes + 1 }, weight);
            if (err != KITH_OK) return err;
        }
    return KITH_OK;
}

kith_err ki_grams_of(ki_grams *g, const char *text, size_t n, float weight, ki_gram_fn fn,
                     void *arg)
{
    struct recent recent = { .n = 0 };
    struct word w;
    char plain[KI_TOKEN_BYTES + 1];
    kith_err err = ki_tokens_split(&g->tokens, text, n);
    for (int32_t j = 0; err == KITH_OK && j < g->tokens.n; j++) {
        const ki_token *t = &g->tokens.list[j];
        if (t->new_start) recent.n = 0;
        if (!make_word(g, j, &w)) continue;
        if ((err = tell_word(g, &recent, &w, weight, fn, arg)) != KITH_OK) return err;
        if (g->options.char_max == 0 || t->is_pair) continue;
        const size_t plain_n = bare(t, ki_token_text(&g->tokens, j), t->n, plain);
        err = tell_parts(g, plain, plain_n, weight, fn, arg);
    }
    return err;
}
