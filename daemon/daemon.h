/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * The daemon from its start to its end. The main thread makes the sockets, becomes the user that
 * serves, starts the workers, and then has a loop of its own for what is rare: signals (HUP reads
 * the settings again, TERM and INT answer what is waiting and end, a second one ends at once), the
 * control socket, the file that upstreams come from, and the service manager. Questions never pass
 * through it.
 */
struct settings;
struct settings_source;

struct daemon_options {
    const struct settings_source *source; /* For reloads; outlives the call. */
    const struct settings *settings;      /* As loaded from it. */
    const char *version;                  /* A literal. */
};

/* Returns when the daemon has ended. What keeps it from starting is printed to standard error as
 * one sentence with cause and remedy. The exit code is one of sysexits.h: 0, 69 (something is in
 * use), 71 (the system refuses), 73 (cannot create), 77 (no right), 78 (settings). Once in a
 * process. */
int daemon_run(const struct daemon_options *options);
