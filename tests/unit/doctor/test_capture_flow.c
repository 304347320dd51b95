/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/capture_flow.h"
#include "tests/support/capture_scripts.h"

/* Which packets make which conversations. */

struct seen {
    unsigned done;
    struct capture_flow last;
};

static void take(void *context, const struct capture_flow *flow)
{
    struct seen *seen = context;
    seen->done++;
    seen->last = *flow;
}

struct bench {
    struct capture_flows flows;
    struct seen seen;
};

static void bench_init(struct bench *bench, uint16_t port, size_t flow_max)
{
    const struct hash_key key = {3, 4};
    memset(bench, 0, sizeof *bench);
    assert_true(capture_flows_init(&bench->flows, &key, port, flow_max));
    bench->flows.done = take;
    bench->flows.context = &bench->seen;
}

static void bench_fini(struct bench *bench)
{
    capture_flows_end(&bench->flows);
    assert_int_equal(bench->seen.done, bench->flows.counts.flows);
    capture_flows_fini(&bench->flows);
}

static void play(struct bench *bench, const char *name, const struct script_wire *wire)
{
    const struct script_case *script = script_find(name);
    script_play(script->rows, script->count, wire, script_flows_add, &bench->flows);
}

static void test_ports(void **state)
{
    struct bench bench;
    struct script_wire wire = script_wire_plain;
    (void)state;
    bench_init(&bench, 0, 8);
    wire.server_port = 80;
    play(&bench, "healthy", &wire);
    assert_int_equal(bench.flows.counts.flows, 0);
    wire.server_port = 587;
    play(&bench, "healthy", &wire);
    assert_int_equal(bench.flows.counts.flows, 1);
    /* A client whose port is one of mail, too: the SYN tells. */
    wire.client_port = 25;
    play(&bench, "healthy", &wire);
    assert_int_equal(bench.flows.counts.flows, 2);
    bench_fini(&bench);
    bench_init(&bench, 80, 8);
    wire.server_port = 80;
    wire.client_port = 40000;
    play(&bench, "healthy", &wire);
    assert_int_equal(bench.flows.counts.flows, 1);
    bench_fini(&bench);
}

static void test_ports_used_again(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench, 0, 8);
    play(&bench, "healthy", &script_wire_plain);
    play(&bench, "stalled-354-late", &script_wire_plain);
    assert_int_equal(bench.seen.done, 1);
    play(&bench, "healthy", &script_wire_plain);
    assert_int_equal(bench.seen.done, 2);
    assert_true(bench.seen.last.has_reset);
    bench_fini(&bench);
    assert_int_equal(bench.seen.done, 3);
}

/* Those that are over make room first; what was cut off is counted. */
static void test_room(void **state)
{
    struct bench bench;
    struct script_wire wire = script_wire_plain;
    (void)state;
    bench_init(&bench, 0, 4);
    for (int i = 0; i < 4; i++) {
        wire.client_port++;
        play(&bench, i == 0 ? "unanswered" : "healthy", &wire);
    }
    for (int i = 0; i < 3; i++) {
        wire.client_port++;
        play(&bench, "unanswered", &wire);
    }
    assert_int_equal(bench.seen.done, 3);
    assert_int_equal(bench.flows.counts.evicted, 0);
    assert_int_equal(bench.seen.last.smtp.mails, 1);
    wire.client_port++;
    play(&bench, "healthy", &wire);
    assert_int_equal(bench.flows.counts.evicted, 1);
    assert_int_equal(bench.seen.last.syn_count, 4);
    bench_fini(&bench);
    assert_int_equal(bench.seen.done, 8);
}

/* `tcpdump -i any` on a bridge shows each packet twice; that is no repetition. */
static void add_twice(void *context, const struct script_packet *packet, enum capture_link link)
{
    struct script_packet later = *packet;
    script_flows_add(context, packet, link);
    later.at_us += 40;
    script_flows_add(context, &later, link);
}

static void test_twice(void **state)
{
    struct bench bench;
    const struct script_case *script = script_find("healthy");
    (void)state;
    bench_init(&bench, 0, 4);
    script_play(script->rows, script->count, &script_wire_plain, add_twice, &bench.flows);
    capture_flows_end(&bench.flows);
    assert_int_equal(bench.seen.done, 1);
    assert_int_equal(bench.seen.last.smtp.mails, 1);
    assert_int_equal(bench.seen.last.syn_count, 1);
    assert_int_equal(bench.seen.last.smtp.net.repeated[CAPTURE_CLIENT], 0);
    assert_int_equal(bench.seen.last.smtp.net.repeated[CAPTURE_SERVER], 0);
    bench_fini(&bench);
}

static void test_counts(void **state)
{
    struct bench bench;
    uint8_t fragment[64] = {[0] = 0x45, [6] = 0x20, [9] = 6};
    const struct capture_packet packet = {0, CAPTURE_LINK_RAW, fragment, 64, 64};
    const struct capture_packet broken = {0, CAPTURE_LINK_RAW, fragment, 10, 64};
    struct script_wire wire = script_wire_plain;
    (void)state;
    bench_init(&bench, 0, 4);
    capture_flows_take(&bench.flows, &packet);
    capture_flows_take(&bench.flows, &broken);
    assert_int_equal(bench.flows.counts.fragments, 1);
    assert_int_equal(bench.flows.counts.broken, 1);
    wire.snaplen = 96;
    play(&bench, "healthy", &wire);
    /* The reply to EHLO, and the message. */
    assert_int_equal(bench.flows.counts.snapped, 2);
    bench_fini(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_ports_used_again),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_twice),
        cmocka_unit_test(test_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
