/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A DNS upstream that does what its zone file says (tests/support/world.h): it answers, delays,
 * drops, fails or truncates, over UDP and TCP, in one thread. Prints "ready" once it listens, and
 * with -v each question. Ends on TERM, and when its parent ends.
 *
 *     scripted_server [-v] ZONE_FILE ADDRESS@PORT...
 *     scripted_server -t ZONE_FILE          reads the file, listens to nothing
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "wire/header.h"
#include "wire/types.h"
#include "tests/support/world.h"
#include "tests/support/world_answer.h"

#define LISTEN_MAX      8
#define CONNECTIONS_MAX 64
#define QUERY_SIZE_MAX  1024
#define PARKED_MAX      512

enum line_kind {
    LINE_FREE,
    LINE_UDP,
    LINE_LISTEN,
    LINE_CONNECTION,
};

/* One socket. `generation` tells a parked reply whether its connection is still the same one. */
struct line {
    enum line_kind kind;
    int fd;
    unsigned generation;
    size_t len;
    uint8_t bytes[2 + QUERY_SIZE_MAX]; /* What a connection has sent so far. */
};

/* A query whose answer is due later. */
struct parked {
    bool is_used;
    int64_t due_ms;
    size_t line;
    unsigned generation;
    struct world_query query;
    struct sockaddr_storage peer;
    socklen_t peer_len;
};

#define LINES_MAX (2 * LISTEN_MAX + CONNECTIONS_MAX)

struct server {
    struct world world;
    struct line lines[LINES_MAX];
    struct parked parked[PARKED_MAX];
    uint8_t reply[2 + MESSAGE_SIZE_MAX];
    bool is_verbose;
};

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct line *line_add(struct server *server, enum line_kind kind, int fd)
{
    for (size_t i = 0; i < LINES_MAX; i++) {
        struct line *line = &server->lines[i];
        if (line->kind == LINE_FREE) {
            line->kind = kind;
            line->fd = fd;
            line->len = 0;
            line->generation++;
            return line;
        }
    }
    close(fd);
    return NULL;
}

static void line_close(struct line *line)
{
    close(line->fd);
    line->kind = LINE_FREE;
}

static void query_print(const struct world_query *query, enum line_kind kind)
{
    char name[NAME_TEXT_SIZE];
    char type[TYPE_TEXT_SIZE];
    /* In lower case, for askers spell at random and a reader looks for the name. */
    struct question question = query->question;
    name_to_lower(question.name, question.name_len);
    name_to_text(question.name, question.name_len, name, sizeof(name));
    printf("%s %s %s\n", kind == LINE_UDP ? "udp" : "tcp", name,
        type_to_text(query->question.type, type));
    fflush(stdout);
}

static void reply_send(struct server *server, const struct parked *due)
{
    struct line *line = &server->lines[due->line];
    bool is_udp = line->kind == LINE_UDP;
    uint8_t *reply = server->reply;
    if (line->kind == LINE_FREE || line->generation != due->generation) {
        return;
    }
    size_t len =
        world_answer_write(&server->world, &due->query, is_udp, reply + 2, MESSAGE_SIZE_MAX);
    if (len == 0) {
        return;
    }
    if (is_udp) {
        const struct sockaddr *peer = (const struct sockaddr *)&due->peer;
        (void)sendto(line->fd, reply + 2, len, 0, peer, due->peer_len);
        return;
    }
    bytes_put_u16(reply, (uint16_t)len);
    if (send(line->fd, reply, len + 2, MSG_NOSIGNAL) != (ssize_t)(len + 2)) {
        line_close(line);
    }
}

static void query_park(struct server *server, const struct parked *query)
{
    for (size_t i = 0; i < PARKED_MAX; i++) {
        if (!server->parked[i].is_used) {
            server->parked[i] = *query;
            server->parked[i].is_used = true;
            return;
        }
    }
    fprintf(stderr, "scripted_server: more than %d delayed queries; one dropped\n", PARKED_MAX);
}

static void query_take(
    struct server *server, struct parked *query, const uint8_t *bytes, size_t len)
{
    struct line *line = &server->lines[query->line];
    struct world_name name;
    if (!world_query_read(bytes, len, &query->query)) {
        return;
    }
    if (server->is_verbose) {
        query_print(&query->query, line->kind);
    }
    memcpy(name.bytes, query->query.question.name, query->query.question.name_len);
    name.len = query->query.question.name_len;
    uint32_t delay_ms = world_manner_of(&server->world, &name).delay_ms;
    query->generation = line->generation;
    query->due_ms = clock_ms() + delay_ms;
    if (delay_ms > 0) {
        query_park(server, query);
    } else {
        reply_send(server, query);
    }
}

static void udp_on_readable(struct server *server, size_t at)
{
    uint8_t bytes[QUERY_SIZE_MAX];
    struct parked query = {.line = at, .peer_len = sizeof(query.peer)};
    ssize_t len = recvfrom(server->lines[at].fd, bytes, sizeof(bytes), MSG_DONTWAIT,
        (struct sockaddr *)&query.peer, &query.peer_len);
    if (len > 0) {
        query_take(server, &query, bytes, (size_t)len);
    }
}

