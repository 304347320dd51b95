/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/text.h"
#include "doctor/host.h"
#include "setup/failure.h"

#define JOURNAL_FILE  JOURNAL_FOLDER "/journal"
#define PATH_SIZE     128
#define LINE_SIZE_MAX (HOST_PATH_SIZE + 128)
#define JOURNAL_SIZE  (JOURNAL_ENTRIES_MAX * LINE_SIZE_MAX)
#define KEPT_MAX      99
#define KEPT_NAME_MAX 150

static void side_path(size_t number, const char *side, char path_out[PATH_SIZE])
{
    (void)snprintf(path_out, PATH_SIZE, JOURNAL_FOLDER "/%zu.%s", number, side);
}

static bool put_own(const struct journal *journal, const char *path, const struct path_state *from,
    struct failure *failure)
{
    const struct path_put put = {journal->host, path, true};
    const struct path_state state = {
        .kind = PATH_FILE,
        .bytes = from->bytes,
        .len = from->len,
        .mode = 0600,
    };
    return path_state_put(&put, &state) ||
           failure_set(failure, "%s cannot be written: %s.", path, strerror(errno));
}

/* Bytes that an ABSENT state does not have are not kept. */
static bool put_side(
    const struct journal *journal, size_t number, const char *side, struct failure *failure)
{
    char path[PATH_SIZE];
    const struct journal_entry *entry = &journal->entries[number];
    const struct path_state *state = side[0] == 'w' ? &entry->was : &entry->set;
    side_path(number, side, path);
    return state->kind == PATH_ABSENT || put_own(journal, path, state, failure);
}

static bool write_lines(const struct journal *journal, struct failure *failure)
{
    struct text text;
    char *lines = malloc(JOURNAL_SIZE);
    if (lines == NULL) {
        return failure_set(failure, "Out of memory.");
    }
    text_init(&text, lines, JOURNAL_SIZE);
    for (size_t i = 0; i < journal->count; i++) {
        const struct path_state *was = &journal->entries[i].was;
        text_addf(&text, "%zu %d %o %u %u %jd %ld %s\n", i, (int)was->kind, (unsigned)was->mode,
            (unsigned)was->uid, (unsigned)was->gid, (intmax_t)was->mtime.tv_sec, was->mtime.tv_nsec,
            journal->entries[i].path);
    }
    const struct path_state state = {.kind = PATH_FILE, .bytes = lines, .len = text.len};
    bool is_put = put_own(journal, JOURNAL_FILE, &state, failure);
    free(lines);
    return is_put;
}

struct journal_entry *journal_find(struct journal *journal, const char *path)
{
    for (size_t i = 0; i < journal->count; i++) {
        if (strcmp(journal->entries[i].path, path) == 0) {
            return &journal->entries[i];
        }
    }
    return NULL;
}

static bool copy_state(struct path_state *to, const struct path_state *from)
{
    path_state_fini(to);
    if (!path_state_make(to, from->bytes != NULL ? from->bytes : "", from->len)) {
        return false;
    }
    to->kind = from->kind;
    to->mode = from->mode;
    to->uid = from->uid;
    to->gid = from->gid;
    return true;
}

static struct journal_entry *entry_add(
    struct journal *journal, const char *path, struct failure *failure)
{
    if (journal->count == JOURNAL_ENTRIES_MAX || strchr(path, '\n') != NULL ||
        strlen(path) >= HOST_PATH_SIZE) {
        (void)failure_set(
            failure, "%s cannot be noted in the journal: too many or too odd paths.", path);
        return NULL;
    }
    struct journal_entry *entry = &journal->entries[journal->count];
    *entry = (struct journal_entry){.path = strdup(path)};
    if (entry->path == NULL) {
        (void)failure_set(failure, "Out of memory.");
        return NULL;
    }
    if (!path_state_read(journal->host, path, &entry->was)) {
        (void)failure_set(failure, "%s cannot be kept for undoing: %s.", path, strerror(errno));
        free(entry->path);
        return NULL;
    }
    journal->count++;
    return entry;
}

