/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/lists.h"

static struct lists lists;

static void set(const char *conf)
{
    struct settings *settings = settings_of(conf);
    lists_set_settings(&lists, settings);
    free(settings);
}

/* As a query does it. */
static unsigned use(const char *name, int64_t now)
{
    struct cache_key key = key_of(name, TYPE_A);
    struct list_question question = {0};
    bool is_list = list_question_of(key.name, key.name_len, TYPE_A, &question);
    is_list = lists_recognise(&lists, &key, &question) || is_list;
    return is_list ? lists_use(&lists, &key, &question, now) : LISTS_NONE;
}

static void test_places(void **state)
{
    (void)state;
    memset(&lists, 0, sizeof lists);
    set("");
    unsigned zen = use("2.0.0.127.zen.spamhaus.org", 0);
    assert_int_equal(zen, 0);
    assert_int_equal(use("3.0.0.127.zen.spamhaus.org", 0), zen);
    assert_int_equal(use("example.com.dbl.spamhaus.org", 0), 1);
    assert_int_equal(use("2.0.0.127.bl.example.org", 0), LISTS_NONE);
    assert_int_equal(use("mail.example.org", 0), LISTS_NONE);
    lists_add_learned(&lists, (const uint8_t *)"\2bl\7example\3org", 16, 0);
    assert_int_equal(use("2.0.0.127.bl.example.org", 0), 2);
    assert_null(lists.places[2].row);
    struct cache_key key = key_of("9.0.0.127.zen.spamhaus.org", TYPE_TXT);
    assert_int_equal(lists_find(&lists, &key), zen);
    assert_int_equal(lists_use_again(&lists, &key, 77), zen);
    assert_int_equal(lists.places[zen].used_at, 77);
    key = key_of("zen.spamhaus.org", TYPE_A);
    assert_int_equal(lists_use_again(&lists, &key, 0), LISTS_NONE);
}

static void test_keys_are_remembered(void **state)
{
    (void)state;
    memset(&lists, 0, sizeof lists);
    set("");
    unsigned place = use("2.0.0.127.s3cret.zen.dq.spamhaus.net", 0);
    assert_int_equal(lists.places[place].key_len, 7);
    assert_memory_equal(lists.places[place].key, "\6s3cret", 7);
    assert_string_equal(lists.places[place].zone, "zen.dq.spamhaus.net");
    assert_int_equal(use("2.0.0.127.other.zen.dq.spamhaus.net", 0), place);
    assert_memory_equal(lists.places[place].key, "\5other", 6);
}

/* Of a list that is known to have one. */
static void test_a_key_in_a_section_is_no_zone(void **state)
{
    (void)state;
    memset(&lists, 0, sizeof lists);
    set("[list s3cret.zen.dq.spamhaus.net]\nkind = ip\nhas_key = no\nquota = 7\n");
    unsigned place = use("2.0.0.127.s3cret.zen.dq.spamhaus.net", 0);
    assert_string_equal(lists.places[place].zone, "zen.dq.spamhaus.net");
    assert_true(lists.places[place].row->has_key);
    assert_int_equal(list_quota_of(lists.places[place].row), 7);
}

static void test_sections(void **state)
{
    (void)state;
    memset(&lists, 0, sizeof lists);
    set("list_action = nxdomain\n"
        "[list zen.spamhaus.org]\nquota = 7\n"
        "[list bl.example.org]\nkind = allow\nhas_key = yes\naction = pass\nrefused = 127.0.0.9\n"
        "[list sub.bl.example.org]\n"
        "[list spamhaus.org]\n");
    unsigned zen = use("2.0.0.127.zen.spamhaus.org", 0);
    assert_int_equal(lists.places[zen].row->rules, LIST_RULES_SPAMHAUS);
    assert_int_equal(list_quota_of(lists.places[zen].row), 7);
    assert_int_equal(lists.places[zen].action, LISTS_ACTION_NXDOMAIN);
    unsigned own = use("2.0.0.127.key.bl.example.org", 0);
    assert_string_equal(lists.places[own].zone, "bl.example.org");
    assert_int_equal(lists.places[own].row->kind, LIST_KIND_ALLOW);
    assert_int_equal(lists.places[own].row->code_count, 1);
    assert_int_equal(lists.places[own].action, LISTS_ACTION_PASS);
    assert_int_equal(lists.places[own].key_len, 4);
    unsigned sub = use("2.0.0.127.sub.bl.example.org", 0);
    assert_string_equal(lists.places[sub].zone, "sub.bl.example.org");
    assert_int_equal(lists.places[sub].row->kind, LIST_KIND_IP);
    /* The longer zone counts, whoever names it. */
    assert_string_equal(
        lists.places[use("2.0.0.127.xbl.spamhaus.org", 0)].zone, "xbl.spamhaus.org");
    assert_string_equal(lists.places[use("2.0.0.127.new.spamhaus.org", 0)].zone, "spamhaus.org");

    /* A reload: the places stay, and what is known of them changes. */
    set("");
    assert_int_equal(use("2.0.0.127.zen.spamhaus.org", 0), zen);
    assert_int_equal(list_quota_of(lists.places[zen].row), 300000);
    assert_int_equal(lists.places[zen].action, LISTS_ACTION_SERVFAIL);
    assert_null(lists.places[own].row);
}

