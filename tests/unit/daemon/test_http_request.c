/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/http_request.h"

struct http_case {
    const char *bytes;
    enum http_verdict verdict;
    struct http_request request;
};

#define GOOD_PLAIN(path)                                                                           \
    HTTP_GOOD,                                                                                     \
    {                                                                                              \
        false, false, path, false                                                                  \
    }
#define GOOD_OPEN(path)                                                                            \
    HTTP_GOOD,                                                                                     \
    {                                                                                              \
        false, true, path, false                                                                   \
    }

static const struct http_case cases[] = {
    {"", HTTP_MORE, {0}},
    {"GET /metrics HTTP/1.1", HTTP_MORE, {0}},
    {"GET /metrics HTTP/1.1\r\nHost: a\r\n", HTTP_MORE, {0}},
    {"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", GOOD_PLAIN("/metrics")},
    {"GET /metrics HTTP/1.0\n\n", GOOD_PLAIN("/metrics")},
    {"GET / HTTP/1.1\r\n\r\nwhat follows is passed by", GOOD_PLAIN("/")},
    {"GET /metrics?name=a HTTP/1.1\r\n\r\n", GOOD_PLAIN("/metrics")},
    {"HEAD /healthz HTTP/1.1\r\n\r\n", HTTP_GOOD, {true, false, "/healthz", false}},

    /* Which form: the better liked one, the newer one where both are liked the same. */
    {"GET / HTTP/1.1\r\nAccept: application/openmetrics-text\r\n\r\n", GOOD_OPEN("/")},
    {"GET / HTTP/1.1\r\nACCEPT:application/OpenMetrics-Text;version=1.0.0\r\n\r\n", GOOD_OPEN("/")},
    {"GET / HTTP/1.1\r\nAccept: application/openmetrics-text;version=1.0.0;q=0.5,"
     "text/plain;version=0.0.4;q=0.3,*/*;q=0.1\r\n\r\n",
        GOOD_OPEN("/")},
    {"GET / HTTP/1.1\r\nAccept: application/openmetrics-text;q=0.2, text/plain;q=0.25\r\n\r\n",
        GOOD_PLAIN("/")},
    {"GET / HTTP/1.1\r\nAccept: application/openmetrics-text;q=0\r\n\r\n", GOOD_PLAIN("/")},
    {"GET / HTTP/1.1\r\nAccept: application/openmetrics-text;q=x, */*\r\n\r\n", GOOD_PLAIN("/")},
    {"GET / HTTP/1.1\r\nAccept: text/html,*/*;q=0.8\r\n\r\n", GOOD_PLAIN("/")},
    {"GET / HTTP/1.1\r\nX-Accept: application/openmetrics-text\r\n\r\n", GOOD_PLAIN("/")},
    {"GET / HTTP/1.1\r\nAccept\r\nAccept:\r\nAccept: ,;,;q=\r\n\r\n", GOOD_PLAIN("/")},

    /* What is no request, or not one for us. */
    {"\r\n\r\n", HTTP_MALFORMED, {0}},
    {"GET\r\n\r\n", HTTP_MALFORMED, {0}},
    {"GET /\r\n\r\n", HTTP_MALFORMED, {0}},
    {"GET  / HTTP/1.1\r\n\r\n", HTTP_MALFORMED, {0}},
    {"GET metrics HTTP/1.1\r\n\r\n", HTTP_MALFORMED, {0}},
    {"GET / HTTP/1.10\r\n\r\n", HTTP_MALFORMED, {0}},
    {"GET / HTTP/1.1 \r\n\r\n", HTTP_MALFORMED, {0}},
    {"GET / SMTP/1.1\r\n\r\n", HTTP_MALFORMED, {0}},
    {"GET / HTTP/2.0\r\n\r\n", HTTP_UNKNOWN_VERSION, {0}},
    {"POST / HTTP/1.1\r\n\r\n", HTTP_NOT_ALLOWED, {0}},
    {"GETS / HTTP/1.1\r\n\r\n", HTTP_NOT_ALLOWED, {0}},
    {"get / HTTP/1.1\r\n\r\n", HTTP_NOT_ALLOWED, {0}},
    {"GET /a-path-that-is-longer-than-that-of-any-page-can-be-by-quite-some-bytes HTTP/1.1\n\n",
        GOOD_PLAIN("")},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_request request = {.is_head = false};
        const struct http_case *expected = &cases[i];
        assert_int_equal(http_request_read(expected->bytes, strlen(expected->bytes), &request),
            expected->verdict);
        if (expected->verdict == HTTP_GOOD) {
            assert_int_equal(request.is_head, expected->request.is_head);
            assert_int_equal(request.prefers_openmetrics, expected->request.prefers_openmetrics);
            assert_string_equal(request.path, expected->request.path);
        }
    }
}

