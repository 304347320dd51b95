/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/address.h"
#include "conf/settings.h"
#include "tests/support/host_fixture.h"

/* mxcache itself, as the doctor sees it. */

static struct host_fixture fixture;
static struct settings *settings;
static struct doctor_daemon daemon_said;

static int set_up(void **state)
{
    (void)state;
    host_fixture_init(&fixture);
    settings = calloc(1, sizeof *settings);
    assert_non_null(settings);
    settings->group_count = 1;
    settings->groups[0].server_count = 1;
    settings->listen_count = 1;
    assert_true(address_parse("127.0.0.1", 9, 53, &settings->listen[0]));
    fixture.options.settings = settings;
    daemon_said = (struct doctor_daemon){.covers_s = 600, .questions = 1000, .servers = 2};
    fixture.options.daemon = &daemon_said;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    host_fixture_fini(&fixture);
    free(settings);
    return 0;
}

static void expect(enum check_id check, enum report_level level, const char *part)
{
    (void)host_fixture_run(&fixture, check);
    host_fixture_expect(&fixture, check, level, part);
    assert_int_equal(fixture.doctor->report.count, 1);
}

static void test_configuration(void **state)
{
    (void)state;
    expect(CHECK_mx_conf, REPORT_GOOD, "servers: 1.");
    settings->groups[0].server_count = 0;
    expect(CHECK_mx_conf, REPORT_ERROR, "nobody to ask");
    fixture.options.settings = NULL;
    expect(CHECK_mx_conf, REPORT_ERROR, "mxcache check");
    fixture.options.settings_skipped = "Another host's.";
    expect(CHECK_mx_conf, REPORT_SKIPPED, "Another host's.");
}

static void test_running(void **state)
{
    (void)state;
    expect(CHECK_mx_daemon, REPORT_GOOD, "1000 questions in the last 10 minutes");
    daemon_said.health = DOCTOR_DAEMON_LIMPING;
    daemon_said.resting = 1;
    expect(CHECK_mx_daemon, REPORT_WARNING, "1 of mxcache's 2");
    daemon_said.health = DOCTOR_DAEMON_FAILING;
    daemon_said.failed = 40;
    expect(CHECK_mx_daemon, REPORT_WARNING, "40 of 1000");
    daemon_said.health = DOCTOR_DAEMON_CUT_OFF;
    expect(CHECK_mx_daemon, REPORT_ERROR, "no upstream DNS server answers");
}

/* Not running matters when the host asks us. */
static void test_absent(void **state)
{
    (void)state;
    daemon_said.state = DOCTOR_DAEMON_ABSENT;
    (void)snprintf(daemon_said.sentence, sizeof daemon_said.sentence, "nobody there");
    expect(CHECK_mx_daemon, REPORT_NOTE, "setup --dry-run");
    host_fixture_write(&fixture, "/etc/resolv.conf", "nameserver 192.0.2.53\n");
    expect(CHECK_mx_daemon, REPORT_NOTE, "nobody there");
    host_fixture_write(&fixture, "/etc/resolv.conf", "nameserver 127.0.0.1\n");
    expect(CHECK_mx_daemon, REPORT_ERROR, "nobody there");
    daemon_said.state = DOCTOR_DAEMON_DENIED;
    expect(CHECK_mx_daemon, REPORT_SKIPPED, "nobody there");
    fixture.options.daemon = NULL;
    expect(CHECK_mx_daemon, REPORT_SKIPPED, "--offline");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_configuration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_running, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_absent, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
