/* test_live_changes.c -- random changes against a naive model of plain arrays, and many threads that ask and change at once
 */
#include "live_shop.h"

/* ---- random changes against plain arrays ---- */

enum { MANY_USERS = 80, MANY_ITEMS = 1300, ROOM = 64 }; /* enough items for an index */

struct naive {
    int n_users, n_items, n_known; /* n_known: items of the model in force */
    float value[MANY_USERS + ROOM][MANY_ITEMS + ROOM];
    uint8_t has[MANY_USERS + ROOM][MANY_ITEMS + ROOM], trained[MANY_USERS + ROOM][MANY_ITEMS + ROOM];
    float learnt[MANY_USERS + ROOM][MANY_ITEMS + ROOM];
    uint8_t hidden[MANY_ITEMS + ROOM], dropped[MANY_ITEMS + ROOM], red[MANY_ITEMS + ROOM];
    char id[MANY_ITEMS + ROOM][16];
};

static struct naive naive;

static void naive_train(void)
{
    memcpy(naive.trained, naive.has, sizeof naive.has);
    memcpy(naive.learnt, naive.value, sizeof naive.value);
    naive.n_known = naive.n_items;
}

static int naive_changed(int u)
{
    for (int i = 0; i < naive.n_known; i++)
        if (naive.has[u][i] != naive.trained[u][i] || (naive.has[u][i] && naive.value[u][i] != naive.learnt[u][i]))
            return 1;
    return 0;
}

/* All items for u by the model beside the engine, then what may not be served is left out by hand. */
static void naive_compare(struct shop *s, int u, int only_red)
{
    const char *liked[MANY_ITEMS];
    float values[MANY_ITEMS];
    char user_id[16];
    int n = 0, to = 0;
    kith_list *all;
    kith_query q = { .n = naive.n_known, .include_seen = 1 };
    snprintf(user_id, sizeof user_id, "n%d", u);
    for (int i = 0; i < naive.n_known; i++) {
        if (!naive.has[u][i]) continue;
        liked[n] = kith_model_item_id(s->model, i);
        values[n++] = naive.value[u][i];
    }
    if (naive_changed(u)) {
        q.liked = liked;
        q.liked_values = values;
        q.n_liked = n;
    } else
        q.user = user_id;
    kith_list *got = ask(s->l, (kith_query){ .user = user_id, .n = 10, .filter = only_red ? "color = \"red\"" : NULL });
    if (n == 0) {
        CHECK_STR(got->basis, "popular");
        kith_list_free(got);
        return;
    }
    CHECK_OK(kith_recommend(s->k, s->model, &q, &all));
    CHECK_STR(got->basis, "user");
    for (int j = 0; j < all->n && to < 10; j++) {
        const int i = kith_model_find_item(s->model, all->items[j].item_id);
        if (naive.hidden[i] || naive.dropped[i] || naive.has[u][i] || (only_red && !naive.red[i])) continue;
        CHECK(to < got->n);
        CHECK_STR(got->items[to].item_id, naive.id[i]);
        CHECK(memcmp(&got->items[to].score, &all->items[j].score, sizeof(double)) == 0);
        to++;
    }
    CHECK_INT(got->n, to);
    kith_list_free(got);
    kith_list_free(all);
}

static void naive_compare_popular(ki_live *l)
{
    kith_list *list;
    int best = 0, count = 0;
    for (int i = 0; i < naive.n_items; i++) {
        int n = 0;
        for (int u = 0; u < naive.n_users; u++) n += naive.has[u][i];
        if (naive.hidden[i] || naive.dropped[i] || n <= count) continue;
        best = i;
        count = n;
    }
    CHECK_OK(ki_live_chart(l, KI_CHART_POPULAR, &(ki_live_query){ .query.n = 1 }, &list));
    CHECK_STR(list->items[0].item_id, naive.id[best]);
    CHECK_NEAR(list->items[0].score, count, 0);
    kith_list_free(list);
}

