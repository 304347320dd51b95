/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "setup/failure.h"
#include "setup/journal.h"
#include "tests/support/host_fixture.h"

/* What setup has changed is on disk before it is changed. */

static struct host_fixture fixture;
static struct host host;
static struct journal journal;
static struct failure failure;

static int set_up(void **state)
{
    (void)state;
    host_fixture_init(&fixture);
    host_fixture_write(&fixture, "/var/lib/.keep", "");
    assert_true(host_init(&host, fixture.root));
    assert_true(journal_read(&journal, &host, &failure));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    journal_fini(&journal);
    host_fini(&host);
    host_fixture_fini(&fixture);
    return 0;
}

static void record(const char *path, const char *bytes)
{
    struct path_state set;
    assert_true(path_state_make(&set, bytes, strlen(bytes)));
    assert_true(journal_record(&journal, path, &set, &failure));
    path_state_fini(&set);
}

/* As the next run finds it. */
static void read_again(void)
{
    journal_fini(&journal);
    if (!journal_read(&journal, &host, &failure)) {
        fail_msg("%s", failure.sentence);
    }
}

static void test_states_survive(void **state)
{
    struct stat stat;
    (void)state;
    host_fixture_write(&fixture, "/etc/a file", "was");
    host_fixture_link(&fixture, "/etc/link", "../target");
    record("/etc/a file", "set");
    record("/etc/link", "");
    record("/etc/none", "new");
    read_again();
    assert_int_equal(journal.count, 3);
    assert_string_equal(journal.entries[0].path, "/etc/a file");
    assert_int_equal(journal.entries[0].was.kind, PATH_FILE);
    assert_string_equal(journal.entries[0].was.bytes, "was");
    assert_string_equal(journal.entries[0].set.bytes, "set");
    assert_int_equal(journal.entries[1].was.kind, PATH_LINK);
    assert_string_equal(journal.entries[1].was.bytes, "../target");
    assert_int_equal(journal.entries[2].was.kind, PATH_ABSENT);
    assert_int_equal(host_stat(&host, JOURNAL_FOLDER "/0.was", false, &stat), HOST_READ);
    assert_int_equal(stat.st_mode & 0777, 0600);
}

/* The first state is what undoing leads back to. */
static void test_a_second_record_keeps_the_first_state(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/etc/file", "first");
    record("/etc/file", "second");
    host_fixture_write(&fixture, "/etc/file", "second");
    record("/etc/file", "third");
    read_again();
    assert_int_equal(journal.count, 1);
    assert_string_equal(journal.entries[0].was.bytes, "first");
    assert_string_equal(journal.entries[0].set.bytes, "third");
}

static void test_removing(void **state)
{
    struct host_names names;
    (void)state;
    host_fixture_write(&fixture, "/etc/file", "was");
    record("/etc/file", "set");
    assert_true(journal_remove(&journal, &failure));
    assert_int_equal(host_list(&host, JOURNAL_FOLDER, &names), HOST_READ);
    assert_int_equal(names.count, 0);
    host_names_fini(&names);
    read_again();
    assert_int_equal(journal.count, 0);
}

static void test_damage_is_told(void **state)
{
    static const char *const damaged[] = {
        "garbage\n",
        "0 1 644 0 0 0 0 relative\n",
        "1 1 644 0 0 0 0 /etc/file\n",
        "0 7 644 0 0 0 0 /etc/file\n",
        "0 1 644 0 0 0 0 /etc/without-its-bytes\n",
        "0 0 644 0 0 0 0 /etc/no-line-end",
    };
    (void)state;
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        host_fixture_write(&fixture, JOURNAL_FOLDER "/journal", damaged[i]);
        assert_false(journal_read(&journal, &host, &failure));
        assert_non_null(strstr(failure.sentence, "is damaged"));
        journal_fini(&journal);
    }
}

static void test_a_path_that_cannot_be_noted(void **state)
{
    struct path_state set;
    (void)state;
    assert_true(path_state_make(&set, "x", 1));
    assert_false(journal_record(&journal, "/etc/a\nb", &set, &failure));
    assert_int_equal(journal.count, 0);
    path_state_fini(&set);
}

static void test_one_at_a_time(void **state)
{
    (void)state;
    int first = journal_lock(&host, &failure);
    assert_true(first >= 0);
    assert_int_equal(journal_lock(&host, &failure), -1);
    assert_non_null(strstr(failure.sentence, "Another `mxcache setup`"));
    assert_int_equal(close(first), 0);
    int second = journal_lock(&host, &failure);
    assert_true(second >= 0);
    assert_int_equal(close(second), 0);
    host_fixture_remove(&fixture, JOURNAL_FOLDER);
    host_fixture_write(&fixture, JOURNAL_FOLDER, "");
    assert_int_equal(journal_lock(&host, &failure), -1);
    assert_non_null(strstr(failure.sentence, "cannot be locked: Not a directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_states_survive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_second_record_keeps_the_first_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_removing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_path_that_cannot_be_noted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
