/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/parse_private.h"

#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "conf/value.h"
#include "wire/name.h"

#define PARSE_OVERRIDE_FILE "-o"
#define PARSE_GROUP_DEFAULT "default"

/* The schema's own texts are right, or no build could start. */
static void parse_set_default(
    const struct schema_row *row, struct settings *settings, struct findings *findings)
{
    char line[256];
    struct text text;
    text_init(&text, line, sizeof line);
    text_addf(&text, "%s = %s", row->name, row->default_text);
    must(!text.is_cut);

    struct lexer lexer;
    struct lexer_statement statement;
    lexer_init(&lexer, "defaults", 0, findings);
    lexer_feed(&lexer, line, text.len);
    must(lexer_next(&lexer, &statement) == LEXER_SETTING);
    must(value_read(row, &statement, settings, findings));
}

void parse_set_defaults(struct settings *settings)
{
    struct findings findings = {.count = 0};
    memset(settings, 0, sizeof *settings);
    memcpy(settings->groups[0].name, PARSE_GROUP_DEFAULT, sizeof PARSE_GROUP_DEFAULT);
    settings->group_count = 1;
    for (size_t id = 0; id < SCHEMA_ID_COUNT; id++) {
        const struct schema_row *row = schema_row((enum schema_id)id);
        if (schema_section(row) == SCHEMA_SECTION_MAIN) {
            parse_set_default(row, settings, &findings);
        }
    }
}

/* The section's struct that the row's offset counts from. */
static void *parse_base(struct parse *parse, const struct parse_section *section)
{
    if (section->kind == SCHEMA_SECTION_UPSTREAM) {
        return &parse->settings->groups[section->index];
    }
    if (section->kind == SCHEMA_SECTION_LIST) {
        return &parse->settings->lists[section->index];
    }
    if (section->kind == SCHEMA_SECTION_ZONE) {
        return &parse->settings->zones[section->index];
    }
    return parse->settings;
}

static struct parse_origin *parse_group_origin(struct parse_group *group, enum schema_id id)
{
    if (id == SCHEMA_ID_servers) {
        return &group->servers;
    }
    return id == SCHEMA_ID_trust_ad ? &group->trust_ad : &group->tls_pins;
}

/* Where this row of this section was set. */
static struct parse_origin *parse_origin(
    struct parse *parse, const struct parse_section *section, enum schema_id id)
{
    switch (section->kind) {
    case SCHEMA_SECTION_MAIN:
        break;
    case SCHEMA_SECTION_UPSTREAM:
        return parse_group_origin(&parse->groups[section->index], id);
    case SCHEMA_SECTION_ZONE:
        return id == SCHEMA_ID_upstream ? &parse->zones[section->index].upstream
                                        : &parse->zones[section->index].route;
    case SCHEMA_SECTION_LIST:
        return &parse->lists[section->index].rows[id];
    }
    return &parse->main[id];
}

static const char *parse_section_form(enum schema_section section)
{
    switch (section) {
    case SCHEMA_SECTION_MAIN:
        return "above the first [section]";
    case SCHEMA_SECTION_UPSTREAM:
        return "in an [upstream NAME] section";
    case SCHEMA_SECTION_ZONE:
        return "in a [zone NAME] section";
    case SCHEMA_SECTION_LIST:
        return "in a [list ZONE] section";
    }
    return "";
}

/* Nothing more is shown: then nothing more need be compared, however long the file is. */
static bool parse_is_full(const struct parse *parse)
{
    return parse->findings->count == FINDINGS_MAX;
}

/* No row has this name. */
static void parse_refuse_unknown(
    struct parse *parse, const struct lexer_word *name, enum schema_section section)
{
    struct finding_quote quote;
    finding_quote(name->bytes, name->len, &quote);
    const struct schema_row *near = NULL;
    if (!parse_is_full(parse)) {
        near = schema_find_near(name->bytes, name->len, section);
    }
    if (lexer_word_is(name, "include")) {
        finding_add(
            parse->findings, FINDING_ERROR, &name->place, "include has no =: write include FILE");
    } else if (near != NULL) {
        finding_add(parse->findings, FINDING_ERROR, &name->place,
            "unknown setting \"%s\": did you mean %s?", quote.text, near->name);
    } else {
        finding_add(parse->findings, FINDING_ERROR, &name->place,
            "unknown setting \"%s\" %s: mxcache conf --sample lists the settings, mxcache.conf(5) "
            "explains them",
            quote.text, parse_section_form(section));
    }
}

