/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cache/snapshot_private.h"
#include "tests/unit/cache/fixture.h"

#define ENTRIES 6u
#define WALL    (INT64_C(1700000000) * FIXTURE_S)
#define HEADS   (2u * SNAPSHOT_HEAD_SIZE)
#define ROOM    8192u

static const struct snapshot_head head = {
    .created_wall = WALL, .key = {.k0 = 0x1122334455667788, .k1 = 0x99aabbccddeeff00}};
static const struct snapshot_moment moment = {.head = &head, .now = FIXTURE_START};

/* A small snapshot: a blob, then the entries. */
static uint8_t file[SNAPSHOT_RECORD_MAX + ROOM];
static size_t file_len;
static size_t starts[ENTRIES + 3]; /* Of each record, and the end. */

static uint8_t message[64];

/* The answer "<n>.test. A 192.0.2.n". */
static struct cache_record record_of(uint32_t n)
{
    struct writer writer = writer_of(message, sizeof message);
    struct cache_record record = {
        .key = fixture_key(n), .stored_at = FIXTURE_START - n * FIXTURE_S, .hits = 3 * n};
    writer_bytes(&writer, (const uint8_t *)"\0\0\201\200\0\1\0\1\0\0\0\0", 12);
    writer_bytes(&writer, record.key.name, record.key.name_len);
    writer_bytes(&writer, (const uint8_t *)"\0\1\0\1\300\14\0\1\0\1\0\0\1\54\0\4\300\0\2", 19);
    writer_u8(&writer, (uint8_t)n);
    record.fill = fixture_fill(message, writer.len, 300 + n);
    record.fill.origin = (uint16_t)(513 + n);
    record.fill.ahead = (uint8_t)n;
    record.fill.is_ad = (n & 1) != 0;
    record.fill.is_list = (n & 2) != 0;
    record.fill.is_any_type = (n & 4) != 0;
    record.key.wants_dnssec = (n & 1) != 0;
    record.key.checking_disabled = (n & 2) != 0;
    return record;
}

static const struct snapshot_blob blob = {
    .name = "upstream",
    .name_len = 8,
    .version = 7,
    .weight = 70000,
    .subject = (const uint8_t *)"somebody",
    .subject_len = 8,
    .bytes = (const uint8_t *)"was well",
    .len = 8,
};

static int file_write(void **state)
{
    (void)state;
    snapshot_write_head(&head, file);
    file_len = HEADS;
    starts[0] = file_len;
    file_len += snapshot_write_blob(&head, &blob, file + file_len);
    for (uint32_t n = 0; n < ENTRIES; n++) {
        struct cache_record record = record_of(n);
        starts[n + 1] = file_len;
        file_len += snapshot_write_entry(&moment, &record, file + file_len);
    }
    starts[ENTRIES + 1] = file_len;
    return 0;
}

static void entry_check(const struct cache_record *found)
{
    uint32_t n = found->hits / 3;
    assert_true(n < ENTRIES);
    struct cache_record wanted = record_of(n);
    assert_true(cache_key_equal(&found->key, &wanted.key));
    assert_true(found->stored_at == wanted.stored_at - FIXTURE_START);
    assert_int_equal(found->fill.kind, wanted.fill.kind);
    assert_int_equal(found->fill.ttl_s, wanted.fill.ttl_s);
    assert_int_equal(found->fill.origin, wanted.fill.origin);
    assert_int_equal(found->fill.birth.reason, CACHE_REASON_SNAPSHOT);
    assert_int_equal(found->fill.birth.cost_us, 0);
    assert_int_equal(found->fill.ahead, wanted.fill.ahead);
    assert_int_equal(found->fill.is_ad, wanted.fill.is_ad);
    assert_int_equal(found->fill.is_list, wanted.fill.is_list);
    assert_int_equal(found->fill.is_any_type, wanted.fill.is_any_type);
    assert_int_equal(found->fill.len, wanted.fill.len);
    assert_memory_equal(found->fill.message, wanted.fill.message, wanted.fill.len);
}

