/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <ev.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/text.h"
#include "daemon/metrics_http.h"
#include "daemon/stats.h"

#define LIMIT_US    (INT64_C(10) * CLOCK_US_PER_S)
#define ANSWER_SIZE 65536

struct fixture {
    struct ev_loop *loop;
    struct daemon_stats stats;
    struct address address;
    struct metrics_http *http;
    char answer[ANSWER_SIZE];
};

static const char *page(void *world, const struct http_request *request, struct text *body)
{
    (void)world;
    if (strcmp(request->path, "/page") != 0) {
        return NULL;
    }
    text_add(body, request->prefers_openmetrics ? "open\n" : "plain\n");
    return "text/plain";
}

/* A port that is free a moment later. */
static struct address free_address(void)
{
    struct sockaddr_in sockaddr = {.sin_family = AF_INET};
    socklen_t len = sizeof sockaddr;
    sockaddr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&sockaddr, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sockaddr, &len), 0);
    (void)close(fd);
    return address_from_sockaddr((const struct sockaddr *)&sockaddr);
}

static int fixture_new(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    *state = fixture;
    if (fixture == NULL) {
        return -1;
    }
    fixture->loop = ev_loop_new(EVFLAG_NOENV);
    for (unsigned tries = 0; fixture->http == NULL && tries < 20; tries++) {
        fixture->address = free_address();
        fixture->http = metrics_http_new(&(struct metrics_http_options){
            .loop = fixture->loop,
            .addresses = &fixture->address,
            .address_count = 1,
            .stats = &fixture->stats,
            .handler = page,
        });
    }
    return fixture->http == NULL ? -1 : 0;
}

static int fixture_free(void **state)
{
    struct fixture *fixture = *state;
    metrics_http_free(&fixture->http);
    ev_loop_destroy(fixture->loop);
    free(fixture);
    return 0;
}

static int visit(const struct fixture *fixture)
{
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(&fixture->address, &sockaddr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&sockaddr, len), 0);
    return fd;
}

/* Turns the loop until the server has said all and closed. */
static const char *read_all(struct fixture *fixture, int fd)
{
    int64_t until = clock_now() + LIMIT_US;
    size_t len = 0;
    for (;;) {
        ev_run(fixture->loop, EVRUN_NOWAIT);
        ssize_t got = recv(fd, fixture->answer + len, ANSWER_SIZE - 1 - len, MSG_DONTWAIT);
        if (got == 0) {
            break;
        }
        len += got > 0 ? (size_t)got : 0;
        assert_true(clock_now() < until);
    }
    fixture->answer[len] = '\0';
    (void)close(fd);
    return fixture->answer;
}

static const char *ask(struct fixture *fixture, const char *request)
{
    int fd = visit(fixture);
    assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
    return read_all(fixture, fd);
}

static void test_answers(void **state)
{
    static const struct {
        const char *request;
        const char *status;
        const char *end;
    } cases[] = {
        {"GET /page HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\nplain\n"},
        {"GET /page HTTP/1.1\r\nAccept: application/openmetrics-text\r\n\r\n",
            "HTTP/1.1 200 OK\r\n", "\r\n\r\nopen\n"},
        {"HEAD /page HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\n"},
        {"GET /other HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found\r\n", "404 Not Found\n"},
        {"POST /page HTTP/1.1\r\n\r\n", "HTTP/1.1 405 ", "405 Method Not Allowed\n"},
        {"nonsense\r\n\r\n", "HTTP/1.1 400 ", "400 Bad Request\n"},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *answer = ask(fixture, cases[i].request);
        size_t len = strlen(answer);
        size_t end = strlen(cases[i].end);
        assert_int_equal(strncmp(answer, cases[i].status, strlen(cases[i].status)), 0);
        assert_true(len > end);
        assert_string_equal(answer + len - end, cases[i].end);
        assert_non_null(strstr(answer, "Connection: close\r\n"));
    }
    assert_int_equal(counter_read(&fixture->stats.http_requests), 4);
}

