/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

#include "cache/cache.h"

/*
 * What the tests of the cache share: keys made of numbers, messages whose every byte follows from a
 * seed, and a repeatable sequence of numbers. Header only; each test uses a part of it.
 */
#define FIXTURE_S      INT64_C(1000000)
#define FIXTURE_START  (INT64_C(1000) * FIXTURE_S)
#define FIXTURE_SECRET ((struct hash_key){.k0 = 0x0706050403020100, .k1 = 0x0f0e0d0c0b0a0908})

/* The name <n in eight hexadecimal digits>.test. */
static inline struct cache_key fixture_key(uint32_t n)
{
    struct cache_key key = {.name_len = 15, .type = 1, .class = 1};
    char label[9];
    (void)snprintf(label, sizeof label, "%08x", (unsigned)n);
    key.name[0] = 8;
    memcpy(key.name + 1, label, 8);
    memcpy(key.name + 9, "\4test", 6);
    return key;
}

static inline void fixture_message(uint32_t seed, uint8_t *bytes_out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245u + 12345u;
        bytes_out[i] = (uint8_t)(seed >> 16);
    }
}

/* xorshift64*: the same sequence for the same first state, which must not be 0. */
static inline uint32_t fixture_random(uint64_t *state, uint32_t limit)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * UINT64_C(2685821657736338717)) >> 32) % limit;
}

static inline struct cache_fill fixture_fill(const uint8_t *message, size_t len, uint32_t ttl_s)
{
    return (struct cache_fill){
        .kind = CACHE_KIND_ANSWER, .message = message, .len = len, .ttl_s = ttl_s};
}
