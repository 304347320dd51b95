/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

#define VARINT_SIZE_MAX 10 /* A 64-bit number, seven bits a byte. */

/* What grew within one minute: pairs of numbers, the gap from the cell before and the growth. */
struct minute {
    int64_t from;
    int64_t to;
    uint8_t *bytes;
    size_t len;
};

/* Invariant: minutes stand in the order of time, from `oldest` on, `count` of them, in a ring. */
struct history {
    size_t cell_count;
    uint64_t *last; /* The sheet as it was noted last. */
    int64_t noted_at;
    bool is_noted;
    uint8_t *scratch;
    uint64_t bytes;
    size_t oldest;
    size_t count;
    struct minute minutes[HISTORY_MINUTES_MAX];
};

static uint8_t *varint_write(uint8_t *at, uint64_t number)
{
    while (number >= 0x80) {
        *at++ = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    *at++ = (uint8_t)number;
    return at;
}

static const uint8_t *varint_read(const uint8_t *at, uint64_t *number_out)
{
    uint64_t number = 0;
    unsigned shift = 0;
    while ((*at & 0x80) != 0) {
        number |= (uint64_t)(*at++ & 0x7f) << shift;
        shift += 7;
    }
    *number_out = number | (uint64_t)*at << shift;
    return at + 1;
}

struct history *history_new(size_t cell_count)
{
    struct history *history = calloc(1, sizeof *history);
    if (history == NULL) {
        return NULL;
    }
    history->cell_count = cell_count;
    history->last = calloc(cell_count, sizeof *history->last);
    history->scratch = malloc(cell_count * 2 * VARINT_SIZE_MAX);
    if (history->last == NULL || history->scratch == NULL) {
        history_free(&history);
    }
    return history;
}

void history_free(struct history **history)
{
    if (history == NULL || *history == NULL) {
        return;
    }
    for (size_t i = 0; i < HISTORY_MINUTES_MAX; i++) {
        free((*history)->minutes[i].bytes);
    }
    free((*history)->last);
    free((*history)->scratch);
    free(*history);
    *history = NULL;
}

static struct minute *history_minute(struct history *history, size_t index)
{
    return &history->minutes[(history->oldest + index) % HISTORY_MINUTES_MAX];
}

static void history_drop_oldest(struct history *history)
{
    struct minute *minute = history_minute(history, 0);
    history->bytes -= minute->len;
    free(minute->bytes);
    *minute = (struct minute){.bytes = NULL};
    history->oldest = (history->oldest + 1) % HISTORY_MINUTES_MAX;
    history->count--;
}

/* Into the scratch; returns the length. The sheet becomes the last one. */
static size_t history_encode(struct history *history, const uint64_t *cells)
{
    uint8_t *at = history->scratch;
    size_t next = 0;
    for (size_t i = 0; i < history->cell_count; i++) {
        uint64_t before = history->last[i];
        uint64_t growth = cells[i] >= before ? cells[i] - before : cells[i];
        if (cells[i] == before || growth == 0) {
            continue;
        }
        at = varint_write(at, i - next);
        at = varint_write(at, growth);
        next = i + 1;
    }
    memcpy(history->last, cells, history->cell_count * sizeof *cells);
    return (size_t)(at - history->scratch);
}

static void history_append(struct history *history, size_t len, int64_t now)
{
    uint8_t *bytes = malloc(len + 1);
    if (bytes == NULL) {
        return;
    }
    memcpy(bytes, history->scratch, len);
    while (history->count == HISTORY_MINUTES_MAX ||
           (history->count > 0 && history->bytes + len > HISTORY_BYTES_MAX)) {
        history_drop_oldest(history);
    }
    *history_minute(history, history->count) =
        (struct minute){.from = history->noted_at, .to = now, .bytes = bytes, .len = len};
    history->count++;
    history->bytes += len;
}

void history_note(struct history *history, const uint64_t *cells, int64_t now)
{
    size_t len = history_encode(history, cells);
    if (history->is_noted) {
        history_append(history, len, now);
    }
    history->is_noted = true;
    history->noted_at = now;
}

static void minute_add(const struct minute *minute, uint64_t *cells, size_t cell_count)
{
    const uint8_t *at = minute->bytes;
    const uint8_t *end = minute->bytes + minute->len;
    size_t cell = 0;
    while (at < end) {
        uint64_t gap;
        uint64_t growth;
        at = varint_read(at, &gap);
        at = varint_read(at, &growth);
        cell += (size_t)gap;
        must(cell < cell_count);
        cells[cell++] += growth;
    }
}

int64_t history_since(const struct history *history, int64_t since, uint64_t *cells)
{
    for (size_t i = 0; i < history->cell_count; i++) {
        uint64_t before = history->last[i];
        cells[i] = cells[i] >= before ? cells[i] - before : cells[i];
    }
    int64_t from = history->noted_at;
    for (size_t i = history->count; i > 0 && from > since; i--) {
        const struct minute *minute =
            &history->minutes[(history->oldest + i - 1) % HISTORY_MINUTES_MAX];
        minute_add(minute, cells, history->cell_count);
        from = minute->from;
    }
    return from;
}

uint64_t history_bytes(const struct history *history)
{
    return history->bytes;
}
