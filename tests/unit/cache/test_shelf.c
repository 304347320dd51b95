/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cache/packed.h"
#include "cache/shelf.h"

#include "tests/unit/cache/fixture.h"

#define SHELF_TEST_KEYS 500

/* The numbers of the keys on the shelf. */
struct model {
    uint32_t numbers[SHELF_TEST_KEYS];
    size_t count;
};

static uint32_t hash_of(const struct cache_key *key)
{
    struct hash_key secret = FIXTURE_SECRET;
    /* Few different hashes, so that chains are long. */
    return (uint32_t)cache_key_place(key, &secret) & 0xf000000fu;
}

static uint32_t find(const struct shelf *shelf, uint32_t n)
{
    struct cache_key key = fixture_key(n);
    return shelf_find(shelf, &key, hash_of(&key)).own;
}

static void model_drop(struct model *model, uint32_t n)
{
    for (size_t i = 0; i < model->count; i++) {
        if (model->numbers[i] == n) {
            model->count--;
            memmove(&model->numbers[i], &model->numbers[i + 1],
                (model->count - i) * sizeof model->numbers[0]);
            return;
        }
    }
    assert_true(false);
}

static void model_put(struct model *model, uint32_t n)
{
    memmove(&model->numbers[1], &model->numbers[0], model->count * sizeof model->numbers[0]);
    model->numbers[0] = n;
    model->count++;
}

/* Each queue is linked both ways, and counted. Returns the number of its entries. */
static uint64_t compare_queue(const struct shelf *shelf, const struct order_queue *queue)
{
    uint64_t bytes = 0;
    uint64_t count = 0;
    uint32_t newer = SLAB_NONE;
    for (uint32_t id = queue->newest; id != SLAB_NONE; id = shelf_at(shelf, id)->link.older) {
        assert_int_equal(shelf_at(shelf, id)->link.newer, newer);
        assert_ptr_equal(&shelf->order.queues[order_place_of(shelf_at(shelf, id))], queue);
        bytes += slab_slot_bytes(&shelf->slab, id);
        count++;
        newer = id;
    }
    assert_int_equal(queue->oldest, newer);
    assert_int_equal(queue->count, count);
    assert_int_equal(queue->bytes, bytes);
    return count;
}

static void model_compare(const struct shelf *shelf, const struct model *model)
{
    uint64_t count = 0;
    for (size_t i = 0; i < ORDER_QUEUES; i++) {
        count += compare_queue(shelf, &shelf->order.queues[i]);
    }
    assert_int_equal(count, model->count);
    assert_int_equal(shelf->count, model->count);
    for (size_t i = 0; i < model->count; i++) {
        struct cache_key key = fixture_key(model->numbers[i]);
        uint32_t id = shelf_find(shelf, &key, hash_of(&key)).own;
        assert_true(id != SLAB_NONE);
        assert_true(entry_has_place(shelf_at(shelf, id), &key));
    }
}

static bool add(struct shelf *shelf, uint32_t n, size_t message_len)
{
    static uint8_t message[4096];
    struct cache_key key = fixture_key(n);
    struct cache_fill fill = fixture_fill(message, message_len, 60);
    fixture_message(n, message, message_len);
    struct packed packed;
    packed_fold(&key, &fill, &packed);
    fill.is_list = n % 3 == 0;
    uint32_t id = shelf_add(shelf, hash_of(&key), entry_bytes(&key, &packed),
        order_place_for(fill.is_list, n % 5 == 0));
    if (id == SLAB_NONE) {
        return false;
    }
    entry_fill(shelf_at(shelf, id), &key, &fill, &packed, FIXTURE_START);
    return true;
}

static uint32_t number_of(const struct entry *entry)
{
    char digits[9] = {0};
    memcpy(digits, entry_name(entry) + 1, 8);
    return (uint32_t)strtoul(digits, NULL, 16);
}

static void step(struct shelf *shelf, struct model *model, uint64_t *random)
{
    uint32_t n = fixture_random(random, SHELF_TEST_KEYS);
    uint32_t id = find(shelf, n);
    if (id == SLAB_NONE) {
        if (add(shelf, n, fixture_random(random, 3000))) {
            model_put(model, n);
        } else {
            uint32_t victim = shelf_victim(shelf);
            model_drop(model, number_of(shelf_at(shelf, victim)));
            shelf_remove(shelf, victim);
        }
        return;
    }
    model_drop(model, n);
    if (fixture_random(random, 100) < 70) {
        shelf_touch(shelf, id);
        model_put(model, n);
    } else {
        shelf_remove(shelf, id);
    }
}

/* Random adding, touching, removing and evicting against a plain list. */
static void test_order_and_index_hold(void **state)
{
    (void)state;
    static struct model model;
    struct hash_key secret = FIXTURE_SECRET;
    struct shelf shelf;
    uint64_t random = 7;
    assert_true(shelf_init(&shelf, 256 * 1024, &secret));
    for (unsigned i = 0; i < 20000; i++) {
        step(&shelf, &model, &random);
        assert_false(shelf_is_over(&shelf));
        if (i % 50 == 0) {
            model_compare(&shelf, &model);
        }
    }
    model_compare(&shelf, &model);
    assert_true(model.count > 10);
    shelf_set_max(&shelf, 1024 * 1024);
    assert_true(shelf_reindex_begin(&shelf, 1024 * 1024));
    for (unsigned i = 0; shelf_reindex(&shelf, 100); i++) {
        step(&shelf, &model, &random);
        model_compare(&shelf, &model);
        assert_false(shelf_is_over(&shelf));
    }
    model_compare(&shelf, &model);
    shelf_clear(&shelf);
    model.count = 0;
    model_compare(&shelf, &model);
    shelf_fini(&shelf);
    shelf_fini(&shelf);
}

static bool is_even(const struct entry *entry, const void *context)
{
    (void)context;
    uint8_t digit = entry_name(entry)[8];
    return (digit - (digit >= 'a' ? 'a' : '0')) % 2 == 0;
}

static void test_sweep(void **state)
{
    (void)state;
    struct hash_key secret = FIXTURE_SECRET;
    struct shelf shelf;
    size_t removed = 0;
    assert_true(shelf_init(&shelf, 1024 * 1024, &secret));
    for (uint32_t n = 0; n < 400; n++) {
        assert_true(add(&shelf, n, 40 + n % 3));
    }
    for (uint64_t hash = 0; hash <= UINT32_MAX; hash = index_behind(&shelf.index, (uint32_t)hash)) {
        removed += shelf_sweep(&shelf, (uint32_t)hash, is_even, NULL);
    }
    assert_int_equal(removed, 200);
    assert_int_equal(shelf.count, 200);
    for (uint32_t n = 0; n < 400; n++) {
        bool is_kept = find(&shelf, n) != SLAB_NONE;
        assert_int_equal(is_kept, n % 2 != 0);
    }
    shelf_fini(&shelf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_index_hold),
        cmocka_unit_test(test_sweep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
