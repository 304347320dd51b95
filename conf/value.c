/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/value.h"

#include <string.h>

#include "base/address.h"
#include "base/must.h"
#include "base/text.h"
#include "conf/settings.h"
#include "conf/value_private.h"

/* What value_read() hands around. */
struct value_context {
    const struct schema_row *row;
    const struct lexer_statement *statement;
    struct findings *findings;
};

static void value_refuse(const struct value_context *context, const char *advice)
{
    const struct lexer_word *word = &context->statement->words[0];
    struct finding_quote quote;
    finding_add(context->findings, FINDING_ERROR, &word->place, "%s: \"%s\" %s", context->row->name,
        finding_quote(word->bytes, word->len, &quote), advice);
}

static const char *value_unit(enum schema_kind kind)
{
    switch (kind) {
    case SCHEMA_KIND_DURATION:
        return "a duration: ms, s, m, h, d or w, seconds without a unit";
    case SCHEMA_KIND_SIZE:
        return "a size: k, M or G, bytes without a unit";
    case SCHEMA_KIND_NUMBER:
        return "a whole number";
    case SCHEMA_KIND_PATH:
    case SCHEMA_KIND_WORD:
        return "bytes";
    case SCHEMA_KIND_BOOL:
    case SCHEMA_KIND_LOG_LEVEL:
    case SCHEMA_KIND_TRUST_AD:
    case SCHEMA_KIND_ADDRESSES:
    case SCHEMA_KIND_NETWORKS:
    case SCHEMA_KIND_SERVERS:
    case SCHEMA_KIND_PINS:
    case SCHEMA_KIND_GROUP:
    case SCHEMA_KIND_ROUTE:
    case SCHEMA_KIND_LIST_ACTION:
    case SCHEMA_KIND_LIST_KIND:
    case SCHEMA_KIND_LIST_KEY:
        break;
    }
    return "";
}

void value_write_range(const struct schema_row *row, struct text *text)
{
    switch (row->kind) {
    case SCHEMA_KIND_DURATION:
        text_add_duration(text, row->min);
        text_add(text, " to ");
        text_add_duration(text, row->max);
        break;
    case SCHEMA_KIND_SIZE:
        text_add_size(text, (uint64_t)row->min);
        text_add(text, " to ");
        text_add_size(text, (uint64_t)row->max);
        break;
    case SCHEMA_KIND_NUMBER:
        text_addf(text, "%lld to %lld", (long long)row->min, (long long)row->max);
        break;
    case SCHEMA_KIND_PATH:
    case SCHEMA_KIND_WORD:
    case SCHEMA_KIND_BOOL:
    case SCHEMA_KIND_LOG_LEVEL:
    case SCHEMA_KIND_TRUST_AD:
    case SCHEMA_KIND_ADDRESSES:
    case SCHEMA_KIND_NETWORKS:
    case SCHEMA_KIND_SERVERS:
    case SCHEMA_KIND_PINS:
    case SCHEMA_KIND_GROUP:
    case SCHEMA_KIND_ROUTE:
    case SCHEMA_KIND_LIST_ACTION:
    case SCHEMA_KIND_LIST_KIND:
    case SCHEMA_KIND_LIST_KEY:
        break;
    }
}

static bool value_is_in_range(const struct value_context *context, int64_t value)
{
    if (value >= context->row->min && value <= context->row->max) {
        return true;
    }
    char range[64];
    struct text text;
    text_init(&text, range, sizeof range);
    value_write_range(context->row, &text);
    const struct lexer_word *word = &context->statement->words[0];
    struct finding_quote quote;
    finding_add(context->findings, FINDING_ERROR, &word->place,
        "%s = %s is out of range: it may be %s (%s)", context->row->name,
        finding_quote(word->bytes, word->len, &quote), range, value_unit(context->row->kind));
    return false;
}

static bool value_read_duration(const struct value_context *context, int64_t *field)
{
    const struct lexer_word *word = &context->statement->words[0];
    int64_t duration = 0;
    if (!text_parse_duration(word->bytes, word->len, &duration)) {
        value_refuse(context, "is not a duration: write a whole number with ms, s, m, h or d "
                              "behind it, as in 400ms or 4s");
        return false;
    }
    if (!value_is_in_range(context, duration)) {
        return false;
    }
    *field = duration;
    return true;
}

