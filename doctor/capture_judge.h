/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "doctor/capture_flow.h"
#include "doctor/report.h"

/*
 * What was wrong with a conversation, if anything: who let whom wait, or what came between them.
 * Pure knowledge of what is usual, over what capture_smtp has measured.
 */
enum capture_kind {
    CAPTURE_STALL,        /* One side said nothing for long when it was its turn. */
    CAPTURE_BLACK_HOLE,   /* Long packets are lost, short ones pass. */
    CAPTURE_LOSS,         /* Packets are lost. */
    CAPTURE_BLOCKED,      /* One side did not read what had come. */
    CAPTURE_UNANSWERED,   /* No answer to SYN. */
    CAPTURE_REFUSED,      /* RST to SYN. */
    CAPTURE_TURNED_AWAY,  /* 421 or 554 without a wait. */
    CAPTURE_DNS_DEFERRED, /* The server says that its DNS fails. */
    CAPTURE_BROKEN_OFF,   /* Closed in the middle of a mail, without a wait. */
    CAPTURE_TARPIT,       /* Each reply comes late, and equally so. */
    CAPTURE_GREYLIST,
};
#define CAPTURE_KINDS 11

struct capture_case {
    enum capture_kind kind;
    enum report_level level;
    enum report_sure sure;
    enum capture_side culprit; /* CAPTURE_NOBODY: the way between them. */
    struct capture_wait wait;  /* All zero for the kinds without one. */
    int64_t late_us;    /* How long a side was silent that went on too late; 0: it did not. */
    bool has_dns_steps; /* The wait is as long as libc's patience with name servers. */
};

/* False: nothing. */
bool capture_judge(const struct capture_flow *flow, struct capture_case *case_out);

/* The side of the host that captured, by the hops that its packets have not made yet.
 * CAPTURE_NOBODY: that does not tell. */
enum capture_side capture_judge_home(const struct capture_flow *flow);

/* Whose limit a wait of `us` was cut short by, as the end of "That is ..."; or NULL. `waiting` is
 * the side that gave up. */
const char *capture_limit_clause(const struct capture_wait *wait);
