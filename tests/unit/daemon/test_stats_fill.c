/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/export.h"
#include "daemon/stats_fill.h"
#include "daemon/stats_view.h"

struct fill {
    struct export *export;
    struct stats_view *view;
};

static int setup(void **state)
{
    struct fill *fill = calloc(1, sizeof *fill);
    *state = fill;
    if (fill == NULL) {
        return -1;
    }
    fill->export = export_new();
    fill->view = malloc(sizeof *fill->view);
    if (fill->view != NULL) {
        memset(fill->view, 0xa5, sizeof *fill->view);
    }
    return fill->export != NULL && fill->view != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    struct fill *fill = *state;
    export_free(&fill->export);
    free(fill->view);
    free(fill);
    return 0;
}

static void run(struct fill *fill, const char *version)
{
    const struct stats_info info = {.version = version, .uptime_s = 7, .workers = 3, .pid = 4711};
    stats_view_fill(fill->view, fill->export, &info);
}

static void test_house(void **state)
{
    struct fill *fill = *state;
    run(fill, "1.2.3");
    assert_string_equal(fill->view->version, "1.2.3");
    assert_int_equal(fill->view->uptime_s, 7);
    assert_int_equal(fill->view->workers, 3);
    assert_int_equal(fill->view->pid, 4711);
    assert_int_equal(fill->view->covers_s, 0);
    assert_int_equal(fill->view->upstream_count, 0);
    assert_int_equal(fill->view->list_count, 0);
}

/* A word that is too long is cut, not written over its neighbour. */
static void test_long_word(void **state)
{
    struct fill *fill = *state;
    char version[4 * STATS_WORD_SIZE];
    memset(version, 'v', sizeof version);
    version[sizeof version - 1] = '\0';
    run(fill, version);
    assert_int_equal(strlen(fill->view->version), STATS_WORD_SIZE - 1);
    assert_int_equal(fill->view->uptime_s, 7);
}

/* Every row of the three tables is there, with its name, its kind and its own value. */
static void test_metrics(void **state)
{
    struct fill *fill = *state;
    size_t rows = resolver_metric_row_count + cache_metric_row_count + daemon_metric_row_count;
    assert_true(rows <= STATS_METRICS_MAX);
    for (size_t i = 0; i < EXPORT_RESOLVER_ROWS; i++) {
        fill->export->resolver[i] = 1000 + i;
    }
    for (size_t i = 0; i < EXPORT_DAEMON_ROWS; i++) {
        fill->export->daemon[i] = 3000 + i;
    }
    fill->export->cache.cache_flushed = 2000;
    run(fill, "1");
    assert_int_equal(fill->view->metric_count, rows);
    for (size_t i = 0; i < rows; i++) {
        const struct stats_metric *metric = &fill->view->metrics[i];
        size_t daemon_at = resolver_metric_row_count + cache_metric_row_count;
        assert_non_null(metric->sentence);
        assert_true(strlen(metric->name) < STATS_WORD_SIZE - 1); /* Not cut. */
        if (i < resolver_metric_row_count) {
            assert_string_equal(metric->name, resolver_metric_rows[i].name);
            assert_int_equal(metric->kind, resolver_metric_rows[i].kind);
            assert_int_equal(metric->value, 1000 + i);
        } else if (i >= daemon_at) {
            assert_string_equal(metric->name, daemon_metric_rows[i - daemon_at].name);
            assert_int_equal(metric->value, 3000 + i - daemon_at);
        }
    }
    assert_int_equal(stats_view_metric(fill->view, "cache_flushed"), 2000);
    assert_int_equal(stats_view_metric(fill->view, "questions"), 1000);
}

static void test_upstream(void **state)
{
    struct fill *fill = *state;
    struct export_upstream *upstream = &fill->export->upstreams[0];
    struct histogram histogram = {.buckets = {{0}}};
    for (unsigned i = 0; i < 90; i++) {
        histogram_record(&histogram, 1000);
    }
    histogram_merge(&upstream->latency[SERVER_WAY_DATAGRAM], &histogram);
    memset(&histogram, 0, sizeof histogram);
    for (unsigned i = 0; i < 10; i++) {
        histogram_record(&histogram, 100000);
    }
    histogram_merge(&upstream->latency[SERVER_WAY_STREAM], &histogram);
    fill->export->upstream_count = 1;
    (void)snprintf(upstream->group, sizeof upstream->group, "office");
    (void)snprintf(upstream->tls_name, sizeof upstream->tls_name, "dns.example.net");
    assert_true(address_parse("192.0.2.1", 9, 853, &upstream->address));
    upstream->state = "resting";
    upstream->sent = 1;
    upstream->answered = 2;
    upstream->failed = 3;
    upstream->timed_out = 4;
    upstream->lost = 5;
    upstream->latency_us = 6;
    run(fill, "1");
    const struct stats_upstream *shown = &fill->view->upstreams[0];
    assert_int_equal(fill->view->upstream_count, 1);
    assert_string_equal(shown->group, "office");
    assert_string_equal(shown->address, "192.0.2.1@853");
    assert_string_equal(shown->tls_name, "dns.example.net");
    assert_string_equal(shown->state, "resting");
    assert_int_equal(shown->sent, 1);
    assert_int_equal(shown->answered, 2);
    assert_int_equal(shown->failed, 3);
    assert_int_equal(shown->timed_out, 4);
    assert_int_equal(shown->lost, 5);
    assert_int_equal(shown->latency_us, 6);
    /* Over both ways; each of them by itself as well. */
    assert_in_range(shown->p50_us, 900, 1100);
    assert_in_range(shown->p99_us, 90000, 110000);
    assert_int_equal(shown->max_us, 100000);
    assert_int_equal(shown->round_trips[SERVER_WAY_DATAGRAM].count, 90);
    assert_int_equal(shown->round_trips[SERVER_WAY_STREAM].count, 10);
}

/* As many as there can be are shown. */
static void test_full(void **state)
{
    struct fill *fill = *state;
    assert_true(EXPORT_UPSTREAMS_MAX <= STATS_UPSTREAMS_MAX);
    fill->export->upstream_count = EXPORT_UPSTREAMS_MAX;
    for (size_t i = 0; i < EXPORT_UPSTREAMS_MAX; i++) {
        fill->export->upstreams[i].state = "well";
        assert_true(address_parse("192.0.2.1", 9, 53, &fill->export->upstreams[i].address));
    }
    fill->export->lists.count = STATS_LISTS_MAX;
    fill->export->lists.items[STATS_LISTS_MAX - 1].wait_p50_us = 77;
    fill->export->wait[QUESTION_CLASS_MX][OUTCOME_STALE].count = 9;
    fill->export->ahead_is_on[SEQUEL_MX_A] = true;
    run(fill, "1");
    assert_int_equal(fill->view->upstream_count, EXPORT_UPSTREAMS_MAX);
    assert_int_equal(fill->view->list_count, STATS_LISTS_MAX);
    assert_int_equal(fill->view->lists[STATS_LISTS_MAX - 1].wait_p50_us, 77);
    assert_int_equal(fill->view->waits[QUESTION_CLASS_MX][OUTCOME_STALE].count, 9);
    assert_true(fill->view->ahead_is_on[SEQUEL_MX_A]);
    assert_false(fill->view->ahead_is_on[SEQUEL_MX_AAAA]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_house, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_word, setup, teardown),
        cmocka_unit_test_setup_teardown(test_metrics, setup, teardown),
        cmocka_unit_test_setup_teardown(test_upstream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
