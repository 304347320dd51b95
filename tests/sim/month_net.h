/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/pool.h"
#include "base/random.h"
#include "resolver/port.h"
#include "tests/bench/synth.h"

/*
 * The upstream servers of the simulated month: 192.0.2.1 and so on, in the mail world of the bench,
 * with their weather. Names below clock.bench have an address that is the second at which they were
 * asked, so that whoever gets the answer knows how old it is. Nothing is allocated after the start.
 */
#define NET_SERVERS     3
#define NET_FLIGHTS_MAX 8192
#define NET_CLOCK_TTLS  6

/* A message to a server: its line, which stays until the resolver withdraws it. */
struct net_flight {
    struct deadline due; /* When the reply arrives; not set: never. */
    uint64_t exchange;
    size_t len;
    uint8_t reply[SYNTH_SIZE_MAX];
};

struct net {
    int64_t now;
    struct random random;
    struct synth_world world;
    struct pool flights;
    struct deadlines due;
    double delay_median_us;
    double delay_max_us;
    unsigned loss_percent;
    bool is_dead[NET_SERVERS];
    bool truncates;
    uint64_t sent; /* Messages that came to a server, dead or alive. */
    uint64_t sent_to[NET_SERVERS];
};

/* The TTL of the clock's name of that number, in seconds. */
uint32_t net_clock_ttl(uint32_t number);

/* False when memory is short. */
bool net_init(struct net *net, uint64_t seed);
void net_fini(struct net *net);

/* The usual weather; who is dead stays so. */
void net_calm(struct net *net);

/* For struct port. `world` is the net. */
bool net_transmit(void *world, const struct transmission *transmission, uint64_t *line_out);
void net_withdraw(void *world, uint64_t line, bool is_stream);

/* What has arrived by `net->now`, or NULL. It stays as it is until withdrawn. */
const struct net_flight *net_take_arrived(struct net *net);

/* The host sleeps until `end`: what arrives meanwhile is lost. */
void net_sleep(struct net *net, int64_t end);
