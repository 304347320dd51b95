/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * The head of an HTTP/1 request (RFC 9112), as far as a server of three read-only pages needs it:
 * method, path, which form of the metrics the client prefers, and whom it takes us for. Pure.
 */
#define HTTP_REQUEST_MAX 8192 /* Bytes of request line and headers. */
#define HTTP_PATH_SIZE   64   /* No page has a longer path. */

enum http_verdict {
    HTTP_MORE, /* The head has not ended yet. */
    HTTP_GOOD,
    HTTP_MALFORMED,       /* 400 */
    HTTP_NOT_ALLOWED,     /* 405: another method than GET and HEAD. */
    HTTP_TOO_LARGE,       /* 431: longer than HTTP_REQUEST_MAX. */
    HTTP_UNKNOWN_VERSION, /* 505 */
};

struct http_request {
    bool is_head;              /* HEAD: no body is wanted. */
    bool prefers_openmetrics;  /* By Accept; else the plain text of Prometheus. */
    char path[HTTP_PATH_SIZE]; /* Without a query; empty when it is longer than any page's. */
    bool has_foreign_host;     /* Host has a name, and not localhost: it may be a stranger's. */
};

/* Reads what has come so far. The request is set with HTTP_GOOD only. */
enum http_verdict http_request_read(
    const char *bytes, size_t len, struct http_request *request_out);
