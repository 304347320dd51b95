/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "tests/unit/doctor/mail_host.h"

/* For a test of checks: each case has a healthy mail host of its own to break. */
static struct host_fixture fixture;

static inline int set_up(void **state)
{
    (void)state;
    mail_host_init(&fixture);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    host_fixture_fini(&fixture);
    return 0;
}

static inline void expect(enum check_id check, enum report_level level, const char *part)
{
    (void)host_fixture_run(&fixture, check);
    host_fixture_expect(&fixture, check, level, part);
}
