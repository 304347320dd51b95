/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/types.h"
#include "tests/support/world_rdata.h"

#define LINE_MAX_BYTES 8192

static bool name_take(const struct world_word *word, struct world_name *name_out)
{
    size_t len = 0;
    if (!name_from_text(word->bytes, word->len, name_out->bytes, &len)) {
        return false;
    }
    name_out->len = (uint8_t)len;
    return true;
}

/* `name` is `zone` or below it. */
static bool name_under(const struct world_name *name, const struct world_name *zone)
{
    return name_is_under(name->bytes, name->len, zone->bytes, zone->len);
}

static bool record_add(struct world *world, const struct world_line *line)
{
    uint8_t rdata[WORLD_RDATA_MAX];
    struct writer writer = writer_of(rdata, sizeof(rdata));
    struct world_record record = {.ttl = 0};
    uint64_t ttl = 0;
    if (line->count < 4 || world->record_count == WORLD_RECORDS_MAX ||
        !name_take(&line->words[0], &record.name) ||
        !text_parse_u64(line->words[1].bytes, line->words[1].len, INT32_MAX, &ttl) ||
        !type_from_text(line->words[2].bytes, line->words[2].len, &record.type) ||
        !world_rdata_write(&writer, record.type, line, 3)) {
        return false;
    }
    record.ttl = (uint32_t)ttl;
    record.rdata_len = (uint16_t)writer.len;
    record.rdata = malloc(writer.len);
    if (record.rdata == NULL) {
        return false;
    }
    memcpy(record.rdata, rdata, writer.len);
    world->records[world->record_count++] = record;
    return true;
}

static bool delay_read(const struct world_line *line, uint32_t *delay_ms_out)
{
    int64_t delay_us = 0;
    if (line->count != 3 ||
        !text_parse_duration(line->words[2].bytes, line->words[2].len, &delay_us) ||
        delay_us / 1000 > WORLD_DELAY_MAX) {
        return false;
    }
    *delay_ms_out = (uint32_t)(delay_us / 1000);
    return true;
}

static bool rule_add(struct world *world, const struct world_line *line)
{
    static const char *const words[] = {
        [WORLD_RULE_DELAY] = "!delay",
        [WORLD_RULE_DROP] = "!drop",
        [WORLD_RULE_SERVFAIL] = "!servfail",
        [WORLD_RULE_REFUSED] = "!refused",
        [WORLD_RULE_TRUNCATE] = "!truncate",
    };
    size_t kind = 0;
    while (kind <= WORLD_RULE_TRUNCATE && strcmp(words[kind], line->words[0].bytes) != 0) {
        kind++;
    }
    struct world_rule rule = {.kind = (enum world_rule_kind)kind};
    if (kind > WORLD_RULE_TRUNCATE || line->count < 2 || world->rule_count == WORLD_RULES_MAX ||
        !name_take(&line->words[1], &rule.name)) {
        return false;
    }
    if (kind == WORLD_RULE_DELAY ? !delay_read(line, &rule.delay_ms) : line->count != 2) {
        return false;
    }
    world->rules[world->rule_count++] = rule;
    return true;
}

static bool line_take(struct world *world, char *text)
{
    struct world_line line;
    if (!world_line_split(text, &line)) {
        return false;
    }
    if (line.count == 0) {
        return true;
    }
    return line.words[0].bytes[0] == '!' ? rule_add(world, &line) : record_add(world, &line);
}

bool world_init(struct world *world, FILE *file, char *error_out, size_t error_size)
{
    char text[LINE_MAX_BYTES];
    unsigned number = 0;
    *world = (struct world){
        .records = calloc(WORLD_RECORDS_MAX, sizeof(struct world_record)),
        .rules = calloc(WORLD_RULES_MAX, sizeof(struct world_rule)),
    };
    if (world->records == NULL || world->rules == NULL) {
        snprintf(error_out, error_size, "out of memory");
        world_fini(world);
        return false;
    }
    while (fgets(text, sizeof(text), file) != NULL) {
        number++;
        bool is_whole = strchr(text, '\n') != NULL || feof(file);
        if (!is_whole || !line_take(world, text)) {
            snprintf(
                error_out, error_size, "line %u: neither a record nor a rule: %.60s", number, text);
            world_fini(world);
            return false;
        }
    }
    return true;
}

void world_fini(struct world *world)
{
    for (size_t i = 0; i < world->record_count; i++) {
        free(world->records[i].rdata);
    }
    free(world->records);
    free(world->rules);
    *world = (struct world){.records = NULL};
}

static void manner_add(struct world_manner *manner, const struct world_rule *rule)
{
    switch (rule->kind) {
    case WORLD_RULE_DELAY:
        manner->delay_ms = rule->delay_ms;
        break;
    case WORLD_RULE_DROP:
        manner->is_dropped = true;
        break;
    case WORLD_RULE_SERVFAIL:
        manner->is_servfail = true;
        break;
    case WORLD_RULE_REFUSED:
        manner->is_refused = true;
        break;
    case WORLD_RULE_TRUNCATE:
        manner->is_truncated = true;
        break;
    }
}

struct world_manner world_manner_of(const struct world *world, const struct world_name *name)
{
    struct world_manner manner = {.delay_ms = 0};
    for (size_t i = 0; i < world->rule_count; i++) {
        const struct world_rule *rule = &world->rules[i];
        if (name_under(name, &rule->name)) {
            manner_add(&manner, rule);
        }
    }
    return manner;
}

const struct world_record *world_find(const struct world *world, size_t from,
    const struct world_name *name, uint16_t type, size_t *at_out)
{
    for (size_t i = from; i < world->record_count; i++) {
        const struct world_record *record = &world->records[i];
        if (record->type == type &&
            name_equal(record->name.bytes, record->name.len, name->bytes, name->len)) {
            *at_out = i;
            return record;
        }
    }
    return NULL;
}

bool world_has_name(const struct world *world, const struct world_name *name)
{
    for (size_t i = 0; i < world->record_count; i++) {
        const struct world_record *record = &world->records[i];
        if (name_under(&record->name, name)) {
            return true;
        }
    }
    return false;
}

const struct world_record *world_zone_of(const struct world *world, const struct world_name *name)
{
    const struct world_record *best = NULL;
    for (size_t i = 0; i < world->record_count; i++) {
        const struct world_record *record = &world->records[i];
        if (record->type == TYPE_SOA && name_under(name, &record->name) &&
            (best == NULL || record->name.len > best->name.len)) {
            best = record;
        }
    }
    return best;
}
