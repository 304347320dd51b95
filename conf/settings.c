/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/settings.h"

#include <stdlib.h>
#include <string.h>

#include "conf/cross.h"
#include "conf/parse.h"
#include "conf/parse_private.h"
#include "conf/source.h"
#include "conf/upstreams.h"

#define SETTINGS_PORT_PLAIN 53

/* What a load needs besides its result; too large for a stack. */
struct settings_work {
    struct source source;
    struct parse parse;
    struct parse_section sections[SOURCE_FILES_MAX]; /* One for each file of the source. */
};

/* NULL, and reported, when memory is short. */
static struct settings_work *settings_work_new(
    const char *file, struct settings *settings, struct findings *findings)
{
    memset(findings, 0, sizeof *findings);
    parse_set_defaults(settings);
    struct settings_work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        struct finding_place place = {.file = file};
        finding_add(findings, FINDING_ERROR, &place, "memory is short");
        return NULL;
    }
    source_init(&work->source, findings);
    work->parse.settings = settings;
    work->parse.findings = findings;
    work->parse.file = file;
    return work;
}

static void settings_work_free(struct settings_work *work)
{
    source_fini(&work->source);
    free(work);
}

static void settings_read_source(struct settings_work *work)
{
    struct lexer_statement statement;
    size_t file = 0;
    while (source_next(&work->source, &statement, &file)) {
        parse_statement(&work->parse, &statement, &work->sections[file]);
    }
}

/* `upstreams` is empty, and not only because it was wrong, or because the configuration could not
 * be read: then its file is read. */
static bool settings_wants_upstreams_file(const struct settings_work *work)
{
    const struct parse *parse = &work->parse;
    const struct source *source = &work->source;
    bool is_unread = source->file_count > 0 && !source->files[0].is_open;
    return !is_unread && parse->settings->groups[0].server_count == 0 &&
           !parse->main[SCHEMA_ID_upstreams].is_bad && !parse->groups[0].servers.is_bad &&
           !parse->main[SCHEMA_ID_upstreams_file].is_bad && !parse->main[SCHEMA_ID_listen].is_bad;
}

bool settings_server_is_tls(const struct settings_server *server)
{
    return server->tls_name[0] != '\0' || server->pin_count > 0;
}

const char *settings_server_tls_label(const struct settings_server *server)
{
    return server->tls_name[0] == '\0' && server->pin_count > 0 ? "tls_pins" : server->tls_name;
}

bool settings_server_equal(const struct settings_server *a, const struct settings_server *b)
{
    return address_equal(&a->address, &b->address) && strcmp(a->tls_name, b->tls_name) == 0 &&
           a->pin_count == b->pin_count &&
           memcmp(a->pins, b->pins, a->pin_count * sizeof(a->pins[0])) == 0;
}

/* Gives a group's pins to those of its servers that can have TLS: by a name, or by a port that is
 * not the one of plain DNS. The others are complained of (cross.c). */
static void settings_share_pins(struct settings_group *group)
{
    for (size_t i = 0; i < group->server_count; i++) {
        struct settings_server *server = &group->servers[i];
        if (server->tls_name[0] != '\0' || server->address.port != SETTINGS_PORT_PLAIN) {
            memcpy(server->pins, group->tls_pins, sizeof(server->pins));
            server->pin_count = group->tls_pin_count;
        }
    }
}

/* What can be done when all of the source is known. */
static void settings_finish(struct settings_work *work)
{
    struct settings *settings = work->parse.settings;
    for (size_t i = 0; i < settings->group_count; i++) {
        settings_share_pins(&settings->groups[i]);
    }
    cross_check(&work->parse);
}

bool settings_load(const struct settings_source *source, struct settings *settings_out,
    struct findings *findings_out)
{
    const char *file = source->file == NULL ? "defaults" : source->file;
    struct settings_work *work = settings_work_new(file, settings_out, findings_out);
    if (work == NULL) {
        return false;
    }
    struct parse *parse = &work->parse;
    if (source->file != NULL) {
        source_start_file(&work->source, source->file, source->is_file_optional);
    }
    settings_read_source(work);
    for (size_t i = 0; i < source->override_count; i++) {
        parse_override(parse, source->overrides[i]);
    }
    parse_resolve_zones(parse);
    if (settings_wants_upstreams_file(work)) {
        struct finding_place place = {.file = file};
        if (parse->main[SCHEMA_ID_upstreams_file].is_set) {
            place = parse->main[SCHEMA_ID_upstreams_file].place;
        }
        upstreams_fill(settings_out, UPSTREAMS_STUB_LIST, &place, findings_out);
    }
    settings_finish(work);
    settings_work_free(work);
    return findings_out->errors == 0;
}

bool settings_parse(const char *file, const char *bytes, size_t len, struct settings *settings_out,
    struct findings *findings_out)
{
    struct settings_work *work = settings_work_new(file, settings_out, findings_out);
    if (work == NULL) {
        return false;
    }
    source_start_bytes(&work->source, file, bytes, len);
    settings_read_source(work);
    parse_resolve_zones(&work->parse);
    settings_finish(work);
    settings_work_free(work);
    return findings_out->errors == 0;
}
