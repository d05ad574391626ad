/* SPDX-License-Identifier: MIT
 * outfile.c -- a file that appears whole or not at all
 *
 * Bytes go to PATH.tmp-PID-N, N the first that is free; commit makes them durable (fsync), puts the name in place
 * (rename) and makes that durable too (fsync of the folder).  After a crash PATH is either what it was or the whole new
 * file.
 */
#include "base/outfile.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 18, PATH_SIZE = 4096, MOST_TURNS = 1000 };

struct ki_outfile {
    char path[PATH_SIZE], temporary[PATH_SIZE];
    int fd;
    int failed; /* errno of the first write that failed; 0: none */
    size_t n;   /* bytes in the buffer */
    unsigned char buffer[BUFFER];
};

/* A temporary file that nobody else writes to, two writers of one path in this process included. */
static kith_err create(ki_outfile *f, const char *path)
{
    for (int turn = 0;; turn++) {
        const int n = snprintf(f->temporary, sizeof f->temporary, "%s.tmp-%ld-%d", path,
                               (long)getpid(), turn);
        if (n >= (int)sizeof f->temporary)
            return ki_fail(KITH_EINVAL, "the path is too long: %.64s...", path);
        f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (f->fd >= 0) return KITH_OK;
        if (errno != EEXIST || turn == MOST_TURNS)
            return ki_fail(KITH_EIO, "%s: cannot be created: %s", path, strerror(errno));
    }
}

/* Where the name goes in the end: a link is followed, so that it stays a link; a pipe or a device cannot be replaced
 * by a file and is refused. */
static kith_err settle(const char *path, char *out)
{
    struct stat st;
    const int there = stat(path, &st) == 0;
    if (there && !S_ISREG(st.st_mode))
        return ki_fail(KITH_EIO, "%s: not a regular file; want the name of a file to be made",
                       path);
    char *real = there ? realpath(path, NULL) : NULL;
    const int n = snprintf(out, PATH_SIZE, "%s", real != NULL ? real : path);
    free(real); /* the C library's */
    return n < PATH_SIZE ? KITH_OK : ki_fail(KITH_EINVAL, "the path is too long: %.64s...", path);
}

kith_err ki_outfile_open(const char *path, ki_outfile **out)
{
    ki_outfile *f = NULL;
    kith_err err = ki_alloc(&f, 1, sizeof *f);
    if (err != KITH_OK) return err;
    if ((err = settle(path, f->path)) != KITH_OK || (err = create(f, f->path)) != KITH_OK) {
        ki_free(f);
        return err;
    }
    *out = f;
    return KITH_OK;
}

static void write_all(ki_outfile *f, const unsigned char *p, size_t n)
{
    while (n > 0 && f->failed == 0) {
        const ssize_t wrote = write(f->fd, p, KI_MIN(n, (size_t)1 << 30));
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) {
            f->failed = errno;
            return;
        }
        p += wrote;
        n -= (size_t)wrote;
    }
}

static void flush(ki_outfile *f)
{
    write_all(f, f->buffer, f->n);
    f->n = 0;
}

void ki_outfile_put(ki_outfile *f, const void *bytes, size_t n)
{
    if (n == 0) return;
    if (n > BUFFER - f->n) flush(f);
    if (n > BUFFER) {
        write_all(f, bytes, n);
        return;
    }
    memcpy(f->buffer + f->n, bytes, n);
    f->n += n;
}

void ki_outfile_text(ki_outfile *f, const char *text)
{
    ki_outfile_put(f, text, strlen(text));
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int wants_quotes(const char *text, char separator)
{
    const char special[] = { separator, '"', '\n', '\r', '\0' };
    const size_t n = strlen(text);
    return n == 0 || is_blank(text[0]) || is_blank(text[n - 1]) || strpbrk(text, special) != NULL;
}

void ki_outfile_field(ki_outfile *f, const char *text, char separator)
{
    if (!wants_quotes(text, separator)) {
        ki_outfile_text(f, text);
        return;
    }
    ki_outfile_put(f, "\"", 1);
    for (const char *quote; (quote = strchr(text, '"')) != NULL; text = quote + 1) {
        ki_outfile_put(f, text, (size_t)(quote - text) + 1);
        ki_outfile_put(f, "\"", 1);
    }
    ki_outfile_text(f, text);
    ki_outfile_put(f, "\"", 1);
}

int ki_outfile_failed(const ki_outfile *f)
{
    return f->failed != 0;
}

/* The folder of `path`, so that the rename itself is made durable. */
static void sync_folder(const char *path)
{
    char folder[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path + 1),
             slash == NULL ? "." : path);
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)!fsync(fd);
    close(fd);
}

kith_err ki_outfile_commit(ki_outfile *f)
{
    flush(f);
    if (f->failed == 0 && fsync(f->fd) != 0) f->failed = errno;
    if (close(f->fd) != 0 && f->failed == 0) f->failed = errno;
    kith_err err = KITH_OK;
    if (f->failed != 0)
        err = ki_fail(KITH_EIO, "%s: write failed: %s", f->path, strerror(f->failed));
    else if (rename(f->temporary, f->path) != 0)
        err = ki_fail(KITH_EIO, "%s: cannot be put in place: %s", f->path, strerror(errno));
    if (err == KITH_OK)
        sync_folder(f->path);
    else
        unlink(f->temporary);
    ki_free(f);
    return err;
}

void ki_outfile_discard(ki_outfile *f)
{
    if (f == NULL) return;
    close(f->fd);
    unlink(f->temporary);
    ki_free(f);
}
