/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "tests/bench/synth.h"

/*
 * Datagrams of one socket, taken many at a time, and replies to them, sent all at once: the
 * upstream of a measurement shall cost little beside what is measured. One owner, one thread.
 */
#define BURST_MAX        64
#define BURST_QUERY_SIZE 1232

struct burst {
    struct mmsghdr incoming[BURST_MAX];
    struct mmsghdr outgoing[BURST_MAX];
    struct iovec query_rooms[BURST_MAX];
    struct iovec reply_rooms[BURST_MAX];
    struct sockaddr_storage peers[BURST_MAX];
    uint8_t queries[BURST_MAX][BURST_QUERY_SIZE];
    uint8_t replies[BURST_MAX][SYNTH_SIZE_MAX];
    unsigned count;       /* Datagrams taken. */
    unsigned reply_count; /* Replies that wait for burst_send(). */
};

/* Takes what is there, at most BURST_MAX datagrams. */
void burst_take(struct burst *burst, int fd);

/* Room for the reply to a datagram, SYNTH_SIZE_MAX bytes; it is sent once it is burst_reply()ed. */
uint8_t *burst_room(struct burst *burst, unsigned at);
void burst_reply(struct burst *burst, unsigned at, size_t len);

/* What the kernel does not take is lost. */
void burst_send(struct burst *burst, int fd);
