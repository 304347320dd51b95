/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/local.h"

#include <string.h>

#include "base/must.h"
#include "wire/header.h"
#include "wire/name.h"
#include "wire/question.h"
#include "wire/records.h"
#include "wire/types.h"
#include "mail/list_zone.h"
#include "cache/key.h"

/* The answer under construction: the stored form, its question at offset HEADER_SIZE. */
struct local_message {
    struct writer writer;
    uint16_t answers;
    uint16_t authorities;
    unsigned rcode;
};

static void local_begin(
    struct local_message *message, const struct cache_key *key, uint8_t *bytes, size_t size)
{
    *message = (struct local_message){.writer = writer_of(bytes, size)};
    writer_take(&message->writer, HEADER_SIZE);
    writer_bytes(&message->writer, key->name, key->name_len);
    writer_u16(&message->writer, key->type);
    writer_u16(&message->writer, key->class);
}

static size_t local_end(struct local_message *message)
{
    must(!message->writer.is_cut);
    const uint16_t counts[4] = {1, message->answers, message->authorities, 0};
    header_set_id(message->writer.bytes, 0);
    header_set_flags(message->writer.bytes, (uint16_t)(HEADER_QR | HEADER_RA | message->rcode));
    header_set_counts(message->writer.bytes, counts);
    return message->writer.len;
}

static void local_add(struct local_message *message, const struct cache_key *key, uint16_t type,
    const uint8_t *rdata, size_t len)
{
    const struct record record = {
        .type = type, .class = key->class, .ttl = LOCAL_TTL_S, .rdata_len = (uint16_t)len};
    record_write(&message->writer, HEADER_SIZE, &record, rdata);
    message->answers++;
}

/* One character-string, cut at 255 bytes. */
static void local_add_text(
    struct local_message *message, const struct cache_key *key, const char *text)
{
    uint8_t rdata[256];
    size_t len = strlen(text) < 255 ? strlen(text) : 255;
    rdata[0] = (uint8_t)len;
    memcpy(rdata + 1, text, len);
    local_add(message, key, TYPE_TXT, rdata, len + 1);
}

/* Negative answers carry an SOA, whose TTL tells how long they hold (RFC 2308); `zone_at` is the
 * place of the zone's name within the asked name. */
static void local_deny_with(
    struct local_message *message, size_t zone_at, unsigned rcode, uint32_t ttl)
{
    static const uint8_t rdata[] = "\011localhost\000"         /* MNAME */
                                   "\006nobody\007invalid\000" /* RNAME */
                                   "\000\000\000\001"          /* Serial. */
                                   "\000\000\016\020"          /* Refresh: 1 h. */
                                   "\000\000\004\260"          /* Retry: 20 min. */
                                   "\000\011\072\200"          /* Expire: 1 w. */
                                   "\000\000\052\060";         /* Minimum: LOCAL_TTL_S. */
    const struct record record = {
        .type = TYPE_SOA, .class = CLASS_IN, .ttl = ttl, .rdata_len = sizeof rdata - 1};
    record_write(&message->writer, HEADER_SIZE + zone_at, &record, rdata);
    message->authorities++;
    message->rcode = rcode;
}

static void local_deny(struct local_message *message, size_t zone_at, unsigned rcode)
{
    local_deny_with(message, zone_at, rcode, LOCAL_TTL_S);
}

/* Class CH: what people ask to find out whom they are talking to. */
static enum local_verdict local_chaos(const struct local_case *local, struct local_message *message)
{
    static const char *const names[] = {
        "\007version\004bind", "\007version\006server", "\002id\006server", "\010hostname\004bind"};
    const struct cache_key *key = local->key;
    if (key->type != TYPE_TXT && key->type != TYPE_ANY) {
        return LOCAL_REFUSED;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = strlen(names[i]) + 1;
        if (key->name_len == len && memcmp(key->name, names[i], len) == 0) {
            bool is_version = i < 2;
            local_add_text(message, key, is_version ? local->version : "mxcache");
            return LOCAL_ANSWER;
        }
    }
    return LOCAL_REFUSED;
}

enum local_action {
    LOCAL_DENY,      /* Nothing exists at or below the name. */
    LOCAL_LOOPBACK,  /* It and all below it are this host (RFC 6761 section 6.3). */
    LOCAL_LOCALHOST, /* The reverse name of the loopback address. */
};

struct local_name {
    const char *name; /* Wire form; the literal's final NUL is the root. */
    enum local_action action;
};

/* Eight nibbles of a reverse name. Octal escapes have three digits, so that a digit may follow. */
#define ZEROS "\0010\0010\0010\0010\0010\0010\0010\0010"
#define ONE   "\0011\0010\0010\0010\0010\0010\0010\0010"

/* The first match counts. */
static const struct local_name local_names[] = {
    {"\011localhost", LOCAL_LOOPBACK},
    {"\007invalid", LOCAL_DENY},
    {"\004test", LOCAL_DENY},
    {"\005local", LOCAL_DENY},
    {"\005onion", LOCAL_DENY},
    {"\003alt", LOCAL_DENY},
    {"\0011\0010\0010\003127\007in-addr\004arpa", LOCAL_LOCALHOST},
    {"\003127\007in-addr\004arpa", LOCAL_DENY},
    {ONE ZEROS ZEROS ZEROS "\003ip6\004arpa", LOCAL_LOCALHOST},
};

