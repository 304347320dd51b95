/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/histogram.h"

struct deck;

/*
 * A closed loop: some sockets, each with a window of questions under way; whoever gets its answer
 * asks the next one at once. What comes together is taken and sent together (recvmmsg, sendmmsg).
 * A question without an answer is asked again after a second, a few times. One owner, one thread.
 */
#define VOLLEY_SOCKETS_MAX 32
#define VOLLEY_WINDOW_MAX  256
#define VOLLEY_PATIENCE_US (INT64_C(1) * 1000000)
#define VOLLEY_TRIES       4

struct volley_options {
    struct address server;
    const struct deck *deck;
    unsigned sockets; /* 1 to VOLLEY_SOCKETS_MAX. */
    unsigned window;  /* 1 to VOLLEY_WINDOW_MAX. */
    uint64_t count;   /* Questions to ask; fewer when the time is over. */
    int64_t time_us;
};

struct volley_result {
    uint64_t answered;
    uint64_t failed;    /* Of these: neither NOERROR nor NXDOMAIN. */
    uint64_t lost;      /* Datagrams without an answer in time. */
    uint64_t abandoned; /* Questions without an answer to the last try. */
    uint64_t strange;   /* Datagrams that answer nothing that is under way. */
    int64_t elapsed_us; /* To the last answer. */
    struct histogram waits;
};

/* False: the sockets cannot be made. */
bool volley_run(const struct volley_options *options, struct volley_result *result_out);
