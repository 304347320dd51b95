/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/normalise.h"

#include <string.h>

#include "wire/compress.h"
#include "wire/message.h"
#include "wire/normalise_private.h"
#include "wire/rdata.h"
#include "wire/records.h"
#include "wire/types.h"

/* Of a comparison of two targets that are not spelled alike. */
#define NORMALISE_TARGETS_WORK (2 * NAME_SIZE_MAX)

/* What the answer section says about one name. */
struct normalise_found {
    bool has_asked;
    bool has_cname;
    bool has_dname;
    bool is_contradictory; /* Two aliases with different targets. */
    struct record cname;
    struct record dname; /* Of a name above. */
};

static bool normalise_begin(struct normaliser *n)
{
    struct question question = n->reply->question;
    name_to_lower(question.name, question.name_len);
    memcpy(n->name, question.name, question.name_len);
    n->name_len = question.name_len;
    if (writer_take(&n->writer, HEADER_SIZE) == NULL) {
        return false;
    }
    compress_init(&n->compress);
    compress_write(&n->compress, &n->writer, question.name, question.name_len);
    writer_u16(&n->writer, question.type);
    writer_u16(&n->writer, question.class);
    return true;
}

/* The stored form carries no id and none of the flags that belong to one exchange. */
static void normalise_end(struct normaliser *n)
{
    const uint16_t counts[4] = {1, n->counts[SECTION_ANSWER], n->counts[SECTION_AUTHORITY], 0};
    unsigned flags = HEADER_QR | (n->reply->flags & HEADER_AD) | (n->reply->rcode & 0xfu);
    header_set_id(n->writer.bytes, 0);
    header_set_flags(n->writer.bytes, (uint16_t)flags);
    header_set_counts(n->writer.bytes, counts);
}

static bool normalise_is_asked(const struct normaliser *n, const struct normalise_entry *entry)
{
    uint16_t type = n->reply->question.type;
    return entry->type == type || type == TYPE_ANY;
}

/* Notes an alias of the current name; a second one must say the same (RFC 2181 section 10.1). */
static void normalise_note_cname(
    struct normaliser *n, struct normalise_found *found, const struct normalise_entry *entry)
{
    struct record record = normalise_record_of(n, entry);
    if (!found->has_cname) {
        found->has_cname = true;
        found->cname = record;
        return;
    }
    normalise_spend(n, NORMALISE_TARGETS_WORK);
    if (!rdata_equal(&n->reader, &found->cname, &record)) {
        found->is_contradictory = true;
    }
}

static bool normalise_owner_is_above(struct normaliser *n, const struct normalise_entry *entry)
{
    struct reader reader = n->reader;
    uint8_t owner[NAME_SIZE_MAX];
    size_t owner_len;
    reader.at = entry->label_at;
    return name_read(&reader, owner, &owner_len) && normalise_spend(n, owner_len) &&
           owner_len < n->name_len && name_is_under(n->name, n->name_len, owner, owner_len);
}

static struct normalise_found normalise_look(struct normaliser *n)
{
    struct normalise_found found = {0};
    struct normalise_owner owner = normalise_owner_of(n->name, n->name_len);
    struct normalise_walk walk = normalise_walk_of(n, SECTION_ANSWER);
    const struct normalise_entry *entry;
    while ((entry = normalise_walk_next(n, &walk)) != NULL) {
        if (entry->type == TYPE_DNAME && !found.has_dname && normalise_owner_is_above(n, entry)) {
            found.has_dname = true;
            found.dname = normalise_record_of(n, entry);
        }
        if (!normalise_is_at(n, entry, &owner)) {
            continue;
        }
        found.has_asked |= normalise_is_asked(n, entry);
        if (entry->type == TYPE_CNAME) {
            normalise_note_cname(n, &found, entry);
        }
    }
    return found;
}

/* One DNAME may serve several links. */
static bool normalise_has_dname(const struct normaliser *n, const struct record *dname)
{
    for (unsigned i = 0; i < n->dname_count; i++) {
        if (n->dnames_at[i] == dname->name_at) {
            return true;
        }
    }
    return false;
}

/* The alias is what the DNAME makes of the name: the end replaced, the rest kept (RFC 6672 section
 * 2.2). Keeps the DNAME then; one that leads elsewhere is not needed and left out. */
static void normalise_put_dname(
    struct normaliser *n, const struct record *dname, const uint8_t *target, size_t target_len)
{
    uint8_t owner[NAME_SIZE_MAX];
    uint8_t end[NAME_SIZE_MAX];
    size_t owner_len;
    size_t end_len;
    struct reader reader = n->reader;
    reader.at = dname->name_at;
    if (!name_read(&reader, owner, &owner_len) ||
        !rdata_read_name(&n->reader, dname, end, &end_len)) {
        n->is_broken = true;
        return;
    }
    size_t kept = n->name_len - owner_len;
    if (kept + end_len == target_len && name_equal(n->name, kept, target, kept) &&
        name_equal(end, end_len, target + kept, end_len)) {
        struct normalise_set set = normalise_set_of(SECTION_ANSWER, TYPE_DNAME, owner, owner_len);
        n->dnames_at[n->dname_count++] = dname->name_at;
        normalise_put_set(n, &set);
    }
}

