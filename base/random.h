/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Randomness is handed in as a `struct random`. The system kind hands out bytes of getrandom(2) in
 * batches, each byte once; it is what forgery resistance rests on (RFC 5452). The seeded kind is
 * repeatable and for tests only. One owner, one thread.
 */
struct random {
    uint8_t pool[256]; /* Unused bytes stand at [at, 256). */
    size_t at;
    uint64_t state; /* Of the seeded kind. */
    int is_seeded;
};

/* The system kind. Aborts if the kernel gives no randomness (it cannot, after boot). */
void random_init_system(struct random *random);

/* The repeatable kind: equal seeds give equal sequences. */
void random_init_seed(struct random *random, uint64_t seed);

void random_bytes(struct random *random, void *bytes_out, size_t len);
uint16_t random_u16(struct random *random);
uint32_t random_u32(struct random *random);
uint64_t random_u64(struct random *random);

/* Evenly in [0, limit), without modulo bias; limit > 0. */
uint32_t random_below(struct random *random, uint32_t limit);