/* Replies are sent in one blocking call; the limit frees us from a client that does not read. */
static void listen_on_readable(struct server *server, size_t at)
{
    const struct timeval limit = {.tv_sec = 1};
    int fd = accept4(server->lines[at].fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    line_add(server, LINE_CONNECTION, fd);
}

/* Takes every whole message out of the line's bytes. False: one is longer than any query. */
static bool messages_take(struct server *server, size_t at)
{
    struct line *line = &server->lines[at];
    while (line->kind == LINE_CONNECTION && line->len >= 2) {
        size_t len = bytes_get_u16(line->bytes);
        if (len > QUERY_SIZE_MAX) {
            return false;
        }
        if (line->len < 2 + len) {
            return true;
        }
        struct parked query = {.line = at};
        query_take(server, &query, line->bytes + 2, len);
        line->len -= 2 + len;
        memmove(line->bytes, line->bytes + 2 + len, line->len);
    }
    return true;
}

static void connection_on_readable(struct server *server, size_t at)
{
    struct line *line = &server->lines[at];
    ssize_t len =
        recv(line->fd, line->bytes + line->len, sizeof(line->bytes) - line->len, MSG_DONTWAIT);
    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (len <= 0) {
        line_close(line);
        return;
    }
    line->len += (size_t)len;
    if (!messages_take(server, at)) {
        line_close(line);
    }
}

static void line_on_readable(struct server *server, size_t at)
{
    switch (server->lines[at].kind) {
    case LINE_FREE:
        break;
    case LINE_UDP:
        udp_on_readable(server, at);
        break;
    case LINE_LISTEN:
        listen_on_readable(server, at);
        break;
    case LINE_CONNECTION:
        connection_on_readable(server, at);
        break;
    }
}

/* Sends what is due; returns the milliseconds until the next is, -1 if none waits. */
static int parked_run(struct server *server)
{
    int64_t now_ms = clock_ms();
    int64_t wait_ms = -1;
    for (size_t i = 0; i < PARKED_MAX; i++) {
        struct parked *parked = &server->parked[i];
        int64_t left_ms = parked->due_ms - now_ms;
        if (parked->is_used && left_ms <= 0) {
            reply_send(server, parked);
            parked->is_used = false;
        } else if (parked->is_used && (wait_ms < 0 || left_ms < wait_ms)) {
            wait_ms = left_ms;
        }
    }
    return (int)wait_ms;
}

static void server_turn(struct server *server)
{
    struct pollfd polls[LINES_MAX];
    for (size_t i = 0; i < LINES_MAX; i++) {
        const struct line *line = &server->lines[i];
        polls[i] = (struct pollfd){
            .fd = line->kind == LINE_FREE ? -1 : line->fd,
            .events = POLLIN,
        };
    }
    if (poll(polls, LINES_MAX, parked_run(server)) <= 0) {
        return;
    }
    for (size_t i = 0; i < LINES_MAX; i++) {
        if (polls[i].revents != 0) {
            line_on_readable(server, i);
        }
    }
}

static bool socket_open(struct server *server, const struct address *address, int type)
{
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(address, &sockaddr);
    const int on = 1;
    int fd = socket(sockaddr.ss_family, type | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    if (type == SOCK_STREAM) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    }
    if (bind(fd, (const struct sockaddr *)&sockaddr, len) != 0 ||
        (type == SOCK_STREAM && listen(fd, CONNECTIONS_MAX) != 0)) {
        close(fd);
        return false;
    }
    return line_add(server, type == SOCK_STREAM ? LINE_LISTEN : LINE_UDP, fd) != NULL;
}

static bool server_listen(struct server *server, const char *text)
{
    struct address address;
    if (!address_parse(text, strlen(text), 53, &address)) {
        fprintf(stderr, "scripted_server: %s is not ADDRESS@PORT\n", text);
        return false;
    }
    if (!socket_open(server, &address, SOCK_DGRAM) || !socket_open(server, &address, SOCK_STREAM)) {
        fprintf(stderr, "scripted_server: cannot listen on %s: %s\n", text, strerror(errno));
        return false;
    }
    return true;
}

static bool server_load(struct server *server, const char *path)
{
    char error[256] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fprintf(stderr, "scripted_server: %s: %s\n", path, strerror(errno));
        return false;
    }
    bool is_read = world_init(&server->world, file, error, sizeof(error));
    fclose(file);
    if (!is_read) {
        fprintf(stderr, "scripted_server: %s: %s\n", path, error);
    }
    return is_read;
}

/* TERM keeps its default action: there is nothing to tidy up that the kernel does not. */
static int server_run(struct server *server, char **addresses)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (size_t i = 0; addresses[i] != NULL; i++) {
        if (i == LISTEN_MAX || !server_listen(server, addresses[i])) {
            return 1;
        }
    }
    puts("ready");
    fflush(stdout);
    while (true) {
        server_turn(server);
    }
}

int main(int argc, char **argv)
{
    bool is_test = false;
    int option = 0;
    struct server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        return 1;
    }
    while ((option = getopt(argc, argv, "tv")) != -1) {
        is_test = is_test || option == 't';
        server->is_verbose = server->is_verbose || option == 'v';
    }
    if (argc - optind < (is_test ? 1 : 2)) {
        fprintf(stderr, "usage: scripted_server [-v] ZONE_FILE ADDRESS@PORT...\n");
        free(server);
        return 64;
    }
    int status = 1;
    if (server_load(server, argv[optind])) {
        status = is_test ? 0 : server_run(server, argv + optind + 1);
    }
    world_fini(&server->world);
    free(server);
    return status;
}
