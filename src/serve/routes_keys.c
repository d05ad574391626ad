/* SPDX-License-Identifier: MIT
 * routes_keys.c -- keys made, listed and revoked, and the journal of who did what
 */
#include "serve/bodies.h"
#include "serve/call.h"
#include "serve/keystore.h"
#include "serve/routes.h"

#include <stdio.h>
#include <string.h>

/* ---- shapes ---- */

static const char *const roles[] = { "public", "read", "write", "admin", NULL };

#define ROLE                                                                                       \
    {                                                                                              \
        .name = "role", .kind = KI_IS_TEXT, .required = 1, .words = roles,                         \
        .about =                                                                                   \
            "each may what those before it may; public: recommend for, and events of, one user"    \
    }
#define LABEL                                                                                      \
    {                                                                                              \
        .name = "label", .kind = KI_IS_TEXT, .max = 100, .init = "\"\"", .about = "what it is for" \
    }
#define USER                                                                                       \
    {                                                                                              \
        .name = "user", .kind = KI_IS_ID, .max = 60,                                               \
        .about = "of a public key: the one user that it speaks for"                                \
    }
#define RATE                                                                                       \
    {                                                                                              \
        .name = "rate", .kind = KI_IS_NUMBER, .min = 0, .max = 1e6,                                \
        .about = "requests a second; absent: the service's"                                        \
    }
#define BURST                                                                                      \
    {                                                                                              \
        .name = "burst", .kind = KI_IS_NUMBER, .min = 0, .max = 1e6,                               \
        .about = "requests at once; absent: of two seconds"                                        \
    }
#define QUOTA                                                                                      \
    {                                                                                              \
        .name = "quota", .kind = KI_IS_WHOLE, .min = 0, .max = 1e12,                               \
        .about = "requests a day (UTC); absent: any"                                               \
    }
#define EXPIRES                                                                                    \
    {                                                                                              \
        .name = "expires", .kind = KI_IS_WHOLE, .min = 0, .max = 1e11,                             \
        .about = "seconds since 1970; absent: never"                                               \
    }

static const ki_shape new_key_[] = { ROLE, LABEL, USER, RATE, BURST, QUOTA, EXPIRES };
static const ki_shape new_key = {
    .kind = KI_IS_OBJECT,
    KI_INSIDE(new_key_),
    .type = "NewKey",
    .example = "{\"role\": \"read\", \"label\": \"shop front\", \"rate\": 100}"
};
static const ki_shape a_key_[] = {
    { .name = "id", .kind = KI_IS_TEXT, .required = 1 },
    ROLE,
    LABEL,
    USER,
    RATE,
    BURST,
    QUOTA,
    EXPIRES,
    { .name = "created", .kind = KI_IS_WHOLE, .about = "seconds since 1970" },
    { .name = "last_used",
      .kind = KI_IS_WHOLE,
      .about = "seconds since 1970; absent: not since the service began" },
    { .name = "key",
      .kind = KI_IS_TEXT,
      .about = "the key itself: told when it is made and never again" },
};
static const ki_shape a_key = { .kind = KI_IS_OBJECT, KI_INSIDE(a_key_), .type = "Key" };
static const ki_shape keys_[] = {
    { .name = "keys", .kind = KI_IS_LIST, .required = 1, KI_EACH(a_key) }
};
static const ki_shape keys_reply = { .kind = KI_IS_OBJECT, KI_INSIDE(keys_), .type = "Keys" };
static const ki_shape key_path_[] = {
    { .name = "key_id", .kind = KI_IS_NAME, .required = 1, .max = 60 }
};
static const ki_shape key_path = { .kind = KI_IS_OBJECT, KI_INSIDE(key_path_) };

static const ki_shape me_[] = {
    { .name = "role", .kind = KI_IS_TEXT, .required = 1, .words = roles },
    { .name = "key_id", .kind = KI_IS_TEXT, .required = 1, .about = "empty: without a key" },
    { .name = "user", .kind = KI_IS_TEXT },
};
static const ki_shape me_reply = { .kind = KI_IS_OBJECT, KI_INSIDE(me_), .type = "Caller" };

