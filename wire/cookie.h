/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/edns.h"

struct address;
struct hash_key;

/*
 * DNS cookies as a client uses them (RFC 7873, RFC 9018): eight bytes of ours, which a server must
 * repeat, so that who does not see our questions cannot forge a reply; and the server's part, which
 * we only carry back to it. Whoever asks keeps the server's last cookie and knows whether the
 * server has ever sent one. Pure; any thread.
 */

/* Our part for one server: another for each, so that no server knows what to forge another one's
 * replies with (RFC 9018 section 3). It hangs on the server's address alone, not on its port. The
 * secret is to be new whenever our own address may have changed, at least at each start (RFC 9018
 * section 8.1). */
void cookie_client_make(const struct hash_key *secret, const struct address *server,
    uint8_t cookie_out[EDNS_COOKIE_CLIENT_SIZE]);

enum cookie_verdict {
    COOKIE_NONE,        /* None came and none was expected: the server does not speak cookies. */
    COOKIE_GOOD,        /* Our part, with a server's part to be kept. */
    COOKIE_CLIENT_ONLY, /* Our part alone: proof enough, but nothing to keep. */
    COOKIE_MISSING,     /* This server has sent cookies before: a forgery, or it has stopped. */
    COOKIE_WRONG,       /* Not our part, or of no length that a cookie has: a forgery; not to be
                         * believed (RFC 7873 section 5.3). */
};

/* `client`: what the question carried. `is_expected`: the server is known to speak cookies. */
enum cookie_verdict cookie_check(
    const struct edns *reply, const uint8_t client[EDNS_COOKIE_CLIENT_SIZE], bool is_expected);
