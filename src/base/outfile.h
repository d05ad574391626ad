/* SPDX-License-Identifier: MIT
 * outfile.h -- a file that appears whole or not at all
 */
#ifndef KI_OUTFILE_H
#define KI_OUTFILE_H

#include "base/err.h"

typedef struct ki_outfile ki_outfile;

/* Begin a temporary file beside `path`.  KITH_EIO names the path and the system's reason, or says that it is a pipe or
 * a device, which a file cannot replace; a link is followed. */
kith_err ki_outfile_open(const char *path, ki_outfile **out);

/* Append n bytes, through a buffer.  A failure is kept until the commit, so that rows are written without asking
 * after each field; a loop over many rows asks ki_outfile_failed from time to time. */
void ki_outfile_put(ki_outfile *f, const void *bytes, size_t n);
int ki_outfile_failed(const ki_outfile *f);

/* The same for a string, and for a field of CSV or TSV: in quotes when it holds the separator, a quote or a line break,
 * when it begins or ends with a blank (readers trim those that are not quoted), and when it is empty. */
void ki_outfile_text(ki_outfile *f, const char *text);
void ki_outfile_field(ki_outfile *f, const char *text, char separator);

/* Flush, fsync and rename to `path`, then free `f`.  On failure `path` is as it was, and the temporary file is gone. */
kith_err ki_outfile_commit(ki_outfile *f);

/* Give up: the temporary file is removed, `path` is as it was.  Accepts NULL. */
void ki_outfile_discard(ki_outfile *f);

#endif
