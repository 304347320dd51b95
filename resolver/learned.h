/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "cache/snapshot.h"

/*
 * What a resolver has learned and would be sorry to lose with its process, as named blobs for the
 * snapshot. Each subject of knowledge is one row of a table in learned.c: its name, the version of
 * its bytes, how it is saved and how it is taken back. Worker's thread only.
 *
 * With several workers each saves its own; of two blobs with one name and subject the heavier one
 * is kept, and every worker gets it back.
 */
struct resolver;

/* The blob's pointers are good during the call. */
typedef void learned_take(void *context, const struct snapshot_blob *blob);

void learned_save(const struct resolver *resolver, int64_t now, learned_take *take, void *context);

/* What a snapshot has brought, `age_us` after it was written; names and versions that are not known
 * are left alone. It never replaces what has been learned since. */
void learned_restore(
    struct resolver *resolver, const struct snapshot_blob *blob, int64_t age_us, int64_t now);
