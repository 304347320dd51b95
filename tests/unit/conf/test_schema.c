/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/schema.h"
#include "conf/settings.h"

/* The size of the field, by kind; 0: any. */
static size_t size_of_kind(enum schema_kind kind)
{
    switch (kind) {
    case SCHEMA_KIND_DURATION:
    case SCHEMA_KIND_SIZE:
    case SCHEMA_KIND_NUMBER:
        return sizeof(uint64_t);
    case SCHEMA_KIND_BOOL:
        return sizeof(bool);
    case SCHEMA_KIND_LOG_LEVEL:
        return sizeof(enum log_level);
    case SCHEMA_KIND_TRUST_AD:
        return sizeof(enum settings_trust_ad);
    case SCHEMA_KIND_PATH:
    case SCHEMA_KIND_WORD:
        return 0;
    case SCHEMA_KIND_ADDRESSES:
        return sizeof(struct address) * SETTINGS_LISTEN_MAX;
    case SCHEMA_KIND_SERVERS:
        return sizeof(struct settings_server) * SETTINGS_SERVERS_MAX;
    case SCHEMA_KIND_PINS:
        return sizeof(struct settings_pin) * SETTINGS_PINS_MAX;
    case SCHEMA_KIND_GROUP:
    case SCHEMA_KIND_ROUTE:
    case SCHEMA_KIND_NETWORKS: /* Of two lengths, see below. */
        break;
    case SCHEMA_KIND_LIST_ACTION:
        return sizeof(enum settings_list_action);
    case SCHEMA_KIND_LIST_KIND:
        return sizeof(enum settings_list_kind);
    case SCHEMA_KIND_LIST_KEY:
        return sizeof(enum settings_list_key);
    }
    return 0;
}

static void test_rows_are_whole(void **state)
{
    (void)state;
    for (size_t id = 0; id < SCHEMA_ID_COUNT; id++) {
        const struct schema_row *row = schema_row((enum schema_id)id);
        assert_int_equal(row->id, id);
        assert_ptr_equal(schema_find(row->name, strlen(row->name)), row);
        assert_true(row->min <= row->max);
        assert_true(strlen(row->form) > 0);
        assert_true(strlen(row->sentence) > 20);
        assert_int_equal(row->sentence[strlen(row->sentence) - 1], '.');
        size_t size = size_of_kind(row->kind);
        if (size > 0) {
            assert_int_equal(row->size, size);
        }
        if (row->kind == SCHEMA_KIND_PATH || row->kind == SCHEMA_KIND_WORD) {
            assert_true(row->max < (int64_t)row->size);
        }
    }
}

static void test_lists_of_networks(void **state)
{
    (void)state;
    assert_int_equal(
        schema_row(SCHEMA_ID_allow)->size, sizeof(struct network) * SETTINGS_ALLOW_MAX);
    assert_int_equal(
        schema_row(SCHEMA_ID_refused)->size, sizeof(struct network) * SETTINGS_REFUSED_MAX);
}

static void test_sections(void **state)
{
    (void)state;
    assert_int_equal(schema_section(schema_row(SCHEMA_ID_cache_size)), SCHEMA_SECTION_MAIN);
    assert_int_equal(schema_section(schema_row(SCHEMA_ID_servers)), SCHEMA_SECTION_UPSTREAM);
    assert_int_equal(schema_section(schema_row(SCHEMA_ID_route)), SCHEMA_SECTION_ZONE);
    assert_int_equal(schema_section(schema_row(SCHEMA_ID_refused)), SCHEMA_SECTION_LIST);
}

static const struct schema_row *find(const char *name)
{
    return schema_find(name, strlen(name));
}

static void test_find(void **state)
{
    (void)state;
    assert_ptr_equal(find("cache-size"), schema_row(SCHEMA_ID_cache_size));
    assert_ptr_equal(find("cache_size"), schema_row(SCHEMA_ID_cache_size));
    assert_null(find("cache_siz"));
    assert_null(find("cache_sizes"));
    assert_null(find(""));
    static const char long_name[] =
        "a_name_that_is_longer_than_any_other_name_that_will_ever_stand_in_the_table_of_settings";
    assert_null(find(long_name));
    assert_null(schema_find_near(long_name, strlen(long_name), SCHEMA_SECTION_MAIN));
}

struct near_case {
    const char *name;
    enum schema_section section;
    const char *near; /* NULL: none. */
};

static const struct near_case near_cases[] = {
    {"lisen", SCHEMA_SECTION_MAIN, "listen"},
    {"Listen", SCHEMA_SECTION_MAIN, "listen"},
    {"LISTEN", SCHEMA_SECTION_MAIN, "listen"},
    {"upstream", SCHEMA_SECTION_MAIN, "upstreams"},
    {"cachesize", SCHEMA_SECTION_MAIN, "cache_size"},
    {"max_ttl", SCHEMA_SECTION_MAIN, NULL},
    {"worker", SCHEMA_SECTION_MAIN, "workers"},
    {"forwarders", SCHEMA_SECTION_MAIN, NULL},
    {"x", SCHEMA_SECTION_MAIN, NULL},
    {"lisen", SCHEMA_SECTION_UPSTREAM, NULL},
    {"server", SCHEMA_SECTION_UPSTREAM, "servers"},
    {"upstreams", SCHEMA_SECTION_ZONE, "upstream"},
};

static void test_find_near(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof near_cases / sizeof near_cases[0]; i++) {
        const struct near_case *item = &near_cases[i];
        const struct schema_row *near =
            schema_find_near(item->name, strlen(item->name), item->section);
        assert_string_equal(
            near == NULL ? "none" : near->name, item->near == NULL ? "none" : item->near);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_whole),
        cmocka_unit_test(test_lists_of_networks),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_find_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