/* It was undone: what is there now is what the next undoing has to bring back. */
static struct journal_entry *entry_renew(
    struct journal *journal, struct journal_entry *entry, struct failure *failure)
{
    struct path_state was;
    if (!path_state_read(journal->host, entry->path, &was)) {
        (void)failure_set(
            failure, "%s cannot be kept for undoing: %s.", entry->path, strerror(errno));
        return NULL;
    }
    path_state_fini(&entry->was);
    entry->was = was;
    return entry;
}

bool journal_record(struct journal *journal, const char *path, const struct path_state *set,
    struct failure *failure_out)
{
    struct journal_entry *entry = journal_find(journal, path);
    bool is_new = entry == NULL;
    if (is_new) {
        entry = entry_add(journal, path, failure_out);
    } else if (entry->set.kind == PATH_ABSENT) {
        is_new = true;
        entry = entry_renew(journal, entry, failure_out);
    }
    if (entry == NULL) {
        return false;
    }
    entry->is_of_run = true;
    size_t number = (size_t)(entry - journal->entries);
    if (!copy_state(&entry->set, set)) {
        return failure_set(failure_out, "Out of memory.");
    }
    /* The line last: what it speaks of is there. */
    return (!is_new || put_side(journal, number, "was", failure_out)) &&
           put_side(journal, number, "set", failure_out) &&
           (!is_new || write_lines(journal, failure_out));
}

static bool read_side(
    struct journal *journal, size_t number, const char *side, struct path_state *state)
{
    char path[PATH_SIZE];
    struct path_state stored;
    side_path(number, side, path);
    if (!path_state_read(journal->host, path, &stored) || stored.kind == PATH_ABSENT) {
        return false;
    }
    state->bytes = stored.bytes;
    state->len = stored.len;
    return true;
}

/* NUMBER KIND MODE UID GID SECONDS NANOSECONDS PATH */
static bool read_entry(struct journal *journal, const char *line)
{
    unsigned number;
    unsigned kind;
    unsigned mode;
    unsigned uid;
    unsigned gid;
    intmax_t seconds;
    long nanoseconds;
    int at = 0;
    struct journal_entry *entry = &journal->entries[journal->count];
    *entry = (struct journal_entry){.path = NULL};
    int count = sscanf(line, "%u %u %o %u %u %jd %ld %n", &number, &kind, &mode, &uid, &gid,
        &seconds, &nanoseconds, &at);
    if (count != 7 || at == 0 || line[at] != '/' || kind > PATH_LINK || number != journal->count) {
        return false;
    }
    entry->was = (struct path_state){
        .kind = (enum path_kind)kind,
        .mode = mode & 07777u,
        .uid = uid,
        .gid = gid,
        .mtime = {.tv_sec = seconds, .tv_nsec = nanoseconds},
    };
    entry->path = strdup(line + at);
    journal->count++;
    if (entry->path == NULL ||
        (entry->was.kind != PATH_ABSENT && !read_side(journal, number, "was", &entry->was))) {
        return false;
    }
    entry->set = (struct path_state){.kind = PATH_FILE, .mode = 0644};
    if (!read_side(journal, number, "set", &entry->set)) {
        entry->set.kind = PATH_ABSENT;
    }
    return true;
}

static bool read_lines(struct journal *journal, char *lines)
{
    while (*lines != '\0') {
        char *end = strchr(lines, '\n');
        if (end == NULL || journal->count == JOURNAL_ENTRIES_MAX) {
            return false;
        }
        *end = '\0';
        if (!read_entry(journal, lines)) {
            return false;
        }
        lines = end + 1;
    }
    return true;
}

int journal_lock(const struct host *host, struct failure *failure_out)
{
    if (!path_state_make_folder(host, JOURNAL_FOLDER)) {
        (void)failure_set(failure_out, "%s cannot be made: %s.", JOURNAL_FOLDER, strerror(errno));
        return -1;
    }
    int fd = host_open_folder(host, JOURNAL_FOLDER);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        return fd;
    }
    (void)failure_set(failure_out,
        errno == EWOULDBLOCK ? "Another `mxcache setup` is at work; wait for its end."
                             : JOURNAL_FOLDER " cannot be locked: %s.",
        strerror(errno));
    if (fd >= 0) {
        (void)close(fd);
    }
    return -1;
}

