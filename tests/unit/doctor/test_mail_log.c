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

#include "base/clock.h"
#include "doctor/mail_log.h"

/* 2026-11-21 13:31:30 UTC; local time is an hour ahead. */
#define NOW_S    1795267890
#define OFFSET_S 3600

static struct mail_log mail_log;

static int set_up(void **state)
{
    (void)state;
    mail_log_init(&mail_log, NOW_S, OFFSET_S);
    return 0;
}

static void feed(const char *text)
{
    mail_log_feed(&mail_log, text, strlen(text));
}

static void test_stamps(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        size_t len;
        int64_t time_s;
    } rows[] = {
        {"Nov 21 14:31:30 mx postfix/smtpd[1]: x", 15, NOW_S},
        {"Nov  1 14:31:30 mx x", 15, NOW_S - 20 * 86400},
        {"Nov 22 14:31:29 mx x", 15, NOW_S + 86399},
        {"Dec 31 23:59:59 mx x", 15, 1767221999},
        {"2026-11-21T13:31:30.123456+00:00 mx x", 32, NOW_S},
        {"2026-11-21T14:31:30+01:00 mx", 25, NOW_S},
        {"2026-11-21T14:31:30+0100 mx", 24, NOW_S},
        {"2026-11-21T13:31:30Z mx", 20, NOW_S},
        {"2026-11-21T08:31:30-05:00 mx", 25, NOW_S},
        {"2026-11-21 14:31:30 #123(normal) <x>; y", 19, NOW_S},
        {"2024-02-29T00:00:00Z", 20, 1709164800},
        {"2026-13-21T13:31:30Z", 0, 0},
        {"2026-11-21X13:31:30Z", 0, 0},
        {"Foo 21 14:31:30 mx", 0, 0},
        {"Nov 21 25:31:30 mx", 0, 0},
        {"Nov 21 14:31", 0, 0},
        {"", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t time_s = 0;
        size_t len = mail_log_stamp(rows[i].line, strlen(rows[i].line), &mail_log, &time_s);
        assert_int_equal(len, rows[i].len);
        if (len > 0) {
            assert_int_equal(time_s, rows[i].time_s);
        }
    }
}

/* In the first days of a year, the last one's December and this one's January. */
static void test_new_year(void **state)
{
    (void)state;
    int64_t time_s;
    mail_log_init(&mail_log, 1798761600 + 600, 0); /* 2027-01-01 00:10. */
    assert_int_equal(mail_log_stamp("Dec 31 23:59:50 mx x", 20, &mail_log, &time_s), 15);
    assert_int_equal(time_s, 1798761590);
    assert_int_equal(mail_log_stamp("Jan  1 00:09:00 mx x", 20, &mail_log, &time_s), 15);
    assert_int_equal(time_s, 1798761600 + 540);
}

struct line_case {
    enum mail_log_pattern pattern;
    const char *text; /* Behind stamp and host. */
    const char *key;  /* NULL: none. */
};

