/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "wire/message.h"

/*
 * A resolver in this process without sockets, in the mail world of the bench (names.h, synth.h):
 * what it sends upstream is written down, and answered when the caller says so. Failure ends the
 * program.
 */
#define HOUSE_QUERY_SIZE 300
#define HOUSE_SENT_MAX   256

struct house_query {
    uint8_t bytes[HOUSE_QUERY_SIZE];
    uint16_t len;
};

/* A message under way, and the reply to it once there is one. */
struct house_sent {
    uint64_t exchange;
    struct house_query query;
    uint8_t *reply;
    size_t reply_len;
};

struct house {
    struct settings *settings;
    struct cache *cache;
    struct resolver *resolver;
    struct random random;
    struct house_sent sent[HOUSE_SENT_MAX]; /* A client's, and those that are asked ahead. */
    unsigned sent_count;
    uint8_t answer[MESSAGE_SIZE_MAX];
};

void house_open(struct house *house, const char *conf);
void house_close(struct house *house);

/* Question `number` of this world; about what one message asks of names that come again: seven list
 * questions of ten. */
void house_write(struct house_query *query, uint32_t number);

/* True: it was answered at once. */
bool house_ask(struct house *house, const struct house_query *query, int64_t now);

/* Writes the replies to what is under way; then hands them over, and what follows from them is
 * under way. */
void house_compose(struct house *house);
void house_reply(struct house *house, int64_t now);

_Noreturn void house_fail(const char *what);
