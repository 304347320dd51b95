/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/daemon/serving_support.h"

#include "tests/support/allocations.h"

/*
 * A cached answer takes no memory from the system, from the datagram's arrival to the answer's
 * departure, libraries included.
 */
#define HITS 200

static void ask_and_receive(struct serving *serving, int fd, uint16_t id)
{
    static uint8_t bytes[SERVING_SIZE];
    size_t len = serving_query(bytes, id, "mail.example.org", TYPE_A);
    assert_int_equal(send(fd, bytes, len, 0), len);
    if (id == 0) {
        serving_upstream_deny(serving);
    }
    assert_true(serving_receive(fd, bytes, sizeof bytes) >= HEADER_SIZE);
    assert_int_equal(header_id(bytes), id);
    assert_int_equal(header_rcode(bytes), RCODE_NXDOMAIN);
}

static void test_hit_allocates_nothing(void **state)
{
    (void)state;
    struct serving *serving = serving_new("127.0.0.1");
    serving_start(serving);
    int fd = serving_connect(serving, SOCK_DGRAM, NULL);
    ask_and_receive(serving, fd, 0);
    ask_and_receive(serving, fd, 1); /* Whatever a loop makes ready at first is ready now. */
    allocations_begin();
    for (uint16_t i = 2; i < 2 + HITS; i++) {
        ask_and_receive(serving, fd, i);
    }
    assert_int_equal(allocations_count(), 0);
    (void)close(fd);
    serving_free(serving);
}

/* The counter counts: else the test above could not fail. */
static void test_counter_counts(void **state)
{
    (void)state;
    allocations_begin();
    char *volatile memory = malloc(10);
    assert_true(allocations_count() >= 1);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counter_counts),
        cmocka_unit_test(test_hit_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
