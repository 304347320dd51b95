/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/http_request.h"

/*
 * The metrics over HTTP, for a monitoring system on this host: GET and HEAD of a few pages, one
 * request a connection, no TLS and no names of persons. Served by the main thread beside the
 * control socket; a client that is slow, silent or talks nonsense costs one of
 * METRICS_HTTP_CLIENTS_MAX places for METRICS_HTTP_PATIENCE_S, and never a question's answer. What
 * comes by loopback must not call us by a stranger's name: so no page of the web can have a browser
 * on this host read ours (DNS rebinding).
 */
#define METRICS_HTTP_CLIENTS_MAX 16
#define METRICS_HTTP_PATIENCE_S  5          /* For a whole request and its answer. */
#define METRICS_HTTP_BODY_MAX    (16 << 20) /* Hundreds of servers and lists. */

struct metrics_http;
struct address;
struct daemon_stats;
struct ev_loop;
struct text;

/* What a page is made of. `type` is a literal. NULL: there is no such page (404). */
typedef const char *metrics_http_handler(
    void *world, const struct http_request *request, struct text *body);

struct metrics_http_options {
    struct ev_loop *loop;
    const struct address *addresses;
    size_t address_count;
    struct daemon_stats *stats;
    metrics_http_handler *handler;
    void *world;
};

/* Listens where it can; where it cannot it says so in the log, for metrics are no reason not to
 * serve. NULL: it listens nowhere, or memory is short. */
struct metrics_http *metrics_http_new(const struct metrics_http_options *options);
void metrics_http_free(struct metrics_http **metrics_http);
