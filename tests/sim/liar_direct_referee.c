/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/liar_direct_referee.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/types.h"
#include "tests/sim/liar_direct_net.h"

/* `server` was named for `zone`. */
struct naming {
    struct world_name zone;
    struct world_name server;
    unsigned reply; /* The referral that named it, or 0. */
    unsigned depth; /* Referrals in a row that led there. */
    size_t said_at; /* What named it; those of one reply stand together. */
    int64_t at;
};

/* A name server's address; `reply` is 0, or the referral that it stood beside. */
struct housing {
    struct world_name server;
    struct address address;
    unsigned reply;
    int64_t at;
};

struct said {
    struct house_source source;
    struct world_name name;
    uint16_t type;
    bool is_believed;
    bool may_be_lie;
};

#define QUESTIONS_MAX 64
#define LOOKUPS_MAX   256
#define ASKED_MAX     512

/* What was said in this play. */
static struct court {
    struct said *said;
    size_t said_count;
    size_t said_size;
    struct naming *namings;
    size_t naming_count;
    size_t naming_size;
    struct housing *housings;
    size_t housing_count;
    size_t housing_size;
    struct referee_question questions[QUESTIONS_MAX]; /* The client's. */
    size_t question_count;
    struct referee_question lookups[LOOKUPS_MAX];
    size_t lookup_count;
    struct referee_question asked[ASKED_MAX];
    size_t asked_count;
} court;

static void *array_grow(void *array, size_t count, size_t *size, size_t item)
{
    if (count == *size) {
        *size = *size == 0 ? 64 : *size * 2;
        array = realloc(array, *size * item);
        must(array != NULL);
    }
    return array;
}

void direct_referee_begin(void)
{
    for (size_t i = 0; i < court.said_count; i++) {
        free(court.said[i].source.bytes);
    }
    court.said_count = court.naming_count = court.housing_count = 0;
    court.question_count = court.lookup_count = court.asked_count = 0;
}

void direct_referee_close(void)
{
    direct_referee_begin();
    free(court.said);
    free(court.namings);
    free(court.housings);
}

void direct_referee_ask(const struct referee_question *question)
{
    must(court.question_count < QUESTIONS_MAX);
    court.questions[court.question_count++] = *question;
    court.lookup_count = 0;
}

unsigned direct_referee_lookups(void)
{
    return (unsigned)court.lookup_count;
}

unsigned direct_referee_asked(void)
{
    return (unsigned)court.asked_count;
}

bool direct_referee_is_direct(const struct world_name *name)
{
    for (size_t i = 0; net_zones[i] != NULL; i++) {
        struct world_name zone = tale_name(net_zones[i]);
        if (tale_name_is_under(name, &zone)) {
            return true;
        }
    }
    return false;
}

static bool server_is_evil(const struct address *server)
{
    for (size_t i = 0; net_servers[i] != NULL; i++) {
        struct address good = net_address(net_servers[i]);
        if (address_equal(server, &good)) {
            return false;
        }
    }
    return true;
}

static bool server_is_upstream(const struct address *server)
{
    struct address upstream = net_address(NET_UPSTREAM);
    return address_equal(server, &upstream);
}

/* ---- Addresses (RFC 6890, 3056, 6052) ---- */

static bool address_starts(const struct address *address, const uint8_t *prefix, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned mask = 0xff00u >> bits % 8 & 0xffu;
    return memcmp(address->bytes, prefix, whole) == 0 &&
           (mask == 0 || (address->bytes[whole] & mask) == prefix[whole]);
}

static bool address_may_be_asked(const struct address *address)
{
    static const struct {
        uint8_t bytes[4];
        unsigned bits;
    } inner[] = {{{0}, 8}, {{10}, 8}, {{100, 64}, 10}, {{127}, 8}, {{169, 254}, 16},
        {{172, 16}, 12}, {{192, 168}, 16}, {{224}, 3}};
    static const uint8_t unicast[1] = {0x20};
    static const uint8_t tunnel[2] = {0x20, 0x02};
    struct address own = net_address(NET_OWN);
    if (address->port != 53 || address_equal(address, &own)) {
        return false;
    }
    if (address->family == ADDRESS_IPV6) {
        return address_starts(address, unicast, 3) && !address_starts(address, tunnel, 16);
    }
    for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++) {
        if (address_starts(address, inner[i].bytes, inner[i].bits)) {
            return false;
        }
    }
    return true;
}

/* ---- Who speaks ---- */

