/* SPDX-License-Identifier: MIT
 * test_text.c -- words, stems, weights and search, by hand
 */
#include "test.h"

#include "base/mem.h"
#include "text/counts.h"
#include "text/search.h"

/* ---- tokens ---- */

/* The tokens of a text with '|' between. */
static const char *split(const char *text)
{
    static char out[512];
    ki_tokens t = { 0 };
    size_t used = 0;
    out[0] = '\0';
    CHECK_OK(ki_tokens_split(&t, text, strlen(text)));
    for (int32_t j = 0; j < t.n; j++)
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%s", j > 0 ? "|" : "", ki_token_text(&t, j));
    ki_tokens_clear(&t);
    return out;
}

TEST(tokens_are_folded_in_any_script)
{
    CHECK_STR(split("The MATRIX, 1999!"), "the|matrix|1999");
    CHECK_STR(split("Ｆｉｌｍ ﬁn Straße ΟΔΟΣ ДОМ"), "film|fin|strasse|οδοσ|дом");
    CHECK_STR(split("Pokémon Amélie"), "pokémon|amélie");
    CHECK_STR(split("Poke\xcc\x81mon"), "pokémon"); /* composed and decomposed are one */
    CHECK_STR(split("soft\xc2\xadhyphen l'amour a_b"), "softhyphen|l|amour|a|b");
    CHECK_STR(split(""), "");
}

TEST(scripts_without_blanks_come_as_pairs)
{
    CHECK_STR(split("千と千尋 X기생충"), "千と|と千|千尋|x|기생|생충");
    CHECK_STR(split("猫"), "猫");
    CHECK_STR(split("猫 犬"), "猫|犬");
}

TEST(bytes_that_are_no_utf8_part_words_and_are_never_fatal)
{
    CHECK_STR(split("ab\xff"
                    "cd\xc3"),
              "ab|cd");
    CHECK_STR(split("x\xed\xa0\x80y\xc0\xafz"), "x|y|z");
}

TEST(a_long_run_is_cut_at_a_whole_character)
{
    char text[400];
    memset(text, 'a', sizeof text);
    text[399] = '\0';
    CHECK_INT(strlen(split(text)), KI_TOKEN_BYTES);
    for (int j = 0; j < 398; j += 2) memcpy(text + j, "é", 2);
    text[398] = '\0';
    CHECK_INT(strlen(split(text)), KI_TOKEN_BYTES);
}

TEST(accents_come_off_and_other_marks_stay)
{
    char out[KI_TOKEN_BYTES + 1];
    ki_token_strip("amélie", strlen("amélie"), out);
    CHECK_STR(out, "amelie");
    ki_token_strip("हिन्दी", strlen("हिन्दी"), out);
    CHECK_STR(out, "हिन्दी");
}

/* ---- languages ---- */

TEST(stop_words_are_bare_and_in_byte_order)
{
    char bare[KI_TOKEN_BYTES + 1];
    for (int l = 0; l < KI_LANGUAGES; l++) {
        const ki_stop_list *list = &ki_stop_lists[l];
        CHECK((list->n > 0) == (l >= KI_ENGLISH && l <= KI_SWEDISH));
        for (int j = 0; j < list->n; j++) {
            CHECK(j == 0 || strcmp(list->words[j - 1], list->words[j]) < 0);
            ki_token_strip(list->words[j], strlen(list->words[j]), bare);
            CHECK_STR(bare, list->words[j]);
            CHECK(ki_language_stops(l, list->words[j]));
        }
    }
    CHECK(!ki_language_stops(KI_ENGLISH, "robot"));
}

static ki_language guess(const char *text)
{
    ki_tokens t = { 0 };
    ki_language_votes v = { 0 };
    CHECK_OK(ki_tokens_split(&t, text, strlen(text)));
    ki_language_count(&v, &t);
    ki_tokens_clear(&t);
    return ki_language_decide(&v, 3);
}

