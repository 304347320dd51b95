/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/serving_stream_support.h"

#include <stdio.h>

#include "daemon/listen_connections.h"

/* RFC 7766 sections 6.2.1.1 and 7: many questions without waiting, answers in any order. */
static void test_pipelining_out_of_order(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_STREAM, NULL);
    size_t len = frame(bytes, 1, "slow.example.org", TYPE_MX);
    len += frame(bytes + len, 2, "localhost", TYPE_A);
    len += frame(bytes + len, 3, "localhost", TYPE_AAAA);
    send_whole(fd, bytes, len);
    assert_int_equal(read_answer(fd), 2);
    assert_int_equal(read_answer(fd), 3);
    serving_upstream_deny(serving);
    assert_int_equal(read_answer(fd), 1);
    (void)close(fd);
    serving_free(serving);
}

static void test_byte_by_byte(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_STREAM, NULL);
    size_t len = frame(bytes, 9, "localhost", TYPE_A);
    for (size_t i = 0; i < len; i++) {
        send_whole(fd, bytes + i, 1);
    }
    assert_int_equal(read_answer(fd), 9);
    (void)close(fd);
    serving_free(serving);
}

static void test_half_closed_client_gets_its_answers(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_STREAM, NULL);
    size_t len = frame(bytes, 1, "slow.example.org", TYPE_MX);
    len += frame(bytes + len, 2, "localhost", TYPE_A);
    send_whole(fd, bytes, len);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_equal(read_answer(fd), 2);
    serving_upstream_deny(serving);
    assert_int_equal(read_answer(fd), 1);
    assert_true(is_closed(fd));
    (void)close(fd);
    serving_free(serving);
}

static void test_client_that_has_gone(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_STREAM, NULL);
    send_whole(fd, bytes, frame(bytes, 1, "slow.example.org", TYPE_MX));
    assert_true(serving_is_readable(serving->upstream, SERVING_LIMIT_MS));
    /* A reset, not a polite end: what is owed cannot be delivered. */
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    (void)close(fd);
    int64_t until = clock_now() + SERVING_LIMIT_MS * CLOCK_US_PER_MS;
    while (counter_read(&worker_stats(serving->worker)->tcp_clients) > 0 && clock_now() < until) {
        (void)poll(NULL, 0, 1);
    }
    serving_upstream_deny(serving);
    serving_await(serving, tcp_unsent, 1);
    serving_free(serving);
}

static void test_malformed_is_closed(void **state)
{
    (void)state;
    static const uint8_t cases[][16] = {
        {0, 0},                                         /* An empty message. */
        {0, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},     /* No room for a header. */
        {0xff, 0xff},                                   /* Longer than we take. */
        {0, 12, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0}, /* A response. */
    };
    static const size_t lens[] = {2, 13, 2, 14};
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = serving_connect(serving, SOCK_STREAM, NULL);
        send_whole(fd, cases[i], lens[i]);
        assert_true(is_closed(fd));
        (void)close(fd);
    }
    serving_await(serving, tcp_closed_malformed, 4);
    serving_free(serving);
}

static void test_idle_is_closed(void **state)
{
    (void)state;
    struct serving *serving = serving_new("127.0.0.1");
    serving->settings.tcp_idle_us = 100 * CLOCK_US_PER_MS;
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_STREAM, NULL);
    assert_true(is_closed(fd));
    assert_int_equal(counter_read(&worker_stats(serving->worker)->tcp_closed_idle), 1);
    (void)close(fd);
    serving_free(serving);
}

/* A client that waits for its answer is not idle, however long that takes. */
static void test_room_is_made_by_closing_the_longest_idle(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    struct serving *serving = serving_new("127.0.0.1");
    serving->settings.tcp_clients_max = 2;
    serving_start(serving);
    int busy = serving_connect(serving, SOCK_STREAM, NULL);
    send_whole(busy, bytes, frame(bytes, 1, "slow.example.org", TYPE_MX));
    assert_true(serving_is_readable(serving->upstream, SERVING_LIMIT_MS));
    int idle = serving_connect(serving, SOCK_STREAM, NULL);
    int third = serving_connect(serving, SOCK_STREAM, NULL);
    assert_true(is_closed(idle));
    assert_int_equal(counter_read(&worker_stats(serving->worker)->tcp_closed_early), 1);

    send_whole(third, bytes, frame(bytes, 3, "slow.example.org", TYPE_MX));
    serving_await(serving, tcp_received, 2);
    int fourth = serving_connect(serving, SOCK_STREAM, NULL);
    assert_true(is_closed(fourth));
    assert_int_equal(counter_read(&worker_stats(serving->worker)->tcp_refused), 1);

    serving_upstream_deny(serving);
    assert_int_equal(read_answer(busy), 1);
    assert_int_equal(read_answer(third), 3);
    (void)close(busy);
    (void)close(idle);
    (void)close(third);
    (void)close(fourth);
    serving_free(serving);
}

/* Half a question holds no place that somebody with a whole one wants. */
static void test_half_questions_give_way(void **state)
{
    (void)state;
    uint8_t bytes[256];
    int halves[2];
    struct serving *serving = serving_new("127.0.0.1");
    serving->settings.tcp_clients_max = 2;
    serving_start(serving);
    size_t len = frame(bytes, 1, "localhost", TYPE_A);
    (void)frame(bytes + len, 1, "localhost", TYPE_A);
    for (size_t i = 0; i < 2; i++) {
        halves[i] = serving_connect(serving, SOCK_STREAM, NULL);
        send_whole(halves[i], bytes, len + len / 2);
        assert_int_equal(read_answer(halves[i]), 1);
    }
    int third = serving_connect(serving, SOCK_STREAM, NULL);
    assert_true(is_closed(halves[0]));
    assert_int_equal(counter_read(&worker_stats(serving->worker)->tcp_closed_slow), 1);
    send_whole(third, bytes, len);
    assert_int_equal(read_answer(third), 1);
    send_whole(halves[1], bytes + len / 2, len - len / 2);
    assert_int_equal(read_answer(halves[1]), 1);
    (void)close(halves[0]);
    (void)close(halves[1]);
    (void)close(third);
    serving_free(serving);
}

