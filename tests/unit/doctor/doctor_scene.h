/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "tests/support/doctor_case.h"

/* For a test of checks: each case has a host of its own. */
static struct doctor_case host;

static inline int set_up(void **state)
{
    (void)state;
    doctor_case_init(&host);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    doctor_case_fini(&host);
    return 0;
}