static void naming_add(const struct naming *naming)
{
    court.namings =
        array_grow(court.namings, court.naming_count, &court.naming_size, sizeof court.namings[0]);
    court.namings[court.naming_count] = *naming;
    court.namings[court.naming_count++].said_at = court.said_count;
}

/* Of an A or AAAA record. */
static void housing_add(const struct world_name *server, const struct tale *tale,
    const struct tale_record *record, struct housing form)
{
    bool is_ipv4 = record->type == TYPE_A && record->len == 4;
    bool is_ipv6 = record->type == TYPE_AAAA && record->len == 16;
    if (record->class != CLASS_IN || (!is_ipv4 && !is_ipv6)) {
        return;
    }
    court.housings = array_grow(
        court.housings, court.housing_count, &court.housing_size, sizeof court.housings[0]);
    form.server = *server;
    form.address = (struct address){.family = is_ipv4 ? ADDRESS_IPV4 : ADDRESS_IPV6, .port = 53};
    memcpy(form.address.bytes, tale_data(tale, record), record->len);
    court.housings[court.housing_count++] = form;
}

/* What a server is asked to speak about: the name, or with `zone` some zone above the name. */
static bool naming_holds(
    const struct naming *naming, const struct housing *housing, const struct world_name *name)
{
    return (housing->reply == 0 || housing->reply == naming->reply) &&
           tale_name_is_under(name, &naming->zone) &&
           tale_name_is(&naming->server, &housing->server);
}

/* The largest zone at or above the name that the server speaks for, or NULL. */
static const struct naming *court_naming(
    const struct address *server, const struct world_name *name, int64_t since)
{
    const struct naming *best = NULL;
    for (size_t i = 0; i < court.housing_count; i++) {
        const struct housing *housing = &court.housings[i];
        if (housing->at < since || !address_equal(&housing->address, server)) {
            continue;
        }
        for (size_t j = 0; j < court.naming_count; j++) {
            const struct naming *naming = &court.namings[j];
            if (naming->at >= since && (best == NULL || naming->zone.len < best->zone.len) &&
                naming_holds(naming, housing, name)) {
                best = naming;
            }
        }
    }
    return best;
}

/* ---- What is asked ---- */

static bool question_is_of_a_client(const struct tale *asked)
{
    for (size_t i = 0; i < court.question_count; i++) {
        if (asked->type == court.questions[i].type &&
            tale_name_is(&asked->name, &court.questions[i].name)) {
            return true;
        }
    }
    return false;
}

static bool question_is_of_a_zone(const struct tale *asked)
{
    bool is_above = asked->name.len > 1 && asked->name.len > asked->name.bytes[0] + 2;
    for (size_t i = 0; net_zones[i] != NULL; i++) {
        struct world_name zone = tale_name(net_zones[i]);
        if (asked->type == TYPE_NS && is_above && tale_name_is_under(&zone, &asked->name)) {
            return true;
        }
    }
    return false;
}

static bool question_is_of_a_server(const struct tale *asked)
{
    bool is_address = asked->type == TYPE_A || asked->type == TYPE_AAAA;
    for (size_t i = 0; i < court.naming_count && is_address; i++) {
        if (tale_name_is(&court.namings[i].server, &asked->name)) {
            return true;
        }
    }
    return false;
}

/* Takes the question in if it is not there. */
static void questions_note(
    struct referee_question *questions, size_t *count, size_t size, const struct tale *asked)
{
    for (size_t i = 0; i < *count; i++) {
        if (questions[i].type == asked->type && tale_name_is(&questions[i].name, &asked->name)) {
            return;
        }
    }
    must(*count < size);
    questions[(*count)++] = (struct referee_question){.name = asked->name, .type = asked->type};
}

