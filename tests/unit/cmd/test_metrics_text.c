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
#include "daemon/metrics_text.h"
#include "cmd/stats_read.h"
#include "daemon/stats_view.h"
#include "tests/unit/cmd/stats_fixture.h"

#define NAME_SIZE    96
#define FAMILIES_MAX 64

struct bench {
    struct stats_view view;
    struct text text;
    char data[1 << 20];
};

static int bench_new(void **state)
{
    *state = malloc(sizeof(struct bench));
    return *state == NULL ? -1 : 0;
}

static int bench_free(void **state)
{
    free(*state);
    return 0;
}

static char *render(struct bench *bench, const char *text)
{
    struct reply reply;
    assert_true(reply_set(&reply, text));
    assert_true(stats_read(&reply, &bench->view));
    reply_fini(&reply);
    text_init(&bench->text, bench->data, sizeof bench->data);
    metrics_text_add(&bench->text, &bench->view, METRICS_FORM_OPENMETRICS);
    assert_false(bench->text.is_cut);
    return bench->data;
}

/* What the text has said so far. */
struct judge {
    char families[FAMILIES_MAX][NAME_SIZE];
    size_t family_count;
    char type[NAME_SIZE];
    uint64_t bucket_last; /* Of the running histogram, to see that it only grows. */
    bool is_ended;
};

static const char *family(const struct judge *judge)
{
    assert_in_range(judge->family_count, 1, FAMILIES_MAX);
    return judge->families[judge->family_count - 1];
}

/* A family appears once, and everything about it stands together. */
static void judge_comment(struct judge *judge, const char *line)
{
    char keyword[NAME_SIZE];
    char name[NAME_SIZE];
    char rest[NAME_SIZE];
    assert_int_equal(sscanf(line, "# %95s %95s %95s", keyword, name, rest), 3);
    if (strcmp(keyword, "TYPE") != 0) {
        assert_true(strcmp(keyword, "HELP") == 0 || strcmp(keyword, "UNIT") == 0);
        assert_string_equal(name, family(judge));
        return;
    }
    for (size_t i = 0; i < judge->family_count; i++) {
        assert_int_not_equal(strcmp(judge->families[i], name), 0);
    }
    assert_in_range(judge->family_count, 0, FAMILIES_MAX - 1);
    memcpy(judge->families[judge->family_count++], name, sizeof name);
    memcpy(judge->type, rest, sizeof rest);
}

/* Labels in braces, each name="value"; returns what stands behind. */
static const char *judge_labels(const char *at)
{
    do {
        at++;
        size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
        assert_in_range(len, 1, NAME_SIZE);
        assert_memory_equal(at + len, "=\"", 2);
        for (at += len + 2; *at != '"'; at++) {
            assert_true(*at >= ' ' && *at <= '~');
            at += *at == '\\' ? 1 : 0;
        }
        at++;
    } while (*at == ',');
    assert_int_equal(*at, '}');
    return at + 1;
}

static void judge_suffix(const struct judge *judge, const char *suffix, size_t len)
{
    static const struct {
        const char *type;
        const char *suffixes[3];
    } allowed[] = {
        {"counter", {"_total"}},
        {"gauge", {""}},
        {"info", {"_info"}},
        {"histogram", {"_bucket", "_count", "_sum"}},
    };
    bool is_allowed = false;
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        for (size_t k = 0; k < 3 && allowed[i].suffixes[k] != NULL; k++) {
            is_allowed |= strcmp(allowed[i].type, judge->type) == 0 &&
                          strlen(allowed[i].suffixes[k]) == len &&
                          memcmp(allowed[i].suffixes[k], suffix, len) == 0;
        }
    }
    assert_true(is_allowed);
}

static void judge_bucket(struct judge *judge, const char *line, uint64_t value)
{
    if (strstr(line, "_bucket{") == NULL) {
        return;
    }
    if (strstr(line, "le=\"0.00005\"") != NULL) {
        judge->bucket_last = 0;
    }
    assert_true(value >= judge->bucket_last);
    judge->bucket_last = value;
}

static void judge_sample(struct judge *judge, const char *line)
{
    size_t name_len = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_");
    size_t family_len = strlen(family(judge));
    assert_in_range(name_len, family_len, NAME_SIZE);
    assert_memory_equal(line, family(judge), family_len);
    judge_suffix(judge, line + family_len, name_len - family_len);

    const char *at = line + name_len;
    at = *at == '{' ? judge_labels(at) : at;
    assert_int_equal(*at, ' ');
    assert_in_range(at[1], '0', '9');
    char *end = NULL;
    uint64_t value = strtoull(at + 1, &end, 10);
    judge_bucket(judge, line, value);
    end += *end == '.' ? 1 + strspn(end + 1, "0123456789") : 0;
    assert_int_equal(*end, '\0');
}

static void judge_text(struct judge *judge, char *text)
{
    char *rest = NULL;
    memset(judge, 0, sizeof *judge);
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_null(strstr(text, "\n\n"));
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        assert_false(judge->is_ended);
        if (strcmp(line, "# EOF") == 0) {
            judge->is_ended = true;
        } else if (line[0] == '#') {
            judge_comment(judge, line);
        } else {
            judge_sample(judge, line);
        }
    }
    assert_true(judge->is_ended);
}

static void test_each_line_is_openmetrics(void **state)
{
    static struct judge judge;
    judge_text(&judge, render(*state, stats_fixture));
    /* Version, uptime, workers, ten metrics, the waits, seven families of servers, three of asking
     * ahead and fifteen of lists. */
    assert_int_equal(judge.family_count, 39);
}

