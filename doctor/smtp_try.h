/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Does a mail server greet us? One connection, its first line read, closed again without a word.
 * Waits for at most SMTP_TRY_LIMIT_US for the connection, and as long for the line. Main thread.
 */
struct address;

#define SMTP_TRY_LIMIT_US    INT64_C(5000000)
#define SMTP_TRY_BANNER_SIZE 128

enum smtp_try_verdict {
    SMTP_TRY_GREETED,  /* 220. */
    SMTP_TRY_REJECTED, /* Another line. */
    SMTP_TRY_MUTE,     /* Connected, and nothing said. */
    SMTP_TRY_SILENT,   /* No connection in time. */
    SMTP_TRY_BROKEN,   /* `error` says why. */
};

struct smtp_try {
    enum smtp_try_verdict verdict;
    int error;
    int64_t connect_us;
    int64_t banner_us;                 /* From the connection on. */
    char banner[SMTP_TRY_BANNER_SIZE]; /* The beginning of the line, as it came. */
};

void smtp_try(const struct address *server, struct smtp_try *try_out);
