/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/serving_support.h"

#include <ev.h>

#include "daemon/listen_udp.h"
#include "resolver/port.h"

static void test_local_name_is_answered_at_once(void **state)
{
    (void)state;
    uint8_t bytes[SERVING_SIZE];
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_DGRAM, NULL);
    size_t len = serving_query(bytes, 0x1234, "localhost", TYPE_A);
    assert_int_equal(send(fd, bytes, len, 0), len);
    assert_true(serving_receive(fd, bytes, sizeof bytes) > len);
    assert_int_equal(header_id(bytes), 0x1234);
    assert_int_equal(header_rcode(bytes), RCODE_NOERROR);
    assert_int_equal(header_ancount(bytes), 1);
    (void)close(fd);
    serving_free(serving);
}

/* More than one batch, all sent before the worker can have answered the first. */
static void test_batches(void **state)
{
    (void)state;
    enum {
        COUNT = LISTEN_UDP_BATCH * 3 + 5
    };
    uint8_t bytes[SERVING_SIZE];
    bool is_answered[COUNT] = {false};
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_DGRAM, NULL);
    for (uint16_t i = 0; i < COUNT; i++) {
        size_t len = serving_query(bytes, i, "localhost", TYPE_A);
        assert_int_equal(send(fd, bytes, len, 0), len);
    }
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(serving_receive(fd, bytes, sizeof bytes) >= HEADER_SIZE);
        assert_in_range(header_id(bytes), 0, COUNT - 1);
        assert_false(is_answered[header_id(bytes)]);
        is_answered[header_id(bytes)] = true;
    }
    serving_await(serving, udp_sent, COUNT);
    assert_int_equal(counter_read(&worker_stats(serving->worker)->udp_received), COUNT);
    assert_int_equal(counter_read(&worker_stats(serving->worker)->udp_unsent), 0);
    (void)close(fd);
    serving_free(serving);
}

static void ask_through_upstream(const char *listen, const char *host)
{
    uint8_t bytes[SERVING_SIZE];
    struct serving *serving = serving_new(listen);
    serving_start(serving);
    /* Connected: the kernel drops an answer that comes from another address than was asked. */
    int fd = serving_connect(serving, SOCK_DGRAM, host);
    for (unsigned i = 0; i < 2; i++) {
        const char *name = i == 0 ? "a.example.org" : "b.example.org";
        size_t len = serving_query(bytes, 7, name, TYPE_MX);
        assert_int_equal(send(fd, bytes, len, 0), len);
        serving_upstream_deny(serving);
        assert_true(serving_receive(fd, bytes, sizeof bytes) >= len);
        assert_int_equal(header_id(bytes), 7);
        assert_int_equal(header_rcode(bytes), RCODE_NXDOMAIN);
        /* And once more, at once from the cache or again from upstream: it leaves the same way. */
        len = serving_query(bytes, 8, "localhost", TYPE_A);
        assert_int_equal(send(fd, bytes, len, 0), len);
        assert_true(serving_receive(fd, bytes, sizeof bytes) >= len);
        assert_int_equal(header_id(bytes), 8);
    }
    (void)close(fd);
    serving_free(serving);
}

static void test_waiting_client_is_answered(void **state)
{
    (void)state;
    ask_through_upstream("127.0.0.1", NULL);
}

static void test_wildcard_answers_from_the_asked_address(void **state)
{
    (void)state;
    ask_through_upstream("0.0.0.0", "127.0.0.2");
    ask_through_upstream("::", "::1");
}

/* Answers that were waited for, from two of our sockets to one client: more than a batch, one of
 * them as long as an answer can be. Nothing leaves before there must, and all in its order. */
static void test_deliveries_leave_in_order(void **state)
{
    (void)state;
    enum {
        COUNT = LISTEN_UDP_BATCH + 10
    };
    struct daemon_stats stats = {0};
    struct settings *settings = calloc(1, sizeof *settings);
    uint8_t *bytes = calloc(1, SERVING_SIZE);
    assert_non_null(settings);
    assert_non_null(bytes);
    struct address addresses[2];
    struct client client = {0};
    int fds[2] = {serving_socket(&addresses[0]), serving_socket(&addresses[1])};
    int fd = serving_socket(&client.address);
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    struct listen_udp *listen_udp = listen_udp_new(&(struct listen_udp_options){.loop = loop,
        .settings = settings,
        .stats = &stats,
        .addresses = addresses,
        .fds = fds,
        .count = 2});
    assert_non_null(listen_udp);
    for (uint16_t i = 0; i < COUNT; i++) {
        assert_int_equal(
            counter_read(&stats.udp_sent), i <= LISTEN_UDP_BATCH ? 0 : LISTEN_UDP_BATCH);
        header_set_id(bytes, i);
        client.line = i % 3 == 0;
        listen_udp_deliver(listen_udp, &client, bytes, HEADER_SIZE + i);
    }
    listen_udp_deliver(listen_udp, &client, bytes, 65400);
    assert_int_equal(counter_read(&stats.udp_sent), COUNT);
    listen_udp_flush(listen_udp);
    listen_udp_flush(listen_udp);
    assert_int_equal(counter_read(&stats.udp_sent), COUNT + 1);
    for (uint16_t i = 0; i < COUNT; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        assert_int_equal(
            recvfrom(fd, bytes, SERVING_SIZE, MSG_DONTWAIT, (struct sockaddr *)&from, &len),
            HEADER_SIZE + i);
        assert_int_equal(header_id(bytes), i);
        struct address sender = address_from_sockaddr((struct sockaddr *)&from);
        assert_true(address_equal(&sender, &addresses[i % 3 == 0]));
    }
    assert_int_equal(recv(fd, bytes, SERVING_SIZE, MSG_DONTWAIT), 65400);
    /* What is still there at the end leaves too. */
    listen_udp_deliver(listen_udp, &client, bytes, HEADER_SIZE);
    listen_udp_free(&listen_udp);
    assert_int_equal(recv(fd, bytes, SERVING_SIZE, MSG_DONTWAIT), HEADER_SIZE);
    ev_loop_destroy(loop);
    (void)close(fd);
    (void)close(fds[0]);
    (void)close(fds[1]);
    free(bytes);
    free(settings);
}

