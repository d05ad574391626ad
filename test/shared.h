/* SPDX-License-Identifier: MIT
 * shared.h -- where the published data sets are, for the tests that need them
 */
#ifndef KITH_TEST_SHARED_H
#define KITH_TEST_SHARED_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* The path of a data set, good until the next call; or NULL, after a word that it is absent. */
static inline const char *find_data(const char *name)
{
    static char path[4096];
    const char *const folders[] = { getenv("KITH_DATASETS"), "../shared/data", "../../shared/data" };
    struct stat there;
    for (int j = 0; j < 3; j++) {
        if (folders[j] == NULL) continue;
        snprintf(path, sizeof path, "%s/%s", folders[j], name);
        if (stat(path, &there) == 0) return path;
    }
    printf("skipped: no data set %s at $KITH_DATASETS or ../shared/data\n", name);
    return NULL;
}

#endif
