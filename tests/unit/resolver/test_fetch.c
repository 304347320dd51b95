/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/fetch.h"
#include "resolver/resolver_private.h"

static const char conf[] = "upstreams = 192.0.2.1\nquestions_max = 16\n"
                           "[upstream office]\nservers = 192.0.2.9\n"
                           "[zone example.org]\nupstream = office\n"
                           "[zone sub.example.org]\nupstream = default\n";

static void test_group(void **state)
{
    static const struct {
        const char *name;
        uint16_t type;
        size_t group;
    } cases[] = {
        {"example.net", TYPE_A, 0},
        {"example.org", TYPE_MX, 1},
        {"a.example.org", TYPE_MX, 1},
        {"a.sub.example.org", TYPE_MX, 0},
        /* A DS lives in the parent zone. */
        {"example.org", TYPE_DS, 0},
        {"a.example.org", TYPE_DS, 1},
        {"sub.example.org", TYPE_DS, 1},
        {"a.sub.example.org", TYPE_DS, 0},
        {"sub.example.org", TYPE_DNSKEY, 0},
        {"org", TYPE_DS, 0},
        /* The root has no parent. */
        {".", TYPE_DS, 0},
        {".", TYPE_NS, 0},
    };
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cache_key key = key_of(cases[i].name, cases[i].type);
        assert_int_equal(fetch_group(fixture->resolver, &key), cases[i].group);
    }
    fixture_free(fixture);
}

/* With [zone .] even the root's own group is a choice, and its DS goes there. */
static void test_group_of_the_root(void **state)
{
    struct fixture *fixture =
        fixture_new("upstreams = 192.0.2.1\n[upstream office]\nservers = 192.0.2.9\n"
                    "[zone .]\nupstream = office\n[zone org]\nupstream = default\n");
    struct cache_key key = key_of(".", TYPE_DS);
    (void)state;
    assert_int_equal(fetch_group(fixture->resolver, &key), 1);
    key = key_of("org", TYPE_DS);
    assert_int_equal(fetch_group(fixture->resolver, &key), 1);
    key = key_of("org", TYPE_NS);
    assert_int_equal(fetch_group(fixture->resolver, &key), 0);
    fixture_free(fixture);
}

static void test_strange_reply_is_left_alone(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    uint8_t bytes[512];
    (void)state;
    fixture_ask(fixture, "mail.example.net", TYPE_A, 0);
    size_t len = reply_of(&fixture->sent[0], 0, bytes);
    header_set_id(bytes, (uint16_t)(header_id(bytes) ^ 1));
    uint64_t exchange = fixture->sent[0].exchange;
    assert_false(resolver_on_reply(fixture->resolver, exchange, bytes, len, MS));
    assert_int_equal(COUNTER(fixture, upstream_mismatched), 1);
    assert_false(resolver_on_reply(fixture->resolver, exchange + 1, bytes, len, MS));
    assert_false(resolver_on_reply(fixture->resolver, exchange, bytes, 0, MS));
    assert_true(fixture_reply(fixture, 0, 0, 2 * MS));
    assert_false(fixture_reply(fixture, 0, 0, 3 * MS)); /* It has gone. */
    assert_int_equal(fixture->delivered_count, 1);
    fixture_free(fixture);
}

/* One piece of work per key; DO and CD make it another one. */
static void test_shared_by_its_waiters(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    uint8_t bytes[512];
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(fixture_ask(fixture, "mail.example.net", TYPE_A, i), ASK_PARKED);
    }
    assert_int_equal(fixture->sent_count, 1);
    assert_int_equal(COUNTER(fixture, fetches), 1);
    assert_int_equal(COUNTER(fixture, fetches_running), 1);
    size_t len = query_of("mail.example.net", TYPE_A, bytes);
    header_set_flags(bytes, HEADER_RD | HEADER_CD);
    assert_int_equal(fixture_ask_bytes(fixture, bytes, len, 5), ASK_PARKED);
    fixture_ask(fixture, "mail.example.net", TYPE_AAAA, 5);
    assert_int_equal(fixture->sent_count, 3);
    assert_int_equal(COUNTER(fixture, questions_waiting), 7);
    assert_true(fixture_reply(fixture, 0, 0, 20 * MS));
    assert_int_equal(fixture->delivered_count, 5);
    assert_int_equal(COUNTER(fixture, questions_waiting), 2);
    assert_int_equal(COUNTER(fixture, fetches_running), 2);
    fixture_free(fixture);
}

