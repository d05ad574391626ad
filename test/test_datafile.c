/* SPDX-License-Identifier: MIT */
#include "attributes.h"
#include "disk.h"

#include "base/tensors.h"
#include "data/datafile.h"

static const char *const users[] = { "ann", "ann", "bob", "bob", "cleo", "dan" };
static const char *const items[] = { "x", "y", "x", "z", "y", "z" };
static const float values[] = { 5, 3, 4, 1, 2, 5 };
static const int64_t times[] = { 10, 20, 30, 40, 50, 60 };

struct world {
    kith *k;
    kith_data *d;
};

static struct world open_world(void)
{
    struct world w = { 0 };
    CHECK_OK(kith_new(NULL, &w.k));
    CHECK_OK(kith_data_new(w.k, 6, users, items, values, times, &w.d));
    add_attributes(w.d);
    CHECK_OK(ki_alloc(&w.d->log.test, 6, 1));
    w.d->log.test[5] = 1;
    snprintf(w.d->report.layout, sizeof w.d->report.layout, "csv");
    w.d->report.n_lines = 6;
    return w;
}

static void close_world(struct world *w)
{
    kith_data_free(w->d);
    kith_free(w->k);
    CHECK_INT(ki_alloc_live(), 0);
}

TEST(data_that_was_saved_is_the_same)
{
    struct world w = open_world();
    const char *path = scratch_path("data");
    kith_data *back;
    CHECK_OK(kith_data_save(w.k, w.d, path));
    CHECK(ki_tensors_is_file(path));
    CHECK_OK(ki_data_load(w.k, path, &back));
    CHECK(ki_data_fingerprint(back) == ki_data_fingerprint(w.d));
    CHECK_INT(kith_data_n_interactions(back), 6);
    CHECK_STR(kith_data_user_id(back, 3), "dan");
    CHECK_INT(kith_data_find_item(back, "z"), 2);
    CHECK_INT(back->log.time[4], 50);
    CHECK_INT(back->log.test[5], 1);
    CHECK_INT(back->has_values, 1);
    CHECK_STR(back->report.layout, "csv");
    CHECK_INT(back->report.n_lines, 6);
    CHECK_STR(back->source, path);
    check_attributes(&back->item_attrs);
    CHECK_NEAR(ki_table_find(&back->user_attrs, "age")->number[3], 4, 0);
    kith_data_free(back);
    unlink(path);
    close_world(&w);
}

TEST(data_without_anything_is_saved_too)
{
    struct world w = { 0 };
    const char *path = scratch_path("nothing");
    kith_data *back;
    CHECK_OK(kith_new(NULL, &w.k));
    CHECK_OK(kith_data_new(w.k, 0, NULL, NULL, NULL, NULL, &w.d));
    CHECK_OK(kith_data_save(w.k, w.d, path));
    CHECK_OK(ki_data_load(w.k, path, &back));
    CHECK_INT(kith_data_n_users(back), 0);
    CHECK_INT(kith_data_find_user(back, "ann"), -1);
    CHECK(back->log.time == NULL && back->log.test == NULL);
    kith_data_free(back);
    unlink(path);
    close_world(&w);
}

TEST(a_table_copy_is_its_own)
{
    struct world w = open_world();
    ki_table copy;
    CHECK_OK(ki_table_copy(&copy, &w.d->item_attrs));
    ki_table_clear(&w.d->item_attrs);
    check_attributes(&copy);
    ki_table_clear(&copy);
    close_world(&w);
}

TEST(no_flipped_byte_of_a_data_file_is_dangerous)
{
    struct world w = open_world();
    const char *path = scratch_path("flipped");
    size_t n;
    int refused = 0;
    CHECK_OK(kith_data_save(w.k, w.d, path));
    unsigned char *bytes = read_file(path, &n);
    for (size_t j = 0; j < 2 * n; j++) {
        const unsigned char mask = j < n ? 0xff : 1, was = bytes[j % n];
        kith_data *back = NULL;
        bytes[j % n] = was ^ mask;
        write_file(path, bytes, n);
        bytes[j % n] = was;
        if (ki_data_load(w.k, path, &back) == KITH_OK) {
            CHECK_OK(ki_data_check(back));
            kith_data_free(back);
            continue;
        }
        CHECK(strstr(kith_last_error(), path) != NULL && back == NULL);
        refused++;
    }
    CHECK(refused > 0);
    free(bytes);
    unlink(path);
    close_world(&w);
}

