/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input: a story of at most STORY_EVENTS_MAX events for one resolver. The first byte chooses the
 * configuration; then each event is a byte, with arguments behind it: somebody asks, a server
 * replies truly, wrongly or with bytes of the input, a line is lost, time passes, the host sleeps,
 * the settings change, the cache is flushed, saved and loaded, sending fails. Whatever the story:
 * every accepted question has one answer by its deadline, that answer is well-formed, fits, and
 * says nothing that was said of another name; asks and memory are bounded, nothing that has ended
 * is named again, the counters add up, and when time has passed nothing is left.
 *
 * The resolver is made once, for that takes longer than a story. In between the cache is flushed
 * and settings without any server make it forget how the servers did, so a story's outcome is its
 * own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "wire/header.h"
#include "wire/message.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "conf/parse.h"
#include "conf/settings.h"
#include "resolver/slow.h"
#include "resolver/stats.h"
#include "resolver/trace.h"
#include "tests/fuzz/resolver_story.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

#define STORY_EVENTS_MAX 200
#define STORY_BURST_MAX  40
#define STORY_QUIET_US   (INT64_C(20) * 1000000) /* Longer than any life. */

/* Each reload frees a table of servers of two megabytes. Kept for long, they cost more time than
 * all else. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=16";
}

static const char *const confs[] = {
    "upstreams = 192.0.2.1 192.0.2.2\nquestions_max = 16\n",
    "upstreams = 192.0.2.2\nquestions_max = 16\nstale_patience = 0\nanswer_deadline = 2s\n"
    "stale_max = 1h\nttl_max = 5m\n",
    "upstreams = 192.0.2.1#dns.example 192.0.2.4\nquestions_max = 16\nasks_max = 20\n"
    "try_timeout = 50ms\n[upstream default]\ntrust_ad = insecurely\n"
    "[upstream office]\nservers = 192.0.2.3\n[zone b]\nupstream = office\n",
    "questions_max = 16\n[upstream office]\nservers = 192.0.2.3\n[zone b]\nupstream = office\n",
    "upstreams = 192.0.2.1 192.0.2.2\nquestions_max = 16\nhedge_budget = 20\nahead_worth = 1\n"
    "list_action = nxdomain\nprivate_lists_local = no\nstale_max = 7d\nttl_min = 1m\n"
    "[zone d]\nroute = direct\n[list bl.d]\nkind = ip\nhas_key = no\n",
    "upstreams = 8.8.8.8 192.0.2.2\nquestions_max = 16\nlist_route = direct\n"
    "direct_private = yes\nlist_tests = no\nahead = no\nlist_action = pass\n"
    "[zone a]\nroute = direct\n[zone d]\nroute = direct\n",
    "questions_max = 16\n",
};
#define STORY_CONFS      (sizeof confs / sizeof confs[0])
#define STORY_CONF_BLANK (STORY_CONFS - 1)

static const struct settings *story_settings(size_t index)
{
    static struct settings *parsed[STORY_CONFS];
    static struct findings findings;
    struct settings **settings = &parsed[index % STORY_CONFS];
    if (*settings == NULL) {
        *settings = calloc(1, sizeof **settings);
        must(*settings != NULL);
        const char *conf = confs[index % STORY_CONFS];
        must(settings_parse("conf", conf, strlen(conf), *settings, &findings));
    }
    return *settings;
}

/* ---- Clients ---- */

/* `how`: bits of the header and the OPT. */
static void event_ask_question(struct story *story, const struct question *question, unsigned how)
{
    uint8_t bytes[HEADER_SIZE + NAME_SIZE_MAX + 64];
    struct writer writer = writer_of(bytes, sizeof bytes);
    const uint16_t counts[4] = {1, 0, 0, (how & 1) != 0 ? 1 : 0};
    writer_take(&writer, HEADER_SIZE);
    question_write(&writer, question);
    if ((how & 1) != 0) {
        const struct edns_reply edns = {
            .udp_size = (uint16_t)(how << 5), .wants_dnssec = (how & 2) != 0, .ede = EDE_NONE};
        edns_write(&writer, &edns);
    }
    header_set_id(bytes, (uint16_t)(how * 257));
    header_set_flags(
        bytes, (uint16_t)(((how & 4) != 0 ? 0 : HEADER_RD) | ((how & 8) != 0 ? HEADER_CD : 0) |
                          ((how & 16) != 0 ? HEADER_AD : 0)));
    header_set_counts(bytes, counts);
    size_t udp_max = (how & 1) != 0 && how > 16 ? how << 5 : 512;
    udp_max = udp_max > 1232 ? 1232 : udp_max;
    story_ask(story, bytes, writer.len, (how & 32) != 0 ? 0 : udp_max);
}

