/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * SipHash-1-3 (Aumasson, Bernstein) with a secret 128-bit key, for every table that strangers can
 * fill: whoever sends mail makes the host look up names of his choice. Pure; any thread.
 */
struct hash_key {
    uint64_t k0;
    uint64_t k1;
};

struct random;

/* A fresh random key. */
struct hash_key hash_key_new(struct random *random);

uint64_t hash_siphash13(const struct hash_key *key, const void *bytes, size_t len);
