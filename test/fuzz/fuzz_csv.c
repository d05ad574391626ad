/* SPDX-License-Identifier: MIT
 * fuzz_csv.c -- the first byte says what the rest is: interactions, tab-separated ones, or a table of attributes
 */
#include "fuzz.h"

static void fuzz_table(const uint8_t *bytes, size_t n)
{
    ki_idmap ids = { 0 };
    ki_attrs a = { .ids = &ids };
    ki_source *s = NULL;
    MUST(ki_source_memory("table", bytes, n, &s) == KITH_OK);
    fuzz_finish(&a, ki_attrs_read(&a, s, KI_ITEM));
    ki_source_close(s);
    ki_idmap_clear(&ids);
    MUST(ki_alloc_live() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0) return 0;
    switch (bytes[0] % 4) {
    case 0: fuzz_read("csv", bytes + 1, n - 1, 0, 5); break;
    case 1: fuzz_read("csv", bytes + 1, n - 1, 1000, 11); break;
    case 2: fuzz_read("tsv", bytes + 1, n - 1, 2, 3); break;
    case 3: fuzz_table(bytes + 1, n - 1); break;
    }
    return 0;
}
