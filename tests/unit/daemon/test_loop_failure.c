/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include <ev.h>

#include "daemon/loop_failure.h"

/* More than any machine has: both glibc and the sanitizers refuse it. */
#define TOO_MUCH (INT64_C(1) << 60)

static void test_grows_and_frees(void **state)
{
    (void)state;
    char *memory = loop_failure_resize(NULL, 3);
    memcpy(memory, "ab", 3);
    memory = loop_failure_resize(memory, 100000);
    assert_string_equal(memory, "ab");
    assert_null(loop_failure_resize(memory, 0));
    assert_null(loop_failure_resize(NULL, 0));
}

static void test_no_memory_ends_with_an_exit_code(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)loop_failure_resize(NULL, TOO_MUCH);
        _exit(EX_OK);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EX_OSERR);
}

static void test_libev_uses_it(void **state)
{
    (void)state;
    loop_failure_init();
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    assert_non_null(loop);
    ev_loop_destroy(loop);
}

/* The sanitizers are to give NULL, as malloc does, rather than to complain. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_and_frees),
        cmocka_unit_test(test_no_memory_ends_with_an_exit_code),
        cmocka_unit_test(test_libev_uses_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
