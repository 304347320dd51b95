/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/delegation.h"

#include <string.h>

#include "base/hash.h"
#include "wire/header.h"
#include "wire/message.h"
#include "wire/records.h"
#include "wire/types.h"

#define DELEGATION_PORT 53

/* A walk over the records of some sections. */
struct delegation_walk {
    struct reader reader;
    unsigned left;    /* Records of the sections that are walked. */
    unsigned allowed; /* Records that may still be looked at. */
};

/* The name servers of one cut, as they come along. */
struct delegation_seen {
    struct delegation_name names[DELEGATION_SEEN_MAX];
    size_t count;
};

void delegation_name_set(struct delegation_name *name, const uint8_t *bytes, size_t len)
{
    memcpy(name->bytes, bytes, len);
    name->len = (uint8_t)len;
    name_to_lower(name->bytes, len);
}

bool delegation_name_equal(const struct delegation_name *a, const struct delegation_name *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool delegation_name_is_under(
    const struct delegation_name *name, const struct delegation_name *zone)
{
    return name_is_under(name->bytes, name->len, zone->bytes, zone->len);
}

/* Walks the records from the first of section `first` (1: answer) to the last of section `last`. */
static struct delegation_walk delegation_walk_of(
    const struct message *reply, unsigned first, unsigned last)
{
    struct delegation_walk walk = {
        .reader = reader_of(reply->bytes, reply->len), .allowed = DELEGATION_RECORDS_MAX};
    struct record skipped;
    walk.reader.at = reply->records_at;
    for (unsigned section = 1; section < first; section++) {
        for (unsigned i = 0; i < reply->counts[section]; i++) {
            if (walk.allowed == 0 || !record_read(&walk.reader, &skipped)) {
                return walk;
            }
            walk.allowed--;
        }
    }
    for (unsigned section = first; section <= last; section++) {
        walk.left += reply->counts[section];
    }
    return walk;
}

static bool delegation_walk_next(struct delegation_walk *walk, struct record *record_out)
{
    if (walk->left == 0 || walk->allowed == 0 || !record_read(&walk->reader, record_out)) {
        return false;
    }
    walk->left--;
    walk->allowed--;
    return true;
}

/* The name where the reader stands, which steps behind it; false: there is none. */
static bool delegation_name_read(
    struct delegation_walk *walk, struct reader *reader, struct delegation_name *name_out)
{
    uint8_t bytes[NAME_SIZE_MAX];
    size_t len;
    bool is_name = name_read(reader, bytes, &len);
    walk->reader.hops_left = reader->hops_left;
    if (is_name) {
        delegation_name_set(name_out, bytes, len);
    }
    return is_name;
}

static bool delegation_name_at(
    struct delegation_walk *walk, size_t at, struct delegation_name *name_out)
{
    struct reader reader = walk->reader;
    reader.at = at;
    return delegation_name_read(walk, &reader, name_out);
}

/* The name that an NS record gives; data with less or more than a name is none. */
static bool delegation_server_of(
    struct delegation_walk *walk, const struct record *record, struct delegation_name *name_out)
{
    struct reader reader = walk->reader;
    reader.at = record->rdata_at;
    reader.len = record->rdata_at + record->rdata_len;
    return delegation_name_read(walk, &reader, name_out) && reader.at == reader.len;
}

static bool delegation_seen_has(
    const struct delegation_seen *seen, const struct delegation_name *name)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (delegation_name_equal(&seen->names[i], name)) {
            return true;
        }
    }
    return false;
}

static void delegation_see(struct delegation_walk *walk, const struct record *record,
    struct delegation_seen *seen, struct delegation *delegation)
{
    struct delegation_name name;
    if (seen->count == DELEGATION_SEEN_MAX || !delegation_server_of(walk, record, &name) ||
        delegation_seen_has(seen, &name)) {
        return;
    }
    seen->names[seen->count++] = name;
    delegation->ttl = record->ttl < delegation->ttl ? record->ttl : delegation->ttl;
}

/* The NS records of one owner; the owner of the first one, when delegation->cut is empty. */
static void delegation_collect(struct delegation_walk *walk, unsigned count,
    struct delegation_seen *seen, struct delegation *delegation)
{
    struct record record;
    struct delegation_name owner;
    delegation->ttl = UINT32_MAX;
    for (unsigned i = 0; i < count && delegation_walk_next(walk, &record); i++) {
        if (record.type != TYPE_NS || record.class != CLASS_IN ||
            !delegation_name_at(walk, record.name_at, &owner)) {
            continue;
        }
        if (delegation->cut.len == 0) {
            delegation->cut = owner;
        }
        if (delegation_name_equal(&owner, &delegation->cut)) {
            delegation_see(walk, &record, seen, delegation);
        }
    }
}

