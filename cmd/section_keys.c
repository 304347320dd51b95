/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/section_keys.h"

#include <stdbool.h>
#include <stdint.h>

#include "wire/name.h"
#include "mail/list_zone.h"
#include "conf/finding.h"
#include "conf/parse.h"
#include "conf/settings.h"

/* One section of the configuration. */
struct section {
    const char *kind; /* "list" or "zone". */
    const uint8_t *name;
    size_t len;
};

/* Where a list with keys begins that the operator has named himself. */
static bool own_zone_above(
    const struct settings *settings, const struct section *section, size_t *zone_at_out)
{
    for (size_t i = 0; i < settings->list_count; i++) {
        const struct settings_list *list = &settings->lists[i];
        if (list->key == SETTINGS_LIST_KEY_YES &&
            name_is_under(section->name, section->len, list->name, list->name_len)) {
            *zone_at_out = section->len - list->name_len;
            return true;
        }
    }
    return false;
}

/* Behind the key. False: there is none in this name. */
static bool key_find(
    const struct settings *settings, const struct section *section, size_t *zone_at_out)
{
    const struct list_zone *known = list_zone_above(section->name, section->len, zone_at_out);
    bool has_key = known != NULL && known->has_key;
    return (has_key || own_zone_above(settings, section, zone_at_out)) && *zone_at_out > 0;
}

static void section_check(const struct settings *settings, const struct section *section,
    const char *file, struct findings *findings)
{
    const struct finding_place place = {.file = file};
    char zone[NAME_TEXT_SIZE];
    size_t zone_at = 0;
    if (!key_find(settings, section, &zone_at)) {
        return;
    }
    size_t text_len =
        name_to_text(section->name + zone_at, section->len - zone_at, zone, sizeof zone);
    zone[text_len - 1] = '\0';
    finding_add(findings, FINDING_WARNING, &place,
        "[%s KEY.%s]: your key, here shown as KEY, is in the name of this section, and who may "
        "read the file may use it: write [%s %s]; the key comes with the questions",
        section->kind, zone, section->kind, zone);
}

void section_keys_check(
    const struct settings *settings, const char *file, struct findings *findings)
{
    for (size_t i = 0; i < settings->zone_count; i++) {
        const struct settings_zone *zone = &settings->zones[i];
        const struct section section = {"zone", zone->name, zone->name_len};
        section_check(settings, &section, file, findings);
    }
    for (size_t i = 0; i < settings->list_count; i++) {
        const struct settings_list *list = &settings->lists[i];
        const struct section section = {"list", list->name, list->name_len};
        section_check(settings, &section, file, findings);
    }
}
