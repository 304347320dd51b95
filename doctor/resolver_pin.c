/* SPDX-License-Identifier: BSD-2-Clause */
/* How each program that writes /etc/resolv.conf is found to have been told to leave it alone. */
#include <stdio.h>
#include <string.h>

#include "doctor/config_lines.h"
#include "doctor/resolver_owner.h"

#define PLACES(places) places, sizeof places / sizeof places[0]

static bool value_is(const char *value, const char *first, const char *second)
{
    return strcmp(value, first) == 0 || strcmp(value, second) == 0;
}

static bool network_manager_is_pinned(const struct host *host, struct config_found *found)
{
    static const struct config_place places[] = {
        {"/usr/lib/NetworkManager/conf.d", ".conf", "=", "main"},
        {"/run/NetworkManager/conf.d", ".conf", "=", "main"},
        {"/etc/NetworkManager/NetworkManager.conf", NULL, "=", "main"},
        {"/etc/NetworkManager/conf.d", ".conf", "=", "main"},
    };
    return (config_value(host, PLACES(places), "rc-manager", found) &&
               strcmp(found->value, "unmanaged") == 0) ||
           (config_value(host, PLACES(places), "dns", found) && strcmp(found->value, "none") == 0);
}

static bool openresolv_is_pinned(const struct host *host, struct config_found *found)
{
    static const struct config_place place[] = {{"/etc/resolvconf.conf", NULL, "=", NULL}};
    return (config_value(host, place, 1, "name_servers", found) &&
               (strncmp(found->value, "127.", 4) == 0 || strncmp(found->value, "::1", 3) == 0)) ||
           (config_value(host, place, 1, "resolvconf", found) &&
               value_is(found->value, "NO", "no"));
}

/* Behind one of these lines stands what counts for an interface or a network alone. */
static bool dhcpcd_opens_block(const char *line)
{
    static const char *const words[] = {"interface", "ssid", "profile"};
    char value[CONFIG_LINE_MAX];
    bool opens = false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        opens |= config_line_value(line, words[i], " ", value, sizeof value);
    }
    return opens;
}

/* Each `nohook` adds to those before it. */
static bool dhcpcd_is_pinned(const struct host *host, struct config_found *found)
{
    static const char path[] = "/etc/dhcpcd.conf";
    struct host_file file;
    bool is_found = false;
    if (host_read(host, path, HOST_FILE_MAX, &file) == HOST_READ) {
        struct config_lines lines;
        config_lines_init(&lines, file.bytes);
        while (!is_found && config_lines_next(&lines) && !dhcpcd_opens_block(lines.line)) {
            is_found =
                config_line_value(lines.line, "nohook", " ", found->value, sizeof found->value) &&
                strstr(found->value, "resolv.conf") != NULL;
        }
    }
    (void)snprintf(found->path, sizeof found->path, "%s", path);
    host_file_fini(&file);
    return is_found;
}

/* A hook that puts an empty function in place of the one that writes. Those that the packages of
 * resolvconf and openresolv bring define it as well, but to hand over. */
static bool dhclient_has_hook(const struct host *host, struct config_found *found)
{
    static const char folder[] = "/etc/dhcp/dhclient-enter-hooks.d";
    struct host_names names;
    bool is_found = false;
    (void)host_list(host, folder, &names);
    for (size_t i = 0; i < names.count && !is_found; i++) {
        struct host_file file;
        (void)snprintf(found->path, sizeof found->path, "%s/%s", folder, names.names[i]);
        is_found = strcmp(names.names[i], "resolvconf") != 0 &&
                   host_read(host, found->path, HOST_FILE_MAX, &file) == HOST_READ &&
                   strstr(file.bytes, "make_resolv_conf") != NULL;
        if (strcmp(names.names[i], "resolvconf") != 0) {
            host_file_fini(&file);
        }
    }
    host_names_fini(&names);
    return is_found;
}

static bool dhclient_is_pinned(const struct host *host, struct config_found *found)
{
    static const struct config_place place[] = {{"/etc/dhcp/dhclient.conf", NULL, " ", NULL}};
    return dhclient_has_hook(host, found) ||
           (config_value(host, place, 1, "supersede domain-name-servers", found) &&
               (strncmp(found->value, "127.", 4) == 0 || strncmp(found->value, "::1", 3) == 0));
}

static bool netconfig_is_pinned(const struct host *host, struct config_found *found)
{
    static const struct config_place place[] = {{"/etc/sysconfig/network/config", NULL, "=", NULL}};
    return config_value(host, place, 1, "NETCONFIG_DNS_POLICY", found) && found->value[0] == '\0';
}

static bool cloud_init_is_pinned(const struct host *host, struct config_found *found)
{
    static const struct config_place places[] = {
        {"/etc/cloud/cloud.cfg", NULL, ":", NULL},
        {"/etc/cloud/cloud.cfg.d", ".cfg", ":", NULL},
    };
    return config_value(host, PLACES(places), "manage_resolv_conf", found) &&
           value_is(found->value, "false", "False");
}

static bool wsl_is_pinned(const struct host *host, struct config_found *found)
{
    static const struct config_place place[] = {{"/etc/wsl.conf", NULL, "=", "network"}};
    return config_value(host, place, 1, "generateResolvConf", found) &&
           value_is(found->value, "false", "False");
}

typedef bool owner_is_pinned(const struct host *host, struct config_found *found);

static owner_is_pinned *const owner_pins[RESOLVER_OWNERS] = {
    [RESOLVER_OWNER_NETWORK_MANAGER] = network_manager_is_pinned,
    [RESOLVER_OWNER_OPENRESOLV] = openresolv_is_pinned,
    [RESOLVER_OWNER_DHCPCD] = dhcpcd_is_pinned,
    [RESOLVER_OWNER_DHCLIENT] = dhclient_is_pinned,
    [RESOLVER_OWNER_NETCONFIG] = netconfig_is_pinned,
    [RESOLVER_OWNER_CLOUD_INIT] = cloud_init_is_pinned,
    [RESOLVER_OWNER_WSL] = wsl_is_pinned,
};

bool resolver_owner_is_pinned(
    enum resolver_owner_id id, const struct host *host, char *where_out, size_t size)
{
    struct config_found found;
    where_out[0] = '\0';
    if (id == RESOLVER_OWNER_NOBODY || id == RESOLVER_OWNER_MXCACHE) {
        return true;
    }
    if (owner_pins[id] == NULL || !owner_pins[id](host, &found)) {
        return false;
    }
    (void)snprintf(where_out, size, "%s", found.path);
    return true;
}
