/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/redact.h"

#include <string.h>

#include "base/text.h"
#include "wire/name.h"
#include "wire/types.h"
#include "mail/list_zone.h"

/* Where the zone begins that the name asks, if it does, and whether a key stands before it. */
static bool redact_find(const struct redact_case *redact, const uint8_t *name, size_t len,
    size_t *zone_at_out, bool *has_key_out)
{
    struct list_question question;
    const struct list_zone *zone = redact->zone;
    *zone_at_out = redact->zone_at;
    if (zone == NULL) {
        zone = list_zone_above(name, len, zone_at_out);
    }
    *has_key_out = zone != NULL && zone->has_key;
    if (zone != NULL) {
        return *zone_at_out > 0;
    }
    /* Whatever was asked for: a name of this shape is a subject's. */
    bool is_question = list_question_of(name, len, TYPE_A, &question);
    *zone_at_out = is_question ? question.zone_at : 0;
    return is_question;
}

/* The label that ends where the zone begins: there stands the key, even in a name without a
 * subject. */
static size_t redact_key_at(const uint8_t *name, size_t zone_at)
{
    size_t at = 0;
    while (at + 1u + name[at] < zone_at) {
        at += 1u + name[at];
    }
    return at;
}

/* The labels of [0, end), each with its dot. */
static void redact_add_labels(struct text *text, const uint8_t *name, size_t end)
{
    uint8_t head[NAME_SIZE_MAX];
    char head_text[NAME_TEXT_SIZE];
    if (end == 0) {
        return;
    }
    memcpy(head, name, end);
    head[end] = 0;
    (void)name_to_text(head, end + 1, head_text, sizeof head_text);
    text_add(text, head_text);
}

void redact_keep(
    const struct redact_case *redact, const uint8_t *name, size_t len, struct redacted *kept_out)
{
    static const uint8_t star[] = {1, '*'};
    size_t zone_at;
    bool has_key;
    *kept_out = (struct redacted){.len = (uint8_t)len};
    if (!redact_find(redact, name, len, &zone_at, &has_key)) {
        memcpy(kept_out->name, name, len);
        return;
    }
    size_t at = has_key ? redact_key_at(name, zone_at) : zone_at;
    memcpy(kept_out->name, name, at);
    kept_out->subject_len = (uint8_t)at;
    if (has_key) {
        memcpy(kept_out->name + at, star, sizeof star);
        at += sizeof star;
    }
    memcpy(kept_out->name + at, name + zone_at, len - zone_at);
    kept_out->len = (uint8_t)(at + len - zone_at);
}

size_t redact_kept_text(
    const struct redacted *kept, bool shows_subject, char *text_out, size_t size)
{
    struct text text;
    char rest[NAME_TEXT_SIZE];
    size_t at = kept->subject_len;
    text_init(&text, text_out, size);
    if (shows_subject) {
        redact_add_labels(&text, kept->name, at);
    } else if (at > 0) {
        text_add(&text, "?.");
    }
    (void)name_to_text(kept->name + at, kept->len - at, rest, sizeof rest);
    text_add(&text, rest);
    return text.len;
}

size_t redact_name(
    const struct redact_case *redact, const uint8_t *name, size_t len, char *text_out, size_t size)
{
    struct redacted kept;
    redact_keep(redact, name, len, &kept);
    return redact_kept_text(&kept, redact->shows_subject, text_out, size);
}
