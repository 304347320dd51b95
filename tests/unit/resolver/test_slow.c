/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "mail/redact.h"
#include "resolver/resolver_private.h"
#include "resolver/slow.h"

#define S (INT64_C(1000) * MS)

static const char conf[] = "upstreams = 192.0.2.1\nlist_route = upstream\nlist_tests = no\n";

static struct slow_record records[SLOW_PLACES];

static const struct slow_ring *slowest(const struct fixture *fixture)
{
    return &fixture->resolver->slow.slowest;
}

static const struct slow_ring *failed(const struct fixture *fixture)
{
    return &fixture->resolver->slow.failed;
}

/* The question waits so long. */
static void ask_and_wait(struct fixture *fixture, const char *name, int64_t now, int64_t waited_us)
{
    size_t index = fixture->sent_count;
    assert_int_equal(fixture_ask_edns(fixture, name, TYPE_A, now), ASK_PARKED);
    fixture_reply(fixture, index, 0, now + waited_us);
    fixture->sent_count = 0; /* Room for more. */
}

static const struct slow_record *record_named(const struct slow_ring *ring, const char *name)
{
    char shown[REDACT_TEXT_SIZE];
    for (size_t i = 0; i < ring->count; i++) {
        (void)redact_kept_text(&ring->records[i].name, true, shown, sizeof shown);
        if (strcmp(shown, name) == 0) {
            return &ring->records[i];
        }
    }
    return NULL;
}

static void test_who_waited(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    ask_and_wait(fixture, "mail.example.org", 1 * S, 20 * MS);
    assert_int_equal(slowest(fixture)->count, 1);
    const struct slow_record *record = &slowest(fixture)->records[0];
    assert_int_equal(record->waited_us, 20 * MS);
    assert_int_equal(record->at, 1 * S + 20 * MS);
    assert_int_equal(record->count, 1);
    assert_int_equal(record->type, TYPE_A);
    assert_int_equal(record->outcome, OUTCOME_MISS);
    assert_int_equal(record->rcode, RCODE_NOERROR);
    assert_int_equal(record->ede, EDE_NONE);
    assert_string_equal(record->reason, "");
    assert_int_equal(record->timeline.count, 2);
    assert_int_equal(failed(fixture)->count, 0);
    fixture_free(fixture);
}

/* Hits and what is answered in the house never get there. */
static void test_who_did_not_wait(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    assert_int_equal(fixture_ask(fixture, "localhost", TYPE_A, 0), ASK_ANSWERED);
    assert_int_equal(slowest(fixture)->count, 0);
    ask_and_wait(fixture, "mail.example.org", 0, 20 * MS);
    assert_int_equal(fixture_ask(fixture, "mail.example.org", TYPE_A, 1 * S), ASK_ANSWERED);
    assert_int_equal(slowest(fixture)->records[0].count, 1);
    ask_and_wait(fixture, "www.example.org", 0, 0);
    assert_int_equal(slowest(fixture)->count, 1);
    fixture_free(fixture);
}

static void test_joined(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_ask(fixture, "mail.example.org", TYPE_A, 15 * MS);
    fixture_reply(fixture, 0, 0, 20 * MS);
    const struct slow_record *record = &slowest(fixture)->records[0];
    assert_int_equal(record->count, 2); /* The longer wait of the two is told. */
    assert_int_equal(record->waited_us, 20 * MS);
    assert_int_equal(record->joined_us, 0);
    fixture_free(fixture);
}

static void test_quicker_than_the_floor(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture->resolver->slow.slowest.floor_us = 18 * MS;
    fixture->resolver->slow.slowest.floor_until = INT64_MAX;
    fixture_reply(fixture, 0, 0, 10 * MS);
    assert_int_equal(slowest(fixture)->count, 0); /* Quicker than all that are there. */
    fixture_free(fixture);
}

