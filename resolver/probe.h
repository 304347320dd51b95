/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/log.h"

/*
 * Probes: a server that rests is asked for the root's name servers now and then, by ourselves, so
 * that its recovery is found without a client paying for it. First after PROBE_FIRST_US, then at
 * twice the time up to PROBE_LAST_US, as long as it rests; while questions wait for it, each
 * PROBE_WANTED_US.
 *
 * Every other probe has no OPT record, or a server behind a wall that drops EDNS would never be
 * heard again. A reply to one of these may also come from a server that has just come back, so a
 * probe with EDNS follows at once; and so it does when a question got its answer without EDNS after
 * one with it got none, for that may have been lost. Until such a probe is answered the server is
 * asked without EDNS. It is followed by others when questions are asked, each after twice the time:
 * so neither a loss nor a wall costs more than one question a wait.
 */
#define PROBE_FIRST_US  (INT64_C(1) * 1000000)
#define PROBE_LAST_US   (INT64_C(10) * 1000000)
#define PROBE_WANTED_US (INT64_C(550) * 1000)

/* Up to SERVER_PLAIN_FOR_US. */
#define PROBE_PLAIN_FIRST_US (INT64_C(10) * 1000000)

/* So long the reply to a probe is waited for that a server gets which does not rest. */
#define PROBE_CHECK_US (INT64_C(2) * 1000000)

/* After so many probes without a reply there is little hope left. */
#define PROBE_HOPE_MAX 6

struct resolver;
struct exchange;

/* Embedded in its server. */
struct probe {
    struct deadline deadline;
    uint64_t exchange;   /* The last one sent, or POOL_NONE. */
    int64_t interval_us; /* 0: it does not run. */
    int64_t sent_at;     /* The last one. */
    unsigned missed;     /* Probes without a reply, in a row. */
    int64_t plain_us; /* For how long no probe with EDNS follows the last one, to which it has said
                         nothing; 0: it takes EDNS, or has said that it does not. */
    bool is_told;     /* The log says that it rests. */
    int64_t told_at;
    struct log_limit limit;
};

/* One of its probes had no reply in its time. */
bool probe_was_missed(const struct probe *probe);

/* The server at `index` has just had a try without a reply: if it rests now, it will be probed. */
void probe_watch(struct resolver *resolver, size_t index, int64_t now);

/* A question waits for that server: if it rests, the next probe goes out soon. */
void probe_hasten(struct resolver *resolver, size_t index, int64_t now);

/* The server speaks, but may be one that drops EDNS: it is asked without, and a probe with it goes
 * out. Or: the next one does, if the last had no reply and its time has come. */
void probe_check_edns(struct resolver *resolver, size_t index, int64_t now);
void probe_recheck_edns(struct resolver *resolver, size_t index, int64_t now);

/* Events. */
void probe_on_deadline(struct resolver *resolver, size_t index, int64_t now);
bool probe_on_reply(struct resolver *resolver, struct exchange *exchange, const uint8_t *bytes,
    size_t len, int64_t now);
void probe_on_lost(struct resolver *resolver, struct exchange *exchange);

/* The server leaves its place: ends its probe. */
void probe_stop(struct resolver *resolver, size_t index);

/* Before the table of servers is replaced: ends all probes. After it: starts those that are due. */
void probe_stop_all(struct resolver *resolver);
void probe_start_all(struct resolver *resolver, int64_t now);
