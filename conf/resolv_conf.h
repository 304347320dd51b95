/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

/*
 * resolv.conf(5) as libc reads it: nameserver lines, the search list, and the options that decide
 * how long a program waits and what it is told. Unknown lines are passed over, as libc does. Pure
 * but for resolv_conf_read(); any bytes are safe. Limits: 64 KiB a file, RESOLV_CONF_SERVERS_MAX
 * servers.
 */
#define RESOLV_CONF_SERVERS_MAX 16
#define RESOLV_CONF_LIBC_MAX    3 /* libc asks no more servers than this. */
#define RESOLV_CONF_SIZE_MAX    65536

#define RESOLV_CONF_SUFFIX_SIZE 256

/* Options without a number, as bits. */
enum resolv_conf_option {
    RESOLV_CONF_ROTATE = 1,
    RESOLV_CONF_USE_VC = 2,
    RESOLV_CONF_TRUST_AD = 4,
    RESOLV_CONF_EDNS0 = 8,
    RESOLV_CONF_SINGLE_REQUEST = 16, /* Or single-request-reopen. */
    RESOLV_CONF_NO_AAAA = 32,
    RESOLV_CONF_NO_RELOAD = 64,
};

struct resolv_conf {
    struct address servers[RESOLV_CONF_SERVERS_MAX]; /* All with port 53. */
    size_t server_count;
    size_t servers_dropped; /* More than fit. */
    size_t servers_bad;     /* nameserver lines without an address. */
    bool has_timeout;       /* timeout: was set. */
    unsigned timeout_s;     /* 0 to 30; libc's default 5. */
    unsigned attempts;      /* 1 to 5; libc's default 2. */
    unsigned ndots;         /* 0 to 15; libc's default 1. */
    unsigned options;       /* enum resolv_conf_option. */
    size_t search_count;    /* Suffixes of the last search or domain line; "." is none. */
    char search_first[RESOLV_CONF_SUFFIX_SIZE]; /* The first of them; cut when longer. */
};

void resolv_conf_parse(const char *bytes, size_t len, struct resolv_conf *out);

/* False: it cannot be read; `out` has the defaults and no server. */
bool resolv_conf_read(const char *path, struct resolv_conf *out);

/* The seconds that one lookup takes at worst, when no server answers at all: each server is waited
 * for timeout << its place, shared among them from the second on, and all that `attempts` times. No
 * server is libc's own 127.0.0.1. */
unsigned resolv_conf_stall_s(const struct resolv_conf *file);
