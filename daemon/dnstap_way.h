/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

/*
 * The connection to a collector of dnstap: a Unix socket, on which nothing waits longer than its
 * patience. libfstrm's own waits for ever, and with a collector that is stopped or hangs the daemon
 * would neither end nor, being restarted, serve. What has failed or been too slow once is of no use
 * any more, until it is opened again. One thread's.
 */
#define DNSTAP_WAY_PATIENCE_S 2

struct iovec;

struct dnstap_way {
    struct sockaddr_un address;
    int fd; /* -1: not open. */
    bool has_failed;
};

/* False: no socket has so long a path. */
bool dnstap_way_init(struct dnstap_way *way, const char *path);

bool dnstap_way_open(struct dnstap_way *way);
void dnstap_way_close(struct dnstap_way *way);

/* All of it. False: it has failed; *has_ended_out: the other end has closed. */
bool dnstap_way_read(struct dnstap_way *way, void *bytes_out, size_t size, bool *has_ended_out);
bool dnstap_way_write(struct dnstap_way *way, const struct iovec *parts, size_t count);
