/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as what a server says in a TLS handshake, in pieces: a line of it never comes to its
 * end without keys, so it always fails, with a reason that can be shown; nothing is ever read from
 * it, and what was written stays unsent.
 */
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "daemon/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reason(const struct tls_line *line)
{
    const char *reason = tls_reason(line);
    must(reason[0] != '\0' && strlen(reason) < TLS_REASON_SIZE);
    for (size_t i = 0; reason[i] != '\0'; i++) {
        must(reason[i] >= ' ' && reason[i] < 0x7f);
    }
}

/* What we have said is thrown away, so that no buffer fills. */
static void peer_drain(int fd)
{
    uint8_t bytes[4096];
    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
}

static enum tls_verdict peer_say(
    struct tls_line *line, int fd, const uint8_t *data, size_t size, size_t piece)
{
    enum tls_verdict verdict = tls_connect_step(line);
    for (size_t at = 0; at < size && verdict == TLS_WANT_READ; at += piece) {
        size_t len = size - at < piece ? size - at : piece;
        if (send(fd, data + at, len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)len) {
            break;
        }
        verdict = tls_connect_step(line);
        peer_drain(fd);
    }
    return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_context *context;
    static const struct tls_peer peer = {.name = "dns.example"};
    int fds[2];
    if (context == NULL) {
        (void)signal(SIGPIPE, SIG_IGN);
        context = tls_context_new();
    }
    if (size == 0) {
        return 0;
    }
    must(context != NULL);
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    struct tls_line *line = tls_line_new(context, fds[0], &peer);
    must(line != NULL);
    size_t piece = data[0] % 2 == 0 ? 65536 : 1 + data[0];
    enum tls_verdict verdict = peer_say(line, fds[1], data + 1, size - 1, piece);
    must(verdict == TLS_WANT_READ || verdict == TLS_FAILED);
    must(close(fds[1]) == 0);
    if (verdict == TLS_WANT_READ) {
        verdict = tls_connect_step(line);
    }
    must(verdict == TLS_FAILED && !tls_is_resumed(line));
    check_reason(line);
    tls_line_free(&line);
    must(close(fds[0]) == 0);
    return 0;
}
