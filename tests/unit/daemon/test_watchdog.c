/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/serving_support.h"

#include <stdio.h>
#include <sys/un.h>

#include "daemon/notify.h"
#include "daemon/watchdog.h"

static struct notify notify;
static int manager;

static int manager_start(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(
        address.sun_path, sizeof address.sun_path, "@mxcache-test-watchdog-%ld", (long)getpid());
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(address.sun_path));
    (void)setenv("NOTIFY_SOCKET", address.sun_path, 1);
    address.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(manager, (const struct sockaddr *)&address, len) != 0) {
        return -1;
    }
    notify_init(&notify);
    return notify.fd < 0 ? -1 : 0;
}

static int manager_stop(void **state)
{
    (void)state;
    notify_fini(&notify);
    return close(manager);
}

static bool manager_was_fed(void)
{
    char bytes[64] = {0};
    return recv(manager, bytes, sizeof bytes - 1, MSG_DONTWAIT) > 0 &&
           strcmp(bytes, "WATCHDOG=1") == 0;
}

static void await_turn(const struct worker *worker, uint64_t turns)
{
    int64_t until = clock_now() + SERVING_LIMIT_MS * CLOCK_US_PER_MS;
    while (worker_turns(worker) == turns && clock_now() < until) {
        (void)poll(NULL, 0, 1);
    }
    assert_true(worker_turns(worker) != turns);
}

static struct worker *worker_without_thread(const struct serving *serving)
{
    static const struct worker_sockets none = {.udp_count = 0};
    struct worker *worker = worker_new(&(struct worker_options){
        .settings = &serving->settings,
        .cache = serving->cache,
        .version = "test",
        .sockets = &none,
    });
    assert_non_null(worker);
    return worker;
}

static void test_fed_while_all_turn(void **state)
{
    (void)state;
    struct watchdog watchdog;
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    await_turn(serving->worker, 0);
    assert_true(watchdog_init(&watchdog, 1));
    for (unsigned i = 0; i < 3; i++) {
        uint64_t turns = worker_turns(serving->worker);
        watchdog_look(&watchdog, &serving->worker, &notify, clock_now());
        assert_true(manager_was_fed());
        await_turn(serving->worker, turns);
    }
    watchdog_fini(&watchdog);
    serving_free(serving);
}

/* One of two does not turn: the other one's turns do not count for it. */
static void test_hungry_when_one_hangs(void **state)
{
    (void)state;
    struct watchdog watchdog;
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    struct worker *workers[] = {serving->worker, worker_without_thread(serving)};
    assert_true(watchdog_init(&watchdog, 2));
    for (unsigned i = 0; i < 3; i++) {
        watchdog_look(&watchdog, workers, &notify, clock_now());
        assert_false(manager_was_fed());
        await_turn(serving->worker, watchdog.turns_seen[0]);
    }
    assert_true(worker_start(workers[1]));
    await_turn(workers[1], 0);
    watchdog_look(&watchdog, workers, &notify, clock_now());
    assert_true(manager_was_fed());
    worker_stop(workers[1]);
    worker_free(&workers[1]);
    watchdog_fini(&watchdog);
    serving_free(serving);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fed_while_all_turn),
        cmocka_unit_test(test_hungry_when_one_hangs),
    };
    return cmocka_run_group_tests(tests, manager_start, manager_stop);
}
