/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The rows of schema.def as a constant table: what may be set, in which form and range, and where
 * it is kept. Names are unique over all sections. Pure; any thread.
 */
enum schema_section {
    SCHEMA_SECTION_MAIN,     /* Above the first [section]; base: struct settings. */
    SCHEMA_SECTION_UPSTREAM, /* [upstream NAME]; base: struct settings_group. */
    SCHEMA_SECTION_ZONE,     /* [zone NAME]; read by parse.c. */
    SCHEMA_SECTION_LIST,     /* [list ZONE]; base: struct settings_list. */
};

enum schema_kind {
    SCHEMA_KIND_DURATION,    /* int64_t, microseconds. */
    SCHEMA_KIND_SIZE,        /* uint64_t, bytes. */
    SCHEMA_KIND_NUMBER,      /* uint64_t. */
    SCHEMA_KIND_BOOL,        /* bool. */
    SCHEMA_KIND_LOG_LEVEL,   /* enum log_level. */
    SCHEMA_KIND_TRUST_AD,    /* enum settings_trust_ad. */
    SCHEMA_KIND_PATH,        /* char[]; absolute. */
    SCHEMA_KIND_WORD,        /* char[]; may be empty. */
    SCHEMA_KIND_ADDRESSES,   /* struct address[]. */
    SCHEMA_KIND_NETWORKS,    /* struct network[]. */
    SCHEMA_KIND_SERVERS,     /* struct settings_server[]. */
    SCHEMA_KIND_PINS,        /* struct settings_pin[]. */
    SCHEMA_KIND_GROUP,       /* The name of a group. */
    SCHEMA_KIND_ROUTE,       /* enum settings_route. */
    SCHEMA_KIND_LIST_ACTION, /* enum settings_list_action. */
    SCHEMA_KIND_LIST_KIND,   /* enum settings_list_kind. */
    SCHEMA_KIND_LIST_KEY,    /* enum settings_list_key. */
};

enum schema_change {
    SCHEMA_CHANGE_RELOAD,  /* A reload applies it. */
    SCHEMA_CHANGE_RESTART, /* Only a restart does. */
};

enum schema_topic {
#define TOPIC(topic, ...) SCHEMA_TOPIC_##topic,
#define SETTING(...)
#include "conf/schema.def"
#undef SETTING
#undef TOPIC
    SCHEMA_TOPIC_COUNT
};

/* SCHEMA_ID_listen and so on. */
enum schema_id {
#define TOPIC(...)
#define SETTING(topic, name, ...) SCHEMA_ID_##name,
#include "conf/schema.def"
#undef SETTING
#undef TOPIC
    SCHEMA_ID_COUNT
};

struct schema_row {
    enum schema_id id;
    enum schema_topic topic;
    enum schema_kind kind;
    enum schema_change change;
    const char *name;
    size_t offset; /* Of the field in the section's base. */
    size_t size;
    size_t count_offset; /* Of a list's size_t count. */
    const char *default_text;
    int64_t min;
    int64_t max;
    const char *form;
    const char *sentence;
};

struct schema_topic_row {
    enum schema_section section;
    const char *title;
    const char *sentence; /* May be empty. */
};

const struct schema_row *schema_row(enum schema_id id);
const struct schema_topic_row *schema_topic(enum schema_topic topic);
enum schema_section schema_section(const struct schema_row *row);

/* By name, in any section; a hyphen counts as an underscore. NULL: unknown. */
const struct schema_row *schema_find(const char *name, size_t len);

/* The most similar name of this section, or NULL when none is near. */
const struct schema_row *schema_find_near(
    const char *name, size_t len, enum schema_section section);
