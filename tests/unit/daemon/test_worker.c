/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/serving_support.h"

#include <pthread.h>

#include "daemon/export.h"

static void note_thread(struct worker *worker, void *context)
{
    (void)worker;
    *(pthread_t *)context = pthread_self();
}

static void test_call_runs_in_the_workers_thread(void **state)
{
    (void)state;
    pthread_t first;
    pthread_t second;
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    worker_call(serving->worker, note_thread, &first);
    worker_call(serving->worker, note_thread, &second);
    assert_false(pthread_equal(first, pthread_self()));
    assert_true(pthread_equal(first, second));
    worker_stop(serving->worker);
    worker_call(serving->worker, note_thread, &first);
    assert_true(pthread_equal(first, pthread_self()));
    serving_free(serving);
}

static void test_idle_worker_turns_when_nudged(void **state)
{
    (void)state;
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    for (unsigned i = 0; i < 3; i++) {
        int64_t until = clock_now() + SERVING_LIMIT_MS * CLOCK_US_PER_MS;
        uint64_t turns = worker_turns(serving->worker);
        worker_nudge(serving->worker);
        while (worker_turns(serving->worker) == turns && clock_now() < until) {
            (void)poll(NULL, 0, 1);
        }
        assert_true(worker_turns(serving->worker) != turns);
    }
    serving_free(serving);
}

static void begin_drain(struct worker *worker, void *context)
{
    (void)context;
    worker_begin_drain(worker);
}

static void ask_quiet(struct worker *worker, void *context)
{
    *(bool *)context = worker_is_quiet(worker);
}

static bool is_quiet(struct serving *serving)
{
    bool answer = false;
    worker_call(serving->worker, ask_quiet, &answer);
    return answer;
}

/* What came before the end is answered, what comes after is not read. */
static void test_drain(void **state)
{
    (void)state;
    uint8_t bytes[SERVING_SIZE];
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_DGRAM, NULL);
    assert_true(is_quiet(serving));
    size_t len = serving_query(bytes, 1, "slow.example.org", TYPE_MX);
    assert_int_equal(send(fd, bytes, len, 0), len);
    assert_true(serving_is_readable(serving->upstream, SERVING_LIMIT_MS));
    worker_call(serving->worker, begin_drain, NULL);
    assert_false(is_quiet(serving));
    len = serving_query(bytes, 2, "localhost", TYPE_A);
    assert_int_equal(send(fd, bytes, len, 0), len);
    serving_upstream_deny(serving);
    assert_true(serving_receive(fd, bytes, sizeof bytes) >= HEADER_SIZE);
    assert_int_equal(header_id(bytes), 1);
    assert_true(is_quiet(serving));
    assert_false(serving_is_readable(fd, 50));
    (void)close(fd);
    serving_free(serving);
}

static void stream_ask(int fd, uint16_t id, const char *name)
{
    uint8_t bytes[2 + SERVING_SIZE];
    size_t len = serving_query(bytes + 2, id, name, TYPE_A);
    bytes_put_u16(bytes, (uint16_t)len);
    assert_int_equal(send(fd, bytes, 2 + len, 0), 2 + len);
}

/* A client who has connected and not asked yet gets his answer; who was answered is done. */
static void test_drain_of_streams(void **state)
{
    (void)state;
    uint8_t bytes[SERVING_SIZE];
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    int done = serving_connect(serving, SOCK_STREAM, NULL);
    int fresh = serving_connect(serving, SOCK_STREAM, NULL);
    int silent = serving_connect(serving, SOCK_STREAM, NULL);
    stream_ask(done, 1, "localhost");
    assert_true(serving_receive(done, bytes, sizeof bytes) > HEADER_SIZE);
    serving_await(serving, tcp_accepted, 3);
    assert_false(is_quiet(serving));
    worker_call(serving->worker, begin_drain, NULL);
    stream_ask(done, 2, "localhost");
    stream_ask(fresh, 3, "localhost");
    assert_true(serving_receive(fresh, bytes, sizeof bytes) > HEADER_SIZE);
    assert_int_equal(header_id(bytes + 2), 3);
    assert_false(serving_is_readable(done, 50));
    /* The one who never asks holds nobody up for long. */
    int64_t until = clock_now() + SERVING_LIMIT_MS * CLOCK_US_PER_MS;
    while (!is_quiet(serving) && clock_now() < until) {
        (void)poll(NULL, 0, 5);
    }
    assert_true(is_quiet(serving));
    (void)close(done);
    (void)close(fresh);
    (void)close(silent);
    serving_free(serving);
}

