/* SPDX-License-Identifier: MIT
 * writer.h -- the one thread that writes: it gathers the batches of many callers into one transaction
 */
#ifndef KI_WRITER_H
#define KI_WRITER_H

#include "store/backend.h"

typedef struct ki_writer ki_writer;

kith_err ki_writer_new(const ki_backend *backend, void *state, const ki_store_options *options,
                       ki_writer **out);

/* Checked changes; returns when they are durable and applied, or refused. */
kith_err ki_writer_write(ki_writer *w, ki_change *changes, int n);

void ki_writer_count(ki_writer *w, ki_store_counts *out); /* commits and below */

/* What is queued is written first.  Nobody may call ki_writer_write any more.  Accepts NULL. */
void ki_writer_free(ki_writer *w);

#endif
