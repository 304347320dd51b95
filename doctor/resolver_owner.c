/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/resolver_owner.h"

#include <stdio.h>
#include <string.h>

#include "doctor/config_lines.h"
#include "doctor/processes.h"

#define HEAD_SIZE        4096
#define MOUNTS_SIZE_MAX  (1024 * 1024)
#define MOUNT_POINT_WORD 5

static const struct resolver_owner_row owner_rows[RESOLVER_OWNERS] = {
    [RESOLVER_OWNER_NOBODY] = {"nobody", "", "", "", "", "", ""},
#define OWNER(id, ...) [RESOLVER_OWNER_##id] = {__VA_ARGS__},
#include "doctor/resolver_owners.def"
#undef OWNER
};

const struct resolver_owner_row *resolver_owner_row(enum resolver_owner_id id)
{
    return &owner_rows[id];
}

static bool text_ends(const char *text, const char *ending)
{
    size_t len = strlen(text);
    size_t ending_len = strlen(ending);
    return ending_len > 0 && len >= ending_len && strcmp(text + len - ending_len, ending) == 0;
}

/* Whose file does the symlink lead to? */
static enum resolver_owner_id owner_of_link(const char *target)
{
    for (int i = 0; i < (int)RESOLVER_OWNERS; i++) {
        if (text_ends(target, owner_rows[i].link)) {
            return (enum resolver_owner_id)i;
        }
    }
    return RESOLVER_OWNER_NOBODY;
}

/* Whose mark stands in the line? */
static enum resolver_owner_id owner_of_comment(const char *line, size_t len)
{
    for (int i = 0; i < (int)RESOLVER_OWNERS; i++) {
        const char *mark = owner_rows[i].mark;
        if (mark[0] != '\0' && memmem(line, len, mark, strlen(mark)) != NULL) {
            return (enum resolver_owner_id)i;
        }
    }
    return RESOLVER_OWNER_NOBODY;
}

/* Only the comments in front of the first other line count. */
static enum resolver_owner_id owner_of_head(const struct host *host)
{
    struct host_file file;
    enum resolver_owner_id id = RESOLVER_OWNER_NOBODY;
    if (host_read(host, RESOLV_CONF_PATH, HEAD_SIZE, &file) == HOST_READ) {
        const char *at = file.bytes;
        while (id == RESOLVER_OWNER_NOBODY && (*at == '#' || *at == ';' || *at == '\n')) {
            size_t len = strcspn(at, "\n");
            id = owner_of_comment(at, len);
            at += len + (at[len] == '\n');
        }
    }
    host_file_fini(&file);
    return id;
}

/* dhclient as a child of NetworkManager asks for it, and writes nothing itself. */
static bool dhclient_is_running(const struct processes *processes)
{
    for (size_t i = 0; i < processes->count; i++) {
        const struct process *process = &processes->items[i];
        if (strcmp(process->name, "dhclient") == 0) {
            const struct process *parent = processes_find_pid(processes, process->parent_pid);
            if (parent == NULL || strncmp(parent->name, "NetworkManager", 14) != 0) {
                return true;
            }
        }
    }
    return false;
}

/* Would that program, which is running, write a regular file? */
static bool owner_is_running(enum resolver_owner_id id, const struct processes *processes)
{
    if (id == RESOLVER_OWNER_DHCLIENT) {
        return dhclient_is_running(processes);
    }
    if (id == RESOLVER_OWNER_NETWORK_MANAGER) {
        return processes_find(processes, "NetworkManager") != NULL;
    }
    return id == RESOLVER_OWNER_DHCPCD && processes_find(processes, "dhcpcd") != NULL;
}

/* dhclient and dhcpcd hand what they learn to resolvconf, where there is one. */
static bool owner_hands_over(enum resolver_owner_id id, enum resolver_owner_id owner)
{
    bool is_lease = id == RESOLVER_OWNER_DHCLIENT || id == RESOLVER_OWNER_DHCPCD;
    return is_lease &&
           (owner == RESOLVER_OWNER_OPENRESOLV || owner == RESOLVER_OWNER_NETWORK_MANAGER);
}

