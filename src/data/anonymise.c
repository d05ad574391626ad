/* SPDX-License-Identifier: MIT
 * anonymise.c -- keyed ids, dropped and coarser columns
 */
#include "data/anonymise.h"

#include "base/jsontext.h"
#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TAG_BYTES = 12, CELL = 128, LEAST_KEY = 16 };
static_assert(KI_TOKEN_ROOM == 2 * TAG_BYTES + 1, "two digits for each byte, and a NUL");

/* ---- ids ---- */

void ki_anonymise_id(const kith_anonymise_options *o, const char *id, size_t n, char *out)
{
    unsigned char
        tag[crypto_generichash_BYTES_MIN > TAG_BYTES ? crypto_generichash_BYTES_MIN : TAG_BYTES];
    crypto_generichash(tag, sizeof tag, (const unsigned char *)id, n, o->key, o->key_bytes);
    sodium_bin2hex(out, KI_TOKEN_ROOM, tag, TAG_BYTES);
}

static kith_err hash_ids(ki_idmap *out, const ki_idmap *from, const kith_anonymise_options *o)
{
    char name[KI_TOKEN_ROOM];
    for (int32_t j = 0; j < from->n; j++) {
        int32_t at;
        ki_anonymise_id(o, ki_idmap_name(from, j), ki_idmap_length(from, j), name);
        const kith_err err = ki_idmap_add(out, name, KI_TOKEN_ROOM - 1, &at);
        if (err != KITH_OK) return err;
        if (at != j) /* 96 bits: not before some 10^14 ids */
            return ki_fail(KITH_EDATA,
                           "two ids have the same name under this key; take another key");
    }
    return KITH_OK;
}

/* ---- coarser cells ---- */

struct step { /* "age=10", "zip=3", "born=year", "location=0.5" */
    char column[64];
    double width;
    const char *unit; /* "day", "month", "year"; NULL: a width */
};

static kith_err parse_step(const char *text, struct step *s)
{
    static const char *const units[] = { "day", "month", "year" };
    const char *equals = strrchr(text, '=');
    char *end;
    *s = (struct step){ .unit = NULL };
    if (equals == NULL || equals == text || (size_t)(equals - text) >= sizeof s->column)
        return ki_fail(KITH_EINVAL,
                       "coarsen \"%.64s\", want column=width, column=letters or "
                       "column=day|month|year",
                       text);
    memcpy(s->column, text, (size_t)(equals - text));
    for (size_t j = 0; j < KI_COUNT(units); j++)
        if (strcmp(equals + 1, units[j]) == 0) return s->unit = units[j], KITH_OK;
    s->width = strtod(equals + 1, &end);
    if (end == equals + 1 || *end != '\0' || !(s->width > 0) || !isfinite(s->width))
        return ki_fail(KITH_EINVAL, "coarsen \"%.64s\": want a number above 0, day, month or year",
                       text);
    return KITH_OK;
}

/* 34 in steps of 10 is "30-39" where all are whole, else "30 to 40". */
static void print_bin(double x, const struct step *s, char out[CELL])
{
    const double low = floor(x / s->width) * s->width;
    if (s->width == floor(s->width))
        snprintf(out, CELL, "%.0f-%.0f", low, low + s->width - 1);
    else
        snprintf(out, CELL, "%g to %g", low, low + s->width);
}

static void print_date(int64_t t, const struct step *s, char out[CELL])
{
    const time_t at = (time_t)t;
    struct tm utc;
    const char *format = strcmp(s->unit, "day") == 0     ? "%Y-%m-%d"
                         : strcmp(s->unit, "month") == 0 ? "%Y-%m"
                                                         : "%Y";
    if (gmtime_r(&at, &utc) == NULL || strftime(out, CELL, format, &utc) == 0) out[0] = '\0';
}

/* The first letters of a word, whole characters, and a star for that there was more. */
static void print_prefix(const char *word, const struct step *s, char out[CELL])
{
    size_t n = 0;
    for (double left = s->width; word[n] != '\0' && left >= 1 && n < CELL - 8; left--) do
            n++;
        while (((unsigned char)word[n] & 0xc0) == 0x80);
    memcpy(out, word, n);
    memcpy(out + n, word[n] != '\0' ? "*" : "", word[n] != '\0' ? 2 : 1);
}

