/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "mail/redact.h"
#include "resolver/stats.h"

/*
 * One worker's questions on their way to the query log: a ring of records of fixed size, made at
 * start. The worker writes, the log's thread reads; neither waits for the other. When the reader
 * does not keep up the ring is full, and what comes then is left out.
 */
#define QUERY_RING_RECORDS 4096

struct query_ring;

struct query_record {
    int64_t at; /* When the question came. */
    int64_t waited_us;
    struct address client;
    struct address upstream; /* ADDRESS_NONE: nobody was asked. */
    struct redacted name;
    uint16_t type;
    uint16_t rcode;
    uint8_t class;   /* enum question_class. */
    uint8_t outcome; /* enum outcome. */
    bool has_question;
    bool is_stream;
    bool is_waiting; /* The worker's: its wait is not known yet. */
};

/* NULL when memory is short. */
struct query_ring *query_ring_new(void);
void query_ring_free(struct query_ring **ring);

/* Worker: room for one record, to be filled now; NULL: the ring is full. */
struct query_record *query_ring_take(struct query_ring *ring);

/* Worker: what has been taken may be read, records that are waiting with this wait. */
void query_ring_settle(struct query_ring *ring, int64_t waited_us);

/* Worker: what has been taken may be read, unless a record before it is waiting. */
void query_ring_show(struct query_ring *ring);

/* Reader: the oldest record, NULL: there is none; and that it has been read. */
const struct query_record *query_ring_first(const struct query_ring *ring);
void query_ring_drop(struct query_ring *ring);
