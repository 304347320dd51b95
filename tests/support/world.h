/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "wire/name.h"

/*
 * The records that the scripted server gives, and how it misbehaves. Read once from a small zone
 * file: `name ttl TYPE rdata` with absolute names, `#` to the end of the line for comments (not
 * inside quotes), and rules that hold for a name and all below it:
 *
 *     !delay NAME 50ms   !drop NAME   !servfail NAME   !refused NAME   !truncate NAME
 *
 * Types: A AAAA MX TXT PTR NS SOA CNAME TLSA. Single-threaded; the world owns its records.
 */
#define WORLD_RECORDS_MAX 4096
#define WORLD_RULES_MAX   256
#define WORLD_RDATA_MAX   4096
#define WORLD_DELAY_MAX   60000 /* Milliseconds. */

struct world_name {
    uint8_t bytes[NAME_SIZE_MAX];
    uint8_t len;
};

struct world_record {
    struct world_name name;
    uint16_t type;
    uint32_t ttl;
    uint16_t rdata_len;
    uint8_t *rdata;
};

enum world_rule_kind {
    WORLD_RULE_DELAY,
    WORLD_RULE_DROP,
    WORLD_RULE_SERVFAIL,
    WORLD_RULE_REFUSED,
    WORLD_RULE_TRUNCATE,
};

struct world_rule {
    struct world_name name;
    enum world_rule_kind kind;
    uint32_t delay_ms;
};

struct world {
    struct world_record *records;
    size_t record_count;
    struct world_rule *rules;
    size_t rule_count;
};

/* What the rules say about one name, taken together. */
struct world_manner {
    bool is_dropped;
    bool is_servfail;
    bool is_refused;
    bool is_truncated; /* Over UDP. */
    uint32_t delay_ms;
};

/* Reads all of `file`. False: `error_out` names the line and what is wrong with it. */
bool world_init(struct world *world, FILE *file, char *error_out, size_t error_size);
void world_fini(struct world *world);

struct world_manner world_manner_of(const struct world *world, const struct world_name *name);

/* The record at `name` of `type` at or after index `from`, or NULL; its index in `at_out`. */
const struct world_record *world_find(const struct world *world, size_t from,
    const struct world_name *name, uint16_t type, size_t *at_out);

/* Is there any record at the name or below it? */
bool world_has_name(const struct world *world, const struct world_name *name);

/* The SOA of the closest zone that holds the name, or NULL. */
const struct world_record *world_zone_of(const struct world *world, const struct world_name *name);
