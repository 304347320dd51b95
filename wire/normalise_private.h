/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/bytes.h"
#include "wire/compress.h"
#include "wire/message.h"
#include "wire/name.h"
#include "wire/normalise.h"
#include "wire/records.h"

/*
 * Shared by normalise.c, which decides what is kept, normalise_index.c, which finds it, and
 * normalise_sets.c, which writes it. The structs live on normalise_reply()'s stack.
 *
 * Invariant: after each function here work <= NORMALISE_WORK_MAX or is_broken. One step beyond the
 * bound is the most that can happen, and no step looks at more than one record.
 */
enum section {
    SECTION_ANSWER = 1, /* Also the index of its count in the header. */
    SECTION_AUTHORITY = 2,
};

/* A record of the question's class in the answer or the authority section. */
struct normalise_entry {
    uint32_t owner_hash;
    uint16_t at;       /* Where the record begins. */
    uint16_t label_at; /* Where its owner's first label stands: one place, one name. */
    uint16_t type;
    uint16_t signed_type; /* Of an RRSIG: the type that it signs. */
};

/* Nearly all owners of a reply are pointers to a few places, so each of those is read once. */
#define NORMALISE_KNOWN_OWNERS 64 /* A power of two. */

struct normalise_known {
    uint16_t label_at; /* 0: free. */
    uint32_t hash;
};

struct normalise_index {
    unsigned ends[3]; /* By enum section: its entries begin where those before end. */
    struct normalise_known known[NORMALISE_KNOWN_OWNERS];
    struct normalise_entry entries[MESSAGE_RECORDS_MAX];
};

struct normaliser {
    const struct message *reply;
    const struct normalise_limits *limits;
    const struct normalise_index *index;
    struct reader reader; /* Over the reply; copied for each look, so each has its own hops. */
    struct writer writer;
    struct compress compress;
    uint16_t counts[3];
    uint32_t ttl;                /* The smallest that was written. */
    uint8_t name[NAME_SIZE_MAX]; /* Where the chain has come to. */
    size_t name_len;
    unsigned links;
    uint32_t work;
    size_t dnames_at[NORMALISE_CHAIN_MAX]; /* Where the kept DNAMEs stand in the reply. */
    unsigned dname_count;
    bool with_dnssec;
    bool is_broken; /* Sticky, as the writer's is_cut. */
};

/* A name that records are sought by. Remembers where it was found and how it was written last. */
struct normalise_owner {
    const uint8_t *name; /* NULL: any name. */
    size_t len;
    uint32_t hash;
    uint16_t label_at; /* Its last place in the reply; 0: not found yet. */
    uint16_t pointer;  /* The compression pointer that it was last written as; 0: none. */
};

/* The records of one type (TYPE_ANY: all) at one name, in one section. */
struct normalise_set {
    enum section section;
    uint16_t type;
    struct normalise_owner owner;
};

/* A walk over the entries of a section. */
struct normalise_walk {
    unsigned at;
    unsigned end;
};

/* Counts work. False: the bound is reached, the reply is broken. */
bool normalise_spend(struct normaliser *n, size_t units);

/* Fills `index_out` and hands it to `n`. False: the counts do not fit the bytes, or too much work.
 */
bool normalise_index_build(struct normaliser *n, struct normalise_index *index_out);

struct normalise_owner normalise_owner_of(const uint8_t *name, size_t len);
struct normalise_set normalise_set_of(
    enum section section, uint16_t type, const uint8_t *name, size_t len);

struct normalise_walk normalise_walk_of(struct normaliser *n, enum section section);

/* The next entry, or NULL at the end or when the reply is broken. */
const struct normalise_entry *normalise_walk_next(
    struct normaliser *n, struct normalise_walk *walk);

bool normalise_is_at(
    struct normaliser *n, const struct normalise_entry *entry, struct normalise_owner *owner);

/* The whole record of an entry. */
struct record normalise_record_of(const struct normaliser *n, const struct normalise_entry *entry);

/* Writes a set and, with DO, its signatures; all get the smallest TTL among them (RFC 2181 section
 * 5.2, RFC 4034 section 3); a record that is there twice is written once. */
void normalise_put_set(struct normaliser *n, struct normalise_set *set);

/* Writes the SOA of the first zone in the authority section that holds the chain's end. False:
 * there is none. */
bool normalise_put_soa(struct normaliser *n);

/* With DO, the authority section's proofs of what does not exist. */
void normalise_put_proofs(struct normaliser *n);