static const struct line_case lines[] = {
    {LOG_NS_SOFT,
        "postfix/smtp[9]: 4A2: to=<a@b.example>, relay=none, delay=10, delays=0/0/10/0, dsn=4.4.3, "
        "status=deferred (Host or domain name not found. Name service error for name=b.example "
        "type=MX: Host not found, try again)",
        "b.example"},
    {LOG_NS_HARD,
        "postfix/smtp[9]: 4A2: to=<a@b.example>, relay=none, delay=0.1, delays=0/0/0.1/0, "
        "dsn=5.4.4, status=bounced (Host or domain name not found. Name service error for "
        "name=b.example type=AAAA: Host not found)",
        "b.example"},
    {LOG_NS_NO_DATA,
        "postfix-out/smtp[9]: 4A2: to=<a@b.example>, relay=none, dsn=5.4.4, status=bounced (Name "
        "service error for name=b.example type=A: Host found but no data record of requested "
        "type)",
        "b.example"},
    {LOG_PTR_SOFT,
        "postfix/smtpd[9]: warning: hostname mx.b.example does not resolve to address 192.0.2.7: "
        "Temporary failure in name resolution",
        "192.0.2.7"},
    {LOG_PTR_DEFERRED,
        "postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 450 4.7.25 Client host "
        "rejected: cannot find your hostname, [192.0.2.7]; from=<a@b>",
        NULL},
    {LOG_DOMAIN_DEFERRED,
        "postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 450 4.1.8 <a@b>: Sender "
        "address rejected: Domain not found; from=<a@b>",
        NULL},
    {LOG_HELO_DEFERRED,
        "postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 450 4.7.1 <x>: Helo "
        "command rejected: Host not found; from=<a@b>",
        NULL},
    {LOG_RBL_SOFT,
        "postfix/smtpd[9]: warning: 7.2.0.192.dead.example: RBL lookup error: Host or domain name "
        "not found. Name service error for name=7.2.0.192.dead.example type=A: Host not found, try "
        "again",
        "dead.example"},
    {LOG_DNSBLOG_ERROR,
        "postfix/dnsblog[9]: warning: dnsblog_query: lookup error for DNS query "
        "7.2.0.192.zen.spamhaus.org: Host or domain name not found. Name service error for "
        "name=7.2.0.192.zen.spamhaus.org type=A: Host not found, try again",
        "zen.spamhaus.org"},
    {LOG_DNSBLOG_TIMEOUT,
        "postfix/postscreen[9]: warning: dnsblog reply timeout 10s for ix.dnsbl.manitu.net",
        "ix.dnsbl.manitu.net"},
    {LOG_LIST_REFUSED,
        "postfix/dnsblog[9]: addr 192.0.2.7 listed by domain zen.spamhaus.org as 127.255.255.254",
        "zen.spamhaus.org"},
    {LOG_LIST_REJECTED,
        "postfix/smtpd[9]: NOQUEUE: reject: RCPT from mx[192.0.2.7]: 554 5.7.1 Service "
        "unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org; Error: open "
        "resolver; https://www.spamhaus.org/returnc/pub/; from=<a@b>",
        "zen.spamhaus.org"},
    {LOG_DANE_UNAVAILABLE, "postfix/smtp[9]: warning: DNSSEC validation may be unavailable", NULL},
    {LOG_DANE_TLSA_ERROR, "postfix/smtp[9]: warning: TLSA lookup error for mx.b.example:25",
        "mx.b.example"},
    {LOG_DANE_INSECURE, "postfix/smtp[9]: 4A2: to=<a@b>, status=deferred (non DNSSEC destination)",
        NULL},
    {LOG_TIMEOUT_DATA, "postfix/smtpd[9]: timeout after DATA (1024 bytes) from mx.b[192.0.2.7]",
        "mx.b[192.0.2.7]"},
    {LOG_TIMEOUT_OTHER, "postfix/smtpd[9]: timeout after END-OF-MESSAGE from mx.b[192.0.2.7]",
        "mx.b[192.0.2.7]"},
    {LOG_LOST_DATA, "postfix/smtpd[9]: lost connection after DATA (0 bytes) from mx.b[192.0.2.7]",
        "mx.b[192.0.2.7]"},
    {LOG_PEER_421,
        "postfix/smtp[9]: 4A2: to=<a@b>, relay=mx.b[192.0.2.7]:25, delay=60, "
        "delays=0/0/0/60, dsn=4.4.2, status=deferred (host mx.b[192.0.2.7] said: 421 4.4.2 mx.b "
        "Error: timeout exceeded (in reply to end of DATA command))",
        "mx.b[192.0.2.7]"},
    {LOG_PEER_SLOW,
        "postfix/smtp[9]: 4A2: conversation with mx.b[192.0.2.7] timed out while receiving the "
        "initial server greeting",
        "mx.b[192.0.2.7]"},
    {LOG_CONNECT_TIMEOUT, "postfix/smtp[9]: connect to mx.b[192.0.2.7]:25: Connection timed out",
        "mx.b[192.0.2.7]"},
    {LOG_POSTFIX_LIMIT,
        "postfix/master[9]: warning: service \"smtp\" (25) has reached its process limit \"100\": "
        "new clients may experience noticeable delays",
        "smtp"},
    {LOG_COMPONENT_DOWN,
        "postfix/smtpd[9]: warning: problem talking to server 127.0.0.1:10023: Connection refused",
        "127.0.0.1"},
    {LOG_MILTER_DOWN,
        "postfix/smtpd[9]: warning: connect to Milter service inet:localhost:8891: Connection "
        "refused",
        "inet"},
    {LOG_GREYLISTED,
        "postfix/smtpd[9]: NOQUEUE: reject: RCPT from mx.b[192.0.2.7]: 450 4.2.0 <a@b>: Recipient "
        "address rejected: Greylisted, see http://postgrey.example; from=<a@b>",
        "mx.b[192.0.2.7]"},
    {LOG_GREYLISTED_US,
        "postfix/smtp[9]: 4A2: to=<a@b>, relay=mx.b[192.0.2.7]:25, status=deferred (host mx.b "
        "said: "
        "451 4.7.1 Greylisting in action)",
        "mx.b[192.0.2.7]"},
    {LOG_CHROOT_DIFFERS,
        "postfix/postfix-script[9]: warning: /var/spool/postfix/etc/resolv.conf and "
        "/etc/resolv.conf differ",
        NULL},
    {LOG_RSPAMD_DISABLED,
        "rspamd[9]: (normal) <x>; monitored; rspamd_monitored_propagate_error: timeout on "
        "resolving ix.dnsbl.manitu.net, disable object",
        "ix.dnsbl.manitu.net"},
    {LOG_RSPAMD_MONITORED,
        "rspamd[9]: <x>; monitored; rspamd_monitored_dns_cb: DNS reply returned 'no error' for "
        "multi.uribl.com while 'no records with this name' was expected",
        "multi.uribl.com"},
    {LOG_RSPAMD_RETRY,
        "rspamd[9]: <x>; monitored; rspamd_monitored_propagate_error: servfail on resolving "
        "public.sarbl.org, 2 retries left",
        "public.sarbl.org"},
    {LOG_SA_URIBL_BLOCKED, "spamd[9]: spamd: result: . 0 - SPF_PASS,URIBL_BLOCKED scantime=1",
        NULL},
    {LOG_SA_DNSWL_BLOCKED, "spamd[9]: spamd: result: . 0 - RCVD_IN_DNSWL_BLOCKED scantime=1", NULL},
};

