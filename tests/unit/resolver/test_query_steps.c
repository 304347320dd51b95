/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/query.h"
#include "resolver/resolver_private.h"

static const char conf[] = "upstreams = 192.0.2.1\nquestions_max = 16\n";

/* How many questions ended so, of one class. */
static uint64_t waits(
    const struct fixture *fixture, enum question_class class, enum outcome outcome)
{
    struct histogram_sum sum = {0};
    histogram_merge(&sum, &resolver_stats_of(fixture->resolver)->wait[class][outcome]);
    return sum.count;
}

/* ---- PARSE and LOCAL ---- */

struct parse_case {
    uint16_t type;
    uint16_t class;
    uint16_t flags;
    uint16_t counts[4];
    unsigned rcode;
    unsigned malformed;
    unsigned refused;
};

static void test_parse(void **state)
{
    static const struct parse_case cases[] = {
        /* Two questions, none, records that are not there. */
        {TYPE_A, CLASS_IN, HEADER_RD, {2, 0, 0, 0}, RCODE_FORMERR, 1, 0},
        {TYPE_A, CLASS_IN, HEADER_RD, {0, 0, 0, 0}, RCODE_FORMERR, 1, 0},
        {TYPE_A, CLASS_IN, HEADER_RD, {1, 1, 0, 0}, RCODE_FORMERR, 1, 0},
        {TYPE_A, CLASS_IN, HEADER_RD, {1, 0, 0, 1}, RCODE_FORMERR, 1, 0},
        /* NOTIFY and UPDATE, even if the rest is nonsense. */
        {TYPE_SOA, CLASS_IN, 4 << 11, {1, 0, 0, 0}, RCODE_NOTIMP, 1, 0},
        {TYPE_SOA, CLASS_IN, 5 << 11, {9, 9, 9, 9}, RCODE_NOTIMP, 1, 0},
        /* Classes and types that are not served. */
        {TYPE_A, 255, HEADER_RD, {1, 0, 0, 0}, RCODE_REFUSED, 0, 1},
        {TYPE_A, 0, HEADER_RD, {1, 0, 0, 0}, RCODE_REFUSED, 0, 1},
        {TYPE_A, 3, HEADER_RD, {1, 0, 0, 0}, RCODE_REFUSED, 0, 1},
        {TYPE_AXFR, CLASS_IN, HEADER_RD, {1, 0, 0, 0}, RCODE_REFUSED, 0, 1},
        {TYPE_OPT, CLASS_IN, HEADER_RD, {1, 0, 0, 0}, RCODE_NOTIMP, 1, 0},
        {0, CLASS_IN, HEADER_RD, {1, 0, 0, 0}, RCODE_NOTIMP, 1, 0},
        /* Nothing is known, and nothing may be asked for it. */
        {TYPE_A, CLASS_IN, 0, {1, 0, 0, 0}, RCODE_REFUSED, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = fixture_new(conf);
        uint8_t bytes[512];
        size_t len = query_of("mail.example.org", cases[i].type, bytes);
        bytes_put_u16(bytes + len - 2, cases[i].class);
        header_set_flags(bytes, cases[i].flags);
        header_set_counts(bytes, cases[i].counts);
        assert_int_equal(fixture_ask_bytes(fixture, bytes, len, 0), ASK_ANSWERED);
        assert_int_equal(header_rcode(fixture->answer), cases[i].rcode);
        assert_int_equal(header_id(fixture->answer), 0x1234);
        assert_int_equal(header_opcode(fixture->answer), cases[i].flags >> 11);
        assert_int_equal(COUNTER(fixture, questions_malformed), cases[i].malformed);
        assert_int_equal(COUNTER(fixture, questions_refused), cases[i].refused);
        assert_int_equal(COUNTER(fixture, answers_other), 1);
        assert_int_equal(fixture->sent_count, 0);
        fixture_free(fixture);
    }
}

/* Records where a query has none: read, whole, and still no query (RFC 1035 section 4.1.1). */
static void test_records_in_a_query(void **state)
{
    static const uint8_t record[16] = {
        0xc0, 12, 0, TYPE_A, 0, CLASS_IN, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1};
    static const struct {
        uint16_t counts[4];
        enum ask_verdict verdict;
    } cases[] = {
        {{1, 1, 0, 0}, ASK_ANSWERED}, {{1, 0, 1, 0}, ASK_ANSWERED}, {{1, 0, 0, 1}, ASK_PARKED}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = fixture_new(conf);
        uint8_t bytes[512];
        size_t len = query_of("mail.example.org", TYPE_A, bytes);
        memcpy(bytes + len, record, sizeof record);
        header_set_counts(bytes, cases[i].counts);
        assert_int_equal(
            fixture_ask_bytes(fixture, bytes, len + sizeof record, 0), cases[i].verdict);
        if (cases[i].verdict == ASK_ANSWERED) {
            assert_int_equal(header_rcode(fixture->answer), RCODE_FORMERR);
        }
        fixture_free(fixture);
    }
}

/* BADVERS does not fit the header; it is not counted as the NOERROR that stands there. */
static void test_badvers(void **state)
{
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 4, 208, 0, 1, 0, 0, 0, 0};
    struct fixture *fixture = fixture_new(conf);
    uint8_t bytes[512];
    (void)state;
    size_t len = query_of("mail.example.org", TYPE_A, bytes);
    memcpy(bytes + len, opt, sizeof opt);
    bytes_put_u16(bytes + 10, 1);
    assert_int_equal(fixture_ask_bytes(fixture, bytes, len + sizeof opt, 0), ASK_ANSWERED);
    assert_int_equal(header_rcode(fixture->answer), 0);
    assert_int_equal(header_arcount(fixture->answer), 1);
    assert_int_equal(fixture->answer[fixture->answer_len - 6], 1); /* The upper rcode bits. */
    assert_int_equal(COUNTER(fixture, answers_other), 1);
    assert_int_equal(COUNTER(fixture, answers_noerror), 0);
    fixture_free(fixture);
}