static const struct local_name *local_find(const struct cache_key *key)
{
    for (size_t i = 0; i < sizeof local_names / sizeof local_names[0]; i++) {
        const uint8_t *name = (const uint8_t *)local_names[i].name;
        size_t len = strlen(local_names[i].name) + 1;
        /* The last letter tells most of them apart from what mail asks. */
        bool may_be = key->name_len >= len && key->name[key->name_len - 2] == name[len - 2];
        if (may_be && name_is_under(key->name, key->name_len, name, len)) {
            return &local_names[i];
        }
    }
    return NULL;
}

static void local_loopback(
    struct local_message *message, const struct cache_key *key, size_t zone_at)
{
    static const uint8_t ipv4[4] = {127, 0, 0, 1};
    static const uint8_t ipv6[16] = {[15] = 1};
    if (key->type == TYPE_A) {
        local_add(message, key, TYPE_A, ipv4, sizeof ipv4);
    } else if (key->type == TYPE_AAAA) {
        local_add(message, key, TYPE_AAAA, ipv6, sizeof ipv6);
    } else {
        local_deny(message, zone_at, RCODE_NOERROR);
    }
}

static void local_localhost(
    struct local_message *message, const struct cache_key *key, size_t zone_at)
{
    static const char name[] = "\011localhost";
    if (zone_at != 0) {
        local_deny(message, zone_at, RCODE_NXDOMAIN);
    } else if (key->type == TYPE_PTR) {
        local_add(message, key, TYPE_PTR, (const uint8_t *)name, sizeof name);
    } else {
        local_deny(message, zone_at, RCODE_NOERROR);
    }
}

static enum local_verdict local_special(
    const struct local_case *local, struct local_message *message)
{
    const struct cache_key *key = local->key;
    const struct local_name *name = local_find(key);
    if (name == NULL) {
        return LOCAL_NOT_OURS;
    }
    size_t zone_at = key->name_len - (strlen(name->name) + 1);
    switch (name->action) {
    case LOCAL_DENY:
        local_deny(message, zone_at, RCODE_NXDOMAIN);
        break;
    case LOCAL_LOOPBACK:
        local_loopback(message, key, zone_at);
        break;
    case LOCAL_LOCALHOST:
        local_localhost(message, key, zone_at);
        break;
    }
    return LOCAL_ANSWER;
}

/* Only public lists, whose names are known: a list of the operator's own, with a [list] section or
 * without, may well know private addresses. 127/8 is not private here, since the lists' test points
 * are there (RFC 5782 section 5). */
static bool local_is_private_list(const struct local_case *local)
{
    const struct list_question *list = local->list;
    size_t above = 0;
    if (!local->private_lists_local || list == NULL || list->known == NULL || !list->has_address ||
        !address_is_private(&list->address)) {
        return false;
    }
    const uint8_t *zone = local->key->name + list->zone_at;
    size_t len = local->key->name_len - list->zone_at;
    return list_zone_above(zone, len, &above) != NULL && above == 0;
}

static enum local_verdict local_meta(const struct local_case *local, struct local_message *message)
{
    static const uint8_t hinfo[] = {7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
    const struct cache_key *key = local->key;
    if (key->type == TYPE_ANY) {
        local_add(message, key, TYPE_HINFO, hinfo, sizeof hinfo);
        return LOCAL_ANSWER;
    }
    bool is_transfer = key->type == TYPE_AXFR || key->type == TYPE_IXFR;
    return is_transfer ? LOCAL_REFUSED : LOCAL_NOT_IMPLEMENTED;
}

static enum local_verdict local_decide(
    const struct local_case *local, struct local_message *message)
{
    if (local->key->class == CLASS_CH) {
        return local_chaos(local, message);
    }
    if (local->key->class != CLASS_IN) {
        return LOCAL_REFUSED;
    }
    if (type_is_meta(local->key->type) || local->key->type == 0) {
        return local_meta(local, message);
    }
    if (local->is_configured) {
        return LOCAL_NOT_OURS;
    }
    if (local_is_private_list(local)) {
        local_deny(message, local->list->zone_at, RCODE_NXDOMAIN);
        return LOCAL_ANSWER;
    }
    return local_special(local, message);
}

enum local_verdict local_answer(
    const struct local_case *local, uint8_t *stored_out, size_t size, size_t *len_out)
{
    struct local_message message;
    local_begin(&message, local->key, stored_out, size);
    enum local_verdict verdict = local_decide(local, &message);
    if (verdict == LOCAL_ANSWER) {
        *len_out = local_end(&message);
    }
    return verdict;
}

const char *local_sentence(const struct cache_key *key, bool is_list)
{
    if (key->class != CLASS_IN) {
        return NULL;
    }
    if (key->type == TYPE_ANY) {
        return "ANY is not answered with all there is (RFC 8482); ask for one type";
    }
    const struct local_name *name = local_find(key);
    if (name == NULL) {
        return is_list ? "a private address, which no public list knows; private_lists_local = no "
                         "asks nevertheless"
                       : NULL;
    }
    return name->action == LOCAL_DENY
               ? "a special-use name (RFC 6761), never asked on the Internet;"
                 " a [zone] section changes that"
               : NULL;
}

size_t local_deny_for(
    const struct cache_key *key, size_t zone_at, uint32_t ttl_s, uint8_t *stored_out)
{
    struct local_message message;
    local_begin(&message, key, stored_out, LOCAL_DENIAL_SIZE);
    local_deny_with(&message, zone_at, RCODE_NXDOMAIN, ttl_s);
    return local_end(&message);
}
