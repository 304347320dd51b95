/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <ev.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "wire/header.h"
#include "cache/cache.h"
#include "cache/pace.h"
#include "conf/explain.h"
#include "conf/finding.h"
#include "conf/parse.h"
#include "conf/settings.h"
#include "conf/upstreams.h"
#include "daemon/boot.h"
#include "daemon/changeover.h"
#include "daemon/control.h"
#include "daemon/control_commands.h"
#include "daemon/daemon_log.h"
#include "daemon/events.h"
#include "daemon/export.h"
#include "daemon/identity.h"
#include "daemon/keeper.h"
#include "daemon/loop_failure.h"
#include "daemon/look_back.h"
#include "daemon/metrics_http.h"
#include "daemon/metrics_pages.h"
#include "daemon/notify.h"
#include "daemon/reload.h"
#include "daemon/sockets.h"
#include "daemon/stats_view.h"
#include "daemon/stats.h"
#include "daemon/summary.h"
#include "daemon/trouble.h"
#include "daemon/watchdog.h"
#include "daemon/witness.h"
#include "daemon/worker.h"

#define LOOP_FLAGS                                                                                 \
    (EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_NOSIGMASK | EVFLAG_NOTIMERFD | EVFLAG_NOINOTIFY)

#define MINUTE_S      60. /* Between two notes of what has been counted. */
#define WATCH_FILE_S  5.
#define DRAIN_CHECK_S 0.01

struct daemon {
    const struct daemon_options *options;
    struct settings *started; /* What the sockets and the memory were made for. */
    struct settings *settings;
    struct changeover changeover;
    int64_t started_at;
    struct identity identity;
    struct sockets sockets;
    struct cache *cache;
    struct witnesses witnesses;
    struct worker **workers;
    size_t worker_count;
    struct export *export;
    struct look_back *look_back;
    struct daemon_log_minute log_minute;
    struct keeper *keeper;
    struct control *control;
    struct control_commands commands;
    struct metrics_pages metrics_pages;
    struct metrics_http *metrics_http; /* NULL: nobody is served by HTTP. */
    struct daemon_stats stats;
    struct notify notify;
    struct ev_loop *loop;
    ev_signal hup;
    ev_signal term;
    ev_signal interrupt;
    ev_timer watch;
    ev_timer minute;
    ev_timer drain;
    ev_timer watchdog_due;
    struct file_mark marks[2];
    int64_t drain_until; /* 0: not ending. */
    struct watchdog watchdog;
};

static void daemon_say_started(const struct daemon *daemon)
{
    char bytes[SUMMARY_SIZE];
    struct text text;
    text_init(&text, bytes, sizeof bytes);
    text_addf(
        &text, "version=%s workers=%zu cache=", daemon->options->version, daemon->worker_count);
    text_add_size(&text, daemon->settings->cache_size);
    text_add(&text, " listen=");
    summary_add_listen(&text, &daemon->sockets);
    text_add(&text, " upstreams=");
    summary_add_upstreams(&text, daemon->settings);
    log_event(&event_started, "%s", bytes);
}

static void daemon_say_ready(const struct daemon *daemon, const char *news)
{
    char bytes[SUMMARY_SIZE];
    struct text text;
    text_init(&text, bytes, sizeof bytes);
    text_add(&text, "answering on ");
    summary_add_listen(&text, &daemon->sockets);
    text_add(&text, ", asking ");
    summary_add_upstreams(&text, daemon->settings);
    notify_send(&daemon->notify, "READY=1\nSTATUS=%s%.300s", news, bytes);
}

/* Takes `next` over and frees the old ones; false, the other way round, when memory is short. */
static bool daemon_apply(struct daemon *daemon, struct settings *next)
{
    struct changeover_workers workers = {daemon->workers, daemon->worker_count};
    if (!changeover_make(&daemon->changeover, &workers, daemon->settings, next)) {
        log_event(&event_no_memory, "for=\"new settings\" advice=\"reload when there is some\"");
        return false;
    }
    log_set_level(next->log_level);
    cache_set_budget(daemon->cache, next->cache_size);
    cache_set_stale_max(daemon->cache, next->stale_max_us);
    cache_set_list_share(daemon->cache, (unsigned)next->list_share);
    free(daemon->settings);
    daemon->settings = next;
    return true;
}

