/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/synth.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mail/list_zone.h"
#include "tests/bench/names.h"
#include "wire/edns.h"
#include "wire/header.h"
#include "wire/message.h"
#include "wire/name.h"
#include "wire/types.h"

#define POINTER_TOP 0xc000u /* Marks a compression pointer (RFC 1035 section 4.1.4). */
#define TEXT_MAX    255
#define KEY_CHARS   216 /* A 1,024-bit RSA key in base64. */

/* Shares in percent of the names of a kind. */
#define LISTED_ADDRESS_PERCENT 15
#define LISTED_DOMAIN_PERCENT  5
#define LISTED_HASH_PERCENT    2
#define DMARC_PERCENT          70
#define IPV6_PERCENT           40

/* A reply in the making. */
struct synth {
    struct writer writer;
    const struct question *asked;
    uint8_t name[NAME_SIZE_MAX]; /* Lower case, for some resolvers ask with mixed letters. */
    uint64_t hash;               /* Of name and type. */
    uint16_t counts[4];
    unsigned rcode;
    const struct synth_world *world;
};

static uint64_t name_hash(const uint8_t *name, size_t len, uint64_t start)
{
    uint64_t hash = names_mix(start);
    for (size_t i = 0; i < len; i++) {
        hash = names_mix(hash ^ name[i]);
    }
    return hash;
}

static uint32_t ttl_between(const struct synth *synth, uint32_t low, uint32_t high)
{
    uint32_t ttl = low + (uint32_t)(synth->hash >> 32) % (high - low + 1);
    ttl = ttl > synth->world->ttl_min ? ttl : synth->world->ttl_min;
    return ttl < synth->world->ttl_max ? ttl : synth->world->ttl_max;
}

static unsigned percentile(const struct synth *synth)
{
    return (unsigned)(synth->hash % 100);
}

/* Opens a record of the name at `owner_at`; returns where its data begins, for record_end(). */
static size_t record_begin(struct synth *synth, size_t owner_at, uint16_t type, uint32_t ttl)
{
    writer_u16(&synth->writer, (uint16_t)(POINTER_TOP | owner_at));
    writer_u16(&synth->writer, type);
    writer_u16(&synth->writer, CLASS_IN);
    writer_u32(&synth->writer, ttl);
    writer_u16(&synth->writer, 0);
    return synth->writer.len;
}

static void record_end(struct synth *synth, size_t data_at, unsigned section)
{
    if (!synth->writer.is_cut) {
        size_t len = synth->writer.len - data_at;
        bytes_put_u16(synth->writer.bytes + data_at - 2, (uint16_t)len);
        synth->counts[section]++;
    }
}

static void name_put(struct synth *synth, const char *text)
{
    uint8_t name[NAME_SIZE_MAX];
    size_t len = 0;
    if (name_from_text(text, strlen(text), name, &len)) {
        writer_bytes(&synth->writer, name, len);
    }
}

static void name_record(struct synth *synth, const char *target, uint32_t ttl)
{
    size_t data_at = record_begin(synth, HEADER_SIZE, synth->asked->type, ttl);
    name_put(synth, target);
    record_end(synth, data_at, 1);
}

static void mx_record(struct synth *synth, uint16_t preference, const char *target, uint32_t ttl)
{
    size_t data_at = record_begin(synth, HEADER_SIZE, TYPE_MX, ttl);
    writer_u16(&synth->writer, preference);
    name_put(synth, target);
    record_end(synth, data_at, 1);
}

static void text_record(struct synth *synth, const char *text, uint32_t ttl)
{
    size_t data_at = record_begin(synth, HEADER_SIZE, TYPE_TXT, ttl);
    size_t len = strnlen(text, TEXT_MAX);
    writer_u8(&synth->writer, (uint8_t)len);
    writer_bytes(&synth->writer, (const uint8_t *)text, len);
    record_end(synth, data_at, 1);
}

static void address_record(struct synth *synth, uint32_t address, uint32_t ttl)
{
    size_t data_at = record_begin(synth, HEADER_SIZE, TYPE_A, ttl);
    writer_u32(&synth->writer, address);
    record_end(synth, data_at, 1);
}

static void ipv6_record(struct synth *synth, uint32_t ttl)
{
    static const uint8_t prefix[8] = {0x2a, 0x01, 0x04, 0xf8};
    size_t data_at = record_begin(synth, HEADER_SIZE, TYPE_AAAA, ttl);
    writer_bytes(&synth->writer, prefix, sizeof(prefix));
    writer_u32(&synth->writer, (uint32_t)(synth->hash >> 32));
    writer_u32(&synth->writer, (uint32_t)synth->hash);
    record_end(synth, data_at, 1);
}

/* The end of the name that has at most `labels` labels: where the made-up zone begins. */
static size_t zone_at(const struct synth *synth, unsigned labels)
{
    size_t at = 0;
    unsigned left = name_label_count(synth->name, synth->asked->name_len);
    while (left > labels) {
        at += 1u + synth->name[at];
        left--;
    }
    return at;
}

