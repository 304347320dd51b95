/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "conf/explain.h"
#include "conf/parse.h"
#include "conf/settings.h"

static struct settings settings;
static struct settings again;
static struct findings findings;

static void parse(const char *text, struct settings *settings_out)
{
    settings_parse("test.conf", text, strlen(text), settings_out, &findings);
    for (size_t i = 0; findings.errors > 0 && i < findings.count; i++) {
        print_message("%u: %s\n", findings.items[i].line, findings.items[i].sentence);
    }
    assert_int_equal(findings.errors, 0);
}

/* Freed by the caller. */
static char *explain(const struct settings *from, enum explain_scope scope)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    explain_settings(from, scope, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static const char full[] = "listen = 127.0.0.1 ::1@5353 192.0.2.1@5300\n"
                           "allow = 127.0.0.0/8 ::1 2001:db8::/33 192.0.2.7\n"
                           "control_socket = /tmp/x.sock\n"
                           "metrics_listen = 127.0.0.1@9154\n"
                           "user =\n"
                           "workers = 4\n"
                           "upstreams = 192.0.2.53 2001:db8::53@5353\n"
                           "upstreams_file = /etc/other\n"
                           "try_timeout = 250ms\n"
                           "hedge_budget = 3\n"
                           "asks_max = 3\n"
                           "list_route = direct\n"
                           "direct_private = yes\n"
                           "ahead = no\n"
                           "ahead_worth = 60\n"
                           "answer_deadline = 3500ms\n"
                           "stale_patience = 0\n"
                           "stale_max = 0\n"
                           "stale_ttl = 1m\n"
                           "ttl_min = 1m\n"
                           "ttl_max = 2h\n"
                           "negative_ttl_max = 90s\n"
                           "udp_answer_max = 4000\n"
                           "private_lists_local = no\n"
                           "list_action = pass\n"
                           "list_tests = no\n"
                           "cache_size = 1500k\n"
                           "list_share = 40\n"
                           "questions_max = 100\n"
                           "ahead_rate = 70\n"
                           "refresh_rate = 7\n"
                           "tcp_clients_max = 10\n"
                           "tcp_idle = 5m\n"
                           "log_level = debug\n"
                           "query_log = /var/log/mxcache/questions\n"
                           "query_log_names = yes\n"
                           "snapshot_file =\n"
                           "snapshot_interval = 5m\n"
                           "\n"
                           "[upstream default]\n"
                           "trust_ad = insecurely\n"
                           "\n"
                           "[upstream office.1]\n"
                           "servers = 10.0.0.53 127.0.0.1@5335\n"
                           "trust_ad = no\n"
                           "\n"
                           "[upstream tls]\n"
                           "servers = 192.0.2.1@853 192.0.2.2#dns.example\n"
                           "trust_ad = no\n"
                           "tls_pins = sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= "
                           "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                           "\n"
                           "[zone example.net]\n"
                           "upstream = tls\n"
                           "\n"
                           "[zone example.corp]\n"
                           "upstream = office.1\n"
                           "\n"
                           "[zone .]\n"
                           "upstream = default\n"
                           "\n"
                           "[zone list.example.net]\n"
                           "upstream = default\n"
                           "route = auto\n"
                           "\n"
                           "[list bl.example.org]\n"
                           "kind = domain\n"
                           "has_key = yes\n"
                           "refused = 127.0.0.1 127.255.255.0/24\n"
                           "action = nxdomain\n"
                           "quota = 1000\n"
                           "\n"
                           "[list dbl.example.org]\n";

/* dnstap may be set only where it was built in, so here it has its default. */
static void cut_dnstap(char *text)
{
    static const char line[] = "\ndnstap =\n";
    char *at = strstr(text, line);
    assert_non_null(at);
    memmove(at + 1, at + sizeof line - 1, strlen(at + sizeof line - 1) + 1);
}

/* Already in the form that it is written in, with no other default in it. */
static void test_text_comes_back(void **state)
{
    (void)state;
    parse(full, &settings);
    char *all = explain(&settings, EXPLAIN_ALL);
    char *changed = explain(&settings, EXPLAIN_CHANGED);
    cut_dnstap(all);
    assert_string_equal(all, full);
    assert_string_equal(changed, full);
    free(changed);
    free(all);
}

static const char *const round_texts[] = {
    "",
    "upstreams = 192.0.2.1\n",
    "[zone a\\093b]\nupstream = default\n[zone a\\.b.\\035\\044\\032x\\\\y]\nupstream=default\n",
    "[zone \\000\\255]\nupstream = default\n",
    "[zone \\035a]\nupstream = default\n",
    "[zone A-very.Long\\\"name]\nupstream = default\n",
    "listen = 127.0.0.1@1 127.0.0.1@65535\nallow = 0.0.0.0/0 ::/0 127.0.0.1/32\n",
    "answer_deadline = 30s\nttl_max = 30d\nstale_max = 1234567ms\ncache_size = 1T\n",
    "control_socket = /x/\xc3\xa9\n",
    ("upstreams = 192.0.2.1@853\n[upstream default]\n"
     "tls_pins = sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"),
    "snapshot_file = /x/y\n",
};

static void test_settings_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof round_texts / sizeof round_texts[0]; i++) {
        parse(round_texts[i], &settings);
        char *all = explain(&settings, EXPLAIN_ALL);
        parse(all, &again);
        char *all_again = explain(&again, EXPLAIN_ALL);
        assert_string_equal(all, all_again);
        assert_int_equal(settings.zone_count, again.zone_count);
        for (size_t zone = 0; zone < settings.zone_count; zone++) {
            assert_int_equal(settings.zones[zone].name_len, again.zones[zone].name_len);
            assert_memory_equal(
                settings.zones[zone].name, again.zones[zone].name, settings.zones[zone].name_len);
        }
        assert_int_equal(settings.ttl_max_us, again.ttl_max_us);
        assert_int_equal(settings.stale_max_us, again.stale_max_us);
        assert_int_equal(settings.cache_size, again.cache_size);
        free(all_again);

        char *changed = explain(&settings, EXPLAIN_CHANGED);
        parse(changed, &again);
        all_again = explain(&again, EXPLAIN_ALL);
        assert_string_equal(all, all_again);
        free(all_again);
        free(changed);
        free(all);
    }
}

