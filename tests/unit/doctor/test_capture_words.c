/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/capture_words.h"

struct verb_case {
    const char *line;
    enum capture_verb verb;
};

static void test_verbs(void **state)
{
    static const struct verb_case cases[] = {
        {"EHLO a", CAPTURE_HELO},
        {"helo", CAPTURE_HELO},
        {"lhlo\tx", CAPTURE_HELO},
        {"MAIL FROM:<>", CAPTURE_MAIL},
        {"rcpt to:<a@b>", CAPTURE_RCPT},
        {"DATA", CAPTURE_DATA},
        {"DATAX", CAPTURE_NO_VERB},
        {"DAT", CAPTURE_NO_VERB},
        {"BDAT 10", CAPTURE_BDAT},
        {"STARTTLS", CAPTURE_STARTTLS},
        {"X-ANONYMOUSTLS", CAPTURE_OTHER_VERB},
        {"NOOP", CAPTURE_OTHER_VERB},
        {"QUIT ", CAPTURE_QUIT},
        {"", CAPTURE_NO_VERB},
        {" QUIT", CAPTURE_NO_VERB},
        {"QUIT;", CAPTURE_NO_VERB},
        {"\x16\x03\x01", CAPTURE_NO_VERB},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum capture_verb verb = capture_verb_read(cases[i].line, strlen(cases[i].line));
        if (verb != cases[i].verb) {
            fail_msg("%s: %d", cases[i].line, verb);
        }
    }
    for (int verb = 0; verb <= CAPTURE_NO_VERB; verb++) {
        assert_non_null(capture_verb_name((enum capture_verb)verb));
    }
}

static void test_chunks(void **state)
{
    uint64_t size;
    bool is_last;
    (void)state;
    assert_true(capture_chunk_read("BDAT 1000", 9, &size, &is_last));
    assert_int_equal(size, 1000);
    assert_false(is_last);
    assert_true(capture_chunk_read("bdat 0 last", 11, &size, &is_last));
    assert_int_equal(size, 0);
    assert_true(is_last);
    assert_false(capture_chunk_read("BDAT", 4, &size, &is_last));
    assert_false(capture_chunk_read("BDAT x", 6, &size, &is_last));
    assert_false(capture_chunk_read("BDAT 99999999999999999999", 25, &size, &is_last));
}

struct reply_case {
    const char *line;
    uint16_t code;
    bool is_last;
    bool is_greylist;
    bool is_dns;
};

static void test_replies(void **state)
{
    static const struct reply_case cases[] = {
        {"220 mx", 220, true, false, false},
        {"220-mx", 220, false, false, false},
        {"250", 250, true, false, false},
        {"25", 0, false, false, false},
        {"abc", 0, false, false, false},
        {"999 x", 0, false, false, false},
        {"450 4.2.0 <a@b>: Recipient address rejected: Greylisted, see x", 450, true, true, false},
        {"451 4.7.1 Greylisting in action, please come back later", 451, true, true, false},
        {"451 4.7.1 Try again later", 451, true, true, false},
        {"450 4.3.2 Service currently unavailable", 450, true, true, false},
        {"450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.7]", 450, true,
            false, true},
        {"450 4.1.8 <a@b>: Sender address rejected: Domain not found", 450, true, false, true},
        {"550 5.1.8 <a@b>: Sender address rejected: Domain not found", 550, true, false, false},
        {"450 4.2.2 mailbox full", 450, true, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = strlen(cases[i].line);
        struct capture_reply reply = capture_reply_read(cases[i].line, len);
        assert_int_equal(reply.code, cases[i].code);
        assert_int_equal(reply.is_last, cases[i].is_last);
        assert_int_equal(
            capture_reply_is_greylist(reply.code, cases[i].line, len), cases[i].is_greylist);
        assert_int_equal(capture_reply_is_dns(reply.code, cases[i].line, len), cases[i].is_dns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verbs),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_replies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
