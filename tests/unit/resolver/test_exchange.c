/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "wire/edns.h"
#include "wire/message.h"
#include "resolver/exchange.h"
#include "resolver/fetch.h"
#include "resolver/resolver_private.h"

static const char conf[] = "upstreams = 192.0.2.1 192.0.2.2\nquestions_max = 16\n";

/* A message sent, as its server reads it. */
struct sent_seen {
    struct message message;
    bool has_capitals;
};

static struct sent_seen seen_of(const struct sent *sent)
{
    struct sent_seen seen = {.has_capitals = false};
    assert_int_equal(message_read(sent->bytes, sent->len, &seen.message), MESSAGE_GOOD);
    for (unsigned i = 0; i < seen.message.question.name_len; i++) {
        uint8_t byte = seen.message.question.name[i];
        seen.has_capitals = seen.has_capitals || (byte >= 'A' && byte <= 'Z');
    }
    return seen;
}

/* A reply with the cookie given, or only with an OPT record (len 0). */
static bool reply_with_cookie(struct fixture *fixture, size_t index, const uint8_t *cookie,
    size_t len, unsigned rcode, int64_t now)
{
    uint8_t bytes[512];
    const struct edns_reply edns = {.udp_size = EDNS_UDP_SIZE,
        .rcode = rcode,
        .ede = EDE_NONE,
        .cookie = cookie,
        .cookie_len = len};
    struct writer writer = writer_of(bytes, sizeof bytes);
    writer.len = reply_of(&fixture->sent[index], rcode & 0xf, bytes);
    if ((rcode & 0xf) != rcode) {
        bytes_put_u16(bytes + 6, 0);
    }
    edns_write(&writer, &edns);
    bytes_put_u16(bytes + 10, 1);
    return resolver_on_reply(
        fixture->resolver, fixture->sent[index].exchange, bytes, writer.len, now);
}

/* The cookie that this message's server would give: the client's part and one of its own. */
static void cookie_for(const struct sent *sent, uint8_t cookie_out[EDNS_COOKIE_SIZE_MIN])
{
    struct sent_seen seen = seen_of(sent);
    assert_in_range(seen.message.edns.cookie_len, EDNS_COOKIE_CLIENT_SIZE, EDNS_COOKIE_SIZE_MAX);
    memset(cookie_out, 0x5a, EDNS_COOKIE_SIZE_MIN);
    memcpy(cookie_out, seen.message.edns.cookie, EDNS_COOKIE_CLIENT_SIZE);
}

static void reply_in_lower_case(struct fixture *fixture, size_t index, int64_t now)
{
    uint8_t bytes[512];
    size_t len = reply_of(&fixture->sent[index], 0, bytes);
    name_to_lower(bytes + HEADER_SIZE, len - HEADER_SIZE - 20);
    assert_false(
        resolver_on_reply(fixture->resolver, fixture->sent[index].exchange, bytes, len, now));
}

static const char one[] = "upstreams = 192.0.2.1\nquestions_max = 16\n";
static const char long_name[] = "a-name-with-many-letters.example.org";

/* The wrong spelling is not taken; the server is asked anew without one, and remembered. */
static void test_letters_are_lost(void **state)
{
    struct fixture *fixture = fixture_new(one);
    (void)state;
    fixture_ask(fixture, long_name, TYPE_A, 0);
    assert_true(seen_of(&fixture->sent[0]).has_capitals);
    reply_in_lower_case(fixture, 0, MS);
    assert_int_equal(COUNTER(fixture, upstream_mismatched), 1);
    assert_int_equal(fixture->delivered_count, 0);
    assert_int_equal(fixture->sent_count, 2);
    assert_false(seen_of(&fixture->sent[1]).has_capitals);
    reply_in_lower_case(fixture, 0, MS); /* Once is enough. */
    assert_int_equal(fixture->sent_count, 2);
    assert_true(fixture_reply(fixture, 1, 0, 2 * MS));
    assert_int_equal(fixture->delivered_count, 1);
    assert_int_equal(COUNTER(fixture, upstream_timeouts), 0);
    fixture_check_quiet(fixture);
    fixture_ask(fixture, "another-name-with-letters.example.org", TYPE_A, 3 * MS);
    assert_false(seen_of(&fixture->sent[2]).has_capitals);
    fixture_reply(fixture, 2, 0, 4 * MS);
    fixture_ask(fixture, "one-more-name-with-letters.example.org", TYPE_A, 2 * MANNERS_FORGET_US);
    assert_true(seen_of(&fixture->sent[3]).has_capitals);
    fixture_free(fixture);
}

/* The true reply comes after all: it is taken, and the server is not slandered. */
static void test_letters_are_forged(void **state)
{
    struct fixture *fixture = fixture_new(one);
    (void)state;
    fixture_ask(fixture, long_name, TYPE_A, 0);
    reply_in_lower_case(fixture, 0, MS);
    assert_true(fixture_reply(fixture, 0, 0, 2 * MS));
    assert_int_equal(fixture->delivered_count, 1);
    fixture_ask(fixture, "another-name-with-letters.example.org", TYPE_A, 3 * MS);
    assert_true(seen_of(&fixture->sent[2]).has_capitals);
    fixture_free(fixture);
}

