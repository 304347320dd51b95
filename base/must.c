/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void must_fail(const char *file, int line, const char *expression)
{
    /* stdio's buffers may be part of what is broken: the line goes straight to the descriptor. */
    dprintf(2, "%s:%d: cannot happen, please report: must(%s)\n", file, line, expression);
    abort();
}
