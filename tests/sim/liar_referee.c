/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/liar_referee.h"

#include <string.h>

#include "wire/types.h"

/* ---- Is it a reply? ---- */

#define OPCODE_BITS 0x7800u

#define OPTION_COOKIE      10
#define CLIENT_COOKIE_SIZE 8

/* The first cookie in the OPT record, with its length; NULL: none. */
static const uint8_t *cookie_find(const struct tale *tale, size_t *len_out)
{
    for (size_t i = 0; i < tale->count; i++) {
        const struct tale_record *opt = &tale->records[i];
        const uint8_t *data = tale_data(tale, opt);
        for (size_t at = 0; opt->type == TYPE_OPT && at + 4 <= opt->len;) {
            *len_out = bytes_get_u16(data + at + 2);
            if (bytes_get_u16(data + at) == OPTION_COOKIE && at + 4 + *len_out <= opt->len) {
                return data + at + 4;
            }
            at += 4 + *len_out;
        }
    }
    return NULL;
}

/* RFC 7873 section 5.3: a cookie that is not ours, or too short or long, and the reply is nobody's.
 */
static bool cookie_is_right(const struct tale *reply, const struct tale *asked)
{
    size_t len;
    size_t asked_len;
    const uint8_t *given = cookie_find(reply, &len);
    const uint8_t *ours = cookie_find(asked, &asked_len);
    return given == NULL || ours == NULL ||
           (len >= 16 && len <= 40 && memcmp(given, ours, CLIENT_COOKIE_SIZE) == 0);
}

enum referee_match referee_match(const struct tale *reply, const struct tale *asked)
{
    if ((reply->flags & HEADER_QR) == 0 || (reply->flags & OPCODE_BITS) != 0 ||
        reply->id != asked->id || reply->question_count != 1 || reply->type != asked->type ||
        reply->class != asked->class || !tale_name_is(&reply->name, &asked->name) ||
        !cookie_is_right(reply, asked)) {
        return REFEREE_STRANGER;
    }
    bool is_same = memcmp(reply->name.bytes, asked->name.bytes, asked->name.len) == 0;
    return is_same ? REFEREE_REPLY : REFEREE_SPELLING;
}

bool referee_may_believe(const struct tale *reply)
{
    unsigned rcode = tale_rcode(reply);
    return (reply->flags & HEADER_TC) == 0 && (rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN);
}

bool referee_is_failure(const struct tale *answer)
{
    size_t records = 0;
    for (size_t i = 0; i < answer->count; i++) {
        records += answer->records[i].type == TYPE_OPT ? 0 : 1;
    }
    return (answer->flags & 0xfu) == RCODE_SERVFAIL && records == 0;
}

/* ---- Records ---- */

static bool data_is(const struct tale *a, const struct tale_record *first, const struct tale *b,
    const struct tale_record *second)
{
    return first->len == second->len && first->sum == second->sum &&
           memcmp(tale_data(a, first), tale_data(b, second), first->len) == 0;
}

/* The record of the reply's section that the answer's record repeats, or NULL. They mostly come in
 * the same order: `from_inout` is where it is sought first. */
static const struct tale_record *record_source(const struct tale *reply, unsigned section,
    const struct tale *answer, const struct tale_record *record, size_t *from_inout)
{
    for (size_t i = 0; i < reply->count; i++) {
        size_t at = (*from_inout + i) % reply->count;
        const struct tale_record *source = &reply->records[at];
        if (source->section == section && source->type == record->type &&
            source->class == CLASS_IN && data_is(reply, source, answer, record) &&
            tale_name_is(&source->owner, &record->owner)) {
            *from_inout = at + 1;
            return source;
        }
    }
    return NULL;
}

static bool record_is(
    const struct tale_record *record, const struct world_name *owner, uint16_t type)
{
    return record->section == TALE_ANSWER && record->class == CLASS_IN && record->type == type &&
           tale_name_is(&record->owner, owner);
}

