/* SPDX-License-Identifier: BSD-2-Clause */
/* What servers truly say in the stories of fuzz_resolver.c. */
#include <string.h>

#include "wire/edns.h"
#include "wire/header.h"
#include "wire/message.h"
#include "wire/records.h"
#include "wire/types.h"
#include "tests/fuzz/resolver_story.h"

enum reply_kind {
    REPLY_ONE,
    REPLY_TWO,
    REPLY_ALIAS,
    REPLY_NO_RECORD,
    REPLY_NO_NAME,
    REPLY_REFERRAL,
    REPLY_CUT,
    REPLY_FAILURE,
};
#define REPLY_KINDS 8

/* Beside the kind: the reply has an OPT, with a cookie. */
#define REPLY_HAS_EDNS 8u

struct reply {
    struct message asked;
    struct writer writer;
    uint16_t counts[4];
    uint32_t ttl;
    uint8_t mark;
};

/* The name of one label that is the mark: where the name's aliases, hosts and the like lead to. */
static size_t reply_target(const struct reply *reply, uint8_t *bytes_out)
{
    bytes_out[0] = 1;
    bytes_out[1] = (uint8_t)('a' + reply->mark);
    bytes_out[2] = 0;
    return 3;
}

static size_t reply_data(const struct reply *reply, uint16_t type, uint8_t *bytes_out)
{
    static const uint8_t list[] = {127, 0, 0, 2};
    memset(bytes_out, 0, 16);
    bytes_out[STORY_MARK_AT] = reply->mark;
    switch (type) {
    case TYPE_A:
        bytes_out[0] = 9;
        if (story_name_is_list(reply->mark)) {
            memcpy(bytes_out, list, sizeof list);
        }
        return 4;
    case TYPE_AAAA:
        bytes_out[0] = 0x2a;
        return 16;
    case TYPE_MX:
        bytes_out[1] = 1;
        return 2 + reply_target(reply, bytes_out + 2);
    case TYPE_TXT:
        bytes_out[0] = 3;
        return 4;
    case TYPE_CNAME:
    case TYPE_PTR:
    case TYPE_NS:
        return reply_target(reply, bytes_out);
    default:
        return 4;
    }
}

static void reply_record(struct reply *reply, unsigned section, size_t owner_at, uint16_t type)
{
    uint8_t data[16];
    struct record record = {.type = type, .class = CLASS_IN, .ttl = reply->ttl};
    record.rdata_len = (uint16_t)reply_data(reply, type, data);
    record_write(&reply->writer, owner_at, &record, data);
    reply->counts[section]++;
}

static void reply_soa(struct reply *reply)
{
    static const uint8_t data[2 + 20] = {0, 0, 0, 0, 0, 1, [21] = 60};
    const struct record record = {
        .type = TYPE_SOA, .class = CLASS_IN, .ttl = reply->ttl, .rdata_len = sizeof data};
    /* Of the zone above the name: it stands behind the first label. */
    size_t label = reply->asked.question.name[0];
    size_t owner_at = HEADER_SIZE + (label > 0 ? label + 1 : 0);
    record_write(&reply->writer, owner_at, &record, data);
    reply->counts[2]++;
}

static void reply_alias(struct reply *reply)
{
    reply_record(reply, 1, HEADER_SIZE, TYPE_CNAME);
    if (reply->asked.question.type != TYPE_CNAME) {
        /* The alias' data is the next record's owner. */
        reply_record(reply, 1, reply->writer.len - 3, reply->asked.question.type);
    }
}

static void reply_referral(struct reply *reply)
{
    reply_record(reply, 2, HEADER_SIZE, TYPE_NS);
    reply_record(reply, 3, reply->writer.len - 3, TYPE_A);
}

static void reply_edns(struct reply *reply)
{
    uint8_t cookie[EDNS_COOKIE_SIZE_MIN] = {0};
    struct edns_reply edns = {.udp_size = EDNS_UDP_SIZE, .ede = EDE_NONE};
    if (!reply->asked.edns.is_present) {
        return;
    }
    if (reply->asked.edns.cookie_len > 0) {
        memcpy(cookie, reply->asked.edns.cookie, EDNS_COOKIE_CLIENT_SIZE);
        edns.cookie = cookie;
        edns.cookie_len = sizeof cookie;
    }
    edns_write(&reply->writer, &edns);
    reply->counts[3]++;
}

/* Returns flags and rcode. */
static unsigned reply_fill(struct reply *reply, enum reply_kind kind)
{
    switch (kind) {
    case REPLY_TWO:
        reply_record(reply, 1, HEADER_SIZE, reply->asked.question.type);
        reply->ttl++;
        reply_record(reply, 2, HEADER_SIZE, TYPE_NS);
        return RCODE_NOERROR;
    case REPLY_ONE:
        reply_record(reply, 1, HEADER_SIZE, reply->asked.question.type);
        return RCODE_NOERROR;
    case REPLY_ALIAS:
        reply_alias(reply);
        return RCODE_NOERROR;
    case REPLY_NO_RECORD:
        reply_soa(reply);
        return RCODE_NOERROR;
    case REPLY_NO_NAME:
        reply_soa(reply);
        return RCODE_NXDOMAIN;
    case REPLY_REFERRAL:
        reply_referral(reply);
        return RCODE_NOERROR;
    case REPLY_CUT:
        return HEADER_TC;
    case REPLY_FAILURE:
        return reply->ttl % 2 == 0 ? RCODE_SERVFAIL : RCODE_REFUSED;
    }
    must_never("a kind of reply");
}

size_t story_reply_write(
    const struct story_line *line, unsigned kind, uint32_t ttl, uint8_t bytes_out[STORY_REPLY_MAX])
{
    struct reply reply = {.counts = {1, 0, 0, 0}, .ttl = ttl};
    must(message_read(line->message, line->len, &reply.asked) == MESSAGE_GOOD);
    reply.mark = (uint8_t)story_name_find(&reply.asked.question);
    reply.writer = writer_of(bytes_out, STORY_REPLY_MAX);
    writer_bytes(&reply.writer, line->message, reply.asked.records_at);
    unsigned flags = reply_fill(&reply, (enum reply_kind)(kind % REPLY_KINDS));
    if ((kind & REPLY_HAS_EDNS) != 0) {
        reply_edns(&reply);
    }
    must(!reply.writer.is_cut);
    header_set_flags(bytes_out, (uint16_t)(HEADER_QR | HEADER_RA | HEADER_AD | flags));
    header_set_counts(bytes_out, reply.counts);
    return reply.writer.len;
}
