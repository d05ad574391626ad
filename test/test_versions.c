/* SPDX-License-Identifier: MIT
 * test_versions.c -- versions of the model: refused, promoted, rolled back, asked as a shadow
 */
#include "service_world.h"

TEST(a_worse_model_is_refused_unless_told_and_a_rollback_undoes_it)
{
    char before[64], after[64];
    json_t *document;
    make_folder();
    open_service(NULL, csv);
    ki_service_version(s, before);
    document = train("random", KI_PROMOTE_BETTER);
    CHECK_STR(json_string_value(json_object_get(document, "state")), "refused");
    CHECK(strstr(json_string_value(json_object_get(document, "reason")), "is worse than") != NULL);
    json_decref(document);
    ki_service_version(s, after);
    CHECK_STR(after, before);
    document = train("random", KI_PROMOTE_ALWAYS);
    CHECK_STR(json_string_value(json_object_get(document, "state")), "promoted");
    json_decref(document);
    ki_service_version(s, after);
    CHECK(strcmp(after, before) != 0);
    CHECK_OK(ki_service_rollback(s, &document));
    CHECK_STR(json_string_value(json_object_get(document, "version")), before);
    json_decref(document);
    ki_service_version(s, after);
    CHECK_STR(after, before);
    close_service();
    remove_folder();
}

static const char *state_of(const char *version)
{
    static char state[32];
    json_t *document = NULL;
    CHECK_OK(ki_service_model_document(s, version, &document));
    snprintf(state, sizeof state, "%s", json_string_value(json_object_get(document, "state")));
    json_decref(document);
    return state;
}

static void copy_version(const json_t *document, char *out)
{
    snprintf(out, 64, "%s", json_string_value(json_object_get(document, "version")));
}

/* What a start would load and what is asked now are the same, whatever fails. */
TEST(a_promotion_happens_whole_or_not_at_all)
{
    char before[64], other[64], now[64], path[KI_PATH_MAX];
    struct rlimit limit;
    make_folder();
    open_service(db, csv);
    ki_service_version(s, before);
    json_t *document = train("popularity", KI_PROMOTE_NEVER);
    copy_version(document, other);
    json_decref(document);
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const rlim_t was = limit.rlim_cur;
    signal(SIGXFSZ, SIG_IGN);
    limit.rlim_cur = 4096; /* a disk that is full */
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
    CHECK_FAILS(ki_service_promote(s, other, "told to"), KITH_EIO, "kith.db");
    limit.rlim_cur = was;
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
    json_t *reply = ask("{\"user_id\": \"u3\", \"n\": 3}");
    CHECK_STR(json_string_value(json_object_get(reply, "model")), before);
    json_decref(reply);
    ki_service_version(s, now);
    CHECK_STR(now, before);
    CHECK_STR(state_of(other), "candidate");
    CHECK_STR(state_of(before), "promoted");
    ki_service_model_path(s, other, path); /* a file that is no model */
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs("nonsense", f) >= 0 && fclose(f) == 0);
    CHECK(ki_service_promote(s, other, "told to") != KITH_OK);
    CHECK_STR(state_of(other), "candidate");
    CHECK_STR(state_of(before), "promoted");
    ki_service_version(s, now);
    CHECK_STR(now, before);
    close_service();
    remove_folder();
}

TEST(a_shadow_is_asked_too_and_seen_by_nobody)
{
    char version[64];
    json_t *document, *report;
    make_folder();
    open_service(NULL, csv);
    s->settings.shadow_share = 1;
    document = train("popularity", KI_PROMOTE_NEVER);
    snprintf(version, sizeof version, "%s", json_string_value(json_object_get(document, "version")));
    json_decref(document);
    CHECK_OK(ki_service_shadow(s, version));
    for (int u = 0; u < 20; u++) {
        char request[64];
        snprintf(request, sizeof request, "{\"user_id\": \"u%d\", \"n\": 5}", u);
        json_decref(ask(request));
    }
    CHECK_OK(ki_service_shadow_report(s, &report));
    CHECK_INT(json_integer_value(json_object_get(report, "lists")), 20);
    const double overlap = json_number_value(json_object_get(report, "overlap"));
    CHECK(overlap >= 0 && overlap < 1);
    json_decref(report);
    CHECK_OK(ki_service_shadow(s, NULL));
    close_service();
    remove_folder();
}

/* The model in force as its own shadow says the same lists, also where some items are blocked. */
TEST(a_shadow_is_asked_with_the_block_list_of_the_question)
{
    char version[64], request[200];
    json_t *report;
    make_folder();
    open_service(NULL, csv);
    s->settings.shadow_share = 1;
    ki_service_version(s, version);
    CHECK_OK(ki_service_shadow(s, version));
    for (int u = 0; u < 20; u++) {
        snprintf(request, sizeof request,
                 "{\"user_id\": \"u%d\", \"n\": 5, \"block\": [\"id: i%d\", \"id: i%d\", \"id: i%d\"]}", u, u / 2 % 4,
                 10 + u / 2 % 4, 20 + u / 2 % 4);
        json_decref(ask(request));
    }
    CHECK_OK(ki_service_shadow_report(s, &report));
    CHECK_INT(json_integer_value(json_object_get(report, "lists")), 20);
    CHECK_NEAR(json_number_value(json_object_get(report, "overlap")), 1, 0);
    json_decref(report);
    close_service();
    remove_folder();
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(a_shadow_that_cannot_be_loaded_leaves_the_one_before)
{
    char in_force[64], other[64], path[KI_PATH_MAX];
    json_t *report;
    make_folder();
    open_service(NULL, csv);
    ki_service_version(s, in_force);
    json_t *document = train("popularity", KI_PROMOTE_NEVER);
    copy_version(document, other);
    json_decref(document);
    CHECK_OK(ki_service_shadow(s, in_force));
    ki_service_model_path(s, other, path);
    CHECK_INT(unlink(path), 0);
    CHECK(ki_service_shadow(s, other) != KITH_OK);
    CHECK_OK(ki_service_shadow_report(s, &report));
    CHECK_STR(json_string_value(json_object_get(report, "version")), in_force);
    json_decref(report);
    CHECK(s->shadow_model != NULL);
    close_service();
    remove_folder();
}

/* Health and metrics are asked for while a promotion or a deletion writes files. */
TEST(which_versions_are_in_force_is_told_while_files_are_written)
{
    char version[64];
    json_t *status, *report;
    make_folder();
    open_service(NULL, csv);
    pthread_mutex_lock(&s->models);
    alarm(60); /* whoever waits for it here waits for ever */
    ki_service_version(s, version);
    CHECK_OK(ki_service_status(s, &status));
    CHECK_OK(ki_service_shadow_report(s, &report));
    alarm(0);
    pthread_mutex_unlock(&s->models);
    CHECK_STR(json_string_value(json_object_get(status, "model")), version);
    CHECK_STR(json_string_value(json_object_get(report, "version")), "");
    json_decref(status);
    json_decref(report);
    close_service();
    remove_folder();
}
