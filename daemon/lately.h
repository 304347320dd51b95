/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * How questions went in the last ten minutes, which is what the health of now is judged by: an
 * outage of yesterday is no news. Marks of the two counters, one a minute. Pure; all zero is the
 * beginning. Main thread.
 */
#define LATELY_MINUTES 10

/* Of clients: all questions, and those that got SERVFAIL. */
struct lately_count {
    uint64_t asked;
    uint64_t failed;
};

struct lately {
    struct lately_count marks[LATELY_MINUTES]; /* A ring. */
    size_t next;
};

/* Once a minute, with what has been counted since the start. */
void lately_note(struct lately *lately, const struct lately_count *total);

/* What `total` has grown by in the last nine to ten minutes; before, since the start. */
struct lately_count lately_of(const struct lately *lately, const struct lately_count *total);
