/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/cookie.h"

#include <string.h>

#include "base/address.h"
#include "base/hash.h"
#include "wire/bytes.h"

/* Family, address and scope. */
#define COOKIE_INPUT_SIZE (1 + 16 + 4)

void cookie_client_make(const struct hash_key *secret, const struct address *server,
    uint8_t cookie_out[EDNS_COOKIE_CLIENT_SIZE])
{
    uint8_t input[COOKIE_INPUT_SIZE];
    struct writer writer = writer_of(input, sizeof(input));
    writer_u8(&writer, server->family);
    writer_bytes(&writer, server->bytes, sizeof(server->bytes));
    writer_u32(&writer, server->scope_id);
    uint64_t hash = hash_siphash13(secret, input, writer.len);
    bytes_put_u32(cookie_out, (uint32_t)(hash >> 32));
    bytes_put_u32(cookie_out + 4, (uint32_t)hash);
}

enum cookie_verdict cookie_check(
    const struct edns *reply, const uint8_t client[EDNS_COOKIE_CLIENT_SIZE], bool is_expected)
{
    if (reply->has_bad_cookie) {
        return COOKIE_WRONG;
    }
    if (reply->cookie_len == 0) {
        return is_expected ? COOKIE_MISSING : COOKIE_NONE;
    }
    if (memcmp(reply->cookie, client, EDNS_COOKIE_CLIENT_SIZE) != 0) {
        return COOKIE_WRONG;
    }
    return reply->cookie_len == EDNS_COOKIE_CLIENT_SIZE ? COOKIE_CLIENT_ONLY : COOKIE_GOOD;
}
