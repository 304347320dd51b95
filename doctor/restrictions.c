/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/restrictions.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "doctor/postfix_config.h"

#define CLASSES_MAX 32

/* Names that stand for lists of restrictions. */
struct classes {
    char names[CLASSES_MAX][RESTRICTION_WORD_SIZE];
    size_t count;
};

static void copy_word(char *to, size_t size, const char *from, size_t len)
{
    len = len < size ? len : size - 1;
    memcpy(to, from, len);
    to[len] = '\0';
}

/* The words that are followed by what they speak of. */
static bool takes_argument(const char *word)
{
    return strncmp(word, "check_", 6) == 0 || strstr(word, "_rbl_client") != NULL ||
           strstr(word, "_rhsbl_") != NULL || strstr(word, "_dnswl_") != NULL ||
           strstr(word, "_rhswl_") != NULL || strcmp(word, "sleep") == 0;
}

static bool class_is(const struct classes *classes, const char *word)
{
    for (size_t i = 0; i < classes->count; i++) {
        if (strcmp(classes->names[i], word) == 0) {
            return true;
        }
    }
    return false;
}

/* A value under work; a class's stands for the word in it. */
struct walk {
    struct restrictions *restrictions;
    const struct postfix_instance *instance;
    const struct postfix_service *service;
    struct classes classes;
    char value[POSTFIX_VALUE_MAX];
    char class_value[POSTFIX_VALUE_MAX];
};

static void add_next(
    struct restrictions *restrictions, const char *value, size_t *at, const char *word)
{
    const char *argument;
    size_t len;
    if (restrictions->count == RESTRICTIONS_MAX) {
        restrictions->dropped++;
        return;
    }
    struct restriction *item = &restrictions->items[restrictions->count++];
    copy_word(item->word, sizeof item->word, word, strlen(word));
    item->argument[0] = '\0';
    if (takes_argument(item->word) && postfix_word(value, at, &argument, &len)) {
        copy_word(item->argument, sizeof item->argument, argument, len);
    }
}

static void add_class(struct walk *walk, const char *name)
{
    const char *word;
    size_t len;
    size_t at = 0;
    (void)postfix_value(
        walk->instance, walk->service, name, walk->class_value, sizeof walk->class_value);
    while (postfix_word(walk->class_value, &at, &word, &len)) {
        char text[RESTRICTION_WORD_SIZE];
        copy_word(text, sizeof text, word, len);
        add_next(walk->restrictions, walk->class_value, &at, text);
    }
}

static void add_parameter(struct walk *walk, const char *name)
{
    const char *word;
    size_t len;
    size_t at = 0;
    (void)postfix_value(walk->instance, walk->service, name, walk->value, sizeof walk->value);
    while (postfix_word(walk->value, &at, &word, &len)) {
        char text[RESTRICTION_WORD_SIZE];
        copy_word(text, sizeof text, word, len);
        if (class_is(&walk->classes, text)) {
            add_class(walk, text);
        } else {
            add_next(walk->restrictions, walk->value, &at, text);
        }
    }
}

static void read_classes(struct walk *walk)
{
    const char *word;
    size_t len;
    size_t at = 0;
    (void)postfix_value(walk->instance, walk->service, "smtpd_restriction_classes", walk->value,
        sizeof walk->value);
    while (walk->classes.count < CLASSES_MAX && postfix_word(walk->value, &at, &word, &len)) {
        copy_word(walk->classes.names[walk->classes.count++], RESTRICTION_WORD_SIZE, word, len);
    }
}

void restrictions_read(struct restrictions *restrictions, const struct postfix_instance *instance,
    const struct postfix_service *service)
{
    static const char *const parameters[] = {
        "smtpd_client_restrictions",
        "smtpd_helo_restrictions",
        "smtpd_sender_restrictions",
        "smtpd_relay_restrictions",
        "smtpd_recipient_restrictions",
        "smtpd_data_restrictions",
        "smtpd_end_of_data_restrictions",
    };
    struct walk walk = {.restrictions = restrictions, .instance = instance, .service = service};
    restrictions->count = 0;
    restrictions->dropped = 0;
    read_classes(&walk);
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        add_parameter(&walk, parameters[i]);
    }
}

unsigned restriction_lookups(const struct restriction *restriction)
{
    static const struct {
        const char *part;
        unsigned lookups;
    } rows[] = {
        {"_rbl_client", 1},
        {"_dnswl_client", 1},
        {"_rhsbl_", 1},
        {"_rhswl_", 1},
        /* A, AAAA and MX, or MX, A and AAAA. */
        {"reject_unknown_helo_hostname", 3},
        {"reject_unknown_sender_domain", 3},
        {"reject_unknown_recipient_domain", 3},
        {"_mx_access", 3},
        {"_ns_access", 3},
        {"_a_access", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strstr(restriction->word, rows[i].part) != NULL) {
            return rows[i].lookups;
        }
    }
    return 0;
}
