/* SPDX-License-Identifier: MIT
 * signals.h -- what people did, as numbers, and the preference that is read out of it
 *
 * An interaction may carry several signals at once: a rating, a like, minutes of reading, clicks,
 * purchases.  They are kept as columns; the preference of a row is made from its cells:
 *
 *   with ratings in the data   the rating itself; without one: a like is the top of the scale, a
 *                              dislike its bottom, and anything else lies in the upper half of it,
 *                              as far up as it is strong
 *   without any                the strength: sum over signals of weight * scale(x); a dislike is 0,
 *                              a row without any signal is 1
 *
 * scale(x) is log2(1 + x / unit), or x / unit, or 1 for a flag that is set.
 */
#ifndef KI_SIGNALS_H
#define KI_SIGNALS_H

#include "tool/findings.h"

enum { KI_MAX_SIGNALS = 40 };

typedef enum ki_signal_scale {
    KI_SCALE_VALUE, /* a rating: taken as it is */
    KI_SCALE_FLAG,  /* true: weight; false: the opposite of a preference */
    KI_SCALE_LOG,
    KI_SCALE_LINEAR,
} ki_signal_scale;

typedef struct ki_signal {
    char name[64];
    ki_signal_scale scale;
    double weight, unit; /* weight 0: ignored */
    float *x;            /* [room] NaN where absent; NULL: in no row */
    int64_t n_seen;
} ki_signal;

typedef struct ki_signals {
    ki_signal list[KI_MAX_SIGNALS];
    int n;
    int64_t n_rows, room;
    json_t *unknown; /* object: members that are no signal, each named once */
} ki_signals;

typedef struct ki_opinion { /* how rows became values */
    int has_ratings, has_dislikes;
    double low, high;    /* the rating scale; both 0 without ratings */
    double strongest;    /* among rows without rating or like */
    int64_t n_strengths; /* such rows */
} ki_opinion;

/* The usual signals, changed by `config` (an object at `at`, or NULL). */
void ki_signals_begin(ki_signals *s, const json_t *config, const ki_place *at, ki_findings *f);

/* Add the signals of one interaction; what is malformed is a violation at a place below `at`. */
kith_err ki_signals_take(ki_signals *s, const json_t *interaction, const ki_place *at,
                         ki_findings *f);

/* Undo the last take: the row is not used. */
void ki_signals_drop_last(ki_signals *s);

/* value[n_rows]; a row whose signals are all zero, so that it says nothing, is NaN.  If `order` is
 * not NULL, signal number `shuffled` is read from row order[row] in place of row. */
ki_opinion ki_signals_combine(const ki_signals *s, int shuffled, const int64_t *order,
                              float *value);

/* What one event that goes by a signal's name says: "purchase", "views"; "dislike" is the opposite of liked. */
typedef struct ki_signal_event {
    ki_signal_scale scale;
    double weight;
    double strength; /* of flags, logs and linear ones: weight * scale(value) */
    int against;     /* a flag that speaks against the item */
} ki_signal_event;

/* value NaN: none was given, which is one of it.  0: no signal has that name. */
int ki_signals_event(const ki_signals *s, const char *kind, double value, ki_signal_event *out);

/* All signals: {name: {weight, scale, unit}}; a new reference. */
json_t *ki_signals_table(const ki_signals *s);

/* The signals that were seen: {name: {weight, scale, unit, rows}}, as metadata says it. */
json_t *ki_signals_json(const ki_signals *s);

void ki_signals_clear(ki_signals *s);

#endif
