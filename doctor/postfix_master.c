/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "doctor/postfix_config.h"
#include "doctor/postfix_private.h"

#define FIELDS      8 /* name type private unprivileged chroot wakeup maxproc command */
#define MAXPROC_MAX 1000000

/* The next word, NUL-terminated in place, with {braces} kept together; NULL: there is none. */
static char *word_take(char **at_inout)
{
    char *at = *at_inout;
    while (postfix_byte_is_blank(*at)) {
        at++;
    }
    if (*at == '\0') {
        return NULL;
    }
    char *word = at;
    unsigned depth = 0;
    while (*at != '\0' && (depth > 0 || !postfix_byte_is_blank(*at))) {
        depth += *at == '{';
        depth -= *at == '}' && depth > 0;
        at++;
    }
    *at_inout = *at == '\0' ? at : at + 1;
    *at = '\0';
    return word;
}

/* "name=value" or "{ name = value }". */
static void service_take_option(
    struct postfix_instance *instance, struct postfix_service *service, char *text)
{
    size_t len = strlen(text);
    if (len >= 2 && text[0] == '{' && text[len - 1] == '}') {
        text[len - 1] = '\0';
        text++;
    }
    if (service->option_count == POSTFIX_OPTIONS_MAX) {
        instance->is_cut = true;
        return;
    }
    struct postfix_option *option = &service->options[service->option_count];
    if (postfix_split(text, &option->name, &option->value)) {
        service->option_count++;
    } else if (instance->master_bad_line == 0) {
        instance->master_bad_line = service->line;
    }
}

/* Options end at the first word without a dash; what follows belongs to pipe(8) and spawn(8). */
static void service_take_options(
    struct postfix_instance *instance, struct postfix_service *service, char *arguments)
{
    char *word;
    while ((word = word_take(&arguments)) != NULL && word[0] == '-') {
        if (word[1] != 'o') {
            continue;
        }
        char *option = word[2] != '\0' ? word + 2 : word_take(&arguments);
        if (option != NULL) {
            service_take_option(instance, service, option);
        }
    }
}

static bool field_is_yes(const char *field, bool otherwise)
{
    return field[0] == '-' ? otherwise : field[0] == 'y';
}

static unsigned field_maxproc(const char *field, long otherwise)
{
    uint64_t number;
    if (text_parse_u64(field, strlen(field), MAXPROC_MAX, &number)) {
        return (unsigned)number;
    }
    return otherwise > 0 && otherwise <= MAXPROC_MAX ? (unsigned)otherwise : 0;
}

/* Postfix's master stops at a line where these are anything else. */
static bool fields_are_fit(char *const fields[FIELDS])
{
    for (size_t i = 2; i < 5; i++) {
        if (strlen(fields[i]) != 1 || strchr("yn-", fields[i][0]) == NULL) {
            return false;
        }
    }
    return true;
}

static bool service_parse(
    struct postfix_instance *instance, struct postfix_service *service, char *text)
{
    char *fields[FIELDS];
    for (size_t i = 0; i < FIELDS; i++) {
        fields[i] = word_take(&text);
        if (fields[i] == NULL) {
            return false;
        }
    }
    if (!fields_are_fit(fields)) {
        return false;
    }
    service->name = fields[0];
    service->type = fields[1];
    service->is_private = field_is_yes(fields[2], true);
    service->is_chrooted =
        field_is_yes(fields[4], instance->compatibility_level < POSTFIX_LEVEL(1, 0));
    service->maxproc =
        field_maxproc(fields[6], postfix_number(instance, NULL, "default_process_limit"));
    service->command = fields[7];
    service_take_options(instance, service, text);
    return true;
}

/* A service is large, so that only as many are made as there can be. */
static size_t services_count(const char *bytes, size_t len)
{
    size_t count = 1;
    for (size_t i = 0; i + 1 < len; i++) {
        char next = bytes[i + 1];
        count += bytes[i] == '\n' && next != '#' && !postfix_byte_is_blank(next);
    }
    return count < POSTFIX_SERVICES_MAX ? count : POSTFIX_SERVICES_MAX;
}

void postfix_master_parse(struct postfix_instance *instance, size_t len)
{
    size_t room = services_count(instance->master_bytes, len);
    instance->services = calloc(room, sizeof instance->services[0]);
    must(instance->services != NULL);
    struct postfix_lines lines;
    postfix_lines_init(&lines, instance->master_bytes, len);
    unsigned number;
    char *text;
    while ((text = postfix_lines_next(&lines, &number)) != NULL) {
        if (instance->service_count == room) {
            instance->is_cut = true;
            return;
        }
        struct postfix_service *service = &instance->services[instance->service_count];
        *service = (struct postfix_service){.line = number};
        if (service_parse(instance, service, text)) {
            instance->service_count++;
        } else if (instance->master_bad_line == 0) {
            instance->master_bad_line = number;
        }
    }
}