/* A number or a size. */
static bool value_read_number(const struct value_context *context, uint64_t *field)
{
    const struct lexer_word *word = &context->statement->words[0];
    bool is_size = context->row->kind == SCHEMA_KIND_SIZE;
    uint64_t number = 0;
    bool is_number = is_size ? text_parse_size(word->bytes, word->len, &number)
                             : text_parse_u64(word->bytes, word->len, INT64_MAX, &number);
    if (!is_number) {
        value_refuse(context, is_size ? "is not a size: write a whole number of bytes, with k, M "
                                        "or G behind it for powers of 1,024, as in 64M"
                                      : "is not a whole number");
        return false;
    }
    int64_t value = number > INT64_MAX ? INT64_MAX : (int64_t)number;
    if (!value_is_in_range(context, value)) {
        return false;
    }
    *field = number;
    return true;
}

static bool value_read_bool(const struct value_context *context, bool *field)
{
    const struct lexer_word *word = &context->statement->words[0];
    if (lexer_word_is(word, "yes") || lexer_word_is(word, "true") || lexer_word_is(word, "on")) {
        *field = true;
        return true;
    }
    if (lexer_word_is(word, "no") || lexer_word_is(word, "false") || lexer_word_is(word, "off")) {
        *field = false;
        return true;
    }
    value_refuse(context, "is neither yes nor no, in small letters");
    return false;
}

static bool value_read_log_level(const struct value_context *context, enum log_level *field)
{
    const struct lexer_word *word = &context->statement->words[0];
    char name[16] = "";
    if (word->len < sizeof name) {
        memcpy(name, word->bytes, word->len);
    }
    if (!log_level_parse(name, field)) {
        value_refuse(context, "is not a level: write error, warning, notice, info or debug");
        return false;
    }
    return true;
}

static const char *value_trust_ad_name(enum settings_trust_ad trust_ad)
{
    switch (trust_ad) {
    case SETTINGS_TRUST_AD_NO:
        return "no";
    case SETTINGS_TRUST_AD_YES:
        return "yes";
    case SETTINGS_TRUST_AD_INSECURELY:
        return "insecurely";
    }
    must_fail(__FILE__, __LINE__, "a trust_ad outside of its enum");
}

static bool value_read_trust_ad(const struct value_context *context, enum settings_trust_ad *field)
{
    static const enum settings_trust_ad choices[] = {
        SETTINGS_TRUST_AD_NO,
        SETTINGS_TRUST_AD_YES,
        SETTINGS_TRUST_AD_INSECURELY,
    };
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        if (lexer_word_is(&context->statement->words[0], value_trust_ad_name(choices[i]))) {
            *field = choices[i];
            return true;
        }
    }
    value_refuse(context, "is none of no, yes and insecurely");
    return false;
}

static bool value_read_choice(const struct value_context *context, void *field)
{
    if (value_choice_read(context->row, &context->statement->words[0], field)) {
        return true;
    }
    char advice[96];
    struct text text;
    text_init(&text, advice, sizeof advice);
    text_addf(&text, "is none of %s", context->row->form);
    value_refuse(context, advice);
    return false;
}

/* A path or a word. */
static bool value_read_string(const struct value_context *context, char *field)
{
    const struct lexer_word *word = &context->statement->words[0];
    const struct schema_row *row = context->row;
    size_t len = context->statement->word_count == 0 ? 0 : word->len;
    if (row->kind == SCHEMA_KIND_PATH && len > 0 && *word->bytes != '/') {
        value_refuse(context, "is not an absolute path: start it with /");
        return false;
    }
    if (len > (size_t)row->max) {
        finding_add(context->findings, FINDING_ERROR, &word->place,
            "%s is too long: %zu of at most %lld bytes", row->name, len, (long long)row->max);
        return false;
    }
    memset(field, 0, row->size);
    if (len > 0) {
        memcpy(field, word->bytes, len);
    }
    return true;
}

