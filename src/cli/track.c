/* SPDX-License-Identifier: MIT
 * track.c -- evaluations and tuning are logged where $MLFLOW_TRACKING_URI says
 */
#include "cli/command.h"

#include <jansson.h>

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s == NULL ? "" : s;
}

void cli_track(const cli_args *a, const char *report)
{
    char *told = NULL;
    const json_t *one;
    size_t j;
    if (kith_track(NULL, report, &told) != KITH_OK || told == NULL) return;
    json_t *list = json_loads(told, 0, NULL);
    cli_progress_clear();
    json_array_foreach (list, j, one) {
        if (!json_is_true(json_object_get(one, "logged")))
            cli_complain(CLI_DONE, "not logged in MLflow: %s", text_of(one, "reason"));
        else if (!a->quiet)
            fprintf(stderr, "logged in MLflow: experiment %s, run %s\n", text_of(one, "experiment"),
                    text_of(one, "run_id"));
    }
    json_decref(list);
    kith_string_free(told);
}