/* NXDOMAIN or NODATA with the SOA of the zone that begins at `zone` in the name. */
static void denial_put(struct synth *synth, unsigned rcode, size_t zone, uint32_t ttl)
{
    uint16_t pointer = (uint16_t)(POINTER_TOP | (HEADER_SIZE + zone));
    synth->rcode = rcode;
    size_t data_at = record_begin(synth, HEADER_SIZE + zone, TYPE_SOA, ttl);
    writer_bytes(&synth->writer, (const uint8_t *)"\002ns", 3);
    writer_u16(&synth->writer, pointer);
    writer_bytes(&synth->writer, (const uint8_t *)"\012hostmaster", 11);
    writer_u16(&synth->writer, pointer);
    writer_u32(&synth->writer, 2026010100);
    writer_u32(&synth->writer, 3600);
    writer_u32(&synth->writer, 600);
    writer_u32(&synth->writer, 604800);
    writer_u32(&synth->writer, ttl);
    record_end(synth, data_at, 2);
}

static unsigned listed_percent(enum list_kind kind)
{
    switch (kind) {
    case LIST_KIND_IP:
    case LIST_KIND_ALLOW:
        return LISTED_ADDRESS_PERCENT;
    case LIST_KIND_DOMAIN:
        return LISTED_DOMAIN_PERCENT;
    case LIST_KIND_HASH:
        return LISTED_HASH_PERCENT;
    }
    return 0;
}

/* Lists are honest where they are tested (RFC 5782 section 5): 127.0.0.1 and names that nobody has
 * are not on them, 127.0.0.2 and the providers' own test names are. */
static bool is_test_point(
    const struct synth *synth, const struct list_question *list, bool *is_listed_out)
{
    static const uint8_t bench[] = "\5bench";
    const struct address *address = &list->address;
    if (list->has_address) {
        *is_listed_out = address->bytes[3] == 2;
        return address->family == ADDRESS_IPV4 && address->bytes[0] == 127;
    }
    size_t tail = sizeof bench - 1;
    bool is_ours =
        list->zone_at > tail && memcmp(synth->name + list->zone_at - tail, bench, tail) == 0;
    *is_listed_out =
        memchr(synth->name, '-', list->zone_at) != NULL || memcmp(synth->name, "\7dbltest", 8) == 0;
    return list->kind == LIST_KIND_DOMAIN && !is_ours;
}

static bool is_listed(const struct synth *synth, const struct list_question *list)
{
    bool is_listed;
    if (is_test_point(synth, list, &is_listed)) {
        return is_listed;
    }
    return !synth->world->lists_nothing && percentile(synth) < listed_percent(list->kind);
}

/* One provider's way, and everybody else's. */
static void refusal_put(struct synth *synth, const struct list_question *list)
{
    if (synth->asked->type == TYPE_A && strstr(list->known->zone, "spamhaus") != NULL) {
        address_record(synth, 0x7ffffffeu, 60);
    } else {
        synth->rcode = RCODE_REFUSED;
    }
}

static void list_put(struct synth *synth, const struct list_question *list)
{
    if (synth->world->lists_refuse) {
        refusal_put(synth, list);
    } else if (!is_listed(synth, list)) {
        denial_put(synth, RCODE_NXDOMAIN, list->zone_at, ttl_between(synth, 60, 300));
    } else if (synth->asked->type == TYPE_A) {
        address_record(synth, 0x7f000002u, ttl_between(synth, 300, 300));
    } else {
        text_record(synth, "listed", ttl_between(synth, 300, 300));
    }
}

static void ptr_put(struct synth *synth)
{
    char text[NAME_TEXT_SIZE];
    char host[NAMES_TEXT_SIZE];
    unsigned octets[4] = {0};
    (void)name_to_text(synth->name, synth->asked->name_len, text, sizeof(text));
    bool is_whole = sscanf(text, "%3u.%3u.%3u.%3u.in-addr.arpa", &octets[0], &octets[1], &octets[2],
                        &octets[3]) == 4;
    uint32_t address = octets[3] << 24 | octets[2] << 16 | octets[1] << 8 | octets[0];
    if (!is_whole || !names_has_ptr(address)) {
        denial_put(synth, RCODE_NXDOMAIN, zone_at(synth, 3), ttl_between(synth, 300, 3600));
        return;
    }
    names_host(address, host);
    name_record(synth, host, ttl_between(synth, 3600, 86400));
}

static void mx_put(struct synth *synth, const char *name)
{
    char host[NAMES_TEXT_SIZE];
    unsigned rank = 0;
    uint32_t ttl = ttl_between(synth, 300, 3600);
    if (sscanf(name, "d%9u.bench", &rank) != 1) {
        denial_put(synth, RCODE_NOERROR, zone_at(synth, 2), ttl_between(synth, 300, 900));
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        names_mx(rank, i, host);
        mx_record(synth, (uint16_t)(10 + 10 * i), host, ttl);
    }
}

