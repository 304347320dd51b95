/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/refusal.h"

#include "fixture.h"

#include "base/clock.h"
#include "resolver/resolver_private.h"

#define SECONDS(count) ((int64_t)(count)*CLOCK_US_PER_S)

static const char conf[] = "upstreams = 192.0.2.1\nlist_route = upstream\nlist_tests = no\n";

/* As a query finds its list. */
static unsigned use(struct resolver *resolver, const struct cache_key *key, int64_t now)
{
    struct list_question question = {0};
    bool is_list = list_question_of(key->name, key->name_len, key->type, &question);
    is_list = lists_recognise(&resolver->lists, key, &question) || is_list;
    return is_list ? lists_use(&resolver->lists, key, &question, now) : LISTS_NONE;
}

/* The stored form of an answer: one A record, or with an empty `address` NXDOMAIN. */
static size_t put_answer(uint8_t *bytes, const struct cache_key *key, const char *address)
{
    struct writer writer = writer_of(bytes, 512);
    const uint16_t counts[4] = {1, address[0] != '\0' ? 1 : 0, 0, 0};
    unsigned rcode = address[0] != '\0' ? RCODE_NOERROR : RCODE_NXDOMAIN;
    writer_take(&writer, HEADER_SIZE);
    writer_bytes(&writer, key->name, key->name_len);
    writer_u16(&writer, key->type);
    writer_u16(&writer, CLASS_IN);
    if (address[0] != '\0') {
        static const uint8_t head[] = {0xc0, 12, 0, TYPE_A, 0, CLASS_IN, 0, 0, 1, 44, 0, 4};
        struct address parsed;
        writer_bytes(&writer, head, sizeof head);
        assert_true(address_parse(address, strlen(address), 53, &parsed));
        writer_bytes(&writer, parsed.bytes, 4);
    }
    header_set_flags(bytes, (uint16_t)(HEADER_QR | rcode));
    header_set_counts(bytes, counts);
    return writer.len;
}

static struct refusal judge(
    struct fixture *fixture, const char *name, const char *address, int64_t now)
{
    struct resolver *resolver = fixture->resolver;
    struct cache_key key = key_of(name, TYPE_A);
    unsigned place = use(resolver, &key, now);
    size_t len = put_answer(resolver->normalised, &key, address);
    return refusal_judge(resolver, place, &key, len, now);
}

static void test_judge(void **state)
{
    static const struct {
        const char *name;
        const char *address;
        enum list_cause cause;
        unsigned refused;
        unsigned misused;
        unsigned parked;
    } cases[] = {
        {"9.2.0.192.zen.spamhaus.org", "127.0.0.2", LIST_CAUSE_NONE, 0, 0, 0},
        {"9.2.0.192.zen.spamhaus.org", "", LIST_CAUSE_NONE, 0, 0, 0},
        {"9.2.0.192.zen.spamhaus.org", "127.255.255.254", LIST_CAUSE_RESOLVER, 1, 0, 0},
        {"9.2.0.192.zen.spamhaus.org", "127.255.255.255", LIST_CAUSE_QUOTA, 1, 0, 0},
        {"9.2.0.192.zen.spamhaus.org", "192.0.2.7", LIST_CAUSE_PARKED, 0, 0, 1},
        {"9.2.0.192.dbl.spamhaus.org", "127.0.1.255", LIST_CAUSE_SUBJECT, 0, 1, 0},
        /* Another list's code. */
        {"9.2.0.192.bl.spamcop.net", "127.255.255.254", LIST_CAUSE_NONE, 0, 0, 0},
        /* Nobody's list, by its shape only. */
        {"9.2.0.192.bl.example.org", "127.255.255.254", LIST_CAUSE_NONE, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = fixture_new(conf);
        struct refusal refusal = judge(fixture, cases[i].name, cases[i].address, 0);
        const struct lists_place *place = &fixture->resolver->lists.places[0];
        assert_int_equal(refusal.cause, cases[i].cause);
        assert_int_equal(counter_read(&place->stats.refused), cases[i].refused);
        assert_int_equal(counter_read(&place->stats.misused), cases[i].misused);
        assert_int_equal(counter_read(&place->stats.parked), cases[i].parked);
        if (cases[i].cause != LIST_CAUSE_NONE) {
            assert_int_equal(refusal.keep_s, REFUSAL_KEEP_MIN_S);
            assert_int_equal(refusal.action, LISTS_ACTION_SERVFAIL);
            assert_non_null(strstr(refusal.sentence, place->zone));
        }
        fixture_free(fixture);
    }
}

/* The longer it goes on, the longer it is kept. */
static void test_keep(void **state)
{
    static const struct {
        int64_t after_s;
        uint32_t keep_s;
    } cases[] = {{0, 60}, {60, 60}, {61, 61}, {299, 299}, {300, 300}, {86400, 300}};
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct refusal refusal = judge(fixture, "9.2.0.192.zen.spamhaus.org", "127.255.255.254",
            SECONDS(1000 + cases[i].after_s));
        assert_int_equal(refusal.keep_s, cases[i].keep_s);
    }
    fixture_free(fixture);
}

