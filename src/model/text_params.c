/* SPDX-License-Identifier: MIT
 * text_params.c -- from parameters to columns and options of the text floor
 */
#include "model/text_params.h"

#include "base/mem.h"

kith_err ki_text_params_fields(const ki_text_params *p, const char *owner, const kith_data *d,
                               ki_text_field **items, int *n_items, ki_text_field **users,
                               int *n_users)
{
    const ki_field_choice of_items = { .owner = owner,
                                       .param = "content_features",
                                       .names = p->content_features,
                                       .weights_param = "field_weights",
                                       .weights = p->field_weights,
                                       .other = &d->user_attrs };
    ki_field_choice of_users = of_items;
    of_users.param = "user_features";
    of_users.names = p->user_features;
    of_users.other = &d->item_attrs;
    of_users.leave_categories = 1; /* a gender or a postal code is no word about items */
    kith_err err;
    if ((err = ki_text_fields(&d->item_attrs, &of_items, items, n_items)) != KITH_OK) return err;
    if ((err = ki_text_fields(&d->user_attrs, &of_users, users, n_users)) != KITH_OK) return err;
    if (*n_items > 0) return KITH_OK;
    return ki_fail(KITH_EDATA,
                   "%s needs items with words, but the data has no text, category or set of items; "
                   "give a file of item attributes",
                   owner);
}

ki_text_options ki_text_params_options(const ki_text_params *p)
{
    return (ki_text_options){ .grams = { .language = (ki_language)p->language, .words = p->ngram },
                              .min_df = p->min_df,
                              .max_df = p->max_df,
                              .k1 = 1.2f,
                              .b = 0.75f,
                              .normalise = 1 };
}
