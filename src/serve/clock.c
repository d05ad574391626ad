/* SPDX-License-Identifier: MIT
 * clock.c -- asking the system what time it is
 */
#include "serve/clock.h"

#include <time.h>

int64_t ki_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t ki_clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void ki_cond_init(pthread_cond_t *c)
{
    pthread_condattr_t how;
    pthread_condattr_init(&how);
    pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    pthread_cond_init(c, &how);
    pthread_condattr_destroy(&how);
}

int ki_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t ms)
{
    const int64_t at = ki_clock_ns() + ms * 1000000;
    const struct timespec until = { .tv_sec = at / 1000000000, .tv_nsec = at % 1000000000 };
    return pthread_cond_timedwait(c, lock, &until) == 0;
}
