/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "wire/header.h"
#include "wire/name.h"

#include "packet.h"

/* Twelve bytes of header stand before all of these, so offsets count from 12. */
#define HEADER_BYTES "\0\0\0\0\0\0\0\0\0\0\0\0"

struct name_case {
    const char *what;
    const char *bytes;
    size_t len;
    size_t at;        /* Where the name begins. */
    const char *text; /* NULL: not a name. */
    size_t end_at;
};

#define NAME_CASE(what, bytes, at, text, end_at)                                                   \
    {                                                                                              \
        what, HEADER_BYTES bytes, sizeof(HEADER_BYTES bytes) - 1, at, text, end_at                 \
    }

static const struct name_case name_cases[] = {
    NAME_CASE("root", "\0", 12, ".", 13),
    NAME_CASE("plain", "\3foo\2at\0x", 12, "foo.at.", 20),
    NAME_CASE("pointer", "\2at\0\3foo\xc0\14x", 16, "foo.at.", 22),
    NAME_CASE("pointer only", "\2at\0\xc0\14", 16, "at.", 18),
    NAME_CASE("two pointers", "\2at\0\3foo\xc0\14\1a\xc0\20", 22, "a.foo.at.", 26),
    NAME_CASE("pointer into the middle of a name", "\3foo\2at\0\1a\xc0\20", 20, "a.at.", 24),
    NAME_CASE("pointer to itself", "\xc0\14", 12, NULL, 0),
    NAME_CASE("pointer to own labels", "\3foo\xc0\14", 12, NULL, 0),
    NAME_CASE("pointer into own labels", "\1a\1b\xc0\16", 12, NULL, 0),
    NAME_CASE("pointer forward", "\xc0\16\2at\0", 12, NULL, 0),
    NAME_CASE("two that point at each other", "\xc0\16\xc0\14", 14, NULL, 0),
    NAME_CASE("pointer into the header", "\1a\xc0\4", 12, NULL, 0),
    NAME_CASE("pointer past the end", "\xff\xff", 12, NULL, 0),
    NAME_CASE("half a pointer", "\1a\xc0", 12, NULL, 0),
    NAME_CASE("no end", "\3foo", 12, NULL, 0),
    NAME_CASE("label past the end", "\3fo", 12, NULL, 0),
    NAME_CASE("nothing at all", "", 12, NULL, 0),
    NAME_CASE("label type 01", "\x41g\0", 12, NULL, 0),
    NAME_CASE("label type 10", "\x81g\0", 12, NULL, 0),
};

#define NAME_CASES (sizeof(name_cases) / sizeof(name_cases[0]))

static void test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAME_CASES; i++) {
        const struct name_case *row = &name_cases[i];
        struct reader reader = reader_of((const uint8_t *)row->bytes, row->len);
        uint8_t name[NAME_SIZE_MAX];
        char text[NAME_TEXT_SIZE];
        size_t len = 0;
        reader.at = row->at;
        bool is_name = name_read(&reader, name, &len);
        packet_expect(is_name == (row->text != NULL), row->what);
        if (!is_name) {
            assert_int_equal(reader.at, row->at);
            continue;
        }
        name_to_text(name, len, text, sizeof(text));
        assert_string_equal(text, row->text);
        assert_int_equal(reader.at, row->end_at);
        assert_true(name_is_valid(name, len));
        assert_true(name_equals_at(name, len, &reader, row->at));
    }
}

static void test_read_plain(void **state)
{
    const uint8_t bytes[] = HEADER_BYTES "\2at\0\3foo\xc0\14";
    struct reader reader = reader_of(bytes, sizeof(bytes) - 1);
    uint8_t name[NAME_SIZE_MAX];
    size_t len = 0;
    (void)state;
    reader.at = 12;
    assert_true(name_read_plain(&reader, name, &len));
    assert_int_equal(len, 4);
    assert_int_equal(reader.at, 16);
    assert_false(name_read_plain(&reader, name, &len));
    assert_int_equal(reader.at, 16);
    reader.len = 15;
    reader.at = 12;
    assert_false(name_read_plain(&reader, name, &len));
}

static void test_skip(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAME_CASES; i++) {
        const struct name_case *row = &name_cases[i];
        struct reader reader = reader_of((const uint8_t *)row->bytes, row->len);
        reader.at = row->at;
        bool is_stepped = name_skip(&reader);
        if (row->text != NULL) {
            assert_true(is_stepped);
            assert_int_equal(reader.at, row->end_at);
        } else if (!is_stepped) {
            assert_int_equal(reader.at, row->at);
        }
    }
}

