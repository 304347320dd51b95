/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "cache/entry.h"

/*
 * What many entries have in common and the shelf keeps once: the SOA record of a zone, which stands
 * in each of its denials (packed.h tells in which form). Counted references; the last entry that
 * goes takes it along. It stands in the slab and in a bucket as entries do, but not in the order of
 * use, and it is not counted as an entry. Entries name it by its hash, which says where it is after
 * any move; of two different ones with one hash only the first is shared.
 */
struct shelf;

/* Larger ones are not shared. */
#define SHARED_SIZE_MAX 256

struct shared {
    struct shelf_link link; /* Its `newer` is SHARED_MARK. */
    uint32_t references;
    uint16_t len;
    uint8_t bytes[];
};

/* No slab has that many slots. */
#define SHARED_MARK UINT32_MAX

enum shared_verdict {
    SHARED_TAKEN,
    SHARED_REFUSED, /* Something else has its hash, or too many refer to it. */
    SHARED_NO_ROOM,
};

/* One more reference to these bytes. */
enum shared_verdict shared_take(
    struct shelf *shelf, const uint8_t *bytes, size_t len, uint32_t *reference_out);

/* One less. Like shelf_remove(), it may move any entry. */
void shared_give(struct shelf *shelf, uint32_t reference);

/* What is referred to. Good until something is added to or removed from the shelf. */
const struct shared *shared_at(const struct shelf *shelf, uint32_t reference);
