/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "wire/normalise_private.h"
#include "wire/rdata.h"
#include "wire/types.h"

#define SEEN_CHAINS 512 /* A power of two. */
#define SEEN_END    UINT16_MAX

/* Of a comparison of data with equal hashes that are not equal after all: up to two names each. */
#define SEEN_UNEQUAL_WORK (4 * NAME_SIZE_MAX)

/* The records of a set that have been written, by place and hash; chained by hash. */
struct normalise_seen {
    unsigned count;
    uint16_t chains[SEEN_CHAINS];
    uint16_t nexts[MESSAGE_RECORDS_MAX];
    uint16_t offsets[MESSAGE_RECORDS_MAX];
    uint32_t hashes[MESSAGE_RECORDS_MAX];
};

/* Belongs to the set itself, or is one of its signatures. */
static bool normalise_is_in(struct normaliser *n, const struct normalise_entry *entry,
    struct normalise_set *set, bool is_signature)
{
    bool is_of_type = is_signature ? entry->type == TYPE_RRSIG && entry->signed_type == set->type
                                   : entry->type == set->type || set->type == TYPE_ANY;
    return is_of_type && normalise_is_at(n, entry, &set->owner);
}

/* Signatures are sought only where they are no members already. */
static bool normalise_wants_signatures(const struct normaliser *n, const struct normalise_set *set)
{
    return n->with_dnssec && set->type != TYPE_ANY && set->type != TYPE_RRSIG;
}

/* Keys, digests and signatures are never kept longer than their owner said. */
static bool normalise_may_raise(const struct normaliser *n, uint16_t type)
{
    bool is_bound = type == TYPE_TLSA || type == TYPE_DS || type == TYPE_DNSKEY ||
                    type == TYPE_RRSIG || type == TYPE_ANY;
    return !n->with_dnssec && !is_bound;
}

static uint32_t normalise_ttl_in_bounds(const struct normaliser *n, uint16_t type, uint32_t ttl)
{
    if (ttl < n->limits->ttl_min && normalise_may_raise(n, type)) {
        ttl = n->limits->ttl_min;
    }
    return ttl < n->limits->ttl_max ? ttl : n->limits->ttl_max;
}

static uint32_t normalise_set_ttl(struct normaliser *n, struct normalise_set *set)
{
    struct normalise_walk walk = normalise_walk_of(n, set->section);
    bool with_signatures = normalise_wants_signatures(n, set);
    uint32_t ttl = UINT32_MAX;
    const struct normalise_entry *entry;
    while ((entry = normalise_walk_next(n, &walk)) != NULL) {
        bool is_in = normalise_is_in(n, entry, set, false) ||
                     (with_signatures && normalise_is_in(n, entry, set, true));
        if (!is_in) {
            continue;
        }
        uint32_t record_ttl = normalise_record_of(n, entry).ttl;
        ttl = record_ttl < ttl ? record_ttl : ttl;
    }
    return normalise_ttl_in_bounds(n, set->type, ttl);
}

/* Most records of a set repeat a pointer, which need not be found again. */
static void normalise_put_known_owner(struct normaliser *n, struct normalise_owner *owner)
{
    struct writer *writer = &n->writer;
    size_t start = writer->len;
    if (owner->pointer != 0) {
        writer_u16(writer, owner->pointer);
        return;
    }
    compress_write(&n->compress, writer, owner->name, owner->len);
    /* No name has two bytes but a pointer. */
    if (!writer->is_cut && writer->len - start == 2) {
        owner->pointer = bytes_get_u16(writer->bytes + start);
    }
}

static void normalise_put_owner(
    struct normaliser *n, const struct record *record, struct normalise_owner *owner)
{
    if (owner->name != NULL) {
        normalise_put_known_owner(n, owner);
        return;
    }
    struct reader reader = n->reader;
    uint8_t name[NAME_SIZE_MAX];
    size_t len;
    reader.at = record->name_at;
    if (!name_read(&reader, name, &len)) {
        n->is_broken = true;
        return;
    }
    compress_write(&n->compress, &n->writer, name, len);
}

static void normalise_put_record(
    struct normaliser *n, const struct record *record, struct normalise_set *set, uint32_t ttl)
{
    struct writer *writer = &n->writer;
    uint32_t compress_work = n->compress.work;
    normalise_put_owner(n, record, &set->owner);
    writer_u16(writer, record->type);
    writer_u16(writer, record->class);
    writer_u32(writer, ttl);
    uint8_t *rdata_len = writer_take(writer, 2);
    size_t rdata_at = writer->len;
    bool is_whole = rdata_write(&n->reader, record, &n->compress, writer) && !writer->is_cut;
    if (!normalise_spend(n, n->compress.work - compress_work) || !is_whole) {
        n->is_broken = true;
        return;
    }
    bytes_put_u16(rdata_len, (uint16_t)(writer->len - rdata_at));
    n->counts[set->section]++;
    n->ttl = ttl < n->ttl ? ttl : n->ttl;
}

