/* SPDX-License-Identifier: MIT
 * fuzz_tensors.c -- a file of named arrays, and a dataset in binary form
 */
#include "base/tensors.h"
#include "data/datafile.h"
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

static void use(const ki_mapping *m)
{
    volatile uint8_t sum = 0;
    (void)ki_tensors_metadata(m);
    for (int j = 0; j < ki_tensors_count(m); j++) {
        const ki_tensor *t = ki_tensors_at(m, j);
        size_t bytes = ki_dtype_bytes(t->dtype);
        for (int r = 0; r < t->rank; r++) bytes *= (size_t)t->shape[r];
        for (size_t b = 0; b < bytes; b++)
            sum = (uint8_t)(sum + ((const uint8_t *)t->data)[b]); /* all of it is there */
        MUST(ki_tensors_find(m, t->name) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char path[64];
    kith *k = NULL;
    kith_data *d = NULL;
    ki_mapping *m = NULL;
    const int fd = memfd_create("fuzz", 0);
    MUST(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (ki_tensors_open(path, &m) == KITH_OK) use(m);
    ki_tensors_close(m);
    MUST(kith_new(&(kith_options){ .threads = 1 }, &k) == KITH_OK);
    if (ki_data_load(k, path, &d) == KITH_OK) MUST(ki_data_check(d) == KITH_OK);
    kith_data_free(d);
    kith_free(k);
    close(fd);
    MUST(ki_alloc_live() == 0);
    return 0;
}
