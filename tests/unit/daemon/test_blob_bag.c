/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/blob_bag.h"

static struct snapshot_blob blob_of(const char *subject, uint32_t weight, const char *bytes)
{
    return (struct snapshot_blob){.name = "name",
        .name_len = 4,
        .version = 1,
        .weight = weight,
        .subject = (const uint8_t *)subject,
        .subject_len = strlen(subject),
        .bytes = (const uint8_t *)bytes,
        .len = strlen(bytes)};
}

static void test_the_heavier_stays(void **state)
{
    static const struct {
        const char *subject;
        uint32_t weight;
        const char *bytes;
        const char *kept;
    } cases[] = {
        {"a", 5, "first", "first"},
        {"a", 4, "lighter", "first"},
        {"a", 5, "as heavy", "first"},
        {"a", 6, "heavier by one", "heavier by one"},
        {"a", 7, "", ""},
        {"a", 8, "x", "x"},
    };
    struct blob_bag bag = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct snapshot_blob blob = blob_of(cases[i].subject, cases[i].weight, cases[i].bytes);
        assert_true(blob_bag_add(&bag, &blob));
        assert_int_equal(bag.count, 1);
        assert_int_equal(bag.blobs[0].len, strlen(cases[i].kept));
        assert_memory_equal(bag.blobs[0].bytes, cases[i].kept, bag.blobs[0].len);
        assert_memory_equal(bag.blobs[0].name, "name", 4);
        assert_int_equal(bag.bytes, 4 + 1 + bag.blobs[0].len);
    }
    blob_bag_fini(&bag);
    assert_int_equal(bag.count, 0);
}

static void test_subjects_names_and_versions_differ(void **state)
{
    struct blob_bag bag = {0};
    struct snapshot_blob blob = blob_of("a", 1, "x");
    (void)state;
    assert_true(blob_bag_add(&bag, &blob));
    blob = blob_of("b", 1, "x");
    assert_true(blob_bag_add(&bag, &blob));
    blob.version = 2;
    assert_true(blob_bag_add(&bag, &blob));
    blob.name = "nama";
    assert_true(blob_bag_add(&bag, &blob));
    blob.subject_len = 0;
    assert_true(blob_bag_add(&bag, &blob));
    assert_int_equal(bag.count, 5);
    blob_bag_fini(&bag);
}

static void test_limits(void **state)
{
    static uint8_t bytes[SNAPSHOT_BYTES_MAX];
    struct blob_bag bag = {0};
    struct snapshot_blob blob = blob_of("", 1, "");
    uint32_t n = 0;
    (void)state;
    blob.subject = (const uint8_t *)&n;
    blob.subject_len = sizeof n;
    for (n = 0; n < BLOB_BAG_MAX; n++) {
        assert_true(blob_bag_add(&bag, &blob));
    }
    assert_false(blob_bag_add(&bag, &blob));
    blob_bag_fini(&bag);
    blob.bytes = bytes;
    blob.len = sizeof bytes;
    for (n = 0; blob_bag_add(&bag, &blob); n++) {
    }
    assert_true(bag.bytes <= BLOB_BAG_BYTES_MAX && bag.bytes > BLOB_BAG_BYTES_MAX / 2);
    assert_true(n < BLOB_BAG_MAX);
    blob_bag_fini(&bag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_heavier_stays),
        cmocka_unit_test(test_subjects_names_and_versions_differ),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
