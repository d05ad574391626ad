/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/err.h"
#include "base/job.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "base/pool.h"
#include "base/print.h"
#include "base/rng.h"
#include "base/scan.h"

#include <math.h>

static kith_err add_up(void *arg, int64_t begin, int64_t end, int worker)
{
    int64_t *slots = arg;
    (void)worker;
    for (int64_t j = begin; j < end; j++) slots[begin / 10] += j;
    return KITH_OK;
}

TEST(a_loop_covers_every_index_once_for_any_number_of_threads)
{
    for (int threads = 1; threads <= 5; threads++) {
        ki_pool *pool;
        int64_t slots[101] = { 0 }, sum = 0;
        CHECK_OK(ki_pool_new(threads, &pool));
        CHECK_OK(ki_parallel_for(pool, 1003, 10, add_up, slots));
        for (int j = 0; j < 101; j++) sum += slots[j];
        CHECK_INT(sum, 1003 * 1002 / 2);
        ki_pool_free(pool);
    }
    CHECK_INT(ki_alloc_live(), 0);
}

static kith_err fail_at_700(void *arg, int64_t begin, int64_t end, int worker)
{
    (void)arg, (void)worker;
    return begin <= 700 && 700 < end ? ki_fail(KITH_EDATA, "row 700 is bad") : KITH_OK;
}

TEST(a_failure_in_a_worker_arrives_with_its_sentence)
{
    ki_pool *pool;
    CHECK_OK(ki_pool_new(4, &pool));
    for (int turn = 0; turn < 50; turn++)
        CHECK_FAILS(ki_parallel_for(pool, 1000, 7, fail_at_700, NULL), KITH_EDATA, "row 700");
    ki_pool_free(pool);
}

