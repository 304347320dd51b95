/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/liar_house.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/must.h"
#include "wire/edns.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "conf/parse.h"
#include "resolver/stats.h"
#include "tests/sim/sim.h"

#define HOUSE_TRIP_US 1000
#define HOUSE_WAIT_US (INT64_C(10) * 1000000)
#define CLIENT_COOKIE 8
#define OPTION_COOKIE 10
#define OPT_FIXED     11

/* ---- The truth ---- */

/* "an NAME TTL TYPE DATA", or "ns" or "ar": the section. */
static void truth_extra(struct tale *tale, const char *text)
{
    static const char words[][4] = {"an ", "ns ", "ar "};
    for (unsigned i = 0; i < 3; i++) {
        if (strncmp(text, words[i], 3) == 0) {
            tale_add(tale, i + 1, text + 3);
            return;
        }
    }
    must_never("a section");
}

/* Our cookie comes back, with eight bytes of the server's. */
static void truth_cookie(struct tale *tale, const struct tale *asked)
{
    uint8_t option[4 + 2 * CLIENT_COOKIE] = {0, OPTION_COOKIE, 0, 2 * CLIENT_COOKIE};
    for (size_t i = 0; i < asked->count; i++) {
        const struct tale_record *opt = &asked->records[i];
        const uint8_t *data = tale_data(asked, opt);
        if (opt->type == TYPE_OPT && opt->len >= 4 + CLIENT_COOKIE && data[1] == OPTION_COOKIE) {
            memcpy(option + 4, data + 4, CLIENT_COOKIE);
            memset(option + 4 + CLIENT_COOKIE, 0x5e, CLIENT_COOKIE);
        }
    }
    for (size_t i = 0; i < tale->count && option[4 + CLIENT_COOKIE] != 0; i++) {
        struct tale_record form = tale->records[i];
        if (form.type == TYPE_OPT) {
            tale_remove(tale, i);
            tale_put(tale, &form, option, sizeof option);
            return;
        }
    }
}

static bool story_is_about(const struct story *story, const struct tale *asked)
{
    struct world_name name = tale_name(story->name);
    return asked->type == story->type && tale_name_is(&asked->name, &name);
}

/* To who wants no signatures, none are given. */
static bool extra_is_given(const char *text, bool wants_dnssec)
{
    bool is_proof = strstr(text, " RRSIG ") != NULL || strstr(text, " NSEC") != NULL;
    return wants_dnssec || !is_proof;
}

static size_t truth_write(const struct house *house, const struct house_request *request,
    const struct world_query *query, uint8_t bytes_out[MESSAGE_SIZE_MAX])
{
    if (request->server != NULL) {
        return house->net->answer(request->server, query, bytes_out, MESSAGE_SIZE_MAX);
    }
    return world_answer_write(house->world, query, false, bytes_out, MESSAGE_SIZE_MAX);
}

/* False: silence. */
static bool truth_tell(
    const struct house *house, const struct house_request *request, struct tale *tale)
{
    static struct tale asked;
    static uint8_t bytes[MESSAGE_SIZE_MAX];
    const struct story *story = request->story;
    struct world_query query;
    must(world_query_read(request->message, request->len, &query));
    must(tale_read(&asked, request->message, request->len));
    size_t size = truth_write(house, request, &query, bytes);
    if (size == 0) {
        return false;
    }
    must(tale_read(tale, bytes, size));
    for (size_t i = 0; story_is_about(story, &asked) && i < 8 && story->extra[i] != NULL; i++) {
        if (extra_is_given(story->extra[i], query.wants_dnssec)) {
            truth_extra(tale, story->extra[i]);
        }
    }
    if (story->has_cookies) {
        truth_cookie(tale, &asked);
    }
    return true;
}

size_t house_truth(const struct house *house, const struct house_request *request,
    uint8_t bytes_out[MESSAGE_SIZE_MAX])
{
    static struct tale tale;
    return truth_tell(house, request, &tale) ? tale_write(&tale, bytes_out) : 0;
}

