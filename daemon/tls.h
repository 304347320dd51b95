/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The one door to OpenSSL's connections: TLS to upstream (DNS over TLS, RFC 7858; strict profile of
 * RFC 8310: a server that cannot prove who it is is not asked). A context belongs to one thread and
 * holds the trusted roots and one session for each server name, so that a reconnect is short. The
 * roots are OpenSSL's own: SSL_CERT_FILE and SSL_CERT_DIR in the environment are honoured, which is
 * also how a private CA is named until there is a setting for it. They must stay readable while
 * the process runs.
 *
 * A line is one connection over a socket that does not block; the socket belongs to the caller and
 * is closed by him after tls_line_free(). Writing to a socket whose other end has gone raises
 * SIGPIPE in OpenSSL: the process must ignore that signal.
 */
struct settings_pin;
struct tls_context;
struct tls_line;

/* Who must be at the other end. Copied where it is given. */
struct tls_peer {
    const char *name; /* A host name, or an address as text: sent (SNI) and demanded of the
                         certificate. Empty: the pins alone are the proof. */
    const struct settings_pin *pins; /* Of these the server's key must be one. */
    size_t pin_count;                /* At most SETTINGS_PINS_MAX. 0: any key will do. */
};

#define TLS_SESSIONS_MAX 32 /* Server names with a session to resume. */
#define TLS_REASON_SIZE  256

/* After this many handshakes have failed in a row the roots are read again, once a minute at most:
 * they may have been replaced under a long-running process. */
#define TLS_FAILURES_RENEW 8

enum tls_verdict {
    TLS_DONE,       /* What was asked for has happened. */
    TLS_WANT_READ,  /* Call again when the socket is readable, whatever was asked for. */
    TLS_WANT_WRITE, /* Call again when it is writable, whatever was asked for. */
    TLS_CLOSED,     /* The other end has closed. */
    TLS_FAILED,     /* The line is of no use any more; tls_reason() tells why. */
};

/* "OpenSSL 3.0.11 19 Sep 2023": the one that runs, and the one that was compiled against. */
const char *tls_library(void);
const char *tls_library_compiled(void);

/* NULL when memory is short or OpenSSL cannot start. */
struct tls_context *tls_context_new(void);

/* Lines must have been freed first. */
void tls_context_free(struct tls_context **context);

/* A line to the peer over the connected `fd`. Its name, or else its first pin, finds the session to
 * resume. NULL when memory is short, the name is not one, or there is nothing to prove. */
struct tls_line *tls_line_new(struct tls_context *context, int fd, const struct tls_peer *peer);

/* Says goodbye without waiting, if the line has not failed. */
void tls_line_free(struct tls_line **line);

/* The handshake, with the proof of the name and the key in it. CLOSED does not occur: a connection
 * closed in the handshake has FAILED. */
enum tls_verdict tls_connect_step(struct tls_line *line);

/* With DONE, 1 to `size` bytes. Call until it does not say DONE or tls_has_pending() is false:
 * readable bytes may stand in OpenSSL, where no event tells of them. */
enum tls_verdict tls_read(struct tls_line *line, uint8_t *bytes_out, size_t size, size_t *len_out);

/* With DONE, 1 to `len` bytes have been taken; len > 0. After WANT_READ or WANT_WRITE the next call
 * must offer the same bytes again, and may offer more after them, at another address too. */
enum tls_verdict tls_write(
    struct tls_line *line, const uint8_t *bytes, size_t len, size_t *len_out);

bool tls_has_pending(const struct tls_line *line);

/* After FAILED: why, in plain words, in printable ASCII; else "". Valid as long as the line. */
const char *tls_reason(const struct tls_line *line);

/* After the handshake: was a session resumed? */
bool tls_is_resumed(const struct tls_line *line);
