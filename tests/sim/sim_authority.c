/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/sim_authority.h"

#include <string.h>

#include "base/must.h"
#include "wire/edns.h"
#include "wire/header.h"
#include "wire/types.h"
#include "tests/support/world_answer.h"

/* A reply in the making. */
struct authority_reply {
    struct writer writer;
    uint16_t counts[4];
    unsigned flags;
};

static bool name_lies_under(const struct world_name *name, const struct world_name *zone)
{
    return name_is_under(name->bytes, name->len, zone->bytes, zone->len);
}

static struct world_name name_asked(const struct world_query *query)
{
    struct world_name name = {.len = query->question.name_len};
    memcpy(name.bytes, query->question.name, name.len);
    return name;
}

/* The smallest of its zones that holds the name, or NULL. */
static const struct world_name *authority_zone(
    const struct sim_authority *authority, const struct world_name *name)
{
    const struct world_name *best = NULL;
    for (size_t i = 0; i < authority->zone_count; i++) {
        const struct world_name *zone = &authority->zones[i];
        if (name_lies_under(name, zone) && (best == NULL || zone->len > best->len)) {
            best = zone;
        }
    }
    return best;
}

/* The highest cut between the zone and the name, or NULL. */
static const struct world_name *authority_cut(
    const struct world *world, const struct world_name *zone, const struct world_name *name)
{
    const struct world_name *best = NULL;
    for (size_t i = 0; i < world->record_count; i++) {
        const struct world_record *record = &world->records[i];
        bool is_cut = record->type == TYPE_NS && record->name.len > zone->len &&
                      name_lies_under(&record->name, zone) && name_lies_under(name, &record->name);
        if (is_cut && (best == NULL || record->name.len < best->len)) {
            best = &record->name;
        }
    }
    return best;
}

static struct authority_reply reply_begin(
    const struct world_query *query, uint8_t *bytes, size_t size)
{
    struct authority_reply reply = {.writer = writer_of(bytes, size), .counts = {1}};
    writer_take(&reply.writer, HEADER_SIZE);
    question_write(&reply.writer, &query->question);
    return reply;
}

static size_t reply_end(struct authority_reply *reply, const struct world_query *query)
{
    if (query->has_edns) {
        struct edns_reply edns = {.udp_size = EDNS_UDP_SIZE, .ede = EDE_NONE};
        edns_write(&reply->writer, &edns);
        reply->counts[3]++;
    }
    must(!reply->writer.is_cut);
    header_set_id(reply->writer.bytes, query->id);
    header_set_flags(reply->writer.bytes, (uint16_t)(HEADER_QR | reply->flags));
    header_set_counts(reply->writer.bytes, reply->counts);
    return reply->writer.len;
}

static void reply_add(struct authority_reply *reply, unsigned section,
    const struct world_record *record, const struct address *instead)
{
    writer_bytes(&reply->writer, record->name.bytes, record->name.len);
    writer_u16(&reply->writer, record->type);
    writer_u16(&reply->writer, CLASS_IN);
    writer_u32(&reply->writer, record->ttl);
    writer_u16(&reply->writer, record->rdata_len);
    writer_bytes(
        &reply->writer, instead != NULL ? instead->bytes : record->rdata, record->rdata_len);
    reply->counts[section]++;
}

/* The address that it claims for the name server. */
static void referral_lie(struct authority_reply *reply, const struct sim_authority *authority,
    const struct world_name *server)
{
    struct world_record record = {.name = *server, .type = TYPE_A, .ttl = 300, .rdata_len = 4};
    reply_add(reply, 3, &record, &authority->glue);
}

static void referral_glue(struct authority_reply *reply, const struct world *world,
    const struct world_name *zone, const struct world_name *server)
{
    static const uint16_t types[2] = {TYPE_A, TYPE_AAAA};
    for (size_t i = 0; i < 2 && name_lies_under(server, zone); i++) {
        size_t at = 0;
        const struct world_record *record = world_find(world, 0, server, types[i], &at);
        for (; record != NULL; record = world_find(world, at + 1, server, types[i], &at)) {
            reply_add(reply, 3, record, NULL);
        }
    }
}

static void referral_write(struct authority_reply *reply, const struct sim_authority *authority,
    const struct world *world, const struct world_name *cut)
{
    size_t at = 0;
    const struct world_record *record = world_find(world, 0, cut, TYPE_NS, &at);
    for (; record != NULL; record = world_find(world, at + 1, cut, TYPE_NS, &at)) {
        reply_add(reply, 2, record, NULL);
    }
    const struct world_name *zone = authority_zone(authority, cut);
    record = world_find(world, 0, cut, TYPE_NS, &at);
    for (; record != NULL; record = world_find(world, at + 1, cut, TYPE_NS, &at)) {
        struct world_name server = {.len = (uint8_t)record->rdata_len};
        memcpy(server.bytes, record->rdata, record->rdata_len);
        if (authority->glue.family != ADDRESS_NONE) {
            referral_lie(reply, authority, &server);
        } else if (!authority->has_no_glue) {
            referral_glue(reply, world, zone, &server);
        }
    }
}

size_t sim_authority_write(const struct sim_authority *authority, const struct world *world,
    const struct world_query *query, uint8_t *bytes_out, size_t size)
{
    struct world_name asked = name_asked(query);
    const struct world_name *zone = authority_zone(authority, &asked);
    if (zone == NULL) {
        struct authority_reply refusal = reply_begin(query, bytes_out, size);
        refusal.flags = RCODE_REFUSED;
        return reply_end(&refusal, query);
    }
    const struct world_name *cut = authority_cut(world, zone, &asked);
    if (cut != NULL) {
        struct authority_reply referral = reply_begin(query, bytes_out, size);
        referral_write(&referral, authority, world, cut);
        return reply_end(&referral, query);
    }
    size_t len = world_answer_write(world, query, true, bytes_out, size);
    if (len != 0) {
        unsigned flags = header_flags(bytes_out) & ~(HEADER_AA | HEADER_RA);
        flags |= authority->is_hearsay ? HEADER_RA : HEADER_AA;
        header_set_flags(bytes_out, (uint16_t)flags);
    }
    return len;
}

bool sim_authority_is_blocked(
    const struct sim_authority *authority, const struct world_query *query)
{
    struct world_name asked = name_asked(query);
    return authority->is_blocked && query->question.type == TYPE_A &&
           asked.len > authority->blocked.len && name_lies_under(&asked, &authority->blocked);
}

size_t sim_authority_write_block(const struct world_query *query, uint8_t *bytes_out, size_t size)
{
    static const struct address code = {.family = ADDRESS_IPV4, .bytes = {127, 255, 255, 254}};
    struct authority_reply reply = reply_begin(query, bytes_out, size);
    struct world_record record = {
        .name = name_asked(query), .type = TYPE_A, .ttl = 60, .rdata_len = 4};
    reply_add(&reply, 1, &record, &code);
    reply.flags = HEADER_RA;
    return reply_end(&reply, query);
}
