/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/name.h"

/*
 * Names that may be shown. Before the zone of a DNS list stands the subject of the question, which
 * tells who writes to this host, and before the zones of paid lists the customer's key. The key is
 * never shown, to nobody; the subject only where the caller says so.
 *
 *     2.0.0.127.zen.spamhaus.org            ?.zen.spamhaus.org
 *     2.0.0.127.KEY.zen.dq.spamhaus.net     ?.*.zen.dq.spamhaus.net
 *     gmail.com                             gmail.com
 *
 * Pure; any thread.
 */
struct list_zone;

struct redact_case {
    const struct list_zone *zone; /* The operator's own row for this name; NULL: lists.def's. */
    size_t zone_at;               /* Of `zone`. */
    bool shows_subject;
};

/* A name as it may be kept in memory: the customer's key is not in it. */
struct redacted {
    uint8_t name[NAME_SIZE_MAX]; /* Wire form; in place of the key stands the label "*". */
    uint8_t len;
    uint8_t subject_len; /* So many of its bytes are the subject. */
};

void redact_keep(
    const struct redact_case *redact, const uint8_t *name, size_t len, struct redacted *kept_out);
size_t redact_kept_text(
    const struct redacted *kept, bool shows_subject, char *text_out, size_t size);

/* `name` in wire form. The text is that of name_to_text(): with a final dot, escaped, cut when
 * `size` (at least REDACT_TEXT_SIZE for none of that) is too small. Returns its length. */
#define REDACT_TEXT_SIZE 1032
size_t redact_name(
    const struct redact_case *redact, const uint8_t *name, size_t len, char *text_out, size_t size);
