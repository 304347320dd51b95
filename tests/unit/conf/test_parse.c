/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "conf/parse.h"
#include "conf/settings.h"

/* One finding: its place, its level and a part of its sentence. */
struct expectation {
    unsigned line;
    unsigned column;
    enum finding_level level;
    const char *part;
};

struct parse_case {
    const char *text;
    struct expectation expected[4]; /* Up to the first without a part; no others may come. */
};

static const struct parse_case cases[] = {
    {"", {{0}}},
    {"cache_size = 32M\n", {{0}}},
    {"cache-size = 32M\n", {{0}}},
    {"listen = 127.0.0.1, ::1@5353\n", {{0}}},
    {"user =\n", {{0}}},
    {"upstreams =\n", {{0}}},
    {"upstreams = 192.0.2.1\n  192.0.2.2@5353\n", {{0}}},

    /* Names. */
    {"lisen = 127.0.0.1\n", {{1, 1, FINDING_ERROR, "did you mean listen?"}}},
    {"nonsense = 1\n", {{1, 1, FINDING_ERROR, "mxcache conf --sample"}}},
    {"include = x\n", {{1, 1, FINDING_ERROR, "write include FILE"}}},
    {"include x\n", {{1, 9, FINDING_ERROR, "cannot be used here"}}},
    {"include\n", {{1, 8, FINDING_ERROR, "one file name"}}},
    {"metrics-listen =\n", {{0}}},
    {"metrics_listen = 127.0.0.1@9153 ::1\n",
        {{1, 33, FINDING_ERROR, "needs a port: write ::1@9153"}}},
    {"metrics_listen = 192.0.2.1@9153\n",
        {{1, 18, FINDING_WARNING, "whoever reaches that address"}}},
    {"snapshot_file =\n", {{0}}},
    {"snapshot_file = x\n", {{1, 17, FINDING_ERROR, "not an absolute path"}}},
    {"control_socket =\n", {{1, 17, FINDING_ERROR, "control_socket has no value"}}},
    {"workers = 1\nworkers = 1\n", {{2, 1, FINDING_ERROR, "is set already at test.conf:1"}}},
    {"stale-max = 1h\nstale_max = 2h\n", {{2, 1, FINDING_ERROR, "already at test.conf:1"}}},
    {"servers = 192.0.2.1\n",
        {{1, 1, FINDING_ERROR, "belong here: put it in an [upstream NAME] section"}}},
    {"upstream = 192.0.2.1\n",
        {{1, 1, FINDING_ERROR, "did you mean upstreams? Else put it in a [zone NAME] section"}}},
    {"w\xf6rkers = 1\n", {{1, 2, FINDING_ERROR, "outside ASCII"}}},
    {"workers\xc2\xa0= 1\n", {{1, 8, FINDING_ERROR, "a blank that is none"}}},
    {"workers 1\n", {{1, 9, FINDING_ERROR, "expected = behind the name"}}},
    {"\x1b[31m = 1\n", {{1, 1, FINDING_ERROR, "control byte (0x1b)"}}},

    /* Values: none, too many, of the wrong form, out of range. */
    {"workers =\n", {{1, 10, FINDING_ERROR, "workers has no value"}}},
    {"workers = 1 2\n", {{1, 13, FINDING_ERROR, "takes one value"}}},
    {"workers = x\n", {{1, 11, FINDING_ERROR, "not a whole number"}}},
    {"workers = -1\n", {{1, 11, FINDING_ERROR, "not a whole number"}}},
    {"workers = 0\n", {{1, 11, FINDING_ERROR, "1 to 64"}}},
    {"workers = 65\n", {{1, 11, FINDING_ERROR, "1 to 64"}}},
    {"workers = 99999999999999999999\n", {{1, 11, FINDING_ERROR, "not a whole number"}}},
    {"answer_deadline = 31s\n", {{1, 19, FINDING_ERROR, "100ms to 30s"}}},
    {"answer_deadline = 4 s\n", {{1, 21, FINDING_ERROR, "takes one value"}}},
    {"answer_deadline = 4sec\n", {{1, 19, FINDING_ERROR, "not a duration"}}},
    {"answer_deadline = 4.5s\n", {{1, 19, FINDING_ERROR, "not a duration"}}},
    {"cache_size = 1k\n", {{1, 14, FINDING_ERROR, "(a size: k, M or G"}}},
    {"cache_size = 64MB\n", {{1, 14, FINDING_ERROR, "not a size"}}},
    {"cache_size = 16777215T\n", {{1, 14, FINDING_ERROR, "out of range"}}},
    {"private_lists_local = maybe\n", {{1, 23, FINDING_ERROR, "neither yes nor no"}}},
    {"log_level = \"notice\"\n", {{1, 13, FINDING_ERROR, "without quotes"}}},
    {"snapshot_file = '/a b'\n", {{1, 17, FINDING_ERROR, "without quotes"}}},
    {"listen = 127.0.0.1 \"::1\"\n", {{1, 20, FINDING_ERROR, "without quotes"}}},
    {"ahead = YES\n", {{1, 9, FINDING_ERROR, "in small letters"}}},
    {"log_level = loud\n", {{1, 13, FINDING_ERROR, "notice"}}},
    {"log_level = notice_and_much_more_than_fits\n", {{1, 13, FINDING_ERROR, "notice"}}},
    {"control_socket = run/x\n", {{1, 18, FINDING_ERROR, "start it with /"}}},
    {"control_socket =\n", {{1, 17, FINDING_ERROR, "no value"}}},
    {"user = a b\n", {{1, 10, FINDING_ERROR, "takes one value"}}},

    /* Sections of DNS lists. */
    {"[list bl.example.org]\nkind = domain\nhas_key = yes\naction = pass\nquota = 10\n", {{0}}},
    {"[list bl.example.org]\nrefused = 127.0.0.1 127.255.255.0/24\n", {{0}}},
    {"[list bl.example.org]\nrefused =\n", {{0}}},
    {"list_action = pass\nlist_tests = no\n", {{0}}},
    {"list_action = auto\n", {{1, 15, FINDING_ERROR, "is none of servfail|nxdomain|pass"}}},
    {"[list a.b]\naction = drop\n", {{2, 10, FINDING_ERROR, "is none of auto|servfail|nxd"}}},
    {"[list a.b]\nkind = rbl\n", {{2, 8, FINDING_ERROR, "none of auto|ip|allow|domain|hash"}}},
    {"[list a.b]\nhas_key = maybe\n", {{2, 11, FINDING_ERROR, "is none of auto|yes|no"}}},
    {"[list a.b]\nrefused = 127.0.0.300\n", {{2, 11, FINDING_ERROR, "is not a network"}}},
    {"[list a.b]\nupstream = default\n", {{2, 1, FINDING_ERROR, "in a [zone NAME] section"}}},
    {"kind = ip\n", {{1, 1, FINDING_ERROR, "in a [list ZONE] section"}}},
    {"[list a.b]\nkinds = ip\n", {{2, 1, FINDING_ERROR, "did you mean kind?"}}},
    {"[list a.b]\nkind = ip\nkind = hash\n", {{3, 1, FINDING_ERROR, "already at test.conf:2"}}},
    {"[list a.b]\n[list A.B.]\n", {{2, 7, FINDING_ERROR, "stands already at test.conf:1"}}},
    {"[list]\n", {{1, 6, FINDING_ERROR, "write [list ZONE]"}}},
    {"[list a b]\n", {{1, 7, FINDING_ERROR, "write [list ZONE]"}}},
    {"[list .]\n", {{1, 7, FINDING_ERROR, "the root is no DNS list"}}},
    {"[list a..b]\n", {{1, 7, FINDING_ERROR, "not a domain name"}}},

    /* Lists: each wrong entry. */
    {"listen =\n", {{1, 9, FINDING_ERROR, "has 0 entries: it takes 1 to 16"}}},
    {"listen = localhost 127.0.0.1 1.2.3\n",
        {{1, 10, FINDING_ERROR, "\"localhost\" is not an address"},
            {1, 30, FINDING_ERROR, "\"1.2.3\" is not an address"}}},
    {"listen = 127.0.0.1@0\n", {{1, 10, FINDING_ERROR, "1 to 65535"}}},
    {"listen = 127.0.0.1@65536\n", {{1, 10, FINDING_ERROR, "1 to 65535"}}},
    {"listen = 127.0.0.1:53\n", {{1, 10, FINDING_ERROR, "ADDRESS@PORT"}}},
    {"upstreams = 192.0.2.1#\n", {{1, 13, FINDING_ERROR, "TLS name"}}},
    {"upstreams = 192.0.2.1#a..b\n", {{1, 13, FINDING_ERROR, "TLS name"}}},
    {"upstreams = 192.0.2.1#a/b\n", {{1, 13, FINDING_ERROR, "TLS name"}}},
    {"upstreams = 0.0.0.0\n", {{1, 13, FINDING_ERROR, "every address"}}},
    {"upstreams = dns.example.net\n", {{1, 13, FINDING_ERROR, "host names cannot be used"}}},
    {"allow = 127.0.0.0/8 ::1 10.1.2.3/8\n", {{1, 25, FINDING_ERROR, "write 10.0.0.0/8"}}},
    {"allow = 127.0.0.0/8 ::1 2001:db8::1/33\n", {{1, 25, FINDING_ERROR, "write 2001:db8::/33"}}},
    {"allow = 10.0.0.0/33\n", {{1, 9, FINDING_ERROR, "not a network"}}},
    {"allow = 10.0.0.0/\n", {{1, 9, FINDING_ERROR, "not a network"}}},
    {"allow = any\n", {{1, 9, FINDING_ERROR, "not a network"}}},

    /* Sections. */
    {"[upstream a]\nservers = 192.0.2.1\n[zone example.org]\nupstream = a\n", {{0}}},
    {"[zone .]\nupstream = default\n", {{0}}},
    {"[zone example.org]\nupstream = default\nroute = upstream\n", {{0}}},
    {"[forward x]\nany = thing\n", {{1, 2, FINDING_ERROR, "[zone NAME] and [list ZONE]"}}},
    {"[zone]\n", {{1, 6, FINDING_ERROR, "write [zone NAME]"}}},
    {"[upstream a b]\n", {{1, 11, FINDING_ERROR, "write [upstream NAME]"}}},
    {"[upstream a/b]\n", {{1, 11, FINDING_ERROR, "letters, digits"}}},
    {"[zone a..b]\n", {{1, 7, FINDING_ERROR, "not a domain name"}}},
    {"[zone m\xc3\xbcller.example]\n", {{1, 7, FINDING_ERROR, "xn-- form"}}},
    {"[list m\xfcller.example]\n", {{1, 7, FINDING_ERROR, "xn-- form"}}},
    {"[]\n", {{1, 1, FINDING_ERROR, "[zone NAME] and [list ZONE]"}}},
    {"[zone]\nlisten = x\n[upstream\nlisten = x\n",
        {{1, 6, FINDING_ERROR, "[zone NAME]"}, {3, 10, FINDING_ERROR, "closing ]"}}},
    {"[upstream a]\nservers = 192.0.2.1\n[upstream a]\n[zone x]\nupstream = a\n",
        {{3, 11, FINDING_ERROR, "stands already at test.conf:1"}}},
    {"[zone Example.ORG]\nupstream = default\n[zone example.org.]\nupstream = default\n",
        {{3, 7, FINDING_ERROR, "stands already at test.conf:1"}}},
    {"[zone x]\n", {{1, 7, FINDING_ERROR, "whom to ask"}}},
    {"[zone x]\nupstream = a\n", {{2, 12, FINDING_ERROR, "there is no group \"a\""}}},
    {"[upstream office]\nservers = 192.0.2.1\n[zone x]\nupstream = offcie\n",
        {{4, 12, FINDING_ERROR, "did you mean office?"}}},
    {"[zone x]\nupstream = default default\n", {{2, 12, FINDING_ERROR, "takes one value"}}},
    {"[zone x]\nupstream =\n", {{2, 11, FINDING_ERROR, "takes one value"}}},
    {"[zone example.org]\nroute = direct\n", {{0}}},
    {"[zone example.org]\nupstream = default\nroute = auto\n", {{0}}},
    {"list_route = direct\ndirect_private = yes\n", {{0}}},
    {"list_route = sideways\n", {{1, 14, FINDING_ERROR, "none of auto|direct|upstream"}}},
    {"[zone x]\nupstream = default\nroute = sideways\n",
        {{3, 9, FINDING_ERROR, "none of upstream|direct|auto"}}},
    {"[zone x]\nupstreams = default\n",
        {{2, 1, FINDING_ERROR, "above the first [section]"}, {1, 7, FINDING_ERROR, "whom to ask"}}},
    {"[upstream a]\nservers = 192.0.2.1\ntrust_ad = maybe\n[zone x]\nupstream = a\n",
        {{3, 12, FINDING_ERROR, "insecurely"}}},
    {"[upstream a]\nservers = 192.0.2.1\nsnapshot_file = /x\n[zone x]\nupstream = a\n",
        {{3, 1, FINDING_ERROR, "above the first [section]"}}},

    /* The group of the line upstreams. */
    {"[upstream default]\nservers = 192.0.2.1\n", {{0}}},
    {"upstreams = 192.0.2.1\n[upstream default]\ntrust_ad = insecurely\n", {{0}}},
    {"upstreams = 192.0.2.1\n[upstream default]\nservers = 192.0.2.2\n",
        {{3, 1, FINDING_ERROR, "set already at test.conf:1"}}},

    /* All in one run. */
    {"workers = x\nlog_level = y\nuser = a b\n[foo]\n",
        {{1, 11, FINDING_ERROR, "number"}, {2, 13, FINDING_ERROR, "level"},
            {3, 10, FINDING_ERROR, "one value"}, {4, 2, FINDING_ERROR, "section"}}},
};

