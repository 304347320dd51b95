/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/key.h"

/*
 * NXDOMAIN cut (RFC 8020): a name that does not exist has no record of any type, and nothing below
 * it. The cache keeps such a denial for all types of the name (cache_fill.is_any_type), and
 * questions below the name are answered from there. Not where a denial means something else: DNS
 * lists deny names that have names below them (but what they deny has no record of any type
 * either), DANE and DNSSEC must not rest on a conclusion, and servers that deny the empty names
 * above `_25._tcp` and its like are common. Pure.
 */

/* How far above the asked name a denial is looked for. */
#define CUT_LABELS_MAX 4

/* No denial that is kept without a type is larger: a header, the asked name, type and class, an SOA
 * with two names of its own. */
#define CUT_SIZE_MAX 1024

/* Does the denial of this question deny all types of its name? */
bool cut_is_denial(const struct cache_key *key);

/* Questions that may be answered by the denial of a name above theirs. */
bool cut_is_for(const struct cache_key *key, bool is_list);

/* The key under which the denial of all types of the name `labels_up` labels above is found: that
 * of no type. False: no denial is looked for that high, or of that name. */
bool cut_key(const struct cache_key *key, unsigned labels_up, struct cache_key *key_out);

/* From a denial in its stored form, of `key` or of a name above it, the stored form of a denial of
 * `key`. Its length, or 0: it denies the end of a chain, it has no SOA, or it does not fit. */
size_t cut_compose(const struct cache_key *key, const uint8_t *stored, size_t stored_len,
    uint8_t *bytes_out, size_t size);
