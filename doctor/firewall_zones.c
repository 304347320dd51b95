/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "doctor/config_lines.h"
#include "doctor/firewall.h"
#include "doctor/host.h"

#define ZONES_FOLDER "/etc/firewalld/zones"
#define ZONE_MAX     ((size_t)256 * 1024)

struct service_name {
    const char *name;
    uint16_t port;
};

/* firewalld's names of services. */
static const struct service_name service_names[] = {
    {"\"smtp\"", 25},
    {"\"smtp-submission\"", 587},
    {"\"smtps\"", 465},
};

/* <port protocol="tcp" port="20-30"/>, the attributes in any order. */
static bool port_element_has(const char *element, size_t len, uint16_t port)
{
    char text[256];
    (void)snprintf(text, sizeof text, "%.*s", (int)(len < sizeof text ? len : 0), element);
    const char *value = strstr(text, " port=\"");
    if (value == NULL || strstr(text, "protocol=\"tcp\"") == NULL) {
        return false;
    }
    value += strlen(" port=\"");
    return firewall_list_has(value, strcspn(value, "\""), port);
}

static bool service_element_has(const char *element, size_t len, uint16_t port)
{
    for (size_t i = 0; i < sizeof service_names / sizeof service_names[0]; i++) {
        if (service_names[i].port == port &&
            memmem(element, len, service_names[i].name, strlen(service_names[i].name)) != NULL) {
            return true;
        }
    }
    return false;
}

/* Elements are short and flat, so they are found by their brackets. */
static bool zone_opens(const char *text, uint16_t port)
{
    for (const char *at = text; (at = strchr(at, '<')) != NULL; at++) {
        size_t len = strcspn(at, ">");
        if ((strncmp(at, "<zone", 5) == 0 && memmem(at, len, "\"ACCEPT\"", 8) != NULL) ||
            (strncmp(at, "<service", 8) == 0 && service_element_has(at, len, port)) ||
            (strncmp(at, "<port", 5) == 0 && port_element_has(at, len, port)) ||
            (strncmp(at, "<forward-port", 13) == 0 && port_element_has(at, len, port))) {
            return true;
        }
    }
    return false;
}

/* A zone counts when it is the default one, or has interfaces or sources of its own. */
static bool zone_counts(const char *text)
{
    return strstr(text, "<interface") != NULL;
}

static void zone_look(const struct host *host, const char *path, bool is_default, uint16_t port,
    struct firewall_view *view)
{
    struct host_file file;
    enum host_verdict verdict = host_read(host, path, ZONE_MAX, &file);
    if (verdict == HOST_DENIED) {
        firewall_set(view, FIREWALL_UNKNOWN, "%s", path);
    } else if (verdict == HOST_READ && view->verdict != FIREWALL_OPEN &&
               (is_default || zone_counts(file.bytes))) {
        firewall_set(view, zone_opens(file.bytes, port) ? FIREWALL_OPEN : FIREWALL_CLOSED,
            "the zone in %s does not allow it", path);
    }
    host_file_fini(&file);
}

void firewall_zones_look(const struct host *host, uint16_t port, struct firewall_view *view_out)
{
    const struct config_place place = {.path = "/etc/firewalld/firewalld.conf", .separators = "="};
    struct config_found found = {.value = "public"};
    char path[HOST_PATH_SIZE];
    struct host_names names;
    struct stat stat;
    firewall_set(view_out, FIREWALL_ABSENT, "%s", "");
    if (!firewall_unit_is_enabled(host, "firewalld.service")) {
        return;
    }
    if (!config_value(host, &place, 1, "DefaultZone", &found)) {
        (void)snprintf(found.value, sizeof found.value, "public");
    }
    (void)snprintf(path, sizeof path, ZONES_FOLDER "/%.200s.xml", found.value);
    if (host_stat(host, path, true, &stat) == HOST_ABSENT) {
        (void)snprintf(path, sizeof path, "/usr/lib/firewalld/zones/%.200s.xml", found.value);
    }
    zone_look(host, path, true, port, view_out);
    if (host_list(host, ZONES_FOLDER, &names) == HOST_READ) {
        for (size_t i = 0; i < names.count && view_out->verdict != FIREWALL_OPEN; i++) {
            (void)snprintf(path, sizeof path, ZONES_FOLDER "/%.200s", names.names[i]);
            zone_look(host, path, false, port, view_out);
        }
    }
    host_names_fini(&names);
    if (view_out->verdict == FIREWALL_ABSENT) {
        firewall_set(view_out, FIREWALL_UNKNOWN, "%s", path);
    }
}
