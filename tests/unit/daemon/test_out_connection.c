/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/stream_support.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>

#include "tests/unit/daemon/tls_support.h"

/* A reply that drips in: a round is a byte and a question more. */
#define STALL_ROUNDS   40
#define STALL_ROUND_US 10000

static struct tls_support authority;

static void test_byte_by_byte(void **state)
{
    (void)state;
    struct scene *scene = scene_new(NULL);
    scene_send(scene, 1, 101);
    int fd = scene_accept(scene);
    int on = 1;
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    scene_take(scene, fd, 101, 1);
    uint8_t frame[STREAM_FRAME_LEN] = {0, OUT_SUPPORT_MESSAGE_LEN};
    out_support_message(frame + 2, 101, 9);
    for (size_t i = 0; i < STREAM_FRAME_LEN; i++) {
        assert_int_equal(scene->support.replies, 0);
        assert_int_equal(send(fd, frame + i, 1, 0), 1);
        out_support_run_ready(&scene->support);
    }
    out_support_run(&scene->support, out_support_has_reply);
    assert_int_equal(scene->support.reply[12], 9);
    close(fd);
    scene_free(scene);
}

static bool has_three_losses(struct out_support *support)
{
    return support->losses == 3;
}

static bool has_two_replies(struct out_support *support)
{
    return support->replies == 2;
}

static void test_closed_in_a_frame(void **state)
{
    (void)state;
    struct scene *scene = scene_new(NULL);
    for (uint16_t i = 1; i <= 3; i++) {
        scene_send(scene, i, i);
    }
    int fd = scene_accept(scene);
    for (uint16_t i = 1; i <= 3; i++) {
        scene_take(scene, fd, i, (uint8_t)i);
    }
    assert_int_equal(send(fd, "\0\15\0\1", 4, 0), 4);
    close(fd);
    out_support_run(&scene->support, has_three_losses);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(scene->support.lost[i], i + 1);
    }
    out_support_run(&scene->support, has_all_closed);
    assert_int_equal(scene->support.replies, 0);
    scene_free(scene);
}

static void test_refused_connection(void **state)
{
    (void)state;
    struct scene *scene = scene_new(NULL);
    close(scene->server_fd);
    scene->server_fd = -1;
    uint64_t line = scene_send(scene, 42, 1);
    assert_int_equal(scene->support.losses, 0);
    out_support_run(&scene->support, out_support_has_loss);
    assert_int_equal(scene->support.lost[0], 42);
    out_stream_withdraw(scene->out_stream, line);
    out_support_run(&scene->support, has_all_closed);
    scene_free(scene);
}

/* A connection that is dead already is found in the call, and reported from the loop. */
static void test_dead_connection_is_found_in_send(void **state)
{
    (void)state;
    struct scene *scene = scene_new(NULL);
    scene_send(scene, 1, 1);
    int fd = scene_accept(scene);
    scene_take(scene, fd, 1, 1);
    scene_reply(fd, 1, 1);
    scene_expect_reply(scene, 1, 1);
    struct linger abort_now = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_now, sizeof(abort_now)), 0);
    close(fd);
    scene_send(scene, 2, 2);
    assert_int_equal(scene->support.losses, 0);
    /* It is not chosen any more. */
    scene_send(scene, 3, 3);
    out_support_run(&scene->support, out_support_has_loss);
    assert_int_equal(scene->support.losses, 1);
    assert_int_equal(scene->support.lost[0], 2);
    fd = scene_accept(scene);
    scene_take(scene, fd, 3, 3);
    close(fd);
    scene_free(scene);
}

static void test_silent_server(void **state)
{
    (void)state;
    const struct out_stream_options limits = {
        .connections_max = 2, .exchanges_max = 8, .silence_us = 100 * CLOCK_US_PER_MS};
    struct scene *scene = scene_new(&limits);
    scene_send(scene, 1, 1);
    scene_send(scene, 2, 2);
    scene_send(scene, 3, 3);
    int fd = scene_accept(scene);
    scene_take(scene, fd, 1, 1);
    out_support_run(&scene->support, has_three_losses);
    out_support_run(&scene->support, has_all_closed);
    close(fd);
    scene_free(scene);
}

