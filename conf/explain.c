/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "conf/parse_private.h"
#include "conf/value.h"
#include "wire/name.h"

/* One value in its text form. */
struct explain_value {
    char text[VALUE_TEXT_SIZE];
};

static const char *explain_value(
    const struct schema_row *row, const void *base, struct explain_value *out)
{
    struct text text;
    text_init(&text, out->text, sizeof out->text);
    value_write(row, base, &text);
    return out->text;
}

static bool explain_is_equal(
    const struct schema_row *row, const struct settings *a, const struct settings *b)
{
    struct explain_value a_value;
    struct explain_value b_value;
    return strcmp(explain_value(row, a, &a_value), explain_value(row, b, &b_value)) == 0;
}

static void explain_line(const char *name, const char *value, FILE *out)
{
    fprintf(out, value[0] == '\0' ? "%s =%s\n" : "%s = %s\n", name, value);
}

/* One setting above the sections. */
static void explain_row(const struct schema_row *row, const struct settings *settings, FILE *out)
{
    struct explain_value value;
    explain_value(row, settings, &value);
    if (row->id == SCHEMA_ID_upstreams && settings->upstreams_from_file) {
        explain_line(row->name, "", out);
        fprintf(out, "# now from %s: %s\n", settings->upstreams_file,
            value.text[0] == '\0' ? "none" : value.text);
    } else {
        explain_line(row->name, value.text, out);
    }
}

/* Group 0 has its servers in `upstreams`; its section is needed for the rest. */
static void explain_group(const struct settings *settings, size_t index, FILE *out)
{
    const struct settings_group *group = &settings->groups[index];
    struct explain_value value;
    if (index == 0 && group->trust_ad == SETTINGS_TRUST_AD_NO && group->tls_pin_count == 0) {
        return;
    }
    fprintf(out, "\n[upstream %s]\n", group->name);
    if (index > 0) {
        const struct schema_row *servers = schema_row(SCHEMA_ID_servers);
        explain_line(servers->name, explain_value(servers, group, &value), out);
    }
    const struct schema_row *trust_ad = schema_row(SCHEMA_ID_trust_ad);
    explain_line(trust_ad->name, explain_value(trust_ad, group, &value), out);
    if (group->tls_pin_count > 0) {
        const struct schema_row *tls_pins = schema_row(SCHEMA_ID_tls_pins);
        explain_line(tls_pins->name, explain_value(tls_pins, group, &value), out);
    }
}

/* The presentation form, with \DDD also for the bytes that would end a word or the section's head.
 * The final dot goes, but for the root. */
static void explain_zone_name(const uint8_t *zone, size_t zone_len, FILE *out)
{
    char name[NAME_TEXT_SIZE];
    size_t len = name_to_text(zone, zone_len, name, sizeof name);
    len -= len > 1 ? 1 : 0;
    for (size_t i = 0; i < len; i++) {
        if (memchr(",]#", name[i], 3) != NULL) {
            fprintf(out, "\\%03u", (unsigned)(unsigned char)name[i]);
        } else {
            fputc(name[i], out);
        }
    }
}

static void explain_zone(const struct settings *settings, size_t index, FILE *out)
{
    const struct settings_zone *zone = &settings->zones[index];
    fputs("\n[zone ", out);
    explain_zone_name(zone->name, zone->name_len, out);
    fputs("]\n", out);
    explain_line(schema_row(SCHEMA_ID_upstream)->name, settings->groups[zone->group].name, out);
    if (zone->route != SETTINGS_ROUTE_UPSTREAM) {
        struct explain_value value;
        const struct schema_row *route = schema_row(SCHEMA_ID_route);
        explain_line(route->name, explain_value(route, zone, &value), out);
    }
}

/* What was left to what is known of the list has no line. */
static void explain_list(const struct settings_list *list, FILE *out)
{
    fputs("\n[list ", out);
    explain_zone_name(list->name, list->name_len, out);
    fputs("]\n", out);
    for (size_t id = 0; id < SCHEMA_ID_COUNT; id++) {
        const struct schema_row *row = schema_row((enum schema_id)id);
        struct explain_value value;
        if (schema_section(row) == SCHEMA_SECTION_LIST &&
            strcmp(explain_value(row, list, &value), row->default_text) != 0) {
            explain_line(row->name, value.text, out);
        }
    }
}

