/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/letters.h"
#include "base/mem.h"
#include "engine/phrases.h"

static int n_languages(void)
{
    int n = 0;
    while (kith_languages()[n] != NULL) n++;
    return n;
}

static const ki_phrasebook *book(const char *tag)
{
    const ki_phrasebook *l = NULL;
    CHECK_OK(ki_phrasebook_find(tag, &l));
    return l;
}

static int n_slots(const char *pattern)
{
    int n = 0;
    for (const char *at = pattern; (at = strchr(at, '{')) != NULL; at++) n++;
    return n;
}

/* The slots that are numbered, as bits. */
static int numbered(const char *pattern)
{
    int bits = 0;
    for (const char *at = pattern; (at = strchr(at, '{')) != NULL; at++)
        if (at[1] >= '1' && at[1] <= '9') bits |= 1 << (at[1] - '1');
    return bits;
}

static int is_utf8(const char *text)
{
    const char *end = text + strlen(text);
    while (text < end)
        if ((ki_letter_next(&text, end) & 0xff00) == 0xdc00) return 0; /* how a stray byte is told */
    return 1;
}

/* A translator who forgets a phrase, or its slot, is found here and not by a reader. */
TEST_EACH(every_language_says_every_phrase, n_languages)
{
    const ki_phrasebook *l = book(kith_languages()[loop_index]), *en = book(NULL);
    for (int p = 0; p < KI_N_PHRASES; p++)
        for (int n = 0; n < 3; n++) {
            const char *pattern = ki_phrasebook_say(l, (ki_phrase)p, n);
            CHECK(pattern != NULL && pattern[0] != '\0');
            CHECK(is_utf8(pattern));
            CHECK_INT(n_slots(pattern), n_slots(ki_phrasebook_say(en, (ki_phrase)p, n)));
            CHECK_INT(numbered(pattern), numbered(ki_phrasebook_say(en, (ki_phrase)p, n)));
            CHECK(l == en || strcmp(pattern, ki_phrasebook_say(en, (ki_phrase)p, n)) != 0);
        }
    CHECK(is_utf8(ki_phrasebook_open(l)) && is_utf8(ki_phrasebook_close(l)));
}

TEST(a_tag_is_heard_in_any_case_and_with_a_region)
{
    CHECK(book("de") == book("DE") && book("de-AT") == book("de") && book("de_CH") == book("de"));
    CHECK(book("") == book("en") && book(NULL) == book("en") && book("fr") != book("en"));
    const ki_phrasebook *l = book("fr"), *before = l;
    CHECK_FAILS(ki_phrasebook_find("deutsch", &l), KITH_EINVAL, "de, es, fr");
    CHECK_FAILS(ki_phrasebook_find("d", &l), KITH_EINVAL, "\"d\"");
    CHECK_FAILS(ki_phrasebook_find("-de", &l), KITH_EINVAL, "\"-de\"");
    CHECK(l == before);
}

static const char *count(const char *tag, int64_t n)
{
    static char out[40];
    return ki_phrasebook_count(book(tag), n, out, sizeof out);
}

static const char *said(const char *pattern, const char *const *fillings, int n)
{
    static char out[200];
    char *text = NULL;
    ki_words words = { 0 };
    ki_phrase_say(&words, pattern, fillings, n);
    CHECK_OK(ki_words_take(&words, &text));
    snprintf(out, sizeof out, "%s", text);
    ki_free(text);
    return out;
}

TEST(slots_are_filled_in_the_order_of_the_language)
{
    const char *const two[] = { "a", "{}{1}" };
    CHECK_STR(said("{1} of {2}", two, 2), "a of {}{1}"); /* what fills a slot is not looked at */
    CHECK_STR(said("{2} vor {1}", two, 2), "{}{1} vor a");
    CHECK_STR(said("{}, {}", two, 2), "a, {}{1}");
    CHECK_STR(said("{1}, {1}", two, 2), "a, a");
    CHECK_STR(said("{ {x} {10} {", two, 2), "{ {x} {10} {"); /* no slots */
    CHECK_STR(said("none", NULL, 0), "none");
    CHECK_STR(said("", NULL, 0), "");
}

TEST(numbers_are_grouped_as_each_language_does)
{
    CHECK_STR(count("en", 0), "0");
    CHECK_STR(count("en", 999), "999");
    CHECK_STR(count("en", 1234567), "1,234,567");
    CHECK_STR(count("de", 1234), "1.234");
    CHECK_STR(count("es", 1234), "1234"); /* CLDR: from five digits on */
    CHECK_STR(count("es", 12345), "12.345");
    CHECK_STR(count("fr", 1234), "1\xe2\x80\xaf"
                                 "234");
    CHECK_STR(count("en", INT64_MAX), "9,223,372,036,854,775,807");
    CHECK_STR(count("fr", INT64_MAX) + strlen(count("fr", INT64_MAX)) - 3, "807"); /* the longest fits */
}

TEST(zero_is_one_in_french_and_many_in_english)
{
    CHECK_STR(ki_phrasebook_say(book("fr"), KI_PHRASE_N_LIKED, 0), "aimé par {} personne");
    CHECK_STR(ki_phrasebook_say(book("fr"), KI_PHRASE_N_LIKED, 2), "aimé par {} personnes");
    CHECK_STR(ki_phrasebook_say(book("en"), KI_PHRASE_N_LIKED, 0), "liked by {} people");
    CHECK_STR(ki_phrasebook_say(book("en"), KI_PHRASE_N_LIKED, 1), "liked by {} person");
}

