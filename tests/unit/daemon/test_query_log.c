/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/text.h"
#include "wire/header.h"
#include "wire/name.h"
#include "wire/question.h"
#include "wire/types.h"
#include "resolver/observer.h"
#include "resolver/port.h"
#include "daemon/query_log.h"
#include "daemon/query_ring.h"
#include "daemon/stats.h"

#define ROOM_SIZE 65536

struct folder {
    char path[64];
    char file[96];
    char moved[96];
    char room[ROOM_SIZE];
};

static int folder_make(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    *state = folder;
    log_set_level(LOG_LEVEL_ERROR);
    (void)snprintf(folder->path, sizeof folder->path, "/tmp/mxcache-query-log-XXXXXX");
    if (mkdtemp(folder->path) == NULL) {
        return -1;
    }
    (void)snprintf(folder->file, sizeof folder->file, "%s/log", folder->path);
    (void)snprintf(folder->moved, sizeof folder->moved, "%s/log.1", folder->path);
    return 0;
}

static int folder_remove(void **state)
{
    struct folder *folder = *state;
    (void)unlink(folder->file);
    (void)unlink(folder->moved);
    (void)rmdir(folder->path);
    free(folder);
    return 0;
}

static const char *file_read(struct folder *folder, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, folder->room, ROOM_SIZE - 1) : 0;
    folder->room[len > 0 ? len : 0] = '\0';
    if (fd >= 0) {
        (void)close(fd);
    }
    return folder->room;
}

/* ---- The line ---- */

static struct query_record record_of(const char *name, uint16_t type)
{
    struct query_record record = {
        .waited_us = 42,
        .client = {.family = ADDRESS_IPV4, .bytes = {127, 0, 0, 1}, .port = 4711},
        .type = type,
        .class = QUESTION_CLASS_OTHER,
        .outcome = OUTCOME_HIT,
        .has_question = true,
    };
    uint8_t wire[NAME_SIZE_MAX];
    size_t len;
    const struct redact_case redact = {.shows_subject = false};
    assert_true(name_from_text(name, strlen(name), wire, &len));
    redact_keep(&redact, wire, len, &record.name);
    return record;
}

static const char *line_of(const struct query_record *record, bool shows_names)
{
    static char bytes[QUERY_LOG_LINE_SIZE];
    struct text line;
    text_init(&line, bytes, sizeof bytes);
    query_log_line(record, INT64_C(1769843700123456), shows_names, &line);
    assert_false(line.is_cut);
    return bytes;
}

static void a_line_tells_who_what_and_how(void **state)
{
    (void)state;
    struct query_record record = record_of("example.org", TYPE_MX);
    record.class = QUESTION_CLASS_MX;
    assert_string_equal(line_of(&record, false),
        "time=2026-01-31T07:15:00.123456Z client=127.0.0.1@4711 transport=udp name=example.org. "
        "type=MX class=mx outcome=hit rcode=NOERROR wait_us=42\n");
    record.outcome = OUTCOME_MISS;
    record.is_stream = true;
    record.rcode = RCODE_NXDOMAIN;
    record.upstream =
        (struct address){.family = ADDRESS_IPV4, .bytes = {192, 0, 2, 53}, .port = 53};
    const char *line = line_of(&record, false);
    assert_non_null(strstr(line, " transport=tcp "));
    assert_non_null(
        strstr(line, " outcome=miss rcode=NXDOMAIN wait_us=42 upstream=192.0.2.53@53\n"));
    record.has_question = false;
    assert_null(strstr(line_of(&record, false), "name="));
}

