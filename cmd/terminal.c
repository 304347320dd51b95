/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stats_style terminal_style(void)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    bool is_plain = (no_colour != NULL && no_colour[0] != '\0') || terminal == NULL ||
                    strcmp(terminal, "dumb") == 0;
    return (struct stats_style){
        .is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .has_colour = !is_plain && isatty(STDOUT_FILENO) == 1,
    };
}