/* Labels of one byte: 127 and the root make 255 bytes; one more label is too much. */
static void test_longest(void **state)
{
    uint8_t bytes[HEADER_SIZE + 300] = {0};
    uint8_t name[NAME_SIZE_MAX];
    size_t len = 0;
    (void)state;
    for (size_t i = 0; i < 128; i++) {
        bytes[HEADER_SIZE + 2 * i] = 1;
        bytes[HEADER_SIZE + 2 * i + 1] = 'a';
    }
    struct reader reader = reader_of(bytes, sizeof(bytes));
    reader.at = HEADER_SIZE + 2;
    assert_true(name_read(&reader, name, &len));
    assert_int_equal(len, NAME_SIZE_MAX);
    assert_int_equal(name_label_count(name, len), NAME_LABELS_MAX);
    assert_true(name_is_valid(name, len));
    reader.at = HEADER_SIZE + 2;
    assert_true(name_skip(&reader));

    reader.at = HEADER_SIZE;
    assert_false(name_read(&reader, name, &len));
    assert_false(name_skip(&reader));
    assert_false(name_read_plain(&reader, name, &len));
}

/* Each pointer leads to the one before it: as many as the cap, and one more. */
static void test_hops(void **state)
{
    uint8_t bytes[HEADER_SIZE + 1 + 2 * (NAME_HOPS_MAX + 1)] = {0};
    uint8_t name[NAME_SIZE_MAX];
    size_t len = 0;
    size_t at = HEADER_SIZE + 1;
    (void)state;
    bytes_put_u16(bytes + at, 0xc000u + HEADER_SIZE);
    for (unsigned i = 0; i < NAME_HOPS_MAX; i++) {
        bytes_put_u16(bytes + at + 2, (uint16_t)(0xc000u + at));
        at += 2;
    }
    struct reader reader = reader_of(bytes, sizeof(bytes));
    reader.at = at - 2;
    assert_true(name_read(&reader, name, &len));
    assert_int_equal(len, 1);
    assert_int_equal(reader.at, at);
    assert_int_equal(reader.hops_left, READER_HOPS_MAX - NAME_HOPS_MAX);

    reader.at = at;
    assert_false(name_read(&reader, name, &len));
    assert_false(name_equals_at((const uint8_t *)"", 1, &reader, at));
    reader.hops_left = 2;
    reader.at = HEADER_SIZE + 5;
    assert_false(name_read(&reader, name, &len));
    reader.hops_left = 3;
    assert_true(name_read(&reader, name, &len));
    assert_int_equal(reader.hops_left, 0);
}

static void test_compare(void **state)
{
    static const struct {
        const char *name;
        const char *zone;
        bool is_equal;
        bool is_under;
    } cases[] = {
        {"example.com.", "EXAMPLE.com.", true, true},
        {"mx.example.com.", "example.COM.", false, true},
        {"example.com.", "mx.example.com.", false, false},
        {"badexample.com.", "example.com.", false, false},
        {"example.com.", ".", false, true},
        {".", ".", true, true},
        {".", "com.", false, false},
        {"a.example.com.", "b.example.com.", false, false},
        /* The bytes of the zone stand at the end of the name, but within a label. */
        {"x\\003com.", "com.", false, false},
        {"a@.", "a`.", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t name[NAME_SIZE_MAX];
        uint8_t zone[NAME_SIZE_MAX];
        size_t len = packet_name(cases[i].name, name);
        size_t zone_len = packet_name(cases[i].zone, zone);
        struct reader message = reader_of(zone, zone_len);
        assert_int_equal(name_equal(name, len, zone, zone_len), cases[i].is_equal);
        assert_int_equal(name_equals_at(name, len, &message, 0), cases[i].is_equal);
        assert_int_equal(name_is_under(name, len, zone, zone_len), cases[i].is_under);
    }
}

static void test_lower_and_count(void **state)
{
    uint8_t name[NAME_SIZE_MAX];
    uint8_t lower[NAME_SIZE_MAX];
    size_t len = packet_name("Mx-1.EXAMPLE.c\\195\\132m.", name);
    size_t lower_len = packet_name("mx-1.example.c\\195\\132m.", lower);
    (void)state;
    name_to_lower(name, len);
    assert_int_equal(len, lower_len);
    assert_memory_equal(name, lower, len);
    assert_int_equal(name_label_count(name, len), 3);
    assert_int_equal(name_label_count((const uint8_t *)"", 1), 0);
}

static void test_validity(void **state)
{
    (void)state;
    assert_true(name_is_valid((const uint8_t *)"", 1));
    assert_true(name_is_valid((const uint8_t *)"\1a", 3));
    assert_false(name_is_valid((const uint8_t *)"", 0));
    assert_false(name_is_valid((const uint8_t *)"\1a", 2));
    assert_false(name_is_valid((const uint8_t *)"\1a\0", 4));
    assert_false(name_is_valid((const uint8_t *)"\2a", 3));
    assert_false(name_is_valid((const uint8_t *)"\1a\xc0\0", 4));
}

/* Letters, and nothing else, come in either case. */
static void test_randomised_case(void **state)
{
    static const char text[] = "\3aZz\77@[`{-0_\0\377\300\001mnopqrstuvwxyz0123456789-_@[`{abcdefgh"
                               "ijklmnopqrs\2xY";
    enum {
        LEN = sizeof(text),
        ROUNDS = 400
    };
    unsigned upper[LEN] = {0};
    struct random random;
    (void)state;
    random_init_seed(&random, 1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint8_t name[LEN];
        memcpy(name, text, LEN);
        name_randomise_case(name, LEN, &random);
        assert_true(name_equal(name, LEN, (const uint8_t *)text, LEN));
        for (size_t i = 0; i < LEN; i++) {
            upper[i] += name[i] >= 'A' && name[i] <= 'Z';
        }
    }
    for (size_t i = 0; i < LEN; i++) {
        uint8_t lower = (uint8_t)text[i] | 0x20u;
        bool is_letter = lower >= 'a' && lower <= 'z' && (uint8_t)text[i] >= 'A';
        /* Even chances: eight standard deviations of ten bits each. */
        assert_in_range(upper[i], is_letter ? 120 : 0, is_letter ? 280 : 0);
    }
}

/* A bit of its own for each letter, also past the first 64 of them. */
static void test_randomised_case_is_independent(void **state)
{
    enum {
        LEN = 255,
        ROUNDS = 200
    };
    static uint8_t names[ROUNDS][LEN];
    struct random random;
    (void)state;
    random_init_seed(&random, 2);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i + 1 < LEN; i += 2) {
            memcpy(names[round] + i, "\1x", 2);
        }
        names[round][LEN - 1] = 0;
        name_randomise_case(names[round], LEN, &random);
    }
    for (size_t a = 1; a < LEN; a += 2) {
        for (size_t b = 1; b < a; b += 2) {
            unsigned same = 0;
            for (unsigned round = 0; round < ROUNDS; round++) {
                same += names[round][a] == names[round][b];
            }
            assert_in_range(same, 50, 150);
        }
    }
}

