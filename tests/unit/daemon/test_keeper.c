/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/snapshot_support.h"

#include <ev.h>

#include "base/log.h"
#include "conf/settings.h"
#include "daemon/identity.h"
#include "daemon/keeper.h"
#include "daemon/stats.h"

#define INTERVAL_US (20 * CLOCK_US_PER_MS)
#define LIMIT_US    (20 * CLOCK_US_PER_S)
#define SOME        3000u

/* A keeper without workers: its loop turns until something has happened. */
static struct settings settings;
static struct daemon_stats stats;
static struct ev_loop *loop;
static struct cache *cache;
static struct keeper *keeper;

static void keeper_open(void)
{
    stats = (struct daemon_stats){0};
    cache = cache_make();
    loop = ev_loop_new(EVFLAG_AUTO);
    assert_non_null(loop);
    (void)snprintf(settings.snapshot_file, sizeof settings.snapshot_file, "%s", path);
    settings.snapshot_interval_us = INTERVAL_US;
    keeper = keeper_new(&(struct keeper_options){
        .loop = loop, .settings = &settings, .cache = cache, .stats = &stats});
    assert_non_null(keeper);
}

static void keeper_shut(void)
{
    keeper_finish(keeper);
    keeper_free(&keeper);
    assert_null(keeper);
    ev_loop_destroy(loop);
    cache_free(&cache);
}

static void turn_until_more(const struct counter *counter, uint64_t than)
{
    int64_t until = clock_now() + LIMIT_US;
    while (counter_read(counter) <= than) {
        assert_true(clock_now() < until);
        (void)ev_run(loop, EVRUN_ONCE);
    }
}

static void test_off(void **state)
{
    (void)state;
    settings.snapshot_file[0] = '\0';
    assert_null(keeper_new(&(struct keeper_options){.settings = &settings}));
    keeper_prepare(&settings, &(struct identity){0});
    keeper_finish(NULL);
    keeper_refresh(NULL);
    keeper = NULL;
    keeper_free(&keeper);
}

static void test_each_interval_with_changes(void **state)
{
    (void)state;
    keeper_open();
    cache_fill_with(cache, 0, SOME, clock_now());
    turn_until_more(&stats.snapshots_written, 0);
    assert_int_equal(counter_read(&stats.snapshot_entries), SOME);
    /* Nothing has changed, nothing is written. */
    for (unsigned i = 0; i < 5; i++) {
        (void)ev_run(loop, EVRUN_ONCE);
    }
    assert_int_equal(counter_read(&stats.snapshots_written), 1);
    cache_fill_with(cache, SOME, SOME + 1, clock_now());
    turn_until_more(&stats.snapshots_written, 1);
    keeper_refresh(keeper);
    assert_in_range(counter_read(&stats.snapshot_age_s), 0, 20);
    /* As after a kill: what the file held is there. */
    keeper_shut();
    assert_int_equal(counter_read(&stats.snapshots_written), 2);
    keeper_open();
    turn_until_more(&stats.snapshot_restored, 0);
    assert_int_equal(counter_read(&stats.snapshot_restored), SOME + 1);
    assert_int_equal(cache_count(cache, 0, SOME + 1, clock_now(), 0), SOME + 1);
    keeper_shut();
}

static void test_clean_stop(void **state)
{
    (void)state;
    (void)unlink(path);
    settings.snapshot_interval_us = INTERVAL_US;
    keeper_open();
    for (unsigned i = 0; i < 3; i++) {
        (void)ev_run(loop, EVRUN_ONCE); /* Loaded by then, or by the time of the stop: either is
                                           well. */
    }
    cache_fill_with(cache, 0, SOME, clock_now());
    keeper_shut();
    assert_int_equal(access(path, F_OK), 0);
    keeper_open();
    turn_until_more(&stats.snapshot_restored, 0);
    assert_int_equal(counter_read(&stats.snapshot_restored), SOME);
    keeper_shut();
    /* It had nothing to add. */
    assert_int_equal(counter_read(&stats.snapshots_written), 0);
}

/* A file that was not read to its end is not written over by less. */
static void test_stop_while_loading(void **state)
{
    struct stat before;
    struct stat after;
    (void)state;
    assert_int_equal(stat(path, &before), 0);
    for (unsigned i = 0; i < 20; i++) {
        keeper_open();
        keeper_shut();
        assert_int_equal(stat(path, &after), 0);
        assert_true(after.st_size == before.st_size);
    }
}

static void test_failures_are_counted(void **state)
{
    char kept[sizeof path];
    (void)state;
    memcpy(kept, path, sizeof kept);
    (void)snprintf(path, sizeof path, "%s/missing/cache.snapshot", folder);
    log_set_level(LOG_LEVEL_ERROR);
    keeper_open();
    cache_fill_with(cache, 0, 10, clock_now());
    turn_until_more(&stats.snapshot_failures, 1); /* It goes on trying. */
    assert_int_equal(counter_read(&stats.snapshots_written), 0);
    /* The directory has come. */
    keeper_prepare(&settings, &(struct identity){0});
    turn_until_more(&stats.snapshots_written, 0);
    keeper_shut();
    log_set_level(LOG_LEVEL_NOTICE);
    assert_int_equal(unlink(path), 0);
    (void)snprintf(path, sizeof path, "%s/missing", folder);
    assert_int_equal(rmdir(path), 0);
    memcpy(path, kept, sizeof kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_each_interval_with_changes),
        cmocka_unit_test(test_clean_stop),
        cmocka_unit_test(test_stop_while_loading),
        cmocka_unit_test(test_failures_are_counted),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
