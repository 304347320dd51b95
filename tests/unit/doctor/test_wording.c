/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"
#include "doctor/wording.h"

static void test_duration(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {
        {-5, "0 seconds"},
        {0, "0 seconds"},
        {1, "1 second"},
        {119, "119 seconds"},
        {120, "2 minutes"},
        {7199, "119 minutes"},
        {7200, "2 hours"},
        {172799, "47 hours"},
        {172800, "2 days"},
        {INT64_MAX, "106751991167300 days"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[32];
        wording_duration(rows[i].seconds, text, sizeof text);
        assert_string_equal(text, rows[i].text);
    }
}

static void test_addresses(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "none", "192.0.2.1", "192.0.2.1 and 2001:db8::1", "192.0.2.1, 2001:db8::1 and 192.0.2.3"};
    struct address addresses[3];
    assert_true(address_parse("192.0.2.1", 9, 53, &addresses[0]));
    assert_true(address_parse("2001:db8::1", 11, 53, &addresses[1]));
    assert_true(address_parse("192.0.2.3", 9, 53, &addresses[2]));
    for (size_t i = 0; i < 4; i++) {
        char text[128];
        wording_addresses(addresses, i, text, sizeof text);
        assert_string_equal(text, texts[i]);
    }
    char small[8];
    wording_addresses(addresses, 3, small, sizeof small);
    assert_string_equal(small, "192.0.2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