TEST(spanish_and_before_the_sound_of_i)
{
    const ki_phrasebook *es = book("es");
    CHECK_STR(ki_phrasebook_and(es, "Ida"), " e ");
    CHECK_STR(ki_phrasebook_and(es, "hijos"), " e ");
    CHECK_STR(ki_phrasebook_and(es, "Íñigo"), " e ");
    CHECK_STR(ki_phrasebook_and(es, "hielo"), " y ");
    CHECK_STR(ki_phrasebook_and(es, "Heat"), " y ");
    CHECK_STR(ki_phrasebook_and(es, ""), " y ");
    CHECK_STR(ki_phrasebook_and(book("en"), "Ida"), " and ");
}

TEST(what_does_not_fit_is_cut_between_characters)
{
    char out[12];
    ki_phrase_fill("<{}>", "a", out, sizeof out);
    CHECK_STR(out, "<a>");
    ki_phrase_fill("no slot", "a", out, sizeof out);
    CHECK_STR(out, "no slot");
    for (size_t size = 1; size <= sizeof out; size++) {
        ki_phrase_fill("{}", "ä€ä€ä€", out, size); /* 2 and 3 bytes by turns: every cut is tried */
        CHECK(strlen(out) < size && is_utf8(out));
    }
    CHECK_INT((int)ki_phrasebook_quote(book("fr"), "long", 4, out, 0, 10), 0); /* whole, or not at all */
}

/* ---- in lists ---- */

struct world {
    kith *k;
    kith_data *d;
    kith_model *m;
};

static struct world open_world(const char *model)
{
    static const char *const users[] = { "ann", "ann", "bob", "bob", "bob", "cleo", "cleo", "dan" };
    static const char *const items[] = { "Heat", "Ida, again", "Heat", "Ida, again", "z", "Heat", "z", "Ida, again" };
    struct world w = { 0 };
    CHECK_OK(kith_new(NULL, &w.k));
    CHECK_OK(kith_data_new(w.k, 8, users, items, NULL, NULL, &w.d));
    CHECK_OK(kith_train(w.k, w.d, model, NULL, 0, &w.m));
    return w;
}

static void close_world(struct world *w)
{
    kith_model_free(w->m);
    kith_data_free(w->d);
    kith_free(w->k);
    CHECK_INT(ki_alloc_live(), 0);
}

static const char *reason(const struct world *w, kith_query q)
{
    static char out[300];
    kith_list *l = NULL;
    q.n_reasons = 3;
    CHECK_OK(kith_recommend(w->k, w->m, &q, &l));
    CHECK(l->n > 0 && l->items[0].reason != NULL);
    snprintf(out, sizeof out, "%s", l->items[0].reason);
    kith_list_free(l);
    return out;
}

static const char *note(const struct world *w, kith_query q)
{
    static char out[600];
    kith_list *l = NULL;
    CHECK_OK(kith_recommend(w->k, w->m, &q, &l));
    snprintf(out, sizeof out, "%s", l->note);
    kith_list_free(l);
    return out;
}

/* The third item is liked with both others: one history item, or two, stand in the sentence. */
TEST(reasons_come_in_the_language_asked_for)
{
    struct world w = open_world("item-knn");
    const char *const one[] = { "Heat" }, *const two[] = { "Heat", "Ida, again" };
    const kith_query q1 = { .liked = one, .n_liked = 1, .exclude = two + 1, .n_exclude = 1, .language = "de" },
                     q2 = { .liked = two, .n_liked = 2, .language = "de-AT" };
    CHECK_STR(reason(&w, q1), "weil dir Heat gefallen hat");
    CHECK_STR(reason(&w, q2), "weil dir Heat und „Ida, again“ gefallen haben");
    CHECK_STR(reason(&w, (kith_query){ .liked = two, .n_liked = 2 }), "because you liked Heat and \"Ida, again\"");
    CHECK_STR(reason(&w, (kith_query){ .liked = two, .n_liked = 2, .language = "es" }),
              "porque te gustaron Heat e «Ida, again»");
    close_world(&w);
}

TEST(notes_come_in_the_language_asked_for)
{
    struct world w = open_world("popularity");
    static const char *const liked[] = { "Heat", "n1", "n2", "n3", "n4", "n5", "n6", "n7" };
    CHECK_STR(note(&w, (kith_query){ .user = "zoë", .language = "fr" }),
              "le modèle ne connaît pas «\xc2\xa0zoë\xc2\xa0»; voici des articles populaires");
    CHECK_STR(note(&w, (kith_query){ .liked = liked, .n_liked = 2, .language = "de" }),
              "diesen gemochten Artikel kennt das Modell nicht, er bleibt außer Acht: „n1“");
    CHECK_STR(note(&w, (kith_query){ .liked = liked, .n_liked = 8, .language = "it" }),
              "il modello non conosce questi articoli graditi, che restano esclusi: «n1», «n2», «n3», «n4», «n5» e 2 "
              "in più");
    CHECK_STR(reason(&w, (kith_query){ .user = "zoë", .language = "de" }), "gefällt 3 Personen");
    kith_list *l = NULL;
    CHECK_FAILS(kith_recommend(w.k, w.m, &(kith_query){ .user = "ann", .language = "tlh" }, &l), KITH_EINVAL,
                "\"tlh\"; there are en, de");
    close_world(&w);
}
