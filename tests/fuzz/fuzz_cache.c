/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input: a story of the cache. Answers are stored, looked up, flushed, saved and put back, fail,
 * expire, are evicted; the budget and the lists' share change. Beside it stands a list of what was
 * stored last under each key: the cache gives back that message to the byte or nothing, never
 * fresh for longer than its TTL nor stale for longer than allowed; the entries' bytes stay in their
 * budget; and where nothing was evicted, flushed or lost, a fresh answer is found.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/header.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "cache/entry.h"
#include "cache/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NAMES       8
#define TYPES       4
#define KEYS        (NAMES * TYPES)
#define MESSAGE_MAX 2048
#define STALE_US    (INT64_C(86400) * 1000000)
#define YEAR_US     (365 * STALE_US)

struct known {
    bool is_known; /* Something was stored; and nothing since that may have taken it away. */
    bool is_certain;
    int64_t stored_at; /* As precise as the cache is. */
    uint32_t ttl_s;
    enum cache_kind kind;
    size_t len;
    uint8_t message[MESSAGE_MAX];
};

struct play {
    const uint8_t *bytes;
    size_t left;
    int64_t begun_at;
    int64_t now;
    struct cache *cache;
    struct known known[KEYS];
    struct cache_metrics before;
};

static unsigned play_byte(struct play *play)
{
    if (play->left == 0) {
        return 0;
    }
    play->left--;
    return *play->bytes++;
}

static struct cache_key key_of(unsigned index)
{
    static const char *const names[NAMES] = {
        "", "\1a", "\1b", "\1x\1a", "\1y\1a", "\1z\1x\1a", "\2bl\7example", "\0011\2bl\7example"};
    static const uint8_t lens[NAMES] = {1, 3, 3, 5, 5, 7, 12, 14};
    static const uint16_t types[TYPES] = {TYPE_A, TYPE_MX, TYPE_TXT, TYPE_TLSA};
    struct cache_key key = {.type = types[index % TYPES], .class = CLASS_IN};
    key.name_len = lens[index / TYPES % NAMES];
    memcpy(key.name, names[index / TYPES % NAMES], key.name_len);
    return key;
}

static unsigned key_index(const struct cache_key *key)
{
    for (unsigned i = 0; i < KEYS; i++) {
        const struct cache_key other = key_of(i);
        if (cache_key_equal(key, &other)) {
            return i;
        }
    }
    return KEYS;
}

/* After evictions, and what is like them, nothing has to be there. */
static void play_doubt_all(struct play *play)
{
    for (size_t i = 0; i < KEYS; i++) {
        play->known[i].is_certain = false;
    }
}

/* Looks whether anything has gone by itself. */
static void play_watch(struct play *play)
{
    struct cache_metrics metrics;
    cache_read_metrics(play->cache, &metrics);
    must(metrics.cache_bytes <= metrics.cache_bytes_max);
    must(metrics.cache_entries == metrics.cache_entries_probation +
                                      metrics.cache_entries_protected + metrics.cache_entries_list);
    if (metrics.cache_evictions != play->before.cache_evictions ||
        metrics.cache_too_large != play->before.cache_too_large) {
        play_doubt_all(play);
    }
    play->before = metrics;
}