static bool daemon_load(struct daemon *daemon, struct settings *next, struct findings *findings)
{
    const struct settings_source *source = daemon->options->source;
    if (!settings_load(source, next, findings)) {
        return false;
    }
    if (!reload_has_servers(next)) {
        struct finding_place place = {.file = source->file == NULL ? "-" : source->file};
        finding_add(findings, FINDING_ERROR, &place,
            "there is no server to ask; write upstreams = ADDRESS...");
        return false;
    }
    return true;
}

static void daemon_say_not_reloaded(struct daemon *daemon, struct findings *findings)
{
    if (findings->errors == 0) {
        finding_add(findings, FINDING_ERROR, &(struct finding_place){0}, "memory is short");
    }
    daemon_log_findings(findings);
    counter_add(&daemon->stats.reloads_failed, 1);
    log_event(&event_reload_failed, "errors=%zu", findings->errors);
    daemon_say_ready(daemon, "reload failed, the old settings stay; ");
}

/* For HUP and for the reload command; the findings are logged and left to the caller. */
static bool daemon_reload(void *world, struct findings *findings, struct text *notes)
{
    struct daemon *daemon = world;
    struct settings *next = calloc(1, sizeof *next);
    /* Whatever becomes of the settings: it may be logrotate that asks. */
    witnesses_reopen(&daemon->witnesses);
    notify_send(&daemon->notify, "RELOADING=1");
    if (next == NULL || !daemon_load(daemon, next, findings)) {
        free(next);
        daemon_say_not_reloaded(daemon, findings);
        return false;
    }
    char bytes[SUMMARY_SIZE];
    struct text names;
    text_init(&names, bytes, sizeof bytes);
    if (explain_restart_needed(daemon->started, next, &names)) {
        log_event(&event_restart_needed, "settings=\"%s\"", bytes);
        text_addf(notes, "note takes effect after a restart: %s\n", bytes);
    }
    text_init(&names, bytes, sizeof bytes);
    explain_difference(daemon->settings, next, &names);
    if (!daemon_apply(daemon, next)) {
        daemon_say_not_reloaded(daemon, findings);
        return false;
    }
    daemon_log_findings(findings);
    counter_add(&daemon->stats.reloads, 1);
    log_event(&event_reloaded, "changed=\"%s\"", bytes);
    daemon_say_ready(daemon, "");
    return true;
}

static void daemon_on_hup(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)loop;
    (void)events;
    char bytes[SUMMARY_SIZE];
    struct text notes;
    text_init(&notes, bytes, sizeof bytes);
    struct findings *findings = calloc(1, sizeof *findings);
    if (findings != NULL) {
        (void)daemon_reload(watcher->data, findings, &notes);
        free(findings);
        return;
    }
    log_event(&event_no_memory, "for=reload");
}

/* The file that upstreams come from has changed: that alone is taken over. The configuration file
 * may be in the middle of being edited, and nobody has asked for it to be read. */
static void daemon_refill(struct daemon *daemon, struct findings *findings)
{
    struct settings *next = malloc(sizeof *next);
    if (next == NULL) {
        return;
    }
    struct finding_place place = {.file = daemon->settings->upstreams_file};
    memcpy(next, daemon->settings, sizeof *next);
    upstreams_fill(next, UPSTREAMS_STUB_LIST, &place, findings);
    daemon_log_findings(findings);
    if (next->groups[0].server_count == 0 || reload_has_same_servers(next, daemon->settings)) {
        free(next);
        return;
    }
    char bytes[SUMMARY_SIZE];
    struct text text;
    text_init(&text, bytes, sizeof bytes);
    summary_add_upstreams(&text, next);
    log_event(&event_upstreams_changed, "file=\"%s\" upstreams=%s", next->upstreams_file, bytes);
    if (!daemon_apply(daemon, next)) {
        daemon->marks[0].size = -1; /* As if it had changed: it is tried again. */
    }
    daemon_say_ready(daemon, "");
}