/* One connection may have so many questions open; the rest of them waits its turn, unharmed. */
static void test_unanswered_limit_pauses(void **state)
{
    (void)state;
    enum {
        COUNT = LISTEN_CONNECTIONS_UNANSWERED_MAX + 20
    };
    uint8_t bytes[128];
    bool is_answered[COUNT] = {false};
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_STREAM, NULL);
    for (uint16_t i = 0; i < COUNT; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "n%u.example.org", (unsigned)i);
        send_whole(fd, bytes, frame(bytes, i, name, TYPE_MX));
    }
    serving_await(serving, tcp_received, LISTEN_CONNECTIONS_UNANSWERED_MAX);
    assert_int_equal(counter_read(&worker_stats(serving->worker)->tcp_received),
        LISTEN_CONNECTIONS_UNANSWERED_MAX);
    for (size_t i = 0; i < COUNT; i++) {
        serving_upstream_deny(serving);
        uint16_t id = read_answer(fd);
        assert_in_range(id, 0, COUNT - 1);
        assert_false(is_answered[id]);
        is_answered[id] = true;
    }
    (void)close(fd);
    serving_free(serving);
}

/* A client that asks and asks but does not read is paused, and loses nothing when it reads. */
static void test_unread_answers_pause(void **state)
{
    (void)state;
    uint8_t bytes[128];
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_STREAM, NULL);
    size_t len = frame(bytes, 5, "localhost", TYPE_A);
    size_t asked = 0;
    size_t rest = 0;
    bool is_blocked = false;
    while (!is_blocked && asked < 4000000) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            /* The worker may only be slow; it is paused when nothing moves for a while. */
            struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
            is_blocked = poll(&pollfd, 1, 300) == 0;
            continue;
        }
        asked++;
        if ((size_t)sent < len) {
            rest = len - (size_t)sent;
            break;
        }
    }
    assert_true(asked < 4000000);
    for (size_t i = 0; i + 1 < asked; i++) {
        assert_int_equal(read_answer(fd), 5);
    }
    if (rest > 0) {
        send_whole(fd, bytes + len - rest, rest);
    }
    assert_int_equal(read_answer(fd), 5);
    assert_int_equal(counter_read(&worker_stats(serving->worker)->tcp_closed_unread), 0);
    (void)close(fd);
    serving_free(serving);
}

/* A text of some 27 KB, as upstream would have told it. */
static void cache_long_text(struct serving *serving, const char *name)
{
    enum {
        RECORDS = 100
    };
    static const uint8_t record[] = {
        0xc0, HEADER_SIZE, 0, TYPE_TXT, 0, CLASS_IN, 0, 0, 1, 0, 1, 0, 255};
    static const uint16_t counts[4] = {1, RECORDS, 0, 0};
    uint8_t message[HEADER_SIZE + 64 + RECORDS * (sizeof record + 255)];
    struct cache_key key = {.type = TYPE_TXT, .class = CLASS_IN};
    size_t len = serving_query(message, 0, name, TYPE_TXT);
    size_t name_len;
    header_set_flags(message, HEADER_QR | HEADER_RD | HEADER_RA);
    header_set_counts(message, counts);
    assert_true(name_from_text(name, strlen(name), key.name, &name_len));
    key.name_len = (uint8_t)name_len;
    for (size_t i = 0; i < RECORDS; i++) {
        memcpy(message + len, record, sizeof record);
        memset(message + len + sizeof record, (int)i, 255);
        len += sizeof record + 255;
    }
    const struct cache_fill fill = {
        .kind = CACHE_KIND_ANSWER, .message = message, .len = len, .ttl_s = 256};
    cache_store(serving->cache, &key, &fill, clock_now());
}

/* Answers of more bytes than may wait at a time: what was asked in the same breath is answered when
 * these have left, and not only when the client asks on. */
static void test_long_answers_in_one_breath(void **state)
{
    (void)state;
    enum {
        COUNT = 10
    };
    uint8_t bytes[1024] = {0};
    size_t len = 0;
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    cache_long_text(serving, "long.example.org");
    int fd = serving_connect(serving, SOCK_STREAM, NULL);
    for (uint16_t i = 0; i < COUNT; i++) {
        len += frame(bytes + len, i, "long.example.org", TYPE_TXT);
    }
    send_whole(fd, bytes, len + 1); /* And the next one begins. */
    for (uint16_t i = 0; i < COUNT; i++) {
        assert_int_equal(read_answer(fd), i);
    }
    assert_int_equal(counter_read(&worker_stats(serving->worker)->tcp_received), COUNT);
    (void)close(fd);
    serving_free(serving);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipelining_out_of_order),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_half_closed_client_gets_its_answers),
        cmocka_unit_test(test_client_that_has_gone),
        cmocka_unit_test(test_malformed_is_closed),
        cmocka_unit_test(test_idle_is_closed),
        cmocka_unit_test(test_room_is_made_by_closing_the_longest_idle),
        cmocka_unit_test(test_half_questions_give_way),
        cmocka_unit_test(test_unanswered_limit_pauses),
        cmocka_unit_test(test_unread_answers_pause),
        cmocka_unit_test(test_long_answers_in_one_breath),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
