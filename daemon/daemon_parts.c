/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/daemon_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <ev.h>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "wire/header.h"
#include "cache/cache.h"
#include "conf/parse.h"
#include "conf/settings.h"
#include "daemon/boot.h"
#include "daemon/control.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/export.h"
#include "daemon/keeper.h"
#include "daemon/look_back.h"
#include "daemon/metrics_http.h"
#include "daemon/stats_view.h"
#include "daemon/summary.h"
#include "daemon/trouble.h"
#include "daemon/worker.h"

#define LOOP_FLAGS                                                                                 \
    (EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_NOSIGMASK | EVFLAG_NOTIMERFD | EVFLAG_NOINOTIFY)

static bool daemon_parts_make_memory(struct daemon_parts *parts, struct trouble *trouble)
{
    const struct settings *settings = parts->settings;
    struct random random;
    random_init_system(&random);
    parts->cache = cache_new(&(struct cache_options){
        .budget_bytes = settings->cache_size,
        .shard_count = boot_shard_count(settings),
        .stale_max_us = settings->stale_max_us,
        .list_share = (unsigned)settings->list_share,
        .secret = hash_key_new(&random),
    });
    parts->export = export_new();
    parts->look_back = look_back_new();
    parts->workers = calloc(settings->workers, sizeof(struct worker *));
    parts->commands.message = malloc(MESSAGE_SIZE_MAX);
    if (parts->cache == NULL || parts->export == NULL || parts->look_back == NULL ||
        parts->workers == NULL || parts->commands.message == NULL ||
        !watchdog_init(&parts->watchdog, settings->workers)) {
        trouble_set_memory(trouble);
        return false;
    }
    return true;
}

static bool daemon_parts_make_workers(struct daemon_parts *parts, struct trouble *trouble)
{
    const struct witnesses_options witnesses = {
        .settings = parts->settings,
        .version = parts->options->version,
        .stats = &parts->stats,
    };
    if (!witnesses_init(&parts->witnesses, &witnesses, trouble)) {
        return false;
    }
    for (size_t i = 0; i < parts->settings->workers; i++) {
        parts->workers[i] = worker_new(&(struct worker_options){
            .settings = parts->settings,
            .cache = parts->cache,
            .version = parts->options->version,
            .sockets = sockets_of(&parts->sockets, i),
            .witnesses = &parts->witnesses,
            .index = i,
        });
        if (parts->workers[i] == NULL) {
            trouble_set_memory(trouble);
            return false;
        }
        parts->worker_count++;
    }
    return true;
}

static bool daemon_parts_make_control(struct daemon_parts *parts, struct trouble *trouble)
{
    const char *file = parts->options->source->file;
    struct control_commands *commands = &parts->commands;
    commands->sources = (struct export_sources){
        .cache = parts->cache,
        .workers = parts->workers,
        .main_stats = &parts->stats,
        .lately = &parts->lately,
    };
    commands->export = parts->export;
    commands->look_back = parts->look_back;
    commands->version = parts->options->version;
    commands->config = file == NULL ? "-" : file;
    commands->started_at = parts->started_at;
    parts->control = control_new(
        &(struct control_options){
            .loop = parts->loop,
            .path = parts->settings->control_socket,
            .identity = &parts->identity,
            .stats = &parts->stats,
            .handler = control_commands_run,
            .world = commands,
        },
        trouble);
    return parts->control != NULL;
}

/* What listens nowhere is no trouble: numbers are worth less than answers. */
static bool daemon_parts_make_metrics(struct daemon_parts *parts, struct trouble *trouble)
{
    const struct settings *settings = parts->settings;
    if (settings->metrics_listen_count == 0) {
        return true;
    }
    parts->metrics_pages = (struct metrics_pages){
        .sources = &parts->commands.sources,
        .export = parts->export,
        .view = malloc(sizeof(struct stats_view)),
        .version = parts->options->version,
        .started_at = parts->started_at,
    };
    if (parts->metrics_pages.view == NULL) {
        trouble_set_memory(trouble);
        return false;
    }
    parts->metrics_http = metrics_http_new(&(struct metrics_http_options){
        .loop = parts->loop,
        .addresses = settings->metrics_listen,
        .address_count = settings->metrics_listen_count,
        .stats = &parts->stats,
        .handler = metrics_pages_write,
        .world = &parts->metrics_pages,
    });
    return true;
}