static struct settings settings;
static struct findings findings;

static bool parse(const char *bytes, size_t len)
{
    char *copy = malloc(len == 0 ? 1 : len);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    bool is_good = settings_parse("test.conf", copy, len, &settings, &findings);
    free(copy);
    return is_good;
}

static void print_findings(const char *text)
{
    print_message("%s\n", text);
    for (size_t i = 0; i < findings.count; i++) {
        char line[FINDING_FILE_SIZE + FINDING_SENTENCE_SIZE + 64];
        finding_format(&findings.items[i], line, sizeof line);
        print_message("  %s\n", line);
    }
}

static bool is_as_expected(const struct parse_case *item)
{
    size_t count = 0;
    while (count < 4 && item->expected[count].part != NULL) {
        count++;
    }
    bool is_same = findings.count == count && findings.dropped == 0;
    for (size_t i = 0; is_same && i < count; i++) {
        const struct expectation *expected = &item->expected[i];
        const struct finding *finding = &findings.items[i];
        is_same = finding->line == expected->line && finding->column == expected->column &&
                  finding->level == expected->level &&
                  strstr(finding->sentence, expected->part) != NULL;
    }
    return is_same;
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool is_good = parse(cases[i].text, strlen(cases[i].text));
        if (!is_as_expected(&cases[i])) {
            print_findings(cases[i].text);
        }
        assert_true(is_as_expected(&cases[i]));
        assert_int_equal(is_good, findings.errors == 0);
    }
}

