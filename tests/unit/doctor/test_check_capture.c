/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doctor/capture_file.h"
#include "tests/support/capture_scripts.h"
#include "tests/support/host_fixture.h"

/* A capture from file to finding. */

static struct host_fixture fixture;
static char path[256];

static int set_up(void **state)
{
    (void)state;
    host_fixture_init(&fixture);
    host_fixture_path(&fixture, "/smtp.pcap", path, sizeof path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    host_fixture_fini(&fixture);
    return 0;
}

static void skip_without_library(void)
{
    if (strncmp(capture_file_library(), "libpcap version", 15) != 0) {
        skip();
    }
}

/* A capture of the named conversations, each with a client of its own. */
static void capture(const struct script_wire *wire, size_t count, const char *const names[])
{
    struct script_file file;
    struct script_wire own = *wire;
    script_file_init(&file, wire->link);
    for (size_t i = 0; i < count; i++) {
        const struct script_case *script = script_find(names[i]);
        own.client_port = (uint16_t)(wire->client_port + i);
        script_play(script->rows, script->count, &own, script_file_add, &file);
    }
    host_fixture_write_bytes(&fixture, "/smtp.pcap", (const char *)file.bytes, file.len);
    free(file.bytes);
    fixture.options.capture = path;
    (void)host_fixture_run(&fixture, CHECK_capture);
}

static void expect(enum report_level level, const char *part)
{
    host_fixture_expect(&fixture, CHECK_capture, level, part);
}

static const char *picture(void)
{
    for (size_t i = 0; i < fixture.doctor->report.count; i++) {
        if (fixture.doctor->report.entries[i].picture != NULL) {
            return fixture.doctor->report.entries[i].picture;
        }
    }
    fail_msg("no picture");
    return "";
}

static void test_not_asked(void **state)
{
    (void)state;
    fixture.options.capture = NULL;
    (void)host_fixture_run(&fixture, CHECK_capture);
    expect(REPORT_SKIPPED, "tcpdump -s0 -w FILE port 25");
}

static void test_healthy(void **state)
{
    static const char *const names[] = {"healthy", "healthy-pipelined", "healthy-chunks",
        "healthy-postscreen", "healthy-idle", "reordered"};
    (void)state;
    skip_without_library();
    capture(&script_wire_plain, 6, names);
    expect(REPORT_GOOD, "6 conversations");
    host_fixture_expect_below(&fixture, REPORT_NOTE);
}

/* The classic: 354, a client that waits for its own DNS, 421, FIN, and a late RST. */
static void test_classic(void **state)
{
    static const char *const names[] = {"stalled-354-late", "healthy", "stalled-354-late"};
    (void)state;
    skip_without_library();
    capture(&script_wire_plain, 3, names);
    expect(
        REPORT_ERROR, "2 conversations like this; the worst: 192.0.2.7 to 198.51.100.25 port 25");
    expect(REPORT_ERROR, "after 354, the go-ahead for the message, the client sent nothing for "
                         "60.0 s, until the server gave up with 421.");
    expect(REPORT_ERROR, "The client went on 72.3 s after it had been asked, too late");
    expect(REPORT_ERROR, "60 s is no default of Postfix (300 s): an smtpd_timeout of 60 s");
    expect(REPORT_ERROR, "In all of them the client is 192.0.2.7.");
    expect(REPORT_ERROR, "If the client is yours: something in it waits");
    expect(REPORT_ERROR, "If the server is yours: the sender is slow, not you");
    expect(REPORT_ERROR, "in the capture the client (192.0.2.7) is silent for 60 s");
    assert_non_null(strstr(picture(), " 60.220 "));
    assert_non_null(strstr(picture(), ": 60.0 s, the client's turn\n"));
    assert_non_null(strstr(picture(), "RCPT TO:<...@example.org>"));
    assert_null(strstr(picture(), "bert"));
    assert_non_null(strstr(picture(), "<-- RST\n"));
    expect(REPORT_NOTE, "The capture has 3 conversations");
}

/* At home on the server's side: the advice is for it, and its own main.cf is named. */
static void test_own_limit(void **state)
{
    static const char *const names[] = {"stalled-354-late"};
    struct script_wire wire = script_wire_plain;
    (void)state;
    skip_without_library();
    wire.hops[CAPTURE_CLIENT] = 51;
    host_fixture_write(&fixture, "/etc/postfix/main.cf", "myhostname = mx\nsmtpd_timeout = 60s\n");
    host_fixture_write(&fixture, "/etc/postfix/master.cf", "smtp inet n - y - - smtpd\n");
    capture(&wire, 1, names);
    expect(REPORT_ERROR, "The capture was made at the server.");
    expect(REPORT_ERROR, "/etc/postfix/main.cf:2 sets smtpd_timeout to 60 s");
    assert_null(strstr(fixture.doctor->report.entries[0].change, "If the client is yours"));
}

struct sentence {
    const char *name;
    enum report_level level;
    const char *part;
};

static void test_sentences(void **state)
{
    static const struct sentence sentences[] = {
        {"stalled-354-silent", REPORT_ERROR, "five minutes of RFC 5321"},
        {"stalled-message", REPORT_ERROR, "in the middle of the message the client"},
        {"stalled-banner-dns", REPORT_WARNING, "DNS is likely what it waited for"},
        {"stalled-banner-given-up", REPORT_ERROR, "until the client closed the connection"},
        {"stalled-rcpt", REPORT_WARNING, "the server did not answer RCPT TO for 10.0 s"},
        {"stalled-rcpt-given-up", REPORT_ERROR, "until the client reset the connection"},
        {"stalled-dot", REPORT_ERROR, "milter_content_timeout"},
        {"black-hole-long", REPORT_ERROR, "4 packets were sent again, 4 of them long"},
        {"black-hole-long", REPORT_ERROR, "smaller than the 1500 bytes agreed on"},
        {"black-hole-receiver", REPORT_ERROR, "tcp_mtu_probing"},
        {"loss", REPORT_WARNING, "mtr -T -P 25"},
        {"blocked", REPORT_WARNING, "the server did not read"},
        {"unanswered", REPORT_ERROR, "knocked 4 times"},
        {"refused", REPORT_WARNING, "inet_interfaces"},
        {"greylisted", REPORT_NOTE, "\"450 4.2.0 <...@example.org>: Recipient address"},
        {"dns-deferred", REPORT_WARNING, "4.7.25 Client host rejected"},
        {"turned-away", REPORT_NOTE, "421 4.7.0"},
        {"broken-off", REPORT_WARNING, "the client broke off in the middle"},
        {"tarpit", REPORT_NOTE, "takes its time with each reply"},
        {"encrypted", REPORT_WARNING, "under TLS, when it was its turn, the client said nothing"},
        {"from-the-middle", REPORT_WARNING, "RCPT TO for 15.0 s"},
    };
    (void)state;
    skip_without_library();
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++) {
        capture(&script_wire_plain, 1, &sentences[i].name);
        expect(sentences[i].level, sentences[i].part);
    }
}

