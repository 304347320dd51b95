/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/deadline.h"

#include <stdlib.h>

#include "base/must.h"

static bool is_earlier(const struct deadline *a, const struct deadline *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void heap_put(struct deadlines *deadlines, uint32_t position, struct deadline *deadline)
{
    deadlines->heap[position] = deadline;
    deadline->position = position;
}

static void heap_rise(struct deadlines *deadlines, struct deadline *deadline)
{
    uint32_t position = deadline->position;
    while (position > 1 && is_earlier(deadline, deadlines->heap[position / 2])) {
        heap_put(deadlines, position, deadlines->heap[position / 2]);
        position /= 2;
    }
    heap_put(deadlines, position, deadline);
}

static void heap_sink(struct deadlines *deadlines, struct deadline *deadline)
{
    uint32_t position = deadline->position;
    while (position <= deadlines->count / 2) {
        uint32_t child = position * 2;
        if (child < deadlines->count &&
            is_earlier(deadlines->heap[child + 1], deadlines->heap[child])) {
            child++;
        }
        if (!is_earlier(deadlines->heap[child], deadline)) {
            break;
        }
        heap_put(deadlines, position, deadlines->heap[child]);
        position = child;
    }
    heap_put(deadlines, position, deadline);
}

bool deadlines_init(struct deadlines *deadlines, uint32_t capacity)
{
    *deadlines = (struct deadlines){.heap = calloc((size_t)capacity + 1, sizeof(void *))};
    if (deadlines->heap == NULL) {
        return false;
    }
    deadlines->capacity = capacity;
    return true;
}

void deadlines_fini(struct deadlines *deadlines)
{
    if (deadlines == NULL) {
        return;
    }
    free(deadlines->heap);
    *deadlines = (struct deadlines){.count = 0};
}

void deadlines_set(struct deadlines *deadlines, struct deadline *deadline, int64_t at)
{
    if (deadline->position == 0) {
        must(deadlines->count < deadlines->capacity);
        deadlines->count++;
        heap_put(deadlines, deadlines->count, deadline);
    }
    must(deadlines->heap[deadline->position] == deadline);
    deadline->at = at;
    deadline->order = deadlines->order_next++;
    heap_rise(deadlines, deadline);
    heap_sink(deadlines, deadline);
}

void deadlines_clear(struct deadlines *deadlines, struct deadline *deadline)
{
    uint32_t position = deadline->position;
    if (position == 0) {
        return;
    }
    must(position <= deadlines->count && deadlines->heap[position] == deadline);
    struct deadline *last = deadlines->heap[deadlines->count];
    deadlines->count--;
    deadline->position = 0;
    if (last != deadline) {
        heap_put(deadlines, position, last);
        heap_rise(deadlines, last);
        heap_sink(deadlines, last);
    }
}

int64_t deadlines_next(const struct deadlines *deadlines)
{
    return deadlines->count > 0 ? deadlines->heap[1]->at : INT64_MAX;
}

struct deadline *deadlines_take_due(struct deadlines *deadlines, int64_t now)
{
    if (deadlines->count == 0 || deadlines->heap[1]->at > now) {
        return NULL;
    }
    struct deadline *due = deadlines->heap[1];
    deadlines_clear(deadlines, due);
    return due;
}
