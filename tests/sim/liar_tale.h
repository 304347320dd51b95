/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/header.h"
#include "tests/support/world.h"

/*
 * A message taken apart, so that each field of it can be made a lie; and the reader that the
 * referee trusts. It shares no code with wire/: it was written from RFC 1035 sections 3 and 4, 6891
 * section 6.1 and 2181, slow and plain. A tale owns its bytes; it is large, so they are static.
 */
#define TALE_RECORDS_MAX 4200
#define TALE_HEAP_MAX    262144
#define TALE_TRUE        (-1) /* Of a count or a length: what there is. */

enum tale_section {
    TALE_ANSWER = 1,
    TALE_AUTHORITY = 2,
    TALE_ADDITIONAL = 3,
};

struct tale_record {
    struct world_name owner; /* As it was spelled. */
    unsigned section;
    uint16_t type;
    uint16_t class;
    uint32_t ttl;
    size_t data_at; /* In the heap. Names are whole there, and in lower case. */
    uint16_t len;
    uint32_t sum;     /* Of the data that was read: equal data have equal ones. */
    int32_t len_told; /* RDLENGTH, or TALE_TRUE. */
    bool is_broken;   /* The data is not what its type demands. */
};

struct tale {
    uint16_t id;
    uint16_t flags;
    unsigned question_count;
    struct world_name name; /* Of the first question, as it was spelled. */
    uint16_t type;
    uint16_t class;
    int32_t counts_told[4]; /* Or TALE_TRUE. */
    struct tale_record records[TALE_RECORDS_MAX];
    size_t count;
    uint8_t heap[TALE_HEAP_MAX];
    size_t heap_len;
};

/* False: no message, or one that the RFCs do not allow: a field that is not there, a name that is
 * none, an OPT record that must not be where it is. Bytes behind the last record are passed over.
 */
bool tale_read(struct tale *tale, const uint8_t *bytes, size_t len);

/* Its bytes: names compressed wherever the question has them already. At most MESSAGE_SIZE_MAX;
 * what does not fit is left out, though counted. */
size_t tale_write(const struct tale *tale, uint8_t bytes_out[MESSAGE_SIZE_MAX]);

void tale_copy(struct tale *copy_out, const struct tale *tale);

/* Adds a record from its text: "NAME TTL TYPE DATA". */
struct tale_record *tale_add(struct tale *tale, unsigned section, const char *text);

/* Adds one from its parts. */
struct tale_record *tale_put(
    struct tale *tale, const struct tale_record *form, const uint8_t *data, size_t len);

void tale_remove(struct tale *tale, size_t index);

const uint8_t *tale_data(const struct tale *tale, const struct tale_record *record);

/* The header's rcode, with the upper bits that an OPT record adds. */
unsigned tale_rcode(const struct tale *tale);

/* The name in a CNAME, DNAME, NS or SOA record that is not broken. */
struct world_name tale_target(const struct tale *tale, const struct tale_record *record);

/* The last field of an SOA record. */
uint32_t tale_minimum(const struct tale *tale, const struct tale_record *record);

struct world_name tale_name(const char *text);
bool tale_name_is(const struct world_name *a, const struct world_name *b);
bool tale_name_is_under(const struct world_name *name, const struct world_name *zone);
