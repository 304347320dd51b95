/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct address;

/*
 * Who has the port that we want? Looks through the kernel's tables of sockets under /proc/net for
 * the inode, and through the descriptors of all processes for its owner. Best effort, for one error
 * message at start: without root only our own user's processes can be seen.
 */
#define PORT_OWNER_TEXT_SIZE 128

/* Writes "`unbound` (process 812)", or a phrase that says why the name is not known. */
void port_owner_describe(
    const struct address *address, bool is_stream, char *text_out, size_t size);
