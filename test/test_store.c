/* SPDX-License-Identifier: MIT */
#include "attributes.h"
#include "disk.h"

#include "model/package.h"

static const char *const users[] = { "ann", "ann", "bob", "bob", "cleo", "dan" };
static const char *const items[] = { "x", "y", "x", "z", "y", "z" };
static const float values[] = { 5, 3, 4, 1, 2, 5 };
static const int64_t times[] = { 10, 20, 30, 40, 50, 60 };

struct world {
    kith *k;
    kith_data *d;
    kith_model *m;
};

static struct world open_world(void)
{
    struct world w = { 0 };
    CHECK_OK(kith_new(NULL, &w.k));
    CHECK_OK(kith_data_new(w.k, 6, users, items, values, times, &w.d));
    add_attributes(w.d);
    CHECK_OK(kith_train(w.k, w.d, "popularity", NULL, 0, &w.m));
    return w;
}

static void close_world(struct world *w)
{
    kith_model_free(w->m);
    kith_data_free(w->d);
    kith_free(w->k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* ---- models ---- */

TEST(a_model_that_was_saved_says_the_same)
{
    struct world w = open_world();
    const char *path = scratch_path("model");
    kith_model *back;
    char *before, *after;
    CHECK_OK(kith_model_save(w.k, w.m, path));
    CHECK_OK(kith_model_load(w.k, path, &back));
    CHECK_OK(kith_model_json(w.m, &before));
    CHECK_OK(kith_model_json(back, &after));
    CHECK_STR(after, before);
    check_attributes(&back->item_attrs);
    CHECK_INT(kith_model_n_users(back), 4);
    CHECK_STR(kith_model_item_id(back, 2), "z");
    CHECK(kith_model_user_id(back, 4) == NULL && kith_model_item_id(back, -1) == NULL);
    for (int u = 0; u < 4; u++) {
        kith_list *a, *b;
        const kith_query q = { .user = users[u], .n = 3 };
        CHECK_OK(kith_recommend(w.k, w.m, &q, &a));
        CHECK_OK(kith_recommend(w.k, back, &q, &b));
        CHECK_INT(a->n, b->n);
        for (int j = 0; j < a->n; j++) {
            CHECK_STR(a->items[j].item_id, b->items[j].item_id);
            CHECK(a->items[j].score == b->items[j].score);
        }
        kith_list_free(a);
        kith_list_free(b);
    }
    kith_string_free(before);
    kith_string_free(after);
    kith_model_free(back);
    unlink(path);
    close_world(&w);
}

TEST(a_model_saved_twice_is_the_same_file)
{
    struct world w = open_world();
    const char *path = scratch_path("twice");
    kith_model *back;
    size_t n, again_n;
    CHECK_OK(kith_model_save(w.k, w.m, path));
    unsigned char *bytes = read_file(path, &n);
    CHECK_OK(kith_model_load(w.k, path, &back));
    CHECK_OK(kith_model_save(w.k, back, path)); /* over the file that it is mapped from */
    unsigned char *again = read_file(path, &again_n);
    CHECK(n == again_n && memcmp(bytes, again, n) == 0);
    free(bytes);
    free(again);
    kith_model_free(back);
    unlink(path);
    close_world(&w);
}

/* Replace the one occurrence of `from` by `to` of the same length in a saved model, and load it. */
static kith_err load_changed(struct world *w, const char *from, const char *to)
{
    const char *path = scratch_path("changed");
    kith_model *back = NULL;
    size_t n;
    CHECK_OK(kith_model_save(w->k, w->m, path));
    unsigned char *bytes = read_file(path, &n);
    unsigned char *at = memmem(bytes, n, from, strlen(from));
    CHECK(at != NULL && strlen(from) == strlen(to));
    memcpy(at, to, strlen(to));
    write_file(path, bytes, n);
    free(bytes);
    const kith_err err = kith_model_load(w->k, path, &back);
    kith_model_free(back);
    unlink(path);
    return err;
}

TEST(a_model_file_that_does_not_fit_is_refused_with_a_sentence)
{
    struct world w = open_world();
    CHECK_FAILS(load_changed(&w, "kith-model", "kith-mopel"), KITH_EFORMAT, "not a kith-model file");
    CHECK_FAILS(load_changed(&w, "\"version\":\"1\"", "\"version\":\"7\""), KITH_EFORMAT, "version 7");
    CHECK_FAILS(load_changed(&w, "\"model_version\":\"0\"", "\"model_version\":\"9\""), KITH_EFORMAT, "version 9");
    CHECK_FAILS(load_changed(&w, "\"popularity\"", "\"popularizy\""), KITH_EFORMAT, "\"popularizy\", which this kith");
    CHECK_FAILS(load_changed(&w, "damping\\\":5.0", "damping\\\":-50"), KITH_EFORMAT, "parameters");
    CHECK_FAILS(load_changed(&w, "damping\\\":5.0", "camping\\\":5.0"), KITH_EFORMAT, "parameters");
    CHECK_FAILS(load_changed(&w, "history.idx", "history.xdi"), KITH_EFORMAT, "history.idx is missing");
    CHECK_FAILS(load_changed(&w, "\\\"kind\\\":\\\"set\\\"", "\\\"kind\\\":\\\"sot\\\""), KITH_EFORMAT, "column");
    kith_model *m = NULL;
    CHECK_FAILS(kith_model_load(w.k, "/nonexistent/m.kith", &m), KITH_EIO, "/nonexistent/m.kith");
    CHECK_FAILS(kith_model_save(w.k, w.m, "/nonexistent/m.kith"), KITH_EIO, "/nonexistent/m.kith");
    CHECK_FAILS(kith_model_load(w.k, NULL, &m), KITH_EINVAL, "must not be NULL");
    CHECK(m == NULL);
    close_world(&w);
}

/* Loading what is in `bytes` either fails with a sentence that names the file, or gives a model that can be asked. */
static void load_and_ask(kith *k, const char *path, const unsigned char *bytes, size_t n)
{
    kith_model *m = NULL;
    write_file(path, bytes, n);
    if (kith_model_load(k, path, &m) != KITH_OK) {
        CHECK(strstr(kith_last_error(), path) != NULL);
        CHECK(m == NULL);
        return;
    }
    for (int32_t u = 0; u < kith_model_n_users(m); u++) {
        kith_list *l;
        const kith_query q = { .user = kith_model_user_id(m, u), .n_reasons = 2 };
        CHECK_OK(kith_recommend(k, m, &q, &l));
        kith_list_free(l);
    }
    kith_model_free(m);
}

TEST(a_cut_model_file_is_refused)
{
    struct world w = open_world();
    const char *path = scratch_path("cut");
    kith_model *m = NULL;
    size_t n;
    CHECK_OK(kith_model_save(w.k, w.m, path));
    unsigned char *bytes = read_file(path, &n);
    for (size_t cut = 0; cut < n; cut += 97) {
        write_file(path, bytes, cut);
        CHECK_FAILS(kith_model_load(w.k, path, &m), KITH_EFORMAT, path);
    }
    free(bytes);
    unlink(path);
    close_world(&w);
}

TEST(no_flipped_byte_of_a_model_file_is_dangerous)
{
    struct world w = open_world();
    const char *path = scratch_path("flipped");
    size_t n;
    CHECK_OK(kith_model_save(w.k, w.m, path));
    unsigned char *bytes = read_file(path, &n);
    for (size_t j = 0; j < n; j++) { /* header, row pointers, indexes, ids and values alike */
        const unsigned char was = bytes[j];
        bytes[j] = was ^ 0xff;
        load_and_ask(w.k, path, bytes, n);
        bytes[j] = was ^ 1;
        load_and_ask(w.k, path, bytes, n);
        bytes[j] = was;
    }
    free(bytes);
    unlink(path);
    close_world(&w);
}

TEST(every_refused_allocation_of_saving_and_loading_is_an_error)
{
    struct world w = open_world();
    const char *path = scratch_path("refused");
    kith_err err = KITH_ENOMEM;
    for (int n = 1; err != KITH_OK; n++) {
        const int64_t live = ki_alloc_live();
        kith_model *back = NULL;
        ki_alloc_fail_at(n, 0);
        err = kith_model_save(w.k, w.m, path);
        if (err == KITH_OK) err = kith_model_load(w.k, path, &back);
        ki_alloc_fail_at(0, 0);
        if (err != KITH_OK) {
            CHECK(err == KITH_ENOMEM && back == NULL);
            CHECK_INT(ki_alloc_live(), live);
        }
        kith_model_free(back);
    }
    unlink(path);
    close_world(&w);
}
