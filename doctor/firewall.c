/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/firewall.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "doctor/host.h"

struct port_name {
    const char *name;
    uint16_t port;
};

static const struct port_name port_names[] = {
    {"smtp", 25},
    {"mail", 25},
    {"submission", 587},
    {"smtps", 465},
    {"submissions", 465},
    {"ssmtp", 465},
    {"urd", 465},
};

void firewall_set(
    struct firewall_view *view, enum firewall_verdict verdict, const char *format, ...)
{
    va_list arguments;
    view->verdict = verdict;
    va_start(arguments, format);
    (void)vsnprintf(view->reason, sizeof view->reason, format, arguments);
    va_end(arguments);
}

static bool name_is_port(const char *name, size_t len, uint16_t port)
{
    for (size_t i = 0; i < sizeof port_names / sizeof port_names[0]; i++) {
        if (port_names[i].port == port && strlen(port_names[i].name) == len &&
            memcmp(port_names[i].name, name, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool item_has(const char *item, size_t len, uint16_t port)
{
    uint64_t low;
    uint64_t high;
    size_t digits = 0;
    while (digits < len && item[digits] != ':' && item[digits] != '-') {
        digits++;
    }
    if (!text_parse_u64(item, digits, UINT16_MAX, &low)) {
        return name_is_port(item, len, port);
    }
    if (digits == len) {
        return low == port;
    }
    return text_parse_u64(item + digits + 1, len - digits - 1, UINT16_MAX, &high) && low <= port &&
           port <= high;
}

bool firewall_list_has(const char *list, size_t len, uint16_t port)
{
    size_t at = 0;
    while (at < len) {
        size_t start = at;
        while (at < len && strchr(", \t{}", list[at]) == NULL) {
            at++;
        }
        if (at > start && item_has(list + start, at - start, port)) {
            return true;
        }
        at++;
    }
    return false;
}

bool firewall_line_has(const char *line, const char *wanted)
{
    size_t wanted_len = strlen(wanted);
    for (const char *at = line; *at != '\0';) {
        at += strspn(at, " \t");
        size_t len = strcspn(at, " \t");
        if (len == wanted_len && memcmp(at, wanted, len) == 0) {
            return true;
        }
        at += len;
    }
    return false;
}

bool firewall_unit_is_enabled(const struct host *host, const char *unit)
{
    static const char *const targets[] = {
        "sysinit.target", "multi-user.target", "basic.target", "network-pre.target"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        char path[256];
        struct stat stat;
        (void)snprintf(path, sizeof path, "/etc/systemd/system/%s.wants/%s", targets[i], unit);
        if (host_stat(host, path, false, &stat) == HOST_READ) {
            return true;
        }
    }
    return false;
}
