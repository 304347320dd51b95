/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What setup finds on a host when it is to undo. The first byte chooses: the journal itself is of
 * anybody's making (even), or a file whose bytes are the input is noted and replaced (odd). What is
 * read is within its bounds; what was noted is read back as it was, the file can be put back to the
 * byte, and a chroot's copy of it is equal once it is made.
 */
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "doctor/host.h"
#include "setup/failure.h"
#include "setup/journal.h"
#include "setup/path_state.h"
#include "cmd/chroot_copy.h"
#include "tests/fuzz/host_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SUBJECT "/etc/resolv.conf"

static void file_remove(const char *place)
{
    char path[HOST_ROOT_PATH_SIZE];
    host_root_path(place, path);
    (void)unlink(path);
}

/* Beside it stand the bytes of two entries. */
static void check_foreign(const struct host *host, const uint8_t *data, size_t size)
{
    static struct journal journal;
    struct failure failure = {.sentence = ""};
    host_root_put(JOURNAL_FOLDER "/journal", data, size);
    host_root_put(JOURNAL_FOLDER "/0.was", data, size / 2);
    host_root_put(JOURNAL_FOLDER "/1.was", data, size);
    host_root_put(JOURNAL_FOLDER "/1.set", data, 0);
    bool is_read = journal_read(&journal, host, &failure);
    must(is_read == (failure.sentence[0] == '\0'));
    must(journal.count <= JOURNAL_ENTRIES_MAX);
    for (size_t i = 0; is_read && i < journal.count; i++) {
        const struct journal_entry *entry = &journal.entries[i];
        must(entry->path != NULL && entry->path[0] == '/');
        must(entry->was.kind <= PATH_LINK && (entry->was.mode & ~07777u) == 0);
        must(entry->was.kind == PATH_ABSENT || entry->was.bytes[entry->was.len] == '\0');
    }
    journal_fini(&journal);
    file_remove(JOURNAL_FOLDER "/journal");
}

static void check_copy(const uint8_t *data, size_t size)
{
    struct chroot_copy copy = {
        .queue_fd = open(host_root, O_PATH | O_DIRECTORY | O_CLOEXEC),
        .bytes = (const char *)data,
        .len = size,
    };
    must(copy.queue_fd >= 0);
    must(chroot_copy_run(&copy) != CHROOT_COPY_FAILED);
    must(chroot_copy_run(&copy) == CHROOT_COPY_EQUAL);
    must(close(copy.queue_fd) == 0);
}

/* As a run of setup, one that is interrupted, and one that undoes. */
static void check_own(const struct host *host, const uint8_t *data, size_t size)
{
    static struct journal journal;
    struct failure failure = {.sentence = ""};
    struct path_state before;
    struct path_state set;
    struct path_state now;
    const struct path_put put = {host, SUBJECT, false};
    host_root_put(SUBJECT, data, size);
    must(path_state_read(host, SUBJECT, &before) && before.len == size);
    must(path_state_make(&set, "nameserver 127.0.0.1\n", 21));
    must(journal_read(&journal, host, &failure) && journal.count == 0);
    must(journal_record(&journal, SUBJECT, &set, &failure));
    must(path_state_put(&put, &set));
    journal_fini(&journal);

    must(journal_read(&journal, host, &failure) && journal.count == 1);
    must(strcmp(journal.entries[0].path, SUBJECT) == 0);
    must(path_state_equal(&journal.entries[0].was, &before));
    must(path_state_put(&put, &journal.entries[0].was));
    must(path_state_read(host, SUBJECT, &now) && path_state_equal(&now, &before));
    must(now.mtime.tv_sec == before.mtime.tv_sec && now.mtime.tv_nsec == before.mtime.tv_nsec);
    must(journal_remove(&journal, &failure));
    journal_fini(&journal);
    path_state_fini(&now);
    path_state_fini(&set);
    path_state_fini(&before);
    check_copy(data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host host;
    if (size == 0) {
        return 0;
    }
    if (host_root[0] == '\0') {
        host_root_make();
    }
    must(host_init(&host, host_root));
    if ((data[0] & 1) == 0) {
        check_foreign(&host, data + 1, size - 1);
    } else {
        check_own(&host, data + 1, size - 1);
    }
    host_fini(&host);
    return 0;
}
