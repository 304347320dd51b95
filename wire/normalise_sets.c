/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/message.h"
#include "wire/normalise_private.h"
#include "wire/rdata.h"
#include "wire/types.h"

/* Full comparisons of data in search of duplicates; only crafted sets need so many. */
#define SEEN_COMPARES_MAX 20000

/* The records of a set that have been written, by place and hash. */
struct normalise_seen {
    unsigned count;
    uint32_t compares_left;
    uint16_t offsets[MESSAGE_RECORDS_MAX];
    uint32_t hashes[MESSAGE_RECORDS_MAX];
};

bool normalise_find_sections(struct normaliser *n)
{
    struct reader reader = n->reader;
    struct record record;
    reader.at = n->reply->records_at;
    n->section_at[SECTION_ANSWER] = reader.at;
    for (unsigned i = 0; i < n->reply->counts[SECTION_ANSWER]; i++) {
        if (!record_read(&reader, &record)) {
            return false;
        }
    }
    n->section_at[SECTION_AUTHORITY] = reader.at;
    return true;
}

struct normalise_walk normalise_walk_of(const struct normaliser *n, enum section section)
{
    struct normalise_walk walk = {.reader = n->reader, .left = n->reply->counts[section]};
    walk.reader.at = n->section_at[section];
    return walk;
}

bool normalise_walk_next(
    struct normaliser *n, struct normalise_walk *walk, struct record *record_out)
{
    while (walk->left > 0 && n->visits_left > 0 && record_read(&walk->reader, record_out)) {
        walk->left--;
        n->visits_left--;
        if (record_out->class == n->reply->question.class) {
            return true;
        }
    }
    n->is_broken |= walk->left > 0;
    return false;
}

/* The type that an RRSIG signs stands first in its data (RFC 4034 section 3.1). */
static bool normalise_is_signature_of(
    const struct normaliser *n, const struct record *record, uint16_t type)
{
    return record->type == TYPE_RRSIG && record->rdata_len >= 2 &&
           bytes_get_u16(n->reader.bytes + record->rdata_at) == type;
}

static bool normalise_is_at(
    const struct normaliser *n, const struct record *record, const struct normalise_set *set)
{
    return set->owner == NULL ||
           name_equals_at(set->owner, set->owner_len, &n->reader, record->name_at);
}

/* Belongs to the set itself, or is one of its signatures. */
static bool normalise_is_in(const struct normaliser *n, const struct record *record,
    const struct normalise_set *set, bool is_signature)
{
    bool is_of_type = is_signature ? normalise_is_signature_of(n, record, set->type)
                                   : record->type == set->type || set->type == TYPE_ANY;
    return is_of_type && normalise_is_at(n, record, set);
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

static uint32_t normalise_set_ttl(struct normaliser *n, const struct normalise_set *set)
{
    struct normalise_walk walk = normalise_walk_of(n, set->section);
    bool with_signatures = normalise_wants_signatures(n, set);
    uint32_t ttl = UINT32_MAX;
    struct record record;
    while (normalise_walk_next(n, &walk, &record)) {
        bool is_in = normalise_is_in(n, &record, set, false) ||
                     (with_signatures && normalise_is_in(n, &record, set, true));
        if (is_in && record.ttl < ttl) {
            ttl = record.ttl;
        }
    }
    return normalise_ttl_in_bounds(n, set->type, ttl);
}

static void normalise_put_owner(
    struct normaliser *n, const struct record *record, const struct normalise_set *set)
{
    if (set->owner != NULL) {
        compress_write(&n->compress, &n->writer, set->owner, set->owner_len);
        return;
    }
    struct reader reader = n->reader;
    uint8_t owner[NAME_SIZE_MAX];
    size_t owner_len;
    reader.at = record->name_at;
    if (!name_read(&reader, owner, &owner_len)) {
        n->is_broken = true;
        return;
    }
    compress_write(&n->compress, &n->writer, owner, owner_len);
}

static void normalise_put_record(struct normaliser *n, const struct record *record,
    const struct normalise_set *set, uint32_t ttl)
{
    struct writer *writer = &n->writer;
    normalise_put_owner(n, record, set);
    writer_u16(writer, record->type);
    writer_u16(writer, record->class);
    writer_u32(writer, ttl);
    uint8_t *rdata_len = writer_take(writer, 2);
    size_t rdata_at = writer->len;
    if (!rdata_write(&n->reader, record, &n->compress, writer) || writer->is_cut) {
        n->is_broken = true;
        return;
    }
    bytes_put_u16(rdata_len, (uint16_t)(writer->len - rdata_at));
    n->counts[set->section]++;
    n->ttl = ttl < n->ttl ? ttl : n->ttl;
}

static bool normalise_seen_equal(
    struct normaliser *n, struct normalise_seen *seen, unsigned i, const struct record *record)
{
    struct reader reader = n->reader;
    struct record other;
    reader.at = seen->offsets[i];
    if (seen->compares_left == 0 || !record_read(&reader, &other)) {
        n->is_broken = true;
        return true;
    }
    seen->compares_left--;
    return rdata_equal(&n->reader, record, &other);
}

/* Was the same record written before (RFC 2181 section 5)? If not, it counts as written now. */
static bool normalise_seen_before(
    struct normaliser *n, struct normalise_seen *seen, const struct record *record)
{
    uint32_t hash = rdata_hash(&n->reader, record);
    for (unsigned i = 0; i < seen->count; i++) {
        if (seen->hashes[i] == hash && normalise_seen_equal(n, seen, i, record)) {
            return true;
        }
    }
    seen->offsets[seen->count] = (uint16_t)record->name_at;
    seen->hashes[seen->count] = hash;
    seen->count++;
    return false;
}

static void normalise_put_members(
    struct normaliser *n, const struct normalise_set *set, bool is_signature, uint32_t ttl)
{
    struct normalise_walk walk = normalise_walk_of(n, set->section);
    struct normalise_seen seen;
    struct record record;
    seen.count = 0;
    seen.compares_left = SEEN_COMPARES_MAX;
    while (!n->is_broken && normalise_walk_next(n, &walk, &record)) {
        if (!normalise_is_in(n, &record, set, is_signature)) {
            continue;
        }
        /* Equal data at different names are no duplicates. */
        if (set->owner != NULL && normalise_seen_before(n, &seen, &record)) {
            continue;
        }
        normalise_put_record(n, &record, set, ttl);
    }
}

void normalise_put_set(struct normaliser *n, const struct normalise_set *set)
{
    uint32_t ttl = normalise_set_ttl(n, set);
    normalise_put_members(n, set, false, ttl);
    if (normalise_wants_signatures(n, set)) {
        normalise_put_members(n, set, true, ttl);
    }
}

/* The owner of `record`, if the chain's end lies in that zone. */
static bool normalise_read_zone(struct normaliser *n, const struct record *record,
    uint8_t zone_out[NAME_SIZE_MAX], size_t *zone_len_out)
{
    struct reader reader = n->reader;
    reader.at = record->name_at;
    return name_read(&reader, zone_out, zone_len_out) &&
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
    struct record record;
    while (normalise_walk_next(n, &walk, &record)) {
        if (record.type != TYPE_SOA || !normalise_read_zone(n, &record, zone, &zone_len)) {
            continue;
        }
        struct soa soa;
        if (!soa_read(&n->reader, &record, &soa)) {
            n->is_broken = true;
            return false;
        }
        const struct normalise_set set = {SECTION_AUTHORITY, TYPE_SOA, zone, zone_len};
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
        const struct normalise_set set = {SECTION_AUTHORITY, types[i], NULL, 0};
        normalise_put_set(n, &set);
    }
}