static bool lookup_is_noted(const struct world_name *name)
{
    for (size_t i = 0; i < court.lookup_count; i++) {
        if (court.lookups[i].type != TYPE_NS && tale_name_is(&court.lookups[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* Of the servers that one reply has named, how many were looked up? */
static bool lookups_are_few(void)
{
    const struct naming *counted[REFEREE_NAMES_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; i < court.naming_count && count <= REFEREE_NAMES_MAX; i++) {
        const struct naming *naming = &court.namings[i];
        count = i > 0 && naming->said_at != naming[-1].said_at ? 0 : count;
        bool is_new = lookup_is_noted(&naming->server);
        for (size_t j = 0; j < count && is_new; j++) {
            is_new = !tale_name_is(&counted[j]->server, &naming->server);
        }
        if (is_new) {
            counted[count++] = naming;
        }
    }
    return count <= REFEREE_NAMES_MAX;
}

static const char *upstream_may_be_asked(const struct tale *asked)
{
    if (question_is_of_a_client(asked)) {
        return NULL;
    }
    questions_note(court.lookups, &court.lookup_count, LOOKUPS_MAX, asked);
    if (!lookups_are_few()) {
        return "too many of the servers that a reply has named are looked up";
    }
    return question_is_of_a_zone(asked) || question_is_of_a_server(asked)
               ? NULL
               : "upstream is asked what nobody needs to know";
}

const char *direct_referee_may_ask(
    const struct address *server, const uint8_t *message, size_t len, int64_t now)
{
    static struct tale asked;
    must(tale_read(&asked, message, len));
    bool is_probe = asked.type == TYPE_NS && asked.name.len == 1;
    questions_note(court.asked, &court.asked_count, ASKED_MAX, &asked);
    if (server_is_upstream(server) && (asked.flags & HEADER_RD) != 0) {
        return is_probe ? NULL : upstream_may_be_asked(&asked);
    }
    if (!address_may_be_asked(server)) {
        return "an address is asked that must not be";
    }
    if ((asked.flags & HEADER_RD) != 0) {
        return "a name server is asked to ask others";
    }
    if (is_probe) {
        return NULL;
    }
    if (!question_is_of_a_client(&asked)) {
        return "a name server is asked what no client asked";
    }
    if (!direct_referee_is_direct(&asked.name)) {
        return "a name server is asked about a name outside the direct zones";
    }
    const struct naming *naming = court_naming(server, &asked.name, now - REFEREE_FRESH_US);
    if (naming == NULL) {
        return "a server is asked that nobody named for this who may";
    }
    return naming->depth > REFEREE_DEPTH_MAX ? "too many referrals are followed" : NULL;
}

/* ---- What is said ---- */

static const struct tale_record *tale_find(
    const struct tale *tale, uint16_t type, const struct world_name *owner)
{
    for (size_t i = 0; i < tale->count; i++) {
        const struct tale_record *record = &tale->records[i];
        if (record->section == TALE_ANSWER && record->type == type && record->class == CLASS_IN &&
            !record->is_broken && tale_name_is(&record->owner, owner)) {
            return record;
        }
    }
    return NULL;
}

/* Where the aliases in the answer section lead, which is no further than to data. */
static struct world_name tale_end(const struct tale *tale, unsigned *links_out)
{
    struct world_name end = tale->name;
    *links_out = 0;
    while (*links_out <= REFEREE_LINKS_MAX && tale_find(tale, tale->type, &end) == NULL) {
        const struct tale_record *alias = tale_find(tale, TYPE_CNAME, &end);
        if (alias == NULL) {
            break;
        }
        end = tale_target(tale, alias);
        (*links_out)++;
    }
    return end;
}

static bool tale_has_soa_of(const struct tale *tale, const struct world_name *name)
{
    for (size_t i = 0; i < tale->count; i++) {
        const struct tale_record *record = &tale->records[i];
        if (record->section == TALE_AUTHORITY && record->type == TYPE_SOA &&
            tale_name_is_under(name, &record->owner)) {
            return true;
        }
    }
    return false;
}

static bool tale_has_answers(const struct tale *tale)
{
    for (size_t i = 0; i < tale->count; i++) {
        if (tale->records[i].section == TALE_ANSWER) {
            return true;
        }
    }
    return false;
}

/* A name server knows what it says. */
static bool tale_is_known(const struct tale *tale)
{
    unsigned links;
    struct world_name end = tale_end(tale, &links);
    bool has_data = tale_find(tale, tale->type, &end) != NULL;
    bool has_aa = (tale->flags & HEADER_AA) != 0;
    if (has_data) {
        return has_aa || (tale->flags & HEADER_RA) == 0;
    }
    return has_aa && (links == 0 || tale_has_soa_of(tale, &end));
}

/* Upstream's answer to a question for NS or addresses. */
static void upstream_hear(const struct tale *tale, int64_t now)
{
    unsigned links;
    struct world_name end = tale_end(tale, &links);
    for (size_t i = 0; i < tale->count; i++) {
        const struct tale_record *record = &tale->records[i];
        bool is_data = record->section == TALE_ANSWER && record->type == tale->type &&
                       record->class == CLASS_IN && !record->is_broken;
        if (!is_data) {
            continue;
        }
        if (tale->type == TYPE_NS && tale_name_is(&record->owner, &tale->name)) {
            struct world_name server = tale_target(tale, record);
            naming_add(&(struct naming){.zone = tale->name, .server = server, .at = now});
        } else if (tale->type != TYPE_NS && tale_name_is(&record->owner, &end)) {
            housing_add(&tale->name, tale, record, (struct housing){.at = now});
        }
    }
}

/* A referral, if it is one, by a server that was named so. */
static void referral_hear(const struct tale *tale, const struct naming *sender, int64_t now)
{
    const struct world_name *zone = &sender->zone;
    unsigned reply = (unsigned)court.said_count;
    bool is_referral = (tale->flags & HEADER_AA) == 0 && tale_rcode(tale) == RCODE_NOERROR &&
                       !tale_has_answers(tale) && !tale_has_soa_of(tale, &tale->name);
    for (size_t i = 0; i < tale->count && is_referral; i++) {
        const struct tale_record *record = &tale->records[i];
        bool is_naming = record->section == TALE_AUTHORITY && record->type == TYPE_NS &&
                         record->class == CLASS_IN && !record->is_broken &&
                         record->owner.len > zone->len &&
                         tale_name_is_under(&record->owner, zone) &&
                         tale_name_is_under(&tale->name, &record->owner);
        if (is_naming) {
            struct world_name server = tale_target(tale, record);
            naming_add(&(struct naming){.zone = record->owner,
                .server = server,
                .reply = reply,
                .depth = sender->depth + 1,
                .at = now});
        } else if (record->section != TALE_ANSWER && tale_name_is_under(&record->owner, zone)) {
            housing_add(&record->owner, tale, record, (struct housing){.reply = reply, .at = now});
        }
    }
}

static bool source_is_believed(const struct address *server, const struct tale *tale, int64_t now)
{
    return server_is_upstream(server) ||
           (tale_is_known(tale) &&
               court_naming(server, &tale->name, now - REFEREE_FRESH_US) != NULL);
}

void direct_referee_hear(
    const struct address *server, const struct house_source *source, bool may_be_lie, int64_t now)
{
    static struct tale tale;
    static struct tale asked;
    bool may_be = belief_of(&tale, source) == BELIEF_MAY;
    must(tale_read(&asked, source->asked, source->asked_len));
    court.said = array_grow(court.said, court.said_count, &court.said_size, sizeof court.said[0]);
    struct said *said = &court.said[court.said_count++];
    *said = (struct said){.source = *source, .name = asked.name, .type = asked.type};
    said->source.bytes = malloc(source->len > 0 ? source->len : 1);
    must(said->source.bytes != NULL);
    memcpy(said->source.bytes, source->bytes, source->len);
    if (!may_be) {
        return;
    }
    said->may_be_lie = may_be_lie || server_is_evil(server);
    said->is_believed = source_is_believed(server, &tale, now);
    const struct naming *naming = court_naming(server, &tale.name, now - REFEREE_FRESH_US);
    if (server_is_upstream(server)) {
        upstream_hear(&tale, now);
    } else if (naming != NULL) {
        const struct naming sender = *naming;
        referral_hear(&tale, &sender, now);
    }
}

/* ---- What the client gets ---- */

bool direct_referee_follows(const struct referee_question *question, const struct tale *answer,
    const struct referee_limits *limits, const char **complaint)
{
    static struct tale tale;
    *complaint = "nobody who may has said anything about it";
    for (size_t i = 0; i < court.said_count; i++) {
        const struct said *said = &court.said[i];
        if (said->is_believed && said->type == question->type &&
            tale_name_is(&said->name, &question->name)) {
            must(tale_read(&tale, said->source.bytes, said->source.len));
            *complaint = referee_follows(question, answer, &tale, limits);
            if (*complaint == NULL) {
                return true;
            }
        }
    }
    return false;
}

bool direct_referee_is_misled(const struct referee_question *question)
{
    for (size_t i = 0; i < court.said_count; i++) {
        const struct said *said = &court.said[i];
        if (said->is_believed && said->may_be_lie && said->type == question->type &&
            tale_name_is(&said->name, &question->name)) {
            return true;
        }
    }
    return false;
}

bool direct_referee_denies(const struct world_name *name)
{
    static struct tale tale;
    for (size_t i = 0; i < court.said_count; i++) {
        const struct said *said = &court.said[i];
        if (said->is_believed && tale_name_is_under(name, &said->name)) {
            must(tale_read(&tale, said->source.bytes, said->source.len));
            if (referee_denies_name(&tale, name)) {
                return true;
            }
        }
    }
    return false;
}
