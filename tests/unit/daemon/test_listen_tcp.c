/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/serving_stream_support.h"

#include <sys/resource.h>

/* From another address than the one that is asked; and from the same. */
static void test_not_allowed(void **state)
{
    (void)state;
    uint8_t bytes[SERVING_SIZE];
    struct serving *serving = serving_new("0.0.0.0");
    assert_true(network_parse("192.0.2.0/24", 12, &serving->settings.allow[0]));
    serving->settings.allow_count = 1;
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_STREAM, "127.0.0.2");
    assert_true(is_closed(fd));
    assert_int_equal(counter_read(&worker_stats(serving->worker)->clients_not_allowed), 1);
    (void)close(fd);
    fd = serving_connect(serving, SOCK_STREAM, "127.0.0.1");
    send_whole(fd, bytes, frame(bytes, 1, "localhost", TYPE_A));
    assert_int_equal(read_answer(fd), 1);
    assert_int_equal(counter_read(&worker_stats(serving->worker)->clients_not_allowed), 1);
    (void)close(fd);
    serving_free(serving);
}

/* Who came while he was allowed to asks no more when a reload has taken that back, with a question
 * that waits or without; who still is goes on. */
static void test_allowed_no_longer(void **state)
{
    (void)state;
    uint8_t bytes[SERVING_SIZE];
    struct settings *next = malloc(sizeof *next);
    struct serving *serving = serving_new("127.0.0.2"); /* We come from 127.0.0.1. */
    assert_non_null(next);
    serving_start(serving);
    int waiting = serving_connect(serving, SOCK_STREAM, NULL);
    int idle = serving_connect(serving, SOCK_STREAM, NULL);
    send_whole(idle, bytes, frame(bytes, 1, "localhost", TYPE_A));
    assert_int_equal(read_answer(idle), 1);
    send_whole(waiting, bytes, frame(bytes, 2, "slow.example.org", TYPE_MX));
    assert_true(serving_is_readable(serving->upstream, SERVING_LIMIT_MS));
    memcpy(next, &serving->settings, sizeof *next);
    serving_change(serving, next);
    send_whole(idle, bytes, frame(bytes, 3, "localhost", TYPE_A));
    assert_int_equal(read_answer(idle), 3);

    assert_true(network_parse("192.0.2.0/24", 12, &serving->settings.allow[0]));
    serving->settings.allow_count = 1;
    serving_change(serving, &serving->settings);
    assert_true(is_closed(idle));
    assert_true(is_closed(waiting));
    assert_int_equal(counter_read(&worker_stats(serving->worker)->clients_not_allowed), 2);
    (void)close(idle);
    (void)close(waiting);
    serving_free(serving);
    free(next);
}

/* Out of descriptors: the listener rests instead of spinning, and takes the client afterwards. */
static void test_descriptors_run_out(void **state)
{
    (void)state;
    uint8_t bytes[128];
    struct rlimit before;
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(&serving->sockets.listen[0], &sockaddr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int next = dup(fd);
    assert_true(next >= 0);
    (void)close(next);
    const struct rlimit none = {.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int error = connect(fd, (const struct sockaddr *)&sockaddr, len);
    bool has_rested = serving_counter_reaches(&worker_stats(serving->worker)->tcp_accept_rests, 2);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(error, 0);
    assert_true(has_rested);
    send_whole(fd, bytes, frame(bytes, 4, "localhost", TYPE_A));
    assert_int_equal(read_answer(fd), 4);
    /* A rest is a tenth of a second, so there cannot have been many. */
    assert_in_range(counter_read(&worker_stats(serving->worker)->tcp_accept_rests), 2, 20);
    (void)close(fd);
    serving_free(serving);
}

/* The last descriptor goes to a client; that there is none for the next one, who has not come, does
 * not close it. */
static void test_last_descriptor_is_kept(void **state)
{
    (void)state;
    uint8_t bytes[128];
    struct rlimit before;
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(&serving->sockets.listen[0], &sockaddr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int next = dup(fd);
    assert_true(next >= 0);
    (void)close(next);
    const struct rlimit one = {.rlim_cur = (rlim_t)next + 1, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &one), 0);
    int error = connect(fd, (const struct sockaddr *)&sockaddr, len);
    bool has_rested = serving_counter_reaches(&worker_stats(serving->worker)->tcp_accept_rests, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(error, 0);
    assert_true(has_rested);
    send_whole(fd, bytes, frame(bytes, 4, "localhost", TYPE_A));
    assert_int_equal(read_answer(fd), 4);
    assert_int_equal(counter_read(&worker_stats(serving->worker)->tcp_closed_early), 0);
    (void)close(fd);
    serving_free(serving);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_allowed),
        cmocka_unit_test(test_allowed_no_longer),
        cmocka_unit_test(test_descriptors_run_out),
        cmocka_unit_test(test_last_descriptor_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
