/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * The daemon in a few words, for the log and the service manager. Main thread.
 */
struct settings;
struct sockets;
struct text;

#define SUMMARY_SIZE 512

/* "127.0.0.1@53,::1@53" */
void summary_add_listen(struct text *text, const struct sockets *sockets);

/* The servers of group 0, "192.0.2.53@53,9.9.9.9@853#dns.quad9.net", or "none". */
void summary_add_upstreams(struct text *text, const struct settings *settings);
