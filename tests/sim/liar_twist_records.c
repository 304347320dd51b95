/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/liar_twist.h"

#include <string.h>

#include "wire/types.h"

/* Each field of each record. Variants are records times values. */
#define VALUES(values) (sizeof(values) / sizeof(values)[0])

static unsigned per_record(const struct tale *truth, size_t values)
{
    return (unsigned)(truth->count * values);
}

static struct tale_record *record_at(struct tale *tale, unsigned variant, size_t values)
{
    static struct tale_record none;
    size_t index = variant / values;
    return index < tale->count ? &tale->records[index] : &none;
}

/* ---- Owner ---- */

static const char *const owners[] = {"victim.example.", "sub.victim.example.", "example.", ".",
    "other.", "bank.other.", "mail.example.", "mx.example.", "nothing.example.", "*.example."};

static unsigned owner_count(const struct tale *truth, size_t len)
{
    (void)len;
    return per_record(truth, VALUES(owners));
}

static void owner(struct tale *tale, unsigned variant)
{
    record_at(tale, variant, VALUES(owners))->owner = tale_name(owners[variant % VALUES(owners)]);
}

#define OWNER_KINDS 3

static unsigned owner_near_count(const struct tale *truth, size_t len)
{
    (void)len;
    return per_record(truth, OWNER_KINDS);
}

/* A name below it, the one above it, and a letter of another case. */
static void owner_near(struct tale *tale, unsigned variant)
{
    struct world_name *name = &record_at(tale, variant, OWNER_KINDS)->owner;
    unsigned kind = variant % OWNER_KINDS;
    if (kind == 0 && name->len < 250) {
        memmove(name->bytes + 2, name->bytes, name->len);
        memcpy(name->bytes, "\1x", 2);
        name->len = (uint8_t)(name->len + 2);
    } else if (kind == 1 && name->len > 1) {
        size_t label = 1u + name->bytes[0];
        name->len = (uint8_t)(name->len - label);
        memmove(name->bytes, name->bytes + label, name->len);
    } else if (name->len > 1) {
        name->bytes[1] ^= name->bytes[1] >= 'A' ? 0x20 : 0;
    }
}

/* ---- Type, class, TTL ---- */

static const uint16_t types[] = {0, TYPE_A, TYPE_NS, TYPE_CNAME, TYPE_SOA, TYPE_PTR, TYPE_MX,
    TYPE_TXT, TYPE_SIG, TYPE_AAAA, TYPE_SRV, TYPE_DNAME, TYPE_OPT, TYPE_DS, TYPE_RRSIG, TYPE_NSEC,
    TYPE_DNSKEY, TYPE_NSEC3, TYPE_TLSA, TYPE_TKEY, TYPE_TSIG, TYPE_AXFR, TYPE_ANY, 257, 65535};

static unsigned type_count(const struct tale *truth, size_t len)
{
    (void)len;
    return per_record(truth, VALUES(types));
}

static void type(struct tale *tale, unsigned variant)
{
    record_at(tale, variant, VALUES(types))->type = types[variant % VALUES(types)];
}

static const uint16_t classes[] = {0, 2, CLASS_CH, 4, CLASS_NONE, CLASS_ANY, 0x0101, 0x8001, 65535};

static unsigned class_count(const struct tale *truth, size_t len)
{
    (void)len;
    return per_record(truth, VALUES(classes));
}

static void class(struct tale *tale, unsigned variant)
{
    record_at(tale, variant, VALUES(classes))->class = classes[variant % VALUES(classes)];
}

static const uint32_t ttls[] = {0, 1, 86400, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff};

static unsigned ttl_count(const struct tale *truth, size_t len)
{
    (void)len;
    return per_record(truth, VALUES(ttls));
}

static void ttl(struct tale *tale, unsigned variant)
{
    record_at(tale, variant, VALUES(ttls))->ttl = ttls[variant % VALUES(ttls)];
}

static unsigned ttl_all_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return VALUES(ttls);
}

static void ttl_all(struct tale *tale, unsigned variant)
{
    for (size_t i = 0; i < tale->count; i++) {
        tale->records[i].ttl = tale->records[i].type == TYPE_OPT ? 0 : ttls[variant];
    }
}

/* ---- Data ---- */

static const int lengths[] = {-2, -1, 1, 2, 4, 256};
#define LENGTHS (VALUES(lengths) + 2)

static unsigned length_count(const struct tale *truth, size_t len)
{
    (void)len;
    return per_record(truth, LENGTHS);
}