static void dkim_put(struct synth *synth, uint32_t ttl)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char key[TEXT_MAX + 1];
    struct text text;
    uint64_t mixed = synth->hash;
    text_init(&text, key, sizeof(key));
    text_add(&text, "v=DKIM1; k=rsa; p=");
    for (size_t i = 0; i < KEY_CHARS; i++) {
        mixed = names_mix(mixed);
        text_add_bytes(&text, &alphabet[mixed % 64], 1);
    }
    text_record(synth, key, ttl);
}

static void spf_put(struct synth *synth, unsigned rank, uint32_t ttl)
{
    char includes[2][NAMES_TEXT_SIZE];
    char text[3 * NAMES_TEXT_SIZE];
    names_spf(rank, 0, includes[0]);
    names_spf(rank, 1, includes[1]);
    (void)snprintf(
        text, sizeof(text), "v=spf1 include:%s include:%s -all", includes[0], includes[1]);
    text_record(synth, text, ttl);
}

static void txt_put(struct synth *synth, const char *name)
{
    unsigned rank = 0;
    uint32_t ttl = ttl_between(synth, 300, 3600);
    if (strstr(name, "._domainkey.") != NULL) {
        dkim_put(synth, ttl);
    } else if (strncmp(name, "_dmarc.", 7) == 0 && percentile(synth) < DMARC_PERCENT) {
        text_record(synth, "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org", ttl);
    } else if (strncmp(name, "_dmarc.", 7) == 0) {
        denial_put(synth, RCODE_NXDOMAIN, zone_at(synth, 2), ttl_between(synth, 300, 900));
    } else if (strncmp(name, "_spf.", 5) == 0 || strncmp(name, "spf.", 4) == 0) {
        text_record(synth, "v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/24 ~all", ttl);
    } else if (sscanf(name, "d%9u.bench", &rank) == 1) {
        spf_put(synth, rank, ttl);
    } else {
        denial_put(synth, RCODE_NOERROR, zone_at(synth, 2), ttl_between(synth, 300, 900));
    }
}

/* Host and domain names; the root and its servers too, for resolvers that look at them. */
static void host_put(struct synth *synth)
{
    char name[NAME_TEXT_SIZE];
    (void)name_to_text(synth->name, synth->asked->name_len, name, sizeof(name));
    if (synth->asked->type == TYPE_A) {
        address_record(synth, names_client((uint32_t)synth->hash), ttl_between(synth, 60, 3600));
    } else if (synth->asked->type == TYPE_AAAA && percentile(synth) < IPV6_PERCENT) {
        ipv6_record(synth, ttl_between(synth, 60, 3600));
    } else if (synth->asked->type == TYPE_MX) {
        mx_put(synth, name);
    } else if (synth->asked->type == TYPE_TXT) {
        txt_put(synth, name);
    } else if (synth->asked->type == TYPE_NS) {
        name_record(synth, "ns1.hoster.bench", ttl_between(synth, 3600, 86400));
        name_record(synth, "ns2.hoster.bench", ttl_between(synth, 3600, 86400));
    } else {
        denial_put(synth, RCODE_NOERROR, zone_at(synth, 2), ttl_between(synth, 300, 900));
    }
}

static void sections_put(struct synth *synth)
{
    struct list_question list;
    uint16_t type = synth->asked->type;
    if (synth->asked->class != CLASS_IN || type_is_meta(type)) {
        synth->rcode = RCODE_REFUSED;
    } else if (type == TYPE_PTR) {
        ptr_put(synth);
    } else if ((type == TYPE_A || type == TYPE_TXT) &&
               list_question_of(synth->name, synth->asked->name_len, type, &list) &&
               list.known != NULL) {
        list_put(synth, &list);
    } else {
        host_put(synth);
    }
}

static void opt_put(struct synth *synth, bool wants_dnssec)
{
    const struct edns_reply edns = {
        .udp_size = EDNS_UDP_SIZE,
        .wants_dnssec = wants_dnssec,
        .ede = EDE_NONE,
    };
    edns_write(&synth->writer, &edns);
    synth->counts[3] = 1;
}

size_t synth_reply(
    const struct message *query, const struct synth_world *world, uint8_t bytes_out[SYNTH_SIZE_MAX])
{
    struct synth synth = {
        .writer = writer_of(bytes_out, SYNTH_SIZE_MAX),
        .asked = &query->question,
        .counts = {1},
        .world = world,
    };
    if ((query->flags & HEADER_QR) != 0 || query->opcode != OPCODE_QUERY) {
        return 0;
    }
    memcpy(synth.name, query->question.name, query->question.name_len);
    name_to_lower(synth.name, query->question.name_len);
    synth.hash = name_hash(synth.name, query->question.name_len, query->question.type);
    (void)writer_take(&synth.writer, HEADER_SIZE);
    question_write(&synth.writer, &query->question);
    sections_put(&synth);
    if (query->edns.is_present) {
        opt_put(&synth, query->edns.wants_dnssec);
    }
    unsigned flags = HEADER_QR | HEADER_RA | (query->flags & (HEADER_RD | HEADER_CD)) | synth.rcode;
    header_set_id(bytes_out, query->id);
    header_set_flags(bytes_out, (uint16_t)flags);
    header_set_counts(bytes_out, synth.counts);
    return synth.writer.is_cut ? 0 : synth.writer.len;
}
