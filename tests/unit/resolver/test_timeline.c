/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/fetch.h"
#include "resolver/resolver_private.h"
#include "resolver/timeline.h"

static void add(struct timeline *timeline, enum timeline_kind kind, int64_t now)
{
    timeline_add(timeline, (struct timeline_event){.kind = (uint8_t)kind}, now);
}

static void test_events_in_order(void **state)
{
    struct timeline timeline;
    (void)state;
    timeline_begin(&timeline, 1000 * MS);
    add(&timeline, TIMELINE_ASKED, 1000 * MS);
    add(&timeline, TIMELINE_TIMED_OUT, 1043 * MS);
    assert_int_equal(timeline.count, 2);
    assert_int_equal(timeline.events[0].at_us, 0);
    assert_int_equal(timeline.events[1].at_us, 43 * MS);
    assert_int_equal(timeline.events[1].kind, TIMELINE_TIMED_OUT);
    add(&timeline, TIMELINE_REPLIED, 1000 * MS + INT64_C(2) * UINT32_MAX);
    assert_int_equal(timeline.events[2].at_us, UINT32_MAX);
    timeline_begin(&timeline, 0);
    assert_int_equal(timeline.count, 0);
}

static void test_what_finds_no_room_is_counted(void **state)
{
    struct timeline timeline;
    (void)state;
    timeline_begin(&timeline, 0);
    for (unsigned i = 0; i < TIMELINE_EVENTS_MAX; i++) {
        add(&timeline, TIMELINE_ASKED, i);
    }
    assert_int_equal(timeline.left_out, 0);
    for (unsigned i = 0; i < UINT16_MAX + 5u; i++) {
        add(&timeline, TIMELINE_REPLIED, i);
        assert_int_equal(timeline.left_out, i + 1 < UINT16_MAX ? i + 1 : UINT16_MAX);
    }
    assert_int_equal(timeline.count, TIMELINE_EVENTS_MAX);
    assert_int_equal(timeline.events[TIMELINE_EVENTS_MAX - 1].kind, TIMELINE_ASKED);
}

static void test_what_lasts_is_told_once(void **state)
{
    static const struct {
        enum timeline_kind kind;
        unsigned count;
    } cases[] = {
        {TIMELINE_ALL_REST, 1},
        {TIMELINE_NOBODY, 1},
        {TIMELINE_SEEKING, 1},
        {TIMELINE_ASKED, 3},
        {TIMELINE_REPLIED, 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct timeline timeline;
        timeline_begin(&timeline, 0);
        for (unsigned j = 0; j < 3; j++) {
            add(&timeline, cases[i].kind, j);
        }
        assert_int_equal(timeline.count, cases[i].count);
        add(&timeline, TIMELINE_BROKEN, 4);
        add(&timeline, cases[i].kind, 5);
        assert_int_equal(timeline.count, cases[i].count + 2);
    }
}

static void test_servers(void **state)
{
    struct timeline timeline;
    struct address address = {.family = ADDRESS_IPV4, .bytes = {192, 0, 2, 0}, .port = 53};
    (void)state;
    timeline_begin(&timeline, 0);
    for (uint8_t i = 0; i < TIMELINE_SERVERS_MAX; i++) {
        address.bytes[3] = i;
        assert_int_equal(timeline_add_server(&timeline, &address), i);
        assert_int_equal(timeline_add_server(&timeline, &address), i);
    }
    address.bytes[3] = 99;
    assert_int_equal(timeline_add_server(&timeline, &address), TIMELINE_SERVER_NONE);
    address.bytes[3] = 3;
    assert_int_equal(timeline_add_server(&timeline, &address), 3);
    address.port = 853;
    assert_int_equal(timeline_add_server(&timeline, &address), TIMELINE_SERVER_NONE);
}

static void test_names_are_single_words(void **state)
{
    const char *names[TIMELINE_KINDS + TIMELINE_REASONS + TIMELINE_TRANSPORTS];
    size_t count = 0;
    (void)state;
    for (unsigned i = 0; i < TIMELINE_KINDS; i++) {
        names[count++] = timeline_kind_name((enum timeline_kind)i);
    }
    for (unsigned i = 0; i < TIMELINE_REASONS; i++) {
        names[count++] = timeline_reason_name((enum timeline_reason)i);
    }
    for (unsigned i = 0; i < TIMELINE_TRANSPORTS; i++) {
        names[count++] = timeline_transport_name((enum timeline_transport)i);
    }
    for (size_t i = 0; i < count; i++) {
        assert_null(strchr(names[i], ' '));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(names[i], names[j]);
        }
    }
}

/* ---- As fetches write it ---- */

static const struct timeline *timeline_of(const struct fixture *fixture)
{
    for (uint32_t i = 0; i < fixture->resolver->fetches.count; i++) {
        const struct fetch *fetch = pool_at(&fixture->resolver->fetches, i);
        if (fetch != NULL) {
            return &fetch->timeline;
        }
    }
    return NULL;
}

