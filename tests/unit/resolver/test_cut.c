/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/cut.h"

#include "fixture.h"

static const char conf[] = "upstreams = 192.0.2.1\n";

/* ---- Whom it is for ---- */

static void test_is_for(void **state)
{
    static const struct {
        const char *name;
        uint16_t type;
        uint16_t class;
        bool wants_dnssec;
        bool checking_disabled;
        bool is_list;
        bool is_for;
    } cases[] = {
        {"a.example.org", TYPE_A, CLASS_IN, false, false, false, true},
        {"a.example.org", TYPE_MX, CLASS_IN, false, false, false, true},
        {"a.example.org", TYPE_A, CLASS_IN, false, false, true, false},
        {"a.example.org", TYPE_A, CLASS_IN, true, false, false, false},
        {"a.example.org", TYPE_A, CLASS_IN, false, true, false, false},
        {"a.example.org", TYPE_A, CLASS_CH, false, false, false, false},
        {"a.example.org", TYPE_TLSA, CLASS_IN, false, false, false, false},
        {"a.example.org", TYPE_DS, CLASS_IN, false, false, false, false},
        {"a.example.org", TYPE_DNSKEY, CLASS_IN, false, false, false, false},
        {"a.example.org", TYPE_RRSIG, CLASS_IN, false, false, false, false},
        {"a.example.org", TYPE_NSEC, CLASS_IN, false, false, false, false},
        {"a.example.org", TYPE_NSEC3, CLASS_IN, false, false, false, false},
        {"_tcp.example.org", TYPE_SRV, CLASS_IN, false, false, false, false},
        {"a._tcp.example.org", TYPE_TXT, CLASS_IN, false, false, false, true},
        {".", TYPE_NS, CLASS_IN, false, false, false, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cache_key key = key_of(cases[i].name, cases[i].type);
        key.class = cases[i].class;
        key.wants_dnssec = cases[i].wants_dnssec;
        key.checking_disabled = cases[i].checking_disabled;
        assert_int_equal(cut_is_for(&key, cases[i].is_list), cases[i].is_for);
    }
}

static void test_keys(void **state)
{
    static const struct {
        const char *name;
        unsigned labels_up;
        const char *above; /* NULL: none. */
    } cases[] = {
        {"a.b.example.org", 0, "a.b.example.org"},
        {"a.b.example.org", 1, "b.example.org"},
        {"a.b.example.org", 2, "example.org"},
        {"a.b.example.org", 3, NULL},
        {"a.b.example.org", 4, NULL},
        {"1.2.3.4.5.example.org", 4, "5.example.org"},
        {"1.2.3.4.5.example.org", 5, NULL},
        {"org", 0, NULL},
        {".", 0, NULL},
        {".", 1, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cache_key key = key_of(cases[i].name, TYPE_MX);
        struct cache_key above;
        bool is_found = cut_key(&key, cases[i].labels_up, &above);
        assert_int_equal(is_found, cases[i].above != NULL);
        if (is_found) {
            struct cache_key expected = key_of(cases[i].above, 0);
            assert_true(cache_key_equal(&above, &expected));
        }
    }
}

/* ---- The denial ---- */

/* SOA of example.org, which stands at `zone_at` of the stored message, with pointers in it. */
static size_t stored_denial(const char *name, size_t zone_at, uint8_t bytes_out[512])
{
    const uint8_t record[] = {0xc0, (uint8_t)zone_at, 0, TYPE_SOA, 0, CLASS_IN, 0, 0, 0, 60, 0, 27,
        2, 'n', 's', 0xc0, (uint8_t)zone_at, 0xc0, (uint8_t)zone_at, /* MNAME, RNAME */
        0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 60};
    const uint16_t counts[4] = {1, 0, 1, 0};
    size_t len = query_of(name, TYPE_A, bytes_out);
    memcpy(bytes_out + len, record, sizeof record);
    header_set_id(bytes_out, 0);
    header_set_flags(bytes_out, HEADER_QR | HEADER_RA | RCODE_NXDOMAIN);
    header_set_counts(bytes_out, counts);
    return len + sizeof record;
}

#define NOBODY    "nobody.example.org"
#define NOBODY_AT (HEADER_SIZE + 7)

static void test_compose(void **state)
{
    uint8_t stored[512];
    uint8_t composed[CUT_SIZE_MAX];
    struct cache_key key = key_of("x.y.nobody.example.org", TYPE_MX);
    (void)state;
    size_t stored_len = stored_denial(NOBODY, NOBODY_AT, stored);
    size_t len = cut_compose(&key, stored, stored_len, composed, sizeof composed);
    assert_true(len > 0);
    assert_int_equal(header_id(composed), 0);
    assert_int_equal(header_flags(composed), HEADER_QR | HEADER_RA | RCODE_NXDOMAIN);
    assert_int_equal(header_qdcount(composed), 1);
    assert_int_equal(header_ancount(composed), 0);
    assert_int_equal(header_nscount(composed), 1);
    assert_int_equal(header_arcount(composed), 0);

    struct reader reader = reader_of(composed, len);
    struct question question;
    struct record record;
    struct soa soa;
    uint8_t name[NAME_SIZE_MAX];
    reader.at = HEADER_SIZE;
    assert_true(question_read(&reader, &question));
    assert_true(name_equal(question.name, question.name_len, key.name, key.name_len));
    assert_int_equal(question.type, TYPE_MX);
    assert_true(record_read(&reader, &record));
    assert_int_equal(reader_left(&reader), 0);
    assert_int_equal(record.type, TYPE_SOA);
    assert_int_equal(record.ttl, 60);
    size_t name_len = name_of("example.org", name);
    assert_true(name_equals_at(name, name_len, &reader, record.name_at));
    name_len = name_of("ns.example.org", name);
    assert_true(name_equals_at(name, name_len, &reader, record.rdata_at));
    assert_true(soa_read(&reader, &record, &soa));
    assert_int_equal(soa.serial, 1);
    assert_int_equal(soa.minimum, 60);
}

static void test_compose_refuses(void **state)
{
    uint8_t good[512];
    uint8_t stored[512];
    uint8_t composed[CUT_SIZE_MAX];
    struct cache_key key = key_of("x.nobody.example.org", TYPE_MX);
    (void)state;
    size_t len = stored_denial(NOBODY, NOBODY_AT, good);
    size_t whole = cut_compose(&key, good, len, composed, sizeof composed);
    assert_true(whole > 0);
    assert_int_equal(cut_compose(&key, good, len, composed, whole), whole);
    for (size_t size = 0; size < whole; size++) {
        assert_int_equal(cut_compose(&key, good, len, composed, size), 0);
    }
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(cut_compose(&key, good, cut, composed, sizeof composed), 0);
    }
    memcpy(stored, good, len);
    bytes_put_u16(stored + 6, 1); /* A chain, whose end it is that does not exist. */
    assert_int_equal(cut_compose(&key, stored, len, composed, sizeof composed), 0);
    memcpy(stored, good, len);
    header_set_flags(stored, HEADER_QR | HEADER_RA); /* NODATA. */
    assert_int_equal(cut_compose(&key, stored, len, composed, sizeof composed), 0);
    struct cache_key stranger = key_of("nobody.example.net", TYPE_MX);
    assert_int_equal(cut_compose(&stranger, good, len, composed, sizeof composed), 0);
}

static void test_compose_finds_its_soa(void **state)
{
    static const uint8_t other[] = {0xc0, 12, 0, TYPE_TXT, 0, CLASS_IN, 0, 0, 0, 60, 0, 1, 0};
    uint8_t stored[512];
    uint8_t composed[CUT_SIZE_MAX];
    struct cache_key key = key_of(NOBODY, TYPE_MX);
    (void)state;
    size_t len = query_of(NOBODY, TYPE_A, stored);
    memcpy(stored + len, other, sizeof other);
    header_set_flags(stored, HEADER_QR | RCODE_NXDOMAIN);
    assert_int_equal(cut_compose(&key, stored, len + sizeof other, composed, sizeof composed), 0);
    uint8_t denial[512];
    size_t denial_len = stored_denial(NOBODY, NOBODY_AT, denial);
    memcpy(stored + len + sizeof other, denial + len, denial_len - len);
    len = denial_len + sizeof other;
    assert_true(cut_compose(&key, stored, len, composed, sizeof composed) > 0);
}

/* ---- In the resolver ---- */

static void reply_denial(struct fixture *fixture, size_t index, int64_t now)
{
    uint8_t bytes[512];
    const struct sent *sent = &fixture->sent[index];
    size_t len = stored_denial(NOBODY, NOBODY_AT, bytes);
    /* What was sent has its own spelling and type. */
    memcpy(bytes + HEADER_SIZE, sent->bytes + HEADER_SIZE, strlen(NOBODY) + 2 + 4);
    header_set_id(bytes, header_id(sent->bytes));
    assert_true(resolver_on_reply(fixture->resolver, sent->exchange, bytes, len, now));
}

static void test_answers_cut(void **state)
{
    static const struct {
        const char *name;
        uint16_t type;
        enum ask_verdict verdict;
    } cases[] = {
        {NOBODY, TYPE_MX, ASK_ANSWERED},
        {"x.y." NOBODY, TYPE_A, ASK_ANSWERED},
        {"a.b.c.d." NOBODY, TYPE_A, ASK_ANSWERED},
        {"a.b.c.d.e." NOBODY, TYPE_A, ASK_PARKED},
        {"1.2.0.192." NOBODY, TYPE_A, ASK_PARKED}, /* It looks like a question to a list. */
        {"_25._tcp." NOBODY, TYPE_TLSA, ASK_PARKED},
        {"not" NOBODY, TYPE_A, ASK_PARKED},
        {"example.org", TYPE_A, ASK_PARKED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = fixture_new(conf);
        fixture_ask(fixture, NOBODY, TYPE_A, 0);
        reply_denial(fixture, 0, 5 * MS);
        bool is_answered = cases[i].verdict == ASK_ANSWERED;
        /* For the name itself that is an ordinary hit. */
        bool is_cut = is_answered && strcmp(cases[i].name, NOBODY) != 0;
        assert_int_equal(
            fixture_ask(fixture, cases[i].name, cases[i].type, 6 * MS), cases[i].verdict);
        assert_int_equal(COUNTER(fixture, answers_cut), is_cut ? 1 : 0);
        if (is_answered) {
            assert_int_equal(header_rcode(fixture->answer), RCODE_NXDOMAIN);
        }
        fixture_free(fixture);
    }
}

/* A zone of one's own below a name that the world denies is asked where the operator said. */
static void test_other_group_is_asked(void **state)
{
    struct fixture *fixture = fixture_new("[upstream default]\nservers = 192.0.2.1\n"
                                          "[upstream office]\nservers = 192.0.2.2\n"
                                          "[zone corp." NOBODY "]\nupstream = office\n");
    (void)state;
    fixture_ask(fixture, NOBODY, TYPE_A, 0);
    reply_denial(fixture, 0, 5 * MS);
    assert_int_equal(fixture_ask(fixture, "mx.corp." NOBODY, TYPE_A, 6 * MS), ASK_PARKED);
    assert_string_equal(fixture->sent[1].server, "192.0.2.2@53");
    assert_int_equal(fixture_ask(fixture, "mx." NOBODY, TYPE_A, 6 * MS), ASK_ANSWERED);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_for),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_compose),
        cmocka_unit_test(test_compose_refuses),
        cmocka_unit_test(test_compose_finds_its_soa),
        cmocka_unit_test(test_answers_cut),
        cmocka_unit_test(test_other_group_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