static void blob_check(const struct snapshot_blob *found)
{
    assert_int_equal(found->name_len, blob.name_len);
    assert_memory_equal(found->name, blob.name, blob.name_len);
    assert_int_equal(found->version, blob.version);
    assert_int_equal(found->weight, blob.weight);
    assert_int_equal(found->subject_len, blob.subject_len);
    assert_memory_equal(found->subject, blob.subject, blob.subject_len);
    assert_int_equal(found->len, blob.len);
    assert_memory_equal(found->bytes, blob.bytes, blob.len);
}

/* Reads what stands in the window; every record must be one that was written. */
static enum snapshot_item window_read(struct snapshot_scan *scan, struct snapshot_window *window)
{
    for (;;) {
        struct snapshot_found found;
        enum snapshot_item item = snapshot_next(scan, window, &found);
        if (item == SNAPSHOT_ENTRY) {
            entry_check(&found.entry);
        } else if (item == SNAPSHOT_BLOB) {
            blob_check(&found.blob);
        } else {
            return item;
        }
    }
}

/* The sanitizer sees a read past the block's end. */
static enum snapshot_item bytes_read(struct snapshot_scan *scan, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len + (len == 0));
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    *scan = (struct snapshot_scan){0};
    struct snapshot_window window = {.bytes = copy, .len = len, .is_last = true};
    enum snapshot_item item = window_read(scan, &window);
    assert_true(item == SNAPSHOT_END || item == SNAPSHOT_FOREIGN);
    assert_true(item == SNAPSHOT_FOREIGN || window.at == len);
    free(copy);
    return item;
}

static void test_round_trip(void **state)
{
    struct snapshot_scan scan;
    (void)state;
    assert_int_equal(bytes_read(&scan, file, file_len), SNAPSHOT_END);
    assert_int_equal(scan.entries, ENTRIES);
    assert_int_equal(scan.blobs, 1);
    assert_int_equal(scan.damaged, 0);
    assert_int_equal(scan.unknown, 0);
    assert_true(scan.head.created_wall == WALL);
}

/* Windows that end anywhere: what is not whole yet is left for the next one. */
static void test_any_window(void **state)
{
    (void)state;
    for (size_t step = 1; step < file_len; step += 7) {
        struct snapshot_scan scan = {0};
        struct snapshot_window window = {.bytes = file};
        for (size_t len = step; len < file_len; len += step) {
            window.len = len;
            assert_int_equal(window_read(&scan, &window), SNAPSHOT_MORE);
        }
        window.len = file_len;
        window.is_last = true;
        assert_int_equal(window_read(&scan, &window), SNAPSHOT_END);
        assert_int_equal(scan.entries + scan.blobs, ENTRIES + 1);
        assert_int_equal(scan.damaged, 0);
    }
}

static void test_every_byte_flipped(void **state)
{
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    (void)state;
    for (size_t at = 0; at < file_len; at++) {
        for (size_t i = 0; i < sizeof masks; i++) {
            struct snapshot_scan scan;
            file[at] ^= masks[i];
            assert_int_equal(bytes_read(&scan, file, file_len), SNAPSHOT_END);
            file[at] ^= masks[i];
            bool is_in_record = at >= HEADS;
            assert_int_equal(scan.entries + scan.blobs, ENTRIES + (is_in_record ? 0 : 1));
            assert_int_equal(scan.damaged, is_in_record || at < SNAPSHOT_HEAD_SIZE);
        }
    }
}

static size_t records_before(size_t len)
{
    size_t count = 0;
    while (count < ENTRIES + 1 && starts[count + 1] <= len) {
        count++;
    }
    return count;
}

static void test_every_length(void **state)
{
    (void)state;
    for (size_t len = 0; len < file_len; len++) {
        struct snapshot_scan scan;
        bool has_head = len >= SNAPSHOT_HEAD_SIZE;
        assert_int_equal(bytes_read(&scan, file, len), has_head ? SNAPSHOT_END : SNAPSHOT_FOREIGN);
        assert_int_equal(scan.entries + scan.blobs, records_before(len));
        bool is_cut = len > HEADS && starts[records_before(len)] != len;
        assert_int_equal(scan.damaged, is_cut);
    }
}

