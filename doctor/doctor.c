/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/doctor.h"

#include "base/clock.h"

typedef void check_function(struct doctor *doctor);

static check_function *const check_functions[CHECKS + 1] = {
#define CHECK(group, id, ...) [CHECK_##id] = check_##id,
#include "doctor/checks.def"
#undef CHECK
};

bool doctor_init(struct doctor *doctor, const struct doctor_options *options, struct random *random)
{
    doctor->options = *options;
    doctor->random = random;
    doctor->now_wall_s = clock_wall() / CLOCK_US_PER_S;
    report_init(&doctor->report);
    doctor->facts = (struct facts){0};
    if (!host_init(&doctor->host, options->root != NULL ? options->root : "/")) {
        return false;
    }
    facts_gather(&doctor->facts, &doctor->host);
    return true;
}

void doctor_fini(struct doctor *doctor)
{
    facts_fini(&doctor->facts);
    report_fini(&doctor->report);
    host_fini(&doctor->host);
}

void doctor_run(
    struct doctor *doctor, const bool is_wanted[CHECKS], const struct doctor_watch *watch)
{
    for (int i = 0; i < (int)CHECKS; i++) {
        if (!is_wanted[i]) {
            continue;
        }
        if (watch->progress != NULL) {
            watch->progress((enum check_id)i, watch->context);
        }
        check_functions[i](doctor);
    }
}
