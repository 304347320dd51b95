/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "cmd/stats_json.h"
#include "cmd/stats_read.h"
#include "daemon/stats_view.h"
#include "tests/unit/cmd/stats_fixture.h"

#define DEPTH_MAX 16

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

static const char *render(struct bench *bench, const char *text)
{
    struct reply reply;
    assert_true(reply_set(&reply, text));
    assert_true(stats_read(&reply, &bench->view));
    reply_fini(&reply);
    text_init(&bench->text, bench->data, sizeof bench->data);
    stats_json_add(&bench->text, &bench->view);
    assert_false(bench->text.is_cut);
    return bench->data;
}

/* Steps over a string, a number, a truth or null. NULL: none of these. */
static const char *skip_scalar(const char *at)
{
    if (*at != '"') {
        static const char *const words[] = {"null", "true", "false"};
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (strncmp(at, words[i], strlen(words[i])) == 0) {
                return at + strlen(words[i]);
            }
        }
        size_t len = strspn(at, "0123456789");
        return len > 0 ? at + len : NULL;
    }
    for (at++; *at != '"'; at++) {
        if (*at < ' ' || *at > '~') {
            return NULL;
        }
        at += *at == '\\' ? 1 : 0;
    }
    return at + 1;
}

/* Steps over what stands before a value: in an object, its name. */
static const char *skip_name(const char *at, char closing)
{
    if (closing == ']') {
        return at;
    }
    at = *at == '"' ? skip_scalar(at) : NULL;
    return at != NULL && *at == ':' ? at + 1 : NULL;
}

/* A small judge of structure, without blanks: every object and array closes, every member has a
 * name, and no comma is missing or too many. */
static bool is_json(const char *at)
{
    char closing[DEPTH_MAX] = {'\0'};
    size_t depth = 0;
    do {
        bool is_opened = *at == '{' || *at == '[';
        if (is_opened) {
            if (depth + 1 == DEPTH_MAX) {
                return false;
            }
            closing[++depth] = *at == '{' ? '}' : ']';
            at++;
        } else {
            at = skip_scalar(at);
        }
        if (at == NULL) {
            return false;
        }
        if (!is_opened || *at == closing[depth]) {
            while (depth > 0 && *at == closing[depth]) {
                depth--;
                at++;
            }
            if (depth > 0 && *at++ != ',') {
                return false;
            }
        }
        at = depth > 0 ? skip_name(at, closing[depth]) : at;
    } while (at != NULL && depth > 0);
    return at != NULL && *at == '\n' && at[1] == '\0';
}

static void test_the_judge_can_say_no(void **state)
{
    static const char *const good[] = {
        "{}\n", "[]\n", "{\"a\":1}\n", "{\"a\":[1,{\"b\":null}],\"c\":\"x\\\"y\"}\n", "[[],{}]\n"};
    static const char *const bad[] = {"{\n", "{\"a\"}\n", "{\"a\":}\n", "{\"a\":1,}\n",
        "{\"a\":1 }\n", "{\"a\":1]\n", "[1 2]\n", "[1,,2]\n", "{\"a\":1}", "{\"a\":1}}\n", "\n",
        "{a:1}\n", "[1\"b\"]\n"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(is_json(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(is_json(bad[i]));
    }
}

static void test_the_object(void **state)
{
    static const char *const parts[] = {
        "{\"version\":\"0.1.0\",\"health\":\"limping\",\"uptime_s\":11531,\"covers_s\":11531,"
        "\"workers\":2,"
        "\"pid\":812,\"classes\":{\"mx\":{\"count\":1000,\"hit\":900,\"stale\":20,\"joined\":0,"
        "\"miss\":79,\"local\":0,\"failed\":1,\"wait\":{\"count\":1000,\"p50_us\":10,",
        ",\"outcomes\":{\"hit\":{\"count\":1234400,\"wait\":{\"count\":1234400,\"p50_us\":10,"
        "\"p90_us\":10,\"p99_us\":10,\"max_us\":11,\"sum_us\":12344000,"
        "\"buckets\":[{\"le_us\":10,\"count\":1234400}]}}",
        ",\"upstreams\":[{\"group\":\"default\",\"address\":\"192.0.2.53@53\",\"tls_name\":null,"
        "\"state\":\"well\",\"sent\":150,\"answered\":140,\"failed\":3,\"timed_out\":7,"
        "\"lost\":0,\"round_trip\":{\"smoothed_us\":12000,\"p50_us\":11000,\"p90_us\":45000,"
        "\"p99_us\":90000,\"max_us\":1200000},\"transports\":{\"udp\":{\"count\":137,"
        "\"p50_us\":996,\"p90_us\":44032,\"p99_us\":44032,\"max_us\":1200000,"
        "\"sum_us\":1500000,\"buckets\":[{\"le_us\":1000,\"count\":100},{\"le_us\":45055,"
        "\"count\":37}]},\"tcp\":{\"count\":3,",
        "\"transports\":{\"tls\":{\"count\":1,",
        "\"tls_name\":\"dns.quad9.net\"",
        ",\"lists\":[{\"zone\":\"zen.spamhaus.org\",\"standing\":\"resolver\",\"asked\":1200,"
        "\"hits\":900,\"listed\":100,\"not_listed\":840,\"failed\":260,\"refused\":250,"
        "\"parked\":0,\"misused\":0,\"errors\":3,\"sent\":300,\"sent_last_day\":1300,"
        "\"quota\":300000,\"wait\":{\"count\":1200,\"p50_us\":10,\"p90_us\":44032,",
        "\"upstream_wait\":{\"count\":300,\"p50_us\":44032,",
        "{\"zone\":null,\"standing\":\"well\",\"asked\":7,",
        ",\"metrics\":{\"questions\":1234575,",
        ",\"tea_cups\":7,",
        ",\"ahead\":{\"client_ptr\":{\"asked\":40,\"used\":30,\"wasted\":10,\"is_on\":true},",
    };
    const char *json = render(*state, stats_fixture);
    assert_true(is_json(json));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        assert_non_null(strstr(json, parts[i]));
    }
}

static void test_an_empty_view(void **state)
{
    const char *json = render(*state, "ok\ninfo \"\\ 0 1 7 -\n.\n");
    assert_true(is_json(json));
    assert_non_null(strstr(json, "\"version\":\"\\\"\\\\\""));
    assert_non_null(
        strstr(json, "\"upstreams\":[],\"lists\":[],\"ahead\":{\"client_ptr\":{\"asked\":0,"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_judge_can_say_no),
        cmocka_unit_test(test_the_object),
        cmocka_unit_test(test_an_empty_view),
    };
    return cmocka_run_group_tests(tests, bench_new, bench_free);
}
