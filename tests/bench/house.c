/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/names.h"
#include "tests/bench/synth.h"
#include "wire/header.h"
#include "wire/name.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "conf/parse.h"
#include "conf/settings.h"
#include "resolver/resolver.h"

_Noreturn void house_fail(const char *what)
{
    (void)fprintf(stderr, "bench: %s\n", what);
    exit(EXIT_FAILURE);
}

static void house_deliver(
    void *world, const struct client *client, const uint8_t *message, size_t len)
{
    (void)world;
    (void)client;
    (void)message;
    (void)len;
}

static bool house_transmit(void *world, const struct transmission *transmission, uint64_t *line_out)
{
    struct house *house = world;
    *line_out = transmission->exchange;
    if (transmission->len > HOUSE_QUERY_SIZE || house->sent_count == HOUSE_SENT_MAX) {
        return false;
    }
    struct house_sent *sent = &house->sent[house->sent_count++];
    sent->exchange = transmission->exchange;
    sent->query.len = (uint16_t)transmission->len;
    memcpy(sent->query.bytes, transmission->message, transmission->len);
    return true;
}

static void house_withdraw(void *world, uint64_t line, bool is_stream)
{
    (void)world;
    (void)line;
    (void)is_stream;
}

static uint16_t house_name(uint32_t number, char text_out[NAMES_TEXT_SIZE])
{
    static const char *const zones[] = {"zen.spamhaus.org", "bl.spamcop.net", "psbl.surriel.com",
        "bl.mailspike.net", "list.dnswl.org", "b.barracudacentral.org", "bl.score.senderscore.com"};
    uint32_t rank = number / 10;
    uint32_t address = names_client(rank);
    switch (number % 10) {
    case 0:
        names_host(address, text_out);
        return TYPE_A;
    case 1:
        names_domain(rank, text_out);
        return rank % 2 == 0 ? TYPE_MX : TYPE_TXT;
    case 2:
        names_reverse(address, "in-addr.arpa", text_out);
        return TYPE_PTR;
    default:
        names_reverse(address, zones[number % 10 - 3], text_out);
        return TYPE_A;
    }
}

void house_write(struct house_query *query, uint32_t number)
{
    char text[NAMES_TEXT_SIZE];
    struct question question = {.class = CLASS_IN};
    size_t name_len = 0;
    question.type = house_name(number, text);
    if (!name_from_text(text, strlen(text), question.name, &name_len)) {
        house_fail("a name of the bench is none");
    }
    question.name_len = (uint8_t)name_len;
    struct writer writer = writer_of(query->bytes, sizeof query->bytes);
    writer_take(&writer, HEADER_SIZE);
    header_set_id(query->bytes, (uint16_t)number);
    header_set_flags(query->bytes, HEADER_RD);
    header_set_counts(query->bytes, (const uint16_t[4]){1, 0, 0, 0});
    question_write(&writer, &question);
    query->len = (uint16_t)writer.len;
}

bool house_ask(struct house *house, const struct house_query *query, int64_t now)
{
    struct ask ask = {.query = query->bytes, .len = query->len, .answer = house->answer};
    return resolver_ask(house->resolver, &ask, now) == ASK_ANSWERED;
}

void house_compose(struct house *house)
{
    static uint8_t replies[HOUSE_SENT_MAX][SYNTH_SIZE_MAX];
    const struct synth_world world = {.ttl_max = 86400};
    for (unsigned i = 0; i < house->sent_count; i++) {
        struct house_sent *sent = &house->sent[i];
        struct message message;
        if (message_read(sent->query.bytes, sent->query.len, &message) != MESSAGE_GOOD) {
            house_fail("the resolver sent what is no query");
        }
        sent->reply = replies[i];
        sent->reply_len = synth_reply(&message, &world, replies[i]);
    }
}

void house_reply(struct house *house, int64_t now)
{
    unsigned count = house->sent_count;
    for (unsigned i = 0; i < count; i++) {
        const struct house_sent *sent = &house->sent[i];
        (void)resolver_on_reply(house->resolver, sent->exchange, sent->reply, sent->reply_len, now);
    }
    house->sent_count -= count;
    memmove(house->sent, house->sent + count, house->sent_count * sizeof house->sent[0]);
}

static void house_read_conf(struct house *house, const char *conf)
{
    static struct findings findings;
    house->settings = calloc(1, sizeof *house->settings);
    if (house->settings == NULL ||
        !settings_parse("bench", conf, strlen(conf), house->settings, &findings)) {
        house_fail("the configuration is refused");
    }
}

void house_open(struct house *house, const char *conf)
{
    house_read_conf(house, conf);
    random_init_system(&house->random);
    house->cache = cache_new(&(struct cache_options){
        .budget_bytes = (uint64_t)house->settings->cache_size,
        .shard_count = 1,
        .list_share = 100,
        .secret = hash_key_new(&house->random),
    });
    if (house->cache == NULL) {
        house_fail("no memory");
    }
    house->resolver = resolver_new(&(struct resolver_options){
        .settings = house->settings,
        .cache = house->cache,
        .random = &house->random,
        .port = {.world = house,
            .deliver = house_deliver,
            .transmit = house_transmit,
            .withdraw = house_withdraw},
        .version = "bench",
    });
    if (house->resolver == NULL) {
        house_fail("no memory");
    }
}

void house_close(struct house *house)
{
    resolver_free(&house->resolver);
    cache_free(&house->cache);
    free(house->settings);
}
