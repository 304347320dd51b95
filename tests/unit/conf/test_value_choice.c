/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/settings.h"
#include "conf/value_private.h"

#define REFUSED 99

struct choice_case {
    enum schema_id id;
    const char *word;
    unsigned value; /* REFUSED: it is none of the words. */
};

static const struct choice_case cases[] = {
    {SCHEMA_ID_list_route, "upstream", SETTINGS_ROUTE_UPSTREAM},
    {SCHEMA_ID_list_route, "direct", SETTINGS_ROUTE_DIRECT},
    {SCHEMA_ID_list_route, "auto", SETTINGS_ROUTE_AUTO},
    {SCHEMA_ID_list_route, "Auto", REFUSED},
    {SCHEMA_ID_list_route, "aut", REFUSED},
    {SCHEMA_ID_list_route, "autos", REFUSED},
    {SCHEMA_ID_list_route, "", REFUSED},
    {SCHEMA_ID_kind, "auto", SETTINGS_LIST_KIND_AUTO},
    {SCHEMA_ID_kind, "ip", SETTINGS_LIST_KIND_IP},
    {SCHEMA_ID_kind, "allow", SETTINGS_LIST_KIND_ALLOW},
    {SCHEMA_ID_kind, "domain", SETTINGS_LIST_KIND_DOMAIN},
    {SCHEMA_ID_kind, "hash", SETTINGS_LIST_KIND_HASH},
    {SCHEMA_ID_kind, "yes", REFUSED},
    {SCHEMA_ID_has_key, "auto", SETTINGS_LIST_KEY_AUTO},
    {SCHEMA_ID_has_key, "yes", SETTINGS_LIST_KEY_YES},
    {SCHEMA_ID_has_key, "no", SETTINGS_LIST_KEY_NO},
    {SCHEMA_ID_has_key, "on", REFUSED},
    {SCHEMA_ID_action, "auto", SETTINGS_LIST_ACTION_AUTO},
    {SCHEMA_ID_action, "servfail", SETTINGS_LIST_ACTION_SERVFAIL},
    {SCHEMA_ID_action, "nxdomain", SETTINGS_LIST_ACTION_NXDOMAIN},
    {SCHEMA_ID_action, "pass", SETTINGS_LIST_ACTION_PASS},
    {SCHEMA_ID_action, "drop", REFUSED},
    /* For all lists there is nothing that `auto` could follow. */
    {SCHEMA_ID_list_action, "auto", REFUSED},
    {SCHEMA_ID_list_action, "servfail", SETTINGS_LIST_ACTION_SERVFAIL},
    {SCHEMA_ID_list_action, "pass", SETTINGS_LIST_ACTION_PASS},
};

/* What is read is named so again; a word that is refused leaves the field as it was. */
static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct choice_case *row = &cases[i];
        const struct schema_row *schema = schema_row(row->id);
        const struct lexer_word word = {.bytes = row->word, .len = strlen(row->word)};
        unsigned field = REFUSED;
        assert_true(value_choice_read(schema, &word, &field) == (row->value != REFUSED));
        assert_int_equal(field, row->value);
        if (row->value != REFUSED) {
            assert_string_equal(value_choice_name(schema, &field), row->word);
        }
    }
}

/* Every value of each row has a name, and no two the same. */
static void test_every_value(void **state)
{
    static const struct {
        enum schema_id id;
        unsigned count;
    } rows[] = {
        {SCHEMA_ID_list_route, 3},
        {SCHEMA_ID_route, 3},
        {SCHEMA_ID_kind, 5},
        {SCHEMA_ID_has_key, 3},
        {SCHEMA_ID_action, 4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct schema_row *schema = schema_row(rows[i].id);
        for (unsigned value = 0; value < rows[i].count; value++) {
            const char *text = value_choice_name(schema, &value);
            const struct lexer_word word = {.bytes = text, .len = strlen(text)};
            unsigned again = REFUSED;
            assert_true(value_choice_read(schema, &word, &again));
            assert_int_equal(again, value);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_every_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