static struct question event_question(struct story *story)
{
    static const uint16_t types[16] = {TYPE_A, TYPE_MX, TYPE_AAAA, TYPE_TXT, TYPE_CNAME, TYPE_DS,
        TYPE_TLSA, TYPE_ANY, TYPE_PTR, TYPE_NS, TYPE_SOA, TYPE_A, TYPE_MX, TYPE_SRV, 65, TYPE_AXFR};
    unsigned what = story_byte(story);
    struct question question = {.type = types[what >> 4], .class = CLASS_IN};
    question.name_len = (uint8_t)story_name(what, question.name);
    return question;
}

static void event_ask(struct story *story)
{
    const struct question question = event_question(story);
    event_ask_question(story, &question, story_byte(story));
}

/* More questions than find room, one name each. */
static void event_burst(struct story *story)
{
    struct question question = {.name_len = 7, .type = TYPE_A, .class = CLASS_IN};
    unsigned first = story_byte(story);
    unsigned count = story_byte(story) % STORY_BURST_MAX;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t name[7] = {3, 'q', (uint8_t)((first + i) >> 4), (uint8_t)(first + i), 1, 'a'};
        memcpy(question.name, name, sizeof name);
        event_ask_question(story, &question, first);
    }
}

static void event_ask_raw(struct story *story)
{
    uint8_t bytes[256];
    size_t len = story_take(story, bytes, story_byte(story));
    story_ask(story, bytes, len, 1232);
}

/* The operator looks, which changes nothing for anybody. */
static void event_look(struct story *story)
{
    static struct slow_record records[SLOW_PLACES];
    struct question question = event_question(story);
    struct trace_view view;
    struct server_view server;
    struct list_view list;
    name_to_lower(question.name, question.name_len);
    uint64_t trace = resolver_trace_start(story->resolver, &question, story->now);
    must(trace == 0 || resolver_trace_look(story->resolver, trace, &view));
    (void)resolver_slow(story->resolver, true, story->now, records);
    (void)resolver_slow(story->resolver, false, story->now, records);
    for (size_t i = 0; resolver_server_at(story->resolver, i, &server); i++) {
        must(server.address.family != ADDRESS_NONE);
    }
    for (size_t i = 0; resolver_list_at(story->resolver, i, story->now, &list); i++) {
        must(list.zone != NULL);
    }
}

/* ---- Servers ---- */

/* What is said of the name from now on may be anything. */
static void event_be_wild(struct story *story, const struct story_line *line)
{
    struct message asked;
    must(message_read(line->message, line->len, &asked) == MESSAGE_GOOD);
    unsigned index = story_name_find(&asked.question);
    if (index != STORY_NAME_NONE) {
        story->is_wild[index] = true;
    }
}

/* Id and question as asked, an rcode and flags of the input's choice, and records that are the
 * input's bytes, told as so many. */
static void event_reply_wild(struct story *story)
{
    static uint8_t bytes[STORY_REPLY_MAX];
    struct story_line *line = story_line(story);
    unsigned rcode = story_byte(story);
    unsigned counted = story_byte(story);
    size_t room = story_byte(story);
    if (line == NULL) {
        return;
    }
    struct message asked;
    must(message_read(line->message, line->len, &asked) == MESSAGE_GOOD);
    size_t len = asked.records_at;
    memcpy(bytes, line->message, len);
    len += story_take(story, bytes + len, room);
    const uint16_t counts[4] = {1, counted & 3, (counted >> 2) & 3, (counted >> 4) & 3};
    header_set_flags(bytes,
        (uint16_t)(HEADER_QR | HEADER_RA | (rcode & 15) | ((rcode & 16) != 0 ? HEADER_TC : 0) |
                   ((rcode & 32) != 0 ? HEADER_AD : 0)));
    header_set_counts(bytes, counts);
    event_be_wild(story, line);
    story_give(story, line, bytes, len);
}

static void event_reply(struct story *story)
{
    uint8_t bytes[STORY_REPLY_MAX];
    const struct story_line *line = story_line(story);
    unsigned kind = story_byte(story);
    uint32_t ttl = 4 * story_byte(story);
    if (line != NULL) {
        story_give(story, line, bytes, story_reply_write(line, kind, ttl, bytes));
    }
}

