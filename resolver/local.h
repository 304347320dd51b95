/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Questions that are answered in the house and never leave it: localhost and the loopback reverse
 * names, the special-use names (RFC 6761, 6762, 7686, 9476), the server's version, ANY (RFC 8482),
 * and list questions about private addresses, which no public list can answer. A [zone] section
 * that covers a name turns this off for it. Pure.
 */
struct cache_key;
struct list_question;

struct local_case {
    const struct cache_key *key;
    const struct list_question *list; /* NULL: no list question. */
    bool is_configured;               /* A [zone] covers the name. */
    bool private_lists_local;
    const char *version;
};

enum local_verdict {
    LOCAL_NOT_OURS,        /* Look it up. */
    LOCAL_ANSWER,          /* The stored form (wire/normalise.h) of the answer is written. */
    LOCAL_REFUSED,         /* A class or a transfer that is not served. */
    LOCAL_NOT_IMPLEMENTED, /* A type that asks for no data. */
};

/* Seconds that a client may keep an answer made here. */
#define LOCAL_TTL_S 10800

/* Writes the stored form of NXDOMAIN for `key`, from the zone that begins at `zone_at` in its name;
 * there are LOCAL_DENIAL_SIZE bytes of room. Returns the length. */
#define LOCAL_DENIAL_SIZE 512
size_t local_deny_for(
    const struct cache_key *key, size_t zone_at, uint32_t ttl_s, uint8_t *stored_out);

/* Why a question that LOCAL_ANSWER was said of got what it got, for the extended error; NULL: there
 * is nothing to wonder at. */
const char *local_sentence(const struct cache_key *key, bool is_list);

enum local_verdict local_answer(
    const struct local_case *local, uint8_t *stored_out, size_t size, size_t *len_out);
