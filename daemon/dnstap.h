/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Questions and answers as dnstap, by Frame Streams over a Unix socket, to whoever collects them
 * there. libfstrm's own thread connects, again every few seconds, and writes; a worker only leaves
 * a frame in its queue. Where the queue is full the frame is left out and counted; while nobody
 * listens the thread throws frames away. This is the one door to libfstrm; a build without it has
 * dnstap_absent.c instead. Made and ended by the main thread.
 */
struct dnstap;
struct observed;
struct client;

/* Built with libfstrm? */
bool dnstap_is_built_in(void);

struct dnstap_options {
    const char *path;
    const char *identity;
    const char *version;
    size_t worker_count;
};

/* NULL: memory is short, there is no thread for it, or no socket can have such a path. */
struct dnstap *dnstap_new(const struct dnstap_options *options);

/* Sends what is left, and waits for it no longer than dnstap_way.h says, whatever the collector
 * does. */
void dnstap_free(struct dnstap **dnstap);

/* Worker `index`'s. False: there was no room, it is left out. */
struct dnstap_query {
    const struct client *client;
    int64_t asked_at;
    const uint8_t *bytes;
    size_t len;
};

bool dnstap_note_query(struct dnstap *dnstap, size_t index, const struct dnstap_query *query);
bool dnstap_note_answer(struct dnstap *dnstap, size_t index, const struct observed *observed);
