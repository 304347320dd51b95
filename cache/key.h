/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * What an answer is remembered under: name, type, class and the two flags that change what upstream
 * says (RFC 4035 section 3.2). Plain value; equal keys are one entry.
 */
struct cache_key {
    uint8_t name[255]; /* Wire form, lower case. */
    uint8_t name_len;
    uint16_t type;
    uint16_t class;
    bool wants_dnssec;      /* DO. */
    bool checking_disabled; /* CD. */
};

struct hash_key;

bool cache_key_equal(const struct cache_key *a, const struct cache_key *b);
uint64_t cache_key_hash(const struct cache_key *key, const struct hash_key *secret);

/* A hash of all but the type: where the cache keeps what it knows of a name, so that one look finds
 * an answer to the question and a denial of all types. */
uint64_t cache_key_place(const struct cache_key *key, const struct hash_key *secret);