/* Bytes that are missing in the middle cost the records they were of. */
static void test_every_hole(void **state)
{
    static uint8_t holed[ROOM];
    (void)state;
    for (size_t at = HEADS; at + 30 < file_len; at++) {
        struct snapshot_scan scan;
        memcpy(holed, file, at);
        memcpy(holed + at, file + at + 30, file_len - at - 30);
        assert_int_equal(bytes_read(&scan, holed, file_len - 30), SNAPSHOT_END);
        size_t before = records_before(at);
        size_t after = ENTRIES + 1 - before - 1;
        after -= starts[before + 1] < at + 30 ? 1 : 0;
        assert_int_equal(scan.entries + scan.blobs, before + after);
        assert_int_equal(scan.damaged, 1);
    }
}

static void test_foreign(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } cases[] = {{0, 'M'}, {7, 0}, {11, 2}, {8, 1}};
    static uint8_t bytes[ROOM];
    struct snapshot_scan scan;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(bytes, file, file_len);
        bytes[cases[i].at] = cases[i].value;
        bytes[SNAPSHOT_HEAD_SIZE + cases[i].at] = cases[i].value;
        assert_int_equal(bytes_read(&scan, bytes, file_len), SNAPSHOT_FOREIGN);
    }
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(bytes_read(&scan, bytes, sizeof bytes), SNAPSHOT_FOREIGN);
}

/* Makes the sums of the record at `at` right, whatever it says. */
static void record_seal(uint8_t *bytes)
{
    size_t len = bytes_get_u32(bytes + 6);
    uint64_t sum = hash_siphash13(&head.key, bytes + SNAPSHOT_FRAME_SIZE, len);
    bytes_put_u32(bytes + 10, (uint32_t)(sum >> 32));
    bytes_put_u32(bytes + 14, (uint32_t)sum);
    bytes_put_u32(bytes + 18, (uint32_t)hash_siphash13(&head.key, bytes, 18));
}

static void test_versions_read_each_other(void **state)
{
    static uint8_t bytes[ROOM];
    struct snapshot_scan scan;
    (void)state;
    memcpy(bytes, file, file_len);
    bytes[starts[0] + 5] = 77; /* A kind of a later version. */
    record_seal(bytes + starts[0]);
    memset(bytes + file_len, 0xaa, 10); /* The last entry knows more than we. */
    bytes_put_u32(bytes + starts[ENTRIES] + 6,
        (uint32_t)(file_len + 10 - starts[ENTRIES] - SNAPSHOT_FRAME_SIZE));
    record_seal(bytes + starts[ENTRIES]);
    assert_int_equal(bytes_read(&scan, bytes, file_len + 10), SNAPSHOT_END);
    assert_int_equal(scan.entries, ENTRIES);
    assert_int_equal(scan.blobs, 0);
    assert_int_equal(scan.unknown, 1);
    assert_int_equal(scan.damaged, 0);
}

/* Right sums over nonsense: nothing of it may reach those who trust the stored form. */
static void test_what_cannot_be_believed(void **state)
{
    static const struct {
        const char *what;
        size_t at; /* In the body. */
        uint8_t value;
    } cases[] = {
        {"a kind that is none", 22, CACHE_KIND_FAILURE},
        {"a step that is none", 24, CACHE_AHEAD_MAX + 1},
        {"a name longer than names are", 26, 1},
        {"a name of another length", 27, 14},
        {"a message longer than the body", 28, 1},
        {"a message that is cut", 29, 46},
        {"another name than the message's", 31, 'x'},
        {"another type", 19, 28},
        {"another class", 21, 3},
        {"a message with an id", 45, 1},
        {"two questions", 50, 2},
        {"a record more than there is", 52, 2},
    };
    static uint8_t bytes[ROOM];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct snapshot_scan scan;
        uint8_t *body = bytes + starts[1] + SNAPSHOT_FRAME_SIZE;
        memcpy(bytes, file, file_len);
        assert_int_not_equal(body[cases[i].at], cases[i].value);
        body[cases[i].at] = cases[i].value;
        record_seal(bytes + starts[1]);
        assert_int_equal(bytes_read(&scan, bytes, file_len), SNAPSHOT_END);
        if (scan.entries != ENTRIES - 1 || scan.damaged != 1) {
            fail_msg("%s was believed", cases[i].what);
        }
    }
}

