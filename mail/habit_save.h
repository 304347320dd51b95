/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Habits as bytes, in which they survive a restart. What is under watch at that moment is not among
 * them. The bytes hold names of lists and selectors, and of domains only keyed hashes.
 */
struct habit;

#define HABIT_SAVE_MAX     65535u
#define HABIT_SAVE_VERSION 1

/* How many bytes were written; 0: `size` is too small. HABIT_SAVE_MAX is enough for all but the
 * last of a full table of selectors, which are then left out. */
size_t habit_save(const struct habit *habit, uint8_t *bytes_out, size_t size);

/* How much was learned: subjects that were watched to the end. */
uint32_t habit_weight(const struct habit *habit);

/* False, and nothing changed, unless every byte is as habit_save() writes it, or when memory for
 * reading it is short. What is under watch is forgotten. */
bool habit_load(struct habit *habit, const uint8_t *bytes, size_t len);
