/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What the files of habit share: the two bounded tables beside its rows. */
struct habit;

/* The target of that list, a new one if need be: the zone that is used least makes room, once the
 * strangers that asked for its place outnumber its uses. HABIT_TARGET_NONE: no place. */
uint8_t habit_zone_target(struct habit *habit, const uint8_t *zone, size_t len);

/* A signature of the domain with that tag was looked up by that selector. */
void habit_selector_note(struct habit *habit, uint64_t tag, const uint8_t *label);

/* The `way`-th selector of the domain, or NULL. */
const uint8_t *habit_selector_at(const struct habit *habit, uint64_t tag, unsigned way);
