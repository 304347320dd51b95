/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "tests/unit/daemon/out_support.h"

#include <stdlib.h>

#include "daemon/out_stream.h"

/* What the tests of the TCP and TLS way out share: a scene with a server that is played by hand. */
#define STREAM_FRAME_LEN (2 + OUT_SUPPORT_MESSAGE_LEN)

/* One way out, one listening server whose connections are played by hand. */
struct scene {
    struct out_support support;
    struct out_stream *out_stream;
    struct settings_server server;
    int server_fd;
    uint64_t lines[4]; /* For on_event. */
};

static inline struct scene *scene_new(const struct out_stream_options *limits)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    out_support_init(&scene->support);
    scene->support.test = scene;
    scene->server_fd = out_support_listen(SOCK_STREAM, &scene->server);
    struct out_stream_options options = {.connections_max = 8, .exchanges_max = 1000};
    if (limits != NULL) {
        options = *limits;
    }
    options.loop = scene->support.loop;
    options.events = out_support_events(&scene->support);
    scene->out_stream = out_stream_new(&options);
    assert_non_null(scene->out_stream);
    return scene;
}

static inline void scene_free(struct scene *scene)
{
    out_stream_free(&scene->out_stream);
    assert_null(scene->out_stream);
    if (scene->server_fd >= 0) {
        close(scene->server_fd);
    }
    out_support_fini(&scene->support);
    free(scene);
}

/* The tag of a question is its exchange. */
static inline bool scene_try(
    struct scene *scene, uint64_t exchange, uint16_t id, uint64_t *line_out)
{
    uint8_t message[OUT_SUPPORT_MESSAGE_LEN];
    out_support_message(message, id, (uint8_t)exchange);
    const struct transmission transmission = {
        .exchange = exchange,
        .server = &scene->server,
        .is_stream = true,
        .message = message,
        .len = sizeof(message),
    };
    return out_stream_send(scene->out_stream, &transmission, line_out);
}

static inline uint64_t scene_send(struct scene *scene, uint64_t exchange, uint16_t id)
{
    uint64_t line = 0;
    assert_true(scene_try(scene, exchange, id, &line));
    return line;
}

static inline int scene_accept(struct scene *scene)
{
    out_support_run_until_readable(&scene->support, scene->server_fd);
    int fd = accept4(scene->server_fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* Takes one question, which must be that one. */
static inline void scene_take(struct scene *scene, int fd, uint16_t id, uint8_t tag)
{
    uint8_t frame[STREAM_FRAME_LEN];
    uint8_t expected[STREAM_FRAME_LEN] = {0, OUT_SUPPORT_MESSAGE_LEN};
    out_support_message(expected + 2, id, tag);
    out_support_run_until_readable(&scene->support, fd);
    assert_int_equal(recv(fd, frame, sizeof(frame), MSG_WAITALL), STREAM_FRAME_LEN);
    assert_memory_equal(frame, expected, STREAM_FRAME_LEN);
}

static inline void scene_reply(int fd, uint16_t id, uint8_t tag)
{
    uint8_t frame[STREAM_FRAME_LEN] = {0, OUT_SUPPORT_MESSAGE_LEN};
    out_support_message(frame + 2, id, tag);
    assert_int_equal(send(fd, frame, STREAM_FRAME_LEN, MSG_NOSIGNAL), STREAM_FRAME_LEN);
}

static inline void scene_expect_reply(struct scene *scene, uint64_t exchange, uint8_t tag)
{
    scene->support.replies = 0;
    out_support_run(&scene->support, out_support_has_reply);
    assert_int_equal(scene->support.replies, 1);
    assert_int_equal(scene->support.reply_exchange, exchange);
    assert_int_equal(scene->support.reply_len, OUT_SUPPORT_MESSAGE_LEN);
    assert_int_equal(scene->support.reply[12], tag);
}

static inline bool has_all_closed(struct out_support *support)
{
    const struct scene *scene = support->test;
    return out_stream_open(scene->out_stream) == 0;
}

static inline bool is_closed_by_peer(int fd)
{
    uint8_t byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}