/* One entry of a list, into slot `index` of the array at `entries`. */
static bool value_read_entry(const struct value_context *context, size_t index, void *entries)
{
    struct value_entry entry = {
        .row = context->row,
        .word = &context->statement->words[index],
        .findings = context->findings,
    };
    switch (context->row->kind) {
    case SCHEMA_KIND_ADDRESSES:
        return value_list_read_address(&entry, (struct address *)entries + index);
    case SCHEMA_KIND_NETWORKS:
        return value_list_read_network(&entry, (struct network *)entries + index);
    case SCHEMA_KIND_SERVERS:
        return value_list_read_server(&entry, (struct settings_server *)entries + index);
    case SCHEMA_KIND_PINS:
        return value_list_read_pin(&entry, (struct settings_pin *)entries + index);
    case SCHEMA_KIND_DURATION:
    case SCHEMA_KIND_SIZE:
    case SCHEMA_KIND_NUMBER:
    case SCHEMA_KIND_BOOL:
    case SCHEMA_KIND_LOG_LEVEL:
    case SCHEMA_KIND_TRUST_AD:
    case SCHEMA_KIND_PATH:
    case SCHEMA_KIND_WORD:
    case SCHEMA_KIND_GROUP:
    case SCHEMA_KIND_ROUTE:
    case SCHEMA_KIND_LIST_ACTION:
    case SCHEMA_KIND_LIST_KIND:
    case SCHEMA_KIND_LIST_KEY:
        break;
    }
    must_fail(__FILE__, __LINE__, "a kind that is no list");
}

/* Every wrong word is reported; the list is taken over only as a whole. */
static bool value_read_list(const struct value_context *context, void *field, size_t *count)
{
    const struct schema_row *row = context->row;
    const struct lexer_statement *statement = context->statement;
    if (statement->word_count < (size_t)row->min || statement->word_count > (size_t)row->max) {
        finding_add(context->findings, FINDING_ERROR, &statement->value_place,
            "%s has %zu entries: it takes %lld to %lld (%s)", row->name, statement->word_count,
            (long long)row->min, (long long)row->max, row->form);
        return false;
    }
    union {
        struct address addresses[SETTINGS_LISTEN_MAX];
        struct network networks[SETTINGS_ALLOW_MAX];
        struct settings_server servers[SETTINGS_SERVERS_MAX];
        struct settings_pin pins[SETTINGS_PINS_MAX];
    } entries;
    must(row->size <= sizeof entries);
    memset(&entries, 0, sizeof entries);
    bool is_well = true;
    for (size_t i = 0; i < statement->word_count; i++) {
        is_well = value_read_entry(context, i, &entries) && is_well;
    }
    if (is_well) {
        memcpy(field, &entries, row->size);
        *count = statement->word_count;
    }
    return is_well;
}

/* A scalar has one word; an empty one only where the row allows no bytes at all. */
static bool value_has_one_word(const struct value_context *context)
{
    const struct schema_row *row = context->row;
    const struct lexer_statement *statement = context->statement;
    bool may_be_empty = row->kind == SCHEMA_KIND_WORD || row->kind == SCHEMA_KIND_PATH;
    if (statement->word_count == 0 && (!may_be_empty || row->min > 0)) {
        finding_add(context->findings, FINDING_ERROR, &statement->value_place,
            "%s has no value: write %s = %s, or leave the line out for the default", row->name,
            row->name, row->form);
        return false;
    }
    if (statement->word_count > 1) {
        finding_add(context->findings, FINDING_ERROR, &statement->words[1].place,
            "%s takes one value (%s), and more stands here: a comment starts with #", row->name,
            row->form);
        return false;
    }
    return true;
}

/* No value has quotes; who writes them will not find the reason in what else could be said. */
static bool value_is_unquoted(const struct value_context *context)
{
    const struct lexer_statement *statement = context->statement;
    for (size_t i = 0; i < statement->word_count; i++) {
        const struct lexer_word *word = &statement->words[i];
        if (*word->bytes == '"' || *word->bytes == '\'') {
            finding_add(context->findings, FINDING_ERROR, &word->place,
                "%s: values are written without quotes", context->row->name);
            return false;
        }
    }
    return true;
}

