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
#include "resolver/stats.h"
#include "cmd/stats_json.h"
#include "cmd/stats_read.h"
#include "daemon/stats_view.h"
#include "tests/unit/cmd/stats_fixture.h"

/*
 * The members of the JSON object are those that mxcache-metrics(7) names in its section JSON, by
 * their paths, and no others.
 */
#define MANUAL     "doc/mxcache-metrics.7.scd"
#define PATH_SIZE  128
#define PATHS_MAX  128
#define DEPTH_MAX  16
#define BYTES_SIZE (1u << 20)

struct paths {
    char items[PATHS_MAX][PATH_SIZE];
    size_t count;
};

static bool paths_have(const struct paths *paths, const char *path)
{
    for (size_t i = 0; i < paths->count; i++) {
        if (strcmp(paths->items[i], path) == 0) {
            return true;
        }
    }
    return false;
}

static void paths_add(struct paths *paths, const char *path)
{
    if (!paths_have(paths, path)) {
        assert_in_range(paths->count, 0, PATHS_MAX - 1);
        (void)snprintf(paths->items[paths->count++], PATH_SIZE, "%s", path);
    }
}

static bool ends_with(const char *string, const char *end)
{
    size_t len = strlen(string);
    size_t end_len = strlen(end);
    return len >= end_len && strcmp(string + len - end_len, end) == 0;
}

