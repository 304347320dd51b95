/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "conf/finding.h"
#include "daemon/daemon_log.h"
#include "daemon/export.h"

static char output[65536];

/* What `say` writes to standard error. */
static const char *output_of(void (*say)(void *context), void *context)
{
    char path[] = "/tmp/mxcache-daemon-log-XXXXXX";
    int fd = mkstemp(path);
    int kept = dup(STDERR_FILENO);
    assert_true(fd >= 0 && kept >= 0);
    assert_int_equal(unlink(path), 0);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
    say(context);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    ssize_t len = pread(fd, output, sizeof output - 1, 0);
    assert_true(len >= 0);
    output[len] = '\0';
    (void)close(fd);
    (void)close(kept);
    return output;
}

struct minute_case {
    struct daemon_log_minute minute;
    struct export *export;
};

static void say_minute(void *context)
{
    struct minute_case *minute_case = context;
    daemon_log_minute(&minute_case->minute, minute_case->export);
}

static size_t daemon_row(const char *name)
{
    for (size_t i = 0; i < daemon_metric_row_count; i++) {
        if (strcmp(daemon_metric_rows[i].name, name) == 0) {
            return i;
        }
    }
    fail_msg("no row %s", name);
    return 0;
}

static void counters_that_grow_are_told_once_a_minute(void **state)
{
    struct minute_case minute_case = {.export = export_new()};
    size_t row = daemon_row("clients_not_allowed");
    (void)state;
    assert_non_null(minute_case.export);
    assert_string_equal(output_of(say_minute, &minute_case), "");
    minute_case.export->daemon[row] = 12;
    const char *line = output_of(say_minute, &minute_case);
    assert_non_null(strstr(line, "warning: counted: "));
    assert_non_null(
        strstr(line, " counter=clients_not_allowed count=12 total=12 meaning=\"Datagrams"));
    assert_string_equal(output_of(say_minute, &minute_case), "");
    minute_case.export->daemon[row] = 15;
    assert_non_null(strstr(output_of(say_minute, &minute_case), " count=3 total=15 "));
    export_free(&minute_case.export);
}

/* Each of them is found in its table, or must() would have ended the test. */
static void every_counter_can_be_told(void **state)
{
    struct minute_case minute_case = {.export = export_new()};
    (void)state;
    assert_non_null(minute_case.export);
    for (size_t i = 0; i < daemon_metric_row_count; i++) {
        minute_case.export->daemon[i] = 1;
    }
    for (size_t i = 0; i < resolver_metric_row_count; i++) {
        minute_case.export->resolver[i] = 1;
    }
    const char *lines = output_of(say_minute, &minute_case);
    assert_non_null(strstr(lines, "counter=questions_overflow count=1 "));
    assert_non_null(strstr(lines, "counter=udp_lost_in_kernel count=1 "));
    export_free(&minute_case.export);
}

static void say_findings(void *context)
{
    daemon_log_findings(context);
}

static void findings_have_their_level_and_quotes(void **state)
{
    struct findings *findings = calloc(1, sizeof *findings);
    const struct finding_place place = {.file = "/etc/x", .line = 4, .column = 2};
    (void)state;
    assert_non_null(findings);
    finding_add(findings, FINDING_ERROR, &place, "write \"a\" here");
    finding_add(findings, FINDING_WARNING, &place, "look here");
    const char *lines = output_of(say_findings, findings);
    assert_non_null(strstr(lines, "error: config_error: "));
    assert_non_null(strstr(lines, "finding=\"/etc/x:4:2: "));
    assert_non_null(strstr(lines, "write \\\"a\\\" here\"\n"));
    assert_non_null(strstr(lines, "warning: config_warning: "));
    free(findings);
}

static void say_ended(void *context)
{
    daemon_log_ended(context, 90 * CLOCK_US_PER_S);
}

static void the_end_has_its_totals(void **state)
{
    struct export *export = export_new();
    (void)state;
    assert_non_null(export);
    export->wait[QUESTION_CLASS_MX][OUTCOME_HIT].count = 40;
    export->wait[QUESTION_CLASS_A][OUTCOME_STALE].count = 2;
    export->wait[QUESTION_CLASS_A][OUTCOME_FAILED].count = 1;
    assert_non_null(strstr(output_of(say_ended, export),
        "notice: ended: no more questions are answered answers=43 hits=40 stale=2 failed=1 "
        "uptime=90s\n"));
    export_free(&export);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_that_grow_are_told_once_a_minute),
        cmocka_unit_test(every_counter_can_be_told),
        cmocka_unit_test(findings_have_their_level_and_quotes),
        cmocka_unit_test(the_end_has_its_totals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