/* The row, if it may stand in this section. NULL: reported. */
static const struct schema_row *parse_find_row(
    struct parse *parse, const struct lexer_word *name, enum schema_section section)
{
    const struct schema_row *row = schema_find(name->bytes, name->len);
    if (row == NULL) {
        parse_refuse_unknown(parse, name, section);
        return NULL;
    }
    if (schema_section(row) != section) {
        const struct schema_row *near = schema_find_near(name->bytes, name->len, section);
        bool is_slip = near != NULL && text_distance(near->name, row->name) == 1;
        finding_add(parse->findings, FINDING_ERROR, &name->place,
            "%s does not belong here: %s%s%sput it %s", row->name, is_slip ? "did you mean " : "",
            is_slip ? near->name : "", is_slip ? "? Else " : "",
            parse_section_form(schema_section(row)));
        return NULL;
    }
    return row;
}

/* The name of a zone's group is looked for when all groups are known. */
static bool parse_zone_group(struct parse *parse, const struct schema_row *row,
    const struct lexer_statement *statement, struct parse_zone *zone)
{
    if (statement->word_count != 1) {
        finding_add(parse->findings, FINDING_ERROR, &statement->value_place,
            "%s takes one value (%s), and %zu stand here", row->name, row->form,
            statement->word_count);
        return false;
    }
    zone->group = statement->words[0];
    return true;
}

/* Keeps the places of a list's words for the checks that speak of one entry. */
static void parse_note_places(struct parse *parse, const struct schema_row *row,
    const struct lexer_statement *statement, const struct parse_section *section)
{
    struct finding_place *places = NULL;
    if (row->id == SCHEMA_ID_listen) {
        places = parse->listen_places;
    } else if (row->id == SCHEMA_ID_metrics_listen) {
        places = parse->metrics_places;
    } else if (row->id == SCHEMA_ID_upstreams) {
        places = parse->groups[0].server_places;
    } else if (row->id == SCHEMA_ID_servers) {
        places = parse->groups[section->index].server_places;
    }
    for (size_t i = 0; places != NULL && i < statement->word_count; i++) {
        places[i] = statement->words[i].place;
    }
}

/* The servers of group 0 may stand in `upstreams` or in [upstream default]. */
static const struct parse_origin *parse_earlier(struct parse *parse,
    const struct parse_section *section, const struct schema_row *row,
    const struct parse_origin *origin)
{
    if (row->id == SCHEMA_ID_upstreams && parse->groups[0].servers.is_set) {
        return &parse->groups[0].servers;
    }
    bool is_default = section->kind == SCHEMA_SECTION_UPSTREAM && section->index == 0;
    if (is_default && row->id == SCHEMA_ID_servers && parse->main[SCHEMA_ID_upstreams].is_set) {
        return &parse->main[SCHEMA_ID_upstreams];
    }
    return origin->is_set ? origin : NULL;
}

/* Reads the value of a row that may stand here, and notes where it was set. */
static void parse_take(struct parse *parse, const struct schema_row *row,
    const struct lexer_statement *statement, const struct parse_section *section)
{
    struct parse_origin *origin = parse_origin(parse, section, row->id);
    bool is_well = false;
    if (row->id == SCHEMA_ID_upstream) {
        is_well = parse_zone_group(parse, row, statement, &parse->zones[section->index]);
    } else {
        is_well = value_read(row, statement, parse_base(parse, section), parse->findings);
    }
    origin->place = statement->name.place;
    origin->is_set = true;
    origin->is_bad = !is_well;
    if (is_well) {
        parse_note_places(parse, row, statement, section);
    }
}

static void parse_setting(struct parse *parse, const struct lexer_statement *statement,
    const struct parse_section *section)
{
    const struct schema_row *row = parse_find_row(parse, &statement->name, section->kind);
    if (row == NULL) {
        return;
    }
    const struct parse_origin *origin = parse_origin(parse, section, row->id);
    const struct parse_origin *earlier = parse_earlier(parse, section, row, origin);
    if (earlier != NULL) {
        struct finding_quote quote;
        const char *file = earlier->place.file;
        finding_add(parse->findings, FINDING_ERROR, &statement->name.place,
            "%s is set already at %s:%u: keep one of the two", row->name,
            finding_quote(file, strlen(file), &quote), earlier->place.line);
        return;
    }
    parse_take(parse, row, statement, section);
}

static bool parse_is_group_name(const struct lexer_word *word)
{
    for (size_t i = 0; i < word->len; i++) {
        char byte = word->bytes[i];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        bool is_digit = byte >= '0' && byte <= '9';
        if (!is_letter && !is_digit && byte != '-' && byte != '_' && byte != '.') {
            return false;
        }
    }
    return word->len > 0 && word->len < SETTINGS_NAME_SIZE;
}

static void parse_refuse_section(
    struct parse *parse, const struct finding_place *place, const char *sentence)
{
    finding_add(parse->findings, FINDING_ERROR, place, "%s", sentence);
}

