/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "conf/resolv_conf.h"

struct resolv_conf_case {
    const char *text;
    const char *servers; /* With blanks between. */
    unsigned timeout_s;
    unsigned attempts;
    bool has_timeout;
    size_t servers_bad;
};

static const struct resolv_conf_case cases[] = {
    {"", "", 5, 2, false, 0},
    {"nameserver 192.0.2.1\n", "192.0.2.1", 5, 2, false, 0},
    {"nameserver 192.0.2.1", "192.0.2.1", 5, 2, false, 0},
    {"nameserver\t192.0.2.1 \r\nnameserver 2001:db8::1\r\n", "192.0.2.1 2001:db8::1", 5, 2, false,
        0},
    {"; comment\n# comment\nsearch example.org\ndomain x\nnameserver 127.0.0.1 # me\n", "127.0.0.1",
        5, 2, false, 0},
    {"nameserver 127.0.0.1;me\n", "127.0.0.1", 5, 2, false, 0},
    {" nameserver 192.0.2.1\n", "", 5, 2, false, 0},
    {"nameservers 192.0.2.1\nnameserver192.0.2.1\nNameserver 192.0.2.1\n", "", 5, 2, false, 0},
    {"nameserver\nnameserver x\nnameserver 1.2.3.4@53\nnameserver 1.2.3.4/24\n", "", 5, 2, false,
        4},
    {"options timeout:1 attempts:3\n", "", 1, 3, true, 0},
    {"options ndots:2\noptions timeout:0\noptions edns0 trust-ad\n", "", 0, 2, true, 0},
    {"options timeout:99 attempts:99999999999\n", "", 30, 5, true, 0},
    {"options timeout:99999999999999999999 attempts:9\n", "", 5, 5, false, 0},
    {"options timeout: timeout:x xtimeout:3 timeout\n", "", 5, 2, false, 0},
    {"options timeout:3 # timeout:1\n", "", 3, 2, true, 0},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = strlen(cases[i].text);
        char *copy = malloc(len == 0 ? 1 : len);
        assert_non_null(copy);
        memcpy(copy, cases[i].text, len);
        struct resolv_conf file;
        resolv_conf_parse(copy, len, &file);
        free(copy);
        char servers[256];
        struct text text;
        text_init(&text, servers, sizeof servers);
        for (size_t at = 0; at < file.server_count; at++) {
            char host[ADDRESS_TEXT_SIZE];
            address_format_host(&file.servers[at], host, sizeof host);
            assert_int_equal(file.servers[at].port, 53);
            text_addf(&text, at == 0 ? "%s" : " %s", host);
        }
        assert_string_equal(servers, cases[i].servers);
        assert_int_equal(file.timeout_s, cases[i].timeout_s);
        assert_int_equal(file.attempts, cases[i].attempts);
        assert_int_equal(file.has_timeout, cases[i].has_timeout);
        assert_int_equal(file.servers_bad, cases[i].servers_bad);
        assert_int_equal(file.servers_dropped, 0);
    }
}

static void test_too_many_servers(void **state)
{
    (void)state;
    char bytes[2048];
    struct text text;
    text_init(&text, bytes, sizeof bytes);
    for (unsigned i = 0; i < RESOLV_CONF_SERVERS_MAX + 4; i++) {
        text_addf(&text, "nameserver 192.0.2.%u\n", i + 1);
    }
    struct resolv_conf file;
    resolv_conf_parse(bytes, text.len, &file);
    assert_int_equal(file.server_count, RESOLV_CONF_SERVERS_MAX);
    assert_int_equal(file.servers_dropped, 4);
    assert_int_equal(file.servers[RESOLV_CONF_SERVERS_MAX - 1].bytes[3], RESOLV_CONF_SERVERS_MAX);
}

static void test_hostile_bytes(void **state)
{
    (void)state;
    char bytes[1024];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(i * 37);
    }
    memcpy(bytes + 500, "\nnameserver \0 1.2.3.4\nnameserver 192.0.2.9\n", 44);
    struct resolv_conf file;
    resolv_conf_parse(bytes, sizeof bytes, &file);
    assert_int_equal(file.server_count, 1);
    assert_int_equal(file.servers_bad, 1);
}

static void test_read(void **state)
{
    (void)state;
    char path[] = "/tmp/mxcache-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "nameserver 192.0.2.1\noptions timeout:2\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    struct resolv_conf file;
    assert_true(resolv_conf_read(path, &file));
    assert_int_equal(file.server_count, 1);
    assert_int_equal(file.timeout_s, 2);

    assert_int_equal(ftruncate(fd, RESOLV_CONF_SIZE_MAX + 1), 0);
    assert_false(resolv_conf_read(path, &file));
    assert_int_equal(file.server_count, 0);
    assert_int_equal(file.timeout_s, 5);
    close(fd);
    unlink(path);
    assert_false(resolv_conf_read(path, &file));
    assert_false(resolv_conf_read("/", &file));
}

static void parse_text(const char *text, struct resolv_conf *file)
{
    resolv_conf_parse(text, strlen(text), file);
}

static void test_search_and_options(void **state)
{
    (void)state;
    struct resolv_conf file;
    parse_text("nameserver 127.0.0.1\n", &file);
    assert_int_equal(file.search_count, 0);
    assert_int_equal(file.options, 0);
    assert_int_equal(file.ndots, 1);

    parse_text("domain a.example\nsearch b.example . c.example # d\n"
               "options ndots:99 rotate use-vc trust-ad edns0 single-request-reopen\n"
               "options no-aaaa no-reload rotated\n",
        &file);
    assert_int_equal(file.search_count, 2);
    assert_string_equal(file.search_first, "b.example");
    assert_int_equal(file.ndots, 15);
    assert_int_equal(file.options, 127);

    parse_text("search b.example\nsearch .\n", &file);
    assert_int_equal(file.search_count, 0);
    assert_string_equal(file.search_first, "");

    char lengthy[600];
    memcpy(lengthy, "search ", 7);
    memset(lengthy + 7, 'a', sizeof lengthy - 7);
    resolv_conf_parse(lengthy, sizeof lengthy, &file);
    assert_int_equal(strlen(file.search_first), RESOLV_CONF_SUFFIX_SIZE - 1);
}

/* As measured with a libc whose servers are black holes: 10.05, 20.10, 28.14 and 1.005 s. */
static void test_stall(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned stall_s;
    } stalls[] = {
        {"", 10},
        {"nameserver 192.0.2.1\n", 10},
        {"nameserver 192.0.2.1\nnameserver 192.0.2.2\n", 20},
        {"nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n", 28},
        {"nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
         "nameserver 192.0.2.4\n",
            28},
        {"nameserver 192.0.2.1\noptions timeout:1 attempts:1\n", 1},
        {"nameserver 192.0.2.1\noptions timeout:0\n", 2},
        {"nameserver 192.0.2.1\noptions timeout:30 attempts:5\n", 150},
    };
    for (size_t i = 0; i < sizeof stalls / sizeof stalls[0]; i++) {
        struct resolv_conf file;
        parse_text(stalls[i].text, &file);
        assert_int_equal(resolv_conf_stall_s(&file), stalls[i].stall_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_too_many_servers),
        cmocka_unit_test(test_hostile_bytes),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_search_and_options),
        cmocka_unit_test(test_stall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
