/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/header.h"

/*
 * Asks one server one question, as `mxcache lookup` does beside the daemon: by UDP with EDNS from a
 * random port with a random id, and again by TCP when the reply says TC. Waits; main thread.
 */
struct address;
struct question;
struct random;

#define LOOKUP_ASK_LIMIT_S 2 /* For UDP, and once more for TCP. */

enum lookup_ask_verdict {
    LOOKUP_ASK_REPLY,  /* A reply to our question. */
    LOOKUP_ASK_BARE,   /* An error without the question: rcode only. */
    LOOKUP_ASK_SILENT, /* Nothing came in time. */
    LOOKUP_ASK_BROKEN, /* `error` tells why: no route, refused. */
};

/* Large: on the heap. */
struct lookup_ask {
    enum lookup_ask_verdict verdict;
    int error; /* errno, of BROKEN. */
    bool is_stream;
    int64_t round_trip_us; /* Of the message that counts. */
    size_t len;
    uint8_t bytes[MESSAGE_SIZE_MAX]; /* Of REPLY and BARE. */
};

void lookup_ask(const struct address *server, const struct question *question,
    struct random *random, struct lookup_ask *ask_out);
