/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/header.h"
#include "wire/name.h"
#include "wire/question.h"
#include "wire/records.h"
#include "wire/types.h"

#include "mail/list_answer.h"

/* The stored form of an answer with the given addresses, separated by blanks; "" denies the name,
 * "alias" is a CNAME that leads to nothing. */
static size_t stored_of(const char *name, const char *addresses, uint8_t *bytes, size_t size)
{
    uint8_t wire[NAME_SIZE_MAX];
    size_t len = 0;
    uint16_t counts[4] = {1, 0, 0, 0};
    struct writer writer = writer_of(bytes, size);
    assert_true(name_from_text(name, strlen(name), wire, &len));
    writer_take(&writer, HEADER_SIZE);
    writer_bytes(&writer, wire, len);
    writer_u16(&writer, TYPE_A);
    writer_u16(&writer, CLASS_IN);
    for (const char *at = addresses; *at != '\0'; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        struct address address;
        struct record record = {.type = TYPE_A, .class = CLASS_IN, .ttl = 60, .rdata_len = 4};
        if (strncmp(at, "alias", word) == 0) {
            record.type = TYPE_CNAME;
            record.rdata_len = 1;
            record_write(&writer, HEADER_SIZE, &record, (const uint8_t *)"");
        } else {
            assert_true(address_parse(at, word, 0, &address));
            record_write(&writer, HEADER_SIZE, &record, address.bytes);
        }
        counts[1]++;
        at += word;
    }
    bool is_denied = addresses[0] == '\0';
    header_set_flags(bytes, (uint16_t)(HEADER_QR | (is_denied ? RCODE_NXDOMAIN : RCODE_NOERROR)));
    header_set_counts(bytes, counts);
    assert_false(writer.is_cut);
    return writer.len;
}

struct answer_case {
    const char *name;
    const char *addresses;
    enum list_verdict verdict;
    enum list_cause cause;
};

#define LISTED     LIST_VERDICT_LISTED, LIST_CAUSE_NONE
#define NOT_LISTED LIST_VERDICT_NOT_LISTED, LIST_CAUSE_NONE
#define REFUSED(x) LIST_VERDICT_REFUSED, LIST_CAUSE_##x
#define PARKED     LIST_VERDICT_PARKED, LIST_CAUSE_PARKED
#define MISUSED    LIST_VERDICT_MISUSED, LIST_CAUSE_SUBJECT

