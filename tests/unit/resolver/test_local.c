/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "wire/message.h"
#include "wire/records.h"
#include "mail/list_zone.h"
#include "resolver/local.h"

struct local_row {
    const char *name;
    uint16_t type;
    uint16_t class;
    enum local_verdict verdict;
    unsigned rcode;
    unsigned answers;
};

static const struct local_row rows[] = {
    {"localhost", TYPE_A, CLASS_IN, LOCAL_ANSWER, RCODE_NOERROR, 1},
    {"localhost", TYPE_AAAA, CLASS_IN, LOCAL_ANSWER, RCODE_NOERROR, 1},
    {"a.b.localhost", TYPE_A, CLASS_IN, LOCAL_ANSWER, RCODE_NOERROR, 1},
    {"localhost", TYPE_MX, CLASS_IN, LOCAL_ANSWER, RCODE_NOERROR, 0},
    {"xlocalhost", TYPE_A, CLASS_IN, LOCAL_NOT_OURS, 0, 0},
    {"invalid", TYPE_A, CLASS_IN, LOCAL_ANSWER, RCODE_NXDOMAIN, 0},
    {"x.test", TYPE_MX, CLASS_IN, LOCAL_ANSWER, RCODE_NXDOMAIN, 0},
    {"x.local", TYPE_A, CLASS_IN, LOCAL_ANSWER, RCODE_NXDOMAIN, 0},
    {"x.onion", TYPE_A, CLASS_IN, LOCAL_ANSWER, RCODE_NXDOMAIN, 0},
    {"x.alt", TYPE_A, CLASS_IN, LOCAL_ANSWER, RCODE_NXDOMAIN, 0},
    {"1.0.0.127.in-addr.arpa", TYPE_PTR, CLASS_IN, LOCAL_ANSWER, RCODE_NOERROR, 1},
    {"1.0.0.127.in-addr.arpa", TYPE_A, CLASS_IN, LOCAL_ANSWER, RCODE_NOERROR, 0},
    {"x.1.0.0.127.in-addr.arpa", TYPE_PTR, CLASS_IN, LOCAL_ANSWER, RCODE_NXDOMAIN, 0},
    {"53.0.0.127.in-addr.arpa", TYPE_PTR, CLASS_IN, LOCAL_ANSWER, RCODE_NXDOMAIN, 0},
    {"1.0.0.10.in-addr.arpa", TYPE_PTR, CLASS_IN, LOCAL_NOT_OURS, 0, 0},
    {"version.bind", TYPE_TXT, CLASS_CH, LOCAL_ANSWER, RCODE_NOERROR, 1},
    {"id.server", TYPE_TXT, CLASS_CH, LOCAL_ANSWER, RCODE_NOERROR, 1},
    {"version.bind", TYPE_A, CLASS_CH, LOCAL_REFUSED, 0, 0},
    {"authors.bind", TYPE_TXT, CLASS_CH, LOCAL_REFUSED, 0, 0},
    {"example.org", TYPE_A, 4, LOCAL_REFUSED, 0, 0},
    {"example.org", TYPE_A, CLASS_ANY, LOCAL_REFUSED, 0, 0},
    {"example.org", TYPE_ANY, CLASS_IN, LOCAL_ANSWER, RCODE_NOERROR, 1},
    {"example.org", TYPE_AXFR, CLASS_IN, LOCAL_REFUSED, 0, 0},
    {"example.org", TYPE_IXFR, CLASS_IN, LOCAL_REFUSED, 0, 0},
    {"example.org", TYPE_TSIG, CLASS_IN, LOCAL_NOT_IMPLEMENTED, 0, 0},
    {"example.org", TYPE_OPT, CLASS_IN, LOCAL_NOT_IMPLEMENTED, 0, 0},
    {"example.org", 0, CLASS_IN, LOCAL_NOT_IMPLEMENTED, 0, 0},
    {"example.org", TYPE_MX, CLASS_IN, LOCAL_NOT_OURS, 0, 0},
    {".", TYPE_NS, CLASS_IN, LOCAL_NOT_OURS, 0, 0},
    {"1.1.168.192.zen.spamhaus.org", TYPE_A, CLASS_IN, LOCAL_ANSWER, RCODE_NXDOMAIN, 0},
    {"2.0.0.127.zen.spamhaus.org", TYPE_A, CLASS_IN, LOCAL_NOT_OURS, 0, 0},
    {"1.2.0.192.zen.spamhaus.org", TYPE_A, CLASS_IN, LOCAL_NOT_OURS, 0, 0},
    {"1.1.168.192.bl.example.org", TYPE_A, CLASS_IN, LOCAL_NOT_OURS, 0, 0},
};

