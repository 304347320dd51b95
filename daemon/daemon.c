/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include <ev.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "cache/pace.h"
#include "conf/finding.h"
#include "conf/settings.h"
#include "daemon/boot.h"
#include "daemon/daemon_log.h"
#include "daemon/daemon_parts.h"
#include "daemon/events.h"
#include "daemon/export.h"
#include "daemon/keeper.h"
#include "daemon/loop_failure.h"
#include "daemon/look_back.h"
#include "daemon/summary.h"
#include "daemon/trouble.h"
#include "daemon/worker.h"

#define MINUTE_S      60. /* Between two notes of what has been counted. */
#define WATCH_FILE_S  5.
#define DRAIN_CHECK_S 0.01

struct daemon {
    struct daemon_parts parts;
    struct daemon_log_minute log_minute;
    ev_signal hup;
    ev_signal term;
    ev_signal interrupt;
    ev_timer watch;
    ev_timer minute;
    ev_timer drain;
    ev_timer watchdog_due;
    int64_t drain_until; /* 0: not ending. */
};

static void daemon_on_hup(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)loop;
    (void)events;
    struct daemon *daemon = watcher->data;
    char bytes[SUMMARY_SIZE];
    struct text notes;
    text_init(&notes, bytes, sizeof bytes);
    struct findings *findings = calloc(1, sizeof *findings);
    if (findings != NULL) {
        (void)reload_settings(&daemon->parts, findings, &notes);
        free(findings);
        return;
    }
    log_event(&event_no_memory, "for=reload");
}

static void daemon_on_watch(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct daemon *daemon = watcher->data;
    reload_watch(&daemon->parts);
}

static void drain_worker(struct worker *worker, void *context)
{
    (void)context;
    worker_begin_drain(worker);
}

static void ask_worker_quiet(struct worker *worker, void *context)
{
    bool *is_quiet = context;
    *is_quiet &= worker_is_quiet(worker);
}

static void daemon_on_drain(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)events;
    struct daemon *daemon = watcher->data;
    struct daemon_parts *parts = &daemon->parts;
    bool is_quiet = true;
    for (size_t i = 0; i < parts->worker_count; i++) {
        worker_call(parts->workers[i], ask_worker_quiet, &is_quiet);
    }
    if (is_quiet || clock_now() >= daemon->drain_until) {
        ev_break(loop, EVBREAK_ALL);
    }
}

static void daemon_on_end(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)events;
    struct daemon *daemon = watcher->data;
    struct daemon_parts *parts = &daemon->parts;
    if (daemon->drain_until != 0) {
        ev_break(loop, EVBREAK_ALL);
        return;
    }
    notify_send(&parts->notify, "STOPPING=1\nSTATUS=answering what is waiting");
    log_event(&event_ending, "signal=%s", watcher->signum == SIGTERM ? "TERM" : "INT");
    /* Questions are still answered while this is written: the next process may be soon after us. */
    keeper_finish(parts->keeper);
    parts->commands.sources.keeper = NULL;
    keeper_free(&parts->keeper);
    daemon->drain_until = clock_now() + parts->settings->answer_deadline_us;
    for (size_t i = 0; i < parts->worker_count; i++) {
        worker_call(parts->workers[i], drain_worker, NULL);
    }
    ev_timer_again(loop, &daemon->drain);
}

/* If the last look is so long ago: two in one moment would find that no worker has turned. */
static void daemon_show_life(struct daemon_parts *parts, int64_t ago_us)
{
    int64_t now = clock_now();
    if (parts->notify.watchdog_us > 0 && now - parts->watchdog.looked_at >= ago_us) {
        watchdog_look(&parts->watchdog, parts->workers, &parts->notify, now);
    }
}

/* While the main thread is kept by the cache, its loop does not turn. */
static void daemon_on_pace(void *world)
{
    struct daemon_parts *parts = world;
    daemon_show_life(parts, parts->notify.watchdog_us / 3);
}

static void daemon_on_watchdog(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct daemon *daemon = watcher->data;
    daemon_show_life(&daemon->parts, daemon->parts.notify.watchdog_us / 6);
}

static void daemon_on_minute(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct daemon *daemon = watcher->data;
    struct daemon_parts *parts = &daemon->parts;
    export_gather(parts->export, &parts->commands.sources);
    daemon_log_minute(&daemon->log_minute, parts->export);
    look_back_note(parts->look_back, parts->export, clock_now());
    const struct lately_count total = export_questions(parts->export);
    lately_note(&parts->lately, &total);
}