/* A reply that stops in the middle: the line goes, long before silence would end it, and does not
 * get longer by more questions or by a byte now and then. */
static void test_stalled_reply(void **state)
{
    (void)state;
    const struct out_stream_options limits = {.connections_max = 1,
        .exchanges_max = STALL_ROUNDS,
        .silence_us = 60 * CLOCK_US_PER_S,
        .stall_us = STALL_ROUNDS * STALL_ROUND_US / 4};
    struct scene *scene = scene_new(&limits);
    unsigned rounds = 0;
    int fd = -1;
    while (scene->support.losses == 0) {
        assert_in_range(rounds, 0, STALL_ROUNDS - 1);
        scene_send(scene, rounds, (uint16_t)rounds);
        fd = fd < 0 ? scene_accept(scene) : fd;
        scene_take(scene, fd, (uint16_t)rounds, (uint8_t)rounds);
        assert_int_equal(send(fd, "\377", 1, MSG_NOSIGNAL), 1);
        rounds++;
        usleep(STALL_ROUND_US);
        out_support_run_ready(&scene->support);
    }
    assert_int_equal(scene->support.losses, rounds);
    out_support_run(&scene->support, has_all_closed);
    close(fd);
    scene_free(scene);
}

/* The limit that is compiled in. */
static void test_stalled_reply_by_default(void **state)
{
    (void)state;
    const struct out_stream_options limits = {
        .connections_max = 2, .exchanges_max = 8, .silence_us = 60 * CLOCK_US_PER_S};
    struct scene *scene = scene_new(&limits);
    scene_send(scene, 1, 1);
    int fd = scene_accept(scene);
    scene_take(scene, fd, 1, 1);
    int64_t start = clock_now();
    assert_int_equal(send(fd, "", 1, 0), 1);
    out_support_run(&scene->support, out_support_has_loss);
    assert_true(clock_now() - start > OUT_STREAM_STALL_S * CLOCK_US_PER_S / 2);
    out_support_run(&scene->support, has_all_closed);
    close(fd);
    scene_free(scene);
}

/* Nobody waits any more, and yet the server has been silent: the connection must go, or it would
 * swallow question after question. */
static void test_silence_outlives_withdrawal(void **state)
{
    (void)state;
    const struct out_stream_options limits = {
        .connections_max = 2, .exchanges_max = 8, .silence_us = 100 * CLOCK_US_PER_MS};
    struct scene *scene = scene_new(&limits);
    uint64_t line = scene_send(scene, 1, 1);
    int fd = scene_accept(scene);
    scene_take(scene, fd, 1, 1);
    out_stream_withdraw(scene->out_stream, line);
    int64_t start = clock_now();
    out_support_run(&scene->support, has_all_closed);
    assert_true(clock_now() - start < OUT_STREAM_SILENCE_S * CLOCK_US_PER_S);
    assert_int_equal(scene->support.losses, 0);
    close(fd);
    scene_free(scene);
}

/* Messages that nobody asked for do not count as answers. */
static void test_silence_behind_chatter(void **state)
{
    (void)state;
    const struct out_stream_options limits = {
        .connections_max = 2, .exchanges_max = 8, .silence_us = 100 * CLOCK_US_PER_MS};
    struct scene *scene = scene_new(&limits);
    scene_send(scene, 1, 1);
    int fd = scene_accept(scene);
    scene_take(scene, fd, 1, 1);
    scene_reply(fd, 998, 0);
    scene_reply(fd, 999, 0);
    int64_t start = clock_now();
    out_support_run(&scene->support, out_support_has_loss);
    assert_true(clock_now() - start < OUT_STREAM_SILENCE_S * CLOCK_US_PER_S);
    close(fd);
    scene_free(scene);
}

static void test_idle_connection_is_closed(void **state)
{
    (void)state;
    const struct out_stream_options limits = {
        .connections_max = 2, .exchanges_max = 8, .idle_us = 50 * CLOCK_US_PER_MS};
    struct scene *scene = scene_new(&limits);
    scene_send(scene, 1, 1);
    int fd = scene_accept(scene);
    scene_take(scene, fd, 1, 1);
    scene_reply(fd, 1, 1);
    scene_expect_reply(scene, 1, 1);
    assert_int_equal(out_stream_open(scene->out_stream), 1);
    out_support_run(&scene->support, has_all_closed);
    assert_int_equal(scene->support.losses, 0);
    assert_true(is_closed_by_peer(fd));
    close(fd);
    scene_free(scene);
}

