/* SPDX-License-Identifier: BSD-2-Clause */
/* The world of fuzz_resolver.c, and what it holds the resolver's answers against. */
#include <string.h>

#include "base/hash.h"
#include "wire/header.h"
#include "wire/message.h"
#include "wire/records.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "cache/record.h"
#include "cache/snapshot.h"
#include "resolver/learned.h"
#include "tests/fuzz/resolver_story.h"

static const struct story_name {
    const char *bytes;
    uint8_t len;
    bool is_list;
} names[STORY_NAMES] = {
    {"", 1, false},
    {"\1a", 3, false},
    {"\1A", 3, false},
    {"\1b", 3, false},
    {"\1x\1b", 5, false},
    {"\1c\1a", 5, false},
    {"\3\300\0.\1a", 7, false},
    {"\0012\0010\0010\003127\3zen\010spamhaus\3org", 28, true},
    {"\1d", 3, false},
    {"\1y\1d", 5, false},
    {"\2ns\1d", 6, false},
    {"\0014\0013\0013\0019\2bl\1d", 14, true},
    {"\0014\0013\0013\0019\7in-addr\4arpa", 22, false},
    {"\3_25\4_tcp\1n\1a", 14, false},
    {"\1n\1a", 5, false},
    {"\6_dmarc\1a", 10, false},
};

/* ---- The input ---- */

unsigned story_byte(struct story *story)
{
    if (story->left == 0) {
        return 0;
    }
    story->left--;
    return *story->bytes++;
}

size_t story_take(struct story *story, uint8_t *bytes_out, size_t len)
{
    len = len < story->left ? len : story->left;
    if (len > 0) {
        memcpy(bytes_out, story->bytes, len);
    }
    story->bytes += len;
    story->left -= len;
    return len;
}

/* ---- Names ---- */

size_t story_name(unsigned index, uint8_t name_out[NAME_SIZE_MAX])
{
    const struct story_name *name = &names[index % STORY_NAMES];
    memcpy(name_out, name->bytes, name->len);
    must(name_is_valid(name_out, name->len));
    return name->len;
}

unsigned story_name_find(const struct question *question)
{
    for (unsigned i = 0; i < STORY_NAMES; i++) {
        if (name_equal(question->name, question->name_len, (const uint8_t *)names[i].bytes,
                names[i].len)) {
            return i;
        }
    }
    return STORY_NAME_NONE;
}

bool story_name_is_list(unsigned index)
{
    return index < STORY_NAMES && names[index].is_list;
}

/* ---- Answers ---- */

/* Its data is what the name was truly answered with, and not another name. */
static void check_record(const struct message *answer, const struct record *record, unsigned mark)
{
    const uint8_t *data = answer->bytes + record->rdata_at;
    struct reader reader = reader_of(answer->bytes, answer->len);
    const uint8_t target[3] = {1, (uint8_t)('a' + mark), 0};
    switch (record->type) {
    case TYPE_CNAME:
    case TYPE_PTR:
    case TYPE_NS:
        must(name_equals_at(target, sizeof target, &reader, record->rdata_at));
        break;
    case TYPE_MX:
        must(name_equals_at(target, sizeof target, &reader, record->rdata_at + 2));
        break;
    default:
        must(record->rdata_len > STORY_MARK_AT && data[STORY_MARK_AT] == mark);
        break;
    }
}

static void check_records(const struct story *story, const struct message *answer)
{
    unsigned mark = story_name_find(&answer->question);
    uint16_t asked = answer->question.type;
    if (mark == STORY_NAME_NONE || story->is_wild[mark] || names[mark].is_list ||
        asked == TYPE_ANY) {
        return;
    }
    struct reader reader = reader_of(answer->bytes, answer->len);
    reader.at = answer->records_at;
    for (unsigned i = 0; i < answer->counts[1]; i++) {
        struct record record;
        must(record_read(&reader, &record));
        must(record.type == asked || record.type == TYPE_CNAME);
        check_record(answer, &record, mark);
    }
}

static void check_answer(
    const struct story *story, const struct story_client *client, const uint8_t *bytes, size_t len)
{
    struct message message;
    must(len >= HEADER_SIZE && len <= client->size_max);
    must(header_id(bytes) == client->id);
    must((header_flags(bytes) & HEADER_QR) != 0 && (header_flags(bytes) & HEADER_RA) != 0);
    if (header_qdcount(bytes) != 1) {
        must(len == HEADER_SIZE && header_rcode(bytes) != RCODE_NOERROR);
        return;
    }
    must(message_read(bytes, len, &message) == MESSAGE_GOOD);
    must(client->has_question && message.question.name_len == client->question.name_len);
    must(memcmp(message.question.name, client->question.name, client->question.name_len) == 0);
    must(message.question.type == client->question.type);
    check_records(story, &message);
}