/* Programs that run and write a regular file, whoever's mark it bears. */
static void owner_find_running(
    struct resolver_owner *owner, const struct host *host, const struct processes *processes)
{
    static const enum resolver_owner_id ids[] = {
        RESOLVER_OWNER_NETWORK_MANAGER,
        RESOLVER_OWNER_DHCLIENT,
        RESOLVER_OWNER_DHCPCD,
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char where[HOST_PATH_SIZE];
        if (ids[i] == owner->id || !owner_is_running(ids[i], processes) ||
            owner_hands_over(ids[i], owner->id)) {
            continue;
        }
        if (resolver_owner_is_pinned(ids[i], host, where, sizeof where)) {
            if (owner->id == RESOLVER_OWNER_NOBODY) {
                memcpy(owner->pinned_by, where, sizeof where);
            }
        } else if (owner->id == RESOLVER_OWNER_NOBODY) {
            owner->id = ids[i];
            owner->proof = RESOLVER_PROOF_RUNNING;
        } else {
            owner->rivals[owner->rival_count++] = ids[i];
        }
    }
}

/* Is the fifth word of this line of mountinfo, the mount point, that path (proc_pid_mountinfo(5))?
 */
static bool mount_is_at(const char *line, const char *path)
{
    for (unsigned word = 1; word < MOUNT_POINT_WORD; word++) {
        line += strcspn(line, " \n");
        line += *line == ' ';
    }
    size_t len = strcspn(line, " \n");
    return len == strlen(path) && memcmp(line, path, len) == 0;
}

/* Device numbers would not do: on an overlay a file's differs from its folder's. */
static bool owner_is_mount(const struct host *host)
{
    struct host_file file;
    bool is_mount = false;
    (void)host_read(host, "/proc/self/mountinfo", MOUNTS_SIZE_MAX, &file);
    for (const char *line = file.bytes; line != NULL && *line != '\0' && !is_mount;) {
        is_mount = mount_is_at(line, RESOLV_CONF_PATH);
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    host_file_fini(&file);
    return is_mount;
}

static void owner_find_of_file(
    struct resolver_owner *owner, const struct host *host, const struct processes *processes)
{
    owner->is_mount = owner_is_mount(host);
    if (owner->is_mount) {
        owner->id = RESOLVER_OWNER_CONTAINER;
        owner->proof = RESOLVER_PROOF_LINK;
        return;
    }
    owner->id = owner_of_head(host);
    owner->proof = owner->id == RESOLVER_OWNER_NOBODY ? RESOLVER_PROOF_NONE : RESOLVER_PROOF_MARK;
    owner_find_running(owner, host, processes);
}

void resolver_owner_find(
    struct resolver_owner *owner, const struct host *host, const struct processes *processes)
{
    struct stat stat;
    memset(owner, 0, sizeof *owner);
    owner->verdict = host_stat(host, RESOLV_CONF_PATH, true, &stat);
    owner->is_link = host_link(host, RESOLV_CONF_PATH, owner->target, sizeof owner->target);
    owner->is_dangling = owner->is_link && owner->verdict == HOST_ABSENT;
    owner->is_immutable = host_is_immutable(host, RESOLV_CONF_PATH);
    if (owner->is_link) {
        owner->id = owner_of_link(owner->target);
        owner->proof =
            owner->id == RESOLVER_OWNER_NOBODY ? RESOLVER_PROOF_NONE : RESOLVER_PROOF_LINK;
    } else if (owner->verdict == HOST_READ) {
        owner_find_of_file(owner, host, processes);
    }
    if (owner->id == RESOLVER_OWNER_NOBODY || owner->is_immutable) {
        owner->is_pinned = true;
    } else if (!owner->is_link) {
        owner->is_pinned =
            resolver_owner_is_pinned(owner->id, host, owner->pinned_by, sizeof owner->pinned_by);
    }
}