/* What each provider documents: a rule that is changed in list_rules.def fails here. */
static const struct answer_case cases[] = {
    {"2.0.0.127.zen.spamhaus.org", "", NOT_LISTED},
    {"2.0.0.127.zen.spamhaus.org", "127.0.0.2", LISTED},
    {"2.0.0.127.zen.spamhaus.org", "127.0.0.2 127.0.0.4 127.0.0.10", LISTED},
    {"2.0.0.127.zen.spamhaus.org", "127.255.255.252", REFUSED(ZONE)},
    {"2.0.0.127.zen.spamhaus.org", "127.255.255.254", REFUSED(RESOLVER)},
    {"2.0.0.127.zen.spamhaus.org", "127.255.255.255", REFUSED(QUOTA)},
    {"2.0.0.127.zen.spamhaus.org", "127.255.255.253", LISTED}, /* Not documented. */
    {"2.0.0.127.zen.spamhaus.org", "127.0.0.2 127.255.255.254", REFUSED(RESOLVER)},
    {"2.0.0.127.zen.spamhaus.org", "192.0.2.1", PARKED},
    {"2.0.0.127.zen.spamhaus.org", "127.0.0.2 192.0.2.1", PARKED},
    {"2.0.0.127.zen.spamhaus.org", "alias", NOT_LISTED},
    {"2.0.0.127.zen.spamhaus.org", "alias 127.0.0.2", LISTED},
    {"2.0.0.127.zen.spamhaus.org", "alias 127.255.255.254", REFUSED(RESOLVER)},
    {"2.0.0.127.xbl.spamhaus.org", "127.255.255.254", REFUSED(RESOLVER)},
    {"2.0.0.127.KEY.zen.dq.spamhaus.net", "127.255.255.255", REFUSED(QUOTA)},
    {"2.0.0.127.KEY.authbl.dq.spamhaus.net", "127.255.255.252", REFUSED(ZONE)},
    {"2.0.0.127.swl.spamhaus.org", "127.0.2.2", LISTED},
    {"example.com.dbl.spamhaus.org", "127.0.1.2", LISTED},
    {"1.2.0.192.dbl.spamhaus.org", "127.0.1.255", MISUSED},
    {"example.com.dbl.spamhaus.org", "127.255.255.254", REFUSED(RESOLVER)},
    {"2.0.0.127.zen.spamhaus.org", "127.0.1.255", LISTED}, /* The DBL's code, not ZEN's. */
    {"example.com.zrd.spamhaus.org", "127.255.255.254", REFUSED(RESOLVER)},
    {"example.com.multi.uribl.com", "127.0.0.1", REFUSED(RESOLVER)},
    {"example.com.multi.uribl.com", "127.0.0.255", REFUSED(RESOLVER)},
    {"example.com.multi.uribl.com", "127.0.0.2", LISTED},
    {"example.com.multi.uribl.com", "127.0.0.14", LISTED},
    {"example.com.black.uribl.com", "127.0.0.1", REFUSED(RESOLVER)},
    {"example.com.multi.surbl.org", "127.0.0.1", REFUSED(RESOLVER)},
    {"example.com.multi.surbl.org", "127.0.0.64", LISTED},
    {"example.com.multi.surbl.org", "127.0.0.254", LISTED},
    {"1.2.0.192.list.dnswl.org", "127.0.0.255", REFUSED(QUOTA)},
    {"1.2.0.192.list.dnswl.org", "127.0.10.3", LISTED}, /* Its unlisted point tells. */
    {"1.2.0.192.list.dnswl.org", "127.0.0.1", LISTED},
    {"example.com.dwl.dnswl.org", "127.0.0.255", REFUSED(QUOTA)},
    {"1.2.0.192.score.senderscore.com", "127.255.255.255", REFUSED(ACCOUNT)},
    {"1.2.0.192.sa-trusted.bondedsender.org", "127.255.255.255", REFUSED(ACCOUNT)},
    {"1.2.0.192.sa-accredit.habeas.com", "127.0.0.1", LISTED},
    {"1.2.0.192.score.senderscore.com", "127.0.4.98", LISTED},
    {"1.2.0.192.hostkarma.junkemailfilter.com", "127.0.0.1", LISTED},
    {"1.2.0.192.hostkarma.junkemailfilter.com", "127.255.255.254", LISTED},
    {"1.2.0.192.hostkarma.junkemailfilter.com", "192.0.2.1", PARKED},
    {"1.2.0.192.bl.spamcop.net", "127.0.0.2", LISTED},
    {"1.2.0.192.bl.spamcop.net", "91.195.240.87", PARKED},
    {"1.2.0.192.rep.mailspike.net", "127.0.0.18", LISTED},
    {"1.2.0.192.bl.spamcannibal.org", "91.195.240.117", PARKED},
    /* By shape only. */
    {"1.2.0.192.bl.example.org", "127.255.255.254", LISTED},
    {"1.2.0.192.bl.example.org", "192.0.2.1", PARKED},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct answer_case *c = &cases[i];
        uint8_t name[NAME_SIZE_MAX];
        uint8_t stored[512];
        size_t len = 0;
        struct list_question question;
        size_t stored_len = stored_of(c->name, c->addresses, stored, sizeof stored);
        assert_true(name_from_text(c->name, strlen(c->name), name, &len));
        assert_true(list_question_of(name, len, TYPE_A, &question));
        struct list_answer answer = list_answer_of(question.known, TYPE_A, stored, stored_len);
        if (answer.verdict != c->verdict || answer.cause != c->cause) {
            print_error("case: %s %s: %s\n", c->name, c->addresses, list_cause_name(answer.cause));
        }
        assert_int_equal(answer.verdict, c->verdict);
        assert_int_equal(answer.cause, c->cause);
    }
}

