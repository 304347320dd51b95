/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/keeper.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ev.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "base/random.h"
#include "cache/cache.h"
#include "conf/settings.h"
#include "resolver/learned.h"
#include "daemon/events.h"
#include "daemon/identity.h"
#include "daemon/keeper_log.h"
#include "daemon/snapshot_file.h"
#include "daemon/stats.h"
#include "daemon/worker.h"

#define KEEPER_SECONDS(us) ((double)(us) / (double)CLOCK_US_PER_S)

/* What the thread is to do, or does. */
enum keeper_work {
    KEEPER_REST,
    KEEPER_LOAD,
    KEEPER_WRITE,
    KEEPER_END,
};

struct keeper {
    struct ev_loop *loop;
    struct snapshot_content content;
    struct worker *const *workers;
    size_t worker_count;
    struct daemon_stats *stats;
    char path[SETTINGS_PATH_SIZE];
    struct random random;
    ev_timer timer;
    ev_async done;
    struct keeper_log log;
    bool has_loaded;
    uint64_t written_changes; /* keeper_changes() of what the file holds. */
    uint64_t writing_changes; /* Of what is being written. */
    int64_t written_at;       /* 0: there is no file of ours. */

    /* Handed to and fro: the main thread's while `work` is REST, else the thread's. */
    struct blob_bag bag;
    struct hash_key key;
    struct snapshot_report report;
    bool is_reported; /* The main thread has seen the report. Its own. */

    pthread_t thread;
    pthread_mutex_t lock; /* Of `work`. */
    pthread_cond_t work_changed;
    enum keeper_work work;
    atomic_bool must_end;
};

static void keeper_lock(struct keeper *keeper)
{
    must(pthread_mutex_lock(&keeper->lock) == 0);
}

static void keeper_unlock(struct keeper *keeper)
{
    must(pthread_mutex_unlock(&keeper->lock) == 0);
}

static void keeper_set_work(struct keeper *keeper, enum keeper_work work)
{
    keeper_lock(keeper);
    keeper->work = work;
    must(pthread_cond_broadcast(&keeper->work_changed) == 0);
    keeper_unlock(keeper);
}

static enum keeper_work keeper_wait_while(struct keeper *keeper, bool is_resting)
{
    keeper_lock(keeper);
    while ((keeper->work == KEEPER_REST) == is_resting) {
        must(pthread_cond_wait(&keeper->work_changed, &keeper->lock) == 0);
    }
    enum keeper_work work = keeper->work;
    keeper_unlock(keeper);
    return work;
}

/* Never under a worker's loop, nor the main thread's: it reads, writes and waits for the disk. */
static void *keeper_run(void *context)
{
    struct keeper *keeper = context;
    for (;;) {
        switch (keeper_wait_while(keeper, true)) {
        case KEEPER_LOAD:
            snapshot_file_load(keeper->path, &keeper->content, &keeper->must_end, &keeper->report);
            break;
        case KEEPER_WRITE:
            snapshot_file_write(keeper->path, &keeper->content, &keeper->key, &keeper->report);
            break;
        case KEEPER_END:
            return NULL;
        case KEEPER_REST:
            break;
        }
        keeper_set_work(keeper, KEEPER_REST);
        ev_async_send(keeper->loop, &keeper->done);
    }
}

/* Grows with everything that makes the file out of date. */
static uint64_t keeper_changes(const struct keeper *keeper)
{
    struct cache_metrics metrics;
    cache_read_metrics(keeper->content.cache, &metrics);
    return metrics.cache_stores + metrics.cache_failures + metrics.cache_evictions +
           metrics.cache_expirations + metrics.cache_flushed;
}

static void keeper_take(void *context, const struct snapshot_blob *blob)
{
    (void)blob_bag_add(context, blob); /* A little less is remembered. */
}

static void worker_save(struct worker *worker, void *context)
{
    learned_save(worker_resolver(worker), clock_now(), keeper_take, context);
}

