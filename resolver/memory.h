/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is known of an upstream server, as bytes that outlive the process: its recent round trips,
 * its losses, and how it takes EDNS, capitals and cookies. Knowledge fades: after MEMORY_STRONG_US
 * only the round trip and what has a term of its own are taken over, after MEMORY_WEAK_US nothing.
 * That a server rests or fails is believed for MEMORY_REST_US: long enough for a restart, too short
 * for a reboot. Its cookie is not kept, for our own part of it is new at each start (RFC 9018
 * section 3). Pure.
 */
#define MEMORY_STRONG_US (INT64_C(3600) * 1000000)
#define MEMORY_WEAK_US   (INT64_C(86400) * 1000000)
#define MEMORY_REST_US   (INT64_C(60) * 1000000)

#define MEMORY_VERSION      1
#define MEMORY_SIZE         192
#define MEMORY_SUBJECT_SIZE 384

struct server;
struct settings_server;

/* Which server it is: address, TLS name and the name of its group. Returns the length. */
size_t memory_subject(const char *group, const struct settings_server *settings,
    uint8_t bytes_out[MEMORY_SUBJECT_SIZE]);

/* Is that subject this server? Quick where it is not, for the question is asked of all servers. */
bool memory_is_about(
    const uint8_t *subject, size_t len, const char *group, const struct settings_server *settings);

/* Returns the length; 0: there is nothing to remember. */
size_t memory_of_server(const struct server *server, int64_t now, uint8_t bytes_out[MEMORY_SIZE]);

/* Who has seen more of it knows better: replies, at least those of the recent round trips. */
uint32_t memory_weight(const struct server *server);

struct memory {
    const uint8_t *bytes;
    size_t len;
    int64_t age_us; /* Since it was written. */
};

/* Takes over what the server does not know better by now. False: it is no memory of ours, or too
 * old; nothing changed. */
bool memory_to_server(struct server *server, const struct memory *memory, int64_t now);
