/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/mix.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "tests/bench/names.h"
#include "wire/name.h"
#include "wire/types.h"

#define LINKS        3
#define HASHES       8
#define FIRST_OCTETS 60 /* 20 to 79: nothing private or special lies there. */
#define FIRST_OCTET  20
#define MIX_SALT     UINT64_C(0x6d6978)
#define ALL_BITS     UINT64_C(0xffffffff)

/* What a name is about. */
enum subject {
    SUBJECT_CLIENT,
    SUBJECT_RELAY,
    SUBJECT_DOMAIN,
    SUBJECT_LINK,
    SUBJECT_HASH,
    SUBJECT_HOST, /* The client's, as PTR names it. */
    SUBJECT_PROVIDER,
    SUBJECT_MAILER,
};

enum asker {
    ASKER_LIBC, /* Without EDNS. */
    ASKER_FILTER,
};

/* One question: [label.]subject[.zone]. */
struct row {
    enum subject subject;
    uint8_t which; /* Of the links and hashes. */
    enum asker asker;
    uint16_t type;
    const char *label;
    const char *zone;
};

#define ADDRESS_AT(subject, asker, zone)                                                           \
    {                                                                                              \
        subject, 0, asker, TYPE_A, "", zone                                                        \
    }
#define CLIENT_AT(asker, zone) ADDRESS_AT(SUBJECT_CLIENT, asker, zone)
#define RELAY_AT(zone)         ADDRESS_AT(SUBJECT_RELAY, ASKER_FILTER, zone)
#define LINK_AT(which, zone)                                                                       \
    {                                                                                              \
        SUBJECT_LINK, which, ASKER_FILTER, TYPE_A, "", zone                                        \
    }
#define DOMAIN_AT(zone)                                                                            \
    {                                                                                              \
        SUBJECT_DOMAIN, 0, ASKER_FILTER, TYPE_A, "", zone                                          \
    }
#define HASH_AT(which, zone)                                                                       \
    {                                                                                              \
        SUBJECT_HASH, which, ASKER_FILTER, TYPE_A, "", zone                                        \
    }
#define ABOUT(subject, asker, label, type)                                                         \
    {                                                                                              \
        subject, 0, asker, type, label, ""                                                         \
    }

static const struct row rows[] = {
    CLIENT_AT(ASKER_LIBC, "zen.spamhaus.org"),
    CLIENT_AT(ASKER_LIBC, "bl.spamcop.net"),
    CLIENT_AT(ASKER_LIBC, "b.barracudacentral.org"),
    CLIENT_AT(ASKER_LIBC, "list.dnswl.org"),
    CLIENT_AT(ASKER_FILTER, "psbl.surriel.com"),
    CLIENT_AT(ASKER_FILTER, "bl.mailspike.net"),
    CLIENT_AT(ASKER_FILTER, "rep.mailspike.net"),
    CLIENT_AT(ASKER_FILTER, "dnsbl-1.uceprotect.net"),
    CLIENT_AT(ASKER_FILTER, "bl.blocklist.de"),
    CLIENT_AT(ASKER_FILTER, "score.senderscore.com"),
    CLIENT_AT(ASKER_FILTER, "dnsbl.dronebl.org"),
    CLIENT_AT(ASKER_FILTER, "truncate.gbudb.net"),
    RELAY_AT("zen.spamhaus.org"),
    RELAY_AT("bl.spamcop.net"),
    RELAY_AT("list.dnswl.org"),
    RELAY_AT("psbl.surriel.com"),
    RELAY_AT("bl.mailspike.net"),
    RELAY_AT("rep.mailspike.net"),
    RELAY_AT("dnsbl-1.uceprotect.net"),
    RELAY_AT("bl.blocklist.de"),
    DOMAIN_AT("dbl.spamhaus.org"),
    DOMAIN_AT("multi.uribl.com"),
    DOMAIN_AT("multi.surbl.org"),
    DOMAIN_AT("fresh.fmb.la"),
    LINK_AT(0, "dbl.spamhaus.org"),
    LINK_AT(0, "multi.uribl.com"),
    LINK_AT(0, "multi.surbl.org"),
    LINK_AT(0, "fresh.fmb.la"),
    LINK_AT(1, "dbl.spamhaus.org"),
    LINK_AT(1, "multi.uribl.com"),
    LINK_AT(1, "multi.surbl.org"),
    LINK_AT(1, "fresh.fmb.la"),
    LINK_AT(2, "dbl.spamhaus.org"),
    LINK_AT(2, "multi.uribl.com"),
    LINK_AT(2, "multi.surbl.org"),
    LINK_AT(2, "fresh.fmb.la"),
    HASH_AT(0, "ebl.msbl.org"),
    HASH_AT(1, "ebl.msbl.org"),
    HASH_AT(2, "ebl.msbl.org"),
    HASH_AT(3, "hashbl.surbl.org"),
    HASH_AT(4, "hashbl.surbl.org"),
    HASH_AT(5, "hashbl.surbl.org"),
    HASH_AT(6, "email.rspamd.com"),
    HASH_AT(7, "email.rspamd.com"),
    {SUBJECT_HOST, 0, ASKER_FILTER, TYPE_A, "", "dbl.spamhaus.org"},
    /* From here on MIX_LISTS asks nothing. */
    {SUBJECT_CLIENT, 0, ASKER_LIBC, TYPE_TXT, "", "zen.spamhaus.org"},
    {SUBJECT_CLIENT, 0, ASKER_LIBC, TYPE_PTR, "", "in-addr.arpa"},
    ABOUT(SUBJECT_HOST, ASKER_LIBC, "", TYPE_A),
    ABOUT(SUBJECT_HOST, ASKER_LIBC, "", TYPE_AAAA),
    ABOUT(SUBJECT_PROVIDER, ASKER_FILTER, "mx0", TYPE_A),
    ABOUT(SUBJECT_PROVIDER, ASKER_FILTER, "mx0", TYPE_AAAA),
    ABOUT(SUBJECT_DOMAIN, ASKER_LIBC, "", TYPE_MX),
    ABOUT(SUBJECT_DOMAIN, ASKER_FILTER, "", TYPE_AAAA),
    ABOUT(SUBJECT_DOMAIN, ASKER_FILTER, "", TYPE_TXT),
    ABOUT(SUBJECT_DOMAIN, ASKER_FILTER, "s1._domainkey", TYPE_TXT),
    ABOUT(SUBJECT_DOMAIN, ASKER_FILTER, "s2._domainkey", TYPE_TXT),
    ABOUT(SUBJECT_DOMAIN, ASKER_FILTER, "_dmarc", TYPE_TXT),
    ABOUT(SUBJECT_PROVIDER, ASKER_FILTER, "_spf", TYPE_TXT),
    ABOUT(SUBJECT_MAILER, ASKER_FILTER, "spf", TYPE_TXT),
    ABOUT(SUBJECT_HOST, ASKER_FILTER, "", TYPE_TXT),
    ABOUT(SUBJECT_LINK, ASKER_FILTER, "", TYPE_TXT),
    ABOUT(SUBJECT_LINK, ASKER_FILTER, "_dmarc", TYPE_TXT),
    ABOUT(SUBJECT_LINK, ASKER_FILTER, "", TYPE_AAAA),
    ABOUT(SUBJECT_LINK, ASKER_FILTER, "", TYPE_MX),
};
#define ROWS_MAIL  (sizeof(rows) / sizeof(rows[0]))
#define ROWS_LISTS 45

