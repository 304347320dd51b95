/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/sequel.h"

#include <string.h>

#include "base/must.h"
#include "wire/types.h"
#include "mail/list_zone.h"

#define SEQUEL_OCTETS  4
#define SEQUEL_NIBBLES 32

static const uint8_t sequel_in_addr[] = "\7in-addr\4arpa";
static const uint8_t sequel_ip6[] = "\3ip6\4arpa";
static const uint8_t sequel_dmarc[] = "\6_dmarc";
static const uint8_t sequel_sts[] = "\10_mta-sts";
static const uint8_t sequel_domainkey[] = "\12_domainkey";
static const uint8_t sequel_smtp[] = "\3_25\4_tcp";

static const char *const sequel_names[SEQUEL_STEPS] = {
    [SEQUEL_NONE] = "none",
    [SEQUEL_CLIENT_PTR] = "client_ptr",
    [SEQUEL_CLIENT_LIST] = "client_list",
    [SEQUEL_CLIENT_HOST] = "client_host",
    [SEQUEL_DOMAIN_MX] = "domain_mx",
    [SEQUEL_DOMAIN_A] = "domain_a",
    [SEQUEL_DOMAIN_AAAA] = "domain_aaaa",
    [SEQUEL_DOMAIN_TXT] = "domain_txt",
    [SEQUEL_DOMAIN_NS] = "domain_ns",
    [SEQUEL_DOMAIN_DMARC] = "domain_dmarc",
    [SEQUEL_DOMAIN_DKIM] = "domain_dkim",
    [SEQUEL_DOMAIN_STS] = "domain_sts",
    [SEQUEL_DOMAIN_LIST] = "domain_list",
    [SEQUEL_HOST_TLSA] = "host_tlsa",
    [SEQUEL_SPF_INCLUDE] = "spf_include",
    [SEQUEL_SPF_OTHER] = "spf_other",
    [SEQUEL_MX_A] = "mx_a",
    [SEQUEL_MX_AAAA] = "mx_aaaa",
    [SEQUEL_MX_TLSA] = "mx_tlsa",
    [SEQUEL_BACKUP_A] = "backup_a",
    [SEQUEL_BACKUP_AAAA] = "backup_aaaa",
    [SEQUEL_BACKUP_TLSA] = "backup_tlsa",
    [SEQUEL_NS_A] = "ns_a",
    [SEQUEL_DMARC_PARENT] = "dmarc_parent",
};

/* How an aspect of a name is asked. */
struct sequel_row {
    uint16_t type;
    enum sequel_step step;
    const uint8_t *prefix; /* Labels before the name. */
    uint8_t prefix_len;
};

#define SEQUEL_PREFIX(labels) labels, sizeof labels - 1

static const struct sequel_row sequel_rows[SEQUEL_ASPECTS] = {
    [SEQUEL_ASPECT_PTR] = {TYPE_PTR, SEQUEL_CLIENT_PTR, NULL, 0},
    [SEQUEL_ASPECT_MX] = {TYPE_MX, SEQUEL_DOMAIN_MX, NULL, 0},
    [SEQUEL_ASPECT_A] = {TYPE_A, SEQUEL_DOMAIN_A, NULL, 0},
    [SEQUEL_ASPECT_AAAA] = {TYPE_AAAA, SEQUEL_DOMAIN_AAAA, NULL, 0},
    [SEQUEL_ASPECT_TXT] = {TYPE_TXT, SEQUEL_DOMAIN_TXT, NULL, 0},
    [SEQUEL_ASPECT_NS] = {TYPE_NS, SEQUEL_DOMAIN_NS, NULL, 0},
    [SEQUEL_ASPECT_DMARC] = {TYPE_TXT, SEQUEL_DOMAIN_DMARC, SEQUEL_PREFIX(sequel_dmarc)},
    [SEQUEL_ASPECT_DKIM] = {TYPE_TXT, SEQUEL_DOMAIN_DKIM, SEQUEL_PREFIX(sequel_domainkey)},
    [SEQUEL_ASPECT_STS] = {TYPE_TXT, SEQUEL_DOMAIN_STS, SEQUEL_PREFIX(sequel_sts)},
    [SEQUEL_ASPECT_TLSA] = {TYPE_TLSA, SEQUEL_HOST_TLSA, SEQUEL_PREFIX(sequel_smtp)},
    [SEQUEL_ASPECT_LIST] = {TYPE_A, SEQUEL_DOMAIN_LIST, NULL, 0},
};

const char *sequel_step_name(enum sequel_step step)
{
    must((unsigned)step < SEQUEL_STEPS);
    return sequel_names[step];
}

enum sequel_step sequel_aspect_step(enum sequel_aspect aspect, bool is_address)
{
    bool is_client_list = is_address && aspect == SEQUEL_ASPECT_LIST;
    return is_client_list ? SEQUEL_CLIENT_LIST : sequel_rows[aspect].step;
}

/* ---- Taking apart ---- */