static void test_values_arrive(void **state)
{
    (void)state;
    static const char text[] = "listen = 127.0.0.2@5300 ::1\n"
                               "allow = 10.0.0.0/8, 2001:db8::/32\n"
                               "upstreams = 192.0.2.1 192.0.2.2@5353\n"
                               "answer_deadline = 3500ms\n"
                               "ttl_min = 60\n"
                               "cache_size = 2M\n"
                               "workers = 3\n"
                               "private_lists_local = no\n"
                               "log_level = debug\n"
                               "control_socket = /x/y\n"
                               "user =\n"
                               "[upstream office]\n"
                               "servers = 10.0.0.53\n"
                               "trust_ad = insecurely\n"
                               "[zone Corp.Example]\n"
                               "upstream = office\n"
                               "[zone b]\n"
                               "upstream = default\n";
    parse(text, sizeof text - 1);
    assert_int_equal(findings.errors, 0);
    assert_int_equal(settings.listen_count, 2);
    assert_int_equal(settings.listen[0].port, 5300);
    assert_int_equal(settings.listen[1].port, 53);
    assert_int_equal(settings.allow_count, 2);
    assert_int_equal(settings.allow[1].prefix, 32);
    assert_int_equal(settings.group_count, 2);
    assert_string_equal(settings.groups[0].name, "default");
    assert_int_equal(settings.groups[0].server_count, 2);
    assert_int_equal(settings.groups[0].servers[1].address.port, 5353);
    assert_false(settings.upstreams_from_file);
    assert_int_equal(settings.answer_deadline_us, 3500000);
    assert_int_equal(settings.ttl_min_us, 60000000);
    assert_int_equal(settings.cache_size, 2097152);
    assert_int_equal(settings.workers, 3);
    assert_false(settings.private_lists_local);
    assert_int_equal(settings.log_level, LOG_LEVEL_DEBUG);
    assert_string_equal(settings.control_socket, "/x/y");
    assert_string_equal(settings.user, "");
    assert_string_equal(settings.groups[1].name, "office");
    assert_int_equal(settings.groups[1].trust_ad, SETTINGS_TRUST_AD_INSECURELY);
    assert_int_equal(settings.groups[1].servers[0].address.bytes[3], 53);
    assert_int_equal(settings.zone_count, 2);
    assert_int_equal(settings.zones[0].name_len, 14);
    assert_memory_equal(settings.zones[0].name, "\4corp\7example", 14);
    assert_int_equal(settings.zones[0].group, 1);
    assert_int_equal(settings.zones[1].group, 0);
}