_Static_assert(ROWS_MAIL == 64, "a block is a message of 64 questions");

/* Two addresses a block; an odd factor keeps 2^24 of them apart. */
static uint32_t address_of(uint32_t number)
{
    uint32_t top = FIRST_OCTET + number % FIRST_OCTETS;
    return top << 24 | ((number * 0x9e3779u) & 0xffffffu);
}

static void hash_text(uint32_t block, unsigned which, char text_out[NAMES_TEXT_SIZE])
{
    uint64_t mixed = names_mix(MIX_SALT ^ ((uint64_t)block * HASHES + which));
    (void)snprintf(text_out, NAMES_TEXT_SIZE, "%016llx%08llx%08lx", (unsigned long long)mixed,
        (unsigned long long)(names_mix(mixed) & ALL_BITS), (unsigned long)block);
}

static void subject_text(const struct row *row, uint32_t block, char text_out[NAMES_TEXT_SIZE])
{
    switch (row->subject) {
    case SUBJECT_CLIENT:
        names_reverse(address_of(2 * block), row->zone, text_out);
        break;
    case SUBJECT_RELAY:
        names_reverse(address_of(2 * block + 1), row->zone, text_out);
        break;
    case SUBJECT_DOMAIN:
        names_domain(block, text_out);
        break;
    case SUBJECT_LINK:
        names_link(LINKS * block + row->which, text_out);
        break;
    case SUBJECT_HASH:
        hash_text(block, row->which, text_out);
        break;
    case SUBJECT_HOST:
        names_host(address_of(2 * block), text_out);
        break;
    case SUBJECT_PROVIDER:
        (void)snprintf(text_out, NAMES_TEXT_SIZE, "prov%u.bench", block);
        break;
    case SUBJECT_MAILER:
        (void)snprintf(text_out, NAMES_TEXT_SIZE, "mailer%u.bench", block);
        break;
    }
}

static void dotted_add(char *text, size_t size, const char *part)
{
    size_t len = strlen(text);
    (void)snprintf(text + len, size - len, "%s%s", len > 0 && part[0] != '\0' ? "." : "", part);
}

void mix_question(enum mix_kind kind, uint64_t number, struct mix_question *question_out)
{
    char subject[NAMES_TEXT_SIZE];
    char text[2 * NAMES_TEXT_SIZE] = "";
    size_t len = 0;
    size_t row_count = kind == MIX_MAIL ? ROWS_MAIL : ROWS_LISTS;
    must(number < MIX_COUNT_MAX);
    const struct row *row = &rows[number % row_count];
    bool has_zone_already = row->subject == SUBJECT_CLIENT || row->subject == SUBJECT_RELAY;
    subject_text(row, (uint32_t)(number / row_count), subject);
    dotted_add(text, sizeof(text), row->label);
    dotted_add(text, sizeof(text), subject);
    dotted_add(text, sizeof(text), has_zone_already ? "" : row->zone);
    question_out->question = (struct question){.type = row->type, .class = CLASS_IN};
    must(name_from_text(text, strlen(text), question_out->question.name, &len));
    question_out->question.name_len = (uint8_t)len;
    question_out->has_edns = row->asker == ASKER_FILTER;
}
