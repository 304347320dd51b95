/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ldns/ldns.h>

#include "base/must.h"
#include "wire/message.h"
#include "wire/rdata.h"
#include "wire/records.h"
#include "wire/types.h"

/*
 * ldns as a second opinion on messages that we accept. The rule when its opinion counts: every
 * record is
 *   - an OPT record, which ldns takes apart as we do, or
 *   - of a type that ldns has no form for and keeps as bytes, or
 *   - of class IN and a type whose whole form we know as well, with data of that form.
 * Left out are thus types whose insides only ldns judges (it rejects a DS with a short digest, an
 * NSEC with an odd bitmap; we move them as bytes), address records of other classes, and TSIG, on
 * two of which ldns 1.8.3 leaks.
 */
#define REFEREE_LAST_TYPE 260 /* Above, ldns knows only DLV. */
#define REFEREE_DLV       32769

static inline bool referee_knows(const struct reader *message, const struct record *record)
{
    static const uint8_t closed[] = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 18, 21, 26, 28, 33, 35, 36, 39, 99};
    if (record->type == TYPE_OPT) {
        return true;
    }
    if (record->type > REFEREE_LAST_TYPE) {
        return record->type != REFEREE_DLV;
    }
    for (size_t i = 0; i < sizeof(closed); i++) {
        if (record->type == closed[i]) {
            return record->class == CLASS_IN && rdata_is_valid(message, record);
        }
    }
    return false;
}

static inline bool referee_counts(const struct message *message)
{
    struct reader reader = reader_of(message->bytes, message->len);
    struct record record;
    reader.at = message->records_at;
    while (reader_left(&reader) > 0) {
        must(record_read(&reader, &record));
        struct reader fresh = reader_of(message->bytes, message->len);
        if (!referee_knows(&fresh, &record)) {
            return false;
        }
    }
    return true;
}

static inline void referee_same_name(const struct reader *message, size_t at, const ldns_rdf *name)
{
    must(name_equals_at(ldns_rdf_data(name), ldns_rdf_size(name), message, at));
}

/* Owner, type, class and TTL of each record; OPT is no record to ldns. */
static inline void referee_same_section(
    const ldns_rr_list *list, unsigned count, struct reader *reader)
{
    size_t seen = 0;
    for (unsigned i = 0; i < count; i++) {
        struct record record;
        must(record_read(reader, &record));
        if (record.type == TYPE_OPT) {
            continue;
        }
        must(seen < ldns_rr_list_rr_count(list));
        const ldns_rr *rr = ldns_rr_list_rr(list, seen++);
        referee_same_name(reader, record.name_at, ldns_rr_owner(rr));
        must((uint16_t)ldns_rr_get_type(rr) == record.type);
        must((uint16_t)ldns_rr_get_class(rr) == record.class);
        must(ldns_rr_ttl(rr) == bytes_get_u32(reader->bytes + record.ttl_at));
    }
    must(seen == ldns_rr_list_rr_count(list));
}

/* Dies if ldns does not read the message as we did. */
static inline void referee_agrees(const struct message *message)
{
    ldns_pkt *pkt = NULL;
    struct reader reader = reader_of(message->bytes, message->len);
    if (!referee_counts(message)) {
        return;
    }
    must(ldns_wire2pkt(&pkt, message->bytes, message->len) == LDNS_STATUS_OK);
    must(ldns_rr_list_rr_count(ldns_pkt_question(pkt)) == 1);
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(pkt), 0);
    referee_same_name(&reader, HEADER_SIZE, ldns_rr_owner(question));
    must((uint16_t)ldns_rr_get_type(question) == message->question.type);
    must((uint16_t)ldns_rr_get_class(question) == message->question.class);
    must(ldns_pkt_id(pkt) == message->id);
    must(ldns_pkt_edns(pkt) == message->edns.is_present);
    must(ldns_pkt_edns_do(pkt) == message->edns.wants_dnssec);
    reader.at = message->records_at;
    referee_same_section(ldns_pkt_answer(pkt), message->counts[1], &reader);
    referee_same_section(ldns_pkt_authority(pkt), message->counts[2], &reader);
    referee_same_section(ldns_pkt_additional(pkt), message->counts[3], &reader);
    ldns_pkt_free(pkt);
}
