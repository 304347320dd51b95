/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/deadline.h"
#include "base/pool.h"
#include "tests/bench/burst.h"
#include "tests/bench/synth.h"
#include "tests/bench/weather.h"

/*
 * The sockets of the simulated upstream: UDP and TCP on some addresses, one epoll. A question is
 * counted, given its weather, and its reply parked until it is due; a reply without delay leaves
 * with those of its burst. Everything is bounded: more
 * connections are closed, more parked replies dropped and counted. One owner, one thread.
 */
#define LINES_CONNECTIONS_MAX 256
#define LINES_MAX             (2 * WEATHER_ADDRESSES_MAX + LINES_CONNECTIONS_MAX)
#define LINES_QUERY_MAX       BURST_QUERY_SIZE
#define LINES_PARKED_MAX      32768
#define LINES_SETTLE_US       (INT64_C(3) * 1000000)

enum line_kind {
    LINE_FREE,
    LINE_UDP,
    LINE_LISTEN,
    LINE_CONNECTION,
};

/* One socket. `generation` tells a parked reply whether its connection is still the same one. */
struct line {
    enum line_kind kind;
    int fd;
    size_t address; /* Which of ours it belongs to. */
    unsigned generation;
    size_t len;
    uint8_t bytes[2 + LINES_QUERY_MAX]; /* What a connection has sent so far. */
};

/* Questions that came to one address. */
struct line_count {
    uint64_t questions;
    uint64_t by_tcp;
    uint64_t unanswered; /* Lost, silent or dead. */
    uint64_t peak;       /* In the busiest second. */
    uint64_t settled;    /* Later than LINES_SETTLE_US after the first one. */
    int64_t first_at;
    int64_t second;
    uint64_t in_second;
};

struct lines {
    struct weather *weather;
    const struct synth_world *world;
    int epoll;
    size_t address_count;
    struct line lines[LINES_MAX];
    struct line_count counts[WEATHER_ADDRESSES_MAX];
    struct burst burst;
    struct pool parked;
    struct deadlines due;
    bool truncates; /* Datagrams say TC and nothing else. */
    uint64_t overflows;
    uint64_t ignored; /* Messages that are no question, or have no reply. */
    int64_t first_at; /* When the first question came; 0: none yet. */
};

/* Marks the caller's own descriptors among the events of `epoll`. */
#define LINES_FOREIGN (UINT64_C(1) << 32)

/* False when memory or descriptors are short. `weather` and `world` must outlive the lines. */
bool lines_init(struct lines *lines, struct weather *weather, const struct synth_world *world);
void lines_fini(struct lines *lines);

/* False, with errno: the address cannot be listened on. */
bool lines_listen(struct lines *lines, const struct address *address);

/* Sends what is due and waits for at most one event batch. Returns the id (without LINES_FOREIGN)
 * of one of the caller's descriptors that is readable, or -1. */
int lines_turn(struct lines *lines);

void lines_reset_counts(struct lines *lines);