/* How many different records of that owner and type the answer section has. */
static size_t set_size(const struct tale *tale, const struct world_name *owner, uint16_t type)
{
    static const struct tale_record *seen[TALE_RECORDS_MAX];
    static uint32_t sums[TALE_RECORDS_MAX]; /* Beside one another, for there may be thousands. */
    size_t size = 0;
    for (size_t i = 0; i < tale->count; i++) {
        const struct tale_record *record = &tale->records[i];
        bool is_new = record_is(record, owner, type);
        for (size_t j = 0; j < size && is_new; j++) {
            is_new = sums[j] != record->sum || !data_is(tale, seen[j], tale, record);
        }
        if (is_new) {
            seen[size] = record;
            sums[size++] = record->sum;
        }
    }
    return size;
}

/* RFC 2181 section 5.2: of a set, the least. Above 2^31-1 it is a long time (RFC 8767 section
 * 4); how long a set may be kept is ttl_max's to say. */
static uint32_t set_ttl(const struct tale *reply, const struct tale_record *source)
{
    uint32_t ttl = source->ttl;
    for (size_t i = 0; i < reply->count; i++) {
        const struct tale_record *other = &reply->records[i];
        bool is_same = other->ttl < ttl && other->section == source->section &&
                       other->type == source->type && other->class == source->class &&
                       tale_name_is(&other->owner, &source->owner);
        ttl = is_same ? other->ttl : ttl;
    }
    return ttl;
}

/* ---- The answer section ---- */

/* Where the walk along the aliases stands. */
struct walk {
    const struct referee_question *question;
    const struct referee_limits *limits;
    const struct tale *answer;
    const struct tale *reply;
    struct world_name names[REFEREE_LINKS_MAX + 2];
    size_t links;
    size_t data_count;
    size_t source_at;                     /* Where the next record's source is likely. */
    const struct tale_record *ttl_source; /* Of the set whose least TTL is `ttl`. */
    uint32_t ttl;
};

static const struct world_name *walk_end(const struct walk *walk)
{
    return &walk->names[walk->links];
}

static const char *walk_link(struct walk *walk, const struct tale_record *record)
{
    if (walk->links == REFEREE_LINKS_MAX) {
        return "the chain is too long";
    }
    struct world_name target = tale_target(walk->answer, record);
    for (size_t i = 0; i <= walk->links; i++) {
        if (tale_name_is(&walk->names[i], &target)) {
            return "the chain is a loop";
        }
    }
    walk->names[++walk->links] = target;
    return NULL;
}

static bool walk_has_been_at(const struct walk *walk, const struct world_name *name)
{
    for (size_t i = 0; i <= walk->links; i++) {
        if (tale_name_is(&walk->names[i], name)) {
            return true;
        }
    }
    return false;
}

static bool dname_holds(const struct tale_record *dname, const struct world_name *name)
{
    return dname->owner.len < name->len && tale_name_is_under(name, &dname->owner);
}

/* What the DNAME makes of the name (RFC 6672 section 2.2). */
static bool dname_leads(const struct walk *walk, const struct tale_record *dname, size_t from)
{
    struct world_name made = walk->names[from];
    struct world_name end = tale_target(walk->answer, dname);
    size_t front = made.len - dname->owner.len;
    if (!dname_holds(dname, &made) || front + end.len > NAME_SIZE_MAX) {
        return false;
    }
    memcpy(made.bytes + front, end.bytes, end.len);
    made.len = (uint8_t)(front + end.len);
    return tale_name_is(&made, &walk->names[from + 1]);
}

/* Each DNAME is one by which the chain goes. */
static bool walk_goes_by(const struct walk *walk, const struct tale_record *dname)
{
    for (size_t i = 0; i < walk->links; i++) {
        if (dname_leads(walk, dname, i)) {
            return true;
        }
    }
    return false;
}

/* The DNAME is the one that leads on from here, or that has led to here. */
static bool walk_knows_dname(const struct walk *walk, const struct tale_record *record)
{
    bool is_known = false;
    for (size_t i = 0; i <= walk->links; i++) {
        is_known = is_known || dname_holds(record, &walk->names[i]);
    }
    return is_known;
}