/* What gets no answer is counted; the question behind it proves that it was passed over. */
static void test_dropped(void **state)
{
    (void)state;
    uint8_t bytes[SERVING_SIZE] = {0};
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_DGRAM, NULL);
    assert_int_equal(send(fd, bytes, 0, 0), 0);
    assert_int_equal(send(fd, bytes, 3, 0), 3);
    size_t len = serving_query(bytes, 1, "localhost", TYPE_A);
    header_set_flags(bytes, HEADER_QR);
    assert_int_equal(send(fd, bytes, len, 0), len);
    assert_int_equal(send(fd, bytes, LISTEN_UDP_QUERY_MAX + 1, 0), LISTEN_UDP_QUERY_MAX + 1);
    len = serving_query(bytes, 2, "localhost", TYPE_A);
    assert_int_equal(send(fd, bytes, len, 0), len);
    assert_true(serving_receive(fd, bytes, sizeof bytes) >= len);
    assert_int_equal(header_id(bytes), 2);
    assert_int_equal(counter_read(&worker_stats(serving->worker)->udp_too_long), 1);
    assert_int_equal(counter_read(&worker_stats(serving->worker)->udp_received), 5);
    (void)close(fd);
    serving_free(serving);
}

/* Serves the documentation's network only. */
static struct serving *serving_others(const char *listen)
{
    struct serving *serving = serving_new(listen);
    assert_true(network_parse("192.0.2.0/24", 12, &serving->settings.allow[0]));
    serving->settings.allow_count = 1;
    serving_start(serving);
    return serving;
}

static void test_not_allowed(void **state)
{
    (void)state;
    uint8_t bytes[SERVING_SIZE];
    struct serving *serving = serving_others("127.0.0.2"); /* We ask from 127.0.0.1. */
    int fd = serving_connect(serving, SOCK_DGRAM, NULL);
    size_t len = serving_query(bytes, 1, "localhost", TYPE_A);
    assert_int_equal(send(fd, bytes, len, 0), len);
    serving_await(serving, clients_not_allowed, 1);
    worker_stop(serving->worker);
    assert_false(serving_is_readable(fd, 0));
    (void)close(fd);
    serving_free(serving);
}

/* From the address that is asked, be it one of many. */
static void test_ourselves_may_ask(void **state)
{
    (void)state;
    static const char *const listens[] = {"127.0.0.1", "0.0.0.0"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[SERVING_SIZE];
        struct serving *serving = serving_others(listens[i]);
        int fd = serving_connect(serving, SOCK_DGRAM, "127.0.0.1");
        size_t len = serving_query(bytes, 1, "localhost", TYPE_A);
        assert_int_equal(send(fd, bytes, len, 0), len);
        assert_true(serving_receive(fd, bytes, sizeof bytes) >= len);
        (void)close(fd);
        serving_free(serving);
    }
}

/* A worker that does not read: its buffer runs over, and the kernel knows how often. */
static void test_lost_in_kernel(void **state)
{
    uint8_t bytes[SERVING_SIZE];
    (void)state;
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_DGRAM, NULL);
    worker_stop(serving->worker);
    worker_note_kernel(serving->worker);
    assert_int_equal(counter_read(&worker_stats(serving->worker)->udp_lost_in_kernel), 0);
    size_t len = serving_query(bytes, 1, "localhost", TYPE_A);
    for (unsigned i = 0; i < 40000; i++) {
        (void)send(fd, bytes, len, 0);
    }
    worker_note_kernel(serving->worker);
    assert_in_range(counter_read(&worker_stats(serving->worker)->udp_lost_in_kernel), 1, 40000);
    (void)close(fd);
    serving_free(serving);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lost_in_kernel),
        cmocka_unit_test(test_local_name_is_answered_at_once),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_waiting_client_is_answered),
        cmocka_unit_test(test_wildcard_answers_from_the_asked_address),
        cmocka_unit_test(test_deliveries_leave_in_order),
        cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_not_allowed),
        cmocka_unit_test(test_ourselves_may_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
