/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/udp_support.h"

#include <fcntl.h>
#include <sys/resource.h>

static const struct scene_limits plain = {0};
static const struct scene_limits one_port = {.per_server = 1};

static void test_reply(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&plain);
    uint64_t line = 0;
    assert_true(scene_send(scene, 42, &line));
    assert_int_equal(out_udp_waiting(scene->out_udp), 1);
    struct taken taken = scene_take(scene);
    assert_int_equal(taken.id, 42);
    scene_reply(scene, &taken, 'r');
    scene_await(scene, 1);
    scene_assert_reply(scene, 42, 'r');
    assert_int_equal(out_udp_waiting(scene->out_udp), 0);
    assert_int_equal(out_udp_open(scene->out_udp), 1);
    out_udp_withdraw(scene->out_udp, line);
    assert_int_equal(counter_read(&scene->stats.upstream_ports_opened), 1);
    scene_free(scene);
}

static void test_wrong_then_right(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&plain);
    scene->support.refusals_left = 2;
    scene_ask(scene, 42);
    struct taken taken = scene_take(scene);
    scene_reply(scene, &taken, 'w');
    scene_reply(scene, &taken, 'w');
    scene_reply(scene, &taken, 'r');
    scene_reply(scene, &taken, 'l');
    scene_await(scene, 3);
    out_support_run_ready(&scene->support);
    assert_int_equal(scene->support.replies, 3);
    scene_assert_reply(scene, 42, 'r');
    assert_int_equal(scene->support.losses, 0);
    assert_int_equal(counter_read(&scene->stats.upstream_strays), 3);
    scene_free(scene);
}

/* Three wait at one socket; each gets its own reply, in whatever order they come. */
static void test_several_at_one_socket(void **state)
{
    (void)state;
    static const uint8_t order[] = {1, 2, 0};
    struct scene *scene = scene_new(&one_port);
    struct taken taken[3];
    for (uint64_t i = 0; i < 3; i++) {
        scene_ask(scene, 40 + i);
        taken[i] = scene_take(scene);
        assert_int_equal(taken[i].client.sin_port, taken[0].client.sin_port);
    }
    assert_int_equal(out_udp_open(scene->out_udp), 1);
    assert_int_equal(out_udp_waiting(scene->out_udp), 3);
    for (unsigned i = 0; i < 3; i++) {
        scene_reply(scene, &taken[order[i]], (uint8_t)('a' + i));
        scene_await(scene, i + 1);
        scene_assert_reply(scene, 40u + order[i], (uint8_t)('a' + i));
    }
    assert_int_equal(out_udp_waiting(scene->out_udp), 0);
    scene_free(scene);
}

/* No two that wait at one socket have one id; when every port has it, that is said and counted. */
static void test_id_is_not_shared(void **state)
{
    (void)state;
    enum {
        PORTS = 4,
        TRIES = 40
    };
    struct scene *scene = scene_new(&(struct scene_limits){.per_server = PORTS});
    uint16_t ports[PORTS];
    uint64_t line = 0;
    unsigned sent = 0;
    for (unsigned i = 0; i < TRIES; i++) {
        if (!scene_send(scene, 7, &line)) {
            continue;
        }
        assert_in_range(sent, 0, PORTS - 1);
        ports[sent] = scene_take(scene).client.sin_port;
        for (unsigned j = 0; j < sent; j++) {
            assert_int_not_equal(ports[j], ports[sent]);
        }
        sent++;
    }
    assert_int_equal(sent, PORTS);
    assert_int_equal(counter_read(&scene->stats.upstream_ids_taken), TRIES - PORTS);
    assert_true(scene_send(scene, 8, &line));
    scene_free(scene);
}

static bool has_two_losses(struct out_support *support)
{
    return support->losses >= 2;
}

/* A refusal is the loss of all who wait at the socket. */
static void test_refused_port(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&one_port);
    uint64_t line = 0;
    assert_true(scene_send(scene, 42, &line));
    scene_ask(scene, 43);
    scene_take(scene);
    scene_take(scene);
    close(scene->server_fd);
    scene->server_fd = -1;
    scene_ask(scene, 44);
    assert_int_equal(scene->support.losses, 0);
    out_support_run(&scene->support, has_two_losses);
    out_support_run_ready(&scene->support);
    assert_int_equal(scene->support.losses, 3);
    assert_int_equal(scene->support.lost_end, LINE_BROKEN);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(scene->support.lost[i], 42 + i);
    }
    assert_int_equal(out_udp_waiting(scene->out_udp), 0);
    assert_int_equal(out_udp_open(scene->out_udp), 0);
    out_udp_withdraw(scene->out_udp, line);
    scene_free(scene);
}