/* The first good reply ends it: what else was asked is withdrawn. */
/* The answer ends what has had its time at once; a try that has not is waited for until it is lost.
 */
static void test_end_withdraws_other_tries(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "mail.example.net", TYPE_A, 0);
    fixture_pass(fixture, 1200 * MS);
    assert_int_equal(fixture->sent_count, 3);
    assert_true(fixture_reply(fixture, 1, 0, 1300 * MS));
    assert_int_equal(resolver_waiting(fixture->resolver), 0);
    assert_true(fixture->sent[0].is_withdrawn);
    assert_false(fixture->sent[2].is_withdrawn);
    fixture_pass(fixture, 2001 * MS);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

static void test_no_room(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct cache_key key = key_of("mail.example.net", TYPE_A);
    uint64_t id;
    (void)state;
    while (pool_take(&fixture->resolver->fetches, &id) != NULL) {
    }
    assert_null(fetch_start(fixture->resolver, &(struct fetch_order){.key = &key}, 0));
    assert_int_equal(COUNTER(fixture, fetches), 0);
    pool_fini(&fixture->resolver->fetches);
    assert_true(pool_init(&fixture->resolver->fetches, sizeof(struct fetch), 32));
    fixture_free(fixture);
}

/* A refresh that nobody waits for ends in time too, and what it was for is told that it failed. */
static void test_nobody_waits(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct cache_key key = key_of("mail.example.net", TYPE_A);
    (void)state;
    assert_non_null(fetch_start(fixture->resolver, &(struct fetch_order){.key = &key}, 0));
    int64_t end = fixture->settings->answer_deadline_us + FETCH_LATE_US;
    fixture_pass(fixture, end - 1);
    assert_int_equal(resolver_fetching(fixture->resolver), 1);
    fixture_pass(fixture, end);
    fixture_check_quiet(fixture);
    assert_int_equal(COUNTER(fixture, fetches_failed), 1);
    assert_int_equal(fixture_ask_edns(fixture, "mail.example.net", TYPE_A, end), ASK_ANSWERED);
    assert_int_equal(ede_of(fixture->answer, fixture->answer_len), EDE_CACHED_ERROR);
    fixture_free(fixture);
}

/* Having failed its last waiter it asks no more and is joined no more, but listens; its end is no
 * second failure that would shut out the next asker. */
static void test_retired(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    int64_t deadline = fixture->settings->answer_deadline_us;
    (void)state;
    fixture_ask(fixture, "mail.example.net", TYPE_A, 0);
    fixture_ask(fixture, "mail.example.net", TYPE_A, 100 * MS);
    fixture_pass(fixture, deadline);
    assert_int_equal(fixture->delivered_count, 1);
    fixture_pass(fixture, deadline + 100 * MS);
    assert_int_equal(fixture->delivered_count, 2);
    assert_int_equal(COUNTER(fixture, deadline_passed), 2);
    assert_int_equal(resolver_fetching(fixture->resolver), 1);

    size_t sent = fixture->sent_count;
    for (size_t i = 0; i < fixture->resolver->servers.count; i++) {
        fixture->resolver->servers.servers[i].streak = 0; /* They are not known to be away. */
    }
    assert_int_equal(
        fixture_ask(fixture, "mail.example.net", TYPE_A, deadline + 1000 * MS), ASK_PARKED);
    assert_int_equal(fixture->sent_count, sent + 1);
    assert_int_equal(resolver_fetching(fixture->resolver), 2);
    fixture_pass(fixture, deadline + FETCH_LATE_US); /* The old one ends here. */
    assert_int_equal(resolver_fetching(fixture->resolver), 1);
    assert_int_equal(
        fixture_ask(fixture, "mail.example.net", TYPE_A, deadline + FETCH_LATE_US), ASK_PARKED);
    assert_true(fixture_reply(fixture, sent, 0, deadline + FETCH_LATE_US));
    assert_int_equal(fixture->delivered_count, 4);
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);
    fixture_pass(fixture, deadline + FETCH_LATE_US + 2000 * MS);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* It had asks left, and the try under way was not over. */