/* FORMERR for an OPT has question and OPT (RFC 6891 section 7), for other garbage the header alone.
 */
static void test_wrong_opt(void **state)
{
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 4, 208, 0, 0, 0x80, 0, 0, 1, 0};
    struct fixture *fixture = fixture_new(conf);
    uint8_t bytes[512];
    (void)state;
    size_t len = query_of("mail.example.org", TYPE_A, bytes);
    memcpy(bytes + len, opt, sizeof opt);
    bytes_put_u16(bytes + 10, 1);
    assert_int_equal(fixture_ask_bytes(fixture, bytes, len + sizeof opt, 0), ASK_ANSWERED);
    assert_int_equal(header_rcode(fixture->answer), RCODE_FORMERR);
    assert_int_equal(fixture->answer_len, len + 11);
    assert_memory_equal(fixture->answer + HEADER_SIZE, bytes + HEADER_SIZE, len - HEADER_SIZE);
    assert_memory_equal(fixture->answer + len + 5, "\0\0\x80\0\0\0", 6);
    assert_int_equal(fixture_ask_bytes(fixture, bytes, len + 1, 0), ASK_ANSWERED);
    assert_int_equal(header_rcode(fixture->answer), RCODE_FORMERR);
    assert_int_equal(fixture->answer_len, HEADER_SIZE);
    fixture_free(fixture);
}

/* ---- LOOKUP ---- */

static void test_outcomes_are_counted(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    assert_int_equal(waits(fixture, QUESTION_CLASS_A, OUTCOME_MISS), 0);
    fixture_reply(fixture, 0, 0, 5 * MS);
    assert_int_equal(waits(fixture, QUESTION_CLASS_A, OUTCOME_MISS), 1);
    assert_int_equal(waits(fixture, QUESTION_CLASS_A, OUTCOME_JOINED), 1);
    fixture_ask(fixture, "mail.example.org", TYPE_A, 6 * MS);
    assert_int_equal(waits(fixture, QUESTION_CLASS_A, OUTCOME_HIT), 1);
    fixture_ask(fixture, "localhost", TYPE_AAAA, 6 * MS);
    assert_int_equal(waits(fixture, QUESTION_CLASS_AAAA, OUTCOME_LOCAL), 1);
    assert_int_equal(COUNTER(fixture, answers_noerror), 4);
    fixture_ask(fixture, "example.org", TYPE_MX, 6 * MS);
    fixture_reply(fixture, 1, RCODE_SERVFAIL, 7 * MS);
    assert_int_equal(waits(fixture, QUESTION_CLASS_MX, OUTCOME_FAILED), 1);
    assert_int_equal(waits(fixture, QUESTION_CLASS_MX, OUTCOME_MISS), 0);
    assert_int_equal(COUNTER(fixture, answers_servfail), 1);
    fixture_ask(fixture, "nobody.invalid", TYPE_TXT, 7 * MS);
    assert_int_equal(waits(fixture, QUESTION_CLASS_TXT, OUTCOME_LOCAL), 1);
    assert_int_equal(COUNTER(fixture, answers_nxdomain), 1);
    fixture_free(fixture);
}

