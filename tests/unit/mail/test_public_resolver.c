/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"
#include "mail/public_resolver.h"

static const char *name_of(const char *text)
{
    struct address address;
    assert_true(address_parse(text, strlen(text), 53, &address));
    return public_resolver_name(&address);
}

static void test_known(void **state)
{
    static const struct {
        const char *address;
        const char *name;
    } cases[] = {
        {"8.8.8.8", "Google"},
        {"8.8.4.4@5353", "Google"},
        {"2001:4860:4860::8844", "Google"},
        {"1.1.1.1@853", "Cloudflare"},
        {"1.0.0.2", "Cloudflare"},
        {"2606:4700:4700::1111", "Cloudflare"},
        {"9.9.9.9", "Quad9"},
        {"149.112.112.112", "Quad9"},
        {"2620:fe::fe", "Quad9"},
        {"208.67.222.222", "OpenDNS"},
        {"94.140.14.14", "AdGuard"},
        {"4.2.2.2", "Level3"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *name = name_of(cases[i].address);
        assert_non_null(name);
        assert_string_equal(name, cases[i].name);
    }
}

static void test_unknown(void **state)
{
    static const char *const addresses[] = {
        "192.0.2.1", "127.0.0.1", "8.8.8.9", "1.1.1.8", "10.8.8.8", "::8.8.8.8", "2001:db8::1"};
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        assert_null(name_of(addresses[i]));
    }
}

/* Every row is a network, and none is in private use. */
static void test_table(void **state)
{
    (void)state;
    assert_true(public_resolver_count() > 40);
    for (size_t i = 0; i < public_resolver_count(); i++) {
        const char *text = public_resolver_network(i);
        struct network network;
        assert_true(network_parse(text, strlen(text), &network));
        assert_true(network.prefix >= (network.address.family == ADDRESS_IPV4 ? 21 : 32));
        assert_false(address_is_private(&network.address));
        assert_non_null(public_resolver_name(&network.address));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
