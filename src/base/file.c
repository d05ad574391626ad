/* SPDX-License-Identifier: MIT
 * file.c -- one way to read plain files, gzip files and memory
 *
 * zlib's gz layer reads plain files too, and then copies large reads straight from the kernel, so
 * there is one path for both.  Memory exists as a source for tests and fuzzers.
 */
#include "base/file.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

struct ki_source {
    char *name;
    gzFile gz; /* NULL: memory */
    const char *memory;
    size_t memory_n, memory_at;
    int64_t size;
    char *head; /* [head_n] peeked and not yet read; head_at of it is read */
    size_t head_room, head_n, head_at;
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
    *out = s;
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
    s->gz = gzdopen(fd, "rb");
    if (s->gz == NULL) {
        close(fd);
        return ki_fail_memory(KI_PEEK);
    }
    gzbuffer(s->gz, 1 << 18);
    return KITH_OK;
}

/* Straight from the file or memory, past the head. */
static kith_err take(ki_source *s, char *to, size_t n, size_t *got)
{
    *got = 0;
    if (s->gz == NULL) {
        *got = KI_MIN(n, s->memory_n - s->memory_at);
        if (*got > 0) memcpy(to, s->memory + s->memory_at, *got);
        s->memory_at += *got;
        return KITH_OK;
    }
    while (*got < n) {
        const int r = gzread(s->gz, to + *got, (unsigned)KI_MIN(n - *got, (size_t)1 << 30));
        if (r > 0) *got += (size_t)r;
        if (r > 0) continue;
        int code = Z_OK;
        const char *why = gzerror(s->gz, &code);
        if (code == Z_OK) return KITH_OK;
        if (code == Z_ERRNO) return ki_fail(KITH_EIO, "%s: %s", s->name, strerror(errno));
        if (code == Z_MEM_ERROR) return ki_fail_memory(1 << 18);
        return ki_fail(KITH_EFORMAT, "%s: broken gzip file: %s", s->name, why);
    }
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

kith_err ki_source_open(const char *path, ki_source **out)
{
    ki_source *s = NULL;
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
    return s->size;
}

int64_t ki_source_at(const ki_source *s)
{
    if (s->gz == NULL) return (int64_t)s->memory_at;
    return KI_MAX((int64_t)gzoffset(s->gz), (int64_t)0); /* -1 in a pipe */
}

void ki_source_close(ki_source *s)
{
    if (s == NULL) return;
    if (s->gz != NULL) gzclose_r(s->gz);
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
