/* SPDX-License-Identifier: MIT
 * identity.h -- the name of a model that stays the same as long as nothing that made it changes
 */
#ifndef KI_IDENTITY_H
#define KI_IDENTITY_H

#include "tool/method.h"

#define KI_MODEL_ID_ROOM 128

/* "ials-0123456789abcdef-0123456789abcdef": method, fingerprint of interactions and ids, hash of
 * attributes, parameters, `settings` (what else decides the model), seed and versions.
 * out[KI_MODEL_ID_ROOM]. */
kith_err ki_model_id(const ki_method *m, const kith_data *d, const json_t *settings, uint64_t seed,
                     char *out);

/* Where a model is kept: folder/id.kith; out[size]. */
void ki_model_path(const char *folder, const char *id, char *out, size_t size);

#endif
