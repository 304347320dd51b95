/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static void text_builder_stays_in_its_room(void **state)
{
    (void)state;
    char room[10];
    memset(room, '#', sizeof(room));
    struct text text;
    text_init(&text, room, 8);
    assert_string_equal(room, "");
    text_add(&text, "abc");
    text_addf(&text, "%d", 42);
    assert_string_equal(room, "abc42");
    assert_false(text.is_cut);
    text_add_bytes(&text, "xy", 2);
    assert_false(text.is_cut); /* Just full. */
    text_add(&text, "");
    assert_false(text.is_cut);
    text_add(&text, "z");
    assert_true(text.is_cut);
    assert_string_equal(room, "abc42xy");
    text_addf(&text, "%s", "more");
    assert_string_equal(room, "abc42xy");
    assert_int_equal(text.len, 7);
    assert_memory_equal(room + 8, "##", 2);
}

static void text_builder_cuts_in_the_middle(void **state)
{
    (void)state;
    char room[6];
    struct text text;
    text_init(&text, room, sizeof(room));
    text_addf(&text, "%s", "1234567");
    assert_string_equal(room, "12345");
    assert_true(text.is_cut);
    text_init(&text, room, sizeof(room));
    text_add(&text, "1234567");
    assert_string_equal(room, "12345");
    assert_int_equal(text.len, 5);
    assert_true(text.is_cut);
    text_init(&text, room, 1);
    text_add(&text, "a");
    assert_string_equal(room, "");
    assert_true(text.is_cut);
}

static void text_reads_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max;
        bool is_valid;
        uint64_t number;
    } cases[] = {
        {"0", 10, true, 0},
        {"10", 10, true, 10},
        {"007", 10, true, 7},
        {"11", 10, false, 0},
        {"", 10, false, 0},
        {"-1", 10, false, 0},
        {"+1", 10, false, 0},
        {" 1", 10, false, 0},
        {"1 ", 10, false, 0},
        {"0x1", 10, false, 0},
        {"1", 0, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"99999999999999999999999999", UINT64_MAX, false, 0},
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        uint64_t number = 77;
        bool is_valid = text_parse_u64(cases[i].text, strlen(cases[i].text), cases[i].max, &number);
        assert_int_equal(is_valid, cases[i].is_valid);
        assert_true(number == (cases[i].is_valid ? cases[i].number : 77));
    }
}

static void text_reads_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t duration_us; /* -1: not a duration. */
    } cases[] = {
        {"0", 0},
        {"0s", 0},
        {"4", 4000000},
        {"4s", 4000000},
        {"250ms", 250000},
        {"2m", 120000000},
        {"1h", INT64_C(3600000000)},
        {"1d", INT64_C(86400000000)},
        {"1w", INT64_C(604800000000)},
        {"", -1},
        {"s", -1},
        {"4 s", -1},
        {"4S", -1},
        {"4us", -1},
        {"4sec", -1},
        {"4m5s", -1},
        {"1.5s", -1},
        {"-4s", -1},
        {"15250284w", INT64_C(9223371763200000000)},
        {"15250285w", -1},
        {"99999999999999999999", -1},
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        int64_t duration = -1;
        bool is_valid = text_parse_duration(cases[i].text, strlen(cases[i].text), &duration);
        assert_int_equal(is_valid, cases[i].duration_us >= 0);
        assert_true(duration == cases[i].duration_us);
    }
    int64_t duration = -1;
    assert_true(text_parse_duration("4sxyz", 2, &duration)); /* The length counts, not a NUL. */
    assert_true(duration == 4000000);
    assert_false(text_parse_duration("4\0s", 3, &duration));
}

static void text_reads_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_valid;
        uint64_t bytes;
    } cases[] = {
        {"0", true, 0},
        {"512", true, 512},
        {"4k", true, 4096},
        {"64M", true, UINT64_C(67108864)},
        {"2G", true, UINT64_C(2147483648)},
        {"1T", true, UINT64_C(1099511627776)},
        {"16777215T", true, UINT64_C(16777215) << 40},
        {"16777216T", false, 0},
        {"", false, 0},
        {"k", false, 0},
        {"4K", false, 0},
        {"64m", false, 0},
        {"64MB", false, 0},
        {"1.5G", false, 0},
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        uint64_t bytes = 77;
        bool is_valid = text_parse_size(cases[i].text, strlen(cases[i].text), &bytes);
        assert_int_equal(is_valid, cases[i].is_valid);
        assert_true(bytes == (cases[i].is_valid ? cases[i].bytes : 77));
    }
}

