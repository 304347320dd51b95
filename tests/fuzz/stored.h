/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/must.h"
#include "wire/message.h"
#include "wire/normalise.h"

/*
 * A stored form made from a reply, in a block of exactly the promised size, so that the sanitizer
 * sees a byte written past it.
 */
struct stored {
    uint8_t *bytes;
    enum normalise_verdict verdict;
    struct normalised normalised;
};

static inline void stored_make(struct stored *stored, const struct message *reply,
    const struct normalise_limits *limits, size_t slack)
{
    size_t room = reply->len + slack < MESSAGE_SIZE_MAX ? reply->len + slack : MESSAGE_SIZE_MAX;
    stored->bytes = malloc(room);
    must(stored->bytes != NULL);
    stored->verdict = normalise_reply(reply, limits, stored->bytes, room, &stored->normalised);
    must(stored->normalised.len <= room);
}

static inline bool stored_is_whole(const struct stored *stored)
{
    return stored->verdict != NORMALISE_BROKEN && stored->verdict != NORMALISE_REFERRAL;
}

static inline void stored_free(struct stored *stored)
{
    free(stored->bytes);
    stored->bytes = NULL;
}
