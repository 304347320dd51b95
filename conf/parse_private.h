/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "conf/lexer.h"
#include "conf/schema.h"
#include "conf/settings.h"

/*
 * Settings in the making: the values read so far, and where each was set, which the checks across
 * settings (cross.c) need for their findings. Lives during one load; owned by settings.c. The words
 * and places point into the source, which lives longer.
 */
struct parse_origin {
    struct finding_place place;
    bool is_set;
    bool is_bad; /* Reported: a check that rests on this value would only repeat it. */
};

struct parse_group {
    struct finding_place place; /* Of the section; no line for group 0 without one. */
    bool is_opened;
    struct parse_origin servers;
    struct parse_origin trust_ad;
    struct parse_origin tls_pins;
    struct finding_place server_places[SETTINGS_SERVERS_MAX];
};

struct parse_zone {
    struct finding_place place;
    struct parse_origin upstream;
    struct parse_origin route;
    struct lexer_word group; /* The name behind `upstream =`, found in parse_resolve_zones(). */
};

struct parse_list {
    struct finding_place place;
    struct parse_origin rows[SCHEMA_ID_COUNT]; /* By the row's id. */
};

struct parse {
    struct settings *settings;
    struct findings *findings;
    const char *file; /* For findings without a place of their own. */
    struct parse_origin main[SCHEMA_ID_COUNT];
    struct finding_place listen_places[SETTINGS_LISTEN_MAX];
    struct finding_place metrics_places[SETTINGS_LISTEN_MAX];
    struct parse_group groups[SETTINGS_GROUPS_MAX];
    struct parse_zone zones[SETTINGS_ZONES_MAX];
    struct parse_list lists[SETTINGS_LISTS_MAX];
};

/* The section that a file stands in; zeroed: above the first one. */
struct parse_section {
    enum schema_section kind;
    size_t index;    /* Of the group, zone or list. */
    bool is_ignored; /* Its head was wrong; what stands in it has no place. */
};

/* Zeroes the settings and gives them the schema's defaults and the empty group 0. */
void parse_set_defaults(struct settings *settings);

/* Takes over one setting or opens one section. */
void parse_statement(
    struct parse *parse, const struct lexer_statement *statement, struct parse_section *section);

/* Takes over "name=value" from the command line. It wins over the file. */
void parse_override(struct parse *parse, const char *text);

/* Turns the zones' group names to indexes, when all groups are known. */
void parse_resolve_zones(struct parse *parse);