/* Where the labels behind the first `count` begin; 0: there are not so many. */
static size_t sequel_skip(const uint8_t *name, size_t len, unsigned count)
{
    size_t at = 0;
    for (unsigned i = 0; i < count; i++) {
        if (at >= len || name[at] == 0) {
            return 0;
        }
        at += 1u + name[at];
    }
    return at < len ? at : 0;
}

static bool sequel_of_list(const uint8_t *name, size_t len, const struct list_question *list,
    struct sequel_subject *subject)
{
    size_t at = list->subject_end;
    bool is_other = list->kind != LIST_KIND_DOMAIN && !list->has_address;
    if (list->kind == LIST_KIND_HASH || is_other || at == 0) {
        return false;
    }
    subject->aspect = SEQUEL_ASPECT_LIST;
    subject->is_address = list->has_address;
    subject->address = list->address;
    subject->name = name;
    subject->name_len = at;
    subject->zone = name + at;
    subject->zone_len = len - at;
    return true;
}

/* The value of a label of digits to that base, at most `limit`, without leading zeros; or -1. */
static int sequel_number(const uint8_t *label, int base, int limit)
{
    int value = 0;
    if (label[0] == 0 || label[0] > 3 || (label[0] > 1 && label[1] == '0')) {
        return -1;
    }
    for (unsigned i = 1; i <= label[0]; i++) {
        int digit = label[i] >= '0' && label[i] <= '9'   ? label[i] - '0'
                    : label[i] >= 'a' && label[i] <= 'f' ? label[i] - 'a' + 10
                                                         : base;
        if (digit >= base) {
            return -1;
        }
        value = value * base + digit;
    }
    return value <= limit ? value : -1;
}

static bool sequel_reverse_ipv4(const uint8_t *name, struct address *address_out)
{
    struct address address = {.family = ADDRESS_IPV4};
    for (unsigned i = 0; i < SEQUEL_OCTETS; i++) {
        int octet = sequel_number(name, 10, UINT8_MAX);
        if (octet < 0) {
            return false;
        }
        address.bytes[SEQUEL_OCTETS - 1 - i] = (uint8_t)octet;
        name += 1u + name[0];
    }
    *address_out = address;
    return true;
}

static bool sequel_reverse_ipv6(const uint8_t *name, struct address *address_out)
{
    struct address address = {.family = ADDRESS_IPV6};
    for (unsigned i = 0; i < SEQUEL_NIBBLES; i++) {
        int nibble = sequel_number(name, 16, 15);
        if (nibble < 0) {
            return false;
        }
        unsigned place = SEQUEL_NIBBLES - 1 - i; /* Of the nibble, in the address's own order. */
        uint8_t *byte = &address.bytes[place / 2];
        *byte = (uint8_t)(*byte | (unsigned)nibble << (place % 2 == 0 ? 4 : 0));
        name += 1u + name[0];
    }
    *address_out = address;
    return true;
}

/* Of in-addr.arpa and ip6.arpa, whole addresses only. */
static bool sequel_of_ptr(const uint8_t *name, size_t len, struct sequel_subject *subject)
{
    size_t ipv4_at = sequel_skip(name, len, SEQUEL_OCTETS);
    size_t ipv6_at = sequel_skip(name, len, SEQUEL_NIBBLES);
    subject->aspect = SEQUEL_ASPECT_PTR;
    subject->is_address = true;
    if (ipv4_at != 0 &&
        name_equal(name + ipv4_at, len - ipv4_at, SEQUEL_PREFIX(sequel_in_addr) + 1)) {
        return sequel_reverse_ipv4(name, &subject->address);
    }
    if (ipv6_at != 0 && name_equal(name + ipv6_at, len - ipv6_at, SEQUEL_PREFIX(sequel_ip6) + 1)) {
        return sequel_reverse_ipv6(name, &subject->address);
    }
    return false;
}

static bool sequel_begins(const uint8_t *name, size_t len, const uint8_t *prefix, size_t prefix_len)
{
    return len > prefix_len && memcmp(name, prefix, prefix_len) == 0;
}

/* The labels that TXT and TLSA questions put before the name they are about; how long they are. */
static size_t sequel_prefix_of(
    const uint8_t *name, size_t len, uint16_t type, struct sequel_subject *subject)
{
    if (type == TYPE_TLSA) {
        subject->aspect = SEQUEL_ASPECT_TLSA;
        return sequel_begins(name, len, SEQUEL_PREFIX(sequel_smtp)) ? sizeof sequel_smtp - 1 : 0;
    }
    if (sequel_begins(name, len, SEQUEL_PREFIX(sequel_dmarc))) {
        subject->aspect = SEQUEL_ASPECT_DMARC;
        return sizeof sequel_dmarc - 1;
    }
    if (sequel_begins(name, len, SEQUEL_PREFIX(sequel_sts))) {
        subject->aspect = SEQUEL_ASPECT_STS;
        return sizeof sequel_sts - 1;
    }
    size_t at = 1u + name[0];
    if (at < len && sequel_begins(name + at, len - at, SEQUEL_PREFIX(sequel_domainkey))) {
        subject->aspect = SEQUEL_ASPECT_DKIM;
        subject->selector = name;
        return at + sizeof sequel_domainkey - 1;
    }
    return 0;
}

