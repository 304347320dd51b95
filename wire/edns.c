/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/edns.h"

#include <string.h>

#include "wire/types.h"

#define EDNS_DO           0x8000u
#define EDNS_OPTION_EDE   15
#define EDNS_EDE_TEXT_MAX 100

/* Root, type, class, TTL and the length of the options. */
#define EDNS_FIXED_SIZE 11

/* Code and length of an option. */
#define EDNS_OPTION_HEADER_SIZE 4

static bool edns_options_are_whole(const uint8_t *rdata, size_t len)
{
    struct reader reader = reader_of(rdata, len);
    while (reader_left(&reader) > 0) {
        uint16_t code;
        uint16_t option_len;
        if (!reader_u16(&reader, &code) || !reader_u16(&reader, &option_len) ||
            !reader_skip(&reader, option_len)) {
            return false;
        }
    }
    return true;
}

bool edns_read(
    uint16_t class, uint32_t ttl, const uint8_t *rdata, size_t len, struct edns *edns_out)
{
    uint8_t version = (uint8_t)(ttl >> 16);
    if (version == 0 && !edns_options_are_whole(rdata, len)) {
        return false;
    }
    *edns_out = (struct edns){
        .is_present = true,
        .version = version,
        .rcode_upper = (uint8_t)(ttl >> 24),
        .wants_dnssec = (ttl & EDNS_DO) != 0,
        .udp_size = class < EDNS_UDP_SIZE_FLOOR ? EDNS_UDP_SIZE_FLOOR : class,
    };
    return true;
}

static size_t edns_text_len(const struct edns_reply *reply)
{
    return reply->ede_text == NULL ? 0 : strnlen(reply->ede_text, EDNS_EDE_TEXT_MAX);
}

static size_t edns_options_size(const struct edns_reply *reply)
{
    return reply->ede == EDE_NONE ? 0 : EDNS_OPTION_HEADER_SIZE + 2 + edns_text_len(reply);
}

size_t edns_size(const struct edns_reply *reply)
{
    return EDNS_FIXED_SIZE + edns_options_size(reply);
}

void edns_write(struct writer *writer, const struct edns_reply *reply)
{
    uint32_t upper = (reply->rcode >> 4) & 0xffu;
    writer_u8(writer, 0);
    writer_u16(writer, TYPE_OPT);
    writer_u16(writer, reply->udp_size);
    writer_u32(writer, upper << 24 | (reply->wants_dnssec ? EDNS_DO : 0));
    writer_u16(writer, (uint16_t)edns_options_size(reply));
    if (reply->ede == EDE_NONE) {
        return;
    }
    size_t text_len = edns_text_len(reply);
    writer_u16(writer, EDNS_OPTION_EDE);
    writer_u16(writer, (uint16_t)(2 + text_len));
    writer_u16(writer, (uint16_t)reply->ede);
    if (text_len > 0) {
        writer_bytes(writer, (const uint8_t *)reply->ede_text, text_len);
    }
}
