/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "doctor/postfix_config.h"
#include "doctor/postfix_private.h"

/* Any bytes as main.cf or, when the first is an m, as master.cf: every value of it expands within
 * its bounds and every list of it can be walked. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VALUES_MAX 4 /* Of one input; the rest would only cost time. */

static void walk_words(const char *value)
{
    size_t at = 0;
    const char *word;
    size_t len;
    while (postfix_word(value, &at, &word, &len)) {
        must(len > 0 && at <= strlen(value));
    }
}

static void expand_value(const struct postfix_instance *instance,
    const struct postfix_service *service, const char *name)
{
    char small[7];
    static char value[POSTFIX_VALUE_MAX];
    must(postfix_value(instance, service, name, value, sizeof value) < sizeof value);
    must(postfix_value(instance, service, name, small, sizeof small) < sizeof small);
    must(strncmp(value, small, strlen(small)) == 0);
    must(postfix_time(instance, service, name, 's') >= -1);
    walk_words(value);
}

static void check_service(
    const struct postfix_instance *instance, const struct postfix_service *service)
{
    must(service->option_count <= POSTFIX_OPTIONS_MAX);
    must(service->name[0] != '\0' && service->type[0] != '\0' && service->command[0] != '\0');
    for (size_t i = 0; i < service->option_count; i++) {
        must(strlen(service->options[i].name) > 0);
        expand_value(instance, service, service->options[i].name);
    }
}

static char *copy_bytes(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size + 1);
    must(bytes != NULL);
    memcpy(bytes, data, size);
    bytes[size] = '\0';
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char directory[] = "/etc/postfix";
    static char host_name[] = "mail.example.com";
    if (size == 0) {
        return 0;
    }
    struct postfix_instance instance = {.config_directory = directory, .host_name = host_name};
    char *bytes = copy_bytes(data + 1, size - 1);
    if (data[0] == 'm') {
        instance.master_bytes = bytes;
        postfix_master_parse(&instance, size - 1);
    } else {
        instance.main_bytes = bytes;
        postfix_main_parse(&instance, size - 1);
    }
    must(instance.parameter_count <= POSTFIX_PARAMETERS_MAX);
    must(instance.service_count <= POSTFIX_SERVICES_MAX);
    for (size_t i = 0; i < instance.parameter_count && i < VALUES_MAX; i++) {
        expand_value(&instance, NULL, instance.parameters[i].name);
    }
    for (size_t i = 0; i < instance.service_count && i < VALUES_MAX; i++) {
        check_service(&instance, &instance.services[i]);
    }
    free(instance.parameters);
    free(instance.services);
    free(bytes);
    return 0;
}
