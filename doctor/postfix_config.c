/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/postfix_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "doctor/host.h"
#include "doctor/postfix_private.h"

#define HOST_NAME_MAX_BYTES 255

static char *copy_text(const char *text)
{
    char *copy = strdup(text);
    must(copy != NULL);
    return copy;
}

/* The bytes become the instance's. */
static enum host_verdict file_take(struct postfix_instance *instance, const struct host *host,
    const char *name, char **bytes_out, size_t *len_out)
{
    char path[HOST_PATH_SIZE];
    struct host_file file;
    if (snprintf(path, sizeof path, "%s/%s", instance->config_directory, name) >=
        (int)sizeof path) {
        return HOST_ABSENT;
    }
    enum host_verdict verdict = host_read(host, path, HOST_FILE_MAX, &file);
    if (verdict == HOST_READ) {
        *bytes_out = file.bytes;
        *len_out = file.len;
        instance->is_cut |= file.is_cut;
        file.bytes = NULL;
    }
    host_file_fini(&file);
    return verdict;
}

static void instance_find_level(struct postfix_instance *instance)
{
    char value[32];
    size_t len = postfix_value(instance, NULL, "compatibility_level", value, sizeof value);
    instance->compatibility_level = postfix_level(value, len);
}

static void instance_find_queue(struct postfix_instance *instance)
{
    char value[HOST_PATH_SIZE];
    (void)postfix_value(instance, NULL, "queue_directory", value, sizeof value);
    instance->queue_directory = copy_text(value);
}

/* Returns whether a file was refused to us. */
static bool instance_read(struct postfix_instance *instance, const struct host *host)
{
    size_t len = 0;
    enum host_verdict main_verdict =
        file_take(instance, host, "main.cf", &instance->main_bytes, &len);
    instance->has_main = main_verdict == HOST_READ;
    if (instance->has_main) {
        postfix_main_parse(instance, len);
    }
    instance_find_level(instance);
    instance_find_queue(instance);
    enum host_verdict master_verdict =
        file_take(instance, host, "master.cf", &instance->master_bytes, &len);
    instance->has_master = master_verdict == HOST_READ;
    if (instance->has_master) {
        postfix_master_parse(instance, len);
    }
    return main_verdict == HOST_DENIED || master_verdict == HOST_DENIED;
}

/* A short name gets mydomain, as Postfix does. */
static char *host_name_read(const struct host *host)
{
    static const char *const paths[] = {"/proc/sys/kernel/hostname", "/etc/hostname"};
    char name[HOST_NAME_MAX_BYTES + sizeof ".$mydomain"] = "localhost";
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct host_file file;
        bool is_read = host_read(host, paths[i], HOST_NAME_MAX_BYTES, &file) == HOST_READ;
        size_t len = is_read ? strcspn(file.bytes, " \t\r\n$") : 0;
        if (len > 0) {
            (void)snprintf(name, sizeof name, "%.*s", (int)len, file.bytes);
        }
        host_file_fini(&file);
        if (len > 0) {
            break;
        }
    }
    if (strchr(name, '.') == NULL) {
        size_t len = strlen(name);
        (void)snprintf(name + len, sizeof name - len, ".$mydomain");
    }
    return copy_text(name);
}

static bool is_known(const struct postfix *postfix, const char *directory)
{
    for (size_t i = 0; i < postfix->instance_count; i++) {
        if (strcmp(postfix->instances[i].config_directory, directory) == 0) {
            return true;
        }
    }
    return false;
}

static void postfix_add(struct postfix *postfix, const struct host *host, const char *directory)
{
    if (postfix->instance_count == POSTFIX_INSTANCES_MAX) {
        postfix->is_cut = true;
        return;
    }
    struct postfix_instance *instance = &postfix->instances[postfix->instance_count++];
    *instance = (struct postfix_instance){
        .config_directory = copy_text(directory),
        .host_name = host_name_read(host),
    };
    postfix->is_denied |= instance_read(instance, host);
    instance->is_enabled =
        postfix->instance_count == 1 || postfix_is_yes(instance, NULL, "multi_instance_enable");
}

static void postfix_add_listed(
    struct postfix *postfix, const struct host *host, const char *parameter)
{
    char list[POSTFIX_VALUE_MAX];
    size_t at = 0;
    const char *word;
    size_t len;
    (void)postfix_value(&postfix->instances[0], NULL, parameter, list, sizeof list);
    while (postfix_word(list, &at, &word, &len)) {
        char directory[HOST_PATH_SIZE];
        if (word[0] == '/' && len < sizeof directory) {
            (void)snprintf(directory, sizeof directory, "%.*s", (int)len, word);
            if (!is_known(postfix, directory)) {
                postfix_add(postfix, host, directory);
            }
        }
    }
}

void postfix_read(struct postfix *postfix, const struct host *host)
{
    *postfix = (struct postfix){0};
    postfix_add(postfix, host, "/etc/postfix");
    const struct postfix_instance *first = &postfix->instances[0];
    postfix->is_installed = first->has_main || first->has_master || postfix->is_denied;
    postfix_add_listed(postfix, host, "multi_instance_directories");
    postfix_add_listed(postfix, host, "alternate_config_directories");
}

bool postfix_is_removed(const struct postfix *postfix, const struct host *host)
{
    char directory[HOST_PATH_SIZE];
    char path[HOST_PATH_SIZE + sizeof "/master"];
    struct stat stat;
    if (!postfix->is_installed) {
        return true;
    }
    (void)postfix_value(
        &postfix->instances[0], NULL, "daemon_directory", directory, sizeof directory);
    (void)snprintf(path, sizeof path, "%s/master", directory);
    return host_stat(host, path, true, &stat) == HOST_ABSENT;
}

void postfix_fini(struct postfix *postfix)
{
    for (size_t i = 0; i < postfix->instance_count; i++) {
        struct postfix_instance *instance = &postfix->instances[i];
        free(instance->config_directory);
        free(instance->queue_directory);
        free(instance->host_name);
        free(instance->parameters);
        free(instance->services);
        free(instance->main_bytes);
        free(instance->master_bytes);
    }
    *postfix = (struct postfix){0};
}

const struct postfix_service *postfix_service_find(
    const struct postfix_instance *instance, const char *command, const char *type)
{
    for (size_t i = 0; i < instance->service_count; i++) {
        const struct postfix_service *service = &instance->services[i];
        if (strcmp(service->command, command) == 0 &&
            (type == NULL || strcmp(service->type, type) == 0)) {
            return service;
        }
    }
    return NULL;
}
