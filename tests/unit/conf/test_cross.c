/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "conf/cross.h"
#include "conf/parse.h"
#include "conf/resolv_conf.h"
#include "conf/settings.h"

/* The one finding that a text brings; none without a part. */
struct cross_case {
    const char *text;
    unsigned line;
    unsigned column;
    enum finding_level level;
    const char *part;
};

#define GROUP "[zone x]\nupstream = a\n[upstream a]\n"
#define PINS  "tls_pins = sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

static const struct cross_case cases[] = {
    /* Times. */
    {"answer_deadline = 4999ms\n", 0, 0, FINDING_WARNING, NULL},
    {"answer_deadline = 5s\n", 1, 1, FINDING_WARNING, "libc asks again after 5 s"},
    {"stale_patience = 4s\n", 1, 1, FINDING_ERROR, "not below answer_deadline = 4s"},
    {"stale_patience = 3999ms\n", 0, 0, FINDING_ERROR, NULL},
    {"try_timeout = 300ms\nanswer_deadline = 400ms\n", 2, 1, FINDING_ERROR,
        "stale_patience = 400ms is not below"},
    {"stale_patience = 0\nanswer_deadline = 700ms\n", 2, 1, FINDING_WARNING,
        "try_timeout = 800ms is not below"},
    {"ttl_min = 1h\nttl_max = 30m\n", 1, 1, FINDING_ERROR, "ttl_min = 1h is above ttl_max = 30m"},
    {"ttl_max = 1h\nttl_min = 1h\n", 0, 0, FINDING_ERROR, NULL},
    /* A value that was wrong already does not count. */
    {"stale_patience = 4x\nanswer_deadline = 200ms\ntry_timeout = 100ms\n", 1, 18, FINDING_ERROR,
        "not a duration"},

    /* Who may ask. */
    {"listen = 0.0.0.0\nallow = 0.0.0.0/0\n", 1, 10, FINDING_WARNING, "open resolver"},
    {"listen = ::1 ::\nallow = ::/0\n", 1, 14, FINDING_WARNING, "open resolver"},
    {"listen = 198.51.100.1\nallow = 0.0.0.0/0\n", 1, 10, FINDING_WARNING, "open resolver"},
    {"listen = 10.0.0.1\nallow = 0.0.0.0/0\n", 0, 0, FINDING_WARNING, NULL},
    {"listen = ::\nallow = 0.0.0.0/0\n", 0, 0, FINDING_WARNING, NULL},
    {"listen = 0.0.0.0\nallow = 10.0.0.0/8\n", 0, 0, FINDING_WARNING, NULL},
    {"listen = 127.0.0.1\nallow = 10.0.0.0/8\n", 0, 0, FINDING_WARNING, NULL},
    {"allow = ::/0\n", 0, 0, FINDING_WARNING, NULL},
    {"listen = 127.0.0.1 127.0.0.1@53\n", 1, 20, FINDING_ERROR, "twice"},
    {"listen = 127.0.0.1 127.0.0.1@54\n", 0, 0, FINDING_ERROR, NULL},

    /* Servers. */
    {"upstreams = 127.0.0.1\n", 1, 13, FINDING_ERROR, "forwarding loop to ourselves"},
    {"upstreams = 192.0.2.1 ::1\n", 1, 23, FINDING_ERROR, "::1@53 is our own address"},
    {"upstreams = 127.0.0.1@5335\n", 0, 0, FINDING_ERROR, NULL},
    {"upstreams = 127.0.0.2\n", 0, 0, FINDING_ERROR, NULL},
    {"listen = 0.0.0.0\nupstreams = 127.0.0.2\n", 2, 13, FINDING_ERROR, "forwarding loop"},
    {"listen = 0.0.0.0\nupstreams = 127.0.0.2@5335 192.0.2.1 ::1\n", 0, 0, FINDING_ERROR, NULL},
    {"listen = x\nupstreams = 127.0.0.1\n", 1, 10, FINDING_ERROR, "not an address"},
    {GROUP "servers = 127.0.0.1\n", 4, 11, FINDING_ERROR, "forwarding loop"},
    {"upstreams = 192.0.2.1 192.0.2.1@53\n", 1, 23, FINDING_WARNING, "stands twice"},
    {"upstreams = 192.0.2.1#dns.example.net\n", 0, 0, FINDING_ERROR, NULL},

    /* Groups. */
    {"[upstream a]\n[zone x]\nupstream = a\n", 1, 11, FINDING_ERROR, "no servers"},
    {GROUP "servers =\n", 4, 10, FINDING_ERROR, "0 entries"},
    {"[upstream a]\nservers = 192.0.2.1\n", 1, 11, FINDING_WARNING, "no zone asks this group"},

    /* Trust. */
    {GROUP "servers = 192.0.2.1\ntrust_ad = yes\n", 5, 1, FINDING_ERROR, "or insecurely to take"},
    {GROUP "servers = 192.0.2.1\ntrust_ad = insecurely\n", 0, 0, FINDING_ERROR, NULL},
    {GROUP "servers = 192.0.2.1\ntrust_ad = no\n", 0, 0, FINDING_ERROR, NULL},
    {GROUP "servers = 127.0.0.1@5335 ::1@5335\ntrust_ad = yes\n", 0, 0, FINDING_ERROR, NULL},
    {GROUP "servers = 127.0.0.1@5335 10.0.0.1\ntrust_ad = yes\n", 5, 1, FINDING_ERROR,
        "10.0.0.1 is asked in clear"},
    {"upstreams = 192.0.2.1\n[upstream default]\ntrust_ad = yes\n", 3, 1, FINDING_ERROR,
        "192.0.2.1 is asked in clear"},
    {"upstreams = 127.0.0.1@5335\n[upstream default]\ntrust_ad = yes\n", 0, 0, FINDING_ERROR, NULL},

    /* Pins. */
    {GROUP "servers = 192.0.2.1@853\n" PINS "trust_ad = yes\n", 0, 0, FINDING_ERROR, NULL},
    {GROUP "servers = 192.0.2.1@8853 192.0.2.2#b.example\n" PINS, 0, 0, FINDING_ERROR, NULL},
    {GROUP "servers = 192.0.2.2@53#b.example\n" PINS, 0, 0, FINDING_ERROR, NULL},
    {GROUP PINS "servers = 192.0.2.1@853 192.0.2.2 192.0.2.3\n", 4, 1, FINDING_ERROR,
        "192.0.2.2 is asked in clear and shows no key: write 192.0.2.2@853 for TLS"},
    {"[upstream default]\n" PINS "servers = 2001:db8::1\n", 2, 1, FINDING_ERROR,
        "write 2001:db8::1@853 for TLS with the key as its only proof, or 2001:db8::1#TLS-NAME"},
    {GROUP "servers = 192.0.2.1@853\ntls_pins =\n", 0, 0, FINDING_ERROR, NULL},
    {GROUP "servers = 192.0.2.1\ntls_pins = sha256/x\n", 5, 12, FINDING_ERROR, "is not a pin"},
};