/* A list that lists the world: what it lists is none, what it does not list stands. */
static void test_world(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    (void)judge(fixture, "9.2.0.192.zen.spamhaus.org", "", 0);
    fixture->resolver->lists.places[0].test.is_world = true;
    struct refusal refusal = judge(fixture, "9.2.0.192.zen.spamhaus.org", "127.0.0.2", 0);
    assert_int_equal(refusal.cause, LIST_CAUSE_WORLD);
    assert_int_equal(judge(fixture, "9.2.0.192.zen.spamhaus.org", "", 0).cause, LIST_CAUSE_NONE);
    refusal = refusal_of_world(fixture->resolver, 0, SECONDS(100));
    assert_int_equal(refusal.cause, LIST_CAUSE_WORLD);
    assert_int_equal(refusal.action, LISTS_ACTION_SERVFAIL);
    fixture_free(fixture);
}

/* All places are taken: a known list that found none is not counted, but its refusal is one. */
static void test_without_place(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1\nlist_action = pass\n");
    struct lists *lists = &fixture->resolver->lists;
    (void)state;
    for (unsigned i = 0; lists->count < LISTS_MAX; i++) {
        uint8_t zone[NAME_SIZE_MAX];
        char text[40];
        (void)snprintf(text, sizeof text, "bl%u.example.org", i);
        lists_add_learned(lists, zone, name_of(text, zone), 0);
    }
    struct refusal refusal = judge(fixture, "9.2.0.192.zen.spamhaus.org", "127.255.255.254", 0);
    assert_int_equal(refusal.cause, LIST_CAUSE_RESOLVER);
    assert_int_equal(refusal.keep_s, REFUSAL_KEEP_MIN_S);
    assert_int_equal(refusal.action, LISTS_ACTION_PASS);
    assert_non_null(strstr(refusal.sentence, "zen.spamhaus.org"));
    refusal = judge(fixture, "9.2.0.192.zen.spamhaus.org", "127.0.0.2", 0);
    assert_int_equal(refusal.cause, LIST_CAUSE_NONE);
    assert_null(refusal.sentence);
    fixture_free(fixture);
}

/* Many different addresses, one of them listed: a list of the site's own has its place. */
static void test_learned(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct cache_key key = key_of("1.2.0.192.bl.example.org", TYPE_A);
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        char text[48];
        (void)snprintf(text, sizeof text, "%u.2.0.192.bl.example.org", i);
        (void)judge(fixture, text, i == 7 ? "127.0.0.2" : "", 0);
    }
    assert_int_equal(lists_find(&fixture->resolver->lists, &key), 0);
    assert_string_equal(fixture->resolver->lists.places[0].zone, "bl.example.org");
    fixture_free(fixture);
}