/* A fresh object with the defaults. NULL: memory is short. */
static struct settings *explain_new_defaults(void)
{
    struct settings *defaults = malloc(sizeof *defaults);
    if (defaults != NULL) {
        parse_set_defaults(defaults);
    }
    return defaults;
}

void explain_settings(const struct settings *settings, enum explain_scope scope, FILE *out)
{
    struct settings *defaults = explain_new_defaults();
    for (size_t id = 0; id < SCHEMA_ID_COUNT; id++) {
        const struct schema_row *row = schema_row((enum schema_id)id);
        bool is_main = schema_section(row) == SCHEMA_SECTION_MAIN;
        bool is_file_list = row->id == SCHEMA_ID_upstreams && settings->upstreams_from_file;
        bool is_default = is_main && scope == EXPLAIN_CHANGED && defaults != NULL &&
                          (is_file_list || explain_is_equal(row, settings, defaults));
        if (is_main && !is_default) {
            explain_row(row, settings, out);
        }
    }
    for (size_t i = 0; i < settings->group_count; i++) {
        explain_group(settings, i, out);
    }
    for (size_t i = 0; i < settings->zone_count; i++) {
        explain_zone(settings, i, out);
    }
    for (size_t i = 0; i < settings->list_count; i++) {
        explain_list(&settings->lists[i], out);
    }
    free(defaults);
}

void explain_defaults(FILE *out)
{
    struct settings *defaults = explain_new_defaults();
    if (defaults != NULL) {
        explain_settings(defaults, EXPLAIN_ALL, out);
    }
    free(defaults);
}

static void explain_add_name(struct text *names, const char *name)
{
    text_add(names, names->len > 0 ? " " : "");
    text_add(names, name);
}

/* The sections have a text, which is the same when they are. */
static bool explain_sections_differ(const struct settings *old, const struct settings *new)
{
    char *texts[2] = {NULL, NULL};
    size_t sizes[2] = {0, 0};
    const struct settings *const both[2] = {old, new};
    for (unsigned i = 0; i < 2; i++) {
        FILE *out = open_memstream(&texts[i], &sizes[i]);
        if (out == NULL) {
            continue;
        }
        for (size_t group = 0; group < both[i]->group_count; group++) {
            explain_group(both[i], group, out);
        }
        for (size_t zone = 0; zone < both[i]->zone_count; zone++) {
            explain_zone(both[i], zone, out);
        }
        for (size_t list = 0; list < both[i]->list_count; list++) {
            explain_list(&both[i]->lists[list], out);
        }
        (void)fclose(out);
    }
    bool is_same = texts[0] != NULL && texts[1] != NULL && sizes[0] == sizes[1] &&
                   memcmp(texts[0], texts[1], sizes[0]) == 0;
    free(texts[0]);
    free(texts[1]);
    return !is_same;
}

void explain_difference(const struct settings *old, const struct settings *new, struct text *names)
{
    for (size_t id = 0; id < SCHEMA_ID_COUNT; id++) {
        const struct schema_row *row = schema_row((enum schema_id)id);
        if (schema_section(row) == SCHEMA_SECTION_MAIN && !explain_is_equal(row, old, new)) {
            explain_add_name(names, row->name);
        }
    }
    if (explain_sections_differ(old, new)) {
        explain_add_name(names, "sections");
    }
}

bool explain_restart_needed(
    const struct settings *old, const struct settings *new, struct text *names)
{
    bool is_needed = false;
    for (size_t id = 0; id < SCHEMA_ID_COUNT; id++) {
        const struct schema_row *row = schema_row((enum schema_id)id);
        if (schema_section(row) != SCHEMA_SECTION_MAIN || row->change != SCHEMA_CHANGE_RESTART ||
            explain_is_equal(row, old, new)) {
            continue;
        }
        text_add(names, is_needed ? " " : "");
        text_add(names, row->name);
        is_needed = true;
    }
    return is_needed;
}
