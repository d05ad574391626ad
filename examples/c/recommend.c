/* SPDX-License-Identifier: MIT
 * recommend.c -- train on a handful of ratings, recommend with reasons, save the model
 *
 *     cc recommend.c $(pkg-config --cflags --libs kith) -o recommend && ./recommend few.kith
 *
 * Where kith was installed under a PREFIX of its own, pkg-config and the loader have to be told:
 *     export PKG_CONFIG_PATH=$(dirname "$(find PREFIX -name kith.pc)")
 *     export LD_LIBRARY_PATH=$(dirname "$(find PREFIX -name libkith.so)")
 */
#include <kith.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    const char *users[] = { "ann", "ann", "bob", "bob", "cleo", "cleo", "dan", "dan", "dan" };
    const char *films[] = { "Heat",  "Ronin", "Heat",  "Alien", "Ronin",
                            "Alien", "Heat",  "Ronin", "Up" };
    const float stars[] = { 5, 4, 4, 2, 5, 1, 4, 5, 3 };
    kith *k = NULL;
    kith_data *data = NULL;
    kith_model *model = NULL;
    kith_list *list = NULL;
    const kith_query query = { .user = "ann", .n = 2, .n_reasons = 2 };

    int failed = kith_new(NULL, &k) || kith_data_new(k, 9, users, films, stars, NULL, &data) ||
                 kith_train(k, data, "popularity", NULL, 0, &model) ||
                 kith_recommend(k, model, &query, &list) ||
                 (argc > 1 && kith_model_save(k, model, argv[1]));
    if (failed) fprintf(stderr, "recommend: %s\n", kith_last_error());
    for (int j = 0; !failed && j < list->n; j++)
        printf("%s: %s\n", list->items[j].item_id, list->items[j].reason);

    kith_list_free(list);
    kith_model_free(model);
    kith_data_free(data);
    kith_free(k);
    return failed ? 1 : 0;
}
