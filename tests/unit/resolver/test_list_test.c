/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/list_test.h"

#include "fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "resolver/resolver_private.h"

#define SECONDS(count) ((int64_t)(count)*CLOCK_US_PER_S)

static const char conf[] = "upstreams = 192.0.2.1\nlist_route = upstream\nahead = no\n";

/* What comes back for a test point. */
enum reply {
    LISTED,
    NOT_LISTED,
    NOTHING
};

static void answer(struct fixture *fixture, size_t index, enum reply reply, int64_t now)
{
    const struct sent *sent = &fixture->sent[index];
    uint8_t bytes[512];
    size_t len = reply_of(sent, reply == LISTED ? RCODE_NOERROR : RCODE_NXDOMAIN, bytes);
    if (reply == LISTED) {
        memcpy(bytes + len - 4, "\177\0\0\2", 4);
    }
    if (reply != NOTHING) {
        resolver_on_reply(fixture->resolver, sent->exchange, bytes, len, now);
    }
}

static const struct list_test *use(struct fixture *fixture, const char *name, int64_t now)
{
    fixture_ask(fixture, name, TYPE_A, now);
    answer(fixture, fixture->sent_count - 1, NOT_LISTED, now);
    return &fixture->resolver->lists.places[0].test;
}

static enum list_cause cause_of(const struct fixture *fixture)
{
    return fixture->resolver->lists.places[0].cause;
}

/* Which lists are tested, and by how many questions. */
static void test_which(void **state)
{
    static const struct {
        const char *conf;
        const char *name;
        unsigned questions;
    } cases[] = {
        {"", "9.2.0.192.bl.spamcop.net", 2},
        {"", "example.com.dbl.spamhaus.org", 2},
        {"", "9.2.0.192.list.dnswl.org", 1},                              /* No entry is known. */
        {"", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.ebl.msbl.org", 0}, /* Digests. */
        {"", "9.2.0.192.bl.example.org", 0},                              /* By shape only. */
        {"[list dbl.spamhaus.org]\nkind = hash\n", "example.com.dbl.spamhaus.org", 0},
        {"list_tests = no\n", "9.2.0.192.bl.spamcop.net", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[160];
        (void)snprintf(text, sizeof text, "%s%s", conf, cases[i].conf);
        struct fixture *fixture = fixture_new(text);
        const struct list_test *test = use(fixture, cases[i].name, 0);
        assert_true(test->is_scheduled == (cases[i].questions > 0));
        fixture_pass(fixture, LIST_TEST_FIRST_US - 1);
        assert_int_equal(COUNTER(fixture, list_tests), 0);
        fixture_pass(fixture, LIST_TEST_FIRST_US);
        assert_int_equal(COUNTER(fixture, list_tests), cases[i].questions);
        fixture_free(fixture);
    }
}

/* The question that was sent, as text. */
static void assert_asked(const struct fixture *fixture, size_t index, const char *name)
{
    uint8_t expected[NAME_SIZE_MAX];
    uint8_t found[NAME_SIZE_MAX];
    size_t len = name_of(name, expected);
    memcpy(found, fixture->sent[index].bytes + HEADER_SIZE, len);
    name_to_lower(found, len);
    assert_memory_equal(found, expected, len);
}

/* With the customer's key; of names one that is drawn by lot, anew for each test. */
static void test_points(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    char drawn[LIST_TEST_LABEL_SIZE + 1];
    char name[64];
    (void)state;
    const struct list_test *test = use(fixture, "example.com.s3cret.dbl.dq.spamhaus.net", 0);
    fixture_pass(fixture, SECONDS(30));
    assert_asked(fixture, 1, "dbltest.com.s3cret.dbl.dq.spamhaus.net");
    (void)snprintf(name, sizeof name, "%s.s3cret.dbl.dq.spamhaus.net", test->label);
    assert_asked(fixture, 2, name);
    assert_int_equal(strspn(test->label, "abcdefghijklmnopqrstuvwxyz"), LIST_TEST_LABEL_SIZE);
    memcpy(drawn, test->label, sizeof drawn);
    answer(fixture, 1, LISTED, SECONDS(30));
    answer(fixture, 2, NOT_LISTED, SECONDS(30));
    fixture_pass(fixture, SECONDS(3630));
    assert_string_not_equal(test->label, drawn);
    fixture_free(fixture);
}

struct verdict_case {
    enum reply listed;
    enum reply unlisted;
    enum list_cause cause;
    bool is_world;
    int64_t again_us;
};

static const struct verdict_case verdicts[] = {
    {LISTED, NOT_LISTED, LIST_CAUSE_NONE, false, LIST_TEST_EVERY_US},
    {LISTED, LISTED, LIST_CAUSE_WORLD, true, LIST_TEST_AGAIN_US},
    {NOT_LISTED, NOT_LISTED, LIST_CAUSE_EMPTY, false, LIST_TEST_AGAIN_US},
    /* Nothing is concluded from half an answer, but it is asked again soon. */
    {NOTHING, NOT_LISTED, LIST_CAUSE_NONE, false, LIST_TEST_AGAIN_US},
    {LISTED, NOTHING, LIST_CAUSE_NONE, false, LIST_TEST_AGAIN_US},
    {NOTHING, NOTHING, LIST_CAUSE_NONE, false, LIST_TEST_AGAIN_US},
    {NOT_LISTED, NOTHING, LIST_CAUSE_EMPTY, false, LIST_TEST_AGAIN_US},
};

static void test_verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        const struct verdict_case *row = &verdicts[i];
        struct fixture *fixture = fixture_new(conf);
        const struct list_test *test = use(fixture, "9.2.0.192.bl.spamcop.net", 0);
        fixture_pass(fixture, SECONDS(30));
        assert_asked(fixture, 1, "2.0.0.127.bl.spamcop.net");
        assert_asked(fixture, 2, "1.0.0.127.bl.spamcop.net");
        answer(fixture, 1, row->listed, SECONDS(30));
        answer(fixture, 2, row->unlisted, SECONDS(30));
        fixture_pass(fixture, SECONDS(60));
        assert_int_equal(cause_of(fixture), row->cause);
        assert_true(test->is_world == row->is_world);
        assert_false(test->awaits_listed || test->awaits_unlisted);
        assert_true(test->next_at >= SECONDS(30) + row->again_us);
        assert_true(test->next_at <= SECONDS(60) + row->again_us);
        fixture_free(fixture);
    }
}

