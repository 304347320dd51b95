/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "doctor/report.h"

/*
 * What the checks of Postfix's configuration begin with. Main thread.
 */
struct doctor;
struct postfix_instance;

/* False, with an entry that says why: Postfix is not installed, or may not be read. A leftover
 * configuration without the program counts as not installed. */
bool check_postfix_present(struct doctor *doctor, enum check_id check);

/* The enabled instance at *at_inout or behind it; *at_inout goes on. NULL: no more. */
const struct postfix_instance *check_postfix_next(struct doctor *doctor, size_t *at_inout);

/* Does the instance's master process run? */
enum check_postfix_life {
    CHECK_POSTFIX_RUNS,
    CHECK_POSTFIX_STOPPED,
    CHECK_POSTFIX_UNKNOWN, /* Not to be seen by this user, or there is no /proc. */
};
enum check_postfix_life check_postfix_life(
    const struct doctor *doctor, const struct postfix_instance *instance);
