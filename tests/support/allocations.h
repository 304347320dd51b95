/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * Counts every allocation of the whole program, those inside libraries included, for tests that
 * promise there are none. allocations_plain.c stands before the C library's functions,
 * allocations_sanitized.c asks the sanitizer; CMake links the one that fits the build.
 */
void allocations_begin(void);

/* Since allocations_begin(), by all threads. */
uint64_t allocations_count(void);
