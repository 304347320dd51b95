/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/bytes.h"
#include "wire/header.h"
#include "wire/message.h"
#include "wire/name.h"
#include "wire/normalise.h"
#include "wire/types.h"

#include "cache/cache.h"
#include "cache/entry.h"
#include "cache/packed.h"

#include "tests/unit/cache/fixture.h"

#define CORPUS   "tests/fuzz/corpus/normalise"
#define TTL_S    60
#define ROOM_MAX 70000

union room {
    struct entry entry;
    uint8_t bytes[ROOM_MAX];
};

union shared_room {
    struct shared shared;
    uint8_t bytes[sizeof(struct shared) + SHARED_SIZE_MAX];
};

static struct cache_key key_of(const char *text, uint16_t type)
{
    struct cache_key key = {.type = type, .class = CLASS_IN};
    size_t len = 0;
    assert_true(name_from_text(text, strlen(text), key.name, &len));
    key.name_len = (uint8_t)len;
    return key;
}

/* A denial of the key with the SOA of what is behind the name's first label. */
static size_t denial_write(const struct cache_key *key, uint32_t ttl_s, uint8_t *bytes_out)
{
    static const uint8_t names[] = {2, 'n', 's', 0xc0, 0, 2, 'h', 'm', 0xc0, 0};
    struct writer writer = writer_of(bytes_out, 512);
    uint16_t zone_at = (uint16_t)(HEADER_SIZE + 1 + key->name[0]);
    const uint16_t counts[4] = {1, 0, 1, 0};
    (void)writer_take(&writer, HEADER_SIZE);
    writer_bytes(&writer, key->name, key->name_len);
    writer_u16(&writer, key->type);
    writer_u16(&writer, key->class);
    writer_u16(&writer, (uint16_t)(0xc000u | zone_at));
    writer_u16(&writer, TYPE_SOA);
    writer_u16(&writer, CLASS_IN);
    writer_u32(&writer, ttl_s);
    writer_u16(&writer, sizeof names + 20);
    uint8_t *rdata = writer_take(&writer, sizeof names);
    memcpy(rdata, names, sizeof names);
    rdata[4] = (uint8_t)zone_at;
    rdata[9] = (uint8_t)zone_at;
    for (uint32_t i = 0; i < 5; i++) {
        writer_u32(&writer, i);
    }
    header_set_id(bytes_out, 0);
    header_set_flags(bytes_out, HEADER_QR | RCODE_NXDOMAIN);
    header_set_counts(bytes_out, counts);
    assert_false(writer.is_cut);
    return writer.len;
}

static struct cache_fill denial_fill(const uint8_t *message, size_t len)
{
    struct cache_fill fill = fixture_fill(message, len, TTL_S);
    fill.kind = CACHE_KIND_NXDOMAIN;
    fill.is_any_type = true;
    return fill;
}

/* What is written with this body comes out as it went in. Returns the entry's size. */
static size_t assert_comes_back(const struct cache_key *key, const struct cache_fill *fill,
    const struct packed *packed, const struct shared *shared)
{
    static union room room;
    static uint8_t message[ROOM_MAX];
    size_t bytes = entry_bytes(key, packed);
    assert_true(bytes <= sizeof room);
    entry_fill(&room.entry, key, fill, packed, FIXTURE_START);
    memset(message, 0xee, fill->len + 1);
    packed_unfold(&room.entry, key->type, shared, message);
    assert_int_equal(room.entry.message_len, fill->len);
    assert_memory_equal(message, fill->message, fill->len);
    assert_int_equal(message[fill->len], 0xee);
    return bytes;
}

static size_t share(
    const struct cache_fill *fill, const struct packed *packed, union shared_room *room_out)
{
    size_t len = packed_authority(fill, packed, room_out->shared.bytes);
    room_out->shared.len = (uint16_t)len;
    return len;
}

static void test_denial_is_small(void **state)
{
    (void)state;
    struct cache_key key = key_of("2.0.0.127.zen.example.org", TYPE_A);
    uint8_t message[512];
    size_t len = denial_write(&key, TTL_S, message);
    struct cache_fill fill = denial_fill(message, len);
    struct packed packed;
    union shared_room shared;
    packed_fold(&key, &fill, &packed);
    assert_int_equal(packed.flags, ENTRY_IS_ANY_TYPE);
    /* Neither header nor question. */
    assert_int_equal(assert_comes_back(&key, &fill, &packed, NULL), 40 + 2 + len - 12 - 4);
    assert_true(share(&fill, &packed, &shared) > 0);
    packed_use_shared(&packed, 0x12345678);
    assert_int_equal(assert_comes_back(&key, &fill, &packed, &shared.shared), 40 + 4 + 27);
}

