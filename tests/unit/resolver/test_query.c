/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/query.h"
#include "resolver/resolver_private.h"

static const char conf[] = "upstreams = 192.0.2.1\nquestions_max = 16\n";

/* What can be answered in its turn never sees the pool. */
static void test_hit_stays_in_its_slot(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    assert_int_equal(fixture_ask(fixture, "localhost", TYPE_A, 0), ASK_ANSWERED);
    assert_int_equal(fixture->resolver->queries.in_use_max, 0);
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_reply(fixture, 0, 0, MS);
    assert_int_equal(fixture_ask(fixture, "mail.example.org", TYPE_A, MS), ASK_ANSWERED);
    assert_int_equal(fixture->resolver->queries.in_use_max, 1);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* What waits has left its slot: the stack is used by others meanwhile, and each client gets the
 * answer to its own question in its own spelling. */
static void test_waiting_is_copied(void **state)
{
    static const char *const names[] = {"A.example.org", "b.EXAMPLE.org", "a.Example.ORG"};
    struct fixture *fixture = fixture_new(conf);
    uint8_t name[NAME_SIZE_MAX];
    size_t len;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint8_t bytes[512];
        struct ask ask = {.query = bytes, .answer = fixture->answer, .client = {.line = i}};
        ask.len = query_of(names[i], TYPE_A, bytes);
        header_set_id(bytes, (uint16_t)(100 + i));
        assert_int_equal(resolver_ask(fixture->resolver, &ask, 0), ASK_PARKED);
        memset(bytes, 0xaa, sizeof bytes);
    }
    assert_int_equal(fixture->sent_count, 2);
    fixture_reply(fixture, 1, 0, MS);
    assert_int_equal(fixture->delivered_line, 1);
    assert_int_equal(header_id(fixture->delivered), 101);
    assert_true(name_from_text(names[1], strlen(names[1]), name, &len));
    assert_memory_equal(fixture->delivered + HEADER_SIZE, name, len);
    fixture_reply(fixture, 0, 0, MS);
    assert_int_equal(fixture->delivered_count, 3);
    assert_int_equal(fixture->delivered_line, 2); /* First come, first served. */
    assert_int_equal(header_id(fixture->delivered), 102);
    assert_true(name_from_text(names[2], strlen(names[2]), name, &len));
    assert_memory_equal(fixture->delivered + HEADER_SIZE, name, len);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* Deadline and reply at the same instant, in both orders: one answer. */
static void test_one_answer(void **state)
{
    (void)state;
    for (unsigned reply_first = 0; reply_first < 2; reply_first++) {
        struct fixture *fixture = fixture_new(conf);
        int64_t deadline = fixture->settings->answer_deadline_us;
        fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
        fixture_pass(fixture, deadline - 1);
        if (reply_first) {
            assert_true(fixture_reply(fixture, 0, 0, deadline));
            fixture_pass(fixture, deadline);
        } else {
            fixture_pass(fixture, deadline);
            assert_true(fixture_reply(fixture, 0, 0, deadline));
        }
        assert_int_equal(fixture->delivered_count, 1);
        assert_int_equal(
            header_rcode(fixture->delivered), reply_first ? RCODE_NOERROR : RCODE_SERVFAIL);
        fixture_check_quiet(fixture);
        fixture_free(fixture);
    }
}

/* Each waits for its own deadline, whoever else waits for the same. */
static void test_deadlines_are_each_ones_own(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    int64_t deadline = fixture->settings->answer_deadline_us;
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_ask(fixture, "mail.example.org", TYPE_A, 1000 * MS);
    fixture_pass(fixture, deadline - 1);
    assert_int_equal(fixture->delivered_count, 0);
    fixture_pass(fixture, deadline);
    assert_int_equal(fixture->delivered_count, 1);
    assert_int_equal(COUNTER(fixture, questions_waiting), 1);
    fixture_pass(fixture, deadline + 1000 * MS - 1);
    assert_int_equal(fixture->delivered_count, 1);
    fixture_pass(fixture, deadline + 1000 * MS);
    assert_int_equal(fixture->delivered_count, 2);
    assert_int_equal(resolver_waiting(fixture->resolver), 0);
    fixture_free(fixture);
}

/* What is no query leaves nothing behind, and nobody is answered. */
static void test_dropped(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    uint8_t bytes[512];
    (void)state;
    size_t len = query_of("mail.example.org", TYPE_A, bytes);
    assert_int_equal(fixture_ask_bytes(fixture, bytes, HEADER_SIZE - 1, 0), ASK_DROPPED);
    assert_int_equal(fixture_ask_bytes(fixture, bytes, 0, 0), ASK_DROPPED);
    header_set_flags(bytes, HEADER_QR | HEADER_RD);
    assert_int_equal(fixture_ask_bytes(fixture, bytes, len, 0), ASK_DROPPED);
    assert_int_equal(fixture_ask_bytes(fixture, bytes, len - 1, 0), ASK_DROPPED);
    assert_int_equal(COUNTER(fixture, questions), 4);
    assert_int_equal(COUNTER(fixture, questions_dropped), 4);
    assert_int_equal(COUNTER(fixture, questions_malformed), 0);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hit_stays_in_its_slot),
        cmocka_unit_test(test_waiting_is_copied), cmocka_unit_test(test_one_answer),
        cmocka_unit_test(test_deadlines_are_each_ones_own), cmocka_unit_test(test_dropped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
