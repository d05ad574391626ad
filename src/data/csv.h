/* SPDX-License-Identifier: MIT
 * csv.h -- records of separated fields, with the quotes of RFC 4180
 *
 * A field is quoted when a '"' is the first thing in it; quotes within it are doubled, and it may hold separators and
 * line breaks.  Elsewhere a quote is an ordinary character.  Blanks around a field that is not quoted do not count.
 */
#ifndef KI_CSV_H
#define KI_CSV_H

#include "data/rows.h" /* ki_span */

/* The fields of the line [at, end) into out[max]; returns how many there are (also when that is more than max), or -1
 * when one is quoted, for ki_csv_split_quoted. */
int ki_csv_split(const char *at, const char *end, char separator, ki_span *out, int max);

typedef struct ki_csv_record {
    char *next;        /* past its line break */
    int n_breaks;      /* line breaks inside of fields */
    const char *wrong; /* where it is malformed, or NULL */
    int is_open;       /* a quote is never closed: `next` is not known */
    const char *why;   /* "a quote that is never closed" */
} ki_csv_record;

/* The same for a record that may have quotes, anywhere before `end`.  Quoted fields are unquoted in place. */
int ki_csv_split_quoted(char *at, char *end, char separator, ki_span *out, int max,
                        ki_csv_record *record);

/* Where the record at `at` ends, past its line break; NULL when that is not before `end`. */
const char *ki_csv_record_end(const char *at, const char *end, char separator);

/* The separator (',', ';', tab, '|' or ' ') that cuts the first lines into most columns, evenly; 0: none does. */
char ki_csv_separator(const char *head, size_t n);

/* Fields between runs of blanks and tabs, as above. */
int ki_split_blanks(const char *at, const char *end, ki_span *out, int max);

/* Fields between occurrences of `mark` ("::"), as above. */
int ki_split_at(const char *at, const char *end, const char *mark, ki_span *out, int max);

#endif
