/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/deadline.h"
#include "base/pool.h"
#include "base/random.h"
#include "tests/bench/workload.h"
#include "wire/question.h"

/*
 * Asks one server as mail software does. As libc: a new socket for each question, 5 s of patience,
 * then the same again, two tries in all; SERVFAIL is a try too, and is asked again at once. As
 * rspamd: 16 shared sockets, EDNS, 1 s of patience, five transmissions; SERVFAIL is an answer. One
 * owner, one thread; the owner waits on `epoll` together with its own timers.
 */
#define ASKER_SHARED   16
#define ASKER_IDS      65536
#define ASKER_SIZE_MAX 4096

enum asker_outcome {
    ASKER_ANSWERED, /* NOERROR or NXDOMAIN. */
    ASKER_FAILED,   /* SERVFAIL or the like, to the last try. */
    ASKER_SILENT,   /* No answer, to the last try. */
};

struct asker_result {
    uint64_t tag; /* The caller's. */
    enum asker_outcome outcome;
    int64_t wait_us; /* From the first try. */
    unsigned tries;
    const struct question *question;
    const uint8_t *answer; /* NULL unless it has been answered; until the callback returns. */
    size_t answer_len;
};

typedef void (*asker_done)(void *context, const struct asker_result *result);

struct asker {
    struct sockaddr_storage server;
    socklen_t server_len;
    asker_done done;
    void *context;
    int epoll;
    int shared[ASKER_SHARED];
    unsigned shared_next;
    uint16_t id_next;
    uint64_t by_id[ASKER_IDS]; /* Which question of the shared sockets has this DNS id. */
    struct pool questions;
    struct deadlines deadlines;
    struct random random;
    uint64_t asked;
    uint64_t retries;
    uint64_t truncated;
};

/* `questions_max` may be under way at once. `done` is called from asker_turn() and
 * asker_expire(), never from asker_ask(), and may ask. False: no memory or no sockets. */
bool asker_init(struct asker *asker, const struct address *server, uint32_t questions_max,
    asker_done done, void *context);
void asker_fini(struct asker *asker);

/* `question` must live until the result. */
void asker_ask(struct asker *asker, enum workload_manner manner, const struct question *question,
    uint64_t tag, int64_t now);

/* When asker_expire() has something to do; INT64_MAX: not before a reply. */
int64_t asker_next(const struct asker *asker);
void asker_expire(struct asker *asker, int64_t now);

/* Waits for replies until `until` at most, and takes them. */
void asker_turn(struct asker *asker, int64_t until);
