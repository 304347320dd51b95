/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/hash.h"
#include "wire/cookie.h"

#include "packet.h"

static const struct hash_key secret = {.k0 = 1, .k1 = 2};

static void cookie_of(const char *text, uint8_t cookie_out[EDNS_COOKIE_CLIENT_SIZE])
{
    struct address server;
    assert_true(address_parse(text, strlen(text), 53, &server));
    cookie_client_make(&secret, &server, cookie_out);
}

/* Each server gets another cookie, at each of its ports the same. */
static void test_differs_by_server(void **state)
{
    static const char *const servers[] = {"192.0.2.1", "192.0.2.2", "::", "::c000:201",
        "2001:db8::1", "2001:db8::1:0", "0.0.0.0", "1.2.0.192"};
    enum {
        COUNT = sizeof(servers) / sizeof(servers[0])
    };
    uint8_t cookies[COUNT][EDNS_COOKIE_CLIENT_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        cookie_of(servers[i], cookies[i]);
        for (size_t j = 0; j < i; j++) {
            packet_expect(memcmp(cookies[i], cookies[j], sizeof(cookies[i])) != 0, servers[i]);
        }
    }
    uint8_t again[EDNS_COOKIE_CLIENT_SIZE];
    cookie_of("192.0.2.1@5353", again);
    assert_memory_equal(again, cookies[0], sizeof(again));
}

static void test_differs_by_scope_and_secret(void **state)
{
    const struct hash_key other_secret = {.k0 = 1, .k1 = 3};
    struct address server = {.family = ADDRESS_IPV6, .bytes = {0xfe, 0x80}, .scope_id = 1};
    uint8_t cookie[EDNS_COOKIE_CLIENT_SIZE];
    uint8_t other[EDNS_COOKIE_CLIENT_SIZE];
    (void)state;
    cookie_client_make(&secret, &server, cookie);
    cookie_client_make(&other_secret, &server, other);
    assert_true(memcmp(cookie, other, sizeof(cookie)) != 0);
    server.scope_id = 2;
    cookie_client_make(&secret, &server, other);
    assert_true(memcmp(cookie, other, sizeof(cookie)) != 0);
}

static void test_verdicts(void **state)
{
    static const uint8_t client[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const struct {
        const char *what;
        struct edns reply;
        bool is_expected;
        enum cookie_verdict verdict;
    } cases[] = {
        {"no OPT at all", {.is_present = false}, false, COOKIE_NONE},
        {"no option", {.is_present = true}, false, COOKIE_NONE},
        {"no option where there was one", {.is_present = true}, true, COOKIE_MISSING},
        {"no OPT where there was one", {.is_present = false}, true, COOKIE_MISSING},
        {"our part alone", {.cookie_len = 8, .cookie = {1, 2, 3, 4, 5, 6, 7, 8}}, true,
            COOKIE_CLIENT_ONLY},
        {"the shortest server's part", {.cookie_len = 16, .cookie = {1, 2, 3, 4, 5, 6, 7, 8}},
            false, COOKIE_GOOD},
        {"the longest server's part", {.cookie_len = 40, .cookie = {1, 2, 3, 4, 5, 6, 7, 8}}, true,
            COOKIE_GOOD},
        {"another's part alone", {.cookie_len = 8, .cookie = {1, 2, 3, 4, 5, 6, 7, 9}}, true,
            COOKIE_WRONG},
        {"another's part, unasked", {.cookie_len = 24, .cookie = {0, 2, 3, 4, 5, 6, 7, 8}}, false,
            COOKIE_WRONG},
        {"one of no possible length", {.has_bad_cookie = true}, true, COOKIE_WRONG},
        {"one of no possible length, unasked", {.has_bad_cookie = true}, false, COOKIE_WRONG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        packet_expect(
            cookie_check(&cases[i].reply, client, cases[i].is_expected) == cases[i].verdict,
            cases[i].what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differs_by_server),
        cmocka_unit_test(test_differs_by_scope_and_secret),
        cmocka_unit_test(test_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
