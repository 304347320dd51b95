/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/name_argument.h"

static void test_names(void **state)
{
    static const struct {
        const char *argument;
        const char *text; /* NULL: refused. */
    } cases[] = {
        {"example.org", "example.org."},
        {"Example.ORG.", "Example.ORG."},
        {".", "."},
        {"a b\tc.example", "a\\032b\\009c.example."},
        {"dot\\.ted.example", "dot\\.ted.example."},
        {"192.0.2.25.", "192.0.2.25."},
        {"192.0.2.256", "192.0.2.256."},
        {"192.0.2.25", NULL},
        {"2001:db8::25", NULL},
        {"", NULL},
        {"a..b", NULL},
        {".a", NULL},
        {"\\999.example", NULL},
        {"m\xc3\xbcller.example", NULL},
        {"a123456789012345678901234567890123456789012345678901234567890123.example", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct name_argument name;
        bool is_read = name_argument_read("lookup", cases[i].argument, &name);
        assert_int_equal(is_read, cases[i].text != NULL);
        if (is_read) {
            assert_string_equal(name.text, cases[i].text);
            assert_true(name_is_valid(name.name, name.len));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