static void test_what_it_says(void **state)
{
    static const char *const lines[] = {
        "mxcache_build_info{version=\"0.1.0\"} 1\n",
        "# TYPE mxcache_questions counter\n"
        "# HELP mxcache_questions Queries from clients, malformed and dropped ones included.\n"
        "mxcache_questions_total 1234575\n",
        "# TYPE mxcache_questions_waiting gauge\n",
        "mxcache_questions_waiting 4\n",
        "# TYPE mxcache_tea_cups counter\nmxcache_tea_cups_total 7\n",
        "mxcache_wait_seconds_bucket{class=\"mx\",outcome=\"miss\",le=\"0.025\"} 0\n"
        "mxcache_wait_seconds_bucket{class=\"mx\",outcome=\"miss\",le=\"0.05\"} 79\n",
        "mxcache_wait_seconds_bucket{class=\"mx\",outcome=\"failed\",le=\"2.5\"} 0\n"
        "mxcache_wait_seconds_bucket{class=\"mx\",outcome=\"failed\",le=\"5.0\"} 1\n"
        "mxcache_wait_seconds_bucket{class=\"mx\",outcome=\"failed\",le=\"+Inf\"} 1\n"
        "mxcache_wait_seconds_count{class=\"mx\",outcome=\"failed\"} 1\n"
        "mxcache_wait_seconds_sum{class=\"mx\",outcome=\"failed\"} 4.000000\n",
        "mxcache_server_resting{group=\"default\",server=\"9.9.9.9@853#dns.quad9.net\"} 1\n",
        "mxcache_server_timed_out_total{group=\"default\",server=\"192.0.2.53@53\"} 7\n",
        "mxcache_server_round_trip_seconds_bucket{group=\"default\",server=\"192.0.2.53@53\","
        "transport=\"udp\",le=\"0.0005\"} 0\n"
        "mxcache_server_round_trip_seconds_bucket{group=\"default\",server=\"192.0.2.53@53\","
        "transport=\"udp\",le=\"0.001\"} 100\n",
        "mxcache_server_round_trip_seconds_sum{group=\"default\",server=\"192.0.2.53@53\","
        "transport=\"tcp\"} 0.150000\n",
        "mxcache_server_round_trip_seconds_count{group=\"default\","
        "server=\"9.9.9.9@853#dns.quad9.net\",transport=\"tls\"} 1\n",
        "mxcache_server_round_trip_seconds_count{group=\"office\","
        "server=\"2001:db8::53@5353\",transport=\"tcp\"} 0\n",
        "mxcache_list_asked_total{zone=\"zen.spamhaus.org\"} 1200\n",
        "mxcache_list_sent_last_day{zone=\"zen.spamhaus.org\"} 1300\n",
        "mxcache_list_quota{zone=\"zen.spamhaus.org\"} 300000\n",
        "mxcache_list_well{zone=\"zen.spamhaus.org\"} 0\n"
        "mxcache_list_well{zone=\"zen.dq.spamhaus.net\"} 1\n",
        "mxcache_list_wait_seconds_bucket{zone=\"zen.spamhaus.org\",le=\"0.00005\"} 900\n",
        "mxcache_list_fetch_seconds_count{zone=\"zen.spamhaus.org\"} 300\n",
        "mxcache_ahead_asked_total{step=\"client_ptr\"} 40\n",
        "mxcache_ahead_used_total{step=\"domain_mx\"} 1\n",
        "mxcache_ahead_on{step=\"client_ptr\"} 1\n"
        "mxcache_ahead_on{step=\"client_list\"} 0\n",
    };
    const char *text = render(*state, stats_fixture);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_non_null(strstr(text, lines[i]));
    }
    assert_null(strstr(text, "dns.quad9.net\",transport=\"udp\""));
    assert_null(strstr(text, "ahead_asked_client_ptr"));
    assert_null(strstr(text, "mxcache_list_quota{zone=\"a-list"));
}

static void test_odd_words_are_escaped(void **state)
{
    static struct judge judge;
    char *text = render(*state, "ok\ninfo 1\"2\\3 0 1 7 -\n"
                                "upstream a\"b c\\ - well 1 1 1 1 1 1 1 1 1 1\n.\n");
    assert_non_null(strstr(text, "{version=\"1\\\"2\\\\3\"} 1\n"));
    assert_non_null(strstr(text, "{group=\"a\\\"b\",server=\"c\\\\\"} 0\n"));
    judge_text(&judge, text);
}

static void test_servers_that_come_and_go_tell_what_there_is(void **state)
{
    const char *text =
        render(*state, "ok\ninfo 1 0 1 7 -\n"
                       "upstream direct:bl.example 192.0.2.9@53 - well 1 1 1 1 1 1 1 1 1 1\n"
                       "round_trip direct:bl.example 192.0.2.9@53 - datagram 1 9 9 9:1\n.\n");
    assert_non_null(strstr(text, "server=\"192.0.2.9@53\",transport=\"udp\",le=\"0.00005\"} 1\n"));
    assert_null(strstr(text, "transport=\"tcp\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_line_is_openmetrics),
        cmocka_unit_test(test_what_it_says),
        cmocka_unit_test(test_odd_words_are_escaped),
        cmocka_unit_test(test_servers_that_come_and_go_tell_what_there_is),
    };
    return cmocka_run_group_tests(tests, bench_new, bench_free);
}
