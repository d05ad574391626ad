/* SPDX-License-Identifier: MIT
 * tensors.c -- the safetensors container (layout in tensors.h)
 *
 * Nothing in a file is believed: the header is parsed by jansson, every number in it is
 * range-checked, and the arrays must tile the data exactly.  Written files are read back by the
 * Python safetensors package in the tests.
 */
#include "base/tensors.h"

#include "base/mem.h"
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_TENSORS = 4096, MAX_HEADER = 64 << 20 };

static const struct {
    const char *name;
    size_t bytes;
} dtypes[] = { { "F32", 4 }, { "F64", 8 }, { "I32", 4 }, { "I64", 8 }, { "U8", 1 } };

size_t ki_dtype_bytes(ki_dtype t)
{
    return dtypes[t].bytes;
}

static size_t tensor_bytes(const ki_tensor *t)
{
    return (size_t)t->shape[0] * (size_t)(t->rank == 2 ? t->shape[1] : 1) * dtypes[t->dtype].bytes;
}

/* ---- writing
 * --------------------------------------------------------------------------------------------------
 */

/* Wide elements first; list order within a width. */
static void order_by_width(const ki_tensor *list, int n, int *order)
{
    int to = 0;
    for (size_t width = 8; width >= 1; width /= 2)
        for (int j = 0; j < n; j++)
            if (dtypes[list[j].dtype].bytes == width) order[to++] = j;
}

static json_t *entry_json(const ki_tensor *t, size_t begin)
{
    json_t *shape = json_array();
    for (int r = 0; r < t->rank; r++) json_array_append_new(shape, json_integer(t->shape[r]));
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", dtypes[t->dtype].name, "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)(begin + tensor_bytes(t)));
}

static char *header_text(const ki_tensor *list, int n, const int *order, const json_t *metadata)
{
    json_t *header = json_object();
    size_t at = 0;
    int bad = header == NULL;
    if (metadata != NULL) bad |= json_object_set(header, "__metadata__", (json_t *)metadata) != 0;
    for (int j = 0; j < n && !bad; j++) {
        bad |=
            json_object_set_new(header, list[order[j]].name, entry_json(&list[order[j]], at)) != 0;
        at += tensor_bytes(&list[order[j]]);
    }
    char *text = bad ? NULL : json_dumps(header, JSON_COMPACT);
    json_decref(header);
    return text;
}

static void put_header(ki_outfile *f, const char *text)
{
    static const char blanks[KI_ALIGN + 1] =
        "                                                                ";
    const size_t length = strlen(text), end = 8 + length;
    const size_t pad = (KI_ALIGN - end % KI_ALIGN) % KI_ALIGN;
    const uint64_t told = length + pad;
    unsigned char size[8];
    for (int j = 0; j < 8; j++) size[j] = (unsigned char)(told >> (8 * j));
    ki_outfile_put(f, size, sizeof size);
    ki_outfile_put(f, text, length);
    ki_outfile_put(f, blanks, pad);
}

kith_err ki_tensors_write(const char *path, const ki_tensor *list, int n, const json_t *metadata)
{
    int order[MAX_TENSORS];
    ki_outfile *f = NULL;
    if (n > MAX_TENSORS)
        return ki_fail(KITH_EINVAL, "%d arrays in one file, want at most %d", n, MAX_TENSORS);
    order_by_width(list, n, order);
    char *text = header_text(list, n, order, metadata);
    if (text == NULL) return ki_fail_memory(1);
    kith_err err = ki_outfile_open(path, &f);
    if (err == KITH_OK) {
        put_header(f, text);
        for (int j = 0; j < n; j++)
            ki_outfile_put(f, list[order[j]].data, tensor_bytes(&list[order[j]]));
        err = ki_outfile_commit(f);
    }
    free(text); /* jansson's */
    return err;
}

/* ---- reading
 * --------------------------------------------------------------------------------------------------
 */

struct ki_mapping {
    char *path;
    unsigned char *base;
    size_t size;
    json_t *header;
    const json_t *metadata;
    int n;
    ki_tensor *list;
};

static int parse_dtype(const char *name)
{
    for (size_t t = 0; name != NULL && t < KI_COUNT(dtypes); t++)
        if (strcmp(name, dtypes[t].name) == 0) return (int)t;
    return -1;
}

static int parse_shape(const json_t *shape, ki_tensor *t, size_t *bytes)
{
    t->rank = (int)json_array_size(shape);
    if (!json_is_array(shape) || t->rank < 1 || t->rank > 2) return 0;
    *bytes = dtypes[t->dtype].bytes;
    for (int r = 0; r < t->rank; r++) {
        const json_t *size = json_array_get(shape, (size_t)r);
        if (!json_is_integer(size) || json_integer_value(size) < 0) return 0;
        t->shape[r] = json_integer_value(size);
        if (__builtin_mul_overflow(*bytes, (size_t)t->shape[r], bytes)) return 0;
    }
    return 1;
}

