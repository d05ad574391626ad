/* SPDX-License-Identifier: MIT
 * contract.h -- users and items of the tool contract: one JSON object each, its members attributes
 */
#ifndef KI_CONTRACT_H
#define KI_CONTRACT_H

#include "data/attrs.h"

#include <jansson.h>

/* Add the id and the attributes of `o`.  *ok = 0: it has no id, and nothing was added. */
kith_err ki_contract_take(ki_attrs *a, const json_t *o, ki_role role, int *ok);

/* All objects of `s`, one a line.  KITH_EFORMAT with name and line. */
kith_err ki_contract_lines(ki_attrs *a, ki_source *s, ki_role role);

/* After the last object: lists of numbers of differing length are sets after all. */
void ki_contract_settle(ki_attrs *a);

#endif
