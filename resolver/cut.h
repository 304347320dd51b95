/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/key.h"

/*
 * NXDOMAIN cut (RFC 8020): a name that does not exist has nothing below it, and no record of any
 * type. What denied it is remembered a second time, under a key without a type, and other questions
 * at and below the name are answered from there. Not where a denial means something else: DNS lists
 * deny names that have names below them, DANE and DNSSEC must not rest on a conclusion, and servers
 * that deny the empty names above `_25._tcp` and its like are common. Pure.
 */

/* How far above the asked name a denial is looked for. */
#define CUT_LABELS_MAX 4

/* No denial that is kept without a type is larger: a header, the asked name, type and class, an SOA
 * with two names of its own. */
#define CUT_SIZE_MAX 1024

/* Questions whose denial may be remembered for other questions, and that may be answered so. */
bool cut_is_for(const struct cache_key *key, bool is_list);

/* The type-less key of the name `labels_up` labels above the key's. False: no denial is looked for
 * that high, or of that name. */
bool cut_key(const struct cache_key *key, unsigned labels_up, struct cache_key *key_out);

/* From a denial in its stored form, of `key` or of a name above it, the stored form of a denial of
 * `key`. Its length, or 0: it denies the end of a chain, it has no SOA, or it does not fit. */
size_t cut_compose(const struct cache_key *key, const uint8_t *stored, size_t stored_len,
    uint8_t *bytes_out, size_t size);