static const ki_shape audit_query_[] = {
    { .name = "key_id", .kind = KI_IS_NAME, .max = 60, .about = "of this key alone" },
    { .name = "n",
      .kind = KI_IS_WHOLE,
      .min = 1,
      .max = 1000,
      .init = "100",
      .about = "at most so many rows, the newest first" },
};
static const ki_shape audit_query = { .kind = KI_IS_OBJECT, KI_INSIDE(audit_query_) };
static const ki_shape an_audit_row_[] = {
    { .name = "key_id", .kind = KI_IS_TEXT, .required = 1, .about = "\"local\": without a key" },
    { .name = "route", .kind = KI_IS_TEXT, .about = "operation" },
    { .name = "method", .kind = KI_IS_TEXT },
    { .name = "status", .kind = KI_IS_WHOLE },
    { .name = "n", .kind = KI_IS_WHOLE, .about = "so many alike" },
    { .name = "time_ms", .kind = KI_IS_WHOLE, .about = "of the first, since 1970" },
    { .name = "last_ms", .kind = KI_IS_WHOLE, .about = "of the last" },
};
static const ki_shape an_audit_row = { .kind = KI_IS_OPEN,
                                       KI_INSIDE(an_audit_row_),
                                       .type = "AuditRow" };
static const ki_shape audit_[] = {
    { .name = "rows", .kind = KI_IS_LIST, .required = 1, KI_EACH(an_audit_row) }
};
static const ki_shape audit_reply = { .kind = KI_IS_OBJECT,
                                      KI_INSIDE(audit_),
                                      .type = "AuditRows" };
static const ki_link to_key[] = { { "revoke_key", "key_id", "/id" }, { NULL, NULL, NULL } };

/* ---- handlers ---- */

static kith_err want_keys(ki_call *c)
{
    if (c->site->keys != NULL) return KITH_OK;
    return ki_call_refuse(c, 409, KITH_EINVAL, "this service asks for no keys (insecure_local)");
}

static json_t *told(const ki_key *k)
{
    json_t *o = ki_key_json(k);
    const int64_t used = atomic_load(&((ki_key *)k)->last_used);
    if (o != NULL && used > 0) json_object_set_new(o, "last_used", json_integer((json_int_t)used));
    return o;
}

static kith_err list_keys(ki_call *c)
{
    const kith_err err = want_keys(c);
    json_t *list = json_array();
    for (int j = 0; err == KITH_OK && j < ki_keys_count(c->site->keys); j++) {
        const ki_key *k = ki_keys_at(c->site->keys, j);
        if (!atomic_load(&((ki_key *)k)->revoked)) json_array_append_new(list, told(k));
    }
    json_t *o = json_pack("{s:o}", "keys", list);
    if (err == KITH_OK) return ki_reply_json(c, o);
    json_decref(o);
    return err;
}

static double number_or_0(const ki_call *c, const char *name)
{
    return json_number_value(ki_call_member(c, name));
}

static kith_err make_key(ki_call *c)
{
    char text[KI_KEY_TEXT];
    const char *user = ki_call_text(c, "user"), *role = ki_call_text(c, "role");
    ki_key k = { .rate = number_or_0(c, "rate"),
                 .burst = number_or_0(c, "burst"),
                 .quota = (int64_t)number_or_0(c, "quota"),
                 .expires = (int64_t)number_or_0(c, "expires") };
    int gone;
    kith_err err = want_keys(c);
    if (err != KITH_OK) return err;
    while (strcmp(ki_role_names[k.role], role) != 0) k.role++;
    if (user != NULL && k.role != KI_ROLE_PUBLIC)
        return ki_call_refuse(c, 422, KITH_EINVAL, "only a key of role public speaks for one user");
    snprintf(k.label, sizeof k.label, "%s", ki_call_text(c, "label"));
    snprintf(k.user, sizeof k.user, "%s", user != NULL ? user : "");
    if (k.rate <= 0) {
        k.rate = c->site->limits->key_rate;
        k.burst = c->site->limits->key_burst;
    }
    err = ki_keystore_make(ki_call_service(c), c->site->keys, ki_call_began(c), &k, text, &gone);
    if (gone) return ki_call_refuse(c, 409, err, "%s", kith_last_error());
    if (err != KITH_OK) return err;
    json_t *o = ki_key_json(&k);
    if (o != NULL) json_object_set_new(o, "key", json_string(text));
    return ki_reply_json(c, o);
}

