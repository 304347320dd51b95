/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/ahead.h"

#include "fixture.h"

#include "base/clock.h"
#include "mail/habit.h"
#include "resolver/resolver_private.h"

#define SECONDS(count) ((int64_t)(count)*CLOCK_US_PER_S)

#define HOUSE "upstreams = 192.0.2.1\nlist_route = upstream\nlist_tests = no\nquestions_max = 64\n"

static const char conf[] = HOUSE;

/* Nobody waits for it: it may be lost, and what is there is not asked again. */
static void drain(struct fixture *fixture, int64_t now)
{
    for (size_t i = 0; i < fixture->sent_count; i++) {
        if (!fixture->sent[i].is_withdrawn) {
            fixture_reply(fixture, i, RCODE_NXDOMAIN, now);
        }
    }
    fixture->sent_count = 0;
}

/* "NUMBER.PARENT" */
static void ask(
    struct fixture *fixture, unsigned number, const char *parent, uint16_t type, int64_t now)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%u.%s", number, parent);
    fixture_ask(fixture, name, type, now);
}

/* So many clients, each asked about at a list, and then for its name: that is a habit. */
static int64_t learn(struct fixture *fixture)
{
    for (unsigned i = 0; i < 10; i++) {
        ask(fixture, i, "100.51.198.zen.spamhaus.org", TYPE_A, MS * i);
        drain(fixture, MS * i);
    }
    for (unsigned i = 0; i < 10; i++) {
        ask(fixture, i, "100.51.198.in-addr.arpa", TYPE_PTR, MS * (10 + i));
        drain(fixture, MS * (10 + i));
    }
    ask(fixture, 1, "example.net", TYPE_MX, SECONDS(4)); /* The clock of the habits goes on. */
    drain(fixture, SECONDS(4));
    assert_int_equal(COUNTER(fixture, fetches_ahead), 0);
    return SECONDS(5);
}

static uint64_t asked(const struct fixture *fixture)
{
    return COUNTER(fixture, fetches_ahead);
}

/* The first question about a client foretells the second. */
static void test_habit(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    int64_t now = learn(fixture);
    (void)state;
    ask(fixture, 50, "100.51.198.zen.spamhaus.org", TYPE_A, now);
    assert_int_equal(asked(fixture), 1);
    assert_int_equal(fixture->resolver->ahead.running, 1);
    assert_int_equal(COUNTER(fixture, ahead_asked_client_ptr), 1);
    assert_int_equal(fixture->sent_count, 2);
    assert_memory_equal(fixture->sent[1].bytes + HEADER_SIZE, "\00250\003100\00251\003198", 14);
    /* The client comes while it is under way, and has used it. */
    ask(fixture, 50, "100.51.198.in-addr.arpa", TYPE_PTR, now + MS);
    assert_int_equal(fixture->sent_count, 2);
    assert_int_equal(COUNTER(fixture, fetches_ahead_used), 1);
    drain(fixture, now + 2 * MS);
    assert_int_equal(fixture->resolver->ahead.running, 0);
    fixture_free(fixture);
}

static unsigned used_records(const struct habit *habit)
{
    unsigned count = 0;
    for (size_t i = 0; i < HABIT_RECORDS; i++) {
        count += habit->records[i].used != 0 ? 1 : 0;
    }
    return count;
}

/* Whoever finds it in the cache has used it too, the first time. */
static void test_used_once(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    int64_t now = learn(fixture);
    (void)state;
    ask(fixture, 50, "100.51.198.zen.spamhaus.org", TYPE_A, now);
    drain(fixture, now + MS);
    assert_int_equal(COUNTER(fixture, ahead_used_client_ptr), 0);
    for (unsigned i = 0; i < 3; i++) {
        ask(fixture, 50, "100.51.198.in-addr.arpa", TYPE_PTR, now + 2 * MS);
        assert_int_equal(COUNTER(fixture, ahead_used_client_ptr), 1);
    }
    assert_int_equal(fixture->sent_count, 0);
    assert_int_equal(used_records(fixture->resolver->ahead.habit), 1);
    fixture_free(fixture);
}

/* Why it may not be asked now. */
enum bad_time {
    GOOD_TIME,
    NO_SAVINGS,
    FETCHES_TAKEN,
    CLIENTS_PILE_UP,
    SERVER_RESTS,
    ALREADY_KNOWN,
    ABOVE_DENIED,
    SWITCHED_OFF,
    NOT_OUR_CLASS,
    CHECKING_DISABLED,
};

static void store_denial(struct fixture *fixture, const char *name, uint16_t type, int64_t now)
{
    struct cache_key key = key_of(name, type);
    uint8_t bytes[512];
    struct cache_fill fill = {.kind = CACHE_KIND_NXDOMAIN, .message = bytes, .ttl_s = 60};
    fill.is_any_type = type == 0;
    fill.len = query_of(name, type, bytes);
    cache_store(fixture->cache, &key, &fill, now);
}

