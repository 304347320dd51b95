/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/doctor/mail_host_scene.h"

/* Lines behind Debian's main.cf, and what is said of them. */
struct relay_case {
    const char *lines;
    enum report_level level;
    const char *part;
};

static const struct relay_case cases[] = {
    {"", REPORT_GOOD, "Only hosts of mynetworks"},
    /* Networks. */
    {"mynetworks = 0.0.0.0/0\n", REPORT_ERROR, "open relay"},
    {"mynetworks = 127.0.0.0/8 [::]/0\n", REPORT_ERROR, "[::]/0, the whole Internet"},
    {"mynetworks = 0.0.0.0/0\nsmtpd_relay_restrictions = permit_sasl_authenticated, reject\n",
        REPORT_WARNING, "whole Internet"},
    {"mynetworks = 192.0.0.0/8\n", REPORT_WARNING, "large public network"},
    {"mynetworks = 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 [fd00::]/8 [fe80::]/10\n", REPORT_GOOD,
        NULL},
    {"mynetworks = 203.0.113.0/24 198.51.100.7 [2001:db8::]/32 !10.0.0.1 cidr:/etc/x\n",
        REPORT_GOOD, NULL},
    {"mynetworks = [2000::]/3\n", REPORT_WARNING, "large public network"},
    {"mynetworks = 192.0.2.1/24\n", REPORT_ERROR, "192.0.2.1/24, which is no network"},
    {"mynetworks = [2001:db8::1/64]\n", REPORT_ERROR, "no network"},
    {"mynetworks = /etc/postfix/networks\n", REPORT_ERROR, "0.0.0.0/0"},
    {"mynetworks = /etc/postfix/none\n", REPORT_GOOD, NULL},
    /* Restrictions. */
    {"smtpd_relay_restrictions = permit_mynetworks, permit\n", REPORT_ERROR, "refuses strangers"},
    {"smtpd_relay_restrictions = permit, reject\n", REPORT_ERROR, "an open relay"},
    {"smtpd_relay_restrictions =\n", REPORT_ERROR, "clients get 421"},
    {"smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = permit_mynetworks,\n"
     "  reject_rbl_client zen.example, reject_unauth_destination\n",
        REPORT_GOOD, NULL},
    {"smtpd_relay_restrictions = ours\nsmtpd_restriction_classes = ours\nours = reject\n",
        REPORT_GOOD, NULL},
};

static void test_main_cf(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/etc/postfix/networks", "10.0.0.0/8 # ours\n# no\n0.0.0.0/0");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mail_host_main_add(&fixture, cases[i].lines);
        expect(CHECK_pf_mynetworks, cases[i].level, cases[i].part);
        assert_int_equal(fixture.doctor->report.count, 1);
    }
}

/* Without mynetworks the style decides; its default is harmless from level 2 on. */
static void test_style(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/etc/postfix/main.cf", "compatibility_level = 3.6\n");
    expect(CHECK_pf_mynetworks, REPORT_GOOD, NULL);
    host_fixture_expect_below(&fixture, REPORT_NOTE);
    host_fixture_write(&fixture, "/etc/postfix/main.cf", "# level 0\n");
    expect(CHECK_pf_mynetworks, REPORT_WARNING, "its subnets");
    host_fixture_write(&fixture, "/etc/postfix/main.cf", "mynetworks_style = class\n");
    expect(CHECK_pf_mynetworks, REPORT_WARNING, "class A");
}

/* Services with options of their own. */
static void test_master_cf(void **state)
{
    static const struct relay_case services[] = {
        {"smtp inet n - y - - smtpd -o smtpd_relay_restrictions=permit\n", REPORT_ERROR,
            "master.cf:1 (smtp)"},
        {"smtp inet n - y - - smtpd -o mynetworks=0.0.0.0/0\n", REPORT_ERROR, "master.cf:1 (smtp)"},
        {"127.0.0.1:10025 inet n - y - - smtpd -o mynetworks=0.0.0.0/0\n"
         " -o smtpd_relay_restrictions=permit\n",
            REPORT_GOOD, NULL},
        {"submission inet n - y - - smtpd -o smtpd_relay_restrictions=$mua\n"
         " -o { smtpd_recipient_restrictions = permit_sasl_authenticated, reject }\n",
            REPORT_GOOD, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        mail_host_master(&fixture, services[i].lines);
        expect(CHECK_pf_mynetworks, services[i].level, services[i].part);
        assert_int_equal(fixture.doctor->report.count, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_main_cf, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_style, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_master_cf, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
