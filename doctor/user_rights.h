/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * What a user of the host may reach, by the modes of files: root, who runs the doctor, may reach
 * everything, and finds a socket well that Postfix is kept from. Users and groups are those of
 * /etc/passwd and /etc/group; access control lists are not looked at. Main thread.
 */
struct host;

#define USER_RIGHTS_GROUPS_MAX 64

struct user_rights {
    bool is_known;
    uid_t uid;
    gid_t groups[USER_RIGHTS_GROUPS_MAX]; /* The first is the user's own. */
    size_t group_count;
};

void user_rights_find(struct user_rights *rights, const struct host *host, const char *name);

/* May the user connect to the socket at that absolute path? False: by the mode of what is at
 * `stopped_by_out`, the path or a folder above it, it may not. What is not known is allowed. */
bool user_rights_reach(const struct user_rights *rights, const struct host *host, const char *path,
    char *stopped_by_out, size_t size);
