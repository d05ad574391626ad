/* SPDX-License-Identifier: MIT
 * fuzz_transfer.c -- lines of an exported store, read back
 */
#include "fuzz.h"
#include "store/changes.h"
#include "store/transfer.h"

/* What comes to be written is sound, whatever the lines were. */
static kith_err take(void *udata, ki_change *changes, int n)
{
    *(int *)udata += n;
    MUST(ki_changes_check(changes, n) == KITH_OK);
    return KITH_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    ki_import *im = NULL;
    ki_import_counts counts;
    int taken = 0;
    int64_t number = 0, sound = 0;
    MUST(ki_import_new(take, &taken, &im) == KITH_OK);
    for (size_t at = 0; at < n;) {
        const uint8_t *end = memchr(bytes + at, '\n', n - at);
        const size_t length = end == NULL ? n - at : (size_t)(end - bytes) - at;
        const kith_err err = ki_import_line(im, (const char *)bytes + at, length, ++number);
        MUST(err == KITH_OK || strstr(kith_last_error(), "line ") != NULL);
        sound += err == KITH_OK;
        at += length + 1;
    }
    MUST(ki_import_flush(im, &counts) == KITH_OK);
    int64_t rows = 0;
    for (int t = KI_USERS; t <= KI_JOURNALS; t++) rows += counts.rows[t];
    MUST(rows == taken && rows <= sound);
    ki_import_free(im);
    MUST(ki_alloc_live() == 0);
    return 0;
}
