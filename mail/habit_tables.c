/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "mail/habit.h"
#include "mail/habit_private.h"

#define HABIT_USES_MAX 1024

/* ---- Zones ---- */

static void habit_row_forget(struct habit_row *row, unsigned target)
{
    row->asked[target] = 0;
    row->dnssec &= ~(UINT64_C(1) << target);
}

/* What was learned about the list that stood in this place is not true of the next one. */
static void habit_zone_forget(struct habit *habit, unsigned place)
{
    unsigned target = SEQUEL_ASPECT_LIST + place;
    for (unsigned i = 0; i < 2 * HABIT_TARGETS; i++) {
        habit_row_forget(&habit->rows[i], target);
    }
    memset(&habit->rows[target], 0, sizeof habit->rows[target]);
    memset(&habit->rows[HABIT_TARGETS + target], 0, sizeof habit->rows[target]);
}

static unsigned habit_zone_least(const struct habit *habit)
{
    unsigned least = 0;
    for (unsigned i = 1; i < HABIT_ZONES; i++) {
        if (habit->zones[i].uses < habit->zones[least].uses) {
            least = i;
        }
    }
    return least;
}

static bool habit_zone_is(const struct habit_zone *known, const uint8_t *zone, size_t len)
{
    return known->len == len && memcmp(known->name, zone, len) == 0;
}

static void habit_zone_use(struct habit *habit, struct habit_zone *zone)
{
    zone->uses++;
    if (zone->uses < HABIT_USES_MAX) {
        return;
    }
    for (unsigned i = 0; i < HABIT_ZONES; i++) {
        habit->zones[i].uses /= 2;
    }
}

uint8_t habit_zone_target(struct habit *habit, const uint8_t *zone, size_t len)
{
    for (unsigned i = 0; i < HABIT_ZONES; i++) {
        if (habit_zone_is(&habit->zones[i], zone, len)) {
            habit_zone_use(habit, &habit->zones[i]);
            return (uint8_t)(SEQUEL_ASPECT_LIST + i);
        }
    }
    unsigned place = habit_zone_least(habit);
    struct habit_zone *known = &habit->zones[place];
    if (len > HABIT_ZONE_SIZE) {
        return HABIT_TARGET_NONE;
    }
    if (known->uses > 0) {
        known->uses--;
        return HABIT_TARGET_NONE;
    }
    habit_zone_forget(habit, place);
    memcpy(known->name, zone, len);
    known->len = (uint8_t)len;
    known->uses = 1;
    return (uint8_t)(SEQUEL_ASPECT_LIST + place);
}

/* ---- Selectors ---- */

static size_t habit_selector_set(uint64_t tag)
{
    return tag % (HABIT_SELECTORS / HABIT_WAYS) * HABIT_WAYS;
}

void habit_selector_note(struct habit *habit, uint64_t tag, const uint8_t *label)
{
    struct habit_selector *set = &habit->selectors[habit_selector_set(tag)];
    struct habit_selector *place = &set[0];
    size_t size = 1u + label[0];
    if (size > HABIT_LABEL_SIZE) {
        return;
    }
    for (unsigned i = 0; i < HABIT_WAYS; i++) {
        if (set[i].tag == tag && memcmp(set[i].label, label, size) == 0) {
            set[i].seen = ++habit->selectors_seen;
            return;
        }
        place = set[i].seen < place->seen ? &set[i] : place;
    }
    *place = (struct habit_selector){.tag = tag, .seen = ++habit->selectors_seen};
    memcpy(place->label, label, size);
}

const uint8_t *habit_selector_at(const struct habit *habit, uint64_t tag, unsigned way)
{
    const struct habit_selector *set = &habit->selectors[habit_selector_set(tag)];
    for (unsigned i = 0; i < HABIT_WAYS; i++) {
        if (set[i].tag == tag && way-- == 0) {
            return set[i].label;
        }
    }
    return NULL;
}
