/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/component.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "doctor/postfix_config.h"

/* The endpoint alone: the first word in braces, or all of it. */
static void take_endpoint(struct component *component, const char *endpoint)
{
    const char *start = endpoint + strspn(endpoint, "{ \t");
    size_t len = strcspn(start, ", \t}");
    len = len < sizeof component->text ? len : sizeof component->text - 1;
    memcpy(component->text, start, len);
    component->text[len] = '\0';
}

static void parse_unix(struct component *component, const char *path,
    const struct postfix_instance *instance, bool is_chrooted)
{
    bool is_absolute = path[0] == '/';
    component->kind = COMPONENT_UNIX;
    if (is_absolute && !is_chrooted) {
        (void)snprintf(component->path, sizeof component->path, "%s", path);
        return;
    }
    (void)snprintf(component->path, sizeof component->path, "%s/%s", instance->queue_directory,
        is_absolute ? path + 1 : path);
    if (is_absolute) {
        (void)snprintf(component->outside, sizeof component->outside, "%s", path);
    }
}

static void add_address(struct component *component, const char *host, size_t len, uint16_t port)
{
    struct address *address = &component->addresses[component->address_count];
    component->address_count += address_parse(host, len, port, address);
}

/* HOST:PORT, the host of IPv6 in brackets. */
static void parse_inet(struct component *component, const char *text)
{
    const char *colon = strrchr(text, ':');
    const char *host = colon == NULL ? "localhost" : text;
    size_t len = colon == NULL ? strlen(host) : (size_t)(colon - text);
    const char *digits = colon == NULL ? text : colon + 1;
    uint64_t port = 0;
    component->kind = COMPONENT_UNKNOWN;
    if (!text_parse_u64(digits, strlen(digits), UINT16_MAX, &port) || port == 0) {
        return;
    }
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len == strlen("localhost") && strncmp(host, "localhost", len) == 0) {
        add_address(component, "127.0.0.1", 9, (uint16_t)port);
        add_address(component, "::1", 3, (uint16_t)port);
    } else {
        add_address(component, host, len, (uint16_t)port);
    }
    component->kind = component->address_count > 0 ? COMPONENT_INET : COMPONENT_UNKNOWN;
}

void component_parse(struct component *component, const char *endpoint,
    const struct postfix_instance *instance, bool is_chrooted)
{
    memset(component, 0, sizeof *component);
    take_endpoint(component, endpoint);
    const char *text = component->text;
    if (strncmp(text, "unix:", 5) == 0) {
        parse_unix(component, text + 5, instance, is_chrooted);
    } else if (strncmp(text, "local:", 6) == 0) {
        parse_unix(component, text + 6, instance, is_chrooted);
    } else if (strncmp(text, "inet:", 5) == 0) {
        parse_inet(component, text + 5);
    } else if (strncmp(text, "inet6:", 6) == 0) {
        parse_inet(component, text + 6);
    } else {
        parse_inet(component, text);
    }
}

static enum component_state state_of_errno(int error)
{
    switch (error) {
    case 0:
        return COMPONENT_ALIVE;
    case ECONNREFUSED:
        return COMPONENT_REFUSED;
    case ENOENT:
    case ENOTDIR:
        return COMPONENT_ABSENT;
    case EACCES:
    case EPERM:
        return COMPONENT_DENIED;
    case EAGAIN:
    case ETIMEDOUT:
        return COMPONENT_SILENT;
    default:
        return COMPONENT_REFUSED;
    }
}

static enum component_state connect_and_wait(const struct sockaddr *to, socklen_t len)
{
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return COMPONENT_UNTRIED;
    }
    int error = connect(fd, to, len) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        struct pollfd ready = {.fd = fd, .events = POLLOUT};
        socklen_t size = sizeof error;
        if (poll(&ready, 1, COMPONENT_WAIT_MS) != 1) {
            error = ETIMEDOUT;
        } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
            error = errno;
        }
    }
    (void)close(fd);
    return state_of_errno(error);
}

/* By way of a descriptor, so that the path is resolved below the host's root, and its length does
 * not matter. */
static enum component_state try_unix(const char *path, const struct host *host)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = host_open_path(host, path);
    if (fd < 0) {
        return state_of_errno(errno);
    }
    (void)snprintf(to.sun_path, sizeof to.sun_path, "/proc/self/fd/%d", fd);
    enum component_state state = connect_and_wait((const struct sockaddr *)&to, sizeof to);
    (void)close(fd);
    return state;
}

static enum component_state try_inet(const struct address *address)
{
    struct sockaddr_storage to;
    socklen_t len = address_to_sockaddr(address, &to);
    return connect_and_wait((const struct sockaddr *)&to, len);
}

enum component_state component_try(const struct component *component, const struct host *host)
{
    if (component->kind == COMPONENT_UNIX) {
        return try_unix(component->path, host);
    }
    enum component_state state = COMPONENT_UNTRIED;
    for (size_t i = 0; i < component->address_count && state != COMPONENT_ALIVE; i++) {
        state = try_inet(&component->addresses[i]);
    }
    return state;
}