static void worker_restore(struct worker *worker, void *context)
{
    const struct keeper *keeper = context;
    for (size_t i = 0; i < keeper->bag.count; i++) {
        learned_restore(
            worker_resolver(worker), &keeper->bag.blobs[i], keeper->report.age_us, clock_now());
    }
}

/* What there was none of at the start there may be a minute later; until then the file is worth
 * more than what could be written over it. */
static bool keeper_must_load_again(const struct snapshot_report *report)
{
    return report->verdict == SNAPSHOT_FILE_FAILED &&
           (report->error == EMFILE || report->error == ENFILE || report->error == ENOMEM);
}

static void keeper_on_loaded(struct keeper *keeper)
{
    const struct snapshot_report *report = &keeper->report;
    struct daemon_stats *stats = keeper->stats;
    for (size_t i = 0; i < keeper->worker_count && keeper->bag.count > 0; i++) {
        worker_call(keeper->workers[i], worker_restore, keeper);
    }
    keeper->has_loaded = report->verdict != SNAPSHOT_FILE_ENDED && !keeper_must_load_again(report);
    keeper_log_loaded(&keeper->log, report);
    counter_set(&stats->snapshot_restored, report->entries);
    counter_set(&stats->snapshot_load_ms, (uint64_t)(report->took_us / CLOCK_US_PER_MS));
    if (report->verdict == SNAPSHOT_FILE_DONE) {
        keeper->written_at = clock_now() - report->age_us;
        counter_set(&stats->snapshot_entries, report->entries + report->left_out);
    }
}

static void keeper_on_written(struct keeper *keeper)
{
    const struct snapshot_report *report = &keeper->report;
    keeper_log_written(&keeper->log, report, clock_now());
    if (report->verdict != SNAPSHOT_FILE_DONE) {
        counter_add(&keeper->stats->snapshot_failures, 1);
        return;
    }
    keeper->written_changes = keeper->writing_changes;
    keeper->written_at = clock_now() - report->took_us;
    counter_add(&keeper->stats->snapshots_written, 1);
    counter_set(&keeper->stats->snapshot_entries, report->entries);
}

/* The thread rests, and its report has not been seen yet. */
static void keeper_take_report(struct keeper *keeper)
{
    if (keeper->is_reported) {
        return;
    }
    keeper->is_reported = true;
    if (keeper->has_loaded) {
        keeper_on_written(keeper);
    } else {
        keeper_on_loaded(keeper);
    }
    blob_bag_fini(&keeper->bag);
}

static bool keeper_is_resting(struct keeper *keeper)
{
    keeper_lock(keeper);
    bool is_resting = keeper->work == KEEPER_REST;
    keeper_unlock(keeper);
    return is_resting;
}

static void keeper_on_done(struct ev_loop *loop, ev_async *watcher, int events)
{
    (void)loop;
    (void)events;
    struct keeper *keeper = watcher->data;
    if (keeper_is_resting(keeper)) {
        keeper_take_report(keeper);
    }
}

/* Nothing is written over a file that has not been read to its end. */
static void keeper_write(struct keeper *keeper)
{
    uint64_t changes = keeper_changes(keeper);
    if (!keeper->has_loaded || changes == keeper->written_changes) {
        return;
    }
    for (size_t i = 0; i < keeper->worker_count; i++) {
        worker_call(keeper->workers[i], worker_save, &keeper->bag);
    }
    keeper->writing_changes = changes;
    keeper->key = hash_key_new(&keeper->random);
    keeper->is_reported = false;
    keeper_set_work(keeper, KEEPER_WRITE);
}

static void keeper_on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct keeper *keeper = watcher->data;
    if (!keeper_is_resting(keeper)) {
        return;
    }
    keeper_take_report(keeper);
    if (keeper->has_loaded) {
        keeper_write(keeper);
    } else {
        keeper->is_reported = false;
        keeper_set_work(keeper, KEEPER_LOAD);
    }
}

