/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "wire/ask.h"
#include "wire/question.h"

/*
 * Questions of the doctor, many at once, each to one server: by UDP or TCP, in the form that the
 * caller gives, with the time that the reply took. A batch is filled, run, read and ended; running
 * it waits until every question has its verdict or the batch's time is up. Bounded: ASK_FLIGHTS_MAX
 * questions under way, ASK_SERVER_MAX of them at one server. Main thread.
 */
#define ASK_FLIGHTS_MAX 64
#define ASK_SERVER_MAX  16

struct random;

enum ask_way {
    ASK_BY_UDP,      /* A reply that says TC is asked for again by TCP. */
    ASK_BY_UDP_ONLY, /* It is not. */
    ASK_BY_TCP,
    ASK_CONNECT, /* A TCP connection is made and nothing said. */
};

enum ask_verdict {
    ASK_UNASKED,  /* The batch's time was up before this could be told. */
    ASK_ANSWER,   /* The records asked for. Of ASK_CONNECT: connected. */
    ASK_NODATA,   /* The name exists, not with this type. */
    ASK_NXDOMAIN, /* The name does not exist. */
    ASK_CUT,      /* TC, and not asked for again. */
    ASK_FAILED,   /* `rcode` is no answer: SERVFAIL, REFUSED, FORMERR, ... */
    ASK_LAME,     /* "Ask somebody else": not a server for this host's questions. */
    ASK_GARBLED,  /* It cannot be read. */
    ASK_SILENT,   /* Nothing came. */
    ASK_BROKEN,   /* `error` says why: no route, connection refused. */
};

struct ask {
    /* The caller's. */
    struct address server;
    struct question question;
    struct ask_form form; /* The id is drawn by lot. */
    enum ask_way way;
    int64_t limit_us;
    const struct ask *after; /* Not asked before this one of the batch has its verdict; or NULL. */

    /* What came of it. */
    bool is_done;
    enum ask_verdict verdict;
    int error;             /* errno, of BROKEN. */
    bool was_cut;          /* The reply by UDP said TC. */
    bool is_stream;        /* What counts came by TCP. */
    bool is_repeated;      /* The first datagram went unanswered for half the limit. */
    int64_t round_trip_us; /* From the first byte sent for this question to the verdict. */
    unsigned rcode;
    uint16_t flags;  /* Of the reply, as it came. */
    size_t size;     /* Of the reply, as it came. */
    uint8_t *stored; /* Owned. Of ANSWER, NODATA and NXDOMAIN: wire/normalise.h's form. */
    size_t stored_len;
};

struct ask_batch {
    struct ask *asks; /* Owned; they do not move. */
    size_t count;
    size_t room;
    size_t dropped; /* More than there was room for. */
};

void ask_batch_init(struct ask_batch *batch, size_t room);
void ask_batch_fini(struct ask_batch *batch);

/* A question with EDNS, by UDP, with the usual limit; the caller may change it until the run. NULL:
 * there is no room, or `name` is no name. */
struct ask *ask_batch_add(
    struct ask_batch *batch, const struct address *server, const char *name, uint16_t type);

/* The same with a name in wire form. */
struct ask *ask_batch_add_name(struct ask_batch *batch, const struct address *server,
    const uint8_t *name, size_t name_len, uint16_t type);

#define ASK_LIMIT_US INT64_C(2500000)

void ask_batch_run(struct ask_batch *batch, struct random *random, int64_t limit_us);

/* A reply came, whatever it says. */
bool ask_is_replied(const struct ask *ask);

/* ANSWER, NODATA or NXDOMAIN: the server did its work. */
bool ask_is_answered(const struct ask *ask);

/* "answers SERVFAIL", "does not answer within 2.5 s", ...: the end of a sentence about a server. */
#define ASK_CLAUSE_SIZE 160
const char *ask_clause(const struct ask *ask, char clause_out[ASK_CLAUSE_SIZE]);
