/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "doctor/postfix_config.h"
#include "doctor/postfix_private.h"

#define NUMBER_MAX INT32_MAX

struct default_row {
    const char *name;
    const char *value;
};

static const struct default_row default_rows[] = {
#define DEFAULT(name_word, value_text) {#name_word, value_text},
#include "doctor/postfix_defaults.def"
#undef DEFAULT
};

static bool name_is(const char *candidate, const char *name, size_t len)
{
    return strncmp(candidate, name, len) == 0 && candidate[len] == '\0';
}

/* Below, at or above zero as strcmp(). */
static int name_compare(const char *candidate, const char *name, size_t len)
{
    int order = strncmp(candidate, name, len);
    return order != 0 ? order : candidate[len] != '\0';
}

/* The last one of that name in the file. */
static const struct postfix_parameter *parameter_find(
    const struct postfix_instance *instance, const char *name, size_t len)
{
    const struct postfix_parameter *parameters = instance->parameters;
    size_t low = 0; /* So many are not behind the name. */
    size_t high = instance->parameter_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (name_compare(parameters[parameters[middle].by_name].name, name, len) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const struct postfix_parameter *found =
        low > 0 ? &parameters[parameters[low - 1].by_name] : NULL;
    return found != NULL && name_is(found->name, name, len) ? found : NULL;
}

/* The part of myhostname behind its first dot. A myhostname that is made of mydomain says nothing
 * of it. */
static const char *domain_default(const struct postfix_instance *instance)
{
    static const char key[] = "myhostname";
    const struct postfix_parameter *parameter = parameter_find(instance, key, strlen(key));
    const char *host = parameter != NULL ? parameter->value : instance->host_name;
    const char *dot = host != NULL ? strchr(host, '.') : NULL;
    bool is_circular = dot != NULL && strchr(dot, '$') != NULL;
    return dot != NULL && !is_circular && dot[1] != '\0' ? dot + 1 : "localdomain";
}

/* What comes from the host or the service rather than from a table. */
static const char *made_find(const struct postfix_instance *instance,
    const struct postfix_service *service, const char *name, size_t len)
{
    if (name_is("myhostname", name, len)) {
        return instance->host_name;
    }
    if (name_is("mydomain", name, len)) {
        return domain_default(instance);
    }
    if (name_is("config_directory", name, len)) {
        return instance->config_directory;
    }
    if (service != NULL && name_is("service_name", name, len)) {
        return service->name;
    }
    if (service != NULL && name_is("process_name", name, len)) {
        return service->command;
    }
    return NULL;
}

static const char *default_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof default_rows / sizeof default_rows[0]; i++) {
        if (name_is(default_rows[i].name, name, len)) {
            return default_rows[i].value;
        }
    }
    return NULL;
}

const char *postfix_lookup(const struct postfix_instance *instance,
    const struct postfix_service *service, const char *name, size_t name_len)
{
    for (size_t i = service != NULL ? service->option_count : 0; i > 0; i--) {
        if (name_is(service->options[i - 1].name, name, name_len)) {
            return service->options[i - 1].value;
        }
    }
    const struct postfix_parameter *parameter = parameter_find(instance, name, name_len);
    if (parameter != NULL) {
        return parameter->value;
    }
    const char *made = made_find(instance, service, name, name_len);
    return made != NULL ? made : default_find(name, name_len);
}

size_t postfix_value(const struct postfix_instance *instance, const struct postfix_service *service,
    const char *name, char *value_out, size_t size)
{
    char whole[POSTFIX_VALUE_MAX];
    const char *raw = postfix_lookup(instance, service, name, strlen(name));
    whole[0] = '\0';
    if (raw != NULL) {
        (void)postfix_expand(instance, service, raw, whole, sizeof whole);
    }
    struct text value;
    text_init(&value, value_out, size);
    text_add(&value, postfix_trim(whole));
    return value.len;
}

unsigned postfix_line(const struct postfix_instance *instance, const char *name)
{
    const struct postfix_parameter *parameter = parameter_find(instance, name, strlen(name));
    return parameter != NULL ? parameter->line : 0;
}

static long unit_seconds(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 7L * 86400;
    default:
        return 0;
    }
}

long postfix_time(const struct postfix_instance *instance, const struct postfix_service *service,
    const char *name, char unit)
{
    char value[64];
    uint64_t number;
    size_t len = postfix_value(instance, service, name, value, sizeof value);
    if (len > 0 && (value[len - 1] < '0' || value[len - 1] > '9')) {
        unit = value[--len];
    }
    unit = unit >= 'A' && unit <= 'Z' ? (char)(unit - 'A' + 'a') : unit;
    long seconds = unit_seconds(unit);
    if (seconds == 0 || !text_parse_u64(value, len, (uint64_t)(NUMBER_MAX / seconds), &number)) {
        return -1;
    }
    return (long)number * seconds;
}

long postfix_number(const struct postfix_instance *instance, const struct postfix_service *service,
    const char *name)
{
    char value[64];
    uint64_t number;
    size_t len = postfix_value(instance, service, name, value, sizeof value);
    return text_parse_u64(value, len, NUMBER_MAX, &number) ? (long)number : -1;
}

bool postfix_is_yes(const struct postfix_instance *instance, const struct postfix_service *service,
    const char *name)
{
    char value[8];
    (void)postfix_value(instance, service, name, value, sizeof value);
    return strcasecmp(value, "yes") == 0;
}

static bool byte_separates(char byte)
{
    return byte == ',' || postfix_byte_is_blank(byte);
}

bool postfix_word(const char *value, size_t *at_inout, const char **word_out, size_t *len_out)
{
    size_t at = *at_inout;
    while (value[at] != '\0' && byte_separates(value[at])) {
        at++;
    }
    size_t start = at;
    size_t depth = 0;
    while (value[at] != '\0' && (depth > 0 || !byte_separates(value[at]))) {
        depth += value[at] == '{';
        depth -= value[at] == '}' && depth > 0;
        at++;
    }
    *at_inout = at;
    *word_out = value + start;
    *len_out = at - start;
    return at > start;
}

/* Three numbers with dots between them, the second and third optional, each below 1,000. */
unsigned long postfix_level(const char *text, size_t len)
{
    unsigned long level = 0;
    size_t at = 0;
    for (unsigned long weight = 1000000; weight > 0; weight /= 1000) {
        size_t digits = 0;
        uint64_t number = 0;
        while (at + digits < len && text[at + digits] != '.') {
            digits++;
        }
        if (!text_parse_u64(text + at, digits, 999, &number)) {
            return weight == 1000000 ? 0 : level;
        }
        level += (unsigned long)number * weight;
        at += digits + 1;
        if (at > len) {
            break;
        }
    }
    return level;
}
