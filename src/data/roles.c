/* SPDX-License-Identifier: MIT
 * roles.c -- the usual names of columns
 */
#include "data/roles.h"

#include <ctype.h>
#include <string.h>

const char *const ki_role_words[KI_N_ROLES] = { "user", "item", "value", "time" };

/* Without case and separators; the better name first. */
static const char *const user_names[] = {
    "userid",  "user",       "uid",      "username", "customerid", "customer",  "clientid",
    "client",  "visitorid",  "visitor",  "memberid", "member",     "accountid", "personid",
    "person",  "reviewerid", "reviewer", "author",   "listenerid", "readerid",  "viewerid",
    "buyerid", "sessionid",  "session",  "u",        NULL,
};
static const char *const item_names[] = {
    "itemid",     "item",       "iid",      "movieid",  "movie",      "filmid",     "film",
    "productid",  "product",    "isbn",     "asin",     "sku",        "parentasin", "articleid",
    "article",    "newsid",     "news",     "bookid",   "book",       "songid",     "song",
    "trackid",    "track",      "artistid", "artist",   "albumid",    "album",      "videoid",
    "video",      "gameid",     "game",     "appid",    "jobid",      "recipeid",   "restaurantid",
    "businessid", "business",   "venueid",  "poiid",    "locationid", "contentid",  "content",
    "docid",      "documentid", "postid",   "courseid", "animeid",    "eventid",    "friendid",
    "friend",     "i",          NULL,
};
static const char *const value_names[] = {
    "rating",    "ratings",    "value",       "score",    "stars",      "star",
    "overall",   "bookrating", "reviewscore", "count",    "weight",     "strength",
    "plays",     "playcount",  "listens",     "views",    "clicks",     "quantity",
    "purchases", "frequency",  "liked",       "like",     "preference", "label",
    "readtime",  "watchtime",  "dwelltime",   "duration", NULL,
};
static const char *const time_names[] = {
    "timestamp",      "time",       "ts",          "datetime",  "date",    "unixtime",
    "unixreviewtime", "eventtime",  "createdat",   "created",   "ratedat", "when",
    "reviewtime",     "reviewdate", "timestampms", "visitdate", NULL,
};
static const char *const *const names[KI_N_ROLES] = { user_names, item_names, value_names,
                                                      time_names };

const char *ki_role_option(ki_role role, const kith_read_options *o)
{
    const char *const given[KI_N_ROLES] = { o->user_column, o->item_column, o->value_column,
                                            o->time_column };
    return given[role];
}

int ki_role_fit(ki_role role, const kith_read_options *options, const char *name, size_t n)
{
    const char *wanted = ki_role_option(role, options);
    const char *colon = memchr(name, ':', n);
    char plain[32];
    size_t k = 0;
    if (wanted != NULL && strlen(wanted) == n && memcmp(wanted, name, n) == 0) return 0;
    if (colon != NULL) n = (size_t)(colon - name);
    if (wanted != NULL) return strlen(wanted) == n && memcmp(wanted, name, n) == 0 ? 0 : -1;
    for (size_t j = 0; j < n; j++) {
        if (strchr("_-. ", name[j]) != NULL && name[j] != '\0') continue;
        if (k == sizeof plain - 1) return -1;
        plain[k++] = (char)tolower((unsigned char)name[j]);
    }
    plain[k] = '\0';
    for (int j = 0; names[role][j] != NULL; j++)
        if (strcmp(names[role][j], plain) == 0) return j;
    return -1;
}

int ki_role_is_id(ki_role role, const char *name, size_t n)
{
    static const char *const whole[] = { "isbn", "asin", "sku", "parentasin" };
    const char *colon = memchr(name, ':', n);
    if (colon != NULL) n = (size_t)(colon - name);
    if (n >= 2 && strncasecmp(name + n - 2, "id", 2) == 0) return 1;
    if (strlen(ki_role_words[role]) == n && strncasecmp(name, ki_role_words[role], n) == 0)
        return 1;
    for (size_t j = 0; j < sizeof whole / sizeof whole[0]; j++)
        if (strlen(whole[j]) == n && strncasecmp(name, whole[j], n) == 0) return 1;
    return 0;
}

const char *ki_role_examples(ki_role role)
{
    static const char *const examples[KI_N_ROLES] = { "user_id, userId, uid, customer",
                                                      "item_id, movieId, product, isbn",
                                                      "rating, value, score, count",
                                                      "timestamp, time, date" };
    return examples[role];
}
