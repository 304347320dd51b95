/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/settings.h"

/*
 * Which server of a group is asked next for one question. In this order: not resting; not silent;
 * not failing on this question before; asked least for this question; not failing at everything; no
 * try lost since its last reply; untried ones, so that all get measured; shortest round trip. One
 * question in PICK_EXPLORE goes to a random server that is well, so that one which was slow once is
 * measured again. Pure but for the randomness given.
 */
#define PICK_EXPLORE 128

/* One question is sent to a silent server so often (RFC 9520 section 3.1). */
#define PICK_SILENT_MAX 3

struct server_table;
struct server_group;
struct random;

/* What has been tried for one question, by the server's place in its group. */
struct tries {
    uint8_t asked[SETTINGS_SERVERS_MAX];
    uint8_t silent[SETTINGS_SERVERS_MAX];   /* Tries without a reply, open ones too. */
    bool has_broken[SETTINGS_SERVERS_MAX];  /* A stream to it broke; it had a second chance. */
    bool is_doubtful[SETTINGS_SERVERS_MAX]; /* It failed on this before (resolver/doubt.h). */
    bool has_failed[SETTINGS_SERVERS_MAX];  /* It said SERVFAIL, REFUSED, ...: it will again. */
    bool is_plain[SETTINGS_SERVERS_MAX];    /* It said that it does not take our OPT record. */
};

/* The server's place in its group, or SERVER_NONE when all have failed or stayed silent. */
size_t pick_server(const struct server_table *table, const struct server_group *group,
    const struct tries *tries, struct random *random, int64_t now);
