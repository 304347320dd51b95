/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/liar_twist.h"

#include <stdio.h>
#include <string.h>

#include "wire/types.h"

/* Name servers of zones (RFC 1034 section 4.3.2, 2181 section 5.4.1), and their addresses. Each row
 * makes a referral of whatever reply it is given; of one to a question for NS, an answer. */
#define VALUES(values) ((unsigned)(sizeof(values) / sizeof(values)[0]))

static void records_drop(struct tale *tale)
{
    for (size_t i = tale->count; i > 0; i--) {
        if (tale->records[i - 1].type != TYPE_OPT) {
            tale_remove(tale, i - 1);
        }
    }
    tale->flags = (uint16_t)(tale->flags & ~(0xfu | HEADER_AA | HEADER_RA));
}

/* Without its first labels; at most the root. */
static struct world_name name_above(const struct world_name *name, unsigned labels)
{
    size_t at = 0;
    for (; labels > 0 && name->bytes[at] != 0; labels--) {
        at += 1u + name->bytes[at];
    }
    struct world_name above = {.len = (uint8_t)(name->len - at)};
    memcpy(above.bytes, name->bytes + at, above.len);
    return above;
}

static struct world_name name_below(const char *label, const struct world_name *name)
{
    struct world_name below = {.len = (uint8_t)(name->len + 1 + strlen(label))};
    below.bytes[0] = (uint8_t)strlen(label);
    memcpy(below.bytes + 1, label, strlen(label));
    memcpy(below.bytes + 1 + strlen(label), name->bytes, name->len);
    return below;
}

/* Where most referrals lead: one label above the asked name, which is below whatever zone the
 * sender serves; for who asks for NS, the name itself. */
static struct world_name cut_of(const struct tale *tale)
{
    return tale->type == TYPE_NS ? tale->name : name_above(&tale->name, 1);
}

static unsigned cut_section(const struct tale *tale)
{
    return tale->type == TYPE_NS ? TALE_ANSWER : TALE_AUTHORITY;
}

static struct tale_record *ns_put(struct tale *tale, unsigned section,
    const struct world_name *owner, const struct world_name *server)
{
    struct tale_record form = {.section = section, .type = TYPE_NS, .class = CLASS_IN, .ttl = 3600};
    form.owner = *owner;
    return tale_put(tale, &form, server->bytes, server->len);
}

static struct tale_record *address_put(
    struct tale *tale, unsigned section, const struct world_name *owner, const char *text)
{
    char record[128];
    snprintf(
        record, sizeof record, "x. 3600 %s %s", strchr(text, ':') != NULL ? "AAAA" : "A", text);
    struct tale_record *put = tale_add(tale, section, record);
    put->owner = *owner;
    return put;
}

/* A whole referral of the cut to "ns" below it. */
static struct world_name referral_make(struct tale *tale)
{
    struct world_name cut = cut_of(tale);
    struct world_name server = name_below("ns", &cut);
    records_drop(tale);
    ns_put(tale, cut_section(tale), &cut, &server);
    return server;
}

/* ---- The cut ---- */

static const char *const strangers[] = {"victim.example.", "bank.other.", "other.", "list.example.",
    "zen.spamhaus.org.", "mail.example.", "*.list.example.", "xlist.example.", "ns1.list.example.",
    "a.other."};
#define DEPTHS 8

static unsigned cuts_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return (DEPTHS + 1 + VALUES(strangers)) * 5;
}

static struct world_name owner_at(const struct tale *tale, unsigned number)
{
    if (number < DEPTHS) {
        return name_above(&tale->name, number);
    }
    return number == DEPTHS ? name_below("x", &tale->name)
                            : tale_name(strangers[number - DEPTHS - 1]);
}

/* From the asked name up to the root, below it, and elsewhere; with AA, too; to a server below the
 * cut or far away, and an address for it; to one who refers to others. */
static void cuts(struct tale *tale, unsigned variant)
{
    struct world_name cut = owner_at(tale, variant / 5);
    struct world_name far = tale_name("ns.evil.other.");
    unsigned kind = variant % 5;
    struct world_name server = kind % 2 == 0 ? name_below("ns", &cut) : far;
    records_drop(tale);
    tale->flags |= kind == 2 || kind == 3 ? HEADER_AA : 0;
    ns_put(tale, cut_section(tale), &cut, &server);
    address_put(tale, TALE_ADDITIONAL, &server, kind == 4 ? "203.0.113.70" : TWIST_EVIL);
}

static unsigned two_cuts_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return (DEPTHS + 1 + VALUES(strangers)) * 2;
}

