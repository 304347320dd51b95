/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doctor/capture_judge.h"
#include "tests/support/capture_scripts.h"

/* Conversations of the table are played, and judged. */

struct verdict {
    unsigned flows;
    bool is_trouble;
    struct capture_case found;
    enum capture_side home;
    unsigned mails;
};

static void take(void *context, const struct capture_flow *flow)
{
    struct verdict *verdict = context;
    verdict->flows++;
    verdict->is_trouble = capture_judge(flow, &verdict->found);
    verdict->home = capture_judge_home(flow);
    verdict->mails = flow->smtp.mails;
}

static struct verdict play(const char *name, const struct script_wire *wire)
{
    struct verdict verdict = {0};
    const struct script_case *script = script_find(name);
    const struct hash_key key = {1, 2};
    struct capture_flows flows;
    assert_true(capture_flows_init(&flows, &key, 0, 4));
    flows.done = take;
    flows.context = &verdict;
    script_play(script->rows, script->count, wire, script_flows_add, &flows);
    capture_flows_end(&flows);
    capture_flows_fini(&flows);
    if (verdict.flows != 1) {
        fail_msg("%s: %u conversations", name, verdict.flows);
    }
    return verdict;
}

struct expectation {
    const char *name;
    enum capture_kind kind;
    enum report_level level;
    enum capture_side culprit;
    enum capture_phase phase;
    enum capture_end end;
    double seconds;
};

#define NOBODY             CAPTURE_NOBODY
#define CLIENT             CAPTURE_CLIENT
#define SERVER             CAPTURE_SERVER
#define WAITED(phase, end) CAPTURE_PHASE_##phase, CAPTURE_END_##end
#define NO_WAIT            CAPTURE_PHASE_CONNECT, CAPTURE_END_SPOKE, 0

static const struct expectation expectations[] = {
    {"stalled-354-late", CAPTURE_STALL, REPORT_ERROR, CLIENT, WAITED(FIRST, 421), 60.0},
    {"stalled-354-silent", CAPTURE_STALL, REPORT_ERROR, CLIENT, WAITED(FIRST, 421), 300.0},
    {"stalled-message", CAPTURE_STALL, REPORT_ERROR, CLIENT, WAITED(MESSAGE, 421), 120.0},
    {"stalled-banner-dns", CAPTURE_STALL, REPORT_WARNING, SERVER, WAITED(BANNER, SPOKE), 20.04},
    {"stalled-banner-given-up", CAPTURE_STALL, REPORT_ERROR, SERVER, WAITED(BANNER, CLOSED),
        300.04},
    {"stalled-rcpt", CAPTURE_STALL, REPORT_WARNING, SERVER, WAITED(REPLY, SPOKE), 10.01},
    {"stalled-rcpt-given-up", CAPTURE_STALL, REPORT_ERROR, SERVER, WAITED(REPLY, RESET), 299.96},
    {"stalled-dot", CAPTURE_STALL, REPORT_ERROR, SERVER, WAITED(REPLY, CLOSED), 600.0},
    {"stalled-after-rcpt", CAPTURE_STALL, REPORT_WARNING, CLIENT, WAITED(COMMAND, 421), 60.0},
    {"black-hole-long", CAPTURE_BLACK_HOLE, REPORT_ERROR, NOBODY, WAITED(MESSAGE, 421), 59.96},
    {"black-hole-receiver", CAPTURE_BLACK_HOLE, REPORT_ERROR, NOBODY, WAITED(FIRST, 421), 60.0},
    {"loss", CAPTURE_LOSS, REPORT_WARNING, NOBODY, WAITED(REPLY, SPOKE), 6.22},
    {"blocked", CAPTURE_BLOCKED, REPORT_WARNING, SERVER, WAITED(MESSAGE, SPOKE), 59.78},
    {"unanswered", CAPTURE_UNANSWERED, REPORT_ERROR, SERVER, WAITED(CONNECT, CAPTURE), 7.0},
    {"refused", CAPTURE_REFUSED, REPORT_WARNING, SERVER, NO_WAIT},
    {"greylisted", CAPTURE_GREYLIST, REPORT_NOTE, SERVER, NO_WAIT},
    {"dns-deferred", CAPTURE_DNS_DEFERRED, REPORT_WARNING, SERVER, NO_WAIT},
    {"turned-away", CAPTURE_TURNED_AWAY, REPORT_NOTE, SERVER, NO_WAIT},
    {"broken-off", CAPTURE_BROKEN_OFF, REPORT_WARNING, CLIENT, NO_WAIT},
    {"tarpit", CAPTURE_TARPIT, REPORT_NOTE, SERVER, WAITED(BANNER, SPOKE), 3.04},
    {"encrypted", CAPTURE_STALL, REPORT_WARNING, CLIENT, WAITED(TLS, SPOKE), 60.0},
    {"from-the-middle", CAPTURE_STALL, REPORT_WARNING, SERVER, WAITED(REPLY, SPOKE), 15.0},
    {"password", CAPTURE_STALL, REPORT_WARNING, SERVER, WAITED(REPLY, SPOKE), 12.1},
};

static void check_expectation(const struct expectation *wanted, const struct verdict *verdict)
{
    const struct capture_case *found = &verdict->found;
    bool is_so = verdict->is_trouble && found->kind == wanted->kind &&
                 found->level == wanted->level && found->culprit == wanted->culprit &&
                 found->wait.phase == wanted->phase && found->wait.end == wanted->end;
    int64_t off = found->wait.us - (int64_t)(wanted->seconds * 1e6);
    if (!is_so || off < -20000 || off > 20000) {
        fail_msg("%s: trouble %d, kind %d, level %d, culprit %d, phase %d, end %d, %.3f s",
            wanted->name, verdict->is_trouble, found->kind, found->level, found->culprit,
            found->wait.phase, found->wait.end, (double)found->wait.us / 1e6);
    }
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        struct verdict verdict = play(expectations[i].name, &script_wire_plain);
        check_expectation(&expectations[i], &verdict);
    }
}

