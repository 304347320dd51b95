/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "tests/unit/doctor/mail_host.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/doctor_text.h"
#include "cmd/stats_cell.h"
#include "tests/unit/doctor/hostile_places.h"

/*
 * The whole doctor on hosts that want to harm it: files of the wrong kind and of any bytes, loops,
 * floods, escape sequences in all that is quoted. Whatever they are, the run ends soon, and what is
 * told is fit for a terminal.
 */
#define OUTPUT_SIZE ((size_t)8 << 20)
#define NOISE_SIZE  ((size_t)1 << 20)

/* Of the processor, with sanitizers and others on it: a run that takes this long has lost its
 * bounds. */
#define RUN_MAX_S 30

/* A title that a terminal would take, a colour, a bell, a C1 control, a delete, a backspace. */
#define ESCAPES                                                                                    \
    "\033]0;owned\007\033[31m\xc2\x9b"                                                             \
    "2J\x7f\x08\x9b\xe2\x80\xae"

static struct host_fixture fixture;
static char *output;

/* Text as it may go to a terminal: lines of printable characters. */
static void expect_tame(const char *text, bool may_have_lines)
{
    assert_non_null(text);
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        bool is_control = *at < 0x20 && !(may_have_lines && *at == '\n');
        bool is_c1 = at[0] == 0xc2 && at[1] < 0xa0;
        if (is_control || *at == 0x7f || is_c1) {
            fail_msg("byte 0x%02x in: %.200s", (unsigned)*at, text);
        }
    }
}

static void expect_tame_report(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct report_entry *entry = &report->entries[i];
        expect_tame(entry->seen, false);
        assert_true(entry->seen[0] != '\0');
        expect_tame(entry->change != NULL ? entry->change : "", true);
        expect_tame(entry->cause != NULL ? entry->cause : "", false);
    }
}

static void expect_each_check_spoke(const struct report *report)
{
    bool has_spoken[CHECKS + 1] = {false};
    for (size_t i = 0; i < report->count; i++) {
        has_spoken[report->entries[i].check] = true;
    }
    for (size_t i = 0; i < CHECKS && report->dropped == 0; i++) {
        if (!has_spoken[i]) {
            fail_msg("%s said nothing", check_name((enum check_id)i));
        }
    }
}

static inline const struct report *run(const char *what)
{
    const struct stats_style style = {0};
    const struct doctor_text_form form = {&style, true};
    struct text text;
    clock_t start = clock();
    const struct report *report = &host_fixture_run_all(&fixture)->report;
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    if (seconds > RUN_MAX_S) {
        fail_msg("%s: %.1f s of the processor", what, seconds);
    }
    expect_tame_report(report);
    expect_each_check_spoke(report);
    text_init(&text, output, OUTPUT_SIZE);
    doctor_text_add(&text, &form, report);
    expect_tame(output, true);
    return report;
}

static void noise_fill(char *bytes, size_t len)
{
    struct random random;
    random_init_seed(&random, 20);
    random_bytes(&random, bytes, len);
}

static inline void rich_host_init(void)
{
    mail_host_init(&fixture);
    assert_int_equal(chmod(fixture.root, 0755), 0);
    for (size_t i = 0; i < sizeof hostile_files / sizeof hostile_files[0]; i++) {
        host_fixture_write(&fixture, hostile_files[i].path, hostile_files[i].text);
    }
}

static inline int set_up(void **state)
{
    (void)state;
    output = malloc(OUTPUT_SIZE);
    return output != NULL ? 0 : -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    free(output);
    return 0;
}