static kith_err parse_entry(ki_mapping *m, const char *name, const json_t *entry, size_t data_begin)
{
    ki_tensor *t = &m->list[m->n];
    const int dtype = parse_dtype(json_string_value(json_object_get(entry, "dtype")));
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *second = json_array_get(offsets, 1);
    const size_t room = m->size - data_begin;
    size_t bytes = 0;
    if (dtype < 0)
        return ki_fail(KITH_EFORMAT, "%s: array %.64s has an unknown dtype", m->path, name);
    t->dtype = (ki_dtype)dtype;
    t->name = name;
    if (!parse_shape(json_object_get(entry, "shape"), t, &bytes))
        return ki_fail(KITH_EFORMAT, "%s: array %.64s has no shape of one or two sizes", m->path,
                       name);
    if (!json_is_integer(first) || !json_is_integer(second) || json_integer_value(first) < 0 ||
        json_integer_value(second) < json_integer_value(first) ||
        (uint64_t)json_integer_value(second) > room ||
        (uint64_t)(json_integer_value(second) - json_integer_value(first)) != bytes ||
        (data_begin + (uint64_t)json_integer_value(first)) % dtypes[dtype].bytes != 0)
        return ki_fail(
            KITH_EFORMAT,
            "%s: array %.64s has offsets that do not fit its shape, its alignment or the "
            "file (%zu bytes)",
            m->path, name, m->size);
    t->data = m->base + data_begin + json_integer_value(first);
    m->n++;
    return KITH_OK;
}

/* An empty array goes before the one that begins at the same byte. */
static int by_place(const void *a, const void *b)
{
    const ki_tensor *x = a, *y = b;
    const char *p = x->data, *q = y->data;
    if (p != q) return p > q ? 1 : -1;
    return (tensor_bytes(x) > tensor_bytes(y)) - (tensor_bytes(x) < tensor_bytes(y));
}

/* Sorted by place, the arrays must follow one another from the first byte of the data to the last
 * of the file. */
static kith_err check_tiling(const ki_mapping *m, size_t data_begin)
{
    const unsigned char *at = m->base + data_begin;
    for (int j = 0; j < m->n; j++) {
        if ((const unsigned char *)m->list[j].data != at)
            return ki_fail(KITH_EFORMAT, "%s: array %.64s leaves a gap or overlaps", m->path,
                           m->list[j].name);
        at += tensor_bytes(&m->list[j]);
    }
    if (at != m->base + m->size)
        return ki_fail(KITH_EFORMAT, "%s: %zu bytes after the last array", m->path,
                       (size_t)(m->base + m->size - at));
    return KITH_OK;
}

static kith_err parse_header(ki_mapping *m, uint64_t length)
{
    json_error_t error;
    const char *name;
    json_t *entry;
    kith_err err;
    m->header =
        json_loadb((const char *)m->base + 8, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(m->header))
        return ki_fail(KITH_EFORMAT, "%s: the header is not a JSON object: %.160s", m->path,
                       error.text);
    if (json_object_size(m->header) > MAX_TENSORS)
        return ki_fail(KITH_EFORMAT, "%s: too many arrays", m->path);
    err = ki_alloc(&m->list, json_object_size(m->header), sizeof *m->list);
    if (err != KITH_OK) return err;
    json_object_foreach (m->header, name, entry) {
        if (strcmp(name, "__metadata__") == 0)
            m->metadata = entry;
        else if ((err = parse_entry(m, name, entry, 8 + (size_t)length)) != KITH_OK)
            return err;
    }
    if (m->metadata != NULL && !json_is_object(m->metadata))
        return ki_fail(KITH_EFORMAT, "%s: __metadata__ is not an object", m->path);
    qsort(m->list, (size_t)m->n, sizeof *m->list, by_place);
    return check_tiling(m, 8 + (size_t)length);
}

static uint64_t header_length(const unsigned char *p)
{
    uint64_t length = 0;
    for (int j = 0; j < 8; j++) length |= (uint64_t)p[j] << (8 * j);
    return length;
}

