/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "daemon/blob_bag.h"

/*
 * The snapshot as a file: written whole beside its place, synced and renamed, so that there is
 * always one that is whole; read in blocks, whatever it holds. Both take their time and block:
 * they are for a thread of their own. The file is 0600, for it names the hosts and domains that
 * mail is exchanged with.
 */
struct cache;

#define SNAPSHOT_FILE_BLOCK ((size_t)1 << 20)

/* What is to be written: the cache's answers, and what the resolvers have learned. */
struct snapshot_content {
    struct cache *cache;
    struct blob_bag *bag;
};

enum snapshot_file_verdict {
    SNAPSHOT_FILE_DONE,
    SNAPSHOT_FILE_NONE,    /* Nothing to load. */
    SNAPSHOT_FILE_FAILED,  /* `error` and `step` say why. */
    SNAPSHOT_FILE_FOREIGN, /* Another program's, or another version's. */
    SNAPSHOT_FILE_EXPOSED, /* Others could have written it: not to be believed. */
    SNAPSHOT_FILE_ENDED,   /* Told to stop in the middle of loading. */
};

struct snapshot_report {
    enum snapshot_file_verdict verdict;
    int error;         /* An errno. */
    const char *step;  /* What failed: "open", "write"... */
    uint64_t entries;  /* Written, or put back into the cache. */
    uint64_t left_out; /* Loaded, but expired for good since, known better by now, or no room. */
    uint64_t blobs;
    uint64_t unknown; /* Of a later version, skipped. */
    uint64_t damaged; /* Stretches that could not be read. */
    int64_t age_us;   /* Of the loaded file. */
    int64_t took_us;
};

/* `key` is random, new for each file. */
void snapshot_file_write(const char *path, const struct snapshot_content *content,
    const struct hash_key *key, struct snapshot_report *report_out);

/* Into the cache and the bag; entries that are newer there stay. Ends early once `must_end`. */
void snapshot_file_load(const char *path, const struct snapshot_content *content,
    const atomic_bool *must_end, struct snapshot_report *report_out);