/* A server says SERVFAIL: a failure. Who asks again at once is the same question. */
static void test_failures(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    assert_int_equal(fixture_ask_edns(fixture, "mail.example.org", TYPE_A, 0), ASK_PARKED);
    fixture_reply(fixture, 0, RCODE_SERVFAIL, 20 * MS);
    assert_int_equal(failed(fixture)->count, 1);
    const struct slow_record *record = &failed(fixture)->records[0];
    assert_int_equal(record->outcome, OUTCOME_FAILED);
    assert_int_equal(record->rcode, RCODE_SERVFAIL);
    assert_int_equal(record->ede, EDE_OTHER);
    assert_string_equal(record->reason, "every upstream server failed on this question");
    assert_int_equal(record->timeline.count, 2);
    assert_int_equal(fixture_ask_edns(fixture, "mail.example.org", TYPE_A, 21 * MS), ASK_ANSWERED);
    assert_int_equal(failed(fixture)->count, 1);
    assert_int_equal(record->count, 2);
    assert_int_equal(record->waited_us, 20 * MS); /* The one that tells most. */
    assert_int_equal(record->timeline.count, 2);
    assert_int_equal(slowest(fixture)->count, 1); /* It had to wait, too. */
    fixture_free(fixture);
}

/* Nobody answers: the deadline of the client ends it, and the time line is that of the fetch. */
static void test_deadline(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask_edns(fixture, "mail.example.org", TYPE_A, 0);
    fixture_pass(fixture, fixture->settings->answer_deadline_us);
    assert_int_equal(failed(fixture)->count, 1);
    const struct slow_record *record = &failed(fixture)->records[0];
    assert_int_equal(record->ede, EDE_NO_REACHABLE_AUTHORITY);
    assert_int_equal(record->waited_us, fixture->settings->answer_deadline_us);
    assert_true(record->timeline.count >= 4);
    fixture_free(fixture);
}

