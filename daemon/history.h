/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What has been counted lately, up to a day back: so that "since ten minutes ago" can be told
 * although counters only ever grow. The last minutes are kept one by one, older ones by tens, for a
 * busy host's minute is some 14 kB. It knows cells, numbers in a fixed order, and not what they
 * mean. Of each span only the cells that grew are kept, a few bytes each; what does not fit
 * HISTORY_BYTES_MAX any more makes the oldest ones go. Owned by the main thread. Pure but for
 * memory.
 */
#define HISTORY_FINE_MINUTES   20
#define HISTORY_COARSE_MINUTES 10
#define HISTORY_MINUTES_MAX    1440
#define HISTORY_BYTES_MAX      (UINT64_C(8) << 20)

struct history;

/* For sheets of `cell_count` cells. NULL when memory is short. */
struct history *history_new(size_t cell_count);
void history_free(struct history **history);

/* To be called about once a minute with the sheet as it stands: what grew since the last call is
 * one minute's span. A cell that shrank (its counter began anew) is taken as it stands. Without
 * memory the minute is lost. */
void history_note(struct history *history, const uint64_t *cells, int64_t now);

/*
 * Turns `cells`, the sheet as it stands now, into what was counted since `since`: by whole spans,
 * the one that `since` lies in included. Returns the time from which on it counts, which is later
 * than `since` when less is known: the time of the first history_note() at the earliest.
 */
int64_t history_since(const struct history *history, int64_t since, uint64_t *cells);

/* The sheet as it was noted last. */
void history_recall(const struct history *history, uint64_t *cells_out);

/* Memory that the spans take. */
uint64_t history_bytes(const struct history *history);
