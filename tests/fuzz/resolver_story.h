/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/random.h"
#include "wire/question.h"
#include "resolver/resolver.h"

/*
 * The world of fuzz_resolver.c: clients and what they are owed, lines to servers and what was asked
 * on them, and what each name was truly answered with. One story at a time, one thread.
 */
#define STORY_CLIENTS_MAX  400
#define STORY_LINES_MAX    64 /* Open at once: exchanges are 2 x 2 x 16. */
#define STORY_NAMES        16
#define STORY_NAME_NONE    STORY_NAMES
#define STORY_SNAPSHOT_MAX (1024 * 1024)

struct story_client {
    int64_t due_at; /* 0: not waiting. */
    size_t size_max;
    uint16_t id;
    bool has_question;
    struct question question;
};

struct story_line {
    bool is_open;
    bool is_stream;
    uint64_t exchange;
    uint8_t message[512];
    size_t len;
};

struct story {
    const uint8_t *bytes; /* The rest of the input. */
    size_t left;
    int64_t now;
    int64_t deadline_us; /* The longest answer_deadline in force for anybody who waits. */
    struct cache *cache;
    struct random random;
    struct resolver *resolver;
    struct story_client clients[STORY_CLIENTS_MAX];
    size_t client_count;
    struct story_line lines[STORY_LINES_MAX];
    bool is_unsendable;
    bool is_wild[STORY_NAMES]; /* It was replied to with bytes that may say anything. */
    unsigned walks_left;       /* Over the whole cache, which take longer than all else. */
    uint64_t sent;
    uint64_t answered;
    uint64_t dropped;
    size_t snapshot_len;
    int64_t snapshot_at;
    uint8_t snapshot[STORY_SNAPSHOT_MAX];
};

/* The input; behind its end there are zeros. */
unsigned story_byte(struct story *story);
size_t story_take(struct story *story, uint8_t *bytes_out, size_t len);

/* The names that are asked about, in wire form; and which of them that is, in any case of letters,
 * or STORY_NAME_NONE. Names that differ in case only have one number. */
size_t story_name(unsigned index, uint8_t name_out[NAME_SIZE_MAX]);
unsigned story_name_find(const struct question *question);

/* A DNS list stands above it. */
bool story_name_is_list(unsigned index);

/* The world as the resolver sees it; `port.world` is the story. */
struct port story_port(struct story *story);

/* Somebody asks. `udp_max`: what he can take; 0: he came by TCP. */
void story_ask(struct story *story, const uint8_t *bytes, size_t len, size_t udp_max);

/* A line that is open, from the one on that the input names; NULL: none is. */
struct story_line *story_line(struct story *story);

/* The bytes arrive on the line. */
void story_give(
    struct story *story, const struct story_line *line, const uint8_t *bytes, size_t len);

/* A reply as a server gives it to what was asked on the line, `kind` of them: an answer with a mark
 * of the name in its data, an alias, a denial, a referral, a failure... Returns its length. */
#define STORY_REPLY_MAX 1024
size_t story_reply_write(
    const struct story_line *line, unsigned kind, uint32_t ttl, uint8_t bytes_out[STORY_REPLY_MAX]);

/* The mark in the data of records that were given truly: their second byte. */
#define STORY_MARK_AT 1

/* What was learned and cached, as bytes; and back. */
#define STORY_WALKS_MAX 2
void story_save(struct story *story);
void story_load(struct story *story);
