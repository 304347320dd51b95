/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/failure.h"

#include <stdarg.h>
#include <stdio.h>

_Bool failure_set(struct failure *failure, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(failure->sentence, sizeof failure->sentence, format, arguments);
    va_end(arguments);
    return 0;
}
