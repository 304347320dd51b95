/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/allow.h"

#include <stddef.h>

#include "conf/settings.h"

bool allow_admits(const struct settings *settings, const struct address *client)
{
    for (size_t i = 0; i < settings->allow_count; i++) {
        if (network_contains(&settings->allow[i], client)) {
            return true;
        }
    }
    return false;
}
