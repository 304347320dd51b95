/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/lookup_hide.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "cmd/name_argument.h"

/* Where the zone begins in the name; SIZE_MAX: it is not below it. */
static size_t hide_zone_at(const struct lookup_hide *hide, const uint8_t *name, size_t len)
{
    for (size_t at = 0; name[at] != 0; at += 1u + name[at]) {
        if (name_equal(name + at, len - at, hide->zone_name, hide->zone_len)) {
            return at;
        }
    }
    return SIZE_MAX;
}

static struct redact_case hide_case(const struct lookup_hide *hide, const uint8_t *name, size_t len)
{
    struct redact_case redact = {.shows_subject = true};
    size_t at = hide->has_zone ? hide_zone_at(hide, name, len) : SIZE_MAX;
    if (at != SIZE_MAX) {
        redact.zone = &hide->zone;
        redact.zone_at = at;
    }
    return redact;
}

/* The label that redaction takes out of the name that was asked for, as text. */
static void hide_find_key(struct lookup_hide *hide)
{
    uint8_t label[NAME_SIZE_MAX];
    struct redact_case redact = hide_case(hide, hide->name, hide->name_len);
    struct redacted kept;
    redact_keep(&redact, hide->name, hide->name_len, &kept);
    size_t at = kept.subject_len;
    bool has_star = kept.name[at] == 1 && kept.name[at + 1] == '*';
    hide->key[0] = '\0';
    if (!has_star || (hide->name[at] == 1 && hide->name[at + 1] == '*')) {
        return;
    }
    size_t len = 1u + hide->name[at];
    memcpy(label, hide->name + at, len);
    label[len] = 0;
    size_t text_len = name_to_text(label, len + 1, hide->key, sizeof hide->key);
    hide->key[text_len > 0 ? text_len - 1 : 0] = '\0'; /* Without the final dot. */
}

void lookup_hide_init(struct lookup_hide *hide, const struct name_argument *name)
{
    memset(hide, 0, sizeof *hide);
    memcpy(hide->name, name->name, name->len);
    hide->name_len = name->len;
    hide_find_key(hide);
}

bool lookup_hide_read(struct lookup_hide *hide, char *const words[], size_t count)
{
    bool has_key = count > 2 && strcmp(words[2], "1") == 0;
    if (count < 3 || strcmp(words[0], "list") != 0 || (!has_key && strcmp(words[2], "0") != 0) ||
        !name_from_text(words[1], strlen(words[1]), hide->zone_name, &hide->zone_len)) {
        return false;
    }
    hide->has_zone = true;
    hide->zone = (struct list_zone){.zone = "", .has_key = has_key};
    hide_find_key(hide);
    return true;
}

void lookup_hide_name(
    const struct lookup_hide *hide, const uint8_t *name, size_t len, char *text_out)
{
    struct redact_case redact = hide_case(hide, name, len);
    (void)redact_name(&redact, name, len, text_out, REDACT_TEXT_SIZE);
}

/* A key is a word of its own: a short one does not mask parts of other words. */
static bool hide_is_word(char c)
{
    return isalnum((unsigned char)c) != 0 || c == '-' || c == '_';
}

void lookup_hide_add_data(const struct lookup_hide *hide, struct text *text, const char *data)
{
    size_t key_len = strlen(hide->key);
    char before = ' ';
    while (*data != '\0') {
        bool is_key = key_len > 0 && !hide_is_word(before) &&
                      strncasecmp(data, hide->key, key_len) == 0 && !hide_is_word(data[key_len]);
        text_add_bytes(text, is_key ? "*" : data, 1);
        before = *data;
        data += is_key ? key_len : 1;
    }
}
