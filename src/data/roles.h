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

/* Of a name that fits the role of user or item: does it speak of an id (item_id, isbn, or the role's own word), rather
 * than of a thing (artist, content) that a column "id" beside it outdoes? */
int ki_role_is_id(ki_role role, const char *name, size_t n);

/* The name that `options` gives for the role, or NULL. */
const char *ki_role_option(ki_role role, const kith_read_options *options);

/* "user_id, userId, ..." for messages. */
const char *ki_role_examples(ki_role role);

#endif
