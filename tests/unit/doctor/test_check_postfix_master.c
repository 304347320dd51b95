/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/doctor/mail_host_scene.h"

#define SMTP       "smtp inet n - y - - smtpd\n"
#define POSTSCREEN "smtp inet n - y - 1 postscreen\n"
#define PASS       "smtpd pass - - y - - smtpd\n"
#define DNSBLOG    "dnsblog unix - - y - 0 dnsblog\n"
#define TLSPROXY   "tlsproxy unix - - y - 0 tlsproxy\n"
#define LOGIN      "smtpd_sasl_auth_enable = yes\n"
#define LISTS      "postscreen_dnsbl_sites = zen.example\n"

/* The head of master.cf, lines behind main.cf, and what is said. */
struct master_case {
    const char *head;
    const char *main;
    enum report_level level;
    const char *part;
};

static const struct master_case cases[] = {
    {SMTP, "", REPORT_GOOD, "fit together"},
    /* Port 25. */
    {"", "", REPORT_NOTE, "only sends"},
    {"#" SMTP, "relay_domains = example.com\n", REPORT_ERROR, "master.cf:1; then: postfix reload"},
    {"", "relay_domains = example.com\n", REPORT_ERROR, "Add to /etc/postfix/master.cf"},
    {SMTP SMTP, "", REPORT_WARNING, "master.cf:1 and :2"},
    /* A service line commented out, its options not. */
    {SMTP "#submission inet n - y - - smtpd\n  -o syslog_name=postfix/submission\n"
          "  -o smtpd_client_restrictions=permit_sasl_authenticated,reject\n",
        "", REPORT_ERROR, "options that belong to submission"},
    {SMTP "#submission inet n - y - - smtpd\n"
          "  -o smtpd_client_restrictions=permit_sasl_authenticated,reject\n",
        "", REPORT_ERROR, "smtpd_client_restrictions"},
    {SMTP "  -o syslog_name=postfix/mx\n", "", REPORT_GOOD, NULL},
    /* Submission. */
    {SMTP "#submission inet n - y - - smtpd\n", LOGIN, REPORT_WARNING, "master.cf:2"},
    {SMTP, LOGIN, REPORT_WARNING, "permit_sasl_authenticated,reject"},
    {SMTP "submission inet n - y - - smtpd\n", LOGIN, REPORT_GOOD, NULL},
    {SMTP "465 inet n - y - - smtpd -o smtpd_tls_wrappermode=yes\n", LOGIN, REPORT_GOOD, NULL},
    {SMTP, LOGIN "inet_interfaces = loopback-only\n", REPORT_GOOD, NULL},
    {SMTP "smtps inet n - y - - smtpd\n", "", REPORT_ERROR, "greets without TLS"},
    {SMTP "submission inet n - y - - smtpd -o smtpd_tls_wrappermode=yes\n", "", REPORT_ERROR,
        "from the first byte"},
    /* postscreen. */
    {POSTSCREEN PASS DNSBLOG TLSPROXY, LISTS, REPORT_GOOD, NULL},
    {POSTSCREEN PASS, "smtpd_tls_security_level =\n", REPORT_GOOD, NULL},
    {POSTSCREEN DNSBLOG TLSPROXY, LISTS, REPORT_ERROR, "every client is dropped"},
    {POSTSCREEN PASS "#" DNSBLOG TLSPROXY, LISTS, REPORT_ERROR, "master.cf:3"},
    {POSTSCREEN PASS DNSBLOG, LISTS, REPORT_ERROR, "`tlsproxy unix`"},
    {"smtp inet n - y - - postscreen\n" PASS TLSPROXY, "", REPORT_ERROR, "process limit of 1"},
    {SMTP, LISTS, REPORT_WARNING, "they are not asked"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mail_host_master(&fixture, cases[i].head);
        mail_host_main_add(&fixture, cases[i].main);
        expect(CHECK_pf_mastercf, cases[i].level, cases[i].part);
        assert_int_equal(fixture.doctor->report.count, 1);
    }
}

static void test_inner_services(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/etc/postfix/master.cf",
        SMTP "cleanup unix n - y - 0 cleanup\nrewrite unix - - y - - trivial-rewrite\n"
             "smtp unix - - y - - smtp\nbounce unix - - y - 0 bounce\n#qmgr unix n - n 3 1 qmgr\n");
    expect(CHECK_pf_mastercf, REPORT_ERROR, "has no service `qmgr unix`");
    host_fixture_expect(&fixture, CHECK_pf_mastercf, REPORT_ERROR, "master.cf:6");
    assert_int_equal(fixture.doctor->report.count, 1);
    host_fixture_remove(&fixture, "/etc/postfix/master.cf");
    expect(CHECK_pf_mastercf, REPORT_SKIPPED, "is not there");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cases, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_inner_services, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
