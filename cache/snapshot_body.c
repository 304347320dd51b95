/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "wire/header.h"
#include "wire/message.h"
#include "wire/name.h"
#include "cache/snapshot_private.h"

#define BODY_ENTRY_FIXED 30u /* Before the name. */
#define BODY_BLOB_FIXED  13u /* Before the blob's name. */

#define BODY_WANTS_DNSSEC      0x01u
#define BODY_CHECKING_DISABLED 0x02u
#define BODY_IS_AD             0x04u
#define BODY_IS_LIST           0x08u
#define BODY_IS_ANY_TYPE       0x10u

static unsigned body_flags(const struct cache_record *record)
{
    return (record->key.wants_dnssec ? BODY_WANTS_DNSSEC : 0) |
           (record->key.checking_disabled ? BODY_CHECKING_DISABLED : 0) |
           (record->fill.is_ad ? BODY_IS_AD : 0) | (record->fill.is_list ? BODY_IS_LIST : 0) |
           (record->fill.is_any_type ? BODY_IS_ANY_TYPE : 0);
}

/* What was stored after the head was written counts as stored with it. */
void snapshot_body_write_entry(
    struct writer *writer, const struct cache_record *record, int64_t now)
{
    uint64_t age_us = record->stored_at < now ? (uint64_t)(now - record->stored_at) : 0;
    snapshot_write_u64(writer, age_us);
    writer_u32(writer, record->fill.ttl_s);
    writer_u32(writer, record->hits);
    writer_u16(writer, record->fill.origin);
    writer_u16(writer, record->key.type);
    writer_u16(writer, record->key.class);
    writer_u8(writer, (uint8_t)record->fill.kind);
    writer_u8(writer, (uint8_t)body_flags(record));
    writer_u8(writer, record->fill.ahead);
    writer_u8(writer, 0); /* For what may come. */
    writer_u16(writer, record->key.name_len);
    writer_u16(writer, (uint16_t)record->fill.len);
    writer_bytes(writer, record->key.name, record->key.name_len);
    writer_bytes(writer, record->fill.message, record->fill.len);
}

static void body_read_flags(struct cache_record *record, unsigned flags)
{
    record->key.wants_dnssec = (flags & BODY_WANTS_DNSSEC) != 0;
    record->key.checking_disabled = (flags & BODY_CHECKING_DISABLED) != 0;
    record->fill.is_ad = (flags & BODY_IS_AD) != 0;
    record->fill.is_list = (flags & BODY_IS_LIST) != 0;
    record->fill.is_any_type = (flags & BODY_IS_ANY_TYPE) != 0;
}

/* The stored form as far as those rely on it who answer with it: whole, of this question, and
 * without an OPT record. A key without a type keeps what denied the whole name. */
static bool body_is_stored_form(const struct cache_record *record)
{
    const struct cache_key *key = &record->key;
    struct message message;
    if (message_read(record->fill.message, record->fill.len, &message) != MESSAGE_GOOD ||
        message.edns.is_present || message.id != 0) {
        return false;
    }
    const struct question *question = &message.question;
    return name_equal(question->name, question->name_len, key->name, key->name_len) &&
           question->class == key->class && (key->type == 0 || question->type == key->type);
}

bool snapshot_body_read_entry(const uint8_t *body, size_t len, struct cache_record *record_out)
{
    struct cache_record *record = record_out;
    if (len < BODY_ENTRY_FIXED) {
        return false;
    }
    size_t name_len = bytes_get_u16(body + 26);
    size_t message_len = bytes_get_u16(body + 28);
    const uint8_t *name = body + BODY_ENTRY_FIXED;
    if (name_len > NAME_SIZE_MAX || len - BODY_ENTRY_FIXED < name_len + message_len ||
        !name_is_valid(name, name_len) || body[22] > CACHE_KIND_NXDOMAIN ||
        body[24] > CACHE_AHEAD_MAX) {
        return false;
    }
    uint64_t age_us = snapshot_get_u64(body);
    *record = (struct cache_record){
        .stored_at = age_us < INT64_MAX / 4 ? -(int64_t)age_us : -INT64_MAX / 4,
        .hits = bytes_get_u32(body + 12),
        .key = {.name_len = (uint8_t)name_len,
            .type = bytes_get_u16(body + 18),
            .class = bytes_get_u16(body + 20)},
        .fill = {.kind = (enum cache_kind)body[22],
            .message = name + name_len,
            .len = message_len,
            .ttl_s = bytes_get_u32(body + 8),
            .ahead = body[24],
            .origin = bytes_get_u16(body + 16),
            .birth = {.reason = CACHE_REASON_SNAPSHOT}},
    };
    memcpy(record->key.name, name, name_len);
    name_to_lower(record->key.name, name_len);
    body_read_flags(record, body[23]);
    return body_is_stored_form(record);
}

void snapshot_body_write_blob(struct writer *writer, const struct snapshot_blob *blob)
{
    writer_u16(writer, blob->version);
    writer_u32(writer, blob->weight);
    writer_u8(writer, (uint8_t)blob->name_len);
    writer_u16(writer, (uint16_t)blob->subject_len);
    writer_u32(writer, (uint32_t)blob->len);
    writer_bytes(writer, (const uint8_t *)blob->name, blob->name_len);
    writer_bytes(writer, blob->subject, blob->subject_len);
    writer_bytes(writer, blob->bytes, blob->len);
}

bool snapshot_body_read_blob(const uint8_t *body, size_t len, struct snapshot_blob *blob_out)
{
    if (len < BODY_BLOB_FIXED) {
        return false;
    }
    struct snapshot_blob *blob = blob_out;
    *blob = (struct snapshot_blob){
        .version = bytes_get_u16(body),
        .weight = bytes_get_u32(body + 2),
        .name_len = body[6],
        .subject_len = bytes_get_u16(body + 7),
        .len = bytes_get_u32(body + 9),
    };
    if (blob->name_len > SNAPSHOT_NAME_MAX || blob->subject_len > SNAPSHOT_SUBJECT_MAX ||
        blob->len > SNAPSHOT_BYTES_MAX ||
        len - BODY_BLOB_FIXED < blob->name_len + blob->subject_len + blob->len) {
        return false;
    }
    blob->name = (const char *)(body + BODY_BLOB_FIXED);
    blob->subject = body + BODY_BLOB_FIXED + blob->name_len;
    blob->bytes = blob->subject + blob->subject_len;
    return true;
}
