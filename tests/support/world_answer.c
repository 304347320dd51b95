/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/world_answer.h"

#include <string.h>

#include "wire/edns.h"
#include "wire/header.h"
#include "wire/types.h"

#define HOPS_MAX    8 /* CNAMEs followed in one answer. */
#define OPT_SIZE    11
#define POINTER_TOP 0xc000u /* Marks a compression pointer (RFC 1035 section 4.1.4). */

/* A reply under construction. */
struct reply {
    struct writer writer;
    const struct world *world;
    struct world_name asked;
    uint16_t counts[4];
    unsigned rcode;
};

/* Reads the OPT record where it stands first behind the question, as stubs and resolvers put it. */
static bool opt_read(struct reader *reader, struct world_query *query)
{
    uint8_t root = 1;
    uint16_t type = 0;
    uint16_t size = 0;
    uint32_t ttl = 0;
    if (!reader_u8(reader, &root) || root != 0 || !reader_u16(reader, &type) || type != TYPE_OPT ||
        !reader_u16(reader, &size) || !reader_u32(reader, &ttl)) {
        return false;
    }
    query->has_edns = true;
    query->wants_dnssec = (ttl & 0x8000u) != 0;
    query->udp_size = size < EDNS_UDP_SIZE_FLOOR ? EDNS_UDP_SIZE_FLOOR : size;
    return true;
}

bool world_query_read(const uint8_t *bytes, size_t len, struct world_query *query_out)
{
    struct reader reader = reader_of(bytes, len);
    *query_out = (struct world_query){.udp_size = EDNS_UDP_SIZE_FLOOR};
    if (!reader_skip(&reader, HEADER_SIZE) || (header_flags(bytes) & HEADER_QR) != 0 ||
        header_qdcount(bytes) != 1 || !question_read(&reader, &query_out->question)) {
        return false;
    }
    query_out->id = header_id(bytes);
    query_out->flags = header_flags(bytes);
    return header_arcount(bytes) == 0 || opt_read(&reader, query_out);
}

static void owner_write(struct reply *reply, const struct world_name *name)
{
    if (name_equal(name->bytes, name->len, reply->asked.bytes, reply->asked.len)) {
        writer_u16(&reply->writer, POINTER_TOP | HEADER_SIZE);
    } else {
        writer_bytes(&reply->writer, name->bytes, name->len);
    }
}

static void record_write(struct reply *reply, const struct world_record *record, uint32_t ttl)
{
    owner_write(reply, &record->name);
    writer_u16(&reply->writer, record->type);
    writer_u16(&reply->writer, CLASS_IN);
    writer_u32(&reply->writer, ttl);
    writer_u16(&reply->writer, record->rdata_len);
    writer_bytes(&reply->writer, record->rdata, record->rdata_len);
}

/* Writes all records of the name and type; returns how many. */
static uint16_t set_write(struct reply *reply, const struct world_name *name, uint16_t type)
{
    uint16_t count = 0;
    size_t at = 0;
    const struct world_record *record = world_find(reply->world, 0, name, type, &at);
    while (record != NULL) {
        record_write(reply, record, record->ttl);
        count++;
        record = world_find(reply->world, at + 1, name, type, &at);
    }
    return count;
}

/* The target of the name's CNAME, with the record written. False: the name has none. */
static bool alias_write(struct reply *reply, struct world_name *name)
{
    size_t at = 0;
    const struct world_record *record = world_find(reply->world, 0, name, TYPE_CNAME, &at);
    if (record == NULL) {
        return false;
    }
    record_write(reply, record, record->ttl);
    memcpy(name->bytes, record->rdata, record->rdata_len);
    name->len = (uint8_t)record->rdata_len;
    return true;
}

