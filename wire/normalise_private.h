/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/bytes.h"
#include "wire/compress.h"
#include "wire/name.h"
#include "wire/normalise.h"
#include "wire/records.h"

/*
 * Shared by normalise.c, which decides what is kept, and normalise_sets.c, which writes it. The
 * struct lives on normalise_reply()'s stack.
 */
struct message;

enum section {
    SECTION_ANSWER = 1, /* Also the index of its count in the header. */
    SECTION_AUTHORITY = 2,
};

struct normaliser {
    const struct message *reply;
    const struct normalise_limits *limits;
    struct reader reader; /* Over the reply; copied for each walk, so each has its own work cap. */
    size_t section_at[3]; /* By enum section. */
    struct writer writer;
    struct compress compress;
    uint16_t counts[3];
    uint32_t ttl;                /* The smallest that was written. */
    uint8_t name[NAME_SIZE_MAX]; /* Where the chain has come to. */
    size_t name_len;
    unsigned links;
    unsigned visits_left;
    size_t dnames_at[NORMALISE_CHAIN_MAX]; /* Where the kept DNAMEs stand in the reply. */
    unsigned dname_count;
    bool with_dnssec;
    bool is_broken; /* Sticky, as the writer's is_cut. */
};

/* The records of one type (TYPE_ANY: all) at one name, in one section. */
struct normalise_set {
    enum section section;
    uint16_t type;
    const uint8_t *owner; /* NULL: at any name. */
    size_t owner_len;
};

/* Records looked at in all walks together: four walks over the largest message, and as much for a
 * chain. Only crafted replies (thousands of aliases) need more. */
#define NORMALISE_VISITS_MAX 32768

/* A walk over the records of a section that are of the question's class. */
struct normalise_walk {
    struct reader reader;
    unsigned left;
};

/* False: the counts do not fit the bytes. */
bool normalise_find_sections(struct normaliser *n);
struct normalise_walk normalise_walk_of(const struct normaliser *n, enum section section);
bool normalise_walk_next(
    struct normaliser *n, struct normalise_walk *walk, struct record *record_out);

/* Writes a set and, with DO, its signatures; all get the smallest TTL among them (RFC 2181 section
 * 5.2, RFC 4034 section 3); a record that is there twice is written once. */
void normalise_put_set(struct normaliser *n, const struct normalise_set *set);

/* Writes the SOA of the first zone in the authority section that holds the chain's end. False:
 * there is none. */
bool normalise_put_soa(struct normaliser *n);

/* With DO, the authority section's proofs of what does not exist. */
void normalise_put_proofs(struct normaliser *n);
