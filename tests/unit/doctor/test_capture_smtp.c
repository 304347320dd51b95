/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/capture_smtp.h"

/* What one side says, and whose turn it is then. */

static struct capture_smtp smtp;
static int64_t now;

static void begin(enum capture_stage stage)
{
    now = 1000000;
    capture_smtp_init(&smtp, CAPTURE_STAGE_CONNECT, now);
    capture_smtp_connected(&smtp, stage, now);
}

static void say(enum capture_side side, const char *words, uint32_t missing)
{
    const struct capture_stroke stroke = {.at_us = now += 1000000, .side = side};
    capture_smtp_take(&smtp, &stroke, (const uint8_t *)words, (uint32_t)strlen(words), missing);
}

#define CLIENT(words) say(CAPTURE_CLIENT, words, 0)
#define SERVER(words) say(CAPTURE_SERVER, words, 0)

static void expect_turn(enum capture_side side, enum capture_phase phase, enum capture_verb verb)
{
    assert_int_equal(smtp.turn.side, side);
    if (side != CAPTURE_NOBODY) {
        assert_int_equal(smtp.turn.phase, phase);
        assert_int_equal(smtp.turn.verb, verb);
    }
}

static void test_dialogue(void **state)
{
    (void)state;
    begin(CAPTURE_STAGE_BANNER);
    expect_turn(CAPTURE_SERVER, CAPTURE_PHASE_BANNER, CAPTURE_NO_VERB);
    SERVER("220-mx\r\n");
    expect_turn(CAPTURE_SERVER, CAPTURE_PHASE_BANNER, CAPTURE_NO_VERB);
    SERVER("220 mx\r\n");
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_COMMAND, CAPTURE_NO_VERB);
    CLIENT("EH");
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_COMMAND, CAPTURE_NO_VERB);
    CLIENT("LO a\r\n");
    expect_turn(CAPTURE_SERVER, CAPTURE_PHASE_REPLY, CAPTURE_HELO);
    SERVER("250-mx\r\n250-8BITMIME\r\n");
    expect_turn(CAPTURE_SERVER, CAPTURE_PHASE_REPLY, CAPTURE_HELO);
    SERVER("250 OK\r\n");
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_COMMAND, CAPTURE_HELO);
    CLIENT("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n");
    expect_turn(CAPTURE_SERVER, CAPTURE_PHASE_REPLY, CAPTURE_MAIL);
    SERVER("250 Ok\r\n250 Ok\r\n");
    expect_turn(CAPTURE_SERVER, CAPTURE_PHASE_REPLY, CAPTURE_RCPT);
    assert_int_equal(smtp.turn.since_us, now);
    SERVER("250 Ok\r\n");
    expect_turn(CAPTURE_SERVER, CAPTURE_PHASE_REPLY, CAPTURE_DATA);
    SERVER("354 go\r\n");
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_FIRST, CAPTURE_DATA);
    CLIENT("Subject: x\r\n\r\nQUIT\r\n..\r\n");
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_MESSAGE, CAPTURE_DATA);
    CLIENT(".");
    CLIENT("\r");
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_MESSAGE, CAPTURE_DATA);
    CLIENT("\n");
    expect_turn(CAPTURE_SERVER, CAPTURE_PHASE_REPLY, CAPTURE_DOT);
    SERVER("250 queued\r\n");
    assert_int_equal(smtp.mails, 1);
    CLIENT("QUIT\r\n");
    SERVER("221 bye\r\n");
    expect_turn(CAPTURE_NOBODY, CAPTURE_PHASE_CONNECT, CAPTURE_NO_VERB);
}

/* DATA that is refused is followed by commands again. */
static void test_refused_data(void **state)
{
    (void)state;
    begin(CAPTURE_STAGE_BANNER);
    SERVER("220 mx\r\n");
    CLIENT("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<c@d>\r\nDATA\r\n");
    SERVER("250 a\r\n250 b\r\n550 c\r\n554 no valid recipients\r\n");
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_COMMAND, CAPTURE_DATA);
    CLIENT("RSET\r\n");
    expect_turn(CAPTURE_SERVER, CAPTURE_PHASE_REPLY, CAPTURE_RSET);
    assert_int_equal(smtp.mails, 0);
}

