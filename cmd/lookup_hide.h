/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/name.h"
#include "mail/list_zone.h"
#include "mail/redact.h"

/*
 * What `mxcache lookup` does not show of the name that it was given. Whoever asked knows the
 * subject; a customer's key is not shown even to its owner, whose screen others may see. The lists
 * of lists.def are known here; of one that only the daemon's configuration knows, the daemon tells.
 * Plain data; pure.
 */
#define LOOKUP_HIDE_KEY_SIZE 256

struct name_argument;
struct text;

struct lookup_hide {
    uint8_t name[NAME_SIZE_MAX]; /* That was asked for. */
    size_t name_len;
    bool has_zone; /* The daemon has told of a list. */
    struct list_zone zone;
    uint8_t zone_name[NAME_SIZE_MAX];
    size_t zone_len;
    char key[LOOKUP_HIDE_KEY_SIZE]; /* As text; empty: none. */
};

void lookup_hide_init(struct lookup_hide *hide, const struct name_argument *name);

/* Takes the daemon's line `list ZONE KEY`. False: it is none, or cannot be read. */
bool lookup_hide_read(struct lookup_hide *hide, char *const words[], size_t count);

/* A name of any record; `text_out` has REDACT_TEXT_SIZE bytes. */
void lookup_hide_name(
    const struct lookup_hide *hide, const uint8_t *name, size_t len, char *text_out);

/* Record data in words: the key, where it stands there as a word, becomes a star. */
void lookup_hide_add_data(const struct lookup_hide *hide, struct text *text, const char *data);
