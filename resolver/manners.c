/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/manners.h"

#include <string.h>

bool manners_keeps_letters(const struct manners *manners, int64_t now)
{
    return now >= manners->letters_lost_until;
}

bool manners_takes_cookies(const struct manners *manners, int64_t now)
{
    return now >= manners->cookieless_until;
}

bool manners_expects_cookie(const struct manners *manners)
{
    return manners->cookie_len != 0;
}

/* Capitals that came back are proof, whatever was thought before: the other reply was forged. */
void manners_on_letters(struct manners *manners, bool are_kept, int64_t now)
{
    manners->letters_lost_until = are_kept ? 0 : now + MANNERS_FORGET_US;
}

static void manners_on_miss(struct manners *manners, int64_t now)
{
    if (++manners->misses < MANNERS_MISSES_MAX) {
        return;
    }
    manners->misses = 0;
    manners->cookie_len = 0;
    manners->cookieless_until = now + MANNERS_FORGET_US;
}

void manners_on_cookie(struct manners *manners, enum cookie_verdict verdict, const uint8_t *cookie,
    size_t len, int64_t now)
{
    switch (verdict) {
    case COOKIE_GOOD:
        memcpy(manners->cookie, cookie, len);
        manners->cookie_len = (uint8_t)len;
        manners->misses = 0;
        return;
    case COOKIE_CLIENT_ONLY:
        manners->misses = 0;
        return;
    case COOKIE_MISSING:
    case COOKIE_WRONG:
        manners_on_miss(manners, now);
        return;
    case COOKIE_NONE:
        return;
    }
}
