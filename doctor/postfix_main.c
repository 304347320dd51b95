/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

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

/* Of equal names the line further down comes last, for it is the one that counts. */
static int compare_parameters(const void *a, const void *b)
{
    const struct postfix_parameter *left = *(const struct postfix_parameter *const *)a;
    const struct postfix_parameter *right = *(const struct postfix_parameter *const *)b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : (left > right) - (left < right);
}

/* Values are looked up by names out of other values, so a file may make us do so very often. */
static void parameters_sort(struct postfix_instance *instance)
{
    size_t count = instance->parameter_count;
    const struct postfix_parameter **sorted =
        calloc(count + 1, sizeof(const struct postfix_parameter *));
    must(sorted != NULL);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &instance->parameters[i];
    }
    qsort(sorted, count, sizeof sorted[0], compare_parameters);
    for (size_t i = 0; i < count; i++) {
        instance->parameters[i].by_name = (unsigned)(sorted[i] - instance->parameters);
    }
    free(sorted);
}

static void parameters_read(struct postfix_instance *instance, size_t room, size_t len)
{
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

void postfix_main_parse(struct postfix_instance *instance, size_t len)
{
    size_t room = lines_count(instance->main_bytes, len);
    room = room < POSTFIX_PARAMETERS_MAX ? room : POSTFIX_PARAMETERS_MAX;
    instance->parameters = calloc(room, sizeof instance->parameters[0]);
    must(instance->parameters != NULL);
    parameters_read(instance, room, len);
    parameters_sort(instance);
}
