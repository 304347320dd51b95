/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/doctor/dns_fixture.h"

#include <stdio.h>

#include "base/address.h"

/* This host as its peers see it. */

#define MAIN_CF "/etc/postfix/main.cf"
#define HELO    "myhostname = mail.example\n"

static const struct upstream_rule well[] = {
    {"25.113.0.203.in-addr.arpa", TYPE_PTR, UPSTREAM_NAME, "mail.example"},
    {"mail.example", TYPE_A, UPSTREAM_A, "203.0.113.25"},
    {"mail.example", TYPE_AAAA, UPSTREAM_NODATA, ""}, RULES_USUAL};
static const struct upstream_rule nameless[] = {
    {"25.113.0.203.in-addr.arpa", TYPE_PTR, UPSTREAM_SLOW, "0"},
    {"mail.example", TYPE_A, UPSTREAM_A, "203.0.113.25"}, RULES_USUAL};
static const struct upstream_rule elsewhere[] = {
    {"25.113.0.203.in-addr.arpa", TYPE_PTR, UPSTREAM_NAME, "dyn-25.isp.example"},
    {"dyn-25.isp.example", TYPE_A, UPSTREAM_A, "203.0.113.99"},
    {"mail.example", TYPE_A, UPSTREAM_A, "203.0.113.25"}, RULES_USUAL};
static const struct upstream_rule broken[] = {
    {"25.113.0.203.in-addr.arpa", TYPE_PTR, UPSTREAM_SERVFAIL, ""},
    {"mail.example", TYPE_A, UPSTREAM_A, "203.0.113.25"}, RULES_USUAL};

struct self_case {
    const char *main_cf;
    const struct upstream_rule *rules;
    const char *own;
    enum report_level level;
    const char *part;
};

static void test_names(void **state)
{
    static const struct self_case cases[] = {
        {HELO, well, "203.0.113.25", REPORT_GOOD, "203.0.113.25 is named mail.example"},
        {HELO, nameless, "203.0.113.25", REPORT_WARNING, "no PTR record"},
        {HELO, elsewhere, "203.0.113.25", REPORT_WARNING, "does not lead back"},
        {HELO, broken, "203.0.113.25", REPORT_WARNING, "answers SERVFAIL"},
        {"myhostname = box.example\n", well, "203.0.113.25", REPORT_WARNING, "has no address"},
        {"myhostname = box.example\nsmtp_helo_name = mail.example\n", well, "203.0.113.25",
            REPORT_GOOD, NULL},
        {"myhostname = localhost\n", well, "203.0.113.25", REPORT_WARNING,
            "not a full domain name"},
        {HELO "smtp_bind_address = 203.0.113.25\n", well, "192.0.2.1", REPORT_GOOD, NULL},
        {HELO, well, "10.0.0.5", REPORT_NOTE, "NAT"},
        {HELO "relayhost = [relay.example]\n", nameless, "203.0.113.25", REPORT_SKIPPED,
            "relay host [relay.example]"},
        {HELO "default_transport = error: local only\n", nameless, "203.0.113.25", REPORT_SKIPPED,
            "sends no mail"},
        {HELO, nameless, "2001:db8::25", REPORT_WARNING, "smtp_address_preference=ipv4"},
        {HELO "inet_protocols = ipv4\n", nameless, "2001:db8::25", REPORT_NOTE, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct upstream upstream = {.rules = cases[i].rules};
        upstream_open(&upstream);
        given.server_count = 0;
        (void)give_server(&upstream);
        given.own_count = 1;
        assert_true(address_parse(cases[i].own, strlen(cases[i].own), 0, &given.own[0]));
        host_fixture_write(&fixture, MAIN_CF, cases[i].main_cf);
        (void)host_fixture_run(&fixture, CHECK_fcrdns_self);
        upstream_close(&upstream);
        host_fixture_expect(&fixture, CHECK_fcrdns_self, cases[i].level, cases[i].part);
        host_fixture_expect_below(&fixture, (enum report_level)(cases[i].level + 1));
    }
}

/* A mail server that says one thing to whoever comes. */
struct greeter {
    int fd;
    char host[64];
    const char *text;
    pthread_t thread;
};

static void *greeter_serve(void *context)
{
    const struct greeter *greeter = context;
    int fd = accept(greeter->fd, NULL, NULL);
    (void)send(fd, greeter->text, strlen(greeter->text), MSG_NOSIGNAL);
    (void)close(fd);
    return NULL;
}

static void greeter_open(struct greeter *greeter)
{
    struct address address;
    struct sockaddr_storage sockaddr;
    assert_true(address_parse("127.0.0.1", 9, 0, &address));
    socklen_t len = address_to_sockaddr(&address, &sockaddr);
    greeter->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(greeter->fd, (const struct sockaddr *)&sockaddr, len), 0);
    assert_int_equal(listen(greeter->fd, 4), 0);
    assert_int_equal(getsockname(greeter->fd, (struct sockaddr *)&sockaddr, &len), 0);
    address = address_from_sockaddr((const struct sockaddr *)&sockaddr);
    (void)address_format(&address, greeter->host, sizeof greeter->host);
}

struct greeting_case {
    const char *text;
    enum report_level level;
    const char *part;
};

static void test_port_25(void **state)
{
    static const struct greeting_case cases[] = {
        {"220 mx.example ESMTP\r\n", REPORT_GOOD, "greets: 220 mx.example ESMTP"},
        {"554 go away\r\n", REPORT_WARNING, "554 go away"},
        {"", REPORT_WARNING, "says nothing"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct greeter greeter = {.text = cases[i].text};
        greeter_open(&greeter);
        assert_int_equal(pthread_create(&greeter.thread, NULL, greeter_serve, &greeter), 0);
        fixture.options.smtp_host = greeter.host;
        (void)host_fixture_run(&fixture, CHECK_out_25);
        (void)pthread_join(greeter.thread, NULL);
        (void)close(greeter.fd);
        host_fixture_expect(&fixture, CHECK_out_25, cases[i].level, cases[i].part);
    }
}

/* A closed port, a name without an address, and nobody to ask for it. */
static void test_port_25_is_not_reached(void **state)
{
    struct greeter greeter = {.text = ""};
    struct upstream upstream = {.rules = well};
    (void)state;
    greeter_open(&greeter);
    (void)close(greeter.fd);
    fixture.options.smtp_host = greeter.host;
    (void)host_fixture_run(&fixture, CHECK_out_25);
    host_fixture_expect(&fixture, CHECK_out_25, REPORT_WARNING, "refused");

    upstream_open(&upstream);
    (void)give_server(&upstream);
    fixture.options.smtp_host = "nobody.example.org";
    (void)host_fixture_run(&fixture, CHECK_out_25);
    host_fixture_expect(&fixture, CHECK_out_25, REPORT_SKIPPED, "has no address");
    upstream_close(&upstream);

    fixture.options.smtp_host = NULL;
    (void)host_fixture_run(&fixture, CHECK_out_25);
    host_fixture_expect(&fixture, CHECK_out_25, REPORT_SKIPPED, "--smtp HOST");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_port_25, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_port_25_is_not_reached, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
