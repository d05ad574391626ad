/* SPDX-License-Identifier: MIT
 * exposures.h -- which lists were shown to whom, into the journal, without anybody waiting for the disk
 *
 * Rows are gathered and written together a few times a second.  A crash may lose the last of them, which is why
 * nothing that was acknowledged goes this way; rows beyond the room of the queue are counted and left out.
 */
#ifndef KI_EXPOSURES_H
#define KI_EXPOSURES_H

#include "store/store.h"

typedef struct ki_exposures ki_exposures;

kith_err ki_exposures_new(ki_store *store, ki_exposures **out);
void ki_exposures_free(ki_exposures *e); /* writes what is queued; accepts NULL */

/* A row of kind "exposure" about a list, which goes with the user; copies. */
kith_err ki_exposures_add(ki_exposures *e, const char *rec_id, const char *user, const char *json);

/* Wait until all that was added before is in the journal. */
void ki_exposures_flush(ki_exposures *e);

int64_t ki_exposures_lost(ki_exposures *e);

#endif
