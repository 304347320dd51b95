/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/trouble.h"

#include <stdarg.h>
#include <stdio.h>
#include <sysexits.h>

void trouble_set(struct trouble *trouble, int exit_code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(trouble->sentence, sizeof trouble->sentence, format, arguments);
    va_end(arguments);
    trouble->exit_code = exit_code;
}

void trouble_set_memory(struct trouble *trouble)
{
    trouble_set(trouble, EX_OSERR,
        "there is not enough memory to start. Lower `cache_size`, `questions_max`, "
        "`tcp_clients_max` or `workers`.");
}
