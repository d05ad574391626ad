/* SPDX-License-Identifier: MIT
 * anonymise.h -- data that may be handed on: keyed ids, fewer and coarser attributes, and what risk
 * remains
 *
 * Ids become the first 96 bits of BLAKE2b under a secret key (RFC 7693; libsodium), so that the same
 * person has the same name in every file made with that key, and nobody without the key can check a
 * guess.  This is pseudonymisation: interactions themselves can give a person away (Narayanan,
 * Shmatikov, Robust De-anonymization of Large Sparse Datasets, S&P 2008); the report says so.
 */
#ifndef KI_ANONYMISE_H
#define KI_ANONYMISE_H

#include "data/dataset.h"

#include <jansson.h>

/* A copy of `d` after `o`; its report is the "attributes", "dropped", "coarsened" and "k_anonymity"
 * of users.  KITH_EINVAL for a short key, a column that is not there, or a step that does not fit
 * its kind. */
kith_err ki_anonymise(const kith_data *d, const kith_anonymise_options *o, kith_data **out,
                      json_t **report);

/* The name of one id under the key of `o`, as ki_anonymise gives it: out[KI_TOKEN_ROOM]. */
enum { KI_TOKEN_ROOM = 25 };
void ki_anonymise_id(const kith_anonymise_options *o, const char *id, size_t n, char *out);

/* How many users share all attributes with how few others: {k, groups, unique, below: {"2", "5",
 * "10"}, relief: [{drop, k, unique}]}; a group is the users that look alike in every column.  A new
 * reference; KITH_ENOMEM. */
kith_err ki_k_anonymity(const ki_table *users, int32_t n_users, json_t **out);

#endif