/* Another one behind the right one, or before it. */
static void cuts_two(struct tale *tale, unsigned variant)
{
    struct world_name other = owner_at(tale, variant / 2);
    struct world_name cut = cut_of(tale);
    struct world_name server = name_below("ns", &cut);
    struct world_name far = name_below("ns", &other);
    records_drop(tale);
    ns_put(tale, cut_section(tale), variant % 2 == 0 ? &cut : &other,
        variant % 2 == 0 ? &server : &far);
    ns_put(tale, cut_section(tale), variant % 2 == 0 ? &other : &cut,
        variant % 2 == 0 ? &far : &server);
    address_put(tale, TALE_ADDITIONAL, &server, TWIST_EVIL);
    address_put(tale, TALE_ADDITIONAL, &far, "203.0.113.67");
}

/* ---- The servers ---- */

static const char *const servers[] = {".", "other.", "bank.other.", "victim.example.",
    "mx.victim.example.", "ns.victim.example.", "ns1.list.example.", "a.gns.example.",
    "ns.hosting.other.", "ns.evil.other.", "localhost.", "127.0.0.1.", "\\000.example.",
    "*.list.example.", "list.example.", "mail.example.",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."};

static unsigned servers_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return (VALUES(servers) + 2) * 2;
}

/* With and without an address beside it, which nobody asked for. */
static void servers_named(struct tale *tale, unsigned variant)
{
    unsigned number = variant / 2;
    struct world_name cut = cut_of(tale);
    struct world_name server = number < VALUES(servers)    ? tale_name(servers[number])
                               : number == VALUES(servers) ? tale->name
                                                           : cut;
    records_drop(tale);
    ns_put(tale, cut_section(tale), &cut, &server);
    if (variant % 2 == 1) {
        address_put(tale, TALE_ADDITIONAL, &server, TWIST_EVIL);
    }
}

/* ---- Addresses ---- */

static const char *const addresses[] = {"0.0.0.0", "0.1.2.3", "10.0.0.53", "100.64.0.1",
    "127.0.0.1", "127.9.9.9", "169.254.1.1", "172.16.0.1", "172.31.255.254", "192.168.1.1",
    "192.0.2.99", "224.0.0.251", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1",
    "::ffff:10.0.0.53", "::ffff:203.0.113.66", "::10.0.0.53", "64:ff9b::a00:35",
    "64:ff9b:1::a00:35", "2002:a00:35::1", "2002:7f00:1::1", "fc00::1", "fd00::53", "fe80::1",
    "fec0::1", "ff02::fb", "100::1", "4000::1", "192.0.2.1", "192.0.2.10", "192.0.2.12",
    "192.0.2.18", "192.0.2.22", "203.0.113.66", "203.0.113.70", "203.0.113.80", "203.0.113.81",
    "203.0.113.82", "203.0.113.83", "203.0.113.84", "2001:db8::12", "2001:db8::666"};

static unsigned addresses_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return VALUES(addresses) * 2;
}

/* Within this host, its networks and what leads there; other servers of this world; the evil. Alone
 * or beside a good one. */
static void glue(struct tale *tale, unsigned variant)
{
    struct world_name server = referral_make(tale);
    address_put(tale, TALE_ADDITIONAL, &server, addresses[variant / 2]);
    if (variant % 2 == 1) {
        address_put(tale, TALE_ADDITIONAL, &server, TWIST_EVIL);
    }
}

/* The asked name itself has this address, of whatever type was asked for. */
static void answer(struct tale *tale, unsigned variant)
{
    records_drop(tale);
    tale->flags |= HEADER_AA | HEADER_RA;
    address_put(tale, TALE_ANSWER, &tale->name, addresses[variant / 2]);
    if (variant % 2 == 1) {
        address_put(tale, TALE_ANSWER, &tale->name, TWIST_EVIL);
    }
}

static unsigned owners_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return (DEPTHS + 1 + VALUES(strangers)) * 2;
}

/* The address is somebody else's; who is named as a server, too, or is not. */
static void glue_owner(struct tale *tale, unsigned variant)
{
    struct world_name owner = owner_at(tale, variant / 2);
    struct world_name cut = cut_of(tale);
    if (variant % 2 == 0) {
        referral_make(tale);
    } else {
        records_drop(tale);
        ns_put(tale, cut_section(tale), &cut, &owner);
    }
    address_put(tale, TALE_ADDITIONAL, &owner, TWIST_EVIL);
}

static unsigned sections_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 9;
}