/* On loopback the refusal is there before the next question is sent from the same socket. That one
 * is sent all the same, from another, and whoever waited is told by the loop, not by the send. */
static void test_refusal_noticed_by_sending(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&one_port);
    close(scene->server_fd);
    scene->server_fd = -1;
    for (uint64_t i = 0; i < 5; i++) {
        scene_ask(scene, 42 + i);
    }
    assert_int_equal(scene->support.losses, 0);
    out_support_run_ready(&scene->support);
    assert_int_equal(scene->support.losses, 5);
    assert_int_equal(out_udp_waiting(scene->out_udp), 0);
    assert_int_equal(out_udp_open(scene->out_udp), 0);
    scene_free(scene);
}

/* Told of one loss, it withdraws the other and asks anew: neither may be told, or lost, twice. */
static void on_loss_ask_again(struct out_support *support)
{
    struct scene *scene = support->test;
    if (support->losses == 1 && scene->line != 0) {
        out_udp_withdraw(scene->out_udp, scene->line);
        scene->line = 0;
        scene_ask(scene, 99);
    }
}

static void test_withdraw_inside_loss(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&one_port);
    scene->support.on_event = on_loss_ask_again;
    scene_ask(scene, 42);
    assert_true(scene_send(scene, 43, &scene->line));
    close(scene->server_fd);
    scene->server_fd = -1;
    scene_ask(scene, 44);
    out_support_run(&scene->support, has_two_losses);
    out_support_run_ready(&scene->support);
    assert_int_equal(scene->support.losses, 3);
    assert_int_equal(scene->support.lost[0], 42);
    assert_int_equal(scene->support.lost[1], 44);
    assert_int_equal(scene->support.lost[2], 99);
    scene_free(scene);
}

/* Withdraws its own line, and asks again in the slot that has become free. */
static void on_event_withdraw(struct out_support *support)
{
    struct scene *scene = support->test;
    out_udp_withdraw(scene->out_udp, scene->line);
    out_udp_withdraw(scene->out_udp, scene->line);
    if (support->replies == 1) {
        assert_true(scene_send(scene, 43, &scene->line));
    }
}

/* Both verdicts must be safe when the line is gone and its slot has a new life, and when its socket
 * has gone too, for it had retired. */
static void test_withdraw_inside_reply(void **state)
{
    (void)state;
    static const uint64_t strays[4] = {0, 0, 1, 2}; /* What comes to a closed port is none. */
    for (unsigned i = 0; i < 4; i++) {
        struct scene *scene = scene_new(
            &(struct scene_limits){.questions = 1, .per_server = 1, .uses = i < 2 ? 1 : 64});
        scene->support.on_event = on_event_withdraw;
        scene->support.refusals_left = i % 2;
        assert_true(scene_send(scene, 42, &scene->line));
        struct taken taken = scene_take(scene);
        scene_reply(scene, &taken, '1');
        scene_reply(scene, &taken, '2');
        scene_await(scene, 1);
        out_support_run_ready(&scene->support);
        assert_int_equal(scene->support.replies, 1);
        assert_int_equal(counter_read(&scene->stats.upstream_strays), strays[i]);
        assert_int_equal(out_udp_waiting(scene->out_udp), 1);
        taken = scene_take(scene);
        scene_reply(scene, &taken, '3');
        scene_await(scene, 2);
        scene_assert_reply(scene, 43, '3');
        assert_int_equal(out_udp_waiting(scene->out_udp), 0);
        scene_free(scene);
    }
}

static void test_withdraw_before_reply(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&(struct scene_limits){.questions = 1, .per_server = 1});
    uint64_t first = 0;
    uint64_t second = 0;
    assert_true(scene_send(scene, 42, &first));
    struct taken taken = scene_take(scene);
    out_udp_withdraw(scene->out_udp, first);
    assert_int_equal(out_udp_waiting(scene->out_udp), 0);
    assert_true(scene_send(scene, 43, &second));
    assert_true(first != second);
    /* The late reply is nobody's, and the old name must not end the new line. */
    scene_reply(scene, &taken, 'l');
    out_udp_withdraw(scene->out_udp, first);
    assert_int_equal(out_udp_waiting(scene->out_udp), 1);
    out_support_run_ready(&scene->support);
    assert_int_equal(scene->support.replies, 0);
    assert_int_equal(counter_read(&scene->stats.upstream_strays), 1);
    scene_free(scene);
}

