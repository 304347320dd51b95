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

/* Stands in for the real one, which is not linked. The lowest bit says whether memory is short at
 * its next change. */
struct worker {
    const struct settings *looks_at;
    unsigned fails;
};

bool worker_set_settings(struct worker *worker, const struct settings *settings)
{
    bool fails = (worker->fails & 1) != 0;
    worker->fails >>= 1;
    if (!fails) {
        worker->looks_at = settings;
    }
    return !fails;
}

void worker_call(struct worker *worker, worker_function *function, void *context)
{
    function(worker, context);
}

static struct settings *settings_new(void)
{
    struct settings *settings = calloc(1, sizeof *settings);
    assert_non_null(settings);
    return settings;
}

/* Reads what each worker looks at, so that the sanitizer tells of what has been freed. */
static void expect_alive(const struct worker *workers)
{
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(workers[i].looks_at->group_count, 0);
    }
}

static void test_everybody_or_nobody(void **state)
{
    (void)state;
    struct settings *old = settings_new();
    struct settings *next = settings_new();
    struct worker pair[2] = {{old, 0}, {old, 1}};
    struct worker *const all[2] = {&pair[0], &pair[1]};
    const struct changeover_workers workers = {all, 2};
    struct changeover changeover = {NULL};

    assert_false(changeover_make(&changeover, &workers, old, settings_new()));
    assert_ptr_equal(pair[0].looks_at, old);
    assert_ptr_equal(pair[1].looks_at, old);
    assert_null(changeover.stranded);

    assert_true(changeover_make(&changeover, &workers, old, next));
    free(old);
    assert_ptr_equal(pair[0].looks_at, next);
    assert_ptr_equal(pair[1].looks_at, next);
    changeover_fini(&changeover);
    free(next);
}

/* The first worker goes on, the second one cannot, and the first one cannot come back. */
static void test_what_is_looked_at_stays(void **state)
{
    (void)state;
    struct settings *old = settings_new();
    struct settings *next = settings_new();
    struct settings *stranded = settings_new();
    struct worker pair[2] = {{old, 0xe}, {old, 0xf}};
    struct worker *const all[2] = {&pair[0], &pair[1]};
    const struct changeover_workers workers = {all, 2};
    struct changeover changeover = {NULL};

    assert_false(changeover_make(&changeover, &workers, old, stranded));
    assert_ptr_equal(pair[0].looks_at, stranded);
    assert_ptr_equal(pair[1].looks_at, old);
    expect_alive(pair);

    /* However often that is tried. */
    assert_false(changeover_make(&changeover, &workers, old, settings_new()));
    assert_false(changeover_make(&changeover, &workers, old, settings_new()));
    assert_ptr_equal(changeover.stranded, stranded);
    expect_alive(pair);

    assert_true(changeover_make(&changeover, &workers, old, next));
    free(old);
    assert_null(changeover.stranded);
    expect_alive(pair);
    changeover_fini(&changeover);
    free(next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everybody_or_nobody),
        cmocka_unit_test(test_what_is_looked_at_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
