/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

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

/* False: nothing can be opened now, so what has changed could not be read either. */
static bool file_mark_read(const char *path, struct file_mark *now_out)
{
    struct stat stat_now;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
        return false;
    }
    *now_out = (struct file_mark){.is_set = true};
    if (fd >= 0 && fstat(fd, &stat_now) == 0) {
        now_out->device = stat_now.st_dev;
        now_out->inode = stat_now.st_ino;
        now_out->size = stat_now.st_size;
        now_out->changed_at = stat_now.st_mtim;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return true;
}

bool file_mark_look(struct file_mark *mark, const char *path)
{
    struct file_mark now;
    if (!file_mark_read(path, &now)) {
        return false;
    }
    bool has_changed = mark->is_set && (now.device != mark->device || now.inode != mark->inode ||
                                           now.size != mark->size ||
                                           now.changed_at.tv_sec != mark->changed_at.tv_sec ||
                                           now.changed_at.tv_nsec != mark->changed_at.tv_nsec);
    *mark = now;
    return has_changed;
}