/* RD=0 asks for what we have, and gets it, but starts no work. */
static void test_without_rd(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    uint8_t bytes[512];
    (void)state;
    size_t len = query_of("mail.example.org", TYPE_A, bytes);
    fixture_ask_bytes(fixture, bytes, len, 0);
    fixture_reply(fixture, 0, 0, 0);
    header_set_flags(bytes, 0);
    assert_int_equal(fixture_ask_bytes(fixture, bytes, len, MS), ASK_ANSWERED);
    assert_int_equal(header_rcode(fixture->answer), RCODE_NOERROR);
    assert_int_equal(header_flags(fixture->answer), HEADER_QR | HEADER_RA);
    assert_int_equal(fixture_ask_bytes(fixture, bytes, len, 301 * 1000 * MS), ASK_ANSWERED);
    assert_int_equal(header_rcode(fixture->answer), RCODE_REFUSED);
    assert_int_equal(fixture->sent_count, 1);
    fixture_free(fixture);
}

/* The reply's A record has a TTL of 300 s; 280 s on it is in its last tenth. */
static void test_refresh(void **state)
{
    struct fixture *fixture =
        fixture_new("upstreams = 192.0.2.1\nquestions_max = 16\nanswer_deadline = 30s\n");
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_reply(fixture, 0, 0, 0);
    fixture_ask(fixture, "mail.example.org", TYPE_A, MS);
    assert_int_equal(
        fixture_ask(fixture, "mail.example.org", TYPE_A, 280 * 1000 * MS), ASK_ANSWERED);
    assert_int_equal(fixture->sent_count, 2);
    assert_int_equal(COUNTER(fixture, fetches_refresh), 1);
    /* After CACHE_REFRESH_AGAIN_US it is due again; while it is under way there is no second one.
     */
    assert_int_equal(
        fixture_ask(fixture, "mail.example.org", TYPE_A, 299 * 1000 * MS), ASK_ANSWERED);
    assert_int_equal(COUNTER(fixture, fetches_refresh), 1);
    fixture_reply(fixture, 1, 0, 299 * 1000 * MS);
    assert_int_equal(fixture->delivered_count, 1); /* The first question's; nobody waited since. */
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* Work that nobody waits for takes half of the room for work at most. */
static void test_refresh_needs_room(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct pool *fetches = &fixture->resolver->fetches;
    uint64_t ids[32];
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_reply(fixture, 0, 0, 0);
    fixture_ask(fixture, "mail.example.org", TYPE_A, MS);
    for (size_t i = 0; i < 16; i++) {
        assert_non_null(pool_take(fetches, &ids[i]));
    }
    fixture_ask(fixture, "mail.example.org", TYPE_A, 281 * 1000 * MS);
    assert_int_equal(fixture->sent_count, 1);
    pool_give(fetches, ids[0]);
    fixture_ask(fixture, "mail.example.org", TYPE_A, 292 * 1000 * MS);
    assert_int_equal(fixture->sent_count, 2);
    for (size_t i = 1; i < 16; i++) {
        pool_give(fetches, ids[i]);
    }
    fixture_free(fixture);
}

/* ---- JOIN and WAIT ---- */

static void stale_fixture_begin(struct fixture *fixture)
{
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_reply(fixture, 0, 0, 0);
}

#define LATER (INT64_C(301) * 1000 * MS)

static void test_stale_after_patience(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    int64_t patience = fixture->settings->stale_patience_us;
    (void)state;
    stale_fixture_begin(fixture);
    assert_int_equal(fixture_ask_edns(fixture, "mail.example.org", TYPE_A, LATER), ASK_PARKED);
    fixture_pass(fixture, LATER + patience - 1);
    assert_int_equal(fixture->delivered_count, 1);
    fixture_pass(fixture, LATER + patience);
    assert_int_equal(fixture->delivered_count, 2);
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);
    assert_int_equal(ede_of(fixture->delivered, fixture->delivered_len), EDE_STALE_ANSWER);
    assert_int_equal(waits(fixture, QUESTION_CLASS_A, OUTCOME_STALE), 1);
    /* The work goes on, for the cache. */
    assert_int_equal(resolver_fetching(fixture->resolver), 1);
    assert_true(fixture_reply(fixture, 1, 0, LATER + patience + MS));
    assert_int_equal(
        fixture_ask(fixture, "mail.example.org", TYPE_A, LATER + patience + MS), ASK_ANSWERED);
    assert_int_equal(waits(fixture, QUESTION_CLASS_A, OUTCOME_HIT), 1);
    fixture_pass(fixture, LATER + patience + 2000 * MS);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* The failure comes before patience is over: the stale answer at once, and to the next one without
 * asking again. */
static void test_stale_after_failure(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    stale_fixture_begin(fixture);
    fixture_ask_edns(fixture, "mail.example.org", TYPE_A, LATER);
    fixture_reply(fixture, 1, RCODE_SERVFAIL, LATER + MS);
    assert_int_equal(fixture->delivered_count, 2);
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);
    assert_int_equal(ede_of(fixture->delivered, fixture->delivered_len), EDE_STALE_ANSWER);
    assert_int_equal(
        fixture_ask_edns(fixture, "mail.example.org", TYPE_A, LATER + 2 * MS), ASK_ANSWERED);
    assert_int_equal(ede_of(fixture->answer, fixture->answer_len), EDE_STALE_ANSWER);
    assert_int_equal(fixture->sent_count, 2);
    fixture_free(fixture);
}

