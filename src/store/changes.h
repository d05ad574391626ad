/* SPDX-License-Identifier: MIT
 * changes.h -- does a change make sense, before anybody waits for it?
 */
#ifndef KI_CHANGES_H
#define KI_CHANGES_H

#include "store/store.h"

/* KITH_EINVAL names the first change that is not well formed and what is wrong with it; what the store fills in
 * is cleared. */
kith_err ki_changes_check(ki_change *changes, int n);

#endif
