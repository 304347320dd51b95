/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static struct address address_of(const char *text)
{
    struct address address = {.family = ADDRESS_NONE};
    assert_true(address_parse(text, strlen(text), 0, &address));
    return address;
}

static struct network network_of(const char *text)
{
    struct network network = {.prefix = 0};
    assert_true(network_parse(text, strlen(text), &network));
    return network;
}

static void address_reads_and_writes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint16_t port_default;
        const char *written;
        const char *host;
    } cases[] = {
        {"127.0.0.1", 53, "127.0.0.1@53", "127.0.0.1"},
        {"127.0.0.1@5300", 53, "127.0.0.1@5300", "127.0.0.1"},
        {"192.0.2.1", 0, "192.0.2.1", "192.0.2.1"},
        {"::1", 53, "::1@53", "::1"},
        {"::", 0, "::", "::"},
        {"2001:DB8:0:0::5@853", 53, "2001:db8::5@853", "2001:db8::5"},
        {"::ffff:192.0.2.1", 53, "::ffff:192.0.2.1@53", "::ffff:192.0.2.1"},
        {"fe80::1", 53, "fe80::1@53", "fe80::1"},
        {"fe80::1%lo@53", 1, "fe80::1%lo@53", "fe80::1%lo"},
        {"fe80::1%1", 0, "fe80::1%lo", "fe80::1%lo"},
        {"fe80::1%4000000000", 0, "fe80::1%4000000000", "fe80::1%4000000000"},
        {"1.2.3.4@65535", 53, "1.2.3.4@65535", "1.2.3.4"},
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        struct address address;
        char text[ADDRESS_TEXT_SIZE];
        const char *in = cases[i].text;
        assert_true(address_parse(in, strlen(in), cases[i].port_default, &address));
        assert_int_equal(address_format(&address, text, sizeof(text)), strlen(cases[i].written));
        assert_string_equal(text, cases[i].written);
        assert_int_equal(address_format_host(&address, text, sizeof(text)), strlen(cases[i].host));
        assert_string_equal(text, cases[i].host);
    }
}

static void address_refuses(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "@",
        "@53",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.4@",
        "1.2.3.4@0",
        "1.2.3.4@65536",
        "1.2.3.4@5x",
        "1.2.3.4@53@53",
        " 1.2.3.4",
        "1.2.3.4 ",
        "1.2.3.4:53",
        "1.2.3.4%lo",
        "[::1]",
        "::1::",
        "12345::",
        "localhost",
        "2001:db8::1%lo",
        "fe80::1%",
        "fe80::1%no-such-link",
        "fe80::1%0",
        "fe80::1%lo%lo",
        "1.2.3.4/24",
        "0000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        struct address address = {.family = ADDRESS_IPV4, .port = 7, .bytes = {1, 2, 3, 4}};
        const struct address before = address;
        assert_false(address_parse(cases[i], strlen(cases[i]), 53, &address));
        assert_true(address_equal(&address, &before));
    }
    struct address address;
    assert_false(address_parse("1.2.3.4\0x", 9, 53, &address));
    assert_true(address_parse("1.2.3.45", 7, 53, &address)); /* The length counts. */
    assert_int_equal(address.bytes[3], 4);
}

static void address_writes_within_its_room(void **state)
{
    (void)state;
    struct address address = address_of("192.0.2.1@53");
    char text[8];
    assert_int_equal(address_format(&address, text, sizeof(text)), 7);
    assert_string_equal(text, "192.0.2");
    struct address none = {.family = ADDRESS_NONE};
    address_format(&none, text, sizeof(text));
    assert_string_equal(text, "none");

    /* The longest there is. */
    char longest[ADDRESS_TEXT_SIZE];
    struct address wide = {.family = ADDRESS_IPV6, .port = 65535, .scope_id = UINT32_MAX};
    memset(wide.bytes, 0xff, sizeof(wide.bytes));
    assert_true(address_format(&wide, longest, sizeof(longest)) < sizeof(longest) - 1);
}

static void address_compares_all_parts(void **state)
{
    (void)state;
    struct address a = address_of("192.0.2.1@53");
    struct address b = a;
    assert_true(address_equal(&a, &b));
    b.port = 54;
    assert_false(address_equal(&a, &b));
    b = a;
    b.scope_id = 1;
    assert_false(address_equal(&a, &b));
    b = a;
    b.bytes[3] = 2;
    assert_false(address_equal(&a, &b));
    b = a;
    b.family = ADDRESS_IPV6;
    assert_false(address_equal(&a, &b));
}

