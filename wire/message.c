/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/message.h"

#include <string.h>

#include "wire/records.h"
#include "wire/types.h"

enum message_section {
    MESSAGE_QUESTION,
    MESSAGE_ANSWER,
    MESSAGE_AUTHORITY,
    MESSAGE_ADDITIONAL,
    MESSAGE_SECTIONS,
};

/* The TTL of an OPT record is no time, so it is read raw. The owner must be the plain root (RFC
 * 6891 section 6.1.2). Of a wrong one it is known that it was there. */
static bool message_read_opt(
    struct message *message, enum message_section section, const struct record *record)
{
    const uint8_t *bytes = message->bytes;
    if (section != MESSAGE_ADDITIONAL || message->edns.is_present) {
        return false;
    }
    bool is_good = edns_read(record->class, bytes_get_u32(bytes + record->ttl_at),
        bytes + record->rdata_at, record->rdata_len, &message->edns);
    return is_good && bytes[record->name_at] == 0;
}

/* Owner names are followed to their end here, once, so that later walks may trust them. */
static bool message_read_section(
    struct message *message, enum message_section section, struct reader *reader)
{
    for (unsigned i = 0; i < message->counts[section]; i++) {
        struct reader owner = *reader;
        struct record record;
        uint8_t name[NAME_SIZE_MAX];
        size_t name_len;
        if (!name_read(&owner, name, &name_len) || !record_read(reader, &record)) {
            return false;
        }
        reader->hops_left = owner.hops_left;
        if (record.type == TYPE_OPT && !message_read_opt(message, section, &record)) {
            return false;
        }
    }
    return true;
}

static bool message_read_body(struct message *message)
{
    struct reader reader = reader_of(message->bytes, message->len);
    uint32_t records = (uint32_t)message->counts[MESSAGE_ANSWER] +
                       message->counts[MESSAGE_AUTHORITY] + message->counts[MESSAGE_ADDITIONAL];
    reader.at = HEADER_SIZE;
    if (message->counts[MESSAGE_QUESTION] != 1 || records > MESSAGE_RECORDS_MAX ||
        !question_read(&reader, &message->question)) {
        return false;
    }
    message->records_at = reader.at;
    return message_read_section(message, MESSAGE_ANSWER, &reader) &&
           message_read_section(message, MESSAGE_AUTHORITY, &reader) &&
           message_read_section(message, MESSAGE_ADDITIONAL, &reader) && reader_left(&reader) == 0;
}

enum message_verdict message_read(const uint8_t *bytes, size_t len, struct message *message_out)
{
    struct message *message = message_out;
    if (len < HEADER_SIZE) {
        memset(message, 0, sizeof(*message));
        return MESSAGE_SHORT;
    }
    message->edns = (struct edns){0};
    message->bytes = bytes;
    message->len = len;
    message->id = header_id(bytes);
    message->flags = header_flags(bytes);
    message->opcode = header_opcode(bytes);
    message->rcode = header_rcode(bytes);
    for (unsigned i = 0; i < MESSAGE_SECTIONS; i++) {
        message->counts[i] = bytes_get_u16(bytes + 4 + 2 * i);
    }
    if (len > MESSAGE_SIZE_MAX || !message_read_body(message)) {
        if (!message->edns.is_present) {
            memset(&message->question, 0, sizeof(message->question));
            message->records_at = 0;
        }
        return MESSAGE_MALFORMED;
    }
    message->rcode |= (unsigned)message->edns.rcode_upper << 4;
    return MESSAGE_GOOD;
}
