/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "conf/parse.h"
#include "conf/settings.h"

/*
 * The settings with what was found on the way to them, as one object of the heap: both are too
 * large for a stack. Owned by whoever made it. Main thread.
 */
#define CONFIGURATION_FILE "/etc/mxcache/mxcache.conf"

struct configuration {
    bool is_good; /* Else `settings` are not to be used. */
    struct settings settings;
    struct findings findings;
};

/* Loads. Never NULL: short of memory at its first step, the program ends with a sentence. */
struct configuration *configuration_new(const struct settings_source *source);
void configuration_free(struct configuration **configuration);

/* One line a finding, and one for those that did not fit. */
void configuration_print_findings(const struct configuration *configuration, FILE *out);