static void subjects_are_hidden_and_keys_always(void **state)
{
    static const struct {
        const char *name;
        const char *hidden;
        const char *shown;
    } cases[] = {
        {"2.0.0.127.zen.spamhaus.org", " name=?.zen.spamhaus.org. ",
            " name=2.0.0.127.zen.spamhaus.org. "},
        {"2.0.0.127.s3cretkey.zen.dq.spamhaus.net", " name=?.*.zen.dq.spamhaus.net. ",
            " name=2.0.0.127.*.zen.dq.spamhaus.net. "},
        {"two\\032words.a\\010b", " name=two\\032words.a\\010b. ", " name=two\\032words.a\\010b. "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct query_record record = record_of(cases[i].name, TYPE_A);
        assert_non_null(strstr(line_of(&record, false), cases[i].hidden));
        assert_non_null(strstr(line_of(&record, true), cases[i].shown));
        assert_null(strstr(line_of(&record, true), "s3cretkey"));
    }
}

/* The longest name that there is, all of it escaped. */
static void the_longest_line_fits(void **state)
{
    struct query_record record = {.has_question = true, .type = 65535, .rcode = 4095};
    uint8_t wire[NAME_SIZE_MAX];
    (void)state;
    memset(wire, 1, sizeof wire);
    wire[0] = wire[64] = wire[128] = 63;
    wire[192] = 61;
    wire[254] = 0;
    const struct redact_case redact = {.shows_subject = true};
    redact_keep(&redact, wire, sizeof wire, &record.name);
    record.client = (struct address){.family = ADDRESS_IPV6, .port = 65535, .scope_id = UINT32_MAX};
    record.upstream = record.client;
    record.waited_us = INT64_MIN;
    (void)line_of(&record, true);
}

/* ---- The file ---- */

static void note(struct query_log *query_log, bool is_parked)
{
    const struct client client = {.address = {.family = ADDRESS_IPV4, .port = 1}};
    const struct question question = {
        .name = "\007example\003org", .name_len = 13, .type = TYPE_A, .class = CLASS_IN};
    struct redacted name;
    const struct redact_case redact = {.shows_subject = false};
    redact_keep(&redact, question.name, question.name_len, &name);
    const struct observed observed = {
        .client = &client,
        .question = &question,
        .name = &name,
        .class = QUESTION_CLASS_A,
        .query = is_parked ? NULL : (const uint8_t *)"",
    };
    assert_true(query_log_note(query_log, 0, &observed));
}

static struct query_log *log_new(const char *path, struct daemon_stats *stats)
{
    struct query_log *query_log =
        query_log_new(&(struct query_log_options){.path = path, .worker_count = 1, .stats = stats});
    assert_non_null(query_log);
    return query_log;
}

static unsigned lines_of(const char *text)
{
    unsigned lines = 0;
    for (; *text != '\0'; text++) {
        lines += *text == '\n';
    }
    return lines;
}

static void what_was_noted_is_in_the_file(void **state)
{
    struct folder *folder = *state;
    struct daemon_stats stats = {0};
    struct query_log *query_log = log_new(folder->file, &stats);
    note(query_log, false);
    note(query_log, false);
    query_log_settle(query_log, 0, 99);
    note(query_log, true);
    query_log_free(&query_log);
    assert_null(query_log);
    const char *text = file_read(folder, folder->file);
    assert_int_equal(lines_of(text), 3);
    assert_non_null(strstr(text, " name=example.org. type=A class=a "));
    assert_non_null(strstr(text, " wait_us=99\n"));
    assert_int_equal(counter_read(&stats.query_log_lost), 0);
}

/* As logrotate does it: moved away, then a reload. Nothing is lost between the two. */
static void reopening_begins_a_new_file(void **state)
{
    struct folder *folder = *state;
    struct daemon_stats stats = {0};
    struct query_log *query_log = log_new(folder->file, &stats);
    note(query_log, true);
    assert_int_equal(rename(folder->file, folder->moved), 0);
    query_log_reopen(query_log);
    note(query_log, true);
    while (access(folder->file, F_OK) != 0) {
        (void)usleep(1000);
    }
    note(query_log, true);
    query_log_free(&query_log);
    unsigned moved = lines_of(file_read(folder, folder->moved));
    unsigned fresh = lines_of(file_read(folder, folder->file));
    assert_int_equal(moved + fresh, 3);
    assert_true(fresh >= 1);
}

static void a_full_disk_costs_lines_only(void **state)
{
    struct daemon_stats stats = {0};
    struct query_log *query_log = log_new("/dev/full", &stats);
    (void)state;
    note(query_log, true);
    note(query_log, true);
    query_log_free(&query_log);
    assert_int_equal(counter_read(&stats.query_log_lost), 2);
}

static void a_file_that_cannot_be_opened_costs_lines_only(void **state)
{
    struct folder *folder = *state;
    struct daemon_stats stats = {0};
    char path[128];
    (void)snprintf(path, sizeof path, "%s/missing/log", folder->path);
    struct query_log *query_log = log_new(path, &stats);
    note(query_log, true);
    query_log_free(&query_log);
    assert_int_equal(counter_read(&stats.query_log_lost), 1);
}

/* The disk was full when the file was to be made, or its folder was not mounted yet. */
static void a_file_is_opened_as_soon_as_it_can_be(void **state)
{
    struct folder *folder = *state;
    struct daemon_stats stats = {0};
    assert_int_equal(rmdir(folder->path), 0);
    struct query_log *query_log = query_log_new(&(struct query_log_options){
        .path = folder->file, .worker_count = 1, .stats = &stats, .reopen_us = 1000});
    assert_non_null(query_log);
    assert_int_equal(mkdir(folder->path, 0700), 0);
    for (unsigned i = 0; i < 10000 && access(folder->file, F_OK) != 0; i++) {
        (void)usleep(1000);
    }
    note(query_log, true);
    query_log_free(&query_log);
    assert_int_equal(lines_of(file_read(folder, folder->file)), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_tells_who_what_and_how),
        cmocka_unit_test(subjects_are_hidden_and_keys_always),
        cmocka_unit_test(the_longest_line_fits),
        cmocka_unit_test_setup_teardown(what_was_noted_is_in_the_file, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(reopening_begins_a_new_file, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(a_full_disk_costs_lines_only, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(
            a_file_that_cannot_be_opened_costs_lines_only, folder_make, folder_remove),
        cmocka_unit_test_setup_teardown(
            a_file_is_opened_as_soon_as_it_can_be, folder_make, folder_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