static void test_only_what_differs(void **state)
{
    (void)state;
    parse("workers = 1\ncache-size = 65536k\nttl_max = 2d\nuser =\n", &settings);
    char *changed = explain(&settings, EXPLAIN_CHANGED);
    assert_string_equal(changed, "user =\nttl_max = 2d\n");
    free(changed);
}

static void test_servers_from_file(void **state)
{
    (void)state;
    parse("upstreams = 192.0.2.1\n", &settings);
    settings.upstreams_from_file = true;
    char *all = explain(&settings, EXPLAIN_ALL);
    assert_non_null(strstr(all, "\nupstreams =\n# now from /etc/resolv.conf: 192.0.2.1\n"));
    free(all);
    char *changed = explain(&settings, EXPLAIN_CHANGED);
    assert_string_equal(changed, "");
    free(changed);
}

static void test_restart_needed(void **state)
{
    (void)state;
    char buffer[128];
    struct text names;
    text_init(&names, buffer, sizeof buffer);
    parse("", &settings);
    parse("ttl_max = 2d\nlog_level = debug\n", &again);
    assert_false(explain_restart_needed(&settings, &again, &names));
    assert_string_equal(buffer, "");
    parse("ttl_max = 2d\nquestions_max = 32\nlisten = 127.0.0.1\n", &again);
    assert_true(explain_restart_needed(&settings, &again, &names));
    assert_string_equal(buffer, "listen questions_max");
}

/* What a reload tells of its doing. */
static void test_difference(void **state)
{
    static const struct {
        const char *old;
        const char *new;
        const char *names;
    } cases[] = {
        {"", "", ""},
        {"cache_size = 1M\n", "cache_size = 1024k\n", ""},
        {"", "log_level = debug\ncache_size = 1M\n", "cache_size log_level"},
        {"upstreams = 192.0.2.1\n", "upstreams = 192.0.2.2\n", "upstreams"},
        {"", "[list bl.example]\nkind = ip\n", "sections"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char bytes[256];
        struct text names;
        text_init(&names, bytes, sizeof bytes);
        parse(cases[i].old, &settings);
        parse(cases[i].new, &again);
        explain_difference(&settings, &again, &names);
        assert_string_equal(bytes, cases[i].names);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_comes_back),
        cmocka_unit_test(test_difference),
        cmocka_unit_test(test_settings_come_back),
        cmocka_unit_test(test_only_what_differs),
        cmocka_unit_test(test_servers_from_file),
        cmocka_unit_test(test_restart_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
