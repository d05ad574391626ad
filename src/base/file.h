/* SPDX-License-Identifier: MIT
 * file.h -- bytes of a file, a gzip file, a buffer or somebody's server, front to back
 */
#ifndef KI_FILE_H
#define KI_FILE_H

#include "base/err.h"

#include <stdint.h>

#define KI_PATH_MAX 4096 /* with its NUL */

typedef struct ki_source ki_source;

/* Open for reading; gzip is recognised by its first bytes, whatever the name, and may have
 * several members; what follows them and is not gzip is an error.  A UTF-8 byte order
 * mark at the start is dropped.  KITH_EIO names the path and the system's reason. */
kith_err ki_source_open(const char *path, ki_source **out);

/* Does the name stand for a file?  0 for what ki_source_open finds elsewhere: "elasticsearch:INDEX", whose documents
 * are lines of JSON. */
int ki_source_is_file(const char *name);

/* The same over n bytes that outlive the source; `name` stands in messages.  Not unpacked. */
kith_err ki_source_memory(const char *name, const void *data, size_t n, ki_source **out);

/* The same over bytes that come from elsewhere.  `stream` is copied, and closed with the source or at once when this
 * fails. */
typedef struct ki_stream {
    void *self;
    kith_err (*read)(void *self, char *to, size_t n, size_t *got); /* *got < n only at the end */
    int64_t (*size)(const void *self); /* of all, as far as it can be judged */
    void (*close)(void *self);
} ki_stream;
kith_err ki_source_stream(const char *name, const ki_stream *stream, ki_source **out);

/* Up to n bytes into `to`; *got < n only at the end.  KITH_EIO; KITH_EFORMAT for a broken gzip. */
kith_err ki_source_read(ki_source *s, void *to, size_t n, size_t *got);

/* The first bytes, at most KI_PEEK, without taking them; to be called before the first read. */
#define KI_PEEK 65536
const char *ki_source_peek(const ki_source *s, size_t *n);

/* All that is left, with a NUL after it; *out is yours.  KITH_EFORMAT beyond `limit` bytes. */
kith_err ki_source_rest(ki_source *s, size_t limit, char **out, size_t *n);

const char *ki_source_name(const ki_source *s);
int64_t ki_source_size(const ki_source *s); /* on disk; 0 when not known, of a stream a guess */
int64_t ki_source_at(const ki_source *s);   /* how far in what is on disk: for progress */
void ki_source_close(ki_source *s);         /* accepts NULL */

typedef enum ki_path_kind { KI_PATH_ABSENT, KI_PATH_FILE, KI_PATH_FOLDER } ki_path_kind;
ki_path_kind ki_path_look(const char *path);

/* out[KI_PATH_MAX] = folder/name if there is such a file, else folder/name.gz; 0 and "" if neither
 * exists. */
int ki_path_find(char *out, const char *folder, const char *name);

/* How many files of the folder end in `ending` or in that and .gz; out[KI_PATH_MAX] = one of them, if there is any. */
int ki_path_find_ending(char *out, const char *folder, const char *ending);

/* out[KI_PATH_MAX] = the folder that `path` lies in ("." when it has none), and where its last part
 * begins. */
void ki_path_folder(char *out, const char *path);
const char *ki_path_base(const char *path);

#endif
