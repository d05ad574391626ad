/* SPDX-License-Identifier: MIT
 * datafile.h -- the binary form of a dataset: fast to read again, because it is only mapped
 */
#ifndef KI_DATAFILE_H
#define KI_DATAFILE_H

#include "data/dataset.h"

/* A dataset whose arrays lie in the mapping of `path`, as kith_data_save wrote it.  Everything is
 * checked, the fingerprint too.  KITH_EFORMAT names the file and what is wrong. */
kith_err ki_data_load(kith *k, const char *path, kith_data **out);

#endif
