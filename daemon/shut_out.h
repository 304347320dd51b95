/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Datagrams of some sources never reach a UDP socket's queue: the kernel drops them as they come,
 * at the sender's cost where that is this host (SO_ATTACH_FILTER, socket(7)). What is attached
 * stays with the socket, also when the next process takes it over.
 */
struct address;

#define SHUT_OUT_MAX 16

/* `sources` are of the socket's family, with ports. False: the kernel does not want to. */
bool shut_out_set(int fd, const struct address *sources, size_t count);

void shut_out_clear(int fd);
