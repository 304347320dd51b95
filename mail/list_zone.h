/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/*
 * Is this name a question to a DNS list (RFC 5782), to which list, and about what? Lists are known
 * by the table in lists.def or recognised by the shape of the question: an address with its octets
 * or nibbles reversed, before a zone, asked for A or TXT. Shape is a guess (some hosts are named
 * like 4.3.2.1.dynamic.isp.example): good for statistics and short stale times, not for refusing.
 * Pure knowledge, no state; any thread.
 */
enum list_kind {
    LIST_KIND_IP,     /* Subject: an address, reversed. Blocklists. */
    LIST_KIND_ALLOW,  /* Subject: an address, reversed; being listed is good (dnswl). */
    LIST_KIND_DOMAIN, /* Subject: a domain name. */
    LIST_KIND_HASH,   /* Subject: a hash of something; asked once and never again. */
};

/* The rows of list_rules.def. */
enum list_rules {
#define RULES(rules, ...) LIST_RULES_##rules,
#define REFUSES(...)
#include "mail/list_rules.def"
#undef REFUSES
#undef RULES
    LIST_RULES_COUNT
};

/* A row of lists.def, or of the operator's making. */
struct list_zone {
    const char *zone; /* Presentation form without the final dot, lower case. */
    enum list_kind kind;
    bool has_key; /* The label before the zone is the customer's secret key. */
    enum list_rules rules;
    const char *ended; /* When it was closed; NULL: it lives. */

    /* The operator's own, in place of those of the rules. */
    const struct network *codes; /* Refusals; NULL: those of the rules. */
    size_t code_count;
    uint64_t quota; /* Questions a day; 0: that of the rules. */
};

struct list_question {
    enum list_kind kind;
    const struct list_zone *known; /* The row, or NULL: recognised by shape. */
    size_t zone_at;                /* Where the zone begins in the name, behind the key label. */
    size_t subject_end;            /* Where the subject ends: there begin the key or the zone. */
    bool has_address;
    struct address address; /* The subject, when it is an address. */
};

/* `name` in wire form, any case, without compression. False: not a list question. The zone itself
 * (an NS or SOA question for it) is none. Names below in-addr.arpa and ip6.arpa never are. */
bool list_question_of(
    const uint8_t *name, size_t len, uint16_t type, struct list_question *question_out);

/* The longest known zone that the name is at or below, and where it begins; NULL: none. */
const struct list_zone *list_zone_above(const uint8_t *name, size_t len, size_t *zone_at_out);

/* The question that the name is to the list whose zone begins at `zone_at`. False: no subject. */
bool list_question_at(const struct list_zone *zone, const uint8_t *name, size_t len, size_t zone_at,
    struct list_question *question_out);

/* May be asked at its own name servers, from the host's own address: it lives, and does not know
 * its customers by their key. */
bool list_zone_is_direct(const struct list_zone *zone);

/* All known lists, for the exporter and the doctor. */
const struct list_zone *list_zone_table(size_t *count_out);