/* ---- The servers ---- */

static struct house_request house_request_of(
    const struct house *house, const struct house_line *line)
{
    return (struct house_request){.story = house->story,
        .server = house->net != NULL ? &line->server : NULL,
        .message = line->message,
        .len = line->len};
}

/* A copy of exactly its length, so that the sanitizer sees a byte read behind it. */
static void house_give(
    struct house *house, const struct house_line *line, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    must(copy != NULL);
    memcpy(copy, bytes, len);
    if (house->net != NULL) {
        house->net->on_reply(house, line, copy, len);
    }
    clock_t before = clock();
    resolver_on_reply(house->resolver, line->exchange, copy, len, house->now);
    clock_t spent = clock() - before;
    house->reply_cpu = spent > house->reply_cpu ? spent : house->reply_cpu;
    free(copy);
}

static void house_keep(
    struct house *house, const struct house_line *line, const uint8_t *bytes, size_t len)
{
    if (house->source_count == HOUSE_SOURCES_MAX) {
        return;
    }
    struct house_source *source = &house->sources[house->source_count++];
    memcpy(source->bytes, bytes, len);
    source->len = len;
    memcpy(source->asked, line->message, line->len);
    source->asked_len = line->len;
}

/* False data in all that is said, so that it shows when something is believed that should not be:
 * the last byte of data without names, the serial of an SOA record, the first of all others. */
static void tale_poison(struct tale *tale)
{
    for (size_t i = 0; i < tale->count; i++) {
        const struct tale_record *record = &tale->records[i];
        bool has_name = record->type == TYPE_CNAME || record->type == TYPE_NS ||
                        record->type == TYPE_OPT || record->type == TYPE_NSEC;
        size_t back = record->type == TYPE_SOA ? 20 : 1;
        if (has_name || record->len < back) {
            continue;
        }
        bool is_first = record->type == TYPE_MX || record->type == TYPE_PTR;
        tale->heap[record->data_at + (is_first ? 1 : record->len - back)] ^= 0x01;
    }
}

static size_t house_lie(const struct house *house, const struct house_line *line, uint8_t *bytes)
{
    static struct tale tale;
    const struct house_request request = house_request_of(house, line);
    must(truth_tell(house, &request, &tale));
    tale_poison(&tale);
    if (house->lie.tell != NULL) {
        house->lie.tell(&tale, house->lie.variant);
    }
    size_t len = tale_write(&tale, bytes);
    return house->lie.garble == NULL ? len : house->lie.garble(bytes, len, house->lie.variant);
}

static bool line_is_of_liar(const struct house *house, const struct house_line *line)
{
    return house->net == NULL || house->net->is_liar(house, &line->server);
}

static bool line_is_still(const struct house_line *line, uint64_t exchange)
{
    return line->is_open && line->exchange == exchange;
}

/* By UDP, where the story wants TCP: nothing but the question, cut. */
static size_t house_cut(const struct house_line *line, uint8_t *bytes)
{
    struct world_query query;
    must(world_query_read(line->message, line->len, &query));
    size_t len = HEADER_SIZE + query.question.name_len + 4u;
    const uint16_t counts[4] = {1, 0, 0, 0};
    memcpy(bytes, line->message, len);
    header_set_flags(bytes, HEADER_QR | HEADER_TC | HEADER_RD | HEADER_RA);
    header_set_counts(bytes, counts);
    return len;
}

static void house_serve(struct house *house, struct house_line *line)
{
    static struct tale asked;
    static uint8_t bytes[MESSAGE_SIZE_MAX];
    line->is_waiting = false;
    const struct house_line copy = *line;
    must(tale_read(&asked, line->message, line->len));
    bool is_it = story_is_about(house->story, &asked) && line_is_of_liar(house, line);
    if (is_it && house->story->is_by_stream && !line->is_stream) {
        house_give(house, &copy, bytes, house_cut(line, bytes));
        return;
    }
    if (is_it && house->mode != HOUSE_HONEST) {
        size_t len = house_lie(house, line, bytes);
        house_keep(house, line, bytes, len);
        house_give(house, &copy, bytes, len);
    }
    bool is_true = !is_it || house->mode != HOUSE_LYING;
    const struct house_request request = house_request_of(house, &copy);
    if (is_true && line_is_still(line, copy.exchange)) {
        size_t len = house_truth(house, &request, bytes);
        if (len > 0) {
            house_give(house, &copy, bytes, len);
        }
    }
}

