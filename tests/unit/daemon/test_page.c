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
#include "daemon/page.h"
#include "daemon/page_picture.h"
#include "daemon/page_text.h"
#include "daemon/stats_view.h"

#define PAGE_SIZE (1u << 20)

struct fixture {
    struct stats_view view;
    char page[PAGE_SIZE];
    struct text text;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    *state = fixture;
    return fixture == NULL;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void word_set(char *word, size_t size, const char *text)
{
    (void)snprintf(word, size, "%s", text);
}

static void add_waits(struct stats_view *view, enum question_class class, enum outcome outcome,
    uint64_t count, uint64_t wait_us)
{
    struct histogram_sum *sum = &view->waits[class][outcome];
    sum->buckets[histogram_bucket(wait_us)] += count;
    sum->count += count;
    sum->sum_us += count * wait_us;
    sum->max_us = wait_us > sum->max_us ? wait_us : sum->max_us;
}

static void add_metric(struct stats_view *view, const char *name, uint64_t value, const char *words)
{
    struct stats_metric *metric = &view->metrics[view->metric_count++];
    word_set(metric->name, sizeof metric->name, name);
    metric->value = value;
    metric->sentence = words;
}

static struct stats_upstream *add_upstream(
    struct stats_view *view, const char *group, const char *address, const char *state)
{
    struct stats_upstream *upstream = &view->upstreams[view->upstream_count++];
    word_set(upstream->group, sizeof upstream->group, group);
    word_set(upstream->address, sizeof upstream->address, address);
    word_set(upstream->state, sizeof upstream->state, state);
    return upstream;
}

static struct stats_list *add_list(struct stats_view *view, const char *zone, const char *standing)
{
    struct stats_list *list = &view->lists[view->list_count++];
    word_set(list->zone, sizeof list->zone, zone);
    word_set(list->standing, sizeof list->standing, standing);
    return list;
}

static const char *page_of(struct fixture *fixture)
{
    text_init(&fixture->text, fixture->page, sizeof fixture->page);
    page_add(&fixture->text, &fixture->view);
    assert_false(fixture->text.is_cut);
    return fixture->page;
}

static void assert_has(const char *page, const char *part)
{
    if (strstr(page, part) == NULL) {
        fail_msg("\"%s\" is not on the page", part);
    }
}

static void assert_lacks(const char *page, const char *part)
{
    if (strstr(page, part) != NULL) {
        fail_msg("\"%s\" is on the page", part);
    }
}

static unsigned count_of(const char *page, const char *part)
{
    unsigned count = 0;
    for (const char *at = page; (at = strstr(at, part)) != NULL; at += strlen(part)) {
        count++;
    }
    return count;
}

/* ---- Each health ---- */

static void health_says_what_it_means(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *states[2];
        uint64_t failed;
        const char *heading;
        const char *words;
    } cases[] = {
        {{"untried", "untried"}, 0, "mxcache is <span class=\"well\">idle", "Nothing was asked"},
        {{"well", "well"}, 1, "mxcache is <span class=\"well\">well", "every upstream server"},
        {{"well", "resting"}, 1, "<span class=\"limping\">limping", "1 of 2 upstream servers does"},
        {{"well", "well"}, 50, "<span class=\"failing\">failing", "More than one question in a"},
        {{"resting", "resting"}, 1, "<span class=\"cut\">cut off", "No upstream server answers."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(&fixture->view, 0, sizeof fixture->view);
        add_upstream(&fixture->view, "default", "192.0.2.1@53", cases[i].states[0]);
        add_upstream(&fixture->view, "default", "192.0.2.2@53", cases[i].states[1]);
        if (cases[i].failed > 0) {
            add_waits(&fixture->view, QUESTION_CLASS_A, OUTCOME_HIT, 1000, 10);
            add_waits(&fixture->view, QUESTION_CLASS_A, OUTCOME_FAILED, cases[i].failed, 4000000);
        }
        const char *page = page_of(fixture);
        assert_has(page, cases[i].heading);
        assert_has(page, cases[i].words);
    }
}

static void one_group_that_is_gone_is_told_apart(void **state)
{
    struct fixture *fixture = *state;
    add_upstream(&fixture->view, "default", "192.0.2.1@53", "well");
    add_upstream(&fixture->view, "office", "192.0.2.2@53", "resting");
    assert_has(page_of(fixture), "One upstream group does not answer at all.");
}

/* ---- The whole page ---- */

static void fill(struct stats_view *view)
{
    word_set(view->version, sizeof view->version, "1.2.3");
    view->uptime_s = 2 * 86400 + 3 * 3600 + 59;
    view->workers = 2;
    add_waits(view, QUESTION_CLASS_MX, OUTCOME_HIT, 1234000, 10);
    add_waits(view, QUESTION_CLASS_MX, OUTCOME_STALE, 20, 400000);
    add_waits(view, QUESTION_CLASS_MX, OUTCOME_MISS, 547, 45000);
    add_waits(view, QUESTION_CLASS_LIST, OUTCOME_FAILED, 1, 4000000);
    add_metric(view, "answers_servfail", 3, "Answers with <SERVFAIL>.");
    add_metric(view, "udp_unsent", 0, "Never shown.");
    add_metric(view, "questions", 1234568, "No trouble.");
    add_metric(view, "fetches_ahead", 200, "Fetches ahead.");
    add_metric(view, "ahead_asked_mx_a", 200, "");
    add_metric(view, "ahead_used_mx_a", 150, "");
    add_metric(view, "cache_bytes", 12345678, "");
    add_metric(view, "cache_bytes_max", 67108864, "");
    add_metric(view, "cache_entries", 54321, "");
    struct stats_upstream *upstream = add_upstream(view, "default", "192.0.2.53@53", "well");
    upstream->sent = 1000;
    upstream->answered = 990;
    upstream->timed_out = 6;
    upstream->lost = 4;
    upstream->p50_us = 12000;
    upstream->p90_us = 45000;
    upstream->p99_us = 90000;
    struct stats_list *list = add_list(view, "zen.spamhaus.org", "resolver");
    list->counts[STATS_LIST_asked] = 1200;
    list->counts[STATS_LIST_hits] = 900;
    list->counts[STATS_LIST_refused] = 260;
    add_list(view, "-", "well");
}

static void the_page_shows_what_was_counted(void **state)
{
    struct fixture *fixture = *state;
    static const char *const parts[] = {
        "Version 1.2.3, up 2 days, 3 h, 2 workers.",
        "questions answered<span class=\"big\">1\u202f234\u202f568</span>",
        "answered from here<span class=\"big\">99.9\u202f%</span>",
        "<h3>mx</h3><p>1\u202f234\u202f567 questions</p>",
        "<th scope=\"row\">mx</th><td>1\u202f234\u202f567</td>",
        "<th scope=\"row\">192.0.2.53@53</th><td class=\"narrow\">default</td>"
        "<td><span class=\"pill well\">well</span></td><td>1\u202f000</td><td>1.0\u202f%</td>",
        "<td>12.0\u202fms</td>",
        "<th scope=\"row\">zen.spamhaus.org</th><td><span class=\"pill bad\">resolver</span></td>"
        "<td>1\u202f200</td><td>75.0\u202f%</td><td>0</td><td>260</td>",
        "<th scope=\"row\">all others</th><td><span class=\"pill well\">well</span></td>",
        "<th scope=\"row\">mx_a</th><td>200</td><td>150</td><td>75.0\u202f%</td>",
        "11.7\u202fMiB of 64.0\u202fMiB in use: 54\u202f321 answers; 0 made room",
        "<li><b>1\u202f200</b><span>zen.spamhaus.org ",
        "<li><b>3</b><span>Answers with &lt;SERVFAIL&gt;.</span></li>",
    };
    fill(&fixture->view);
    const char *page = page_of(fixture);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        assert_has(page, parts[i]);
    }
    assert_lacks(page, "Never shown.");
    assert_lacks(page, "No trouble.");
    assert_lacks(page, "Nothing, since the start.");
    assert_lacks(page, "<script");
}

