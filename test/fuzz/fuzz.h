/* SPDX-License-Identifier: MIT
 * fuzz.h -- what every fuzz target shares
 *
 * A target is one LLVMFuzzerTestOneInput.  libFuzzer drives it (`make fuzz F=csv`), or replay.c with the files of its
 * corpus (`make test`).
 */
#ifndef KITH_FUZZ_H
#define KITH_FUZZ_H

#include "base/mem.h"
#include "data/read.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Stop here if a property does not hold: the fuzzer keeps the input. */
#define MUST(cond)                                                                                                     \
    do {                                                                                                               \
        if (!(cond)) __builtin_trap();                                                                                 \
    } while (0)

/* Read the bytes as `layout` in one piece and in pieces of `piece` bytes: both must give the same dataset, sound, or
 * the same failure; and nothing may stay allocated. */
static inline void fuzz_read(const char *layout, const uint8_t *bytes, size_t n, int64_t skip_bad, size_t piece)
{
    static const kith_read_options none = { 0 };
    const ki_row_limits limits[2] = { { .skip_bad = skip_bad }, { .skip_bad = skip_bad, .piece_bytes = piece } };
    kith_err err[2];
    uint64_t seen[2] = { 0 };
    char said[2][KI_MESSAGE_SIZE] = { "" };
    const int64_t live = ki_alloc_live();
    for (int j = 0; j < 2; j++) {
        ki_job job = { 0 };
        kith_data *d = NULL;
        err[j] = ki_read_buffer(&job, layout, bytes, n, &none, &limits[j], &d);
        if (err[j] == KITH_OK) {
            MUST(ki_data_check(d) == KITH_OK);
            seen[j] = ki_data_fingerprint(d);
        } else {
            MUST(d == NULL);
            snprintf(said[j], sizeof said[j], "%s", kith_last_error());
            MUST(said[j][0] != '\0');
        }
        kith_data_free(d);
        MUST(ki_alloc_live() == live);
    }
    MUST(err[0] == err[1] && seen[0] == seen[1] && strcmp(said[0], said[1]) == 0);
}

/* Turn what `a` holds into columns and check them; takes it. */
static inline void fuzz_finish(ki_attrs *a, kith_err err)
{
    char text[64];
    ki_table t = { 0 };
    if (err == KITH_OK && ki_attrs_finish(a, &t) == KITH_OK) {
        MUST(ki_table_check(&t) == KITH_OK);
        for (int c = 0; c < t.n_columns; c++)
            for (int32_t r = 0; r < t.n_rows; r++) ki_column_print(&t.columns[c], r, text, sizeof text);
    }
    ki_table_clear(&t);
    ki_attrs_clear(a);
}

#endif
