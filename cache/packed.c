/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/packed.h"

#include <string.h>

#include "base/must.h"
#include "wire/header.h"
#include "wire/types.h"

#include "cache/cache.h"
#include "cache/entry.h"

/* Behind the question's name. */
#define PACKED_QUESTION_TAIL 4

/* The numbers of answer and authority records. */
#define PACKED_QUESTION_TAIL 4 /* Type and class. */
#define PACKED_COUNTS_SIZE   2

#define PACKED_POINTER      0xc0u
#define PACKED_POINTER_MASK 0x3fffu

/* Behind a record's owner: type, class, TTL, length of the data. */
#define PACKED_RECORD_TAIL 10

/* Behind the two names of an SOA. */
#define PACKED_SOA_NUMBERS 20

static size_t packed_records_at(size_t name_len)
{
    return HEADER_SIZE + name_len + PACKED_QUESTION_TAIL;
}

static uint16_t packed_header_flags(unsigned kind, bool is_ad)
{
    unsigned rcode = kind == CACHE_KIND_NXDOMAIN ? RCODE_NXDOMAIN : RCODE_NOERROR;
    return (uint16_t)(HEADER_QR | (is_ad ? HEADER_AD : 0) | rcode);
}

static bool packed_is_header_told(const struct cache_fill *fill)
{
    const uint8_t *message = fill->message;
    bool is_ad = (header_flags(message) & HEADER_AD) != 0;
    return header_id(message) == 0 &&
           header_flags(message) == packed_header_flags(fill->kind, is_ad) &&
           header_qdcount(message) == 1 && header_ancount(message) <= UINT8_MAX &&
           header_nscount(message) <= UINT8_MAX && header_arcount(message) == 0;
}

static bool packed_is_question_told(const struct cache_key *key, const uint8_t *message)
{
    const uint8_t *tail = message + HEADER_SIZE + key->name_len;
    return memcmp(message + HEADER_SIZE, key->name, key->name_len) == 0 &&
           bytes_get_u16(tail) == key->type && bytes_get_u16(tail + 2) == key->class;
}

/* May the denial be given to questions of other types? */
static bool packed_is_any_type(const struct cache_key *key, const struct cache_fill *fill)
{
    return fill->is_any_type && fill->kind == CACHE_KIND_NXDOMAIN &&
           header_ancount(fill->message) == 0 && !key->wants_dnssec && !key->checking_disabled &&
           !lifetime_is_timed_proof(key->type);
}

void packed_fold(
    const struct cache_key *key, const struct cache_fill *fill, struct packed *packed_out)
{
    size_t records_at = packed_records_at(key->name_len);
    *packed_out =
        (struct packed){.flags = ENTRY_IS_VERBATIM, .rest = fill->message, .rest_len = fill->len};
    if (fill->len < records_at || !packed_is_header_told(fill) ||
        !packed_is_question_told(key, fill->message)) {
        return;
    }
    bool is_ad = (header_flags(fill->message) & HEADER_AD) != 0;
    packed_out->flags = (uint16_t)((is_ad ? ENTRY_MESSAGE_AD : 0) |
                                   (packed_is_any_type(key, fill) ? ENTRY_IS_ANY_TYPE : 0));
    packed_out->prefix[0] = (uint8_t)header_ancount(fill->message);
    packed_out->prefix[1] = (uint8_t)header_nscount(fill->message);
    packed_out->prefix_len = PACKED_COUNTS_SIZE;
    packed_out->rest = fill->message + records_at;
    packed_out->rest_len = fill->len - records_at;
}

void packed_fold_failure(unsigned failures, int ede, struct packed *packed_out)
{
    *packed_out = (struct packed){.flags = ENTRY_IS_VERBATIM, .prefix_len = 3};
    packed_out->prefix[0] = (uint8_t)(failures < UINT8_MAX ? failures : UINT8_MAX);
    bytes_put_u16(packed_out->prefix + 1, (uint16_t)ede);
}

unsigned packed_failures(const struct entry *entry)
{
    return entry_body(entry)[0];
}

int packed_ede(const struct entry *entry)
{
    return (int16_t)bytes_get_u16(entry_body(entry) + 1);
}

/* Copies the labels of a name up to its end or a compression pointer, of which the first byte is
 * returned; 1 if it is neither. */
static uint8_t packed_copy_labels(struct reader *from, struct writer *to)
{
    uint8_t len;
    while (reader_u8(from, &len)) {
        if (len == 0 || len >= PACKED_POINTER) {
            return len;
        }
        const uint8_t *label = from->bytes + from->at;
        if (len > 63 || !reader_skip(from, len)) {
            return 1;
        }
        writer_u8(to, len);
        writer_bytes(to, label, len);
    }
    return 1;
}