/* The list is in use, the server is there, and the next test is run. */
static void test_again(struct fixture *fixture, enum reply listed, enum reply unlisted)
{
    struct lists_place *place = &fixture->resolver->lists.places[0];
    size_t first = fixture->sent_count;
    int64_t now = place->test.next_at;
    place->used_at = now;
    server_hear(&fixture->resolver->servers.servers[0], 20 * MS, true, now);
    cache_flush_all(fixture->cache);
    fixture_pass(fixture, now);
    assert_int_equal(fixture->sent_count, first + 2);
    answer(fixture, first, listed, now);
    answer(fixture, first + 1, unlisted, now);
    fixture_pass(fixture, now + SECONDS(40));
}

/* A whole test finds nothing: what the log has warned of is over, and the log says so. */
static void test_is_well(struct fixture *fixture)
{
    char text[512];
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    assert_non_null(file);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    test_again(fixture, LISTED, NOT_LISTED);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    assert_int_equal(close(kept), 0);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_non_null(strstr(text, "list_returns"));
}

/* A list that listed the world is believed again when a whole test says so, and not before. */
static void test_recovery(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    const struct list_test *test = use(fixture, "9.2.0.192.bl.spamcop.net", 0);
    test_again(fixture, LISTED, LISTED);
    assert_true(lists_is_world(&fixture->resolver->lists, 0));
    test_again(fixture, LISTED, NOTHING);
    assert_true(test->is_world);
    assert_int_equal(cause_of(fixture), LIST_CAUSE_WORLD);
    test_is_well(fixture);
    assert_false(test->is_world);
    assert_int_equal(cause_of(fixture), LIST_CAUSE_NONE);
    fixture_free(fixture);
}

/* Two tests in a row without an answer; one that is answered ends it. */
static void test_silent(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    (void)use(fixture, "9.2.0.192.bl.spamcop.net", 0);
    test_again(fixture, LISTED, NOTHING);
    assert_int_equal(cause_of(fixture), LIST_CAUSE_NONE);
    test_again(fixture, LISTED, NOT_LISTED);
    test_again(fixture, LISTED, NOTHING);
    assert_int_equal(cause_of(fixture), LIST_CAUSE_NONE);
    test_again(fixture, LISTED, NOTHING);
    assert_int_equal(cause_of(fixture), LIST_CAUSE_SILENT);
    test_again(fixture, LISTED, NOT_LISTED);
    assert_int_equal(cause_of(fixture), LIST_CAUSE_NONE);
    fixture_free(fixture);
}

/* Not asked for a day: left alone, until somebody asks it again. */
static void test_idle(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct lists_place *place = &fixture->resolver->lists.places[0];
    (void)state;
    const struct list_test *test = use(fixture, "9.2.0.192.bl.spamcop.net", 0);
    place->test.next_at = LISTS_IDLE_US + 1;
    list_test_on_deadline(fixture->resolver, LISTS_IDLE_US + 1);
    assert_false(test->is_scheduled);
    assert_int_equal(COUNTER(fixture, list_tests), 0);
    (void)use(fixture, "8.2.0.192.bl.spamcop.net", LISTS_IDLE_US + 2);
    assert_true(test->is_scheduled);
    assert_int_equal(test->next_at, LISTS_IDLE_US + 2 + LIST_TEST_FIRST_US);
    fixture_free(fixture);
}

/* The key leaves no room in a name for the test point: then it is not asked. */
static void test_no_room_in_a_name(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct lists_place *place = &fixture->resolver->lists.places[0];
    (void)state;
    const struct list_test *test = use(fixture, "9.2.0.192.bl.spamcop.net", 0);
    place->name_len = NAME_SIZE_MAX - 9;
    fixture_pass(fixture, SECONDS(30));
    assert_int_equal(COUNTER(fixture, list_tests), 0);
    assert_false(test->awaits_listed || test->awaits_unlisted);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_recovery),
        cmocka_unit_test(test_silent),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_no_room_in_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
