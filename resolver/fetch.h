/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/list.h"
#include "resolver/direct.h"
#include "resolver/exchange.h"
#include "resolver/inflight.h"
#include "resolver/judge.h"
#include "resolver/pick.h"
#include "resolver/query.h"
#include "resolver/timeline.h"
#include "wire/question.h"

/*
 * A fetch: one piece of work for one key, from the first message upstream to the stored and
 * published answer, shared by every query that waits for it; a refresh has none.
 *
 *     ROUTE   -> ASK
 *     ASK     -> AWAIT
 *     AWAIT   -> JUDGE, ASK, STORE      a reply; the try timed out; the fetch did
 *     JUDGE   -> ASK, AWAIT, STORE      ASK: next server, over TCP, without EDNS
 *     STORE   -> PUBLISH                a failure is an answer too: kept briefly
 *     PUBLISH -> LINGER, END            LINGER: a hedge won; is the loser late or lost?
 *     LINGER  -> END
 *
 * The table in fetch.c has the same edges (tests/style compares them). The one loop goes through
 * ASK, and each turn of it spends one of asks_left: that it ends can be seen. A fetch never ends
 * inside fetch_start(): what cannot be asked at once waits in AWAIT for a deadline that is already
 * due, so that a query which has just joined is never woken from below its own feet. It is moved by
 * three events: fetch_on_reply(), fetch_on_lost(), fetch_on_deadline(). In LINGER nobody waits and
 * nobody can join; what comes in only tells how the servers are.
 */
enum fetch_step {
    FETCH_ROUTE,
    FETCH_ASK,
    FETCH_AWAIT,
    FETCH_JUDGE,
    FETCH_STORE,
    FETCH_PUBLISH,
    FETCH_LINGER,
    FETCH_END,
};
#define FETCH_STEPS 8

/* A reply may come this long after the first asker's answer_deadline and still be remembered. */
#define FETCH_LATE_US (INT64_C(2) * 1000000)

/* After a line broke and no other server is left to try at once: a pause, for a server that
 * restarts is away for a moment; twice as long from the second one on. */
#define FETCH_PAUSE_US (INT64_C(200) * 1000)

/* So long a question waits when no server of its group has been heard of for a while: an SMTP
 * session asks a dozen of them, one after another, and its peer is waiting too. */
#define FETCH_HOPELESS_US (INT64_C(1200) * 1000)

/* Why the work is done. */
enum fetch_purpose {
    FETCH_FOR_CLIENT,  /* Somebody waits. */
    FETCH_FOR_REFRESH, /* An answer in use is about to expire. */
    FETCH_FOR_AHEAD,   /* A client is expected to ask this next. */
    FETCH_FOR_HOUSE,   /* What the resolver itself wants to know. */
};

/* What fetch_start() is asked for. */
struct fetch_order {
    const struct cache_key *key; /* Copied. */
    bool is_list;
    bool is_placed; /* `list` is known to be the list's place; else it is looked for. */
    unsigned list;
    enum fetch_purpose purpose;
    uint8_t ahead; /* FOR_AHEAD: the step that foresaw it, which the entry is marked with. */
    uint8_t depth; /* FOR_AHEAD: how many answers were followed to get here. */
};

struct fetch {
    enum fetch_step step;
    struct inflight_link inflight; /* Key and id. */
    struct question question;      /* As sent upstream: lower case. */
    bool is_list;
    unsigned list; /* Its place (resolver/lists.h). */
    enum fetch_purpose purpose;
    uint8_t ahead;   /* As ordered; 0 once a client has joined. */
    uint8_t depth;   /* As ordered; not 0: it was asked ahead. */
    bool has_slept;  /* It has had its time again (resolver/sleep.h). */
    bool is_retired; /* It failed its waiters and only listens. */
    bool is_anew;    /* What was flushed has been asked anew. */
    size_t group;
    struct detour detour;
    unsigned asks_left;
    struct tries tries;
    struct list exchanges;
    uint64_t current;           /* The exchange whose try is being waited for. */
    uint64_t mark;              /* Of its last exchange; before that, of its beginning. */
    struct exchange_plan again; /* Same server, otherwise: over TCP, without EDNS. */
    bool has_again;
    struct list waiters;
    int64_t started_at;
    int64_t ends_at;
    int64_t wakes_at; /* What AWAIT waits for at the longest. */
    bool is_gated;    /* All it could ask rest; the first reply of one wakes it. */
    bool is_hedging;  /* wakes_at is where a second server may be asked, not yet a timeout. */
    struct deadline deadline;
    enum ede ede;                /* Why it fails, if it does. */
    enum timeline_reason reason; /* Why the next message will be sent. */
    struct timeline timeline;
};

/* The fetch for the order's key, new and with its first message under way, or NULL: no room. There
 * must be none for that key in the in-flight table. */
struct fetch *fetch_start(struct resolver *resolver, const struct fetch_order *order, int64_t now);

/* The same for work that nobody waits for: NULL also when such work is under way already, or when
 * half of the room for work is taken. */
struct fetch *fetch_start_unwaited(
    struct resolver *resolver, const struct fetch_order *order, int64_t now);

/* A client waits for it from now on, whyever it was started. What was asked before a flush or a
 * reload is not for those who come after it: that is asked anew, once, also for others. */
void fetch_join(struct resolver *resolver, struct fetch *fetch, int64_t now);
void fetch_ask_anew(struct resolver *resolver, struct fetch *fetch, int64_t now);

/* Which upstream group the key is asked at. A DS record lives in the parent zone (RFC 4035 section
 * 3.1.4.1). */
size_t fetch_group(const struct resolver *resolver, const struct cache_key *key);

/* Writes down what happened; `exchange` NULL: to no message of its own. */
void fetch_note(
    struct fetch *fetch, const struct exchange *exchange, enum timeline_kind kind, int64_t now);

/* Events. A reply that is none is told by false. */
bool fetch_on_reply(struct resolver *resolver, struct exchange *exchange, const uint8_t *bytes,
    size_t len, int64_t now);
void fetch_on_lost(
    struct resolver *resolver, struct exchange *exchange, enum line_end end, int64_t now);
void fetch_on_deadline(struct resolver *resolver, struct fetch *fetch, int64_t now);

/* The last of its waiters was told SERVFAIL when answer_deadline came. It asks no more, but listens
 * for late replies to its end; nobody joins it, for whoever asks from now on deserves a new try,
 * and its end is no second failure. */
void fetch_retire(struct fetch *fetch);

/* To another group; after a reload, to that of the new settings. What has been tried no longer
 * counts, but what is under way may still answer. */
void fetch_turn_to(struct resolver *resolver, struct fetch *fetch, size_t group, int64_t now);
void fetch_reroute(struct resolver *resolver, struct fetch *fetch, int64_t now);
