/* SPDX-License-Identifier: MIT
 * clock.h -- two clocks: one that people set, and one that never goes back
 *
 * What is told or kept has the time of the first; whatever is measured or waited for goes by the second.
 */
#ifndef KI_CLOCK_H
#define KI_CLOCK_H

#include <pthread.h>
#include <stdint.h>

int64_t ki_now_ms(void);   /* since 1970 */
int64_t ki_clock_ns(void); /* since some moment, of the clock that never goes back */

/* A condition that is waited for by the clock that never goes back, and waiting for it: 0 when the time is over. */
void ki_cond_init(pthread_cond_t *c);
int ki_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t ms);

#endif