/* Takes the name in, in place of the one that the lot likes least if there is no room. */
static void delegation_choose(const struct delegation_name *name, uint64_t lot,
    uint64_t lots[DELEGATION_NAMES_MAX], struct delegation *delegation)
{
    size_t place = delegation->name_count;
    if (place < DELEGATION_NAMES_MAX) {
        delegation->name_count++;
    } else {
        place = 0;
        for (size_t i = 1; i < DELEGATION_NAMES_MAX; i++) {
            place = lots[i] > lots[place] ? i : place;
        }
        if (lots[place] <= lot) {
            return;
        }
    }
    delegation->names[place] = *name;
    lots[place] = lot;
}

static void delegation_choose_all(const struct delegation_case *asked,
    const struct delegation_seen *seen, struct delegation *delegation)
{
    uint64_t lots[DELEGATION_NAMES_MAX] = {0};
    for (size_t i = 0; i < seen->count; i++) {
        const struct delegation_name *name = &seen->names[i];
        uint64_t lot = hash_siphash13(asked->secret, name->bytes, name->len);
        delegation_choose(name, lot, lots, delegation);
    }
}

/* False: the record is no address. */
static bool delegation_address_of(
    const struct delegation_walk *walk, const struct record *record, struct address *address_out)
{
    bool is_ipv4 = record->type == TYPE_A && record->rdata_len == 4;
    bool is_ipv6 = record->type == TYPE_AAAA && record->rdata_len == 16;
    if (record->class != CLASS_IN || (!is_ipv4 && !is_ipv6)) {
        return false;
    }
    *address_out =
        (struct address){.family = is_ipv4 ? ADDRESS_IPV4 : ADDRESS_IPV6, .port = DELEGATION_PORT};
    memcpy(address_out->bytes, walk->reader.bytes + record->rdata_at, record->rdata_len);
    return true;
}

/* Addresses of the servers' names that lie in the sender's own zone; what it says of other names is
 * hearsay. */
static void delegation_collect_glue(struct delegation_walk *walk,
    const struct delegation_name *zone, const struct delegation_seen *seen,
    struct delegation *delegation)
{
    struct record record;
    struct delegation_name owner;
    struct address address;
    while (delegation->address_count < DELEGATION_ADDRESSES_MAX &&
           delegation_walk_next(walk, &record)) {
        if (delegation_address_of(walk, &record, &address) &&
            delegation_name_at(walk, record.name_at, &owner) &&
            delegation_name_is_under(&owner, zone) && delegation_seen_has(seen, &owner)) {
            delegation->addresses[delegation->address_count++] = address;
        }
    }
}

bool delegation_read_referral(const struct message *reply, const struct delegation_case *asked,
    struct delegation *delegation_out)
{
    struct delegation_walk walk = delegation_walk_of(reply, 2, 3);
    struct delegation_seen seen = {.count = 0};
    *delegation_out = (struct delegation){.name_count = 0};
    if (reply->counts[1] != 0) {
        return false;
    }
    delegation_collect(&walk, reply->counts[2], &seen, delegation_out);
    const struct delegation_name *cut = &delegation_out->cut;
    bool is_deeper = seen.count > 0 && delegation_name_is_under(asked->asked, cut) &&
                     delegation_name_is_under(cut, asked->zone) && cut->len > asked->zone->len;
    if (is_deeper) {
        delegation_collect_glue(&walk, asked->zone, &seen, delegation_out);
        delegation_choose_all(asked, &seen, delegation_out);
    }
    delegation_out->records = DELEGATION_RECORDS_MAX - walk.allowed;
    return is_deeper;
}

bool delegation_read_answer(const struct message *reply, const struct delegation_case *asked,
    struct delegation *delegation_out)
{
    struct delegation_walk walk = delegation_walk_of(reply, 1, 1);
    struct delegation_seen seen = {.count = 0};
    *delegation_out = (struct delegation){.cut = *asked->asked};
    delegation_collect(&walk, reply->counts[1], &seen, delegation_out);
    delegation_choose_all(asked, &seen, delegation_out);
    delegation_out->records = DELEGATION_RECORDS_MAX - walk.allowed;
    return seen.count > 0;
}

bool delegation_read_zone(const struct message *reply, const struct delegation_name *asked,
    struct delegation_name *zone_out)
{
    struct delegation_walk walk = delegation_walk_of(reply, 2, 2);
    struct record record;
    while (delegation_walk_next(&walk, &record)) {
        if (record.type == TYPE_SOA && delegation_name_at(&walk, record.name_at, zone_out)) {
            return delegation_name_is_under(asked, zone_out);
        }
    }
    return false;
}

size_t delegation_read_addresses(const struct message *reply, uint16_t type, uint32_t *ttl,
    struct address *addresses_out, size_t size)
{
    struct delegation_walk walk = delegation_walk_of(reply, 1, 1);
    struct record record;
    size_t count = 0;
    while (count < size && delegation_walk_next(&walk, &record)) {
        if (record.type == type && delegation_address_of(&walk, &record, &addresses_out[count])) {
            *ttl = record.ttl < *ttl ? record.ttl : *ttl;
            count++;
        }
    }
    return count;
}
