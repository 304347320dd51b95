/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "doctor/list_use_private.h"
#include "doctor/postfix_config.h"

/* What is being read: one value of one instance. */
struct list_source {
    struct list_uses *uses;
    const struct postfix_instance *instance;
    size_t instance_at;
    char file[LIST_USE_PLACE_SIZE];
    unsigned line;
    char value[POSTFIX_VALUE_MAX];
};

struct list_word {
    const char *word;
    enum list_use_by by;
    enum list_kind kind;
};

static const struct list_word list_words[] = {
    {"reject_rbl_client", LIST_USE_REJECT, LIST_KIND_IP},
    {"reject_rbl", LIST_USE_REJECT, LIST_KIND_IP},
    {"reject_rhsbl_client", LIST_USE_REJECT_DOMAIN, LIST_KIND_DOMAIN},
    {"reject_rhsbl_reverse_client", LIST_USE_REJECT_DOMAIN, LIST_KIND_DOMAIN},
    {"reject_rhsbl_helo", LIST_USE_REJECT_DOMAIN, LIST_KIND_DOMAIN},
    {"reject_rhsbl_sender", LIST_USE_REJECT_DOMAIN, LIST_KIND_DOMAIN},
    {"reject_rhsbl_recipient", LIST_USE_REJECT_DOMAIN, LIST_KIND_DOMAIN},
    {"permit_dnswl_client", LIST_USE_PERMIT, LIST_KIND_ALLOW},
    {"permit_rhswl_client", LIST_USE_PERMIT_DOMAIN, LIST_KIND_DOMAIN},
};

static bool word_is(const char *word, size_t len, const char *text)
{
    return len == strlen(text) && strncmp(word, text, len) == 0;
}

static const struct list_word *list_word_of(const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof list_words / sizeof list_words[0]; i++) {
        if (word_is(word, len, list_words[i].word)) {
            return &list_words[i];
        }
    }
    return NULL;
}

static void source_file(struct list_source *source, const char *name, unsigned line)
{
    (void)snprintf(
        source->file, sizeof source->file, "%.150s/%s", source->instance->config_directory, name);
    source->line = line;
}

/* zone[=filter][*weight]. */
static void site_add(
    const struct list_source *source, struct list_seen *seen, const char *site, size_t site_len)
{
    const char *star = memchr(site, '*', site_len);
    size_t len = star != NULL ? (size_t)(star - site) : site_len;
    const char *equals = memchr(site, '=', len);
    seen->weight = 1;
    if (star != NULL) {
        uint64_t weight = 1;
        bool is_negative = star + 1 < site + site_len && star[1] == '-';
        const char *digits = star + 1 + is_negative;
        (void)text_parse_u64(digits, (size_t)(site + site_len - digits), 1000000, &weight);
        seen->weight = is_negative ? -(int)weight : (int)weight;
    }
    seen->has_filter = equals != NULL;
    seen->zone = site;
    seen->zone_len = equals != NULL ? (size_t)(equals - site) : len;
    seen->file = source->file;
    seen->line = source->line;
    seen->instance = source->instance_at;
    list_uses_add(source->uses, seen);
}

/* A list of restrictions: a list stands behind the word that asks it. */
static void restrictions_read(const struct list_source *source)
{
    const struct list_word *asks = NULL;
    bool warns_only = false;
    bool warns_next = false;
    size_t at = 0;
    const char *word;
    size_t len;
    while (postfix_word(source->value, &at, &word, &len)) {
        if (asks != NULL) {
            struct list_seen seen = {
                .by = asks->by,
                .kind = asks->kind,
                .word = asks->word,
                .word_len = strlen(asks->word),
                .warns_only = warns_only,
            };
            site_add(source, &seen, word, len);
            asks = NULL;
            continue;
        }
        asks = list_word_of(word, len);
        warns_only = warns_next;
        warns_next = word_is(word, len, "warn_if_reject");
    }
}

static void sites_read(const struct list_source *source)
{
    size_t at = 0;
    const char *word;
    size_t len;
    while (postfix_word(source->value, &at, &word, &len)) {
        struct list_seen seen = {
            .by = LIST_USE_POSTSCREEN,
            .kind = LIST_KIND_IP,
            .word = "postscreen_dnsbl_sites",
            .word_len = strlen("postscreen_dnsbl_sites"),
        };
        site_add(source, &seen, word, len);
    }
}

static bool name_is_class(const struct postfix_instance *instance, const char *name)
{
    char classes[POSTFIX_VALUE_MAX];
    size_t at = 0;
    const char *word;
    size_t len;
    (void)postfix_value(instance, NULL, "smtpd_restriction_classes", classes, sizeof classes);
    while (postfix_word(classes, &at, &word, &len)) {
        if (word_is(word, len, name)) {
            return true;
        }
    }
    return false;
}

static bool name_is_restrictions(const struct postfix_instance *instance, const char *name)
{
    static const char ending[] = "_restrictions";
    const size_t ending_len = sizeof ending - 1;
    size_t len = strlen(name);
    bool ends_so = len > ending_len && strcmp(name + len - ending_len, ending) == 0;
    return (ends_so && strncmp(name, "smtpd_", 6) == 0) || name_is_class(instance, name);
}

static void parameters_read(struct list_source *source)
{
    const struct postfix_instance *instance = source->instance;
    for (size_t i = 0; i < instance->parameter_count; i++) {
        const struct postfix_parameter *parameter = &instance->parameters[i];
        bool is_in_force = postfix_line(instance, parameter->name) == parameter->line;
        if (is_in_force && name_is_restrictions(instance, parameter->name)) {
            (void)postfix_value(
                instance, NULL, parameter->name, source->value, sizeof source->value);
            source_file(source, "main.cf", parameter->line);
            restrictions_read(source);
        }
    }
}

static void service_read(struct list_source *source, const struct postfix_service *service)
{
    for (size_t i = 0; i < service->option_count; i++) {
        const char *name = service->options[i].name;
        bool is_sites = strcmp(name, "postscreen_dnsbl_sites") == 0;
        if (!is_sites && !name_is_restrictions(source->instance, name)) {
            continue;
        }
        (void)postfix_value(source->instance, service, name, source->value, sizeof source->value);
        source_file(source, "master.cf", service->line);
        if (is_sites) {
            sites_read(source);
        } else {
            restrictions_read(source);
        }
    }
}

static void instance_read(struct list_source *source)
{
    const struct postfix_instance *instance = source->instance;
    parameters_read(source);
    for (size_t i = 0; i < instance->service_count; i++) {
        service_read(source, &instance->services[i]);
    }
    /* Without postscreen the sites are written there and nobody asks them. */
    if (!instance->has_master || postfix_service_find(instance, "postscreen", NULL) != NULL) {
        (void)postfix_value(
            instance, NULL, "postscreen_dnsbl_sites", source->value, sizeof source->value);
        source_file(source, "main.cf", postfix_line(instance, "postscreen_dnsbl_sites"));
        sites_read(source);
    }
}

void list_uses_of_postfix(struct list_uses *uses, const struct postfix *postfix)
{
    struct list_source *source = calloc(1, sizeof *source);
    if (source == NULL) {
        return;
    }
    source->uses = uses;
    for (size_t i = 0; i < postfix->instance_count; i++) {
        source->instance = &postfix->instances[i];
        source->instance_at = i;
        instance_read(source);
    }
    free(source);
}