static void test_cookie_is_kept(void **state)
{
    struct fixture *fixture = fixture_new(one);
    uint8_t cookie[EDNS_COOKIE_SIZE_MIN];
    (void)state;
    fixture_ask(fixture, "a.example.org", TYPE_A, 0);
    assert_int_equal(seen_of(&fixture->sent[0]).message.edns.cookie_len, EDNS_COOKIE_CLIENT_SIZE);
    cookie_for(&fixture->sent[0], cookie);
    assert_true(reply_with_cookie(fixture, 0, cookie, sizeof cookie, 0, MS));
    fixture_ask(fixture, "b.example.org", TYPE_A, 2 * MS);
    struct sent_seen seen = seen_of(&fixture->sent[1]);
    assert_int_equal(seen.message.edns.cookie_len, sizeof cookie);
    assert_memory_equal(seen.message.edns.cookie, cookie, sizeof cookie);
    /* Without it nobody is believed; the true reply still is. */
    assert_false(fixture_reply(fixture, 1, 0, 3 * MS));
    assert_false(fixture_reply(fixture, 1, RCODE_SERVFAIL, 3 * MS));
    assert_int_equal(COUNTER(fixture, upstream_mismatched), 2);
    assert_int_equal(fixture->sent_count, 3);
    assert_true(reply_with_cookie(fixture, 1, cookie, sizeof cookie, 0, 4 * MS));
    assert_int_equal(fixture->delivered_count, 2);
    fixture_free(fixture);
}

/* The server was replaced by one that has none. */
static void test_cookie_is_given_up(void **state)
{
    struct fixture *fixture = fixture_new(one);
    uint8_t cookie[EDNS_COOKIE_SIZE_MIN];
    (void)state;
    fixture_ask(fixture, "a.example.org", TYPE_A, 0);
    cookie_for(&fixture->sent[0], cookie);
    reply_with_cookie(fixture, 0, cookie, sizeof cookie, 0, MS);
    fixture_ask(fixture, "b.example.org", TYPE_A, 2 * MS);
    for (size_t i = 1; i <= MANNERS_MISSES_MAX; i++) {
        assert_int_equal(fixture->sent_count, i + 1);
        assert_false(fixture_reply(fixture, i, 0, 3 * MS));
    }
    assert_int_equal(fixture->delivered_count, 1);
    assert_int_equal(seen_of(&fixture->sent[4]).message.edns.cookie_len, 0);
    assert_true(seen_of(&fixture->sent[4]).message.edns.is_present);
    assert_true(fixture_reply(fixture, 4, 0, 4 * MS));
    assert_int_equal(fixture->delivered_count, 2);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* Once more with the cookie that came, then over TCP, where none is needed. */
static void test_bad_cookie(void **state)
{
    struct fixture *fixture = fixture_new(one);
    uint8_t cookie[EDNS_COOKIE_SIZE_MIN];
    (void)state;
    fixture_ask(fixture, "a.example.org", TYPE_A, 0);
    cookie_for(&fixture->sent[0], cookie);
    assert_true(reply_with_cookie(fixture, 0, cookie, sizeof cookie, RCODE_BADCOOKIE, MS));
    assert_int_equal(fixture->sent_count, 2);
    assert_false(fixture->sent[1].is_stream);
    assert_memory_equal(seen_of(&fixture->sent[1]).message.edns.cookie, cookie, sizeof cookie);
    cookie[15] ^= 1;
    assert_true(reply_with_cookie(fixture, 1, cookie, sizeof cookie, RCODE_BADCOOKIE, 2 * MS));
    assert_int_equal(fixture->sent_count, 3);
    assert_true(fixture->sent[2].is_stream);
    assert_int_equal(seen_of(&fixture->sent[2]).message.edns.cookie_len, 0);
    assert_true(fixture_reply(fixture, 2, 0, 3 * MS));
    assert_int_equal(fixture->delivered_count, 1);
    fixture_free(fixture);
}

static void test_query_upstream_is_well_formed(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "Mail.example.org", TYPE_A, 0);
    const struct sent *sent = &fixture->sent[0];
    assert_int_equal(header_flags(sent->bytes), HEADER_RD);
    assert_int_equal(header_arcount(sent->bytes), 1);
    struct sent_seen seen = seen_of(sent);
    assert_true(name_equal(seen.message.question.name, seen.message.question.name_len,
        (const uint8_t *)"\4mail\7example\3org", 18));
    assert_int_equal(seen.message.edns.udp_size, EDNS_UDP_SIZE);
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
    assert_true(seen_of(sent).message.edns.wants_dnssec);
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
    /* Padded, and there is nothing in it that only a forger would have to guess. */
    assert_int_equal(fixture->sent[0].len, EXCHANGE_PAD_TO);
    assert_false(seen_of(&fixture->sent[0]).has_capitals);
    assert_int_equal(seen_of(&fixture->sent[0]).message.edns.cookie_len, 0);
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
    fixture->sent[0].is_withdrawn = false;
    fixture_lose(fixture, 0, MS); /* Twice: nobody. */
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
        cmocka_unit_test(test_end_and_forget), cmocka_unit_test(test_letters_are_lost),
        cmocka_unit_test(test_letters_are_forged), cmocka_unit_test(test_cookie_is_kept),
        cmocka_unit_test(test_cookie_is_given_up), cmocka_unit_test(test_bad_cookie)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
