/* SPDX-License-Identifier: MIT
 * pages.h -- the files of web/ as they were when kith was built (scripts/embed makes them C)
 */
#ifndef KI_PAGES_H
#define KI_PAGES_H

#include <stddef.h>

typedef struct ki_page {
    const char *bytes;
    size_t n;
    const char *etag; /* quoted, of the content */
} ki_page;

extern const ki_page ki_page_dashboard, ki_page_docs;

#endif