static void address_tells_its_kind(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_loopback;
        bool is_private;
        bool is_any;
    } cases[] = {
        {"127.0.0.1", true, false, false},
        {"127.255.255.255", true, false, false},
        {"128.0.0.1", false, false, false},
        {"::1", true, false, false},
        {"::2", false, false, false},
        {"::ffff:127.0.0.53", true, false, false},
        {"0.0.0.0", false, true, true},
        {"0.255.1.1", false, true, false},
        {"1.0.0.0", false, false, false},
        {"::", false, true, true},
        {"10.0.0.1", false, true, false},
        {"11.0.0.1", false, false, false},
        {"100.63.255.255", false, false, false},
        {"100.64.0.0", false, true, false},
        {"100.127.255.255", false, true, false},
        {"100.128.0.0", false, false, false},
        {"169.254.3.4", false, true, false},
        {"169.255.3.4", false, false, false},
        {"172.15.255.255", false, false, false},
        {"172.16.0.0", false, true, false},
        {"172.31.255.255", false, true, false},
        {"172.32.0.0", false, false, false},
        {"192.168.0.1", false, true, false},
        {"192.169.0.1", false, false, false},
        {"::ffff:192.168.0.1", false, true, false},
        {"fbff::1", false, false, false},
        {"fc00::1", false, true, false},
        {"fdff::1", false, true, false},
        {"fe7f::1", false, false, false},
        {"fe80::1", false, true, false},
        {"febf::1", false, true, false},
        {"fec0::1", false, false, false},
        {"2001:db8::1", false, false, false},
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        struct address address = address_of(cases[i].text);
        assert_int_equal(address_is_loopback(&address), cases[i].is_loopback);
        assert_int_equal(address_is_private(&address), cases[i].is_private);
        assert_int_equal(address_is_any(&address), cases[i].is_any);
    }
    struct address none = {.family = ADDRESS_NONE};
    assert_false(address_is_loopback(&none));
    assert_false(address_is_private(&none));
    assert_false(address_is_any(&none));
}

static void address_goes_through_a_sockaddr(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int family;
        socklen_t len;
    } cases[] = {
        {"192.0.2.7@5300", AF_INET, sizeof(struct sockaddr_in)},
        {"2001:db8::7@53", AF_INET6, sizeof(struct sockaddr_in6)},
        {"fe80::7%lo@53", AF_INET6, sizeof(struct sockaddr_in6)},
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        struct address address = address_of(cases[i].text);
        struct sockaddr_storage storage;
        assert_int_equal(address_to_sockaddr(&address, &storage), cases[i].len);
        assert_int_equal(storage.ss_family, cases[i].family);
        struct address back = address_from_sockaddr((const struct sockaddr *)&storage);
        assert_true(address_equal(&address, &back));
    }
}

static void address_takes_a_forged_one_for_what_it_is(void **state)
{
    (void)state;
    struct address mapped = address_of("::ffff:192.0.2.7@53");
    struct address plain = address_of("192.0.2.7@53");
    struct sockaddr_storage storage;
    address_to_sockaddr(&mapped, &storage);
    struct address back = address_from_sockaddr((const struct sockaddr *)&storage);
    assert_true(address_equal(&back, &mapped));
    assert_false(address_equal(&back, &plain));

    struct sockaddr unix_name = {.sa_family = AF_UNIX};
    back = address_from_sockaddr(&unix_name);
    assert_int_equal(back.family, ADDRESS_NONE);
}

static void network_reads_and_writes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *written;
    } cases[] = {
        {"127.0.0.0/8", "127.0.0.0/8"},
        {"192.0.2.1", "192.0.2.1/32"},
        {"192.0.2.128/25", "192.0.2.128/25"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"::1", "::1/128"},
        {"::/0", "::/0"},
        {"2001:db8::/33", "2001:db8::/33"},
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        struct network network = network_of(cases[i].text);
        char text[ADDRESS_TEXT_SIZE];
        assert_int_equal(network_format(&network, text, sizeof(text)), strlen(cases[i].written));
        assert_string_equal(text, cases[i].written);
    }
}

static void network_refuses(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "/",
        "/8",
        "127.0.0.1/8",
        "192.0.2.129/25",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10.0.0.0@53/8",
        "10/8",
        "::1/129",
        "2001:db8:8000::/32",
        "fe80::%lo/64",
        "localhost",
        "10.0.0.0/255.0.0.0",
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        struct network network = {.prefix = 99};
        assert_false(network_parse(cases[i], strlen(cases[i]), &network));
        assert_int_equal(network.prefix, 99);
    }
}

static void network_contains_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *network;
        const char *address;
        bool is_inside;
    } cases[] = {
        {"127.0.0.0/8", "127.1.2.3@99", true},
        {"127.0.0.0/8", "128.0.0.0", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.0", false},
        {"0.0.0.0/0", "255.1.2.3", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "1.2.3.4", false},
        {"::/0", "ffff::", true},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
    };
    for (size_t i = 0; i < ROWS(cases); i++) {
        struct network network = network_of(cases[i].network);
        struct address address = address_of(cases[i].address);
        assert_int_equal(network_contains(&network, &address), cases[i].is_inside);
    }
    struct network empty = {.prefix = 0};
    struct address none = {.family = ADDRESS_NONE};
    assert_false(network_contains(&empty, &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_reads_and_writes),
        cmocka_unit_test(address_refuses),
        cmocka_unit_test(address_writes_within_its_room),
        cmocka_unit_test(address_compares_all_parts),
        cmocka_unit_test(address_tells_its_kind),
        cmocka_unit_test(address_goes_through_a_sockaddr),
        cmocka_unit_test(address_takes_a_forged_one_for_what_it_is),
        cmocka_unit_test(network_reads_and_writes),
        cmocka_unit_test(network_refuses),
        cmocka_unit_test(network_contains_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
