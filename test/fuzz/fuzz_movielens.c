/* SPDX-License-Identifier: MIT
 * fuzz_movielens.c -- the first byte says which file of MovieLens the rest is
 */
#include "data/movielens.h"
#include "fuzz.h"

static void fuzz_attributes(const uint8_t *bytes, size_t n, const char *file)
{
    ki_idmap ids = { 0 };
    ki_attrs a = { .ids = &ids };
    ki_genres genres = { 0 };
    ki_source *s = NULL;
    MUST(ki_source_memory(file, bytes, n, &s) == KITH_OK);
    kith_err err = ki_movielens_attributes(&a, s, file, &genres);
    if (err == KITH_OK) err = ki_movielens_refine(&a);
    fuzz_finish(&a, err);
    ki_source_close(s);
    ki_idmap_clear(&ids);
    MUST(ki_alloc_live() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const files[] = { "u.genre", "u.item", "u.user", "movies.dat", "users.dat" };
    static const char *const layouts[] = { "movielens-100k", "movielens-1m", "movielens-latest" };
    if (n == 0) return 0;
    const int which = bytes[0] % 8;
    if (which < 5)
        fuzz_attributes(bytes + 1, n - 1, files[which]);
    else
        fuzz_read(layouts[which - 5], bytes + 1, n - 1, bytes[0] / 8 % 2, 7);
    return 0;
}
