/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/cut.h"

#include <string.h>

#include "wire/header.h"
#include "wire/name.h"
#include "wire/question.h"
#include "wire/records.h"
#include "wire/types.h"

/* Serial, refresh, retry, expire and minimum. */
#define CUT_SOA_NUMBERS_SIZE 20

/* Not the names of the top: what denies one of them is too large a claim to draw conclusions. */
#define CUT_LABELS_MIN 2

static bool cut_is_type(uint16_t type)
{
    return type != 0 && type != TYPE_TLSA && type != TYPE_DS && type != TYPE_DNSKEY &&
           type != TYPE_RRSIG && type != TYPE_NSEC && type != TYPE_NSEC3;
}

static bool cut_is_service(const uint8_t *name)
{
    return name[0] > 0 && name[1] == '_';
}

static bool cut_is_plain(const struct cache_key *key)
{
    return !key->wants_dnssec && !key->checking_disabled && key->class == CLASS_IN &&
           cut_is_type(key->type) && !cut_is_service(key->name);
}

bool cut_is_denial(const struct cache_key *key)
{
    return cut_is_plain(key) && name_label_count(key->name, key->name_len) >= CUT_LABELS_MIN;
}

bool cut_is_for(const struct cache_key *key, bool is_list)
{
    return !is_list && cut_is_plain(key);
}

bool cut_key(const struct cache_key *key, unsigned labels_up, struct cache_key *key_out)
{
    size_t at = 0;
    if (labels_up > CUT_LABELS_MAX) {
        return false;
    }
    for (unsigned i = 0; i < labels_up && key->name[at] != 0; i++) {
        at += (size_t)key->name[at] + 1;
    }
    const uint8_t *name = key->name + at;
    size_t len = key->name_len - at;
    if (name_label_count(name, len) < CUT_LABELS_MIN) {
        return false;
    }
    *key_out = (struct cache_key){.name_len = (uint8_t)len, .class = key->class};
    memcpy(key_out->name, name, len);
    return true;
}

/* The SOA of a denial without a chain. Records of other types are passed by. */
static bool cut_find_soa(struct reader *stored, struct record *soa_out)
{
    struct question question;
    if (stored->len < HEADER_SIZE || header_rcode(stored->bytes) != RCODE_NXDOMAIN ||
        header_ancount(stored->bytes) != 0) {
        return false;
    }
    stored->at = HEADER_SIZE;
    if (!question_read(stored, &question)) {
        return false;
    }
    while (record_read(stored, soa_out)) {
        if (soa_out->type == TYPE_SOA) {
            return true;
        }
    }
    return false;
}

/* Names go in full: pointers into the stored question would lead astray behind another one. */
static bool cut_write_soa(struct writer *writer, const struct reader *stored,
    const struct record *soa, const struct cache_key *key)
{
    struct reader reader = *stored;
    uint8_t owner[NAME_SIZE_MAX];
    uint8_t names[2][NAME_SIZE_MAX];
    size_t owner_len;
    size_t lens[2];
    reader.at = soa->name_at;
    if (!name_read(&reader, owner, &owner_len) ||
        !name_is_under(key->name, key->name_len, owner, owner_len)) {
        return false;
    }
    reader.at = soa->rdata_at;
    if (!name_read(&reader, names[0], &lens[0]) || !name_read(&reader, names[1], &lens[1]) ||
        reader.at + CUT_SOA_NUMBERS_SIZE != soa->rdata_at + soa->rdata_len) {
        return false;
    }
    /* The zone's name is an end of the asked one, which stands right behind the header. */
    writer_u16(writer, (uint16_t)(0xc000u | (HEADER_SIZE + key->name_len - owner_len)));
    writer_u16(writer, soa->type);
    writer_u16(writer, soa->class);
    writer_u32(writer, soa->ttl);
    writer_u16(writer, (uint16_t)(lens[0] + lens[1] + CUT_SOA_NUMBERS_SIZE));
    writer_bytes(writer, names[0], lens[0]);
    writer_bytes(writer, names[1], lens[1]);
    writer_bytes(writer, stored->bytes + reader.at, CUT_SOA_NUMBERS_SIZE);
    return true;
}

size_t cut_compose(const struct cache_key *key, const uint8_t *stored, size_t stored_len,
    uint8_t *bytes_out, size_t size)
{
    struct reader reader = reader_of(stored, stored_len);
    struct writer writer = writer_of(bytes_out, size);
    struct record soa;
    if (!cut_find_soa(&reader, &soa)) {
        return 0;
    }
    const uint16_t counts[4] = {1, 0, 1, 0};
    writer_take(&writer, HEADER_SIZE);
    writer_bytes(&writer, key->name, key->name_len);
    writer_u16(&writer, key->type);
    writer_u16(&writer, key->class);
    if (!cut_write_soa(&writer, &reader, &soa, key) || writer.is_cut) {
        return 0;
    }
    header_set_id(bytes_out, 0);
    header_set_flags(bytes_out, HEADER_QR | HEADER_RA | RCODE_NXDOMAIN);
    header_set_counts(bytes_out, counts);
    return writer.len;
}
