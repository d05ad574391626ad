/* SPDX-License-Identifier: MIT
 * test_serve.c -- calls from target and headers to reply, without a socket
 */
#include "test.h"
#include "things.h"

#include "tool/verify.h"

static ki_limits limits;
static ki_site site;
static char key_of[5][KI_KEY_TEXT]; /* one for each role */

static void give_key(ki_key_role role, const char *user, double rate, double burst, int64_t quota, char *text)
{
    ki_key k = { .role = role, .rate = rate, .burst = burst, .quota = quota };
    ki_key_make(text);
    ki_key_make_id(k.id);
    ki_keys_hash(site.keys, text, k.hash);
    snprintf(k.user, sizeof k.user, "%s", user != NULL ? user : "");
    CHECK_OK(ki_keys_add(site.keys, &k));
}

/* The document stays: limits point into it.  A test begins at most twice. */
static json_t *documents[2];

static void begin(const char *config)
{
    json_t *o = config != NULL ? json_loads(config, 0, NULL) : NULL;
    documents[documents[0] != NULL] = o;
    CHECK_OK(ki_limits_read(o, &limits));
    CHECK_OK(ki_site_begin(&site, things_groups, &limits, 1));
    CHECK_OK(ki_keys_new((const unsigned char *)"secret", 6, &site.keys));
    for (int r = KI_ROLE_PUBLIC; r <= KI_ROLE_ADMIN; r++) give_key((ki_key_role)r, NULL, 0, 0, 0, key_of[r]);
}

/* One call; what it answers is in `got` until the next. */
static struct {
    int status;
    char type[64], headers[2000];
    json_t *json;
} got;

static void finish(ki_call *c, const char *body)
{
    if (body != NULL) ki_call_take(c, body, strlen(body));
    ki_call_finish(c);
    json_decref(got.json);
    got.status = c->reply.status;
    got.json = c->reply.n > 0 ? json_loadb(c->reply.bytes, c->reply.n, 0, NULL) : NULL;
    snprintf(got.type, sizeof got.type, "%s", c->reply.type != NULL ? c->reply.type : "");
    got.headers[0] = '\0';
    for (int j = 0; j < c->reply.n_headers; j++) {
        const size_t n = strlen(got.headers);
        snprintf(got.headers + n, sizeof got.headers - n, "%s: %s\n", c->reply.headers[j].name,
                 c->reply.headers[j].value);
    }
    ki_call_free(c);
}

static int call_with(const char *method, const char *target, ki_heads heads, const char *body)
{
    ki_call *c = NULL;
    CHECK_OK(ki_call_new(&site, method, target, &c));
    ki_call_open(c, &heads);
    finish(c, body);
    return got.status;
}

static int call(const char *method, const char *target, const char *body)
{
    return call_with(method, target, (ki_heads){ .api_key = key_of[KI_ROLE_ADMIN] }, body);
}

static const char *text(const char *name)
{
    const char *s = json_string_value(json_object_get(got.json, name));
    return s != NULL ? s : "";
}

static const char *violation(size_t j, const char *name)
{
    const char *s =
        json_string_value(json_object_get(json_array_get(json_object_get(got.json, "violations"), j), name));
    return s != NULL ? s : "";
}

/* ---- targets ---- */

static const char *refused(const char *target)
{
    static char said[KI_MESSAGE_SIZE];
    ki_uri u;
    said[0] = '\0';
    if (ki_uri_parse(target, &u) != KITH_OK) snprintf(said, sizeof said, "%s", kith_last_error());
    ki_uri_clear(&u);
    return said;
}

TEST(a_target_is_cut_before_it_is_decoded)
{
    ki_uri u;
    CHECK_OK(ki_uri_parse("/v1/a%2Fb/%C3%A4%20?x=1%262&y=a+b&z&=q", &u));
    CHECK_INT(u.n_segments, 3);
    CHECK_STR(u.segments[1], "a/b");
    CHECK_STR(u.segments[2], "\xc3\xa4 ");
    CHECK_INT(u.n_pairs, 4);
    CHECK_STR(u.pairs[0].value, "1&2");
    CHECK_STR(u.pairs[1].value, "a b");
    CHECK_STR(u.pairs[2].value, "");
    CHECK_STR(u.path, "/v1/a%2Fb/%C3%A4%20");
    ki_uri_clear(&u);
    CHECK_OK(ki_uri_parse("http://shop.example/v1?n=1", &u));
    CHECK_STR(u.segments[0], "v1");
    ki_uri_clear(&u);
    CHECK_OK(ki_uri_parse("http://shop.example?n=1", &u));
    CHECK_INT(u.n_segments, 1);
    ki_uri_clear(&u);
}

