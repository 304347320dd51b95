/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/name.h"

/*
 * What one flush is about: a name, or all that is at and below it. Each shard keeps the last one,
 * so that what was asked before it and comes in after it is not remembered.
 */
struct flush_scope {
    uint64_t number; /* The cache's mark from this flush on; 0: there was none. */
    bool is_under;
    uint8_t name_len;
    uint8_t name[NAME_SIZE_MAX]; /* In lower case, as keys are. */
};

/* The name is a valid one. */
bool flush_scope_covers(const struct flush_scope *scope, const uint8_t *name, size_t len);

/* Something with this mark (cache/mark.h), known under the name, is older than a flush that is
 * about it. Of the flushes before the last one it is not known what they were about. */
bool flush_scope_outdates(
    const struct flush_scope *last, uint64_t mark, const uint8_t *name, size_t len);
