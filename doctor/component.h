/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "doctor/host.h"

/*
 * The socket of a policy service or milter as Postfix names it, and whether somebody is behind it.
 * A chrooted service looks for a path below the queue directory, whether it begins with a slash or
 * not; others only for one that does not. Main thread.
 */
struct postfix_instance;

#define COMPONENT_TEXT_SIZE 256
#define COMPONENT_ADDRESSES 2
#define COMPONENT_WAIT_MS   2000

enum component_kind {
    COMPONENT_UNIX,
    COMPONENT_INET,    /* With addresses: literal, or of "localhost". */
    COMPONENT_UNKNOWN, /* A name that would have to be looked up, a port without a number. */
};

struct component {
    enum component_kind kind;
    char text[COMPONENT_TEXT_SIZE]; /* As written, without braces and options. */
    char path[HOST_PATH_SIZE];      /* Of a UNIX socket, from the host's root. */
    char outside[HOST_PATH_SIZE];   /* Where the path would lead without the chroot; or empty. */
    struct address addresses[COMPONENT_ADDRESSES];
    size_t address_count;
};

/* inet:HOST:PORT, unix:PATH, local:PATH, {ENDPOINT, option...}. */
void component_parse(struct component *component, const char *endpoint,
    const struct postfix_instance *instance, bool is_chrooted);

enum component_state {
    COMPONENT_ALIVE,   /* The connection was taken. */
    COMPONENT_REFUSED, /* Nobody listens. */
    COMPONENT_SILENT,  /* No answer within COMPONENT_WAIT_MS. */
    COMPONENT_ABSENT,  /* No such socket. */
    COMPONENT_DENIED,  /* This user may not. */
    COMPONENT_UNTRIED,
};

/* Connects, and hangs up at once. */
enum component_state component_try(const struct component *component, const struct host *host);