/* Copies a name as it stands, with `shift` added to where its compression pointer leads. */
static bool packed_copy_name(struct reader *from, struct writer *to, unsigned shift)
{
    uint8_t high = packed_copy_labels(from, to);
    uint8_t low;
    if (high == 0) {
        writer_u8(to, 0);
        return true;
    }
    if (high < PACKED_POINTER || !reader_u8(from, &low)) {
        return false;
    }
    unsigned leads_to = (((unsigned)high << 8 | low) + shift) & PACKED_POINTER_MASK;
    writer_u16(to, (uint16_t)(PACKED_POINTER << 8 | leads_to));
    return true;
}

/* Behind the owner: does it say what the head says, an SOA with the entry's TTL? */
static bool packed_is_soa_told(const struct cache_fill *fill, const uint8_t *tail)
{
    return bytes_get_u16(tail) == TYPE_SOA && bytes_get_u16(tail + 2) == CLASS_IN &&
           bytes_get_u32(tail + 4) == fill->ttl_s;
}

/* An SOA is shared as owner, length of the data, and data. */
size_t packed_authority(
    const struct cache_fill *fill, const struct packed *packed, uint8_t bytes_out[SHARED_SIZE_MAX])
{
    if (packed->prefix_len != PACKED_COUNTS_SIZE || packed->prefix[0] != 0 ||
        packed->prefix[1] != 1) {
        return 0;
    }
    struct reader from = reader_of(packed->rest, packed->rest_len);
    struct writer to = writer_of(bytes_out, SHARED_SIZE_MAX);
    unsigned back = 0u - (unsigned)(packed->rest - fill->message);
    if (!packed_copy_name(&from, &to, back) || reader_left(&from) < PACKED_RECORD_TAIL ||
        !packed_is_soa_told(fill, from.bytes + from.at)) {
        return 0;
    }
    writer_bytes(&to, from.bytes + from.at + PACKED_RECORD_TAIL - 2, 2);
    from.at += PACKED_RECORD_TAIL;
    if (!packed_copy_name(&from, &to, back) || !packed_copy_name(&from, &to, back) ||
        reader_left(&from) != PACKED_SOA_NUMBERS) {
        return 0;
    }
    writer_bytes(&to, from.bytes + from.at, PACKED_SOA_NUMBERS);
    return to.is_cut ? 0 : to.len;
}

void packed_use_shared(struct packed *packed, uint32_t reference)
{
    packed->flags |= ENTRY_IS_SHARED;
    bytes_put_u32(packed->prefix, reference);
    packed->prefix_len = 4;
    packed->rest_len = 0;
}

uint32_t packed_reference(const struct entry *entry)
{
    return bytes_get_u32(entry_body(entry));
}

/* The way back from packed_authority(). */
static void packed_unfold_authority(
    const struct entry *entry, const struct shared *shared, struct writer *to)
{
    unsigned shift = (unsigned)to->len;
    struct reader from = reader_of(shared->bytes, shared->len);
    must(packed_copy_name(&from, to, shift));
    writer_u16(to, TYPE_SOA);
    writer_u16(to, CLASS_IN);
    writer_u32(to, entry->ttl_s);
    writer_bytes(to, from.bytes + from.at, 2);
    from.at += 2;
    must(packed_copy_name(&from, to, shift) && packed_copy_name(&from, to, shift));
    writer_bytes(to, from.bytes + from.at, reader_left(&from));
}

static void packed_unfold_head(
    const struct entry *entry, uint16_t type, const uint8_t counts[2], struct writer *to)
{
    size_t name_len = entry->name_len;
    uint8_t *head = writer_take(to, HEADER_SIZE + name_len + PACKED_QUESTION_TAIL);
    must(head != NULL);
    memset(head, 0, HEADER_SIZE);
    header_set_flags(
        head, packed_header_flags(entry->kind, (entry->flags & ENTRY_MESSAGE_AD) != 0));
    bytes_put_u16(head + 4, 1);
    bytes_put_u16(head + 6, counts[0]);
    bytes_put_u16(head + 8, counts[1]);
    memcpy(head + HEADER_SIZE, entry_name(entry), name_len);
    bytes_put_u16(head + HEADER_SIZE + name_len, type);
    bytes_put_u16(head + HEADER_SIZE + name_len + 2, entry_class(entry));
}

void packed_unfold(
    const struct entry *entry, uint16_t type, const struct shared *shared, uint8_t *message_out)
{
    static const uint8_t counts_of_shared[2] = {0, 1};
    struct writer to = writer_of(message_out, entry->message_len);
    const uint8_t *body = entry_body(entry);
    if ((entry->flags & ENTRY_IS_VERBATIM) != 0) {
        writer_bytes(&to, body, entry->message_len);
    } else if ((entry->flags & ENTRY_IS_SHARED) != 0) {
        packed_unfold_head(entry, type, counts_of_shared, &to);
        packed_unfold_authority(entry, shared, &to);
    } else {
        packed_unfold_head(entry, type, body, &to);
        writer_bytes(&to, body + PACKED_COUNTS_SIZE, entry->message_len - to.len);
    }
    must(!to.is_cut && to.len == entry->message_len);
}
