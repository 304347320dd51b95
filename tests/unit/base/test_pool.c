/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct life {
    uint8_t odd_sized[13];
};

static void pool_gives_each_slot_once(void **state)
{
    (void)state;
    struct pool pool;
    uint64_t ids[5];
    struct life *lives[5];
    assert_true(pool_init(&pool, sizeof(struct life), 5));
    for (unsigned i = 0; i < 5; i++) {
        lives[i] = pool_take(&pool, &ids[i]);
        assert_non_null(lives[i]);
        assert_true(ids[i] != POOL_NONE);
        assert_int_equal((uintptr_t)lives[i] % _Alignof(max_align_t), 0);
        memset(lives[i], (int)i + 1, sizeof(struct life));
    }
    uint64_t id = 99;
    assert_null(pool_take(&pool, &id));
    for (unsigned i = 0; i < 5; i++) {
        assert_ptr_equal(pool_find(&pool, ids[i]), lives[i]);
        assert_int_equal(lives[i]->odd_sized[12], i + 1); /* No overlap. */
    }
    assert_int_equal(pool.in_use, 5);
    assert_int_equal(pool.in_use_max, 5);
    pool_fini(&pool);
}

static void pool_forgets_an_ended_life(void **state)
{
    (void)state;
    struct pool pool;
    assert_true(pool_init(&pool, sizeof(struct life), 1));
    uint64_t first = POOL_NONE;
    struct life *life = pool_take(&pool, &first);
    memset(life, 0xff, sizeof(*life));
    pool_give(&pool, first);
    assert_null(pool_find(&pool, first));
    assert_null(pool_at(&pool, 0));

    uint64_t second = POOL_NONE;
    life = pool_take(&pool, &second);
    static const struct life zeroed;
    assert_memory_equal(life, &zeroed, sizeof(zeroed));
    assert_true(second != first);
    assert_null(pool_find(&pool, first)); /* The slot is taken, by somebody else. */
    assert_ptr_equal(pool_find(&pool, second), life);
    assert_int_equal(pool.in_use_max, 1);
    pool_fini(&pool);
}

static void pool_finds_nothing_by_made_up_ids(void **state)
{
    (void)state;
    static const uint64_t ids[] = {
        POOL_NONE, 1, 3, 4, UINT64_C(1) << 32 | 4, UINT64_C(2) << 32, UINT32_MAX, UINT64_MAX};
    struct pool pool;
    assert_true(pool_init(&pool, 8, 4));
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_null(pool_find(&pool, ids[i]));
    }
    pool_fini(&pool);
}

static void pool_walk_sees_the_taken(void **state)
{
    (void)state;
    struct pool pool;
    uint64_t ids[8];
    assert_true(pool_init(&pool, 8, 8));
    for (unsigned i = 0; i < 8; i++) {
        assert_non_null(pool_take(&pool, &ids[i]));
    }
    for (unsigned i = 0; i < 8; i += 2) {
        pool_give(&pool, ids[i]);
    }
    unsigned seen = 0;
    for (uint32_t i = 0; i < pool.count; i++) {
        seen += pool_at(&pool, i) != NULL ? 1 : 0;
    }
    assert_int_equal(seen, 4);
    assert_int_equal(pool.in_use, 4);
    pool_fini(&pool);
}

/* A long random-looking run against a simple model. */
static void pool_keeps_its_count(void **state)
{
    (void)state;
    struct pool pool;
    uint64_t ids[16] = {0};
    assert_true(pool_init(&pool, sizeof(uint64_t), 16));
    uint32_t dice = 1;
    uint32_t taken = 0;
    for (int i = 0; i < 20000; i++) {
        dice = dice * 1664525u + 1013904223u;
        uint64_t *id = &ids[dice >> 28];
        if (*id != POOL_NONE) {
            uint64_t *slot = pool_find(&pool, *id);
            assert_non_null(slot);
            assert_true(*slot == *id);
            pool_give(&pool, *id);
            *id = POOL_NONE;
            taken--;
        } else {
            uint64_t *slot = pool_take(&pool, id);
            assert_non_null(slot);
            *slot = *id;
            taken++;
        }
        assert_int_equal(pool.in_use, taken);
    }
    pool_fini(&pool);
}

static void pool_refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct pool pool;
    assert_false(pool_init(&pool, SIZE_MAX / 2, UINT32_MAX));
    uint64_t id = POOL_NONE;
    assert_null(pool_take(&pool, &id));
    pool_fini(&pool);

    assert_true(pool_init(&pool, 16, 0));
    assert_null(pool_take(&pool, &id));
    pool_fini(&pool);

    pool_fini(NULL);
    struct pool zeroed = {.count = 0};
    pool_fini(&zeroed);
    assert_null(pool_find(&zeroed, 1));
}

static void pool_aborts_on_a_second_give(void **state)
{
    (void)state;
    struct pool pool;
    uint64_t id = POOL_NONE;
    assert_true(pool_init(&pool, 8, 2));
    assert_non_null(pool_take(&pool, &id));
    pool_give(&pool, id);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(STDERR_FILENO);
        pool_give(&pool, id);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_gives_each_slot_once),
        cmocka_unit_test(pool_forgets_an_ended_life),
        cmocka_unit_test(pool_finds_nothing_by_made_up_ids),
        cmocka_unit_test(pool_walk_sees_the_taken),
        cmocka_unit_test(pool_keeps_its_count),
        cmocka_unit_test(pool_refuses_what_does_not_fit),
        cmocka_unit_test(pool_aborts_on_a_second_give),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
