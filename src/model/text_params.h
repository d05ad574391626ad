/* SPDX-License-Identifier: MIT
 * text_params.h -- the parameters that all models of texts share: which columns, how words are made
 */
#ifndef KI_TEXT_PARAMS_H
#define KI_TEXT_PARAMS_H

#include "base/param.h"
#include "data/dataset.h"
#include "text/space.h"

typedef struct ki_text_params {
    char content_features[KI_TEXT_ROOM], user_features[KI_TEXT_ROOM], field_weights[KI_TEXT_ROOM];
    int32_t language, ngram, min_df;
    float max_df;
} ki_text_params;

/* Rows of a parameter table, for a struct S with a member `ki_text_params text`. */
#define KI_TEXT_FIELD(S, name) offsetof(struct S, text.name)
#define KI_TEXT_PARAM_ROWS(S)                                                                      \
    { .name = "content_features",                                                                  \
      .kind = KI_TEXT,                                                                             \
      .offset = KI_TEXT_FIELD(S, content_features),                                                \
      .meaning = "columns of items that are read; none named: all texts, categories and sets" },   \
        { .name = "user_features",                                                                 \
          .kind = KI_TEXT,                                                                         \
          .offset = KI_TEXT_FIELD(S, user_features),                                               \
          .meaning = "columns of users that are read; none named: all texts and sets" },           \
        { .name = "field_weights",                                                                 \
          .kind = KI_TEXT,                                                                         \
          .offset = KI_TEXT_FIELD(S, field_weights),                                               \
          .meaning = "what a word of a column counts, such as title=2,tags=1.5; others 1" },       \
        { .name = "language",                                                                      \
          .kind = KI_CHOICE,                                                                       \
          .offset = KI_TEXT_FIELD(S, language),                                                    \
          .choices = ki_language_names,                                                            \
          .meaning =                                                                               \
              "whose endings and stop words are left out; auto: the one that the texts are in; "   \
              "each: every item's own" },                                                          \
        { .name = "ngram",                                                                         \
          .kind = KI_INT,                                                                          \
          .offset = KI_TEXT_FIELD(S, ngram),                                                       \
          .init = 2,                                                                               \
          .min = 1,                                                                                \
          .max = KI_GRAM_WORDS,                                                                    \
          .meaning = "most words that make one term",                                              \
          .scale = KI_LINEAR,                                                                      \
          .tune_min = 1,                                                                           \
          .tune_max = 2 },                                                                         \
        { .name = "min_df",                                                                        \
          .kind = KI_INT,                                                                          \
          .offset = KI_TEXT_FIELD(S, min_df),                                                      \
          .init = 0,                                                                               \
          .min = 0,                                                                                \
          .max = 1e6,                                                                              \
          .meaning = "items that a term must be in; 0: 2, or 1 below 200 items" },                 \
    {                                                                                              \
        .name = "max_df", .kind = KI_FLOAT, .offset = KI_TEXT_FIELD(S, max_df), .init = 0.5,       \
        .min = 0.001, .max = 1, .meaning = "share of the items that a term may be in",             \
        .scale = KI_LINEAR, .tune_min = 0.1, .tune_max = 1                                         \
    }

/* The columns of items and of users that `p` means.  KITH_EDATA when items have none with words,
 * KITH_EINVAL for names that do not exist.  Both are freed by the caller, on failure too. */
kith_err ki_text_params_fields(const ki_text_params *p, const char *owner, const kith_data *d,
                               ki_text_field **items, int *n_items, ki_text_field **users,
                               int *n_users);

ki_text_options ki_text_params_options(const ki_text_params *p);

#endif