static void test_retired_asks_no_more(void **state)
{
    struct fixture *fixture =
        fixture_new("upstreams = 192.0.2.1\nquestions_max = 16\ntry_timeout = 3s\n");
    (void)state;
    fixture_ask(fixture, "mail.example.net", TYPE_A, 0);
    fixture_pass(fixture, 4000 * MS);
    assert_int_equal(fixture->delivered_count, 1);
    assert_int_equal(fixture->sent_count, 2);
    fixture_pass(fixture, 5999 * MS);
    assert_int_equal(fixture->sent_count, 2);
    assert_int_equal(resolver_fetching(fixture->resolver), 1);
    fixture_pass(fixture, 6000 * MS);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* A try may have more time than the fetch has: the fetch ends when it must. */
static void test_end_comes_before_the_try(void **state)
{
    struct fixture *fixture =
        fixture_new("upstreams = 192.0.2.1\nquestions_max = 16\ntry_timeout = 10s\n");
    struct cache_key key = key_of("mail.example.net", TYPE_A);
    (void)state;
    assert_non_null(fetch_start(fixture->resolver, &(struct fetch_order){.key = &key}, 0));
    fixture_pass(fixture, 5999 * MS);
    assert_int_equal(fixture->sent_count, 2); /* At 0 and 5 s; the second would have until 15 s. */
    fixture_pass(fixture, 6000 * MS);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

static void test_retired_still_hears(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    int64_t deadline = fixture->settings->answer_deadline_us;
    (void)state;
    fixture_ask(fixture, "mail.example.net", TYPE_A, 0);
    fixture_pass(fixture, deadline);
    assert_true(fixture_reply(fixture, 0, 0, deadline + MS));
    assert_int_equal(fixture->delivered_count, 1);
    fixture_check_quiet(fixture);
    assert_int_equal(
        fixture_ask(fixture, "mail.example.net", TYPE_A, deadline + 2 * MS), ASK_ANSWERED);
    assert_int_equal(header_rcode(fixture->answer), RCODE_NOERROR);
    fixture_free(fixture);
}

/* Settings change under it: old tries still count for the asks, their servers are no longer named,
 * and the group is the new one's. */
static void test_reroute(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    assert_string_equal(fixture->sent[0].server, "192.0.2.9@53");
    struct settings *fresh = settings_of("upstreams = 192.0.2.3\nquestions_max = 16\n");
    assert_true(resolver_set_settings(fixture->resolver, fresh, 0));
    free(fresh);
    fixture_pass(fixture, 400 * MS); /* Tells no server: it has gone. */
    assert_int_equal(fixture->sent_count, 2);
    assert_string_equal(fixture->sent[1].server, "192.0.2.3@53");
    assert_int_equal(fixture->resolver->servers.servers[0].streak, 0);
    assert_true(fixture_reply(fixture, 0, RCODE_SERVFAIL, 401 * MS));
    assert_int_equal(fixture->resolver->servers.servers[0].failures, 0);
    assert_int_equal(fixture->delivered_count, 0);
    assert_true(fixture_reply(fixture, 1, 0, 410 * MS));
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* What failed was another server: the one in its place now has not been asked. */
static void test_reroute_forgets_failures(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1 192.0.2.2\nquestions_max = 16\n");
    (void)state;
    fixture_ask(fixture, "mail.example.net", TYPE_A, 0);
    assert_true(fixture_reply(fixture, 0, RCODE_REFUSED, MS));
    assert_int_equal(fixture->sent_count, 2);
    struct settings *fresh = settings_of("upstreams = 192.0.2.3\nquestions_max = 16\n");
    assert_true(resolver_set_settings(fixture->resolver, fresh, 0));
    free(fresh);
    assert_true(fixture_reply(fixture, 1, RCODE_REFUSED, 2 * MS));
    assert_int_equal(fixture->sent_count, 3);
    assert_string_equal(fixture->sent[2].server, "192.0.2.3@53");
    assert_true(fixture_reply(fixture, 2, 0, 3 * MS));
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_group),
        cmocka_unit_test(test_group_of_the_root),
        cmocka_unit_test(test_strange_reply_is_left_alone),
        cmocka_unit_test(test_shared_by_its_waiters),
        cmocka_unit_test(test_end_withdraws_other_tries), cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_nobody_waits), cmocka_unit_test(test_retired),
        cmocka_unit_test(test_retired_asks_no_more),
        cmocka_unit_test(test_end_comes_before_the_try), cmocka_unit_test(test_retired_still_hears),
        cmocka_unit_test(test_reroute), cmocka_unit_test(test_reroute_forgets_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