/* How many others are served before it: in a net replies come in any order. */
static size_t house_draw(struct house *house)
{
    uint32_t waiting = 0;
    for (size_t i = 0; i < HOUSE_LINES_MAX && house->net != NULL; i++) {
        waiting += house->lines[i].is_open && house->lines[i].is_waiting ? 1 : 0;
    }
    return waiting > 1 ? random_below(&house->random, waiting) : 0;
}

/* A message that waits for its reply; false: there is none. */
static bool house_serve_next(struct house *house)
{
    size_t passed_by = house_draw(house);
    for (size_t i = 0; i < HOUSE_LINES_MAX; i++) {
        struct house_line *line = &house->lines[i];
        if (line->is_open && line->is_waiting && passed_by-- == 0) {
            house->now += HOUSE_TRIP_US;
            house_serve(house, line);
            return true;
        }
    }
    return false;
}

/* ---- The port ---- */

static bool house_transmit(void *world, const struct transmission *transmission, uint64_t *line_out)
{
    struct house *house = world;
    for (size_t i = 0; i < HOUSE_LINES_MAX; i++) {
        struct house_line *line = &house->lines[i];
        if (line->is_open) {
            continue;
        }
        line->is_open = line->is_waiting = true;
        line->server = transmission->server->address;
        line->is_stream = transmission->is_stream;
        line->exchange = transmission->exchange;
        line->len = transmission->len;
        must(line->len <= sizeof line->message);
        memcpy(line->message, transmission->message, line->len);
        house->asked++;
        if (house->net != NULL) {
            house->net->on_sent(house, line);
        }
        *line_out = i;
        return true;
    }
    sim_fail("more than %u lines are open", HOUSE_LINES_MAX);
}

static void house_withdraw(void *world, uint64_t line, bool is_stream)
{
    struct house *house = world;
    must(line < HOUSE_LINES_MAX && house->lines[line].is_open);
    must(house->lines[line].is_stream == is_stream);
    house->lines[line].is_open = false;
}

static void house_deliver(
    void *world, const struct client *client, const uint8_t *message, size_t len)
{
    struct house *house = world;
    (void)client;
    must(!house->is_answered);
    house->is_answered = true;
    memcpy(house->answer, message, len);
    house->answer_len = len;
}

/* ---- Plays ---- */

static struct settings *house_settings(const char *conf)
{
    static struct findings findings;
    struct settings *settings = calloc(1, sizeof *settings);
    must(settings != NULL);
    findings = (struct findings){0};
    if (!settings_parse("conf", conf, strlen(conf), settings, &findings)) {
        sim_fail("%s", findings.items[0].sentence);
    }
    return settings;
}

void house_open(struct house *house, struct world *world, const char *conf)
{
    struct cache_options cache = {
        .budget_bytes = CACHE_BUDGET_MIN, .shard_count = 1, .secret = {1, 2}};
    house->world = world;
    house->asks_max = HOUSE_ASKS_MAX;
    house->now = INT64_C(1000000000);
    house->settings = house_settings(conf);
    house->blank = house_settings("questions_max = 16\nlist_route = upstream\n");
    for (size_t i = 0; i < HOUSE_SOURCES_MAX; i++) {
        house->sources[i].bytes = malloc(MESSAGE_SIZE_MAX);
        must(house->sources[i].bytes != NULL);
    }
    random_init_seed(&house->random, 11);
    cache.stale_max_us = house->settings->stale_max_us;
    house->cache = cache_new(&cache);
    struct resolver_options options = {.settings = house->blank,
        .cache = house->cache,
        .random = &house->random,
        .port = {house, house_deliver, house_transmit, house_withdraw},
        .version = "lied to"};
    house->resolver = resolver_new(&options);
    must(house->cache != NULL && house->resolver != NULL);
}

