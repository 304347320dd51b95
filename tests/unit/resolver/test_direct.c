/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/direct.h"

#include "fixture.h"

#include "base/text.h"
#include "resolver/fetch.h"
#include "resolver/resolver_private.h"

/* What becomes of questions is told by the scenarios 580 to 619; here is what they cannot see. */
static const char conf[] = "upstreams = 192.0.2.1\n[zone list.example]\nroute = direct\n";

#define SECONDS(count) ((int64_t)(count)*1000 * MS)

/* Answers everything sent from `from` on that asks for NS or addresses, as upstream would. */
static void answer_lookups(struct fixture *fixture, size_t from, int64_t now)
{
    static const uint8_t ns[] = {
        0xc0, 12, 0, TYPE_NS, 0, CLASS_IN, 0, 0, 14, 16, 0, 5, 2, 'n', 's', 0xc0, 12};
    static const uint8_t a[] = {
        0xc0, 12, 0, TYPE_A, 0, CLASS_IN, 0, 0, 14, 16, 0, 4, 198, 51, 100, 1};
    static const uint16_t one[3] = {1, 0, 0};
    static const uint16_t none[3] = {0, 0, 0};
    for (size_t i = from; i < fixture->sent_count; i++) {
        const struct sent *sent = &fixture->sent[i];
        struct reader reader = reader_of(sent->bytes, sent->len);
        struct question question;
        uint8_t reply[512];
        size_t len;
        reader.at = HEADER_SIZE;
        assert_true(question_read(&reader, &question));
        if (strcmp(sent->server, "192.0.2.1@53") != 0) {
            continue;
        }
        if (question.type == TYPE_NS) {
            len = reply_with(sent, 0, one, ns, sizeof ns, reply);
        } else {
            len = reply_with(sent, 0, question.type == TYPE_A ? one : none, a,
                question.type == TYPE_A ? sizeof a : 0, reply);
        }
        resolver_on_reply(fixture->resolver, sent->exchange, reply, len, now);
        fixture_pass(fixture, now);
    }
}

/* A question that has got as far as the zone's own server, whose message is the last one sent. */
static void ask_directly(struct fixture *fixture, const char *name, int64_t now)
{
    assert_int_equal(fixture_ask(fixture, name, TYPE_A, now), ASK_PARKED);
    fixture_pass(fixture, now);
    answer_lookups(fixture, fixture->sent_count - 1, now);
    assert_string_equal(fixture->sent[fixture->sent_count - 1].server, "198.51.100.1@53");
}

static void test_view(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct server_view view;
    (void)state;
    assert_true(resolver_server_at(fixture->resolver, 0, &view));
    assert_false(resolver_server_at(fixture->resolver, 1, &view));
    ask_directly(fixture, "a.list.example", 0);
    assert_true(resolver_server_at(fixture->resolver, 1, &view));
    assert_string_equal(view.group, "direct:list.example");
    assert_int_equal(view.sent, 1);
    assert_false(resolver_server_at(fixture->resolver, 2, &view));
    /* RD is off, and what is not the zone's word is not taken for it. */
    const struct sent *sent = &fixture->sent[fixture->sent_count - 1];
    assert_int_equal(header_flags(sent->bytes) & HEADER_RD, 0);
    fixture_free(fixture);
}

/* A group's name has room for 63 bytes. */
static void test_long_name(void **state)
{
    struct fixture *fixture = fixture_new(
        "upstreams = 192.0.2.1\n[zone "
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.example]\n"
        "route = direct\n");
    struct server_view view;
    (void)state;
    ask_directly(fixture,
        "x.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.example", 0);
    assert_true(resolver_server_at(fixture->resolver, 1, &view));
    assert_int_equal(strlen(view.group), SETTINGS_NAME_SIZE - 1);
    fixture_free(fixture);
}

/* The health of a server does not go with its settings, and nobody is told of one that has gone. */
static void test_reload(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct settings *more =
        settings_of("upstreams = 192.0.2.1 192.0.2.2 192.0.2.3\n[zone list.example]\n"
                    "route = direct\n");
    struct settings *none = settings_of("upstreams = 192.0.2.1\n");
    struct server_view view;
    (void)state;
    ask_directly(fixture, "a.list.example", 0);
    size_t last = fixture->sent_count - 1;
    assert_true(fixture_reply(fixture, last, HEADER_AA, 5 * MS));
    ask_directly(fixture, "b.list.example", 10 * MS);
    assert_true(resolver_set_settings(fixture->resolver, more, 20 * MS));
    assert_true(resolver_server_at(fixture->resolver, 3, &view));
    assert_string_equal(view.group, "direct:list.example");
    assert_int_equal(view.sent, 2);
    assert_int_equal(view.answered, 1);
    assert_true(fixture_reply(fixture, fixture->sent_count - 1, HEADER_AA, 25 * MS));
    assert_int_equal(fixture->delivered_count, 2);
    assert_true(resolver_set_settings(fixture->resolver, none, 30 * MS));
    assert_false(resolver_server_at(fixture->resolver, 1, &view));
    free(more);
    free(none);
    fixture_free(fixture);
}