/* The coarser cell, or "" where there is none. */
static void print_coarser(const ki_column *c, int32_t row, const struct step *s, char out[CELL])
{
    out[0] = '\0';
    if (c->kind == KI_COL_NUMBER && !isnan(c->number[row])) print_bin(c->number[row], s, out);
    if (c->kind == KI_COL_TIME && c->time[row] != INT64_MIN) print_date(c->time[row], s, out);
    if (c->kind == KI_COL_CATEGORY && c->code[row] >= 0)
        print_prefix(ki_idmap_name(&c->words, c->code[row]), s, out);
}

static kith_err check_step(const ki_column *c, const struct step *s)
{
    const int dated = s->unit != NULL;
    if (c->kind == KI_COL_TIME ? dated
                               : (c->kind == KI_COL_NUMBER || c->kind == KI_COL_CATEGORY) && !dated)
        return KITH_OK;
    return ki_fail(KITH_EINVAL,
                   "coarsen %s: numbers take a width, categories a number of letters, times day, "
                   "month or year; other columns can only be dropped",
                   c->name);
}

/* Put a category of coarser cells in the column's place. */
static kith_err coarsen(ki_column *c, int32_t n_rows, const struct step *s)
{
    char(*cells)[CELL] = NULL;
    const char **texts = NULL;
    ki_column coarser;
    kith_err err;
    if ((err = check_step(c, s)) != KITH_OK) return err;
    if ((err = ki_alloc(&cells, (size_t)n_rows, sizeof *cells)) != KITH_OK) goto done;
    if ((err = ki_alloc(&texts, (size_t)n_rows, sizeof(const char *))) != KITH_OK) goto done;
    for (int32_t r = 0; r < n_rows; r++) {
        print_coarser(c, r, s, cells[r]);
        texts[r] = cells[r][0] != '\0' ? cells[r] : NULL;
    }
    err = ki_column_from_strings(&coarser, c->name, n_rows, texts, KI_COL_CATEGORY, 0);
    if (err != KITH_OK) goto done;
    ki_column_clear(c);
    *c = coarser;
done:
    ki_free(cells);
    ki_free(texts);
    return err;
}

/* ---- columns ---- */

static int is_named(const char *const *list, int n, const char *name)
{
    for (int j = 0; j < n; j++)
        if (strcmp(list[j], name) == 0) return 1;
    return 0;
}

/* Free text names people, so it goes unless it is asked for. */
static int is_dropped(const ki_column *c, const kith_anonymise_options *o)
{
    if (is_named(o->drop, o->n_drop, c->name)) return 1;
    return c->kind == KI_COL_TEXT && !is_named(o->keep, o->n_keep, c->name);
}

static void drop_columns(ki_table *t, const kith_anonymise_options *o, json_t *dropped)
{
    int kept = 0;
    for (int j = 0; j < t->n_columns; j++) {
        if (is_dropped(&t->columns[j], o)) {
            json_array_append_new(dropped, json_string(t->columns[j].name));
            ki_column_clear(&t->columns[j]);
        } else {
            t->columns[kept++] = t->columns[j];
        }
    }
    t->n_columns = kept;
}

static kith_err coarsen_columns(ki_table *t, const kith_anonymise_options *o, json_t *coarsened)
{
    for (int j = 0; j < o->n_coarsen; j++) {
        struct step s;
        kith_err err = parse_step(o->coarsen[j], &s);
        if (err != KITH_OK) return err;
        ki_column *c = (ki_column *)ki_table_find(t, s.column);
        if (c == NULL)
            return ki_fail(KITH_EINVAL, "coarsen: users have no column \"%s\"", s.column);
        if ((err = coarsen(c, t->n_rows, &s)) != KITH_OK) return err;
        json_array_append_new(coarsened, json_string(o->coarsen[j]));
    }
    return KITH_OK;
}

static kith_err check_columns(const ki_table *t, const char *const *names, int n, const char *what)
{
    for (int j = 0; j < n; j++)
        if (ki_table_find(t, names[j]) == NULL)
            return ki_fail(KITH_EINVAL, "%s: users have no column \"%.64s\"", what, names[j]);
    return KITH_OK;
}

/* ---- risk ---- */

