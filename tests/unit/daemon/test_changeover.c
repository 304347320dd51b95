/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conf/settings.h"
#include "daemon/changeover.h"
#include "daemon/worker.h"

/* Stands in for the real one, which is not linked. */
struct worker {
    const struct settings *looks_at;
    const struct settings *is_ready_for;
    bool is_short; /* Of memory. */
};

bool worker_prepare_settings(struct worker *worker, const struct settings *settings)
{
    assert_null(worker->is_ready_for);
    worker->is_ready_for = worker->is_short ? NULL : settings;
    return !worker->is_short;
}

void worker_take_settings(struct worker *worker)
{
    assert_non_null(worker->is_ready_for);
    worker->looks_at = worker->is_ready_for;
    worker->is_ready_for = NULL;
}

void worker_leave_settings(struct worker *worker)
{
    worker->is_ready_for = NULL;
}

void worker_call(struct worker *worker, worker_function *function, void *context)
{
    function(worker, context);
}

/* Whoever of three is short of memory: nobody has changed over, and everybody does next time. */
static void test_everybody_or_nobody(void **state)
{
    (void)state;
    static const struct settings old;
    static const struct settings next;
    for (unsigned poor = 0; poor < 3; poor++) {
        struct worker three[3] = {{.looks_at = &old}, {.looks_at = &old}, {.looks_at = &old}};
        struct worker *const all[3] = {&three[0], &three[1], &three[2]};
        three[poor].is_short = true;
        assert_false(changeover_make(all, 3, &next));
        for (unsigned i = 0; i < 3; i++) {
            assert_ptr_equal(three[i].looks_at, &old);
            assert_null(three[i].is_ready_for);
        }
        three[poor].is_short = false;
        assert_true(changeover_make(all, 3, &next));
        for (unsigned i = 0; i < 3; i++) {
            assert_ptr_equal(three[i].looks_at, &next);
            assert_null(three[i].is_ready_for);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everybody_or_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
