/* SPDX-License-Identifier: MIT
 * lockfile.h -- one process at a time may write to a file
 */
#ifndef KI_LOCKFILE_H
#define KI_LOCKFILE_H

#include "base/err.h"

/* Lock `path` by a file PATH-lock beside it, until ki_lockfile_release or the end of the process, however it ends.
 * KITH_EIO names the process that has it.  A second lock within one process is refused too. */
kith_err ki_lockfile_take(const char *path, int *fd);
void ki_lockfile_release(const char *path, int fd); /* fd -1: nothing */

#endif
