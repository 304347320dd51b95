/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/sim_caching.h"

#include "base/clock.h"
#include "base/must.h"
#include "wire/header.h"
#include "wire/records.h"
#include "wire/types.h"

/* A look at all records of a reply: their shortest TTL, or `age_s` taken off each. */
static uint32_t reply_walk(uint8_t *reply, size_t len, size_t records_at, uint32_t age_s)
{
    struct reader reader = reader_of(reply, len);
    struct record record;
    uint32_t shortest = UINT32_MAX;
    reader.at = records_at;
    while (record_read(&reader, &record)) {
        if (record.type == TYPE_OPT) {
            continue;
        }
        must(age_s == 0 || record.ttl >= age_s);
        bytes_put_u32(reply + record.ttl_at, record.ttl - age_s);
        shortest = record.ttl < shortest ? record.ttl : shortest;
    }
    return shortest;
}

static struct sim_cached *caching_item(struct sim_caching *caching, const struct question *question)
{
    for (size_t i = 0; i < caching->count; i++) {
        if (question_equal(&caching->items[i].question, question)) {
            return &caching->items[i];
        }
    }
    must(caching->count < SIM_CACHING_MAX);
    struct sim_cached *item = &caching->items[caching->count++];
    *item = (struct sim_cached){.question = *question, .since = INT64_MIN};
    return item;
}

void sim_caching_age(struct sim_caching *caching, const struct question *question, uint8_t *reply,
    size_t len, int64_t now)
{
    size_t records_at = HEADER_SIZE + question->name_len + 4u;
    struct sim_cached *item = caching_item(caching, question);
    uint32_t shortest = reply_walk(reply, len, records_at, 0);
    if (shortest == UINT32_MAX) {
        return;
    }
    if (item->since == INT64_MIN || now - item->since >= (int64_t)shortest * CLOCK_US_PER_S) {
        item->since = now;
    }
    uint32_t age_s = (uint32_t)((now - item->since) / CLOCK_US_PER_S);
    (void)reply_walk(reply, len, records_at, age_s);
}
