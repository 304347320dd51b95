/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "mail/habit.h"
#include "mail/habit_save.h"
#include "resolver/learned.h"
#include "resolver/memory.h"
#include "resolver/resolver_private.h"

#define SECOND (1000 * MS)

static const char conf[] = "upstreams = 192.0.2.1 192.0.2.2\n"
                           "[upstream office]\nservers = 192.0.2.1\n"
                           "[zone example.org]\nupstream = office\n";

/* What was saved, one after another. */
struct bag {
    size_t count;
    struct snapshot_blob blobs[4];
    uint8_t subjects[4][SNAPSHOT_SUBJECT_MAX];
    uint8_t bytes[4][HABIT_SAVE_MAX];
};

static void bag_take(void *context, const struct snapshot_blob *blob)
{
    struct bag *bag = context;
    assert_true(bag->count < 4);
    memcpy(bag->subjects[bag->count], blob->subject, blob->subject_len);
    memcpy(bag->bytes[bag->count], blob->bytes, blob->len);
    bag->blobs[bag->count] = *blob;
    bag->blobs[bag->count].subject = bag->subjects[bag->count];
    bag->blobs[bag->count].bytes = bag->bytes[bag->count];
    bag->count++;
}

static struct server *server_at(struct fixture *fixture, size_t index)
{
    return &fixture->resolver->servers.servers[index];
}

static void test_each_server_gets_its_own_back(void **state)
{
    static struct bag bag;
    struct fixture *before = fixture_new(conf);
    struct fixture *after = fixture_new(conf);
    (void)state;
    bag.count = 0;
    for (unsigned i = 0; i < 20; i++) {
        server_hear(server_at(before, 1), 50 * MS, true, SECOND);
        server_hear(server_at(before, 2), 10 * MS, true, SECOND);
    }
    learned_save(before->resolver, SECOND, bag_take, &bag);
    assert_int_equal(bag.count, 2); /* Of the first one nothing is known. */
    assert_int_equal(bag.blobs[0].weight, 40);
    for (size_t i = 0; i < bag.count; i++) {
        learned_restore(after->resolver, &bag.blobs[i], SECOND, 9 * SECOND);
    }
    assert_int_equal(server_at(after, 0)->latency_us, 0);
    assert_int_equal(server_at(after, 1)->latency_us, 50 * MS);
    assert_int_equal(server_at(after, 2)->latency_us, 10 * MS);
    fixture_free(before);
    fixture_free(after);
}

/* One that rested is probed from the start, so that it is found again. */
static void test_who_rested_is_probed(void **state)
{
    static struct bag bag;
    struct fixture *before = fixture_new(conf);
    struct fixture *after = fixture_new(conf);
    (void)state;
    bag.count = 0;
    for (unsigned i = 0; i < SERVER_STREAK_MAX; i++) {
        server_on_timeout(server_at(before, 1));
    }
    learned_save(before->resolver, SECOND, bag_take, &bag);
    assert_int_equal(bag.count, 1);
    learned_restore(after->resolver, &bag.blobs[0], SECOND, SECOND);
    assert_true(server_is_resting(server_at(after, 1)));
    resolver_run_due(after->resolver, SECOND + PROBE_FIRST_US);
    assert_int_equal(server_at(after, 1)->owed, 1);
    fixture_free(before);
    fixture_free(after);
}

static void test_what_is_not_known_is_left_alone(void **state)
{
    static struct bag bag;
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    bag.count = 0;
    server_on_timeout(server_at(fixture, 0));
    learned_save(fixture->resolver, SECOND, bag_take, &bag);
    struct fixture *after = fixture_new(conf);
    struct snapshot_blob blobs[] = {bag.blobs[0], bag.blobs[0], bag.blobs[0], bag.blobs[0]};
    blobs[0].version++;
    blobs[1].name = "upstreams";
    blobs[1].name_len = 9;
    blobs[2].subject_len--;
    blobs[3].len = 3;
    for (size_t i = 0; i < 4; i++) {
        learned_restore(after->resolver, &blobs[i], 0, SECOND);
        assert_int_equal(server_at(after, 0)->streak, 0);
    }
    learned_restore(after->resolver, &bag.blobs[0], 0, SECOND);
    assert_int_equal(server_at(after, 0)->streak, 1);
    fixture_free(fixture);
    fixture_free(after);
}

/* What clients have been seen to ask is known after a restart; and what has been seen more of since
 * is not replaced by what is older. */
static void test_habits_come_back(void **state)
{
    static struct bag bag;
    struct fixture *before = fixture_new(conf);
    struct fixture *after = fixture_new(conf);
    (void)state;
    bag.count = 0;
    for (int64_t i = 0; i < 6; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "d%d.example", (int)i);
        fixture_ask(before, name, TYPE_MX, i * 5 * SECOND);
        fixture_ask(before, name, TYPE_TXT, i * 5 * SECOND);
    }
    uint32_t weight = habit_weight(before->resolver->ahead.habit);
    assert_true(weight > 0);
    learned_save(before->resolver, 30 * SECOND, bag_take, &bag);
    const struct snapshot_blob *habits = &bag.blobs[bag.count - 1];
    assert_memory_equal(habits->name, "habits", habits->name_len);
    assert_int_equal(habits->weight, weight);

    learned_restore(after->resolver, habits, SECOND, SECOND);
    assert_int_equal(habit_weight(after->resolver->ahead.habit), weight);
    struct habit_row *row = &after->resolver->ahead.habit->rows[SEQUEL_ASPECT_MX];
    row->opened++;
    row->matured++;
    learned_restore(after->resolver, habits, SECOND, SECOND);
    assert_int_equal(habit_weight(after->resolver->ahead.habit), weight + 1);
    fixture_free(before);
    fixture_free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_server_gets_its_own_back),
        cmocka_unit_test(test_who_rested_is_probed),
        cmocka_unit_test(test_what_is_not_known_is_left_alone),
        cmocka_unit_test(test_habits_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