/* Our upstream failed, but another worker's did not: its answer is in the cache. */
static void test_another_worker_was_faster(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct cache_key key = key_of("mail.example.org", TYPE_A);
    struct cache_key other = key_of("mail.example.org", TYPE_A);
    uint8_t stored[512];
    struct cache_found found;
    (void)state;
    other.checking_disabled = true; /* How the test comes by a stored form. */
    uint8_t bytes[512];
    size_t len = query_of("mail.example.org", TYPE_A, bytes);
    header_set_flags(bytes, HEADER_RD | HEADER_CD);
    fixture_ask_bytes(fixture, bytes, len, 0);
    fixture_reply(fixture, 0, 0, 0);
    assert_int_equal(
        cache_peek(fixture->cache, &other, 0, stored, sizeof stored, &found), CACHE_FRESH);

    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    struct cache_fill fill = {
        .kind = CACHE_KIND_ANSWER, .message = stored, .len = found.len, .ttl_s = 300};
    cache_store(fixture->cache, &key, &fill, 5 * MS);
    fixture_reply(fixture, 1, RCODE_SERVFAIL, 10 * MS);
    assert_int_equal(fixture->delivered_count, 2);
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);
    assert_int_equal(header_ancount(fixture->delivered), 1);
    assert_int_equal(waits(fixture, QUESTION_CLASS_A, OUTCOME_HIT), 1);
    fixture_free(fixture);
}

/* No room to wait: the stale answer if there is one, SERVFAIL if not; nothing is left behind. */
static void test_overflow(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct pool *queries = &fixture->resolver->queries;
    struct pool *fetches = &fixture->resolver->fetches;
    uint64_t query = POOL_NONE;
    uint64_t fetch = POOL_NONE;
    (void)state;
    stale_fixture_begin(fixture);
    while (pool_take(fetches, &fetch) != NULL) {
    }
    assert_int_equal(fixture_ask_edns(fixture, "mail.example.org", TYPE_A, LATER), ASK_ANSWERED);
    assert_int_equal(ede_of(fixture->answer, fixture->answer_len), EDE_STALE_ANSWER);
    assert_int_equal(fixture_ask_edns(fixture, "www.example.org", TYPE_A, LATER), ASK_ANSWERED);
    assert_int_equal(header_rcode(fixture->answer), RCODE_SERVFAIL);
    assert_int_equal(ede_of(fixture->answer, fixture->answer_len), EDE_OTHER);
    assert_int_equal(queries->in_use, 0);
    assert_int_equal(COUNTER(fixture, questions_overflow), 2);
    while (pool_take(queries, &query) != NULL) {
    }
    assert_int_equal(fixture_ask_edns(fixture, "mail.example.org", TYPE_A, LATER), ASK_ANSWERED);
    assert_int_equal(ede_of(fixture->answer, fixture->answer_len), EDE_STALE_ANSWER);
    assert_int_equal(COUNTER(fixture, questions_overflow), 3);
    assert_int_equal(waits(fixture, QUESTION_CLASS_A, OUTCOME_STALE), 2);
    assert_int_equal(waits(fixture, QUESTION_CLASS_A, OUTCOME_FAILED), 1);
    assert_int_equal(fixture->sent_count, 1);
    pool_fini(fetches);
    pool_fini(queries);
    fixture_free(fixture);
}

/* No time to ask upstream: what is known is answered, what is asked already is waited for, and what
 * has expired is given all the same. */