/* A second section of the same name. */
static void parse_refuse_again(
    struct parse *parse, const struct lexer_word *name, const struct finding_place *earlier)
{
    struct finding_quote quote;
    struct finding_quote file;
    finding_add(parse->findings, FINDING_ERROR, &name->place,
        "a section for %s stands already at %s:%u: put the two together",
        finding_quote(name->bytes, name->len, &quote),
        finding_quote(earlier->file, strlen(earlier->file), &file), earlier->line);
}

/* False: reported. */
static bool parse_open_group(struct parse *parse, const struct lexer_word *name, size_t *index_out)
{
    struct settings *settings = parse->settings;
    if (!parse_is_group_name(name)) {
        parse_refuse_section(parse, &name->place,
            "a group's name has 1 to 63 letters, digits, dots, hyphens or underscores");
        return false;
    }
    size_t index = 0;
    while (index < settings->group_count && !lexer_word_is(name, settings->groups[index].name)) {
        index++;
    }
    if (index == SETTINGS_GROUPS_MAX) {
        parse_refuse_section(parse, &name->place, "more than 32 groups of servers");
        return false;
    }
    struct parse_group *group = &parse->groups[index];
    if (group->is_opened) {
        parse_refuse_again(parse, name, &group->place);
        return false;
    }
    group->is_opened = true;
    group->place = name->place;
    if (index == settings->group_count) {
        memcpy(settings->groups[index].name, name->bytes, name->len);
        settings->group_count++;
    }
    *index_out = index;
    return true;
}

/* The name of a zone or list in wire form, lower case. False: reported. */
static bool parse_name(
    struct parse *parse, const struct lexer_word *name, uint8_t wire[NAME_SIZE_MAX], size_t *len)
{
    for (size_t i = 0; i < name->len; i++) {
        if ((uint8_t)name->bytes[i] >= 0x80) {
            parse_refuse_section(parse, &name->place,
                "the name has letters outside ASCII: DNS knows it by its xn-- form, which idn2 "
                "prints");
            return false;
        }
    }
    if (!name_from_text(name->bytes, name->len, wire, len)) {
        parse_refuse_section(parse, &name->place,
            "this is not a domain name: labels of 1 to 63 bytes with dots between, 255 bytes in "
            "all, as in [zone example.org]");
        return false;
    }
    name_to_lower(wire, *len);
    return true;
}

/* False: reported. */
static bool parse_open_list(struct parse *parse, const struct lexer_word *name, size_t *index_out)
{
    struct settings *settings = parse->settings;
    uint8_t wire[NAME_SIZE_MAX];
    size_t len = 0;
    if (!parse_name(parse, name, wire, &len)) {
        return false;
    }
    if (len == 1 || settings->list_count == SETTINGS_LISTS_MAX) {
        parse_refuse_section(parse, &name->place,
            len == 1 ? "the root is no DNS list: name the list's zone, as in [list bl.example.org]"
                     : "more than 64 lists");
        return false;
    }
    for (size_t i = 0; i < settings->list_count; i++) {
        if (name_equal(wire, len, settings->lists[i].name, settings->lists[i].name_len)) {
            parse_refuse_again(parse, name, &parse->lists[i].place);
            return false;
        }
    }
    *index_out = settings->list_count++;
    memcpy(settings->lists[*index_out].name, wire, len);
    settings->lists[*index_out].name_len = (uint8_t)len;
    parse->lists[*index_out].place = name->place;
    return true;
}

/* False: reported. */
static bool parse_open_zone(struct parse *parse, const struct lexer_word *name, size_t *index_out)
{
    struct settings *settings = parse->settings;
    uint8_t wire[NAME_SIZE_MAX];
    size_t len = 0;
    if (!parse_name(parse, name, wire, &len)) {
        return false;
    }
    if (settings->zone_count == SETTINGS_ZONES_MAX) {
        parse_refuse_section(parse, &name->place, "more than 1024 zones");
        return false;
    }
    for (size_t i = 0; i < settings->zone_count; i++) {
        const struct settings_zone *zone = &settings->zones[i];
        if (name_equal(wire, len, zone->name, zone->name_len)) {
            parse_refuse_again(parse, name, &parse->zones[i].place);
            return false;
        }
    }
    *index_out = settings->zone_count++;
    memcpy(settings->zones[*index_out].name, wire, len);
    settings->zones[*index_out].name_len = (uint8_t)len;
    parse->zones[*index_out].place = name->place;
    return true;
}

/* A section by the word that opens it. */
struct parse_opening {
    const char *word;
    enum schema_section kind;
    bool (*open)(struct parse *parse, const struct lexer_word *name, size_t *index_out);
    const char *advice; /* When it has not exactly one name. */
};