/* More zones than there are places: the one that was not asked for the longest time makes room, but
 * not within a minute; who finds no place goes upstream. */
static void test_places(void **state)
{
    char bytes[8192];
    char name[64];
    struct text text;
    (void)state;
    text_init(&text, bytes, sizeof bytes);
    text_add(&text, "upstreams = 192.0.2.1\n");
    for (unsigned i = 0; i <= SERVER_DIRECT_GROUPS; i++) {
        text_addf(&text, "[zone z%u.example]\nroute = direct\n", i);
    }
    struct fixture *fixture = fixture_new(bytes);
    for (unsigned i = 0; i < SERVER_DIRECT_GROUPS; i++) {
        fixture->sent_count = 0;
        snprintf(name, sizeof name, "a.z%u.example", i);
        ask_directly(fixture, name, i * MS);
        assert_true(fixture_reply(fixture, fixture->sent_count - 1, HEADER_AA, i * MS));
    }
    fixture->sent_count = 0;
    snprintf(name, sizeof name, "a.z%u.example", SERVER_DIRECT_GROUPS);
    assert_int_equal(fixture_ask(fixture, name, TYPE_A, 100 * MS), ASK_PARKED);
    assert_string_equal(fixture->sent[0].server, "192.0.2.1@53");
    assert_true(fixture_reply(fixture, 0, 0, 100 * MS));
    fixture->sent_count = 0;
    name[0] = 'b';
    ask_directly(fixture, name, SECONDS(61));
    fixture_free(fixture);
}

/* A list that refuses the upstream servers is asked directly from then on, for a day. */
static void test_refusal(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1\n");
    struct resolver *resolver = fixture->resolver;
    (void)state;
    struct cache_key key = key_of("2.0.0.127.list.example", TYPE_A);
    const struct fetch_order order = {.key = &key, .is_list = true, .purpose = FETCH_FOR_REFRESH};
    struct fetch *fetch = fetch_start(resolver, &order, 0);
    assert_non_null(fetch);
    assert_int_equal(direct_index(resolver, fetch->group), DIRECT_NONE);
    assert_true(direct_on_refusal(resolver, fetch, 0));
    assert_int_equal(direct_index(resolver, fetch->group), 0);
    assert_true(fetch->detour.is_awaited);
    /* Another name of the list; of another list; what is no list at all. */
    struct cache_key same = key_of("3.0.0.127.list.example", TYPE_A);
    struct cache_key other = key_of("2.0.0.127.other.example", TYPE_A);
    const struct fetch_order orders[] = {
        {.key = &same, .is_list = true, .purpose = FETCH_FOR_REFRESH},
        {.key = &other, .is_list = true, .purpose = FETCH_FOR_REFRESH},
    };
    fetch = fetch_start(resolver, &orders[0], SECONDS(1));
    assert_true(direct_index(resolver, fetch->group) == 0);
    fetch = fetch_start(resolver, &orders[1], SECONDS(1));
    assert_true(direct_index(resolver, fetch->group) == DIRECT_NONE);
    fixture_free(fixture);
}

static void test_refusal_is_not_for_all(void **state)
{
    static const char *const confs[] = {
        "upstreams = 192.0.2.1\nlist_route = upstream\n",
        "upstreams = 192.0.2.1\n[zone list.example]\nupstream = default\n",
    };
    struct cache_key key = key_of("2.0.0.127.list.example", TYPE_A);
    const struct fetch_order order = {.key = &key, .is_list = true, .purpose = FETCH_FOR_REFRESH};
    (void)state;
    for (size_t i = 0; i < sizeof confs / sizeof confs[0]; i++) {
        struct fixture *fixture = fixture_new(confs[i]);
        struct fetch *fetch = fetch_start(fixture->resolver, &order, 0);
        assert_false(direct_on_refusal(fixture->resolver, fetch, 0));
        fixture_free(fixture);
    }
}

/* Refused there, too: after two in a row it goes upstream again for a while. */
static void test_refused_directly(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct resolver *resolver = fixture->resolver;
    struct cache_key key = key_of("2.0.0.127.list.example", TYPE_A);
    struct cache_key later = key_of("3.0.0.127.list.example", TYPE_A);
    const struct fetch_order order = {.key = &key, .is_list = true, .purpose = FETCH_FOR_REFRESH};
    const struct fetch_order next = {.key = &later, .is_list = true, .purpose = FETCH_FOR_REFRESH};
    (void)state;
    ask_directly(fixture, "a.list.example", 0);
    struct fetch *fetch = fetch_start(resolver, &order, 0);
    assert_int_equal(direct_index(resolver, fetch->group), 0);
    assert_false(direct_on_refusal(resolver, fetch, 0));
    assert_false(direct_on_refusal(resolver, fetch, 0));
    fetch = fetch_start(resolver, &next, 0);
    assert_int_equal(direct_index(resolver, fetch->group), DIRECT_NONE);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_refusal_is_not_for_all),
        cmocka_unit_test(test_refused_directly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