static void test_full(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&(struct scene_limits){.questions = 2});
    uint64_t lines[3] = {0};
    assert_true(scene_send(scene, 1, &lines[0]));
    assert_true(scene_send(scene, 2, &lines[1]));
    assert_false(scene_send(scene, 3, &lines[2]));
    out_udp_withdraw(scene->out_udp, lines[0]);
    assert_true(scene_send(scene, 3, &lines[2]));
    scene_free(scene);
}

static struct rlimit descriptors_forbid(void)
{
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    /* The next number that would be given out is above the limit. */
    int next = fcntl(0, F_DUPFD_CLOEXEC, 0);
    assert_true(next >= 0);
    close(next);
    struct rlimit tight = {.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    return before;
}

/* Without a descriptor nothing can be sent; with few, those few serve all. */
static void test_no_descriptor(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&plain);
    uint64_t line = 0;
    struct rlimit before = descriptors_forbid();
    assert_false(scene_send(scene, 1, &line));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(out_udp_open(scene->out_udp), 0);
    scene_ask(scene, 1);
    scene_ask(scene, 2);
    before = descriptors_forbid();
    for (uint64_t i = 3; i < 60; i++) {
        scene_ask(scene, i);
    }
    assert_int_equal(out_udp_open(scene->out_udp), 2);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    scene_free(scene);
}

/* A server with a TLS name or pins must never see a question in clear. */
static void test_refuses_clear_text_to_tls_server(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&plain);
    uint64_t line = 0;
    memcpy(scene->server.tls_name, "dns.example", sizeof("dns.example"));
    assert_false(scene_send(scene, 1, &line));
    scene->server.tls_name[0] = '\0';
    scene->server.pin_count = 1;
    assert_false(scene_send(scene, 1, &line));
    assert_int_equal(out_udp_open(scene->out_udp), 0);
    scene_free(scene);
}

/* While there are few sockets, no two questions leave from one port. */
static void test_ports_are_fresh(void **state)
{
    (void)state;
    enum {
        COUNT = 32
    };
    struct scene *scene = scene_new(&plain);
    uint16_t ports[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        ports[i] = scene_round(scene, i);
        assert_in_range(ports[i], 1024, 65535);
        for (size_t j = 0; j < i; j++) {
            assert_true(ports[j] != ports[i]);
        }
    }
    scene_free(scene);
}

static void test_ipv6(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&plain);
    struct sockaddr_in6 sockaddr = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    socklen_t len = sizeof(sockaddr);
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sockaddr, len) != 0) {
        skip();
    }
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sockaddr, &len), 0);
    scene->server.address = address_from_sockaddr((struct sockaddr *)&sockaddr);
    scene_ask(scene, 6);
    uint8_t message[OUT_SUPPORT_MESSAGE_LEN];
    struct sockaddr_in6 client;
    out_support_run_until_readable(&scene->support, fd);
    assert_int_equal(
        recvfrom(fd, message, sizeof message, 0, (struct sockaddr *)&client, &len), sizeof message);
    assert_int_equal(
        sendto(fd, message, sizeof message, 0, (struct sockaddr *)&client, len), sizeof message);
    scene_await(scene, 1);
    scene_assert_reply(scene, 6, 'q');
    close(fd);
    scene_free(scene);
}

static void test_free_is_harmless(void **state)
{
    (void)state;
    out_udp_free(&(struct out_udp *){NULL});
    out_udp_free(NULL);
    struct scene *scene = scene_new(&plain);
    scene_ask(scene, 1);
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply),
        cmocka_unit_test(test_wrong_then_right),
        cmocka_unit_test(test_several_at_one_socket),
        cmocka_unit_test(test_id_is_not_shared),
        cmocka_unit_test(test_refused_port),
        cmocka_unit_test(test_refusal_noticed_by_sending),
        cmocka_unit_test(test_withdraw_inside_loss),
        cmocka_unit_test(test_withdraw_inside_reply),
        cmocka_unit_test(test_withdraw_before_reply),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_no_descriptor),
        cmocka_unit_test(test_refuses_clear_text_to_tls_server),
        cmocka_unit_test(test_ports_are_fresh),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_free_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
