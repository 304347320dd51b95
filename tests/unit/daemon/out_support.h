/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <ev.h>

#include "base/address.h"
#include "base/clock.h"
#include "conf/settings.h"
#include "daemon/out.h"
#include "resolver/port.h"

/*
 * What the tests of the ways out share: a loop that runs until something is true, a record of what
 * was reported, and the other end of the sockets, which the test plays by hand. Loopback only.
 */
#define OUT_SUPPORT_LIMIT_S  10
#define OUT_SUPPORT_LOST_MAX 256

struct out_support {
    struct ev_loop *loop;
    unsigned replies;
    uint64_t reply_exchange;
    uint8_t reply[65535];
    size_t reply_len;
    unsigned losses;
    uint64_t lost[OUT_SUPPORT_LOST_MAX];
    enum line_end lost_end;                        /* Of the last one. */
    unsigned refusals_left;                        /* So many replies are said to be none. */
    void (*on_event)(struct out_support *support); /* Called inside each event, or NULL. */
    void *test;
};

static inline bool out_support_on_reply(
    void *world, uint64_t exchange, const uint8_t *bytes, size_t len)
{
    struct out_support *support = world;
    support->replies++;
    support->reply_exchange = exchange;
    support->reply_len = len;
    memcpy(support->reply, bytes, len);
    if (support->on_event != NULL) {
        support->on_event(support);
    }
    if (support->refusals_left > 0) {
        support->refusals_left--;
        return false;
    }
    /* The bytes must have stayed what they were through all that was done in between. */
    assert_memory_equal(support->reply, bytes, len);
    return true;
}

static inline void out_support_on_lost(void *world, uint64_t exchange, enum line_end end)
{
    struct out_support *support = world;
    assert_in_range(support->losses, 0, OUT_SUPPORT_LOST_MAX - 1);
    support->lost[support->losses++] = exchange;
    support->lost_end = end;
    if (support->on_event != NULL) {
        support->on_event(support);
    }
}

static inline void out_support_init(struct out_support *support)
{
    memset(support, 0, sizeof(*support));
    support->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    assert_non_null(support->loop);
}

static inline void out_support_fini(struct out_support *support)
{
    ev_loop_destroy(support->loop);
}

static inline struct out_events out_support_events(struct out_support *support)
{
    return (struct out_events){
        .world = support, .on_reply = out_support_on_reply, .on_lost = out_support_on_lost};
}

static inline void out_support_on_tick(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)loop;
    (void)timer;
    (void)revents;
}

/* Turns the loop until `is_true`, or fails the test at the limit. */
static inline void out_support_run(
    struct out_support *support, bool (*is_true)(struct out_support *support))
{
    int64_t end = clock_now() + OUT_SUPPORT_LIMIT_S * CLOCK_US_PER_S;
    ev_timer tick;
    ev_timer_init(&tick, out_support_on_tick, 0.002, 0.002);
    ev_timer_start(support->loop, &tick);
    while (!is_true(support)) {
        assert_true(clock_now() < end);
        ev_run(support->loop, EVRUN_ONCE);
    }
    ev_timer_stop(support->loop, &tick);
}

/* What can happen at once happens; nothing is waited for. */
static inline void out_support_run_ready(struct out_support *support)
{
    for (unsigned i = 0; i < 20; i++) {
        ev_run(support->loop, EVRUN_NOWAIT);
    }
}

static inline bool out_support_has_reply(struct out_support *support)
{
    return support->replies > 0;
}

static inline bool out_support_has_loss(struct out_support *support)
{
    return support->losses > 0;
}

/* A bound socket on 127.0.0.1 with a port of the kernel's; `server_out` names it. */
static inline int out_support_listen(int type, struct settings_server *server_out)
{
    struct sockaddr_in sockaddr = {
        .sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(sockaddr);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sockaddr, len), 0);
    if (type == SOCK_STREAM) {
        assert_int_equal(listen(fd, 16), 0);
    }
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sockaddr, &len), 0);
    *server_out =
        (struct settings_server){.address = address_from_sockaddr((struct sockaddr *)&sockaddr)};
    return fd;
}

static inline bool out_support_is_readable(int fd)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    return poll(&pollfd, 1, 0) == 1;
}

/* Turns the loop until the test's own socket has something to read (or to accept). */
static inline void out_support_run_until_readable(struct out_support *support, int fd)
{
    int64_t end = clock_now() + OUT_SUPPORT_LIMIT_S * CLOCK_US_PER_S;
    while (!out_support_is_readable(fd)) {
        assert_true(clock_now() < end);
        ev_run(support->loop, EVRUN_NOWAIT);
        usleep(500);
    }
}

/* A header with the id, and one byte to tell messages apart. */
#define OUT_SUPPORT_MESSAGE_LEN 13

static inline void out_support_message(
    uint8_t message_out[static OUT_SUPPORT_MESSAGE_LEN], uint16_t id, uint8_t tag)
{
    memset(message_out, 0, OUT_SUPPORT_MESSAGE_LEN);
    message_out[0] = (uint8_t)(id >> 8);
    message_out[1] = (uint8_t)id;
    message_out[12] = tag;
}
