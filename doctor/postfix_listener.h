/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/*
 * Where Postfix is configured to listen: the inet services of all enabled instances with their
 * ports, as master.cf, inet_interfaces and master_service_disable say. Points into the struct
 * postfix. Bounded: POSTFIX_LISTENERS_MAX. Main thread.
 */
struct host;
struct postfix;
struct postfix_instance;
struct postfix_service;

#define POSTFIX_LISTENERS_MAX 128

struct postfix_listener {
    const struct postfix_instance *instance;
    const struct postfix_service *service;
    uint16_t port;
    bool is_loopback;       /* Nobody outside can reach it. */
    struct address address; /* Of the service's name; without one inet_interfaces says. */
};

struct postfix_listeners {
    struct postfix_listener items[POSTFIX_LISTENERS_MAX];
    size_t count;
};

void postfix_listeners_find(
    struct postfix_listeners *listeners, const struct postfix *postfix, const struct host *host);

/* The next with that port behind *at_inout (start with 0), or NULL. */
const struct postfix_listener *postfix_listeners_next(
    const struct postfix_listeners *listeners, uint16_t port, size_t *at_inout);

/* Is one of them with that port reachable from another host? */
bool postfix_listeners_reach_out(const struct postfix_listeners *listeners, uint16_t port);

/* inet_interfaces has no address but loopback ones. */
bool postfix_is_loopback_only(const struct postfix_instance *instance);

/* Is this instance set up to take mail from elsewhere? Writes the reason, the end of a sentence. */
bool postfix_receives(const struct postfix_instance *instance, char *reason_out, size_t size);