static kith_err map_file(ki_mapping *m)
{
    struct stat st;
    const int fd = open(m->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ki_fail(KITH_EIO, "%s: %s", m->path, strerror(errno));
    kith_err err = KITH_OK;
    if (fstat(fd, &st) != 0)
        err = ki_fail(KITH_EIO, "%s: %s", m->path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        err = ki_fail(KITH_EIO, "%s: not a regular file", m->path);
    else if (st.st_size < 10)
        err = ki_fail(KITH_EFORMAT, "%s: too short to be a kith file", m->path);
    if (err == KITH_OK) {
        m->size = (size_t)st.st_size;
        void *base = mmap(NULL, m->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (base == MAP_FAILED)
            err = ki_fail(KITH_EIO, "%s: mmap failed: %s", m->path, strerror(errno));
        else
            m->base = base;
    }
    close(fd);
    return err;
}

kith_err ki_tensors_open(const char *path, ki_mapping **out)
{
    ki_mapping *m = NULL;
    kith_err err = ki_alloc(&m, 1, sizeof *m);
    if (err != KITH_OK) return err;
    if ((err = ki_strdup(&m->path, path)) != KITH_OK) goto fail;
    if ((err = map_file(m)) != KITH_OK) goto fail;
    const uint64_t length = header_length(m->base);
    if (length < 2 || length > MAX_HEADER || length > m->size - 8 || m->base[8] != '{') {
        err = ki_fail(KITH_EFORMAT, "%s: not a kith file (no safetensors header)", path);
        goto fail;
    }
    if ((err = parse_header(m, length)) != KITH_OK) goto fail;
    *out = m;
    return KITH_OK;
fail:
    ki_tensors_close(m);
    return err;
}

int ki_tensors_is_file(const char *path)
{
    unsigned char head[10];
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* not to wait for a pipe */
    if (fd < 0) return 0;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) { /* a pipe's bytes would be gone */
        close(fd);
        return 0;
    }
    const ssize_t n = read(fd, head, sizeof head);
    close(fd);
    return n == (ssize_t)sizeof head && header_length(head) <= MAX_HEADER && head[8] == '{' &&
           head[9] == '"';
}

const json_t *ki_tensors_metadata(const ki_mapping *m)
{
    return m->metadata;
}

const ki_tensor *ki_tensors_find(const ki_mapping *m, const char *name)
{
    for (int j = 0; j < m->n; j++)
        if (strcmp(m->list[j].name, name) == 0) return &m->list[j];
    return NULL;
}

int ki_tensors_count(const ki_mapping *m)
{
    return m->n;
}

const ki_tensor *ki_tensors_at(const ki_mapping *m, int index)
{
    return &m->list[index];
}

const char *ki_tensors_path(const ki_mapping *m)
{
    return m->path;
}

kith_err ki_tensors_unlock(ki_mapping *m)
{
    if (mprotect((void *)m->base, m->size, PROT_READ | PROT_WRITE) == 0) return KITH_OK;
    return ki_fail(KITH_ENOMEM, "%s: the mapping cannot be made writable: %s", m->path,
                   strerror(errno));
}

void ki_tensors_close(ki_mapping *m)
{
    if (m == NULL) return;
    if (m->base != NULL) munmap(m->base, m->size);
    json_decref(m->header);
    ki_free(m->list);
    ki_free(m->path);
    ki_free(m);
}

/* ---- structs
 * --------------------------------------------------------------------------------------------------
 */

int ki_fields_to_tensors(const ki_field *fields, int n, const char *prefix, char (*names)[64],
                         ki_tensor *out)
{
    int to = 0;
    for (int j = 0; j < n; j++) {
        const ki_field *f = &fields[j];
        if (*f->data == NULL) continue;
        snprintf(names[to], sizeof names[to], "%s.%s", prefix, f->name);
        out[to] =
            (ki_tensor){ .name = names[to], .dtype = f->dtype, .rank = f->rank, .data = *f->data };
        out[to].shape[0] = *f->shape[0] + f->extra;
        if (f->rank == 2) out[to].shape[1] = *f->shape[1];
        to++;
    }
    return to;
}

/* The file's size of one axis against what is known of it; learnt when it was -1. */
static int agree(int64_t *known, int64_t extra, int64_t found)
{
    if (found < extra) return 0;
    if (*known < 0) *known = found - extra;
    return *known == found - extra;
}

static kith_err bind_one(const ki_field *f, const char *name, const ki_mapping *m)
{
    const ki_tensor *t = ki_tensors_find(m, name);
    if (t == NULL && f->optional) return KITH_OK;
    if (t == NULL) return ki_fail(KITH_EFORMAT, "%s: array %s is missing", m->path, name);
    if (t->dtype != f->dtype || t->rank != f->rank)
        return ki_fail(KITH_EFORMAT, "%s: array %s is %s of %d axes, want %s of %d", m->path, name,
                       dtypes[t->dtype].name, t->rank, dtypes[f->dtype].name, f->rank);
    if (!agree(f->shape[0], f->extra, t->shape[0]) ||
        (f->rank == 2 && !agree(f->shape[1], 0, t->shape[1])))
        return ki_fail(KITH_EFORMAT,
                       "%s: array %s does not have the size that the rest of the file asks for",
                       m->path, name);
    *f->data = (void *)t->data;
    return KITH_OK;
}

kith_err ki_fields_bind(const ki_field *fields, int n, const char *prefix, const ki_mapping *m)
{
    char name[64];
    for (int j = 0; j < n; j++) {
        snprintf(name, sizeof name, "%s.%s", prefix, fields[j].name);
        const kith_err err = bind_one(&fields[j], name, m);
        if (err != KITH_OK) return err;
    }
    return KITH_OK;
}

void ki_fields_free(const ki_field *fields, int n)
{
    for (int j = 0; j < n; j++) {
        ki_free(*fields[j].data);
        *fields[j].data = NULL;
    }
}
