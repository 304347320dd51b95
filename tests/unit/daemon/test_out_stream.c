/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/stream_support.h"

static void test_pipelined_out_of_order(void **state)
{
    (void)state;
    struct scene *scene = scene_new(NULL);
    scene_send(scene, 1, 101);
    scene_send(scene, 2, 102);
    int fd = scene_accept(scene);
    scene_take(scene, fd, 101, 1);
    scene_take(scene, fd, 102, 2);
    scene_send(scene, 3, 103);
    scene_take(scene, fd, 103, 3);
    assert_int_equal(out_stream_open(scene->out_stream), 1);
    scene_reply(fd, 103, 33);
    scene_expect_reply(scene, 3, 33);
    scene_reply(fd, 101, 11);
    scene_expect_reply(scene, 1, 11);
    scene_reply(fd, 102, 22);
    scene_expect_reply(scene, 2, 22);
    /* The connection stays, and serves the next question, with an id that is free again. */
    scene_send(scene, 4, 101);
    scene_take(scene, fd, 101, 4);
    assert_int_equal(out_stream_open(scene->out_stream), 1);
    assert_int_equal(scene->support.losses, 0);
    close(fd);
    scene_free(scene);
}

/* What is not the reply by the resolver's judgement leaves the line where it is. */
static void test_wrong_then_right(void **state)
{
    (void)state;
    struct scene *scene = scene_new(NULL);
    scene->support.refusals_left = 1;
    scene_send(scene, 1, 101);
    int fd = scene_accept(scene);
    scene_take(scene, fd, 101, 1);
    scene_reply(fd, 101, 7);
    scene_expect_reply(scene, 1, 7);
    scene_reply(fd, 999, 8);
    assert_int_equal(send(fd, "\0\0\0\1x", 5, 0), 5);
    scene_reply(fd, 101, 9);
    scene_expect_reply(scene, 1, 9);
    /* And once it was the reply, the line is gone. */
    scene_reply(fd, 101, 10);
    scene->support.replies = 0;
    out_support_run_ready(&scene->support);
    assert_int_equal(scene->support.replies, 0);
    assert_int_equal(out_stream_open(scene->out_stream), 1);
    close(fd);
    scene_free(scene);
}

static void test_withdrawn_reply_is_dropped(void **state)
{
    (void)state;
    struct scene *scene = scene_new(NULL);
    uint64_t first = scene_send(scene, 1, 101);
    scene_send(scene, 2, 102);
    int fd = scene_accept(scene);
    scene_take(scene, fd, 101, 1);
    out_stream_withdraw(scene->out_stream, first);
    out_stream_withdraw(scene->out_stream, first);
    scene_take(scene, fd, 102, 2);
    scene_reply(fd, 101, 11);
    scene_reply(fd, 102, 22);
    scene_expect_reply(scene, 2, 22);
    close(fd);
    scene_free(scene);
}

/* Withdraws everything inside the event, and asks anew. */
static void on_event_withdraw(struct out_support *support)
{
    struct scene *scene = support->test;
    support->on_event = NULL;
    out_stream_withdraw(scene->out_stream, scene->lines[0]);
    out_stream_withdraw(scene->out_stream, scene->lines[1]);
    scene->lines[0] = scene_send(scene, 3, 101);
}

static void test_withdraw_inside_reply(void **state)
{
    (void)state;
    for (unsigned refusals = 0; refusals < 2; refusals++) {
        struct scene *scene = scene_new(NULL);
        scene->lines[0] = scene_send(scene, 1, 101);
        scene->lines[1] = scene_send(scene, 2, 102);
        scene->support.on_event = on_event_withdraw;
        scene->support.refusals_left = refusals;
        int fd = scene_accept(scene);
        scene_take(scene, fd, 101, 1);
        scene_take(scene, fd, 102, 2);
        scene_reply(fd, 101, 11);
        scene_expect_reply(scene, 1, 11);
        scene_reply(fd, 102, 22);
        scene_take(scene, fd, 101, 3);
        scene_reply(fd, 101, 33);
        scene_expect_reply(scene, 3, 33);
        assert_int_equal(scene->support.losses, 0);
        close(fd);
        scene_free(scene);
    }
}

static void test_withdraw_inside_loss(void **state)
{
    (void)state;
    struct scene *scene = scene_new(NULL);
    scene->lines[0] = scene_send(scene, 1, 101);
    scene->lines[1] = scene_send(scene, 2, 102);
    scene->support.on_event = on_event_withdraw;
    int fd = scene_accept(scene);
    scene_take(scene, fd, 101, 1);
    close(fd);
    out_support_run(&scene->support, out_support_has_loss);
    /* The second was withdrawn before its turn came; the third is on a new connection. */
    fd = scene_accept(scene);
    scene_take(scene, fd, 101, 3);
    assert_int_equal(scene->support.losses, 1);
    assert_int_equal(scene->support.lost[0], 1);
    scene_reply(fd, 101, 33);
    scene_expect_reply(scene, 3, 33);
    close(fd);
    scene_free(scene);
}

