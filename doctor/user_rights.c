/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/user_rights.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "doctor/host.h"

#define FIELDS_MAX 7
#define MAY_WRITE  2u
#define MAY_SEARCH 1u

/* A line of passwd(5) or group(5). */
struct fields {
    const char *at[FIELDS_MAX];
    size_t len[FIELDS_MAX];
    size_t count;
};

static void fields_split(struct fields *fields, const char *line, size_t len)
{
    fields->count = 0;
    for (size_t at = 0; at <= len && fields->count < FIELDS_MAX; at++) {
        size_t field_len = 0;
        while (at + field_len < len && line[at + field_len] != ':') {
            field_len++;
        }
        fields->at[fields->count] = line + at;
        fields->len[fields->count++] = field_len;
        at += field_len;
    }
}

static bool field_is(const struct fields *fields, size_t index, const char *text)
{
    return fields->len[index] == strlen(text) &&
           memcmp(fields->at[index], text, fields->len[index]) == 0;
}

static bool field_number(const struct fields *fields, size_t index, uint32_t *number_out)
{
    uint64_t number;
    bool is_number = text_parse_u64(fields->at[index], fields->len[index], UINT32_MAX - 1, &number);
    *number_out = is_number ? (uint32_t)number : 0;
    return is_number;
}

static void group_add(struct user_rights *rights, gid_t group)
{
    if (rights->group_count < USER_RIGHTS_GROUPS_MAX) {
        rights->groups[rights->group_count++] = group;
    }
}

/* name:x:UID:GID:... */
static void take_user(struct user_rights *rights, const struct fields *fields, const char *name)
{
    uint32_t uid;
    uint32_t gid;
    if (!rights->is_known && fields->count > 3 && field_is(fields, 0, name) &&
        field_number(fields, 2, &uid) && field_number(fields, 3, &gid)) {
        rights->is_known = true;
        rights->uid = uid;
        group_add(rights, gid);
    }
}

/* name:x:GID:user,user */
static void take_group(struct user_rights *rights, const struct fields *fields, const char *name)
{
    uint32_t gid;
    if (fields->count < 4 || !field_number(fields, 2, &gid)) {
        return;
    }
    struct fields member = {.count = 1};
    for (size_t at = 0; at < fields->len[3]; at += member.len[0] + 1) {
        member.at[0] = fields->at[3] + at;
        member.len[0] = strcspn(member.at[0], ",:\n");
        if (field_is(&member, 0, name)) {
            group_add(rights, gid);
        }
    }
}

typedef void fields_take(struct user_rights *rights, const struct fields *fields, const char *name);

static bool file_take(struct user_rights *rights, const struct host *host, const char *path,
    fields_take *take, const char *name)
{
    struct host_file file;
    bool is_read = host_read(host, path, HOST_FILE_MAX, &file) == HOST_READ && !file.is_cut;
    for (const char *at = is_read ? file.bytes : ""; *at != '\0';) {
        struct fields fields;
        size_t len = strcspn(at, "\n");
        fields_split(&fields, at, len);
        take(rights, &fields, name);
        at += len + (at[len] != '\0');
    }
    host_file_fini(&file);
    return is_read;
}

void user_rights_find(struct user_rights *rights, const struct host *host, const char *name)
{
    *rights = (struct user_rights){.is_known = false};
    bool is_read = file_take(rights, host, "/etc/passwd", take_user, name);
    /* With half of what is needed one would be wrong about every group. */
    rights->is_known &= is_read && file_take(rights, host, "/etc/group", take_group, name);
}

static bool is_allowed(const struct user_rights *rights, const struct stat *stat, unsigned wanted)
{
    unsigned mode = (unsigned)stat->st_mode;
    if (rights->uid == stat->st_uid) {
        return (mode >> 6 & wanted) == wanted;
    }
    for (size_t i = 0; i < rights->group_count; i++) {
        if (rights->groups[i] == stat->st_gid) {
            return (mode >> 3 & wanted) == wanted;
        }
    }
    return (mode & wanted) == wanted;
}

bool user_rights_reach(const struct user_rights *rights, const struct host *host, const char *path,
    char *stopped_by_out, size_t size)
{
    if (!rights->is_known || rights->uid == 0) {
        return true;
    }
    for (size_t len = 1; path[0] == '/' && path[len - 1] != '\0'; len++) {
        bool is_end = path[len] == '\0';
        struct stat stat;
        if ((path[len] != '/' && !is_end) || path[len - 1] == '/') {
            continue;
        }
        (void)snprintf(stopped_by_out, size, "%.*s", (int)len, path);
        if (host_stat(host, stopped_by_out, true, &stat) != HOST_READ) {
            return true;
        }
        if (!is_allowed(rights, &stat, is_end ? MAY_WRITE : MAY_SEARCH)) {
            return false;
        }
    }
    return true;
}
