/* test_live_forget.c -- what was dropped is nowhere any more: files, models, trainings that had begun
 */
#include "live_shop.h"

/* ---- a dropped user ---- */

static int holds(const char *path, const char *text)
{
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    static char bytes[1 << 20];
    const size_t n = fread(bytes, 1, sizeof bytes, f), length = strlen(text);
    fclose(f);
    CHECK(n < sizeof bytes);
    for (size_t j = 0; j + length <= n; j++)
        if (memcmp(bytes + j, text, length) == 0) return 1;
    return 0;
}

static const char *const forgetting[] = { "ials",         "user-knn", "item-knn", "bias",      "pagerank",
                                          "graph-filter", "content",  "lsa",      "ials-text", "hybrid" };

static int n_forgetting(void)
{
    return (int)KI_COUNT(forgetting);
}

TEST_EACH(live_a_dropped_user_is_in_no_file, n_forgetting)
{
    const char *secret = "margarete-8841", *word = "rue-des-secrets";
    char path[] = "/tmp/kith-live-XXXXXX";
    struct shop s;
    kith_model *loaded;
    open_shop(&s, "popularity");
    const int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    const int32_t u = user(s.l, secret);
    json_t *attributes = json_pack("{s:s, s:s}", "street", word, "motto", word);
    CHECK_OK(ki_live_user_attributes(s.l, u, attributes));
    json_decref(attributes);
    for (int32_t i = 0; i < 20; i += 3) CHECK_OK(ki_live_event(s.l, u, i, 3, NOW, KI_LIVE_SET));
    user(s.l, "afterwards");
    CHECK_OK(ki_live_event(s.l, u + 1, 7, 2, NOW, KI_LIVE_SET));
    kith_model *m = train(s.k, s.l, forgetting[loop_index]);
    CHECK_OK(kith_model_save(s.k, m, path));
    CHECK(holds(path, secret));
    CHECK_OK(ki_live_promote(s.l, m, "v2"));
    CHECK_OK(ki_live_drop_user(s.l, u));
    int32_t at;
    CHECK_FAILS(ki_live_find_user(s.l, secret, &at), KITH_ENOTFOUND, "no user");
    /* the file is rewritten without the person */
    CHECK_OK(kith_model_load(s.k, path, &loaded));
    CHECK_OK(ki_package_forget_user(loaded, u));
    char again[] = "/tmp/kith-live-XXXXXX";
    const int fd2 = mkstemp(again);
    close(fd2);
    CHECK_OK(kith_model_save(s.k, loaded, again));
    CHECK(!holds(again, secret));
    CHECK(!holds(again, word));
    CHECK(holds(again, "afterwards"));
    kith_model_free(loaded);
    CHECK_OK(kith_model_load(s.k, again, &loaded)); /* and is sound */
    kith_list *list;
    CHECK_OK(kith_recommend(s.k, loaded, &(kith_query){ .user = "afterwards" }, &list));
    CHECK(list->n > 0);
    kith_list_free(list);
    CHECK_OK(ki_live_promote(s.l, loaded, "v3")); /* nor does the next data hold it */
    kith_data *d;
    CHECK_OK(ki_live_data(s.l, &d));
    CHECK_INT(kith_data_find_user(d, secret), -1);
    CHECK_INT(kith_data_n_users(d), u + 2);
    CHECK_OK(kith_data_save(s.k, d, path));
    CHECK(!holds(path, secret));
    CHECK(!holds(path, word));
    kith_data_free(d);
    unlink(path);
    unlink(again);
    close_shop(&s);
}

TEST(live_a_dropped_person_is_no_friend_any_more)
{
    struct shop s;
    char path[] = "/tmp/kith-live-XXXXXX";
    int32_t at;
    char id[64];
    kith_data *d;
    open_shop(&s, "popularity");
    int32_t person[7];
    for (int p = 0; p < 7; p++) { /* in a ring: each is somebody's friend too */
        snprintf(id, sizeof id, "person-%d", p);
        person[p] = user(s.l, id);
        if (p < 6) item(s.l, id); /* the last is named by nobody */
    }
    for (int p = 0; p < 7; p++)
        for (int next = 1; next < 3; next++) {
            snprintf(id, sizeof id, "person-%d", (p + next) % 6);
            CHECK_OK(ki_live_event(s.l, person[p], item(s.l, id), 1, NOW, KI_LIVE_SET));
        }
    kith_model *m = train(s.k, s.l, "friends");
    CHECK_OK(ki_live_promote(s.l, m, "v2"));
    strcpy(id, "person-3");
    CHECK_OK(ki_live_drop_user(s.l, person[3]));
    CHECK_OK(ki_live_drop_user(s.l, person[6]));
    CHECK_INT(kith_model_find_user(m, id), -1);
    const int fd = mkstemp(path);
    close(fd);
    CHECK_OK(kith_model_save(s.k, m, path));
    CHECK(!holds(path, "person-6"));
    kith_model *again;
    CHECK_OK(kith_model_load(s.k, path, &again)); /* and is sound */
    CHECK_OK(ki_live_promote(s.l, again, "v3"));
    unlink(path);
    CHECK_FAILS(ki_live_find_user(s.l, id, &at), KITH_ENOTFOUND, "no user");
    CHECK_OK(ki_live_data(s.l, &d));
    CHECK_INT(kith_data_find_user(d, id), -1);
    for (int64_t j = 0; j < d->log.n; j++) CHECK(d->log.user[j] != person[3]);
    kith_data_free(d);
    close_shop(&s);
}

TEST(live_who_was_dropped_during_a_training_is_forgotten_by_it)
{
    struct shop s;
    char id[64];
    open_shop(&s, "ials");
    strcpy(id, kith_model_user_id(s.model, 11));
    kith_model *m = train(s.k, s.l, "ials");
    CHECK_OK(ki_live_drop_user(s.l, 11));
    CHECK_OK(ki_live_promote(s.l, m, "v2"));
    CHECK_INT(kith_model_find_user(m, id), -1);
    kith_list *list = ask(s.l, (kith_query){ .user = id });
    CHECK_STR(list->basis, "popular");
    kith_list_free(list);
    close_shop(&s);
}
