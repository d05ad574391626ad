/* SPDX-License-Identifier: MIT
 * audit.h -- who changed what kind of thing when, in the journal of the store
 *
 * A row has the key's id, the route, the status and the time; never a body, a path with ids in it, or a secret.
 * What an administrator changed has a row of its own, written before the reply is sent.  Other writes of
 * one key to one route with one status within a moment share a row with their number, written within a second: a
 * journal that is as large as the log of events would serve nobody.
 */
#ifndef KI_AUDIT_H
#define KI_AUDIT_H

#include "serve/call.h"
#include "serve/service.h"

typedef struct ki_audit ki_audit;

kith_err ki_audit_new(ki_service *service, ki_audit **out);
void ki_audit_free(ki_audit *a); /* writes what is left; accepts NULL */
void ki_audit_call(ki_audit *a, const ki_call *c);

#endif