static void test_own_codes(void **state)
{
    struct network codes[2];
    uint8_t stored[512];
    struct list_zone zone = {
        .zone = "bl.example.org", .rules = LIST_RULES_SPAMHAUS, .codes = codes, .code_count = 2};
    static const struct {
        const char *address;
        enum list_verdict verdict;
        enum list_cause cause;
    } own[] = {
        {"127.0.0.1", REFUSED(CODE)},
        {"127.9.255.3", REFUSED(CODE)},
        {"127.0.0.2", LISTED},
        {"127.255.255.254", LISTED}, /* In place of the table's. */
        {"10.0.0.1", PARKED},
    };
    (void)state;
    assert_true(network_parse("127.0.0.1", 9, &codes[0]));
    assert_true(network_parse("127.9.0.0/16", 12, &codes[1]));
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        size_t len = stored_of("1.2.0.192.bl.example.org", own[i].address, stored, sizeof stored);
        struct list_answer answer = list_answer_of(&zone, TYPE_A, stored, len);
        assert_int_equal(answer.verdict, own[i].verdict);
        assert_int_equal(answer.cause, own[i].cause);
    }
}

/* Whatever is cut off, it ends and says something. */
static void test_cut(void **state)
{
    uint8_t stored[512];
    size_t len =
        stored_of("2.0.0.127.zen.spamhaus.org", "127.0.0.2 127.255.255.254", stored, sizeof stored);
    size_t zone_at = 0;
    const struct list_zone *zone =
        list_zone_above((const uint8_t *)"\3zen\10spamhaus\3org", 18, &zone_at);
    (void)state;
    assert_non_null(zone);
    for (size_t cut = 0; cut < len; cut++) {
        struct list_answer answer = list_answer_of(zone, TYPE_A, stored, cut);
        assert_true(
            answer.verdict == LIST_VERDICT_LISTED || answer.verdict == LIST_VERDICT_NOT_LISTED);
    }
    assert_int_equal(list_answer_of(zone, TYPE_TXT, stored, len).verdict, LIST_VERDICT_NOT_LISTED);
}

/* Test points and quotas. */
static void test_points(void **state)
{
    static const struct {
        const char *zone;
        const char *listed;
        const char *unlisted;
        bool is_random;
        uint64_t quota;
    } rows[] = {
        {"\3zen\10spamhaus\3org", "2.0.0.127", "1.0.0.127", false, 300000},
        {"\3dbl\10spamhaus\3org", "dbltest.com", "", true, 300000},
        {"\5multi\5uribl\3com", "2.0.0.127", "", true, 0},
        {"\4list\5dnswl\3org", "", "1.0.0.127", false, 100000},
        {"\11hostkarma\17junkemailfilter\3com", "", "", false, 0},
        {"\6bogons\5cymru\3com", "", "", false, 0},
        {"\2bl\7spamcop\3net", "2.0.0.127", "1.0.0.127", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t at = 0;
        const struct list_zone *zone =
            list_zone_above((const uint8_t *)rows[i].zone, strlen(rows[i].zone) + 1, &at);
        assert_non_null(zone);
        assert_int_equal(at, 0);
        struct list_points points = list_points_of(zone);
        assert_string_equal(points.listed, rows[i].listed);
        assert_string_equal(points.unlisted, rows[i].unlisted);
        assert_int_equal(points.is_unlisted_random, rows[i].is_random);
        assert_int_equal(list_quota_of(zone), rows[i].quota);
    }
}

static void test_words(void **state)
{
    (void)state;
    for (unsigned cause = 0; cause < LIST_CAUSES; cause++) {
        const char *name = list_cause_name((enum list_cause)cause);
        assert_true(strlen(name) > 0 && strchr(name, ' ') == NULL);
        assert_true(strlen(list_cause_clause((enum list_cause)cause)) > 0);
        for (unsigned other = 0; other < cause; other++) {
            assert_string_not_equal(name, list_cause_name((enum list_cause)other));
        }
    }
    assert_true(list_cause_is_path(LIST_CAUSE_RESOLVER));
    assert_false(list_cause_is_path(LIST_CAUSE_PARKED));
    assert_true(list_cause_is_tested(LIST_CAUSE_WORLD));
    assert_false(list_cause_is_tested(LIST_CAUSE_QUOTA));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_own_codes),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