/* Each line counts for its pattern, and for no other. */
static void test_patterns(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char line[1024];
        mail_log_init(&mail_log, NOW_S, OFFSET_S);
        (void)snprintf(line, sizeof line, "Nov 21 12:00:00 mx %s\n", lines[i].text);
        feed(line);
        for (int pattern = 0; pattern < (int)LOG_PATTERNS; pattern++) {
            uint64_t expected = (int)lines[i].pattern == pattern;
            if (mail_log.tallies[pattern].count != expected) {
                print_message("pattern %d: %s\n", pattern, line);
            }
            assert_int_equal(mail_log.tallies[pattern].count, expected);
        }
        const struct mail_log_tally *tally = &mail_log.tallies[lines[i].pattern];
        const struct mail_log_key *key = mail_log_top_key(tally);
        assert_int_equal(key != NULL, lines[i].key != NULL);
        if (key != NULL) {
            assert_string_equal(key->text, lines[i].key);
        }
        line[strlen(line) - 1] = '\0';
        assert_string_equal(tally->example, line);
        assert_int_equal(tally->first_s, NOW_S - 5490 - 3600);
    }
}

/* What is said in a text by a stranger is not taken for what another program says. */
static void test_other_program(void **state)
{
    (void)state;
    feed("Nov 21 12:00:00 mx postfix/qmgr[9]: timeout after DATA from mx\n"
         "Nov 21 12:00:00 mx sshd[9]: Invalid user postfix/smtpd[: timeout after DATA from mx\n");
    assert_int_equal(mail_log.tallies[LOG_TIMEOUT_DATA].count, 0);
    assert_int_equal(mail_log.lines, 2);
}

static void test_pieces(void **state)
{
    (void)state;
    static const char text[] = "Nov 21 12:00:00 mx postfix/smtpd[9]: timeout after DATA from a[1]\n"
                               "Nov 21 13:00:00 mx postfix/smtpd[9]: timeout after DATA from b[1]";
    for (size_t i = 0; i < sizeof text - 1; i++) {
        mail_log_feed(&mail_log, text + i, 1);
    }
    assert_int_equal(mail_log.lines, 1);
    mail_log_end(&mail_log);
    mail_log_end(&mail_log);
    assert_int_equal(mail_log.lines, 2);
    const struct mail_log_tally *tally = &mail_log.tallies[LOG_TIMEOUT_DATA];
    assert_int_equal(tally->count, 2);
    assert_int_equal(tally->key_count, 2);
    assert_int_equal(tally->last_s - tally->first_s, 3600);
    assert_non_null(strstr(tally->example, "from b[1]"));
}