/* Save what `w` holds now, as a crafted file would have it, fingerprint and all. */
static void check_crafted(struct world *w, const char *words)
{
    const char *path = scratch_path("crafted");
    kith_data *back = NULL;
    CHECK_OK(kith_data_save(w->k, w->d, path));
    CHECK_FAILS(ki_data_load(w->k, path, &back), KITH_EFORMAT, words);
    CHECK(strstr(kith_last_error(), path) != NULL && back == NULL);
    unlink(path);
}

TEST(a_crafted_file_may_not_repeat_a_cell_or_invent_a_part)
{
    struct world w = open_world();
    w.d->log.user[1] = w.d->log.user[0];
    w.d->log.item[1] = w.d->log.item[0];
    check_crafted(&w, "user \"ann\" and item \"x\" occur together more than once");
    w.d->log.item[1] = 1;
    w.d->log.test[2] = 2;
    check_crafted(&w, "interaction 2 belongs to part 2, want 0 or 1");
    close_world(&w);
}

TEST(what_was_merged_before_saving_does_not_matter_after_loading)
{
    struct world w = open_world();
    const char *path = scratch_path("merged");
    kith_data *back;
    w.d->report.n_duplicates = 3;
    w.d->has_values = 0; /* as files of before may say */
    snprintf(w.d->report.layout, sizeof w.d->report.layout, "generated");
    ki_read_note(&w.d->report, "one %s", "note");
    CHECK_OK(kith_data_save(w.k, w.d, path));
    CHECK_OK(ki_data_load(w.k, path, &back));
    CHECK_INT(back->report.n_duplicates, 3);
    CHECK_INT(back->has_values, 1);
    CHECK_STR(back->source, "generated");
    CHECK_STR(back->report.notes, "one note");
    kith_data_free(back);
    unlink(path);
    close_world(&w);
}

TEST(a_changed_value_is_seen_by_the_fingerprint)
{
    struct world w = open_world();
    const char *path = scratch_path("changed");
    kith_data *back = NULL;
    size_t n;
    CHECK_OK(kith_data_save(w.k, w.d, path));
    unsigned char *bytes = read_file(path, &n);
    unsigned char *at = memmem(bytes, n, values, sizeof values);
    const float other = 4.5f;
    CHECK(at != NULL);
    memcpy(at, &other, sizeof other);
    write_file(path, bytes, n);
    CHECK_FAILS(ki_data_load(w.k, path, &back), KITH_EFORMAT, "fingerprint");
    for (size_t cut = 0; cut < n; cut += 97) {
        write_file(path, bytes, cut);
        CHECK_FAILS(ki_data_load(w.k, path, &back), KITH_EFORMAT, path);
    }
    free(bytes);
    unlink(path);
    close_world(&w);
}

TEST(every_refused_allocation_of_a_data_file_is_an_error)
{
    struct world w = open_world();
    const char *path = scratch_path("refused");
    kith_err err = KITH_ENOMEM;
    for (int n = 1; err != KITH_OK; n++) {
        const int64_t live = ki_alloc_live();
        kith_data *back = NULL;
        ki_table copy = { 0 };
        ki_alloc_fail_at(n, 0);
        err = kith_data_save(w.k, w.d, path);
        if (err == KITH_OK) err = ki_data_load(w.k, path, &back);
        if (err == KITH_OK) err = ki_table_copy(&copy, &back->item_attrs);
        ki_alloc_fail_at(0, 0);
        ki_table_clear(&copy);
        kith_data_free(back);
        CHECK_INT(ki_alloc_live(), live);
        CHECK(err == KITH_OK || err == KITH_ENOMEM);
    }
    unlink(path);
    close_world(&w);
}
