/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "wire/types.h"

static void test_names_and_numbers(void **state)
{
    static const struct {
        const char *text;
        uint16_t type;
    } cases[] = {
        {"A", 1},
        {"mx", 15},
        {"Txt", 16},
        {"TLSA", 52},
        {"nsap-ptr", 23},
        {"ANY", 255},
        {"TYPE0", 0},
        {"type15", 15},
        {"TYPE65280", 65280},
        {"TYPE65535", 65535},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint16_t type = 9999;
        assert_true(type_from_text(cases[i].text, strlen(cases[i].text), &type));
        assert_int_equal(type, cases[i].type);
    }
}

static void test_no_types(void **state)
{
    static const char *const cases[] = {
        "", "M", "MXX", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x", "TYPE000001", "15", "MX "};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint16_t type = 9999;
        assert_false(type_from_text(cases[i], strlen(cases[i]), &type));
        assert_int_equal(type, 9999);
    }
}

/* Every number has a text that reads back, and names that both know are the same in ldns. */
static void test_all_types_read_back(void **state)
{
    (void)state;
    for (unsigned number = 0; number <= UINT16_MAX; number++) {
        char text[TYPE_TEXT_SIZE];
        uint16_t back = 0;
        assert_ptr_equal(type_to_text((uint16_t)number, text), text);
        assert_true(type_from_text(text, strlen(text), &back));
        assert_int_equal(back, number);
        if (strncmp(text, "TYPE", 4) != 0 && number != 255 && number != 254 && number != 32769) {
            assert_int_equal((unsigned)ldns_get_rr_type_by_name(text), number);
        }
    }
}

static void test_meta(void **state)
{
    (void)state;
    assert_true(type_is_meta(TYPE_OPT));
    assert_true(type_is_meta(TYPE_ANY));
    assert_true(type_is_meta(TYPE_AXFR));
    assert_true(type_is_meta(128));
    assert_false(type_is_meta(127));
    assert_false(type_is_meta(256));
    assert_false(type_is_meta(TYPE_MX));
}

static void test_rcodes(void **state)
{
    static const struct {
        unsigned rcode;
        const char *text;
    } cases[] = {{0, "NOERROR"}, {3, "NXDOMAIN"}, {16, "BADVERS"}, {23, "BADCOOKIE"},
        {15, "RCODE15"}, {24, "RCODE24"}, {4095, "RCODE4095"}};
    char text[TYPE_TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(rcode_to_text(cases[i].rcode, text), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_numbers),
        cmocka_unit_test(test_no_types),
        cmocka_unit_test(test_all_types_read_back),
        cmocka_unit_test(test_meta),
        cmocka_unit_test(test_rcodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
