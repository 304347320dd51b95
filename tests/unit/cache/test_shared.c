/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cache/shared.h"
#include "cache/shelf.h"

#include "tests/unit/cache/fixture.h"

#define THINGS 300

static struct shelf shelf;

static int setup(void **state)
{
    (void)state;
    struct hash_key secret = FIXTURE_SECRET;
    return shelf_init(&shelf, 64 * 1024, &secret) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    shelf_fini(&shelf);
    return 0;
}

static void assert_holds(uint32_t reference, const uint8_t *bytes, size_t len)
{
    const struct shared *shared = shared_at(&shelf, reference);
    assert_int_equal(shared->len, len);
    assert_memory_equal(shared->bytes, bytes, len);
}

static void test_counted_references(void **state)
{
    (void)state;
    uint8_t bytes[60];
    uint32_t references[3];
    uint64_t empty = shelf_bytes(&shelf);
    fixture_message(1, bytes, sizeof bytes);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(shared_take(&shelf, bytes, sizeof bytes, &references[i]), SHARED_TAKEN);
        assert_int_equal(references[i], references[0]);
        assert_int_equal(shelf.shared_count, 1);
    }
    assert_holds(references[0], bytes, sizeof bytes);
    shared_give(&shelf, references[0]);
    shared_give(&shelf, references[0]);
    assert_holds(references[0], bytes, sizeof bytes);
    shared_give(&shelf, references[0]);
    assert_int_equal(shelf.shared_count, 0);
    assert_int_equal(shelf.count, 0);
    slab_trim(&shelf.slab);
    assert_int_equal(shelf_bytes(&shelf), empty);
}

/* Two that have one hash: only the first is shared. */
static void test_equal_hashes(void **state)
{
    (void)state;
    uint8_t bytes[60];
    uint32_t first;
    uint32_t second;
    fixture_message(1, bytes, sizeof bytes);
    assert_int_equal(shared_take(&shelf, bytes, sizeof bytes, &first), SHARED_TAKEN);
    /* As if these bytes had been others. */
    ((struct shared *)slab_at(&shelf.slab, *index_at(&shelf.index, first)))->bytes[3] ^= 1;
    assert_int_equal(shared_take(&shelf, bytes, sizeof bytes, &second), SHARED_REFUSED);
    assert_int_equal(shelf.shared_count, 1);
}

static void test_too_many_references(void **state)
{
    (void)state;
    uint8_t bytes[60];
    uint32_t reference;
    fixture_message(1, bytes, sizeof bytes);
    assert_int_equal(shared_take(&shelf, bytes, sizeof bytes, &reference), SHARED_TAKEN);
    ((struct shared *)slab_at(&shelf.slab, *index_at(&shelf.index, reference)))->references =
        UINT32_MAX;
    assert_int_equal(shared_take(&shelf, bytes, sizeof bytes, &reference), SHARED_REFUSED);
}

/* They are found wherever they move to, are no entries, and a full shelf says so. */
static void test_many_that_come_and_go(void **state)
{
    (void)state;
    static uint32_t references[THINGS];
    static bool is_taken[THINGS];
    uint64_t random = 5;
    unsigned refused = 0;
    memset(is_taken, 0, sizeof is_taken);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t n = fixture_random(&random, THINGS);
        uint8_t bytes[SHARED_SIZE_MAX];
        size_t len = 150 + n % 100;
        fixture_message(n, bytes, len);
        if (is_taken[n]) {
            assert_holds(references[n], bytes, len);
            shared_give(&shelf, references[n]);
            is_taken[n] = false;
            continue;
        }
        switch (shared_take(&shelf, bytes, len, &references[n])) {
        case SHARED_TAKEN:
            is_taken[n] = true;
            break;
        case SHARED_NO_ROOM:
            refused++;
            break;
        case SHARED_REFUSED:
            assert_true(false);
            break;
        }
        assert_int_equal(shelf.count, 0);
        assert_false(shelf_is_over(&shelf));
        assert_int_equal(shelf_first(&shelf, references[n]), SLAB_NONE);
    }
    assert_true(refused > 0);
    for (uint32_t n = 0; n < THINGS; n++) {
        if (is_taken[n]) {
            shared_give(&shelf, references[n]);
        }
    }
    assert_int_equal(shelf.shared_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_counted_references, setup, teardown),
        cmocka_unit_test_setup_teardown(test_equal_hashes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_references, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_that_come_and_go, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