/* Every server replies to all that it was asked. */
static void event_reply_all(struct story *story)
{
    uint8_t bytes[STORY_REPLY_MAX];
    unsigned kind = story_byte(story);
    for (size_t i = 0; i < STORY_LINES_MAX; i++) {
        const struct story_line *line = &story->lines[i];
        if (line->is_open) {
            story_give(story, line, bytes, story_reply_write(line, kind, kind, bytes));
        }
    }
}

/* The true reply to another question, on this line: it must not be taken for this one's. */
static void event_reply_crossed(struct story *story)
{
    uint8_t bytes[STORY_REPLY_MAX];
    const struct story_line *line = story_line(story);
    const struct story_line *other = story_line(story);
    if (line == NULL || other == line) {
        return;
    }
    size_t len = story_reply_write(other, 0, 300, bytes);
    header_set_id(bytes, header_id(line->message));
    story_give(story, line, bytes, len);
}

/* A stranger's bytes. */
static void event_reply_garbage(struct story *story)
{
    uint8_t bytes[256];
    const struct story_line *line = story_line(story);
    size_t len = story_take(story, bytes, story_byte(story));
    if (line != NULL) {
        event_be_wild(story, line);
        story_give(story, line, bytes, len);
    }
    /* And for an exchange that never was. */
    must(!resolver_on_reply(story->resolver, 7, bytes, len, story->now));
}

static void event_lose(struct story *story)
{
    struct story_line *line = story_line(story);
    if (line != NULL) {
        line->is_open = false;
        enum line_end end = line->exchange % 4 == 0 ? LINE_GIVEN_UP : LINE_BROKEN;
        resolver_on_line_lost(story->resolver, line->exchange, end, story->now);
    }
}

/* ---- Time ---- */

/* Deadlines fall due when they are, not when the story looks. */
static void story_pass(struct story *story, int64_t duration_us)
{
    int64_t end = story->now + duration_us;
    unsigned turns = 0;
    int64_t next;
    while ((next = resolver_next_deadline(story->resolver)) <= end) {
        must(++turns < 20000);
        story->now = next > story->now ? next : story->now;
        resolver_run_due(story->resolver, story->now);
    }
    story->now = end;
}

/* A server that rests is probed twice a second while somebody wants it, so minutes are not passed
 * like this but slept. */
static void event_pass(struct story *story)
{
    static const int64_t steps_us[] = {0, 1000, 20000, 50000, 200000, 400000, 1000000, 6000000};
    unsigned step = story_byte(story);
    story_pass(story, steps_us[step & 7] + 1000 * (step >> 3));
}

/* Nobody looks at deadlines for a while; who waits has that much more time. */
static void event_sleep(struct story *story)
{
    static const int64_t steps_us[] = {
        500000, 1500000, 10000000, 60000000, 400000000, 3600000000, 86400000000, 900000000};
    int64_t duration_us = steps_us[story_byte(story) & 7];
    for (size_t i = 0; i < story->client_count; i++) {
        story->clients[i].due_at += story->clients[i].due_at != 0 ? duration_us : 0;
    }
    story->now += duration_us;
    resolver_run_due(story->resolver, story->now);
}

static void story_reload(struct story *story, size_t index)
{
    const struct settings *settings = story_settings(index);
    must(resolver_set_settings(story->resolver, settings, story->now));
    cache_set_stale_max(story->cache, settings->stale_max_us);
    if (settings->answer_deadline_us > story->deadline_us) {
        story->deadline_us = settings->answer_deadline_us;
    }
}

static void event_forget(struct story *story)
{
    uint8_t name[NAME_SIZE_MAX];
    unsigned what = story_byte(story);
    size_t len = story_name(what >> 2, name);
    if (story->walks_left == 0) {
        return;
    }
    story->walks_left--;
    switch (what & 3) {
    case 0:
        cache_flush_all(story->cache);
        break;
    case 1:
        cache_flush_name(story->cache, name, len);
        break;
    case 2:
        cache_flush_under(story->cache, name, len);
        break;
    default:
        cache_set_list_share(story->cache, 1 + what % 100);
        break;
    }
}

static void event_reload(struct story *story)
{
    story_reload(story, story_byte(story));
}

