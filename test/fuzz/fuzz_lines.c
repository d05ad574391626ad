/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n > 0) fuzz_read(bytes[0] % 2 ? "lightgcn" : "pairs", bytes + 1, n - 1, bytes[0] / 2 % 2, 9);
    return 0;
}