static void test_healthy(void **state)
{
    static const char *const names[] = {"healthy", "healthy-pipelined", "healthy-chunks",
        "healthy-postscreen", "healthy-idle", "reordered", "not-captured"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct verdict verdict = play(names[i], &script_wire_plain);
        if (verdict.is_trouble) {
            fail_msg(
                "%s: kind %d, phase %d", names[i], verdict.found.kind, verdict.found.wait.phase);
        }
        bool has_mail = strcmp(names[i], "healthy-postscreen") != 0;
        assert_int_equal(verdict.mails, has_mail ? 1 : 0);
    }
}

/* The same conversations over every kind of wire are the same. */
static void test_wires(void **state)
{
    (void)state;
    for (int i = 0; i < CAPTURE_LINK_UNKNOWN * 4; i++) {
        struct script_wire wire = script_wire_plain;
        wire.link = (enum capture_link)(i / 4);
        wire.is_ipv6 = (i & 1) != 0;
        wire.has_vlan = (i & 2) != 0;
        wire.ipv6_extensions = (i & 2) != 0 ? 2 : 0;
        for (size_t j = 0; j < sizeof expectations / sizeof expectations[0]; j++) {
            struct verdict verdict = play(expectations[j].name, &wire);
            check_expectation(&expectations[j], &verdict);
        }
    }
}

/* With 96 bytes of a packet the words of a reply may be gone; what remains tells enough. */
static void test_snaplen(void **state)
{
    static const char *const names[] = {"stalled-354-late", "stalled-354-silent", "stalled-message",
        "stalled-banner-dns", "stalled-rcpt", "black-hole-long", "loss"};
    struct script_wire wire = script_wire_plain;
    (void)state;
    wire.snaplen = 96;
    assert_false(play("healthy", &wire).is_trouble);
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
            if (strcmp(expectations[i].name, names[j]) == 0) {
                struct verdict verdict = play(names[j], &wire);
                check_expectation(&expectations[i], &verdict);
            }
        }
    }
    /* The dot is not seen, so the server's word ends the message: the wait was the server's. */
    const struct script_row rows[] = {GO_AHEAD, {0.240, 'C', "x\r\n.\r\n", S_FILL, 900},
        {60.3, 'S', "250 2.0.0 Ok: queued as 4X\r\n", 0, 0}, ENDING(60.4)};
    struct verdict verdict = {0};
    const struct hash_key key = {1, 2};
    struct capture_flows flows;
    assert_true(capture_flows_init(&flows, &key, 0, 4));
    flows.done = take;
    flows.context = &verdict;
    script_play(rows, sizeof rows / sizeof rows[0], &wire, script_flows_add, &flows);
    capture_flows_end(&flows);
    capture_flows_fini(&flows);
    assert_true(verdict.is_trouble);
    assert_int_equal(verdict.found.culprit, CAPTURE_SERVER);
    assert_int_equal(verdict.found.wait.verb, CAPTURE_DOT);
    assert_int_equal(verdict.mails, 1);
}

static void test_late_and_steps(void **state)
{
    (void)state;
    struct verdict late = play("stalled-354-late", &script_wire_plain);
    assert_in_range(late.found.late_us, 72270000, 72290000);
    assert_int_equal(play("stalled-354-silent", &script_wire_plain).found.late_us, 0);
    assert_true(play("stalled-banner-dns", &script_wire_plain).found.has_dns_steps);
    assert_true(play("stalled-rcpt", &script_wire_plain).found.has_dns_steps);
    assert_false(play("password", &script_wire_plain).found.has_dns_steps);
    assert_false(late.found.has_dns_steps);
}

static void test_home(void **state)
{
    struct script_wire wire = script_wire_plain;
    (void)state;
    assert_int_equal(play("healthy", &wire).home, CAPTURE_NOBODY);
    wire.hops[CAPTURE_CLIENT] = 52;
    assert_int_equal(play("healthy", &wire).home, CAPTURE_SERVER);
    wire.hops[CAPTURE_SERVER] = 117;
    assert_int_equal(play("healthy", &wire).home, CAPTURE_NOBODY);
    wire.hops[CAPTURE_CLIENT] = 128;
    assert_int_equal(play("healthy", &wire).home, CAPTURE_CLIENT);
}

static void test_limits(void **state)
{
    struct capture_wait wait = {
        .side = CAPTURE_CLIENT, .phase = CAPTURE_PHASE_FIRST, .us = 60100000};
    (void)state;
    assert_non_null(strstr(capture_limit_clause(&wait), "smtpd_timeout of 60 s"));
    wait.us = 299000000;
    assert_non_null(strstr(capture_limit_clause(&wait), "five minutes"));
    wait.us = 77000000;
    assert_null(capture_limit_clause(&wait));
    wait = (struct capture_wait){
        .side = CAPTURE_SERVER, .phase = CAPTURE_PHASE_REPLY, .verb = CAPTURE_DOT, .us = 600000000};
    assert_non_null(strstr(capture_limit_clause(&wait), "smtp_data_done_timeout"));
    wait.verb = CAPTURE_RCPT;
    assert_null(capture_limit_clause(&wait));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_healthy),
        cmocka_unit_test(test_wires),
        cmocka_unit_test(test_snaplen),
        cmocka_unit_test(test_late_and_steps),
        cmocka_unit_test(test_home),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
