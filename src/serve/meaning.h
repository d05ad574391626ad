/* SPDX-License-Identifier: MIT
 * meaning.h -- what an event says about a preference: "purchase" adds 5, "rating" sets the pair to its value
 *
 * The table of signals is that of the tool contract (tool/signals.h), with two differences: a `view` or an
 * `impression` says nothing unless the settings give it a weight, and a pair's value is made event by event.
 *
 *                     preference "ratings"                       preference "strengths"
 *   rating            sets the pair to the value                 sets the pair to the value
 *   like, dislike     sets it to the top, bottom of the scale    adds its weight; sets it to 0
 *   any other         in the upper half of the scale, as far     adds weight * scale(value)
 *                     up as it is strong, where there is none
 *
 * Which of the two holds is decided once, by the first events that a store gets, and kept in the document
 * (kind "setting", id "events"); changing it reads all events anew.
 *
 * Whoever may write one event must not move what many have said, so values are held to bounds: ratings to the scale
 * (from 0 where that begins above), which the first ratings or the setting say, others to `most` or to what a logarithm
 * makes harmless, times to a day ahead of the clock.  What is beyond is refused when it is written; what an older store
 * holds is brought to the nearest bound.
 */
#ifndef KI_MEANING_H
#define KI_MEANING_H

#include "engine/live.h"
#include "tool/signals.h"

typedef struct ki_meanings {
    ki_signals signals;
    int decided; /* 0: no event has said yet whether there are ratings */
    int ratings;
    double low, high; /* the scale of ratings */
    double most;      /* of a `weight`, and of a rating where values are strengths */
} ki_meanings;

typedef struct ki_meant {
    int counts; /* 0: kept, but no preference */
    float value;
    ki_live_how how;
} ki_meant;

/* From {preference, low, high, most, signals}, all optional; NULL: the defaults.  KITH_EINVAL names what is wrong. */
kith_err ki_meanings_read(const json_t *document, ki_meanings *out);

/* May such an event be written?  KITH_EINVAL for a kind that is no signal, a rating without a value, a value beyond its
 * bounds (NaN: none was given), a time (0: now) more than a day after `now_ms`. */
kith_err ki_meanings_check(const ki_meanings *m, const char *kind, double value, int64_t time_ms,
                           int64_t now_ms);

/* KITH_EINVAL for a kind that is no signal, and for a rating without a value. */
kith_err ki_meanings_event(const ki_meanings *m, const char *kind, double value, ki_meant *out);

/* The narrowest usual scale (1 to 5, 0.5 to 5, 1 to 10, ...) that holds ratings from *low to *high, in their place: a
 * few first ratings do not show its ends.  0: none does, and they stay. */
int ki_usual_scale(double *low, double *high);

/* Is this kind of event a rating? */
int ki_meanings_is_rating(const ki_meanings *m, const char *kind);

#endif