/* The SOA's TTL in a denial is the smaller of its own and its last field (RFC 2308 section 5). */
static void denial_write(struct reply *reply, const struct world_name *name)
{
    const struct world_record *soa = world_zone_of(reply->world, name);
    if (soa == NULL) {
        reply->rcode = reply->counts[1] == 0 ? RCODE_REFUSED : RCODE_NOERROR;
        return;
    }
    uint32_t minimum = bytes_get_u32(soa->rdata + soa->rdata_len - 4);
    record_write(reply, soa, minimum < soa->ttl ? minimum : soa->ttl);
    reply->counts[2] = 1;
    reply->rcode = world_has_name(reply->world, name) ? RCODE_NOERROR : RCODE_NXDOMAIN;
}

static void answer_write(struct reply *reply, uint16_t type)
{
    struct world_name name = reply->asked;
    for (unsigned hop = 0; hop < HOPS_MAX; hop++) {
        uint16_t count = set_write(reply, &name, type);
        reply->counts[1] = (uint16_t)(reply->counts[1] + count);
        if (count > 0) {
            return;
        }
        if (!alias_write(reply, &name)) {
            break;
        }
        reply->counts[1]++;
    }
    denial_write(reply, &name);
}

static void opt_write(struct reply *reply, const struct world_query *query)
{
    writer_u8(&reply->writer, 0);
    writer_u16(&reply->writer, TYPE_OPT);
    writer_u16(&reply->writer, EDNS_UDP_SIZE);
    writer_u32(&reply->writer, query->wants_dnssec ? 0x8000u : 0);
    writer_u16(&reply->writer, 0);
    reply->counts[3] = 1;
}

/* Fills everything but the header; `mark` is where the sections begin, for a cut reply. */
static void sections_write(
    struct reply *reply, const struct world_query *query, const struct world_manner *manner)
{
    if (header_opcode(reply->writer.bytes) != OPCODE_QUERY) {
        reply->rcode = RCODE_NOTIMP;
    } else if (manner->is_servfail) {
        reply->rcode = RCODE_SERVFAIL;
    } else if (manner->is_refused || query->question.class != CLASS_IN) {
        reply->rcode = RCODE_REFUSED;
    } else {
        answer_write(reply, query->question.type);
    }
}

static void reply_cut(struct reply *reply, size_t len)
{
    reply->writer.len = len;
    reply->writer.is_cut = false;
    reply->counts[1] = 0;
    reply->counts[2] = 0;
}

size_t world_answer_write(const struct world *world, const struct world_query *query, bool is_udp,
    uint8_t *bytes_out, size_t size)
{
    size_t limit = is_udp && query->udp_size < size ? query->udp_size : size;
    struct reply reply = {.writer = writer_of(bytes_out, limit), .world = world, .counts = {1}};
    memcpy(reply.asked.bytes, query->question.name, query->question.name_len);
    reply.asked.len = query->question.name_len;
    struct world_manner manner = world_manner_of(world, &reply.asked);
    if (manner.is_dropped || writer_take(&reply.writer, HEADER_SIZE) == NULL) {
        return 0;
    }
    header_set_id(bytes_out, query->id);
    header_set_flags(bytes_out, query->flags);
    question_write(&reply.writer, &query->question);
    size_t mark = reply.writer.len;
    reply.writer.size = query->has_edns ? limit - OPT_SIZE : limit;
    sections_write(&reply, query, &manner);
    bool is_cut = reply.writer.is_cut || (is_udp && manner.is_truncated);
    if (is_cut) {
        reply_cut(&reply, mark);
    }
    reply.writer.size = limit;
    if (query->has_edns) {
        opt_write(&reply, query);
    }
    unsigned flags = HEADER_QR | HEADER_AA | HEADER_RA | (query->flags & (0x7800u | HEADER_RD)) |
                     (is_cut ? HEADER_TC : 0) | reply.rcode;
    header_set_flags(bytes_out, (uint16_t)flags);
    header_set_counts(bytes_out, reply.counts);
    return reply.writer.len;
}
