/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/liar_twist.h"

#include <stdio.h>
#include <string.h>

#include "wire/types.h"

/* Records that nobody asked for, beside a true answer or in place of it. */
static const char *const gifts[] = {
    "victim.example. 3600 A " TWIST_EVIL,
    "victim.example. 3600 AAAA 2001:db8::666",
    "victim.example. 3600 MX 1 evil.other.",
    "victim.example. 3600 CNAME evil.other.",
    "victim.example. 3600 TXT \"v=spf1 +all\"",
    "mx.victim.example. 3600 A " TWIST_EVIL,
    "mail.example. 3600 A " TWIST_EVIL,
    "_25._tcp.mail.example. 3600 TLSA 3 1 1 66",
    "bank.other. 3600 A " TWIST_EVIL,
    "example. 3600 NS ns.evil.other.",
    "example. 3600 DNAME evil.other.",
    "example. 3600 SOA ns.evil.other. root.evil.other. 9 3600 900 604800 3600",
    "ns.example. 3600 A " TWIST_EVIL,
    "other. 3600 NS ns.evil.other.",
    ". 3600 NS ns.evil.other.",
    ". 3600 A " TWIST_EVIL,
    ". 3600 DNAME evil.other.",
    "*.example. 3600 A " TWIST_EVIL,
    "2.0.0.127.zen.spamhaus.org. 3600 A 127.255.255.254",
    "evil.other. 3600 A " TWIST_EVIL,
};
#define GIFTS (sizeof gifts / sizeof gifts[0])

static unsigned one(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 1;
}

static unsigned gift_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return (unsigned)GIFTS * 3;
}

static void gift(struct tale *tale, unsigned variant)
{
    tale_add(tale, 1 + variant % 3, gifts[variant / 3]);
}

static void records_move_back(struct tale *tale, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct tale_record first = tale->records[0];
        tale_remove(tale, 0);
        tale->records[tale->count++] = first;
    }
}

/* The stranger comes before the truth. */
static void gift_first(struct tale *tale, unsigned variant)
{
    size_t count = tale->count;
    gift(tale, variant);
    records_move_back(tale, count);
}

/* The strangers, and no truth beside. */
static void gift_alone(struct tale *tale, unsigned variant)
{
    tale->count = 0;
    gift(tale, variant);
}

static unsigned three(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 3;
}

static void gifts_all(struct tale *tale, unsigned variant)
{
    for (size_t i = 0; i < GIFTS; i++) {
        tale_add(tale, 1 + variant, gifts[i]);
    }
}

static unsigned every_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 3 * 4;
}

/* The asked name itself, with records of a type that was not asked for. */
static void other_type(struct tale *tale, unsigned variant)
{
    static const char *const texts[] = {
        ("x. 3600 A " TWIST_EVIL),
        "x. 3600 MX 1 evil.other.",
        "x. 3600 TXT \"evil\"",
        "x. 3600 NS ns.evil.other.",
    };
    struct tale_record *record = tale_add(tale, 1 + variant % 3, texts[variant / 3]);
    record->owner = tale->name;
}

/* ---- Referrals (RFC 1034 section 4.3.1) ---- */

static unsigned referral_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 5 * 4;
}

static void referral(struct tale *tale, unsigned variant)
{
    static const char *const zones[] = {
        "example. 3600 NS ns.evil.other.",
        ". 3600 NS ns.evil.other.",
        "other. 3600 NS ns.evil.other.",
        "victim.example. 3600 NS ns.evil.other.",
        "nothing.example. 3600 NS ns.evil.other.",
    };
    if (variant % 2 == 0) {
        tale->count = 0;
    }
    if (variant % 4 >= 2) {
        tale->flags = (uint16_t)(tale->flags & ~HEADER_AA);
    }
    tale_add(tale, TALE_AUTHORITY, zones[variant / 4]);
    tale_add(tale, TALE_ADDITIONAL, "ns.evil.other. 3600 A " TWIST_EVIL);
}

/* ---- OPT (RFC 6891), TSIG (RFC 8945), SIG(0) (RFC 2931) ---- */

static struct tale_record *raw_add(
    struct tale *tale, unsigned section, const char *owner, uint16_t type, size_t len)
{
    uint8_t data[256];
    struct tale_record form = {.section = section, .type = type, .class = 1232};
    form.owner = tale_name(owner);
    memset(data, 0, sizeof data);
    return tale_put(tale, &form, data, len);
}

static void opt_drop(struct tale *tale)
{
    for (size_t i = 0; i < tale->count;) {
        if (tale->records[i].type == TYPE_OPT) {
            tale_remove(tale, i);
        } else {
            i++;
        }
    }
}

static unsigned opt_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 9;
}

static void opt_two(struct tale *tale, unsigned variant)
{
    opt_drop(tale);
    for (unsigned i = 0; i < 1 + variant % 3; i++) {
        raw_add(tale, 1 + variant / 3, ".", TYPE_OPT, 0);
    }
}

static void opt_owner(struct tale *tale, unsigned variant)
{
    static const char *const names[] = {"x.", "example.", "victim.example."};
    opt_drop(tale);
    raw_add(tale, TALE_ADDITIONAL, names[variant % 3], TYPE_OPT, 0);
}