TEST(what_is_no_target_is_refused_with_the_reason)
{
    CHECK(strstr(refused("/a%zz"), "hexadecimal") != NULL);
    CHECK(strstr(refused("/a%4"), "hexadecimal") != NULL);
    CHECK(strstr(refused("/a%00b"), "NUL") != NULL);
    CHECK(strstr(refused("/a%ff"), "UTF-8") != NULL);
    CHECK(strstr(refused("/%c0%af"), "UTF-8") != NULL);       /* a slash in two bytes too many */
    CHECK(strstr(refused("/?x=%ed%a0%80"), "UTF-8") != NULL); /* half of a surrogate */
    CHECK(strstr(refused("*"), "\"/\"") != NULL);
    CHECK(strstr(refused(""), "\"/\"") != NULL);
    CHECK(strstr(refused("/a\tb"), "0x09") != NULL);
    CHECK(strstr(refused("/1/2/3/4/5/6/7/8/9/10/11/12/13"), "segments") != NULL);
}

/* ---- routes ---- */

TEST(a_literal_goes_before_a_name_and_other_methods_are_told)
{
    begin(NULL);
    CHECK_INT(call("GET", "/v1/things/slow?n=1", NULL), 200);
    CHECK_NEAR(json_number_value(json_object_get(got.json, "waited")), 0.1, 0);
    CHECK_INT(call("GET", "/v1/things/7", NULL), 200);
    CHECK_STR(text("id"), "7");
    CHECK_INT(call("PUT", "/v1/things/7", NULL), 405);
    CHECK_STR(text("error"), "MethodNotAllowedError");
    CHECK(strstr(got.headers, "Allow: GET, HEAD, DELETE, OPTIONS\n") != NULL);
    CHECK_INT(call("OPTIONS", "/v1/things/7", NULL), 204);
    CHECK(strstr(got.headers, "Allow: GET, HEAD, DELETE, OPTIONS\n") != NULL);
    CHECK_INT(call("HEAD", "/v1/things/7", NULL), 200);
    CHECK_INT(call("BREW", "/v1/things/7", NULL), 405);
    CHECK_INT(call("GET", "/v1/thigns/7", NULL), 404);
    CHECK(strstr(text("detail"), "did you mean /v1/things/{thing_id}") != NULL);
    CHECK_INT(call("GET", "/v1/things/", NULL), 404);
    CHECK_INT(call("GET", "//v1/things/7", NULL), 404);
    ki_site_end(&site);
}

