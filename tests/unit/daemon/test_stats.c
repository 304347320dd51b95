/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/stats.h"

/* Rows and struct have one order, and each row has its sentence. */
static void test_rows(void **state)
{
    (void)state;
    struct daemon_stats stats = {0};
    counter_add(&stats.udp_received, 1);
    counter_add(&stats.tcp_clients, 2);
    counter_add(&stats.reloads_failed, 3);
    uint64_t sum = 0;
    for (size_t i = 0; i < daemon_metric_row_count; i++) {
        const struct metric_row *row = &daemon_metric_rows[i];
        uint64_t value = daemon_stats_read(&stats, i);
        sum += value;
        assert_true(strlen(row->sentence) > 10);
        assert_true(strcmp(row->name, "udp_received") != 0 || value == 1);
        assert_true(strcmp(row->name, "tcp_clients") != 0 ||
                    (value == 2 && row->kind == METRIC_KIND_GAUGE));
        assert_true(strcmp(row->name, "reloads_failed") != 0 || value == 3);
    }
    assert_int_equal(sum, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