/* A browser that a page elsewhere has led here (DNS rebinding) says that page's name. */
static void test_hosts(void **state)
{
    struct fixture *fixture = *state;
    const char *answer = ask(fixture, "GET /page HTTP/1.1\r\nHost: rebound.example:9153\r\n\r\n");
    assert_int_equal(strncmp(answer, "HTTP/1.1 421 Misdirected Request\r\n", 34), 0);
    assert_null(strstr(answer, "plain\n"));
    assert_null(strstr(answer, "rebound"));
    assert_non_null(strstr(answer, "localhost"));
    answer = ask(fixture, "HEAD /page HTTP/1.1\r\nHost: rebound.example\r\n\r\n");
    assert_int_equal(strncmp(answer, "HTTP/1.1 421 ", 13), 0);
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    assert_int_equal(counter_read(&fixture->stats.http_misdirected), 2);
    assert_int_equal(counter_read(&fixture->stats.http_requests), 0);
    answer = ask(fixture, "GET /page HTTP/1.1\r\nHost: localhost:9153\r\n\r\n");
    assert_non_null(strstr(answer, "\r\n\r\nplain\n"));
    assert_int_equal(counter_read(&fixture->stats.http_misdirected), 2);
}

/* Whether a visitor finds somebody there. */
static bool is_open_at(const char *host, uint16_t port)
{
    struct sockaddr_storage sockaddr;
    struct address address;
    assert_true(address_parse(host, strlen(host), port, &address));
    socklen_t len = address_to_sockaddr(&address, &sockaddr);
    int fd = socket(sockaddr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_open = fd >= 0 && connect(fd, (const struct sockaddr *)&sockaddr, len) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return is_open;
}

/* All addresses of either family, in whatever order they stand. */
static void test_both_wildcards(void **state)
{
    static const char *const hosts[2][2] = {{"0.0.0.0", "::"}, {"::", "0.0.0.0"}};
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < 2; i++) {
        struct metrics_http *http = NULL;
        bool is_whole = false;
        /* Somebody else may take the port. */
        for (unsigned tries = 0; !is_whole && tries < 20; tries++) {
            uint16_t port = free_address().port;
            struct address both[2];
            assert_true(address_parse(hosts[i][0], strlen(hosts[i][0]), port, &both[0]));
            assert_true(address_parse(hosts[i][1], strlen(hosts[i][1]), port, &both[1]));
            metrics_http_free(&http);
            http = metrics_http_new(&(struct metrics_http_options){
                .loop = fixture->loop,
                .addresses = both,
                .address_count = 2,
                .stats = &fixture->stats,
                .handler = page,
            });
            is_whole = http != NULL && is_open_at("127.0.0.1", port) && is_open_at("::1", port);
        }
        metrics_http_free(&http);
        assert_true(is_whole);
    }
}

/* Piece by piece is as good as at once. */
static void test_split(void **state)
{
    static const char request[] = "GET /page HTTP/1.1\r\n\r\n";
    struct fixture *fixture = *state;
    int fd = visit(fixture);
    for (size_t i = 0; i < sizeof request - 1; i++) {
        assert_int_equal(send(fd, request + i, 1, 0), 1);
        ev_run(fixture->loop, EVRUN_NOWAIT);
    }
    assert_non_null(strstr(read_all(fixture, fd), "plain\n"));
}

/* Silent visitors take places, not time: further ones are turned away, and it goes on. */
static void test_too_many(void **state)
{
    struct fixture *fixture = *state;
    int fds[METRICS_HTTP_CLIENTS_MAX];
    for (size_t i = 0; i < METRICS_HTTP_CLIENTS_MAX; i++) {
        fds[i] = visit(fixture);
        ev_run(fixture->loop, EVRUN_NOWAIT);
    }
    assert_string_equal(read_all(fixture, visit(fixture)), "");
    assert_int_equal(counter_read(&fixture->stats.http_refused), 1);
    (void)close(fds[0]);
    ev_run(fixture->loop, EVRUN_NOWAIT);
    assert_non_null(strstr(ask(fixture, "GET /page HTTP/1.1\r\n\r\n"), "plain\n"));
    for (size_t i = 1; i < METRICS_HTTP_CLIENTS_MAX; i++) {
        (void)close(fds[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(test_hosts, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(test_both_wildcards, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(test_split, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(test_too_many, fixture_new, fixture_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
