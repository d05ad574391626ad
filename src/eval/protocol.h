/* SPDX-License-Identifier: MIT
 * protocol.h -- which rows of the log are trained on, asked with and tested on
 *
 * A protocol is one row of a table and one function that labels every row of the log once.  A fold
 * is then a look at the labels: no strings, no copies, the same id space for all parts.
 */
#ifndef KI_PROTOCOL_H
#define KI_PROTOCOL_H

#include "data/dataset.h"

#include <jansson.h>

/* The part that a row plays in one fold.  TRAIN is 1, so an array of parts is what
 * ki_ratings_build takes as `keep`. */
typedef enum ki_part {
    KI_PART_NONE = 0, /* neither: rows of a test file under every protocol but `predefined` */
    KI_PART_TRAIN = 1,
    KI_PART_TEST = 2,
    KI_PART_HISTORY = 3, /* what a user who is not in training is asked with (`strong`) */
    KI_PART_FOLD = 4,    /* label only: KI_PART_FOLD + f is tested in fold f and trained on else */
} ki_part;

enum { KI_MAX_FOLDS = 100 };

typedef struct ki_protocol_desc ki_protocol_desc;

typedef struct ki_protocol {
    const ki_protocol_desc *desc;
    double argument;
    char text[64]; /* as it is reported: "kfold:5" */
} ki_protocol;

/* Parse "kfold:5"; NULL: `predefined` when the data came with test rows, else temporal:0.8 when it
 * has times, else holdout:0.8.  KITH_EINVAL for an unknown name or an argument out of range,
 * KITH_EDATA when the data lacks what the protocol needs. */
kith_err ki_protocol_parse(ki_protocol *out, const char *text, const kith_data *d);

typedef struct ki_splits {
    int64_t n; /* rows of the log */
    int n_folds;
    uint8_t *label; /* [n] a ki_part, or KI_PART_FOLD + fold */
} ki_splits;

/* Label every row; `seed` decides what is random.  KITH_EDATA when a fold would have nothing to
 * train or to test on.  On failure *out is {0}. */
kith_err ki_splits_make(ki_splits *out, const ki_protocol *p, const kith_data *d, uint64_t seed);

static inline ki_part ki_splits_part(const ki_splits *s, int64_t row, int fold)
{
    const uint8_t label = s->label[row];
    if (label < KI_PART_FOLD) return (ki_part)label;
    return label - KI_PART_FOLD == fold ? KI_PART_TEST : KI_PART_TRAIN;
}

/* part[n] = the part of every row in `fold`. */
void ki_splits_fold(const ki_splits *s, int fold, uint8_t *part);

void ki_splits_clear(ki_splits *s);

/* The table as a JSON array of {name, argument, default, min, max, needs, summary} (new reference;
 * NULL when memory ran out). */
json_t *ki_protocols_json(void);

#endif