static void test_room(void **state)
{
    (void)state;
    memset(&lists, 0, sizeof lists);
    set("");
    for (unsigned i = 0; i < LISTS_MAX; i++) {
        uint8_t zone[NAME_SIZE_MAX];
        char text[32];
        (void)snprintf(text, sizeof text, "l%u.example.org", i);
        size_t len = name_of(text, zone);
        lists_add_learned(&lists, zone, len, (int64_t)i);
    }
    assert_int_equal(lists.count, LISTS_MAX);
    assert_int_equal(use("2.0.0.127.zen.spamhaus.org", 100), LISTS_OTHER);
    /* Not the first to come, but the first that is not used any more makes room. */
    assert_int_equal(use("2.0.0.127.l0.example.org", 200), 0);
    assert_int_equal(use("2.0.0.127.zen.spamhaus.org", LISTS_IDLE_US + 2), 1);
    assert_int_equal(use("2.0.0.127.l1.example.org", LISTS_IDLE_US + 2), LISTS_NONE);
    assert_int_equal(use("3.0.0.127.zen.spamhaus.org", LISTS_IDLE_US + 2), 1);
}

static void test_quota(void **state)
{
    (void)state;
    memset(&lists, 0, sizeof lists);
    set("[list bl.example.org]\nquota = 3\n");
    unsigned place = use("2.0.0.127.bl.example.org", 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(lists_has_quota(&lists, place, 0));
        list_stats_send(&lists.places[place].stats, 0);
    }
    assert_false(lists_has_quota(&lists, place, 0));
    assert_true(lists_has_quota(&lists, place, LISTS_IDLE_US));
    assert_true(lists_has_quota(&lists, LISTS_OTHER, 0));
    assert_true(lists_has_quota(&lists, LISTS_NONE, 0));
}

/* One refusal is one; eight answers without are the end of it. What the test points found ends with
 * them alone. */
static void test_note(void **state)
{
    (void)state;
    memset(&lists, 0, sizeof lists);
    set("");
    struct lists_place *place = &lists.places[use("2.0.0.127.zen.spamhaus.org", 0)];
    lists_note(place, LIST_CAUSE_RESOLVER, 5);
    lists_note(place, LIST_CAUSE_QUOTA, 9);
    assert_int_equal(place->cause, LIST_CAUSE_QUOTA);
    assert_int_equal(place->cause_since, 5);
    for (unsigned i = 0; i < LISTS_GOOD_MIN; i++) {
        assert_int_equal(place->cause, LIST_CAUSE_QUOTA);
        lists_note(place, LIST_CAUSE_NONE, 10);
    }
    assert_int_equal(place->cause, LIST_CAUSE_NONE);
    lists_note(place, LIST_CAUSE_WORLD, 20);
    for (unsigned i = 0; i < 2 * LISTS_GOOD_MIN; i++) {
        lists_note(place, LIST_CAUSE_NONE, 21);
    }
    assert_int_equal(place->cause, LIST_CAUSE_WORLD);
    /* The log has had one line; the next one may come in an hour. */
    assert_int_equal(place->unlogged, 2);
    lists_note(place, LIST_CAUSE_WORLD, LISTS_LOG_US + 5);
    assert_int_equal(place->unlogged, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_keys_are_remembered),
        cmocka_unit_test(test_a_key_in_a_section_is_no_zone),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_quota),
        cmocka_unit_test(test_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