/* What is written can be read, has the question, and a denial has its SOA. */
static void check_message(const uint8_t *bytes, size_t len, const struct local_row *row)
{
    struct message message;
    assert_int_equal(message_read(bytes, len, &message), MESSAGE_GOOD);
    assert_int_equal(message.rcode, row->rcode);
    assert_int_equal(message.counts[1], row->answers);
    assert_int_equal(message.counts[2], row->answers == 0 ? 1 : 0);
    assert_int_equal(message.question.type, row->type);
    if (row->answers == 0) {
        struct reader reader = reader_of(bytes, len);
        struct record record;
        struct soa soa;
        reader.at = message.records_at;
        assert_true(record_read(&reader, &record));
        assert_true(soa_read(&reader, &record, &soa));
        assert_int_equal(soa.minimum, LOCAL_TTL_S);
        assert_int_equal(record.ttl, LOCAL_TTL_S);
    }
}

static enum local_verdict run_row(
    const struct local_row *row, bool is_configured, uint8_t *bytes, size_t *len)
{
    struct cache_key key = key_of(row->name, row->type);
    struct list_question list;
    key.class = row->class;
    bool is_list = list_question_of(key.name, key.name_len, key.type, &list);
    struct local_case local = {.key = &key,
        .list = is_list ? &list : NULL,
        .is_configured = is_configured,
        .private_lists_local = true,
        .version = "mxcache test"};
    return local_answer(&local, bytes, MESSAGE_SIZE_MAX, len);
}

static void test_rows(void **state)
{
    static uint8_t bytes[MESSAGE_SIZE_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = 0;
        enum local_verdict verdict = run_row(&rows[i], false, bytes, &len);
        if (verdict != rows[i].verdict) {
            print_message("row %zu: %s\n", i, rows[i].name);
        }
        assert_int_equal(verdict, rows[i].verdict);
        if (verdict == LOCAL_ANSWER) {
            check_message(bytes, len, &rows[i]);
        }
    }
}

static void test_configured_zone_wins(void **state)
{
    static uint8_t bytes[MESSAGE_SIZE_MAX];
    static const struct local_row names[] = {{"x.local", TYPE_A, CLASS_IN, 0, 0, 0},
        {"1.1.168.192.zen.spamhaus.org", TYPE_A, CLASS_IN, 0, 0, 0}};
    size_t len;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(run_row(&names[i], true, bytes, &len), LOCAL_NOT_OURS);
    }
}

/* Denials that somebody may wonder at say why; what was asked for says nothing. */
static void test_sentences(void **state)
{
    static const struct {
        const char *name;
        uint16_t type;
        uint16_t class;
        bool is_list;
        const char *words; /* NULL: none. */
    } cases[] = {
        {"printer.local", TYPE_A, CLASS_IN, false, "special-use name"},
        {"x.onion", TYPE_A, CLASS_IN, false, "special-use name"},
        {"localhost", TYPE_A, CLASS_IN, false, NULL},
        {"1.0.0.127.in-addr.arpa", TYPE_PTR, CLASS_IN, false, NULL},
        {"1.1.168.192.zen.spamhaus.org", TYPE_A, CLASS_IN, true, "private_lists_local"},
        {"example.org", TYPE_ANY, CLASS_IN, false, "RFC 8482"},
        {"version.bind", TYPE_TXT, CLASS_CH, false, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cache_key key = key_of(cases[i].name, cases[i].type);
        key.class = cases[i].class;
        const char *sentence = local_sentence(&key, cases[i].is_list);
        if (cases[i].words == NULL) {
            assert_null(sentence);
        } else {
            assert_non_null(sentence);
            assert_non_null(strstr(sentence, cases[i].words));
            assert_in_range(strlen(sentence), 1, 160);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows),
        cmocka_unit_test(test_configured_zone_wins), cmocka_unit_test(test_sentences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