TEST(a_language_is_known_by_its_stop_words)
{
    CHECK_INT(guess("A boy who lives under the stairs learns that he is a wizard"), KI_ENGLISH);
    CHECK_INT(guess("Ein Junge, der unter der Treppe lebt, erfährt, dass er ein Zauberer ist"), KI_GERMAN);
    CHECK_INT(guess("Un garçon qui vit sous les escaliers apprend qu'il est un sorcier"), KI_FRENCH);
    CHECK_INT(guess("Un niño que vive bajo las escaleras descubre que él es un mago"), KI_SPANISH);
    CHECK_INT(guess("Un ragazzo che vive sotto le scale scopre di essere un mago"), KI_ITALIAN);
    CHECK_INT(guess("Een jongen die onder de trap woont, ontdekt dat hij een tovenaar is"), KI_DUTCH);
    CHECK_INT(guess("Um menino que mora sob as escadas descobre que ele é um bruxo"), KI_PORTUGUESE);
    CHECK_INT(guess("En pojke som bor under trappan får veta att han är en trollkarl"), KI_SWEDISH);
    CHECK_INT(guess("Heat, Ronin, Alien, Jaws"), KI_LANGUAGE_NONE);
    CHECK_INT(guess(""), KI_LANGUAGE_NONE);
    CHECK_INT(guess("AI breakthrough. More AI. AI for AI"), KI_LANGUAGE_NONE); /* "ai" stops in Italian and French */
}

/* ---- terms ---- */

static char told[1024];

static kith_err tell(void *arg, const ki_gram *g, float weight)
{
    (void)arg, (void)weight;
    const size_t used = strlen(told);
    snprintf(told + used, sizeof told - used, "%s%.*s", used > 0 ? "|" : "", (int)g->n, g->text);
    return KITH_OK;
}

static const char *grams(ki_gram_options o, const char *text)
{
    ki_grams g;
    told[0] = '\0';
    CHECK_OK(ki_grams_new(&o, &g));
    CHECK_OK(ki_grams_of(&g, text, strlen(text), 1, tell, NULL));
    ki_grams_clear(&g);
    return told;
}

TEST(terms_are_stems_and_neighbours_that_no_punctuation_parts)
{
    const ki_gram_options english = { .language = KI_ENGLISH, .words = 2 };
    CHECK_STR(grams(english, "The Lord of the Rings: Running home"), "lord|ring|lord ring|run|home|run home");
    const ki_gram_options plain = { .language = KI_LANGUAGE_NONE, .words = 3 };
    CHECK_STR(grams(plain, "the sci-fi war"), "the|sci|the sci|fi|sci fi|the sci fi|war|fi war|sci fi war");
    const ki_gram_options french = { .language = KI_FRENCH, .words = 1 };
    CHECK_STR(grams(french, "les années étoilées"), "anne|etoil"); /* stemmed with accents, then bare */
}

/* Of one text in the language that its own stop words tell, English where they tell none. */
static const char *grams_each(const char *text)
{
    const ki_gram_options each = { .language = KI_ENGLISH, .each = 1, .words = 1 };
    ki_language_votes votes = { 0 };
    ki_grams g;
    told[0] = '\0';
    CHECK_OK(ki_grams_new(&each, &g));
    CHECK_OK(ki_tokens_split(&g.tokens, text, strlen(text)));
    ki_language_count(&votes, &g.tokens);
    CHECK_OK(ki_grams_speak(&g, &votes));
    CHECK_OK(ki_grams_of(&g, text, strlen(text), 1, tell, NULL));
    ki_grams_clear(&g);
    return told;
}

TEST(every_text_may_have_its_own_language)
{
    CHECK_STR(grams_each("the dogs of the village"), "dog|villag");
    CHECK_STR(grams_each("die Hunde und die Katzen"), "hund|katz");
    CHECK_STR(grams_each("les années étoilées"), "anne|etoil");
    CHECK_STR(grams_each("barking dogs"), "bark|dog"); /* no stop words: the main language */
}

TEST(parts_of_words_stay_within_their_word)
{
    const ki_gram_options o = { .language = KI_LANGUAGE_NONE, .words = 1, .char_min = 3, .char_max = 4 };
    CHECK_STR(grams(o, "ab é"), "ab|~_ab|~ab_|~_ab_|e|~_e_");
}

/* ---- fields and weights ---- */

static ki_column column(const char *name, int kind, const char *const *cells, int32_t n)
{
    ki_column c;
    CHECK_OK(ki_column_from_strings(&c, name, n, cells, kind, '|'));
    return c;
}

static const ki_text_options plain = { .grams = { .language = KI_LANGUAGE_NONE, .words = 1 }, .min_df = 1 };