static void normalise_seen_init(struct normalise_seen *seen)
{
    seen->count = 0;
    memset(seen->chains, 0xff, sizeof(seen->chains));
}

static bool normalise_seen_equal(
    struct normaliser *n, size_t other_at, const struct record *record, size_t work)
{
    struct reader reader = n->reader;
    struct record other;
    reader.at = other_at;
    bool is_equal = record_read(&reader, &other) && rdata_equal(&n->reader, record, &other);
    normalise_spend(n, is_equal ? 2 * work : work + SEEN_UNEQUAL_WORK);
    return is_equal;
}

/* Was the same record written before (RFC 2181 section 5)? If not, it counts as written now. */
static bool normalise_seen_before(
    struct normaliser *n, struct normalise_seen *seen, const struct record *record)
{
    size_t work;
    uint32_t hash = rdata_hash(&n->reader, record, &work);
    uint16_t *chain = &seen->chains[(hash ^ hash >> 16) % SEEN_CHAINS];
    normalise_spend(n, work);
    for (uint16_t i = *chain; i != SEEN_END && normalise_spend(n, 1); i = seen->nexts[i]) {
        if (seen->hashes[i] == hash && normalise_seen_equal(n, seen->offsets[i], record, work)) {
            return true;
        }
    }
    uint16_t at = (uint16_t)seen->count++;
    seen->offsets[at] = (uint16_t)record->name_at;
    seen->hashes[at] = hash;
    seen->nexts[at] = *chain;
    *chain = at;
    return false;
}

static void normalise_put_members(
    struct normaliser *n, struct normalise_set *set, bool is_signature, uint32_t ttl)
{
    struct normalise_walk walk = normalise_walk_of(n, set->section);
    struct normalise_seen seen;
    const struct normalise_entry *entry;
    normalise_seen_init(&seen);
    while ((entry = normalise_walk_next(n, &walk)) != NULL) {
        if (!normalise_is_in(n, entry, set, is_signature)) {
            continue;
        }
        struct record record = normalise_record_of(n, entry);
        /* Equal data at different names are no duplicates. */
        if (set->owner.name != NULL && normalise_seen_before(n, &seen, &record)) {
            continue;
        }
        normalise_put_record(n, &record, set, ttl);
    }
}

void normalise_put_set(struct normaliser *n, struct normalise_set *set)
{
    uint32_t ttl = normalise_set_ttl(n, set);
    normalise_put_members(n, set, false, ttl);
    if (normalise_wants_signatures(n, set)) {
        normalise_put_members(n, set, true, ttl);
    }
}

/* The owner of the record, if the chain's end lies in that zone. */
static bool normalise_read_zone(struct normaliser *n, const struct normalise_entry *entry,
    uint8_t zone_out[NAME_SIZE_MAX], size_t *zone_len_out)
{
    struct reader reader = n->reader;
    reader.at = entry->label_at;
    return name_read(&reader, zone_out, zone_len_out) && normalise_spend(n, *zone_len_out) &&
           name_is_under(n->name, n->name_len, zone_out, *zone_len_out);
}

static uint32_t normalise_negative_ttl(
    const struct normaliser *n, const struct record *record, const struct soa *soa)
{
    uint32_t ttl = record->ttl < soa->minimum ? record->ttl : soa->minimum;
    return ttl < n->limits->negative_ttl_max ? ttl : n->limits->negative_ttl_max;
}

bool normalise_put_soa(struct normaliser *n)
{
    struct normalise_walk walk = normalise_walk_of(n, SECTION_AUTHORITY);
    uint8_t zone[NAME_SIZE_MAX];
    size_t zone_len;
    const struct normalise_entry *entry;
    while ((entry = normalise_walk_next(n, &walk)) != NULL) {
        if (entry->type != TYPE_SOA || !normalise_read_zone(n, entry, zone, &zone_len)) {
            continue;
        }
        struct record record = normalise_record_of(n, entry);
        struct soa soa;
        if (!soa_read(&n->reader, &record, &soa)) {
            n->is_broken = true;
            return false;
        }
        struct normalise_set set = normalise_set_of(SECTION_AUTHORITY, TYPE_SOA, zone, zone_len);
        uint32_t ttl = normalise_negative_ttl(n, &record, &soa);
        normalise_put_record(n, &record, &set, ttl);
        if (normalise_wants_signatures(n, &set)) {
            normalise_put_members(n, &set, true, ttl);
        }
        return true;
    }
    return false;
}

void normalise_put_proofs(struct normaliser *n)
{
    static const uint16_t types[] = {TYPE_NSEC, TYPE_NSEC3};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && n->with_dnssec; i++) {
        struct normalise_set set = {.section = SECTION_AUTHORITY, .type = types[i]};
        normalise_put_set(n, &set);
    }
}
