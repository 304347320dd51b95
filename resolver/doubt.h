/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * What servers have failed on: a memory of failures (SERVFAIL, REFUSED, ...) by question and server
 * (RFC 9520 section 3.2), so that a server which fails for one name is left alone about that name,
 * for 1 s at first, twice as long each time, up to 5 min, and stays first choice for all others. A
 * fixed table in which a newer failure takes the place of an older one; forgetting costs a
 * question, no more. One worker's.
 */
#define DOUBT_PLACES    4096
#define DOUBT_FIRST_US  (INT64_C(1) * 1000000)
#define DOUBT_LAST_US   (INT64_C(300) * 1000000)
#define DOUBT_RETRY_US  (INT64_C(30) * 1000000)
#define DOUBT_COUNT_MAX 9

struct doubt {
    uint32_t tag;
    uint16_t count;
    uint16_t ede; /* Why it failed. */
    int64_t failed_at;
};

struct doubts {
    struct doubt places[DOUBT_PLACES];
};

enum doubt_verdict {
    DOUBT_NONE,
    DOUBT_LATER, /* Ask it after all others; it may have healed. */
    DOUBT_FIRM,  /* Do not ask it, even if there is nobody else. */
};

/* `question` is a keyed hash of the question, `server` the server's index. */
enum doubt_verdict doubt_of(
    const struct doubts *doubts, uint64_t question, uint64_t server, int64_t now);

/* It failed (true: for the first time in a while), or helped. */
bool doubt_add(struct doubts *doubts, uint64_t question, uint64_t server, int64_t now);
void doubt_clear(struct doubts *doubts, uint64_t question, uint64_t server);

/* Why it failed, as an extended error, for as long as it is in doubt. */
void doubt_give_reason(struct doubts *doubts, uint64_t question, uint64_t server, uint16_t ede);
uint16_t doubt_reason(const struct doubts *doubts, uint64_t question, uint64_t server);
