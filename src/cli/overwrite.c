/* SPDX-License-Identifier: MIT
 * overwrite.c -- may the file that a command is to write take the place of what is there?
 *
 * A model may replace a model, a list of ratings one that kith wrote; a typing error must not cost
 * somebody their data.  The file that is being read is never replaced, not even with --force.
 */
#include "base/tensors.h" /* what a file says that it is */
#include "cli/command.h"

#include <string.h>
#include <sys/stat.h>

static const struct kind {
    const char *name;   /* as the commands call it */
    const char *what;   /* for people */
    const char *format; /* what the container says; NULL: text */
    const char *begins; /* the text's first bytes */
} kinds[] = {
    { "model", "a kith model", "kith-model", NULL },
    { "binary", "kith's binary data", "kith-data", NULL },
    { "csv", "a CSV of interactions that kith wrote", NULL, "user_id,item_id" },
    { "tsv", "a TSV of interactions that kith wrote", NULL, "user_id\titem_id" },
    { "ndjson", "NDJSON that kith wrote", NULL, "{\"user_id\":" },
    { "lists", "a CSV of recommendations", NULL, "user_id,rank,item_id,score" },
    { "per-user", "a CSV of values per user", NULL, "model,fold,user" },
    { "store", "a store of kith", NULL, "SQLite format 3" },
    { "store-lines", "an export of a store", NULL, "{\"type\":\"" },
    { "result", "a result of `kith run`", NULL, "{\"recommendation_results\":" },
};

static const struct kind *kind_of(const char *name)
{
    for (size_t j = 0; j < sizeof kinds / sizeof kinds[0]; j++)
        if (strcmp(kinds[j].name, name) == 0) return &kinds[j];
    return NULL;
}

static int is_container(const char *path, const char *format)
{
    ki_mapping *m = NULL;
    if (ki_tensors_open(path, &m) != KITH_OK) return 0;
    const char *said = json_string_value(json_object_get(ki_tensors_metadata(m), "format"));
    const int same = said != NULL && strcmp(said, format) == 0;
    ki_tensors_close(m);
    return same;
}

static int is_text(const char *path, const char *begins)
{
    char first[64] = "";
    FILE *f = fopen(path, "rb");
    if (f == NULL) return 0;
    first[fread(first, 1, sizeof first - 1, f)] = '\0';
    fclose(f);
    return strncmp(first, begins, strlen(begins)) == 0;
}

static int is_same_file(const struct stat *to, const char *path)
{
    struct stat from;
    return path != NULL && stat(path, &from) == 0 && from.st_dev == to->st_dev &&
           from.st_ino == to->st_ino;
}

cli_exit cli_check_target(const cli_args *a, const char *path, const char *kind_name)
{
    const struct kind *kind = kind_of(kind_name);
    const char *const read[] = { a->data, a->train, a->test, a->model_file, a->words[0] };
    struct stat to;
    if (path == NULL || stat(path, &to) != 0) return CLI_DONE;
    for (size_t j = 0; j < sizeof read / sizeof read[0]; j++)
        if (is_same_file(&to, read[j]))
            return cli_complain(CLI_USAGE,
                                "%s is read and cannot be written too; want another name", path);
    if (a->force || !S_ISREG(to.st_mode) || to.st_size == 0) return CLI_DONE;
    if (kind->format != NULL ? is_container(path, kind->format) : is_text(path, kind->begins))
        return CLI_DONE;
    return cli_complain(CLI_USAGE,
                        "%s is there already and is not %s; want another name, or --force to "
                        "replace it",
                        path, kind->what);
}
