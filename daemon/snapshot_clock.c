/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/snapshot_clock.h"

#include <string.h>

#include "wire/bytes.h"

#define NAME    "clock"
#define VERSION 1

bool snapshot_clock_make(struct snapshot_clock *clock_out, int64_t now)
{
    *clock_out = (struct snapshot_clock){.boot = ""};
    if (!clock_boot(clock_out->boot)) {
        return false;
    }
    bytes_put_u32(clock_out->bytes, (uint32_t)((uint64_t)now >> 32));
    bytes_put_u32(clock_out->bytes + 4, (uint32_t)((uint64_t)now & UINT32_MAX));
    clock_out->blob = (struct snapshot_blob){
        .name = NAME,
        .name_len = sizeof NAME - 1,
        .version = VERSION,
        .subject = (const uint8_t *)clock_out->boot,
        .subject_len = strlen(clock_out->boot),
        .bytes = clock_out->bytes,
        .len = sizeof clock_out->bytes,
    };
    return true;
}

bool snapshot_clock_is(const struct snapshot_blob *blob)
{
    return blob->name_len == sizeof NAME - 1 && memcmp(blob->name, NAME, sizeof NAME - 1) == 0;
}

int64_t snapshot_clock_age(const struct snapshot_blob *blob, int64_t now)
{
    struct snapshot_clock own;
    if (blob->version != VERSION || blob->len != SNAPSHOT_CLOCK_SIZE ||
        !snapshot_clock_make(&own, now) || blob->subject_len != own.blob.subject_len ||
        memcmp(blob->subject, own.boot, blob->subject_len) != 0) {
        return -1;
    }
    uint64_t high = bytes_get_u32(blob->bytes);
    int64_t made_at = (int64_t)(high << 32 | bytes_get_u32(blob->bytes + 4));
    return made_at >= 0 && made_at <= now ? now - made_at : -1;
}
