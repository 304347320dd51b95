/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/serving_support.h"

#include <stdio.h>

#include "base/text.h"
#include "daemon/control.h"
#include "daemon/control_commands.h"
#include "daemon/control_lookup.h"

static char answer_bytes[1 << 16];
static uint8_t message[MESSAGE_SIZE_MAX];

static const char *run(const struct serving *serving, const char *line)
{
    struct worker *workers[] = {serving->worker};
    struct control_commands commands = {
        .sources = {.cache = serving->cache, .workers = workers, .worker_count = 1},
        .message = message,
    };
    const struct control_peer peer = {.uid = 1000};
    struct text answer;
    text_init(&answer, answer_bytes, sizeof answer_bytes);
    control_commands_run(&commands, &peer, line, strlen(line), &answer);
    assert_false(answer.is_cut);
    return answer_bytes;
}

static struct serving *serve(void)
{
    struct serving *serving = serving_new("127.0.0.1");
    serving->settings.list_route = SETTINGS_ROUTE_UPSTREAM;
    serving->settings.list_tests = false;
    serving_start(serving);
    return serving;
}

/* Asks until the question is over. */
static const char *look_to_the_end(const struct serving *serving, const char *id)
{
    char line[64];
    int64_t until = clock_now() + SERVING_LIMIT_MS * CLOCK_US_PER_MS;
    (void)snprintf(line, sizeof line, "trace look %s 0", id);
    while (strstr(run(serving, line), "\nover ") == NULL && clock_now() < until) {
        (void)poll(NULL, 0, 1);
    }
    return answer_bytes;
}

/* From the command to the answer: events while it runs, then how it ended, and what is cached. */
static void test_trace(void **state)
{
    struct serving *serving = serve();
    char id[32];
    char line[64];
    (void)state;
    assert_int_equal(sscanf(run(serving, "trace start mail.example.org"), "ok\ntrace %31s", id), 1);
    (void)snprintf(line, sizeof line, "trace look %s 0", id);
    assert_memory_equal(run(serving, line), "ok\nevent 0 asked 127.0.0.1@", 27);
    assert_null(strstr(answer_bytes, "over"));
    (void)snprintf(line, sizeof line, "trace look %s 1", id);
    assert_string_equal(run(serving, line), "ok\n");
    serving_upstream_deny(serving);
    const char *text = look_to_the_end(serving, id);
    assert_non_null(strstr(text, " udp nxdomain NXDOMAIN 0\nover "));
    assert_non_null(strstr(text, " 0 miss NXDOMAIN -1\nmessage 0000"));
    assert_memory_equal(run(serving, "lookup mail.example.org"), "ok\nentry fresh nxdomain 0 ", 26);
    assert_non_null(strstr(answer_bytes, " probation client "));
    assert_memory_equal(run(serving, "trace look 1 0"), "error there is no such", 22);
    serving_free(serving);
}

static void test_lists_are_named(void **state)
{
    struct serving *serving = serve();
    (void)state;
    assert_string_equal(
        run(serving, "lookup 2.0.0.127.zen.spamhaus.org"), "ok\nlist zen.spamhaus.org. 0\n");
    assert_string_equal(
        run(serving, "lookup 1.s3cret.zen.dq.spamhaus.net"), "ok\nlist zen.dq.spamhaus.net. 1\n");
    assert_string_equal(run(serving, "lookup example.org"), "ok\n");
    serving_free(serving);
}

static void test_too_many(void **state)
{
    struct serving *serving = serve();
    char line[64];
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        (void)snprintf(line, sizeof line, "trace start n%u.example.org", i);
        assert_memory_equal(run(serving, line), "ok\ntrace ", 9);
    }
    assert_memory_equal(run(serving, "trace start more.example.org"), "error 4 questions", 17);
    serving_free(serving);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_lists_are_named),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