static void test_blob_bounds(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } cases[] = {{6, SNAPSHOT_NAME_MAX + 1}, {7, 3}, {8, 200}, {9, 1}, {12, 9}, {12, 255}};
    static uint8_t bytes[ROOM];
    static const uint8_t many[SNAPSHOT_BYTES_MAX + 1];
    struct snapshot_scan scan;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(bytes, file, file_len);
        bytes[starts[0] + SNAPSHOT_FRAME_SIZE + cases[i].at] = cases[i].value;
        record_seal(bytes + starts[0]);
        assert_int_equal(bytes_read(&scan, bytes, file_len), SNAPSHOT_END);
        assert_int_equal(scan.blobs, 0);
        assert_int_equal(scan.damaged, 1);
    }
    struct snapshot_blob large = blob;
    large.bytes = many;
    large.len = sizeof many;
    static uint8_t room[SNAPSHOT_RECORD_MAX];
    assert_int_equal(snapshot_write_blob(&head, &large, room), 0);
    large.len--;
    assert_true(snapshot_write_blob(&head, &large, room) > large.len);
    large.subject = many;
    large.subject_len = SNAPSHOT_SUBJECT_MAX + 1;
    assert_int_equal(snapshot_write_blob(&head, &large, room), 0);
}

/* A stranger may put a record of ours into the data of his own; he does not know the key. */
static void test_no_record_is_smuggled_in(void **state)
{
    static const struct snapshot_head his = {.created_wall = WALL, .key = {.k0 = 1, .k1 = 2}};
    const struct snapshot_moment his_moment = {.head = &his, .now = FIXTURE_START};
    static uint8_t bytes[ROOM];
    struct cache_record record = record_of(1);
    struct snapshot_scan scan;
    (void)state;
    snapshot_write_head(&head, bytes);
    size_t len = snapshot_write_entry(&his_moment, &record, bytes + HEADS);
    assert_int_equal(bytes_read(&scan, bytes, HEADS + len), SNAPSHOT_END);
    assert_int_equal(scan.entries, 0);
    assert_int_equal(scan.damaged, 1);
}

static void test_times(void **state)
{
    static const struct {
        int64_t created;
        int64_t wall;
        int64_t age;
    } cases[] = {
        {WALL, WALL + 5 * FIXTURE_S, 5 * FIXTURE_S},
        {WALL, WALL, 0},
        {WALL, WALL - 5 * FIXTURE_S, 0}, /* Set back while we were down. */
        {WALL, 0, 0},
        {0, WALL, INT64_C(10) * 366 * 86400 * FIXTURE_S},
        {INT64_MIN, WALL, INT64_C(10) * 366 * 86400 * FIXTURE_S},
        {INT64_MAX, WALL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct snapshot_head made = {.created_wall = cases[i].created};
        assert_true(snapshot_age(&made, cases[i].wall) == cases[i].age);
    }
}

/* What comes in while the file is being written is as old as the file, never younger. */
static void test_stored_later_than_begun(void **state)
{
    static uint8_t bytes[ROOM];
    struct cache_record record = record_of(1);
    struct snapshot_scan scan = {0};
    struct snapshot_found found;
    (void)state;
    record.stored_at = FIXTURE_START + 5 * FIXTURE_S;
    snapshot_write_head(&head, bytes);
    size_t len = HEADS + snapshot_write_entry(&moment, &record, bytes + HEADS);
    struct snapshot_window window = {.bytes = bytes, .len = len, .is_last = true};
    assert_int_equal(snapshot_next(&scan, &window, &found), SNAPSHOT_ENTRY);
    assert_true(found.entry.stored_at == 0);
    /* An age beyond all measure stays subtractable. */
    memset(bytes + HEADS + SNAPSHOT_FRAME_SIZE, 0xff, 8);
    record_seal(bytes + HEADS);
    scan = (struct snapshot_scan){0};
    window.at = 0;
    assert_int_equal(snapshot_next(&scan, &window, &found), SNAPSHOT_ENTRY);
    assert_true(found.entry.stored_at < -INT64_MAX / 8 && found.entry.stored_at > -INT64_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_any_window),
        cmocka_unit_test(test_every_byte_flipped),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_every_hole),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_versions_read_each_other),
        cmocka_unit_test(test_what_cannot_be_believed),
        cmocka_unit_test(test_blob_bounds),
        cmocka_unit_test(test_no_record_is_smuggled_in),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_stored_later_than_begun),
    };
    return cmocka_run_group_tests(tests, file_write, NULL);
}