static bool walk_knows_signature(const struct walk *walk, const struct tale_record *record)
{
    uint16_t type = walk->question->type;
    if (!walk->question->wants_dnssec || record->len < 18) {
        return false;
    }
    uint16_t covered = bytes_get_u16(tale_data(walk->answer, record));
    if (covered == TYPE_DNAME) {
        return walk_knows_dname(walk, record);
    }
    return (covered == type || covered == TYPE_CNAME) && walk_has_been_at(walk, &record->owner);
}

/* Most records are of the set of the one before. */
static uint32_t walk_ttl(struct walk *walk, const struct tale_record *source)
{
    const struct tale_record *last = walk->ttl_source;
    if (last == NULL || last->type != source->type || !tale_name_is(&last->owner, &source->owner)) {
        walk->ttl_source = source;
        walk->ttl = set_ttl(walk->reply, source);
    }
    return walk->ttl;
}

static const char *walk_record(struct walk *walk, const struct tale_record *record)
{
    uint16_t type = walk->question->type;
    const struct tale_record *source =
        record_source(walk->reply, TALE_ANSWER, walk->answer, record, &walk->source_at);
    if (source == NULL || record->class != CLASS_IN) {
        return "a record that upstream has not given";
    }
    if (record->is_broken) {
        return "a record whose data is not of its type";
    }
    uint32_t ttl = walk_ttl(walk, source);
    if (record->ttl > (ttl < walk->limits->ttl_max ? ttl : walk->limits->ttl_max)) {
        return "a TTL that is longer than upstream's or ttl_max";
    }
    if (record_is(record, walk_end(walk), type)) {
        walk->data_count++;
        return NULL;
    }
    if (record->type == TYPE_CNAME && tale_name_is(&record->owner, walk_end(walk))) {
        return walk->data_count > 0 ? "an alias behind data" : walk_link(walk, record);
    }
    bool is_known = (record->type == TYPE_DNAME && walk_knows_dname(walk, record)) ||
                    (record->type == TYPE_RRSIG && walk_knows_signature(walk, record));
    return is_known ? NULL : "a record of another name or type";
}

/* ---- The authority section ---- */

static const char *authority_soa(const struct walk *walk, const struct tale_record *record)
{
    size_t from = 0;
    const struct tale_record *source =
        record_source(walk->reply, TALE_AUTHORITY, walk->answer, record, &from);
    if (source == NULL || record->is_broken) {
        return "an SOA that upstream has not given";
    }
    if (!tale_name_is_under(walk_end(walk), &record->owner)) {
        return "the SOA of a zone that does not hold the name";
    }
    uint32_t ttl = source->ttl;
    uint32_t minimum = tale_minimum(walk->answer, record);
    ttl = minimum < ttl ? minimum : ttl;
    ttl = walk->limits->negative_ttl_max < ttl ? walk->limits->negative_ttl_max : ttl;
    ttl = walk->limits->negative_ttl_min > ttl ? walk->limits->negative_ttl_min : ttl;
    return record->ttl > ttl ? "a denial that lives longer than its SOA allows" : NULL;
}

static bool authority_is_proof(struct walk *walk, const struct tale_record *record)
{
    bool is_proof =
        record->type == TYPE_NSEC || record->type == TYPE_NSEC3 || record->type == TYPE_RRSIG;
    return is_proof && walk->question->wants_dnssec && record->class == CLASS_IN &&
           record_source(walk->reply, TALE_AUTHORITY, walk->answer, record, &walk->source_at) !=
               NULL;
}

static const char *authority_record(struct walk *walk, const struct tale_record *record)
{
    if (record->type == TYPE_SOA && walk->data_count == 0) {
        return authority_soa(walk, record);
    }
    return authority_is_proof(walk, record) ? NULL : "a record in the authority section";
}

/* ---- The whole ---- */

