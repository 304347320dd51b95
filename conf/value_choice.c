/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/must.h"
#include "conf/settings.h"
#include "conf/value_private.h"

/* The words of each enum in the order of its values; the enums have the size of an int. */
static const char *const value_choice_actions[] = {"auto", "servfail", "nxdomain", "pass"};
static const char *const value_choice_kinds[] = {"auto", "ip", "allow", "domain", "hash"};
static const char *const value_choice_keys[] = {"auto", "yes", "no"};
static const char *const value_choice_routes[] = {"upstream", "direct", "auto"};

struct value_choices {
    const char *const *words;
    size_t count;
};

_Static_assert(sizeof(enum settings_list_action) == sizeof(unsigned), "an enum is an int");

static struct value_choices value_choices_of(const struct schema_row *row)
{
    must(row->size == sizeof(unsigned));
    if (row->kind == SCHEMA_KIND_LIST_ACTION) {
        return (struct value_choices){value_choice_actions, 4};
    }
    if (row->kind == SCHEMA_KIND_LIST_KIND) {
        return (struct value_choices){value_choice_kinds, 5};
    }
    if (row->kind == SCHEMA_KIND_ROUTE) {
        return (struct value_choices){value_choice_routes, 3};
    }
    must(row->kind == SCHEMA_KIND_LIST_KEY);
    return (struct value_choices){value_choice_keys, 3};
}

bool value_choice_read(const struct schema_row *row, const struct lexer_word *word, void *field)
{
    struct value_choices choices = value_choices_of(row);
    for (unsigned i = (unsigned)row->min; i < choices.count; i++) {
        if (lexer_word_is(word, choices.words[i])) {
            memcpy(field, &i, sizeof i);
            return true;
        }
    }
    return false;
}

const char *value_choice_name(const struct schema_row *row, const void *field)
{
    struct value_choices choices = value_choices_of(row);
    unsigned index;
    memcpy(&index, field, sizeof index);
    must(index < choices.count);
    return choices.words[index];
}
