/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "resolver/stats.h"
#include "daemon/export.h"
#include "daemon/stats_fill.h"
#include "daemon/stats_view.h"
#include "daemon/stats_went_wrong.h"

static void view_add(struct stats_view *view, const char *name, uint64_t value)
{
    struct stats_metric *metric = &view->metrics[view->metric_count++];
    (void)snprintf(metric->name, sizeof metric->name, "%s", name);
    metric->value = value;
}

static void what_hurts_most_comes_first(void **state)
{
    (void)state;
    struct stats_view *view = calloc(1, sizeof *view);
    assert_non_null(view);
    view_add(view, "reloads_failed", 1);
    view_add(view, "udp_received", 9);
    view_add(view, "deadline_passed", 0);
    view_add(view, "answers_servfail", 2);
    size_t at = 0;
    const struct stats_metric *first = stats_went_wrong_next(view, &at);
    assert_non_null(first);
    assert_string_equal(first->name, "answers_servfail");
    const struct stats_metric *second = stats_went_wrong_next(view, &at);
    assert_non_null(second);
    assert_string_equal(second->name, "reloads_failed");
    assert_null(stats_went_wrong_next(view, &at));
    assert_null(stats_went_wrong_next(view, &at));
    free(view);
}

/* A counter that was renamed would never be shown again. */
static void every_trouble_is_a_metric_with_a_sentence(void **state)
{
    (void)state;
    struct stats_view *view = calloc(1, sizeof *view);
    struct export *export = export_new();
    assert_non_null(view);
    assert_non_null(export);
    stats_view_fill(view, export, &(struct stats_info){.version = "0"});
    for (size_t i = 0; i < view->metric_count; i++) {
        view->metrics[i].value = 1;
    }
    size_t at = 0;
    size_t found = 0;
    while (true) {
        const struct stats_metric *metric = stats_went_wrong_next(view, &at);
        if (metric == NULL) {
            break;
        }
        assert_non_null(metric->sentence);
        assert_int_equal(at, ++found);
    }
    assert_in_range(found, 21, 100);
    export_free(&export);
    free(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_hurts_most_comes_first),
        cmocka_unit_test(every_trouble_is_a_metric_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
