/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "wire/name.h"

/*
 * What mail software asks next. A question is about a subject, a client's address or a domain's
 * name, and asks for one aspect of it; the same session will ask for other aspects of the same
 * subject, and for what the answer names: the address of the name that PTR gave, of the hosts that
 * MX gave, the records that SPF includes. Every question so foreseen has a step, which says how it
 * was concluded. Pure, no clock, no allocation, bounded; any thread.
 */
enum sequel_step {
    SEQUEL_NONE,
    SEQUEL_CLIENT_PTR,  /* The PTR record of an address that some list was asked about. */
    SEQUEL_CLIENT_LIST, /* Another list about the same address. */
    SEQUEL_CLIENT_HOST, /* From PTR: the address of the name, which must lead back. */
    SEQUEL_DOMAIN_MX,   /* Of a domain about which something else was asked; so the next ones. */
    SEQUEL_DOMAIN_A,
    SEQUEL_DOMAIN_AAAA,
    SEQUEL_DOMAIN_TXT, /* SPF. */
    SEQUEL_DOMAIN_NS,
    SEQUEL_DOMAIN_DMARC, /* _dmarc. */
    SEQUEL_DOMAIN_DKIM,  /* By the selectors seen before for this domain. */
    SEQUEL_DOMAIN_STS,   /* _mta-sts. */
    SEQUEL_DOMAIN_LIST,  /* A list of domains. */
    SEQUEL_HOST_TLSA,    /* _25._tcp of a host about which something else was asked. */
    SEQUEL_SPF_INCLUDE,  /* From SPF: include and redirect. */
    SEQUEL_SPF_OTHER,    /* From SPF: a, mx and exists. */
    SEQUEL_MX_A,         /* From MX: of the most preferred exchange. */
    SEQUEL_MX_AAAA,
    SEQUEL_MX_TLSA,
    SEQUEL_BACKUP_A, /* From MX: of the other exchanges. */
    SEQUEL_BACKUP_AAAA,
    SEQUEL_BACKUP_TLSA,
    SEQUEL_NS_A,         /* From NS. */
    SEQUEL_DMARC_PARENT, /* From "no such record": the domain one label up. */
};
#define SEQUEL_STEPS 24

/* "client_ptr" and so on, for statistics. */
const char *sequel_step_name(enum sequel_step step);

/* What is asked about a subject. */
enum sequel_aspect {
    SEQUEL_ASPECT_PTR,
    SEQUEL_ASPECT_MX,
    SEQUEL_ASPECT_A,
    SEQUEL_ASPECT_AAAA,
    SEQUEL_ASPECT_TXT,
    SEQUEL_ASPECT_NS,
    SEQUEL_ASPECT_DMARC,
    SEQUEL_ASPECT_DKIM,
    SEQUEL_ASPECT_STS,
    SEQUEL_ASPECT_TLSA,
    SEQUEL_ASPECT_LIST, /* Of many: which, says the zone. */
};
#define SEQUEL_ASPECTS 11

/* The step of a question for that aspect of a subject. */
enum sequel_step sequel_aspect_step(enum sequel_aspect aspect, bool is_address);

struct list_question;

/* A question taken apart. The name stays the caller's. */
struct sequel_subject {
    enum sequel_aspect aspect;
    bool is_address;
    struct address address; /* When it is one. */
    const uint8_t *name;    /* Else the labels of the subject, without the root. */
    size_t name_len;
    const uint8_t *zone; /* LIST: the list's zone with the root, a customer's key label included. */
    size_t zone_len;
    const uint8_t *selector; /* DKIM: the label. */
};

/* A question that is expected. */
struct sequel_next {
    enum sequel_step step;
    uint16_t type;
    uint8_t name_len;
    uint8_t name[NAME_SIZE_MAX];
};

/* Takes a checked name in lower case apart. `list`: what list_question_of() says of it, or NULL.
 * False: not a question of the kind that others follow, a hash list's for one. */
bool sequel_subject_of(const uint8_t *name, size_t len, uint16_t type,
    const struct list_question *list, struct sequel_subject *subject_out);

/* The question for another aspect of the subject; of DKIM the selector, of LIST the zone is taken
 * from `subject` too. False: there is none (the PTR of a name, or too long). */
bool sequel_compose(const struct sequel_subject *subject, struct sequel_next *next_out);

/* What an answer foretells, in the order of its records. One answer foretells at most so many
 * questions (RFC 7208 section 4.6.4 allows ten lookups). */
#define SEQUEL_NEXT_MAX      24
#define SEQUEL_EXCHANGES_MAX 4
#define SEQUEL_SPF_MAX       10

struct sequel_answer {
    const uint8_t *stored; /* In the stored form (wire/normalise.h). */
    size_t len;
};

/* `subject` is what the answered question was about. The number written. */
size_t sequel_follow(const struct sequel_subject *subject, const struct sequel_answer *answer,
    struct sequel_next next_out[SEQUEL_NEXT_MAX]);

/* Answers of this aspect may foretell something. */
bool sequel_may_follow(enum sequel_aspect aspect);

/* The questions that an SPF record leads to: its text, `len` bytes, for the domain `name`. Terms
 * with macros are passed by, anything unknown ends the reading. Adds to `count` up to `limit`. */
struct sequel_list {
    struct sequel_next *next;
    size_t count;
    size_t limit;
};

void sequel_read_spf(const uint8_t *text, size_t len, const struct sequel_subject *subject,
    struct sequel_list *list);
