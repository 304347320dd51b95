/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * Asks the running daemon how it has fared in the last ten minutes, for the doctor. Waits as every
 * client does (cmd/client.h). Main thread.
 */
struct doctor_daemon;
struct settings;

/* `settings` NULL: the daemon is looked for where the defaults put it. */
void doctor_daemon_ask(const struct settings *settings, struct doctor_daemon *daemon_out);