/* New upstreams are asked, and who was allowed no longer is. */
static void test_new_settings(void **state)
{
    (void)state;
    uint8_t bytes[SERVING_SIZE];
    struct serving *serving = serving_new("127.0.0.2"); /* We ask from 127.0.0.1. */
    struct settings *next = malloc(sizeof *next);
    assert_non_null(next);
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_DGRAM, NULL);
    int old_upstream = serving->upstream;
    memcpy(next, &serving->settings, sizeof *next);
    serving->upstream = serving_socket(&next->groups[0].servers[0].address);
    serving_change(serving, next);
    size_t len = serving_query(bytes, 1, "a.example.org", TYPE_MX);
    assert_int_equal(send(fd, bytes, len, 0), len);
    serving_upstream_deny(serving);
    assert_true(serving_receive(fd, bytes, sizeof bytes) >= HEADER_SIZE);
    assert_false(serving_is_readable(old_upstream, 0));

    next->allow_count = 0;
    serving_change(serving, next);
    assert_int_equal(send(fd, bytes, len, 0), len);
    serving_await(serving, clients_not_allowed, 1);
    (void)close(fd);
    (void)close(old_upstream);
    serving_free(serving);
    free(next);
}

/* The exporter sees what the worker has done. */
static void test_export(void **state)
{
    (void)state;
    uint8_t bytes[SERVING_SIZE];
    struct daemon_stats main_stats = {0};
    struct serving *serving = serving_new("127.0.0.1");
    struct export *export = export_new();
    assert_non_null(export);
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_DGRAM, NULL);
    size_t len = serving_query(bytes, 1, "a.example.org", TYPE_MX);
    assert_int_equal(send(fd, bytes, len, 0), len);
    serving_upstream_deny(serving);
    assert_true(serving_receive(fd, bytes, sizeof bytes) >= HEADER_SIZE);
    struct lately lately = {.next = 0};
    struct export_sources sources = {
        .cache = serving->cache,
        .workers = &serving->worker,
        .worker_count = 1,
        .main_stats = &main_stats,
    };
    /* Twice: each time it is gathered anew. */
    export_gather(export, &sources);
    export_gather(export, &sources);
    assert_int_equal(export->upstream_count, 1);
    assert_string_equal(export->upstreams[0].group, "default");
    assert_string_equal(export->upstreams[0].tls_name, "");
    assert_int_equal(export->upstreams[0].sent, 1);
    assert_int_equal(export->upstreams[0].answered, 1);
    assert_int_equal(export->upstreams[0].latency[SERVER_WAY_DATAGRAM].count, 1);
    assert_int_equal(export->wait[QUESTION_CLASS_MX][OUTCOME_MISS].count, 1);
    assert_int_equal(export->cache.cache_misses > 0, 1);
    assert_int_equal(export->lately.asked, 1);
    assert_int_equal(export->lately.failed, 0);
    const struct lately_count total = export_questions(export);
    for (unsigned minute = 0; minute < LATELY_MINUTES; minute++) {
        lately_note(&lately, &total);
    }
    sources.lately = &lately;
    export_gather(export, &sources);
    assert_int_equal(export->lately.asked, 0);
    (void)close(fd);
    export_free(&export);
    serving_free(serving);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call_runs_in_the_workers_thread),
        cmocka_unit_test(test_idle_worker_turns_when_nudged),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_drain_of_streams),
        cmocka_unit_test(test_new_settings),
        cmocka_unit_test(test_export),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
