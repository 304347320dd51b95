/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The server side of DNS cookies (RFC 7873), written apart from the resolver's own code. A cookie
 * is eight bytes of the client's, then eight to 32 of the server's. Pure.
 */
#define SIM_COOKIE_CLIENT_SIZE 8
#define SIM_COOKIE_SIZE        24 /* With the sixteen bytes of our servers (RFC 9018 section 4). */
#define SIM_COOKIE_SIZE_MAX    40

struct sim_cookie {
    uint8_t bytes[SIM_COOKIE_SIZE_MAX];
    size_t len; /* 0: there is none. */
};

/* The cookie in the OPT record that begins at `opt_at`. */
struct sim_cookie sim_cookie_of(const uint8_t *message, size_t len, size_t opt_at);

/* What the server gives to a client with that cookie; `secret` is the server's. */
struct sim_cookie sim_cookie_given(const struct sim_cookie *asked, uint64_t secret);

/* The client has the cookie that this server gives. */
bool sim_cookie_is_known(const struct sim_cookie *asked, uint64_t secret);

/* Adds the option to a reply, whose last record is an OPT record without options; the new length.
 */
size_t sim_cookie_add(uint8_t *reply, size_t len, const struct sim_cookie *cookie);
