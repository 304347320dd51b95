/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/records.h"

static const uint8_t record_bytes[] = "\2at\0\0\1\0\1\0\0\16\20\0\4\177\0\0\1";

static void test_read(void **state)
{
    struct reader reader = reader_of(record_bytes, sizeof(record_bytes) - 1);
    struct record record;
    (void)state;
    assert_true(record_read(&reader, &record));
    assert_int_equal(record.name_at, 0);
    assert_int_equal(record.type, 1);
    assert_int_equal(record.class, 1);
    assert_int_equal(record.ttl, 3600);
    assert_int_equal(record.ttl_at, 8);
    assert_int_equal(record.rdata_at, 14);
    assert_int_equal(record.rdata_len, 4);
    assert_int_equal(reader_left(&reader), 0);
}

static void test_cut_short(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(record_bytes) - 1; len++) {
        struct reader reader = reader_of(record_bytes, len);
        struct record record;
        assert_false(record_read(&reader, &record));
        assert_int_equal(reader.at, 0);
    }
}

static void test_large_ttl(void **state)
{
    static const uint8_t most[] = "\0\0\1\0\1\177\377\377\377\0\0";
    static const uint8_t more[] = "\0\0\1\0\1\200\0\0\0\0\0";
    struct reader reader = reader_of(most, sizeof(most) - 1);
    struct record record;
    (void)state;
    assert_true(record_read(&reader, &record));
    assert_int_equal(record.ttl, INT32_MAX);
    reader = reader_of(more, sizeof(more) - 1);
    assert_true(record_read(&reader, &record));
    assert_int_equal(record.ttl, INT32_MAX);
}

static void test_write(void **state)
{
    const struct record record = {.type = 1, .class = 1, .ttl = 300, .rdata_len = 4};
    const uint8_t rdata[] = {192, 0, 2, 1};
    uint8_t bytes[16];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    (void)state;
    record_write(&writer, 12, &record, rdata);
    assert_false(writer.is_cut);
    assert_int_equal(writer.len, 16);
    assert_memory_equal(bytes, "\xc0\14\0\1\0\1\0\0\1\54\0\4\xc0\0\2\1", 16);
    struct writer small = writer_of(bytes, 15);
    record_write(&small, 12, &record, rdata);
    assert_true(small.is_cut);
}

static void test_soa(void **state)
{
    static const uint8_t bytes[] = "\1a\0\1b\0\0\0\0\7\0\0\0\1\0\0\0\2\0\0\0\3\0\0\1\54!";
    struct reader message = reader_of(bytes, sizeof(bytes) - 1);
    struct record record = {.rdata_at = 0, .rdata_len = 26};
    struct soa soa = {0};
    (void)state;
    assert_true(soa_read(&message, &record, &soa));
    assert_int_equal(soa.serial, 7);
    assert_int_equal(soa.minimum, 300);
    record.rdata_len = 27;
    assert_false(soa_read(&message, &record, &soa));
    for (record.rdata_len = 0; record.rdata_len < 26; record.rdata_len++) {
        assert_false(soa_read(&message, &record, &soa));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_large_ttl),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_soa),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
