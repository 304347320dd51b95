/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "tests/sim/sim_authority.h"
#include "tests/sim/sim_caching.h"
#include "tests/support/world.h"

/*
 * One server of the simulated network: how it behaves, and what it has been sent. The sim owns its
 * servers. All servers know the same world, but one that is an authority speaks of its zones only.
 */
struct sim;
struct transmission;

/* How a server lies. From SIM_LIE_FIRST on, a false reply comes first and the true one after it. */
enum sim_lie {
    SIM_LIE_NONE,
    SIM_LIE_ID,       /* Another id. */
    SIM_LIE_QUESTION, /* Another question. */
    SIM_LIE_QR,       /* A query, not a reply. */
    SIM_LIE_GARBAGE,  /* Right header and question, then noise. */
    SIM_LIE_FIRST,    /* With a wrong id. */
    SIM_LIE_PORT,     /* All right, but on the line of another exchange. */
    SIM_LIE_FORGED,   /* Id and question right, the last byte of the data wrong, no OPT record. */
    SIM_LIE_CASE,     /* The same, and the name in lower case. */
    SIM_LIE_COOKIE,   /* The same, the name as it was asked, and with somebody else's cookie. */
};
#define SIM_LIES 10

/* The last message that a server was sent. */
struct sim_seen {
    struct world_name name;
    uint16_t type;
    uint16_t flags;
    bool has_edns;
    bool wants_dnssec;
    bool has_cookie;        /* Ours. */
    bool has_server_cookie; /* Ours, and one of the server's. */
    bool has_capitals;
    bool is_stream;
};

struct sim_server {
    struct address address;
    bool is_silent;    /* Nothing ever comes. */
    bool is_refusing;  /* Connection refused, at once. */
    bool is_looping;   /* Asks the resolver that asked it. */
    bool is_lowercase; /* Its replies have the question's name in lower case. */
    bool is_validating;
    bool is_truncating; /* TC over UDP, always. */
    bool has_no_tcp;
    bool has_no_edns; /* FORMERR to a query with an OPT record. */
    bool drops_edns;  /* Silence to a query with an OPT record. */
    bool has_cookies;
    bool is_caching;    /* Its TTLs count down. */
    bool wants_cookies; /* BADCOOKIE over UDP to a client without a cookie of this server. */
    struct sim_authority authority;
    int rcode; /* Always this one; -1: as the world has it. */
    int ede;   /* What it says of the reason beside an rcode; -1: nothing. */
    enum sim_lie lie;
    bool is_failing; /* SERVFAIL at and below `failing`. */
    struct world_name failing;
    int64_t delay_us;     /* When delay_p99_us is set: the median of a lognormal distribution. */
    int64_t delay_p99_us; /* 0: delay_us is the delay. */
    int64_t jitter_us;    /* Evenly up to so much more. */
    int64_t flapping_us;  /* Silent for so long, well for so long, and so on; 0: does not flap. */
    int64_t flapping_since;
    unsigned loss;       /* Per cent of replies. */
    unsigned duplicates; /* Per cent of replies. */
    unsigned loses;      /* So many of the messages to come get lost. */
    uint64_t asked;      /* Messages, since the scenario's last mark. */
    struct sim_seen last;
    struct sim_caching caching;
};

/* Forgets how it behaved: 20 ms from now on. What it has been sent is kept. */
void sim_server_well(struct sim_server *server);

/* The resolver sent it a message: what comes of that is put among the events. */
void sim_server_serve(
    struct sim *sim, struct sim_server *server, const struct transmission *transmission);
