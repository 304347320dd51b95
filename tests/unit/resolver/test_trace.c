/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "mail/redact.h"
#include "resolver/observer.h"
#include "resolver/resolver_private.h"
#include "resolver/trace.h"

static const char conf[] = "upstreams = 192.0.2.1\nlist_route = upstream\nlist_tests = no\n";

static struct trace_view view;

static uint64_t start(struct fixture *fixture, const char *name, int64_t now)
{
    struct question question = {.type = TYPE_A, .class = CLASS_IN};
    question.name_len = (uint8_t)name_of(name, question.name);
    return resolver_trace_start(fixture->resolver, &question, now);
}

static bool look(const struct fixture *fixture, uint64_t id)
{
    return resolver_trace_look(fixture->resolver, id, &view);
}

static void fill_cache(struct fixture *fixture)
{
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_reply(fixture, 0, 0, MS);
    assert_int_equal(fixture_ask(fixture, "mail.example.org", TYPE_A, 2 * MS), ASK_ANSWERED);
}

/* Upstream is asked although the answer is there; each event can be seen when it has happened. */
static void test_asked_anew(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fill_cache(fixture);
    uint64_t questions = COUNTER(fixture, questions);
    uint64_t id = start(fixture, "mail.example.org", 10 * MS);
    assert_true(id != 0);
    assert_int_equal(fixture->sent_count, 2);
    assert_true(look(fixture, id));
    assert_false(view.is_over);
    assert_int_equal(view.timeline.count, 1);
    assert_int_equal(view.timeline.events[0].kind, TIMELINE_ASKED);
    fixture_reply(fixture, 1, 0, 30 * MS);
    assert_true(look(fixture, id));
    assert_true(view.is_over);
    assert_int_equal(view.timeline.count, 2);
    assert_int_equal(view.end.waited_us, 20 * MS);
    assert_int_equal(view.end.rcode, RCODE_NOERROR);
    assert_int_equal(view.end.outcome, OUTCOME_MISS);
    assert_int_equal(header_rcode(view.answer), RCODE_NOERROR);
    assert_int_equal(header_ancount(view.answer), 1);
    assert_int_equal(fixture->delivered_count, 1); /* To the client, at first; no more. */
    assert_int_equal(COUNTER(fixture, questions), questions);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* What it brings is stored. */
static void test_stored(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    assert_true(start(fixture, "mail.example.org", 0) != 0);
    fixture_reply(fixture, 0, 0, 20 * MS);
    assert_int_equal(fixture_ask(fixture, "mail.example.org", TYPE_A, 30 * MS), ASK_ANSWERED);
    fixture_free(fixture);
}

/* A client that asks meanwhile waits for the same; so does one who follows what a client asked. */
static void test_joined(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    uint64_t id = start(fixture, "mail.example.org", 5 * MS);
    fixture_ask(fixture, "mail.example.org", TYPE_A, 7 * MS);
    assert_int_equal(fixture->sent_count, 1);
    fixture_reply(fixture, 0, 0, 20 * MS);
    assert_int_equal(fixture->delivered_count, 2);
    assert_true(look(fixture, id) && view.is_over);
    assert_int_equal(view.end.joined_us, 5 * MS);
    assert_int_equal(view.end.waited_us, 15 * MS);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

static void test_in_the_house(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    uint64_t id = start(fixture, "localhost", 0);
    assert_true(look(fixture, id) && view.is_over);
    assert_int_equal(view.timeline.count, 0);
    assert_int_equal(view.end.outcome, OUTCOME_LOCAL);
    assert_int_equal(header_ancount(view.answer), 1);
    assert_int_equal(fixture->sent_count, 0);
    fixture_free(fixture);
}

/* It ends with answer_deadline, as for any client. */
static void test_deadline(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    uint64_t id = start(fixture, "mail.example.org", 0);
    fixture_pass(fixture, fixture->settings->answer_deadline_us);
    assert_true(look(fixture, id) && view.is_over);
    assert_int_equal(view.end.rcode, RCODE_SERVFAIL);
    assert_int_equal(view.end.ede, EDE_NO_REACHABLE_AUTHORITY);
    assert_true(view.timeline.count > 2);
    fixture_free(fixture);
}

/* As many as there are places; who is over makes room, the oldest first. */
static void test_places(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    uint64_t ids[TRACE_PLACES];
    char name[32];
    (void)state;
    assert_false(look(fixture, 0));
    for (unsigned i = 0; i < TRACE_PLACES; i++) {
        (void)snprintf(name, sizeof name, "n%u.example.org", i);
        ids[i] = start(fixture, name, 0);
        assert_true(ids[i] != 0);
    }
    assert_int_equal(start(fixture, "more.example.org", 0), 0);
    fixture_reply(fixture, 2, 0, 10 * MS);
    fixture_reply(fixture, 1, 0, 20 * MS);
    uint64_t more = start(fixture, "more.example.org", 30 * MS);
    assert_true(more != 0);
    assert_false(look(fixture, ids[2]));
    assert_true(look(fixture, ids[1]) && view.is_over);
    assert_true(look(fixture, ids[0]) && !view.is_over);
    assert_true(look(fixture, more) && !view.is_over);
    assert_false(look(fixture, 0));
    fixture_free(fixture);
}

/* No room to wait: told at once. */
static void test_no_room(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1\nquestions_max = 16\n");
    char name[32];
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        (void)snprintf(name, sizeof name, "n%u.example.org", i);
        assert_int_equal(fixture_ask(fixture, name, TYPE_A, 0), ASK_PARKED);
    }
    uint64_t id = start(fixture, "more.example.org", 0);
    assert_true(look(fixture, id) && view.is_over);
    assert_int_equal(view.end.rcode, RCODE_SERVFAIL);
    assert_int_equal(view.timeline.count, 0);
    assert_int_equal(COUNTER(fixture, questions_overflow), 0);
    fixture_free(fixture);
}

/* What is known of a name above says nothing to it: it sees what upstream says now. */
static void test_concludes_nothing(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    static const uint8_t soa[] = {0xc0, 12, 0, TYPE_SOA, 0, CLASS_IN, 0, 0, 1, 44, 0, 22, 0, 0, 0,
        0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 44};
    static const uint16_t counts[3] = {0, 1, 0};
    uint8_t bytes[512];
    (void)state;
    fixture_ask(fixture, "gone.example.org", TYPE_A, 0);
    size_t len = reply_with(&fixture->sent[0], RCODE_NXDOMAIN, counts, soa, sizeof soa, bytes);
    resolver_on_reply(fixture->resolver, fixture->sent[0].exchange, bytes, len, MS);
    assert_int_equal(fixture_ask(fixture, "x.gone.example.org", TYPE_A, 2 * MS), ASK_ANSWERED);
    assert_int_equal(COUNTER(fixture, answers_cut), 1);
    uint64_t id = start(fixture, "y.gone.example.org", 3 * MS);
    assert_true(look(fixture, id));
    assert_false(view.is_over);
    assert_int_equal(fixture->sent_count, 2);
    fixture_reply(fixture, 1, 0, 4 * MS);
    assert_true(look(fixture, id) && view.is_over);
    assert_int_equal(view.end.rcode, RCODE_NOERROR);
    fixture_free(fixture);
}

static uint64_t waits(const struct resolver_stats *stats)
{
    uint64_t count = 0;
    for (size_t i = 0; i < QUESTION_CLASSES * OUTCOMES; i++) {
        struct histogram_sum sum = {0};
        histogram_merge(&sum, &stats->wait[i / OUTCOMES][i % OUTCOMES]);
        count += sum.count;
    }
    return count;
}

static void see_answer(void *world, const struct observed *observed)
{
    (void)observed;
    ++*(unsigned *)world;
}

static void see_parked(
    void *world, const struct client *client, const uint8_t *query, size_t len, int64_t now)
{
    (void)client;
    (void)query;
    (void)len;
    (void)now;
    ++*(unsigned *)world;
}

static void settle(void *world, int64_t waited_us)
{
    (void)world;
    (void)waited_us;
}

/* It is no client's: neither its answer nor its failure is counted, kept or told as one. */
static void test_is_no_client(void **state)
{
    struct fixture *fixture =
        fixture_new("upstreams = 192.0.2.1\nlist_tests = no\nquestions_max = 16\n");
    const struct resolver_stats *stats = resolver_stats_of(fixture->resolver);
    unsigned seen = 0;
    const struct observer observer = {
        .world = &seen, .parked = see_parked, .answered = see_answer, .settled = settle};
    (void)state;
    fixture->resolver->observer = &observer;
    start(fixture, "localhost", 0);
    start(fixture, "mail.example.org", 0);
    fixture_reply(fixture, 0, 0, 20 * MS);
    start(fixture, "silent.example.org", 20 * MS);
    fixture_pass(fixture, 20 * MS + fixture->settings->answer_deadline_us);
    struct question transfer = {.type = TYPE_AXFR, .class = CLASS_IN};
    transfer.name_len = (uint8_t)name_of("example.org", transfer.name);
    resolver_trace_start(fixture->resolver, &transfer, 20 * MS);
    struct question none = transfer;
    none.type = TYPE_OPT;
    resolver_trace_start(fixture->resolver, &none, 20 * MS);
    resolver_settle(fixture->resolver, 0);
    assert_int_equal(counter_read(&stats->fetches), 2); /* The work is. */
    assert_int_equal(counter_read(&stats->questions), 0);
    assert_int_equal(counter_read(&stats->questions_malformed), 0);
    assert_int_equal(counter_read(&stats->questions_refused), 0);
    assert_int_equal(counter_read(&stats->answers_noerror), 0);
    assert_int_equal(counter_read(&stats->answers_servfail), 0);
    assert_int_equal(counter_read(&stats->answers_other), 0);
    assert_int_equal(counter_read(&stats->deadline_passed), 0);
    assert_int_equal(waits(stats), 0);
    assert_int_equal(fixture->resolver->slow.slowest.count, 0);
    assert_int_equal(fixture->resolver->slow.failed.count, 0);
    assert_int_equal(seen, 0);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked_anew),
        cmocka_unit_test(test_stored),
        cmocka_unit_test(test_joined),
        cmocka_unit_test(test_in_the_house),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_concludes_nothing),
        cmocka_unit_test(test_is_no_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
