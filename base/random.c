/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/must.h"

/* SplitMix64 (Steele, Lea, Flood 2014): any seed will do, zero included. */
static uint64_t random_seeded_next(struct random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = random->state;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

/* Bytes are laid out by shifts, so that a seed gives one sequence on every machine. */
static void random_fill_seeded(struct random *random)
{
    for (size_t i = 0; i < sizeof(random->pool); i += 8) {
        uint64_t word = random_seeded_next(random);
        for (size_t j = 0; j < 8; j++) {
            random->pool[i + j] = (uint8_t)(word >> (8 * j));
        }
    }
}

static void random_fill_system(struct random *random)
{
    ssize_t len = 0;
    do {
        len = getrandom(random->pool, sizeof(random->pool), 0);
    } while (len < 0 && errno == EINTR);
    must(len == (ssize_t)sizeof(random->pool)); /* Up to 256 bytes come whole: getrandom(2). */
}

static void random_fill(struct random *random)
{
    if (random->is_seeded) {
        random_fill_seeded(random);
    } else {
        random_fill_system(random);
    }
    random->at = 0;
}

void random_init_system(struct random *random)
{
    *random = (struct random){.is_seeded = 0};
    random_fill(random);
}

void random_init_seed(struct random *random, uint64_t seed)
{
    *random = (struct random){.is_seeded = 1, .state = seed};
    random_fill(random);
}

void random_bytes(struct random *random, void *bytes_out, size_t len)
{
    uint8_t *out = bytes_out;
    while (len > 0) {
        if (random->at == sizeof(random->pool)) {
            random_fill(random);
        }
        size_t left = sizeof(random->pool) - random->at;
        size_t part = len < left ? len : left;
        memcpy(out, random->pool + random->at, part);
        /* A byte that was handed out is not kept: a later leak of this memory tells no past id. */
        memset(random->pool + random->at, 0, part);
        random->at += part;
        out += part;
        len -= part;
    }
}

uint16_t random_u16(struct random *random)
{
    uint8_t bytes[2];
    random_bytes(random, bytes, sizeof(bytes));
    return (uint16_t)(bytes[0] | (unsigned)bytes[1] << 8);
}

uint32_t random_u32(struct random *random)
{
    uint32_t low = random_u16(random);
    uint32_t high = random_u16(random);
    return low | high << 16;
}

uint64_t random_u64(struct random *random)
{
    uint64_t low = random_u32(random);
    uint64_t high = random_u32(random);
    return low | high << 32;
}

uint32_t random_below(struct random *random, uint32_t limit)
{
    must(limit > 0);
    /* 2^32 mod limit: the values below it would make the small remainders more frequent. */
    uint32_t biased = (UINT32_MAX - limit + 1) % limit;
    uint32_t number = 0;
    do {
        number = random_u32(random);
    } while (number < biased);
    return number % limit;
}
