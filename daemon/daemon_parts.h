/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/control_commands.h"
#include "daemon/identity.h"
#include "daemon/metrics_pages.h"
#include "daemon/notify.h"
#include "daemon/reload.h"
#include "daemon/sockets.h"
#include "daemon/stats.h"
#include "daemon/watchdog.h"
#include "daemon/witness.h"

/*
 * What the daemon is made of, in the order in which it can be made, and what it says about itself.
 * Who turns it is in daemon/daemon.c, who changes its settings while it turns in daemon/reload.c.
 * Main thread.
 */
struct cache;
struct control;
struct daemon_options;
struct ev_loop;
struct export;
struct keeper;
struct look_back;
struct metrics_http;
struct settings;
struct trouble;
struct worker;

struct daemon_parts {
    const struct daemon_options *options;
    struct settings *started; /* What the sockets and the memory were made for. */
    struct settings *settings;
    int64_t started_at;
    struct identity identity;
    struct sockets sockets;
    struct cache *cache;
    struct witnesses witnesses;
    struct worker **workers;
    size_t worker_count;
    struct export *export;
    struct look_back *look_back;
    struct lately lately;
    struct keeper *keeper; /* Made when the workers run. */
    struct control *control;
    struct control_commands commands;
    struct metrics_pages metrics_pages;
    struct metrics_http *metrics_http; /* NULL: nobody is served by HTTP. */
    struct daemon_stats stats;
    struct notify notify;
    struct ev_loop *loop;
    struct file_mark marks[2];
    struct watchdog watchdog;
};

/* All that may need root, then giving it up, then what needs memory; the workers do not run yet.
 * False: the trouble says why, and what was made is left to daemon_parts_fini(). */
bool daemon_parts_make(struct daemon_parts *parts, struct trouble *trouble);

/* Stops the workers first. */
void daemon_parts_fini(struct daemon_parts *parts);

/* To the log. */
void daemon_parts_say_started(const struct daemon_parts *parts);

/* To the service manager: what is answered on and who is asked, after the `news`. */
void daemon_parts_say_ready(const struct daemon_parts *parts, const char *news);
