/* SPDX-License-Identifier: MIT
 * sqlite_missing.c -- what stands in for sqlite.c in a build without SQLite: a store that says so
 */
#include "store/backend.h"

static kith_err refuse(const char *path, const ki_store_options *options, void **state)
{
    (void)path, (void)options, (void)state;
    return ki_fail(KITH_EINVAL, "kith was built without SQLite, so it has no store; install "
                                "libsqlite3-dev and build again");
}

const ki_backend ki_sqlite_backend = { .name = "sqlite", .open = refuse };
