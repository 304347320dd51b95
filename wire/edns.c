/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/edns.h"

#include <string.h>

#include "base/must.h"
#include "wire/types.h"

#define EDNS_DO           0x8000u
#define EDNS_EDE_TEXT_MAX 160

/* Root, type, class, TTL and the length of the options. */
#define EDNS_FIXED_SIZE 11

enum edns_option {
    EDNS_OPTION_COOKIE = 10,
    EDNS_OPTION_PADDING = 12,
    EDNS_OPTION_EDE = 15,
};

bool edns_cookie_len_is_valid(size_t len)
{
    return len == EDNS_COOKIE_CLIENT_SIZE ||
           (len >= EDNS_COOKIE_SIZE_MIN && len <= EDNS_COOKIE_SIZE_MAX);
}

static void edns_read_cookie(const uint8_t *bytes, size_t len, struct edns *edns)
{
    if (edns->cookie_len != 0 || edns->has_bad_cookie) {
        return;
    }
    edns->has_bad_cookie = !edns_cookie_len_is_valid(len);
    if (!edns->has_bad_cookie) {
        memcpy(edns->cookie, bytes, len);
        edns->cookie_len = (uint8_t)len;
    }
}

/* One without a code says nothing. */
static void edns_read_ede(const uint8_t *bytes, size_t len, struct edns *edns)
{
    if (len >= 2 && !edns->has_ede) {
        edns->has_ede = true;
        edns->ede = bytes_get_u16(bytes);
    }
}

static bool edns_read_options(const uint8_t *rdata, size_t len, struct edns *edns)
{
    struct reader reader = reader_of(rdata, len);
    while (reader_left(&reader) > 0) {
        uint16_t code;
        uint16_t option_len;
        if (!reader_u16(&reader, &code) || !reader_u16(&reader, &option_len)) {
            return false;
        }
        const uint8_t *option = reader.bytes + reader.at;
        if (!reader_skip(&reader, option_len)) {
            return false;
        }
        if (code == EDNS_OPTION_COOKIE) {
            edns_read_cookie(option, option_len, edns);
        }
        if (code == EDNS_OPTION_EDE) {
            edns_read_ede(option, option_len, edns);
        }
    }
    return true;
}

bool edns_read(
    uint16_t class, uint32_t ttl, const uint8_t *rdata, size_t len, struct edns *edns_out)
{
    uint8_t version = (uint8_t)(ttl >> 16);
    const struct edns bare = {
        .is_present = true,
        .version = version,
        .rcode_upper = (uint8_t)(ttl >> 24),
        .wants_dnssec = (ttl & EDNS_DO) != 0,
        .udp_size = class < EDNS_UDP_SIZE_FLOOR ? EDNS_UDP_SIZE_FLOOR : class,
    };
    *edns_out = bare;
    if (version == 0 && !edns_read_options(rdata, len, edns_out)) {
        *edns_out = bare;
        return false;
    }
    return true;
}

static size_t edns_text_len(const struct edns_reply *reply)
{
    return reply->ede_text == NULL ? 0 : strnlen(reply->ede_text, EDNS_EDE_TEXT_MAX);
}

static size_t edns_options_size(const struct edns_reply *reply)
{
    size_t ede = reply->ede == EDE_NONE ? 0 : EDNS_OPTION_HEADER_SIZE + 2 + edns_text_len(reply);
    size_t cookie = reply->cookie_len == 0 ? 0 : EDNS_OPTION_HEADER_SIZE + reply->cookie_len;
    size_t padding = !reply->is_padded ? 0 : EDNS_OPTION_HEADER_SIZE + (size_t)reply->padding_len;
    return ede + cookie + padding;
}

size_t edns_size(const struct edns_reply *reply)
{
    return EDNS_FIXED_SIZE + edns_options_size(reply);
}

static void edns_write_cookie(struct writer *writer, const struct edns_reply *reply)
{
    must(edns_cookie_len_is_valid(reply->cookie_len));
    writer_u16(writer, EDNS_OPTION_COOKIE);
    writer_u16(writer, (uint16_t)reply->cookie_len);
    writer_bytes(writer, reply->cookie, reply->cookie_len);
}

static void edns_write_ede(struct writer *writer, const struct edns_reply *reply)
{
    size_t text_len = edns_text_len(reply);
    writer_u16(writer, EDNS_OPTION_EDE);
    writer_u16(writer, (uint16_t)(2 + text_len));
    writer_u16(writer, (uint16_t)reply->ede);
    if (text_len > 0) {
        writer_bytes(writer, (const uint8_t *)reply->ede_text, text_len);
    }
}

/* Padding is zeros, so that nothing of our memory leaks (RFC 7830 section 3). */
static void edns_write_padding(struct writer *writer, const struct edns_reply *reply)
{
    writer_u16(writer, EDNS_OPTION_PADDING);
    writer_u16(writer, reply->padding_len);
    uint8_t *padding = writer_take(writer, reply->padding_len);
    if (padding != NULL) {
        memset(padding, 0, reply->padding_len);
    }
}

void edns_write(struct writer *writer, const struct edns_reply *reply)
{
    uint32_t upper = (reply->rcode >> 4) & 0xffu;
    writer_u8(writer, 0);
    writer_u16(writer, TYPE_OPT);
    writer_u16(writer, reply->udp_size);
    writer_u32(writer, upper << 24 | (reply->wants_dnssec ? EDNS_DO : 0));
    writer_u16(writer, (uint16_t)edns_options_size(reply));
    if (reply->cookie_len != 0) {
        edns_write_cookie(writer, reply);
    }
    if (reply->ede != EDE_NONE) {
        edns_write_ede(writer, reply);
    }
    if (reply->is_padded) {
        edns_write_padding(writer, reply);
    }
}