/* A backlog that is full lets no further connection in. */
static void test_connect_limit(void **state)
{
    (void)state;
    const struct out_stream_options limits = {
        .connections_max = 4, .exchanges_max = 8, .connect_us = 50 * CLOCK_US_PER_MS};
    struct scene *scene = scene_new(&limits);
    assert_int_equal(listen(scene->server_fd, 0), 0);
    for (uint16_t i = 0; i < 3; i++) {
        scene_send(scene, i, 7);
    }
    out_support_run(&scene->support, out_support_has_loss);
    scene_free(scene);
}

/* A large question and replies that stand in several reads: parts in both directions. */
static void test_large_messages(void **state)
{
    (void)state;
    enum {
        LEN = 60000,
        COUNT = 8
    };
    struct scene *scene = scene_new(NULL);
    uint8_t *message = calloc(1, LEN + 2);
    uint8_t *got = calloc(1, LEN + 2);
    uint64_t line = 0;
    assert_true(message != NULL && got != NULL);
    const struct transmission transmission = {.exchange = 5,
        .server = &scene->server,
        .is_stream = true,
        .message = message + 2,
        .len = LEN};
    for (uint16_t i = 0; i < COUNT; i++) {
        message[0] = LEN >> 8;
        message[1] = LEN & 0xff;
        message[3] = (uint8_t)i;
        message[LEN] = (uint8_t)(i + 1);
        assert_true(out_stream_send(scene->out_stream, &transmission, &line));
        assert_int_equal(out_stream_open(scene->out_stream), 1);
        int fd = i == 0 ? scene_accept(scene) : scene->server_fd;
        if (i == 0) {
            close(scene->server_fd);
            scene->server_fd = fd;
        }
        for (size_t len = 0; len < LEN + 2;) {
            out_support_run_until_readable(&scene->support, fd);
            ssize_t part = recv(fd, got + len, LEN + 2 - len, 0);
            assert_true(part > 0);
            len += (size_t)part;
        }
        assert_memory_equal(got, message, LEN + 2);
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        scene->support.replies = 0;
        for (size_t len = 0; len < LEN + 2;) {
            ssize_t part = send(fd, got + len, LEN + 2 - len, 0);
            len += part > 0 ? (size_t)part : 0;
            out_support_run_ready(&scene->support);
        }
        out_support_run(&scene->support, out_support_has_reply);
        assert_int_equal(scene->support.reply_len, LEN);
        assert_memory_equal(scene->support.reply, message + 2, LEN);
    }
    free(message);
    free(got);
    scene_free(scene);
}

/* Plays a TLS server on the next connection until the handshake has ended, well or not. */
static SSL *scene_accept_tls(struct scene *scene, SSL_CTX *server)
{
    int64_t end = clock_now() + OUT_SUPPORT_LIMIT_S * CLOCK_US_PER_S;
    SSL *ssl = tls_support_accept(server, scene_accept(scene));
    int returned = 0;
    while ((returned = SSL_do_handshake(ssl)) != 1) {
        assert_true(clock_now() < end);
        if (SSL_get_error(ssl, returned) != SSL_ERROR_WANT_READ) {
            break;
        }
        out_support_run_ready(&scene->support);
    }
    return ssl;
}

static void scene_hang_up(SSL *ssl)
{
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
}

/* The next bytes that come through TLS. */
static void scene_take_tls(
    struct scene *scene, SSL *ssl, const uint8_t *expected, size_t expected_len)
{
    int64_t end = clock_now() + OUT_SUPPORT_LIMIT_S * CLOCK_US_PER_S;
    uint8_t bytes[256];
    size_t len = 0;
    while (len < expected_len) {
        assert_true(clock_now() < end);
        int part = SSL_read(ssl, bytes + len, (int)(expected_len - len));
        len += part > 0 ? (size_t)part : 0;
        out_support_run_ready(&scene->support);
    }
    assert_memory_equal(bytes, expected, len);
}

