/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input: a story of at most FUZZ_EVENTS_MAX events for one resolver. The first byte chooses the
 * configuration; then each event is a byte, with arguments behind it: somebody asks, a server
 * replies truly, wrongly or with bytes of the input, a line is lost, time passes, the settings
 * change, the cache is flushed, sending fails. Whatever the story: every accepted question has one
 * answer by its deadline, that answer is well-formed and fits, asks are bounded, nothing that has
 * ended is named again, and when time has passed nothing is left.
 *
 * The resolver is made once, for that takes longer than a story. In between the cache is flushed
 * and settings without any server make it forget how the servers did, so a story's outcome is its
 * own.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/random.h"
#include "wire/header.h"
#include "wire/message.h"
#include "wire/records.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "conf/parse.h"
#include "conf/settings.h"
#include "resolver/resolver.h"
#include "resolver/stats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_EVENTS_MAX  200
#define FUZZ_CLIENTS_MAX FUZZ_EVENTS_MAX
#define FUZZ_LINES_MAX   64 /* Open at once: exchanges are 2 x 2 x 16. */
#define FUZZ_REPLY_MAX   1024

struct fuzz_client {
    int64_t due_at; /* 0: not waiting. */
    size_t size_max;
};

struct fuzz_line {
    bool is_open;
    bool is_stream;
    uint64_t exchange;
    uint8_t message[512];
    size_t len;
};

struct fuzz {
    const uint8_t *bytes; /* The rest of the input. */
    size_t left;
    int64_t now;
    int64_t deadline_us; /* The longest answer_deadline in force for anybody who waits. */
    struct cache *cache;
    struct random random;
    struct resolver *resolver;
    struct fuzz_client clients[FUZZ_CLIENTS_MAX];
    size_t client_count;
    struct fuzz_line lines[FUZZ_LINES_MAX];
    bool is_unsendable;
    uint64_t sent;
};

static const char *const confs[] = {
    "upstreams = 192.0.2.1 192.0.2.2\nquestions_max = 16\n",
    "upstreams = 192.0.2.2\nquestions_max = 16\nstale_patience = 0\nanswer_deadline = 2s\n"
    "stale_max = 1h\nttl_max = 5m\n",
    "upstreams = 192.0.2.1#dns.example 192.0.2.4\nquestions_max = 16\nasks_max = 20\n"
    "try_timeout = 50ms\n[upstream default]\ntrust_ad = insecurely\n"
    "[upstream office]\nservers = 192.0.2.3\n[zone b]\nupstream = office\n",
    "questions_max = 16\n[upstream office]\nservers = 192.0.2.3\n[zone b]\nupstream = office\n",
    "questions_max = 16\n",
};
#define FUZZ_CONFS      (sizeof confs / sizeof confs[0])
#define FUZZ_CONF_BLANK (FUZZ_CONFS - 1)

static const struct settings *fuzz_settings(size_t index)
{
    static struct settings *parsed[FUZZ_CONFS];
    static struct findings findings;
    struct settings **settings = &parsed[index % FUZZ_CONFS];
    if (*settings == NULL) {
        *settings = calloc(1, sizeof **settings);
        must(*settings != NULL);
        const char *conf = confs[index % FUZZ_CONFS];
        must(settings_parse("conf", conf, strlen(conf), *settings, &findings));
    }
    return *settings;
}

/* ---- The input ---- */

static unsigned fuzz_byte(struct fuzz *fuzz)
{
    if (fuzz->left == 0) {
        return 0;
    }
    fuzz->left--;
    return *fuzz->bytes++;
}

static size_t fuzz_take(struct fuzz *fuzz, uint8_t *bytes_out, size_t len)
{
    len = len < fuzz->left ? len : fuzz->left;
    if (len > 0) {
        memcpy(bytes_out, fuzz->bytes, len);
    }
    fuzz->bytes += len;
    fuzz->left -= len;
    return len;
}

/* ---- The world ---- */

static void fuzz_check_answer(const struct fuzz_client *client, const uint8_t *bytes, size_t len)
{
    struct message message;
    must(len >= HEADER_SIZE && len <= client->size_max);
    must((header_flags(bytes) & HEADER_QR) != 0 && (header_flags(bytes) & HEADER_RA) != 0);
    if (header_qdcount(bytes) == 1) {
        must(message_read(bytes, len, &message) == MESSAGE_GOOD);
    } else {
        must(len == HEADER_SIZE && header_rcode(bytes) != RCODE_NOERROR);
    }
}

