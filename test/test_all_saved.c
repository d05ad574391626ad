/* SPDX-License-Identifier: MIT
 * Saved models of every algorithm: the same bits when loaded, and no harm from a file that was damaged.
 */
#include "all_models.h"

TEST_EACH(a_saved_model_gives_the_same_bits, count_models)
{
    begin(loop_index);
    static struct answers before, after;
    kith *k = context(2);
    const char *path = scratch_path("all");
    for (enum kind kind = EXPLICIT; kind <= IMPLICIT; kind++) {
        kith_data *d = make_data(k, kind);
        kith_model *m = train(k, d, NULL, 0), *back;
        kith_data_free(d); /* the model stands alone */
        if (m == NULL) continue;
        answer(k, m, &before);
        WORKS(kith_model_save(k, m, path));
        kith_model_free(m);
        WORKS(kith_model_load(k, path, &back));
        answer(k, back, &after);
        HOLDS(memcmp(&before, &after, sizeof before) == 0);
        kith_model_free(back);
        unlink(path);
    }
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* Ask a model that was loaded from a doubtful file everything that there is to ask. */
static void exercise(kith *k, const kith_model *m)
{
    static struct answers a;
    const char *const liked[] = { kith_model_item_id(m, 0), kith_model_item_id(m, 1) };
    kith_list *l = NULL;
    if (m->users.n > USERS || m->items.n > ITEMS) return;
    answer(k, m, &a);
    for (int32_t u = 0; u < m->users.n; u += 9) {
        const kith_query q = { .user = kith_model_user_id(m, u), .n_reasons = 3 };
        WORKS(kith_recommend(k, m, &q, &l));
        kith_list_free(l);
    }
    WORKS(kith_recommend(k, m, &(kith_query){ .liked = liked, .n_liked = 2, .n_reasons = 1 }, &l));
    kith_list_free(l);
    l = NULL;
    const kith_err err = kith_similar(k, m, liked[0], 3, &l);
    HOLDS(err == KITH_OK || err == KITH_EDATA); /* EDATA: the model has no such notion */
    kith_list_free(l);
}

/* Flip bytes of a saved model: all of the header, then 500 of the rest.  What still loads must be servable without harm. */
TEST_EACH(no_flipped_byte_of_a_saved_model_is_dangerous, count_models)
{
    begin(loop_index);
    kith *k = context(1);
    kith_data *d = make_data(k, EXPLICIT);
    const char *path = scratch_path("flip");
    kith_model *m = train(k, d, NULL, 0);
    size_t n, header;
    WORKS(kith_model_save(k, m, path));
    unsigned char *bytes = read_file(path, &n);
    for (header = 8; header < n && bytes[header - 1] != ' ';) header++; /* the header is padded with blanks */
    for (size_t j = 0; j < n; j += j < header ? 1 : 1 + (n - header) / 500) {
        const unsigned char was = bytes[j];
        kith_model *back = NULL;
        bytes[j] = was ^ (j % 2 == 0 ? 0x01 : 0xff);
        write_file(path, bytes, n);
        bytes[j] = was;
        if (kith_model_load(k, path, &back) == KITH_OK) exercise(k, back);
        kith_model_free(back);
    }
    free(bytes);
    unlink(path);
    kith_model_free(m);
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}

/* `from` without its array number `left_out`, at `to`. */
static void write_without(const char *from, int left_out, const char *to)
{
    ki_tensor list[64];
    ki_mapping *m;
    int n = 0;
    WORKS(ki_tensors_open(from, &m));
    for (int j = 0; j < ki_tensors_count(m); j++)
        if (j != left_out) list[n++] = *ki_tensors_at(m, j);
    WORKS(ki_tensors_write(to, list, n, ki_tensors_metadata(m)));
    ki_tensors_close(m);
}

/* Every array of a saved model left out in turn: refused, or not needed. */
static void leave_out_each(kith *k, const kith_data *d, const kith_param *params, int n_params)
{
    char whole[256], part[256];
    kith_model *m = train(k, d, params, n_params);
    snprintf(whole, sizeof whole, "%s", scratch_path("whole"));
    snprintf(part, sizeof part, "%s", scratch_path("part"));
    if (m == NULL) return;
    WORKS(kith_model_save(k, m, whole));
    ki_mapping *mapping;
    WORKS(ki_tensors_open(whole, &mapping));
    const int n = ki_tensors_count(mapping);
    ki_tensors_close(mapping);
    for (int j = 0; j < n; j++) {
        kith_model *back = NULL;
        write_without(whole, j, part);
        if (kith_model_load(k, part, &back) == KITH_OK) exercise(k, back);
        kith_model_free(back);
    }
    kith_model_free(m);
    unlink(whole);
    unlink(part);
}

TEST_EACH(a_saved_model_that_lacks_an_array_does_no_harm, count_models)
{
    const ki_model_desc *desc = begin(loop_index);
    kith *k = context(1);
    kith_data *d = make_data(k, EXPLICIT);
    kith_param params[33];
    const int n = cheap_params(desc, params);
    leave_out_each(k, d, params, n);
    for (int j = 0; j < desc->n_params; j++)
        for (int c = 0; desc->params[j].kind == KI_CHOICE && desc->params[j].choices[c] != NULL; c++) {
            params[n] = (kith_param){ desc->params[j].name, desc->params[j].choices[c] };
            leave_out_each(k, d, params, n + 1);
        }
    kith_data_free(d);
    kith_free(k);
    CHECK_INT(ki_alloc_live(), 0);
}
