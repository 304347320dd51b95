/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/question.h"

/*
 * A server with a cache of its own: what it has given before it gives again, with TTLs that count
 * down from when it learned the answer, until the shortest has run out; then it learns anew. It has
 * always just learned what it is asked for the first time. Embedded in its server.
 */
#define SIM_CACHING_MAX 128

struct sim_cached {
    struct question question;
    int64_t since;
};

struct sim_caching {
    struct sim_cached items[SIM_CACHING_MAX];
    size_t count;
};

/* Takes off the TTLs of a reply, which begins its records at `records_at`, what has passed. */
void sim_caching_age(struct sim_caching *caching, const struct question *question, uint8_t *reply,
    size_t len, int64_t now);
