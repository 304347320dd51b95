/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "wire/types.h"
#include "resolver/observer.h"
#include "resolver/resolver_private.h"

static const char conf[] = "upstreams = 192.0.2.1 192.0.2.2\nquestions_max = 16\n";

struct seen {
    unsigned parked;
    unsigned answered;
    unsigned settled;
    size_t parked_len;
    int64_t waited_us; /* As settled. */
    enum outcome outcome;
    unsigned rcode;
    int64_t took_us;
    char name[REDACT_TEXT_SIZE];
    char upstream[ADDRESS_TEXT_SIZE]; /* Empty: nobody's. */
    bool has_query;
    bool has_question;
    size_t answer_len;
};

static void on_parked(
    void *world, const struct client *client, const uint8_t *query, size_t len, int64_t now)
{
    struct seen *seen = world;
    (void)client;
    (void)now;
    assert_non_null(query);
    seen->parked++;
    seen->parked_len = len;
}

static void on_answered(void *world, const struct observed *observed)
{
    struct seen *seen = world;
    seen->answered++;
    seen->outcome = observed->outcome;
    seen->rcode = observed->rcode;
    seen->took_us = observed->answered_at - observed->asked_at;
    seen->has_query = observed->query != NULL;
    seen->has_question = observed->question != NULL;
    seen->answer_len = observed->answer_len;
    seen->upstream[0] = '\0';
    if (observed->upstream != NULL) {
        address_format(observed->upstream, seen->upstream, sizeof seen->upstream);
    }
    (void)redact_kept_text(observed->name, false, seen->name, sizeof seen->name);
}

static void on_settled(void *world, int64_t waited_us)
{
    struct seen *seen = world;
    seen->settled++;
    seen->waited_us = waited_us;
}

/* The resolver takes it at start; here it is put in its place. */
static struct fixture *observed_new(struct seen *seen, struct observer *observer)
{
    struct fixture *fixture = fixture_new(conf);
    *seen = (struct seen){.parked = 0};
    *observer = (struct observer){
        .world = seen, .parked = on_parked, .answered = on_answered, .settled = on_settled};
    fixture->resolver->observer = observer;
    return fixture;
}

static void each_question_is_told_once(void **state)
{
    struct seen seen;
    struct observer observer;
    struct fixture *fixture = observed_new(&seen, &observer);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    assert_int_equal(seen.parked, 1);
    assert_true(seen.parked_len > HEADER_SIZE);
    assert_int_equal(seen.answered, 0);
    /* The first server fails, the second one's reply is used. */
    assert_true(fixture_reply(fixture, 0, RCODE_SERVFAIL, 20 * MS));
    assert_true(fixture_reply(fixture, 1, 0, 40 * MS));
    assert_int_equal(seen.answered, 1);
    assert_int_equal(seen.outcome, OUTCOME_MISS);
    assert_int_equal(seen.rcode, RCODE_NOERROR);
    assert_int_equal(seen.took_us, 40 * MS);
    assert_string_equal(seen.name, "mail.example.org.");
    assert_string_equal(seen.upstream, "192.0.2.2@53");
    assert_false(seen.has_query);
    assert_int_equal(seen.answer_len, fixture->delivered_len);

    fixture_ask(fixture, "mail.example.org", TYPE_A, 50 * MS);
    assert_int_equal(seen.parked, 1);
    assert_int_equal(seen.answered, 2);
    assert_int_equal(seen.outcome, OUTCOME_HIT);
    assert_string_equal(seen.upstream, "");
    assert_true(seen.has_query);
    resolver_settle(fixture->resolver, 77);
    assert_int_equal(seen.settled, 3); /* And once for each that was asked. */
    assert_int_equal(seen.waited_us, 77);
    fixture_free(fixture);
}

static void failures_have_no_upstream(void **state)
{
    struct seen seen;
    struct observer observer;
    struct fixture *fixture = observed_new(&seen, &observer);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    assert_true(fixture_reply(fixture, 0, RCODE_SERVFAIL, 20 * MS));
    assert_true(fixture_reply(fixture, 1, RCODE_SERVFAIL, 40 * MS));
    assert_int_equal(seen.answered, 1);
    assert_int_equal(seen.outcome, OUTCOME_FAILED);
    assert_int_equal(seen.rcode, RCODE_SERVFAIL);
    assert_string_equal(seen.upstream, "");
    fixture_free(fixture);
}

/* The customer's key is not handed out, and what cannot be read has no name. */
static void what_is_told_holds_no_key(void **state)
{
    struct seen seen;
    struct observer observer;
    struct fixture *fixture = observed_new(&seen, &observer);
    static const uint8_t broken[HEADER_SIZE + 1] = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xff};
    (void)state;
    fixture_ask(fixture, "1.1.168.192.s3cretkey.zen.dq.spamhaus.net", TYPE_A, 0);
    assert_int_equal(seen.answered, 1);
    assert_string_equal(seen.name, "?.*.zen.dq.spamhaus.net.");
    fixture_ask_bytes(fixture, broken, sizeof broken, 0);
    assert_int_equal(seen.answered, 2);
    assert_false(seen.has_question);
    assert_int_equal(seen.rcode, RCODE_FORMERR);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_question_is_told_once),
        cmocka_unit_test(failures_have_no_upstream),
        cmocka_unit_test(what_is_told_holds_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
