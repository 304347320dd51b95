/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/origin.h"
#include "cmd/upstream_list.h"
#include "tests/unit/cmd/stats_fixture.h"

static struct upstream_list list;

static bool read_text(const char *text)
{
    struct reply reply;
    bool is_read = reply_set(&reply, text) && upstream_list_read(&reply, &list);
    reply_fini(&reply);
    return is_read;
}

static void test_servers(void **state)
{
    char address[ADDRESS_TEXT_SIZE];
    (void)state;
    assert_true(read_text("ok\n"
                          "upstream default 192.0.2.1@53 -\n"
                          "tea\n"
                          "upstream default 9.9.9.9@853 dns.quad9.net and more\n"
                          "upstream office 2001:db8::1@5353 -\n"
                          ".\n"));
    assert_int_equal(list.count, 3);
    (void)address_format(&list.items[0].address, address, sizeof address);
    assert_string_equal(address, "192.0.2.1@53");
    assert_string_equal(list.items[0].tls_name, "");
    assert_string_equal(list.items[1].tls_name, "dns.quad9.net");
    assert_string_equal(list.items[2].group, "office");
    assert_int_equal(list.items[2].address.port, 5353);
    assert_true(read_text("ok\n.\n"));
    assert_int_equal(list.count, 0);
}

#define LONG_GROUP                                                                                 \
    "ok\nupstream 3456789012345678901234567890123456789012345678901234567890123456"                \
    " 192.0.2.1@53 -\n.\n"

static void test_what_cannot_be_read(void **state)
{
    static const char *const cases[] = {
        "ok\nupstream\n.\n",
        "ok\nupstream default 192.0.2.1@53\n.\n",
        "ok\nupstream default 192.0.2@53 -\n.\n",
        "ok\nupstream default 192.0.2.1@99999 -\n.\n",
        LONG_GROUP,
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(read_text(cases[i]));
    }
}

static const char *group_of(const char *name)
{
    return upstream_list_group(&list, origin_of_group(name));
}

static void test_groups_have_tags(void **state)
{
    (void)state;
    assert_true(read_text("ok\nupstream default 192.0.2.1@53 -\n"
                          "upstream default 192.0.2.2@53 -\n"
                          "upstream a 192.0.2.1@53 -\n"
                          "upstream b 192.0.2.1@53 -\n.\n"));
    assert_string_equal(group_of("default"), "default");
    assert_string_equal(group_of("a"), "a");
    assert_string_equal(group_of("b"), "b");
    assert_string_equal(group_of("c"), "(not of this configuration)");
    /* The default group may be without servers. */
    assert_true(read_text("ok\nupstream a 192.0.2.1@53 -\n.\n"));
    assert_string_equal(group_of("default"), "default");
    assert_string_equal(group_of("a"), "a");
}

static void test_a_flood_is_cut(void **state)
{
    struct reply reply = {.bytes = NULL};
    (void)state;
    assert_true(reply_add(&reply, "ok\n", 3));
    for (unsigned i = 0; i < UPSTREAM_LIST_MAX + 5; i++) {
        char line[64];
        int len = snprintf(line, sizeof line, "upstream g 192.0.2.1@%u -\n", i + 1);
        assert_true(reply_add(&reply, line, (size_t)len));
    }
    assert_true(reply_add(&reply, ".\n", 2));
    assert_true(reply_open(&reply));
    assert_true(upstream_list_read(&reply, &list));
    assert_int_equal(list.count, UPSTREAM_LIST_MAX);
    reply_fini(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_what_cannot_be_read),
        cmocka_unit_test(test_groups_have_tags),
        cmocka_unit_test(test_a_flood_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
