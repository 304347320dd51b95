/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/out_support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/random.h"
#include "daemon/out_udp.h"

/* One way out, one server socket played by hand. */
struct scene {
    struct out_support support;
    struct random random;
    struct out_udp *out_udp;
    struct settings_server server;
    int server_fd;
    uint64_t line; /* For on_event. */
};

static struct scene *scene_new(uint32_t sockets_max)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    out_support_init(&scene->support);
    scene->support.test = scene;
    random_init_system(&scene->random);
    scene->server_fd = out_support_listen(SOCK_DGRAM, &scene->server);
    const struct out_udp_options options = {
        .loop = scene->support.loop,
        .random = &scene->random,
        .events = out_support_events(&scene->support),
        .sockets_max = sockets_max,
    };
    scene->out_udp = out_udp_new(&options);
    assert_non_null(scene->out_udp);
    return scene;
}

static void scene_free(struct scene *scene)
{
    out_udp_free(&scene->out_udp);
    assert_null(scene->out_udp);
    if (scene->server_fd >= 0) {
        close(scene->server_fd);
    }
    out_support_fini(&scene->support);
    free(scene);
}

static bool scene_send(struct scene *scene, uint64_t exchange, uint64_t *line_out)
{
    const struct transmission transmission = {
        .exchange = exchange,
        .server = &scene->server,
        .message = (const uint8_t *)"question",
        .len = 8,
    };
    return out_udp_send(scene->out_udp, &transmission, line_out);
}

/* Takes the question at the server; `client_out` is where it came from. */
static void scene_take(struct scene *scene, struct sockaddr_in *client_out)
{
    char question[16];
    socklen_t len = sizeof(*client_out);
    out_support_run_until_readable(&scene->support, scene->server_fd);
    assert_int_equal(recvfrom(scene->server_fd, question, sizeof(question), 0,
                         (struct sockaddr *)client_out, &len),
        8);
    assert_memory_equal(question, "question", 8);
}

static void scene_reply(struct scene *scene, const struct sockaddr_in *client, const char *reply)
{
    assert_int_equal(sendto(scene->server_fd, reply, strlen(reply), 0,
                         (const struct sockaddr *)client, sizeof(*client)),
        (ssize_t)strlen(reply));
}

static void test_reply(void **state)
{
    (void)state;
    struct scene *scene = scene_new(4);
    struct sockaddr_in client;
    uint64_t line = 0;
    assert_true(scene_send(scene, 42, &line));
    assert_int_equal(out_udp_open(scene->out_udp), 1);
    scene_take(scene, &client);
    scene_reply(scene, &client, "reply");
    out_support_run(&scene->support, out_support_has_reply);
    assert_int_equal(scene->support.reply_exchange, 42);
    assert_int_equal(scene->support.reply_len, 5);
    assert_memory_equal(scene->support.reply, "reply", 5);
    assert_int_equal(out_udp_open(scene->out_udp), 0);
    out_udp_withdraw(scene->out_udp, line);
    scene_free(scene);
}

static bool has_three_replies(struct out_support *support)
{
    return support->replies == 3;
}

static void test_wrong_then_right(void **state)
{
    (void)state;
    struct scene *scene = scene_new(4);
    struct sockaddr_in client;
    uint64_t line = 0;
    scene->support.refusals_left = 2;
    assert_true(scene_send(scene, 42, &line));
    scene_take(scene, &client);
    scene_reply(scene, &client, "wrong");
    scene_reply(scene, &client, "");
    scene_reply(scene, &client, "right");
    scene_reply(scene, &client, "late");
    out_support_run(&scene->support, has_three_replies);
    out_support_run_ready(&scene->support);
    assert_int_equal(scene->support.replies, 3);
    assert_memory_equal(scene->support.reply, "right", 5);
    assert_int_equal(scene->support.losses, 0);
    assert_int_equal(out_udp_open(scene->out_udp), 0);
    scene_free(scene);
}

/* The socket is connected: what another address sends does not arrive. */
static void test_stranger_is_not_heard(void **state)
{
    (void)state;
    struct scene *scene = scene_new(4);
    struct settings_server stranger;
    int stranger_fd = out_support_listen(SOCK_DGRAM, &stranger);
    struct sockaddr_in client;
    uint64_t line = 0;
    assert_true(scene_send(scene, 42, &line));
    scene_take(scene, &client);
    assert_int_equal(
        sendto(stranger_fd, "forged", 6, 0, (const struct sockaddr *)&client, sizeof(client)), 6);
    out_support_run_ready(&scene->support);
    assert_int_equal(scene->support.replies, 0);
    scene_reply(scene, &client, "reply");
    out_support_run(&scene->support, out_support_has_reply);
    assert_memory_equal(scene->support.reply, "reply", 5);
    close(stranger_fd);
    scene_free(scene);
}

