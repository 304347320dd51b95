/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/processes.h"
#include "tests/support/host_fixture.h"

static struct host_fixture fixture;

#define STAT_TAIL " S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 "

static void test_read(void **state)
{
    (void)state;
    struct host host;
    struct processes processes;
    host_fixture_init(&fixture);
    assert_true(host_init(&host, fixture.root));
    processes_read(&processes, &host);
    assert_int_equal(processes.count, 0);
    processes_fini(&processes);

    host_fixture_write(&fixture, "/proc/stat", "cpu 1 2\nbtime 1000000\nprocesses 7\n");
    host_fixture_write(&fixture, "/proc/1/stat", "1 (init)" STAT_TAIL "100 1 1\n");
    host_fixture_write(&fixture, "/proc/77/stat", "77 (a) S) (b)" STAT_TAIL "5000 1 1\n");
    host_fixture_write(&fixture, "/proc/78/stat", "78 no parentheses\n");
    host_fixture_write(&fixture, "/proc/79/stat", "79 (cut) S 1\n");
    host_fixture_write(&fixture, "/proc/80/stat",
        "80 "
        "(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        ")" STAT_TAIL "99999999999999999999999999 1 1\n");
    host_fixture_write(&fixture, "/proc/self/stat", "1 (init)" STAT_TAIL "100 1 1\n");
    processes_read(&processes, &host);
    assert_int_equal(processes.count, 3);
    const struct process *process = processes_find(&processes, "a) S) (b");
    assert_non_null(process);
    assert_int_equal(process->pid, 77);
    assert_int_equal(process->parent_pid, 1);
    assert_int_equal(process->started_s, 1000050);
    assert_ptr_equal(processes_find_pid(&processes, 77), process);
    assert_null(processes_find(&processes, "b"));
    assert_null(processes_find_pid(&processes, 78));
    processes_fini(&processes);

    host_fixture_write(&fixture, "/proc/stat", "nothing\n");
    processes_read(&processes, &host);
    assert_int_equal(processes_find_pid(&processes, 1)->started_s, 0);
    processes_fini(&processes);
    host_fini(&host);
    host_fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