static struct settings settings;
static struct findings findings;

static bool is_as_expected(const struct cross_case *item)
{
    if (item->part == NULL) {
        return findings.count == 0;
    }
    const struct finding *finding = &findings.items[0];
    return findings.count == 1 && finding->line == item->line && finding->column == item->column &&
           finding->level == item->level && strstr(finding->sentence, item->part) != NULL;
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text = cases[i].text;
        settings_parse("test.conf", text, strlen(text), &settings, &findings);
        if (!is_as_expected(&cases[i])) {
            print_message("%s", text);
            for (size_t at = 0; at < findings.count; at++) {
                const struct finding *finding = &findings.items[at];
                print_message("  %u:%u %s\n", finding->line, finding->column, finding->sentence);
            }
        }
        assert_true(is_as_expected(&cases[i]));
    }
}

static size_t check_libc(const char *text)
{
    struct resolv_conf file;
    resolv_conf_parse(text, strlen(text), &file);
    memset(&findings, 0, sizeof findings);
    cross_check_libc(&settings, "/etc/resolv.conf", &file, &findings);
    return findings.count;
}

static void test_libc_timeout(void **state)
{
    (void)state;
    settings_parse("test.conf", "", 0, &settings, &findings);
    assert_int_equal(check_libc("options timeout:1\n"), 1);
    assert_int_equal(findings.items[0].level, FINDING_WARNING);
    assert_non_null(strstr(findings.items[0].sentence, "answer_deadline = 4s"));
    assert_int_equal(check_libc("options timeout:3\n"), 1);
    assert_int_equal(check_libc("options timeout:4\n"), 1);
    assert_int_equal(check_libc("options timeout:5\n"), 0);
    assert_int_equal(check_libc("options attempts:1\n"), 0);
    settings.answer_deadline_us = 30 * CLOCK_US_PER_S;
    assert_int_equal(check_libc("nameserver 127.0.0.1\n"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_libc_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
