/* SPDX-License-Identifier: MIT
 * roles.h -- which column says who, what, how much and when
 */
#ifndef KI_ROLES_H
#define KI_ROLES_H

#include "kith.h"

typedef enum ki_role { KI_USER, KI_ITEM, KI_VALUE, KI_TIME, KI_N_ROLES } ki_role;

extern const char *const ki_role_words[KI_N_ROLES]; /* "user", "item", "value", "time" */

/* How well name[n] fits the role: 0 is best, -1 not at all.  Case, blanks, '_', '-' and '.' do not count, and what
 * follows a ':' (RecBole's types) neither.  When `options` names a column of that role, only that name fits. */
int ki_role_fit(ki_role role, const kith_read_options *options, const char *name, size_t n);

/* The name that `options` gives for the role, or NULL. */
const char *ki_role_option(ki_role role, const kith_read_options *options);

/* "user_id, userId, ..." for messages. */
const char *ki_role_examples(ki_role role);

#endif