/* The weight of a term in a row, 0 when absent. */
static float weight(const ki_text_space *s, const ki_csr *X, int32_t row, const char *term)
{
    const int32_t t = ki_text_space_find(s, term, strlen(term));
    const int64_t at = t < 0 ? -1 : ki_csr_find(X, row, t);
    return at < 0 ? 0 : X->val[at];
}

struct fitted {
    ki_column c;
    ki_text_space s;
    ki_csr X;
};

static struct fitted fit(const ki_text_options *o, const char *const *cells, int32_t n)
{
    struct fitted f = { .c = column("plot", KI_COL_TEXT, cells, n) };
    const ki_text_field field = { &f.c, 1 };
    ki_job job = { 0 };
    CHECK_OK(ki_text_space_fit(&f.s, o, &field, 1, n, &job, "test", &f.X));
    CHECK_OK(ki_text_space_check(&f.s));
    return f;
}

static void clear(struct fitted *f)
{
    ki_column_clear(&f->c);
    ki_text_space_clear(&f->s);
    ki_csr_clear(&f->X);
    CHECK_INT(ki_alloc_live(), 0);
}

static const char *const foxes[] = { "red fox", "Red red dog!" };

TEST(a_space_of_several_languages_keeps_what_each_text_speaks)
{
    const char *cells[] = { "the bees and the dogs of the village", "die Bienen und die Hunde im Dorf",
                            "a bee is in the garden of the village" };
    const ki_text_options o = { .grams = { .language = KI_LANGUAGE_EACH, .words = 1 }, .min_df = 1 };
    struct fitted f = fit(&o, cells, 3);
    ki_text_row row;
    CHECK(weight(&f.s, &f.X, 0, "bee") > 0 && weight(&f.s, &f.X, 2, "bee") > 0);
    CHECK(weight(&f.s, &f.X, 1, "bien") > 0 && weight(&f.s, &f.X, 1, "und") == 0 && weight(&f.s, &f.X, 1, "die") == 0);
    CHECK_OK(ki_text_space_check(&f.s));
    CHECK_OK(ki_text_space_vector(&f.s, "eine Biene und ein Hund", &row)); /* German by its stop words */
    CHECK_INT(row.n, 2);
    ki_text_row_clear(&row);
    CHECK_OK(ki_text_space_vector(&f.s, "bees", &row)); /* by nothing: English, which most texts speak */
    CHECK_INT(row.n, 1);
    ki_text_row_clear(&row);
    f.s.settings->language = 2 * KI_LANGUAGES;
    CHECK_FAILS(ki_text_space_check(&f.s), KITH_EFORMAT, "out of range");
    clear(&f);
}

TEST(weights_are_those_of_the_formulas)
{
    ki_text_options o = plain;
    o.weighting = KI_TFIDF;
    struct fitted f = fit(&o, foxes, 2);
    CHECK_INT(f.s.n_terms, 3);
    CHECK_NEAR(weight(&f.s, &f.X, 0, "red"), 1, 1e-6); /* 1 + ln(3/3); float32 from here on */
    CHECK_NEAR(weight(&f.s, &f.X, 0, "fox"), 1 + log(3.0 / 2), 1e-6);
    CHECK_NEAR(weight(&f.s, &f.X, 1, "red"), 1 + log(2), 1e-6);
    CHECK_NEAR(weight(&f.s, &f.X, 1, "fox"), 0, 0);
    clear(&f);
    o.weighting = KI_BM25;
    o.k1 = 1.5f;
    o.b = 0.5f;
    f = fit(&o, foxes, 2); /* lengths 2 and 3, mean 2.5 */
    CHECK_NEAR(weight(&f.s, &f.X, 1, "red"), log(1 + 0.5 / 2.5) * 2 * 2.5 / (2 + 1.5 * (0.5 + 0.5 * 3 / 2.5)), 1e-6);
    CHECK_NEAR(weight(&f.s, &f.X, 0, "fox"), log(1 + 1.5 / 1.5) * 2.5 / (1 + 1.5 * (0.5 + 0.5 * 2 / 2.5)), 1e-6);
    clear(&f);
    o.weighting = KI_COUNT_TERMS;
    f = fit(&o, foxes, 2);
    CHECK_NEAR(weight(&f.s, &f.X, 1, "red"), 2, 0);
    clear(&f);
    o.weighting = KI_BINARY;
    o.normalise = 1;
    f = fit(&o, foxes, 2);
    CHECK_NEAR(weight(&f.s, &f.X, 1, "red"), sqrt(0.5), 1e-6);
    clear(&f);
}