TEST(the_nth_allocation_can_be_made_to_fail)
{
    char *a = NULL, *b = NULL;
    ki_alloc_fail_at(2, 0);
    CHECK_OK(ki_strdup(&a, "one"));
    CHECK_FAILS(ki_strdup(&b, "two"), KITH_ENOMEM, "refused");
    CHECK(b == NULL);
    CHECK_OK(ki_strdup(&b, "three"));
    ki_free(a);
    ki_free(b);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(sizes_that_overflow_are_refused)
{
    void *p = NULL;
    CHECK_FAILS(ki_alloc(&p, SIZE_MAX / 2, 4), KITH_ENOMEM, "out of memory");
    CHECK(p == NULL);
}

/* Sizes about a line of cache, a page, and where blocks begin to be pages of their own; each is soiled, so that the
 * next one of its size shows whether it is made of zeroes. */
TEST(blocks_are_aligned_and_zero_whoever_had_them_before)
{
    static const size_t sizes[] = { 0, 1, 8, 63, 64, 65, 1000, 4095, 4096, 131007, 131008, 131072, 300000 };
    for (int round = 0; round < 3; round++)
        for (size_t j = 0; j < KI_COUNT(sizes); j++) {
            unsigned char *p = NULL, *q = NULL;
            size_t soiled = 0;
            CHECK_OK(ki_alloc(&p, sizes[j], 1));
            CHECK_OK(ki_alloc(&q, sizes[j], 1));
            CHECK_INT((uintptr_t)p % KI_ALIGN, 0);
            CHECK_INT((uintptr_t)q % KI_ALIGN, 0);
            for (size_t b = 0; b < sizes[j]; b++) soiled += p[b] != 0 || q[b] != 0;
            CHECK_INT(soiled, 0);
            memset(p, 0xa5, sizes[j]);
            memset(q, 0x5a, sizes[j]);
            ki_free(p);
            ki_free(q);
        }
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(random_rows_differ_and_repeat)
{
    ki_rng a = ki_rng_make(1, 2, 3), b = ki_rng_make(1, 2, 3), c = ki_rng_make(1, 2, 4);
    const uint64_t x = ki_rng_next(&a);
    CHECK(x == ki_rng_next(&b));
    CHECK(x != ki_rng_next(&c));
    double sum = 0, squares = 0;
    for (int j = 0; j < 100000; j++) {
        const double z = ki_rng_normal(&a);
        sum += z;
        squares += z * z;
    }
    CHECK_NEAR(sum / 1e5, 0, 0.016);     /* five standard errors of a mean of 1e5 normals */
    CHECK_NEAR(squares / 1e5, 1, 0.023); /* five of their variance, sqrt(2 / n) */
}

/* printf is the oracle.  Doubles of any bits, floats as scores are, numbers that lie in the middle of two of nine
 * digits or beside it, and the ends of the range that is not left to printf. */
static void check_number(double x)
{
    char want[40], got[40];
    snprintf(want, sizeof want, "%.9g", x);
    got[ki_print_number(got, x)] = '\0';
    CHECK_STR(got, want);
}

TEST(numbers_are_printed_as_printf_does)
{
    static const double edges[] = { 0,
                                    -0.0,
                                    1e-4,
                                    9.9999999949e-5,
                                    0.00099999999995,
                                    1,
                                    999999999,
                                    999999998.5,
                                    999999999.5,
                                    1e9,
                                    123456789.5,
                                    123456788.5,
                                    0.1,
                                    -2.5,
                                    1e300,
                                    5e-324,
                                    99999999.95,
                                    INFINITY,
                                    -INFINITY,
                                    NAN,
                                    1.0000000005,
                                    0.50000000025,
                                    1e22 };
    ki_rng r = ki_rng_make(7, 0, 0);
    for (size_t j = 0; j < KI_COUNT(edges); j++) check_number(edges[j]);
    for (int j = 0; j < 20000; j++) {
        const uint64_t bits = ki_rng_next(&r);
        double x;
        memcpy(&x, &bits, sizeof x);
        check_number(x);
        check_number((float)(ki_rng_unit(&r) * 8 - 4));
        check_number(ldexp((double)(bits >> 40), (int)(bits % 48) - 36)); /* few bits: many ties */
        check_number((double)(bits % 2000000001) / 2 * pow(10, -(double)(bits >> 60 & 7)));
    }
}

TEST(whole_numbers_are_printed_as_printf_does)
{
    static const int64_t some[] = { 0, 1, -1, 9, 10, 99, 100, INT64_MAX, INT64_MIN, -1000000007 };
    char want[40], got[40];
    for (size_t j = 0; j < KI_COUNT(some); j++) {
        snprintf(want, sizeof want, "%lld", (long long)some[j]);
        got[ki_print_whole(got, some[j])] = '\0';
        CHECK_STR(got, want);
    }
    got[ki_print_hex(got, 0xabcdef0123, 12)] = '\0';
    CHECK_STR(got, "00abcdef0123");
    got[ki_print_padded(got, 42, 3)] = '\0';
    CHECK_STR(got, "042");
}

TEST(fields_of_csv_are_quoted_where_a_reader_needs_it)
{
    const char *const fields[] = { "plain", "a,b", "say \"hi\"", "", " blank", "two\nlines" };
    const char want[] = "plain;\"a,b\";\"say \"\"hi\"\"\";\"\";\" blank\";\"two\nlines\";a,b";
    char got[sizeof want + 1] = "";
    ki_outfile *f;
    CHECK_OK(ki_outfile_open("fields.csv", &f));
    for (size_t j = 0; j < KI_COUNT(fields); j++) {
        ki_outfile_field(f, fields[j], ',');
        ki_outfile_text(f, ";");
    }
    ki_outfile_field(f, "a,b", '\t');
    CHECK_OK(ki_outfile_commit(f));
    FILE *back = fopen("fields.csv", "r");
    CHECK(back != NULL && fread(got, 1, sizeof got - 1, back) == sizeof want - 1);
    fclose(back);
    remove("fields.csv");
    CHECK_STR(got, want);
}

TEST(json_text_takes_its_value_and_tells_of_memory)
{
    char *text = NULL;
    CHECK(ki_json_print(NULL, &text) == KITH_ENOMEM && text == NULL);
    ki_alloc_fail_at(1, 0);
    CHECK(ki_json_print(json_pack("{s:f}", "a", 0.1), &text) == KITH_ENOMEM && text == NULL);
    ki_alloc_fail_at(0, 0);
    CHECK_OK(ki_json_print(json_pack("{s:f}", "a", 0.1), &text));
    CHECK_STR(text, "{\"a\":0.1}");
    kith_string_free(text);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(sizes_are_said_in_units_that_fit)
{
    static const struct {
        size_t bytes;
        const char *want;
    } all[] = { { 0, "0.00 kB" },       { 1234, "1.23 kB" },       { 999499, "999 kB" },
                { 999500, "1.00 MB" },  { 12340000, "12.3 MB" },   { 9994999, "9.99 MB" },
                { 9995001, "10.0 MB" }, { 3410000000, "3.41 GB" }, { 12000000000000, "12.0 TB" } };
    char out[KI_BYTES_ROOM];
    for (size_t j = 0; j < KI_COUNT(all); j++) CHECK_STR(ki_bytes_say(all[j].bytes, out), all[j].want);
    const ki_job job = { .memory_bytes = 1000000 };
    CHECK_OK(ki_job_memory(&job, "it", 1000000));
    CHECK_FAILS(ki_job_memory(&job, "it", 2500000), KITH_ENOMEM,
                "it needs 2.50 MB, which is over the limit of 1.00 MB");
}

TEST(a_message_is_utf8_wherever_it_was_cut)
{
    char long_text[2 * KI_MESSAGE_SIZE];
    ki_fail(KITH_EINVAL, "user \"%.5s\" is gone", "abcd\xc3\xa9");
    CHECK_STR(kith_last_error(), "user \"abcd?\" is gone");
    ki_fail(KITH_EINVAL, "\"%.3s\" and \"%.2s\"", "\xf0\x9f\x98\x80", "\xe2\x82\xac");
    CHECK_STR(kith_last_error(), "\"?\" and \"?\"");
    ki_fail(KITH_EINVAL, "%s", "Caf\xe9 Ol\xe9, \xc3\xa9t\xc3\xa9"); /* Latin-1 and UTF-8 */
    CHECK_STR(kith_last_error(), "Caf? Ol?, \xc3\xa9t\xc3\xa9");
    for (size_t at = 0; at < 3; at++) { /* the end of the buffer may fall anywhere in a character */
        memset(long_text, 'x', sizeof long_text);
        for (size_t j = at; j + 3 < sizeof long_text; j += 3) memcpy(long_text + j, "\xe2\x82\xac", 3);
        long_text[sizeof long_text - 1] = '\0';
        ki_fail(KITH_EINVAL, "%s", long_text);
        CHECK(ki_utf8_valid(kith_last_error(), strlen(kith_last_error())));
    }
    ki_message_set("half \xe2\x82");
    CHECK_STR(kith_last_error(), "half ?");
}
