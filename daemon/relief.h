/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Relief for a UDP socket to which more comes than can be answered (daemon/pressure.h). First new
 * questions are shed. If the queue is crowded even so, then whoever sends most of what is in it is
 * shut out for RELIEF_SHUT_OUT_US: what cannot be answered anyway is better dropped before the
 * queue than instead of somebody else's question. A line in the log says who it was.
 *
 * One for each socket, whose descriptor is borrowed; the worker's thread.
 */
struct address;
struct daemon_stats;
struct ev_loop;

#define RELIEF_SHUT_OUT_US 4000000 /* Less than libc waits before it asks again. */
#define RELIEF_TOLD_US     60000000

struct relief;

struct relief_options {
    struct ev_loop *loop;
    int fd;
    struct daemon_stats *stats;
    int64_t shut_out_us; /* 0: RELIEF_SHUT_OUT_US. */
};

/* NULL when memory is short. */
struct relief *relief_new(const struct relief_options *options);

/* Lets everybody in again. */
void relief_free(struct relief **relief);

/* The same at once, while the socket is still there. */
void relief_end(struct relief *relief);

/* The socket was read once, at `now`; `is_empty`: to the end of its queue. True: shed what is new,
 * and let relief_note() know where each datagram came from. */
bool relief_on_read(struct relief *relief, bool is_empty, int64_t now);

/* `source` with its port. */
void relief_note(struct relief *relief, const struct address *source, int64_t now);

/* Somebody is shut out now. */
bool relief_is_shutting_out(const struct relief *relief);

/* Datagrams that the kernel dropped for want of room since relief_new(), and no others. */
uint64_t relief_lost(const struct relief *relief);
