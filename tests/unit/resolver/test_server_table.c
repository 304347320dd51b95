/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/server_table.h"

static void test_health_survives_reload(void **state)
{
    struct settings *before = settings_of("upstreams = 192.0.2.1 192.0.2.2\n"
                                          "[upstream office]\nservers = 192.0.2.1\n"
                                          "[zone corp]\nupstream = office\n");
    struct settings *after = settings_of("upstreams = 192.0.2.3 192.0.2.2\n");
    struct server_table old;
    struct server_table fresh;
    (void)state;
    assert_true(server_table_init(&old, before, NULL));
    assert_int_equal(old.count, 3);
    assert_int_equal(old.groups[1].first, 2);
    old.servers[0].latency_us = 111;
    old.servers[1].latency_us = 222;
    assert_true(server_table_init(&fresh, after, &old));
    assert_int_equal(fresh.count, 2);
    assert_int_equal(fresh.servers[0].latency_us, 0);
    assert_int_equal(fresh.servers[1].latency_us, 222);
    server_table_fini(&old);
    server_table_fini(&fresh);
    free(before);
    free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health_survives_reload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
