/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "daemon/control_stats.h"
#include "daemon/export.h"
#include "daemon/stats_fill.h"
#include "daemon/stats_view.h"

/* The same numbers by both ways out: the words of the control socket, and the view. */
static struct export *export;
static char bytes[1 << 18];

static void count(struct histogram_sum *sum, uint64_t times, uint64_t duration_us)
{
    sum->buckets[histogram_bucket(duration_us)] += times;
    sum->count += times;
    sum->sum_us += times * duration_us;
    sum->max_us = duration_us > sum->max_us ? duration_us : sum->max_us;
}

static struct export_upstream *upstream_add(const char *group, uint8_t last, const char *tls_name)
{
    struct export_upstream *upstream = &export->upstreams[export->upstream_count++];
    (void)snprintf(upstream->group, sizeof upstream->group, "%s", group);
    (void)snprintf(upstream->tls_name, sizeof upstream->tls_name, "%s", tls_name);
    upstream->address = (struct address){.family = ADDRESS_IPV4, .port = 53};
    upstream->address.bytes[0] = 192;
    upstream->address.bytes[2] = 2;
    upstream->address.bytes[3] = last;
    upstream->state = "well";
    return upstream;
}

static int house_new(void **state)
{
    (void)state;
    export = export_new();
    if (export == NULL) {
        return -1;
    }
    export->resolver[0] = 7;
    count(&export->wait[QUESTION_CLASS_MX][OUTCOME_HIT], 3, 10);
    struct export_upstream *plain = upstream_add("default", 1, "");
    plain->sent = 12;
    plain->answered = 10;
    count(&plain->latency[SERVER_WAY_DATAGRAM], 9, 20);
    count(&plain->latency[SERVER_WAY_STREAM], 1, 30);
    struct export_upstream *tls = upstream_add("office", 2, "dns.example");
    count(&tls->latency[SERVER_WAY_STREAM], 2, 25);
    (void)upstream_add("office", 3, "");
    export->lists.count = 1;
    struct stats_list *list = &export->lists.items[0];
    (void)snprintf(list->zone, sizeof list->zone, "bl.example");
    (void)snprintf(list->standing, sizeof list->standing, "well");
    list->counts[STATS_LIST_asked] = 5;
    count(&list->wait, 5, 10);
    count(&list->miss, 1, 30);
    export->ahead_is_on[SEQUEL_MX_A] = true;
    return 0;
}

static int house_free(void **state)
{
    (void)state;
    export_free(&export);
    return 0;
}

static void test_words(void **state)
{
    static const char *const lines[] = {
        "metric questions counter 7\n",
        "wait mx hit 3 30 10 10:3\n",
        "upstream default 192.0.2.1@53 - well 12 10 0 0 0 0 20 20 30 30\n"
        "round_trip default 192.0.2.1@53 - datagram 9 180 20 20:9\n"
        "round_trip default 192.0.2.1@53 - stream 1 30 30 30:1\n"
        "upstream office 192.0.2.2@53 dns.example well 0 0 0 0 0 0 25 25 25 25\n"
        "round_trip office 192.0.2.2@53 dns.example stream 2 50 25 25:2\n"
        "upstream office 192.0.2.3@53 - well 0 0 0 0 0 0 0 0 0 0\n",
        "list_wait bl.example wait 5 50 10 10:5\nlist_wait bl.example miss 1 30 30 30:1\n",
        "ahead client_ptr off\n",
        "ahead mx_a on\n",
    };
    struct text text;
    (void)state;
    text_init(&text, bytes, sizeof bytes);
    control_stats_add(&text, export);
    assert_false(text.is_cut);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (strstr(bytes, lines[i]) == NULL) {
            fail_msg("missing: %s", lines[i]);
        }
    }
    assert_null(strstr(bytes, "wait mx miss"));
}

static void test_names_alone(void **state)
{
    struct text text;
    (void)state;
    text_init(&text, bytes, sizeof bytes);
    control_stats_add_upstreams(&text, export);
    assert_string_equal(bytes, "upstream default 192.0.2.1@53 -\n"
                               "upstream office 192.0.2.2@53 dns.example\n"
                               "upstream office 192.0.2.3@53 -\n");
}

static void test_the_view(void **state)
{
    const struct stats_info info = {.version = "1.2", .uptime_s = 5, .workers = 2, .pid = 9};
    struct stats_view *view = malloc(sizeof *view);
    (void)state;
    assert_non_null(view);
    stats_view_fill(view, export, &info);
    assert_string_equal(view->version, "1.2");
    assert_int_equal(view->uptime_s, 5);
    assert_int_equal(view->workers, 2);
    assert_int_equal(view->pid, 9);
    assert_int_equal(stats_view_metric(view, "questions"), 7);
    assert_int_equal(view->waits[QUESTION_CLASS_MX][OUTCOME_HIT].count, 3);
    assert_int_equal(view->upstream_count, 3);
    const struct stats_upstream *plain = &view->upstreams[0];
    assert_string_equal(plain->address, "192.0.2.1@53");
    assert_int_equal(plain->p50_us, 20);
    assert_int_equal(plain->max_us, 30);
    assert_int_equal(plain->round_trips[SERVER_WAY_DATAGRAM].count, 9);
    assert_int_equal(plain->round_trips[SERVER_WAY_STREAM].count, 1);
    assert_string_equal(stats_upstream_transport(plain, SERVER_WAY_DATAGRAM), "udp");
    assert_string_equal(stats_upstream_transport(plain, SERVER_WAY_STREAM), "tcp");
    const struct stats_upstream *tls = &view->upstreams[1];
    assert_null(stats_upstream_transport(tls, SERVER_WAY_DATAGRAM));
    assert_string_equal(stats_upstream_transport(tls, SERVER_WAY_STREAM), "tls");
    assert_int_equal(view->list_count, 1);
    assert_int_equal(view->lists[0].counts[STATS_LIST_asked], 5);
    assert_int_equal(view->lists[0].miss.count, 1);
    assert_true(view->ahead_is_on[SEQUEL_MX_A]);
    assert_false(view->ahead_is_on[SEQUEL_MX_AAAA]);
    free(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_names_alone),
        cmocka_unit_test(test_the_view),
    };
    return cmocka_run_group_tests(tests, house_new, house_free);
}