/* RDLENGTH says so, the data is as it was. */
static void length_told(struct tale *tale, unsigned variant)
{
    struct tale_record *record = record_at(tale, variant, LENGTHS);
    unsigned kind = variant % LENGTHS;
    if (kind < VALUES(lengths)) {
        record->len_told = (record->len + lengths[kind]) & 0xffff;
    } else {
        record->len_told = kind == VALUES(lengths) ? 0 : 65535;
    }
}

static unsigned data_length_count(const struct tale *truth, size_t len)
{
    (void)len;
    return per_record(truth, VALUES(lengths));
}

/* The data is so much shorter or longer, and RDLENGTH is right. */
static void data_length(struct tale *tale, unsigned variant)
{
    struct tale_record *record = record_at(tale, variant, VALUES(lengths));
    int length = lengths[variant % VALUES(lengths)];
    struct tale_record form = *record;
    uint8_t data[1024] = {0};
    if (record->len == 0 || record->len > 512) {
        return;
    }
    memcpy(data, tale_data(tale, record), record->len);
    int wanted = record->len + length;
    *record = *tale_put(tale, &form, data, wanted > 0 ? (size_t)wanted : 0);
    record->is_broken = true;
    tale->count--;
}

static unsigned data_none_count(const struct tale *truth, size_t len)
{
    (void)len;
    return per_record(truth, 1);
}

static void data_none(struct tale *tale, unsigned variant)
{
    record_at(tale, variant, 1)->len = 0;
}

#define DATA_BYTES 24

static unsigned data_byte_count(const struct tale *truth, size_t len)
{
    (void)len;
    return per_record(truth, DATA_BYTES);
}

/* One byte of the data is another one. */
static void data_byte(struct tale *tale, unsigned variant)
{
    struct tale_record *record = record_at(tale, variant, DATA_BYTES);
    size_t at = variant % DATA_BYTES;
    if (at < record->len) {
        tale->heap[record->data_at + at] ^= 0x15;
        record->is_broken = true;
    }
}

/* ---- Records as a whole ---- */

static void twice(struct tale *tale, unsigned variant)
{
    const struct tale_record *record = record_at(tale, variant, 1);
    struct tale_record form = *record;
    uint8_t data[2048];
    if (record->len <= sizeof data && form.section != 0) {
        memcpy(data, tale_data(tale, record), record->len);
        tale_put(tale, &form, data, form.len);
    }
}

static void gone(struct tale *tale, unsigned variant)
{
    if (variant < tale->count) {
        tale_remove(tale, variant);
    }
}

static unsigned section_count(const struct tale *truth, size_t len)
{
    (void)len;
    return per_record(truth, 3);
}

static void section(struct tale *tale, unsigned variant)
{
    record_at(tale, variant, 3)->section = 1 + variant % 3;
}

static unsigned sections_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 5;
}

/* All records of the sections in other ones. */
static void sections(struct tale *tale, unsigned variant)
{
    static const unsigned orders[5][4] = {
        {0, 1, 3, 2}, {0, 2, 1, 3}, {0, 2, 3, 1}, {0, 3, 1, 2}, {0, 3, 2, 1}};
    for (size_t i = 0; i < tale->count; i++) {
        tale->records[i].section = orders[variant][tale->records[i].section];
    }
}

static unsigned one(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 1;
}

static void reversed(struct tale *tale, unsigned variant)
{
    (void)variant;
    for (size_t i = 0; i < tale->count / 2; i++) {
        struct tale_record kept = tale->records[i];
        tale->records[i] = tale->records[tale->count - 1 - i];
        tale->records[tale->count - 1 - i] = kept;
    }
}

static const struct twist rows[] = {
    {"owner", owner_count, owner, NULL},
    {"owner below, above, respelled", owner_near_count, owner_near, NULL},
    {"type", type_count, type, NULL},
    {"class", class_count, class, NULL},
    {"TTL", ttl_count, ttl, NULL},
    {"TTL of all", ttl_all_count, ttl_all, NULL},
    {"RDLENGTH", length_count, length_told, NULL},
    {"data shorter or longer", data_length_count, data_length, NULL},
    {"data gone", data_none_count, data_none, NULL},
    {"data, a byte", data_byte_count, data_byte, NULL},
    {"record twice", data_none_count, twice, NULL},
    {"record gone", data_none_count, gone, NULL},
    {"record in another section", section_count, section, NULL},
    {"sections exchanged", sections_count, sections, NULL},
    {"records in reverse", one, reversed, NULL},
};

const struct twist_table twists_records = {"records", rows, sizeof rows / sizeof rows[0], false};
