/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cache/order.h"

#include "tests/unit/cache/fixture.h"

#define SLOT_BYTES 64

static struct slab slab;
static struct order order;
static uint32_t tick;

static int setup(void **state)
{
    (void)state;
    order = (struct order){.list_bytes_max = 3 * SLOT_BYTES};
    tick = UINT32_MAX - 2; /* It wraps around within each test. */
    return slab_init(&slab, 1024 * 1024) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    slab_fini(&slab);
    return 0;
}

static uint32_t add(bool is_list)
{
    uint32_t id = slab_take(&slab, SLOT_BYTES);
    struct entry *entry = slab_at(&slab, id);
    memset(entry, 0, SLOT_BYTES);
    entry->flags = is_list ? ENTRY_IS_LIST : 0;
    entry->stored_tick = tick++;
    order_add(&order, &slab, id, order_place_for(is_list, false));
    return id;
}

static enum order_place place_of(uint32_t id)
{
    return order_place_of(slab_at(&slab, id));
}

static void assert_next_victim(uint32_t id)
{
    assert_int_equal(order_victim(&order, &slab), id);
    order_remove(&order, &slab, id);
}

/* Without a second question, the first that came goes first. */
static void test_first_come_first_go(void **state)
{
    (void)state;
    uint32_t ids[5];
    for (size_t i = 0; i < 5; i++) {
        ids[i] = add(false);
    }
    for (size_t i = 0; i < 5; i++) {
        assert_next_victim(ids[i]);
    }
    assert_int_equal(order_victim(&order, &slab), SLAB_NONE);
    for (size_t i = 0; i < ORDER_QUEUES; i++) {
        assert_int_equal(order.queues[i].count, 0);
        assert_int_equal(order.queues[i].bytes, 0);
    }
}

/* What is asked again outlives what comes later. */
static void test_asked_again_stays(void **state)
{
    (void)state;
    uint32_t kept = add(false);
    uint32_t others[6];
    order_touch(&order, &slab, kept);
    for (size_t i = 0; i < 6; i++) {
        others[i] = add(false);
    }
    assert_int_equal(place_of(kept), ORDER_PROTECTED);
    for (size_t i = 0; i < 6; i++) {
        assert_next_victim(others[i]);
    }
    assert_next_victim(kept);
}

/* Nothing is free any more. */
static void fill_up(void)
{
    slab_set_max(&slab, slab.bytes);
}

/* As long as there is room, all that is asked again is protected, and outlives any flood. */
static void test_free_room_protects_all(void **state)
{
    (void)state;
    uint32_t ids[10];
    for (size_t i = 0; i < 10; i++) {
        ids[i] = add(false);
        order_touch(&order, &slab, ids[i]);
    }
    assert_int_equal(order.queues[ORDER_PROTECTED].count, 10);
    fill_up();
    for (size_t i = 0; i < 10; i++) {
        uint32_t flood = add(false);
        assert_next_victim(flood);
    }
    order_touch(&order, &slab, ids[0]);
    assert_int_equal(order.queues[ORDER_PROTECTED].count, 8);
}

/* Protected ones take four fifths; the one that waited longest is the newest on probation then. */
static void test_protected_share(void **state)
{
    (void)state;
    uint32_t ids[10];
    for (size_t i = 0; i < 10; i++) {
        ids[i] = add(false);
    }
    fill_up();
    for (size_t i = 0; i < 10; i++) {
        order_touch(&order, &slab, ids[i]);
    }
    assert_int_equal(order.queues[ORDER_PROTECTED].count, 8);
    assert_int_equal(order.queues[ORDER_PROBATION].count, 2);
    assert_int_equal(place_of(ids[0]), ORDER_PROBATION);
    assert_int_equal(place_of(ids[1]), ORDER_PROBATION);
    assert_int_equal(order.queues[ORDER_PROBATION].newest, ids[1]);
    order_touch(&order, &slab, ids[2]);
    assert_next_victim(ids[0]);
    assert_next_victim(ids[1]);
    assert_next_victim(ids[3]);
}

/* Lists above their share make room among themselves, below it like everybody else. */
static void test_list_share(void **state)
{
    (void)state;
    uint32_t other = add(false);
    uint32_t lists[5];
    for (size_t i = 0; i < 5; i++) {
        lists[i] = add(true);
    }
    assert_next_victim(lists[0]);
    assert_next_victim(lists[1]);
    assert_next_victim(other);
    /* Nobody else is left. */
    assert_next_victim(lists[2]);
    assert_int_equal(place_of(lists[4]), ORDER_LIST_PROBATION);
    order_touch(&order, &slab, lists[3]);
    assert_int_equal(place_of(lists[3]), ORDER_LIST_PROTECTED);
    assert_next_victim(lists[4]);
    assert_next_victim(lists[3]);
}

/* However large their share, lists do not push out everybody else. */
static void test_whole_share(void **state)
{
    (void)state;
    order.list_bytes_max = UINT64_MAX;
    uint32_t first = add(true);
    uint32_t second = add(false);
    uint32_t third = add(true);
    uint32_t kept = add(false);
    uint32_t kept_list = add(true);
    uint32_t kept_too = add(true);
    order_touch(&order, &slab, kept);
    order_touch(&order, &slab, kept_list);
    order_touch(&order, &slab, kept_too);
    assert_next_victim(first);
    assert_next_victim(second);
    assert_next_victim(third);
    assert_next_victim(kept_list);
    assert_next_victim(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_come_first_go, setup, teardown),
        cmocka_unit_test_setup_teardown(test_asked_again_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_room_protects_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_protected_share, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list_share, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whole_share, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
