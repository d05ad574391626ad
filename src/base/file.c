/* SPDX-License-Identifier: MIT
 * file.c -- one way to read plain files, gzip files and memory
 *
 * gzip        may be several members, one after the other; zeroes after the last (what a tape pads with) mean nothing,
 *             any other bytes there are an error: they may be what is left of data.
 * Plain       files are read straight to where they are wanted.  Memory is a source for tests and fuzzers.
 * Names       with a scheme are opened by who knows it; the table `elsewhere` says who.
 */
#include "base/file.h"

#include "base/elastic.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { PACKED_BYTES = 256 << 10 };

struct ki_source {
    char *name;
    int fd;           /* -1: memory, or a stream */
    ki_stream stream; /* read NULL: none */
    const char *memory;
    size_t memory_n, memory_at;
    int64_t size;
    char *head; /* [head_n] peeked and not yet read; head_at of it is read */
    size_t head_room, head_n, head_at;

    int is_gzip, in_member; /* in_member: its end is still to come */
    z_stream unpack;
    unsigned char *packed; /* [packed_n] of the file, of which packed_at are used */
    size_t packed_n, packed_at;
    int64_t n_taken; /* bytes of the file so far */
};

static kith_err make(const char *name, size_t head_room, ki_source **out)
{
    ki_source *s = NULL;
    kith_err err = ki_alloc(&s, 1, sizeof *s);
    if (err != KITH_OK) return err;
    if ((err = ki_strdup(&s->name, name)) != KITH_OK ||
        (err = ki_alloc(&s->head, head_room, 1)) != KITH_OK) {
        ki_source_close(s);
        return err;
    }
    s->head_room = head_room;
    s->fd = -1;
    *out = s;
    return KITH_OK;
}

static kith_err take_bytes(ki_source *s, void *to, size_t n, size_t *got)
{
    ssize_t r;
    do r = read(s->fd, to, KI_MIN(n, (size_t)1 << 30));
    while (r < 0 && errno == EINTR);
    if (r < 0) return ki_fail(KITH_EIO, "%s: %s", s->name, strerror(errno));
    *got = (size_t)r;
    s->n_taken += r;
    return KITH_OK;
}

/* More packed bytes when all are used; none at the end of the file. */
static kith_err refill(ki_source *s)
{
    if (s->packed_at < s->packed_n) return KITH_OK;
    s->packed_at = 0;
    return take_bytes(s, s->packed, PACKED_BYTES, &s->packed_n);
}

/* The first bytes say whether it is gzip; a pipe may give them one by one. */
static kith_err look_for_gzip(ki_source *s)
{
    size_t got = 1;
    kith_err err = ki_alloc(&s->packed, PACKED_BYTES, 1);
    while (err == KITH_OK && s->packed_n < 2 && got > 0) {
        err = take_bytes(s, s->packed + s->packed_n, PACKED_BYTES - s->packed_n, &got);
        s->packed_n += got;
    }
    if (err != KITH_OK || s->packed_n < 2 || s->packed[0] != 0x1f || s->packed[1] != 0x8b)
        return err;
    if (inflateInit2(&s->unpack, 15 + 16) != Z_OK) return ki_fail_memory(PACKED_BYTES);
    s->is_gzip = s->in_member = 1;
    return KITH_OK;
}

static kith_err open_file(ki_source *s)
{
    struct stat st;
    const int fd = open(s->name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ki_fail(KITH_EIO, "%s: %s", s->name, strerror(errno));
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return ki_fail(KITH_EIO, "%s: a folder, want a file", s->name);
    }
    s->size = S_ISREG(st.st_mode) ? (int64_t)st.st_size : 0;
    s->fd = fd;
    return look_for_gzip(s);
}

static kith_err broken(const ki_source *s, const char *why)
{
    return ki_fail(KITH_EFORMAT, "%s: broken gzip file: %s", s->name, why);
}

/* Between members: does another one begin?  *more is 0 at the end of the file. */
static kith_err next_member(ki_source *s, int *more)
{
    kith_err err;
    int zeroes = 0;
    for (;;) {
        if ((err = refill(s)) != KITH_OK) return err;
        *more = s->packed_n > 0;
        if (!*more) return KITH_OK;
        if (s->packed[s->packed_at] != 0) break;
        zeroes = 1;
        s->packed_at++;
    }
    if (zeroes || s->packed[s->packed_at] != 0x1f)
        return broken(s, "bytes after its end that are not gzip");
    inflateReset(&s->unpack);
    s->in_member = 1;
    return KITH_OK;
}