static void test_equal_ids_part_ways(void **state)
{
    (void)state;
    struct scene *scene = scene_new(NULL);
    int fds[OUT_STREAM_PER_SERVER_MAX];
    for (unsigned i = 0; i < OUT_STREAM_PER_SERVER_MAX; i++) {
        scene_send(scene, i, 101);
        fds[i] = scene_accept(scene);
        scene_take(scene, fds[i], 101, (uint8_t)i);
        assert_int_equal(out_stream_open(scene->out_stream), i + 1);
    }
    uint64_t line = 0;
    assert_false(scene_try(scene, 50, 101, &line));
    assert_true(scene_try(scene, 50, 102, &line));
    assert_int_equal(out_stream_open(scene->out_stream), OUT_STREAM_PER_SERVER_MAX);
    for (unsigned i = OUT_STREAM_PER_SERVER_MAX; i-- > 0;) {
        scene_reply(fds[i], 101, (uint8_t)(i + 60));
        scene_expect_reply(scene, i, (uint8_t)(i + 60));
        close(fds[i]);
    }
    scene_free(scene);
}

static void test_pipeline_is_bounded(void **state)
{
    (void)state;
    struct scene *scene = scene_new(NULL);
    unsigned count = OUT_STREAM_PIPELINE_MAX * OUT_STREAM_PER_SERVER_MAX;
    uint64_t line = 0;
    for (unsigned i = 0; i < count; i++) {
        assert_true(scene_try(scene, i, (uint16_t)i, &line));
        assert_int_equal(out_stream_open(scene->out_stream), 1 + i / OUT_STREAM_PIPELINE_MAX);
    }
    uint64_t refused = 0;
    assert_false(scene_try(scene, count, (uint16_t)count, &refused));
    out_stream_withdraw(scene->out_stream, line);
    assert_true(scene_try(scene, count, (uint16_t)count, &refused));
    scene_free(scene);
}

static void test_exchanges_are_bounded(void **state)
{
    (void)state;
    const struct out_stream_options limits = {.connections_max = 2, .exchanges_max = 2};
    struct scene *scene = scene_new(&limits);
    uint64_t line = scene_send(scene, 1, 1);
    scene_send(scene, 2, 2);
    uint64_t refused = 0;
    assert_false(scene_try(scene, 3, 3, &refused));
    out_stream_withdraw(scene->out_stream, line);
    assert_true(scene_try(scene, 3, 3, &refused));
    scene_free(scene);
}

/* Two servers, room for one connection: the idle one makes room, the busy one does not. */
static void test_idle_connection_makes_room(void **state)
{
    (void)state;
    const struct out_stream_options limits = {.connections_max = 1, .exchanges_max = 8};
    struct scene *scene = scene_new(&limits);
    struct settings_server first = scene->server;
    struct settings_server second;
    int second_fd = out_support_listen(SOCK_STREAM, &second);
    uint64_t line = 0;
    scene_send(scene, 1, 1);
    int fd = scene_accept(scene);
    scene_take(scene, fd, 1, 1);
    scene->server = second;
    assert_false(scene_try(scene, 2, 2, &line));
    scene_reply(fd, 1, 1);
    scene_expect_reply(scene, 1, 1);
    assert_true(scene_try(scene, 2, 2, &line));
    assert_int_equal(out_stream_open(scene->out_stream), 1);
    assert_true(is_closed_by_peer(fd));
    close(fd);
    scene->server = first;
    close(second_fd);
    scene_free(scene);
}

/* Inside the reply its connection is idle already, but its bytes are still being read. */
static void on_event_ask_elsewhere(struct out_support *support)
{
    struct scene *scene = support->test;
    uint64_t line = 0;
    scene->server.address.port++;
    out_stream_withdraw(scene->out_stream, scene->lines[0]);
    assert_false(scene_try(scene, 2, 2, &line));
}

static void test_reply_outlives_the_hunt_for_room(void **state)
{
    (void)state;
    const struct out_stream_options limits = {.connections_max = 1, .exchanges_max = 8};
    struct scene *scene = scene_new(&limits);
    scene->lines[0] = scene_send(scene, 1, 1);
    int fd = scene_accept(scene);
    scene_take(scene, fd, 1, 1);
    scene->support.on_event = on_event_ask_elsewhere;
    scene_reply(fd, 1, 9);
    scene_expect_reply(scene, 1, 9);
    assert_int_equal(out_stream_open(scene->out_stream), 1);
    close(fd);
    scene_free(scene);
}

static void test_refuses_what_is_no_message(void **state)
{
    (void)state;
    struct scene *scene = scene_new(NULL);
    uint8_t bytes[2] = {0};
    uint64_t line = 0;
    struct transmission transmission = {
        .server = &scene->server, .is_stream = true, .message = bytes, .len = 1};
    assert_false(out_stream_send(scene->out_stream, &transmission, &line));
    transmission.len = UINT16_MAX + 1;
    assert_false(out_stream_send(scene->out_stream, &transmission, &line));
    scene->server.address.family = ADDRESS_NONE;
    transmission.len = 2;
    assert_false(out_stream_send(scene->out_stream, &transmission, &line));
    assert_int_equal(out_stream_open(scene->out_stream), 0);
    scene_free(scene);
    struct out_stream *none = NULL;
    out_stream_free(&none);
    out_stream_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipelined_out_of_order),
        cmocka_unit_test(test_wrong_then_right),
        cmocka_unit_test(test_withdrawn_reply_is_dropped),
        cmocka_unit_test(test_withdraw_inside_reply),
        cmocka_unit_test(test_withdraw_inside_loss),
        cmocka_unit_test(test_equal_ids_part_ways),
        cmocka_unit_test(test_pipeline_is_bounded),
        cmocka_unit_test(test_exchanges_are_bounded),
        cmocka_unit_test(test_idle_connection_makes_room),
        cmocka_unit_test(test_reply_outlives_the_hunt_for_room),
        cmocka_unit_test(test_refuses_what_is_no_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
