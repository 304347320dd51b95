/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/bytes.h"
#include "wire/header.h"
#include "wire/types.h"

#include "cache/snapshot_private.h"

#include "tests/unit/cache/fixture.h"

/* Where things stand in the body of an entry. */
#define AT_TYPE        18
#define AT_CLASS       20
#define AT_KIND        22
#define AT_AHEAD       24
#define AT_NAME_LEN    26
#define AT_MESSAGE_LEN 28
#define AT_NAME        30
#define NAME_LEN       15
#define AT_MESSAGE     (AT_NAME + NAME_LEN)

static uint8_t message[512];
static uint8_t body[1024];

/* An answer without records, as the cache keeps it: its id is 0. */
static size_t put_message(const struct cache_key *key)
{
    struct writer writer = writer_of(message, sizeof message);
    const uint16_t counts[4] = {1, 0, 0, 0};
    writer_take(&writer, HEADER_SIZE);
    writer_bytes(&writer, key->name, key->name_len);
    writer_u16(&writer, key->type != 0 ? key->type : TYPE_MX);
    writer_u16(&writer, key->class);
    header_set_id(message, 0);
    header_set_flags(message, HEADER_QR);
    header_set_counts(message, counts);
    return writer.len;
}

static struct cache_record record_of(const struct cache_key *key)
{
    return (struct cache_record){
        .stored_at = 5 * FIXTURE_S,
        .hits = 77,
        .key = *key,
        .fill =
            {
                .kind = CACHE_KIND_NXDOMAIN,
                .message = message,
                .len = put_message(key),
                .ttl_s = 300,
                .ahead = CACHE_AHEAD_MAX,
                .origin = 4242,
            },
    };
}

static size_t put_entry(const struct cache_record *record, int64_t now)
{
    struct writer writer = writer_of(body, sizeof body);
    snapshot_body_write_entry(&writer, record, now);
    return writer.len;
}

static size_t put_plain(void)
{
    struct cache_key key = fixture_key(1);
    struct cache_record record = record_of(&key);
    return put_entry(&record, 9 * FIXTURE_S);
}

/* Every flag by itself comes back as it was. */
static void test_entry(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 32; flags++) {
        struct cache_key key = fixture_key(flags);
        key.wants_dnssec = (flags & 1) != 0;
        key.checking_disabled = (flags & 2) != 0;
        struct cache_record record = record_of(&key);
        record.fill.is_ad = (flags & 4) != 0;
        record.fill.is_list = (flags & 8) != 0;
        record.fill.is_any_type = (flags & 16) != 0;
        struct cache_record found;
        size_t len = put_entry(&record, 9 * FIXTURE_S);
        assert_true(snapshot_body_read_entry(body, len, &found));
        assert_true(cache_key_equal(&found.key, &key));
        assert_true(found.stored_at == -4 * FIXTURE_S);
        assert_int_equal(found.hits, 77);
        assert_int_equal(found.fill.kind, CACHE_KIND_NXDOMAIN);
        assert_int_equal(found.fill.ttl_s, 300);
        assert_int_equal(found.fill.ahead, CACHE_AHEAD_MAX);
        assert_int_equal(found.fill.origin, 4242);
        assert_true(found.fill.is_ad == record.fill.is_ad);
        assert_true(found.fill.is_list == record.fill.is_list);
        assert_true(found.fill.is_any_type == record.fill.is_any_type);
        assert_int_equal(found.fill.birth.reason, CACHE_REASON_SNAPSHOT);
        assert_int_equal(found.fill.len, record.fill.len);
        assert_memory_equal(found.fill.message, message, found.fill.len);
    }
}

static void test_age(void **state)
{
    static const struct {
        int64_t stored_at;
        int64_t now;
        int64_t found;
    } cases[] = {{0, 0, 0}, {0, 1, -1}, {5, 4, 0} /* Later than the head. */, {-7, 0, -7}};
    struct cache_key key = fixture_key(1);
    struct cache_record record = record_of(&key);
    struct cache_record found;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        record.stored_at = cases[i].stored_at;
        size_t len = put_entry(&record, cases[i].now);
        assert_true(snapshot_body_read_entry(body, len, &found));
        assert_true(found.stored_at == cases[i].found);
    }
    /* An age from a file may be anything: it must not overflow when it is added to a time. */
    size_t len = put_entry(&record, 0);
    memset(body, 0xff, 8);
    assert_true(snapshot_body_read_entry(body, len, &found));
    assert_true(found.stored_at == -INT64_MAX / 4);
}

/* Nobody reads behind its end, wherever that is; more than known is ignored. */
static void test_entry_cut(void **state)
{
    struct cache_record found;
    size_t len = put_plain();
    (void)state;
    for (size_t piece = 0; piece < len; piece++) {
        uint8_t *bytes = malloc(piece + 1);
        assert_non_null(bytes);
        memcpy(bytes, body, piece);
        assert_false(snapshot_body_read_entry(bytes, piece, &found));
        free(bytes);
    }
    assert_true(snapshot_body_read_entry(body, len, &found));
    assert_true(snapshot_body_read_entry(body, len + 9, &found));
}