static void check_event(const struct timeline *timeline, size_t index, enum timeline_kind kind,
    unsigned detail, unsigned server)
{
    assert_non_null(timeline);
    assert_true(index < timeline->count);
    assert_int_equal(timeline->events[index].kind, kind);
    assert_int_equal(timeline->events[index].detail, detail);
    assert_int_equal(timeline->events[index].server, server);
}

/* TC: the same server by TCP; its line breaks, a new one is opened, and that breaks too. */
static void test_tcp_and_broken_lines(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1 192.0.2.2\n");
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    const struct timeline *timeline = timeline_of(fixture);
    check_event(timeline, 0, TIMELINE_ASKED, TIMELINE_FIRST, 0);
    assert_int_equal(timeline->events[0].transport, TIMELINE_UDP);
    fixture_reply(fixture, 0, HEADER_TC, 20 * MS);
    check_event(timeline, 1, TIMELINE_REPLIED, JUDGE_TRUNCATED, 0);
    check_event(timeline, 2, TIMELINE_ASKED, TIMELINE_TRUNCATED, 0);
    assert_int_equal(timeline->events[2].transport, TIMELINE_TCP);
    assert_int_equal(timeline->events[2].at_us, 20 * MS);
    fixture_lose(fixture, 1, 25 * MS);
    check_event(timeline, 3, TIMELINE_BROKEN, 0, 0);
    check_event(timeline, 4, TIMELINE_ASKED, TIMELINE_REOPENED, 0);
    fixture_lose(fixture, 2, 26 * MS);
    check_event(timeline, 5, TIMELINE_BROKEN, 0, 0);
    check_event(timeline, 6, TIMELINE_ASKED, TIMELINE_NEXT, 1);
    fixture_reply(fixture, 3, RCODE_SERVFAIL, 30 * MS);
    fixture_free(fixture);
}

/* FORMERR: the same without EDNS. SERVFAIL: the next server. A lost try, and its late reply. */
static void test_edns_failure_and_late_reply(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1 192.0.2.2\n");
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    const struct timeline *timeline = timeline_of(fixture);
    fixture_reply(fixture, 0, RCODE_FORMERR, 20 * MS);
    check_event(timeline, 1, TIMELINE_REPLIED, JUDGE_NO_EDNS, 0);
    assert_int_equal(timeline->events[1].rcode, RCODE_FORMERR);
    check_event(timeline, 2, TIMELINE_ASKED, TIMELINE_PLAIN, 0);
    fixture_reply(fixture, 1, RCODE_SERVFAIL, 40 * MS);
    check_event(timeline, 3, TIMELINE_REPLIED, JUDGE_SERVFAIL, 0);
    check_event(timeline, 4, TIMELINE_ASKED, TIMELINE_NEXT, 1);
    fixture_pass(fixture, 1000 * MS);
    check_event(timeline, 5, TIMELINE_TIMED_OUT, 0, 1);
    uint8_t count = timeline->count;
    fixture_reply(fixture, 2, RCODE_SERVFAIL, 1001 * MS);
    assert_true(timeline->count > count);
    check_event(timeline, count, TIMELINE_REPLIED, JUDGE_SERVFAIL, 1);
    assert_true(timeline->events[count].is_late);
    fixture_free(fixture);
}

static void test_nothing_can_be_sent(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1\n");
    (void)state;
    fixture->is_refusing_to_send = true;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    check_event(timeline_of(fixture), 0, TIMELINE_UNSENT, TIMELINE_FIRST, 0);
    fixture_free(fixture);
}

static void test_reload_is_told(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1\n");
    struct settings *next = settings_of("upstreams = 192.0.2.9\n");
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    assert_true(resolver_set_settings(fixture->resolver, next, 5 * MS));
    const struct timeline *timeline = timeline_of(fixture);
    check_event(timeline, 1, TIMELINE_RELOADED, 0, TIMELINE_SERVER_NONE);
    fixture_reply(fixture, 0, RCODE_SERVFAIL, 10 * MS);
    check_event(timeline, 2, TIMELINE_REPLIED, JUDGE_SERVFAIL, 0); /* The old server's, by name. */
    check_event(timeline, 3, TIMELINE_ASKED, TIMELINE_NEXT, 1);
    fixture_free(fixture);
    free(next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_in_order),
        cmocka_unit_test(test_what_finds_no_room_is_counted),
        cmocka_unit_test(test_what_lasts_is_told_once),
        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_names_are_single_words),
        cmocka_unit_test(test_tcp_and_broken_lines),
        cmocka_unit_test(test_edns_failure_and_late_reply),
        cmocka_unit_test(test_nothing_can_be_sent),
        cmocka_unit_test(test_reload_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
