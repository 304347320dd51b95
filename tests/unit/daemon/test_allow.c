/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/settings.h"
#include "daemon/allow.h"

static struct settings settings;

static void test_allow(void **state)
{
    (void)state;
    static const struct {
        const char *client;
        bool is_admitted;
    } cases[] = {
        {"127.0.0.1", true},
        {"127.9.9.9", true},
        {"128.0.0.1", false},
        {"2001:db8::7", true},
        {"2001:db9::7", false},
        {"::1", false},
    };
    assert_true(network_parse("127.0.0.0/8", 11, &settings.allow[0]));
    assert_true(network_parse("2001:db8::/32", 13, &settings.allow[1]));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address client;
        assert_true(address_parse(cases[i].client, strlen(cases[i].client), 0, &client));
        settings.allow_count = 2;
        assert_int_equal(allow_admits(&settings, &client), cases[i].is_admitted);
        settings.allow_count = 0;
        assert_false(allow_admits(&settings, &client));
    }
}

static void test_ourselves(void **state)
{
    (void)state;
    static const struct {
        const char *client;
        const char *asked;
        bool is_ourselves;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8::1", "2001:db8::2", false},
        {"::", "0.0.0.0", false},
        {"::ffff:192.0.2.1", "192.0.2.1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address client;
        struct address asked;
        assert_true(address_parse(cases[i].client, strlen(cases[i].client), 40000, &client));
        assert_true(address_parse(cases[i].asked, strlen(cases[i].asked), 53, &asked));
        assert_int_equal(allow_is_ourselves(&client, &asked), cases[i].is_ourselves);
        asked.scope_id = 1;
        assert_false(allow_is_ourselves(&client, &asked));
    }
    const struct address nobody = {.family = ADDRESS_NONE};
    assert_false(allow_is_ourselves(&nobody, &nobody));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allow),
        cmocka_unit_test(test_ourselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
