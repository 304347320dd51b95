/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/flooders.h"

#include <string.h>

void flooders_reset(struct flooders *flooders)
{
    memset(flooders->counts, 0, sizeof flooders->counts);
    flooders->seen = 0;
    flooders->is_second_look = false;
}

/* Its place, else a free one; FLOODERS_PLACES: neither. */
static size_t flooders_place(const struct flooders *flooders, const struct address *source)
{
    size_t vacant = FLOODERS_PLACES;
    for (size_t i = 0; i < FLOODERS_PLACES; i++) {
        bool is_kept = flooders->is_second_look || flooders->counts[i] > 0;
        if (is_kept && address_equal(&flooders->sources[i], source)) {
            return i;
        }
        if (!is_kept) {
            vacant = i;
        }
    }
    return vacant;
}

static void flooders_count(struct flooders *flooders, const struct address *source)
{
    size_t place = flooders_place(flooders, source);
    if (place < FLOODERS_PLACES) {
        flooders->sources[place] = *source;
        flooders->counts[place]++;
        return;
    }
    for (size_t i = 0; i < FLOODERS_PLACES && !flooders->is_second_look; i++) {
        flooders->counts[i]--;
    }
}

/* Places that nobody has are taken by nobody, so that the second look finds none there. */
static void flooders_look_again(struct flooders *flooders)
{
    for (size_t i = 0; i < FLOODERS_PLACES; i++) {
        if (flooders->counts[i] == 0) {
            flooders->sources[i] = (struct address){.family = ADDRESS_NONE};
        }
        flooders->counts[i] = 0;
    }
    flooders->seen = 0;
    flooders->is_second_look = true;
}

bool flooders_note(struct flooders *flooders, const struct address *source)
{
    flooders_count(flooders, source);
    flooders->seen++;
    if (flooders->seen < FLOODERS_SAMPLE) {
        return false;
    }
    if (flooders->is_second_look) {
        return true;
    }
    flooders_look_again(flooders);
    return false;
}

/* As many as it takes to be one of them. */
static uint16_t flooders_least(const struct flooders *flooders)
{
    uint16_t least = FLOODERS_SAMPLE / FLOODERS_PLACES + 1;
    for (size_t i = 0; i < FLOODERS_PLACES; i++) {
        uint16_t half = (uint16_t)((flooders->counts[i] + 1u) / 2u);
        least = half > least ? half : least;
    }
    return least;
}

size_t flooders_take(struct flooders *flooders, struct address *sources_out)
{
    uint16_t least = flooders_least(flooders);
    size_t count = 0;
    unsigned sum = 0;
    for (size_t i = 0; i < FLOODERS_PLACES; i++) {
        if (flooders->counts[i] >= least) {
            sources_out[count++] = flooders->sources[i];
            sum += flooders->counts[i];
        }
    }
    flooders_reset(flooders);
    return sum >= FLOODERS_SAMPLE / FLOODERS_SHARE ? count : 0;
}
