/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "daemon/libraries.h"

static void test_names_both(void **state)
{
    char bytes[256];
    struct text text;
    (void)state;
    text_init(&text, bytes, sizeof(bytes));
    libraries_add(&text);
    assert_false(text.is_cut);
    assert_memory_equal(bytes, "libev 4.", 8);
    assert_non_null(strstr(bytes, "\nOpenSSL "));
    assert_non_null(strstr(bytes, " (compiled with OpenSSL "));
    assert_int_equal(bytes[text.len - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
