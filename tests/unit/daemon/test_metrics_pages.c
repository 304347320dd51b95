/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/http_request.h"
#include "daemon/metrics_pages.h"
#include "daemon/stats_view.h"

#define BODY_SIZE (1u << 20)

/* A house without workers: what the pages are made of, and nothing happens. */
struct fixture {
    struct daemon_stats stats;
    struct export_sources sources;
    struct metrics_pages pages;
    struct text body;
    char bytes[BODY_SIZE];
};

static int fixture_new(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    *state = fixture;
    if (fixture == NULL) {
        return -1;
    }
    const struct cache_options options = {.budget_bytes = CACHE_BUDGET_MIN, .shard_count = 1};
    fixture->sources = (struct export_sources){
        .cache = cache_new(&options),
        .main_stats = &fixture->stats,
    };
    fixture->pages = (struct metrics_pages){
        .sources = &fixture->sources,
        .export = export_new(),
        .view = calloc(1, sizeof(struct stats_view)),
        .version = "0.1.0",
        .started_at = clock_now() - 61 * CLOCK_US_PER_S,
    };
    return fixture->pages.view == NULL || fixture->sources.cache == NULL ? -1 : 0;
}

static int fixture_free(void **state)
{
    struct fixture *fixture = *state;
    cache_free(&fixture->sources.cache);
    export_free(&fixture->pages.export);
    free(fixture->pages.view);
    free(fixture);
    return 0;
}

static const char *get(struct fixture *fixture, const char *path, bool prefers_openmetrics)
{
    struct http_request request = {.prefers_openmetrics = prefers_openmetrics};
    memcpy(request.path, path, strlen(path) + 1);
    text_init(&fixture->body, fixture->bytes, sizeof fixture->bytes);
    const char *type = metrics_pages_write(&fixture->pages, &request, &fixture->body);
    assert_false(fixture->body.is_cut);
    return type;
}

static void test_both_forms_of_metrics(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(
        get(fixture, "/metrics", false), "text/plain; version=0.0.4; charset=utf-8");
    assert_non_null(strstr(fixture->bytes, "\nmxcache_questions_total 0\n"));
    assert_non_null(strstr(fixture->bytes, "# TYPE mxcache_questions_total counter\n"));
    assert_null(strstr(fixture->bytes, "# EOF"));
    assert_string_equal(get(fixture, "/metrics", true),
        "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_non_null(strstr(fixture->bytes, "# TYPE mxcache_questions counter\n"));
    assert_non_null(strstr(fixture->bytes, "\nmxcache_uptime_seconds 61\n"));
    assert_string_equal(fixture->bytes + fixture->body.len - 6, "# EOF\n");
}

/* The numbers are those of now, each time. */
static void test_each_page_is_gathered_anew(void **state)
{
    struct fixture *fixture = *state;
    (void)get(fixture, "/metrics", false);
    assert_non_null(strstr(fixture->bytes, "\nmxcache_http_requests_total 0\n"));
    counter_add(&fixture->stats.http_requests, 3);
    (void)get(fixture, "/metrics", false);
    assert_non_null(strstr(fixture->bytes, "\nmxcache_http_requests_total 3\n"));
}

static void test_health_is_ready_whatever_the_internet_does(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(get(fixture, "/healthz", false), "text/plain; charset=utf-8");
    assert_string_equal(fixture->bytes, "ready\nupstream: idle\n");
    assert_string_equal(get(fixture, "/healthz", true), "text/plain; charset=utf-8");
}

static void test_the_page_for_people(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(get(fixture, "/", false), "text/html; charset=utf-8");
    assert_non_null(strstr(fixture->bytes, "<title>"));
    assert_non_null(strstr(fixture->bytes, "0.1.0"));
}

static void test_there_are_no_others(void **state)
{
    static const char *const paths[] = {
        "", "/metric", "/metrics/", "/Metrics", "/healthz2", "//", "/index.html", "metrics"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_null(get(fixture, paths[i], true));
        assert_int_equal(fixture->body.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_forms_of_metrics),
        cmocka_unit_test(test_each_page_is_gathered_anew),
        cmocka_unit_test(test_health_is_ready_whatever_the_internet_does),
        cmocka_unit_test(test_the_page_for_people),
        cmocka_unit_test(test_there_are_no_others),
    };
    return cmocka_run_group_tests(tests, fixture_new, fixture_free);
}
