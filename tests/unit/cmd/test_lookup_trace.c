/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sysexits.h>

#include <cmocka.h>

#include "wire/types.h"
#include "cmd/client.h"
#include "cmd/lookup_trace.h"
#include "cmd/name_argument.h"
#include "tests/unit/cmd/fake_daemon.h"

static char output[1 << 16];

/* Runs against the scripted daemon; what is printed goes to `output`. */
static int trace(struct fake_daemon *fake, const char *name_text)
{
    struct name_argument name;
    assert_true(name_argument_read("lookup", name_text, &name));
    assert_true(fake_daemon_start(fake));
    const struct client_place place = {.socket = fake->path};
    FILE *file = tmpfile();
    assert_non_null(file);
    (void)fflush(stdout);
    int before = dup(STDOUT_FILENO);
    assert_true(before >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
    int exit_code = lookup_trace_run(&place, &name, TYPE_A);
    (void)fflush(stdout);
    assert_true(dup2(before, STDOUT_FILENO) >= 0);
    (void)close(before);
    fake_daemon_stop(fake);
    rewind(file);
    output[fread(output, 1, sizeof output - 1, file)] = '\0';
    (void)fclose(file);
    return exit_code;
}

/* a. A, 192.0.2.1 for 300 s. */
#define MESSAGE                                                                                    \
    "000081800001000100000000"                                                                     \
    "0161000001000101610000010001"                                                                 \
    "0000012c0004c0000201"

/* What is new is asked for by number, and printed as it comes. */
static void test_story(void **state)
{
    struct fake_daemon fake = {
        .replies =
            {
                "ok\ntrace 12345\n.\n",
                "ok\nevent 0 asked 192.0.2.53@53 udp first - 0\n.\n",
                "ok\nevent 43100 asked 198.51.100.7@53 udp hedge - 0\ntea\n.\n",
                "ok\nevent 61200 replied 198.51.100.7@53 udp answer NOERROR 0\nleft-out 3\n"
                "over 51200 10000 joined NOERROR -1\nmessage " MESSAGE "\n.\n",
            },
        .reply_count = 4,
    };
    (void)state;
    assert_int_equal(trace(&fake, "a"), EX_OK);
    assert_string_equal(fake.commands[0], "trace start a. A");
    assert_string_equal(fake.commands[1], "trace look 12345 0");
    assert_string_equal(fake.commands[2], "trace look 12345 1");
    assert_string_equal(fake.commands[3], "trace look 12345 2");
    assert_string_equal(output,
        "a. A, asked anew\n"
        "\n"
        "       0ms  asked 192.0.2.53 by UDP\n"
        "    43.1ms  asked 198.51.100.7 too, by UDP: this takes longer than usual (hedge)\n"
        "    61.2ms  198.51.100.7 answered: NOERROR\n"
        "            and 3 more that found no room\n"
        "    61.2ms  the answer is NOERROR; the same question was under way already\n"
        "    a. 300 A 192.0.2.1\n");
}

static void test_failure_and_key(void **state)
{
    struct fake_daemon fake = {
        .replies =
            {
                "ok\nlist bl.corp.example. 1\ntrace 1\n.\n",
                "ok\nover 4000000 0 failed SERVFAIL 22\nreason no upstream server answered in "
                "time\nmessage -\n.\n",
            },
        .reply_count = 2,
    };
    (void)state;
    assert_int_equal(trace(&fake, "1.s3cret.bl.corp.example"), EX_OK);
    assert_string_equal(output, "1.*.bl.corp.example. A, asked anew\n"
                                "\n"
                                "     4.00s  the answer is SERVFAIL\n"
                                "            no upstream server answered in time\n");
}

static void test_what_cannot_be_read(void **state)
{
    static const char *const cases[] = {
        "ok\nevent 0\n.\n",
        "ok\nover 1 1 local\n.\n",
        "ok\nover x 1 local NOERROR -1\n.\n",
        "ok\nleft-out\n.\n",
        "ok\nmessage\n.\n",
        "ok\nmessage zz\n.\n",
        "ok\nlist a 1 2\nlist\n.\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_daemon fake = {.replies = {"ok\ntrace 1\n.\n", cases[i]}, .reply_count = 2};
        assert_int_equal(trace(&fake, "a"), EX_PROTOCOL);
    }
    struct fake_daemon gone = {
        .replies = {"ok\ntrace 1\n.\n", "error there is no such question\n.\n"}, .reply_count = 2};
    assert_int_equal(trace(&gone, "a"), EX_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_story),
        cmocka_unit_test(test_failure_and_key),
        cmocka_unit_test(test_what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