static void naive_new_item(ki_live *l)
{
    const int i = naive.n_items++;
    snprintf(naive.id[i], sizeof naive.id[i], "m%d", i);
    naive.red[i] = i % 3 == 0;
    CHECK_INT(item(l, naive.id[i]), i);
    give_attributes(l, i, "{\"color\": \"%s\"}", naive.red[i] ? "red" : "blue");
}

static void naive_event(ki_live *l, ki_rng *g)
{
    const int u = (int)ki_rng_below(g, (uint64_t)naive.n_users), i = (int)ki_rng_below(g, (uint64_t)naive.n_items);
    const int add = (int)ki_rng_below(g, 2);
    const float value = (float)(1 + ki_rng_below(g, 3));
    if (naive.dropped[i]) return;
    CHECK_OK(ki_live_event(l, u, i, value, NOW, add ? KI_LIVE_ADD : KI_LIVE_SET));
    naive.value[u][i] = add && naive.has[u][i] ? naive.value[u][i] + value : value;
    naive.has[u][i] = 1;
}

static void naive_change(ki_live *l, ki_rng *g)
{
    const int i = (int)ki_rng_below(g, (uint64_t)naive.n_items), u = (int)ki_rng_below(g, (uint64_t)naive.n_users);
    switch (ki_rng_below(g, 8)) {
    case 0:
        if (naive.dropped[i]) return;
        naive.hidden[i] ^= 1;
        CHECK_OK(ki_live_item_state(l, i, naive.hidden[i], 0));
        return;
    case 1:
        if (naive.dropped[i]) return;
        naive.red[i] ^= 1;
        give_attributes(l, i, "{\"color\": \"%s\"}", naive.red[i] ? "red" : "blue");
        return;
    case 2:
        if (naive.dropped[i]) return;
        CHECK_OK(ki_live_drop_item(l, i));
        naive.dropped[i] = 1;
        for (int v = 0; v < naive.n_users; v++) naive.has[v][i] = 0;
        return;
    case 3:
        if (!naive.has[u][i]) return;
        CHECK_OK(ki_live_take_back(l, u, i));
        naive.has[u][i] = 0;
        return;
    case 4:
        if (naive.n_items < MANY_ITEMS + ROOM) naive_new_item(l);
        return;
    default: naive_event(l, g);
    }
}

TEST(live_agrees_with_plain_arrays_through_random_changes)
{
    struct shop s;
    char id[16];
    ki_rng g = ki_rng_make(11, 0, 0);
    const kith_param few = { "n_epochs", "2" };
    memset(&naive, 0, sizeof naive);
    CHECK_OK(kith_new(&(kith_options){ .threads = 1, .seed = 3 }, &s.k));
    CHECK_OK(ki_live_new(NULL, &s.l));
    for (naive.n_users = 0; naive.n_users < MANY_USERS; naive.n_users++) {
        snprintf(id, sizeof id, "n%d", naive.n_users);
        user(s.l, id);
    }
    while (naive.n_items < MANY_ITEMS) naive_new_item(s.l);
    for (int j = 0; j < 4000; j++) naive_event(s.l, &g);
    for (int round = 0; round < 3; round++) {
        kith_data *d;
        kith_model *m;
        CHECK_OK(ki_live_data(s.l, &d));
        CHECK_OK(kith_train(s.k, d, "ials", &few, 1, &s.model));
        CHECK_OK(kith_train(s.k, d, "ials", &few, 1, &m));
        kith_data_free(d);
        CHECK_OK(ki_live_promote(s.l, m, "v"));
        naive_train();
        for (int j = 0; j < 250; j++) {
            naive_change(s.l, &g);
            naive_compare(&s, (int)ki_rng_below(&g, MANY_USERS), j % 2);
            if (j % 25 == 0) naive_compare_popular(s.l);
        }
        if (round < 2) kith_model_free(s.model);
    }
    close_shop(&s);
}

