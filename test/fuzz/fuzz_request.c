/* SPDX-License-Identifier: MIT
 * fuzz_request.c -- a request of the tool contract: a result by the schema, or a named error
 */
#include "fuzz.h"
#include "tool/schema.h"
#include "tool/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const kith_run_options o = { .no_files = 1, .model_folder = "" };
    kith *k = NULL;
    char *result = NULL;
    ki_findings f = { 0 };
    MUST(kith_new(&(kith_options){ .threads = 1, .memory_bytes = (size_t)256 << 20 }, &k) == KITH_OK);
    const kith_err err = kith_run(k, (const char *)bytes, n, &o, &result);
    MUST(result != NULL);
    json_t *r = json_loads(result, 0, NULL), *schema = ki_schema_response();
    MUST(r != NULL);
    if (err == KITH_OK) ki_verify(schema, r, NULL, &f);
    MUST(f.n_violations == 0);
    MUST(err == KITH_OK || json_object_get(json_object_get(r, "error"), "type") != NULL);
    ki_findings_clear(&f);
    json_decref(schema);
    json_decref(r);
    kith_string_free(result);
    kith_free(k);
    MUST(ki_alloc_live() == 0);
    return 0;
}
