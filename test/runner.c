/* SPDX-License-Identifier: MIT
 * runner.c -- runs the tests that registered themselves; `test_x NAME...` runs only those whose name
 * contains a NAME
 */
#include "test.h"

#include <stdlib.h>

enum { MAX_TESTS = 512 };
static struct {
    const TTest *test;
    int (*count)(void); /* NULL: once */
} tests[MAX_TESTS];
static int n_tests;

void test_register_each(const TTest *t, int (*count)(void))
{
    if (n_tests == MAX_TESTS) abort();
    tests[n_tests].test = t;
    tests[n_tests++].count = count;
}

void test_register(const TTest *t)
{
    test_register_each(t, NULL);
}

static int wanted(const TTest *t, int argc, char **argv)
{
    for (int a = 1; a < argc; a++)
        if (strstr(t->name, argv[a]) != NULL) return 1;
    return argc < 2;
}

int main(int argc, char **argv)
{
    Suite *suite = suite_create(argv[0]);
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 600);
    for (int t = 0; t < n_tests; t++)
        if (wanted(tests[t].test, argc, argv))
            tcase_add_loop_test(tcase, tests[t].test, 0, tests[t].count == NULL ? 1 : tests[t].count());
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    const int ran = srunner_ntests_run(runner);
    printf("%d passed, %d failed\n", ran - failed, failed);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