static void daemon_on_watch(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct daemon *daemon = watcher->data;
    if (!daemon->settings->upstreams_from_file) {
        return;
    }
    bool has_changed = file_mark_look(&daemon->marks[0], daemon->settings->upstreams_file);
    has_changed |= file_mark_look(&daemon->marks[1], UPSTREAMS_STUB_LIST);
    struct findings *findings = has_changed ? calloc(1, sizeof *findings) : NULL;
    if (findings != NULL) {
        daemon_refill(daemon, findings);
        free(findings);
    }
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
    bool is_quiet = true;
    for (size_t i = 0; i < daemon->worker_count; i++) {
        worker_call(daemon->workers[i], ask_worker_quiet, &is_quiet);
    }
    if (is_quiet || clock_now() >= daemon->drain_until) {
        ev_break(loop, EVBREAK_ALL);
    }
}

static void daemon_on_end(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)events;
    struct daemon *daemon = watcher->data;
    if (daemon->drain_until != 0) {
        ev_break(loop, EVBREAK_ALL);
        return;
    }
    notify_send(&daemon->notify, "STOPPING=1\nSTATUS=answering what is waiting");
    log_event(&event_ending, "signal=%s", watcher->signum == SIGTERM ? "TERM" : "INT");
    /* Questions are still answered while this is written: the next process may be soon after us. */
    keeper_finish(daemon->keeper);
    daemon->commands.sources.keeper = NULL;
    keeper_free(&daemon->keeper);
    daemon->drain_until = clock_now() + daemon->settings->answer_deadline_us;
    for (size_t i = 0; i < daemon->worker_count; i++) {
        worker_call(daemon->workers[i], drain_worker, NULL);
    }
    ev_timer_again(loop, &daemon->drain);
}

/* If the last look is so long ago: two in one moment would find that no worker has turned. */
static void daemon_show_life(struct daemon *daemon, int64_t ago_us)
{
    int64_t now = clock_now();
    if (daemon->notify.watchdog_us > 0 && now - daemon->watchdog.looked_at >= ago_us) {
        watchdog_look(&daemon->watchdog, daemon->workers, &daemon->notify, now);
    }
}

/* While the main thread is kept by the cache, its loop does not turn. */
static void daemon_on_pace(void *world)
{
    daemon_show_life(world, ((struct daemon *)world)->notify.watchdog_us / 3);
}

static void daemon_on_watchdog(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    const struct daemon *daemon = watcher->data;
    daemon_show_life(watcher->data, daemon->notify.watchdog_us / 6);
}

static void daemon_on_minute(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct daemon *daemon = watcher->data;
    export_gather(daemon->export, &daemon->commands.sources);
    daemon_log_minute(&daemon->log_minute, daemon->export);
    look_back_note(daemon->look_back, daemon->export, clock_now());
}

static void daemon_add_watchers(struct daemon *daemon)
{
    ev_signal_init(&daemon->hup, daemon_on_hup, SIGHUP);
    ev_signal_init(&daemon->term, daemon_on_end, SIGTERM);
    ev_signal_init(&daemon->interrupt, daemon_on_end, SIGINT);
    ev_timer_init(&daemon->watch, daemon_on_watch, 0., WATCH_FILE_S);
    ev_timer_init(&daemon->drain, daemon_on_drain, 0., DRAIN_CHECK_S);
    double watchdog_s = (double)daemon->notify.watchdog_us / (double)CLOCK_US_PER_S / 3.;
    ev_timer_init(&daemon->watchdog_due, daemon_on_watchdog, 0., watchdog_s);
    daemon->hup.data = daemon;
    daemon->term.data = daemon;
    daemon->interrupt.data = daemon;
    daemon->watch.data = daemon;
    ev_timer_init(&daemon->minute, daemon_on_minute, 0., MINUTE_S);
    daemon->minute.data = daemon;
    ev_timer_start(daemon->loop, &daemon->minute);
    daemon->drain.data = daemon;
    daemon->watchdog_due.data = daemon;
    /* As if it had changed: it may have, since the settings were read. */
    daemon->marks[0] = (struct file_mark){.is_set = true, .size = -1};
    ev_signal_start(daemon->loop, &daemon->hup);
    ev_signal_start(daemon->loop, &daemon->term);
    ev_signal_start(daemon->loop, &daemon->interrupt);
    ev_timer_start(daemon->loop, &daemon->watch);
    if (daemon->notify.watchdog_us > 0) {
        ev_timer_again(daemon->loop, &daemon->watchdog_due);
    }
}

