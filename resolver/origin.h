/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * Where a cached answer came from, in 16 bits that mean the same after a reload, after a restart
 * and on another host: a fixed hash over the name of its upstream group. Two groups share a tag
 * once in 65,536 pairs, and then only a denial of the one may be concluded from at the other, and
 * `mxcache lookup` names the wrong one. Pure; any thread.
 */
uint16_t origin_of_group(const char *name);
