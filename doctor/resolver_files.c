/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/resolver_files.h"

#include <stdio.h>
#include <string.h>

typedef void resolver_parse(const char *bytes, size_t len, struct resolv_conf *out);

#define PORT_DNS 53

/* The addresses of a list that is separated by any of blank , ; and the end of the line. */
static void servers_read(const char *at, const char *end, struct resolv_conf *out)
{
    static const char separators[] = " \t,;\r\n";
    resolv_conf_parse("", 0, out);
    while (at < end) {
        const char *start = at;
        while (at < end && *at != '\0' && strchr(separators, *at) == NULL) {
            at++;
        }
        size_t len = (size_t)(at - start);
        struct address address;
        if (len > 0 && memchr(start, '@', len) == NULL &&
            address_parse(start, len, PORT_DNS, &address) &&
            out->server_count < RESOLV_CONF_SERVERS_MAX) {
            out->servers[out->server_count++] = address;
        }
        at++;
    }
}

/* Calls for each line that begins with `keyword`, blanks in front of it left out, so that the last
 * one counts. */
static void lines_read(const char *bytes, size_t len, const char *keyword, struct resolv_conf *out)
{
    size_t keyword_len = strlen(keyword);
    const char *end = bytes + len;
    resolv_conf_parse("", 0, out);
    for (const char *at = bytes; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline == NULL ? end : newline;
        while (at < line_end && (*at == ' ' || *at == '\t')) {
            at++;
        }
        if ((size_t)(line_end - at) > keyword_len && memcmp(at, keyword, keyword_len) == 0) {
            servers_read(at + keyword_len, line_end, out);
        }
        at = line_end + 1;
    }
}

void resolver_lease_parse(const char *bytes, size_t len, struct resolv_conf *out)
{
    lines_read(bytes, len, "option domain-name-servers", out);
}

void resolver_networkd_parse(const char *bytes, size_t len, struct resolv_conf *out)
{
    lines_read(bytes, len, "DNS=", out);
}

static void files_add(struct resolver_files *files, const struct host *host,
    enum resolver_file_kind kind, const char *path, resolver_parse *parse)
{
    if (files->count == RESOLVER_FILES_MAX) {
        files->dropped++;
        return;
    }
    struct resolver_file *file = &files->files[files->count];
    struct host_file content;
    memset(file, 0, sizeof *file);
    file->kind = kind;
    int len = snprintf(file->path, sizeof file->path, "%s", path);
    if (len < 0 || (size_t)len >= sizeof file->path) {
        files->dropped++;
        return;
    }
    file->verdict = host_read_tail(host, path, RESOLVER_FILE_SIZE_MAX, &content);
    if (file->verdict == HOST_ABSENT && kind != RESOLVER_FILE_LIBC) {
        host_file_fini(&content);
        return;
    }
    parse(content.bytes == NULL ? "" : content.bytes, content.len, &file->conf);
    file->is_empty = content.len == 0;
    file->modified_s = (long)content.stat.st_mtime;
    files->count++;
    host_file_fini(&content);
}

static bool name_ends(const char *name, const char *ending)
{
    size_t len = strlen(name);
    size_t ending_len = strlen(ending);
    return len >= ending_len && strcmp(name + len - ending_len, ending) == 0;
}

/* A directory whose files are all of one kind. */
struct resolver_folder {
    enum resolver_file_kind kind;
    const char *path;
    const char *prefix; /* Of the names that count. */
    const char *ending;
    resolver_parse *parse;
};

static void folder_add(
    struct resolver_files *files, const struct host *host, const struct resolver_folder *folder)
{
    struct host_names names;
    if (host_list(host, folder->path, &names) != HOST_READ) {
        host_names_fini(&names);
        return;
    }
    for (size_t i = 0; i < names.count; i++) {
        char path[HOST_PATH_SIZE];
        (void)snprintf(path, sizeof path, "%s/%s", folder->path, names.names[i]);
        if (strncmp(names.names[i], folder->prefix, strlen(folder->prefix)) == 0 &&
            name_ends(names.names[i], folder->ending)) {
            files_add(files, host, folder->kind, path, folder->parse);
        }
    }
    host_names_fini(&names);
}

void resolver_files_read(struct resolver_files *files, const struct host *host)
{
    static const struct resolver_folder folders[] = {
        {RESOLVER_FILE_RESOLVCONF, "/run/resolvconf/interface", "", "", resolv_conf_parse},
        {RESOLVER_FILE_RESOLVCONF, "/run/resolvconf/interfaces", "", "", resolv_conf_parse},
        {RESOLVER_FILE_NETWORKD, "/run/systemd/netif/leases", "", "", resolver_networkd_parse},
        {RESOLVER_FILE_DHCLIENT, "/var/lib/dhcp", "dhclient", ".leases", resolver_lease_parse},
        {RESOLVER_FILE_DHCLIENT, "/var/lib/dhclient", "dhclient", ".lease", resolver_lease_parse},
        {RESOLVER_FILE_DHCLIENT, "/var/lib/dhclient", "dhclient", ".leases", resolver_lease_parse},
        {RESOLVER_FILE_DHCLIENT, "/var/lib/NetworkManager", "dhclient", ".lease",
            resolver_lease_parse},
    };
    files->count = 0;
    files->dropped = 0;
    files_add(files, host, RESOLVER_FILE_LIBC, "/etc/resolv.conf", resolv_conf_parse);
    files_add(
        files, host, RESOLVER_FILE_RESOLVED, "/run/systemd/resolve/resolv.conf", resolv_conf_parse);
    files_add(files, host, RESOLVER_FILE_NETWORK_MANAGER, "/run/NetworkManager/no-stub-resolv.conf",
        resolv_conf_parse);
    files_add(files, host, RESOLVER_FILE_NETWORK_MANAGER, "/run/NetworkManager/resolv.conf",
        resolv_conf_parse);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        folder_add(files, host, &folders[i]);
    }
}

const struct resolver_file *resolver_files_find(
    const struct resolver_files *files, enum resolver_file_kind kind)
{
    for (size_t i = 0; i < files->count; i++) {
        if (files->files[i].kind == kind && files->files[i].verdict == HOST_READ) {
            return &files->files[i];
        }
    }
    return NULL;
}

static size_t upstreams_add(const struct resolver_file *file, size_t count,
    struct resolver_upstream upstreams[RESOLVER_UPSTREAMS_MAX])
{
    for (size_t i = 0; i < file->conf.server_count; i++) {
        const struct address *server = &file->conf.servers[i];
        bool is_wanted = !address_is_loopback(server) && !address_is_any(server) &&
                         !address_lacks_scope(server) && count < RESOLVER_UPSTREAMS_MAX;
        for (size_t other = 0; is_wanted && other < count; other++) {
            is_wanted = !address_equal(&upstreams[other].address, server);
        }
        if (is_wanted) {
            upstreams[count++] = (struct resolver_upstream){.address = *server, .file = file};
        }
    }
    return count;
}

size_t resolver_files_upstreams(const struct resolver_files *files,
    struct resolver_upstream upstreams_out[RESOLVER_UPSTREAMS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < files->count; i++) {
        bool is_next_kind = i > 0 && files->files[i].kind != files->files[i - 1].kind;
        if (is_next_kind && count > 0) {
            return count;
        }
        count = upstreams_add(&files->files[i], count, upstreams_out);
    }
    return count;
}
