/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

/*
 * Standard error stands on a datagram socket while a line is written: one receive returns exactly
 * one write(2).
 */
struct capture {
    int stderr_kept;
    int ends[2];
};

static int capture_setup(void **state)
{
    static struct capture capture;
    *state = &capture;
    log_set_level(LOG_LEVEL_NOTICE);
    unsetenv("JOURNAL_STREAM");
    return socketpair(AF_UNIX, SOCK_DGRAM, 0, capture.ends);
}

static int capture_teardown(void **state)
{
    struct capture *capture = *state;
    close(capture->ends[0]);
    close(capture->ends[1]);
    return 0;
}

static void capture_begin(struct capture *capture)
{
    capture->stderr_kept = dup(STDERR_FILENO);
    assert_true(capture->stderr_kept >= 0);
    assert_true(dup2(capture->ends[1], STDERR_FILENO) >= 0);
}

static void capture_end(struct capture *capture)
{
    assert_true(dup2(capture->stderr_kept, STDERR_FILENO) >= 0);
    close(capture->stderr_kept);
}

/* The next line without its newline, or "" when nothing was written. */
static void capture_take(struct capture *capture, char line[static 2048])
{
    ssize_t len = recv(capture->ends[0], line, 2047, MSG_DONTWAIT);
    line[len > 0 ? len : 0] = '\0';
    if (len > 0) {
        assert_int_equal(line[len - 1], '\n');
        line[len - 1] = '\0';
        assert_null(strchr(line, '\n'));
    }
}

static void log_writes_one_stamped_line(void **state)
{
    struct capture *capture = *state;
    char line[2048];
    capture_begin(capture);
    log_line(LOG_LEVEL_WARNING, "upstream is slow server=%s ms=%d", "192.0.2.1", 900);
    capture_end(capture);
    capture_take(capture, line);
    int year = 0;
    int millisecond = -1;
    int at = 0;
    sscanf(line, "%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%3dZ %n", &year, &millisecond, &at);
    assert_true(year >= 2024);
    assert_in_range(millisecond, 0, 999);
    assert_string_equal(line + at, "warning: upstream is slow server=192.0.2.1 ms=900");
    capture_take(capture, line);
    assert_string_equal(line, "");
}

static void log_speaks_to_the_journal(void **state)
{
    struct capture *capture = *state;
    char line[2048];
    char stream[64];
    struct stat stat;
    assert_int_equal(fstat(capture->ends[1], &stat), 0);
    snprintf(stream, sizeof(stream), "%" PRIuMAX ":%" PRIuMAX, (uintmax_t)stat.st_dev,
        (uintmax_t)stat.st_ino);

    setenv("JOURNAL_STREAM", stream, 1);
    capture_begin(capture);
    log_line(LOG_LEVEL_ERROR, "no socket");
    capture_end(capture);
    capture_take(capture, line);
    assert_string_equal(line, "<3>no socket");

    /* Inherited from a parent: it names another stream. */
    setenv("JOURNAL_STREAM", "1:1", 1);
    capture_begin(capture);
    log_line(LOG_LEVEL_ERROR, "no socket");
    capture_end(capture);
    capture_take(capture, line);
    assert_non_null(strstr(line, "Z error: no socket"));
}

static void log_keeps_to_its_level(void **state)
{
    struct capture *capture = *state;
    char line[2048];
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
        log_set_level((enum log_level)level);
        assert_int_equal(log_get_level(), level);
        for (int other = LOG_LEVEL_ERROR; other <= LOG_LEVEL_DEBUG; other++) {
            capture_begin(capture);
            log_line((enum log_level)other, "word");
            capture_end(capture);
            capture_take(capture, line);
            assert_int_equal(line[0] != '\0', other <= level);
        }
    }
}

static void log_replaces_control_characters(void **state)
{
    struct capture *capture = *state;
    char line[2048];
    capture_begin(capture);
    log_line(LOG_LEVEL_ERROR, "name=%s.", "a\nb\r\tc\x1b[31m\x7f\xc3\xa9");
    capture_end(capture);
    capture_take(capture, line);
    assert_non_null(strstr(line, "name=a?b??c?[31m?\xc3\xa9."));
}

static void log_cuts_at_one_kibibyte(void **state)
{
    struct capture *capture = *state;
    char line[2048];
    char value[3000];
    memset(value, 'v', sizeof(value));
    value[sizeof(value) - 1] = '\0';
    capture_begin(capture);
    log_line(LOG_LEVEL_ERROR, "%s", value);
    capture_end(capture);
    capture_take(capture, line);
    assert_int_equal(strlen(line), 1023); /* And its newline. */
    assert_string_equal(line + 1020, "...");
}

