/* SPDX-License-Identifier: MIT
 * fuzz_literal.c -- a cell that may hold a list: the names never outgrow it, and UTF-8 stays UTF-8
 */
#include "fuzz.h"

#include "base/scan.h"
#include "data/literal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *cell = NULL, *out = NULL;
    MUST(ki_strndup(&cell, (const char *)bytes, n) == KITH_OK);
    MUST(ki_alloc(&out, strlen(cell) + 1, 1) == KITH_OK);
    const int valid = ki_utf8_valid(cell, strlen(cell));
    if (ki_literal_names(cell, '\x1f', out)) MUST(!valid || ki_utf8_valid(out, strlen(out)));
    ki_free(cell);
    ki_free(out);
    MUST(ki_alloc_live() == 0);
    return 0;
}
