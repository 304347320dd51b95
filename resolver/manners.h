/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/cookie.h"
#include "wire/edns.h"

/*
 * What a server has been found to do with the things in a question that make its replies hard to
 * forge: does it repeat the letters as they were spelled (draft-vixie-dnsext-dns0x20), and which
 * cookie did it give (RFC 7873)? Embedded in its server; zeroed: nothing is known, which means
 * letters are taken to be kept, and cookies are offered. Pure.
 *
 * A server with a cookie is believed only with it. It may all the same stop: it was replaced, or
 * another host answers at its address. After MANNERS_MISSES_MAX questions in a row whose reply had
 * no cookie or a wrong one it is asked without cookies for a while; each guess of a forger counts
 * for one, too, but he needs all of them, one after the other, with no true reply between.
 */
#define MANNERS_FORGET_US  (INT64_C(3600) * 1000000)
#define MANNERS_MISSES_MAX 3

struct manners {
    int64_t letters_lost_until; /* It did not repeat the spelling; none to repeat until then. */
    int64_t cookieless_until;   /* Its cookies were given up; none until then. */
    unsigned misses;            /* Questions in a row whose reply lacked the cookie. */
    uint8_t cookie_len;         /* 0: it has never given one. */
    uint8_t cookie[EDNS_COOKIE_SIZE_MAX]; /* Our part and its own, to be sent back. */
};

bool manners_keeps_letters(const struct manners *manners, int64_t now);
bool manners_takes_cookies(const struct manners *manners, int64_t now);

/* It has given a cookie: a reply without one is somebody else's. */
bool manners_expects_cookie(const struct manners *manners);

/* A reply to a question with capitals in it did or did not repeat them. */
void manners_on_letters(struct manners *manners, bool are_kept, int64_t now);

/* A reply to a question with a cookie; to be told of one reply without the right cookie for each
 * question at most. */
void manners_on_cookie(struct manners *manners, enum cookie_verdict verdict, const uint8_t *cookie,
    size_t len, int64_t now);
