/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

#define VARINT_SIZE_MAX 10 /* A 64-bit number, seven bits a byte. */

#define SPANS_MAX                                                                                  \
    (HISTORY_FINE_MINUTES +                                                                        \
        (HISTORY_MINUTES_MAX - HISTORY_FINE_MINUTES) / HISTORY_COARSE_MINUTES + 1)

/* What grew within one minute, or several: pairs of numbers, the gap from the cell before and the
 * growth. */
struct span {
    int64_t from;
    unsigned minutes;
    uint8_t *bytes;
    size_t len;
};

/* What is equal is not written, here and in the caller's sheet: the memory of cells that nothing
 * has ever been counted in is not taken.
 *
 * Invariant: spans[0, count) stand in the order of time, and each ends where the next begins, the
 * last one at `noted_at`. */
struct history {
    size_t cell_count;
    uint64_t *last; /* The sheet as it was noted last. */
    int64_t noted_at;
    bool is_noted;
    uint8_t *scratch; /* Room for the longest span. */
    uint64_t bytes;
    size_t count;
    struct span spans[SPANS_MAX + 1];
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

/* Writes a span, cell by cell in their order. */
struct pen {
    uint8_t *at;
    size_t next;
};

static void pen_write(struct pen *pen, size_t cell, uint64_t growth)
{
    pen->at = varint_write(pen->at, cell - pen->next);
    pen->at = varint_write(pen->at, growth);
    pen->next = cell + 1;
}

/* Reads one. `cell` is SIZE_MAX behind the last one. */
struct eye {
    const uint8_t *at;
    const uint8_t *end;
    size_t next;
    size_t cell;
    uint64_t growth;
};

static void eye_move(struct eye *eye)
{
    uint64_t gap;
    if (eye->at == eye->end) {
        eye->cell = SIZE_MAX;
        return;
    }
    eye->at = varint_read(eye->at, &gap);
    eye->at = varint_read(eye->at, &eye->growth);
    eye->cell = eye->next + (size_t)gap;
    eye->next = eye->cell + 1;
}

static struct eye eye_of(const struct span *span)
{
    struct eye eye = {.at = span->bytes, .end = span->bytes + span->len};
    eye_move(&eye);
    return eye;
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
    for (size_t i = 0; i < (*history)->count; i++) {
        free((*history)->spans[i].bytes);
    }
    free((*history)->last);
    free((*history)->scratch);
    free(*history);
    *history = NULL;
}

static void history_remove(struct history *history, size_t index)
{
    struct span *span = &history->spans[index];
    history->bytes -= span->len;
    free(span->bytes);
    history->count--;
    memmove(span, span + 1, (history->count - index) * sizeof *span);
}

/* Into the scratch; returns the length. The sheet becomes the last one. */
static size_t history_encode(struct history *history, const uint64_t *cells)
{
    struct pen pen = {.at = history->scratch};
    for (size_t i = 0; i < history->cell_count; i++) {
        uint64_t before = history->last[i];
        if (cells[i] == before) {
            continue;
        }
        uint64_t growth = cells[i] > before ? cells[i] - before : cells[i];
        if (growth != 0) {
            pen_write(&pen, i, growth);
        }
        history->last[i] = cells[i];
    }
    return (size_t)(pen.at - history->scratch);
}

/* What grew in either, into the scratch. It is never longer than both together. */
static size_t history_encode_sum(
    struct history *history, const struct span *one, const struct span *other)
{
    struct pen pen = {.at = history->scratch};
    struct eye a = eye_of(one);
    struct eye b = eye_of(other);
    while (a.cell != SIZE_MAX || b.cell != SIZE_MAX) {
        size_t cell = a.cell < b.cell ? a.cell : b.cell;
        bool is_in_a = a.cell == cell;
        bool is_in_b = b.cell == cell;
        pen_write(&pen, cell, (is_in_a ? a.growth : 0) + (is_in_b ? b.growth : 0));
        if (is_in_a) {
            eye_move(&a);
        }
        if (is_in_b) {
            eye_move(&b);
        }
    }
    return (size_t)(pen.at - history->scratch);
}

/* The scratch's bytes, to keep; NULL when memory is short. */
static uint8_t *history_copy(const struct history *history, size_t len)
{
    uint8_t *bytes = malloc(len + 1);
    if (bytes != NULL) {
        memcpy(bytes, history->scratch, len);
    }
    return bytes;
}

/* The minute that has just become old joins the span before it, while that has room. Without memory
 * it stays alone. */
static void history_coarsen(struct history *history)
{
    if (history->count < HISTORY_FINE_MINUTES + 2) {
        return;
    }
    size_t index = history->count - HISTORY_FINE_MINUTES - 1;
    struct span *span = &history->spans[index];
    struct span *before = span - 1;
    if (before->minutes + span->minutes > HISTORY_COARSE_MINUTES) {
        return;
    }
    size_t len = history_encode_sum(history, before, span);
    uint8_t *bytes = history_copy(history, len);
    if (bytes == NULL) {
        return;
    }
    history->bytes += len - before->len;
    free(before->bytes);
    before->bytes = bytes;
    before->len = len;
    before->minutes += span->minutes;
    history_remove(history, index);
}

static void history_append(struct history *history, size_t len)
{
    uint8_t *bytes = history_copy(history, len);
    if (bytes == NULL) {
        return;
    }
    history->spans[history->count++] =
        (struct span){.from = history->noted_at, .minutes = 1, .bytes = bytes, .len = len};
    history->bytes += len;
    history_coarsen(history);
    while (history->count > SPANS_MAX || history->bytes > HISTORY_BYTES_MAX) {
        history_remove(history, 0);
    }
}

void history_note(struct history *history, const uint64_t *cells, int64_t now)
{
    size_t len = history_encode(history, cells);
    if (history->is_noted) {
        history_append(history, len);
    }
    history->is_noted = true;
    history->noted_at = now;
}

static void span_add(const struct span *span, uint64_t *cells, size_t cell_count)
{
    for (struct eye eye = eye_of(span); eye.cell != SIZE_MAX; eye_move(&eye)) {
        must(eye.cell < cell_count);
        cells[eye.cell] += eye.growth;
    }
}

int64_t history_since(const struct history *history, int64_t since, uint64_t *cells)
{
    for (size_t i = 0; i < history->cell_count; i++) {
        uint64_t before = history->last[i];
        if (before != 0 && cells[i] >= before) {
            cells[i] -= before;
        }
    }
    int64_t from = history->noted_at;
    for (size_t i = history->count; i > 0 && from > since; i--) {
        const struct span *span = &history->spans[i - 1];
        span_add(span, cells, history->cell_count);
        from = span->from;
    }
    return from;
}

void history_recall(const struct history *history, uint64_t *cells_out)
{
    for (size_t i = 0; i < history->cell_count; i++) {
        if (cells_out[i] != history->last[i]) {
            cells_out[i] = history->last[i];
        }
    }
}

uint64_t history_bytes(const struct history *history)
{
    return history->bytes;
}
