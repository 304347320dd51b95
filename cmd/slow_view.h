/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/redact.h"
#include "wire/types.h"
#include "cmd/event_view.h"

/*
 * The slow or failed questions as the control command `slow` tells them (daemon/control.h). Plain
 * data, bounded: what finds no room is left out. Large: on the heap. The parser is pure.
 */
#define SLOW_VIEW_MAX         64
#define SLOW_VIEW_EVENTS_MAX  32
#define SLOW_VIEW_REASON_SIZE 256

struct reply;

struct slow_question {
    uint64_t age_s;
    uint64_t waited_us;
    uint64_t joined_us; /* How long the fetch had run when the question came. */
    uint64_t count;
    char type[TYPE_TEXT_SIZE];
    bool wants_dnssec;
    char outcome[EVENT_VIEW_WORD_SIZE];
    char rcode[TYPE_TEXT_SIZE];
    bool has_ede;
    uint64_t ede;
    char name[REDACT_TEXT_SIZE];
    char reason[SLOW_VIEW_REASON_SIZE]; /* May be empty. */
    uint64_t left_out;                  /* Events. */
    size_t event_count;
    struct event_view events[SLOW_VIEW_EVENTS_MAX];
};

struct slow_view {
    bool is_failed; /* The failed ones, last first; else the slowest first. */
    size_t count;
    struct slow_question questions[SLOW_VIEW_MAX];
};

/* At most `max` questions. False: a line cannot be read. */
bool slow_view_read(struct reply *reply, size_t max, struct slow_view *view_out);
