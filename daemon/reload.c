/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "cache/cache.h"
#include "conf/explain.h"
#include "conf/finding.h"
#include "conf/parse.h"
#include "conf/settings.h"
#include "conf/upstreams.h"
#include "daemon/changeover.h"
#include "daemon/daemon.h"
#include "daemon/daemon_log.h"
#include "daemon/daemon_parts.h"
#include "daemon/events.h"
#include "daemon/summary.h"

bool reload_has_servers(const struct settings *settings)
{
    for (size_t i = 0; i < settings->group_count; i++) {
        if (settings->groups[i].server_count > 0) {
            return true;
        }
    }
    return false;
}

bool reload_has_same_servers(const struct settings *a, const struct settings *b)
{
    const struct settings_group *left = &a->groups[0];
    const struct settings_group *right = &b->groups[0];
    if (left->server_count != right->server_count) {
        return false;
    }
    for (size_t i = 0; i < left->server_count; i++) {
        if (!settings_server_equal(&left->servers[i], &right->servers[i])) {
            return false;
        }
    }
    return true;
}

/* False: nothing can be opened now, so what has changed could not be read either. */
static bool file_mark_read(const char *path, struct file_mark *now_out)
{
    struct stat stat_now;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
        return false;
    }
    *now_out = (struct file_mark){.is_set = true};
    if (fd >= 0 && fstat(fd, &stat_now) == 0) {
        now_out->device = stat_now.st_dev;
        now_out->inode = stat_now.st_ino;
        now_out->size = stat_now.st_size;
        now_out->changed_at = stat_now.st_mtim;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return true;
}

bool file_mark_look(struct file_mark *mark, const char *path)
{
    struct file_mark now;
    if (!file_mark_read(path, &now)) {
        return false;
    }
    bool has_changed = mark->is_set && (now.device != mark->device || now.inode != mark->inode ||
                                           now.size != mark->size ||
                                           now.changed_at.tv_sec != mark->changed_at.tv_sec ||
                                           now.changed_at.tv_nsec != mark->changed_at.tv_nsec);
    *mark = now;
    return has_changed;
}

/* Takes `next` over and frees the old ones; false, the other way round, when memory is short. */
static bool reload_apply(struct daemon_parts *parts, struct settings *next)
{
    if (!changeover_make(parts->workers, parts->worker_count, next)) {
        free(next);
        log_event(&event_no_memory, "for=\"new settings\" advice=\"reload when there is some\"");
        return false;
    }
    log_set_level(next->log_level);
    cache_set_budget(parts->cache, next->cache_size);
    cache_set_stale_max(parts->cache, next->stale_max_us);
    cache_set_list_share(parts->cache, (unsigned)next->list_share);
    free(parts->settings);
    parts->settings = next;
    return true;
}

static bool reload_load(
    struct daemon_parts *parts, struct settings *next, struct findings *findings)
{
    const struct settings_source *source = parts->options->source;
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

static void reload_say_failed(struct daemon_parts *parts, struct findings *findings)
{
    if (findings->errors == 0) {
        finding_add(findings, FINDING_ERROR, &(struct finding_place){0}, "memory is short");
    }
    daemon_log_findings(findings);
    counter_add(&parts->stats.reloads_failed, 1);
    log_event(&event_reload_failed, "errors=%zu", findings->errors);
    daemon_parts_say_ready(parts, "reload failed, the old settings stay; ");
}

bool reload_settings(void *world, struct findings *findings, struct text *notes)
{
    struct daemon_parts *parts = world;
    struct settings *next = calloc(1, sizeof *next);
    /* Whatever becomes of the settings: it may be logrotate that asks. */
    witnesses_reopen(&parts->witnesses);
    notify_send(&parts->notify, "RELOADING=1");
    if (next == NULL || !reload_load(parts, next, findings)) {
        free(next);
        reload_say_failed(parts, findings);
        return false;
    }
    char bytes[SUMMARY_SIZE];
    struct text names;
    text_init(&names, bytes, sizeof bytes);
    if (explain_restart_needed(parts->started, next, &names)) {
        log_event(&event_restart_needed, "settings=\"%s\"", bytes);
        text_addf(notes, "note takes effect after a restart: %s\n", bytes);
    }
    text_init(&names, bytes, sizeof bytes);
    explain_difference(parts->settings, next, &names);
    if (!reload_apply(parts, next)) {
        reload_say_failed(parts, findings);
        return false;
    }
    daemon_log_findings(findings);
    counter_add(&parts->stats.reloads, 1);
    log_event(&event_reloaded, "changed=\"%s\"", bytes);
    daemon_parts_say_ready(parts, "");
    return true;
}

/* False: memory is short. */
static bool reload_upstreams(struct daemon_parts *parts, struct findings *findings)
{
    struct settings *next = malloc(sizeof *next);
    if (next == NULL) {
        return false;
    }
    struct finding_place place = {.file = parts->settings->upstreams_file};
    memcpy(next, parts->settings, sizeof *next);
    upstreams_fill(next, UPSTREAMS_STUB_LIST, &place, findings);
    daemon_log_findings(findings);
    if (next->groups[0].server_count == 0 || reload_has_same_servers(next, parts->settings)) {
        free(next);
        return true;
    }
    char bytes[SUMMARY_SIZE];
    struct text text;
    text_init(&text, bytes, sizeof bytes);
    summary_add_upstreams(&text, next);
    log_event(&event_upstreams_changed, "file=\"%s\" upstreams=%s", next->upstreams_file, bytes);
    bool is_applied = reload_apply(parts, next);
    daemon_parts_say_ready(parts, "");
    return is_applied;
}

void reload_watch(struct daemon_parts *parts)
{
    if (!parts->settings->upstreams_from_file) {
        return;
    }
    bool has_changed = file_mark_look(&parts->marks[0], parts->settings->upstreams_file);
    has_changed |= file_mark_look(&parts->marks[1], UPSTREAMS_STUB_LIST);
    if (!has_changed) {
        return;
    }
    struct findings *findings = calloc(1, sizeof *findings);
    if (findings == NULL || !reload_upstreams(parts, findings)) {
        parts->marks[0].size = -1; /* As if it had changed: it is tried again. */
    }
    free(findings);
}
