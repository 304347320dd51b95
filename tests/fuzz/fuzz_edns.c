/* SPDX-License-Identifier: BSD-2-Clause */
/* Input: class and TTL of an OPT record, then its options. The same bytes also make one of ours,
 * whose cookie must come back. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "wire/ask.h"
#include "wire/cookie.h"
#include "wire/message.h"

#define EDNS_INPUT_FIXED 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void edns_check_read(const uint8_t *data, size_t size)
{
    struct edns edns = {0};
    uint16_t class = bytes_get_u16(data);
    uint32_t ttl = bytes_get_u32(data + 2);
    const uint8_t *options = data + EDNS_INPUT_FIXED;
    bool is_good = edns_read(class, ttl, options, size - EDNS_INPUT_FIXED, &edns);
    must(edns.is_present);
    must(edns.udp_size >= EDNS_UDP_SIZE_FLOOR && edns.version == (uint8_t)(ttl >> 16));
    must(edns.wants_dnssec == ((ttl & 0x8000u) != 0));
    must(edns.cookie_len == 0 || edns_cookie_len_is_valid(edns.cookie_len));
    must(edns.cookie_len == 0 || (is_good && !edns.has_bad_cookie));
    must(edns.version == 0 || (is_good && edns.cookie_len == 0));
}

/* Any part of ours is good to ourselves; one bit off and it is a stranger's. */
static void edns_check_cookie(const struct edns *edns, const struct edns_reply *reply)
{
    uint8_t client[EDNS_COOKIE_CLIENT_SIZE];
    must(edns->cookie_len == reply->cookie_len);
    if (reply->cookie_len == 0) {
        memset(client, 0, sizeof(client));
        must(cookie_check(edns, client, false) == COOKIE_NONE);
        must(cookie_check(edns, client, true) == COOKIE_MISSING);
        return;
    }
    must(memcmp(edns->cookie, reply->cookie, reply->cookie_len) == 0);
    memcpy(client, reply->cookie, sizeof(client));
    bool is_alone = reply->cookie_len == sizeof(client);
    must(cookie_check(edns, client, true) == (is_alone ? COOKIE_CLIENT_ONLY : COOKIE_GOOD));
    client[reply->cookie[0] % sizeof(client)] ^= 1;
    must(cookie_check(edns, client, true) == COOKIE_WRONG);
}

/* What we write must be read back, in a message of ours. */
static void edns_check_write(const uint8_t *data, size_t size)
{
    static const uint8_t head[] = "\0\1\x81\x80\0\1\0\0\0\0\0\1\0\0\1\0\1";
    uint8_t bytes[1024];
    uint8_t cookie[EDNS_COOKIE_SIZE_MAX] = {0};
    char text[300];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    size_t text_len = size < sizeof(text) ? size : sizeof(text) - 1;
    memcpy(text, data, text_len);
    text[text_len] = '\0';
    memcpy(cookie, text, text_len < sizeof(cookie) ? text_len : sizeof(cookie));
    const struct edns_reply reply = {
        .udp_size = bytes_get_u16(data),
        .rcode = bytes_get_u16(data + 2) & 0xfffu,
        .wants_dnssec = (data[4] & 1) != 0,
        .ede = (data[4] & 2) != 0 ? EDE_NONE : (enum ede)(data[5] % 24),
        .ede_text = (data[4] & 4) != 0 ? NULL : text,
        .cookie = cookie,
        .cookie_len = edns_cookie_len_is_valid(data[4] >> 2) ? data[4] >> 2 : 0,
        .is_padded = (data[5] & 1) != 0,
        .padding_len = data[5],
    };
    writer_bytes(&writer, head, sizeof(head) - 1);
    edns_write(&writer, &reply);
    must(!writer.is_cut && writer.len == sizeof(head) - 1 + edns_size(&reply));
    bytes[3] = (uint8_t)(bytes[3] | (reply.rcode & 0xfu));
    struct message message;
    must(message_read(bytes, writer.len, &message) == MESSAGE_GOOD);
    must(message.rcode == reply.rcode && message.edns.version == 0);
    must(message.edns.wants_dnssec == reply.wants_dnssec);
    edns_check_cookie(&message.edns, &reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= EDNS_INPUT_FIXED) {
        edns_check_read(data, size);
        edns_check_write(data, size);
    }
    return 0;
}