/* Keeps one link of the chain and goes on to its target. */
static void normalise_follow(struct normaliser *n, const struct normalise_found *found)
{
    uint8_t target[NAME_SIZE_MAX];
    size_t target_len;
    if (n->links == NORMALISE_CHAIN_MAX ||
        !rdata_read_name(&n->reader, &found->cname, target, &target_len)) {
        n->is_broken = true;
        return;
    }
    n->links++;
    if (found->has_dname && !normalise_has_dname(n, &found->dname)) {
        normalise_put_dname(n, &found->dname, target, target_len);
    }
    struct normalise_set set = normalise_set_of(SECTION_ANSWER, TYPE_CNAME, n->name, n->name_len);
    normalise_put_set(n, &set);
    memcpy(n->name, target, target_len);
    n->name_len = target_len;
}

/* Walks the chain to its end; what is found there is returned. A loop ends at the chain's limit. */
static struct normalise_found normalise_chain(struct normaliser *n)
{
    struct normalise_found found = normalise_look(n);
    while (!found.has_asked && found.has_cname && !found.is_contradictory && !n->is_broken) {
        normalise_follow(n, &found);
        found = normalise_look(n);
    }
    /* A DNAME without the alias that it implies: the server left the work half done. */
    if (found.is_contradictory || (found.has_dname && !found.has_asked && !found.has_cname)) {
        n->is_broken = true;
    }
    return found;
}

static enum normalise_verdict normalise_answer(struct normaliser *n)
{
    struct normalise_set set =
        normalise_set_of(SECTION_ANSWER, n->reply->question.type, n->name, n->name_len);
    /* The end of the chain cannot have records and not exist. */
    if (n->reply->rcode == RCODE_NXDOMAIN) {
        n->is_broken = true;
    }
    normalise_put_set(n, &set);
    return NORMALISE_ANSWER;
}

static bool normalise_is_referral(struct normaliser *n)
{
    struct normalise_walk walk = normalise_walk_of(n, SECTION_AUTHORITY);
    const struct normalise_entry *entry;
    if (n->links > 0 || (n->reply->flags & HEADER_AA) != 0 || n->reply->rcode != RCODE_NOERROR) {
        return false;
    }
    while ((entry = normalise_walk_next(n, &walk)) != NULL) {
        if (entry->type == TYPE_NS) {
            return true;
        }
    }
    return false;
}

static enum normalise_verdict normalise_denial(struct normaliser *n, bool *has_soa_out)
{
    *has_soa_out = normalise_put_soa(n);
    if (!*has_soa_out && normalise_is_referral(n)) {
        return NORMALISE_REFERRAL;
    }
    if (n->ttl > n->limits->negative_ttl_max) {
        n->ttl = n->limits->negative_ttl_max;
    }
    return n->reply->rcode == RCODE_NXDOMAIN ? NORMALISE_NXDOMAIN : NORMALISE_NODATA;
}

/* Writes the stored form; `normalised` is filled in if there is one. */
static enum normalise_verdict normalise_run(struct normaliser *n, struct normalised *normalised)
{
    bool has_soa = false;
    struct normalise_found found = normalise_chain(n);
    enum normalise_verdict verdict =
        found.has_asked ? normalise_answer(n) : normalise_denial(n, &has_soa);
    normalise_put_proofs(n);
    if (n->is_broken || n->writer.is_cut) {
        return NORMALISE_BROKEN;
    }
    if (verdict == NORMALISE_REFERRAL) {
        return verdict;
    }
    normalise_end(n);
    *normalised = (struct normalised){
        .len = n->writer.len,
        .ttl = n->ttl,
        .has_soa = has_soa,
        .is_ad = (n->reply->flags & HEADER_AD) != 0,
        .is_chained = n->links > 0,
    };
    return verdict;
}

enum normalise_verdict normalise_reply(const struct message *reply,
    const struct normalise_limits *limits, uint8_t *bytes_out, size_t size,
    struct normalised *normalised_out)
{
    struct normalise_index index;
    struct normaliser n = {
        .reply = reply,
        .limits = limits,
        .reader = reader_of(reply->bytes, reply->len),
        .writer = writer_of(bytes_out, size < MESSAGE_SIZE_MAX ? size : MESSAGE_SIZE_MAX),
        .with_dnssec = reply->edns.wants_dnssec,
        .ttl = UINT32_MAX,
    };
    bool is_data = reply->rcode == RCODE_NOERROR || reply->rcode == RCODE_NXDOMAIN;
    enum normalise_verdict verdict = NORMALISE_BROKEN;
    memset(normalised_out, 0, sizeof(*normalised_out));
    if (is_data && normalise_index_build(&n, &index) && normalise_begin(&n)) {
        verdict = normalise_run(&n, normalised_out);
    }
    normalised_out->work = n.work;
    return verdict;
}
