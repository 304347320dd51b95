/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/udp_support.h"

/* What comes to the sockets upstream and is no reply (daemon/out_udp.h, daemon/out_ports.h). */
static const struct scene_limits plain = {0};
static const struct scene_limits one_port = {.per_server = 1};

/* Neither another id, nor what is too short for one, is anybody's reply. */
static void test_stray_is_dropped(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&plain);
    scene_ask(scene, 42);
    struct taken taken = scene_take(scene);
    scene_reply_as(scene, &taken, 41, 'w');
    scene_reply_as(scene, &taken, 43, 'w');
    assert_int_equal(
        sendto(scene->server_fd, "", 1, 0, (struct sockaddr *)&taken.client, sizeof taken.client),
        1);
    out_support_run_ready(&scene->support);
    assert_int_equal(scene->support.replies, 0);
    assert_int_equal(counter_read(&scene->stats.upstream_strays), 3);
    scene_reply(scene, &taken, 'r');
    scene_await(scene, 1);
    scene_free(scene);
}

/* Who has found a port and guesses ids finds it closed to further questions, while the one that
 * waits there still gets its reply. */
static void test_guessed_port_retires(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&one_port);
    scene_ask(scene, 42);
    struct taken taken = scene_take(scene);
    for (unsigned i = 0; i < OUT_PORTS_STRAYS_MAX; i++) {
        scene_reply_as(scene, &taken, (uint16_t)(100 + i), 'w');
        out_support_run_ready(&scene->support);
    }
    assert_int_equal(counter_read(&scene->stats.upstream_ports_suspected), 1);
    assert_int_equal(out_udp_open(scene->out_udp), 1);
    scene_ask(scene, 43);
    struct taken next = scene_take(scene);
    assert_int_not_equal(next.client.sin_port, taken.client.sin_port);
    scene_reply(scene, &taken, 'r');
    scene_await(scene, 1);
    scene_assert_reply(scene, 42, 'r');
    assert_int_equal(out_udp_open(scene->out_udp), 1);
    scene_free(scene);
}

static void scene_guess(struct scene *scene, const struct taken *taken, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        scene_reply_as(scene, taken, (uint16_t)(1000 + i), 'w');
        ev_run(scene->support.loop, EVRUN_NOWAIT);
    }
    out_support_run_ready(&scene->support);
}

/* Whoever goes on guessing while questions wait there ends their wait: they are to be asked again,
 * and the server is not to blame. */
static void test_attacked_port_is_left(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&one_port);
    struct taken taken;
    for (uint64_t i = 0; i < 3; i++) {
        scene_ask(scene, 42 + i);
        taken = scene_take(scene);
    }
    scene_guess(scene, &taken, OUT_PORTS_GUESSES_MAX - 1);
    assert_int_equal(counter_read(&scene->stats.upstream_strays), OUT_PORTS_GUESSES_MAX - 1);
    assert_int_equal(counter_read(&scene->stats.upstream_ports_attacked), 0);
    assert_int_equal(out_udp_waiting(scene->out_udp), 3);
    scene_guess(scene, &taken, 1000); /* One decides; the others come to a closed port. */
    assert_int_equal(counter_read(&scene->stats.upstream_strays), OUT_PORTS_GUESSES_MAX);
    assert_int_equal(counter_read(&scene->stats.upstream_ports_attacked), 1);
    assert_int_equal(scene->support.losses, 3);
    assert_int_equal(scene->support.lost_end, LINE_GIVEN_UP);
    assert_int_equal(out_udp_waiting(scene->out_udp), 0);
    assert_int_equal(out_udp_open(scene->out_udp), 0);
    scene_round(scene, 45);
    scene_free(scene);
}

/* Guesses whose id is right by chance, and the question wrong, are guesses too. */
static void test_wrong_questions_are_guesses(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&one_port);
    scene->support.refusals_left = OUT_PORTS_GUESSES_MAX;
    scene_ask(scene, 42);
    struct taken taken = scene_take(scene);
    for (unsigned i = 0; i < OUT_PORTS_GUESSES_MAX; i++) {
        scene_reply(scene, &taken, 'w');
    }
    out_support_run(&scene->support, out_support_has_loss);
    assert_int_equal(scene->support.replies, OUT_PORTS_GUESSES_MAX);
    assert_int_equal(scene->support.lost_end, LINE_GIVEN_UP);
    assert_int_equal(counter_read(&scene->stats.upstream_ports_attacked), 1);
    scene_free(scene);
}

/* A network that doubles datagrams, and a server so slow that its replies come after their
 * questions were withdrawn, are no attack, for however many questions a socket serves. */
static void test_late_and_repeated_replies_are_no_guesses(void **state)
{
    (void)state;
    enum {
        COPIES = 4
    };
    struct scene *scene = scene_new(&one_port);
    struct taken taken[OUT_PORTS_USES_MAX];
    scene_ask(scene, 0);
    taken[0] = scene_take(scene);
    for (unsigned i = 1; i < OUT_PORTS_USES_MAX; i++) {
        uint64_t line = 0;
        assert_true(scene_send(scene, i, &line));
        taken[i] = scene_take(scene);
        assert_int_equal(taken[i].client.sin_port, taken[0].client.sin_port);
        if (i % 2 == 0) {
            out_udp_withdraw(scene->out_udp, line);
        }
        for (unsigned copy = 0; copy < COPIES; copy++) {
            scene_reply(scene, &taken[i], 'r');
        }
        out_support_run_ready(&scene->support);
    }
    assert_int_equal(scene->support.replies, OUT_PORTS_USES_MAX / 2);
    assert_in_range(counter_read(&scene->stats.upstream_strays), 100, 1000);
    assert_int_equal(counter_read(&scene->stats.upstream_ports_suspected), 0);
    assert_int_equal(counter_read(&scene->stats.upstream_ports_attacked), 0);
    assert_int_equal(counter_read(&scene->stats.upstream_ports_opened), 1);
    scene_reply(scene, &taken[0], 't');
    scene_await(scene, OUT_PORTS_USES_MAX / 2 + 1);
    scene_assert_reply(scene, 0, 't');
    assert_int_equal(scene->support.losses, 0);
    scene_free(scene);
}

/* The socket is connected: what another address sends does not arrive. */
static void test_stranger_is_not_heard(void **state)
{
    (void)state;
    struct scene *scene = scene_new(&plain);
    struct settings_server stranger;
    int stranger_fd = out_support_listen(SOCK_DGRAM, &stranger);
    uint8_t forged[OUT_SUPPORT_MESSAGE_LEN];
    scene_ask(scene, 42);
    struct taken taken = scene_take(scene);
    out_support_message(forged, taken.id, 'f');
    assert_int_equal(sendto(stranger_fd, forged, sizeof forged, 0,
                         (const struct sockaddr *)&taken.client, sizeof taken.client),
        sizeof forged);
    out_support_run_ready(&scene->support);
    assert_int_equal(scene->support.replies, 0);
    assert_int_equal(counter_read(&scene->stats.upstream_strays), 0);
    scene_reply(scene, &taken, 'r');
    scene_await(scene, 1);
    scene_assert_reply(scene, 42, 'r');
    close(stranger_fd);
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stray_is_dropped),
        cmocka_unit_test(test_guessed_port_retires),
        cmocka_unit_test(test_attacked_port_is_left),
        cmocka_unit_test(test_wrong_questions_are_guesses),
        cmocka_unit_test(test_late_and_repeated_replies_are_no_guesses),
        cmocka_unit_test(test_stranger_is_not_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