static bool reply_has_soa(const struct tale *reply)
{
    for (size_t i = 0; i < reply->count; i++) {
        if (reply->records[i].section == TALE_AUTHORITY && reply->records[i].type == TYPE_SOA) {
            return true;
        }
    }
    return false;
}

/* RFC 2308 section 2.2: name servers and no SOA are a referral, from who does not know. A server
 * that says that it knows (AA), or has begun to answer with an alias, does not refer. */
static bool reply_refers(const struct walk *walk)
{
    const struct tale *reply = walk->reply;
    bool may_be = (reply->flags & HEADER_AA) == 0 && walk->links == 0 && !reply_has_soa(reply);
    bool has_servers = false;
    for (size_t i = 0; i < reply->count; i++) {
        has_servers = has_servers ||
                      (reply->records[i].section == TALE_AUTHORITY &&
                          reply->records[i].type == TYPE_NS && reply->records[i].class == CLASS_IN);
    }
    return may_be && has_servers;
}

static bool walk_uses_dnames(const struct walk *walk)
{
    bool uses = true;
    for (size_t i = 0; i < walk->answer->count; i++) {
        const struct tale_record *record = &walk->answer->records[i];
        bool is_asked =
            walk->question->type == TYPE_DNAME && tale_name_is(&record->owner, walk_end(walk));
        uses = uses && (record->type != TYPE_DNAME || is_asked || walk_goes_by(walk, record));
    }
    return uses;
}

/* Data is given whole, and nothing is denied that is there (RFC 2308 section 2). */
static const char *walk_is_complete(const struct walk *walk)
{
    if (!walk_uses_dnames(walk)) {
        return "a DNAME that does not lead where the aliases go";
    }
    unsigned rcode = tale_rcode(walk->reply);
    size_t size = set_size(walk->reply, walk_end(walk), walk->question->type);
    if (walk->data_count > 0) {
        return rcode != RCODE_NOERROR     ? "data of a name that does not exist"
               : size != walk->data_count ? "a set that is not whole"
                                          : NULL;
    }
    if (size > 0 || set_size(walk->reply, walk_end(walk), TYPE_CNAME) > 0) {
        return "a denial of what is there";
    }
    if (rcode == RCODE_NOERROR && reply_refers(walk)) {
        return "a denial made of a referral";
    }
    return NULL;
}

static const char *header_follows(const struct tale *answer, const struct tale *reply)
{
    uint16_t refused = HEADER_AA | HEADER_TC | HEADER_AD | 0x0040u;
    if ((answer->flags & HEADER_QR) == 0 || (answer->flags & HEADER_RA) == 0 ||
        (answer->flags & refused) != 0) {
        return "flags that are not ours to set";
    }
    if (tale_rcode(answer) != tale_rcode(reply)) {
        return "another rcode than upstream's";
    }
    return NULL;
}

const char *referee_follows(const struct referee_question *question, const struct tale *answer,
    const struct tale *reply, const struct referee_limits *limits)
{
    struct walk walk = {.question = question,
        .limits = limits,
        .answer = answer,
        .reply = reply,
        .names = {{{0}, 0}}};
    walk.names[0] = question->name;
    const char *complaint =
        referee_may_believe(reply) ? header_follows(answer, reply) : "it is not to be believed";
    for (size_t i = 0; i < answer->count && complaint == NULL; i++) {
        const struct tale_record *record = &answer->records[i];
        if (record->section == TALE_ANSWER) {
            complaint = walk_record(&walk, record);
        } else if (record->section == TALE_AUTHORITY) {
            complaint = authority_record(&walk, record);
        } else if (record->type != TYPE_OPT) {
            complaint = "a record in the additional section";
        }
    }
    return complaint == NULL ? walk_is_complete(&walk) : complaint;
}

bool referee_denies_name(const struct tale *reply, const struct world_name *name)
{
    return referee_may_believe(reply) && tale_rcode(reply) == RCODE_NXDOMAIN &&
           tale_name_is_under(name, &reply->name) &&
           set_size(reply, &reply->name, TYPE_CNAME) == 0 &&
           set_size(reply, &reply->name, reply->type) == 0;
}