/* Denials of names of any length in one zone share the same bytes. */
static void test_denials_of_a_zone_are_equal(void **state)
{
    (void)state;
    union shared_room first = {0};
    char label[64] = {0};
    for (size_t i = 1; i < sizeof label; i++) {
        char name[100];
        uint8_t message[512];
        label[i - 1] = 'a';
        (void)snprintf(name, sizeof name, "%s.list.example.org", label);
        struct cache_key key = key_of(name, TYPE_TXT);
        struct cache_fill fill = denial_fill(message, denial_write(&key, TTL_S, message));
        struct packed packed;
        union shared_room shared = {0};
        packed_fold(&key, &fill, &packed);
        assert_true(share(&fill, &packed, &shared) > 0);
        first = i == 1 ? shared : first;
        assert_memory_equal(&shared, &first, sizeof first);
        packed_use_shared(&packed, 1);
        (void)assert_comes_back(&key, &fill, &packed, &first.shared);
    }
}

/* A denial of all types is given as an answer to the type that is asked. */
static void test_type_is_the_asked_one(void **state)
{
    (void)state;
    struct cache_key key = key_of("nobody.example.org", TYPE_A);
    uint8_t message[512];
    uint8_t expected[512];
    uint8_t message_out[512];
    size_t len = denial_write(&key, TTL_S, message);
    struct cache_fill fill = denial_fill(message, len);
    struct packed packed;
    union room room;
    packed_fold(&key, &fill, &packed);
    entry_fill(&room.entry, &key, &fill, &packed, FIXTURE_START);
    packed_unfold(&room.entry, TYPE_TXT, NULL, message_out);
    key.type = TYPE_TXT;
    assert_int_equal(denial_write(&key, TTL_S, expected), len);
    assert_memory_equal(message_out, expected, len);
}

struct change_case {
    const char *what;
    size_t at; /* Of the byte that is changed; from the end when it is 1000 or more. */
    uint8_t value;
    bool is_verbatim;
    bool is_shared;
};

/* Of the denial of nobody.example.org, whose SOA stands at 36. */
static const struct change_case change_cases[] = {
    {"nothing", 0, 0, false, true},
    {"id", 1, 1, true, false},
    {"AD", 3, 0x23, false, true},
    {"RA", 3, 0x83, true, false},
    {"AA", 2, 0x84, true, false},
    {"rcode", 3, 0, true, false},
    {"two questions", 5, 2, true, false},
    {"an answer", 7, 1, false, false},
    {"too many answers", 6, 1, true, false},
    {"too many authorities", 8, 1, true, false},
    {"two authorities", 9, 2, false, false},
    {"an additional record", 11, 1, true, false},
    {"another name", 13, 'x', true, false},
    {"a capital letter", 13, 'N', true, false},
    {"another type", 33, 9, true, false},
    {"another class", 35, 3, true, false},
    {"pointer elsewhere", 37, 0xff, false, true},
    {"pointer forward", 36, 0xff, false, true},
    {"owner not a name", 36, 0x80, false, false},
    {"not an SOA", 39, 1, false, false},
    {"SOA of another class", 41, 3, false, false},
    {"another TTL", 45, TTL_S + 1, false, false},
    {"length of data wrong", 47, 7, false, true},
    {"MNAME not a name", 48, 0x41, false, false},
    {"MNAME too long", 48, 63, false, false},
};

static void test_what_is_told(void **state)
{
    (void)state;
    struct cache_key key = key_of("nobody.example.org", TYPE_A);
    for (size_t i = 0; i < sizeof change_cases / sizeof change_cases[0]; i++) {
        const struct change_case *c = &change_cases[i];
        uint8_t message[512];
        size_t len = denial_write(&key, TTL_S, message);
        struct packed packed;
        union shared_room shared;
        message[c->at] = c->value;
        struct cache_fill fill = denial_fill(message, len);
        packed_fold(&key, &fill, &packed);
        (void)assert_comes_back(&key, &fill, &packed, NULL);
        if (((packed.flags & ENTRY_IS_VERBATIM) != 0) != c->is_verbatim ||
            (share(&fill, &packed, &shared) > 0) != c->is_shared) {
            fail_msg("%s", c->what);
        }
        if (c->is_shared) {
            packed_use_shared(&packed, 1);
            (void)assert_comes_back(&key, &fill, &packed, &shared.shared);
        }
    }
}

/* Wherever it ends. */
static void test_cut_short(void **state)
{
    (void)state;
    struct cache_key key = key_of("nobody.example.org", TYPE_A);
    uint8_t message[512];
    size_t whole = denial_write(&key, TTL_S, message);
    for (size_t len = 0; len < whole; len++) {
        struct cache_fill fill = denial_fill(message, len);
        struct packed packed;
        union shared_room shared;
        packed_fold(&key, &fill, &packed);
        assert_int_equal((packed.flags & ENTRY_IS_VERBATIM) != 0, len < 36);
        assert_int_equal(share(&fill, &packed, &shared), 0);
        (void)assert_comes_back(&key, &fill, &packed, NULL);
    }
}

