/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "doctor/host.h"

/*
 * Who writes /etc/resolv.conf, how we know, and whether that program has been told to leave the
 * file alone. The programs are the rows of resolver_owners.def. Plain data; looks at files of the
 * host only. Main thread.
 */
struct processes;

#define RESOLV_CONF_PATH "/etc/resolv.conf"

enum resolver_owner_id {
    RESOLVER_OWNER_NOBODY, /* An admin, by hand. */
#define OWNER(id, ...) RESOLVER_OWNER_##id,
#include "doctor/resolver_owners.def"
#undef OWNER
    RESOLVER_OWNERS
};

/* How we know. */
enum resolver_owner_proof {
    RESOLVER_PROOF_NONE,
    RESOLVER_PROOF_LINK,    /* The symlink leads to its file. */
    RESOLVER_PROOF_MARK,    /* It left its mark at the head of the file. */
    RESOLVER_PROOF_RUNNING, /* It runs and would write; whether it did is not known. */
};

struct resolver_owner {
    enum resolver_owner_id id;
    enum resolver_owner_proof proof;
    enum host_verdict verdict;      /* Of /etc/resolv.conf, symlinks followed. */
    bool is_link;                   /* Else a regular file, or absent. */
    bool is_dangling;               /* The symlink leads nowhere. */
    bool is_immutable;              /* chattr +i: nobody writes it. */
    bool is_mount;                  /* Of a file system of its own: of a container's runtime. */
    char target[HOST_PATH_SIZE];    /* Of the symlink, as written there. */
    bool is_pinned;                 /* The owner leaves it alone; or nobody owns it. */
    char pinned_by[HOST_PATH_SIZE]; /* The file that says so; empty: the kind of file itself. */
    /* Beside the owner, and not pinned: would write the file too. */
    enum resolver_owner_id rivals[RESOLVER_OWNERS];
    size_t rival_count;
};

void resolver_owner_find(
    struct resolver_owner *owner, const struct host *host, const struct processes *processes);

/* Of the row. For NOBODY: "nobody", and empty texts. */
struct resolver_owner_row {
    const char *name;
    const char *mark;
    const char *link;
    const char *pin_path;
    const char *pin_text;
    const char *pin_command;
    const char *advice;
};
const struct resolver_owner_row *resolver_owner_row(enum resolver_owner_id id);

/* Has that program been told to leave the file alone? Where, if it has: a path, cut to fit. */
bool resolver_owner_is_pinned(
    enum resolver_owner_id id, const struct host *host, char *where_out, size_t size);
