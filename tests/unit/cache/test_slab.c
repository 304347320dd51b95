/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cache/slab.h"

#include "tests/unit/cache/fixture.h"

#define SLAB_TEST_SLOTS 4000

/* What the test knows of a slot: its id, size and content's seed. */
struct model_slot {
    uint32_t id;
    uint32_t seed;
    size_t bytes;
};

struct model {
    struct model_slot slots[SLAB_TEST_SLOTS];
    size_t count;
};

static void model_check(const struct slab *slab, const struct model_slot *slot)
{
    static uint8_t expected[70000];
    fixture_message(slot->seed, expected, slot->bytes);
    assert_memory_equal(slab_at(slab, slot->id), expected, slot->bytes);
}

static void model_give(struct slab *slab, struct model *model, size_t index)
{
    uint32_t id = model->slots[index].id;
    uint32_t from = slab_give(slab, id);
    model->slots[index] = model->slots[--model->count];
    for (size_t i = 0; from != SLAB_NONE && i < model->count; i++) {
        if (model->slots[i].id == from) {
            model->slots[i].id = id;
            model_check(slab, &model->slots[i]);
            return;
        }
    }
    assert_int_equal(from, SLAB_NONE);
}

static bool model_take(struct slab *slab, struct model *model, size_t bytes, uint32_t seed)
{
    uint32_t id = slab_take(slab, bytes);
    if (id == SLAB_NONE) {
        return false;
    }
    for (size_t i = 0; i < model->count; i++) {
        assert_true(model->slots[i].id != id);
    }
    fixture_message(seed, slab_at(slab, id), bytes);
    model->slots[model->count++] = (struct model_slot){.id = id, .seed = seed, .bytes = bytes};
    return true;
}

static size_t random_size(uint64_t *state)
{
    uint32_t kind = fixture_random(state, 100);
    if (kind < 90) {
        return 1 + fixture_random(state, 600);
    }
    return kind < 99 ? 1 + fixture_random(state, 8000) : 1 + fixture_random(state, 66000);
}

/* Random taking and giving: contents survive every move and the limit holds all the time. */
static void test_contents_survive(void **state)
{
    (void)state;
    static struct model model;
    struct slab slab;
    uint64_t random = 42;
    uint64_t bytes_max = 1024 * 1024;
    unsigned refusals = 0;
    assert_true(slab_init(&slab, bytes_max));
    for (uint32_t i = 0; i < 40000; i++) {
        bool wants_more = model.count == 0 ||
                          (model.count < SLAB_TEST_SLOTS && fixture_random(&random, 100) < 55);
        if (!wants_more || !model_take(&slab, &model, random_size(&random), i)) {
            refusals += wants_more ? 1 : 0;
            model_give(&slab, &model, fixture_random(&random, (uint32_t)model.count));
        }
        assert_true(slab.bytes <= bytes_max);
    }
    assert_true(refusals > 0);
    for (size_t i = 0; i < model.count; i++) {
        model_check(&slab, &model.slots[i]);
    }
    while (model.count > 0) {
        model_give(&slab, &model, 0);
    }
    slab_trim(&slab);
    assert_int_equal(slab.bytes, slab.table_bytes);
    slab_fini(&slab);
}

/* Memory passes from one size to any other: after filling with small slots and giving all back, the
 * same limit holds as many large ones, and the other way round. */
static void test_memory_passes_between_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {200, 900, 70, 5000, 200};
    static struct model model;
    struct slab slab;
    assert_true(slab_init(&slab, 512 * 1024));
    for (size_t round = 0; round < sizeof sizes / sizeof sizes[0]; round++) {
        uint64_t held = 0;
        while (model.count < SLAB_TEST_SLOTS && model_take(&slab, &model, sizes[round], 1)) {
            held += sizes[round];
        }
        assert_true(held > 200 * 1024);
        while (model.count > 0) {
            model_give(&slab, &model, model.count / 2);
        }
    }
    slab_fini(&slab);
}

/* No class wastes more than an eighth and 16 bytes: that many slots fit. */
static void test_slack_is_bounded(void **state)
{
    (void)state;
    for (size_t bytes = 54; bytes < 2000; bytes += 13) {
        struct slab slab;
        uint64_t taken = 0;
        assert_true(slab_init(&slab, 4 * 1024 * 1024));
        for (unsigned i = 0; i < 100000 && slab_take(&slab, bytes) != SLAB_NONE; i++) {
            taken += bytes;
        }
        /* Beside the class's slack, the end of each chunk may be too short for a slot. */
        assert_true(taken + taken / 8 + taken / 8 + taken * 16 / bytes >= slab.bytes);
        slab_fini(&slab);
    }
}

static void test_clear_and_limits(void **state)
{
    (void)state;
    struct slab slab;
    assert_true(slab_init(&slab, 64 * 1024));
    assert_false(slab_could_hold(&slab, 65536));
    assert_int_equal(slab_take(&slab, 65536), SLAB_NONE);
    assert_true(slab_could_hold(&slab, 32768));
    while (slab_take(&slab, 100) != SLAB_NONE) {
    }
    assert_true(slab.bytes <= 64 * 1024);
    slab_clear(&slab);
    assert_int_equal(slab.bytes, slab.table_bytes);
    assert_true(slab_take(&slab, 32768) != SLAB_NONE);
    slab_set_max(&slab, 16 * 1024);
    assert_int_equal(slab_take(&slab, 3000), SLAB_NONE);
    slab_fini(&slab);
    slab_fini(&slab);
}

/* More chunks than one page of rows can name. */
static void test_table_grows(void **state)
{
    (void)state;
    struct slab slab;
    assert_true(slab_init(&slab, 16 * 1024 * 1024));
    uint32_t rows_before = slab.row_room;
    unsigned taken = 0;
    while (slab_take(&slab, 20000) != SLAB_NONE) {
        taken++;
    }
    assert_true(taken > rows_before);
    assert_true(slab.row_room > rows_before);
    assert_true(slab.bytes <= 16 * 1024 * 1024);
    slab_clear(&slab);
    assert_int_equal(slab.row_room, rows_before);
    assert_true(slab_take(&slab, 20000) != SLAB_NONE);
    slab_fini(&slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contents_survive),
        cmocka_unit_test(test_memory_passes_between_sizes),
        cmocka_unit_test(test_slack_is_bounded),
        cmocka_unit_test(test_clear_and_limits),
        cmocka_unit_test(test_table_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
