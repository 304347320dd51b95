/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/hash.h"
#include "base/list.h"
#include "doctor/capture_smtp.h"
#include "doctor/capture_stream.h"

/*
 * The conversations of a capture: packets in, finished conversations out. A conversation ends when
 * its ports are used again, when room is needed (those that are over first, then the one that was
 * silent longest), or with the capture. All memory is taken at the beginning. Pure; any bytes are
 * safe.
 */
#define CAPTURE_FLOWS_MAX 1024
#define CAPTURE_PORTS_MAX 6

struct capture_packet;

struct capture_flow {
    struct list link;                    /* Of `free`, `open` or `over`, least active first. */
    struct capture_flow *chained;        /* The next of its place in the table. */
    struct address peers[CAPTURE_SIDES]; /* With ports. */
    struct capture_stream streams[CAPTURE_SIDES];
    struct capture_smtp smtp;
    uint32_t syn_sequence;
    uint32_t syn_count; /* 0: the beginning is not in the capture. */
    bool has_syn_ack;
    bool is_over; /* Both have closed, or one has reset. */
    bool has_reset;
    uint16_t mss[CAPTURE_SIDES];
    uint8_t hops[CAPTURE_SIDES];
    int64_t zero_since_us[CAPTURE_SIDES]; /* 0: its window is open. */
    /* The last SYN or segment with payload, to tell a repetition from a packet captured twice. */
    uint32_t last_sequence[CAPTURE_SIDES];
    uint32_t last_len[CAPTURE_SIDES];
    int64_t last_us[CAPTURE_SIDES];
    int64_t seen_us;
};

struct capture_flow_counts {
    uint64_t packets;
    uint64_t segments;  /* Of SMTP. */
    uint64_t fragments; /* Left out. */
    uint64_t broken;
    uint64_t snapped; /* Cut by the snap length. */
    uint64_t flows;
    uint64_t evicted; /* Left before their end, for want of room. */
};

typedef void capture_flow_done(void *context, const struct capture_flow *flow);

struct capture_flows {
    struct capture_flow *flows; /* Owned. */
    struct capture_flow **table;
    size_t flow_max;
    size_t used; /* Those after are untouched memory. */
    struct list free;
    struct list open;
    struct list over;
    struct hash_key key;
    uint16_t ports[CAPTURE_PORTS_MAX]; /* Of servers. */
    size_t port_count;
    capture_flow_done *done;
    void *context;
    struct capture_flow_counts counts;
    int64_t first_us;
    int64_t last_us;
};

/* The usual ports (25, 465, 587, 2525), and `port` when it is not 0; at most `flow_max`
 * conversations at a time. False: out of memory. */
bool capture_flows_init(
    struct capture_flows *flows, const struct hash_key *key, uint16_t port, size_t flow_max);
void capture_flows_fini(struct capture_flows *flows);

void capture_flows_take(struct capture_flows *flows, const struct capture_packet *packet);

/* The capture is at its end: all conversations are. */
void capture_flows_end(struct capture_flows *flows);
