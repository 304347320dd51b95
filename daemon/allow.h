/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

struct address;
struct settings;

/* May this client ask? True when one of the networks in settings->allow contains its address. An
 * open resolver is a weapon against others (RFC 5358), so who is not named is not served. */
bool allow_admits(const struct settings *settings, const struct address *client);
