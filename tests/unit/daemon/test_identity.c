/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/identity.h"
#include "daemon/trouble.h"

static void test_empty_means_stay(void **state)
{
    (void)state;
    struct identity identity;
    struct trouble trouble = {.exit_code = 0};
    assert_true(identity_find("", &identity, &trouble));
    assert_false(identity.is_changing);
    assert_int_equal(identity.uid, geteuid());
    assert_int_equal(identity.gid, getegid());
}

static void test_unknown_user(void **state)
{
    (void)state;
    struct identity identity;
    struct trouble trouble = {.exit_code = 0};
    bool is_found = identity_find("no-such-user-here", &identity, &trouble);
    if (geteuid() != 0) {
        /* Nobody but root can change, so the name does not matter. */
        assert_true(is_found);
        return;
    }
    assert_false(is_found);
    assert_int_equal(trouble.exit_code, EX_CONFIG);
    assert_non_null(strstr(trouble.sentence, "no-such-user-here"));
}

/* What went wrong in the child, as an exit code; 0: nothing. */
static int take_and_look(const struct passwd *entry)
{
    struct identity identity;
    struct trouble trouble;
    const char *user = entry != NULL ? "nobody" : "";
    if (!identity_find(user, &identity, &trouble) || !identity_take(&identity, &trouble)) {
        return 1;
    }
    if (entry != NULL && (geteuid() != entry->pw_uid || getegid() != entry->pw_gid ||
                             getgroups(0, NULL) > 1 || setuid(0) == 0 || setgid(0) == 0)) {
        return 2;
    }
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
        return 3;
    }
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 4;
}

static void expect_taken(const struct passwd *entry)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(take_and_look(entry));
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_there_is_no_way_back(void **state)
{
    (void)state;
    const struct passwd *entry = getpwnam("nobody");
    if (geteuid() != 0 || entry == NULL) {
        skip();
    }
    expect_taken(entry);
}

/* Nor does it leave its memory behind when it dies. */
static void test_who_stays_gives_up_as_much(void **state)
{
    (void)state;
    expect_taken(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_means_stay),
        cmocka_unit_test(test_unknown_user),
        cmocka_unit_test(test_there_is_no_way_back),
        cmocka_unit_test(test_who_stays_gives_up_as_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
