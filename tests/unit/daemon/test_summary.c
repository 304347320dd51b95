/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "conf/settings.h"
#include "daemon/sockets.h"
#include "daemon/summary.h"

static struct settings settings;

static void test_listen(void **state)
{
    (void)state;
    char bytes[SUMMARY_SIZE];
    struct text text;
    struct sockets sockets = {.listen_count = 2};
    assert_true(address_parse("127.0.0.1", 9, 53, &sockets.listen[0]));
    assert_true(address_parse("::1", 3, 5300, &sockets.listen[1]));
    text_init(&text, bytes, sizeof bytes);
    summary_add_listen(&text, &sockets);
    assert_string_equal(bytes, "127.0.0.1@53,::1@5300");
}

static void test_upstreams(void **state)
{
    (void)state;
    char bytes[SUMMARY_SIZE];
    struct text text;
    struct settings_group *group = &settings.groups[0];
    text_init(&text, bytes, sizeof bytes);
    summary_add_upstreams(&text, &settings);
    assert_string_equal(bytes, "none");
    group->server_count = 2;
    assert_true(address_parse("192.0.2.53", 10, 53, &group->servers[0].address));
    assert_true(address_parse("192.0.2.54", 10, 853, &group->servers[1].address));
    (void)snprintf(group->servers[1].tls_name, SETTINGS_TLS_SIZE, "dns.example.org");
    text_init(&text, bytes, sizeof bytes);
    summary_add_upstreams(&text, &settings);
    assert_string_equal(bytes, "192.0.2.53@53,192.0.2.54@853#dns.example.org");
    group->server_count = 1;
    group->servers[0].pin_count = 1;
    text_init(&text, bytes, sizeof bytes);
    summary_add_upstreams(&text, &settings);
    assert_string_equal(bytes, "192.0.2.53@53#tls_pins");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listen),
        cmocka_unit_test(test_upstreams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