/* Header and question, then bytes of the input: in the stored form or not, it is kept as it is. */
static void play_store(struct play *play)
{
    unsigned index = play_byte(play) % KEYS;
    unsigned how = play_byte(play);
    size_t len = (size_t)play_byte(play) * (how & 0x40 ? 8 : 1);
    struct known *known = &play->known[index];
    const struct cache_key key = key_of(index);
    struct writer writer = writer_of(known->message, sizeof known->message);
    const uint16_t counts[4] = {1, 1, 0, 0};
    memset(writer_take(&writer, HEADER_SIZE), 0, HEADER_SIZE);
    writer_bytes(&writer, key.name, key.name_len);
    writer_u16(&writer, key.type);
    writer_u16(&writer, key.class);
    for (size_t i = 0; i < len && !writer.is_cut; i++) {
        writer_u8(&writer, i < play->left ? play->bytes[i] : (uint8_t)i);
    }
    header_set_flags(known->message, HEADER_QR | HEADER_RA);
    header_set_counts(known->message, counts);
    const struct cache_fill fill = {.kind = (enum cache_kind)(how % 3),
        .message = known->message,
        .len = writer.len,
        .ttl_s = (uint32_t)(how >> 2 & 7) * (how & 0x80 ? 1000 : 3),
        .is_ad = (how & 0x20) != 0,
        .is_list = index / TYPES >= NAMES - 2,
        .origin = (uint16_t)index};
    cache_store(play->cache, &key, &fill, play->now);
    if (fill.ttl_s == 0) {
        known->is_known = false; /* What was there is not in the list any more, if it stays. */
        return;
    }
    known->is_known = true;
    known->is_certain = true;
    known->stored_at = play->now / ENTRY_TICK_US * ENTRY_TICK_US;
    known->ttl_s = fill.ttl_s;
    known->kind = fill.kind;
    known->len = fill.len;
    play_watch(play);
}

static void check_found(const struct play *play, const struct known *known,
    const struct cache_found *found, const uint8_t *message, enum cache_verdict verdict)
{
    int64_t end = known->stored_at + (int64_t)known->ttl_s * 1000000;
    must(found->len == known->len && memcmp(message, known->message, known->len) == 0);
    must(found->kind == known->kind && found->ttl_s == known->ttl_s);
    must(found->age_s == (uint32_t)((play->now - known->stored_at) / 1000000));
    if (verdict == CACHE_FRESH) {
        must(play->now < end && found->ttl_left_s <= known->ttl_s);
        must(found->age_s + found->ttl_left_s <= known->ttl_s + 1);
    } else {
        must(play->now >= end && play->now < end + STALE_US);
        must(found->ttl_left_s == 0);
    }
}

static void play_look(struct play *play, bool is_peek)
{
    static uint8_t message[CACHE_MESSAGE_MAX];
    unsigned index = play_byte(play) % KEYS;
    const struct cache_key key = key_of(index);
    const struct known *known = &play->known[index];
    struct cache_found found;
    enum cache_verdict verdict = (is_peek ? cache_peek : cache_lookup)(
        play->cache, &key, play->now, message, sizeof message, &found);
    if (verdict != CACHE_MISS && found.kind == CACHE_KIND_FAILURE) {
        must(verdict == CACHE_FRESH && found.len == 0);
        must(!known->is_known || !known->is_certain ||
             play->now >= known->stored_at + (int64_t)known->ttl_s * 1000000);
    } else if (known->is_known && verdict != CACHE_MISS) {
        check_found(play, known, &found, message, verdict);
    } else if (known->is_known) {
        must(!known->is_certain || play->now >= known->stored_at + (int64_t)known->ttl_s * 1000000);
    }
}

static void play_fail(struct play *play)
{
    unsigned index = play_byte(play);
    const struct cache_key key = key_of(index);
    if (index < 128) {
        cache_store_failure(play->cache, &key, 22, play->now);
    } else {
        cache_store_refusal(play->cache, &key, 18, index - 100, play->now);
    }
    play_watch(play);
}

static void play_forget(struct play *play)
{
    unsigned what = play_byte(play);
    const struct cache_key key = key_of(what >> 2);
    switch (what & 3) {
    case 0:
        cache_flush_name(play->cache, key.name, key.name_len);
        break;
    case 1:
        cache_flush_under(play->cache, key.name, key.name_len);
        break;
    case 2:
        cache_flush_all(play->cache);
        break;
    default:
        cache_set_list_share(play->cache, 1 + (what >> 2));
        break;
    }
    play_doubt_all(play);
}