static void test_randomised_case_of_no_letters(void **state)
{
    uint8_t root[] = {0};
    uint8_t digits[] = {1, '1', 0};
    struct random random;
    struct random untouched;
    (void)state;
    random_init_seed(&random, 3);
    untouched = random;
    name_randomise_case(root, sizeof(root), &random);
    name_randomise_case(digits, sizeof(digits), &random);
    assert_memory_equal(digits, "\0011", 3);
    assert_true(random_u64(&random) == random_u64(&untouched));
}

static void test_hash(void **state)
{
    static const char *const names[] = {
        "x.", "y.", "x.y.", "y.x.", "xy.", ".", "example.com.", "example.net."};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        uint8_t a[NAME_SIZE_MAX];
        uint8_t b[NAME_SIZE_MAX];
        size_t a_len = packet_name(names[i], a);
        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
            size_t b_len = packet_name(names[j], b);
            assert_int_equal(name_hash32(a, a_len) == name_hash32(b, b_len), i == j);
        }
    }
    assert_int_equal(
        name_hash32((const uint8_t *)"\2Mx\2aT", 7), name_hash32((const uint8_t *)"\2mX\2At", 7));
}

static void test_find_label(void **state)
{
    static const uint8_t bytes[] = HEADER_BYTES "\2at\0"      /* At 12. */
                                                "\xc0\14"     /* At 16. */
                                                "\xc0\20"     /* At 18. */
                                                "\2mx\xc0\22" /* At 20. */
                                                "\xc0\31"     /* At 25: itself. */
                                                "\3a";        /* At 27: cut. */
    static const struct {
        size_t at;
        size_t label_at; /* 0: none. */
    } cases[] = {{12, 12}, {15, 15}, {16, 12}, {18, 12}, {20, 20}, {23, 12}, {25, 0}, {27, 0},
        {sizeof(bytes) - 1, 0}};
    const struct reader message = reader_of(bytes, sizeof(bytes) - 1);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t label_at = 0;
        assert_int_equal(name_find_label(&message, cases[i].at, &label_at), cases[i].label_at != 0);
        assert_int_equal(label_at, cases[i].label_at);
    }
}

/* Every byte at every place of a name, letters beside what is no letter. */
static void test_to_lower_each_byte(void **state)
{
    (void)state;
    for (unsigned len = 0; len <= 40; len++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t name[41];
            for (unsigned i = 0; i < len; i++) {
                name[i] = (uint8_t)(byte + i * 7);
            }
            name[len] = 'X';
            name_to_lower(name, len);
            for (unsigned i = 0; i < len; i++) {
                unsigned before = (byte + i * 7) & 0xff;
                bool is_capital = before >= 'A' && before <= 'Z';
                assert_int_equal(name[i], is_capital ? before + 32 : before);
            }
            assert_int_equal(name[len], 'X');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_lower_each_byte),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_plain),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_hops),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_lower_and_count),
        cmocka_unit_test(test_validity),
        cmocka_unit_test(test_randomised_case),
        cmocka_unit_test(test_randomised_case_is_independent),
        cmocka_unit_test(test_randomised_case_of_no_letters),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_find_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
