/* SPDX-License-Identifier: MIT
 * keystore.h -- keys as documents of the store
 *
 * A key is a document of kind "key"; the secret that keys the hashes is the document "keys" of kind "secret", made with
 * the store.  Neither holds anything that opens a door.
 */
#ifndef KI_KEYSTORE_H
#define KI_KEYSTORE_H

#include "serve/keys.h"
#include "serve/service.h"

/* All keys of the store, and its secret, made if it has none. */
kith_err ki_keystore_load(ki_service *s, ki_keys **out);

/* Keep a new key and let it in; text[KI_KEY_TEXT] = the key itself, told this once.  id, hash and created of `key`
 * are filled in.  KITH_EINVAL, and *gone 1, when it speaks for a user who was deleted since this began
 * (ki_clock_ns). */
kith_err ki_keystore_make(ki_service *s, ki_keys *keys, int64_t began_ns, ki_key *key, char *text,
                          int *gone);

/* Durably, before it is refused.  KITH_ENOTFOUND. */
kith_err ki_keystore_revoke(ki_service *s, ki_keys *keys, const char *id);

int ki_keystore_admins(const ki_keys *keys); /* that are in force */
json_t *ki_key_json(const ki_key *key);      /* all but the hash; a new reference */

#endif