static void daemon_init_watchers(struct daemon *daemon)
{
    double watchdog_s = (double)daemon->parts.notify.watchdog_us / (double)CLOCK_US_PER_S / 3.;
    ev_signal_init(&daemon->hup, daemon_on_hup, SIGHUP);
    ev_signal_init(&daemon->term, daemon_on_end, SIGTERM);
    ev_signal_init(&daemon->interrupt, daemon_on_end, SIGINT);
    ev_timer_init(&daemon->watch, daemon_on_watch, 0., WATCH_FILE_S);
    ev_timer_init(&daemon->drain, daemon_on_drain, 0., DRAIN_CHECK_S);
    ev_timer_init(&daemon->watchdog_due, daemon_on_watchdog, 0., watchdog_s);
    ev_timer_init(&daemon->minute, daemon_on_minute, 0., MINUTE_S);
    daemon->hup.data = daemon;
    daemon->term.data = daemon;
    daemon->interrupt.data = daemon;
    daemon->watch.data = daemon;
    daemon->minute.data = daemon;
    daemon->drain.data = daemon;
    daemon->watchdog_due.data = daemon;
}

static void daemon_add_watchers(struct daemon *daemon)
{
    struct daemon_parts *parts = &daemon->parts;
    daemon_init_watchers(daemon);
    ev_timer_start(parts->loop, &daemon->minute);
    /* As if it had changed: it may have, since the settings were read. */
    parts->marks[0] = (struct file_mark){.is_set = true, .size = -1};
    ev_signal_start(parts->loop, &daemon->hup);
    ev_signal_start(parts->loop, &daemon->term);
    ev_signal_start(parts->loop, &daemon->interrupt);
    ev_timer_start(parts->loop, &daemon->watch);
    if (parts->notify.watchdog_us > 0) {
        ev_timer_again(parts->loop, &daemon->watchdog_due);
    }
    cache_set_pace(parts->cache, daemon_on_pace, parts);
    parts->commands.daemon = parts;
    parts->commands.reload = reload_settings;
}

static bool daemon_start(struct daemon *daemon, struct trouble *trouble)
{
    struct daemon_parts *parts = &daemon->parts;
    notify_init(&parts->notify);
    if (!daemon_parts_make(parts, trouble)) {
        return false;
    }
    boot_prepare_signals();
    daemon_add_watchers(daemon);
    for (size_t i = 0; i < parts->worker_count; i++) {
        if (!worker_start(parts->workers[i])) {
            trouble_set(trouble, EX_OSERR, "the system gives no thread for worker %zu: %s.", i + 1,
                strerror(errno));
            return false;
        }
    }
    parts->commands.sources.worker_count = parts->worker_count;
    parts->keeper = keeper_new(&(struct keeper_options){
        .loop = parts->loop,
        .settings = parts->settings,
        .cache = parts->cache,
        .workers = parts->workers,
        .worker_count = parts->worker_count,
        .stats = &parts->stats,
    });
    parts->commands.sources.keeper = parts->keeper;
    sockets_keep(&parts->sockets, &parts->notify);
    daemon_parts_say_started(parts);
    daemon_parts_say_ready(parts, "");
    return true;
}

int daemon_run(const struct daemon_options *options)
{
    struct trouble trouble = {.exit_code = EX_OK};
    struct daemon *daemon = calloc(1, sizeof *daemon);
    if (daemon == NULL) {
        (void)fputs("mxcache: out of memory.\n", stderr);
        return EX_OSERR;
    }
    daemon->parts.options = options;
    daemon->parts.started_at = clock_now();
    daemon->parts.notify.fd = -1;
    loop_failure_init();
    if (daemon_start(daemon, &trouble)) {
        (void)ev_run(daemon->parts.loop, 0);
        export_gather(daemon->parts.export, &daemon->parts.commands.sources);
        daemon_log_ended(daemon->parts.export, clock_now() - daemon->parts.started_at);
    } else {
        (void)fprintf(stderr, "mxcache: %s\n", trouble.sentence);
    }
    daemon_parts_fini(&daemon->parts);
    free(daemon);
    return trouble.exit_code;
}