/* The limits of the tables, one past each. */
static void test_limits(void **state)
{
    (void)state;
    size_t size = 128 * 1024;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    struct text text;
    text_init(&text, bytes, size);
    for (unsigned i = 0; i < SETTINGS_ZONES_MAX; i++) {
        text_addf(&text, "[zone z%u]\nupstream = default\n", i);
    }
    parse(bytes, text.len);
    assert_int_equal(findings.errors, 0);
    assert_int_equal(settings.zone_count, SETTINGS_ZONES_MAX);
    text_add(&text, "[zone more]\nupstream = default\n");
    parse(bytes, text.len);
    assert_int_equal(findings.errors, 1);
    assert_int_equal(findings.items[0].line, 2 * SETTINGS_ZONES_MAX + 1);

    text_init(&text, bytes, size);
    for (unsigned i = 1; i <= SETTINGS_GROUPS_MAX; i++) {
        text_addf(&text, "[upstream g%u]\nservers = 192.0.2.1\n", i);
    }
    parse(bytes, text.len);
    assert_int_equal(findings.errors, 1);
    assert_non_null(strstr(findings.items[0].sentence, "more than 32"));

    text_init(&text, bytes, size);
    text_add(&text, "upstreams =");
    for (unsigned i = 0; i <= SETTINGS_SERVERS_MAX; i++) {
        text_addf(&text, " 192.0.2.%u", i + 1);
    }
    parse(bytes, text.len);
    assert_int_equal(findings.errors, 1);
    assert_non_null(strstr(findings.items[0].sentence, "has 17 entries: it takes 0 to 16"));
    free(bytes);
}

static void test_findings_are_bounded(void **state)
{
    (void)state;
    size_t size = 1024 * 1024;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i += 4) {
        memcpy(bytes + i, "x=1\n", 4);
    }
    assert_false(parse(bytes, size));
    assert_int_equal(findings.count, FINDINGS_MAX);
    assert_int_equal(findings.errors, size / 4);
    assert_int_equal(findings.dropped, size / 4 - FINDINGS_MAX);
    free(bytes);
}

static void test_file_too_large(void **state)
{
    (void)state;
    size_t size = 1024 * 1024 + 1;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    memset(bytes, '\n', size);
    assert_false(parse(bytes, size));
    assert_int_equal(findings.errors, 1);
    assert_non_null(strstr(findings.items[0].sentence, "1 MiB"));
    assert_true(parse(bytes, size - 1));
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_values_arrive),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_findings_are_bounded),
        cmocka_unit_test(test_file_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
