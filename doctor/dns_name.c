/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/dns_name.h"

#include <string.h>

#include "base/text.h"
#include "wire/header.h"
#include "wire/rdata.h"
#include "wire/records.h"
#include "wire/types.h"
#include "doctor/ask.h"

void dns_name_reverse(const struct address *address, char name_out[DNS_REVERSE_SIZE])
{
    struct text text;
    const uint8_t *bytes = address->bytes;
    text_init(&text, name_out, DNS_REVERSE_SIZE);
    if (address->family == ADDRESS_IPV4) {
        text_addf(&text, "%u.%u.%u.%u.in-addr.arpa", bytes[3], bytes[2], bytes[1], bytes[0]);
        return;
    }
    for (unsigned i = 16; i-- > 0;) {
        text_addf(&text, "%x.%x.", bytes[i] & 0xfu, (unsigned)bytes[i] >> 4);
    }
    text_add(&text, "ip6.arpa");
}

/* Steps to the next record of that type in the answer section; *left_inout counts them down. */
static bool answer_next(
    struct reader *reader, unsigned *left_inout, uint16_t type, struct record *record_out)
{
    while (*left_inout > 0 && record_read(reader, record_out)) {
        --*left_inout;
        if (record_out->type == type) {
            return true;
        }
    }
    return false;
}

static bool answer_open(const struct ask *ask, struct reader *reader_out, unsigned *left_out)
{
    *reader_out = reader_of(ask->stored, ask->stored_len);
    if (ask->verdict != ASK_ANSWER || ask->stored == NULL ||
        !reader_skip(reader_out, HEADER_SIZE) || !name_skip(reader_out) ||
        !reader_skip(reader_out, 4)) {
        return false;
    }
    *left_out = header_ancount(ask->stored);
    return true;
}

bool dns_name_of_ptr(const struct ask *ask, char *name_out, size_t size)
{
    struct reader reader;
    struct record record;
    unsigned left;
    uint8_t name[NAME_SIZE_MAX];
    size_t len;
    if (!answer_open(ask, &reader, &left) || !answer_next(&reader, &left, TYPE_PTR, &record) ||
        !rdata_read_name(&reader, &record, name, &len)) {
        return false;
    }
    size_t text_len = name_to_text(name, len, name_out, size);
    if (text_len > 1 && name_out[text_len - 1] == '.') {
        name_out[text_len - 1] = '\0';
    }
    return true;
}

static bool record_address(
    const struct reader *reader, const struct record *record, struct address *address_out)
{
    bool is_ipv4 = record->type == TYPE_A && record->rdata_len == 4;
    bool is_ipv6 = record->type == TYPE_AAAA && record->rdata_len == 16;
    *address_out = (struct address){.family = is_ipv4 ? ADDRESS_IPV4 : ADDRESS_IPV6};
    if (!is_ipv4 && !is_ipv6) {
        return false;
    }
    memcpy(address_out->bytes, reader->bytes + record->rdata_at, record->rdata_len);
    return true;
}

bool dns_name_leads_to(const struct ask *ask, const struct address *address)
{
    struct reader reader;
    struct record record;
    struct address found;
    struct address plain = *address;
    unsigned left;
    plain.port = 0;
    if (!answer_open(ask, &reader, &left)) {
        return false;
    }
    while (answer_next(&reader, &left, ask->question.type, &record)) {
        if (record_address(&reader, &record, &found) && address_equal(&found, &plain)) {
            return true;
        }
    }
    return false;
}

bool dns_name_address(const struct ask *ask, struct address *address_out)
{
    struct reader reader;
    struct record record;
    unsigned left;
    return answer_open(ask, &reader, &left) &&
           answer_next(&reader, &left, ask->question.type, &record) &&
           record_address(&reader, &record, address_out);
}
