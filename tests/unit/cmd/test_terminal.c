/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/terminal.h"

/* What is not a terminal has no colours; the letters are those of the locale. */
static void test_pipe(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    int before = dup(STDOUT_FILENO);
    assert_true(dup2(ends[1], STDOUT_FILENO) >= 0);
    assert_non_null(setlocale(LC_CTYPE, "C"));
    struct stats_style style = terminal_style();
    bool has_utf8 = setlocale(LC_CTYPE, "C.UTF-8") != NULL;
    struct stats_style utf8 = terminal_style();
    assert_true(dup2(before, STDOUT_FILENO) >= 0);
    assert_false(style.has_colour);
    assert_false(style.is_utf8);
    assert_true(utf8.is_utf8 == has_utf8);
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)close(before);
}

static bool is_coloured(const char *term, const char *no_colour)
{
    assert_int_equal(setenv("NO_COLOR", no_colour, 1), 0);
    assert_int_equal(term != NULL ? setenv("TERM", term, 1) : unsetenv("TERM"), 0);
    return terminal_style().has_colour;
}

static void test_terminal(void **state)
{
    (void)state;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    int before = dup(STDOUT_FILENO);
    assert_true(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    int slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0 && dup2(slave, STDOUT_FILENO) >= 0);
    bool seen[] = {is_coloured("xterm", ""), is_coloured("xterm", "1"), is_coloured("dumb", ""),
        is_coloured(NULL, "")};
    assert_true(dup2(before, STDOUT_FILENO) >= 0);
    assert_true(seen[0]);
    assert_false(seen[1] || seen[2] || seen[3]);
    (void)close(slave);
    (void)close(terminal);
    (void)close(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
