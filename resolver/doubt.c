/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/doubt.h"

#include <stddef.h>

static uint64_t doubt_hash(uint64_t question, uint64_t server)
{
    return question ^ ((server + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

static uint32_t doubt_tag(uint64_t hash)
{
    return (uint32_t)(hash >> 32) | 1;
}

static size_t doubt_place(uint64_t hash)
{
    return hash % DOUBT_PLACES;
}

static int64_t doubt_lasts(const struct doubt *doubt)
{
    int64_t lasts = DOUBT_FIRST_US << (doubt->count - 1);
    return lasts < DOUBT_LAST_US ? lasts : DOUBT_LAST_US;
}

enum doubt_verdict doubt_of(
    const struct doubts *doubts, uint64_t question, uint64_t server, int64_t now)
{
    uint64_t hash = doubt_hash(question, server);
    const struct doubt *doubt = &doubts->places[doubt_place(hash)];
    if (doubt->count == 0 || doubt->tag != doubt_tag(hash)) {
        return DOUBT_NONE;
    }
    int64_t age = now - doubt->failed_at;
    if (age >= doubt_lasts(doubt)) {
        return DOUBT_NONE;
    }
    return age < DOUBT_RETRY_US ? DOUBT_FIRM : DOUBT_LATER;
}

bool doubt_add(struct doubts *doubts, uint64_t question, uint64_t server, int64_t now)
{
    uint64_t hash = doubt_hash(question, server);
    struct doubt *doubt = &doubts->places[doubt_place(hash)];
    if (doubt->tag != doubt_tag(hash) || now - doubt->failed_at > 2 * DOUBT_LAST_US) {
        *doubt = (struct doubt){.tag = doubt_tag(hash)};
    }
    doubt->count = (uint16_t)(doubt->count + (doubt->count < DOUBT_COUNT_MAX ? 1 : 0));
    doubt->failed_at = now;
    return doubt->count == 1;
}

void doubt_clear(struct doubts *doubts, uint64_t question, uint64_t server)
{
    uint64_t hash = doubt_hash(question, server);
    struct doubt *doubt = &doubts->places[doubt_place(hash)];
    if (doubt->tag == doubt_tag(hash)) {
        *doubt = (struct doubt){0};
    }
}

void doubt_give_reason(struct doubts *doubts, uint64_t question, uint64_t server, uint16_t ede)
{
    uint64_t hash = doubt_hash(question, server);
    struct doubt *doubt = &doubts->places[doubt_place(hash)];
    if (doubt->tag == doubt_tag(hash)) {
        doubt->ede = ede;
    }
}

uint16_t doubt_reason(const struct doubts *doubts, uint64_t question, uint64_t server)
{
    uint64_t hash = doubt_hash(question, server);
    return doubts->places[doubt_place(hash)].ede;
}
