/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "resolver/resolver_private.h"

static const char conf[] = "upstreams = 192.0.2.1 192.0.2.2\nquestions_max = 16\n";

static void test_answer_repeats_the_question(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    assert_int_equal(fixture_ask(fixture, "MaIl.Example.ORG", TYPE_A, 0), ASK_PARKED);
    assert_int_equal(resolver_waiting(fixture->resolver), 1);
    assert_int_equal(fixture->sent_count, 1);
    assert_true(fixture_reply(fixture, 0, 0, 20 * MS));
    assert_int_equal(fixture->delivered_count, 1);
    assert_int_equal(fixture->delivered_line, 99);
    assert_int_equal(header_id(fixture->delivered), 0x1234);
    assert_memory_equal(fixture->delivered + HEADER_SIZE, "\4MaIl\7Example\3ORG", 18);
    assert_true(fixture->sent[0].is_withdrawn);
    assert_int_equal(resolver_waiting(fixture->resolver), 0);
    assert_int_equal(resolver_fetching(fixture->resolver), 0);

    assert_int_equal(fixture_ask(fixture, "mAIL.example.org", TYPE_A, 21 * MS), ASK_ANSWERED);
    assert_memory_equal(fixture->answer + HEADER_SIZE, "\4mAIL\7example\3org", 18);
    fixture_free(fixture);
}

static void test_deadlines_are_kept(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    int64_t now = 0;
    while (fixture->delivered_count == 0) {
        now = resolver_next_deadline(fixture->resolver);
        assert_true(now <= fixture->settings->answer_deadline_us);
        resolver_run_due(fixture->resolver, now);
    }
    assert_int_equal(now, fixture->settings->answer_deadline_us);
    assert_int_equal(header_rcode(fixture->delivered), RCODE_SERVFAIL);
    assert_in_range(fixture->sent_count, 4, 6);
    fixture_pass(fixture, 60000 * MS);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

static void test_free_closes_lines(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    resolver_free(&fixture->resolver);
    assert_null(fixture->resolver);
    assert_true(fixture->sent[0].is_withdrawn);
    resolver_free(&fixture->resolver);
    fixture_free(fixture);
}

/* Whole pages between the two that the system has given us memory for. */
static size_t resident_pages(const void *begin, const void *end)
{
    static unsigned char pages[4096];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)begin + page - 1) / page * page;
    size_t count = ((uintptr_t)end / page * page - first) / page;
    size_t resident = 0;
    assert_in_range(count, 100, sizeof pages);
    assert_int_equal(mincore((void *)first, count * page, pages), 0);
    for (size_t i = 0; i < count; i++) {
        resident += pages[i] & 1u;
    }
    return resident;
}

/* What the allocator itself touches of zeroed memory: with some sanitizers all. */
static size_t resident_pages_of_new(size_t size)
{
    char *bytes = calloc(1, size);
    assert_non_null(bytes);
    size_t resident = resident_pages(bytes, bytes + size);
    free(bytes);
    return resident;
}

/* The places of direct servers that there have never been stay untouched by a reload, too. */
static void test_reload_touches_no_vacant_place(void **state)
{
    (void)state;
    /* Memory of its own, in small pages. */
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    assert_int_equal(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
    struct fixture *fixture = fixture_new(conf);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(resolver_set_settings(fixture->resolver, fixture->settings, 0));
        const struct server_table *table = &fixture->resolver->servers;
        const struct server *end = table->servers + table->count + SERVER_DIRECT_MAX;
        size_t size = (size_t)((const char *)end - (const char *)table->servers);
        assert_in_range(resident_pages(table->servers, end), 0, resident_pages_of_new(size) + 16);
    }
    fixture_free(fixture);
}

/* New settings are obeyed from now on, and a server that stays keeps its health. */
static void test_new_settings(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct server_view view;
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_reply(fixture, 0, 0, 30 * MS);
    struct settings *fresh =
        settings_of("upstreams = 192.0.2.3 192.0.2.1\nanswer_deadline = 1s\nquestions_max = 16\n");
    assert_true(resolver_set_settings(fixture->resolver, fresh, 0));
    free(fresh);
    assert_true(resolver_server_at(fixture->resolver, 1, &view));
    assert_int_equal(view.latency_us, 30 * MS); /* The health of one that stays. */
    assert_true(resolver_server_at(fixture->resolver, 0, &view));
    assert_int_equal(view.sent, 0);
    assert_string_equal(view.state, "untried");
    fixture_ask(fixture, "www.example.org", TYPE_A, 100 * MS);
    fixture_pass(fixture, 1100 * MS);
    assert_int_equal(fixture->delivered_count, 2);
    fixture_free(fixture);
}

/* What is learned between the two steps of a change is not lost, and a change may be left. */
static void test_new_settings_in_two_steps(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct settings *fresh = settings_of("upstreams = 192.0.2.3 192.0.2.1\n");
    struct server_view view;
    (void)state;
    struct resolver_change *left = resolver_prepare(fixture->resolver, fresh);
    assert_non_null(left);
    resolver_change_free(&left);
    assert_null(left);
    struct resolver_change *change = resolver_prepare(fixture->resolver, fresh);
    assert_non_null(change);
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_reply(fixture, 0, 0, 30 * MS);
    assert_int_equal(fixture->delivered_count, 1);
    resolver_take(fixture->resolver, &change, 0);
    assert_null(change);
    free(fresh);
    assert_true(resolver_server_at(fixture->resolver, 1, &view));
    assert_int_equal(view.latency_us, 30 * MS);
    assert_int_equal(view.sent, 1);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First, so that the heap has no room for a table yet. */
        cmocka_unit_test(test_reload_touches_no_vacant_place),
        cmocka_unit_test(test_answer_repeats_the_question),
        cmocka_unit_test(test_deadlines_are_kept),
        cmocka_unit_test(test_free_closes_lines),
        cmocka_unit_test(test_new_settings),
        cmocka_unit_test(test_new_settings_in_two_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
