/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/serving_support.h"

#include <stdio.h>

#include "base/text.h"
#include "resolver/timeline.h"
#include "daemon/control_slow.h"
#include "daemon/export.h"

static char answer_bytes[1 << 16];

static const char *slow_text(struct worker **workers, size_t count, bool failed, bool shows_names)
{
    struct text answer;
    const struct export_sources sources = {.workers = workers, .worker_count = count};
    const struct control_slow_case wanted = {.failed = failed, .shows_names = shows_names};
    text_init(&answer, answer_bytes, sizeof answer_bytes);
    assert_true(control_slow_add(&answer, &sources, &wanted));
    assert_false(answer.is_cut);
    return answer_bytes;
}

/* Asks, has upstream deny it, and takes the answer. */
static void ask_once(struct serving *serving, const char *name)
{
    uint8_t bytes[SERVING_SIZE];
    int client = serving_connect(serving, SOCK_DGRAM, NULL);
    size_t len = serving_query(bytes, 7, name, TYPE_A);
    assert_int_equal(send(client, bytes, len, 0), len);
    serving_upstream_deny(serving);
    assert_true(serving_receive(client, bytes, sizeof bytes) >= len);
    (void)close(client);
}

static unsigned occurrences(const char *text, const char *needle)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, needle)) != NULL; at++) {
        count++;
    }
    return count;
}

/* What the workers have to tell, in one table; the subject only where it was asked for. */
static void test_workers(void **state)
{
    struct serving *serving = serving_new("127.0.0.1");
    (void)state;
    serving->settings.list_route = SETTINGS_ROUTE_UPSTREAM;
    serving->settings.list_tests = false;
    serving_start(serving);
    ask_once(serving, "mail.example.org");
    ask_once(serving, "2.0.0.127.zen.spamhaus.org");
    struct worker *twice[] = {serving->worker, serving->worker};
    const char *text = slow_text(twice, 1, false, false);
    assert_int_equal(occurrences(text, "question "), 2);
    assert_non_null(strstr(text, " 1 A 0 miss NXDOMAIN -1 mail.example.org.\nevent 0 asked "));
    assert_non_null(strstr(text, " ?.zen.spamhaus.org.\n"));
    assert_null(strstr(text, "2.0.0.127"));
    assert_int_equal(occurrences(text, " udp first - 0\nevent "), 2);
    assert_int_equal(occurrences(text, " udp nxdomain NXDOMAIN 0\n"), 2);
    assert_non_null(strstr(slow_text(twice, 1, false, true), " 2.0.0.127.zen.spamhaus.org.\n"));
    assert_int_equal(occurrences(slow_text(twice, 2, false, false), "question "), 4);
    assert_string_equal(slow_text(twice, 2, true, false), "");
    assert_string_equal(slow_text(twice, 0, false, false), "");
    serving_free(serving);
}

/* Each kind of event is a line of eight words. */
static void test_timeline(void **state)
{
    struct timeline timeline;
    struct text answer;
    const struct address server = serving_address("192.0.2.1", 53);
    (void)state;
    timeline_begin(&timeline, 0);
    (void)timeline_add_server(&timeline, &server);
    for (uint8_t i = 0; i < TIMELINE_KINDS; i++) {
        timeline_add(&timeline, (struct timeline_event){.kind = i}, i);
    }
    timeline.left_out = 3;
    text_init(&answer, answer_bytes, sizeof answer_bytes);
    control_timeline_add(&answer, &timeline, 2);
    assert_int_equal(occurrences(answer_bytes, "event "), TIMELINE_KINDS - 2);
    assert_int_equal(occurrences(answer_bytes, " "), (TIMELINE_KINDS - 2) * 7 + 1);
    assert_memory_equal(answer_bytes, "event 2 lost 192.0.2.1@53 udp - - 0\n", 36);
    assert_non_null(strstr(answer_bytes, "\nleft-out 3\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workers),
        cmocka_unit_test(test_timeline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
