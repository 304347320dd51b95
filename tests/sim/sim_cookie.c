/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/sim_cookie.h"

#include <string.h>

#include "base/hash.h"
#include "wire/bytes.h"

#define OPTION_COOKIE  10
#define OPT_FIXED_SIZE 11 /* Root, type, class, TTL and length. */

struct sim_cookie sim_cookie_of(const uint8_t *message, size_t len, size_t opt_at)
{
    struct sim_cookie cookie = {.len = 0};
    size_t at = opt_at + OPT_FIXED_SIZE;
    while (at + 4 <= len) {
        size_t option_len = bytes_get_u16(message + at + 2);
        if (at + 4 + option_len > len) {
            break;
        }
        if (bytes_get_u16(message + at) == OPTION_COOKIE && option_len <= SIM_COOKIE_SIZE_MAX) {
            memcpy(cookie.bytes, message + at + 4, option_len);
            cookie.len = option_len;
        }
        at += 4 + option_len;
    }
    return cookie;
}

struct sim_cookie sim_cookie_given(const struct sim_cookie *asked, uint64_t secret)
{
    struct sim_cookie given = {.len = SIM_COOKIE_SIZE};
    struct hash_key key = {.k0 = secret, .k1 = 1};
    memcpy(given.bytes, asked->bytes, SIM_COOKIE_CLIENT_SIZE);
    uint8_t *server = given.bytes + SIM_COOKIE_CLIENT_SIZE;
    /* Version 1, three reserved bytes and a time stamp, then the hash (RFC 9018 section 4). */
    server[0] = 1;
    uint64_t hash = hash_siphash13(&key, given.bytes, SIM_COOKIE_CLIENT_SIZE);
    memcpy(server + 8, &hash, sizeof hash);
    return given;
}

bool sim_cookie_is_known(const struct sim_cookie *asked, uint64_t secret)
{
    struct sim_cookie given = sim_cookie_given(asked, secret);
    return asked->len == given.len && memcmp(asked->bytes, given.bytes, given.len) == 0;
}

size_t sim_cookie_add(uint8_t *reply, size_t len, const struct sim_cookie *cookie)
{
    bytes_put_u16(reply + len - 2, (uint16_t)(4 + cookie->len));
    bytes_put_u16(reply + len, OPTION_COOKIE);
    bytes_put_u16(reply + len + 2, (uint16_t)cookie->len);
    memcpy(reply + len + 4, cookie->bytes, cookie->len);
    return len + 4 + cookie->len;
}
