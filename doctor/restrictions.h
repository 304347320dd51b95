/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

/*
 * What an smtpd(8) service checks of each mail: the words of its smtpd_*_restrictions in the order
 * in which they are met, restriction classes replaced by what they stand for (one level). Plain
 * data, bounded. Main thread.
 */
struct postfix_instance;
struct postfix_service;

#define RESTRICTIONS_MAX          256
#define RESTRICTION_WORD_SIZE     64
#define RESTRICTION_ARGUMENT_SIZE 256

struct restriction {
    char word[RESTRICTION_WORD_SIZE];         /* reject_rbl_client */
    char argument[RESTRICTION_ARGUMENT_SIZE]; /* zen.spamhaus.org; empty: it takes none. */
};

struct restrictions {
    struct restriction items[RESTRICTIONS_MAX];
    size_t count;
    size_t dropped;
};

/* `service` NULL: as main.cf has them. Large: not on a small stack. */
void restrictions_read(struct restrictions *restrictions, const struct postfix_instance *instance,
    const struct postfix_service *service);

/* How many lookups smtpd makes for it, one after the other, at most; policy services not counted,
 * which make their own. */
unsigned restriction_lookups(const struct restriction *restriction);