void story_ask(struct story *story, const uint8_t *bytes, size_t len, size_t udp_max)
{
    static uint8_t answer[MESSAGE_SIZE_MAX];
    if (story->client_count == STORY_CLIENTS_MAX) {
        return;
    }
    struct story_client *client = &story->clients[story->client_count];
    struct reader reader = reader_of(bytes, len);
    client->due_at = story->now + story->deadline_us;
    client->size_max = udp_max == 0 ? MESSAGE_SIZE_MAX : udp_max;
    client->id = len >= HEADER_SIZE ? header_id(bytes) : 0;
    client->has_question =
        reader_skip(&reader, HEADER_SIZE) && question_read(&reader, &client->question);
    struct ask ask = {.client = {.line = story->client_count++, .is_stream = udp_max == 0},
        .query = bytes,
        .len = len,
        .answer = answer};
    switch (resolver_ask(story->resolver, &ask, story->now)) {
    case ASK_ANSWERED:
        check_answer(story, client, answer, ask.answer_len);
        client->due_at = 0;
        story->answered++;
        resolver_settle(story->resolver, 0);
        break;
    case ASK_PARKED:
        break;
    case ASK_DROPPED:
        must(len < HEADER_SIZE || (header_flags(bytes) & HEADER_QR) != 0);
        client->due_at = 0;
        story->dropped++;
        break;
    }
}

/* ---- The port ---- */

static void story_deliver(
    void *world, const struct client *client, const uint8_t *message, size_t len)
{
    struct story *story = world;
    must(client->line < story->client_count);
    struct story_client *waiting = &story->clients[client->line];
    must(waiting->due_at != 0); /* Not a second answer. */
    must(story->now <= waiting->due_at);
    check_answer(story, waiting, message, len);
    waiting->due_at = 0;
    story->answered++;
}

static bool story_transmit(void *world, const struct transmission *transmission, uint64_t *line_out)
{
    struct story *story = world;
    struct message message;
    must(message_read(transmission->message, transmission->len, &message) == MESSAGE_GOOD);
    if (story->is_unsendable) {
        return false;
    }
    for (size_t i = 0; i < STORY_LINES_MAX; i++) {
        struct story_line *line = &story->lines[i];
        if (!line->is_open) {
            *line = (struct story_line){.is_open = true,
                .is_stream = transmission->is_stream,
                .exchange = transmission->exchange,
                .len = transmission->len};
            must(transmission->len <= sizeof line->message);
            memcpy(line->message, transmission->message, transmission->len);
            *line_out = i;
            story->sent++;
            return true;
        }
    }
    return false;
}

static void story_withdraw(void *world, uint64_t line, bool is_stream)
{
    struct story *story = world;
    must(line < STORY_LINES_MAX && story->lines[line].is_open);
    must(story->lines[line].is_stream == is_stream);
    story->lines[line].is_open = false;
}

struct port story_port(struct story *story)
{
    return (struct port){story, story_deliver, story_transmit, story_withdraw};
}

struct story_line *story_line(struct story *story)
{
    unsigned start = story_byte(story);
    for (size_t i = 0; i < STORY_LINES_MAX; i++) {
        struct story_line *line = &story->lines[(start + i) % STORY_LINES_MAX];
        if (line->is_open) {
            return line;
        }
    }
    return NULL;
}

void story_give(
    struct story *story, const struct story_line *line, const uint8_t *bytes, size_t len)
{
    bool is_taken = resolver_on_reply(story->resolver, line->exchange, bytes, len, story->now);
    /* What was taken has closed its line, maybe for another one; what was not has left it alone. */
    must(is_taken || line->is_open);
}

/* ---- Snapshots ---- */

struct saving {
    struct story *story;
    struct snapshot_head head;
};

static uint8_t *saving_room(struct saving *saving)
{
    bool has_room = STORY_SNAPSHOT_MAX - saving->story->snapshot_len >= SNAPSHOT_RECORD_MAX;
    return has_room ? saving->story->snapshot + saving->story->snapshot_len : NULL;
}

static void save_entry(void *context, const struct cache_record *record)
{
    struct saving *saving = context;
    const struct snapshot_moment moment = {&saving->head, saving->story->now};
    uint8_t *room = saving_room(saving);
    if (room != NULL) {
        saving->story->snapshot_len += snapshot_write_entry(&moment, record, room);
    }
}

static void save_blob(void *context, const struct snapshot_blob *blob)
{
    struct saving *saving = context;
    uint8_t *room = saving_room(saving);
    if (room != NULL) {
        saving->story->snapshot_len += snapshot_write_blob(&saving->head, blob, room);
    }
}

void story_save(struct story *story)
{
    struct saving saving = {story, {.created_wall = story->now, .key = {1, 2}}};
    uint64_t cursor = 0;
    if (story->walks_left == 0) {
        return;
    }
    story->walks_left--;
    story->snapshot_at = story->now;
    snapshot_write_head(&saving.head, story->snapshot);
    story->snapshot_len = (size_t)2 * SNAPSHOT_HEAD_SIZE;
    learned_save(story->resolver, story->now, save_blob, &saving);
    while (cache_walk(story->cache, &cursor, save_entry, &saving)) {
    }
}

void story_load(struct story *story)
{
    struct snapshot_scan scan = {0};
    struct snapshot_window window = {
        .bytes = story->snapshot, .len = story->snapshot_len, .is_last = true};
    struct snapshot_found found;
    int64_t age_us = story->now - story->snapshot_at;
    enum snapshot_item item = SNAPSHOT_END;
    while (
        story->snapshot_len > 0 && (item = snapshot_next(&scan, &window, &found)) < SNAPSHOT_MORE) {
        if (item == SNAPSHOT_ENTRY) {
            found.entry.stored_at += story->snapshot_at;
            (void)cache_restore(story->cache, &found.entry, story->now);
        } else {
            learned_restore(story->resolver, &found.blob, age_us, story->now);
        }
    }
    must(item == SNAPSHOT_END && scan.damaged == 0 && scan.unknown == 0);
}