/* Every frame that is opened is closed, whatever was counted. */
static void tags_are_balanced(void **state)
{
    struct fixture *fixture = *state;
    static const char *const tags[] = {"section", "table", "thead", "tbody", "tr", "th", "td",
        "div", "span", "p", "ul", "li", "svg", "text", "title", "main", "header", "footer", "style",
        "head", "body", "html", "h1", "h2", "h3", "b", "i", "a", "code"};
    for (unsigned round = 0; round < 2; round++) {
        if (round == 1) {
            fill(&fixture->view);
        }
        const char *page = page_of(fixture);
        for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
            char plain[16];
            char with[16];
            char end[16];
            (void)snprintf(plain, sizeof plain, "<%s>", tags[i]);
            (void)snprintf(with, sizeof with, "<%s ", tags[i]);
            (void)snprintf(end, sizeof end, "</%s>", tags[i]);
            assert_int_equal(count_of(page, plain) + count_of(page, with), count_of(page, end));
        }
    }
}

static void an_idle_house_has_no_empty_sections(void **state)
{
    struct fixture *fixture = *state;
    add_upstream(&fixture->view, "default", "192.0.2.1@53", "untried");
    const char *page = page_of(fixture);
    assert_has(page, "Nothing, since the start.");
    assert_has(page, "pill idle\">untried");
    assert_lacks(page, "How long clients waited");
    assert_lacks(page, "DNS lists");
    assert_lacks(page, "Asked ahead");
}