static void test_chunks(void **state)
{
    (void)state;
    begin(CAPTURE_STAGE_BANNER);
    SERVER("220 mx\r\n");
    CLIENT("BDAT 6\r\nabc");
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_MESSAGE, CAPTURE_NO_VERB);
    CLIENT("defBDAT 0 LAST\r\n");
    expect_turn(CAPTURE_SERVER, CAPTURE_PHASE_REPLY, CAPTURE_BDAT);
    SERVER("250 chunk\r\n250 all\r\n");
    assert_int_equal(smtp.mails, 1);
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_COMMAND, CAPTURE_DOT);
}

static void test_encrypted(void **state)
{
    (void)state;
    begin(CAPTURE_STAGE_BANNER);
    SERVER("220 mx\r\n");
    CLIENT("STARTTLS\r\n");
    SERVER("454 not now\r\n");
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_COMMAND, CAPTURE_STARTTLS);
    CLIENT("STARTTLS\r\n");
    SERVER("220 go\r\n");
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_TLS, CAPTURE_STARTTLS);
    CLIENT("\x16\x03\x01...QUIT\r\n");
    expect_turn(CAPTURE_SERVER, CAPTURE_PHASE_TLS, CAPTURE_STARTTLS);
    say(CAPTURE_SERVER, "\x16\x03\x03", 2000);
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_TLS, CAPTURE_STARTTLS);
    assert_int_equal(smtp.encrypted[CAPTURE_SERVER], 2003);
    begin(CAPTURE_STAGE_TLS);
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_TLS, CAPTURE_NO_VERB);
}

/* 421: as an answer it is a reply, out of turn it ends the client's. */
static void test_given_up(void **state)
{
    (void)state;
    begin(CAPTURE_STAGE_BANNER);
    SERVER("220 mx\r\n");
    CLIENT("EHLO a\r\n");
    SERVER("421 busy\r\n");
    assert_int_equal(smtp.waits[0].end, CAPTURE_END_SPOKE);
    assert_int_equal(smtp.code_last, 421);
    begin(CAPTURE_STAGE_BANNER);
    SERVER("220 mx\r\n");
    now += 60000000;
    SERVER("421 timeout\r\n");
    assert_int_equal(smtp.waits[0].end, CAPTURE_END_421);
    assert_int_equal(smtp.waits[0].side, CAPTURE_CLIENT);
    assert_int_equal(smtp.waits[0].us, 61000000);
    CLIENT("EHLO a\r\n");
    assert_int_equal(smtp.late_us, now);
}

static void test_unknown(void **state)
{
    (void)state;
    now = 1000000;
    capture_smtp_init(&smtp, CAPTURE_STAGE_UNKNOWN, now);
    expect_turn(CAPTURE_NOBODY, CAPTURE_PHASE_UNKNOWN, CAPTURE_NO_VERB);
    CLIENT("some line\r\n.\r\n");
    expect_turn(CAPTURE_SERVER, CAPTURE_PHASE_UNKNOWN, CAPTURE_NO_VERB);
    SERVER("354 go\r\n");
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_FIRST, CAPTURE_NO_VERB);
    capture_smtp_init(&smtp, CAPTURE_STAGE_UNKNOWN, now);
    say(CAPTURE_SERVER, "\x17\x03\x03\x01\x01", 0);
    expect_turn(CAPTURE_CLIENT, CAPTURE_PHASE_TLS, CAPTURE_NO_VERB);
}

/* More commands at once than are kept, and lines longer than are kept. */
static void test_bounds(void **state)
{
    (void)state;
    begin(CAPTURE_STAGE_BANNER);
    SERVER("220 mx\r\n");
    for (int i = 0; i < CAPTURE_ASKED_MAX + 10; i++) {
        CLIENT("NOOP\r\n");
    }
    assert_int_equal(smtp.asked_count, CAPTURE_ASKED_MAX);
    for (int i = 0; i < 2000; i++) {
        CLIENT("x");
        SERVER("y");
    }
    assert_int_equal(smtp.speech[CAPTURE_CLIENT].len, CAPTURE_SMTP_LINE_MAX);
    CLIENT("\n");
    assert_int_equal(smtp.speech[CAPTURE_CLIENT].len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dialogue),
        cmocka_unit_test(test_refused_data),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_encrypted),
        cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
