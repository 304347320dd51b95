/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * What a process sets up once before it serves. Main thread, before any other exists.
 */
struct settings;

/* Whoever started us may have blocked or ignored what we live by. */
void boot_prepare_signals(void);

/* Each waiting question may hold a socket; the usual soft limit of 1,024 is too low for that. */
void boot_raise_descriptors(const struct settings *settings);

/* Into how many parts with a lock each the cache is divided: a power of two. */
uint32_t boot_shard_count(const struct settings *settings);