static void test_shed(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    stale_fixture_begin(fixture);
    assert_int_equal(fixture_ask_edns(fixture, "asked.example.org", TYPE_A, LATER), ASK_PARKED);
    size_t sent_count = fixture->sent_count;
    fixture->is_shedding = true;
    assert_int_equal(fixture_ask_edns(fixture, "asked.example.org", TYPE_A, LATER), ASK_PARKED);
    assert_int_equal(fixture_ask_edns(fixture, "localhost", TYPE_A, LATER), ASK_ANSWERED);
    assert_int_equal(header_rcode(fixture->answer), RCODE_NOERROR);
    assert_int_equal(COUNTER(fixture, questions_shed), 0);
    assert_int_equal(fixture_ask_edns(fixture, "mail.example.org", TYPE_A, LATER), ASK_ANSWERED);
    assert_int_equal(ede_of(fixture->answer, fixture->answer_len), EDE_STALE_ANSWER);
    assert_int_equal(fixture_ask_edns(fixture, "www.example.org", TYPE_A, LATER), ASK_ANSWERED);
    assert_int_equal(header_rcode(fixture->answer), RCODE_SERVFAIL);
    assert_int_equal(ede_of(fixture->answer, fixture->answer_len), EDE_OTHER);
    assert_int_equal(COUNTER(fixture, questions_shed), 2);
    assert_int_equal(fixture->sent_count, sent_count);
    fixture->is_shedding = false; /* And a shed question is no failure to remember. */
    assert_int_equal(fixture_ask_edns(fixture, "www.example.org", TYPE_A, LATER), ASK_PARKED);
    fixture_free(fixture);
}

/* The failure is remembered for the next asker, and no longer than RFC 9520 wants at first. */
static void test_failure_is_remembered(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_reply(fixture, 0, RCODE_SERVFAIL, 0);
    assert_int_equal(fixture_ask_edns(fixture, "mail.example.org", TYPE_A, 999 * MS), ASK_ANSWERED);
    assert_int_equal(header_rcode(fixture->answer), RCODE_SERVFAIL);
    assert_int_equal(ede_of(fixture->answer, fixture->answer_len), EDE_CACHED_ERROR);
    assert_int_equal(waits(fixture, QUESTION_CLASS_A, OUTCOME_FAILED), 2);
    assert_int_equal(fixture_ask_edns(fixture, "mail.example.org", TYPE_A, 1000 * MS), ASK_PARKED);
    fixture_free(fixture);
}

/* ---- ANSWER ---- */

/* Forty addresses. */
static size_t long_reply_of(const struct sent *sent, uint8_t bytes_out[1024])
{
    const uint16_t counts[4] = {1, 40, 0, 0};
    size_t len = reply_of(sent, HEADER_TC, bytes_out);
    for (size_t i = 0; i < 40; i++) {
        const uint8_t record[16] = {
            0xc0, 12, 0, TYPE_A, 0, CLASS_IN, 0, 0, 1, 44, 0, 4, 192, 0, 2, (uint8_t)i};
        memcpy(bytes_out + len, record, sizeof record);
        len += sizeof record;
    }
    header_set_flags(bytes_out, HEADER_QR | HEADER_RA);
    header_set_counts(bytes_out, counts);
    return len;
}

/* An answer that does not fit 512 bytes: TC and no records to a client without EDNS, whole to one
 * that can take it. */
static void test_truncation(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    uint8_t bytes[1024];
    (void)state;
    fixture_ask_edns(fixture, "mail.example.org", TYPE_A, 0);
    size_t len = long_reply_of(&fixture->sent[0], bytes);
    assert_true(resolver_on_reply(fixture->resolver, fixture->sent[0].exchange, bytes, len, 0));
    assert_int_equal(header_flags(fixture->delivered) & HEADER_TC, 0);
    assert_int_equal(header_ancount(fixture->delivered), 40);
    assert_int_equal(COUNTER(fixture, answers_truncated), 0);
    assert_int_equal(fixture_ask(fixture, "mail.example.org", TYPE_A, 0), ASK_ANSWERED);
    assert_true((header_flags(fixture->answer) & HEADER_TC) != 0);
    assert_int_equal(header_ancount(fixture->answer), 0);
    assert_in_range(fixture->answer_len, HEADER_SIZE, 512);
    assert_int_equal(COUNTER(fixture, answers_truncated), 1);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_badvers),
        cmocka_unit_test(test_wrong_opt), cmocka_unit_test(test_records_in_a_query),
        cmocka_unit_test(test_outcomes_are_counted), cmocka_unit_test(test_without_rd),
        cmocka_unit_test(test_refresh), cmocka_unit_test(test_refresh_needs_room),
        cmocka_unit_test(test_stale_after_patience), cmocka_unit_test(test_stale_after_failure),
        cmocka_unit_test(test_another_worker_was_faster), cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_shed), cmocka_unit_test(test_failure_is_remembered),
        cmocka_unit_test(test_truncation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
