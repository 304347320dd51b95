/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/*
 * Who sends most of what comes in: each source (address and port) that has sent more than one of
 * FLOODERS_PLACES of FLOODERS_SAMPLE datagrams in a row. Misra's and Gries's summary: a place for
 * each candidate, and whoever finds none takes one from the count of all, so that nobody who has
 * sent that much can be missing, however many sources there are. A second look at the next sample
 * counts the candidates exactly, for some of them are there by chance.
 *
 * Of these, whoever sends less than half of what the worst of them does is let go: a busy client
 * beside a flood. And all are when together they send less than one of FLOODERS_SHARE: then the
 * flood is of many sources, and without these few it would be one still.
 *
 * Plain data, owned by one thread.
 */
#define FLOODERS_PLACES 16
#define FLOODERS_SAMPLE 512 /* Datagrams of either look. */
#define FLOODERS_SHARE  4

struct flooders {
    struct address sources[FLOODERS_PLACES];
    uint16_t counts[FLOODERS_PLACES];
    uint16_t seen;
    bool is_second_look;
};

/* Begins anew. */
void flooders_reset(struct flooders *flooders);

/* A datagram has come from `source`. True: the second look is over; flooders_take() tells. */
bool flooders_note(struct flooders *flooders, const struct address *source);

/* Writes the sources found, up to FLOODERS_PLACES, and begins anew. Returns how many they are. */
size_t flooders_take(struct flooders *flooders, struct address *sources_out);
