/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * The host slept, or the process was stopped: a deadline is looked at SLEEP_NOTICED_US or more
 * after it was due. Nobody was there to hear what came in the meantime, so the tries that were
 * under way say nothing about their servers. They are neither lost nor slow; they stay open, for
 * their replies may still lie in our sockets, and are made again at once. A question whose deadline
 * passed in the meantime has what was left of it, for its client has most likely slept as well.
 * That is granted to each question once, so that a host which does little but sleep ends its work
 * all the same.
 */
#define SLEEP_NOTICED_US (INT64_C(1) * 1000000)

struct resolver;

/* To be called first when time has passed: before a reply, a lost line or a deadline is acted on.
 * Does nothing most of the time. */
void sleep_notice(struct resolver *resolver, int64_t now);
