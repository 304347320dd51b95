/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/liar_twist.h"

#include <stdio.h>
#include <string.h>

#include "wire/types.h"

/* Denials (RFC 2308, 8020), and what is to prove them (RFC 4035, 5155). */
#define SOA_TAIL " ns.evil.other. root.evil.other. 9 3600 900 604800 "

static void denial(struct tale *tale, unsigned rcode)
{
    for (size_t i = 0; i < tale->count;) {
        if (tale->records[i].type != TYPE_OPT) {
            tale_remove(tale, i);
        } else {
            i++;
        }
    }
    tale->flags = (uint16_t)((tale->flags & ~0xfu) | rcode);
}

static const char *const soas[] = {
    "example. 60 SOA" SOA_TAIL "60",
    "example. 4294967295 SOA" SOA_TAIL "4294967295",
    "example. 2147483647 SOA" SOA_TAIL "2147483647",
    "example. 2147483648 SOA" SOA_TAIL "60",
    "example. 60 SOA" SOA_TAIL "2147483648",
    "example. 0 SOA" SOA_TAIL "0",
    "example. 0 SOA" SOA_TAIL "3600",
    "example. 86400 SOA" SOA_TAIL "1",
    ". 3600 SOA" SOA_TAIL "3600",
    "other. 3600 SOA" SOA_TAIL "3600",
    "victim.example. 3600 SOA" SOA_TAIL "3600",
    "sub.victim.example. 3600 SOA" SOA_TAIL "3600",
    "mx.example. 3600 SOA" SOA_TAIL "3600",
    "xample. 3600 SOA" SOA_TAIL "3600",
};
#define SOAS (sizeof soas / sizeof soas[0])

static unsigned soa_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return SOAS * 6;
}

/* NOERROR or NXDOMAIN; the SOA in each section. */
static void soa(struct tale *tale, unsigned variant)
{
    denial(tale, variant % 2 == 0 ? RCODE_NOERROR : RCODE_NXDOMAIN);
    tale_add(tale, 1 + variant / 2 % 3, soas[variant / 6]);
}

static unsigned soa_beside_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return SOAS * 2;
}

/* The rest as it is: an SOA beside data, two SOAs in a denial, NXDOMAIN and data. */
static void soa_beside(struct tale *tale, unsigned variant)
{
    tale_add(tale, TALE_AUTHORITY, soas[variant / 2]);
    if (variant % 2 == 1) {
        tale->flags = (uint16_t)((tale->flags & ~0xfu) | RCODE_NXDOMAIN);
    }
}

static unsigned two(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 2;
}

static void soa_none(struct tale *tale, unsigned variant)
{
    denial(tale, variant == 0 ? RCODE_NOERROR : RCODE_NXDOMAIN);
}

/* Data there is, but NXDOMAIN. */
static void rcode_only(struct tale *tale, unsigned variant)
{
    tale->flags =
        (uint16_t)((tale->flags & ~0xfu) | (variant == 0 ? RCODE_NXDOMAIN : RCODE_NOERROR));
}

static unsigned four(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return 4;
}

/* A denial of another name than the one that was asked for. */
static void proof_of_other(struct tale *tale, unsigned variant)
{
    static const char *const proofs[] = {
        "victim.example. 60 NSEC zzz.example. A RRSIG NSEC",
        "example. 60 NSEC example. NS SOA",
        "other. 60 NSEC other. NS SOA",
        ". 60 NSEC . NS SOA",
    };
    denial(tale, RCODE_NXDOMAIN);
    tale_add(tale, TALE_AUTHORITY, soas[0]);
    tale_add(tale, TALE_AUTHORITY, proofs[variant]);
}

/* ---- Floods of proofs ---- */

static const unsigned sizes[] = {10, 100, 1000, 4000};
#define SIZES (sizeof sizes / sizeof sizes[0])

static unsigned flood_count(const struct tale *truth, size_t len)
{
    (void)truth;
    (void)len;
    return SIZES * 3;
}

static void flood_add(struct tale *tale, uint16_t type, unsigned number)
{
    uint8_t data[24] = {1, 0, 0, 10};
    struct tale_record form = {
        .section = TALE_AUTHORITY, .type = type, .class = CLASS_IN, .ttl = 60};
    char text[32];
    snprintf(text, sizeof text, "h%u.example.", number);
    form.owner = tale_name(text);
    if (type == TYPE_NSEC) {
        static const uint8_t next[] = {1, 'z', 0, 0, 1, 0x40};
        tale_put(tale, &form, next, sizeof next);
    } else {
        data[4] = 1; /* A salt, a hash of 12, and as many types as fit. */
        data[6] = 12;
        tale_put(tale, &form, data, sizeof data);
    }
}

/* NSEC, NSEC3, or both, in thousands: what KeyTrap and its kin feed on (CVE-2023-50387, -50868). */
static void flood(struct tale *tale, unsigned variant)
{
    denial(tale, RCODE_NXDOMAIN);
    tale_add(tale, TALE_AUTHORITY, soas[0]);
    for (unsigned i = 0; i < sizes[variant / 3] && tale->count < TALE_RECORDS_MAX - 1; i++) {
        bool is_nsec = variant % 3 == 0 || (variant % 3 == 2 && i % 2 == 0);
        flood_add(tale, is_nsec ? TYPE_NSEC : TYPE_NSEC3, i);
    }
}

/* Signatures by the thousand over one set, and over nothing. */
static void flood_signatures(struct tale *tale, unsigned variant)
{
    uint8_t data[32] = {0, (uint8_t)tale->type, 8, 2, 0, 0, 1, 44};
    for (unsigned i = 0; i < sizes[variant / 3] && tale->count < TALE_RECORDS_MAX; i++) {
        struct tale_record form = {
            .section = 1 + variant % 3 % 2, .type = TYPE_RRSIG, .class = CLASS_IN, .ttl = 300};
        form.owner = tale->name;
        bytes_put_u16(data + 16, (uint16_t)i);
        data[1] = variant % 3 == 2 ? TYPE_NSEC : data[1];
        tale_put(tale, &form, data, sizeof data);
    }
}

static void flood_soas(struct tale *tale, unsigned variant)
{
    denial(tale, variant % 3 == 0 ? RCODE_NOERROR : RCODE_NXDOMAIN);
    for (unsigned i = 0; i < sizes[variant / 3] && tale->count < 2000; i++) {
        tale_add(tale, TALE_AUTHORITY, soas[i % SOAS]);
    }
}

/* AD from whom we do not trust, with and without DO in its OPT record. */
static void ad(struct tale *tale, unsigned variant)
{
    tale->flags |= HEADER_AD;
    for (size_t i = 0; i < tale->count; i++) {
        if (tale->records[i].type == TYPE_OPT) {
            tale->records[i].ttl = variant == 0 ? 0x8000 : 0;
        }
    }
}

static const struct twist rows[] = {
    {"denial with an SOA of any zone, TTL, MINIMUM", soa_count, soa, NULL},
    {"an SOA beside the truth", soa_beside_count, soa_beside, NULL},
    {"denial without an SOA", two, soa_none, NULL},
    {"NXDOMAIN, or not, over the truth", two, rcode_only, NULL},
    {"denial of another name", four, proof_of_other, NULL},
    {"flood of NSEC, NSEC3", flood_count, flood, NULL},
    {"flood of signatures", flood_count, flood_signatures, NULL},
    {"flood of SOAs", flood_count, flood_soas, NULL},
    {"AD", two, ad, NULL},
};

const struct twist_table twists_denials = {"denials", rows, sizeof rows / sizeof rows[0], true};
