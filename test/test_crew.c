/* SPDX-License-Identifier: MIT
 * test_crew.c -- threads for what may wait: everything sent is done, and few threads do what little there is
 */
#include "test.h"

#include "serve/crew.h"

#include <pthread.h>
#include <semaphore.h>
#include <string.h>

enum { HANDS = 16, ERRANDS = 800, FEW = 4 };

static struct {
    pthread_mutex_t lock;
    pthread_t who[HANDS]; /* threads that worked */
    int done[HANDS], n;   /* errands of each; threads */
    sem_t over;
} seen = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void note(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&seen.lock);
    int j = 0;
    while (j < seen.n && !pthread_equal(seen.who[j], pthread_self())) j++;
    if (j == seen.n) seen.who[seen.n++] = pthread_self();
    seen.done[j]++;
    pthread_mutex_unlock(&seen.lock);
    sem_post(&seen.over);
}

static void forget_all(void)
{
    memset(seen.done, 0, sizeof seen.done);
    seen.n = 0;
    sem_init(&seen.over, 0, 0);
}

/* What the busiest few of them did. */
static int by_few(void)
{
    int sum = 0;
    for (int k = 0; k < FEW; k++) {
        int best = 0;
        for (int j = 1; j < HANDS; j++)
            if (seen.done[j] > seen.done[best]) best = j;
        sum += seen.done[best];
        seen.done[best] = 0;
    }
    return sum;
}

/* Each thread that works keeps some hundred KB of stack and blocks: work that goes round costs that for every one of
 * them.  When an errand is over its hand may not lie down at once, so that more than one of them works. */
TEST(one_errand_at_a_time_is_done_by_a_few_hands)
{
    ki_crew *c = NULL;
    ki_errand e = { .run = note };
    forget_all();
    CHECK_OK(ki_crew_new(HANDS, ERRANDS, &c));
    for (int j = 0; j < ERRANDS; j++) {
        CHECK(ki_crew_send(c, &e));
        while (sem_wait(&seen.over) != 0)
            ;
    }
    ki_crew_free(c);
    CHECK(by_few() > ERRANDS * 3 / 4);
}

TEST(all_that_was_taken_is_done_before_a_crew_stops)
{
    static ki_errand e[ERRANDS];
    ki_crew *c = NULL;
    int taken = 0, over = 0;
    forget_all();
    CHECK_OK(ki_crew_new(HANDS, ERRANDS, &c));
    for (int j = 0; j < ERRANDS; j++) {
        e[j] = (ki_errand){ .run = note };
        taken += ki_crew_send(c, &e[j]);
    }
    ki_crew_stop(c);
    CHECK_INT(ki_crew_waiting(c), 0);
    CHECK_INT(ki_crew_send(c, &e[0]), 0);
    ki_crew_free(c);
    sem_getvalue(&seen.over, &over);
    CHECK_INT(taken, ERRANDS);
    CHECK_INT(over, ERRANDS);
}

/* More than there is room for while the only hand is at work. */
static void wait_for_post(void *arg)
{
    while (sem_wait(arg) != 0)
        ;
    sem_post(&seen.over);
}

TEST(what_is_too_much_is_not_taken)
{
    ki_crew *c = NULL;
    sem_t go;
    ki_errand e[4];
    int taken = 0, over = 0;
    forget_all();
    sem_init(&go, 0, 0);
    CHECK_OK(ki_crew_new(1, 2, &c));
    for (int j = 0; j < 4; j++) {
        e[j] = (ki_errand){ .run = wait_for_post, .arg = &go };
        taken += ki_crew_send(c, &e[j]);
    }
    for (int j = 0; j < 4; j++) sem_post(&go);
    ki_crew_free(c);
    sem_getvalue(&seen.over, &over);
    CHECK_INT(over, taken);
    CHECK(taken == 2 || taken == 3); /* the hand may have taken one already */
}