bool value_read(const struct schema_row *row, const struct lexer_statement *statement, void *base,
    struct findings *findings)
{
    struct value_context context = {.row = row, .statement = statement, .findings = findings};
    void *field = (char *)base + row->offset;
    bool is_list = row->kind == SCHEMA_KIND_ADDRESSES || row->kind == SCHEMA_KIND_NETWORKS ||
                   row->kind == SCHEMA_KIND_SERVERS || row->kind == SCHEMA_KIND_PINS;
    if (!value_is_unquoted(&context) || (!is_list && !value_has_one_word(&context))) {
        return false;
    }
    switch (row->kind) {
    case SCHEMA_KIND_DURATION:
        return value_read_duration(&context, field);
    case SCHEMA_KIND_SIZE:
    case SCHEMA_KIND_NUMBER:
        return value_read_number(&context, field);
    case SCHEMA_KIND_BOOL:
        return value_read_bool(&context, field);
    case SCHEMA_KIND_LOG_LEVEL:
        return value_read_log_level(&context, field);
    case SCHEMA_KIND_TRUST_AD:
        return value_read_trust_ad(&context, field);
    case SCHEMA_KIND_PATH:
    case SCHEMA_KIND_WORD:
        return value_read_string(&context, field);
    case SCHEMA_KIND_ADDRESSES:
    case SCHEMA_KIND_NETWORKS:
    case SCHEMA_KIND_SERVERS:
    case SCHEMA_KIND_PINS:
        return value_read_list(&context, field, (void *)((char *)base + row->count_offset));
    case SCHEMA_KIND_LIST_ACTION:
    case SCHEMA_KIND_LIST_KIND:
    case SCHEMA_KIND_LIST_KEY:
    case SCHEMA_KIND_ROUTE:
        return value_read_choice(&context, field);
    case SCHEMA_KIND_GROUP:
        break;
    }
    must_fail(__FILE__, __LINE__, "a kind that parse.c reads");
}

static void value_write_list(const struct schema_row *row, const void *base, struct text *text)
{
    const void *field = (const char *)base + row->offset;
    size_t count = 0;
    memcpy(&count, (const char *)base + row->count_offset, sizeof count);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            text_add(text, " ");
        }
        if (row->kind == SCHEMA_KIND_ADDRESSES) {
            value_list_write_address((const struct address *)field + i, text);
        } else if (row->kind == SCHEMA_KIND_NETWORKS) {
            value_list_write_network((const struct network *)field + i, text);
        } else if (row->kind == SCHEMA_KIND_SERVERS) {
            value_list_write_server((const struct settings_server *)field + i, text);
        } else {
            value_list_write_pin((const struct settings_pin *)field + i, text);
        }
    }
}

void value_write(const struct schema_row *row, const void *base, struct text *text)
{
    const void *field = (const char *)base + row->offset;
    switch (row->kind) {
    case SCHEMA_KIND_DURATION:
        text_add_duration(text, *(const int64_t *)field);
        break;
    case SCHEMA_KIND_SIZE:
        text_add_size(text, *(const uint64_t *)field);
        break;
    case SCHEMA_KIND_NUMBER:
        text_addf(text, "%llu", (unsigned long long)*(const uint64_t *)field);
        break;
    case SCHEMA_KIND_BOOL:
        text_add(text, *(const bool *)field ? "yes" : "no");
        break;
    case SCHEMA_KIND_LOG_LEVEL:
        text_add(text, log_level_name(*(const enum log_level *)field));
        break;
    case SCHEMA_KIND_TRUST_AD:
        text_add(text, value_trust_ad_name(*(const enum settings_trust_ad *)field));
        break;
    case SCHEMA_KIND_PATH:
    case SCHEMA_KIND_WORD:
        text_add(text, field);
        break;
    case SCHEMA_KIND_ADDRESSES:
    case SCHEMA_KIND_NETWORKS:
    case SCHEMA_KIND_SERVERS:
    case SCHEMA_KIND_PINS:
        value_write_list(row, base, text);
        break;
    case SCHEMA_KIND_LIST_ACTION:
    case SCHEMA_KIND_LIST_KIND:
    case SCHEMA_KIND_LIST_KEY:
    case SCHEMA_KIND_ROUTE:
        text_add(text, value_choice_name(row, field));
        break;
    case SCHEMA_KIND_GROUP:
        must_fail(__FILE__, __LINE__, "a kind that explain.c writes");
    }
}