struct any_case {
    enum cache_kind kind;
    uint16_t type;
    bool wants_dnssec;
    bool checking_disabled;
    bool is_wanted;
    bool is_any;
};

static const struct any_case any_cases[] = {
    {CACHE_KIND_NXDOMAIN, TYPE_A, false, false, true, true},
    {CACHE_KIND_NXDOMAIN, TYPE_TXT, false, false, true, true},
    {CACHE_KIND_NXDOMAIN, TYPE_A, false, false, false, false},
    {CACHE_KIND_NXDOMAIN, TYPE_A, true, false, true, false},
    {CACHE_KIND_NXDOMAIN, TYPE_A, false, true, true, false},
    {CACHE_KIND_NXDOMAIN, TYPE_TLSA, false, false, true, false},
    {CACHE_KIND_NXDOMAIN, TYPE_DS, false, false, true, false},
    {CACHE_KIND_NXDOMAIN, TYPE_NSEC3, false, false, true, false},
    {CACHE_KIND_NODATA, TYPE_A, false, false, true, false},
    {CACHE_KIND_ANSWER, TYPE_A, false, false, true, false},
};

static void test_who_denies_all_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof any_cases / sizeof any_cases[0]; i++) {
        const struct any_case *c = &any_cases[i];
        struct cache_key key = key_of("nobody.example.org", c->type);
        uint8_t message[512];
        struct cache_fill fill = denial_fill(message, denial_write(&key, TTL_S, message));
        struct packed packed;
        if (c->kind != CACHE_KIND_NXDOMAIN) {
            header_set_flags(message, HEADER_QR);
        }
        key.wants_dnssec = c->wants_dnssec;
        key.checking_disabled = c->checking_disabled;
        fill.kind = c->kind;
        fill.is_any_type = c->is_wanted;
        packed_fold(&key, &fill, &packed);
        assert_int_equal((packed.flags & ENTRY_IS_ANY_TYPE) != 0, c->is_any);
    }
}

/* All that the normaliser makes of its corpus of replies. Returns 1 if it was something. */
static unsigned corpus_check(const char *path)
{
    static uint8_t bytes[ROOM_MAX];
    static uint8_t stored[ROOM_MAX];
    const struct normalise_limits limits = {.ttl_max = 86400, .negative_ttl_max = 3600};
    struct normalised normalised;
    struct message reply;
    struct packed packed;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    if (len < 3 || message_read(bytes + 3, len - 3, &reply) != MESSAGE_GOOD) {
        return 0;
    }
    enum normalise_verdict verdict =
        normalise_reply(&reply, &limits, stored, sizeof stored, &normalised);
    if (verdict == NORMALISE_BROKEN || verdict == NORMALISE_REFERRAL) {
        return 0;
    }
    struct cache_key key = {.name_len = reply.question.name_len,
        .type = reply.question.type,
        .class = reply.question.class};
    memcpy(key.name, reply.question.name, key.name_len);
    name_to_lower(key.name, key.name_len);
    struct cache_fill fill = fixture_fill(stored, normalised.len, normalised.ttl);
    fill.kind = verdict == NORMALISE_NXDOMAIN ? CACHE_KIND_NXDOMAIN : CACHE_KIND_ANSWER;
    packed_fold(&key, &fill, &packed);
    (void)assert_comes_back(&key, &fill, &packed, NULL);
    assert_int_equal(packed.flags & ENTRY_IS_VERBATIM, 0);
    return 1;
}

static void test_corpus_comes_back(void **state)
{
    (void)state;
    unsigned checked = 0;
    const struct dirent *row;
    DIR *folder = opendir(CORPUS);
    assert_non_null(folder);
    while ((row = readdir(folder)) != NULL) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", CORPUS, row->d_name);
        checked += row->d_name[0] != '.' ? corpus_check(path) : 0;
    }
    (void)closedir(folder);
    assert_true(checked >= 5);
}

static void test_failures(void **state)
{
    (void)state;
    static const unsigned failures[][2] = {{1, 1}, {254, 254}, {255, 255}, {256, 255}};
    for (size_t i = 0; i < 4; i++) {
        struct cache_key key = fixture_key(1);
        struct cache_fill fill = {.kind = CACHE_KIND_FAILURE, .ttl_s = 1};
        struct packed packed;
        union room room;
        packed_fold_failure(failures[i][0], -1 + (int)i * 10000, &packed);
        entry_fill(&room.entry, &key, &fill, &packed, FIXTURE_START);
        assert_int_equal(packed_failures(&room.entry), failures[i][1]);
        assert_int_equal(packed_ede(&room.entry), -1 + (int)i * 10000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_denial_is_small),
        cmocka_unit_test(test_denials_of_a_zone_are_equal),
        cmocka_unit_test(test_type_is_the_asked_one),
        cmocka_unit_test(test_what_is_told),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_who_denies_all_types),
        cmocka_unit_test(test_corpus_comes_back),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
