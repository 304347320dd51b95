/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cache/snapshot.h"

/*
 * Copies of the blobs of a snapshot, on their way between workers and file. Of several about one
 * subject the heaviest is kept. Zeroed: empty. Owned by whoever embeds it; one thread at a time.
 */
#define BLOB_BAG_MAX       1024
#define BLOB_BAG_BYTES_MAX ((size_t)4 << 20)

struct blob_bag {
    struct snapshot_blob *blobs; /* Each with one block for its three parts, at `name`. */
    size_t count;
    size_t room;
    size_t bytes;
};

/* False: memory is short, or the bag is full. */
bool blob_bag_add(struct blob_bag *bag, const struct snapshot_blob *blob);

/* Empties it. */
void blob_bag_fini(struct blob_bag *bag);