/* Some bytes of the member, perhaps none. */
static kith_err inflate_some(ki_source *s, char *to, size_t n, size_t *got)
{
    z_stream *z = &s->unpack;
    const size_t room = KI_MIN(n, (size_t)1 << 30), before = s->packed_n - s->packed_at;
    if (before == 0) return broken(s, "it ends too early");
    z->next_in = s->packed + s->packed_at;
    z->avail_in = (unsigned)before;
    z->next_out = (unsigned char *)to;
    z->avail_out = (unsigned)room;
    const int code = inflate(z, Z_NO_FLUSH);
    s->packed_at += before - z->avail_in;
    *got = room - z->avail_out;
    s->in_member = code != Z_STREAM_END;
    if (code == Z_MEM_ERROR) return ki_fail_memory(PACKED_BYTES);
    if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR) return KITH_OK;
    return broken(s, z->msg == NULL ? "not gzip data" : z->msg);
}

static kith_err take_gzip(ki_source *s, char *to, size_t n, size_t *got)
{
    size_t some = 0;
    int more = 1;
    for (*got = 0; *got < n; *got += some) {
        kith_err err = s->in_member ? refill(s) : next_member(s, &more);
        if (err != KITH_OK || !more) return err;
        if ((err = inflate_some(s, to + *got, n - *got, &some)) != KITH_OK) return err;
    }
    return KITH_OK;
}

static kith_err take_plain(ki_source *s, char *to, size_t n, size_t *got)
{
    size_t some = 0;
    *got = KI_MIN(n, s->packed_n - s->packed_at);
    memcpy(to, s->packed + s->packed_at, *got);
    s->packed_at += *got;
    for (; *got < n; *got += some) {
        const kith_err err = take_bytes(s, to + *got, n - *got, &some);
        if (err != KITH_OK || some == 0) return err;
    }
    return KITH_OK;
}

static kith_err take_stream(ki_source *s, char *to, size_t n, size_t *got)
{
    const kith_err err = s->stream.read(s->stream.self, to, n, got);
    s->n_taken += err == KITH_OK ? (int64_t)*got : 0;
    return err;
}

/* Straight from the file, memory or stream, past the head. */
static kith_err take(ki_source *s, char *to, size_t n, size_t *got)
{
    if (s->fd >= 0) return s->is_gzip ? take_gzip(s, to, n, got) : take_plain(s, to, n, got);
    if (s->stream.read != NULL) return take_stream(s, to, n, got);
    *got = KI_MIN(n, s->memory_n - s->memory_at);
    if (*got > 0) memcpy(to, s->memory + s->memory_at, *got);
    s->memory_at += *got;
    return KITH_OK;
}

/* Fill the head, without a byte order mark. */
static kith_err begin(ki_source *s)
{
    size_t more = 0;
    kith_err err = take(s, s->head, s->head_room, &s->head_n);
    if (err != KITH_OK || s->head_n < 3 || memcmp(s->head, "\xef\xbb\xbf", 3) != 0) return err;
    memmove(s->head, s->head + 3, s->head_n - 3);
    err = take(s, s->head + s->head_n - 3, 3, &more);
    s->head_n += more - 3;
    return err;
}

static kith_err begin_or_close(ki_source *s, kith_err err, ki_source **out)
{
    if (err == KITH_OK) err = begin(s);
    if (err != KITH_OK) {
        ki_source_close(s);
        return err;
    }
    *out = s;
    return KITH_OK;
}

/* What is no file: which names, and who opens them. */
static const struct {
    int (*is_name)(const char *name);
    kith_err (*open)(const char *name, ki_source **out);
} elsewhere[] = { { ki_elastic_is_name, ki_elastic_source } };

int ki_source_is_file(const char *name)
{
    for (size_t j = 0; j < KI_COUNT(elsewhere); j++)
        if (elsewhere[j].is_name(name)) return 0;
    return 1;
}

kith_err ki_source_open(const char *path, ki_source **out)
{
    ki_source *s = NULL;
    for (size_t j = 0; j < KI_COUNT(elsewhere); j++)
        if (elsewhere[j].is_name(path)) return elsewhere[j].open(path, out);
    const kith_err err = make(path, KI_PEEK, &s);
    return err != KITH_OK ? err : begin_or_close(s, open_file(s), out);
}

kith_err ki_source_memory(const char *name, const void *data, size_t n, ki_source **out)
{
    ki_source *s = NULL;
    const kith_err err = make(name, KI_MIN(n, (size_t)KI_PEEK), &s);
    if (err != KITH_OK) return err;
    s->memory = data;
    s->memory_n = n;
    s->size = (int64_t)n;
    return begin_or_close(s, KITH_OK, out);
}