TEST(a_text_is_weighed_like_the_document_that_it_is)
{
    ki_text_options o = plain;
    o.weighting = KI_TFIDF;
    o.normalise = 1;
    for (int hashed = 0; hashed <= 1; hashed++) {
        o.hash_bits = hashed ? 10 : 0;
        struct fitted f = fit(&o, foxes, 2);
        ki_text_row row;
        CHECK_OK(ki_text_space_vector(&f.s, "dog red unheard RED", &row));
        const int n = hashed ? row.n - 1 : row.n; /* a hashed space has room for the unheard, but no weight */
        CHECK(row.n == 2 && (n == 2 || hashed));
        for (int j = 0; j < 2; j++) {
            CHECK_INT(row.idx[j], f.X.idx[f.X.ptr[1] + j]);
            CHECK_NEAR(row.val[j], f.X.val[f.X.ptr[1] + j], 1e-6); /* the same sums in another order */
        }
        ki_text_row_clear(&row);
        clear(&f);
    }
}

TEST(rare_and_common_terms_are_left_out_as_asked)
{
    const char *const cells[] = { "a b", "a b", "a c" };
    ki_text_options o = plain;
    o.min_df = 2;
    struct fitted f = fit(&o, cells, 3);
    CHECK_INT(f.s.n_terms, 2);
    CHECK_INT(ki_text_space_find(&f.s, "c", 1), -1);
    clear(&f);
    const char *many[20];
    for (int j = 0; j < 20; j++) many[j] = j < 11 ? "a" : "b";
    o.min_df = 1;
    o.max_df = 0.5f; /* a is in 11 of 20 */
    f = fit(&o, many, 20);
    CHECK_INT(ki_text_space_find(&f.s, "a", 1), -1);
    CHECK_INT(ki_text_space_find(&f.s, "b", 1), 0);
    clear(&f);
}

TEST(hashed_terms_bear_the_sign_of_their_hash)
{
    float sign;
    const int32_t col = ki_term_counts_hash("fox", 3, 8, &sign);
    ki_text_options o = plain;
    o.weighting = KI_COUNT_TERMS;
    o.hash_bits = 8;
    struct fitted f = fit(&o, foxes, 2);
    CHECK_INT(f.s.n_terms, 256);
    const int64_t at = ki_csr_find(&f.X, 0, col);
    CHECK(at >= 0);
    CHECK_NEAR(f.X.val[at], sign, 0);
    CHECK_STR(ki_text_space_label(&f.s, col), "");
    clear(&f);
}

