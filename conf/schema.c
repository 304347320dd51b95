/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/schema.h"

#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "conf/settings.h"

/* Longer than any name: longer words are unknown without further look. */
#define SCHEMA_NAME_SIZE 64

#define FIELD(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member), 0
#define LIST(type, member, count)                                                                  \
    offsetof(struct type, member), sizeof(((struct type *)0)->member), offsetof(struct type, count)
#define NOWHERE 0, 0, 0

/* One more expansion, so that `where` becomes its three values. */
#define SETTING(topic, name, kind, where, standard, min, max, change, form, sentence)              \
    {SCHEMA_ID_##name, SCHEMA_TOPIC_##topic, SCHEMA_KIND_##kind, SCHEMA_CHANGE_##change, #name,    \
        where, standard, min, max, form, sentence},
#define TOPIC(...)
static const struct schema_row schema_rows[SCHEMA_ID_COUNT] = {
#include "conf/schema.def"
};
#undef TOPIC
#undef SETTING

#define TOPIC(topic, section, title, sentence) {SCHEMA_SECTION_##section, title, sentence},
#define SETTING(...)
static const struct schema_topic_row schema_topics[SCHEMA_TOPIC_COUNT] = {
#include "conf/schema.def"
};
#undef SETTING
#undef TOPIC

const struct schema_row *schema_row(enum schema_id id)
{
    must(id < SCHEMA_ID_COUNT);
    return &schema_rows[id];
}

const struct schema_topic_row *schema_topic(enum schema_topic topic)
{
    must(topic < SCHEMA_TOPIC_COUNT);
    return &schema_topics[topic];
}

enum schema_section schema_section(const struct schema_row *row)
{
    return schema_topics[row->topic].section;
}

/* The name as the rows spell it. False: too long for any. */
static bool schema_spell(const char *name, size_t len, char spelled_out[SCHEMA_NAME_SIZE])
{
    if (len >= SCHEMA_NAME_SIZE) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        spelled_out[i] = name[i] == '-' ? '_' : name[i];
    }
    spelled_out[len] = '\0';
    return true;
}

const struct schema_row *schema_find(const char *name, size_t len)
{
    char spelled[SCHEMA_NAME_SIZE];
    if (!schema_spell(name, len, spelled)) {
        return NULL;
    }
    for (size_t i = 0; i < SCHEMA_ID_COUNT; i++) {
        if (strcmp(schema_rows[i].name, spelled) == 0) {
            return &schema_rows[i];
        }
    }
    return NULL;
}

const struct schema_row *schema_find_near(const char *name, size_t len, enum schema_section section)
{
    char spelled[SCHEMA_NAME_SIZE];
    if (!schema_spell(name, len, spelled)) {
        return NULL;
    }
    for (char *at = spelled; *at != '\0'; at++) {
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
    }
    /* Two slips in a short word make another word; a long one bears three. */
    unsigned best = len < 6 ? 3 : 4;
    const struct schema_row *near = NULL;
    for (size_t i = 0; i < SCHEMA_ID_COUNT; i++) {
        unsigned distance = text_distance(schema_rows[i].name, spelled);
        if (schema_section(&schema_rows[i]) == section && distance < best) {
            best = distance;
            near = &schema_rows[i];
        }
    }
    return near;
}
