/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/random.h"
#include "wire/question.h"
#include "wire/types.h"
#include "cmd/lookup_ask.h"

#define WAIT_MS    5000
#define PORT_TRIES 50

/* What the server does with its one question by UDP; a stream, if any, gets the whole answer. */
enum manner {
    MANNER_ANSWER,
    MANNER_STRANGE_FIRST, /* A reply with another id, and half a header, before the right one. */
    MANNER_TRUNCATE,
    MANNER_BARE, /* REFUSED without a question. */
    MANNER_SILENT,
};

struct server {
    enum manner manner;
    int udp;
    int tcp;
    struct address address;
    pthread_t thread;
};

/* The query with QR set and without its OPT record, which is an answer of no records. */
static size_t reply_from(uint8_t *bytes, size_t len, uint16_t flags)
{
    static const uint16_t counts[4] = {1, 0, 0, 0};
    struct reader reader = reader_of(bytes, len);
    struct question question;
    reader.at = HEADER_SIZE;
    if (len < HEADER_SIZE || !question_read(&reader, &question)) {
        return 0;
    }
    header_set_flags(bytes, (uint16_t)(HEADER_QR | HEADER_RD | HEADER_RA | flags));
    header_set_counts(bytes, counts);
    return reader.at;
}

static void serve_stream(int listener)
{
    struct pollfd poller = {.fd = listener, .events = POLLIN};
    uint8_t bytes[1024];
    if (poll(&poller, 1, WAIT_MS) != 1) {
        return;
    }
    int fd = accept(listener, NULL, NULL);
    ssize_t len = recv(fd, bytes, sizeof bytes, 0);
    if (len > 2) {
        size_t reply_len = reply_from(bytes + 2, (size_t)len - 2, 0);
        bytes_put_u16(bytes, (uint16_t)reply_len);
        /* In two pieces, the prefix torn apart. */
        (void)send(fd, bytes, 1, MSG_NOSIGNAL);
        (void)send(fd, bytes + 1, reply_len + 1, MSG_NOSIGNAL);
    }
    (void)close(fd);
}

static void *serve(void *world)
{
    struct server *server = world;
    struct pollfd poller = {.fd = server->udp, .events = POLLIN};
    uint8_t bytes[1024];
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof peer;
    if (poll(&poller, 1, WAIT_MS) != 1) {
        return NULL;
    }
    ssize_t got =
        recvfrom(server->udp, bytes, sizeof bytes, 0, (struct sockaddr *)&peer, &peer_len);
    bool is_truncating = server->manner == MANNER_TRUNCATE;
    size_t len = reply_from(bytes, got > 0 ? (size_t)got : 0, is_truncating ? HEADER_TC : 0);
    if (len == 0 || server->manner == MANNER_SILENT) {
        return NULL;
    }
    const struct sockaddr *to = (const struct sockaddr *)&peer;
    if (server->manner == MANNER_STRANGE_FIRST) {
        header_set_id(bytes, (uint16_t)(header_id(bytes) + 1));
        (void)sendto(server->udp, bytes, len, 0, to, peer_len);
        header_set_id(bytes, (uint16_t)(header_id(bytes) - 1));
        (void)sendto(server->udp, bytes, 5, 0, to, peer_len);
    }
    if (server->manner == MANNER_BARE) {
        static const uint16_t counts[4] = {0, 0, 0, 0};
        header_set_flags(bytes, HEADER_QR | RCODE_REFUSED);
        header_set_counts(bytes, counts);
        len = HEADER_SIZE;
    }
    (void)sendto(server->udp, bytes, len, 0, to, peer_len);
    if (is_truncating) {
        serve_stream(server->tcp);
    }
    return NULL;
}

static void server_close(struct server *server)
{
    (void)close(server->udp);
    (void)close(server->tcp);
}

/* UDP on a port that the kernel chooses. False: somebody else has that port by TCP. */
static bool server_try(struct server *server)
{
    struct sockaddr_storage sockaddr;
    assert_true(address_parse("127.0.0.1", 9, 0, &server->address));
    socklen_t len = address_to_sockaddr(&server->address, &sockaddr);
    server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->udp, (const struct sockaddr *)&sockaddr, len), 0);
    assert_int_equal(getsockname(server->udp, (struct sockaddr *)&sockaddr, &len), 0);
    server->address = address_from_sockaddr((const struct sockaddr *)&sockaddr);
    server->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->tcp, (const struct sockaddr *)&sockaddr, len) != 0) {
        assert_int_equal(errno, EADDRINUSE);
        return false;
    }
    assert_int_equal(listen(server->tcp, 4), 0);
    return true;
}

/* UDP and TCP on one port. */
static void server_open(struct server *server)
{
    for (unsigned tries = 0; tries < PORT_TRIES; tries++) {
        if (server_try(server)) {
            return;
        }
        server_close(server);
    }
    fail_msg("no port is free by UDP and TCP");
}

static const struct question question = {
    .name = {1, 'a', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0},
    .name_len = 11,
    .type = TYPE_MX,
    .class = CLASS_IN,
};

static struct lookup_ask result;

static void ask(const struct address *address)
{
    struct random random;
    random_init_seed(&random, 1);
    memset(&result, 0xa5, sizeof result);
    lookup_ask(address, &question, &random, &result);
}

struct manner_case {
    enum manner manner;
    enum lookup_ask_verdict verdict;
    bool is_stream;
};

static void test_manners(void **state)
{
    static const struct manner_case cases[] = {
        {MANNER_ANSWER, LOOKUP_ASK_REPLY, false},
        {MANNER_STRANGE_FIRST, LOOKUP_ASK_REPLY, false},
        {MANNER_TRUNCATE, LOOKUP_ASK_REPLY, true},
        {MANNER_BARE, LOOKUP_ASK_BARE, false},
        {MANNER_SILENT, LOOKUP_ASK_SILENT, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct server server = {.manner = cases[i].manner};
        server_open(&server);
        assert_int_equal(pthread_create(&server.thread, NULL, serve, &server), 0);
        ask(&server.address);
        (void)pthread_join(server.thread, NULL);
        server_close(&server);
        assert_int_equal(result.verdict, cases[i].verdict);
        assert_int_equal(result.is_stream, cases[i].is_stream);
        if (result.verdict == LOOKUP_ASK_REPLY) {
            assert_int_equal(result.len, HEADER_SIZE + question.name_len + 4);
            assert_int_equal(header_flags(result.bytes) & HEADER_TC, 0);
            assert_in_range(result.round_trip_us, 0, INT64_C(2000000));
        }
        if (result.verdict == LOOKUP_ASK_BARE) {
            assert_int_equal(header_rcode(result.bytes), RCODE_REFUSED);
        }
    }
}

static void test_a_closed_port(void **state)
{
    struct server server = {.manner = MANNER_SILENT};
    (void)state;
    server_open(&server);
    server_close(&server);
    ask(&server.address);
    assert_int_equal(result.verdict, LOOKUP_ASK_BROKEN);
    assert_int_equal(result.error, ECONNREFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manners),
        cmocka_unit_test(test_a_closed_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