static void names_cannot_become_markup(void **state)
{
    struct fixture *fixture = *state;
    struct stats_view *view = &fixture->view;
    static const char hostile[] = "\"><script>alert('x')</script>&\n";
    word_set(view->version, sizeof view->version, hostile);
    struct stats_upstream *upstream = add_upstream(view, hostile, hostile, hostile);
    word_set(upstream->tls_name, sizeof upstream->tls_name, hostile);
    add_list(view, hostile, hostile);
    const char *page = page_of(fixture);
    assert_lacks(page, "<script");
    assert_lacks(page, "'x'");
    /* Version, group, address, TLS name, state, and the zone twice; a standing is shorter. */
    assert_int_equal(
        7, count_of(page, "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;?"));
}

/* A page that does not fit is told to be cut; nothing is written past its end. */
static void a_page_that_is_too_long_is_cut(void **state)
{
    struct fixture *fixture = *state;
    fill(&fixture->view);
    page_of(fixture);
    size_t whole = fixture->text.len;
    for (size_t size = 1; size < whole; size += 997) {
        char *room = malloc(size);
        assert_non_null(room);
        text_init(&fixture->text, room, size);
        page_add(&fixture->text, &fixture->view);
        assert_true(fixture->text.is_cut);
        free(room);
    }
}

/* ---- Numbers ---- */

