/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "cmd/stats_cell.h"

/* What standard output can show: UTF-8 by the locale, colour on a terminal that is not dumb, unless
 * NO_COLOR is set. Main thread. */
struct stats_style terminal_style(void);
