/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/route.h"

static const char conf[] = "upstreams = 192.0.2.1\n"
                           "[upstream office]\nservers = 192.0.2.2\n"
                           "[upstream branch]\nservers = 192.0.2.3\n"
                           "[zone example.corp]\nupstream = office\n"
                           "[zone branch.example.corp]\nupstream = branch\n"
                           "[zone 10.in-addr.arpa]\nupstream = office\n";

static void test_longest_suffix(void **state)
{
    static const struct {
        const char *name;
        size_t group;
    } cases[] = {
        {".", 0},
        {"corp", 0},
        {"example.corp", 1},
        {"mail.example.corp", 1},
        {"a.b.c.d.example.corp", 1},
        {"branch.example.corp", 2},
        {"mail.branch.example.corp", 2},
        {"xbranch.example.corp", 1},
        {"xexample.corp", 0},
        {"example.corp.org", 0},
        {"1.2.3.10.in-addr.arpa", 1},
        {"1.2.3.11.in-addr.arpa", 0},
    };
    struct settings *settings = settings_of(conf);
    struct random random;
    struct route route;
    (void)state;
    random_init_seed(&random, 1);
    assert_true(route_init(&route, settings, &random));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t name[NAME_SIZE_MAX];
        size_t len = name_of(cases[i].name, name);
        assert_int_equal(route_group(&route, name, len), cases[i].group);
        assert_true(route_is_configured(&route, name, len) == (cases[i].group != 0));
    }
    route_fini(&route);
    free(settings);
}

static void test_no_zones(void **state)
{
    struct settings *settings = settings_of("upstreams = 192.0.2.1\n");
    struct random random;
    struct route route;
    uint8_t name[NAME_SIZE_MAX];
    (void)state;
    random_init_seed(&random, 1);
    assert_true(route_init(&route, settings, &random));
    size_t len = name_of("example.org", name);
    assert_int_equal(route_group(&route, name, len), 0);
    assert_false(route_is_configured(&route, name, len));
    route_fini(&route);
    free(settings);
}

/* [zone .] routes everything, and is no word about any name in it. */
static void test_root_zone(void **state)
{
    struct settings *settings = settings_of("upstreams = 192.0.2.1\n"
                                            "[upstream office]\nservers = 192.0.2.2\n"
                                            "[zone .]\nupstream = office\n"
                                            "[zone org]\nupstream = default\n");
    struct random random;
    struct route route;
    uint8_t name[NAME_SIZE_MAX];
    (void)state;
    random_init_seed(&random, 1);
    assert_true(route_init(&route, settings, &random));
    size_t len = name_of("localhost", name);
    assert_int_equal(route_group(&route, name, len), 1);
    assert_false(route_is_configured(&route, name, len));
    len = name_of(".", name);
    assert_int_equal(route_group(&route, name, len), 1);
    len = name_of("example.org", name);
    assert_int_equal(route_group(&route, name, len), 0);
    assert_true(route_is_configured(&route, name, len));
    route_fini(&route);
    free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_longest_suffix),
        cmocka_unit_test(test_no_zones), cmocka_unit_test(test_root_zone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