static bool is_outcome(const char *name)
{
    for (unsigned i = 0; i < OUTCOMES; i++) {
        if (strcmp(outcome_name((enum outcome)i), name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_list_row(const char *name)
{
    for (size_t i = 0; i < list_metric_row_count; i++) {
        if (strcmp(list_metric_rows[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* How the manual calls a member of `parent`: by its name, or in capitals what there are more of. */
static const char *member_word(const char *parent, const char *name)
{
    static const struct {
        const char *parent;
        const char *word;
    } many[] = {
        {"classes", "CLASS"},
        {"outcomes", "OUTCOME"},
        {"ahead", "STEP"},
        {"metrics", "NAME"},
        {"upstreams[].transports", "TRANSPORT"},
    };
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        if (strcmp(parent, many[i].parent) == 0) {
            return many[i].word;
        }
    }
    if (strcmp(parent, "classes.CLASS") == 0 && is_outcome(name)) {
        return "OUTCOME";
    }
    return strcmp(parent, "lists[]") == 0 && is_list_row(name) ? "NAME" : name;
}

static bool is_histogram(const char *path)
{
    return ends_with(path, ".wait") || ends_with(path, ".upstream_wait") ||
           ends_with(path, ".TRANSPORT");
}

/* A walk over the object; what is open stands on a stack of paths. */
struct walk {
    const char *at;
    char open[DEPTH_MAX][PATH_SIZE];
    size_t depth;
    struct paths *found;
};

static void walk_open(struct walk *walk, const char *path)
{
    assert_in_range(walk->depth, 0, DEPTH_MAX - 2);
    char *place = walk->open[++walk->depth];
    if (is_histogram(path)) {
        char whole[PATH_SIZE];
        assert_in_range(snprintf(whole, sizeof whole, "%s.HISTOGRAM", path), 1, PATH_SIZE - 1);
        paths_add(walk->found, whole);
        (void)snprintf(place, PATH_SIZE, "HISTOGRAM");
    } else {
        (void)snprintf(place, PATH_SIZE, "%s", path);
    }
}

/* The path of the value that comes next: behind a name, or an element. */
static void walk_path(struct walk *walk, char path_out[PATH_SIZE])
{
    const char *parent = walk->open[walk->depth];
    char name[PATH_SIZE];
    const char *end = *walk->at == '"' ? strchr(walk->at + 1, '"') : NULL;
    if (end == NULL || end[1] != ':') {
        (void)snprintf(path_out, PATH_SIZE, "%s", parent);
        return;
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)(end - walk->at - 1), walk->at + 1);
    walk->at = end + 2;
    int len = snprintf(path_out, PATH_SIZE, "%s%s%s", parent, parent[0] != '\0' ? "." : "",
        member_word(parent, name));
    assert_in_range(len, 1, PATH_SIZE - 1);
}

static void walk_value(struct walk *walk, const char *path)
{
    char element[PATH_SIZE];
    if (*walk->at == '{') {
        walk_open(walk, path);
        walk->at++;
    } else if (*walk->at == '[') {
        assert_in_range(snprintf(element, sizeof element, "%s[]", path), 1, PATH_SIZE - 1);
        walk_open(walk, element);
        walk->at++;
    } else {
        paths_add(walk->found, path);
        walk->at += *walk->at == '"' ? 1 + strcspn(walk->at + 1, "\"") + 1 : 0;
        walk->at += strcspn(walk->at, ",]}");
    }
}

static void walk_object(const char *json, struct paths *found)
{
    struct walk walk = {.at = json, .found = found};
    char path[PATH_SIZE];
    while (*walk.at != '\n') {
        if (*walk.at == '}' || *walk.at == ']') {
            walk.depth--;
            walk.at++;
        } else if (*walk.at == ',') {
            walk.at++;
        } else {
            walk_path(&walk, path);
            walk_value(&walk, path);
        }
    }
    assert_int_equal(walk.depth, 0);
}

/* The lines *PATH* of the section. */
static void read_manual(struct paths *named)
{
    char line[512];
    bool is_inside = false;
    FILE *file = fopen(MANUAL, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        size_t len = strlen(line);
        if (line[0] == '#') {
            is_inside = strcmp(line, "# JSON\n") == 0;
        } else if (is_inside && line[0] == '*' && len > 3 && line[len - 2] == '*') {
            line[len - 2] = '\0';
            paths_add(named, line + 1);
        }
    }
    (void)fclose(file);
}

static void expect_all(const struct paths *these, const struct paths *those, const char *complaint)
{
    for (size_t i = 0; i < these->count; i++) {
        if (!paths_have(those, these->items[i])) {
            fail_msg("%s %s", these->items[i], complaint);
        }
    }
}

static void test_the_names_are_those_of_the_manual(void **state)
{
    static struct stats_view view;
    static struct paths found;
    static struct paths named;
    struct reply reply;
    struct text text;
    char *bytes = malloc(BYTES_SIZE);
    (void)state;
    assert_non_null(bytes);
    assert_true(reply_set(&reply, stats_fixture));
    assert_true(stats_read(&reply, &view));
    reply_fini(&reply);
    text_init(&text, bytes, BYTES_SIZE);
    stats_json_add(&text, &view);
    assert_false(text.is_cut);
    walk_object(bytes, &found);
    read_manual(&named);
    assert_true(found.count > 40);
    expect_all(&found, &named, "is told, and not named in " MANUAL);
    expect_all(&named, &found, "is named in " MANUAL ", and not told");
    free(bytes);
}

static void test_a_walk(void **state)
{
    static struct paths found;
    (void)state;
    walk_object(
        "{\"version\":\"a,b\",\"classes\":{\"mx\":{\"count\":1,\"hit\":2,\"wait\":"
        "{\"count\":1,\"buckets\":[{\"le_us\":1}]}}},\"lists\":[{\"zone\":null,\"asked\":1}]}"
        "\n",
        &found);
    static const char *const wanted[] = {"version", "classes.CLASS.count", "classes.CLASS.OUTCOME",
        "classes.CLASS.wait.HISTOGRAM", "HISTOGRAM.count", "HISTOGRAM.buckets[].le_us",
        "lists[].zone", "lists[].NAME"};
    assert_int_equal(found.count, sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < found.count; i++) {
        assert_string_equal(found.items[i], wanted[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_walk),
        cmocka_unit_test(test_the_names_are_those_of_the_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
