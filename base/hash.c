/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include <endian.h>
#include <string.h>

#include "base/random.h"

#define COMPRESSION_ROUNDS  1
#define FINALIZATION_ROUNDS 3

/* The four words v0..v3 of the paper, "SipHash: a fast short-input PRF", section 2. */
struct sip {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
};

static inline uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void sip_rounds(struct sip *sip, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        sip->v0 += sip->v1;
        sip->v2 += sip->v3;
        sip->v1 = rotate(sip->v1, 13) ^ sip->v0;
        sip->v3 = rotate(sip->v3, 16) ^ sip->v2;
        sip->v0 = rotate(sip->v0, 32);

        sip->v2 += sip->v1;
        sip->v0 += sip->v3;
        sip->v1 = rotate(sip->v1, 17) ^ sip->v2;
        sip->v3 = rotate(sip->v3, 21) ^ sip->v0;
        sip->v2 = rotate(sip->v2, 32);
    }
}

static inline void sip_compress(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    sip_rounds(sip, COMPRESSION_ROUNDS);
    sip->v0 ^= word;
}

struct hash_key hash_key_new(struct random *random)
{
    uint64_t k0 = random_u64(random);
    uint64_t k1 = random_u64(random);
    return (struct hash_key){.k0 = k0, .k1 = k1};
}

uint64_t hash_siphash13(const struct hash_key *key, const void *bytes, size_t len)
{
    struct sip sip = {
        .v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
        .v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = key->k1 ^ UINT64_C(0x7465646279746573),
    };

    const uint8_t *at = bytes;
    size_t left = len;
    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word = 0;
        memcpy(&word, at, 8);
        sip_compress(&sip, le64toh(word));
    }

    /* The last word holds the bytes that are left and, on top, the length modulo 256. */
    uint64_t last = (uint64_t)len << 56;
    for (size_t i = 0; i < left; i++) {
        last |= (uint64_t)at[i] << (8 * i);
    }
    sip_compress(&sip, last);

    sip.v2 ^= 0xff;
    sip_rounds(&sip, FINALIZATION_ROUNDS);
    return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}
