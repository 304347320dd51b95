/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/clock.h"
#include "wire/header.h"
#include "wire/name.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "conf/parse.h"
#include "conf/settings.h"
#include "daemon/sockets.h"
#include "daemon/stats.h"
#include "daemon/trouble.h"
#include "daemon/worker.h"

/*
 * What the tests of the listeners share: a whole worker in its thread with real sockets on
 * loopback, and an upstream server that the test plays by hand. Nothing sleeps: waiting is polling
 * with a limit.
 */
#define SERVING_LIMIT_MS 10000
#define SERVING_SIZE     65535

struct serving {
    struct settings settings;
    struct cache *cache;
    struct sockets sockets;
    struct worker *worker;
    int upstream; /* UDP. */
};

static inline struct address serving_address(const char *text, uint16_t port)
{
    struct address address;
    assert_true(address_parse(text, strlen(text), port, &address));
    return address;
}

/* A UDP socket of ours on a port that the kernel chooses. */
static inline int serving_socket(struct address *address_out)
{
    struct sockaddr_storage sockaddr;
    struct address address = serving_address("127.0.0.1", 0);
    socklen_t len = address_to_sockaddr(&address, &sockaddr);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&sockaddr, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sockaddr, &len), 0);
    *address_out = address_from_sockaddr((const struct sockaddr *)&sockaddr);
    return fd;
}

/* Defaults, one address to listen on, and our upstream. The caller may change the settings before
 * serving_start(). */
static inline struct serving *serving_new(const char *listen)
{
    struct serving *serving = calloc(1, sizeof *serving);
    struct findings *findings = calloc(1, sizeof *findings);
    assert_non_null(serving);
    assert_non_null(findings);
    const char *overrides[] = {"upstreams=127.0.0.1@9", "questions_max=256"};
    const struct settings_source source = {.overrides = overrides, .override_count = 2};
    assert_true(settings_load(&source, &serving->settings, findings));
    free(findings);
    serving->settings.listen[0] = serving_address(listen, 0);
    serving->settings.listen_count = 1;
    serving->upstream = serving_socket(&serving->settings.groups[0].servers[0].address);
    return serving;
}

static inline void serving_start(struct serving *serving)
{
    struct trouble trouble = {.exit_code = 0};
    /* The port that the kernel chose for UDP may be taken for TCP, by anybody on this host. */
    unsigned tries = 0;
    while (!sockets_open(&serving->sockets, &serving->settings, NULL, &trouble)) {
        assert_true(++tries < 50);
    }
    serving->cache = cache_new(&(struct cache_options){
        .budget_bytes = CACHE_BUDGET_MIN,
        .shard_count = 1,
        .stale_max_us = serving->settings.stale_max_us,
    });
    assert_non_null(serving->cache);
    serving->worker = worker_new(&(struct worker_options){
        .settings = &serving->settings,
        .cache = serving->cache,
        .version = "test",
        .sockets = sockets_of(&serving->sockets, 0),
    });
    assert_non_null(serving->worker);
    assert_true(worker_start(serving->worker));
}

struct serving_change {
    const struct settings *settings;
    bool is_done;
};

static inline void serving_change_worker(struct worker *worker, void *context)
{
    struct serving_change *change = context;
    change->is_done = worker_prepare_settings(worker, change->settings);
    if (change->is_done) {
        worker_take_settings(worker);
    }
}

/* As a reload does. The settings stay until the worker has ended. */
static inline void serving_change(struct serving *serving, const struct settings *settings)
{
    struct serving_change change = {.settings = settings};
    worker_call(serving->worker, serving_change_worker, &change);
    assert_true(change.is_done);
}

static inline void serving_free(struct serving *serving)
{
    worker_stop(serving->worker);
    worker_free(&serving->worker);
    sockets_fini(&serving->sockets);
    cache_free(&serving->cache);
    (void)close(serving->upstream);
    free(serving);
}

/* A client's socket, connected to what the worker listens on, or to `host` on that port. */
static inline int serving_connect(const struct serving *serving, int type, const char *host)
{
    struct sockaddr_storage sockaddr;
    struct address address = serving->sockets.listen[0];
    if (host != NULL) {
        address = serving_address(host, address.port);
    }
    socklen_t len = address_to_sockaddr(&address, &sockaddr);
    int fd = socket(sockaddr.ss_family, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&sockaddr, len), 0);
    return fd;
}

/* A plain query of class IN. Returns the length. */
static inline size_t serving_query(uint8_t *bytes, uint16_t id, const char *name, uint16_t type)
{
    static const uint16_t counts[4] = {1, 0, 0, 0};
    size_t name_len;
    header_set_id(bytes, id);
    header_set_flags(bytes, HEADER_RD);
    header_set_counts(bytes, counts);
    assert_true(name_from_text(name, strlen(name), bytes + HEADER_SIZE, &name_len));
    bytes_put_u16(bytes + HEADER_SIZE + name_len, type);
    bytes_put_u16(bytes + HEADER_SIZE + name_len + 2, CLASS_IN);
    return HEADER_SIZE + name_len + 4;
}

static inline bool serving_is_readable(int fd, int limit_ms)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    return poll(&pollfd, 1, limit_ms) == 1;
}

static inline size_t serving_receive(int fd, uint8_t *bytes, size_t size)
{
    assert_true(serving_is_readable(fd, SERVING_LIMIT_MS));
    ssize_t got = recv(fd, bytes, size, 0);
    assert_true(got >= 0);
    return (size_t)got;
}

/* Plays the upstream server once: takes a question, and sends NXDOMAIN without anything back. */
static inline void serving_upstream_deny(struct serving *serving)
{
    uint8_t bytes[SERVING_SIZE];
    struct sockaddr_storage from;
    socklen_t from_len = sizeof from;
    assert_true(serving_is_readable(serving->upstream, SERVING_LIMIT_MS));
    ssize_t got =
        recvfrom(serving->upstream, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_len);
    assert_true(got > HEADER_SIZE);
    header_set_flags(bytes, HEADER_QR | HEADER_RD | HEADER_RA | RCODE_NXDOMAIN);
    assert_int_equal(
        sendto(serving->upstream, bytes, (size_t)got, 0, (const struct sockaddr *)&from, from_len),
        got);
}

/* Waits until a counter of the worker has at least this value. */
#define serving_await(serving, name, least)                                                        \
    assert_true(serving_counter_reaches(&worker_stats((serving)->worker)->name, (uint64_t)(least)))

static inline bool serving_counter_reaches(const struct counter *counter, uint64_t least)
{
    int64_t until = clock_now() + SERVING_LIMIT_MS * CLOCK_US_PER_MS;
    while (counter_read(counter) < least && clock_now() < until) {
        (void)poll(NULL, 0, 1);
    }
    return counter_read(counter) >= least;
}
