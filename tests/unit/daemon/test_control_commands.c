/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "wire/header.h"
#include "wire/types.h"
#include "conf/finding.h"
#include "conf/parse.h"
#include "daemon/control.h"
#include "daemon/control_commands.h"

static struct control_commands commands;
static struct daemon_stats main_stats;
static char answer_bytes[1 << 20];
static bool is_reload_good;

static bool reload(void *daemon, struct findings *findings, struct text *notes)
{
    assert_ptr_equal(daemon, &is_reload_good);
    const struct finding_place place = {.file = "mxcache.conf", .line = 3, .column = 5};
    if (!is_reload_good) {
        finding_add(findings, FINDING_ERROR, &place, "this is wrong");
        return false;
    }
    text_add(notes, "note takes effect after a restart: listen\n");
    return true;
}

static const char *run_as(const char *line, bool may_write)
{
    struct text answer;
    const struct control_peer peer = {.may_write = may_write};
    text_init(&answer, answer_bytes, sizeof answer_bytes);
    control_commands_run(&commands, &peer, line, strlen(line), &answer);
    assert_false(answer.is_cut);
    return answer_bytes;
}

static const char *run(const char *line)
{
    return run_as(line, true);
}

static void store(bool wants_dnssec)
{
    static const uint8_t message[] = {0, 0, 0x81, 0x80};
    struct cache_key key = {
        .name = "\007example\003org",
        .name_len = 13,
        .type = TYPE_MX,
        .class = CLASS_IN,
        .wants_dnssec = wants_dnssec,
    };
    const struct cache_fill fill = {
        .kind = CACHE_KIND_ANSWER,
        .message = message,
        .len = sizeof message,
        .ttl_s = 300,
        .is_ad = wants_dnssec,
        .origin = 7,
        .birth = {.reason = CACHE_REASON_AHEAD, .cost_us = 4321},
    };
    cache_store(commands.sources.cache, &key, &fill, clock_now());
}

static void test_ping(void **state)
{
    (void)state;
    assert_string_equal(run("ping"), "ok\n");
    assert_string_equal(run_as("ping", false), "ok\n");
}

static void test_unknown(void **state)
{
    (void)state;
    assert_memory_equal(run("nonsense"), "error no such command", 21);
}

static void test_lookup(void **state)
{
    (void)state;
    assert_string_equal(run("lookup example.org MX"), "ok\n");
    store(false);
    store(true);
    assert_string_equal(run("lookup EXAMPLE.org MX"),
        "ok\n"
        "entry fresh answer 0 300 0 0 0 0 7 probation ahead 4321 -1\nmessage 00008180\n"
        "entry fresh answer 0 300 0 1 0 1 7 probation ahead 4321 -1\nmessage 00008180\n");
    assert_string_equal(run("lookup example.org A"), "ok\n");
    assert_string_equal(run("flush all"), "ok\nflushed 2\n");
}

static void test_flush(void **state)
{
    (void)state;
    store(false);
    assert_string_equal(run("flush name org"), "ok\nflushed 0\n");
    assert_string_equal(run("flush name example.org"), "ok\nflushed 1\n");
    store(false);
    assert_string_equal(run("flush under org"), "ok\nflushed 1\n");
    assert_string_equal(run("flush all"), "ok\nflushed 0\n");
}

static void test_writing_is_not_for_everybody(void **state)
{
    (void)state;
    static const char *const lines[] = {"flush all", "flush name a", "flush under a", "reload"};
    store(false);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_memory_equal(run_as(lines[i], false), "error not permitted", 19);
    }
    assert_string_equal(run("flush all"), "ok\nflushed 1\n");
}

/* Whom list questions are about is not for everybody who may read. */
static void test_names_are_not_for_everybody(void **state)
{
    static const struct {
        const char *line;
        bool may_see_names;
        bool is_good;
    } cases[] = {
        {"slow", false, true},
        {"slow failed", false, true},
        {"slow names", false, false},
        {"slow failed names", false, false},
        {"slow names", true, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text answer;
        const struct control_peer peer = {
            .may_write = true, .may_see_names = cases[i].may_see_names};
        const char *line = cases[i].line;
        text_init(&answer, answer_bytes, sizeof answer_bytes);
        control_commands_run(&commands, &peer, line, strlen(line), &answer);
        if (cases[i].is_good) {
            assert_string_equal(answer_bytes, "ok\n");
        } else {
            assert_memory_equal(answer_bytes, "error not permitted", 19);
        }
    }
}

static void test_stats(void **state)
{
    (void)state;
    counter_set(&main_stats.reloads, 3);
    commands.started_at = clock_now() - 5 * CLOCK_US_PER_S;
    const char *answer = run("stats");
    char info[96];
    (void)snprintf(info, sizeof info, "ok\ninfo 1.2.3 5 0 ");
    assert_memory_equal(answer, info, strlen(info));
    assert_non_null(strstr(answer, " /etc/mxcache/mxcache.conf\n"));
    assert_non_null(strstr(answer, "\nmetric questions counter 0\n"));
    assert_non_null(strstr(answer, "\nmetric cache_bytes gauge "));
    assert_non_null(strstr(answer, "\nmetric reloads counter 3\n"));
    assert_null(strstr(answer, "\nwait "));
    assert_string_equal(run("upstreams"), "ok\n");
}

static void test_reload(void **state)
{
    (void)state;
    is_reload_good = true;
    assert_string_equal(run("reload"), "ok\nnote takes effect after a restart: listen\n");
    is_reload_good = false;
    assert_string_equal(run("reload"), "error the settings have errors; the old ones stay\n"
                                       "finding mxcache.conf:3:5: error: this is wrong\n");
}

static int commands_open(void **state)
{
    (void)state;
    commands.sources.cache =
        cache_new(&(struct cache_options){.budget_bytes = CACHE_BUDGET_MIN, .shard_count = 1});
    commands.sources.main_stats = &main_stats;
    commands.export = export_new();
    commands.version = "1.2.3";
    commands.config = "/etc/mxcache/mxcache.conf";
    commands.message = malloc(MESSAGE_SIZE_MAX);
    commands.daemon = &is_reload_good;
    commands.reload = reload;
    return commands.sources.cache == NULL || commands.export == NULL || commands.message == NULL
               ? -1
               : 0;
}

static int commands_close(void **state)
{
    (void)state;
    cache_free(&commands.sources.cache);
    export_free(&commands.export);
    free(commands.message);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ping),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_flush),
        cmocka_unit_test(test_writing_is_not_for_everybody),
        cmocka_unit_test(test_names_are_not_for_everybody),
        cmocka_unit_test(test_stats),
        cmocka_unit_test(test_reload),
    };
    return cmocka_run_group_tests(tests, commands_open, commands_close);
}
