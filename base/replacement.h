/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/*
 * What stands under a name in a folder, replaced in one step: the new one is made beside it, with
 * its bytes, rights and owner, written out to disk and renamed over it, so that at every moment one
 * of the two is there, whole. No symlink is followed, neither at the name nor beside it, and what
 * is replaced is not opened; its security label and access list go along. The folder itself is not
 * synced. No state; any thread.
 */
struct replacement {
    int folder_fd;      /* The caller's. */
    const char *name;   /* An entry of the folder. */
    const char *beside; /* Another one; what a crash left there is taken away first. */
    bool is_link;       /* A symlink, whose target is `bytes` with a NUL behind it. */
    const char *bytes;  /* Else a file with these bytes. */
    size_t len;
    mode_t mode; /* Of a file, as are all below: whatever the umask says. */
    uid_t uid;   /* REPLACEMENT_ANYBODY: as it comes. */
    gid_t gid;
    struct timespec mtime; /* Zero: the moment it is put. */
    const char *step;      /* What failed: "write the new file", ... A literal. */
};

#define REPLACEMENT_ANYBODY UINT32_MAX

/* Without root's rights the owner may differ. False, with errno and the step: nothing has changed,
 * and nothing stands beside. */
bool replacement_put(struct replacement *replacement);