static void test_hostile(void **state)
{
    (void)state;
    static char bytes[3 * MAIL_LOG_LINE_MAX];
    memset(bytes, 'x', sizeof bytes);
    mail_log_feed(&mail_log, bytes, sizeof bytes);
    mail_log_feed(&mail_log, "\n", 1);
    memset(bytes, 0, sizeof bytes);
    mail_log_feed(&mail_log, bytes, sizeof bytes);
    mail_log_end(&mail_log);
    feed("\n\n: \n delays=\n");
    for (int i = 0; i < 200; i++) {
        char line[128];
        (void)snprintf(line, sizeof line,
            "Nov 21 12:00:00 mx postfix/smtpd[9]: timeout after DATA from %s%d[1]\n",
            i % 2 == 0 ? "often" : "seldom", i % 2 == 0 ? 0 : i);
        feed(line);
    }
    const struct mail_log_tally *tally = &mail_log.tallies[LOG_TIMEOUT_DATA];
    assert_int_equal(tally->count, 200);
    assert_int_equal(tally->key_count, MAIL_LOG_KEYS);
    assert_string_equal(mail_log_top_key(tally)->text, "often0[1]");
    assert_int_equal(mail_log_top_key(tally)->count, 100);
}

static void test_redact(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *after;
    } rows[] = {
        {"name=7.2.0.192.secretkey.zen.dq.spamhaus.net type=A",
            "name=7.2.0.192.*.zen.dq.spamhaus.net type=A"},
        {"x.SECRET.zen.dq.spamhaus.net", "x.*.zen.dq.spamhaus.net"},
        {"a SECRET.zen.dq.spamhaus.net b S.zen.dq.spamhaus.net",
            "a *.zen.dq.spamhaus.net b *.zen.dq.spamhaus.net"},
        {"zen.dq.spamhaus.net", "zen.dq.spamhaus.net"},
        {"7.2.0.192.zen.spamhaus.org", "7.2.0.192.zen.spamhaus.org"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "%s", rows[i].before);
        mail_log_redact(text);
        assert_string_equal(text, rows[i].after);
    }
    feed("Nov 21 12:00:00 mx postfix/smtpd[9]: warning: 7.2.0.192.secret.zen.dq.spamhaus.net: RBL "
         "lookup error: Name service error for name=7.2.0.192.secret.zen.dq.spamhaus.net type=A: "
         "Host not found, try again\n");
    const struct mail_log_tally *tally = &mail_log.tallies[LOG_RBL_SOFT];
    assert_int_equal(tally->count, 1);
    assert_null(strstr(tally->example, "secret"));
    assert_string_equal(tally->keys[0].text, "zen.dq.spamhaus.net");
}

static void test_delays(void **state)
{
    (void)state;
    static const char sent[] =
        "Nov 21 12:00:00 mx postfix/smtp[9]: 4A2: to=<a@b>, relay=mx[192.0.2.1]:25, delay=9, "
        "delays=0.5/0.01/2.25/0.3, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n";
    for (int i = 0; i < 10; i++) {
        feed(sent);
    }
    feed("Nov 21 12:00:00 mx postfix/smtp[9]: 4A3: to=<a@b>, relay=none, delay=10, "
         "delays=0.5/0.01/10/0, dsn=4.4.3, status=deferred (Name service error for name=b type=MX: "
         "Host not found, try again)\n"
         "Nov 21 12:00:00 mx postfix/smtp[9]: 4A3: to=<a@b>, relay=none, delay=30, "
         "delays=0.5/0.01/30/0, dsn=4.4.1, status=deferred (connect to b[1]:25: Connection timed "
         "out)\n"
         "Nov 21 12:00:00 mx postfix/smtp[9]: 4A3: delays=1/2, status=sent\n"
         "Nov 21 12:00:00 mx postfix/smtp[9]: 4A3: delays=99999999999999999999/1/1/1, status=sent\n"
         "Nov 21 12:00:00 mx postfix/local[9]: 4A3: delays=1/1/50/1, status=sent\n");
    assert_int_equal(mail_log.sent, 11);
    assert_int_equal(mail_log.deferred, 2);
    assert_int_equal(mail_log.slow_dns, 1);
    const struct histogram_sum *sum = &mail_log.delays[MAIL_LOG_CONNECTION];
    assert_int_equal(sum->count, 11);
    uint64_t median = histogram_quantile(sum, 500);
    assert_in_range(median, 2150000, 2350000);
    /* What took ages before the queue was no conversation. */
    assert_int_equal(mail_log.delays[MAIL_LOG_BEFORE_QUEUE].count, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_stamps, set_up),
        cmocka_unit_test_setup(test_new_year, set_up),
        cmocka_unit_test_setup(test_patterns, set_up),
        cmocka_unit_test_setup(test_other_program, set_up),
        cmocka_unit_test_setup(test_pieces, set_up),
        cmocka_unit_test_setup(test_hostile, set_up),
        cmocka_unit_test_setup(test_redact, set_up),
        cmocka_unit_test_setup(test_delays, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
