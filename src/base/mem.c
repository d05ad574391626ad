/* SPDX-License-Identifier: MIT
 * mem.c -- aligned, checked allocation with a switch that makes the n-th one fail
 *
 * ki_alloc takes `void *out` as the address of any pointer; the pointer is stored by memcpy, so no
 * two pointer types alias.
 *
 * A block is cut out of a larger one of malloc's: its first byte is the first that is aligned and has a byte before
 * it, which says how far back malloc's begins.  aligned_alloc costs several times as much (glibc splits a chunk, gives
 * both ends back and passes over its caches of the thread), which a service that makes some dozens of small blocks per
 * request felt in every one of them.
 */
#include "base/mem.h"

#ifdef __GLIBC__
#include <malloc.h> /* malloc_trim */
#endif
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    FRESH = 1 << 17,      /* from here on malloc takes pages of their own */
    LARGE_PAGE = 2 << 20, /* where the system has them */
};

static atomic_llong countdown; /* 0: off; the block that brings it to 0 is refused */
static atomic_int refuse_all;
static atomic_llong live;

void ki_alloc_fail_at(int64_t n, int forever)
{
    atomic_store(&refuse_all, 0);
    atomic_store(&countdown, forever ? -n : n);
}

int64_t ki_alloc_live(void)
{
    return atomic_load(&live);
}

static int refused(void)
{
    if (atomic_load_explicit(&refuse_all, memory_order_relaxed)) return 1;
    long long left = atomic_load_explicit(&countdown, memory_order_relaxed);
    if (left == 0) return 0;
    if (left > 0) return atomic_fetch_sub(&countdown, 1) == 1;
    if (atomic_fetch_add(&countdown, 1) != -1) return 0;
    atomic_store(&refuse_all, 1);
    return 1;
}

/* Large blocks are fresh pages, which are zero already and are touched by whoever uses them first. */
static void *aligned_zeroes(size_t bytes)
{
    const size_t rounded = (KI_MAX(bytes, (size_t)1) + KI_ALIGN - 1) / KI_ALIGN * KI_ALIGN,
                 room = rounded + KI_ALIGN;
    if (room < bytes || rounded < bytes || refused()) return NULL;
    unsigned char *whole = room < FRESH ? malloc(room) : calloc(room, 1);
    if (whole == NULL) return NULL;
    const size_t before = KI_ALIGN - (uintptr_t)whole % KI_ALIGN; /* 1 to KI_ALIGN */
    unsigned char *p = whole + before;
    if (room < FRESH) memset(p, 0, rounded);
    p[-1] = (unsigned char)before;
    atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return p;
}

kith_err ki_alloc(void *out, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) return ki_fail_memory(SIZE_MAX);
    void *p = aligned_zeroes(bytes);
    if (p == NULL) return ki_fail_memory(bytes);
    memcpy(out, &p, sizeof p);
    return KITH_OK;
}

kith_err ki_grow(void *p, size_t old_n, size_t new_n, size_t size)
{
    void *old, *fresh = NULL;
    kith_err err = ki_alloc(&fresh, new_n, size);
    if (err != KITH_OK) return err;
    memcpy(&old, p, sizeof old);
    if (old != NULL) memcpy(fresh, old, KI_MIN(old_n, new_n) * size);
    ki_free(old);
    memcpy(p, &fresh, sizeof fresh);
    return KITH_OK;
}

void ki_free(void *p)
{
    if (p == NULL) return;
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    unsigned char *block = p;
    free(block - block[-1]);
}

void ki_fill_soon(void *p, size_t n, size_t size)
{
    const uintptr_t from = ((uintptr_t)p + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    const uintptr_t end = ((uintptr_t)p + n * size) / LARGE_PAGE * LARGE_PAGE;
#ifdef MADV_HUGEPAGE
    if (end > from) madvise((void *)from, end - from, MADV_HUGEPAGE);
#endif
}

void ki_give_back_free(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

kith_err ki_strndup(char **out, const char *s, size_t n)
{
    kith_err err = ki_alloc(out, n + 1, 1);
    if (err == KITH_OK) memcpy(*out, s, n);
    return err;
}

kith_err ki_strdup(char **out, const char *s)
{
    return ki_strndup(out, s, strlen(s));
}

void kith_string_free(char *s)
{
    ki_free(s);
}
