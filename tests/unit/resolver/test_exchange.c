/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "wire/edns.h"
#include "resolver/exchange.h"
#include "resolver/fetch.h"
#include "resolver/resolver_private.h"

static const char conf[] = "upstreams = 192.0.2.1 192.0.2.2\nquestions_max = 16\n";

static void test_query_upstream_is_well_formed(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "Mail.example.org", TYPE_A, 0);
    const struct sent *sent = &fixture->sent[0];
    assert_int_equal(header_flags(sent->bytes), HEADER_RD);
    assert_int_equal(header_arcount(sent->bytes), 1);
    assert_memory_equal(sent->bytes + HEADER_SIZE, "\4mail\7example\3org", 18);
    assert_int_equal(bytes_get_u16(sent->bytes + sent->len - 8), EDNS_UDP_SIZE);
    assert_int_equal(COUNTER(fixture, upstream_sent), 1);
    assert_int_equal(COUNTER(fixture, upstream_sent_stream), 0);
    fixture_free(fixture);
}

/* DO and CD of the client are passed on; its AD is not, unless the upstream is trusted to say it.
 */
static void test_flags_are_passed_on(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 4, 208, 0, 0, 0x80, 0, 0, 0};
    uint8_t bytes[512];
    (void)state;
    size_t len = query_of("mail.example.org", TYPE_A, bytes);
    header_set_flags(bytes, HEADER_RD | HEADER_CD | HEADER_AD);
    memcpy(bytes + len, opt, sizeof opt);
    bytes_put_u16(bytes + 10, 1);
    fixture_ask_bytes(fixture, bytes, len + sizeof opt, 0);
    const struct sent *sent = &fixture->sent[0];
    assert_int_equal(header_flags(sent->bytes), HEADER_RD | HEADER_CD);
    assert_int_equal(bytes_get_u16(sent->bytes + sent->len - 4), 0x8000);
    fixture_free(fixture);
}

static void test_ids_differ(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    unsigned equal = 0;
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        char name[32];
        snprintf(name, sizeof name, "n%u.example.org", i);
        fixture_ask(fixture, name, TYPE_A, 0);
        equal += i > 0 && header_id(fixture->sent[i].bytes) == header_id(fixture->sent[0].bytes);
    }
    assert_in_range(equal, 0, 1);
    fixture_free(fixture);
}

static void test_tls_goes_by_stream(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1#dns.example.net\n");
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    assert_true(fixture->sent[0].is_stream);
    assert_string_equal(fixture->sent[0].server, "192.0.2.1@853");
    assert_int_equal(COUNTER(fixture, upstream_sent_stream), 1);
    fixture_free(fixture);
}

static void test_trusted_ad(void **state)
{
    struct fixture *fixture =
        fixture_new("upstreams = 127.0.0.1@5335\n[upstream default]\ntrust_ad = yes\n");
    uint8_t bytes[512];
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    assert_true((header_flags(fixture->sent[0].bytes) & HEADER_AD) != 0);
    fixture_reply(fixture, 0, HEADER_AD, MS);
    assert_true((header_flags(fixture->delivered) & HEADER_AD) == 0); /* It did not ask. */
    size_t len = query_of("mail.example.org", TYPE_A, bytes);
    header_set_flags(bytes, HEADER_RD | HEADER_AD);
    assert_int_equal(fixture_ask_bytes(fixture, bytes, len, 2 * MS), ASK_ANSWERED);
    assert_true((header_flags(fixture->answer) & HEADER_AD) != 0);

    /* The same waiting for upstream, and with an upstream that is not trusted. */
    len = query_of("www.example.org", TYPE_A, bytes);
    header_set_flags(bytes, HEADER_RD | HEADER_AD);
    assert_int_equal(fixture_ask_bytes(fixture, bytes, len, 3 * MS), ASK_PARKED);
    fixture_reply(fixture, 1, HEADER_AD, 4 * MS);
    assert_true((header_flags(fixture->delivered) & HEADER_AD) != 0);
    fixture_free(fixture);
    fixture = fixture_new(conf);
    fixture_ask_bytes(fixture, bytes, len, 0);
    fixture_reply(fixture, 0, HEADER_AD, MS);
    assert_int_equal(fixture->delivered_count, 1);
    assert_true((header_flags(fixture->delivered) & HEADER_AD) == 0);
    fixture_free(fixture);
}

/* A full pool is nobody's fault: counted, and the server is not thought worse of. */
static void test_pool_is_full(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct pool *pool = &fixture->resolver->exchanges;
    struct server_view view;
    uint64_t id;
    (void)state;
    while (pool_take(pool, &id) != NULL) {
    }
    assert_int_equal(fixture_ask(fixture, "mail.example.org", TYPE_A, 0), ASK_PARKED);
    assert_int_equal(fixture->sent_count, 0);
    assert_int_equal(COUNTER(fixture, upstream_unsent), 1);
    assert_int_equal(COUNTER(fixture, upstream_sent), 0);
    assert_int_equal(fixture->resolver->servers.servers[0].streak, 0);
    assert_true(resolver_server_at(fixture->resolver, 0, &view));
    assert_int_equal(view.sent, 0);
    pool_give(pool, id); /* The last one taken: room for one. */
    fixture_pass(fixture, 0);
    assert_int_equal(fixture->sent_count, 1);
    assert_string_equal(fixture->sent[0].server, "192.0.2.2@53");
    for (uint32_t i = 0; i < pool->count; i++) {
        const struct exchange *exchange = pool_at(pool, i);
        if (exchange != NULL && exchange->id == POOL_NONE) {
            pool_give(pool, (uint64_t)pool->generations[i] << 32 | i);
        }
    }
    fixture_free(fixture);
}

static void test_unsent_is_given_back(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture->is_refusing_to_send = true;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    assert_int_equal(fixture->resolver->exchanges.in_use, 0);
    assert_int_equal(fixture->resolver->servers.servers[0].streak, 1);
    assert_int_equal(COUNTER(fixture, upstream_unsent), 1);
    fixture_pass(fixture, 60000 * MS);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* What has been sent is withdrawn once; a line that has gone is not withdrawn at all (the fixture
 * asserts both). */
static void test_end_and_forget(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_lose(fixture, 0, MS);
    assert_int_equal(fixture->resolver->exchanges.in_use, 1);
    resolver_on_line_lost(fixture->resolver, fixture->sent[0].exchange, MS); /* Twice: nobody. */
    assert_int_equal(COUNTER(fixture, upstream_lost), 1);
    fixture_reply(fixture, 1, 0, 2 * MS);
    assert_int_equal(fixture->resolver->exchanges.in_use, 0);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_query_upstream_is_well_formed),
        cmocka_unit_test(test_flags_are_passed_on), cmocka_unit_test(test_ids_differ),
        cmocka_unit_test(test_tls_goes_by_stream), cmocka_unit_test(test_trusted_ad),
        cmocka_unit_test(test_pool_is_full), cmocka_unit_test(test_unsent_is_given_back),
        cmocka_unit_test(test_end_and_forget)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