/* What is secret or of persons stays out of every sentence and picture. */
static void test_redacted(void **state)
{
    (void)state;
    skip_without_library();
    for (size_t i = 0; i < SCRIPT_CASES; i++) {
        capture(&script_wire_plain, 1, &script_cases[i].name);
        for (size_t j = 0; j < fixture.doctor->report.count; j++) {
            const struct report_entry *entry = &fixture.doctor->report.entries[j];
            assert_null(strstr(entry->seen, "bert@"));
            if (entry->picture != NULL) {
                assert_null(strstr(entry->picture, "bert@"));
                assert_null(strstr(entry->picture, "anna@"));
                assert_null(strstr(entry->picture, "c2Vj"));
                assert_null(strstr(entry->picture, "xxxx"));
            }
        }
    }
}

static void test_lacking(void **state)
{
    static const char *const names[] = {"healthy"};
    struct script_wire wire = script_wire_plain;
    (void)state;
    skip_without_library();
    wire.snaplen = 96;
    capture(&wire, 1, names);
    expect(REPORT_NOTE, "cut short");
    wire.server_port = 4025;
    capture(&wire, 1, names);
    expect(REPORT_NOTE, "no conversation of SMTP");
    fixture.options.capture_port = 4025;
    wire.snaplen = 0;
    capture(&wire, 1, names);
    expect(REPORT_GOOD, "1 conversation in");
}

static void test_unreadable(void **state)
{
    (void)state;
    skip_without_library();
    fixture.options.capture = "/nowhere/at/all";
    (void)host_fixture_run(&fixture, CHECK_capture);
    expect(REPORT_WARNING, "/nowhere/at/all cannot be read: No such file");
    host_fixture_write(&fixture, "/smtp.pcap", "From: somebody\n");
    fixture.options.capture = path;
    (void)host_fixture_run(&fixture, CHECK_capture);
    expect(REPORT_WARNING, "no packet capture that libpcap understands");
    fixture.options.capture = "/dev/zero";
    (void)host_fixture_run(&fixture, CHECK_capture);
    expect(REPORT_WARNING, "is no file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_not_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_healthy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_classic, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_own_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sentences, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_redacted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lacking, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unreadable, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
