/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void must_passes_what_holds(void **state)
{
    (void)state;
    int count = 0;
    must(++count == 1);
    assert_int_equal(count, 1); /* The expression is evaluated once. */
}

static void must_aborts_with_a_line(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        must(1 + 1 == 3);
        _exit(0);
    }
    close(ends[1]);
    char line[256] = "";
    assert_true(read(ends[0], line, sizeof(line) - 1) > 0);
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(line, "test_must.c:"));
    assert_non_null(strstr(line, "must(1 + 1 == 3)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(must_passes_what_holds),
        cmocka_unit_test(must_aborts_with_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
