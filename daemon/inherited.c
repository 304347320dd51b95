/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/inherited.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/events.h"
#include "daemon/notify.h"

#define FD_FIRST  3 /* SD_LISTEN_FDS_START. */
#define INDEX_MAX 4095

/* Takes the variable out of the environment, so that nobody after us believes it. */
static bool environment_take(const char *name, uint64_t max, uint64_t *number_out)
{
    const char *text = getenv(name);
    bool is_number = text != NULL && text_parse_u64(text, strlen(text), max, number_out);
    (void)unsetenv(name);
    return is_number;
}

/* How many descriptors are meant for this very process. */
static size_t environment_count(void)
{
    uint64_t pid = 0;
    uint64_t count = 0;
    bool is_ours = environment_take("LISTEN_PID", INT32_MAX, &pid) && pid == (uint64_t)getpid();
    bool is_known = environment_take("LISTEN_FDS", INT16_MAX, &count);
    return is_ours && is_known ? (size_t)count : 0;
}

/* The next of the names between colons; empty where there is none. */
static void names_next(const char **names, char *name_out)
{
    size_t len = strcspn(*names, ":");
    size_t kept = len < INHERITED_NAME_SIZE ? len : INHERITED_NAME_SIZE - 1;
    memcpy(name_out, *names, kept);
    name_out[kept] = '\0';
    *names += len;
    if (**names == ':') {
        (*names)++;
    }
}

static int socket_get(int fd, int level, int option)
{
    int value = -1;
    socklen_t len = sizeof value;
    return getsockopt(fd, level, option, &value, &len) == 0 ? value : -1;
}

