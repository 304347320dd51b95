/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/must.h"
#include "wire/normalise_private.h"
#include "wire/types.h"

/* Entries passed by for one unit of work. */
#define INDEX_ENTRIES_PER_UNIT 8

bool normalise_spend(struct normaliser *n, size_t units)
{
    n->work += (uint32_t)units;
    n->is_broken |= n->work > NORMALISE_WORK_MAX;
    return !n->is_broken;
}

/* False: no name. */
static bool index_hash_owner(
    struct normaliser *n, struct normalise_index *index, struct normalise_entry *entry)
{
    struct normalise_known *known = &index->known[entry->label_at % NORMALISE_KNOWN_OWNERS];
    if (known->label_at != entry->label_at) {
        struct reader reader = n->reader;
        uint8_t owner[NAME_SIZE_MAX];
        size_t len;
        reader.at = entry->label_at;
        if (!name_read(&reader, owner, &len) || !normalise_spend(n, len)) {
            return false;
        }
        known->label_at = entry->label_at;
        known->hash = name_hash32(owner, len);
    }
    entry->owner_hash = known->hash;
    return true;
}

/* The type that an RRSIG signs stands first in its data (RFC 4034 section 3.1). One without it
 * signs no set: there is none of TYPE_ANY whose signatures are sought. */
static uint16_t index_signed_type(const struct normaliser *n, const struct record *record)
{
    bool is_signature = record->type == TYPE_RRSIG && record->rdata_len >= 2;
    return is_signature ? bytes_get_u16(n->reader.bytes + record->rdata_at) : TYPE_ANY;
}

static bool index_add(
    struct normaliser *n, struct normalise_index *index, unsigned at, const struct record *record)
{
    struct normalise_entry *entry = &index->entries[at];
    size_t label_at;
    if (!name_find_label(&n->reader, record->name_at, &label_at)) {
        return false;
    }
    *entry = (struct normalise_entry){
        .at = (uint16_t)record->name_at,
        .label_at = (uint16_t)label_at,
        .type = record->type,
        .signed_type = index_signed_type(n, record),
    };
    return index_hash_owner(n, index, entry);
}

bool normalise_index_build(struct normaliser *n, struct normalise_index *index_out)
{
    const struct message *reply = n->reply;
    struct reader reader = n->reader;
    unsigned count = 0;
    if ((unsigned)reply->counts[SECTION_ANSWER] + reply->counts[SECTION_AUTHORITY] >
        MESSAGE_RECORDS_MAX) {
        return false;
    }
    reader.at = reply->records_at;
    index_out->ends[0] = 0;
    memset(index_out->known, 0, sizeof(index_out->known));
    for (enum section section = SECTION_ANSWER; section <= SECTION_AUTHORITY; section++) {
        for (unsigned i = 0; i < reply->counts[section]; i++) {
            struct record record;
            if (!record_read(&reader, &record)) {
                return false;
            }
            if (record.class != reply->question.class) {
                continue;
            }
            if (!index_add(n, index_out, count, &record)) {
                return false;
            }
            count++;
        }
        index_out->ends[section] = count;
    }
    n->index = index_out;
    return true;
}

struct normalise_owner normalise_owner_of(const uint8_t *name, size_t len)
{
    return (struct normalise_owner){.name = name, .len = len, .hash = name_hash32(name, len)};
}

struct normalise_set normalise_set_of(
    enum section section, uint16_t type, const uint8_t *name, size_t len)
{
    return (struct normalise_set){section, type, normalise_owner_of(name, len)};
}

struct normalise_walk normalise_walk_of(struct normaliser *n, enum section section)
{
    const struct normalise_walk walk = {n->index->ends[section - 1], n->index->ends[section]};
    normalise_spend(n, (walk.end - walk.at) / INDEX_ENTRIES_PER_UNIT);
    return walk;
}

const struct normalise_entry *normalise_walk_next(struct normaliser *n, struct normalise_walk *walk)
{
    if (walk->at == walk->end || n->is_broken) {
        return NULL;
    }
    return &n->index->entries[walk->at++];
}

bool normalise_is_at(
    struct normaliser *n, const struct normalise_entry *entry, struct normalise_owner *owner)
{
    if (owner->name == NULL || entry->label_at == owner->label_at) {
        return true;
    }
    if (entry->owner_hash != owner->hash || !normalise_spend(n, owner->len) ||
        !name_equals_at(owner->name, owner->len, &n->reader, entry->label_at)) {
        return false;
    }
    owner->label_at = entry->label_at;
    return true;
}

struct record normalise_record_of(const struct normaliser *n, const struct normalise_entry *entry)
{
    struct reader reader = n->reader;
    struct record record;
    reader.at = entry->at;
    bool is_whole = record_read(&reader, &record);
    must(is_whole);
    return record;
}