static bool daemon_parts_copy_settings(struct daemon_parts *parts, struct trouble *trouble)
{
    parts->started = malloc(sizeof *parts->started);
    parts->settings = malloc(sizeof *parts->settings);
    if (parts->started == NULL || parts->settings == NULL) {
        trouble_set_memory(trouble);
        return false;
    }
    memcpy(parts->started, parts->options->settings, sizeof *parts->started);
    memcpy(parts->settings, parts->options->settings, sizeof *parts->settings);
    return true;
}

bool daemon_parts_make(struct daemon_parts *parts, struct trouble *trouble)
{
    if (!daemon_parts_copy_settings(parts, trouble)) {
        return false;
    }
    if (!reload_has_servers(parts->settings)) {
        trouble_set(trouble, EX_CONFIG,
            "there is no server to ask. Set `upstreams`, or put a nameserver line into %s.",
            parts->settings->upstreams_file);
        return false;
    }
    parts->loop = ev_loop_new(LOOP_FLAGS);
    if (parts->loop == NULL) {
        trouble_set(
            trouble, EX_OSERR, "the system gives no event loop (epoll): %s.", strerror(errno));
        return false;
    }
    log_set_level(parts->settings->log_level);
    boot_raise_descriptors(parts->settings);
    if (!identity_find(parts->settings->user, &parts->identity, trouble)) {
        return false;
    }
    keeper_prepare(parts->settings, &parts->identity);
    return sockets_take_over(&parts->sockets, parts->settings, &parts->notify, trouble) &&
           daemon_parts_make_memory(parts, trouble) && daemon_parts_make_control(parts, trouble) &&
           daemon_parts_make_metrics(parts, trouble) && identity_take(&parts->identity, trouble) &&
           daemon_parts_make_workers(parts, trouble);
}

void daemon_parts_fini(struct daemon_parts *parts)
{
    for (size_t i = 0; i < parts->worker_count; i++) {
        worker_stop(parts->workers[i]);
    }
    for (size_t i = 0; i < parts->worker_count; i++) {
        worker_free(&parts->workers[i]);
    }
    witnesses_fini(&parts->witnesses);
    control_free(&parts->control);
    metrics_http_free(&parts->metrics_http);
    free(parts->metrics_pages.view);
    keeper_free(&parts->keeper);
    sockets_fini(&parts->sockets);
    if (parts->loop != NULL) {
        ev_loop_destroy(parts->loop);
    }
    notify_fini(&parts->notify);
    cache_free(&parts->cache);
    export_free(&parts->export);
    look_back_free(&parts->look_back);
    free(parts->workers);
    watchdog_fini(&parts->watchdog);
    free(parts->commands.message);
    free(parts->settings);
    free(parts->started);
}

void daemon_parts_say_started(const struct daemon_parts *parts)
{
    char bytes[SUMMARY_SIZE];
    struct text text;
    text_init(&text, bytes, sizeof bytes);
    text_addf(&text, "version=%s workers=%zu cache=", parts->options->version, parts->worker_count);
    text_add_size(&text, parts->settings->cache_size);
    text_add(&text, " listen=");
    summary_add_listen(&text, &parts->sockets);
    text_add(&text, " upstreams=");
    summary_add_upstreams(&text, parts->settings);
    log_event(&event_started, "%s", bytes);
}

void daemon_parts_say_ready(const struct daemon_parts *parts, const char *news)
{
    char bytes[SUMMARY_SIZE];
    struct text text;
    text_init(&text, bytes, sizeof bytes);
    text_add(&text, "answering on ");
    summary_add_listen(&text, &parts->sockets);
    text_add(&text, ", asking ");
    summary_add_upstreams(&text, parts->settings);
    notify_send(&parts->notify, "READY=1\nSTATUS=%s%.300s", news, bytes);
}
