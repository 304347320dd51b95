/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"

/*
 * Postfix asks for the root's name servers with AD and DO, to see whether answers are validated
 * (dnssec_probe), and remembers for its process's life what it was told. So where the first group
 * is trusted to validate, this one answer is kept in the cache at all times: fetched at the start
 * and after a reload, and again in the last tenth of its life. When that fails it is tried again
 * after WARM_PAUSE_US, not sooner; only one fetch runs at a time.
 */
#define WARM_PAUSE_US   (INT64_C(30) * 1000000)
#define WARM_LOOK_MAX_S 60

/* So long after a fetch began it is looked at what became of it. */
#define WARM_SETTLE_US (INT64_C(1) * 1000000)

struct resolver;

/* Embedded in the resolver. */
struct warm {
    struct deadline deadline;
    int64_t asked_at;
    bool is_asked; /* And the answer has not been seen yet. */
    bool is_new;   /* Under these settings nothing was asked; what others kept may lack its AD. */
};

/* At the start, and after the table of servers was replaced. */
void warm_start(struct resolver *resolver, int64_t now);

/* The event: it is time to look. */
void warm_on_deadline(struct resolver *resolver, int64_t now);