TEST(tables_that_contradict_themselves_are_refused)
{
    const ki_route twice[] = { thing_routes[0], thing_routes[0] };
    const ki_route nameless[] = { { "GET", "/v1/{x}", "x", "", NULL, KI_ROLE_READ, 0, .run = thing_get } };
    const ki_route_group a = { "a", "", twice, 2 }, b = { "b", "", nameless, 1 };
    ki_router *r = NULL;
    CHECK_FAILS(ki_router_new((const ki_route_group *const[]){ &a, NULL }, &r), KITH_EINVAL, "alike");
    CHECK_FAILS(ki_router_new((const ki_route_group *const[]){ &b, NULL }, &r), KITH_EINVAL, "no shape");
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- values ---- */

TEST(parameters_have_the_types_of_their_shapes_and_defaults)
{
    begin(NULL);
    CHECK_INT(call("GET", "/v1/things/a%20b?n=3&deep=true&words=x,y&words=z&weight=-1.5e1", NULL), 200);
    CHECK_STR(text("id"), "a b");
    CHECK_NEAR(json_number_value(json_object_get(got.json, "n")), 3, 0);
    CHECK(json_is_true(json_object_get(got.json, "deep")));
    CHECK_INT(json_array_size(json_object_get(got.json, "words")), 3);
    CHECK_NEAR(json_number_value(json_object_get(got.json, "weight")), -15, 0);
    CHECK_INT(call("GET", "/v1/things/a", NULL), 200);
    CHECK_NEAR(json_number_value(json_object_get(got.json, "n")), 10, 0);
    CHECK(json_is_false(json_object_get(got.json, "deep")));
    ki_site_end(&site);
}

TEST(all_that_is_wrong_with_a_request_is_told_at_once)
{
    begin(NULL);
    CHECK_INT(
        call("GET", "/v1/things/123456789012345678901?n=0&weight=heavy&deep=maybe&colour=red&words=a,b,c,d", NULL),
        422);
    CHECK_STR(got.type, "application/problem+json");
    CHECK_STR(text("error"), "ValidationError");
    CHECK_INT(json_array_size(json_object_get(got.json, "violations")), 6);
    CHECK_STR(violation(0, "in"), "path");
    CHECK_STR(violation(0, "parameter"), "thing_id");
    CHECK_STR(violation(1, "in"), "query");
    CHECK_INT(call("GET", "/v1/things/a?n=1&n=2", NULL), 422);
    CHECK_STR(violation(0, "message"), "came more than once");
    CHECK_INT(call("GET", "/v1/health/live?x=1", NULL), 422);
    CHECK_STR(violation(0, "parameter"), "x");

    CHECK_INT(call("POST", "/v1/things", "{\"price\": -1, \"tags\": [\"\", 2], \"colour\": 1}"), 422);
    CHECK_INT(json_array_size(json_object_get(got.json, "violations")), 5);
    CHECK_STR(violation(0, "pointer"), "/name");
    CHECK_STR(violation(0, "message"), "is missing");
    CHECK(strstr(text("detail"), "5 violations") != NULL);
    CHECK_INT(call("POST", "/v1/things", "{\"name\": \"12345678901\"}"), 422);
    CHECK_STR(violation(0, "message"), "got 11 letters, want at most 10");
    ki_site_end(&site);
}

TEST(a_body_is_one_json_value_and_ids_may_be_numbers)
{
    begin(NULL);
    CHECK_INT(call("POST", "/v1/things", "{\"name\": \"cup\", \"owner\": 42, \"more\": {\"any\": [1]}}"), 201);
    CHECK_STR(text("owner"), "42");
    CHECK_NEAR(json_number_value(json_object_get(got.json, "price")), 5, 0);
    CHECK_INT(call("POST", "/v1/things", "{\"name\": \"cup\""), 400);
    CHECK_STR(text("error"), "BadRequestError");
    CHECK(strstr(text("detail"), "line 1, column") != NULL);
    CHECK_INT(call("POST", "/v1/things", "{\"name\": \"cup\"} x"), 400);
    CHECK_INT(call("POST", "/v1/things", "{\"name\": \"a\", \"name\": \"b\"}"), 400);
    CHECK_INT(call("POST", "/v1/things", "{\"name\": \"\xff\"}"), 400);
    CHECK_INT(call("POST", "/v1/things", "{\"name\": \"\\u0000\"}"), 400);
    CHECK(strstr(text("detail"), "no text may hold a NUL") != NULL);
    CHECK_INT(call("POST", "/v1/things", "[]"), 422);
    CHECK_INT(call("POST", "/v1/things", NULL), 422); /* as {} would be */
    CHECK_STR(violation(0, "pointer"), "/name");
    CHECK_INT(call("POST", "/v1/health/live", "{}"), 405);
    CHECK_INT(call("GET", "/v1/things/7", "{}"), 200); /* takes none, and this says nothing */
    CHECK_INT(call("GET", "/v1/things/7", " {\n} "), 200);
    static const char *const said[] = { "[]", "{", "{}}", "{\"id\": 7}", "{\"a\": \"long enough for any limit\"}" };
    for (size_t j = 0; j < sizeof said / sizeof *said; j++) {
        CHECK_INT(call("GET", "/v1/things/7", said[j]), 400);
        CHECK(strstr(text("detail"), "takes no body: send none, or {}") != NULL);
    }
    ki_site_end(&site);
}

static int waits(const char *body)
{
    ki_call *c = NULL;
    CHECK_OK(ki_call_new(&site, "POST", "/v1/things/look", &c));
    ki_call_open(c, &(ki_heads){ .api_key = key_of[KI_ROLE_READ] });
    ki_call_take(c, body, strlen(body));
    const int yes = ki_call_waits(c);
    ki_call_free(c);
    return yes;
}

TEST(a_quick_route_may_be_slow_with_a_member)
{
    begin(NULL);
    CHECK_INT(waits("{\"name\": \"cup\"}"), 0);
    CHECK_INT(waits("{\"name\": \"cup\", \"tags\": [\"a\"]}"), 1);
    CHECK_INT(waits(""), 0);
    ki_site_end(&site);
}

TEST(failures_of_handlers_have_their_names_and_numbers)
{
    begin(NULL);
    CHECK_INT(call("DELETE", "/v1/things/a", NULL), 204);
    CHECK_INT(call("DELETE", "/v1/things/gone", NULL), 404);
    CHECK_STR(text("error"), "NotFoundError");
    CHECK_STR(text("type"), "urn:kith:error:NotFoundError");
    CHECK_STR(text("detail"), "there is no thing \"gone\"");
    CHECK_INT(call("DELETE", "/v1/things/busy", NULL), 409);
    CHECK_INT(call("DELETE", "/v1/things/disk", NULL), 503);
    CHECK_STR(text("error"), "StorageError");
    CHECK(strstr(got.headers, "Retry-After: 1\n") != NULL);
    ki_site_end(&site);
}

/* ---- lines ---- */

static int lines(const char *const *pieces, int n)
{
    ki_call *c = NULL;
    CHECK_OK(ki_call_new(&site, "POST", "/v1/things/import", &c));
    ki_call_open(c, &(ki_heads){ .api_key = key_of[KI_ROLE_WRITE], .content_type = "application/x-ndjson" });
    for (int j = 0; j < n; j++) ki_call_take(c, pieces[j], strlen(pieces[j]));
    finish(c, NULL);
    return got.status;
}

TEST(lines_are_put_together_from_any_pieces)
{
    begin("{\"limits\": {\"line_bytes\": 40}}");
    CHECK_INT(lines((const char *[]){ "{\"na", "me\": \"a\"}\r", "\n\n{\"name\":\"b\"}\n{\"name\": \"c\"}" }, 3), 200);
    CHECK_INT(json_integer_value(json_object_get(got.json, "lines")), 3);
    CHECK_INT(lines((const char *[]){ "{\"name\": \"a\"}\n{\"nome\": \"a\"}\n" }, 1), 422);
    CHECK_STR(violation(0, "pointer"), "/2/name");
    CHECK_INT(lines((const char *[]){ "{\"name\": \"a\"}\n{\"name\": \n" }, 1), 400);
    CHECK(strstr(text("detail"), "line 2") != NULL);
    CHECK_INT(lines((const char *[]){ "{\"name\": \"a\", ", "                          ", "}" }, 3), 413);
    CHECK(strstr(text("detail"), "line 1 has more than 40") != NULL);
    CHECK_INT(lines(NULL, 0), 200);
    ki_site_end(&site);
}

/* ---- limits of the head ---- */

TEST(heads_that_are_too_much_or_contradict_themselves_are_refused)
{
    begin("{\"limits\": {\"header_bytes\": 1000, \"target_bytes\": 100, \"body_bytes\": 50}}");
    const ki_heads admin = { .api_key = key_of[KI_ROLE_ADMIN] };
    ki_heads h = admin;
    char target[200] = "/v1/things/";
    memset(target + 11, 'a', 120);
    CHECK_INT(call("GET", target, NULL), 414);
    h.bytes = 1001;
    CHECK_INT(call_with("GET", "/v1/things/7", h, NULL), 431);
    h = admin;
    h.content_length = "51";
    CHECK_INT(call_with("POST", "/v1/things", h, NULL), 413);
    h.content_length = "-1";
    CHECK_INT(call_with("POST", "/v1/things", h, NULL), 400);
    h.content_length = "5";
    h.transfer_encoding = "chunked";
    CHECK_INT(call_with("POST", "/v1/things", h, NULL), 400);
    h = admin;
    ki_heads_add(&h, "x-api-KEY", "again");
    CHECK_INT(call_with("GET", "/v1/things/7", h, NULL), 400);
    CHECK(strstr(text("detail"), "X-API-Key came twice") != NULL);
    h = admin;
    h.content_type = "text/xml";
    CHECK_INT(call_with("POST", "/v1/things", h, "{}"), 415);
    h.content_type = "Application/JSON; charset=utf-8";
    CHECK_INT(call_with("POST", "/v1/things", h, "{\"name\":\"a\"}"), 201);
    CHECK_INT(call("POST", "/v1/things", "{\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}"), 413);
    CHECK(strstr(text("hint"), "limits.body_bytes (KITH_LIMITS_BODY_BYTES)") != NULL);
    ki_site_end(&site);
}

TEST(a_sound_request_id_is_kept_and_another_is_replaced)
{
    static const char *const bad[] = { "", "a b", "a\"b", "\xc3\xa4",
                                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
    ki_call *c = NULL;
    begin(NULL);
    CHECK_OK(ki_call_new(&site, "GET", "/v1/health/live", &c));
    ki_call_open(c, &(ki_heads){ .request_id = "order-77.b_1" });
    CHECK_STR(ki_call_id(c), "order-77.b_1");
    finish(c, NULL);
    for (size_t j = 0; j < KI_COUNT(bad); j++) {
        CHECK_OK(ki_call_new(&site, "GET", "/v1/health/live", &c));
        ki_call_open(c, &(ki_heads){ .request_id = bad[j] });
        CHECK_INT(strlen(ki_call_id(c)), 16);
        finish(c, NULL);
    }
    ki_site_end(&site);
}

TEST(other_origins_are_let_in_only_when_they_are_listed)
{
    begin(NULL);
    CHECK_INT(call_with("GET", "/v1/health/live", (ki_heads){ .origin = "https://shop.example" }, NULL), 200);
    CHECK_STR(got.headers, "");
    ki_site_end(&site);
    begin("{\"cors\": [\"https://shop.example\"]}");
    site.limits = &limits;
    json_t *origins = json_pack("[s]", "https://shop.example"); /* begin() has freed nothing of its document */
    limits.origins = origins;
    CHECK_INT(call_with("OPTIONS", "/v1/things",
                        (ki_heads){ .origin = "https://shop.example", .request_method = "POST" }, NULL),
              204);
    CHECK(strstr(got.headers, "Access-Control-Allow-Origin: https://shop.example\n") != NULL);
    CHECK(strstr(got.headers, "Access-Control-Allow-Methods") != NULL);
    CHECK_INT(call_with("GET", "/v1/health/live", (ki_heads){ .origin = "https://evil.example" }, NULL), 200);
    CHECK(strstr(got.headers, "Allow-Origin") == NULL && strstr(got.headers, "Vary: Origin") != NULL);
    json_decref(origins);
    ki_site_end(&site);
}

/* ---- keys ---- */

TEST(each_role_may_what_those_before_it_may)
{
    static const struct {
        const char *method, *target;
        ki_key_role role;
        int status;
    } cases[] = {
        { "GET", "/v1/health/live", KI_ROLE_NOBODY, 200 }, { "GET", "/v1/users/u/things", KI_ROLE_PUBLIC, 200 },
        { "GET", "/v1/things/1", KI_ROLE_READ, 200 },      { "DELETE", "/v1/things/1", KI_ROLE_WRITE, 204 },
        { "GET", "/v1/debug", KI_ROLE_ADMIN, 200 },
    };
    begin(NULL);
    for (size_t j = 0; j < KI_COUNT(cases); j++)
        for (int r = KI_ROLE_NOBODY; r <= KI_ROLE_ADMIN; r++) {
            const ki_heads h = { .api_key = r == KI_ROLE_NOBODY ? NULL : key_of[r] };
            const int want = r >= (int)cases[j].role ? cases[j].status : (r == KI_ROLE_NOBODY ? 401 : 403);
            CHECK_INT(call_with(cases[j].method, cases[j].target, h, NULL), want);
        }
    ki_site_end(&site);
}

TEST(keys_come_as_bearer_or_header_and_others_are_strangers)
{
    char bearer[100];
    begin(NULL);
    snprintf(bearer, sizeof bearer, "bearer  %s", key_of[KI_ROLE_READ]);
    CHECK_INT(call_with("GET", "/v1/things/1", (ki_heads){ .authorization = bearer }, NULL), 200);
    CHECK_INT(call_with("GET", "/v1/things/1", (ki_heads){ .authorization = "Basic YTpi" }, NULL), 401);
    CHECK(strstr(got.headers, "WWW-Authenticate: Bearer") != NULL);
    CHECK_INT(call_with("GET", "/v1/things/1", (ki_heads){ .api_key = "" }, NULL), 401);
    bearer[strlen(bearer) - 1] ^= 1; /* one bit */
    CHECK_INT(call_with("GET", "/v1/things/1", (ki_heads){ .authorization = bearer }, NULL), 401);
    CHECK(strstr(text("detail"), key_of[KI_ROLE_READ]) == NULL);
    ki_site_end(&site);
}

TEST(a_key_of_one_user_speaks_for_no_other)
{
    char key[KI_KEY_TEXT];
    begin(NULL);
    give_key(KI_ROLE_PUBLIC, "alice", 0, 0, 0, key);
    const ki_heads h = { .api_key = key };
    CHECK_INT(call_with("GET", "/v1/users/alice/things", h, NULL), 200);
    CHECK_INT(call_with("GET", "/v1/users/bob/things", h, NULL), 403);
    CHECK_INT(call_with("POST", "/v1/things", h, "{\"name\": \"a\"}"), 201);
    CHECK_STR(text("user"), "alice");
    ki_site_end(&site);
}

TEST(a_revoked_or_expired_key_is_unknown)
{
    begin(NULL);
    ki_key *k = ki_keys_find(site.keys, key_of[KI_ROLE_READ]);
    CHECK(k != NULL && ki_keys_by_id(site.keys, k->id) == k);
    k->expires = 1000;
    CHECK_INT(call_with("GET", "/v1/things/1", (ki_heads){ .api_key = key_of[KI_ROLE_READ] }, NULL), 401);
    k->expires = 0;
    CHECK_INT(call_with("GET", "/v1/things/1", (ki_heads){ .api_key = key_of[KI_ROLE_READ] }, NULL), 200);
    atomic_store(&k->revoked, 1);
    CHECK_INT(call_with("GET", "/v1/things/1", (ki_heads){ .api_key = key_of[KI_ROLE_READ] }, NULL), 401);
    ki_site_end(&site);
}

TEST(ten_thousand_keys_are_found_each)
{
    enum { N = 10000 };
    static char keys[N][KI_KEY_TEXT];
    begin(NULL);
    for (int j = 0; j < N; j++) give_key(KI_ROLE_READ, NULL, 0, 0, 0, keys[j]);
    for (int j = 0; j < N; j++) {
        const ki_key *k = ki_keys_find(site.keys, keys[j]);
        CHECK(k != NULL && k == ki_keys_at(site.keys, j + 4));
    }
    CHECK_INT(ki_keys_count(site.keys), N + 4);
    ki_site_end(&site);
    json_decref(got.json);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_bucket_gives_its_burst_and_then_its_rate)
{
    ki_key k = { .rate = 10, .burst = 5 };
    const int64_t s = 1000000000;
    int given = 0;
    for (int j = 0; j < 20; j++) given += ki_key_admit(&k, s, 0) <= 0;
    CHECK_INT(given, 5);
    CHECK_NEAR(ki_key_admit(&k, s, 0), 0.1, 1e-9);
    for (int j = 0; j < 100; j++) given += ki_key_admit(&k, s + (j + 1) * s / 100, 0) <= 0; /* one second, 100 tries */
    CHECK_INT(given, 15);
}

TEST(a_quota_is_of_a_day_and_too_much_says_when_again)
{
    ki_key k = { .quota = 3 };
    int given = 0;
    for (int j = 0; j < 5; j++) given += ki_key_admit(&k, 1, 86400 * 5 + 86000) <= 0;
    CHECK_INT(given, 3);
    CHECK_NEAR(ki_key_admit(&k, 1, 86400 * 5 + 86000), 400, 0);
    CHECK_NEAR(ki_key_admit(&k, 1, 86400 * 6), 0, 0);

    char key[KI_KEY_TEXT];
    begin(NULL);
    give_key(KI_ROLE_READ, NULL, 0.5, 1, 0, key);
    CHECK_INT(call_with("GET", "/v1/things/1", (ki_heads){ .api_key = key }, NULL), 200);
    CHECK_INT(call_with("GET", "/v1/things/1", (ki_heads){ .api_key = key }, NULL), 429);
    CHECK_STR(text("error"), "RateLimitedError");
    CHECK(strstr(got.headers, "Retry-After: 2\n") != NULL);
    ki_site_end(&site);
}

/* ---- limits out of a configuration ---- */

TEST(a_configuration_is_held_against_its_table)
{
    json_t *o =
        json_loads("{\"limits\": {\"body_bytes\": \"big\"}, \"tls\": {\"cert\": \"a\"}, \"model\": {}}", 0, NULL);
    ki_limits l;
    CHECK_FAILS(ki_limits_read(o, &l), KITH_EINVAL, "2 violations");
    json_decref(o);
    o = json_loads("{\"limits\": {\"body_byte\": 1}}", 0, NULL);
    CHECK_FAILS(ki_limits_read(o, &l), KITH_EINVAL, "/limits/body_byte");
    json_decref(o);
    CHECK_OK(ki_limits_read(NULL, &l));
    CHECK_INT(l.body_bytes, 1 << 20);
    CHECK_NEAR(l.idle_seconds, 60, 0);
    CHECK_INT(l.audit, 2);
}

/* ---- metrics ---- */

TEST(every_status_is_counted_and_nothing_stays_in_flight)
{
    begin(NULL);
    call("GET", "/v1/things/1", NULL);
    call("GET", "/v1/things/2", NULL);
    call("GET", "/v1/things/1?n=0", NULL);
    call("DELETE", "/v1/things/disk", NULL);
    call("GET", "/nowhere", NULL);
    ki_text t = { 0 };
    ki_meter_print(site.meter, &t);
    CHECK(strstr(t.at, "kith_http_requests_total{route=\"/v1/things/{thing_id}\",method=\"GET\",status=\"200\"} 2\n") !=
          NULL);
    CHECK(strstr(t.at, "kith_http_requests_total{route=\"/v1/things/{thing_id}\",method=\"GET\",status=\"422\"} 1\n") !=
          NULL);
    CHECK(strstr(t.at,
                 "kith_http_requests_total{route=\"/v1/things/{thing_id}\",method=\"DELETE\",status=\"503\"} 1\n") !=
          NULL);
    CHECK(strstr(t.at, "kith_http_requests_total{route=\"none\",method=\"any\",status=\"404\"} 1\n") != NULL);
    CHECK(strstr(t.at, "kith_http_request_seconds_count{route=\"/v1/things/{thing_id}\",method=\"GET\"} 3\n") != NULL);
    CHECK(strstr(t.at, "kith_http_in_flight 0\n") != NULL);
    ki_text_clear(&t);
    ki_site_end(&site);
}

/* ---- the document ---- */

TEST(the_openapi_document_has_every_route_and_no_page)
{
    begin(NULL);
    json_t *o = json_loads(site.openapi_text, 0, NULL);
    const json_t *paths = json_object_get(o, "paths");
    for (size_t j = 0; j < KI_COUNT(thing_routes); j++) CHECK(json_object_get(paths, thing_routes[j].path) != NULL);
    CHECK(json_object_get(paths, "/v1/docs") == NULL && json_object_get(paths, "/v1/openapi.json") != NULL);
    const json_t *add = json_object_get(json_object_get(paths, "/v1/things"), "post");
    CHECK_STR(json_string_value(json_object_get(add, "operationId")), "thing_add");
    CHECK(json_object_get(json_object_get(add, "responses"), "201") != NULL);
    CHECK(json_object_get(json_object_get(add, "responses"), "422") != NULL);
    json_decref(o);
    ki_site_end(&site);
}

TEST(nothing_is_lost_when_memory_runs_out_within_a_call)
{
    const char *body = "{\"name\": \"cup\", \"tags\": [\"a\"]}";
    begin(NULL);
    const int64_t before = ki_alloc_live();
    for (int n = 1; n < 40; n++) {
        ki_call *c = NULL;
        ki_alloc_fail_at(n, 0);
        if (ki_call_new(&site, "POST", "/v1/things?x=1", &c) == KITH_OK) {
            ki_call_open(c, &(ki_heads){ .api_key = key_of[KI_ROLE_ADMIN] });
            finish(c, body);
            CHECK(got.status == 422 || got.status == 503);
        }
        ki_alloc_fail_at(0, 0);
        CHECK_INT(ki_alloc_live(), before);
    }
    ki_site_end(&site);
}
