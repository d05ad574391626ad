/* SPDX-License-Identifier: MIT
 * phrases.c -- which language, and a phrase of it with its slots filled
 */
#include "engine/phrasebooks.h"

#include "base/letters.h"
#include "base/mem.h"
#include "kith.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- which ---- */

const char *const *kith_languages(void)
{
    return ki_phrasebook_codes;
}

static void list_codes(char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t j = 0; j < KI_N_LANGUAGES && used < size; j++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", j > 0 ? ", " : "",
                                 ki_phrasebook_codes[j]);
}

kith_err ki_phrasebook_find(const char *tag, const ki_phrasebook **out)
{
    char list[100];
    const size_t n = tag == NULL ? 0 : strcspn(tag, "-_");
    if (tag == NULL || tag[0] == '\0') return *out = &ki_phrasebooks[0], KITH_OK;
    for (size_t j = 0; j < KI_N_LANGUAGES; j++)
        if (strlen(ki_phrasebook_codes[j]) == n && strncasecmp(ki_phrasebook_codes[j], tag, n) == 0)
            return *out = &ki_phrasebooks[j], KITH_OK;
    list_codes(list, sizeof list);
    return ki_fail(KITH_EINVAL, "there are no sentences in the language \"%.20s\"; there are %s",
                   tag, list);
}

/* ---- what it says ---- */

const char *ki_phrasebook_say(const ki_phrasebook *l, ki_phrase phrase, int64_t n)
{
    const char *const *forms = l->phrases[phrase];
    const int one = n == 1 || (n == 0 && l->zero_is_one);
    return one || forms[1] == NULL ? forms[0] : forms[1];
}

/* Does the word begin with the sound of i?  "hielo" and "Iago" do not. */
static int begins_with_i(const char *word)
{
    const char *end = word + strlen(word);
    uint32_t c = word < end ? ki_letter_next(&word, end) : 0;
    if (c == 'h') c = word < end ? ki_letter_next(&word, end) : 0;
    if (c == 0xed) return 1; /* an accent: "Íñigo" */
    const uint32_t next = word < end ? ki_letter_next(&word, end) : 0;
    return c == 'i' && next != 'a' && next != 'e' && next != 'o';
}

const char *ki_phrasebook_and(const ki_phrasebook *l, const char *last)
{
    return l->and_before_i != NULL && begins_with_i(last) ? l->and_before_i : l->and;
}

const char *ki_phrasebook_count(const ki_phrasebook *l, int64_t n, char *out, size_t size)
{
    char digits[24];
    size_t used = 0;
    const int length = snprintf(digits, sizeof digits, "%lld", (long long)n);
    for (int j = 0; j < length; j++) {
        const int grouped = j > 0 && (length - j) % 3 == 0 && length >= l->group_from;
        if (used + (grouped ? strlen(l->group) : 0) + 2 > size) break;
        if (grouped) used += (size_t)snprintf(out + used, size - used, "%s", l->group);
        out[used++] = digits[j];
    }
    out[used] = '\0';
    return out;
}

const char *ki_phrasebook_percent(const ki_phrasebook *l, double share, char *out, size_t size)
{
    const double whole = round(100 * share);
    const double shown = share > 0 && share < 1 ? fmax(1, fmin(99, whole)) : whole;
    snprintf(out, size, "%.0f%s", shown, l->percent);
    return out;
}

const char *ki_phrasebook_open(const ki_phrasebook *l)
{
    return l->open;
}

const char *ki_phrasebook_close(const ki_phrasebook *l)
{
    return l->close;
}

size_t ki_phrasebook_quote(const ki_phrasebook *l, const char *name, size_t n, char *out,
                           size_t used, size_t size)
{
    const size_t more = strlen(l->open) + n + strlen(l->close);
    if (used + more + 1 > size) return used;
    snprintf(out + used, size - used, "%s%.*s%s", l->open, (int)n, name, l->close);
    return used + more;
}

/* The slot at or after `from`, which of the fillings goes there, and where it ends; NULL when there is none. */
static const char *next_slot(const char *from, int *next, int *which, const char **end)
{
    for (const char *at = from; (at = strchr(at, '{')) != NULL; at++) {
        const int numbered = at[1] >= '1' && at[1] <= '9';
        if (at[1 + numbered] != '}') continue;
        *which = numbered ? at[1] - '1' : (*next)++;
        *end = at + 2 + numbered;
        return at;
    }
    return NULL;
}

void ki_phrase_say(ki_words *out, const char *pattern, const char *const *fillings, int n)
{
    const char *slot, *end, *from = pattern;
    for (int next = 0, which; (slot = next_slot(from, &next, &which, &end)) != NULL; from = end) {
        ki_words_put(out, from, (size_t)(slot - from));
        if (which < n) ki_words_put(out, fillings[which], strlen(fillings[which]));
    }
    ki_words_put(out, from, strlen(from));
}

void ki_phrase_fill(const char *pattern, const char *filling, char *out, size_t size)
{
    const char *slot = strstr(pattern, "{}");
    const int before = slot == NULL ? (int)strlen(pattern) : (int)(slot - pattern);
    const int n = snprintf(out, size, "%.*s%s%s", before, pattern, slot == NULL ? "" : filling,
                           slot == NULL ? "" : slot + 2);
    if (n < 0 || (size_t)n < size) return;
    size_t end = size - 1; /* where a character began that was cut */
    while (end > 0 && ((unsigned char)out[end - 1] & 0xc0) == 0x80) end--;
    if (end > 0 && (unsigned char)out[end - 1] >= 0xc0) out[end - 1] = '\0';
}