static void fuzz_deliver(
    void *world, const struct client *client, const uint8_t *message, size_t len)
{
    struct fuzz *fuzz = world;
    must(client->line < fuzz->client_count);
    struct fuzz_client *waiting = &fuzz->clients[client->line];
    must(waiting->due_at != 0); /* Not a second answer. */
    must(fuzz->now <= waiting->due_at);
    fuzz_check_answer(waiting, message, len);
    waiting->due_at = 0;
}

static bool fuzz_transmit(void *world, const struct transmission *transmission, uint64_t *line_out)
{
    struct fuzz *fuzz = world;
    struct message message;
    must(message_read(transmission->message, transmission->len, &message) == MESSAGE_GOOD);
    if (fuzz->is_unsendable) {
        return false;
    }
    for (size_t i = 0; i < FUZZ_LINES_MAX; i++) {
        struct fuzz_line *line = &fuzz->lines[i];
        if (!line->is_open) {
            *line = (struct fuzz_line){.is_open = true,
                .is_stream = transmission->is_stream,
                .exchange = transmission->exchange,
                .len = transmission->len};
            memcpy(line->message, transmission->message, transmission->len);
            *line_out = i;
            fuzz->sent++;
            return true;
        }
    }
    return false;
}

static void fuzz_withdraw(void *world, uint64_t line, bool is_stream)
{
    struct fuzz *fuzz = world;
    must(line < FUZZ_LINES_MAX && fuzz->lines[line].is_open);
    must(fuzz->lines[line].is_stream == is_stream);
    fuzz->lines[line].is_open = false;
}

/* ---- Events ---- */

/* `udp_max`: what the client can take; 0: it came by TCP. */
static void fuzz_ask_bytes(struct fuzz *fuzz, const uint8_t *bytes, size_t len, size_t udp_max)
{
    static uint8_t answer[MESSAGE_SIZE_MAX];
    if (fuzz->client_count == FUZZ_CLIENTS_MAX) {
        return;
    }
    struct fuzz_client *client = &fuzz->clients[fuzz->client_count];
    client->due_at = fuzz->now + fuzz->deadline_us;
    client->size_max = udp_max == 0 ? MESSAGE_SIZE_MAX : udp_max;
    struct ask ask = {.client = {.line = fuzz->client_count++, .is_stream = udp_max == 0},
        .query = bytes,
        .len = len,
        .answer = answer};
    switch (resolver_ask(fuzz->resolver, &ask, fuzz->now)) {
    case ASK_ANSWERED:
        fuzz_check_answer(client, answer, ask.answer_len);
        client->due_at = 0;
        break;
    case ASK_PARKED:
        break;
    case ASK_DROPPED:
        must(len < HEADER_SIZE || (header_flags(bytes) & HEADER_QR) != 0);
        client->due_at = 0;
        break;
    }
}

static void fuzz_ask(struct fuzz *fuzz)
{
    static const char *const names[] = {"", "\1a", "\1A", "\1b", "\1x\1b", "\1c\1a", "\3\300\0.\1a",
        "\0012\0010\0010\003127\3zen\010spamhaus\3org"};
    static const uint8_t name_lens[] = {1, 3, 3, 3, 5, 5, 7, 27};
    static const uint16_t types[] = {
        TYPE_A, TYPE_MX, TYPE_AAAA, TYPE_TXT, TYPE_CNAME, TYPE_DS, TYPE_TLSA, TYPE_ANY};
    uint8_t bytes[64];
    unsigned what = fuzz_byte(fuzz);
    unsigned how = fuzz_byte(fuzz);
    struct question question = {.type = types[(what >> 3) & 7], .class = CLASS_IN};
    question.name_len = name_lens[what & 7];
    memcpy(question.name, names[what & 7], question.name_len);
    struct writer writer = writer_of(bytes, sizeof bytes);
    const uint16_t counts[4] = {1, 0, 0, (how & 1) != 0 ? 1 : 0};
    writer_take(&writer, HEADER_SIZE);
    question_write(&writer, &question);
    if ((how & 1) != 0) {
        const struct edns_reply edns = {
            .udp_size = (uint16_t)(how << 5), .wants_dnssec = (how & 2) != 0, .ede = EDE_NONE};
        edns_write(&writer, &edns);
    }
    header_set_id(bytes, (uint16_t)how);
    header_set_flags(
        bytes, (uint16_t)(((how & 4) != 0 ? 0 : HEADER_RD) | ((how & 8) != 0 ? HEADER_CD : 0) |
                          ((how & 16) != 0 ? HEADER_AD : 0)));
    header_set_counts(bytes, counts);
    size_t udp_max = (how & 1) != 0 && how > 16 ? how << 5 : 512;
    udp_max = udp_max > 1232 ? 1232 : udp_max;
    fuzz_ask_bytes(fuzz, bytes, writer.len, (how & 32) != 0 ? 0 : udp_max);
}