static void spoil(struct fixture *fixture, enum bad_time why, int64_t now)
{
    struct resolver *resolver = fixture->resolver;
    switch (why) {
    case GOOD_TIME:
    case NOT_OUR_CLASS:
    case CHECKING_DISABLED:
        return;
    case NO_SAVINGS:
        resolver->ahead.rate = 0;
        return;
    case FETCHES_TAKEN:
        resolver->ahead.running = resolver->fetches.count / 4;
        return;
    case CLIENTS_PILE_UP:
        for (unsigned i = 0; i < resolver->queries.count / 4; i++) {
            ask(fixture, i, "example.com", TYPE_NS, now);
        }
        return;
    case SERVER_RESTS:
        for (unsigned i = 0; i < 20; i++) {
            server_on_timeout(&resolver->servers.servers[0]);
        }
        return;
    case ALREADY_KNOWN:
        store_denial(fixture, "50.100.51.198.in-addr.arpa", TYPE_PTR, now);
        return;
    case ABOVE_DENIED:
        store_denial(fixture, "51.198.in-addr.arpa", 0, now);
        return;
    case SWITCHED_OFF:
        resolver->ahead.is_on = false;
        return;
    }
}

static void test_bad_times(void **state)
{
    (void)state;
    for (int why = GOOD_TIME; why <= CHECKING_DISABLED; why++) {
        struct fixture *fixture = fixture_new(conf);
        int64_t now = learn(fixture);
        uint8_t bytes[512];
        spoil(fixture, (enum bad_time)why, now);
        size_t len = query_of("50.100.51.198.zen.spamhaus.org", TYPE_A, bytes);
        if (why == CHECKING_DISABLED) {
            header_set_flags(bytes, HEADER_RD | HEADER_CD);
        }
        if (why == NOT_OUR_CLASS) {
            bytes_put_u16(bytes + len - 2, 3);
        }
        fixture_ask_bytes(fixture, bytes, len, now);
        assert_int_equal(asked(fixture), why == GOOD_TIME ? 1 : 0);
        fixture->resolver->ahead.running = (uint32_t)asked(fixture);
        fixture_free(fixture);
    }
}

/* The rate is one of seconds: what was not asked in quiet times is not saved up. */
static void test_rate(void **state)
{
    struct fixture *fixture = fixture_new(HOUSE "ahead_rate = 3\n");
    int64_t now = learn(fixture) + SECONDS(5);
    (void)state;
    for (unsigned i = 50; i < 54; i++) {
        ask(fixture, i, "100.51.198.zen.spamhaus.org", TYPE_A, now);
    }
    assert_int_equal(asked(fixture), 3);
    drain(fixture, now + MS);
    ask(fixture, 60, "100.51.198.zen.spamhaus.org", TYPE_A, now + 333 * MS);
    assert_int_equal(asked(fixture), 3);
    ask(fixture, 61, "100.51.198.zen.spamhaus.org", TYPE_A, now + 334 * MS);
    assert_int_equal(asked(fixture), 4);
    fixture_free(fixture);
}

/* A list that refuses is not asked ahead, nor one whose free quota is used up. */
static void test_lists(void **state)
{
    (void)state;
    for (unsigned why = 0; why < 3; why++) {
        struct fixture *fixture = fixture_new(HOUSE "[list bl.spamcop.net]\nquota = 15\n");
        struct lists *lists = &fixture->resolver->lists;
        (void)state;
        for (unsigned i = 0; i < 10; i++) {
            ask(fixture, i, "100.51.198.zen.spamhaus.org", TYPE_A, MS * i);
            ask(fixture, i, "100.51.198.bl.spamcop.net", TYPE_A, MS * i);
            drain(fixture, MS * i);
        }
        ask(fixture, 1, "example.net", TYPE_MX, SECONDS(4));
        uint64_t before = asked(fixture);
        struct cache_key key = key_of("9.100.51.198.bl.spamcop.net", TYPE_A);
        unsigned place = lists_find(lists, &key);
        assert_true(place < LISTS_MAX);
        lists->places[place].cause = why == 1 ? LIST_CAUSE_RESOLVER : LIST_CAUSE_NONE;
        for (unsigned i = 0; why == 2 && i < 15; i++) {
            list_stats_send(&lists->places[place].stats, SECONDS(4));
        }
        ask(fixture, 50, "100.51.198.zen.spamhaus.org", TYPE_A, SECONDS(5));
        assert_int_equal(asked(fixture) - before, why == 0 ? 1 : 0);
        fixture_free(fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_habit),
        cmocka_unit_test(test_used_once),
        cmocka_unit_test(test_bad_times),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