bool journal_read(struct journal *journal, const struct host *host, struct failure *failure_out)
{
    struct path_state file;
    *journal = (struct journal){.host = host};
    if (!path_state_read(host, JOURNAL_FILE, &file)) {
        return failure_set(failure_out, "%s cannot be read: %s.", JOURNAL_FILE, strerror(errno));
    }
    bool is_read = file.kind == PATH_ABSENT || read_lines(journal, file.bytes);
    path_state_fini(&file);
    return is_read || failure_set(failure_out,
                          "%s is damaged. The files beside it hold what was there before; put "
                          "them back by hand, then remove the folder.",
                          JOURNAL_FILE);
}

void journal_fini(struct journal *journal)
{
    for (size_t i = 0; i < journal->count; i++) {
        free(journal->entries[i].path);
        path_state_fini(&journal->entries[i].was);
        path_state_fini(&journal->entries[i].set);
    }
    journal->count = 0;
}

static bool remove_own(const struct journal *journal, const char *path, struct failure *failure)
{
    const struct path_state absent = {.kind = PATH_ABSENT};
    const struct path_put put = {journal->host, path, false};
    return path_state_put(&put, &absent) ||
           failure_set(failure, "%s cannot be removed: %s.", path, strerror(errno));
}

bool journal_forget(
    struct journal *journal, struct journal_entry *entry, struct failure *failure_out)
{
    char set[PATH_SIZE];
    side_path((size_t)(entry - journal->entries), "set", set);
    path_state_fini(&entry->set);
    return remove_own(journal, set, failure_out);
}

/* JOURNAL_FOLDER/kept-2-etc-resolv.conf; of a path too long its end. */
static void kept_path(unsigned number, const char *path, char kept_out[JOURNAL_KEPT_SIZE])
{
    size_t path_len = strlen(path);
    const char *end = path_len > KEPT_NAME_MAX ? path + path_len - KEPT_NAME_MAX : path + 1;
    int len = snprintf(kept_out, JOURNAL_KEPT_SIZE, JOURNAL_FOLDER "/kept-%u-", number);
    (void)snprintf(kept_out + len, JOURNAL_KEPT_SIZE - (size_t)len, "%s", end);
    for (char *at = kept_out + len; *at != '\0'; at++) {
        *at = *at == '/' ? '-' : *at;
    }
}

bool journal_keep(const struct journal *journal, const char *path, const struct path_state *now,
    char kept_out[JOURNAL_KEPT_SIZE], struct failure *failure_out)
{
    for (unsigned number = 1; number <= KEPT_MAX; number++) {
        struct path_state there;
        kept_path(number, path, kept_out);
        if (!path_state_read(journal->host, kept_out, &there)) {
            continue;
        }
        bool is_free = there.kind == PATH_ABSENT;
        bool is_same = path_state_has_bytes_of(&there, now);
        path_state_fini(&there);
        if (is_free || is_same) {
            return is_same || put_own(journal, kept_out, now, failure_out);
        }
    }
    return failure_set(failure_out,
        "%s was changed since setup wrote it, and there is no room for another copy: look "
        "through " JOURNAL_FOLDER "/kept-* and remove them.",
        path);
}

bool journal_remove(struct journal *journal, struct failure *failure_out)
{
    /* The lines first: without them the rest says nothing. */
    bool is_removed = remove_own(journal, JOURNAL_FILE, failure_out);
    for (size_t i = 0; i < journal->count && is_removed; i++) {
        char was[PATH_SIZE];
        char set[PATH_SIZE];
        side_path(i, "was", was);
        side_path(i, "set", set);
        is_removed = remove_own(journal, was, failure_out) && remove_own(journal, set, failure_out);
    }
    return is_removed;
}
