/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "daemon/flooders.h"

#define OTHERS 20000 /* Ports of clients who ask once. */

static struct address source_of(uint32_t number)
{
    struct address source = {.family = ADDRESS_IPV4, .port = (uint16_t)(1024 + number % 60000)};
    source.bytes[0] = 127;
    source.bytes[3] = 1;
    return source;
}

struct flood {
    unsigned sources;  /* Ports 0 and up, who send alike. */
    unsigned permille; /* Of all datagrams. */
    size_t found;
};

/* Both looks: 2 * FLOODERS_SAMPLE datagrams, in an order of chance. */
static size_t flood_run(const struct flood *flood, struct random *random, struct address *found_out)
{
    struct flooders flooders;
    bool is_over = false;
    flooders_reset(&flooders);
    for (unsigned i = 0; i < 2 * FLOODERS_SAMPLE; i++) {
        bool is_flood = random_below(random, 1000) < flood->permille;
        uint32_t number =
            is_flood ? random_below(random, flood->sources) : 1000 + random_below(random, OTHERS);
        struct address source = source_of(number);
        assert_false(is_over);
        is_over = flooders_note(&flooders, &source);
    }
    assert_true(is_over);
    size_t count = flooders_take(&flooders, found_out);
    assert_int_equal(flooders.seen, 0);
    return count;
}

static void test_who_floods_is_found(void **state)
{
    (void)state;
    static const struct flood floods[] = {
        {1, 1000, 1},
        {1, 900, 1},
        {1, 500, 1},
        {2, 990, 2},
        {8, 1000, 8},
        {64, 1000, 0}, /* None of them sends much. */
        {1, 0, 0},
    };
    struct random random;
    random_init_seed(&random, 7);
    for (size_t i = 0; i < sizeof floods / sizeof floods[0]; i++) {
        struct address found[FLOODERS_PLACES];
        size_t count = flood_run(&floods[i], &random, found);
        if (count != floods[i].found) {
            fail_msg("case %zu: %zu found", i, count);
        }
        for (size_t at = 0; at < count; at++) {
            assert_in_range(found[at].port, 1024, 1024 + floods[i].sources - 1);
        }
    }
}

/* Sources with one port and two addresses are two. */
static void test_address_and_port_tell_sources_apart(void **state)
{
    (void)state;
    struct flooders flooders;
    struct address found[FLOODERS_PLACES];
    struct address one = source_of(1);
    struct address other = one;
    other.bytes[3] = 2;
    flooders_reset(&flooders);
    for (unsigned i = 0; i < 2 * FLOODERS_SAMPLE; i++) {
        (void)flooders_note(&flooders, i % 40 == 0 ? &other : &one);
    }
    assert_int_equal(flooders_take(&flooders, found), 1);
    assert_true(address_equal(&found[0], &one));
}

/* Who sends far less than the worst, or is only the worst of many, is not who floods. */
static void test_a_busy_client_is_none(void **state)
{
    (void)state;
    struct busy_case {
        unsigned flood_sources;
        unsigned client; /* Of 100 datagrams, from one source; the others are the flood's. */
        size_t found;
    };
    static const struct busy_case cases[] = {
        {1, 10, 1},
        {1, 25, 1},
        {5000, 10, 0},
        {64, 20, 0},
        {4, 20, 5}, /* No worse than they: nobody can tell. */
        {5000, 50, 1},
    };
    struct random random;
    random_init_seed(&random, 9);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct busy_case *busy = &cases[i];
        struct flooders flooders;
        struct address found[FLOODERS_PLACES];
        flooders_reset(&flooders);
        for (unsigned at = 0; at < 2 * FLOODERS_SAMPLE; at++) {
            bool is_client = random_below(&random, 100) < busy->client;
            struct address source =
                source_of(is_client ? 50000 : random_below(&random, busy->flood_sources));
            (void)flooders_note(&flooders, &source);
        }
        size_t count = flooders_take(&flooders, found);
        if (count != busy->found) {
            fail_msg("case %zu: %zu found", i, count);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_floods_is_found),
        cmocka_unit_test(test_address_and_port_tell_sources_apart),
        cmocka_unit_test(test_a_busy_client_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
