/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "wire/header.h"
#include "wire/name.h"
#include "wire/question.h"
#include "wire/records.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "conf/parse.h"
#include "conf/settings.h"
#include "resolver/port.h"
#include "resolver/resolver.h"
#include "resolver/server.h"
#include "resolver/stats.h"

/*
 * For the tests of this floor: names from text, settings from text, and a resolver whose port only
 * writes down what it is asked to do.
 */
#define MS INT64_C(1000)

static inline size_t name_of(const char *text, uint8_t name_out[NAME_SIZE_MAX])
{
    size_t len = 0;
    assert_true(name_from_text(text, strlen(text), name_out, &len));
    name_to_lower(name_out, len);
    return len;
}

static inline struct cache_key key_of(const char *text, uint16_t type)
{
    struct cache_key key = {.type = type, .class = CLASS_IN};
    key.name_len = (uint8_t)name_of(text, key.name);
    return key;
}

/* Freed by the caller. */
static inline struct settings *settings_of(const char *conf)
{
    static struct findings findings;
    struct settings *settings = calloc(1, sizeof *settings);
    assert_non_null(settings);
    findings = (struct findings){0};
    if (!settings_parse("conf", conf, strlen(conf), settings, &findings)) {
        printf("%s\n", findings.items[0].sentence);
        assert_true(false);
    }
    return settings;
}

#define FIXTURE_SENT_MAX 64

struct sent {
    uint64_t exchange;
    uint64_t line;
    char server[ADDRESS_TEXT_SIZE];
    bool is_stream;
    bool is_withdrawn;
    uint8_t bytes[512];
    size_t len;
};

struct fixture {
    struct settings *settings;
    struct random random;
    struct cache *cache;
    bool is_shedding; /* New questions are not to be asked upstream. */
    struct resolver *resolver;
    struct sent sent[FIXTURE_SENT_MAX];
    size_t sent_count;
    size_t probe_count;
    bool is_refusing_to_send;
    uint8_t delivered[MESSAGE_SIZE_MAX];
    size_t delivered_len;
    unsigned delivered_count;
    uint64_t delivered_line;
    uint8_t answer[MESSAGE_SIZE_MAX];
    size_t answer_len;
};

static inline void fixture_deliver(
    void *world, const struct client *client, const uint8_t *message, size_t len)
{
    struct fixture *fixture = world;
    memcpy(fixture->delivered, message, len);
    fixture->delivered_len = len;
    fixture->delivered_count++;
    fixture->delivered_line = client->line;
}

static inline bool fixture_transmit(
    void *world, const struct transmission *transmission, uint64_t *line_out)
{
    struct fixture *fixture = world;
    if (fixture->is_refusing_to_send) {
        return false;
    }
    if (transmission->message[HEADER_SIZE] == 0) {
        fixture->probe_count++; /* It asks for the root: a probe, which no test waits for. */
        *line_out = FIXTURE_SENT_MAX + 1;
        return true;
    }
    assert_true(fixture->sent_count < FIXTURE_SENT_MAX);
    struct sent *sent = &fixture->sent[fixture->sent_count++];
    *sent = (struct sent){.exchange = transmission->exchange,
        .line = fixture->sent_count,
        .is_stream = transmission->is_stream,
        .len = transmission->len};
    address_format(&transmission->server->address, sent->server, sizeof sent->server);
    memcpy(sent->bytes, transmission->message, transmission->len);
    *line_out = sent->line;
    return true;
}

static inline void fixture_withdraw(void *world, uint64_t line, bool is_stream)
{
    struct fixture *fixture = world;
    if (line > FIXTURE_SENT_MAX) {
        return;
    }
    struct sent *sent = &fixture->sent[line - 1];
    assert_false(sent->is_withdrawn);
    assert_true(sent->is_stream == is_stream);
    sent->is_withdrawn = true;
}

static inline struct fixture *fixture_new(const char *conf)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->settings = settings_of(conf);
    random_init_seed(&fixture->random, 7);
    struct cache_options cache = {
        .budget_bytes = CACHE_BUDGET_MIN, .shard_count = 1, .stale_max_us = 3600 * 1000 * MS};
    fixture->cache = cache_new(&cache);
    struct resolver_options options = {
        .settings = fixture->settings,
        .cache = fixture->cache,
        .random = &fixture->random,
        .port = {fixture, fixture_deliver, fixture_transmit, fixture_withdraw},
        .version = "mxcache test",
    };
    fixture->resolver = resolver_new(&options);
    assert_non_null(fixture->resolver);
    return fixture;
}

static inline void fixture_free(struct fixture *fixture)
{
    resolver_free(&fixture->resolver);
    cache_free(&fixture->cache);
    free(fixture->settings);
    free(fixture);
}

/* A plain query: id 0x1234, RD. */
static inline size_t query_of(const char *name, uint16_t type, uint8_t bytes_out[512])
{
    struct question question = {.type = type, .class = CLASS_IN};
    size_t name_len = 0;
    assert_true(name_from_text(name, strlen(name), question.name, &name_len));
    question.name_len = (uint8_t)name_len;
    struct writer writer = writer_of(bytes_out, 512);
    const uint16_t counts[4] = {1, 0, 0, 0};
    writer_take(&writer, HEADER_SIZE);
    question_write(&writer, &question);
    header_set_id(bytes_out, 0x1234);
    header_set_flags(bytes_out, HEADER_RD);
    header_set_counts(bytes_out, counts);
    return writer.len;
}