void keeper_prepare(const struct settings *settings, const struct identity *identity)
{
    char directory[SETTINGS_PATH_SIZE];
    const char *slash = strrchr(settings->snapshot_file, '/');
    if (slash == NULL || slash == settings->snapshot_file) {
        return;
    }
    size_t len = (size_t)(slash - settings->snapshot_file);
    memcpy(directory, settings->snapshot_file, len);
    directory[len] = '\0';
    if (mkdir(directory, 0700) == 0 && identity->is_changing &&
        lchown(directory, identity->uid, identity->gid) != 0) {
        (void)rmdir(directory);
    }
}

/* No signal is ever delivered to this thread either. */
static bool keeper_start_thread(struct keeper *keeper)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_running = pthread_create(&keeper->thread, NULL, keeper_run, keeper) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_running;
}

static void keeper_add_watchers(struct keeper *keeper, const struct settings *settings)
{
    double interval_s = KEEPER_SECONDS(settings->snapshot_interval_us);
    ev_timer_init(&keeper->timer, keeper_on_timer, interval_s, interval_s);
    ev_async_init(&keeper->done, keeper_on_done);
    keeper->timer.data = keeper;
    keeper->done.data = keeper;
    ev_timer_start(keeper->loop, &keeper->timer);
    ev_async_start(keeper->loop, &keeper->done);
}

static void keeper_fini(struct keeper *keeper)
{
    ev_timer_stop(keeper->loop, &keeper->timer);
    ev_async_stop(keeper->loop, &keeper->done);
    blob_bag_fini(&keeper->bag);
    must(pthread_cond_destroy(&keeper->work_changed) == 0);
    must(pthread_mutex_destroy(&keeper->lock) == 0);
    free(keeper);
}

struct keeper *keeper_new(const struct keeper_options *options)
{
    const struct settings *settings = options->settings;
    if (settings->snapshot_file[0] == '\0') {
        return NULL;
    }
    struct keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL) {
        log_event(&event_snapshot_off, "error=\"no memory\"");
        return NULL;
    }
    keeper->loop = options->loop;
    keeper->content = (struct snapshot_content){.cache = options->cache, .bag = &keeper->bag};
    keeper->workers = options->workers;
    keeper->worker_count = options->worker_count;
    keeper->stats = options->stats;
    memcpy(keeper->path, settings->snapshot_file, sizeof keeper->path);
    keeper_log_init(&keeper->log, keeper->path);
    random_init_system(&keeper->random);
    must(pthread_mutex_init(&keeper->lock, NULL) == 0);
    must(pthread_cond_init(&keeper->work_changed, NULL) == 0);
    keeper_add_watchers(keeper, settings);
    keeper->work = KEEPER_LOAD;
    if (!keeper_start_thread(keeper)) {
        log_event(&event_snapshot_off, "error=\"no thread\"");
        keeper_fini(keeper);
        return NULL;
    }
    return keeper;
}

void keeper_finish(struct keeper *keeper)
{
    if (keeper == NULL) {
        return;
    }
    atomic_store_explicit(&keeper->must_end, true, memory_order_relaxed);
    (void)keeper_wait_while(keeper, false);
    keeper_take_report(keeper);
    keeper_write(keeper);
    (void)keeper_wait_while(keeper, false);
    keeper_take_report(keeper);
    keeper_set_work(keeper, KEEPER_END);
    must(pthread_join(keeper->thread, NULL) == 0);
}

void keeper_free(struct keeper **keeper)
{
    if (*keeper != NULL) {
        keeper_fini(*keeper);
        *keeper = NULL;
    }
}

void keeper_refresh(const struct keeper *keeper)
{
    if (keeper != NULL && keeper->written_at != 0) {
        int64_t age_us = clock_now() - keeper->written_at;
        counter_set(&keeper->stats->snapshot_age_s, (uint64_t)(age_us / CLOCK_US_PER_S));
    }
}
