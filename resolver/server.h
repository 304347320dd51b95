/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "conf/settings.h"

/*
 * One upstream server: what it is called and how it has been doing. And the table of all servers,
 * group by group, as one worker sees them. Health survives a reload for servers that stay.
 *
 * A server rests after SERVER_STREAK_MAX tries in a row without a reply: it is then asked after all
 * others, never not at all, and its next reply ends the rest at once. A server that has replied
 * SERVER_FAILURES_MAX times in a row, and never usably (REFUSED to all we ask, say), is asked after
 * those that help, until a reply of it is usable.
 */
#define SERVER_STREAK_MAX   3
#define SERVER_FAILURES_MAX 4
#define SERVER_REST_MIN_US  (INT64_C(1) * 1000000)
#define SERVER_REST_MAX_US  (INT64_C(30) * 1000000)
#define SERVER_TRY_MIN_US   (INT64_C(200) * 1000)
#define SERVER_PLAIN_FOR_US                                                                        \
    (INT64_C(900) * 1000000) /* EDNS refused: ask without it for so long.                          \
                              */
#define SERVER_NONE SIZE_MAX

struct server {
    struct settings_server settings;
    size_t group;
    int64_t latency_us; /* Smoothed round trip (7/8 old, 1/8 new); 0: none measured yet. */
    unsigned streak;    /* Tries without a reply since the last reply. */
    unsigned failures;  /* Replies that were not usable, since the last one that was. */
    int64_t rests_until;
    int64_t plain_until; /* It refused EDNS; without it until then. */
    struct counter sent;
    struct counter answered;
    struct counter failed;
    struct counter timed_out;
    struct counter lost;
    struct histogram latency;
};

struct server_group {
    char name[SETTINGS_NAME_SIZE];
    size_t first; /* Index into servers. */
    size_t count;
    bool trusts_ad;
};

struct server_table {
    struct server *servers;
    size_t count;
    struct server_group *groups;
    size_t group_count;
};

/* Builds the table for `settings`, with the health of those servers that stood in `old` (NULL:
 * none) under the same address, TLS name and group name. False when memory is short. */
bool server_table_init(
    struct server_table *table, const struct settings *settings, const struct server_table *old);
void server_table_fini(struct server_table *table);

/* How long to wait for this server before another is asked: four times its round trip, at least
 * SERVER_TRY_MIN_US, doubled for each earlier try of the same question, at most `max_us`. */
int64_t server_try_timeout(const struct server *server, unsigned tries_before, int64_t max_us);

bool server_is_resting(const struct server *server, int64_t now);
bool server_is_failing(const struct server *server);

/* What happened to a try. A late reply counts as a reply. */
void server_on_reply(struct server *server, int64_t round_trip_us, bool is_usable);
void server_on_timeout(struct server *server, int64_t now);
void server_on_lost(struct server *server, int64_t now);
void server_on_unsent(struct server *server, int64_t now);

/* "well", "resting" or "untried". */
const char *server_state(const struct server *server, int64_t now);