static bool daemon_make_memory(struct daemon *daemon, struct trouble *trouble)
{
    const struct settings *settings = daemon->settings;
    struct random random;
    random_init_system(&random);
    daemon->cache = cache_new(&(struct cache_options){
        .budget_bytes = settings->cache_size,
        .shard_count = boot_shard_count(settings),
        .stale_max_us = settings->stale_max_us,
        .list_share = (unsigned)settings->list_share,
        .secret = hash_key_new(&random),
    });
    daemon->export = export_new();
    daemon->look_back = look_back_new();
    daemon->workers = calloc(settings->workers, sizeof(struct worker *));
    daemon->commands.message = malloc(MESSAGE_SIZE_MAX);
    if (daemon->cache == NULL || daemon->export == NULL || daemon->look_back == NULL ||
        daemon->workers == NULL || daemon->commands.message == NULL ||
        !watchdog_init(&daemon->watchdog, settings->workers)) {
        trouble_set_memory(trouble);
        return false;
    }
    cache_set_pace(daemon->cache, daemon_on_pace, daemon);
    return true;
}

static bool daemon_make_workers(struct daemon *daemon, struct trouble *trouble)
{
    const struct witnesses_options witnesses = {
        .settings = daemon->settings,
        .version = daemon->options->version,
        .stats = &daemon->stats,
    };
    if (!witnesses_init(&daemon->witnesses, &witnesses, trouble)) {
        return false;
    }
    for (size_t i = 0; i < daemon->settings->workers; i++) {
        daemon->workers[i] = worker_new(&(struct worker_options){
            .settings = daemon->settings,
            .cache = daemon->cache,
            .version = daemon->options->version,
            .sockets = sockets_of(&daemon->sockets, i),
            .witnesses = &daemon->witnesses,
            .index = i,
        });
        if (daemon->workers[i] == NULL) {
            trouble_set_memory(trouble);
            return false;
        }
        daemon->worker_count++;
    }
    return true;
}

static bool daemon_make_control(struct daemon *daemon, struct trouble *trouble)
{
    const char *file = daemon->options->source->file;
    struct control_commands *commands = &daemon->commands;
    commands->sources = (struct export_sources){
        .cache = daemon->cache,
        .workers = daemon->workers,
        .main_stats = &daemon->stats,
    };
    commands->export = daemon->export;
    commands->look_back = daemon->look_back;
    commands->version = daemon->options->version;
    commands->config = file == NULL ? "-" : file;
    commands->started_at = daemon->started_at;
    commands->daemon = daemon;
    commands->reload = daemon_reload;
    daemon->control = control_new(
        &(struct control_options){
            .loop = daemon->loop,
            .path = daemon->settings->control_socket,
            .identity = &daemon->identity,
            .stats = &daemon->stats,
            .handler = control_commands_run,
            .world = commands,
        },
        trouble);
    return daemon->control != NULL;
}

/* What listens nowhere is no trouble: numbers are worth less than answers. */
static bool daemon_make_metrics(struct daemon *daemon, struct trouble *trouble)
{
    const struct settings *settings = daemon->settings;
    if (settings->metrics_listen_count == 0) {
        return true;
    }
    daemon->metrics_pages = (struct metrics_pages){
        .sources = &daemon->commands.sources,
        .export = daemon->export,
        .view = malloc(sizeof(struct stats_view)),
        .version = daemon->options->version,
        .started_at = daemon->started_at,
    };
    if (daemon->metrics_pages.view == NULL) {
        trouble_set_memory(trouble);
        return false;
    }
    daemon->metrics_http = metrics_http_new(&(struct metrics_http_options){
        .loop = daemon->loop,
        .addresses = settings->metrics_listen,
        .address_count = settings->metrics_listen_count,
        .stats = &daemon->stats,
        .handler = metrics_pages_write,
        .world = &daemon->metrics_pages,
    });
    return true;
}

static bool daemon_copy_settings(struct daemon *daemon, struct trouble *trouble)
{
    daemon->started = malloc(sizeof *daemon->started);
    daemon->settings = malloc(sizeof *daemon->settings);
    if (daemon->started == NULL || daemon->settings == NULL) {
        trouble_set_memory(trouble);
        return false;
    }
    memcpy(daemon->started, daemon->options->settings, sizeof *daemon->started);
    memcpy(daemon->settings, daemon->options->settings, sizeof *daemon->settings);
    return true;
}