TEST(live_folded_vectors_are_good_for_one_stamp)
{
    ki_folded *f;
    float x[3] = { 1, 2, 3 }, got[3] = { 0 };
    CHECK_OK(ki_folded_new(100, 3, &f));
    ki_folded_put(f, 7, 40, x);
    CHECK(ki_folded_get(f, 7, 40, got) && got[2] == 3);
    CHECK(!ki_folded_get(f, 7, 41, got) && !ki_folded_get(f, 8, 40, got));
    ki_folded_put(f, 7 + 128, 41, x); /* the same slot of 128 */
    CHECK(!ki_folded_get(f, 7, 40, got));
    ki_folded_forget(f, 7); /* not there any more: the other one stays */
    CHECK(ki_folded_get(f, 7 + 128, 41, got));
    ki_folded_forget(f, 7 + 128);
    CHECK(!ki_folded_get(f, 7 + 128, 41, got));
    ki_folded_free(f);
}

/* ---- many threads ---- */

struct asker {
    ki_live *l;
    kith_model *names;
    int seed, *stop;
    int64_t n;
};

static void *keep_asking(void *arg)
{
    struct asker *a = arg;
    ki_rng r = ki_rng_make(5, (uint64_t)a->seed, 0);
    while (!__atomic_load_n(a->stop, __ATOMIC_RELAXED)) {
        const char *id = kith_model_user_id(a->names, (int32_t)ki_rng_below(&r, 60));
        const kith_query q = { .user = id, .n = 5, .filter = a->n % 2 ? "color = \"red\"" : NULL };
        ki_answer answer;
        kith_list *list;
        CHECK_OK(ki_live_recommend(a->l, &(ki_live_query){ .query = q }, &list, &answer));
        CHECK(answer.version[0] == 'v');
        kith_list_free(list);
        a->n++;
    }
    return NULL;
}

static void *keep_changing(void *arg)
{
    struct asker *a = arg;
    ki_rng r = ki_rng_make(6, 0, 0);
    for (; !__atomic_load_n(a->stop, __ATOMIC_RELAXED); a->n++) {
        const int32_t u = (int32_t)ki_rng_below(&r, 60), i = (int32_t)ki_rng_below(&r, 50);
        CHECK_OK(ki_live_event(a->l, u, i, 1, NOW, KI_LIVE_SET));
    }
    return NULL;
}

/* Training reads while events come, questions go on all the time. */
TEST(live_models_are_swapped_while_threads_ask)
{
    struct shop s;
    pthread_t threads[4], changing;
    struct asker askers[4];
    int stop = 0;
    open_shop(&s, "ials");
    struct asker changer = { s.l, s.model, 0, &stop, 0 };
    CHECK(pthread_create(&changing, NULL, keep_changing, &changer) == 0);
    for (int t = 0; t < 4; t++) {
        askers[t] = (struct asker){ s.l, s.model, t, &stop, 0 };
        CHECK(pthread_create(&threads[t], NULL, keep_asking, &askers[t]) == 0);
    }
    char id[16];
    for (int round = 0; round < 30; round++) {
        snprintf(id, sizeof id, "x%d", round);
        const int32_t i = item(s.l, id);
        give_attributes(s.l, i, "{\"color\": \"red\", \"title\": \"late %d\"}", round);
        for (int j = 0; j < 20; j++)
            CHECK_OK(ki_live_event(s.l, (round + j) % 60, (round * j) % 50, 1, NOW + round, KI_LIVE_ADD));
        CHECK_OK(ki_live_item_state(s.l, round, round % 2, 0));
        if (round % 5 == 0) CHECK_OK(ki_live_promote(s.l, train(s.k, s.l, round % 2 ? "item-knn" : "ials"), "v2"));
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int t = 0; t < 4; t++) pthread_join(threads[t], NULL);
    pthread_join(changing, NULL);
    for (int t = 0; t < 4; t++) CHECK(askers[t].n > 0);
    close_shop(&s);
}
