/* SPDX-License-Identifier: MIT
 * test.h -- what a test file needs: TEST, CHECK, CHECK_NEAR and a few more, over the Check
 * framework
 *
 * Each test_NAME.c is one program; each TEST in it registers itself and runs in a process of its
 * own, so that a crash is one failure and an allocation counter starts at zero.
 */
#ifndef KITH_TEST_H
#define KITH_TEST_H

#include "kith.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void test_register(const TTest *t);
void test_register_each(const TTest *t, int (*count)(void));

#define TEST(name)                                                                                                     \
    static void name(int);                                                                                             \
    static const TTest name##_entry = { #name, name, __FILE__, __LINE__ };                                             \
    __attribute__((constructor)) static void name##_register(void)                                                     \
    {                                                                                                                  \
        test_register(&name##_entry);                                                                                  \
    }                                                                                                                  \
    static void name(int loop_index __attribute__((unused)))

/* A test that runs once for each loop_index in [0, count()), in a process of its own each. */
#define TEST_EACH(name, count)                                                                                         \
    static void name(int);                                                                                             \
    static const TTest name##_entry = { #name, name, __FILE__, __LINE__ };                                             \
    __attribute__((constructor)) static void name##_register(void)                                                     \
    {                                                                                                                  \
        test_register_each(&name##_entry, count);                                                                      \
    }                                                                                                                  \
    static void name(int loop_index)

#define CHECK(cond)          ck_assert_msg(cond, "not so: %s", #cond)
#define CHECK_INT(got, want) ck_assert_int_eq(got, want)
#define CHECK_STR(got, want) ck_assert_str_eq(got, want)

/* Within tol, both values shown; tol carries its reason in a comment at the call. */
#define CHECK_NEAR(got, want, tol)                                                                                     \
    do {                                                                                                               \
        const double got_ = (got), want_ = (want), tol_ = (tol);                                                       \
        ck_assert_msg(fabs(got_ - want_) <= tol_, "%s is %.9g, want %.9g within %g", #got, got_, want_, tol_);         \
    } while (0)

#define CHECK_OK(call)                                                                                                 \
    do {                                                                                                               \
        const kith_err err_ = (call);                                                                                  \
        ck_assert_msg(err_ == KITH_OK, "%s: %s: %s", #call, kith_err_name(err_), kith_last_error());                   \
    } while (0)

/* Fails with that code, and a sentence that holds `words`. */
#define CHECK_FAILS(call, code, words)                                                                                 \
    do {                                                                                                               \
        const kith_err err_ = (call);                                                                                  \
        ck_assert_msg(err_ == (code), "%s: got %s, want %s", #call, kith_err_name(err_), kith_err_name(code));         \
        ck_assert_msg(strstr(kith_last_error(), words) != NULL, "\"%s\" does not say \"%s\"", kith_last_error(),       \
                      words);                                                                                          \
    } while (0)

#endif