void house_close(struct house *house)
{
    resolver_free(&house->resolver);
    cache_free(&house->cache);
    for (size_t i = 0; i < HOUSE_SOURCES_MAX; i++) {
        free(house->sources[i].bytes);
    }
    free(house->settings);
    free(house->blank);
}

void house_begin(struct house *house, const struct story *story)
{
    random_init_seed(&house->random, 11);
    house->story = story;
    house->mode = HOUSE_HONEST;
    house->source_count = 0;
    must(resolver_set_settings(house->resolver, house->settings, house->now));
}

void house_end(struct house *house)
{
    if (resolver_waiting(house->resolver) != 0 || resolver_fetching(house->resolver) != 0) {
        sim_fail("lives are left over");
    }
    for (size_t i = 0; i < HOUSE_LINES_MAX; i++) {
        must(!house->lines[i].is_open);
    }
    cache_flush_all(house->cache);
    must(resolver_set_settings(house->resolver, house->blank, house->now));
}

/* What is next, at or before `end`: a reply, or a deadline. False: nothing. */
static bool house_turn(struct house *house, int64_t end)
{
    if (house_serve_next(house)) {
        return true;
    }
    int64_t next = resolver_next_deadline(house->resolver);
    if (next > end) {
        return false;
    }
    house->now = next > house->now ? next : house->now;
    resolver_run_due(house->resolver, house->now);
    return true;
}

void house_pass(struct house *house, int64_t duration_us)
{
    int64_t end = house->now + duration_us;
    for (unsigned turns = 0; house_turn(house, end); turns++) {
        must(turns < 100000);
    }
    house->now = house->now > end ? house->now : end;
}

struct referee_question story_question(const struct story *story)
{
    return (struct referee_question){
        .name = tale_name(story->name), .type = story->type, .wants_dnssec = story->wants_dnssec};
}

size_t house_query(const struct referee_question *question, uint8_t bytes_out[512])
{
    struct writer writer = writer_of(bytes_out, 512);
    const uint16_t counts[4] = {1, 0, 0, 1};
    const struct edns_reply edns = {
        .udp_size = 4096, .wants_dnssec = question->wants_dnssec, .ede = EDE_NONE};
    writer_take(&writer, HEADER_SIZE);
    writer_bytes(&writer, question->name.bytes, question->name.len);
    writer_u16(&writer, question->type);
    writer_u16(&writer, CLASS_IN);
    edns_write(&writer, &edns);
    header_set_id(bytes_out, 0x1234);
    header_set_flags(
        bytes_out, (uint16_t)(HEADER_RD | (question->checking_disabled ? HEADER_CD : 0)));
    header_set_counts(bytes_out, counts);
    return writer.len;
}

void house_ask(struct house *house, const struct referee_question *question)
{
    uint8_t bytes[512];
    struct ask ask = {.client = {.line = 1, .is_stream = true},
        .query = bytes,
        .len = house_query(question, bytes),
        .answer = house->answer};
    house->is_answered = false;
    house->asked = 0;
    enum ask_verdict verdict = resolver_ask(house->resolver, &ask, house->now);
    if (verdict == ASK_ANSWERED) {
        house->is_answered = true;
        house->answer_len = ask.answer_len;
    }
    int64_t end = house->now + house->settings->answer_deadline_us;
    while (!house->is_answered && house_turn(house, end)) {
    }
    resolver_settle(house->resolver, 0);
    if (!house->is_answered) {
        sim_fail("no answer by the deadline");
    }
    /* A late try may still be under way. */
    end = house->now + HOUSE_WAIT_US;
    while (resolver_fetching(house->resolver) > 0 && house_turn(house, end)) {
    }
    if (house->asked > house->asks_max) {
        sim_fail("%u messages for one question", house->asked);
    }
}