/* NXDOMAIN in place of the answer, of the zone, for as long as it is to be kept. */
static void test_deny(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct cache_key key = key_of("9.2.0.192.zen.spamhaus.org", TYPE_A);
    const struct refusal refusal = {.cause = LIST_CAUSE_QUOTA, .keep_s = 77};
    uint8_t bytes[1024];
    uint8_t zone[NAME_SIZE_MAX];
    uint8_t name[NAME_SIZE_MAX];
    struct question question;
    struct record record;
    (void)state;
    size_t len = refusal_deny(fixture->resolver, &refusal, &key, bytes);
    assert_int_equal(header_rcode(bytes), RCODE_NXDOMAIN);
    assert_int_equal(header_ancount(bytes), 0);
    struct reader reader = reader_of(bytes, len);
    reader.at = HEADER_SIZE;
    assert_true(question_read(&reader, &question));
    assert_true(name_equal(question.name, question.name_len, key.name, key.name_len));
    assert_true(record_read(&reader, &record));
    assert_int_equal(record.type, TYPE_SOA);
    assert_int_equal(record.ttl, 77);
    struct reader owner = reader_of(bytes, len);
    owner.at = record.name_at;
    size_t owner_len = 0;
    assert_true(name_read(&owner, name, &owner_len));
    size_t zone_len = name_of("zen.spamhaus.org", zone);
    assert_true(name_equal(name, owner_len, zone, zone_len));
    fixture_free(fixture);
}

static void test_bound_ttls(void **state)
{
    static const struct {
        uint32_t min_s;
        uint32_t max_s;
        uint32_t ttl_s; /* Of one that was stored with 300. */
    } cases[] = {{0, UINT32_MAX, 300}, {300, 300, 300}, {301, 3600, 301}, {0, 299, 299}, {0, 0, 0}};
    struct cache_key key = key_of("9.2.0.192.zen.spamhaus.org", TYPE_A);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[512];
        size_t len = put_answer(bytes, &key, "127.0.0.2");
        refusal_bound_ttls(bytes, len, cases[i].min_s, cases[i].max_s);
        assert_int_equal(bytes_get_u32(bytes + len - 10), cases[i].ttl_s);
    }
}

/* Cut anywhere: nothing outside is touched, and whole records before it are. */
static void test_bound_ttls_of_a_piece(void **state)
{
    struct cache_key key = key_of("9.2.0.192.zen.spamhaus.org", TYPE_A);
    uint8_t whole[512];
    size_t len = put_answer(whole, &key, "127.0.0.2");
    (void)state;
    for (size_t piece = 0; piece < len; piece++) {
        uint8_t *bytes = malloc(piece + 1);
        assert_non_null(bytes);
        memcpy(bytes, whole, piece);
        refusal_bound_ttls(bytes, piece, 0, 1);
        assert_memory_equal(bytes, whole, piece);
        free(bytes);
    }
}

/* Only a list that refuses is a reason of its own. */
static void test_sentence(void **state)
{
    static const struct {
        enum list_cause cause;
        bool has_sentence;
    } cases[] = {{LIST_CAUSE_NONE, false}, {LIST_CAUSE_EMPTY, false}, {LIST_CAUSE_SILENT, false},
        {LIST_CAUSE_QUOTA, true}, {LIST_CAUSE_PARKED, true}, {LIST_CAUSE_WORLD, true}};
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    (void)judge(fixture, "9.2.0.192.zen.spamhaus.org", "", 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture->resolver->lists.places[0].cause = cases[i].cause;
        const char *sentence = refusal_sentence(fixture->resolver, 0);
        assert_true((sentence != NULL) == cases[i].has_sentence);
    }
    fixture->resolver->lists.places[LISTS_OTHER].cause = LIST_CAUSE_QUOTA;
    assert_null(refusal_sentence(fixture->resolver, LISTS_OTHER));
    assert_null(refusal_sentence(fixture->resolver, LISTS_NONE));
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_keep),
        cmocka_unit_test(test_world),
        cmocka_unit_test(test_without_place),
        cmocka_unit_test(test_learned),
        cmocka_unit_test(test_deny),
        cmocka_unit_test(test_bound_ttls),
        cmocka_unit_test(test_bound_ttls_of_a_piece),
        cmocka_unit_test(test_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