static void text_writes_durations_as_they_are_read(void **state)
{
    (void)state;
    static const struct {
        int64_t duration_us;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-1, "0"},
        {400000, "400ms"},
        {4000000, "4s"},
        {4500000, "4500ms"},
        {90000000, "90s"},
        {120000000, "2m"},
        {INT64_C(86400000000), "1d"},
        {INT64_C(604800000000), "1w"},
        {1500, "1ms"},
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        char room[32];
        struct text text;
        text_init(&text, room, sizeof(room));
        text_add_duration(&text, cases[i].duration_us);
        assert_string_equal(room, cases[i].text);
    }
    for (int64_t duration = 1000; duration > 0 && duration < INT64_MAX / 7; duration *= 7) {
        char room[32];
        struct text text;
        int64_t back = -1;
        text_init(&text, room, sizeof(room));
        text_add_duration(&text, duration);
        assert_true(text_parse_duration(room, text.len, &back));
        assert_true(back == duration);
    }
}

static void text_writes_sizes_as_they_are_read(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1000, "1000"},
        {1024, "1k"},
        {1536, "1536"},
        {67108864, "64M"},
        {UINT64_C(1) << 30, "1G"},
        {UINT64_C(3) << 40, "3T"},
        {UINT64_MAX, "18446744073709551615"},
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        char room[32];
        struct text text;
        uint64_t back = 77;
        text_init(&text, room, sizeof(room));
        text_add_size(&text, cases[i].bytes);
        assert_string_equal(room, cases[i].text);
        assert_true(text_parse_size(room, text.len, &back));
        assert_true(back == cases[i].bytes);
    }
}

static void text_writes_latencies_in_seven_columns(void **state)
{
    (void)state;
    static const struct {
        uint64_t duration_us;
        const char *text;
    } cases[] = {
        {0, "0us"},
        {43, "43us"},
        {999, "999us"},
        {1000, "1.00ms"},
        {1250, "1.25ms"},
        {1255, "1.26ms"},
        {9994, "9.99ms"},
        {9995, "10.0ms"},
        {99949, "99.9ms"},
        {99950, "100ms"},
        {999499, "999ms"},
        {999500, "1.00s"},
        {4000000, "4.00s"},
        {12345678, "12.3s"},
        {99950000, "100s"},
        {UINT64_C(3600000000), "3600s"},
        {UINT64_MAX, "999999s"},
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        char room[32];
        struct text text;
        text_init(&text, room, sizeof(room));
        text_add_latency(&text, cases[i].duration_us);
        assert_string_equal(room, cases[i].text);
        assert_true(text.len <= 7);
    }
}

static void text_escapes_json(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *text;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain", 5, "\"plain\""},
        {"a\"b\\c/", 6, "\"a\\\"b\\\\c/\""},
        {"\n\t\0\x7f", 4, "\"\\u000a\\u0009\\u0000\\u007f\""},
        {"\xff\xc3\xa9", 3, "\"\\u00ff\\u00c3\\u00a9\""},
        {"100%s", 5, "\"100%s\""},
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        char room[64];
        struct text text;
        text_init(&text, room, sizeof(room));
        text_add_json_string(&text, cases[i].bytes, cases[i].len);
        assert_string_equal(room, cases[i].text);
    }
}

static void text_measures_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        unsigned distance;
    } cases[] = {
        {"", "", 0}, {"", "abc", 3}, {"listen", "listen", 0}, {"listen", "lisen", 1},
        {"listen", "listten", 1}, {"listen", "lixten", 1}, {"listen", "lisetn", 1}, {"ab", "ba", 1},
        {"upstreams", "upstream", 1}, {"kitten", "sitting", 3}, {"cache_size", "stale_max", 8},
        {"ca", "abc", 3}, /* No edit inside a swapped pair. */
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        assert_int_equal(text_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(text_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
    char longest[100];
    char too_long[101];
    memset(longest, 'a', 99);
    longest[99] = '\0';
    memset(too_long, 'a', 100);
    too_long[100] = '\0';
    assert_int_equal(text_distance(longest, longest), 0);
    assert_int_equal(text_distance(longest, ""), 99);
    assert_int_equal(text_distance(too_long, too_long), 99);
    assert_int_equal(text_distance(too_long, ""), 99);
}

static void quoted_values_cannot_end_early(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *wanted;
    } cases[] = {
        {"", "\"\""},
        {"two words", "\"two words\""},
        {"a\" b=\"c", "\"a\\\" b=\\\"c\""},
        {"back\\slash", "\"back\\\\slash\""},
        {"line\nend\x7f\x1b", "\"line?end??\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char bytes[64];
        struct text text;
        text_init(&text, bytes, sizeof bytes);
        text_add_quoted(&text, cases[i].value);
        assert_string_equal(bytes, cases[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quoted_values_cannot_end_early),
        cmocka_unit_test(text_builder_stays_in_its_room),
        cmocka_unit_test(text_builder_cuts_in_the_middle),
        cmocka_unit_test(text_reads_numbers),
        cmocka_unit_test(text_reads_durations),
        cmocka_unit_test(text_reads_sizes),
        cmocka_unit_test(text_writes_durations_as_they_are_read),
        cmocka_unit_test(text_writes_sizes_as_they_are_read),
        cmocka_unit_test(text_writes_latencies_in_seven_columns),
        cmocka_unit_test(text_escapes_json),
        cmocka_unit_test(text_measures_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
