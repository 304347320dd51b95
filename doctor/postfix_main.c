/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/must.h"
#include "doctor/postfix_config.h"
#include "doctor/postfix_private.h"

static size_t lines_count(const char *bytes, size_t len)
{
    size_t count = 1;
    for (size_t i = 0; i < len; i++) {
        count += bytes[i] == '\n';
    }
    return count;
}

void postfix_main_parse(struct postfix_instance *instance, size_t len)
{
    size_t room = lines_count(instance->main_bytes, len);
    room = room < POSTFIX_PARAMETERS_MAX ? room : POSTFIX_PARAMETERS_MAX;
    instance->parameters = calloc(room, sizeof instance->parameters[0]);
    must(instance->parameters != NULL);
    struct postfix_lines lines;
    postfix_lines_init(&lines, instance->main_bytes, len);
    unsigned number;
    char *text;
    while ((text = postfix_lines_next(&lines, &number)) != NULL) {
        if (instance->parameter_count == room) {
            instance->is_cut = true;
            return;
        }
        struct postfix_parameter *parameter = &instance->parameters[instance->parameter_count];
        parameter->line = number;
        if (postfix_split(text, &parameter->name, &parameter->value)) {
            instance->parameter_count++;
        } else if (instance->main_bad_line == 0) {
            instance->main_bad_line = number;
        }
    }
}
