/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/fetch.h"
#include "resolver/fetch_steps.h"
#include "resolver/origin.h"
#include "resolver/resolver_private.h"

static const char conf[] = "upstreams = 192.0.2.1 192.0.2.2\nquestions_max = 16\n";
static const char conf_one[] = "upstreams = 192.0.2.1\nquestions_max = 16\n";

/* ---- JUDGE ---- */

static void test_truncated_goes_by_stream(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    assert_true(fixture_reply(fixture, 0, HEADER_TC, 20 * MS));
    assert_int_equal(fixture->sent_count, 2);
    assert_true(fixture->sent[1].is_stream);
    assert_string_equal(fixture->sent[1].server, "192.0.2.1@53");
    assert_int_equal(header_arcount(fixture->sent[1].bytes), 1);
    assert_int_equal(COUNTER(fixture, upstream_truncated), 1);
    /* Cut on a stream as well: no answer. The other server is asked. */
    assert_true(fixture_reply(fixture, 1, HEADER_TC, 60 * MS));
    assert_int_equal(COUNTER(fixture, upstream_malformed), 1);
    assert_int_equal(fixture->sent_count, 3);
    assert_string_equal(fixture->sent[2].server, "192.0.2.2@53");
    assert_false(fixture->sent[2].is_stream);
    assert_true(fixture_reply(fixture, 2, 0, 80 * MS));
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* Each failure sends it on; when all have failed the client learns the last reason. */
static void test_failures(void **state)
{
    static const struct {
        unsigned flags;
        int ede;
    } cases[] = {
        {RCODE_SERVFAIL, EDE_OTHER},
        {RCODE_REFUSED, EDE_PROHIBITED},
        {9, EDE_OTHER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = fixture_new(conf);
        fixture_ask_edns(fixture, "mail.example.org", TYPE_A, 0);
        assert_true(fixture_reply(fixture, 0, cases[i].flags, 20 * MS));
        assert_int_equal(fixture->sent_count, 2);
        assert_string_equal(fixture->sent[1].server, "192.0.2.2@53");
        assert_int_equal(fixture->delivered_count, 0);
        assert_true(fixture_reply(fixture, 1, cases[i].flags, 40 * MS));
        assert_int_equal(fixture->delivered_count, 1);
        assert_int_equal(header_rcode(fixture->delivered), RCODE_SERVFAIL);
        assert_int_equal(ede_of(fixture->delivered, fixture->delivered_len), cases[i].ede);
        assert_int_equal(COUNTER(fixture, upstream_failures), 2);
        assert_int_equal(COUNTER(fixture, fetches_failed), 1);
        fixture_check_quiet(fixture);
        fixture_free(fixture);
    }
}

static void test_unreadable_reply(void **state)
{
    struct fixture *fixture = fixture_new(conf_one);
    uint8_t bytes[512];
    (void)state;
    fixture_ask_edns(fixture, "mail.example.org", TYPE_A, 0);
    size_t len = reply_of(&fixture->sent[0], 0, bytes);
    assert_true(
        resolver_on_reply(fixture->resolver, fixture->sent[0].exchange, bytes, len - 1, MS));
    assert_int_equal(COUNTER(fixture, upstream_malformed), 1);
    assert_int_equal(ede_of(fixture->delivered, fixture->delivered_len), EDE_NETWORK_ERROR);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* A late failure of the first server does not hurry the second, and does not end what still waits.
 */
static void test_late_failure_is_noted(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_pass(fixture, 400 * MS);
    assert_int_equal(fixture->sent_count, 2);
    int64_t next = resolver_next_deadline(fixture->resolver);
    assert_true(fixture_reply(fixture, 0, RCODE_SERVFAIL, 500 * MS));
    assert_int_equal(fixture->sent_count, 2);
    assert_int_equal(resolver_next_deadline(fixture->resolver), next);
    fixture_pass(fixture, 3000 * MS); /* From now on only the second one is asked. */
    for (size_t i = 2; i < fixture->sent_count; i++) {
        assert_string_equal(fixture->sent[i].server, "192.0.2.2@53");
    }
    assert_int_equal(fixture->sent_count, 4);
    fixture_free(fixture);
}

static bool sent_has_edns(const struct sent *sent)
{
    return header_arcount(sent->bytes) == 1;
}

/* Only a server that answers plain what it would not answer with EDNS is asked plain for a while.
 */
static void test_without_edns(void **state)
{
    struct fixture *fixture = fixture_new(conf_one);
    const struct server *server = &fixture->resolver->servers.servers[0];
    (void)state;
    fixture_ask(fixture, "bad.example.org", TYPE_A, 0);
    assert_true(fixture_reply(fixture, 0, RCODE_FORMERR, 10 * MS));
    assert_false(sent_has_edns(&fixture->sent[1]));
    assert_true(fixture_reply(fixture, 1, RCODE_FORMERR, 20 * MS));
    assert_int_equal(header_rcode(fixture->delivered), RCODE_SERVFAIL);
    assert_int_equal(server->plain_until, 0);

    fixture_ask(fixture, "a.example.org", TYPE_A, 30 * MS);
    assert_true(sent_has_edns(&fixture->sent[2]));
    assert_true(fixture_reply(fixture, 2, RCODE_NOTIMP, 40 * MS));
    assert_true(fixture_reply(fixture, 3, 0, 50 * MS));
    int64_t until = 50 * MS + SERVER_PLAIN_FOR_US;
    assert_int_equal(server->plain_until, until);

    fixture_ask(fixture, "b.example.org", TYPE_A, until - MS);
    assert_false(sent_has_edns(&fixture->sent[4]));
    assert_true(fixture_reply(fixture, 4, 0, until + MS)); /* Sent before: puts nothing off. */
    assert_int_equal(server->plain_until, until);
    fixture_ask(fixture, "c.example.org", TYPE_A, until + 2 * MS);
    assert_true(sent_has_edns(&fixture->sent[5]));
    fixture_free(fixture);
}

/* ---- STORE ---- */

static const uint8_t soa_record[] = {0xc0, 12, 0, TYPE_SOA, 0, CLASS_IN, 0, 0, 1, 44, 0, 22, 0, 0,
    0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 60};
static const uint8_t cname_record[] = {
    0xc0, 12, 0, TYPE_CNAME, 0, CLASS_IN, 0, 0, 0, 2, 0, 4, 1, 'x', 0xc0, 12};

/* How long an answer without records is kept: as its SOA says, else a moment, else not. */
static void test_lifetime_of_denials(void **state)
{
    static const struct {
        const char *conf;
        unsigned rcode;
        uint16_t counts[3];
        const uint8_t *records;
        size_t len;
        int64_t fresh_s; /* 0: not kept. */
    } cases[] = {
        {"", RCODE_NXDOMAIN, {0, 1, 0}, soa_record, sizeof soa_record, 60},
        {"", RCODE_NOERROR, {0, 1, 0}, soa_record, sizeof soa_record, 60},
        {"", RCODE_NXDOMAIN, {0}, soa_record, 0, FETCH_TTL_WITHOUT_SOA_S},
        {"", RCODE_NOERROR, {0}, soa_record, 0, FETCH_TTL_WITHOUT_SOA_S},
        {"", RCODE_NXDOMAIN, {1, 0, 0}, cname_record, sizeof cname_record, 2},
        {"negative_ttl_max = 3s\n", RCODE_NXDOMAIN, {0}, soa_record, 0, 3},
        {"negative_ttl_max = 0\n", RCODE_NXDOMAIN, {0}, soa_record, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];
        uint8_t bytes[512];
        snprintf(text, sizeof text, "stale_max = 0\n%s%s", cases[i].conf, conf_one);
        struct fixture *fixture = fixture_new(text);
        cache_set_stale_max(fixture->cache, 0);
        fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
        size_t len = reply_with(&fixture->sent[0], cases[i].rcode, cases[i].counts,
            cases[i].records, cases[i].len, bytes);
        assert_true(resolver_on_reply(fixture->resolver, fixture->sent[0].exchange, bytes, len, 0));
        assert_int_equal(fixture->delivered_count, 1);
        assert_int_equal(header_rcode(fixture->delivered), cases[i].rcode);
        int64_t end = cases[i].fresh_s * 1000 * MS;
        if (end > 0) {
            assert_int_equal(
                fixture_ask(fixture, "mail.example.org", TYPE_A, end - 1), ASK_ANSWERED);
            assert_int_equal(header_rcode(fixture->answer), cases[i].rcode);
        }
        assert_int_equal(fixture_ask(fixture, "mail.example.org", TYPE_A, end), ASK_PARKED);
        fixture_free(fixture);
    }
}

static void test_what_is_stored(void **state)
{
    static const struct {
        unsigned rcode;
        enum cache_kind kind;
    } cases[] = {
        {RCODE_NOERROR, CACHE_KIND_NODATA},
        {RCODE_NXDOMAIN, CACHE_KIND_NXDOMAIN},
    };
    static const uint16_t counts[3] = {0, 1, 0};
    uint8_t bytes[512];
    uint8_t stored[512];
    struct cache_found found;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = fixture_new("[upstream office]\nservers = 192.0.2.1\n"
                                              "[zone example.org]\nupstream = office\n");
        struct cache_key key = key_of("mail.example.org", TYPE_A);
        fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
        size_t len = reply_with(&fixture->sent[0], cases[i].rcode | HEADER_AD, counts, soa_record,
            sizeof soa_record, bytes);
        resolver_on_reply(fixture->resolver, fixture->sent[0].exchange, bytes, len, 0);
        assert_int_equal(
            cache_peek(fixture->cache, &key, 0, stored, sizeof stored, &found), CACHE_FRESH);
        assert_int_equal(found.kind, cases[i].kind);
        assert_int_equal(found.origin, origin_of_group("office"));
        assert_false(found.is_ad); /* Not trusted to say it. */
        assert_false(found.is_list);
        fixture_free(fixture);
    }
}

static void test_list_answers_are_marked(void **state)
{
    struct fixture *fixture = fixture_new(conf_one);
    struct cache_key key = key_of("4.3.2.9.bl.example.org", TYPE_A);
    uint8_t stored[512];
    struct cache_found found;
    (void)state;
    fixture_ask(fixture, "4.3.2.9.bl.example.org", TYPE_A, 0);
    fixture_reply(fixture, 0, 0, 0);
    assert_int_equal(
        cache_peek(fixture->cache, &key, 0, stored, sizeof stored, &found), CACHE_FRESH);
    assert_true(found.is_list);
    assert_int_equal(found.kind, CACHE_KIND_ANSWER);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_truncated_goes_by_stream),
        cmocka_unit_test(test_failures), cmocka_unit_test(test_unreadable_reply),
        cmocka_unit_test(test_late_failure_is_noted), cmocka_unit_test(test_without_edns),
        cmocka_unit_test(test_lifetime_of_denials), cmocka_unit_test(test_what_is_stored),
        cmocka_unit_test(test_list_answers_are_marked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