static void event_sending(struct story *story)
{
    story->is_unsendable = !story->is_unsendable;
}

/* What is likely in life is there more often. */
static void story_event(struct story *story)
{
    static void (*const events[])(struct story *) = {event_ask, event_ask, event_ask, event_ask,
        event_ask, event_reply, event_reply, event_reply, event_reply, event_reply_wild,
        event_reply_wild, event_pass, event_pass, event_pass, event_reply_all, event_reply_crossed,
        event_reply_garbage, event_lose, event_reload, event_forget, event_sending, event_ask_raw,
        event_sleep, event_burst, event_look, story_save, story_load};
    events[story_byte(story) % (sizeof events / sizeof events[0])](story);
}

/* ---- A story ---- */

static void story_begin_first(struct story *story)
{
    struct cache_options cache = {.budget_bytes = CACHE_BUDGET_MIN, .shard_count = 1};
    log_set_level(LOG_LEVEL_ERROR);
    random_init_seed(&story->random, 1);
    story->now = 1000000;
    story->cache = cache_new(&cache);
    struct resolver_options options = {.settings = story_settings(0),
        .cache = story->cache,
        .random = &story->random,
        .port = story_port(story),
        .version = "fuzzed"};
    story->resolver = resolver_new(&options);
    must(story->cache != NULL && story->resolver != NULL);
}

static void story_begin(struct story *story, const uint8_t *data, size_t size)
{
    story->bytes = data;
    story->left = size;
    story->client_count = 0;
    story->is_unsendable = false;
    memset(story->is_wild, 0, sizeof story->is_wild);
    story->deadline_us = 0;
    story->walks_left = STORY_WALKS_MAX;
    story->sent = 0;
    story->answered = 0;
    story->dropped = 0;
    story->snapshot_len = 0;
    random_init_seed(&story->random, 1);
    cache_flush_all(story->cache);
    story_reload(story, story_byte(story));
}

/* Everybody has had his answer. */
static void check_answered(const struct story *story)
{
    must(resolver_waiting(story->resolver) == 0);
    for (size_t i = 0; i < story->client_count; i++) {
        must(story->clients[i].due_at == 0);
    }
}

/* Without any server nothing goes on, what the house itself wanted to know neither. */
static void check_quiet(const struct story *story)
{
    must(resolver_fetching(story->resolver) == 0);
    for (size_t i = 0; i < STORY_LINES_MAX; i++) {
        must(!story->lines[i].is_open);
    }
}

struct sums {
    uint64_t questions;
    uint64_t dropped;
    uint64_t answers;
    uint64_t fetches;
    uint64_t probes;
    uint64_t sent;
};

static struct sums sums_of(const struct story *story)
{
    const struct resolver_stats *stats = resolver_stats_of(story->resolver);
    return (struct sums){
        .questions = counter_read(&stats->questions),
        .dropped = counter_read(&stats->questions_dropped),
        .answers = counter_read(&stats->answers_noerror) + counter_read(&stats->answers_nxdomain) +
                   counter_read(&stats->answers_servfail) + counter_read(&stats->answers_other),
        .fetches = counter_read(&stats->fetches),
        .probes = counter_read(&stats->upstream_probes),
        .sent = counter_read(&stats->upstream_sent),
    };
}

static void check_sums(const struct story *story, const struct sums *before)
{
    const struct sums after = sums_of(story);
    struct cache_metrics metrics;
    must(after.questions - before->questions == story->client_count);
    must(after.dropped - before->dropped == story->dropped);
    must(after.answers - before->answers == story->answered);
    must(story->answered + story->dropped == story->client_count);
    must(after.sent - before->sent == story->sent);
    must(story->sent <= (after.fetches - before->fetches) * 40 + after.probes - before->probes);
    cache_read_metrics(story->cache, &metrics);
    must(metrics.cache_bytes <= metrics.cache_bytes_max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct story story;
    if (story.resolver == NULL) {
        story_begin_first(&story);
    }
    story_begin(&story, data, size);
    const struct sums before = sums_of(&story);
    for (unsigned i = 0; i < STORY_EVENTS_MAX && story.left > 0; i++) {
        story_event(&story);
    }
    story_pass(&story, STORY_QUIET_US);
    check_answered(&story);
    story_reload(&story, STORY_CONF_BLANK);
    story_pass(&story, STORY_QUIET_US);
    check_quiet(&story);
    check_sums(&story, &before);
    return 0;
}