static inline enum ask_verdict fixture_ask_bytes(
    struct fixture *fixture, const uint8_t *bytes, size_t len, int64_t now)
{
    struct ask ask = {.query = bytes,
        .len = len,
        .answer = fixture->answer,
        .client = {.line = 99},
        .is_shed = fixture->is_shedding};
    enum ask_verdict verdict = resolver_ask(fixture->resolver, &ask, now);
    resolver_settle(fixture->resolver, 0);
    fixture->answer_len = ask.answer_len;
    return verdict;
}

static inline enum ask_verdict fixture_ask(
    struct fixture *fixture, const char *name, uint16_t type, int64_t now)
{
    uint8_t bytes[512];
    return fixture_ask_bytes(fixture, bytes, query_of(name, type, bytes), now);
}

/* With EDNS, so that the answer can say why. */
static inline enum ask_verdict fixture_ask_edns(
    struct fixture *fixture, const char *name, uint16_t type, int64_t now)
{
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 4, 208, 0, 0, 0, 0, 0, 0};
    uint8_t bytes[512];
    size_t len = query_of(name, type, bytes);
    memcpy(bytes + len, opt, sizeof opt);
    bytes_put_u16(bytes + 10, 1);
    return fixture_ask_bytes(fixture, bytes, len + sizeof opt, now);
}

/* A reply to what was sent: its id and question, these flags, and for NOERROR one A record. */
static inline size_t reply_of(const struct sent *sent, unsigned flags, uint8_t bytes_out[512])
{
    struct reader reader = reader_of(sent->bytes, sent->len);
    struct question question;
    reader.at = HEADER_SIZE;
    assert_true(question_read(&reader, &question));
    struct writer writer = writer_of(bytes_out, 512);
    uint16_t answers = (flags & 0xf) == RCODE_NOERROR && (flags & HEADER_TC) == 0 ? 1 : 0;
    const uint16_t counts[4] = {1, answers, 0, 0};
    writer_take(&writer, HEADER_SIZE);
    question_write(&writer, &question);
    if (answers > 0) {
        static const uint8_t record[] = {
            0xc0, 12, 0, TYPE_A, 0, CLASS_IN, 0, 0, 1, 44, 0, 4, 192, 0, 2, 25};
        writer_bytes(&writer, record, sizeof record);
    }
    header_set_id(bytes_out, header_id(sent->bytes));
    header_set_flags(bytes_out, (uint16_t)(HEADER_QR | HEADER_RA | flags));
    header_set_counts(bytes_out, counts);
    return writer.len;
}

/* The same with records of the test's own; the counts are those of the three sections. */
static inline size_t reply_with(const struct sent *sent, unsigned flags, const uint16_t counts[3],
    const uint8_t *records, size_t records_len, uint8_t bytes_out[512])
{
    const uint16_t all[4] = {1, counts[0], counts[1], counts[2]};
    size_t len = reply_of(sent, HEADER_TC, bytes_out);
    assert_true(len + records_len <= 512);
    memcpy(bytes_out + len, records, records_len);
    header_set_flags(bytes_out, (uint16_t)(HEADER_QR | HEADER_RA | flags));
    header_set_counts(bytes_out, all);
    return len + records_len;
}

static inline bool fixture_reply(struct fixture *fixture, size_t index, unsigned flags, int64_t now)
{
    uint8_t bytes[512];
    size_t len = reply_of(&fixture->sent[index], flags, bytes);
    return resolver_on_reply(fixture->resolver, fixture->sent[index].exchange, bytes, len, now);
}

/* The line of what was sent is gone; the resolver must not withdraw it any more. */
static inline void fixture_lose_by(
    struct fixture *fixture, size_t index, enum line_end end, int64_t now)
{
    assert_false(fixture->sent[index].is_withdrawn);
    fixture->sent[index].is_withdrawn = true;
    resolver_on_line_lost(fixture->resolver, fixture->sent[index].exchange, end, now);
}

static inline void fixture_lose(struct fixture *fixture, size_t index, int64_t now)
{
    fixture_lose_by(fixture, index, LINE_BROKEN, now);
}

/* Time passes until `end`, with all deadlines in it. */
static inline void fixture_pass(struct fixture *fixture, int64_t end)
{
    for (unsigned turns = 0; resolver_next_deadline(fixture->resolver) <= end; turns++) {
        assert_true(turns < 1000);
        resolver_run_due(fixture->resolver, resolver_next_deadline(fixture->resolver));
    }
}

/* Nothing is left: no life, no open line. (Probes of servers that rest go on.) */
static inline void fixture_check_quiet(const struct fixture *fixture)
{
    assert_int_equal(resolver_waiting(fixture->resolver), 0);
    assert_int_equal(resolver_fetching(fixture->resolver), 0);
    for (size_t i = 0; i < fixture->sent_count; i++) {
        assert_true(fixture->sent[i].is_withdrawn);
    }
}

/* A reply by UDP that took so long. */
static inline void server_hear(
    struct server *server, int64_t round_trip_us, bool is_usable, int64_t now)
{
    const struct server_reply reply = {round_trip_us, SERVER_WAY_DATAGRAM, is_usable};
    server_on_reply(server, &reply, now);
}

/* The code of the extended error in an answer that ends with its OPT record; -1: none. */
static inline int ede_of(const uint8_t *bytes, size_t len)
{
    struct reader reader = reader_of(bytes, len);
    struct question question;
    reader.at = HEADER_SIZE;
    assert_true(question_read(&reader, &question));
    struct record record;
    while (record_read(&reader, &record)) {
        if (record.type == TYPE_OPT && record.rdata_len >= 6) {
            assert_int_equal(bytes_get_u16(bytes + record.rdata_at), 15);
            return bytes_get_u16(bytes + record.rdata_at + 4);
        }
    }
    return -1;
}

#define COUNTER(fixture, name) counter_read(&resolver_stats_of((fixture)->resolver)->name)