/* A minute apart they are two questions. */
static void test_the_same_question_later(void **state)
{
    static const struct {
        int64_t later_us;
        size_t count;
    } cases[] = {{SLOW_SAME_US - 1, 1}, {SLOW_SAME_US, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = fixture_new(conf);
        ask_and_wait(fixture, "mail.example.org", 0, 20 * MS);
        cache_flush_all(fixture->cache);
        ask_and_wait(fixture, "mail.example.org", cases[i].later_us + 10 * MS, 10 * MS);
        assert_int_equal(slowest(fixture)->count, cases[i].count);
        fixture_free(fixture);
    }
}

/* The ring is full: who waited less finds no place, who waited longer takes the shortest one's. */
static void test_the_slowest_stay(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    char name[32];
    (void)state;
    for (unsigned i = 0; i < SLOW_PLACES; i++) {
        (void)snprintf(name, sizeof name, "n%u.example.org", i);
        ask_and_wait(fixture, name, i * S, (10 + i) * MS);
    }
    assert_int_equal(slowest(fixture)->count, SLOW_PLACES);
    assert_int_equal(slowest(fixture)->floor_us, 10 * MS);
    ask_and_wait(fixture, "quick.example.org", 100 * S, 10 * MS);
    assert_null(record_named(slowest(fixture), "quick.example.org."));
    ask_and_wait(fixture, "slow.example.org", 101 * S, 50 * MS);
    assert_non_null(record_named(slowest(fixture), "slow.example.org."));
    assert_null(record_named(slowest(fixture), "n0.example.org."));
    assert_int_equal(slowest(fixture)->floor_us, 11 * MS);
    /* An hour later the first of them are old, and anybody may come. */
    ask_and_wait(fixture, "late.example.org", SLOW_KEPT_US + 2 * S, 1 * MS);
    assert_non_null(record_named(slowest(fixture), "late.example.org."));
    assert_int_equal(slowest(fixture)->count, SLOW_PLACES);
    fixture_free(fixture);
}

static void test_an_hour(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    const struct resolver *resolver = fixture->resolver;
    (void)state;
    ask_and_wait(fixture, "a.example.org", 0, 1 * S);
    ask_and_wait(fixture, "b.example.org", 10 * S, 2 * S);
    assert_int_equal(resolver_slow(resolver, false, SLOW_KEPT_US, records), 2);
    assert_int_equal(resolver_slow(resolver, false, SLOW_KEPT_US + 1 * S, records), 1);
    assert_int_equal(records[0].waited_us, 2 * S);
    assert_int_equal(resolver_slow(resolver, true, SLOW_KEPT_US, records), 0);
    fixture_free(fixture);
}

/* The last failures stay, whatever came before. */
static void test_the_last_failures_stay(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    char name[32];
    (void)state;
    for (unsigned i = 0; i < SLOW_PLACES + 1; i++) {
        size_t index = fixture->sent_count;
        int64_t now = (int64_t)i * S;
        (void)snprintf(name, sizeof name, "n%u.example.org", i);
        fixture_ask(fixture, name, TYPE_A, now);
        fixture_reply(fixture, index, RCODE_SERVFAIL, now + 20 * MS);
        fixture->sent_count = 0;
    }
    assert_int_equal(failed(fixture)->count, SLOW_PLACES);
    assert_null(record_named(failed(fixture), "n0.example.org."));
    assert_non_null(record_named(failed(fixture), "n1.example.org."));
    assert_non_null(record_named(failed(fixture), "n64.example.org."));
    fixture_free(fixture);
}

static bool has_bytes(const void *bytes, size_t size, const char *needle)
{
    return memmem(bytes, size, needle, strlen(needle)) != NULL;
}

/* The customer's key is not kept at all, whether the list is known or the operator's own; a reload
 * that forgets the list changes nothing. */
static void test_keys_are_not_kept(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1\nlist_route = upstream\n"
                                          "list_tests = no\n[list bl.corp.example]\n"
                                          "has_key = yes\n");
    struct settings *next = settings_of(conf);
    (void)state;
    ask_and_wait(fixture, "2.0.0.127.s3cret.zen.dq.spamhaus.net", 0, 20 * MS);
    ask_and_wait(fixture, "2.0.0.127.s3cret.bl.corp.example", 0, 20 * MS);
    ask_and_wait(fixture, "host.s3cret.bl.corp.example", 0, 20 * MS);
    assert_true(resolver_set_settings(fixture->resolver, next, 1 * S));
    assert_int_equal(slowest(fixture)->count, 3);
    assert_non_null(record_named(slowest(fixture), "2.0.0.127.*.zen.dq.spamhaus.net."));
    assert_non_null(record_named(slowest(fixture), "2.0.0.127.*.bl.corp.example."));
    assert_non_null(record_named(slowest(fixture), "host.*.bl.corp.example."));
    assert_false(has_bytes(&fixture->resolver->slow, sizeof fixture->resolver->slow, "s3cret"));
    fixture_free(fixture);
    free(next);
}

static void test_order(void **state)
{
    static struct slow_record mixed[3] = {
        {.waited_us = 5, .at = 10}, {.waited_us = 9, .at = 5}, {.waited_us = 7, .at = 20}};
    (void)state;
    assert_int_equal(slow_sort(mixed, 3, false), 3);
    assert_int_equal(mixed[0].waited_us, 9);
    assert_int_equal(mixed[2].waited_us, 5);
    assert_int_equal(slow_sort(mixed, 3, true), 3);
    assert_int_equal(mixed[0].at, 20);
    assert_int_equal(mixed[2].at, 5);
    struct slow_record *many = calloc(SLOW_PLACES + 5, sizeof *many);
    assert_non_null(many);
    assert_int_equal(slow_sort(many, SLOW_PLACES + 5, true), SLOW_PLACES);
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_waited),
        cmocka_unit_test(test_who_did_not_wait),
        cmocka_unit_test(test_joined),
        cmocka_unit_test(test_quicker_than_the_floor),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_the_same_question_later),
        cmocka_unit_test(test_the_slowest_stay),
        cmocka_unit_test(test_an_hour),
        cmocka_unit_test(test_the_last_failures_stay),
        cmocka_unit_test(test_keys_are_not_kept),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
