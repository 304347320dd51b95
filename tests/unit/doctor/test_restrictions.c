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

#include "doctor/postfix_config.h"
#include "doctor/restrictions.h"
#include "tests/support/host_fixture.h"

static struct host_fixture fixture;
static struct restrictions restrictions;
static struct postfix postfix;

static int set_up(void **state)
{
    (void)state;
    host_fixture_init(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    postfix_fini(&postfix);
    host_fixture_fini(&fixture);
    return 0;
}

static void read_main(const char *main_cf)
{
    struct host host;
    host_fixture_write(&fixture, "/etc/postfix/main.cf", main_cf);
    assert_true(host_init(&host, fixture.root));
    postfix_fini(&postfix);
    postfix_read(&postfix, &host);
    restrictions_read(&restrictions, &postfix.instances[0], NULL);
    host_fini(&host);
}

static void expect(size_t index, const char *word, const char *argument)
{
    assert_true(index < restrictions.count);
    assert_string_equal(restrictions.items[index].word, word);
    assert_string_equal(restrictions.items[index].argument, argument);
}

static void test_words(void **state)
{
    (void)state;
    read_main("smtpd_restriction_classes = strict, loop\n"
              "strict = reject_rbl_client a.example, check_policy_service inet:127.0.0.1:1\n"
              "loop = loop\n"
              "smtpd_relay_restrictions =\n"
              "smtpd_client_restrictions = permit_mynetworks strict\n"
              "smtpd_recipient_restrictions = warn_if_reject reject_rhsbl_sender b.example,\n"
              "    check_policy_service { unix:private/spf, timeout=10s }, loop\n"
              "smtpd_end_of_data_restrictions = check_client_access");
    assert_int_equal(restrictions.count, 8);
    expect(0, "permit_mynetworks", "");
    expect(1, "reject_rbl_client", "a.example");
    expect(2, "check_policy_service", "inet:127.0.0.1:1");
    expect(3, "warn_if_reject", "");
    expect(4, "reject_rhsbl_sender", "b.example");
    assert_non_null(strstr(restrictions.items[5].argument, "unix:private/spf"));
    expect(6, "loop", "");
    expect(7, "check_client_access", "");
}

static void test_bounds(void **state)
{
    (void)state;
    static char text[16000];
    size_t len = (size_t)snprintf(text, sizeof text, "smtpd_client_restrictions =");
    for (int i = 0; i < RESTRICTIONS_MAX + 3; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, " permit");
    }
    memcpy(text + len, "\nsmtpd_relay_restrictions =\n", 29);
    read_main(text);
    assert_int_equal(restrictions.count, RESTRICTIONS_MAX);
    assert_int_equal(restrictions.dropped, 3);
}

static void test_lookups(void **state)
{
    (void)state;
    static const struct {
        struct restriction restriction;
        unsigned lookups;
    } rows[] = {
        {{"reject_rbl_client", "x"}, 1},
        {{"permit_dnswl_client", "x"}, 1},
        {{"reject_rhsbl_helo", "x"}, 1},
        {{"reject_unknown_sender_domain", ""}, 3},
        {{"reject_unknown_helo_hostname", ""}, 3},
        {{"check_sender_mx_access", "x"}, 3},
        {{"check_client_access", "x"}, 0},
        {{"permit_mynetworks", ""}, 0},
        {{"check_policy_service", "x"}, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(restriction_lookups(&rows[i].restriction), rows[i].lookups);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bounds, set_up, tear_down),
        cmocka_unit_test(test_lookups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