kith_err ki_source_stream(const char *name, const ki_stream *stream, ki_source **out)
{
    ki_source *s = NULL;
    const kith_err err = make(name, KI_PEEK, &s);
    if (err != KITH_OK) {
        stream->close(stream->self);
        return err;
    }
    s->stream = *stream;
    return begin_or_close(s, KITH_OK, out);
}

kith_err ki_source_read(ki_source *s, void *to, size_t n, size_t *got)
{
    const size_t first = KI_MIN(n, s->head_n - s->head_at);
    size_t more = 0;
    memcpy(to, s->head + s->head_at, first);
    s->head_at += first;
    const kith_err err = take(s, (char *)to + first, n - first, &more);
    *got = first + more;
    return err;
}

const char *ki_source_peek(const ki_source *s, size_t *n)
{
    *n = s->head_n - s->head_at;
    return s->head + s->head_at;
}

kith_err ki_source_rest(ki_source *s, size_t limit, char **out, size_t *n)
{
    size_t size = 2 * KI_PEEK, have = 0, got;
    char *text = NULL;
    kith_err err = ki_alloc(&text, size, 1);
    while (err == KITH_OK) {
        err = ki_source_read(s, text + have, size - have - 1, &got);
        have += got;
        if (err != KITH_OK || have < size - 1) break;
        if (have > limit)
            err = ki_fail(KITH_EFORMAT, "%s: more than %zu MiB, which is too much to be read whole",
                          s->name, limit >> 20);
        else if ((err = ki_grow(&text, have, size * 2, 1)) == KITH_OK)
            size *= 2;
    }
    if (err != KITH_OK) {
        ki_free(text);
        return err;
    }
    text[have] = '\0';
    *out = text;
    *n = have;
    return KITH_OK;
}

const char *ki_source_name(const ki_source *s)
{
    return s->name;
}

int64_t ki_source_size(const ki_source *s)
{
    if (s->stream.read != NULL) return s->stream.size(s->stream.self);
    return s->size;
}

int64_t ki_source_at(const ki_source *s)
{
    if (s->stream.read != NULL) return s->n_taken;
    if (s->fd < 0) return (int64_t)s->memory_at;
    return s->n_taken - (int64_t)(s->packed_n - s->packed_at);
}

void ki_source_close(ki_source *s)
{
    if (s == NULL) return;
    if (s->is_gzip) inflateEnd(&s->unpack);
    if (s->stream.close != NULL) s->stream.close(s->stream.self);
    if (s->fd >= 0) close(s->fd);
    ki_free(s->packed);
    ki_free(s->head);
    ki_free(s->name);
    ki_free(s);
}

/* ---- paths ---- */

ki_path_kind ki_path_look(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) return KI_PATH_ABSENT;
    return S_ISDIR(st.st_mode) ? KI_PATH_FOLDER : KI_PATH_FILE;
}

int ki_path_find(char *out, const char *folder, const char *name)
{
    for (const char *end = "";; end = ".gz") {
        const int n = snprintf(out, KI_PATH_MAX, "%s/%s%s", folder, name, end);
        if (n < KI_PATH_MAX && ki_path_look(out) == KI_PATH_FILE) return 1;
        if (*end != '\0') break;
    }
    out[0] = '\0';
    return 0;
}

static int ends_in(const char *name, const char *ending)
{
    const size_t n = strlen(name), k = strlen(ending);
    return n >= k && strcmp(name + n - k, ending) == 0;
}

int ki_path_find_ending(char *out, const char *folder, const char *ending)
{
    char zipped[64];
    int found = 0;
    const struct dirent *entry;
    DIR *dir = opendir(folder);
    out[0] = '\0';
    if (dir == NULL) return 0;
    snprintf(zipped, sizeof zipped, "%s.gz", ending);
    while ((entry = readdir(dir)) != NULL) {
        if (!ends_in(entry->d_name, ending) && !ends_in(entry->d_name, zipped)) continue;
        if (snprintf(out, KI_PATH_MAX, "%s/%s", folder, entry->d_name) < KI_PATH_MAX) found++;
    }
    closedir(dir);
    return found;
}

const char *ki_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

void ki_path_folder(char *out, const char *path)
{
    const int n = (int)(ki_path_base(path) - path);
    if (n == 0)
        snprintf(out, KI_PATH_MAX, ".");
    else
        snprintf(out, KI_PATH_MAX, "%.*s", n, path);
}