/* What is flushed is gone, at once. */
static void play_forget_one(struct play *play)
{
    unsigned index = play_byte(play) % KEYS;
    const struct cache_key key = key_of(index);
    struct cache_found found;
    uint8_t message[16];
    cache_flush_name(play->cache, key.name, key.name_len);
    for (unsigned i = 0; i < KEYS; i++) {
        if (i / TYPES == index / TYPES) {
            play->known[i].is_known = false;
        }
    }
    must(cache_peek(play->cache, &key, play->now, message, sizeof message, &found) == CACHE_MISS);
}

static void visit_record(void *context, const struct cache_record *record)
{
    struct play *play = context;
    unsigned index = key_index(&record->key);
    if (index == KEYS) {
        return; /* Of the flood. */
    }
    const struct known *known = &play->known[index];
    if (known->is_known) {
        must(record->fill.len == known->len && record->stored_at == known->stored_at);
        must(memcmp(record->fill.message, known->message, known->len) == 0);
    }
    /* It is there already, and no newer one. */
    (void)cache_restore(play->cache, record, play->now);
}

static void play_walk(struct play *play)
{
    uint64_t cursor = 0;
    while (cache_walk(play->cache, &cursor, visit_record, play)) {
    }
    play_watch(play);
}

static void play_pass(struct play *play)
{
    static const int64_t steps_us[] = {1, 999999, 1000000, 5000000, 20000000, 900000000,
        INT64_C(20000000000), INT64_C(90000000000)};
    play->now += steps_us[play_byte(play) & 7];
    /* An entry's time comes round in two years, and long before that it is gone. */
    play->now = play->now - play->begun_at < YEAR_US ? play->now : play->begun_at + YEAR_US;
}

/* So many others that room runs short. */
static void play_flood(struct play *play)
{
    static const uint8_t message[1200] = {0};
    unsigned first = play_byte(play);
    struct cache_key key = {.name = {2, 0, 0, 1, 'f'}, .name_len = 6, .class = CLASS_IN};
    const struct cache_fill fill = {
        .kind = CACHE_KIND_ANSWER, .message = message, .len = sizeof message, .ttl_s = 60};
    for (unsigned i = 0; i < 64; i++) {
        key.name[1] = (uint8_t)first;
        key.name[2] = (uint8_t)i;
        key.type = (uint16_t)(1 + first % 9);
        cache_store(play->cache, &key, &fill, play->now);
    }
    play_watch(play);
}

static void play_event(struct play *play)
{
    switch (play_byte(play) % 12) {
    case 0:
    case 1:
    case 2:
        play_store(play);
        break;
    case 3:
    case 4:
    case 5:
        play_look(play, false);
        break;
    case 6:
        play_look(play, true);
        break;
    case 7:
        play_pass(play);
        break;
    case 8:
        play_fail(play);
        break;
    case 9:
        play_forget(play);
        break;
    case 10:
        play_forget_one(play);
        break;
    default:
        play_walk(play);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct play play;
    if (play.cache == NULL) {
        play.cache = cache_new(&(struct cache_options){
            .budget_bytes = CACHE_BUDGET_MIN, .shard_count = 1, .stale_max_us = STALE_US});
        must(play.cache != NULL);
    }
    cache_flush_all(play.cache);
    cache_set_list_share(play.cache, 100);
    play.bytes = data;
    play.left = size;
    play.now += 1000000;
    play.begun_at = play.now;
    for (size_t i = 0; i < KEYS; i++) {
        play.known[i].is_known = false;
    }
    cache_read_metrics(play.cache, &play.before);
    /* A full cache now and then: that takes much longer than a story. */
    for (unsigned i = 0; size > 1 && data[0] == 0xff && data[1] == 0xff && i < 16; i++) {
        play_flood(&play);
    }
    while (play.left > 0) {
        play_event(&play);
    }
    play_watch(&play);
    return 0;
}
