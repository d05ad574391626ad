/* SPDX-License-Identifier: MIT
 * records.h -- the objects of a CSV or NDJSON file, one after the other
 */
#ifndef KI_RECORDS_H
#define KI_RECORDS_H

#include "base/file.h"
#include "tool/cut.h" /* ki_element_fn */

/* Call fn for each line of an NDJSON file, or each record of a CSV file (cells become strings, empty
 * ones are absent; columns that are called like a user, an item or a time become user_id, item_id
 * and timestamp).  A malformed record is a violation at `at` with file and line, and ends the walk. */
kith_err ki_records_each(ki_source *s, ki_element_fn fn, void *arg, const ki_place *at,
                         ki_findings *f);

#endif
