/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/postfix_listener.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "doctor/host.h"
#include "doctor/postfix_config.h"

#define SERVICES_SIZE_MAX ((size_t)1024 * 1024)

struct port_name {
    const char *name;
    uint16_t port;
};

/* Those that Postfix itself knows (known_tcp_ports), so /etc/services may lack them. */
static const struct port_name port_names[] = {
    {"smtp", 25},
    {"smtps", 465},
    {"submissions", 465},
    {"submission", 587},
    {"lmtp", 24},
};

static bool word_is(const char *word, size_t len, const char *wanted)
{
    return strlen(wanted) == len && memcmp(word, wanted, len) == 0;
}

/* A line of services(5): "name port/tcp alias..."; names may be aliases. */
static bool services_line_read(
    const char *line, size_t line_len, const char *name, uint16_t *port_out)
{
    char text[256];
    char port_text[16] = "";
    size_t at = 0;
    size_t index = 0;
    bool is_named = false;
    const char *word;
    size_t len;
    (void)snprintf(text, sizeof text, "%.*s", (int)line_len, line);
    text[strcspn(text, "#")] = '\0';
    while (postfix_word(text, &at, &word, &len)) {
        if (index == 1) {
            (void)snprintf(port_text, sizeof port_text, "%.*s", (int)len, word);
        } else {
            is_named |= word_is(word, len, name);
        }
        index++;
    }
    uint64_t port;
    size_t digits = strcspn(port_text, "/");
    if (!is_named || strcmp(port_text + digits, "/tcp") != 0 ||
        !text_parse_u64(port_text, digits, UINT16_MAX, &port)) {
        return false;
    }
    *port_out = (uint16_t)port;
    return true;
}

static uint16_t services_find(const struct host *host, const char *name)
{
    struct host_file file;
    uint16_t port = 0;
    if (host_read(host, "/etc/services", SERVICES_SIZE_MAX, &file) != HOST_READ) {
        return 0;
    }
    for (const char *at = file.bytes; at[0] != '\0' && port == 0;) {
        size_t len = strcspn(at, "\n");
        (void)services_line_read(at, len < 255 ? len : 255, name, &port);
        at += len + (at[len] != '\0');
    }
    host_file_fini(&file);
    return port;
}

static uint16_t port_find(const struct host *host, const char *name)
{
    uint64_t number;
    if (text_parse_u64(name, strlen(name), UINT16_MAX, &number)) {
        return (uint16_t)number;
    }
    for (size_t i = 0; i < sizeof port_names / sizeof port_names[0]; i++) {
        if (strcmp(port_names[i].name, name) == 0) {
            return port_names[i].port;
        }
    }
    return services_find(host, name);
}

static bool host_word_is_loopback(const char *word, size_t len, struct address *address_out)
{
    struct address address;
    if (len >= 2 && word[0] == '[' && word[len - 1] == ']') {
        word++;
        len -= 2;
    }
    if (address_parse(word, len, 0, &address)) {
        *address_out = address;
        return address_is_loopback(&address);
    }
    return word_is(word, len, "localhost");
}

bool postfix_is_loopback_only(const struct postfix_instance *instance)
{
    char value[1024];
    size_t at = 0;
    const char *word;
    size_t len;
    bool is_loopback = true;
    struct address address;
    if (postfix_value(instance, NULL, "inet_interfaces", value, sizeof value) == 0) {
        return false;
    }
    while (postfix_word(value, &at, &word, &len)) {
        is_loopback &=
            word_is(word, len, "loopback-only") || host_word_is_loopback(word, len, &address);
    }
    return is_loopback;
}

/* "inet", "smtp/inet" or, in the older form, "smtp.inet". */
static bool service_is_disabled(
    const struct postfix_instance *instance, const struct postfix_service *service)
{
    char value[512];
    char full[256];
    char old[256];
    size_t at = 0;
    const char *word;
    size_t len;
    (void)snprintf(full, sizeof full, "%s/%s", service->name, service->type);
    (void)snprintf(old, sizeof old, "%s.%s", service->name, service->type);
    (void)postfix_value(instance, NULL, "master_service_disable", value, sizeof value);
    while (postfix_word(value, &at, &word, &len)) {
        if (word_is(word, len, service->type) || word_is(word, len, full) ||
            word_is(word, len, old)) {
            return true;
        }
    }
    return false;
}

static void listeners_add(struct postfix_listeners *listeners, const struct host *host,
    const struct postfix_instance *instance, const struct postfix_service *service)
{
    if (listeners->count == POSTFIX_LISTENERS_MAX || strcmp(service->type, "inet") != 0 ||
        service_is_disabled(instance, service)) {
        return;
    }
    struct postfix_listener *listener = &listeners->items[listeners->count++];
    *listener = (struct postfix_listener){.instance = instance, .service = service};
    const char *colon = strrchr(service->name, ':');
    listener->port = port_find(host, colon != NULL ? colon + 1 : service->name);
    listener->is_loopback = colon != NULL && colon != service->name
                                ? host_word_is_loopback(service->name,
                                      (size_t)(colon - service->name), &listener->address)
                                : postfix_is_loopback_only(instance);
}

void postfix_listeners_find(
    struct postfix_listeners *listeners, const struct postfix *postfix, const struct host *host)
{
    *listeners = (struct postfix_listeners){.count = 0};
    for (size_t i = 0; i < postfix->instance_count; i++) {
        const struct postfix_instance *instance = &postfix->instances[i];
        for (size_t j = 0; instance->is_enabled && j < instance->service_count; j++) {
            listeners_add(listeners, host, instance, &instance->services[j]);
        }
    }
}

const struct postfix_listener *postfix_listeners_next(
    const struct postfix_listeners *listeners, uint16_t port, size_t *at_inout)
{
    while (*at_inout < listeners->count) {
        const struct postfix_listener *listener = &listeners->items[(*at_inout)++];
        if (listener->port == port) {
            return listener;
        }
    }
    return NULL;
}

bool postfix_listeners_reach_out(const struct postfix_listeners *listeners, uint16_t port)
{
    size_t at = 0;
    const struct postfix_listener *listener;
    while ((listener = postfix_listeners_next(listeners, port, &at)) != NULL) {
        if (!listener->is_loopback) {
            return true;
        }
    }
    return false;
}

static bool service_serves_others(const struct postfix_service *service)
{
    return strcmp(service->type, "inet") == 0 &&
           (strcmp(service->command, "postscreen") == 0 ||
               strcmp(service->name, "submission") == 0 ||
               strcmp(service->name, "submissions") == 0 || strcmp(service->name, "smtps") == 0);
}

bool postfix_receives(const struct postfix_instance *instance, char *reason_out, size_t size)
{
    /* Set in main.cf only where mail for more than the host itself arrives. */
    static const char *const domains[] = {
        "virtual_mailbox_domains", "virtual_alias_domains", "relay_domains"};
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
        char value[256];
        if (postfix_line(instance, domains[i]) != 0 &&
            postfix_value(instance, NULL, domains[i], value, sizeof value) > 0) {
            (void)snprintf(reason_out, size, "%s/main.cf:%u takes mail for other domains (%s)",
                instance->config_directory, postfix_line(instance, domains[i]), domains[i]);
            return true;
        }
    }
    for (size_t i = 0; i < instance->service_count; i++) {
        const struct postfix_service *service = &instance->services[i];
        if (service_serves_others(service)) {
            (void)snprintf(reason_out, size, "%s/master.cf:%u offers %s to other hosts",
                instance->config_directory, service->line,
                strcmp(service->command, "postscreen") == 0 ? "postscreen" : service->name);
            return true;
        }
    }
    return false;
}
