/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input: three bytes that choose the limits, then a reply. The stored form must be a message that
 * ldns reads too, hold only the chain of the asked name, and not change when it is made once more.
 */
#include <string.h>

#include "referee.h"
#include "stored.h"

#define NORMALISE_INPUT_FIXED 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where the chain stands while the answer section is read. */
struct chain {
    uint8_t name[NAME_SIZE_MAX];
    size_t len;
    uint8_t last[NAME_SIZE_MAX]; /* The name before: signatures of its alias come late. */
    size_t last_len;
    uint16_t asked;
};

static uint16_t chain_type_of(const struct reader *reader, const struct record *record)
{
    if (record->type == TYPE_RRSIG && record->rdata_len >= 2) {
        return bytes_get_u16(reader->bytes + record->rdata_at);
    }
    return record->type;
}

static void chain_check_owner(
    const struct chain *chain, const struct reader *reader, const struct record *record)
{
    struct reader owner_reader = *reader;
    uint8_t owner[NAME_SIZE_MAX];
    size_t len = 0;
    owner_reader.at = record->name_at;
    must(name_read(&owner_reader, owner, &len));
    bool is_here = name_equal(owner, len, chain->name, chain->len);
    bool is_last = name_equal(owner, len, chain->last, chain->last_len);
    bool is_above = chain_type_of(reader, record) == TYPE_DNAME && len < chain->len &&
                    name_is_under(chain->name, chain->len, owner, len);
    must(is_here || is_above || (is_last && record->type == TYPE_RRSIG));
}

static void chain_follow(
    struct chain *chain, const struct reader *reader, const struct record *record)
{
    bool is_link =
        record->type == TYPE_CNAME && chain->asked != TYPE_CNAME && chain->asked != TYPE_ANY;
    if (is_link) {
        memcpy(chain->last, chain->name, chain->len);
        chain->last_len = chain->len;
        must(rdata_read_name(reader, record, chain->name, &chain->len));
    }
}

static void stored_check_records(const struct stored *stored, const struct message *message,
    const struct normalise_limits *limits)
{
    struct chain chain = {.len = message->question.name_len, .asked = message->question.type};
    struct reader reader = reader_of(message->bytes, message->len);
    uint32_t ttl = UINT32_MAX;
    memcpy(chain.name, message->question.name, chain.len);
    reader.at = message->records_at;
    for (unsigned i = 0; reader_left(&reader) > 0; i++) {
        struct record record;
        must(record_read(&reader, &record));
        struct reader fresh = reader_of(message->bytes, message->len);
        must(rdata_is_valid(&fresh, &record) && record.class == message->question.class);
        must(record.ttl <= limits->ttl_max || record.ttl <= limits->negative_ttl_max);
        ttl = record.ttl < ttl ? record.ttl : ttl;
        if (i < message->counts[1]) {
            chain_check_owner(&chain, &fresh, &record);
            chain_follow(&chain, &fresh, &record);
        }
    }
    if (stored->verdict != NORMALISE_ANSWER && ttl > limits->negative_ttl_max) {
        ttl = limits->negative_ttl_max;
    }
    must(stored->normalised.ttl == ttl);
    must(message->counts[1] > 0 || stored->verdict != NORMALISE_ANSWER);
}

/* The stored form has no OPT record, so DO is carried over by hand. */
static void stored_check_again(const struct stored *stored, const struct message *message,
    const struct normalise_limits *limits, bool wants_dnssec)
{
    struct message reply = *message;
    struct stored again;
    reply.edns.wants_dnssec = wants_dnssec;
    stored_make(&again, &reply, limits, 0);
    must(again.verdict == stored->verdict);
    must(again.normalised.len == stored->normalised.len);
    must(again.normalised.ttl == stored->normalised.ttl);
    must(again.normalised.has_soa == stored->normalised.has_soa);
    must(again.normalised.is_chained == stored->normalised.is_chained);
    must(memcmp(again.bytes, stored->bytes, again.normalised.len) == 0);
    stored_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message reply;
    struct message message;
    struct stored stored;
    if (size < NORMALISE_INPUT_FIXED) {
        return 0;
    }
    const struct normalise_limits limits = {
        .ttl_min = data[0],
        .ttl_max = 255u + 300u * data[1],
        .negative_ttl_max = 30u * data[2],
    };
    data += NORMALISE_INPUT_FIXED;
    size -= NORMALISE_INPUT_FIXED;
    if (message_read(data, size, &reply) != MESSAGE_GOOD) {
        return 0;
    }
    stored_make(&stored, &reply, &limits, 64);
    if (stored_is_whole(&stored)) {
        must(message_read(stored.bytes, stored.normalised.len, &message) == MESSAGE_GOOD);
        must(question_equal(&message.question, &reply.question));
        stored_check_records(&stored, &message, &limits);
        stored_check_again(&stored, &message, &limits, reply.edns.wants_dnssec);
        referee_agrees(&message);
    }
    stored_free(&stored);
    return 0;
}
