/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/direct_learn.h"

#include "fixture.h"

#include "resolver/resolver_private.h"

/* What becomes of questions is told by the scenarios 580 to 619; here is what they cannot see. */
static void test_may_ask(void **state)
{
    static const struct {
        const char *address;
        bool is_well;
        bool is_well_in_private;
    } cases[] = {
        {"198.51.100.1", true, true}, {"2001:db8::1", true, true}, {"127.0.0.1", false, true},
        {"127.255.255.254", false, true}, {"::1", false, true}, {"10.1.2.3", false, true},
        {"172.31.0.1", false, true}, {"192.168.0.1", false, true}, {"169.254.169.254", false, true},
        {"100.64.0.1", false, true}, {"fd00::1", false, true}, {"fe80::1", false, true},
        {"0.0.0.0", false, false}, {"::", false, false}, {"224.0.0.1", false, false},
        {"255.255.255.255", false, false}, {"ff02::1", false, false},
        {"64:ff9b::7f00:1", false, false},                              /* Through a translator. */
        {"2002:7f00:1::1", false, false}, {"192.0.2.53", false, false}, /* Our own. */
    };
    struct direct direct = {.own_count = 1};
    (void)state;
    assert_true(address_parse("192.0.2.53", 10, 53, &direct.own[0]));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address address;
        const char *text = cases[i].address;
        assert_true(address_parse(text, strlen(text), 53, &address));
        direct.may_be_private = false;
        assert_true(direct_learn_may_ask(&direct, &address) == cases[i].is_well);
        direct.may_be_private = true;
        assert_true(direct_learn_may_ask(&direct, &address) == cases[i].is_well_in_private);
    }
}

/* An IPv4 address in an AAAA record is one all the same. */
static void test_may_ask_mapped(void **state)
{
    struct direct direct = {.may_be_private = false};
    struct address address = {.family = ADDRESS_IPV6,
        .bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1},
        .port = 53};
    (void)state;
    assert_false(direct_learn_may_ask(&direct, &address));
    address.bytes[12] = 8; /* Not private, but nobody's address in the DNS either. */
    assert_false(direct_learn_may_ask(&direct, &address));
}

static const char conf[] = "upstreams = 192.0.2.1\n[zone list.example]\nroute = direct\n";

/* No room for the lookups is a failure like another: the question goes upstream. */
static void test_no_room(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct pool *fetches = &fixture->resolver->fetches;
    uint32_t count = fetches->count;
    (void)state;
    assert_int_equal(fixture_ask(fixture, "a.list.example", TYPE_A, 0), ASK_PARKED);
    assert_int_equal(fixture->sent_count, 0);
    fetches->count = 2; /* Half of it is taken. */
    fixture_pass(fixture, 0);
    fetches->count = count;
    assert_int_equal(fixture->sent_count, 1);
    assert_string_equal(fixture->sent[0].server, "192.0.2.1@53");
    assert_int_equal(COUNTER(fixture, direct_lookups), 0);
    assert_int_equal(COUNTER(fixture, direct_fallbacks), 1);
    fixture_free(fixture);
}

/* The list's own name first, then what stands above it, but never a top-level domain. */
static void test_climbs(void **state)
{
    struct fixture *fixture =
        fixture_new("upstreams = 192.0.2.1\n[zone a.b.c.list.example]\nroute = direct\n");
    static const char *const names[] = {
        "a.b.c.list.example", "b.c.list.example", "c.list.example", "list.example"};
    (void)state;
    assert_int_equal(fixture_ask(fixture, "x.a.b.c.list.example", TYPE_A, 0), ASK_PARKED);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint8_t name[NAME_SIZE_MAX];
        uint8_t reply[512];
        size_t len = name_of(names[i], name);
        fixture_pass(fixture, 0);
        assert_int_equal(fixture->sent_count, i + 1);
        struct sent *sent = &fixture->sent[i];
        size_t reply_len = reply_of(sent, RCODE_SERVFAIL, reply);
        name_to_lower(sent->bytes + HEADER_SIZE, len);
        assert_memory_equal(sent->bytes + HEADER_SIZE, name, len);
        resolver_on_reply(fixture->resolver, sent->exchange, reply, reply_len, 0);
    }
    fixture_pass(fixture, 0);
    assert_int_equal(fixture->sent_count, 5);
    assert_int_equal(COUNTER(fixture, direct_fallbacks), 1);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_may_ask),
        cmocka_unit_test(test_may_ask_mapped),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_climbs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
