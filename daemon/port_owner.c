/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/port_owner.h"

#include <ctype.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"

/* Sockets with the wanted port that are looked for; more than one when several programs share it.
 */
#define INODES_MAX   8
#define TCP_LISTEN   0x0a /* State column of /proc/net/tcp. */
#define HEX_SIZE     33
#define COMMAND_SIZE 64

struct inodes {
    unsigned long items[INODES_MAX];
    size_t count;
};

/* One row of a table under /proc/net, as far as it matters. */
struct row {
    char address[HEX_SIZE];
    unsigned port;
    unsigned state;
    unsigned long inode;
};

static bool row_read(const char *line, struct row *row)
{
    return sscanf(line,
               " %*u: %32[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*u %*d %lu",
               row->address, &row->port, &row->state, &row->inode) == 4;
}

static bool hex_is_zero(const char *hex)
{
    return hex[strspn(hex, "0")] == '\0';
}

/* The kernel prints an address as words in the host's byte order. */
static void address_to_hex(const struct address *address, char hex_out[HEX_SIZE])
{
    size_t words = address->family == ADDRESS_IPV6 ? 4 : 1;
    for (size_t i = 0; i < words; i++) {
        uint32_t word;
        memcpy(&word, address->bytes + 4 * i, sizeof word);
        (void)snprintf(hex_out + 8 * i, HEX_SIZE - 8 * i, "%08X", (unsigned)word);
    }
}

/* A wildcard on either side collides with every address; so does a dual-stack one. */
static bool row_collides(const struct row *row, const struct address *address)
{
    if (row->port != address->port) {
        return false;
    }
    if (hex_is_zero(row->address) || address_is_any(address)) {
        return true;
    }
    char hex[HEX_SIZE];
    address_to_hex(address, hex);
    size_t row_len = strlen(row->address);
    size_t len = strlen(hex);
    return row_len >= len && strcmp(row->address + row_len - len, hex) == 0;
}

static void inodes_collect(
    struct inodes *inodes, const char *table, const struct address *address, bool is_stream)
{
    FILE *file = fopen(table, "re");
    if (file == NULL) {
        return;
    }
    char line[512];
    while (inodes->count < INODES_MAX && fgets(line, sizeof line, file) != NULL) {
        struct row row;
        if (row_read(line, &row) && (!is_stream || row.state == TCP_LISTEN) &&
            row_collides(&row, address)) {
            inodes->items[inodes->count++] = row.inode;
        }
    }
    (void)fclose(file);
}

static bool inodes_has(const struct inodes *inodes, const char *link)
{
    unsigned long inode;
    if (sscanf(link, "socket:[%lu]", &inode) != 1) {
        return false;
    }
    for (size_t i = 0; i < inodes->count; i++) {
        if (inodes->items[i] == inode) {
            return true;
        }
    }
    return false;
}

static bool process_has_socket(const char *pid, const struct inodes *inodes)
{
    char path[288];
    (void)snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return false;
    }
    bool has = false;
    const struct dirent *entry;
    while (!has && (entry = readdir(folder)) != NULL) {
        char link[64];
        ssize_t len = readlinkat(dirfd(folder), entry->d_name, link, sizeof link - 1);
        if (len > 0) {
            link[len] = '\0';
            has = inodes_has(inodes, link);
        }
    }
    (void)closedir(folder);
    return has;
}

static bool process_find(const struct inodes *inodes, long *pid_out)
{
    DIR *folder = opendir("/proc");
    if (folder == NULL) {
        return false;
    }
    bool is_found = false;
    const struct dirent *entry;
    while (!is_found && (entry = readdir(folder)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0]) && process_has_socket(entry->d_name, inodes)) {
            *pid_out = strtol(entry->d_name, NULL, 10);
            is_found = true;
        }
    }
    (void)closedir(folder);
    return is_found;
}

static void process_name(long pid, char name_out[COMMAND_SIZE])
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    name_out[0] = '\0';
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fgets(name_out, COMMAND_SIZE, file) == NULL) {
            name_out[0] = '\0';
        }
        (void)fclose(file);
    }
    /* A process may call itself anything; what is printed stays printable. */
    for (char *c = name_out; *c != '\0'; c++) {
        if (*c == '\n') {
            *c = '\0';
            return;
        }
        *c = isprint((unsigned char)*c) ? *c : '?';
    }
}

void port_owner_describe(const struct address *address, bool is_stream, char *text_out, size_t size)
{
    struct inodes inodes = {.count = 0};
    inodes_collect(&inodes, is_stream ? "/proc/net/tcp" : "/proc/net/udp", address, is_stream);
    inodes_collect(&inodes, is_stream ? "/proc/net/tcp6" : "/proc/net/udp6", address, is_stream);

    long pid;
    if (inodes.count == 0 || !process_find(&inodes, &pid)) {
        (void)snprintf(text_out, size, "another process%s",
            geteuid() == 0 ? " (which cannot be seen from here)" : " (not visible without root)");
        return;
    }
    if (pid == (long)getpid()) {
        (void)snprintf(text_out, size, "this very process: the address stands in `listen` twice");
        return;
    }
    char name[COMMAND_SIZE];
    process_name(pid, name);
    (void)snprintf(text_out, size, "`%s` (process %ld)", name, pid);
}