static void test_refused_port(void **state)
{
    (void)state;
    struct scene *scene = scene_new(4);
    uint64_t line = 0;
    close(scene->server_fd);
    scene->server_fd = -1;
    assert_true(scene_send(scene, 42, &line));
    assert_int_equal(scene->support.losses, 0);
    out_support_run(&scene->support, out_support_has_loss);
    assert_int_equal(scene->support.lost[0], 42);
    assert_int_equal(out_udp_open(scene->out_udp), 0);
    out_udp_withdraw(scene->out_udp, line);
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

static bool has_two_replies(struct out_support *support)
{
    return support->replies == 2;
}

/* Both verdicts must be safe when the line is gone and its slot has a new life. */
static void test_withdraw_inside_reply(void **state)
{
    (void)state;
    for (unsigned refusals = 0; refusals < 2; refusals++) {
        struct scene *scene = scene_new(1);
        struct sockaddr_in client;
        scene->support.on_event = on_event_withdraw;
        scene->support.refusals_left = refusals;
        assert_true(scene_send(scene, 42, &scene->line));
        scene_take(scene, &client);
        scene_reply(scene, &client, "one");
        scene_reply(scene, &client, "two");
        out_support_run(&scene->support, out_support_has_reply);
        out_support_run_ready(&scene->support);
        assert_int_equal(scene->support.replies, 1);
        assert_int_equal(out_udp_open(scene->out_udp), 1);
        scene_take(scene, &client);
        scene_reply(scene, &client, "three");
        out_support_run(&scene->support, has_two_replies);
        assert_int_equal(scene->support.reply_exchange, 43);
        assert_int_equal(out_udp_open(scene->out_udp), 0);
        scene_free(scene);
    }
}

static void test_withdraw_before_reply(void **state)
{
    (void)state;
    struct scene *scene = scene_new(1);
    struct sockaddr_in client;
    uint64_t first = 0;
    uint64_t second = 0;
    assert_true(scene_send(scene, 42, &first));
    scene_take(scene, &client);
    out_udp_withdraw(scene->out_udp, first);
    assert_int_equal(out_udp_open(scene->out_udp), 0);
    assert_true(scene_send(scene, 43, &second));
    assert_true(first != second);
    /* The late reply goes to a closed port, and the old name must not close the new line. */
    scene_reply(scene, &client, "late");
    out_udp_withdraw(scene->out_udp, first);
    assert_int_equal(out_udp_open(scene->out_udp), 1);
    out_support_run_ready(&scene->support);
    assert_int_equal(scene->support.replies, 0);
    scene_free(scene);
}

static void test_full(void **state)
{
    (void)state;
    struct scene *scene = scene_new(2);
    uint64_t lines[3] = {0};
    assert_true(scene_send(scene, 1, &lines[0]));
    assert_true(scene_send(scene, 2, &lines[1]));
    assert_false(scene_send(scene, 3, &lines[2]));
    out_udp_withdraw(scene->out_udp, lines[0]);
    assert_true(scene_send(scene, 3, &lines[2]));
    scene_free(scene);
}

static void test_no_descriptor(void **state)
{
    (void)state;
    struct scene *scene = scene_new(2);
    struct rlimit before;
    uint64_t line = 0;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    /* The next number that would be given out is above the limit. */
    int next = fcntl(0, F_DUPFD_CLOEXEC, 0);
    assert_true(next >= 0);
    close(next);
    struct rlimit tight = {.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    assert_false(scene_send(scene, 1, &line));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(out_udp_open(scene->out_udp), 0);
    assert_true(scene_send(scene, 1, &line));
    scene_free(scene);
}

/* A server with a TLS name or pins must never see a question in clear. */
static void test_refuses_clear_text_to_tls_server(void **state)
{
    (void)state;
    struct scene *scene = scene_new(2);
    uint64_t line = 0;
    memcpy(scene->server.tls_name, "dns.example", sizeof("dns.example"));
    assert_false(scene_send(scene, 1, &line));
    scene->server.tls_name[0] = '\0';
    scene->server.pin_count = 1;
    assert_false(scene_send(scene, 1, &line));
    assert_int_equal(out_udp_open(scene->out_udp), 0);
    scene_free(scene);
}

/* No two of some questions leave from one port, and the ports do not march. */
static void test_ports_are_fresh(void **state)
{
    (void)state;
    enum {
        COUNT = 32
    };
    struct scene *scene = scene_new(COUNT);
    uint16_t ports[COUNT];
    unsigned steps = 0;
    for (size_t i = 0; i < COUNT; i++) {
        struct sockaddr_in client;
        uint64_t line = 0;
        assert_true(scene_send(scene, i, &line));
        scene_take(scene, &client);
        ports[i] = ntohs(client.sin_port);
        assert_in_range(ports[i], 1024, 65535);
        for (size_t j = 0; j < i; j++) {
            assert_true(ports[j] != ports[i]);
        }
        steps += i > 0 && (ports[i] == ports[i - 1] + 1 || ports[i] == ports[i - 1] + 2);
    }
    assert_in_range(steps, 0, 4);
    scene_free(scene);
}

static void test_ipv6(void **state)
{
    (void)state;
    struct scene *scene = scene_new(1);
    struct sockaddr_in6 sockaddr = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    socklen_t len = sizeof(sockaddr);
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sockaddr, len) != 0) {
        skip();
    }
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sockaddr, &len), 0);
    scene->server.address = address_from_sockaddr((struct sockaddr *)&sockaddr);
    uint64_t line = 0;
    assert_true(scene_send(scene, 6, &line));
    char question[16];
    struct sockaddr_in6 client;
    out_support_run_until_readable(&scene->support, fd);
    assert_int_equal(
        recvfrom(fd, question, sizeof(question), 0, (struct sockaddr *)&client, &len), 8);
    assert_int_equal(sendto(fd, "reply", 5, 0, (struct sockaddr *)&client, len), 5);
    out_support_run(&scene->support, out_support_has_reply);
    assert_int_equal(scene->support.reply_exchange, 6);
    close(fd);
    scene_free(scene);
}

static void test_free_is_harmless(void **state)
{
    (void)state;
    struct out_udp *none = NULL;
    out_udp_free(&none);
    out_udp_free(NULL);
    struct scene *scene = scene_new(2);
    uint64_t line = 0;
    assert_true(scene_send(scene, 1, &line));
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply),
        cmocka_unit_test(test_wrong_then_right),
        cmocka_unit_test(test_stranger_is_not_heard),
        cmocka_unit_test(test_refused_port),
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