static void log_leaves_errno_alone(void **state)
{
    struct capture *capture = *state;
    char line[2048];
    capture_begin(capture);
    errno = ENOENT;
    log_line(LOG_LEVEL_ERROR, "file: %m");
    int after = errno;
    capture_end(capture);
    capture_take(capture, line);
    assert_non_null(strstr(line, "file: No such file or directory"));
    assert_int_equal(after, ENOENT);
}

static void log_level_names_read_back(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "Notice", "notices", "warn", "7"};
    for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
        enum log_level level = LOG_LEVEL_ERROR;
        assert_true(log_level_parse(log_level_name((enum log_level)i), &level));
        assert_int_equal(level, i);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        enum log_level level = LOG_LEVEL_INFO;
        assert_false(log_level_parse(wrong[i], &level));
        assert_int_equal(level, LOG_LEVEL_INFO);
    }
}

static void log_limit_lets_one_a_minute_through(void **state)
{
    (void)state;
    struct log_limit limit = {0};
    uint64_t suppressed = 99;
    int64_t now = 12345;
    assert_true(log_limit_allows(&limit, now, &suppressed));
    assert_int_equal(suppressed, 0);
    assert_false(log_limit_allows(&limit, now, &suppressed));
    assert_false(log_limit_allows(&limit, now + 60 * CLOCK_US_PER_S - 1, &suppressed));
    assert_true(log_limit_allows(&limit, now + 60 * CLOCK_US_PER_S, &suppressed));
    assert_int_equal(suppressed, 2);
    assert_true(log_limit_allows(&limit, now + 200 * CLOCK_US_PER_S, &suppressed));
    assert_int_equal(suppressed, 0);
}

static const struct log_event event_slow = {
    "upstream_slow", LOG_LEVEL_WARNING, "an upstream server is slow"};
static const struct log_event event_dull = {"nothing_new", LOG_LEVEL_DEBUG, "nobody wants it"};

/* The line behind its stamp. */
static const char *line_tail(const char *line)
{
    const char *stamp_end = strstr(line, "Z ");
    return stamp_end == NULL ? line : stamp_end + 2;
}

static void log_event_has_one_form(void **state)
{
    struct capture *capture = *state;
    char line[2048];
    capture_begin(capture);
    log_event(&event_slow, "server=%s ms=%d", "192.0.2.1", 900);
    log_event_bare(&event_slow);
    log_event(&event_dull, "a=%d", 1);
    log_event_bare(&event_dull);
    errno = ENOENT;
    log_event(&event_slow, "error=\"%m\"");
    int after = errno;
    capture_end(capture);
    assert_int_equal(after, ENOENT);
    capture_take(capture, line);
    assert_string_equal(line_tail(line),
        "warning: upstream_slow: an upstream server is slow server=192.0.2.1 ms=900");
    capture_take(capture, line);
    assert_string_equal(line_tail(line), "warning: upstream_slow: an upstream server is slow");
    capture_take(capture, line);
    assert_string_equal(line_tail(line), "warning: upstream_slow: an upstream server is slow "
                                         "error=\"No such file or directory\"");
    capture_take(capture, line);
    assert_string_equal(line, "");
}

static void log_event_tells_what_it_left_out(void **state)
{
    struct capture *capture = *state;
    struct log_limit limit = {0};
    char line[2048];
    static const struct {
        int64_t at;
        const char *tail; /* NULL: no line. */
    } cases[] = {
        {0, "is slow n=0"},
        {1, NULL},
        {59 * CLOCK_US_PER_S, NULL},
        {60 * CLOCK_US_PER_S, "is slow n=3 suppressed=2"},
        {180 * CLOCK_US_PER_S, "is slow n=4"},
    };
    for (int i = 0; i < 5; i++) {
        capture_begin(capture);
        log_event_limited(&event_slow, &limit, cases[i].at, "n=%d", i);
        capture_end(capture);
        capture_take(capture, line);
        if (cases[i].tail == NULL) {
            assert_string_equal(line, "");
        } else {
            assert_non_null(strstr(line, cases[i].tail));
            assert_string_equal(strstr(line, cases[i].tail), cases[i].tail);
        }
    }
}

#define CAPTURED(test) cmocka_unit_test_setup_teardown(test, capture_setup, capture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CAPTURED(log_writes_one_stamped_line),
        CAPTURED(log_speaks_to_the_journal),
        CAPTURED(log_keeps_to_its_level),
        CAPTURED(log_replaces_control_characters),
        CAPTURED(log_cuts_at_one_kibibyte),
        CAPTURED(log_leaves_errno_alone),
        CAPTURED(log_event_has_one_form),
        CAPTURED(log_event_tells_what_it_left_out),
        cmocka_unit_test(log_level_names_read_back),
        cmocka_unit_test(log_limit_lets_one_a_minute_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