/* Name servers in each section, their addresses in each. */
static void sections(struct tale *tale, unsigned variant)
{
    struct world_name cut = cut_of(tale);
    struct world_name server = name_below("ns", &cut);
    records_drop(tale);
    ns_put(tale, 1 + variant % 3, &cut, &server);
    address_put(tale, 1 + variant / 3, &server, TWIST_EVIL);
}

static const uint32_t ttls[] = {0, 1, 86400, 0x7fffffff, 0x80000000, 0xffffffff};

static unsigned ttls_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return VALUES(ttls) * 3;
}

static void ttl(struct tale *tale, unsigned variant)
{
    struct world_name server = referral_make(tale);
    address_put(tale, TALE_ADDITIONAL, &server, TWIST_EVIL);
    for (size_t i = 0; i < tale->count; i++) {
        bool is_ns = tale->records[i].type == TYPE_NS;
        bool is_address = tale->records[i].type == TYPE_A;
        if ((is_ns && variant % 3 != 1) || (is_address && variant % 3 != 0)) {
            tale->records[i].ttl = ttls[variant / 3];
        }
    }
}

static const uint16_t classes[] = {0, CLASS_CH, CLASS_NONE, CLASS_ANY};

static unsigned classes_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return VALUES(classes) * 4;
}

/* Of all NS records, of the addresses; of one more of each, beside a good one. */
static void class(struct tale *tale, unsigned variant)
{
    struct world_name server = referral_make(tale);
    struct world_name cut = cut_of(tale);
    struct world_name other = name_below("other", &cut);
    uint16_t type = variant % 2 == 0 ? TYPE_NS : TYPE_A;
    address_put(tale, TALE_ADDITIONAL, &server, TWIST_EVIL);
    size_t first = variant % 4 < 2 ? 0 : tale->count;
    if (variant % 4 >= 2) {
        ns_put(tale, cut_section(tale), &cut, &other);
        address_put(tale, TALE_ADDITIONAL, &other, "203.0.113.67");
    }
    for (size_t i = first; i < tale->count; i++) {
        if (tale->records[i].type == type) {
            tale->records[i].class = classes[variant / 4];
        }
    }
}

static const uint8_t lens[] = {0, 3, 5, 15, 16, 17};

static unsigned lens_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return VALUES(lens) * 2;
}

/* Addresses that are too short or too long for their type. */
static void glue_len(struct tale *tale, unsigned variant)
{
    static const uint8_t data[17] = {203, 0, 113, 66};
    struct tale_record form = {.section = TALE_ADDITIONAL, .class = CLASS_IN, .ttl = 3600};
    form.type = variant % 2 == 0 ? TYPE_A : TYPE_AAAA;
    form.owner = referral_make(tale);
    tale_put(tale, &form, data, lens[variant / 2])->is_broken = true;
}

/* ---- Not quite a referral ---- */

static unsigned sixteen(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 16;
}

static void flags_of_variant(struct tale *tale, unsigned variant)
{
    unsigned flags = (variant & 1 ? HEADER_AA : 0u) | (variant & 2 ? HEADER_RA : 0u);
    tale->flags = (uint16_t)((tale->flags & ~(unsigned)(HEADER_AA | HEADER_RA)) | flags);
}

/* The truth, nothing, an upward referral, a referral beside the truth; with AA or RA or both or
 * none. */
static void lame(struct tale *tale, unsigned variant)
{
    struct world_name root = tale_name(".");
    struct world_name far = tale_name("ns.evil.other.");
    struct world_name cut = cut_of(tale);
    unsigned kind = variant / 4;
    if (kind == 1 || kind == 2) {
        records_drop(tale);
    }
    if (kind >= 2) {
        ns_put(tale, TALE_AUTHORITY, kind == 2 ? &root : &cut, &far);
        address_put(tale, TALE_ADDITIONAL, &far, TWIST_EVIL);
    }
    flags_of_variant(tale, variant);
}

/* An alias, data of another name, an SOA or NXDOMAIN beside a referral. */
static void mixed(struct tale *tale, unsigned variant)
{
    struct world_name server = referral_make(tale);
    unsigned kind = variant / 4;
    address_put(tale, TALE_ADDITIONAL, &server, TWIST_EVIL);
    if (kind == 0) {
        tale_add(tale, TALE_ANSWER, "x. 300 CNAME bank.other.")->owner = tale->name;
    } else if (kind == 1) {
        tale_add(tale, TALE_ANSWER, "victim.example. 300 A " TWIST_EVIL);
    } else if (kind == 2) {
        tale_add(tale, TALE_AUTHORITY, "x. 300 SOA a. b. 1 1 1 1 300")->owner = cut_of(tale);
    } else {
        tale->flags |= RCODE_NXDOMAIN;
    }
    flags_of_variant(tale, variant);
}