static void numbers_have_the_form_of_people(void **state)
{
    (void)state;
    static const struct {
        void (*add)(struct text *text, uint64_t number);
        uint64_t number;
        const char *wanted;
    } cases[] = {
        {page_text_count, 0, "0"},
        {page_text_count, 999, "999"},
        {page_text_count, 1000, "1\u202f000"},
        {page_text_count, UINT64_MAX, "18\u202f446\u202f744\u202f073\u202f709\u202f551\u202f615"},
        {page_text_bytes, 0, "0.0\u202fB"},
        {page_text_bytes, 1023, "1023.0\u202fB"},
        {page_text_bytes, 1536, "1.5\u202fKiB"},
        {page_text_bytes, UINT64_MAX, "1677721.5\u202fTiB"},
        {page_text_uptime, 0, "0 min"},
        {page_text_uptime, 3599, "59 min"},
        {page_text_uptime, 3660, "1 h 1 min"},
        {page_text_uptime, 90000, "1 day, 1 h"},
        {page_text_uptime, 2 * 86400, "2 days, 0 h"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char bytes[64];
        struct text text;
        text_init(&text, bytes, sizeof bytes);
        cases[i].add(&text, cases[i].number);
        assert_string_equal(bytes, cases[i].wanted);
    }
}

static void shares_and_latencies_have_a_dash_for_nothing(void **state)
{
    (void)state;
    char bytes[128];
    struct text text;
    text_init(&text, bytes, sizeof bytes);
    page_text_percent(&text, 0, 0);
    page_text_percent(&text, 1, 3);
    page_text_percent(&text, UINT64_MAX / 2, UINT64_MAX);
    page_text_latency(&text, 0, 5);
    page_text_latency(&text, 1, 5);
    page_text_latency(&text, 1, 1250);
    assert_string_equal(bytes, "–33.3\u202f%50.0\u202f%–5\u202fµs1.25\u202fms");
}

/* ---- Pictures ---- */

static void a_picture_has_a_column_for_what_occurs(void **state)
{
    struct fixture *fixture = *state;
    struct stats_view *view = &fixture->view;
    add_waits(view, QUESTION_CLASS_A, OUTCOME_HIT, 1, 5);
    add_waits(view, QUESTION_CLASS_A, OUTCOME_HIT, 1000000, 90);
    add_waits(view, QUESTION_CLASS_A, OUTCOME_MISS, 7, 100000000);
    text_init(&fixture->text, fixture->page, sizeof fixture->page);
    page_picture_waits(&fixture->text, "a", &view->waits[QUESTION_CLASS_A][OUTCOME_HIT],
        &view->waits[QUESTION_CLASS_A][OUTCOME_MISS]);
    assert_int_equal(2, count_of(fixture->page, "<rect class=\"here\""));
    assert_has(fixture->page, "<rect class=\"here\" x=\"0\" y=\"69\" width=\"8\" height=\"1\"/>");
    assert_has(fixture->page, "<rect class=\"here\" x=\"45\" y=\"10\" width=\"8\" height=\"60\"/>");
    assert_has(fixture->page, "<rect class=\"away\" x=\"279\" y=\"69\" width=\"8\" height=\"1\"/>");
    assert_has(fixture->page, "<title>Waits of a questions: half had their answer within ");
}

static void an_empty_picture_has_its_axis_only(void **state)
{
    struct fixture *fixture = *state;
    const struct histogram_sum none = {.count = 0};
    text_init(&fixture->text, fixture->page, sizeof fixture->page);
    page_picture_waits(&fixture->text, "a", &none, &none);
    page_picture_span(&fixture->text, 0, 0, 0);
    assert_lacks(fixture->page, "<rect");
    assert_lacks(fixture->page, "class=\"mark\"");
    assert_lacks(fixture->page, "circle");
    assert_has(fixture->page, "1 ms</text>");
}

static void a_share_is_never_longer_than_its_whole(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        uint64_t part;
        uint64_t whole;
        const char *width;
    } cases[] = {
        {0, 0, "class=\"here\" width=\"0\""},
        {1, 1000000, "class=\"here\" width=\"1\""},
        {1, 2, "class=\"here\" width=\"48\""},
        {3, 2, "class=\"here\" width=\"96\""},
        {UINT64_MAX, UINT64_MAX, "class=\"here\" width=\"96\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        text_init(&fixture->text, fixture->page, sizeof fixture->page);
        page_picture_share(&fixture->text, cases[i].part, cases[i].whole);
        assert_has(fixture->page, cases[i].width);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(health_says_what_it_means, setup, teardown),
        cmocka_unit_test_setup_teardown(one_group_that_is_gone_is_told_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(the_page_shows_what_was_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(tags_are_balanced, setup, teardown),
        cmocka_unit_test_setup_teardown(an_idle_house_has_no_empty_sections, setup, teardown),
        cmocka_unit_test_setup_teardown(names_cannot_become_markup, setup, teardown),
        cmocka_unit_test_setup_teardown(a_page_that_is_too_long_is_cut, setup, teardown),
        cmocka_unit_test(numbers_have_the_form_of_people),
        cmocka_unit_test(shares_and_latencies_have_a_dash_for_nothing),
        cmocka_unit_test_setup_teardown(a_picture_has_a_column_for_what_occurs, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_picture_has_its_axis_only, setup, teardown),
        cmocka_unit_test_setup_teardown(a_share_is_never_longer_than_its_whole, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
