/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a cached answer costs apart from the kernel: the resolver in this process is filled with the
 * mail world of the bench (names.h, synth.h) and then asked for it, in batches and without a
 * socket.
 *
 *     hit [NAMES [SECONDS]]
 *
 * Prints nanoseconds of processor time per question, the median of nine runs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/random.h"
#include "tests/bench/names.h"
#include "tests/bench/synth.h"
#include "wire/header.h"
#include "wire/message.h"
#include "wire/name.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "conf/parse.h"
#include "conf/settings.h"
#include "resolver/resolver.h"

#define RUNS       9
#define BATCH      32
#define QUERY_SIZE 300
#define SENT_MAX   256
#define NAMES_MAX  10000000u

struct query_bytes {
    uint8_t bytes[QUERY_SIZE];
    uint16_t len;
};

struct sent {
    uint64_t exchange;
    struct query_bytes query;
};

struct bench {
    struct cache *cache;
    struct resolver *resolver;
    struct random random;
    struct query_bytes *queries;
    uint32_t query_count;
    struct sent sent[SENT_MAX]; /* Messages under way while filling: the client's and those that are
                                   asked ahead. */
    unsigned sent_count;
    uint8_t answer[MESSAGE_SIZE_MAX];
};

static void bench_deliver(
    void *world, const struct client *client, const uint8_t *message, size_t len)
{
    (void)world;
    (void)client;
    (void)message;
    (void)len;
}

static bool bench_transmit(void *world, const struct transmission *transmission, uint64_t *line_out)
{
    struct bench *bench = world;
    *line_out = transmission->exchange;
    if (transmission->len > QUERY_SIZE || bench->sent_count == SENT_MAX) {
        return false;
    }
    struct sent *sent = &bench->sent[bench->sent_count++];
    sent->exchange = transmission->exchange;
    sent->query.len = (uint16_t)transmission->len;
    memcpy(sent->query.bytes, transmission->message, transmission->len);
    return true;
}

static void bench_withdraw(void *world, uint64_t line, bool is_stream)
{
    (void)world;
    (void)line;
    (void)is_stream;
}

static void fail(const char *what)
{
    (void)fprintf(stderr, "hit: %s\n", what);
    exit(EXIT_FAILURE);
}

/* About what one message asks of names that come again: seven list questions of ten. */
static uint16_t name_choose(uint32_t number, char text_out[NAMES_TEXT_SIZE])
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

static void query_write(struct query_bytes *query, uint32_t number)
{
    char text[NAMES_TEXT_SIZE];
    struct question question = {.class = CLASS_IN};
    size_t name_len = 0;
    question.type = name_choose(number, text);
    if (!name_from_text(text, strlen(text), question.name, &name_len)) {
        fail("a name of the bench is none");
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

static void bench_reply(struct bench *bench, const struct sent *sent, int64_t now)
{
    const struct synth_world world = {.ttl_max = 86400};
    struct message message;
    uint8_t reply[SYNTH_SIZE_MAX];
    if (message_read(sent->query.bytes, sent->query.len, &message) != MESSAGE_GOOD) {
        fail("the resolver sent what is no query");
    }
    size_t len = synth_reply(&message, &world, reply);
    (void)resolver_on_reply(bench->resolver, sent->exchange, reply, len, now);
}

/* Asks, and lets the world's upstream answer at once, that and what is asked because of it. */
static void bench_fill_one(struct bench *bench, const struct query_bytes *query, int64_t now)
{
    struct ask ask = {.query = query->bytes, .len = query->len, .answer = bench->answer};
    bench->sent_count = 0;
    (void)resolver_ask(bench->resolver, &ask, now);
    for (unsigned i = 0; i < bench->sent_count; i++) {
        bench_reply(bench, &bench->sent[i], now);
    }
}

static int64_t bench_run(struct bench *bench, uint32_t questions, int64_t now)
{
    struct timespec before;
    struct timespec after;
    uint64_t misses = 0;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    for (uint32_t i = 0; i < questions; i++) {
        uint32_t which = random_below(&bench->random, bench->query_count);
        const struct query_bytes *query = &bench->queries[which];
        struct ask ask = {.query = query->bytes, .len = query->len, .answer = bench->answer};
        misses += resolver_ask(bench->resolver, &ask, now) != ASK_ANSWERED;
        if (i % BATCH == BATCH - 1) {
            resolver_settle(bench->resolver, 10);
        }
    }
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    if (misses > questions / 100) {
        fail("more than one question in a hundred was no hit");
    }
    return ((int64_t)(after.tv_sec - before.tv_sec) * 1000000000 +
               (int64_t)(after.tv_nsec - before.tv_nsec)) /
           questions;
}

static void bench_open(struct bench *bench, const struct settings *settings)
{
    random_init_system(&bench->random);
    bench->cache = cache_new(&(struct cache_options){
        .budget_bytes = (uint64_t)settings->cache_size,
        .shard_count = 1,
        .list_share = 100,
        .secret = hash_key_new(&bench->random),
    });
    bench->resolver = bench->cache == NULL ? NULL
                                           : resolver_new(&(struct resolver_options){
                                                 .settings = settings,
                                                 .cache = bench->cache,
                                                 .random = &bench->random,
                                                 .port = {.world = bench,
                                                     .deliver = bench_deliver,
                                                     .transmit = bench_transmit,
                                                     .withdraw = bench_withdraw},
                                                 .version = "hit",
                                             });
    if (bench->resolver == NULL) {
        fail("no memory");
    }
}

static struct settings *settings_make(void)
{
    static const char conf[] = "upstreams = 192.0.2.53\ncache_size = 2G\nttl_min = 1h\n";
    static struct findings findings;
    struct settings *settings = calloc(1, sizeof *settings);
    if (settings == NULL || !settings_parse("hit", conf, strlen(conf), settings, &findings)) {
        fail("the configuration is refused");
    }
    return settings;
}

static int compare_int64(const void *a, const void *b)
{
    int64_t x;
    int64_t y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    unsigned long names = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    unsigned long questions = argc > 2 ? strtoul(argv[2], NULL, 10) : 500000;
    if (names == 0 || names > NAMES_MAX || questions == 0 || questions > UINT32_MAX) {
        fail("usage: hit [NAMES [QUESTIONS]]");
    }
    struct settings *settings = settings_make();
    bench_open(&bench, settings);
    bench.query_count = (uint32_t)names;
    bench.queries = calloc(names, sizeof *bench.queries);
    if (bench.queries == NULL) {
        fail("no memory");
    }
    int64_t now = clock_now();
    for (uint32_t i = 0; i < bench.query_count; i++) {
        query_write(&bench.queries[i], i);
        bench_fill_one(&bench, &bench.queries[i], now);
    }
    int64_t costs[RUNS];
    for (unsigned run = 0; run < RUNS; run++) {
        costs[run] = bench_run(&bench, (uint32_t)questions, now);
    }
    qsort(costs, RUNS, sizeof costs[0], compare_int64);
    (void)printf("%lu names: %" PRId64 " ns per cached answer (median of %d runs; %" PRId64
                 " to %" PRId64 ")\n",
        names, costs[RUNS / 2], RUNS, costs[0], costs[RUNS - 1]);
    resolver_free(&bench.resolver);
    cache_free(&bench.cache);
    free(bench.queries);
    free(settings);
    return 0;
}