static const struct {
    const char *headers;
    bool is_foreign;
} hosts[] = {
    /* What Prometheus, curl, health checks and browsers on this host send. */
    {"Host: 127.0.0.1:9153\r\n", false},
    {"Host: 127.0.0.1\r\n", false},
    {"host:localhost:9153\r\n", false},
    {"HOST: LocalHost\r\n", false},
    {"Host:\tlocalhost.:9153 \r\n", false},
    {"Host: [::1]:9153\r\n", false},
    {"Host: [::1]\n", false},
    {"Host: [::ffff:127.0.0.1]:80\r\n", false},
    {"Host: 192.0.2.25:9153\r\n", false},
    /* HTTP/1.0, and who writes by hand. */
    {"", false},
    {"Host:\r\n", false},
    {"Host: \r\n", false},
    {"Host: [::1\r\n", false},
    /* Names, and what is none. */
    {"Host: rebound.example:9153\r\n", true},
    {"Host: mail.example.com\r\n", true},
    {"Host: localhost.rebound.example\r\n", true},
    {"Host: rebound.localhost\r\n", true},
    {"Host: 127.0.0.1.rebound.example\r\n", true},
    {"Host: 127.0.0.1, localhost\r\n", true},
    {"Host: localhost..\r\n", true},
    {"Host: localhos\r\n", true},
    {"Host: 127.1\r\n", true},
    {"Host: ::1\r\n", true},
    {"Host: [rebound.example]\r\n", true},
    {"Host: []\r\n", true},
    {"Host: [\r\n", true},
    {"Host: :9153\r\n", true},
    {"Host: user@localhost\r\n", true},
    /* One of several is enough. */
    {"Host: localhost\r\nHost: rebound.example\r\n", true},
    {"Host: rebound.example\r\nAccept: */*\r\nHost: localhost\r\n", true},
    {"X-Forwarded-Host: rebound.example\r\nHost: localhost\r\n", false},
};

static void test_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char bytes[256];
        struct http_request request = {.is_head = true};
        int len = snprintf(bytes, sizeof bytes, "GET / HTTP/1.1\r\n%s\r\n", hosts[i].headers);
        assert_int_equal(http_request_read(bytes, (size_t)len, &request), HTTP_GOOD);
        if (request.has_foreign_host != hosts[i].is_foreign) {
            fail_msg("%s: foreign is %d", hosts[i].headers, request.has_foreign_host);
        }
    }
}

/* However it is cut into pieces, it is whole at the same byte. */
static void test_piece_by_piece(void **state)
{
    static const char bytes[] = "GET /metrics HTTP/1.1\r\nAccept: text/plain\r\n\r\n";
    struct http_request request;
    (void)state;
    for (size_t len = 0; len < sizeof bytes - 1; len++) {
        assert_int_equal(http_request_read(bytes, len, &request), HTTP_MORE);
    }
    assert_int_equal(http_request_read(bytes, sizeof bytes - 1, &request), HTTP_GOOD);
}

static void test_too_large(void **state)
{
    static char bytes[HTTP_REQUEST_MAX + 1];
    struct http_request request;
    (void)state;
    memset(bytes, 'a', sizeof bytes);
    assert_int_equal(http_request_read(bytes, HTTP_REQUEST_MAX - 1, &request), HTTP_MORE);
    assert_int_equal(http_request_read(bytes, HTTP_REQUEST_MAX, &request), HTTP_TOO_LARGE);
    memcpy(bytes, "GET / HTTP/1.1\n", 15);
    memcpy(bytes + HTTP_REQUEST_MAX - 2, "\n\n", 2);
    assert_int_equal(http_request_read(bytes, HTTP_REQUEST_MAX, &request), HTTP_GOOD);
}

/* A zero byte ends nothing. */
static void test_zero_bytes(void **state)
{
    static const char bytes[] = "GET /met\0rics HTTP/1.1\r\n\r\n";
    struct http_request request;
    (void)state;
    assert_int_equal(http_request_read(bytes, sizeof bytes - 1, &request), HTTP_GOOD);
    assert_string_equal(request.path, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_piece_by_piece),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_zero_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
