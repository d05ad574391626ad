/* SPDX-License-Identifier: MIT
 * keystore.c -- keys between memory and the store
 */
#include "serve/keystore.h"

#include "base/jsontext.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- a key as JSON ---- */

json_t *ki_key_json(const ki_key *k)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:I}", "id", k->id, "role", ki_role_names[k->role],
                          "label", k->label, "created", (json_int_t)k->created);
    if (o == NULL) return NULL;
    if (k->user[0] != '\0') json_object_set_new(o, "user", json_string(k->user));
    if (k->rate > 0) json_object_set_new(o, "rate", json_real(k->rate));
    if (k->burst > 0) json_object_set_new(o, "burst", json_real(k->burst));
    if (k->quota > 0) json_object_set_new(o, "quota", json_integer((json_int_t)k->quota));
    if (k->expires > 0) json_object_set_new(o, "expires", json_integer((json_int_t)k->expires));
    return o;
}

static void copy_text(char *out, size_t size, const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    snprintf(out, size, "%s", s != NULL ? s : "");
}

static int role_of(const char *name)
{
    for (int r = 0; name != NULL && ki_role_names[r] != NULL; r++)
        if (strcmp(ki_role_names[r], name) == 0) return r;
    return -1;
}

static kith_err key_of(const json_t *o, ki_key *k)
{
    size_t n = 0;
    const char *hash = json_string_value(json_object_get(o, "hash"));
    const int role = role_of(json_string_value(json_object_get(o, "role")));
    memset(k, 0, sizeof *k);
    copy_text(k->id, sizeof k->id, o, "id");
    copy_text(k->label, sizeof k->label, o, "label");
    copy_text(k->user, sizeof k->user, o, "user");
    if (role < 0 || hash == NULL ||
        sodium_hex2bin(k->hash, sizeof k->hash, hash, strlen(hash), NULL, &n, NULL) != 0 ||
        n != sizeof k->hash)
        return ki_fail(KITH_EFORMAT, "the store has a key \"%s\" that cannot be read", k->id);
    k->role = (ki_key_role)role;
    k->rate = json_number_value(json_object_get(o, "rate"));
    k->burst = json_number_value(json_object_get(o, "burst"));
    k->quota = json_integer_value(json_object_get(o, "quota"));
    k->created = json_integer_value(json_object_get(o, "created"));
    k->expires = json_integer_value(json_object_get(o, "expires"));
    return KITH_OK;
}

/* ---- writing ---- */

/* `user`: of whom it speaks; NULL: of nobody. */
static kith_err put(ki_service *s, const char *kind, const char *id, const char *user,
                    int64_t began_ns, int *gone, json_t *taken)
{
    char *text = NULL;
    kith_err err = ki_json_print(taken, &text);
    if (err != KITH_OK) return err;
    ki_change change = {
        .change = KI_PUT_DOCUMENT, .kind = kind, .id = id, .user = user, .json = text
    };
    err = ki_service_write_begun(s, &change, 1, began_ns, gone);
    kith_string_free(text);
    return err;
}

/* Into the table, unless the user went meanwhile, and the document with them. */
static kith_err let_in(ki_service *s, ki_keys *keys, const ki_key *key, const char *user,
                       int64_t began_ns, int *gone)
{
    kith_err err = user == NULL ? KITH_OK : ki_service_begin_keeping(s, user, began_ns);
    *gone = err != KITH_OK;
    if (err != KITH_OK) return err;
    err = ki_keys_add(keys, key);
    if (user != NULL) ki_service_end_keeping(s);
    return err;
}

kith_err ki_keystore_make(ki_service *s, ki_keys *keys, int64_t began_ns, ki_key *key, char *text,
                          int *gone)
{
    const char *user = key->user[0] != '\0' ? key->user : NULL;
    char hex[2 * KI_KEY_HASH + 1], made[KI_KEY_TEXT];
    kith_err err;
    ki_key_make(made);
    ki_key_make_id(key->id);
    ki_keys_hash(keys, made, key->hash);
    key->created = (int64_t)time(NULL);
    json_t *o = ki_key_json(key);
    if (o == NULL) return ki_fail_memory(sizeof *key);
    json_object_set_new(o, "hash",
                        json_string(sodium_bin2hex(hex, sizeof hex, key->hash, sizeof key->hash)));
    if ((err = put(s, "key", key->id, user, began_ns, gone, o)) == KITH_OK &&
        (err = let_in(s, keys, key, user, began_ns, gone)) == KITH_OK)
        snprintf(text, KI_KEY_TEXT, "%s", made);
    sodium_memzero(made, sizeof made);
    return err;
}

kith_err ki_keystore_revoke(ki_service *s, ki_keys *keys, const char *id)
{
    ki_key *key = ki_keys_by_id(keys, id);
    if (key == NULL || atomic_load(&key->revoked))
        return ki_fail(KITH_ENOTFOUND, "there is no key \"%.60s\"", id);
    ki_change change = { .change = KI_DROP_DOCUMENT, .kind = "key", .id = id };
    const kith_err err = ki_service_write(s, &change, 1);
    if (err == KITH_OK) atomic_store(&key->revoked, 1);
    return err;
}

int ki_keystore_admins(const ki_keys *keys)
{
    int n = 0;
    for (int j = 0; j < ki_keys_count(keys); j++) {
        const ki_key *k = ki_keys_at(keys, j);
        n += k->role == KI_ROLE_ADMIN && !atomic_load(&k->revoked) && k->expires == 0;
    }
    return n;
}

/* ---- loading ---- */

static kith_err load_one(void *udata, const ki_row *row)
{
    ki_key key;
    json_t *o = json_loads(row->json, 0, NULL);
    kith_err err = key_of(o, &key);
    if (err == KITH_OK) err = ki_keys_add(udata, &key);
    json_decref(o);
    return err;
}

/* secret[32] as it is kept, or made and kept. */
static kith_err load_secret(ki_service *s, unsigned char *secret)
{
    char hex[65];
    size_t n = 0;
    json_t *o = NULL;
    kith_err err = ki_store_get(ki_service_store(s), KI_DOCUMENTS, "secret", "keys", &o);
    if (err == KITH_ENOTFOUND) {
        randombytes_buf(secret, 32);
        return put(s, "secret", "keys", NULL, 0, NULL,
                   json_pack("{s:s}", "secret", sodium_bin2hex(hex, sizeof hex, secret, 32)));
    }
    if (err != KITH_OK) return err;
    const char *text = json_string_value(json_object_get(o, "secret"));
    if (text == NULL || sodium_hex2bin(secret, 32, text, strlen(text), NULL, &n, NULL) != 0 ||
        n != 32)
        err = ki_fail(KITH_EFORMAT, "the store's secret for keys cannot be read");
    json_decref(o);
    return err;
}

kith_err ki_keystore_load(ki_service *s, ki_keys **out)
{
    unsigned char secret[32];
    ki_keys *keys = NULL;
    kith_err err;
    if (sodium_init() < 0) return ki_fail(KITH_EIO, "libsodium cannot start");
    if ((err = load_secret(s, secret)) != KITH_OK) return err;
    if ((err = ki_keys_new(secret, sizeof secret, &keys)) != KITH_OK) return err;
    sodium_memzero(secret, sizeof secret);
    const ki_select all = { .kind = "key" };
    if ((err = ki_store_each(ki_service_store(s), KI_DOCUMENTS, &all, load_one, keys)) != KITH_OK) {
        ki_keys_free(keys);
        return err;
    }
    *out = keys;
    return KITH_OK;
}
