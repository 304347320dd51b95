/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/ask.h"
#include "wire/header.h"

/*
 * One question under way: its socket, what it has sent and what has come. A batch (doctor/ask.h)
 * has an array of them. Flights own their descriptor and the bytes of a stream.
 */
struct ask;
struct random;

#define ASK_PREFIX_SIZE 2 /* Before a message on a stream (RFC 1035 section 4.2.2). */

/* Where replies are read and brought into their stored form; one for all flights. */
struct ask_room {
    uint8_t reply[MESSAGE_SIZE_MAX];
    uint8_t stored[MESSAGE_SIZE_MAX];
};

struct ask_flight {
    struct ask *ask; /* NULL: free. */
    int fd;
    short events; /* What is waited for. */
    int64_t began_at;
    int64_t resend_at; /* INT64_MAX: not any more. */
    int64_t ends_at;
    size_t message_len;
    uint8_t message[ASK_PREFIX_SIZE + ASK_SIZE_MAX];
    uint8_t *stream; /* Of TCP: prefix and message, as far as they have come. */
    size_t stream_len;
};

/* On return the flight may have ended already: ask->is_done, and the flight is free. */
void ask_flight_start(
    struct ask_flight *flight, struct ask *ask, struct random *random, int64_t now);
void ask_flight_on_ready(struct ask_flight *flight, struct ask_room *room, int64_t now);
void ask_flight_on_time(struct ask_flight *flight, int64_t now);

/* The batch's time is up. */
void ask_flight_abandon(struct ask_flight *flight);
