/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

/*
 * What happened to a fetch, in the order in which it happened: whom it asked and why, what each
 * server said, which tries were lost. Embedded in the fetch and of fixed size, so that writing one
 * down costs a few stores: no clock is read, nothing is allocated. What finds no room is counted.
 * Plain data; the worker's.
 */
#define TIMELINE_EVENTS_MAX  24
#define TIMELINE_SERVERS_MAX 8
#define TIMELINE_SERVER_NONE 0xff

enum timeline_kind {
    TIMELINE_ASKED,         /* A message went out; `detail` is why. */
    TIMELINE_UNSENT,        /* It could not be sent. */
    TIMELINE_TIMED_OUT,     /* The try counts as lost; a late reply is still welcome. */
    TIMELINE_REPLIED,       /* `detail` is what judge.h made of it, `rcode` its code. */
    TIMELINE_BROKEN,        /* The line broke. */
    TIMELINE_GIVEN_UP,      /* The line was left, for somebody guessed replies there. */
    TIMELINE_ALL_REST,      /* Nobody to ask: all servers rest until a probe brings one back. */
    TIMELINE_NOBODY,        /* Everybody has been asked: late replies are waited for. */
    TIMELINE_SEEKING,       /* The zone's own name servers are being looked up. */
    TIMELINE_TURNED_BACK,   /* They do not help: the upstream servers are asked after all. */
    TIMELINE_TURNED_DIRECT, /* The list refuses those who ask for us: its own servers are asked. */
    TIMELINE_LIST_REFUSED,  /* The answer is the list's refusal, not a listing. */
    TIMELINE_RELOADED,      /* New settings: it begins again with their servers. */
    TIMELINE_SLEPT,         /* The host slept; the time does not count. */
};
#define TIMELINE_KINDS 14

/* Why a message was sent. */
enum timeline_reason {
    TIMELINE_FIRST,
    TIMELINE_NEXT,      /* The try before it failed or was lost. */
    TIMELINE_AGAIN,     /* The same, and it is this server's turn once more. */
    TIMELINE_SILENT,    /* The server asked before has fallen silent altogether. */
    TIMELINE_HEDGE,     /* It is slower than usual. */
    TIMELINE_TRUNCATED, /* TC: the same over TCP. */
    TIMELINE_PLAIN,     /* It does not take EDNS. */
    TIMELINE_COOKIE,    /* With the cookie that it wanted to see. */
    TIMELINE_DOUBT,     /* Spelling or cookie did not come back. */
    TIMELINE_REOPENED,  /* On a new line, after the old one broke or was given up. */
};
#define TIMELINE_REASONS 10

enum timeline_transport {
    TIMELINE_UDP,
    TIMELINE_TCP,
    TIMELINE_TLS,
};
#define TIMELINE_TRANSPORTS 3

struct timeline_event {
    uint32_t at_us; /* Since the fetch began; stays at its greatest value. */
    uint8_t kind;   /* enum timeline_kind. */
    uint8_t server; /* Index in the timeline's servers, or TIMELINE_SERVER_NONE. */
    uint8_t detail; /* enum timeline_reason or enum judge_verdict, as `kind` says. */
    uint8_t rcode : 4;
    uint8_t transport : 2; /* enum timeline_transport. */
    uint8_t is_late : 1;   /* The reply to a try that had been lost. */
};

/* Invariant: events beyond `count` are counted in `left_out`, and then count is full. */
struct timeline {
    int64_t began_at;
    uint8_t count;
    uint8_t server_count;
    uint16_t left_out;
    struct timeline_event events[TIMELINE_EVENTS_MAX];
    struct address servers[TIMELINE_SERVERS_MAX];
};

void timeline_begin(struct timeline *timeline, int64_t now);

/* The server's index, new if need be; TIMELINE_SERVER_NONE: no room for so many. */
uint8_t timeline_add_server(struct timeline *timeline, const struct address *server);

/* `event` without its time. What lasts (ALL_REST, NOBODY, SEEKING) is written down once. */
void timeline_add(struct timeline *timeline, struct timeline_event event, int64_t now);

/* The words of the control protocol (daemon/control.h). */
const char *timeline_kind_name(enum timeline_kind kind);
const char *timeline_reason_name(enum timeline_reason reason);
const char *timeline_transport_name(enum timeline_transport transport);
