/* SPDX-License-Identifier: MIT
 * disk.h -- files for tests: a path of one's own, whole files read and written
 */
#ifndef KITH_TEST_DISK_H
#define KITH_TEST_DISK_H

#include "test.h"

#include <stdlib.h>
#include <unistd.h>

/* A path that no other test process uses, in memory where that is possible: saving waits for the disk.  Good until the
 * next call. */
static inline const char *scratch_path(const char *name)
{
    static char path[256];
    const char *folder = getenv("TMPDIR");
    if (folder == NULL && access("/dev/shm", W_OK) == 0) folder = "/dev/shm";
    snprintf(path, sizeof path, "%s/kith-test-%ld-%s", folder == NULL ? "/tmp" : folder, (long)getpid(), name);
    return path;
}

/* All bytes, to be freed by free(). */
static inline unsigned char *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL && fseek(f, 0, SEEK_END) == 0);
    *n = (size_t)ftell(f);
    rewind(f);
    unsigned char *bytes = malloc(*n);
    CHECK(fread(bytes, 1, *n, f) == *n);
    fclose(f);
    return bytes;
}

/* Always a new file: some file systems wait for the disk when one is truncated and written again. */
static inline void write_file(const char *path, const unsigned char *bytes, size_t n)
{
    unlink(path);
    FILE *f = fopen(path, "wb");
    CHECK(f != NULL && fwrite(bytes, 1, n, f) == n);
    fclose(f);
}

#endif