/* Extended rcodes and versions. */
static void opt_ttl(struct tale *tale, unsigned variant)
{
    static const uint32_t ttls[] = {0x01000000, 0x00010000, 0xff000000, 0x00ff0000, 0x00008000,
        0x00007fff, 0xffffffff, 0x01010000, 0x10000000};
    opt_drop(tale);
    raw_add(tale, TALE_ADDITIONAL, ".", TYPE_OPT, 0)->ttl = ttls[variant];
}

/* Options that do not end where they say, are unknown, or long. */
static void opt_options(struct tale *tale, unsigned variant)
{
    static const uint8_t heads[9][4] = {{0, 10, 0, 8}, {0, 10, 0, 16}, {0, 10, 0, 200},
        {0, 15, 0, 2}, {0, 15, 0, 1}, {255, 255, 0, 0}, {0, 3, 0, 4}, {0, 10, 255, 255},
        {0, 11, 0, 2}};
    static const size_t lens[9] = {12, 20, 204, 6, 5, 4, 3, 30, 6};
    opt_drop(tale);
    struct tale_record *opt = raw_add(tale, TALE_ADDITIONAL, ".", TYPE_OPT, lens[variant]);
    memcpy(tale->heap + opt->data_at, heads[variant], lens[variant] < 4 ? lens[variant] : 4);
}

static void opt_none(struct tale *tale, unsigned variant)
{
    (void)variant;
    opt_drop(tale);
}

static unsigned signature_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 4 * 3;
}

static void transaction_signature(struct tale *tale, unsigned variant)
{
    static const uint16_t types[] = {TYPE_TSIG, TYPE_SIG, TYPE_TKEY, TYPE_TSIG};
    unsigned kind = variant / 3;
    for (unsigned i = 0; i < (kind == 3 ? 2u : 1u); i++) {
        struct tale_record *record =
            raw_add(tale, 1 + variant % 3, kind == 1 ? "." : "key.example.", types[kind], 60);
        record->class = CLASS_ANY;
        record->ttl = 0;
    }
}

/* ---- Floods ---- */

static const unsigned flood_sizes[] = {100, 1000, 4000, 4096, 4180};
#define FLOODS (sizeof flood_sizes / sizeof flood_sizes[0])

static unsigned flood_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return FLOODS * 3;
}

static void numbered_name(struct tale *tale, struct tale_record *record, unsigned number)
{
    char label[8];
    size_t size = (size_t)snprintf(label, sizeof label, "n%u", number % 100000);
    (void)tale;
    record->owner.len = (uint8_t)(1 + size + 1);
    record->owner.bytes[0] = (uint8_t)size;
    memcpy(record->owner.bytes + 1, label, size);
    record->owner.bytes[1 + size] = 0;
}

/* Thousands of addresses of other names. */
static void flood_names(struct tale *tale, unsigned variant)
{
    static const uint8_t evil[4] = {203, 0, 113, 66};
    unsigned size = flood_sizes[variant / 3];
    for (unsigned i = 0; i < size && tale->count < TALE_RECORDS_MAX; i++) {
        struct tale_record form = {
            .section = 1 + variant % 3, .type = TYPE_A, .class = CLASS_IN, .ttl = 3600};
        numbered_name(tale, &form, i);
        tale_put(tale, &form, evil, sizeof evil);
    }
}

/* Thousands of records of the asked name, all different: a huge set, or the same one again. */
static void flood_set(struct tale *tale, unsigned variant)
{
    unsigned size = flood_sizes[variant / 3];
    for (unsigned i = 0; i < size && tale->count < TALE_RECORDS_MAX; i++) {
        const uint8_t data[4] = {10, (uint8_t)(i >> 8), (uint8_t)(variant % 3 == 0 ? i : 0), 1};
        struct tale_record form = {.section = TALE_ANSWER,
            .type = variant % 3 == 2 ? TYPE_TXT : TYPE_A,
            .class = CLASS_IN,
            .ttl = 300};
        form.owner = tale->name;
        tale_put(tale, &form, data, sizeof data);
    }
}

static const struct twist rows[] = {
    {"a stranger's record behind the truth", gift_count, gift, NULL},
    {"a stranger's record before the truth", gift_count, gift_first, NULL},
    {"a stranger's record instead", gift_count, gift_alone, NULL},
    {"strangers' records, all", three, gifts_all, NULL},
    {"the asked name, another type", every_count, other_type, NULL},
    {"referral elsewhere", referral_count, referral, NULL},
    {"OPT: one to three, in each section", opt_count, opt_two, NULL},
    {"OPT with a name", three, opt_owner, NULL},
    {"OPT: rcode, version, flags", opt_count, opt_ttl, NULL},
    {"OPT: options", opt_count, opt_options, NULL},
    {"OPT: none", one, opt_none, NULL},
    {"TSIG, SIG(0), TKEY", signature_count, transaction_signature, NULL},
    {"flood of other names", flood_count, flood_names, NULL},
    {"flood of records of the name", flood_count, flood_set, NULL},
};

const struct twist_table twists_foreign = {"foreign", rows, sizeof rows / sizeof rows[0], true};
