/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The budget of hedges: asking a second server before the first has had its full time costs
 * upstream a message that is mostly not needed. Each try earns `share` of a hedge, so in calm
 * weather no more than that share is added to the load. A hedge whose first try turns out to have
 * been lost was needed: it is given back, and pays for another one, so that a storm buys what it
 * needs. One worker's; counted in thousandths.
 */
#define HEDGE_ONE       1000
#define HEDGE_SAVED_MAX (64 * HEDGE_ONE)

struct hedge {
    int64_t saved; /* 0 to HEDGE_SAVED_MAX. */
};

/* A try has been made; `permille` of a hedge is earned. */
void hedge_earn(struct hedge *hedge, unsigned permille);

/* False: it cannot be afforded now. */
bool hedge_spend(struct hedge *hedge);

/* The first try was lost: the hedge was needed. */
void hedge_return(struct hedge *hedge);
