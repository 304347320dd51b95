/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "tests/unit/daemon/out_support.h"

#include <stdlib.h>

#include "base/random.h"
#include "daemon/out_ports.h"
#include "daemon/out_udp.h"
#include "daemon/stats.h"

/* One way out, one server socket played by hand. A question's id on the wire is its exchange's. */
struct scene {
    struct out_support support;
    struct random random;
    struct daemon_stats stats;
    struct out_udp *out_udp;
    struct settings_server server;
    int server_fd;
    uint64_t line; /* For on_event. */
};

/* What differs from case to case; 0: plenty, and the constants of daemon/out_ports.h. */
struct scene_limits {
    uint32_t questions;
    uint32_t sockets;
    uint32_t per_server;
    uint32_t uses;
    int64_t age_us;
};

#define SCENE_QUESTIONS_MAX 512

/* The question as the server sees it, and where it came from. */
struct taken {
    struct sockaddr_in client;
    uint16_t id;
};

static inline struct scene *scene_new(const struct scene_limits *limits)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    out_support_init(&scene->support);
    scene->support.test = scene;
    random_init_seed(&scene->random, 5452);
    scene->server_fd = out_support_listen(SOCK_DGRAM, &scene->server);
    const struct out_udp_options options = {
        .loop = scene->support.loop,
        .random = &scene->random,
        .stats = &scene->stats,
        .events = out_support_events(&scene->support),
        .questions_max = limits->questions > 0 ? limits->questions : SCENE_QUESTIONS_MAX,
        .sockets_max = limits->sockets > 0 ? limits->sockets : SCENE_QUESTIONS_MAX,
        .per_server = limits->per_server,
        .uses_max = limits->uses,
        .age_us = limits->age_us,
    };
    scene->out_udp = out_udp_new(&options);
    assert_non_null(scene->out_udp);
    return scene;
}

static inline void scene_free(struct scene *scene)
{
    out_udp_free(&scene->out_udp);
    assert_null(scene->out_udp);
    if (scene->server_fd >= 0) {
        close(scene->server_fd);
    }
    out_support_fini(&scene->support);
    free(scene);
}

static inline bool scene_send(struct scene *scene, uint64_t exchange, uint64_t *line_out)
{
    uint8_t message[OUT_SUPPORT_MESSAGE_LEN];
    out_support_message(message, (uint16_t)exchange, 'q');
    const struct transmission transmission = {
        .exchange = exchange,
        .server = &scene->server,
        .message = message,
        .len = sizeof message,
    };
    return out_udp_send(scene->out_udp, &transmission, line_out);
}

static inline void scene_ask(struct scene *scene, uint64_t exchange)
{
    uint64_t line = 0;
    assert_true(scene_send(scene, exchange, &line));
}

static inline struct taken scene_take(struct scene *scene)
{
    uint8_t question[OUT_SUPPORT_MESSAGE_LEN + 1];
    struct taken taken;
    socklen_t len = sizeof taken.client;
    out_support_run_until_readable(&scene->support, scene->server_fd);
    assert_int_equal(recvfrom(scene->server_fd, question, sizeof question, 0,
                         (struct sockaddr *)&taken.client, &len),
        OUT_SUPPORT_MESSAGE_LEN);
    assert_int_equal(question[12], 'q');
    taken.id = (uint16_t)(question[0] << 8 | question[1]);
    return taken;
}

static inline void scene_reply_as(
    struct scene *scene, const struct taken *taken, uint16_t id, uint8_t tag)
{
    uint8_t reply[OUT_SUPPORT_MESSAGE_LEN];
    out_support_message(reply, id, tag);
    assert_int_equal(sendto(scene->server_fd, reply, sizeof reply, 0,
                         (const struct sockaddr *)&taken->client, sizeof taken->client),
        sizeof reply);
}

static inline void scene_reply(struct scene *scene, const struct taken *taken, uint8_t tag)
{
    scene_reply_as(scene, taken, taken->id, tag);
}

static inline void scene_assert_reply(const struct scene *scene, uint64_t exchange, uint8_t tag)
{
    assert_int_equal(scene->support.reply_exchange, exchange);
    assert_int_equal(scene->support.reply_len, OUT_SUPPORT_MESSAGE_LEN);
    assert_int_equal(scene->support.reply[12], tag);
}

static unsigned replies_awaited; /* By has_replies. */

static inline bool has_replies(struct out_support *support)
{
    return support->replies >= replies_awaited;
}

static inline void scene_await(struct scene *scene, unsigned replies)
{
    replies_awaited = replies;
    out_support_run(&scene->support, has_replies);
    assert_int_equal(scene->support.replies, replies);
}

/* Asks and answers, and says from which port it was asked. */
static inline uint16_t scene_round(struct scene *scene, uint64_t exchange)
{
    unsigned replies = scene->support.replies;
    scene_ask(scene, exchange);
    struct taken taken = scene_take(scene);
    scene_reply(scene, &taken, 'r');
    scene_await(scene, replies + 1);
    scene_assert_reply(scene, exchange, 'r');
    return ntohs(taken.client.sin_port);
}
