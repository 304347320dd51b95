/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * Assertions that stay on in every build. They guard what cannot happen: an edge that is not in the
 * table, a count below zero. They never judge data from outside: that is a verdict, not an error.
 */

/* Prints one line (file, line, expression) to standard error and aborts. */
_Noreturn void must_fail(const char *file, int line, const char *expression);

#define must(expression) ((expression) ? (void)0 : must_fail(__FILE__, __LINE__, #expression))

/* For the place behind a switch that names every case. */
#define must_never(why) must_fail(__FILE__, __LINE__, why)
