/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/index.h"

#define HASHES (UINT64_C(1) << 32)

/* Goes through all buckets by their hashes; each place is met once. Returns their number. */
static unsigned walk(const struct index *index)
{
    unsigned count = 0;
    const uint32_t *last = NULL;
    for (uint64_t hash = 0; hash < HASHES; hash = index_behind(index, (uint32_t)hash)) {
        const uint32_t *place = index_at(index, (uint32_t)hash);
        uint64_t behind = index_behind(index, (uint32_t)hash);
        assert_true(behind > hash && behind <= HASHES);
        assert_true(place != last);
        assert_ptr_equal(index_at(index, (uint32_t)(behind - 1)), place);
        last = place;
        count++;
    }
    return count;
}

static void test_walk(void **state)
{
    (void)state;
    static const uint64_t limits[] = {0, 1, 128, 129, 1000, 4096, 100000, 1 << 20};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct index index;
        assert_true(index_init(&index, limits[i]));
        assert_int_equal(walk(&index), limits[i] < 128 ? 1 : limits[i] / 128);
        index_fini(&index);
        index_fini(&index);
    }
}

/* While the table grows or shrinks, every hash has one place, and what is put back there is found
 * at the end. */
static void test_growing(void **state)
{
    (void)state;
    static const uint64_t limits[][2] = {
        {12800, 128000}, {128000, 12800}, {12800, 13000}, {13000, 12800}, {128, 12800}};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct index index;
        assert_true(index_init(&index, limits[i][0]));
        assert_false(index_is_growing(&index));
        assert_false(index_grow(&index, limits[i][0]));
        size_t bytes = index_bytes(&index);
        for (uint64_t hash = 0; hash < HASHES; hash = index_behind(&index, (uint32_t)hash)) {
            *index_at(&index, (uint32_t)hash) = (uint32_t)(hash >> 8) + 1;
        }
        assert_true(index_grow(&index, limits[i][1]));
        assert_true(index_bytes(&index) > bytes);
        unsigned taken = 0;
        while (index_is_growing(&index)) {
            uint32_t first = index_take_next(&index);
            assert_true(first != 0);
            *index_at(&index, (first - 1) << 8) = first;
            taken++;
            (void)walk(&index);
        }
        assert_int_equal(taken, limits[i][0] / 128);
        assert_int_equal(walk(&index), limits[i][1] / 128);
        unsigned found = 0;
        for (uint64_t hash = 0; hash < HASHES; hash = index_behind(&index, (uint32_t)hash)) {
            found += *index_at(&index, (uint32_t)hash) != 0 ? 1 : 0;
        }
        assert_true(found > 0 && found <= taken);
        index_clear(&index);
        assert_int_equal(*index_at(&index, 0), 0);
        index_fini(&index);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_growing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
