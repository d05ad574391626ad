/* SPDX-License-Identifier: MIT
 * failure.c -- codes and stages, and the names that the contract has for them
 */
#include "tool/failure.h"

#include "base/mem.h"

/* The first row whose code and stage fit is taken; stage -1 fits any. */
static const struct named {
    kith_err err;
    int stage;
    const char *type, *hint;
} names[] = {
    { KITH_ECANCELED, -1, "CanceledError", "the run was stopped from outside; send it again" },
    { KITH_ENOMEM, -1, "BudgetExceededError",
      "give more memory (--memory), or send less data or smaller parameters" },
    { KITH_EIO, -1, "StorageError",
      "check that the path, or the server, is there and may be read or written" },
    { KITH_EDATA, -1, "DataInsufficientError",
      "send more interactions, or of the kind that the method needs (ratings, times); popularity "
      "needs the least" },
    { KITH_EINVAL, KITH_STAGE_REQUEST, "ValidationError",
      "correct what the violations name; `kith schema request` prints what is allowed" },
    { KITH_EFORMAT, KITH_STAGE_REQUEST, "ValidationError",
      "correct the file that the message names" },
    { KITH_ENOTFOUND, KITH_STAGE_REQUEST, "ValidationError",
      "`kith models` and `kith metrics` list the names that there are" },
    { KITH_ENOTFOUND, KITH_STAGE_ASK, "ColdStartError",
      "send interactions of this user, or set context_data.on_cold_start to popular" },
    { KITH_EFORMAT, KITH_STAGE_STORE, "StorageError",
      "delete the file that the message names; it is made anew" },
    { KITH_EINVAL, KITH_STAGE_EVALUATE, "ModelTrainingError",
      "change the method or the parameters that the message names" },
    { KITH_EINVAL, -1, "ModelTrainingError",
      "change the method or the parameters that the message names" },
    { KITH_EFORMAT, -1, "ModelTrainingError", "look at the values of the data" },
    { KITH_ENOTFOUND, -1, "ModelTrainingError", "`kith models` lists the methods that there are" },
};

static const struct named *find(kith_err err, kith_stage stage)
{
    for (size_t j = 0; j < KI_COUNT(names); j++)
        if (names[j].err == err && (names[j].stage == -1 || names[j].stage == (int)stage))
            return &names[j];
    return &names[KI_COUNT(names) - 1];
}

const char *kith_error_type(kith_err err, kith_stage stage)
{
    return err == KITH_OK ? "" : find(err, stage)->type;
}

const char *kith_error_hint(kith_err err, kith_stage stage)
{
    return err == KITH_OK ? "" : find(err, stage)->hint;
}

/* The sentence of the thread need not be UTF-8: it may name a path. */
static json_t *sentence(const char *text)
{
    json_t *s = json_string(text);
    return s != NULL ? s : json_string("the sentence cannot be told in UTF-8");
}

json_t *ki_failure_json(kith_err err, kith_stage stage, const ki_findings *f)
{
    json_t *error = json_pack("{s:s, s:s, s:o, s:s}", "type", kith_error_type(err, stage), "code",
                              kith_err_name(err), "message", sentence(kith_last_error()), "hint",
                              kith_error_hint(err, stage));
    if (f->n_violations > 0) {
        json_object_set(error, "violations", f->violations);
        if (f->n_violations > KI_FINDINGS_SHOWN)
            json_object_set_new(error, "n_violations", json_integer((json_int_t)f->n_violations));
    }
    if (f->n_warnings > 0) json_object_set(error, "warnings", f->warnings);
    return json_pack("{s:o}", "error", error);
}
