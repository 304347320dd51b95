/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

/*
 * resolv.conf(5) as libc reads it: nameserver lines and the options that decide how long a program
 * waits. Unknown lines are passed over, as libc does. Pure but for resolv_conf_read(); any bytes
 * are safe. Limits: 64 KiB a file, RESOLV_CONF_SERVERS_MAX servers.
 */
#define RESOLV_CONF_SERVERS_MAX 16
#define RESOLV_CONF_LIBC_MAX    3 /* libc asks no more servers than this. */
#define RESOLV_CONF_SIZE_MAX    65536

struct resolv_conf {
    struct address servers[RESOLV_CONF_SERVERS_MAX]; /* All with port 53. */
    size_t server_count;
    size_t servers_dropped; /* More than fit. */
    size_t servers_bad;     /* nameserver lines without an address. */
    bool has_timeout;       /* timeout: was set. */
    unsigned timeout_s;     /* 0 to 30; libc's default 5. */
    unsigned attempts;      /* 1 to 5; libc's default 2. */
};

void resolv_conf_parse(const char *bytes, size_t len, struct resolv_conf *out);

/* False: it cannot be read; `out` has the defaults and no server. */
bool resolv_conf_read(const char *path, struct resolv_conf *out);
