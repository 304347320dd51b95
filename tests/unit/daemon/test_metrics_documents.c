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
#include "resolver/list_stats.h"
#include "daemon/export.h"
#include "daemon/metrics_text.h"
#include "daemon/stats_fill.h"
#include "daemon/stats_view.h"

/*
 * What the documents say of the metrics, beside what the daemon tells: the dashboard and the rules
 * name nothing that is not there, and each sentence of a .def is the HELP of its metric.
 */
#define TEXT_SIZE (1 << 20)
#define NAME_SIZE 128

struct documents {
    char told[TEXT_SIZE]; /* By a daemon with one server and one list. */
    char read[TEXT_SIZE];
};

static int documents_new(void **state)
{
    struct documents *documents = calloc(1, sizeof *documents);
    struct export *export = export_new();
    struct stats_view *view = calloc(1, sizeof *view);
    const struct stats_info info = {.version = "0.1.0"};
    struct text text;
    if (documents == NULL || export == NULL || view == NULL) {
        return -1;
    }
    export->upstream_count = 1;
    export->upstreams[0].state = "well";
    export->lists.count = 1;
    export->lists.items[0].quota = 1;
    stats_view_fill(view, export, &info);
    text_init(&text, documents->told, sizeof documents->told);
    metrics_text_add(&text, view, METRICS_FORM_PROMETHEUS);
    free(view);
    export_free(&export);
    *state = documents;
    return text.is_cut ? -1 : 0;
}

static int documents_free(void **state)
{
    free(*state);
    return 0;
}

static void read_file(struct documents *documents, const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(documents->read, 1, sizeof documents->read - 1, file);
    assert_in_range(len, 1, sizeof documents->read - 2);
    documents->read[len] = '\0';
    (void)fclose(file);
}

/* Is there a sample of that name? */
static bool is_told(const struct documents *documents, const char *name)
{
    char wanted[NAME_SIZE + 2];
    int len = snprintf(wanted, sizeof wanted, "\n%s", name);
    assert_in_range(len, 2, sizeof wanted - 1);
    const char *at = documents->told;
    while ((at = strstr(at, wanted)) != NULL) {
        at += len;
        if (*at == ' ' || *at == '{') {
            return true;
        }
    }
    return false;
}

static void expect_names_are_told(struct documents *documents, const char *path, size_t names_min)
{
    size_t count = 0;
    read_file(documents, path);
    for (const char *at = documents->read; (at = strstr(at, "mxcache_")) != NULL; count++) {
        char name[NAME_SIZE];
        size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
        assert_in_range(len, 1, sizeof name - 1);
        memcpy(name, at, len);
        name[len] = '\0';
        if (!is_told(documents, name)) {
            fail_msg("%s names %s, which the daemon does not tell", path, name);
        }
        at += len;
    }
    assert_true(count >= names_min);
}

static void test_what_is_not_there_is_noticed(void **state)
{
    const struct documents *documents = *state;
    assert_true(is_told(documents, "mxcache_questions_total"));
    assert_true(is_told(documents, "mxcache_wait_seconds_bucket"));
    assert_false(is_told(documents, "mxcache_questions"));
    assert_false(is_told(documents, "mxcache_tea_cups_total"));
}

static void test_the_dashboard_shows_what_there_is(void **state)
{
    expect_names_are_told(*state, "doc/grafana-dashboard.json", 80);
}

static void test_the_rules_watch_what_there_is(void **state)
{
    expect_names_are_told(*state, "doc/alerts.yml", 20);
}

static void expect_help(
    const struct documents *documents, const char *name, const struct metric_row *row)
{
    char line[1024];
    const char *suffix = row->kind == METRIC_KIND_COUNTER ? "_total" : "";
    int len =
        snprintf(line, sizeof line, "\n# HELP mxcache_%s%s %s\n", name, suffix, row->sentence);
    assert_in_range(len, 1, sizeof line - 1);
    if (strstr(documents->told, line) == NULL) {
        fail_msg("no line%s", line);
    }
}

/* Two rows are told in other units, and those of asking ahead in one family for all steps. */
static void expect_rows_help(
    const struct documents *documents, const struct metric_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = rows[i].name;
        if (strcmp(name, "snapshot_age_s") == 0) {
            name = "snapshot_age_seconds";
        } else if (strcmp(name, "snapshot_load_ms") == 0) {
            name = "snapshot_load_seconds";
        }
        if (strncmp(name, "ahead_", 6) != 0) {
            expect_help(documents, name, &rows[i]);
        }
    }
}

static void test_each_sentence_is_told(void **state)
{
    const struct documents *documents = *state;
    expect_rows_help(documents, resolver_metric_rows, resolver_metric_row_count);
    expect_rows_help(documents, cache_metric_rows, cache_metric_row_count);
    expect_rows_help(documents, daemon_metric_rows, daemon_metric_row_count);
    for (size_t i = 0; i < list_metric_row_count; i++) {
        char name[NAME_SIZE];
        (void)snprintf(name, sizeof name, "list_%s", list_metric_rows[i].name);
        expect_help(documents, name, &list_metric_rows[i]);
    }
}

static void test_each_step_is_told(void **state)
{
    const struct documents *documents = *state;
    for (unsigned step = SEQUEL_NONE + 1; step < SEQUEL_STEPS; step++) {
        char line[NAME_SIZE];
        (void)snprintf(line, sizeof line, "\nmxcache_ahead_asked_total{step=\"%s\"} 0\n",
            sequel_step_name((enum sequel_step)step));
        assert_non_null(strstr(documents->told, line));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_there_is_noticed),
        cmocka_unit_test(test_the_dashboard_shows_what_there_is),
        cmocka_unit_test(test_the_rules_watch_what_there_is),
        cmocka_unit_test(test_each_sentence_is_told),
        cmocka_unit_test(test_each_step_is_told),
    };
    return cmocka_run_group_tests(tests, documents_new, documents_free);
}