static const struct parse_opening parse_openings[] = {
    {"upstream", SCHEMA_SECTION_UPSTREAM, parse_open_group,
        "an upstream section has one name: write [upstream NAME]"},
    {"zone", SCHEMA_SECTION_ZONE, parse_open_zone,
        "a zone section has one name: write [zone NAME]"},
    {"list", SCHEMA_SECTION_LIST, parse_open_list,
        "a list section has one name: write [list ZONE]"},
};

static const struct parse_opening *parse_find_opening(const struct lexer_word *word)
{
    for (size_t i = 0; i < sizeof parse_openings / sizeof parse_openings[0]; i++) {
        if (lexer_word_is(word, parse_openings[i].word)) {
            return &parse_openings[i];
        }
    }
    return NULL;
}

static void parse_open_section(
    struct parse *parse, const struct lexer_statement *statement, struct parse_section *section)
{
    *section = (struct parse_section){.is_ignored = true};
    const struct parse_opening *opening = parse_find_opening(&statement->name);
    if (statement->name.len == 0) {
        return;
    }
    if (opening == NULL) {
        parse_refuse_section(parse, &statement->name.place,
            "unknown section: there are [upstream NAME], [zone NAME] and [list ZONE]");
        return;
    }
    if (statement->word_count != 1) {
        parse_refuse_section(parse, &statement->value_place, opening->advice);
        return;
    }
    section->kind = opening->kind;
    section->is_ignored = !opening->open(parse, &statement->words[0], &section->index);
}

void parse_statement(
    struct parse *parse, const struct lexer_statement *statement, struct parse_section *section)
{
    if (statement->kind == LEXER_SECTION) {
        parse_open_section(parse, statement, section);
    } else if (!section->is_ignored) {
        parse_setting(parse, statement, section);
    }
}

void parse_override(struct parse *parse, const char *text)
{
    struct lexer lexer;
    struct lexer_statement statement;
    struct finding_place place = {.file = PARSE_OVERRIDE_FILE};
    size_t errors = parse->findings->errors;
    lexer_init(&lexer, PARSE_OVERRIDE_FILE, 0, parse->findings);
    lexer_feed(&lexer, text, strlen(text));
    enum lexer_kind kind = lexer_next(&lexer, &statement);
    bool is_whole = lexer.at == lexer.end;
    if (parse->findings->errors > errors) {
        return;
    }
    if (kind != LEXER_SETTING || !is_whole) {
        struct finding_quote quote;
        finding_add(parse->findings, FINDING_ERROR, &place,
            "\"%s\" is not one setting: write -o name=value, with a name from above the sections",
            finding_quote(text, strlen(text), &quote));
        return;
    }
    const struct schema_row *row = parse_find_row(parse, &statement.name, SCHEMA_SECTION_MAIN);
    struct parse_section section = {.kind = SCHEMA_SECTION_MAIN};
    if (row != NULL) {
        parse_take(parse, row, &statement, &section);
    }
}

/* The index of the group that the zone names. False: reported. */
static bool parse_find_group(struct parse *parse, const struct lexer_word *name, size_t *index_out)
{
    const struct settings *settings = parse->settings;
    const char *near = NULL;
    unsigned best = 3;
    struct finding_quote quote;
    finding_quote(name->bytes, name->len, &quote);
    for (size_t i = 0; i < settings->group_count; i++) {
        if (lexer_word_is(name, settings->groups[i].name)) {
            *index_out = i;
            return true;
        }
        if (parse_is_full(parse)) {
            continue;
        }
        unsigned distance = text_distance(settings->groups[i].name, quote.text);
        if (distance < best) {
            best = distance;
            near = settings->groups[i].name;
        }
    }
    finding_add(parse->findings, FINDING_ERROR, &name->place, "there is no group \"%s\": %s%s%s",
        quote.text,
        near == NULL ? "write a section [upstream NAME] with its servers" : "did you mean ",
        near == NULL ? "" : near, near == NULL ? "" : "?");
    return false;
}

void parse_resolve_zones(struct parse *parse)
{
    for (size_t i = 0; i < parse->settings->zone_count; i++) {
        const struct parse_zone *zone = &parse->zones[i];
        bool is_reported = zone->upstream.is_bad || zone->route.is_bad;
        bool is_silent = !zone->upstream.is_set && !zone->route.is_set;
        if (is_silent && !is_reported) {
            finding_add(parse->findings, FINDING_ERROR, &zone->place,
                "this zone says nothing about whom to ask: write upstream = NAME or "
                "route = direct below it");
        } else if (zone->upstream.is_set && !zone->upstream.is_bad) {
            parse_find_group(parse, &zone->group, &parse->settings->zones[i].group);
        }
    }
}