/* What could not be answered with is not believed. */
static void test_entry_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
        bool is_good;
    } cases[] = {
        {AT_KIND, CACHE_KIND_NXDOMAIN, true}, {AT_KIND, CACHE_KIND_NXDOMAIN + 1, false},
        {AT_KIND, 0xff, false}, {AT_AHEAD, CACHE_AHEAD_MAX, true},
        {AT_AHEAD, CACHE_AHEAD_MAX + 1, false},
        {AT_TYPE + 1, TYPE_MX, false},                     /* The message is about A. */
        {AT_TYPE + 1, 0, true},                            /* Any type of the name. */
        {AT_CLASS + 1, 3, false}, {AT_NAME_LEN, 1, false}, /* Longer than a name can be. */
        {AT_NAME_LEN + 1, NAME_LEN - 1, false}, {AT_MESSAGE_LEN, 1, false},
        {AT_MESSAGE_LEN + 1, HEADER_SIZE, false}, {AT_NAME, 64, false},
        {AT_NAME + 1, '1', false},   /* Another name than the message's. */
        {AT_MESSAGE + 1, 1, false},  /* An id. */
        {AT_MESSAGE + 5, 0, false},  /* No question. */
        {AT_MESSAGE + 11, 1, false}, /* A record that is not there. */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cache_record found;
        size_t len = put_plain();
        body[cases[i].at] = cases[i].value;
        assert_true(snapshot_body_read_entry(body, len, &found) == cases[i].is_good);
    }
}

/* An OPT record belongs to a message on its way, not to what is kept. */
static void test_entry_with_opt(void **state)
{
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 4, 208, 0, 0, 0, 0, 0, 0};
    struct cache_key key = fixture_key(1);
    struct cache_record record = record_of(&key);
    struct cache_record found;
    (void)state;
    memcpy(message + record.fill.len, opt, sizeof opt);
    bytes_put_u16(message + 10, 1);
    record.fill.len += sizeof opt;
    size_t len = put_entry(&record, 0);
    assert_false(snapshot_body_read_entry(body, len, &found));
}

/* Names are kept in lower case, whatever the file says. */
static void test_entry_case(void **state)
{
    struct cache_key key = fixture_key(0xabcdef01);
    struct cache_record record = record_of(&key);
    struct cache_record found;
    (void)state;
    size_t len = put_entry(&record, 0);
    body[AT_NAME + 1] = 'A';
    assert_true(snapshot_body_read_entry(body, len, &found));
    assert_true(cache_key_equal(&found.key, &key));
}

static struct snapshot_blob blob_of(size_t subject_len, size_t len)
{
    static uint8_t bytes[SNAPSHOT_BYTES_MAX];
    return (struct snapshot_blob){
        .name = "upstream",
        .name_len = 8,
        .version = 300,
        .weight = 70000,
        .subject = bytes,
        .subject_len = subject_len,
        .bytes = bytes,
        .len = len,
    };
}

static void test_blob(void **state)
{
    struct snapshot_blob blob = blob_of(5, 9);
    struct snapshot_blob found;
    struct writer writer = writer_of(body, sizeof body);
    (void)state;
    snapshot_body_write_blob(&writer, &blob);
    for (size_t piece = 0; piece < writer.len; piece++) {
        assert_false(snapshot_body_read_blob(body, piece, &found));
    }
    assert_true(snapshot_body_read_blob(body, writer.len + 3, &found));
    assert_int_equal(found.version, 300);
    assert_int_equal(found.weight, 70000);
    assert_int_equal(found.name_len, 8);
    assert_memory_equal(found.name, "upstream", 8);
    assert_int_equal(found.subject_len, 5);
    assert_ptr_equal(found.subject, (const uint8_t *)found.name + 8);
    assert_int_equal(found.len, 9);
    assert_ptr_equal(found.bytes, found.subject + 5);
}

static void test_blob_limits(void **state)
{
    static const struct {
        size_t name_len;
        size_t subject_len;
        size_t len;
        bool is_good;
    } cases[] = {
        {SNAPSHOT_NAME_MAX, SNAPSHOT_SUBJECT_MAX, SNAPSHOT_BYTES_MAX, true},
        {SNAPSHOT_NAME_MAX + 1, 0, 0, false},
        {0, SNAPSHOT_SUBJECT_MAX + 1, 0, false},
        {0, 0, SNAPSHOT_BYTES_MAX + 1, false},
        {0, 0, UINT32_MAX, false},
        {0, 0, 0, true},
    };
    static uint8_t large[SNAPSHOT_BODY_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct snapshot_blob found;
        large[6] = (uint8_t)cases[i].name_len;
        bytes_put_u16(large + 7, (uint16_t)cases[i].subject_len);
        bytes_put_u32(large + 9, (uint32_t)cases[i].len);
        assert_true(snapshot_body_read_blob(large, sizeof large, &found) == cases[i].is_good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_entry_cut),
        cmocka_unit_test(test_entry_refused),
        cmocka_unit_test(test_entry_with_opt),
        cmocka_unit_test(test_entry_case),
        cmocka_unit_test(test_blob),
        cmocka_unit_test(test_blob_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