static void test_tls_exchange(void **state)
{
    (void)state;
    struct scene *scene = scene_new(NULL);
    SSL_CTX *server = tls_support_server(&authority, "DNS:dns.example", TLS_SUPPORT_GOOD);
    memcpy(scene->server.tls_name, "dns.example", sizeof("dns.example"));
    for (uint16_t round = 0; round < 2; round++) {
        uint8_t frames[2 * STREAM_FRAME_LEN] = {0, OUT_SUPPORT_MESSAGE_LEN};
        frames[STREAM_FRAME_LEN + 1] = OUT_SUPPORT_MESSAGE_LEN;
        out_support_message(frames + 2, 101, 1);
        out_support_message(frames + STREAM_FRAME_LEN + 2, 102, 2);
        scene_send(scene, 1, 101);
        scene_send(scene, 2, 102);
        SSL *ssl = scene_accept_tls(scene, server);
        assert_int_equal(SSL_session_reused(ssl), round);
        scene_take_tls(scene, ssl, frames, sizeof(frames));
        /* Both replies stand in one record, so the second is announced by no event. */
        scene->support.replies = 0;
        assert_int_equal(SSL_write(ssl, frames, sizeof(frames)), sizeof(frames));
        out_support_run(&scene->support, has_two_replies);
        assert_int_equal(out_stream_open(scene->out_stream), 1);
        scene_hang_up(ssl);
        out_support_run(&scene->support, has_all_closed);
        assert_int_equal(scene->support.losses, 0);
    }
    SSL_CTX_free(server);
    scene_free(scene);
}

static bool has_three_replies(struct out_support *support)
{
    return support->replies == 3;
}

/* Two large replies and a small one fill the turn's share of reads such that the end of the small
 * one is left in OpenSSL, where no event tells of it. */
