/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/list_use.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "mail/redact.h"
#include "doctor/list_use_private.h"

/* A label of an unknown zone that is at least so long and has letters and digits is taken for a
 * customer's key, lest one be shown. */
#define KEY_LABEL_MIN 12

static bool label_is_key(const uint8_t *label)
{
    unsigned digits = 0;
    unsigned letters = 0;
    for (unsigned i = 1; i <= label[0]; i++) {
        bool is_digit = label[i] >= '0' && label[i] <= '9';
        bool is_letter = label[i] >= 'a' && label[i] <= 'z';
        if (!is_digit && !is_letter) {
            return false;
        }
        digits += is_digit;
        letters += is_letter;
    }
    return label[0] >= KEY_LABEL_MIN && digits > 1 && letters > 1;
}

/* The row counts for the zone itself, with its key if it has one. Below a zone that has ended,
 * everything has. */
static void use_recognise(struct list_use *use)
{
    size_t zone_at = 0;
    const struct list_zone *zone = list_zone_above(use->name, use->name_len, &zone_at);
    bool is_keyed = zone != NULL && zone->has_key && zone_at == 1u + use->name[0];
    bool is_itself = zone != NULL && !zone->has_key && zone_at == 0;
    bool is_ended = zone != NULL && zone->ended != NULL;
    if (is_keyed || is_itself || is_ended) {
        use->known = zone;
        use->kind = zone->kind;
    }
    use->has_key = is_keyed || (use->known == NULL && label_is_key(use->name));
}

static void use_show(struct list_use *use)
{
    const struct redact_case redact = {.shows_subject = false};
    char text[REDACT_TEXT_SIZE];
    size_t skipped = use->has_key ? 1u + use->name[0] : 0;
    size_t len =
        use->known != NULL && use->known->has_key
            ? redact_name(&redact, use->name, use->name_len, text, sizeof text)
            : name_to_text(use->name + skipped, use->name_len - skipped, text, sizeof text);
    bool needs_star = use->has_key && text[0] != '*';
    if (len > 1 && text[len - 1] == '.') {
        text[len - 1] = '\0';
    }
    (void)snprintf(use->shown, sizeof use->shown, "%s%.*s", needs_star ? "*." : "", 270, text);
}

bool list_use_is_same(const struct list_use *a, const struct list_use *b)
{
    return name_equal(a->name, a->name_len, b->name, b->name_len);
}

/* The entry of the same program for the same list; restrictions of Postfix differ in what they do,
 * so each kind of them has its own. */
static struct list_use *uses_find(struct list_uses *uses, const struct list_use *use)
{
    for (size_t i = 0; i < uses->count; i++) {
        if (uses->uses[i].by == use->by && list_use_is_same(&uses->uses[i], use)) {
            return &uses->uses[i];
        }
    }
    return NULL;
}

static void uses_merge(struct list_uses *uses, const struct list_use *use)
{
    struct list_use *old = uses_find(uses, use);
    if (old != NULL) {
        bool is_worse = old->has_filter && !use->has_filter;
        bool is_harder = old->warns_only && !use->warns_only;
        if (list_use_is_postfix(use) && (is_worse || is_harder)) {
            *old = *use;
        }
        return;
    }
    if (uses->count == LIST_USES_MAX) {
        uses->dropped++;
        return;
    }
    uses->uses[uses->count++] = *use;
}

void list_uses_add(struct list_uses *uses, const struct list_seen *seen)
{
    struct list_use use = {
        .by = seen->by,
        .kind = seen->kind,
        .has_filter = seen->has_filter,
        .warns_only = seen->warns_only,
        .is_default = seen->is_default,
        .weight = seen->weight,
        .instance = seen->instance,
    };
    if (!name_from_text(seen->zone, seen->zone_len, use.name, &use.name_len) ||
        name_label_count(use.name, use.name_len) < 2) {
        return;
    }
    name_to_lower(use.name, use.name_len);
    use_recognise(&use);
    use_show(&use);
    (void)snprintf(use.place, sizeof use.place, "%.180s:%u", seen->file, seen->line);
    (void)snprintf(use.word, sizeof use.word, "%.*s",
        (int)(seen->word_len < LIST_USE_WORD_SIZE ? seen->word_len : LIST_USE_WORD_SIZE - 1),
        seen->word);
    uses_merge(uses, &use);
}

void list_uses_remove(struct list_uses *uses, list_use_test *is_out, const void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < uses->count; i++) {
        if (!is_out(&uses->uses[i], context)) {
            uses->uses[kept++] = uses->uses[i];
        }
    }
    uses->count = kept;
}

void list_uses_gather(
    struct list_uses *uses, const struct host *host, const struct postfix *postfix)
{
    *uses = (struct list_uses){.count = 0};
    uses->uses = calloc(LIST_USES_MAX, sizeof uses->uses[0]);
    must(uses->uses != NULL);
    list_uses_of_postfix(uses, postfix);
    list_uses_of_rspamd(uses, host);
    list_uses_of_spamassassin(uses, host);
}

void list_uses_fini(struct list_uses *uses)
{
    free(uses->uses);
    *uses = (struct list_uses){.count = 0};
}

bool list_use_is_postfix(const struct list_use *use)
{
    return use->by != LIST_USE_RSPAMD && use->by != LIST_USE_SPAMASSASSIN;
}

bool list_use_is_allow(const struct list_use *use)
{
    return use->by == LIST_USE_PERMIT || use->by == LIST_USE_PERMIT_DOMAIN || use->weight < 0 ||
           use->kind == LIST_KIND_ALLOW;
}
