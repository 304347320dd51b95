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

size_t redact_name(
    const struct redact_case *redact, const uint8_t *name, size_t len, char *text_out, size_t size)
{
    size_t zone_at;
    bool has_key;
    if (!redact_find(redact, name, len, &zone_at, &has_key)) {
        return name_to_text(name, len, text_out, size);
    }
    struct text text;
    text_init(&text, text_out, size);
    size_t subject_end = has_key ? redact_key_at(name, zone_at) : zone_at;
    if (redact->shows_subject) {
        redact_add_labels(&text, name, subject_end);
    } else if (subject_end > 0) {
        text_add(&text, "?.");
    }
    text_add(&text, has_key ? "*." : "");
    char zone_text[NAME_TEXT_SIZE];
    (void)name_to_text(name + zone_at, len - zone_at, zone_text, sizeof zone_text);
    text_add(&text, zone_text);
    return text.len;
}
