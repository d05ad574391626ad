/* SPDX-License-Identifier: MIT
 * filter_parse.h -- what the grammar (filter_parse.c) and the checks (filter_check.c) share while a filter is made
 */
#ifndef KI_FILTER_PARSE_H
#define KI_FILTER_PARSE_H

#include "engine/filter_scan.h"
#include "engine/filter_tree.h"

typedef struct ki_parser {
    ki_filter *f;
    const char *text;
    ki_token t;       /* the token to be read next */
    ki_words content; /* of a name, text or $name */
    int nest;         /* rules inside rules */
    kith_err err;     /* the first failure; all rules then return -1 */
    ki_complaint *why;
} ki_parser;

/* Refuse the filter because of those bytes of it; the sentence follows "filter, character N: ".  Returns -1. */
int32_t ki_refuse(ki_parser *p, int32_t at, int32_t length, const char *format, ...)
    KI_PRINTF(4, 5);
int32_t ki_refuse_memory(ki_parser *p, kith_err err); /* the sentence is there already */

/* A new node, or -1.  A kid is the last of its parent; -1 as kid passes through.  Both return the parent. */
int32_t ki_node_add(ki_parser *p, ki_op op, ki_type type, int32_t at, int32_t length);
int32_t ki_node_adopt(ki_parser *p, int32_t parent, int32_t kid);

/* The bytes of a node's text, cut for a message: out[KI_SHOW], which is returned. */
const char *ki_node_shown(const ki_parser *p, int32_t node, char *out);

/* A leaf for a name, or -1 after saying which names there are. */
int32_t ki_check_name(ki_parser *p, const char *name, int quoted, int32_t at, int32_t length);
int32_t ki_check_context(ki_parser *p, const char *name, int32_t at, int32_t length);

/* Do the kids fit the operator?  Sets the node's type; returns the node, or -1.  A comparison of a constant with a
 * column is turned round, and a text compared with a time becomes one. */
int32_t ki_check_node(ki_parser *p, int32_t node);

/* The node must be a yes or no. */
int32_t ki_check_bool(ki_parser *p, int32_t node);

/* Notes about words that no item has, over the whole tree. */
kith_err ki_check_words(ki_filter *f);

#endif