/* Number of the group of each user, by all columns but `without` (-1: by all). */
static kith_err find_groups(const ki_table *t, int32_t n, int without, ki_idmap *groups,
                            int32_t *group)
{
    size_t size = (size_t)t->n_columns * CELL + 1;
    char *key = NULL;
    kith_err err = ki_alloc(&key, size, 1);
    for (int32_t r = 0; err == KITH_OK && r < n; r++) {
        size_t used = 0;
        for (int c = 0; c < t->n_columns; c++) {
            if (c == without) continue;
            ki_column_print(&t->columns[c], r, key + used, CELL);
            used += strlen(key + used);
            key[used++] = '\x1f';
        }
        if (used == 0) key[used++] = '\x1f'; /* without columns all are alike */
        err = ki_idmap_add(groups, key, used, &group[r]);
    }
    ki_free(key);
    return err;
}

struct risk {
    int32_t k, groups;               /* size of the smallest group, and how many there are */
    int32_t below2, below5, below10; /* users in groups smaller than that */
};

static kith_err measure(const ki_table *t, int32_t n, int without, struct risk *out)
{
    ki_idmap groups = { 0 };
    int32_t *group = NULL, *size = NULL;
    struct risk r = { .k = n };
    kith_err err;
    if ((err = ki_alloc(&group, (size_t)n, sizeof *group)) != KITH_OK) goto done;
    if ((err = ki_alloc(&size, (size_t)n, sizeof *size)) != KITH_OK) goto done;
    if ((err = find_groups(t, n, without, &groups, group)) != KITH_OK) goto done;
    for (int32_t u = 0; u < n; u++) size[group[u]]++;
    for (int32_t g = 0; g < groups.n; g++) {
        r.k = KI_MIN(r.k, size[g]);
        r.below2 += size[g] < 2 ? size[g] : 0;
        r.below5 += size[g] < 5 ? size[g] : 0;
        r.below10 += size[g] < 10 ? size[g] : 0;
    }
    r.groups = groups.n;
    *out = r;
done:
    ki_idmap_clear(&groups);
    ki_free(group);
    ki_free(size);
    return err;
}

kith_err ki_k_anonymity(const ki_table *users, int32_t n, json_t **out)
{
    struct risk all, less;
    kith_err err = measure(users, n, -1, &all);
    if (err != KITH_OK) return err;
    json_t *relief = json_array();
    for (int c = 0; err == KITH_OK && c < users->n_columns; c++) {
        if ((err = measure(users, n, c, &less)) != KITH_OK) break;
        json_array_append_new(relief, json_pack("{s:s, s:i, s:i}", "drop", users->columns[c].name,
                                                "k", (int)less.k, "unique", (int)less.below2));
    }
    json_t *o =
        err != KITH_OK
            ? NULL
            : json_pack("{s:i, s:i, s:i, s:{s:i, s:i, s:i}, s:O}", "k", (int)all.k, "groups",
                        (int)all.groups, "unique", (int)all.below2, "below", "2", (int)all.below2,
                        "5", (int)all.below5, "10", (int)all.below10, "relief", relief);
    json_decref(relief);
    if (err == KITH_OK && o == NULL) err = ki_fail_memory(0);
    if (err == KITH_OK) *out = o;
    return err;
}

/* ---- all of it ---- */

static void coarsen_times(ki_log *log, int64_t seconds)
{
    for (int64_t j = 0; seconds > 1 && log->time != NULL && j < log->n; j++) {
        const int64_t t = log->time[j], rest = t % seconds;
        log->time[j] = t - (rest < 0 ? rest + seconds : rest);
    }
}

static kith_err copy_array(void *out, const void *from, size_t n, size_t size)
{
    void *copy = NULL;
    if (from == NULL) return KITH_OK;
    const kith_err err = ki_alloc(&copy, n, size);
    if (err != KITH_OK) return err;
    if (n > 0) memcpy(copy, from, n * size);
    memcpy(out, &copy, sizeof copy);
    return KITH_OK;
}

