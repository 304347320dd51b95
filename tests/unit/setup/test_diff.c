/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "setup/diff.h"
#include "setup/path_state.h"

/* Changes of files as unified diffs. */

struct diff_case {
    const char *was; /* NULL: there was no file. */
    const char *set;
    const char *hunk;
};

static void test_cases(void **state)
{
    static const struct diff_case cases[] = {
        {NULL, "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
        {"a\n", "b\n", "@@ -1,1 +1,1 @@\n-a\n+b\n"},
        {"1\n2\n3\n4\n5\n", "1\n2\n3\n4\n5\n6\n", "@@ -3,3 +3,4 @@\n 3\n 4\n 5\n+6\n"},
        {"1\n2\n3\n4\n5\n", "0\n1\n2\n3\n4\n5\n", "@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n"},
        {"1\n2\n3\n", "1\nX\n3\n", "@@ -1,3 +1,3 @@\n 1\n-2\n+X\n 3\n"},
        {"1\n2\n3\n", "1\n3\n", "@@ -1,3 +1,2 @@\n 1\n-2\n 3\n"},
        {"a", "a\nb\n", "@@ -1,1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n"},
        {"x\nx\n", "x\nx\nx\n", "@@ -1,2 +1,3 @@\n x\n x\n+x\n"},
        {"a\n", "", "@@ -1,1 +0,0 @@\n-a\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char output[1024];
        char expected[1024];
        struct text text;
        struct path_state was = {.kind = PATH_ABSENT};
        struct path_state set;
        if (cases[i].was != NULL) {
            assert_true(path_state_make(&was, cases[i].was, strlen(cases[i].was)));
        }
        assert_true(path_state_make(&set, cases[i].set, strlen(cases[i].set)));
        text_init(&text, output, sizeof output);
        diff_add(&text, "/etc/f", &was, &set);
        text_init(&text, expected, sizeof expected);
        text_addf(&text, "--- %s\n+++ b/etc/f\n%s", cases[i].was != NULL ? "a/etc/f" : "/dev/null",
            cases[i].hunk);
        assert_string_equal(output, expected);
        path_state_fini(&was);
        path_state_fini(&set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