TEST(attribute_values_are_terms_of_their_own_and_words_too)
{
    const char *const genres[] = { "Science Fiction|Drama", "Époque" };
    ki_table t = { .n_rows = 2 };
    ki_column c = column("genres", KI_COL_SET, genres, 2);
    CHECK_OK(ki_table_append(&t, &c));
    ki_text_field *fields;
    int n;
    const ki_table none = { 0 };
    const ki_field_choice choice = { "test", "features", "genres", "weights", "genres=3", &none, 0 };
    CHECK_OK(ki_text_fields(&t, &choice, &fields, &n));
    CHECK_INT(n, 1);
    ki_text_options o = plain;
    o.weighting = KI_COUNT_TERMS;
    ki_text_space s;
    ki_csr X;
    ki_job job = { 0 };
    CHECK_OK(ki_text_space_fit(&s, &o, fields, n, 2, &job, "test", &X));
    CHECK_NEAR(weight(&s, &X, 0, "genres=science fiction"), 3, 0);
    CHECK_NEAR(weight(&s, &X, 0, "fiction"), 3, 0);
    CHECK_NEAR(weight(&s, &X, 1, "genres=epoque"), 3, 0);
    CHECK_STR(ki_text_space_label(&s, ki_text_space_find(&s, "genres=epoque", 13)), "Époque");
    ki_text_space_clear(&s);
    ki_csr_clear(&X);
    ki_free(fields);
    ki_table_clear(&t);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(columns_and_weights_that_make_no_sense_are_refused_by_name)
{
    const char *const cells[] = { "x y", "z" };
    ki_table t = { .n_rows = 2 };
    const ki_table none = { 0 };
    ki_column c = column("title", KI_COL_TEXT, cells, 2);
    CHECK_OK(ki_table_append(&t, &c));
    ki_text_field *fields = NULL;
    int n;
    ki_field_choice choice = { "content", "content_features", "title,plot", "field_weights", "", &none, 0 };
    CHECK_FAILS(ki_text_fields(&t, &choice, &fields, &n), KITH_EINVAL, "\"plot\"; the columns with words are: title");
    choice.names = "";
    static const char *const bad[] = { "title", "title=", "title=-1", "=2", "title=x", "titel=2", "title=nan" };
    for (size_t j = 0; j < KI_COUNT(bad); j++) {
        choice.weights = bad[j];
        CHECK_FAILS(ki_text_fields(&t, &choice, &fields, &n), KITH_EINVAL, "field_weights");
    }
    ki_table_clear(&t);
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- search ---- */

TEST(search_finds_the_best_documents_and_breaks_ties_by_index)
{
    const char *const cells[] = { "red fox", "blue whale", "red red whale", "red fox", "moon" };
    ki_column c = column("plot", KI_COL_TEXT, cells, 5);
    const ki_text_field field = { &c, 1 };
    ki_text_options o = plain;
    o.k1 = 1.2f;
    o.b = 0.75f;
    ki_text_index index;
    ki_job job = { 0 };
    int32_t docs[5], n;
    float scores[5];
    CHECK_OK(ki_text_index_new(&index, &o, &field, 1, 5, &job));
    CHECK_OK(ki_text_index_find(&index, "a red FOX", 5, docs, scores, &n));
    CHECK_INT(n, 3);
    CHECK_INT(docs[0], 0);
    CHECK_INT(docs[1], 3);
    CHECK_INT(docs[2], 2);
    /* df red 3, fox 2, mean length 10/5 = 2: each weight is that of tf 1 at mean length, which is idf; "red" and "fox"
     * once each in the text */
    CHECK_NEAR(scores[0], log(1 + 2.5 / 3.5) + log(1 + 3.5 / 2.5), 1e-5);
    CHECK_OK(ki_text_index_find(&index, "red", 2, docs, scores, &n));
    CHECK_INT(n, 2);
    CHECK_INT(docs[0], 2); /* twice */
    CHECK_INT(docs[1], 0);
    CHECK_OK(ki_text_index_find(&index, "nothing of this", 5, docs, scores, &n));
    CHECK_INT(n, 0);
    ki_text_index_clear(&index);
    ki_column_clear(&c);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(fusion_adds_reciprocal_ranks)
{
    const int32_t first[] = { 4, 1 }, second[] = { 1, 2 };
    const ki_ranking rankings[] = { { first, 2, 1 }, { second, 2, 1 } };
    int32_t docs[3], n;
    float scores[3];
    CHECK_OK(ki_rank_fusion(rankings, 2, 5, 3, docs, scores, &n));
    CHECK_INT(n, 3);
    CHECK_INT(docs[0], 1);
    CHECK_NEAR(scores[0], 1.0 / 62 + 1.0 / 61, 1e-8);
    CHECK_INT(docs[1], 4);
    CHECK_NEAR(scores[1], 1.0 / 61, 1e-8);
    CHECK_INT(docs[2], 2);
    CHECK_NEAR(scores[2], 1.0 / 62, 1e-8);
}

TEST(a_refused_allocation_leaves_nothing_behind)
{
    ki_column c = column("plot", KI_COL_TEXT, foxes, 2);
    const ki_text_field field = { &c, 1 };
    const int64_t live = ki_alloc_live();
    kith_err err = KITH_ENOMEM;
    for (int64_t j = 1; err != KITH_OK; j++) {
        ki_text_index index = { 0 };
        ki_job job = { 0 };
        int32_t docs[2], n;
        float scores[2];
        ki_alloc_fail_at(j, 0);
        if ((err = ki_text_index_new(&index, &plain, &field, 1, 2, &job)) == KITH_OK)
            err = ki_text_index_find(&index, "red dog", 2, docs, scores, &n);
        ki_alloc_fail_at(0, 0);
        CHECK(err == KITH_OK || err == KITH_ENOMEM);
        ki_text_index_clear(&index);
        CHECK_INT(ki_alloc_live(), live);
    }
    ki_column_clear(&c);
}
