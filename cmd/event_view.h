/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "wire/types.h"

/*
 * One event of a time line as the daemon tells it (daemon/control.h, `event`), and in words. The
 * daemon may be of another version: words that are not known are shown as they are. Plain data;
 * pure; any thread.
 */
#define EVENT_VIEW_WORDS     8 /* event AT_US KIND SERVER TRANSPORT DETAIL RCODE LATE */
#define EVENT_VIEW_WORD_SIZE 24

struct text;

struct event_view {
    uint64_t at_us;
    char kind[EVENT_VIEW_WORD_SIZE];
    char server[ADDRESS_TEXT_SIZE]; /* "-": none. */
    char transport[EVENT_VIEW_WORD_SIZE];
    char detail[EVENT_VIEW_WORD_SIZE];
    char rcode[TYPE_TEXT_SIZE]; /* "-": none. */
    bool is_late;
};

/* False: this is no event line. */
bool event_view_read(char *const words[], size_t count, struct event_view *event_out);

/* "asked 192.0.2.53 by UDP": a part of a sentence, ASCII. */
#define EVENT_VIEW_TEXT_SIZE 256
void event_view_add(struct text *text, const struct event_view *event);