/* All that may need root, then giving it up, then what needs memory. */
static bool daemon_prepare(struct daemon *daemon, struct trouble *trouble)
{
    if (!daemon_copy_settings(daemon, trouble)) {
        return false;
    }
    if (!reload_has_servers(daemon->settings)) {
        trouble_set(trouble, EX_CONFIG,
            "there is no server to ask. Set `upstreams`, or put a nameserver line into %s.",
            daemon->settings->upstreams_file);
        return false;
    }
    daemon->loop = ev_loop_new(LOOP_FLAGS);
    if (daemon->loop == NULL) {
        trouble_set(
            trouble, EX_OSERR, "the system gives no event loop (epoll): %s.", strerror(errno));
        return false;
    }
    log_set_level(daemon->settings->log_level);
    boot_raise_descriptors(daemon->settings);
    if (!identity_find(daemon->settings->user, &daemon->identity, trouble)) {
        return false;
    }
    keeper_prepare(daemon->settings, &daemon->identity);
    return sockets_take_over(&daemon->sockets, daemon->settings, &daemon->notify, trouble) &&
           daemon_make_memory(daemon, trouble) && daemon_make_control(daemon, trouble) &&
           daemon_make_metrics(daemon, trouble) && identity_take(&daemon->identity, trouble) &&
           daemon_make_workers(daemon, trouble);
}

static bool daemon_start(struct daemon *daemon, struct trouble *trouble)
{
    notify_init(&daemon->notify);
    if (!daemon_prepare(daemon, trouble)) {
        return false;
    }
    boot_prepare_signals();
    daemon_add_watchers(daemon);
    for (size_t i = 0; i < daemon->worker_count; i++) {
        if (!worker_start(daemon->workers[i])) {
            trouble_set(trouble, EX_OSERR, "the system gives no thread for worker %zu: %s.", i + 1,
                strerror(errno));
            return false;
        }
    }
    daemon->commands.sources.worker_count = daemon->worker_count;
    daemon->keeper = keeper_new(&(struct keeper_options){
        .loop = daemon->loop,
        .settings = daemon->settings,
        .cache = daemon->cache,
        .workers = daemon->workers,
        .worker_count = daemon->worker_count,
        .stats = &daemon->stats,
    });
    daemon->commands.sources.keeper = daemon->keeper;
    sockets_keep(&daemon->sockets, &daemon->notify);
    daemon_say_started(daemon);
    daemon_say_ready(daemon, "");
    return true;
}

static void daemon_fini(struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->worker_count; i++) {
        worker_stop(daemon->workers[i]);
    }
    for (size_t i = 0; i < daemon->worker_count; i++) {
        worker_free(&daemon->workers[i]);
    }
    witnesses_fini(&daemon->witnesses);
    control_free(&daemon->control);
    metrics_http_free(&daemon->metrics_http);
    free(daemon->metrics_pages.view);
    keeper_free(&daemon->keeper);
    sockets_fini(&daemon->sockets);
    if (daemon->loop != NULL) {
        ev_loop_destroy(daemon->loop);
    }
    notify_fini(&daemon->notify);
    cache_free(&daemon->cache);
    export_free(&daemon->export);
    look_back_free(&daemon->look_back);
    free(daemon->workers);
    watchdog_fini(&daemon->watchdog);
    free(daemon->commands.message);
    changeover_fini(&daemon->changeover);
    free(daemon->settings);
    free(daemon->started);
}

int daemon_run(const struct daemon_options *options)
{
    struct trouble trouble = {.exit_code = EX_OK};
    struct daemon *daemon = calloc(1, sizeof *daemon);
    if (daemon == NULL) {
        (void)fputs("mxcache: out of memory.\n", stderr);
        return EX_OSERR;
    }
    daemon->options = options;
    daemon->started_at = clock_now();
    daemon->notify.fd = -1;
    loop_failure_init();
    if (daemon_start(daemon, &trouble)) {
        (void)ev_run(daemon->loop, 0);
        export_gather(daemon->export, &daemon->commands.sources);
        daemon_log_ended(daemon->export, clock_now() - daemon->started_at);
    } else {
        (void)fprintf(stderr, "mxcache: %s\n", trouble.sentence);
    }
    daemon_fini(daemon);
    free(daemon);
    return trouble.exit_code;
}