static struct fuzz_line *fuzz_line(struct fuzz *fuzz)
{
    unsigned start = fuzz_byte(fuzz);
    for (size_t i = 0; i < FUZZ_LINES_MAX; i++) {
        struct fuzz_line *line = &fuzz->lines[(start + i) % FUZZ_LINES_MAX];
        if (line->is_open) {
            return line;
        }
    }
    return NULL;
}

static void fuzz_give(struct fuzz *fuzz, struct fuzz_line *line, const uint8_t *bytes, size_t len)
{
    bool is_taken = resolver_on_reply(fuzz->resolver, line->exchange, bytes, len, fuzz->now);
    /* What was taken has closed its line, maybe for another one; what was not has left it alone. */
    must(is_taken || line->is_open);
}

/* Id and question as asked, an rcode and flags of the input's choice, and records that are the
 * input's bytes, told as so many. */
static void fuzz_reply(struct fuzz *fuzz)
{
    static uint8_t bytes[FUZZ_REPLY_MAX];
    struct fuzz_line *line = fuzz_line(fuzz);
    unsigned rcode = fuzz_byte(fuzz);
    unsigned counted = fuzz_byte(fuzz);
    size_t room = fuzz_byte(fuzz);
    if (line == NULL) {
        return;
    }
    struct message asked;
    must(message_read(line->message, line->len, &asked) == MESSAGE_GOOD);
    size_t len = asked.records_at;
    memcpy(bytes, line->message, len);
    len += fuzz_take(fuzz, bytes + len, room);
    const uint16_t counts[4] = {1, counted & 3, (counted >> 2) & 3, (counted >> 4) & 3};
    header_set_flags(bytes,
        (uint16_t)(HEADER_QR | HEADER_RA | (rcode & 15) | ((rcode & 16) != 0 ? HEADER_TC : 0) |
                   ((rcode & 32) != 0 ? HEADER_AD : 0)));
    header_set_counts(bytes, counts);
    fuzz_give(fuzz, line, bytes, len);
}

/* A good answer: one record of the asked type. */
static void fuzz_reply_true(struct fuzz *fuzz)
{
    uint8_t bytes[FUZZ_REPLY_MAX];
    struct fuzz_line *line = fuzz_line(fuzz);
    unsigned ttl = fuzz_byte(fuzz);
    if (line == NULL) {
        return;
    }
    struct message asked;
    must(message_read(line->message, line->len, &asked) == MESSAGE_GOOD);
    struct writer writer = writer_of(bytes, sizeof bytes);
    writer_bytes(&writer, line->message, asked.records_at);
    static const uint8_t rdata[] = {0, 1, 1, 'a', 0}; /* MX: 1 a. */
    uint16_t type = asked.question.type;
    const struct record record = {.type = type,
        .class = CLASS_IN,
        .ttl = ttl * 4,
        .rdata_len = type == TYPE_MX      ? 5
                     : type == TYPE_CNAME ? 3
                                          : 4};
    record_write(&writer, HEADER_SIZE, &record, type == TYPE_CNAME ? rdata + 2 : rdata);
    const uint16_t counts[4] = {1, 1, 0, 0};
    header_set_flags(bytes, HEADER_QR | HEADER_RA | HEADER_AD);
    header_set_counts(bytes, counts);
    fuzz_give(fuzz, line, bytes, writer.len);
}

/* A stranger's bytes. */
static void fuzz_reply_garbage(struct fuzz *fuzz)
{
    uint8_t bytes[256];
    struct fuzz_line *line = fuzz_line(fuzz);
    size_t len = fuzz_take(fuzz, bytes, fuzz_byte(fuzz));
    if (line != NULL) {
        fuzz_give(fuzz, line, bytes, len);
    }
    /* And for an exchange that never was. */
    must(!resolver_on_reply(fuzz->resolver, 7, bytes, len, fuzz->now));
}

static void fuzz_lose(struct fuzz *fuzz)
{
    struct fuzz_line *line = fuzz_line(fuzz);
    if (line != NULL) {
        line->is_open = false;
        enum line_end end = line->exchange % 4 == 0 ? LINE_GIVEN_UP : LINE_BROKEN;
        resolver_on_line_lost(fuzz->resolver, line->exchange, end, fuzz->now);
    }
}

/* Deadlines fall due when they are, not when the story looks. */
static void fuzz_pass(struct fuzz *fuzz, int64_t duration_us)
{
    int64_t end = fuzz->now + duration_us;
    unsigned turns = 0;
    int64_t next;
    while ((next = resolver_next_deadline(fuzz->resolver)) <= end) {
        must(++turns < 20000);
        fuzz->now = next > fuzz->now ? next : fuzz->now;
        resolver_run_due(fuzz->resolver, fuzz->now);
    }
    fuzz->now = end;
}

