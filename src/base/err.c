/* SPDX-License-Identifier: MIT
 * err.c -- the message of the last failure, one buffer per thread
 *
 * A sentence is always UTF-8, whatever it quotes and wherever a precision or the buffer has cut it: it is mended here,
 * in one place, instead of where it is written.
 *
 * The buffer is static thread storage, so that recording a failure can itself never fail.
 */
#include "base/err.h"

#include "base/scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[KI_MESSAGE_SIZE];

kith_err ki_fail(kith_err err, const char *format, ...)
{
    char fresh[KI_MESSAGE_SIZE]; /* an argument may point into `message` */
    va_list args;
    va_start(args, format);
    vsnprintf(fresh, sizeof fresh, format, args);
    va_end(args);
    ki_utf8_mend(fresh);
    memcpy(message, fresh, sizeof message);
    return err;
}

kith_err ki_fail_memory(size_t bytes)
{
    return ki_fail(KITH_ENOMEM, "out of memory: %zu bytes were refused", bytes);
}

void ki_message_get(char *out)
{
    memcpy(out, message, sizeof message);
}

void ki_message_set(const char *text)
{
    if (text != message) snprintf(message, sizeof message, "%s", text);
    ki_utf8_mend(message);
}

const char *kith_last_error(void)
{
    return message;
}

const char *kith_err_name(kith_err err)
{
    switch (err) {
    case KITH_OK: return "ok";
    case KITH_EINVAL: return "invalid argument";
    case KITH_ENOMEM: return "out of memory";
    case KITH_EIO: return "input/output error";
    case KITH_EFORMAT: return "malformed input";
    case KITH_ENOTFOUND: return "not found";
    case KITH_ECANCELED: return "cancelled";
    case KITH_EDATA: return "insufficient data";
    }
    return "unknown error";
}