static void test_tls_leaves_nothing_behind(void **state)
{
    (void)state;
    enum {
        LARGE = 60000,
        TOTAL = 8 * 16384,
        SMALL = TOTAL - 2 * (LARGE + 2) - 2
    };
    static const uint16_t lens[] = {LARGE, LARGE, SMALL};
    struct scene *scene = scene_new(NULL);
    SSL_CTX *server = tls_support_server(&authority, "DNS:dns.example", TLS_SUPPORT_GOOD);
    uint8_t *replies = calloc(1, TOTAL);
    assert_non_null(replies);
    uint8_t *at = replies;
    memcpy(scene->server.tls_name, "dns.example", sizeof("dns.example"));
    for (uint16_t i = 0; i < 3; i++) {
        scene_send(scene, i, i);
        at[0] = (uint8_t)(lens[i] >> 8);
        at[1] = (uint8_t)lens[i];
        at[3] = (uint8_t)i;
        at += 2 + lens[i];
    }
    SSL *ssl = scene_accept_tls(scene, server);
    int size = 1 << 20;
    assert_int_equal(setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
    out_support_run_ready(&scene->support);
    assert_int_equal(SSL_write(ssl, replies, TOTAL), TOTAL);
    out_support_run(&scene->support, has_three_replies);
    assert_int_equal(scene->support.losses, 0);
    free(replies);
    scene_hang_up(ssl);
    SSL_CTX_free(server);
    scene_free(scene);
}

/* Standard error goes to a file while the function runs; what was written comes back. */
static void catch_log(struct scene *scene, char *text_out, size_t size)
{
    FILE *file = tmpfile();
    int before = dup(STDERR_FILENO);
    assert_non_null(file);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    out_support_run(&scene->support, out_support_has_loss);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    close(before);
    rewind(file);
    size_t len = fread(text_out, 1, size - 1, file);
    text_out[len] = '\0';
    (void)fclose(file);
}

static void test_tls_refused_and_said_why(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum tls_support_flaw flaw;
        const char *reason;
    } cases[] = {
        {"other.example", TLS_SUPPORT_GOOD, "certificate does not name other.example"},
        {"dns.example", TLS_SUPPORT_EXPIRED, "certificate has expired on "},
        {"dns.example", TLS_SUPPORT_SELF_SIGNED, "certificate is self-signed"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene *scene = scene_new(NULL);
        SSL_CTX *server = tls_support_server(&authority, "DNS:dns.example", cases[i].flaw);
        char log[1024];
        char expected[256];
        char address[ADDRESS_TEXT_SIZE];
        memcpy(scene->server.tls_name, cases[i].name, strlen(cases[i].name));
        address_format(&scene->server.address, address, sizeof(address));
        (void)snprintf(expected, sizeof(expected), "server=%s why=\"%s", address, cases[i].reason);
        scene_send(scene, 1, 101);
        scene_send(scene, 2, 102);
        SSL *ssl = tls_support_accept(server, scene_accept(scene));
        out_support_run_until_readable(&scene->support, SSL_get_fd(ssl));
        assert_int_equal(SSL_do_handshake(ssl), -1);
        assert_int_equal(scene->support.losses, 0);
        catch_log(scene, log, sizeof(log));
        assert_non_null(strstr(log, expected));
        /* Not a byte of a question has gone out. */
        uint8_t byte = 0;
        assert_true(SSL_read(ssl, &byte, 1) <= 0);
        out_support_run(&scene->support, has_all_closed);
        assert_int_equal(scene->support.losses, 2);
        scene_hang_up(ssl);
        SSL_CTX_free(server);
        scene_free(scene);
    }
}

static void test_tls_server_that_says_nothing(void **state)
{
    (void)state;
    const struct out_stream_options limits = {
        .connections_max = 4, .exchanges_max = 8, .connect_us = 100 * CLOCK_US_PER_MS};
    struct scene *scene = scene_new(&limits);
    char log[1024];
    memcpy(scene->server.tls_name, "dns.example", sizeof("dns.example"));
    scene_send(scene, 1, 101);
    int fd = scene_accept(scene);
    catch_log(scene, log, sizeof(log));
    assert_non_null(strstr(log, "no TLS handshake in time"));
    out_support_run(&scene->support, has_all_closed);
    close(fd);
    scene_free(scene);
}

/* In clear, under a TLS name or with a pin are so many servers, even at one address. */
static void test_tls_and_plain_do_not_mix(void **state)
{
    (void)state;
    struct scene *scene = scene_new(NULL);
    scene_send(scene, 1, 101);
    memcpy(scene->server.tls_name, "dns.example", sizeof("dns.example"));
    scene_send(scene, 2, 102);
    assert_int_equal(out_stream_open(scene->out_stream), 2);
    memcpy(scene->server.tls_name, "dnz.example", sizeof("dnz.example"));
    scene_send(scene, 3, 103);
    assert_int_equal(out_stream_open(scene->out_stream), 3);
    scene->server.pin_count = 1;
    scene_send(scene, 4, 104);
    assert_int_equal(out_stream_open(scene->out_stream), 4);
    scene->server.pins[0].digest[31] = 1;
    scene_send(scene, 5, 105);
    assert_int_equal(out_stream_open(scene->out_stream), 5);
    scene_send(scene, 6, 106);
    assert_int_equal(out_stream_open(scene->out_stream), 5);
    scene_free(scene);
}

static int group_start(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    tls_support_init(&authority);
    return 0;
}

static int group_end(void **state)
{
    (void)state;
    tls_support_fini(&authority);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_closed_in_a_frame),
        cmocka_unit_test(test_refused_connection),
        cmocka_unit_test(test_dead_connection_is_found_in_send),
        cmocka_unit_test(test_silent_server),
        cmocka_unit_test(test_stalled_reply),
        cmocka_unit_test(test_stalled_reply_by_default),
        cmocka_unit_test(test_silence_outlives_withdrawal),
        cmocka_unit_test(test_silence_behind_chatter),
        cmocka_unit_test(test_idle_connection_is_closed),
        cmocka_unit_test(test_connect_limit),
        cmocka_unit_test(test_large_messages),
        cmocka_unit_test(test_tls_exchange),
        cmocka_unit_test(test_tls_leaves_nothing_behind),
        cmocka_unit_test(test_tls_refused_and_said_why),
        cmocka_unit_test(test_tls_server_that_says_nothing),
        cmocka_unit_test(test_tls_and_plain_do_not_mix),
    };
    return cmocka_run_group_tests(tests, group_start, group_end);
}