static kith_err copy_log(ki_log *out, const ki_log *from)
{
    const size_t n = (size_t)from->n;
    kith_err err;
    out->n = from->n;
    if ((err = copy_array(&out->user, from->user, n, sizeof *out->user)) != KITH_OK) return err;
    if ((err = copy_array(&out->item, from->item, n, sizeof *out->item)) != KITH_OK) return err;
    if ((err = copy_array(&out->value, from->value, n, sizeof *out->value)) != KITH_OK) return err;
    if ((err = copy_array(&out->time, from->time, n, sizeof *out->time)) != KITH_OK) return err;
    return copy_array(&out->test, from->test, n, sizeof *out->test);
}

static kith_err copy_data(const kith_data *d, const kith_anonymise_options *o, kith_data *to)
{
    kith_err err;
    to->has_values = d->has_values;
    to->strengths = d->strengths;
    to->report = d->report;
    if ((err = ki_strdup(&to->source, "anonymised")) != KITH_OK) return err;
    if ((err = hash_ids(&to->users, &d->users, o)) != KITH_OK) return err;
    err = o->hash_items ? hash_ids(&to->items, &d->items, o) : ki_idmap_copy(&to->items, &d->items);
    if (err != KITH_OK) return err;
    if ((err = copy_log(&to->log, &d->log)) != KITH_OK) return err;
    coarsen_times(&to->log, o->time_step);
    if ((err = ki_table_copy(&to->user_attrs, &d->user_attrs)) != KITH_OK) return err;
    return ki_table_copy(&to->item_attrs, &d->item_attrs);
}

static kith_err check(const kith_data *d, const kith_anonymise_options *o)
{
    kith_err err;
    if (o->key == NULL || o->key_bytes < LEAST_KEY ||
        o->key_bytes > crypto_generichash_KEYBYTES_MAX)
        return ki_fail(KITH_EINVAL, "a key of %zu bytes, want %d to %d", o->key_bytes, LEAST_KEY,
                       crypto_generichash_KEYBYTES_MAX);
    if (o->time_step < 0) return ki_fail(KITH_EINVAL, "time_step is below 0");
    if ((err = check_columns(&d->user_attrs, o->drop, o->n_drop, "drop")) != KITH_OK) return err;
    return check_columns(&d->user_attrs, o->keep, o->n_keep, "keep");
}

kith_err ki_anonymise(const kith_data *d, const kith_anonymise_options *o, kith_data **out,
                      json_t **report)
{
    json_t *dropped = json_array(), *coarsened = json_array(), *risk = NULL;
    kith_data *to = NULL;
    kith_err err;
    if (sodium_init() < 0) {
        err = ki_fail(KITH_EIO, "libsodium could not be started");
        goto done;
    }
    if ((err = check(d, o)) != KITH_OK) goto done;
    if ((err = ki_alloc(&to, 1, sizeof *to)) != KITH_OK) goto done;
    if ((err = copy_data(d, o, to)) != KITH_OK) goto done;
    drop_columns(&to->user_attrs, o, dropped);
    if ((err = coarsen_columns(&to->user_attrs, o, coarsened)) != KITH_OK) goto done;
    if ((err = ki_k_anonymity(&to->user_attrs, to->users.n, &risk)) != KITH_OK) goto done;
    *report = json_pack("{s:i, s:i, s:b, s:O, s:O, s:O, s:s}", "n_users", (int)to->users.n,
                        "n_items", (int)to->items.n, "items_hashed", o->hash_items, "dropped",
                        dropped, "coarsened", coarsened, "k_anonymity", risk, "note",
                        "what a person did can give the person away even without attributes; "
                        "share with care");
    if (*report == NULL) err = ki_fail_memory(0);
    *out = to;
done:
    json_decref(dropped);
    json_decref(coarsened);
    json_decref(risk);
    if (err != KITH_OK) kith_data_free(to);
    return err;
}

kith_err kith_data_anonymise(kith *k, const kith_data *data, const kith_anonymise_options *options,
                             kith_data **out, char **report)
{
    json_t *o = NULL;
    kith_data *made = NULL;
    if (k == NULL || data == NULL || options == NULL || out == NULL)
        return ki_fail(KITH_EINVAL,
                       "kith_data_anonymise: k, data, options and out must not be NULL");
    kith_err err = ki_anonymise(data, options, &made, &o);
    if (err != KITH_OK) return err;
    if (report != NULL)
        err = ki_json_print(o, report);
    else
        json_decref(o);
    if (err != KITH_OK)
        kith_data_free(made);
    else
        *out = made;
    return err;
}
