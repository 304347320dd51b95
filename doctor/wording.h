/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Small pieces of sentences that several checks write. Pure; always NUL-terminated; any thread.
 */
struct address;

/* "40 seconds", "5 minutes", "3 hours", "2 days": one unit, rounded down; negative is 0. */
void wording_duration(int64_t seconds, char *text_out, size_t size);

/* "ADDRESS, ADDRESS and ADDRESS", without ports; "none" when there are none. */
void wording_addresses(const struct address *addresses, size_t count, char *text_out, size_t size);