/* Two administrators who revoke each other's keys at once must not both succeed. */
static kith_err check_and_revoke(ki_call *c)
{
    const char *id = ki_call_text(c, "key_id");
    const ki_key *k = ki_keys_by_id(c->site->keys, id);
    if (k != NULL && !atomic_load(&((ki_key *)k)->revoked) && k->role == KI_ROLE_ADMIN &&
        k->expires == 0 && ki_keystore_admins(c->site->keys) <= 1)
        return ki_call_refuse(c, 409, KITH_EINVAL,
                              "this is the last key of an administrator; make another one first");
    return ki_keystore_revoke(ki_call_service(c), c->site->keys, id);
}

static kith_err revoke_key(ki_call *c)
{
    const kith_err err = want_keys(c);
    return err != KITH_OK ? err : ki_call_decide(c, check_and_revoke);
}

static kith_err who_am_i(ki_call *c)
{
    const ki_caller *me = ki_call_caller(c);
    return ki_reply_json(c, json_pack("{s:s, s:s, s:s*}", "role", ki_role_names[me->role], "key_id",
                                      me->key_id, "user", me->user));
}

static kith_err add_row(void *udata, const ki_row *row)
{
    json_t *o = json_loads(row->json != NULL ? row->json : "{}", 0, NULL);
    if (o == NULL) o = json_object();
    json_object_set_new(o, "key_id", json_string(row->id != NULL ? row->id : ""));
    json_object_set_new(o, "time_ms", json_integer((json_int_t)row->time_ms));
    return json_array_append_new(udata, o) == 0 ? KITH_OK : ki_fail_memory(64);
}

static kith_err tell_audit(ki_call *c)
{
    json_t *rows = json_array();
    const ki_select which = { .kind = "audit",
                              .id = ki_call_text(c, "key_id"),
                              .newest_first = 1,
                              .limit = (int64_t)ki_call_number(c, "n") };
    const kith_err err =
        ki_store_each(ki_service_store(ki_call_service(c)), KI_JOURNALS, &which, add_row, rows);
    json_t *o = json_pack("{s:o}", "rows", rows);
    if (err == KITH_OK) return ki_reply_json(c, o);
    json_decref(o);
    return err;
}

static const ki_route routes[] = {
    { "GET", "/v1/keys", "list_keys", "Keys, without what opens", NULL, KI_ROLE_ADMIN,
      KI_ROUTE_CONFLICTS, .reply = &keys_reply, .run = list_keys },
    { "POST", "/v1/keys", "make_key", "Make a key",
      "The key is told in this reply and never again: the store keeps only its hash.",
      KI_ROLE_ADMIN, KI_ROUTE_CONFLICTS, .body = &new_key, .reply = &a_key, .status = 201,
      .run = make_key, .links = to_key },
    { "DELETE", "/v1/keys/{key_id}", "revoke_key", "Revoke a key",
      "It is refused from this moment on, also after a restart.", KI_ROLE_ADMIN, KI_ROUTE_CONFLICTS,
      .path_shape = &key_path, .run = revoke_key },
    { "GET", "/v1/whoami", "whoami", "What this key may", NULL, KI_ROLE_PUBLIC, 0,
      .reply = &me_reply, .run = who_am_i },
    { "GET", "/v1/audit", "audit", "Who changed what kind of thing, when",
      "Rows of the audit journal: never bodies, identifiers of users or secrets.", KI_ROLE_ADMIN,
      KI_ROUTE_SLOW, .query_shape = &audit_query, .reply = &audit_reply, .run = tell_audit },
};

const ki_route_group ki_routes_keys = { "keys", "Who may call, and who did", routes,
                                        KI_COUNT(routes) };