static bool socket_has_protocol(int fd, bool is_stream)
{
    return is_stream ? socket_get(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP &&
                           socket_get(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1
                     : socket_get(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_UDP;
}

/* A socket that takes IPv4 as well would let clients in by addresses that `allow` does not know. */
static bool socket_has_family(int fd, const struct address *address)
{
    int domain = socket_get(fd, SOL_SOCKET, SO_DOMAIN);
    return address->family == ADDRESS_IPV6
               ? domain == AF_INET6 && socket_get(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1
               : address->family == ADDRESS_IPV4 && domain == AF_INET;
}

static bool socket_is_connected(int fd)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    return getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

/* What it is, whatever it is called. False: no listening socket of the kind that we open. */
static bool socket_describe(struct inherited_socket *socket)
{
    struct sockaddr_storage sockaddr;
    socklen_t len = sizeof sockaddr;
    int type = socket_get(socket->fd, SOL_SOCKET, SO_TYPE);
    if ((type != SOCK_DGRAM && type != SOCK_STREAM) ||
        getsockname(socket->fd, (struct sockaddr *)&sockaddr, &len) != 0) {
        return false;
    }
    socket->is_stream = type == SOCK_STREAM;
    socket->address = address_from_sockaddr((const struct sockaddr *)&sockaddr);
    return socket->address.port != 0 && socket_has_family(socket->fd, &socket->address) &&
           socket_has_protocol(socket->fd, socket->is_stream) && !socket_is_connected(socket->fd);
}

void inherited_name(const struct inherited_socket *socket, char *name_out)
{
    char place[ADDRESS_TEXT_SIZE];
    (void)address_format(&socket->address, place, sizeof place);
    for (char *colon = strchr(place, ':'); colon != NULL; colon = strchr(colon, ':')) {
        *colon = '_';
    }
    (void)snprintf(name_out, INHERITED_NAME_SIZE, "%s-%u-%s", socket->is_stream ? "tcp" : "udp",
        socket->index, place);
}

/* Whether the name is one that we give; then also its index. */
static bool name_read(const char *name, unsigned *index_out)
{
    uint64_t index;
    if (strncmp(name, "udp-", 4) != 0 && strncmp(name, "tcp-", 4) != 0) {
        return false;
    }
    size_t len = strcspn(name + 4, "-");
    bool is_read = name[4 + len] == '-' && text_parse_u64(name + 4, len, INDEX_MAX, &index);
    *index_out = is_read ? (unsigned)index : 0;
    return is_read;
}

/* The same socket may come twice: from a socket unit and, by an older process, from the store. */
static bool inherited_has(const struct inherited *inherited, int fd)
{
    uint64_t cookie = 0;
    socklen_t len = sizeof cookie;
    bool is_known = getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0;
    for (size_t i = 0; is_known && i < inherited->count; i++) {
        uint64_t other = 0;
        len = sizeof other;
        if (getsockopt(inherited->sockets[i].fd, SOL_SOCKET, SO_COOKIE, &other, &len) == 0 &&
            other == cookie) {
            return true;
        }
    }
    return false;
}

/* NULL: it may stay. */
static const char *inherited_refuse(
    const struct inherited *inherited, struct inherited_socket *socket, const char *name)
{
    char own_name[INHERITED_NAME_SIZE];
    if (inherited->count == INHERITED_MAX) {
        return "there are too many";
    }
    if (!socket_describe(socket)) {
        return "it is no listening socket of ours";
    }
    inherited_name(socket, own_name);
    if (socket->is_stored && strcmp(own_name, name) != 0) {
        return "it is not what its name says";
    }
    if (inherited_has(inherited, socket->fd)) {
        return "it came twice";
    }
    return NULL;
}

static void name_show(const char *name, char *shown_out)
{
    size_t len = 0;
    for (; len < INHERITED_NAME_SIZE - 1 && name[len] != '\0'; len++) {
        bool is_plain = name[len] > ' ' && name[len] <= '~' && name[len] != '"';
        shown_out[len] = name[len];
        if (!is_plain) {
            shown_out[len] = '?';
        }
    }
    shown_out[len] = '\0';
}

static void inherited_add(struct inherited *inherited, int fd, const char *name)
{
    struct inherited_socket socket = {.fd = fd};
    char shown[INHERITED_NAME_SIZE];
    socket.is_stored = name_read(name, &socket.index);
    name_show(name, shown);
    const char *reason = inherited_refuse(inherited, &socket, name);
    if (reason != NULL) {
        log_event(&event_descriptor_closed, "name=\"%s\" why=\"%s\"", shown, reason);
        notify_forget(inherited->notify, shown);
        (void)close(fd);
        return;
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    inherited->sockets[inherited->count++] = socket;
}

bool inherited_init(struct inherited *inherited, const struct notify *notify)
{
    *inherited = (struct inherited){.notify = notify};
    size_t count = environment_count();
    const char *names = getenv("LISTEN_FDNAMES");
    const char *rest = names == NULL ? "" : names;
    if (count > 0) {
        inherited->sockets = calloc(INHERITED_MAX, sizeof *inherited->sockets);
    }
    bool is_well = count == 0 || inherited->sockets != NULL;
    for (size_t i = 0; is_well && i < count; i++) {
        char name[INHERITED_NAME_SIZE];
        names_next(&rest, name);
        inherited_add(inherited, FD_FIRST + (int)i, name);
    }
    (void)unsetenv("LISTEN_FDNAMES");
    return is_well;
}

void inherited_fini(struct inherited *inherited)
{
    for (size_t i = 0; i < inherited->count; i++) {
        const struct inherited_socket *socket = &inherited->sockets[i];
        char name[INHERITED_NAME_SIZE];
        if (socket->fd < 0) {
            continue;
        }
        inherited_name(socket, name);
        log_event(&event_socket_closed, "name=\"%s\"", name);
        if (socket->is_stored) {
            notify_forget(inherited->notify, name);
        }
        (void)close(socket->fd);
    }
    free(inherited->sockets);
    *inherited = (struct inherited){.count = 0};
}

struct inherited_socket *inherited_find(
    const struct inherited *inherited, const struct address *address, bool is_stream)
{
    struct inherited_socket *found = NULL;
    for (size_t i = 0; i < inherited->count; i++) {
        struct inherited_socket *socket = &inherited->sockets[i];
        if (socket->fd >= 0 && socket->is_stream == is_stream &&
            address_equal(&socket->address, address) &&
            (found == NULL || socket->index < found->index)) {
            found = socket;
        }
    }
    return found;
}