static void fuzz_pass_some(struct fuzz *fuzz)
{
    static const int64_t steps_us[] = {0, 1000, 50000, 200000, 400000, 1000000, 6000000, 400000000};
    unsigned step = fuzz_byte(fuzz);
    fuzz_pass(fuzz, steps_us[step & 7] * (1 + (step >> 5)));
}

static void fuzz_reload(struct fuzz *fuzz, size_t index)
{
    const struct settings *settings = fuzz_settings(index);
    must(resolver_set_settings(fuzz->resolver, settings, fuzz->now));
    cache_set_stale_max(fuzz->cache, settings->stale_max_us);
    if (settings->answer_deadline_us > fuzz->deadline_us) {
        fuzz->deadline_us = settings->answer_deadline_us;
    }
}

static void fuzz_raw(struct fuzz *fuzz)
{
    uint8_t bytes[256];
    size_t len = fuzz_take(fuzz, bytes, fuzz_byte(fuzz));
    fuzz_ask_bytes(fuzz, bytes, len, 1232);
}

static void fuzz_event(struct fuzz *fuzz)
{
    switch (fuzz_byte(fuzz) % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
        fuzz_ask(fuzz);
        break;
    case 4:
    case 5:
        fuzz_reply(fuzz);
        break;
    case 6:
    case 7:
        fuzz_reply_true(fuzz);
        break;
    case 8:
        fuzz_reply_garbage(fuzz);
        break;
    case 9:
        fuzz_lose(fuzz);
        break;
    case 10:
    case 11:
        fuzz_pass_some(fuzz);
        break;
    case 12:
        fuzz_reload(fuzz, fuzz_byte(fuzz));
        break;
    case 13:
        cache_flush_all(fuzz->cache);
        break;
    case 14:
        fuzz->is_unsendable = !fuzz->is_unsendable;
        break;
    default:
        fuzz_raw(fuzz);
        break;
    }
}

/* ---- A story ---- */

static void fuzz_begin(struct fuzz *fuzz)
{
    struct cache_options cache = {.budget_bytes = CACHE_BUDGET_MIN, .shard_count = 1};
    random_init_seed(&fuzz->random, 1);
    fuzz->now = 1000000;
    fuzz->cache = cache_new(&cache);
    struct resolver_options options = {.settings = fuzz_settings(0),
        .cache = fuzz->cache,
        .random = &fuzz->random,
        .port = {fuzz, fuzz_deliver, fuzz_transmit, fuzz_withdraw},
        .version = "fuzzed"};
    fuzz->resolver = resolver_new(&options);
    must(fuzz->cache != NULL && fuzz->resolver != NULL);
}

static void fuzz_check_quiet(const struct fuzz *fuzz)
{
    must(resolver_waiting(fuzz->resolver) == 0);
    /* The one may be ". NS", which is kept warm for ever (resolver/warm.h). */
    must(resolver_fetching(fuzz->resolver) <= 1);
    for (size_t i = 0; i < fuzz->client_count; i++) {
        must(fuzz->clients[i].due_at == 0);
    }
    for (size_t i = 0; i < FUZZ_LINES_MAX; i++) {
        /* A server that rests is probed for ever, by asking for the root. */
        must(!fuzz->lines[i].is_open || fuzz->lines[i].message[HEADER_SIZE] == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz fuzz;
    if (fuzz.resolver == NULL) {
        fuzz_begin(&fuzz);
    }
    fuzz.bytes = data;
    fuzz.left = size;
    fuzz.client_count = 0;
    fuzz.is_unsendable = false;
    fuzz.deadline_us = 0;
    fuzz.sent = 0;
    random_init_seed(&fuzz.random, 1);
    cache_flush_all(fuzz.cache);
    fuzz_reload(&fuzz, FUZZ_CONF_BLANK);
    fuzz_reload(&fuzz, fuzz_byte(&fuzz));
    const struct resolver_stats *stats = resolver_stats_of(fuzz.resolver);
    uint64_t fetches = counter_read(&stats->fetches);
    for (unsigned i = 0; i < FUZZ_EVENTS_MAX && fuzz.left > 0; i++) {
        fuzz_event(&fuzz);
    }
    fuzz_pass(&fuzz, INT64_C(60) * 1000000);
    fuzz_check_quiet(&fuzz);
    must(fuzz.sent <=
         (counter_read(&stats->fetches) - fetches) * 40 + counter_read(&stats->upstream_probes));
    return 0;
}