static unsigned climb_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return (DEPTHS + 1 + VALUES(strangers)) * 4;
}

/* A denial by which the zone is said to end elsewhere; also of a name there, behind an alias. */
static void climb(struct tale *tale, unsigned variant)
{
    struct world_name zone = owner_at(tale, variant / 4);
    records_drop(tale);
    tale->flags |= HEADER_RA | HEADER_AA | (variant % 2 == 0 ? RCODE_NOERROR : RCODE_NXDOMAIN);
    if (variant % 4 >= 2) {
        struct world_name target = name_below("x", &zone);
        struct tale_record form = {
            .section = TALE_ANSWER, .type = TYPE_CNAME, .class = CLASS_IN, .ttl = 300};
        form.owner = tale->name;
        tale_put(tale, &form, target.bytes, target.len);
    }
    tale_add(tale, TALE_AUTHORITY, "x. 300 SOA a. b. 1 1 1 1 300")->owner = zone;
}

/* ---- Floods ---- */

static const unsigned sizes[] = {5, 20, 200, 2000, 4000};
static const char *const zones[] = {"victim.example.", "bank.other."};
#define FLOODS 7

static unsigned flood_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return VALUES(sizes) * FLOODS;
}

static struct world_name numbered(unsigned number, const struct world_name *zone)
{
    char label[16];
    snprintf(label, sizeof label, "n%u", number);
    return name_below(label, zone);
}

static void glue_numbered(struct tale *tale, const struct world_name *server, unsigned number)
{
    char text[32];
    snprintf(text, sizeof text, "203.0.%u.%u", 100 + number / 256, number % 256);
    address_put(tale, TALE_ADDITIONAL, server, text);
}

/* One record of a flood, by its kind. */
static void flood_put(struct tale *tale, unsigned kind, unsigned number)
{
    struct world_name cut = cut_of(tale);
    struct world_name victim = tale_name(zones[kind == 1 ? 1 : 0]);
    struct world_name server = name_below("ns", &cut);
    if (kind <= 1) { /* Of a victim, who would be asked for each of them. */
        server = numbered(number, &victim);
        ns_put(tale, cut_section(tale), &cut, &server);
    } else if (kind == 2) { /* Each with its address. */
        server = numbered(number, &cut);
        ns_put(tale, cut_section(tale), &cut, &server);
        glue_numbered(tale, &server, number);
    } else if (kind == 3) { /* One server with all the addresses. */
        glue_numbered(tale, &server, number);
    } else if (kind == 4) { /* One record again and again. */
        ns_put(tale, cut_section(tale), &cut, &server);
    } else if (kind == 5) { /* Of as many owners. */
        struct world_name owner = numbered(number, &cut);
        ns_put(tale, cut_section(tale), &owner, &server);
    } else { /* Addresses of as many owners. */
        struct world_name owner = numbered(number, &cut);
        glue_numbered(tale, &owner, number);
    }
}

static void flood(struct tale *tale, unsigned variant)
{
    unsigned kind = variant % FLOODS;
    unsigned size = sizes[variant / FLOODS];
    struct world_name cut = cut_of(tale);
    struct world_name server = name_below("ns", &cut);
    records_drop(tale);
    if (kind == 3 || kind == 6) {
        ns_put(tale, cut_section(tale), &cut, &server);
    }
    for (unsigned i = 0;
         i < size && tale->count + 2 < TALE_RECORDS_MAX && tale->heap_len + 2048 < TALE_HEAP_MAX;
         i++) {
        flood_put(tale, kind, i);
    }
}

static const struct twist rows[] = {
    {"NS: each owner", cuts_count, cuts, NULL},
    {"NS: two owners", two_cuts_count, cuts_two, NULL},
    {"NS: each server", servers_count, servers_named, NULL},
    {"server's address: each", addresses_count, glue, NULL},
    {"answer: each address", addresses_count, answer, NULL},
    {"server's address: each owner", owners_count, glue_owner, NULL},
    {"NS and address: each section", sections_count, sections, NULL},
    {"NS and address: TTL", ttls_count, ttl, NULL},
    {"NS and address: class", classes_count, class, NULL},
    {"server's address: length", lens_count, glue_len, NULL},
    {"lame, with AA, RA, both, none", sixteen, lame, NULL},
    {"referral and answer", sixteen, mixed, NULL},
    {"denial: each SOA", climb_count, climb, NULL},
    {"flood of NS and addresses", flood_count, flood, NULL},
};

const struct twist_table twists_referrals = {"referrals", rows, sizeof rows / sizeof rows[0], true};
