/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/match.h"
#include "wire/question.h"

#include "packet.h"

static const struct question asked = {.name = "\2mx\2at", .name_len = 7, .type = 15, .class = 1};

#define QUESTION "\2mx\2at\0\0\17\0\1"

#define ROW(what, bytes, verdict)                                                                  \
    {                                                                                              \
        what, bytes, sizeof(bytes) - 1, verdict                                                    \
    }

static void test_verdicts(void **state)
{
    static const struct {
        const char *what;
        const char *bytes;
        size_t len;
        enum match_verdict verdict;
    } cases[] = {
        ROW("ours", "\x12\x34\x81\x80\0\1\0\0\0\0\0\0" QUESTION, MATCH_YES),
        ROW("other case", "\x12\x34\x81\x80\0\1\0\0\0\0\0\0\2MX\2At\0\0\17\0\1", MATCH_OTHER_CASE),
        ROW("other case of the last letter", "\x12\x34\x81\x80\0\1\0\0\0\0\0\0\2mx\2aT\0\0\17\0\1",
            MATCH_OTHER_CASE),
        ROW("other case, an error", "\x12\x34\x81\x85\0\1\0\0\0\0\0\0\2MX\2at\0\0\17\0\1",
            MATCH_OTHER_CASE),
        ROW("other case and type", "\x12\x34\x81\x80\0\1\0\0\0\0\0\0\2MX\2at\0\0\1\0\1", MATCH_NO),
        ROW("other case and id", "\x12\x35\x81\x80\0\1\0\0\0\0\0\0\2MX\2at\0\0\17\0\1", MATCH_NO),
        ROW("an error with the question", "\x12\x34\x81\x82\0\1\0\0\0\0\0\0" QUESTION, MATCH_YES),
        ROW("other id", "\x12\x35\x81\x80\0\1\0\0\0\0\0\0" QUESTION, MATCH_NO),
        ROW("a query", "\x12\x34\x01\x80\0\1\0\0\0\0\0\0" QUESTION, MATCH_NO),
        ROW("opcode", "\x12\x34\x91\x80\0\1\0\0\0\0\0\0" QUESTION, MATCH_NO),
        ROW("other name", "\x12\x34\x81\x80\0\1\0\0\0\0\0\0\2my\2at\0\0\17\0\1", MATCH_NO),
        ROW("other type", "\x12\x34\x81\x80\0\1\0\0\0\0\0\0\2mx\2at\0\0\1\0\1", MATCH_NO),
        ROW("other class", "\x12\x34\x81\x80\0\1\0\0\0\0\0\0\2mx\2at\0\0\17\0\3", MATCH_NO),
        ROW("two questions", "\x12\x34\x81\x80\0\2\0\0\0\0\0\0" QUESTION QUESTION, MATCH_NO),
        ROW("question cut", "\x12\x34\x81\x80\0\1\0\0\0\0\0\0\2mx\2at\0\0\17\0", MATCH_NO),
        ROW("header cut", "\x12\x34\x81\x80\0\1\0\0\0\0\0", MATCH_NO),
        ROW("bare FORMERR", "\x12\x34\x80\x01\0\0\0\0\0\0\0\0", MATCH_BARE_ERROR),
        ROW("bare SERVFAIL", "\x12\x34\x80\x02\0\0\0\0\0\0\0\0", MATCH_BARE_ERROR),
        ROW("bare REFUSED", "\x12\x34\x80\x05\0\0\0\0\0\0\0\0", MATCH_BARE_ERROR),
        ROW("bare NOERROR", "\x12\x34\x80\x00\0\0\0\0\0\0\0\0", MATCH_NO),
        ROW("bare NXDOMAIN", "\x12\x34\x80\x03\0\0\0\0\0\0\0\0", MATCH_NO),
        ROW("bare, with answers", "\x12\x34\x80\x02\0\0\0\1\0\0\0\0", MATCH_NO),
        ROW("bare, other id", "\x12\x35\x80\x02\0\0\0\0\0\0\0\0", MATCH_NO),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint8_t *bytes = (const uint8_t *)cases[i].bytes;
        enum match_verdict verdict = match_reply(bytes, cases[i].len, 0x1234, &asked);
        packet_expect(verdict == cases[i].verdict, cases[i].what);
    }
}

/* A question in mixed case: only that very spelling is the answer to it. */
static void test_asked_in_mixed_case(void **state)
{
    static const struct question mixed = {
        .name = "\2mX\2At", .name_len = 7, .type = 15, .class = 1};
    static const struct {
        const char *bytes;
        enum match_verdict verdict;
    } cases[] = {
        {"\x12\x34\x81\x80\0\1\0\0\0\0\0\0\2mX\2At\0\0\17\0\1", MATCH_YES},
        {"\x12\x34\x81\x80\0\1\0\0\0\0\0\0\2mx\2at\0\0\17\0\1", MATCH_OTHER_CASE},
        {"\x12\x34\x81\x80\0\1\0\0\0\0\0\0\2MX\2AT\0\0\17\0\1", MATCH_OTHER_CASE},
        {"\x12\x34\x81\x80\0\1\0\0\0\0\0\0\2mX\2Au\0\0\17\0\1", MATCH_NO},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint8_t *bytes = (const uint8_t *)cases[i].bytes;
        assert_int_equal(match_reply(bytes, 23, 0x1234, &mixed), cases[i].verdict);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_asked_in_mixed_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
