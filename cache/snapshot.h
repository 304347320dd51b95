/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "cache/record.h"

/*
 * The form of the snapshot: what is remembered, as bytes for a file. Pure; no file, no clock, no
 * memory of its own. All numbers are big-endian, so a file may move between hosts of any kind.
 *
 *     file   = head head record...         The second head is for the case that the first is hurt.
 *     head   = magic, version, creation time (wall clock), key, checksum
 *     record = marker, kind, length, sum of the body, sum of all before; then the body
 *
 * Each record stands for itself. What is damaged is passed over up to the next marker whose sum is
 * right; kinds that are not known are skipped; a body longer than known has its rest ignored. So
 * versions read each other's files as far as they understand them. The sums are keyed, with a key
 * of the file's own, because strangers choose what stands in a cached message: without it they
 * could write records into it.
 *
 * Times of entries stand there as their age when the file was begun, so the one time of the wall
 * clock in a file is that of its creation. A blob may know better (daemon/snapshot_clock.h).
 */
#define SNAPSHOT_HEAD_SIZE   40u
#define SNAPSHOT_FRAME_SIZE  22u
#define SNAPSHOT_BODY_MAX    (128u * 1024)
#define SNAPSHOT_RECORD_MAX  (SNAPSHOT_FRAME_SIZE + SNAPSHOT_BODY_MAX)
#define SNAPSHOT_NAME_MAX    32u
#define SNAPSHOT_SUBJECT_MAX 512u
#define SNAPSHOT_BYTES_MAX   65535u

struct snapshot_head {
    int64_t created_wall; /* base/clock.h, clock_wall(). */
    struct hash_key key;  /* Random, another one for each file. */
};

/* A piece of knowledge whose form is its owner's affair, in bytes that do not depend on the host.
 * The pointers are the caller's; in what is read they point into the window. */
struct snapshot_blob {
    const char *name; /* Who knows how to read it: "upstream". Not ended by NUL in what is read. */
    size_t name_len;
    uint16_t version; /* Of its bytes. */
    uint32_t weight;  /* Of two about one subject, the heavier one knows more. */
    const uint8_t *subject;
    size_t subject_len;
    const uint8_t *bytes;
    size_t len;
};

/* Where the writer stands in time: the head's moment on the cache's clock. */
struct snapshot_moment {
    const struct snapshot_head *head;
    int64_t now;
};

/* Both heads, 2 x SNAPSHOT_HEAD_SIZE bytes. */
void snapshot_write_head(const struct snapshot_head *head, uint8_t *bytes_out);

/* One record into `bytes_out`, which has SNAPSHOT_RECORD_MAX bytes of room. Its length; 0: it is
 * larger than a record may be. */
size_t snapshot_write_entry(
    const struct snapshot_moment *moment, const struct cache_record *record, uint8_t *bytes_out);
size_t snapshot_write_blob(
    const struct snapshot_head *head, const struct snapshot_blob *blob, uint8_t *bytes_out);

/* A part of the file; the next one begins with what was left over of this one (`at` up to `len`).
 * It has SNAPSHOT_RECORD_MAX bytes or more, unless it is the last. */
struct snapshot_window {
    const uint8_t *bytes;
    size_t len;
    size_t at;
    bool is_last;
};

enum snapshot_item {
    SNAPSHOT_ENTRY,
    SNAPSHOT_BLOB,
    SNAPSHOT_MORE,    /* The rest of the window needs what comes after it. */
    SNAPSHOT_END,     /* Nothing more in the last window. */
    SNAPSHOT_FOREIGN, /* No head of ours: another program's file, or another version's. */
};

/* Reading, from zeroed. */
struct snapshot_scan {
    bool has_head;
    bool is_lost; /* Inside of damage, looking for the next record. */
    struct snapshot_head head;
    uint64_t entries;
    uint64_t blobs;
    uint64_t unknown; /* Records of kinds that this version does not know, skipped. */
    uint64_t damaged; /* Stretches that were passed over. */
};

struct snapshot_found {
    struct cache_record entry; /* ENTRY: stored_at is minus its age at the file's creation. */
    struct snapshot_blob blob; /* BLOB. */
};

/* Reads on, and fills in what it found. */
enum snapshot_item snapshot_next(
    struct snapshot_scan *scan, struct snapshot_window *window, struct snapshot_found *found_out);

/* How long ago the file was made, by the wall clock's `wall`; 0 where that was set back, so that no
 * answer is younger than when it was written down. */
int64_t snapshot_age(const struct snapshot_head *head, int64_t wall);
