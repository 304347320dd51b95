/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "conf/settings.h"
#include "resolver/latency.h"
#include "resolver/manners.h"
#include "resolver/probe.h"

/*
 * One upstream server: what it is called and how it has been doing. And the table of all servers,
 * group by group, as one worker sees them. Health survives a reload for servers that stay. A server
 * is one address, so each address family has its own.
 *
 * Silent: it owes us SERVER_SILENT_MIN replies or more and has said nothing for twice its median
 * round trip, which chance alone brings about once in thousands of times: others are asked first,
 * and a hedge against it costs no budget. Resting: SERVER_STREAK_MAX tries in a row had no reply in
 * their time. It is then asked by probes only (resolver/probe.h), while questions that have nobody
 * else to ask wait for it to come back; any reply ends the rest. Failing: SERVER_FAILURES_MAX
 * replies in a row, none usable (REFUSED to all we ask, say): it is asked after those that help.
 *
 * Behind the configured groups stand SERVER_DIRECT_GROUPS more, empty at first: the name servers of
 * zones that are asked directly (resolver/direct.h), which come and go. A place without a server
 * has no address; memory is touched when it gets one.
 */
#define SERVER_DIRECT_GROUPS 32
#define SERVER_DIRECT_SIZE   8 /* Servers of such a group. */
#define SERVER_DIRECT_MAX    (SERVER_DIRECT_GROUPS * SERVER_DIRECT_SIZE)
#define SERVER_STREAK_MAX    3
#define SERVER_FAILURES_MAX  4
#define SERVER_SILENT_MIN    6
#define SERVER_SILENT_US     (INT64_C(10) * 1000)
#define SERVER_TRY_MIN_US    (INT64_C(200) * 1000)
#define SERVER_HEDGE_MIN_US  (INT64_C(5) * 1000)
#define SERVER_HEDGE_MAX_US  (INT64_C(400) * 1000)
#define SERVER_PLAIN_FOR_US  (INT64_C(900) * 1000000) /* EDNS refused: then its next chance. */

#define SERVER_NONE SIZE_MAX

/* How a message goes there. */
enum server_way {
    SERVER_WAY_DATAGRAM, /* UDP. */
    SERVER_WAY_STREAM,   /* TCP or TLS. */
};
#define SERVER_WAYS 2

struct server {
    struct settings_server settings;
    size_t group;
    uint32_t generation;   /* Of its place: how many servers have stood there before. */
    int64_t latency_us;    /* Smoothed round trip (7/8 old, 1/8 new); 0: none measured yet. */
    struct latency recent; /* What hedging goes by. */
    float loss;            /* The share of lost tries lately, 0 to 1. */
    unsigned streak;       /* Tries without a reply since the last reply. */
    unsigned failures;     /* Replies that were not usable, since the last one that was. */
    unsigned owed;         /* Messages under way. */
    int64_t heard_at;      /* Its last reply; of what a snapshot brought, in the life before. */
    int64_t owes_since;    /* When the first of them went out, or the last reply came in. */
    bool knows_edns;       /* It has replied to a message with an OPT record. */
    int64_t plain_until;   /* It refused EDNS, or seems to drop it; without it until then. */
    struct manners manners;
    struct probe probe;
    struct counter sent;
    struct counter answered;
    struct counter failed;
    struct counter timed_out;
    struct counter lost;
    struct histogram latency[SERVER_WAYS]; /* Of usable replies. */
};

struct server_group {
    char name[SETTINGS_NAME_SIZE];
    size_t first;    /* Index into servers. */
    size_t count;    /* Of a direct group: up to the last place that is not vacant. */
    size_t used;     /* Likewise, up to the last place that has ever had a server. */
    uint16_t origin; /* Its tag in the cache (resolver/origin.h). */
    bool trusts_ad;
    bool is_direct;
};

struct server_table {
    struct server *servers;
    size_t count; /* Configured ones. */
    struct server_group *groups;
    size_t group_count; /* Configured ones; the direct groups stand behind them. */
};

/* Nobody stands there; of a place in a direct group. */
bool server_is_vacant(const struct server *server);

/* A server's name in memories that outlive it: no other has had it, in whatever place. */
uint64_t server_id(const struct server_table *table, size_t index);

/* How long to wait for this server before its try counts as lost: twice what 99 of 100 replies take
 * lately (four times the round trip while that is not known), at least SERVER_TRY_MIN_US, doubled
 * for each earlier try of the same question, at most `max_us`. */
int64_t server_try_timeout(const struct server *server, unsigned tries_before, int64_t max_us);

/* When waiting on is worth less than asking a second server: the tail of its recent round trips, so
 * that about `permille` of its replies are later; less patience where it loses much. 0: unknown. */
int64_t server_hedge_delay(const struct server *server, unsigned permille);

bool server_is_resting(const struct server *server);
bool server_is_failing(const struct server *server);
bool server_is_silent(const struct server *server, int64_t now);

/* One of its servers at least is in no trouble at all: there is room for work nobody waits for. */
#define SERVER_CALM_LOSS_MAX 0.1f
bool server_group_is_well(const struct server_table *table, size_t group, int64_t now);

/* How long it may say nothing, when it owes enough replies, before it counts as silent. */
int64_t server_silence(const struct server *server);

/* A message went out; nobody waits for its reply any more. */
void server_on_sent(struct server *server, int64_t now);
void server_on_withdrawn(struct server *server);

/* It failed on a question; `is_new`: on one that it has not failed on lately. The same question
 * again says nothing new about the server. */
void server_on_failure(struct server *server, bool is_new);

/* What happened to a try. A reply may come after the timeout; it counts as a reply all the same.
 * Its round trip may be SERVER_UNMEASURED. */
#define SERVER_UNMEASURED (INT64_C(-1))
struct server_reply {
    int64_t round_trip_us;
    enum server_way way;
    bool is_usable;
};
void server_on_reply(struct server *server, const struct server_reply *reply, int64_t now);
void server_on_timeout(struct server *server);
void server_on_edns(struct server *server); /* It has replied to an OPT record: none is dropped. */
void server_on_unsent(struct server *server);

/* A line broke. A server whose TCP is closed is not away: its UDP may well answer. */
void server_on_lost(struct server *server, bool is_stream);

/* "well", "resting", "failing" or "untried". */
const char *server_state(const struct server *server);
