/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/reload.h"

#include <stddef.h>
#include <string.h>

#include "conf/settings.h"

bool reload_has_servers(const struct settings *settings)
{
    for (size_t i = 0; i < settings->group_count; i++) {
        if (settings->groups[i].server_count > 0) {
            return true;
        }
    }
    return false;
}

bool reload_has_same_servers(const struct settings *a, const struct settings *b)
{
    const struct settings_group *left = &a->groups[0];
    const struct settings_group *right = &b->groups[0];
    if (left->server_count != right->server_count) {
        return false;
    }
    for (size_t i = 0; i < left->server_count; i++) {
        if (!settings_server_equal(&left->servers[i], &right->servers[i])) {
            return false;
        }
    }
    return true;
}

bool file_mark_look(struct file_mark *mark, const char *path)
{
    struct stat stat_now;
    struct file_mark now = {.is_set = true};
    if (stat(path, &stat_now) == 0) {
        now.device = stat_now.st_dev;
        now.inode = stat_now.st_ino;
        now.size = stat_now.st_size;
        now.changed_at = stat_now.st_mtim;
    }
    bool has_changed = mark->is_set && (now.device != mark->device || now.inode != mark->inode ||
                                           now.size != mark->size ||
                                           now.changed_at.tv_sec != mark->changed_at.tv_sec ||
                                           now.changed_at.tv_nsec != mark->changed_at.tv_nsec);
    *mark = now;
    return has_changed;
}