static bool sequel_aspect_of_type(uint16_t type, enum sequel_aspect *aspect_out)
{
    for (unsigned i = SEQUEL_ASPECT_MX; i <= SEQUEL_ASPECT_NS; i++) {
        if (sequel_rows[i].type == type) {
            *aspect_out = (enum sequel_aspect)i;
            return true;
        }
    }
    return false;
}

static bool sequel_of_name(
    const uint8_t *name, size_t len, uint16_t type, struct sequel_subject *subject)
{
    size_t at = 0;
    if (type == TYPE_TXT || type == TYPE_TLSA) {
        at = sequel_prefix_of(name, len, type, subject);
    }
    if (at == 0 && !sequel_aspect_of_type(type, &subject->aspect)) {
        return false;
    }
    subject->name = name + at;
    subject->name_len = len - at - 1;
    return subject->name_len > 0;
}

bool sequel_subject_of(const uint8_t *name, size_t len, uint16_t type,
    const struct list_question *list, struct sequel_subject *subject_out)
{
    *subject_out = (struct sequel_subject){.is_address = false};
    if (list != NULL) {
        return sequel_of_list(name, len, list, subject_out);
    }
    if (type == TYPE_PTR) {
        return sequel_of_ptr(name, len, subject_out);
    }
    return sequel_of_name(name, len, type, subject_out);
}

/* ---- Putting together ---- */

static void sequel_put_digit(struct writer *writer, unsigned digit)
{
    writer_u8(writer, 1);
    writer_u8(writer, (uint8_t) "0123456789abcdef"[digit]);
}

static void sequel_put_octet(struct writer *writer, unsigned octet)
{
    uint8_t digits[3] = {(uint8_t)('0' + octet / 100), (uint8_t)('0' + octet / 10 % 10),
        (uint8_t)('0' + octet % 10)};
    unsigned skip = octet >= 100 ? 0 : octet >= 10 ? 1 : 2;
    writer_u8(writer, (uint8_t)(3 - skip));
    writer_bytes(writer, digits + skip, 3 - skip);
}

static void sequel_put_address(struct writer *writer, const struct address *address)
{
    if (address->family == ADDRESS_IPV4) {
        for (unsigned i = SEQUEL_OCTETS; i > 0; i--) {
            sequel_put_octet(writer, address->bytes[i - 1]);
        }
        return;
    }
    for (unsigned i = SEQUEL_NIBBLES / 2; i > 0; i--) {
        sequel_put_digit(writer, address->bytes[i - 1] & 0xfu);
        sequel_put_digit(writer, address->bytes[i - 1] >> 4);
    }
}

static bool sequel_compose_address(const struct sequel_subject *subject, struct writer *writer)
{
    sequel_put_address(writer, &subject->address);
    if (subject->aspect == SEQUEL_ASPECT_LIST) {
        writer_bytes(writer, subject->zone, subject->zone_len);
        return true;
    }
    if (subject->address.family == ADDRESS_IPV4) {
        writer_bytes(writer, sequel_in_addr, sizeof sequel_in_addr);
    } else {
        writer_bytes(writer, sequel_ip6, sizeof sequel_ip6);
    }
    return subject->aspect == SEQUEL_ASPECT_PTR;
}

static bool sequel_compose_name(const struct sequel_subject *subject, struct writer *writer)
{
    static const uint8_t root[1] = {0};
    const struct sequel_row *row = &sequel_rows[subject->aspect];
    if (subject->aspect == SEQUEL_ASPECT_DKIM) {
        writer_bytes(writer, subject->selector, 1u + subject->selector[0]);
    }
    writer_bytes(writer, row->prefix, row->prefix_len);
    writer_bytes(writer, subject->name, subject->name_len);
    if (subject->aspect == SEQUEL_ASPECT_LIST) {
        writer_bytes(writer, subject->zone, subject->zone_len);
    } else {
        writer_bytes(writer, root, sizeof root);
    }
    return subject->aspect != SEQUEL_ASPECT_PTR;
}

bool sequel_compose(const struct sequel_subject *subject, struct sequel_next *next_out)
{
    const struct sequel_row *row = &sequel_rows[subject->aspect];
    struct writer writer = writer_of(next_out->name, NAME_SIZE_MAX);
    bool is_good = subject->is_address ? sequel_compose_address(subject, &writer)
                                       : sequel_compose_name(subject, &writer);
    next_out->step = sequel_aspect_step(subject->aspect, subject->is_address);
    next_out->type = row->type;
    next_out->name_len = (uint8_t)writer.len;
    return is_good && !writer.is_cut;
}
